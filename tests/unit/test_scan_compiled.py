"""What is particular to the compiled scanner: its hashes, its memory, and how it comes to be on disk."""

from __future__ import annotations

import ctypes
import dataclasses
import mmap
import os
import random
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NoReturn

import pytest

pytest.importorskip("numba")

import numpy as np

from tests.support.block_reader import Transaction, read_block, root_of
from tests.support.building import P2WPKH, block_of, coinbase_tx, outpoint, payment, sound_block
from utxoracle_core import BlockError, libcrypto, scan_compiled, scan_python
from utxoracle_core.scan import ScannedBlock, Verdict
from utxoracle_tui.demo.chain.serialise import tx_in

ROOT = Path(__file__).parents[2]
MAINNET = sorted((ROOT / "tests" / "fixtures" / "mainnet").rglob("*.bin"))
COMMITMENT = bytes.fromhex("6a24aa21a9ed")
MIXED_BLOCK = sound_block(
    [
        payment(1),
        payment(2, inputs=[tx_in(outpoint(n), b"\x51" * 300) for n in range(5)], witnesses=[[b"\x01" * 260]] * 5),
        payment(3, [1, 2, 3]),
        payment(4, inputs=[tx_in(outpoint(n)) for n in range(10, 16)], witnesses=[[]] * 5 + [[b"", b"\x02"]]),
        payment(5, scripts=[b"\x6a" * 70, P2WPKH]),
        payment(6, [-1, 2**63 - 1], scripts=[b"", b"\x00\x6a"], witnesses=[[b"\x03" * 501]]),
    ]
)


@pytest.fixture(params=["libcrypto", "numba"])
def hashes(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """With the system's SHA-256 and with the one that needs nothing."""
    if request.param == "numba":
        monkeypatch.setattr(scan_compiled, "sha256_update_address", lambda: 0)
    elif not libcrypto.sha256_update_address():
        pytest.skip("no libcrypto here")


def expected_verdict(tx: Transaction) -> Verdict:
    if len(tx.inputs) > 5:
        return Verdict.INPUTS
    if len(tx.outputs) != 2:
        return Verdict.OUTPUTS
    if any(spent.is_null for spent in tx.inputs):
        return Verdict.COINBASE
    if any(paid.script[:1] == b"\x6a" for paid in tx.outputs):
        return Verdict.OP_RETURN
    if any(sum(map(len, spent.witness)) > 500 for spent in tx.inputs):
        return Verdict.WITNESS
    return Verdict.CANDIDATE


def expected_scan(raw: bytes) -> ScannedBlock:
    """All that a scanner should find, from the plain reader."""
    block = read_block(raw)
    txs = block.transactions
    verdicts = [expected_verdict(tx) for tx in txs]
    kept = [index for index, verdict in enumerate(verdicts) if verdict is Verdict.CANDIDATE]
    prevouts = [spent.prevout_txid for index in kept for spent in txs[index].inputs]
    return ScannedBlock(
        size_bytes=block.size_bytes,
        stripped_size_bytes=block.stripped_size_bytes,
        txids=np.frombuffer(b"".join(tx.txid for tx in txs), np.uint8).reshape(-1, 32),
        verdicts=np.array(verdicts, np.uint8),
        tx_indexes=np.array(kept, np.int32),
        output_sats=np.array([[paid.sats for paid in txs[i].outputs] for i in kept], np.int64).reshape(-1, 2),
        input_counts=np.array([len(txs[index].inputs) for index in kept], np.uint8),
        prevout_txids=np.frombuffer(b"".join(prevouts), np.uint8).reshape(-1, 32),
        coinbase_span=block.coinbase_span,
        merkle_root=root_of([tx.txid for tx in txs]),
        merkle_mutated=False,
        witness_root=root_of([bytes(32), *(tx.wtxid for tx in txs[1:])]),
    )


def assert_same(found: ScannedBlock, expected: ScannedBlock) -> None:
    for field in dataclasses.fields(ScannedBlock):
        mine, theirs = getattr(found, field.name), getattr(expected, field.name)
        assert type(mine) is type(theirs), field.name
        if isinstance(mine, np.ndarray):
            assert (mine.dtype, mine.shape) == (theirs.dtype, theirs.shape), field.name
            assert mine.flags.c_contiguous, field.name
            assert np.array_equal(mine, theirs), field.name
        else:
            assert mine == theirs, field.name


@pytest.mark.usefixtures("hashes")
@pytest.mark.parametrize("path", MAINNET, ids=lambda path: path.stem)
def test_real_blocks_are_read_as_the_plain_reader_reads_them(path: Path) -> None:
    raw = path.read_bytes()
    found = scan_compiled.scan(raw, witness_root=True)
    assert_same(found, expected_scan(raw))
    assert found.merkle_root == raw[36:68]
    assert scan_compiled.scan(raw).witness_root is None
    coinbase = read_block(raw).transactions[0]
    (commitment,) = [paid.script[6:38] for paid in coinbase.outputs if paid.script.startswith(COMMITMENT)]
    (reserved,) = coinbase.inputs[0].witness
    assert found.witness_root is not None
    assert root_of([found.witness_root, reserved]) == commitment


@pytest.mark.usefixtures("hashes")
def test_every_verdict_and_extreme_amounts() -> None:
    found = scan_compiled.scan(MIXED_BLOCK, witness_root=True)
    assert_same(found, expected_scan(MIXED_BLOCK))
    names = [Verdict(verdict).name for verdict in found.verdicts[1:]]
    assert names == ["CANDIDATE", "CANDIDATE", "OUTPUTS", "INPUTS", "OP_RETURN", "WITNESS"]


@pytest.mark.usefixtures("hashes")
def test_transactions_of_every_length_around_a_hash_block() -> None:
    txs = [payment(n, scripts=[b"\x51" * n, b""], witnesses=[[b"\x01" * n]] if n % 2 else None) for n in range(1, 140)]
    raw = sound_block(txs)
    assert_same(scan_compiled.scan(raw, witness_root=True), expected_scan(raw))


@pytest.mark.usefixtures("hashes")
@pytest.mark.parametrize(
    ("doubled", "mutated"),
    [("a", False), ("aa", True), ("ab", False), ("abb", False), ("abbb", True), ("abcdcd", True), ("abcdecde", False)],
)
def test_a_tree_of_equal_neighbours_is_mutated(doubled: str, mutated: bool) -> None:
    # the coinbase is the left one of the first pair
    txs = [coinbase_tx(), payment(0), *(payment(ord(name)) for name in doubled)]
    raw = block_of(txs)
    found = scan_compiled.scan(raw)
    assert found.merkle_mutated is mutated
    assert found.merkle_root == raw[36:68]


def test_results_outlive_and_do_not_share_the_working_memory() -> None:
    first = scan_compiled.scan(MIXED_BLOCK)
    expected = first.txids.copy()
    scan_compiled.scan(MAINNET[0].read_bytes())
    assert np.array_equal(first.txids, expected)
    for field in dataclasses.fields(ScannedBlock):
        value = getattr(first, field.name)
        if isinstance(value, np.ndarray):
            assert value.base is None, field.name


def test_threads_do_not_disturb_each_other() -> None:
    raws = [path.read_bytes() for path in MAINNET] * 3
    expected = [raw[36:68] for raw in raws]
    with ThreadPoolExecutor(4) as pool:
        assert [found.merkle_root for found in pool.map(scan_compiled.scan, raws)] == expected


def test_a_library_that_hashes_otherwise_is_not_used() -> None:
    prototype = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_void_p, ctypes.c_void_p, ctypes.c_size_t)
    idle = prototype(lambda _context, _data, _n_bytes: 1)
    address = ctypes.cast(idle, ctypes.c_void_p).value
    assert address is not None
    assert not libcrypto._works(address)


def test_without_libraries_there_is_no_address(monkeypatch: pytest.MonkeyPatch) -> None:
    find = libcrypto.sha256_update_address.__wrapped__
    monkeypatch.setattr(libcrypto, "_candidates", lambda: ["/nonexistent/libcrypto.so.3", sys.executable])
    assert find() == 0


def test_the_scanners_must_agree_on_what_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scan_python, "scan", lambda raw, *, witness_root: None)
    with pytest.raises(RuntimeError, match="scan_python accepts"):
        scan_compiled.scan(MIXED_BLOCK[:-1])


@pytest.fixture
def guarded() -> Iterator[tuple[mmap.mmap, int]]:
    """Memory, and where in it a page begins at whose touch the process ends."""
    if sys.platform == "win32":
        pytest.skip("needs mprotect")
    size = len(MIXED_BLOCK) + 100
    end = -(-size // mmap.PAGESIZE) * mmap.PAGESIZE
    memory = mmap.mmap(-1, end + mmap.PAGESIZE)
    libc = ctypes.CDLL(None, use_errno=True)
    view = ctypes.c_char.from_buffer(memory)
    guard = ctypes.c_void_p(ctypes.addressof(view) + end)
    assert libc.mprotect(guard, ctypes.c_size_t(mmap.PAGESIZE), 0) == 0
    yield memory, end
    assert libc.mprotect(guard, ctypes.c_size_t(mmap.PAGESIZE), mmap.PROT_READ | mmap.PROT_WRITE) == 0
    del view
    memory.close()


def damaged(chance: random.Random) -> bytes:
    """The mixed block, cut or changed in a few places, with sizes that mean to overflow among the changes."""
    raw = bytearray(MIXED_BLOCK)
    for _ in range(chance.randint(1, 3)):
        at = chance.randrange(80, len(raw))
        wide = chance.choice([b"\xfd\xff\xff", b"\xfe\xff\xff\xff\xff", b"\xff" * 9, b"\xff" + bytes(7) + b"\x80"])
        match chance.randrange(4):
            case 0:
                raw[at] = chance.choice([0, 1, 0x6A, 0xFC, 0xFD, 0xFE, 0xFF, chance.randrange(256)])
            case 1:
                raw[at : at + 1] = wide
            case 2:
                del raw[at : at + chance.randint(1, 5)]
            case _:
                del raw[at:]
        if len(raw) <= 81:
            break
    return bytes(raw)


def test_damaged_blocks_are_never_read_beyond_their_end(
    guarded: tuple[mmap.mmap, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    memory, end = guarded
    refused = 0

    def refuse(_raw: bytes, _witness_root: bool) -> NoReturn:
        raise BlockError("refused", 0, "a sound block")

    monkeypatch.setattr(scan_compiled, "_explain", refuse)
    for seed in range(4000):
        raw = damaged(random.Random(seed))
        memory[end - len(raw) : end] = raw
        with memoryview(memory) as view, view[end - len(raw) : end] as block:
            try:
                found = scan_compiled.scan(block, witness_root=True)  # type: ignore[arg-type]
            except BlockError:
                refused += 1
                with pytest.raises(BlockError):
                    scan_python.scan(raw)
            else:
                assert_same(found, scan_python.scan(raw, witness_root=True))
    assert 1000 < refused < 3900


def test_a_block_at_the_end_of_memory_is_read_whole(guarded: tuple[mmap.mmap, int]) -> None:
    memory, end = guarded
    memory[end - len(MIXED_BLOCK) : end] = MIXED_BLOCK
    with memoryview(memory) as view, view[end - len(MIXED_BLOCK) : end] as block:
        found = scan_compiled.scan(block, witness_root=True)  # type: ignore[arg-type]
    assert_same(found, expected_scan(MIXED_BLOCK))


@dataclasses.dataclass(frozen=True)
class Fresh:
    """Fresh processes with a directory of their own for machine code."""

    cache: Path

    def words(self, code: str, **more: str) -> list[str]:
        """What a process prints that imports the scanner as `s` and runs `code`."""
        environment = os.environ | {"NUMBA_CACHE_DIR": str(self.cache), "PYTHONPATH": str(ROOT / "core")}
        program = f"from utxoracle_core import scan_compiled as s; {code}"
        done = subprocess.run(
            [sys.executable, "-c", program],
            env=environment | more,
            capture_output=True,
            text=True,
            timeout=120,
            check=True,
        )
        return done.stdout.split()

    def files(self, suffix: str) -> list[Path]:
        return list(self.cache.rglob(f"*.{suffix}"))


@pytest.fixture
def fresh(tmp_path: Path) -> Fresh:
    return Fresh(tmp_path)


ASK = "print(s.is_compiled())"
SCAN = "raw = s._GENESIS_BLOCK; print(s.scan(raw).merkle_root == raw[36:68], s._kernel.stats.cache_misses.total())"


@pytest.mark.soak
def test_machine_code_is_kept_for_other_processes(fresh: Fresh) -> None:
    assert fresh.words(ASK) == ["False"]
    assert fresh.files("nbi") == [], "asking compiles nothing"
    assert fresh.words(f"s.compile_now(); {ASK}") == ["True"]
    assert fresh.words(f"{ASK}; {SCAN}") == ["True", "True", "0"], "it is compiled anew"
    (code,), (index,) = fresh.files("nbc"), fresh.files("nbi")
    whole, before = code.read_bytes(), index.read_bytes()
    for damaged_code in (b"", bytes(len(whole))):
        code.write_bytes(damaged_code)
        index.write_bytes(before)
        assert fresh.words(ASK) == ["False"]
    code.write_bytes(whole)
    assert fresh.words(ASK) == ["False"], "the index still leads to code that was found damaged"
    index.write_bytes(before)
    assert fresh.words(ASK) == ["True"]


@pytest.mark.soak
def test_it_works_where_nothing_can_be_kept(tmp_path: Path) -> None:
    nowhere = tmp_path / "file"
    nowhere.write_text("not a directory")
    only_there = {"NUMBA_CACHE_LOCATOR_CLASSES": "UserProvidedCacheLocator"}
    fresh = Fresh(nowhere)
    assert fresh.words(f"{ASK}; {SCAN}; {ASK}", **only_there) == ["False", "True", "1", "True"]


@pytest.mark.soak
def test_a_full_disk_is_reported_and_leaves_no_half_result(fresh: Fresh) -> None:
    full = """
from numba.core.caching import IndexDataCacheFile
def no_room(*_): raise OSError(28, "No space left on device")
IndexDataCacheFile._save_data = no_room
try:
    s.compile_now()
except OSError as error:
    print(error.errno, s.is_compiled())
"""
    assert fresh.words(full) == ["28", "True"]
    assert fresh.words(ASK) == ["False"]
