"""How fast the core is, on one core: `python -m tests.bench.core_speed`.

A generated day of 144 blocks of 2,000 transactions (about 125 MB) is held in memory. Each figure stands beside
what it has to meet; the exit code is 1 when one misses.
"""

from __future__ import annotations

import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from utxoracle_core import assemble, digest_block, digest_from_bytes, digest_to_bytes, price_window
from utxoracle_core.scan import Scanner
from utxoracle_core.scan_python import scan as scan_python
from utxoracle_tui.demo.chain import ChainSpec, Constant, Every, blocks

BLOCKS, TX_PER_BLOCK = 144, 2000
RUNS = 5
PRICE_USD = 65_000.0


@dataclass(frozen=True)
class Figure:
    """One measurement: the median of several runs, and the bound that it has to keep."""

    name: str
    value: float
    unit: str
    bound: float
    at_least: bool

    @property
    def met(self) -> bool:
        return self.value >= self.bound if self.at_least else self.value <= self.bound

    def __str__(self) -> str:
        sign = "≥" if self.at_least else "≤"
        verdict = "ok" if self.met else "MISSED"
        return f"{self.name:<58} {self.value:9.3f} {self.unit:<5} {sign} {self.bound:g}  {verdict}"


def median_s(work: Callable[[], object], runs: int = RUNS) -> float:
    """The median of several runs after one that isn't counted, in seconds of CPU time: other work doesn't count."""
    work()
    times = []
    for _ in range(runs):
        start = time.process_time()
        work()
        times.append(time.process_time() - start)
    return statistics.median(times)


def start_up_s(runs: int = 15) -> float:
    """The median wall time of the whole program printing its version, in seconds."""
    times = []
    for _ in range(runs):
        start = time.perf_counter()
        subprocess.run([sys.executable, "-m", "utxoracle_tui", "--version"], check=True, capture_output=True)
        times.append(time.perf_counter() - start)
    return statistics.median(times)


def scan_figures(raws: list[bytes], scanner: Scanner, name: str, plain: float, witness: float) -> list[Figure]:
    """Digest the day with merkle root, hash and work checked; then with the witness commitment, too."""
    megabytes = sum(map(len, raws)) / 1e6

    def digest_all(check_witness: bool) -> Callable[[], object]:
        return lambda: [
            digest_block(raw, 800_000 + i, check_witness=check_witness, scan=scanner) for i, raw in enumerate(raws)
        ]

    return [
        Figure(
            f"{name}: digest, merkle root and hash checked",
            megabytes / median_s(digest_all(False), 3),
            "MB/s",
            plain,
            True,
        ),
        Figure(
            f"{name}: the same and the witness commitment",
            megabytes / median_s(digest_all(True), 3),
            "MB/s",
            witness,
            True,
        ),
    ]


def main() -> int:
    """Generate the day, measure, print."""
    spec = ChainSpec(
        seed=1,
        times_s=Every(600, 1_700_000_000),
        first_height=800_000,
        tx_per_block=TX_PER_BLOCK,
        price=Constant(PRICE_USD),
    )
    raws = [block.raw for block, _ in zip(blocks(spec), range(BLOCKS), strict=False)]
    print(
        f"{BLOCKS} blocks of {TX_PER_BLOCK} transactions, {sum(map(len, raws)) / 1e6:.1f} MB, "
        f"on Python {sys.version.split()[0]}"
    )
    figures = []
    try:
        from utxoracle_core import scan_compiled
    except ImportError:
        print("compiled scanner: not there (no numba)")
    else:
        scan_compiled.compile_now()
        figures += scan_figures(raws, scan_compiled.scan, "compiled", 250, 150)
    figures += scan_figures(raws, scan_python, "pure Python", 80, 50)
    saved = [digest_to_bytes(digest_block(raw, 800_000 + i)) for i, raw in enumerate(raws)]
    outputs = assemble([digest_from_bytes(data) for data in saved])
    priced = price_window(outputs)
    assert priced.price_usd is not None
    assert abs(priced.price_usd / PRICE_USD - 1) < 0.005
    print(f"{len(outputs.amounts_btc):,} amounts, digests of {np.mean([len(d) for d in saved]) / 1e3:.0f} kB")
    figures.append(Figure("pricing the amounts of the day", median_s(lambda: price_window(outputs)), "s", 0.25, False))
    whole = median_s(lambda: price_window(assemble([digest_from_bytes(data) for data in saved])))
    figures.append(Figure("144 digests read, assembled and priced", whole, "s", 0.4, False))
    version = start_up_s()
    figures.append(Figure("utxoracle-tui --version", version * 1e3, "ms", 150, False))
    for figure in figures:
        print(figure)
    return 0 if all(figure.met for figure in figures) else 1


if __name__ == "__main__":
    sys.exit(main())
