"""What runs inside a worker process: digesting a block, pricing a window.

A worker begins with the pure Python scanner, and goes over to the compiled one as soon as that is ready, which is
looked for beside the work.
"""

from __future__ import annotations

import os
import pickle
import signal
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from itertools import islice
from typing import ParamSpec

from utxoracle_core.block_price import BlockReading, block_prices
from utxoracle_core.digest import BlockDigest, digest_block, digest_from_bytes, digest_to_bytes
from utxoracle_core.price import WindowPrice, price_window
from utxoracle_core.scan import Scanner
from utxoracle_core.scan_python import scan as scan_python
from utxoracle_core.window import assemble
from utxoracle_core.window_and_blocks import price_with_blocks
from utxoracle_tui import lean_memory
from utxoracle_tui.engine.giving_way import LAST, give_way
from utxoracle_tui.engine.handing_over import Handed, taken
from utxoracle_tui.sources.block_files_records import BlockPlace
from utxoracle_tui.sources.block_folder import BlockRef

P = ParamSpec("P")
Kept = Callable[[str], bytes | None]
"""Where digests lie: one by its name, if it is there."""
KeptRun = tuple[list[BlockReading], bytes]
"""The price at each block, and the pickled `RunEnd`."""
CACHE_VARIABLE = "NUMBA_CACHE_DIR"
_POLL_S = 2.0
_scan: Scanner = scan_python


def start_worker(cache_dir: str) -> None:
    """Set up a new worker process. `cache_dir` is where compiled code is kept."""
    # the console decides when a worker ends; Ctrl-C goes to the whole process group
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    os.environ.setdefault(CACHE_VARIABLE, cache_dir)
    give_way()
    lean_memory.hold()
    threading.Thread(target=_await_compiled, daemon=True).start()


def _await_compiled() -> None:
    global _scan  # noqa: PLW0603
    try:
        from utxoracle_core import scan_compiled  # noqa: PLC0415
    except ImportError:
        return
    while not scan_compiled.is_compiled():
        time.sleep(_POLL_S)
    scan_compiled.compile_now()
    _scan = scan_compiled.scan


def scanner_is_compiled() -> bool:
    """Whether this worker has gone over to the compiled scanner."""
    return _scan is not scan_python


def compile_scanner(cache_dir: str) -> None:
    """Compile the scanner into the cache, unless it is there; for a process of its own at the lowest priority."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    os.environ.setdefault(CACHE_VARIABLE, cache_dir)
    give_way(LAST)
    try:
        from utxoracle_core import scan_compiled  # noqa: PLC0415
    except ImportError:
        return
    if not scan_compiled.is_compiled():
        scan_compiled.compile_now()


def digest_from_file(ref: BlockRef) -> bytes:
    """Read a block from disk and digest it, the witness commitment included.

    Raises `BlockError` for a block that must not be used, `OSError` when it can't be read.
    """
    digest = digest_block(ref.read(), ref.height, expected_hash=ref.header.hash_text, check_witness=True, scan=_scan)
    return digest_to_bytes(digest)


def digest_in_place(place: BlockPlace, height: int, hash_text: str) -> bytes:
    """Read a block from a node's block file and digest it, the witness commitment included.

    Raises `BlockError` for a block that must not be used, `OSError` when it can't be read.
    """
    return digest_to_bytes(digest_block(place.read(), height, expected_hash=hash_text, check_witness=True, scan=_scan))


def digest_raw(handed: Handed, height: int, hash_text: str) -> bytes:
    """Digest a block that a node sent for `hash_text`; merkle root and work are checked.

    Raises `BlockError` for a block that must not be used, `NotHandedOver` for one that can't be had.
    """
    return digest_to_bytes(digest_block(taken(handed), height, expected_hash=hash_text, scan=_scan))


def price_digests(digests: Sequence[bytes]) -> WindowPrice:
    """Assemble digests in height order and price them; the result is without amounts.

    Raises `DigestError` for a damaged digest.
    """
    return _priced([digest_from_bytes(data) for data in digests])


def _priced(digests: Sequence[BlockDigest]) -> WindowPrice:
    return _without_amounts(price_window(assemble(digests)))


def _without_amounts(price: WindowPrice) -> WindowPrice:
    return replace(price, outputs=price.outputs.without_amounts())


def keep_digest(
    write: Callable[[str, bytes], int], name: str, digest: Callable[P, bytes], /, *args: P.args, **kwargs: P.kwargs
) -> tuple[int, bytes]:
    """Digest a block as `digest` does, and keep it under a name: the bytes that it takes there, or else the digest."""
    made = digest(*args, **kwargs)
    written_bytes = write(name, made)
    return written_bytes, b"" if written_bytes else made


class _Gone(Exception):
    """A digest that was to lie on the disk does not."""


def price_kept(kept: Kept, names: Sequence[str]) -> WindowPrice | None:
    """As `price_digests` for digests that lie on the disk, under these names in height order; None without one."""
    try:
        return _priced(list(_each_kept(kept, names)))
    except _Gone:
        return None


def price_kept_with_blocks(
    kept: Kept, names: Sequence[str], n_before: int, start: bytes
) -> tuple[WindowPrice, KeptRun] | None:
    """Both `price_kept` for all but the first `n_before`, and `price_kept_blocks` from the end of another run.

    None where a digest is missing.
    """
    try:
        digests = list(_each_kept(kept, names[n_before:]))
        price, readings, end = price_with_blocks(pickle.loads(start), _each_kept(kept, names[:n_before]), digests)
    except _Gone:
        return None
    return _without_amounts(price), (readings, pickle.dumps(end, pickle.HIGHEST_PROTOCOL))


def price_kept_blocks(kept: Kept, names: Sequence[str], n_before: int, start: float | bytes) -> KeptRun | None:
    """The price at each block whose digest lies on the disk, but for the first `n_before`; None where one is missing.

    `start` is a price in USD per BTC, or what came of such a run over the blocks before: the pickled `RunEnd`, which
    comes with the prices.
    """
    digests = _each_kept(kept, names)
    begin = pickle.loads(start) if isinstance(start, bytes) else start
    try:
        run, readings = block_prices(begin, digests, islice(digests, n_before))
    except _Gone:
        return None
    return readings, pickle.dumps(run.end, pickle.HIGHEST_PROTOCOL)


def _each_kept(kept: Kept, names: Sequence[str]) -> Iterator[BlockDigest]:
    for name in names:
        digest = kept(name)
        if digest is None:
            raise _Gone
        yield digest_from_bytes(digest, is_whole=True)


def price_blocks(
    before: Sequence[bytes], digests: Sequence[bytes], start_price_usd: float | None
) -> list[BlockReading]:
    """The price at each block of `digests`, which must be consecutive.

    `before` are the blocks just before them: what they made is known when it is spent. Without a start price, it is
    the window price of these; none can be had without one, and the list is empty then. Raises `DigestError` for a
    damaged digest.
    """
    earlier = [digest_from_bytes(data) for data in before]
    if start_price_usd is None and earlier:
        start_price_usd = price_window(assemble(earlier)).price_usd
    if start_price_usd is None:
        return []
    return block_prices(start_price_usd, (digest_from_bytes(data) for data in digests), earlier)[1]
