"""The block scanner as machine code: numba for the walk, the system's libcrypto for the hashes.

Only worker processes import this module: numba takes a while to load. numba keeps the machine code on disk, in the
directory that the environment variable `NUMBA_CACHE_DIR` names at the time numba is imported.

A block with any fault makes the machine code stop; `scan_python` then says what the fault is.
"""

# mypy: untyped-calls-exclude=numba

from __future__ import annotations

import contextlib
import hashlib
import pkgutil
import threading
from collections.abc import Callable
from typing import Final, NoReturn

import numba
import numpy as np
from numba import types
from numba.core.dispatcher import Dispatcher

from utxoracle_core import scan_python
from utxoracle_core.errors import BlockError
from utxoracle_core.hashes import HASH_BYTES
from utxoracle_core.libcrypto import Hashing, sha256_update_address, working_memory
from utxoracle_core.scan import HEADER_BYTES, MAX_BLOCK_WEIGHT, MAX_CANDIDATE_INPUTS, MIN_TX_BYTES, ScannedBlock
from utxoracle_core.scan_kernel import SPAN_COLUMNS, Block, Tables, scan_block
from utxoracle_core.serial import compact_size

_GENESIS_BLOCK = bytes.fromhex(
    "0100000000000000000000000000000000000000000000000000000000000000000000003ba3edfd7a7b12b27ac72c3e67768f617fc81bc3"
    "888a51323a9fb8aa4b1e5e4a29ab5f49ffff001d1dac2b7c0101000000010000000000000000000000000000000000000000000000000000"
    "000000000000ffffffff4d04ffff001d0104455468652054696d65732030332f4a616e2f32303039204368616e63656c6c6f72206f6e2062"
    "72696e6b206f66207365636f6e64206261696c6f757420666f722062616e6b73ffffffff0100f2052a01000000434104678afdb0fe554827"
    "1967f1a67130b7105cd6a828e03909a67962e0ea1f61deb649f6bc3f4cef38c4f35504e51ec112de5c384df7ba0b8d578a4c702b6bf11d5f"
    "ac00000000"
)

_SIGNATURE = types.Tuple((types.int64, types.int64, types.int64, types.boolean))(
    types.NamedUniTuple(types.int64, len(Hashing._fields), Hashing),
    types.NamedUniTuple(types.int64, len(Block._fields), Block),
    types.NamedUniTuple(types.int64, len(Tables._fields), Tables),
    types.boolean,
)


def _dispatcher() -> Dispatcher[Callable[..., tuple[int, int, int, bool]]]:
    """The scanner that numba compiles at the first call, or finds on disk.

    numba tells whether what is on disk is fresh by the file of the outermost function alone, and by a name. So the
    name has a digest of all sources that the machine code is made from.
    """
    sources = hashlib.sha256()
    try:
        for name in ("scan_kernel.py", "libcrypto.py", "scan.py"):
            sources.update(pkgutil.get_data("utxoracle_core", name) or b"")
        scan_block.__qualname__ = f"scan_block_{sources.hexdigest()[:16]}"
        return numba.njit(cache=True, nogil=True, error_model="numpy")(scan_block)
    except (OSError, RuntimeError):
        # no sources, or no directory that can be written to: compiled anew in every process
        return numba.njit(nogil=True, error_model="numpy")(scan_block)


_kernel: Final = _dispatcher()
# numba has no public way to look without compiling
_cache: Final = _kernel._cache  # type: ignore[attr-defined]
_loading = threading.Lock()


def is_compiled() -> bool:
    """Whether the machine code for this machine is at hand; loads it from disk but never compiles.

    Cheap as long as the answer is no, so that it can be asked before every block.
    """
    with _loading:
        if _kernel.signatures:
            return True
        try:
            code = _cache.load_overload(_SIGNATURE, _kernel.targetctx)
        except Exception:  # noqa: BLE001  unpickling damaged bytes raises whatever they happen to say
            _forget()
            return False
        if code is None:
            return False
        _kernel.add_overload(code)
        return True


def _forget() -> None:
    """Have the next process compile again; where even that can't be written, nobody can help."""
    with contextlib.suppress(OSError):
        _cache.flush()


def compile_now() -> None:
    """Compile the scanner and keep the machine code on disk; takes seconds, once per machine and version.

    Raises `OSError` when it can't be kept, `RuntimeError` when it doesn't work.
    """
    if not is_compiled():
        try:
            _kernel.compile(_SIGNATURE)
        except OSError:
            # the index may be on disk without the machine code
            _forget()
            raise
    root = scan(_GENESIS_BLOCK, witness_root=True).merkle_root
    if root != _GENESIS_BLOCK[36:68]:
        raise RuntimeError("the compiled scanner doesn't find the merkle root of the genesis block")


def scan(raw: bytes, *, witness_root: bool = False) -> ScannedBlock:
    """Scan a whole serialised block; see `ScannedBlock`. Compiles the scanner if it isn't yet.

    Raises `BlockError` when the bytes are not exactly one well-formed block, with the words of `scan_python`.
    """
    if not is_compiled():
        with contextlib.suppress(OSError):
            compile_now()
    try:
        n_tx, first = compact_size(raw, HEADER_BYTES, "number of transactions")
    except BlockError:
        _explain(raw, witness_root)
    # a block of more bytes than that weighs too much, whatever is in it
    if len(raw) > MAX_BLOCK_WEIGHT or not 0 < n_tx <= (len(raw) - first) // MIN_TX_BYTES:
        _explain(raw, witness_root)
    txids, roots = np.empty((n_tx, HASH_BYTES), np.uint8), np.empty((2, HASH_BYTES), np.uint8)
    verdicts, tx_indexes = np.empty(n_tx, np.uint8), np.empty(n_tx, np.int32)
    output_sats, input_counts = np.empty((n_tx, 2), np.int64), np.empty(n_tx, np.uint8)
    prevouts = np.empty((MAX_CANDIDATE_INPUTS * n_tx, HASH_BYTES), np.uint8)
    spans, nodes = np.empty((n_tx, SPAN_COLUMNS), np.int64), np.empty((n_tx + 1, HASH_BYTES), np.uint8)
    data, memory = np.frombuffer(raw, np.uint8), working_memory(len(raw))
    arrays = (spans, nodes, txids, verdicts, tx_indexes, output_sats, input_counts, prevouts, roots)
    stripped, n_candidates, n_prevouts, mutated = _kernel(
        Hashing(sha256_update_address(), memory.ctypes.data),
        Block(data.ctypes.data, len(raw), first, n_tx),
        Tables(*(array.ctypes.data for array in arrays)),
        bool(witness_root),
    )
    if stripped < 0:
        _explain(raw, witness_root)
    return ScannedBlock(
        size_bytes=len(raw),
        stripped_size_bytes=stripped,
        txids=txids,
        verdicts=verdicts,
        tx_indexes=tx_indexes[:n_candidates].copy(),
        output_sats=output_sats[:n_candidates].copy(),
        input_counts=input_counts[:n_candidates].copy(),
        prevout_txids=prevouts[:n_prevouts].copy(),
        coinbase_span=(first, int(spans[0, -1])),
        merkle_root=roots[0].tobytes(),
        merkle_mutated=mutated,
        witness_root=roots[1].tobytes() if witness_root else None,
    )


def _explain(raw: bytes, witness_root: bool) -> NoReturn:
    """Have the pure Python scanner raise the `BlockError` for a faulty block."""
    scan_python.scan(raw, witness_root=witness_root)
    raise RuntimeError("scan_python accepts a block that scan_compiled refuses")
