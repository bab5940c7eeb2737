"""Does the core give the reference's answers, to the last bit? `python -m tests.bench.parity DIR [--scanner NAME]`.

DIR is a folder laid out as `tests/fixtures`; see its README. Everything that is in it is checked, a line is printed
for each group of checks, and what is not in it is said, too. The exit status is 1 when anything differs.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from tests.support.parity_checks import (
    Checks,
    cases,
    check_block_file,
    check_case_arrays,
    check_case_blocks,
    check_case_window,
    check_points_day,
    check_published_day,
    check_published_points,
    check_run,
    check_window_layout,
    header_times,
    mainnet_blocks,
    points_days,
    published_days,
    window_layouts,
)
from tests.support.scanners import SCANNER_NAMES

_SHOWN = 12


@dataclass
class Group:
    """One line of the report."""

    name: str
    questions: int = 0
    checks: int = 0
    differences: list[str] = field(default_factory=list)
    not_there: list[str] = field(default_factory=list)

    def run(self, name: str, check: Callable[[], Checks]) -> None:
        """Ask one question; an exception is a difference, too."""
        self.questions += 1
        try:
            done = check()
        except Exception as error:  # noqa: BLE001 - whatever happens belongs into the report
            self.checks += 1
            self.differences.append(f"{name}: {type(error).__name__}: {error}")
            return
        self.checks += done.count
        self.differences += done.differences

    def line(self) -> str:
        text = f"{self.name}: {self.questions} questions, {self.checks} checks, {len(self.differences)} differences"
        if self.not_there:
            shown = ", ".join(self.not_there[:_SHOWN]) + (", …" if len(self.not_there) > _SHOWN else "")
            text += f"; not there: {len(self.not_there)} ({shown})"
        return text


def groups(folder: Path, scanners: Sequence[str]) -> Iterator[Group]:
    """Run all checks of a folder, group by group."""
    yield from _case_groups(folder, scanners)
    yield _layout_group(folder)
    yield from _mainnet_groups(folder, scanners)
    yield _points_group(folder)
    yield _days_group(folder)


def _case_groups(folder: Path, scanners: Sequence[str]) -> Iterator[Group]:
    found = cases(folder)
    windows = Group("cases, window from header times")
    arrays = Group("cases, price from recorded amounts")
    if not found:
        windows.not_there.append("reference/cases")
        arrays.not_there.append("reference/cases")
    for case in found:
        if case.has_times:
            windows.run(case.name, partial(check_case_window, case))
        else:
            windows.not_there.append(f"header times of {case.document['chain']}")
        if case.has_arrays:
            arrays.run(case.name, partial(check_case_arrays, case))
        elif case.refusal is None:
            arrays.not_there.append(f"arrays of {case.name}")
    yield windows
    yield arrays
    for scanner in scanners:
        blocks = Group(f"cases, everything from raw blocks, {scanner}")
        for case in found:
            if case.has_blocks and (case.has_arrays or case.refusal is not None):
                blocks.run(case.name, partial(check_case_blocks, case, scanner))
            else:
                blocks.not_there.append(f"blocks of {case.document['chain']} for {case.name}")
        yield blocks


def _layout_group(folder: Path) -> Group:
    group = Group("window selection")
    layouts = window_layouts(folder)
    for number, layout in enumerate(layouts):
        group.run(f"layout {number}", partial(check_window_layout, number, layout))
    if not layouts:
        group.not_there.append("reference/window-selection.json")
    return group


def _mainnet_groups(folder: Path, scanners: Sequence[str]) -> Iterator[Group]:
    blocks = mainnet_blocks(folder)
    for scanner in scanners:
        files = Group(f"real blocks, {scanner}")
        for path in blocks.files.values():
            files.run(path.name, partial(check_block_file, path, scanner))
        if not blocks.files:
            files.not_there.append("mainnet/*.bin")
        yield files
        runs = Group(f"real blocks, recorded runs, {scanner}")
        if not blocks.runs:
            runs.not_there.append("mainnet/reference-runs.json")
        for run in blocks.runs:
            if blocks.missing(run["files"]):
                runs.not_there.append(f"blocks of {run['name']}")
            else:
                runs.run(run["name"], partial(check_run, blocks, run, scanner))
        yield runs
        points = Group(f"real blocks, published points, {scanner}")
        if not blocks.published:
            points.not_there.append("mainnet/published-points.json")
        for published in blocks.published:
            if blocks.missing([published["file"]]):
                points.not_there.append(f"block {published['height']}")
            else:
                points.run(
                    str(published["height"]),
                    partial(check_published_points, blocks, published, scanner),
                )
        yield points


def _points_group(folder: Path) -> Group:
    group = Group("published days, price from all points")
    days = points_days(folder)
    if not days:
        group.not_there.append("history/points/expected.csv")
    for day in days:
        if day.path.is_file():
            group.run(day.path.stem, partial(check_points_day, day))
        else:
            group.not_there.append(f"points of {day.path.stem}")
    return group


def _days_group(folder: Path) -> Group:
    group = Group("published days, first and last height")
    days, times = published_days(folder), header_times(folder)
    if not days:
        group.not_there.append("history/consensus-daily.csv")
    if not times:
        group.not_there.append("history/header-times.csv.gz")
    for day in days if times else ():
        if day.has_times(times):
            group.run(str(day.day), partial(check_published_day, day, times))
        else:
            group.not_there.append(f"some header time of {day.day}")
    return group


def main(arguments: Sequence[str] | None = None) -> int:
    """Check the folder that the command line names. Returns the exit status."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench.parity", description=__doc__)
    parser.add_argument("folder", type=Path, metavar="DIR")
    parser.add_argument("--scanner", choices=("python", "compiled", "both"), default=None)
    options = parser.parse_args(arguments)
    if not options.folder.is_dir():
        parser.error(f"{options.folder} is no folder")
    scanners = _scanners(options.scanner)
    done = []
    for group in groups(options.folder, scanners):
        done.append(group)
        print(group.line(), flush=True)
        for difference in group.differences:
            print(f"  {difference}", flush=True)
    differences = sum(len(group.differences) for group in done)
    checks = sum(group.checks for group in done)
    print(
        f"total: {sum(group.questions for group in done)} questions, {checks} checks, {differences} differences, "
        f"{sum(len(group.not_there) for group in done)} not there; scanners: {', '.join(scanners)}"
    )
    if not checks:
        print("nothing was checked: is this a folder of fixtures?")
    return 1 if differences or not checks else 0


def _scanners(wanted: str | None) -> tuple[str, ...]:
    if wanted in ("python", "compiled"):
        return (wanted,)
    if wanted is None and "compiled" not in SCANNER_NAMES:
        print("the compiled scanner: not there, numba is not installed")
        return ("python",)
    return ("python", "compiled")


if __name__ == "__main__":
    sys.exit(main())
