"""Comparisons of the core with recorded answers: everything that a folder of fixtures holds, a question at a time.

Each `check_…` answers one question with the comparisons it made and those that failed. The command
`python -m tests.bench.parity DIR` asks them all, the unit tests ask them one by one.
"""

from __future__ import annotations

import csv
import gzip
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tests.support import plain_method
from tests.support.chain_folder import HeaderTimes, block_files, hash_end_in_name, height_in_name, read_chain
from tests.support.scanners import scanner_named
from utxoracle_core import (
    BlockDigest,
    HeightRange,
    Outcome,
    WindowOutputs,
    WindowPrice,
    WindowRefused,
    assemble,
    digest_block,
    digest_from_bytes,
    digest_to_bytes,
    price_window,
    select_day,
    select_last,
)
from utxoracle_core.central import central
from utxoracle_core.histogram import count_amounts, curve_sum, normalise, smooth_round_btc
from utxoracle_core.points import price_points
from utxoracle_core.price import CENTRAL_REACH
from utxoracle_core.window import FilterCounts

Json = dict[str, Any]

FIXTURES = Path(__file__).parents[1] / "fixtures"
CONFIRMATIONS = 7
"""Blocks after the last one of a published day, as seen from the first tip at which the day may be asked for."""


class Checks:
    """Comparisons of one question, and which of them failed."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.count = 0
        self.differences: list[str] = []

    def equal(self, what: str, found: object, expected: object) -> None:
        """Compare two values; floats must be the same float."""
        self.count += 1
        if type(found) is not type(expected) or found != expected:
            self.differences.append(f"{self.name}: {what} is {found!r}, expected {expected!r}")

    def same_array(self, what: str, found: NDArray[Any], expected: NDArray[Any]) -> None:
        """Compare two arrays element by element."""
        self.count += 1
        if found.shape != expected.shape:
            self.differences.append(f"{self.name}: {what} has shape {found.shape}, expected {expected.shape}")
        elif found.dtype != expected.dtype:
            self.differences.append(f"{self.name}: {what} is of {found.dtype}, expected {expected.dtype}")
        elif not np.array_equal(found, expected):
            places = np.flatnonzero(found != expected)
            at = int(places[0])
            self.differences.append(
                f"{self.name}: {what} differs in {len(places)} places, first at {at}: "
                f"{found.ravel()[at]!r}, expected {expected.ravel()[at]!r}"
            )

    def holds(self, what: str, truth: bool) -> None:
        """Something that must be so."""
        self.count += 1
        if not truth:
            self.differences.append(f"{self.name}: not so: {what}")


# --- cases: a question asked of the reference on a generated chain


@dataclass(frozen=True)
class Case:
    """A question and its recorded answer."""

    folder: Path
    name: str
    document: Json

    @property
    def expected(self) -> Json:
        expected: Json = self.document["expected"]
        return expected

    @property
    def refusal(self) -> str | None:
        """The outcome in words where there is no price."""
        outcome: str | None = self.expected.get("outcome")
        return outcome

    @property
    def chain_path(self) -> Path:
        return self.folder / "reference" / "chains" / str(self.document["chain"])

    @property
    def has_arrays(self) -> bool:
        return self._arrays_path.is_file()

    @property
    def has_blocks(self) -> bool:
        return (self.chain_path / "blocks.dat").is_file()

    @property
    def has_times(self) -> bool:
        return (self.chain_path / "index.json").is_file()

    @property
    def _arrays_path(self) -> Path:
        return self.folder / "reference" / "cases" / f"{self.name}.npz"

    def arrays(self) -> dict[str, NDArray[Any]]:
        with np.load(self._arrays_path) as stored:
            return {name: stored[name] for name in stored.files}


def cases(folder: Path) -> list[Case]:
    """All cases of a folder, by name."""
    paths = sorted((folder / "reference" / "cases").glob("*.json"))
    return [Case(folder, path.stem, json.loads(path.read_text(encoding="utf-8"))) for path in paths]


def check_case_window(case: Case) -> Checks:
    """Which blocks: header times alone."""
    checks = Checks(f"{case.name}, window")
    refusal, window = _selected(case)
    if case.refusal in ("date_too_new", "date_too_old"):
        checks.equal("refusal", refusal, case.refusal)
    elif case.refusal is not None:
        checks.equal("refusal", refusal, None)
    else:
        assert window is not None, refusal
        checks.equal("first block", window.first, case.expected["first_block"])
        checks.equal("last block", window.last, case.expected["last_block"])
        checks.equal("number of blocks", len(window), case.expected["n_blocks"])
    return checks


def _selected(case: Case) -> tuple[str | None, HeightRange | None]:
    chain = read_chain(case.chain_path)
    ask = case.document["ask"]
    try:
        if "last" in ask:
            return None, select_last(ask["last"], chain.tip)
        return None, select_day(date.fromisoformat(ask["date"]), chain.times_s(), chain.tip).blocks
    except WindowRefused as refused:
        return refused.kind, None


@lru_cache(maxsize=4)
def _chain_digests(path: Path, first: int, last: int, scanner: str) -> tuple[BlockDigest, ...]:
    """Digests of a chain with every check there is, written to bytes and read back."""
    chain = read_chain(path)
    heights = range(first, last + 1)
    digests = []
    for height, raw in zip(heights, chain.raw_blocks(heights), strict=True):
        hash_text = chain.entry(height).hash_text
        digest = digest_block(raw, height, expected_hash=hash_text, check_witness=True, scan=scanner_named(scanner))
        digests.append(digest_from_bytes(digest_to_bytes(digest)))
    return tuple(digests)


def check_case_blocks(case: Case, scanner: str) -> Checks:
    """Everything, from the raw blocks of the chain."""
    checks = Checks(f"{case.name}, blocks, {scanner}")
    refusal, window = _selected(case)
    if window is None:
        checks.equal("refusal", refusal, case.refusal)
        return checks
    outputs = assemble(_chain_digests(case.chain_path, window.first, window.last, scanner))
    result = price_window(outputs)
    if case.refusal is not None:
        checks.equal("outcome", str(result.outcome), case.refusal)
        checks.equal("price", result.price_usd, None)
        checks.equal("confidence", result.confidence.value, 0.0)
        return checks
    checks.equal("first block", outputs.first_height, case.expected["first_block"])
    checks.equal("last block", outputs.last_height, case.expected["last_block"])
    checks.equal("number of blocks", outputs.n_blocks, case.expected["n_blocks"])
    checks.equal("transactions", outputs.filters.total, case.expected["n_todays_txids"])
    _compare_priced(checks, case, result)
    return checks


def check_case_arrays(case: Case) -> Checks:
    """Sections 3 to 7, from the recorded amounts."""
    checks = Checks(f"{case.name}, arrays")
    arrays = case.arrays()
    window = window_of_amounts(arrays["amounts_btc"], arrays["amount_heights"], case.expected["n_blocks"])
    _compare_priced(checks, case, price_window(window))
    curve = smooth_round_btc(count_amounts(arrays["amounts_btc"]))
    checks.equal("curve sum, step by step", curve_sum(curve), case.expected["curve_sum"])
    checks.same_array("histogram, step by step", normalise(curve), arrays["histogram"])
    return checks


def window_of_amounts(amounts_btc: NDArray[np.float64], heights: NDArray[np.int32], n_blocks: int) -> WindowOutputs:
    """A window that has amounts and no blocks."""
    return WindowOutputs(
        first_height=0,
        last_height=0,
        first_hash="",
        last_hash="",
        block_times=np.zeros(n_blocks, np.int64),
        filters=FilterCounts(0, 0, 0, 0, 0, 0, 0),
        amounts_btc=amounts_btc,
        amount_heights=heights,
    )


def _compare_priced(checks: Checks, case: Case, result: WindowPrice) -> None:
    expected, arrays = case.expected, case.arrays()
    checks.equal("price as text", repr(result.price_usd), expected["central_price_repr"])
    checks.equal("price", result.price_usd, expected["central_price"])
    assert result.rough is not None and result.spread is not None
    assert result.points is not None and result.curve is not None
    checks.equal("rough price", result.rough.price_usd, expected["rough_price_estimate"])
    checks.equal("best slide", result.rough.best_slide, expected["best_slide"])
    checks.equal("score", result.rough.best_score, expected["best_slide_score"])
    checks.equal("neighbour", result.rough.neighbour, expected["best_neighbor"])
    checks.equal("deviation", result.spread.deviation_usd, expected["av_dev"])
    checks.equal("deviation as a share", result.spread.deviation_pct, expected["dev_pct"])
    checks.equal("plot range", result.spread.plot_range, expected["ax_range"])
    checks.equal("sum of the curve", result.curve_sum, expected["curve_sum"])
    checks.equal("number of amounts", len(result.outputs.amounts_btc), expected["n_raw_outputs"])
    checks.equal("number of points", len(result.points.usd), expected["n_output_prices"])
    checks.same_array("histogram", result.curve, arrays["histogram"])
    checks.same_array("amounts", result.outputs.amounts_btc, arrays["amounts_btc"])
    checks.same_array("heights of the amounts", result.outputs.amount_heights, arrays["amount_heights"])
    checks.same_array("points", result.points.usd, arrays["price_points_usd"])
    known = expected["n_blocks"] >= 36
    checks.equal("outcome", result.outcome, Outcome.PRICED if known else Outcome.TOO_FEW_BLOCKS)


# --- which blocks, on layouts of header times


def window_layouts(folder: Path) -> list[Json]:
    path = folder / "reference" / "window-selection.json"
    layouts: list[Json] = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else []
    return layouts


def check_window_layout(number: int, layout: Json) -> Checks:
    asked = "the last 144" if layout.get("rb") else layout["date"] or "the default day"
    checks = Checks(f"layout {number}, {asked} at tip {layout['tip']}")
    times = HeaderTimes(layout["base"], layout["times"])
    if layout.get("rb"):
        window = select_last(144, layout["tip"])
    else:
        day = date.fromisoformat(layout["date"].replace("/", "-")) if layout["date"] else None
        window = select_day(day, times, layout["tip"]).blocks
    checks.equal("first", window.first, layout["first"])
    checks.equal("last", window.last, layout["last"])
    checks.equal("number of blocks", len(window), layout["n"])
    return checks


# --- real blocks


@dataclass(frozen=True)
class MainnetBlocks:
    """The block files of a folder and the recorded answers about them."""

    files: Mapping[str, Path]
    runs: list[Json] = field(default_factory=list)
    published: list[Json] = field(default_factory=list)

    def missing(self, names: Iterable[str]) -> list[str]:
        return [name for name in names if name not in self.files]


def mainnet_blocks(folder: Path) -> MainnetBlocks:
    def stored(name: str) -> list[Json]:
        path = folder / "mainnet" / name
        documents: list[Json] = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else []
        return documents

    return MainnetBlocks(
        block_files(folder / "mainnet"), stored("reference-runs.json"), stored("published-points.json")
    )


@lru_cache(maxsize=64)
def _file_digest(path: Path, scanner: str) -> BlockDigest:
    scan = scanner_named(scanner)
    return digest_block(path.read_bytes(), height_in_name(path.name), check_witness=True, scan=scan)


def check_block_file(path: Path, scanner: str) -> Checks:
    """A real block passes every check, and is the one that its name says."""
    checks = Checks(f"{path.name}, {scanner}")
    digest = _file_digest(path, scanner)
    checks.equal("end of the hash", digest.hash_text[-8:], hash_end_in_name(path.name))
    checks.equal("size", digest.size_bytes, path.stat().st_size)
    checks.holds("weight of 4,000,000 at most", 4 * 81 <= digest.weight <= 4_000_000)
    checks.equal(
        "digest after writing and reading",
        digest_to_bytes(digest_from_bytes(digest_to_bytes(digest))),
        digest_to_bytes(digest),
    )
    return checks


def check_run(blocks: MainnetBlocks, run: Json, scanner: str) -> Checks:
    """What the reference's rules give on a set of real blocks, and that so short a window is flagged."""
    checks = Checks(f"{run['name']}, {scanner}")
    outputs = assemble([_file_digest(blocks.files[name], scanner) for name in run["files"]])
    result = price_window(outputs)
    assert result.rough is not None and result.spread is not None and result.points is not None
    checks.equal("heights", list(range(outputs.first_height, outputs.last_height + 1)), run["heights"])
    checks.equal("number of amounts", len(outputs.amounts_btc), run["n_raw_outputs"])
    sums = np.cumsum(outputs.amounts_btc)
    checks.equal("sum of the amounts", repr(float(sums[-1])), run["sum_raw_outputs"])
    checks.equal("best slide", result.rough.best_slide, run["best_slide"])
    checks.equal("rough price", result.rough.price_usd, run["rough_price_estimate"])
    checks.equal("number of points", len(result.points.usd), run["n_output_prices"])
    checks.equal("price", repr(result.price_usd), run["central_price"])
    checks.equal("plot range", repr(result.spread.plot_range), run["ax_range"])
    first = [repr(float(point)) for point in result.points.usd[: len(run["first_points"])]]
    checks.equal("first points", first, run["first_points"])
    flagged = result.outcome is Outcome.TOO_FEW_BLOCKS or result.octave_suspect
    checks.holds("flagged as too short or suspect", flagged)
    checks.holds("confidence below 0.3", result.confidence.value < 0.3)
    return checks


def check_published_points(blocks: MainnetBlocks, published: Json, scanner: str) -> Checks:
    """Points that a published run plotted for one block; what it lacks, its window's spend filter removed."""
    checks = Checks(f"points of block {published['height']}, {scanner}")
    outputs = assemble([_file_digest(blocks.files[published["file"]], scanner)])
    low, high = float(published["plot_min"]), float(published["plot_max"])
    for rough_usd in published["rough_ok"]:
        points = price_points(outputs.amounts_btc, outputs.amount_heights, rough_usd).usd
        inside = [repr(float(point)) for point in points if low < point < high]
        checks.equal(f"number of points at {rough_usd}", len(inside), published["n_computed_in_plot_range"])
        checks.holds(f"published points in order at {rough_usd}", _is_subsequence(published["html_points"], inside))
    return checks


def _is_subsequence(part: Sequence[str], whole: Sequence[str]) -> bool:
    rest = iter(whole)
    return all(item in rest for item in part)


# --- published days


@dataclass(frozen=True)
class PointsDay:
    """All points of a real day, and the published price that they give."""

    path: Path
    price_usd: str
    rough_candidates_usd: tuple[int, ...]


def points_days(folder: Path) -> list[PointsDay]:
    path = folder / "history" / "points" / "expected.csv"
    if not path.is_file():
        return []
    with path.open(encoding="ascii", newline="") as file:
        return [
            PointsDay(
                path.with_name(f"{row['date']}.npz"),
                row["consensus_price_usd"],
                tuple(int(rough) for rough in row["rough_price_usd_candidates"].split()),
            )
            for row in csv.DictReader(file)
        ]


def check_points_day(day: PointsDay) -> Checks:
    checks = Checks(f"points of {day.path.stem}")
    with np.load(day.path) as stored:
        points_usd = stored["price_usd"]
    for rough_usd in day.rough_candidates_usd:
        reach = CENTRAL_REACH * rough_usd
        found = central(points_usd, rough_usd - reach, rough_usd + reach)
        checks.equal(f"price from a rough {rough_usd}", found and repr(found.price_usd), day.price_usd)
    return checks


@dataclass(frozen=True)
class PublishedDay:
    """A day with the heights that were published for it."""

    day: date
    first: int
    last: int

    @property
    def tip(self) -> int:
        return self.last + CONFIRMATIONS

    def has_times(self, times: Mapping[int, int]) -> bool:
        """Whether the rules, read literally, find every header time that they look at, in doubt near midnight, too."""
        try:
            first, _ = plain_method.day_window(self.day, times, self.tip)
            midnight = plain_method.midnight_s(self.day)
            for height in range(first - 30, min(first + 30, self.tip) + 1):
                plain_method.day_from(height, midnight, times, self.tip)
        except KeyError:
            return False
        return True


def published_days(folder: Path) -> list[PublishedDay]:
    path = folder / "history" / "consensus-daily.csv"
    if not path.is_file():
        return []
    with path.open(encoding="ascii", newline="") as file:
        return [
            PublishedDay(date.fromisoformat(row["date"]), int(row["first_height"]), int(row["last_height"]))
            for row in csv.DictReader(file)
        ]


def header_times(folder: Path) -> dict[int, int]:
    path = folder / "history" / "header-times.csv.gz"
    if not path.is_file():
        return {}
    with gzip.open(path, "rt", encoding="ascii", newline="") as file:
        return {int(row["height"]): int(row["header_time"]) for row in csv.DictReader(file)}


def check_published_day(day: PublishedDay, times: Mapping[int, int]) -> Checks:
    checks = Checks(f"heights of {day.day}")
    found = select_day(day.day, times, day.tip)
    checks.equal("first", found.blocks.first, day.first)
    checks.equal("last", found.blocks.last, day.last)
    checks.equal("ambiguous", found.boundary_ambiguous, False)
    return checks
