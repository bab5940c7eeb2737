"""How fast windows come from the node's own block files: `python -m tests.bench.block_files_speed`.

A generated day of 144 blocks of 2,000 transactions (about 125 MB) lies in obfuscated block files, shuffled, with stale
blocks among them. The baseline is this process alone, which reads each block and digests it, one after the other; it
tells how fast the machine is just now. Then two workers do it through the program, from the search for each block to
its digest. All in one run, in turns, so that the figures can be compared. The exit code is 1 when one misses.
"""

from __future__ import annotations

import asyncio
import os
import random
import sys
import tempfile
import time
from itertools import islice
from pathlib import Path
from statistics import median

from tests.bench.core_speed import Figure
from tests.support.block_file_folder import KEY, BlockFileFolder, hash_text, time_of, xored
from tests.support.building import chain_of, payment
from utxoracle_core import digest_block, digest_to_bytes, scan_compiled
from utxoracle_tui.demo.chain import ChainSpec, Constant, Every, blocks
from utxoracle_tui.engine.block_file_pricing import BlockFilePricing
from utxoracle_tui.engine.pricing import WantedBlock
from utxoracle_tui.engine.workers import Workers
from utxoracle_tui.sources.block_files import BlockFiles
from utxoracle_tui.sources.block_files_records import BlockPlace

BLOCKS, TX_PER_BLOCK, FIRST_HEIGHT = 144, 2000, 800_000
WORKERS, RUNS = 2, 9
AT_ONCE = 2 * WORKERS + 4
"""Blocks under way, as in a window from a node."""
OLDER_FILES, OLDER_HEADERS, FILE_BYTES = 200, 100, 128 << 20


def main() -> int:
    """Write the files, measure, print."""
    with tempfile.TemporaryDirectory() as name:
        place = Path(name)
        folder, raws = write_files(place / "blocks")
        megabytes = sum(map(len, raws)) / 1e6
        print(f"{BLOCKS} blocks, {megabytes:.1f} MB, in {folder.number + 1} files; Python {sys.version.split()[0]}")
        workers = Workers(place / "cache", WORKERS)
        workers.start()
        try:
            figures = asyncio.run(measure(place, folder, raws, workers))
        finally:
            workers.stop()
        figures.append(index_figure(place))
    for figure in figures:
        print(figure)
    return 0 if all(figure.met for figure in figures) else 1


def write_files(path: Path) -> tuple[BlockFileFolder, list[bytes]]:
    """The day in files of fifty blocks; blocks arrive up to eight out of order."""
    spec = ChainSpec(
        seed=1,
        times_s=Every(600, 1_700_000_000),
        first_height=FIRST_HEIGHT,
        tx_per_block=TX_PER_BLOCK,
        price=Constant(65_000.0),
    )
    raws = [block.raw for block in islice(blocks(spec), BLOCKS)]
    draws = random.Random(1)
    arrived = [raw for _, raw in sorted(enumerate(raws), key=lambda numbered: numbered[0] + draws.uniform(0, 8))]
    for at in (20, 70, 130):
        arrived[at:at] = [raw for _, raw in chain_of([[payment(at)]])]
    folder = BlockFileFolder(path, KEY)
    folder.append_all(arrived, 50)
    return folder, raws


async def measure(place: Path, folder: BlockFileFolder, raws: list[bytes], workers: Workers) -> list[Figure]:
    """The figures about reading blocks."""
    # a console that has been up for a minute has the compiled scanner; the workers look for it every two seconds
    await workers.run(_compile)
    scan_compiled.compile_now()
    await asyncio.sleep(6)
    wanted = [WantedBlock(height, hash_text(raw), None, time_of(raw)) for height, raw in enumerate(raws, FIRST_HEIGHT)]
    pids = {await workers.run(os.getpid) for _ in range(10 * WORKERS)}
    alone(folder, wanted)
    await through_program(folder, wanted, workers, place / "warm-up")
    alone_s, program_s, cpu_s = [], [], []
    for run in range(RUNS):
        alone_s.append(alone(folder, wanted))
        before_s = processor_s(pids)
        program_s.append(await through_program(folder, wanted, workers, place / f"index-{run}"))
        cpu_s.append(processor_s(pids) - before_s)
    megabytes = sum(map(len, raws)) / 1e6
    for name, times_s in (("one process alone", alone_s), ("two workers", program_s)):
        print(f"{name}: {', '.join(f'{megabytes / taken_s:.0f}' for taken_s in times_s)} MB/s")
    # other work on the machine only ever takes time, so the fastest run is nearest to what the program can do
    return [
        Figure("blocks from block files, two workers, no index yet", megabytes / min(program_s), "MB/s", 200, True),
        Figure("what its processor time is worth on two free cores", 2 * megabytes / median(cpu_s), "MB/s", 200, True),
    ]


def processor_s(workers: set[int]) -> float:
    """Seconds of processor time that this process and the workers have taken (Linux, proc_pid_stat(5))."""
    ticks = 0
    for pid in {os.getpid(), *workers}:
        after_name = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
        ticks += int(after_name[11]) + int(after_name[12])
    return ticks / os.sysconf("SC_CLK_TCK")


def _compile() -> None:
    """Runs in a worker: compile the scanner into the cache, where the others find it."""
    from utxoracle_core import scan_compiled

    scan_compiled.compile_now()


def alone(folder: BlockFileFolder, wanted: list[WantedBlock]) -> float:
    """Seconds that this process takes to read all blocks and digest them, everything about them checked."""
    started_s = time.perf_counter()
    for block in wanted:
        path, offset, length = folder.places[block.hash_text]
        raw = BlockPlace(path, offset, length, KEY).read()
        digest_to_bytes(
            digest_block(raw, block.height, expected_hash=block.hash_text, check_witness=True, scan=scan_compiled.scan)
        )
    return time.perf_counter() - started_s


async def through_program(folder: BlockFileFolder, wanted: list[WantedBlock], workers: Workers, index: Path) -> float:
    """Seconds that the program takes for the same, its index not made yet."""
    files = BlockFiles(folder.path, "regtest", index)
    pricing = BlockFilePricing(files)
    waiting = iter(wanted)

    async def one_after_the_other() -> None:
        for block in waiting:
            assert await pricing.digest(block, workers.run) is not None

    started_s = time.perf_counter()
    await asyncio.gather(*(one_after_the_other() for _ in range(AT_ONCE)))
    taken_s = time.perf_counter() - started_s
    assert not files.notes
    return taken_s


def index_figure(place: Path) -> Figure:
    """How long a search takes through so many files of full size with frames and headers alone in them."""
    folder = BlockFileFolder(place / "older", KEY)
    heads = headers_of_files()
    for number, (records, _) in enumerate(heads):
        with (folder.path / f"blk{number:05}.dat").open("wb") as file:
            for offset, head in records:
                file.seek(offset)
                file.write(xored(head, KEY, offset))
            file.truncate(FILE_BYTES)
    _, (hash_of_oldest, time_s) = heads[0]
    started_s = time.perf_counter()
    files = BlockFiles(folder.path, "regtest", place / "older-index")
    found = asyncio.run(files.place_of(hash_of_oldest, time_s))
    assert found is not None
    milliseconds = (time.perf_counter() - started_s) * 1e3 / OLDER_FILES
    return Figure("index of a file of 128 MiB with 100 blocks", milliseconds, "ms", 20, False)


def headers_of_files() -> list[tuple[list[tuple[int, bytes]], tuple[str, int]]]:
    """Per file: frames and headers with their offsets, and hash and time of the last block. All of one day."""
    made = []
    ((_, small),) = chain_of([[]])
    size = FILE_BYTES // OLDER_HEADERS - 16
    for number in range(OLDER_FILES):
        records = []
        raw = b""
        for row in range(OLDER_HEADERS):
            nonce = 0
            while True:
                raw = small[:68] + (1_700_000_000 + number).to_bytes(4, "little") + small[72:76]
                raw += (row * 65_536 + nonce).to_bytes(4, "little")
                if int(hash_text(raw), 16) >> 255 == 0:
                    break
                nonce += 1
            records.append((row * (size + 8), b"\xfa\xbf\xb5\xda" + size.to_bytes(4, "little") + raw))
        made.append((records, (hash_text(raw), time_of(raw))))
    return made


if __name__ == "__main__":
    sys.exit(main())
