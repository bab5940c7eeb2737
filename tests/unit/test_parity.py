"""The core against the recorded answers in the fixtures, a test for each question.

`python -m tests.bench.parity DIR` asks the same of any folder.
"""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.bench import parity
from tests.support.parity_checks import (
    FIXTURES,
    Case,
    Checks,
    Json,
    PointsDay,
    PublishedDay,
    cases,
    check_block_file,
    check_case_arrays,
    check_case_blocks,
    check_case_window,
    check_points_day,
    check_published_day,
    check_run,
    check_window_layout,
    header_times,
    mainnet_blocks,
    points_days,
    published_days,
    window_layouts,
)
from tests.support.scanners import SCANNER_NAMES

CASES = cases(FIXTURES)
MAINNET = mainnet_blocks(FIXTURES)
HERE = [run for run in MAINNET.runs if not MAINNET.missing(run["files"])]
TIMES = header_times(FIXTURES)
each_scanner = pytest.mark.parametrize("scanner", SCANNER_NAMES)


def passed(checks: Checks, at_least: int) -> None:
    assert checks.differences == []
    assert checks.count >= at_least


def case_name(case: Case) -> str:
    return case.name


@pytest.mark.parametrize("case", CASES, ids=case_name)
def test_the_blocks_of_a_case(case: Case) -> None:
    passed(check_case_window(case), 1)


@pytest.mark.parametrize("case", [case for case in CASES if case.has_arrays], ids=case_name)
def test_the_price_of_a_case_from_its_amounts(case: Case) -> None:
    passed(check_case_arrays(case), 17)


@each_scanner
@pytest.mark.parametrize("case", [case for case in CASES if case.has_blocks], ids=case_name)
def test_everything_of_a_case_from_its_blocks(case: Case, scanner: str) -> None:
    passed(check_case_blocks(case, scanner), 3)


@pytest.mark.parametrize(("number", "layout"), list(enumerate(window_layouts(FIXTURES))))
def test_the_window_of_a_layout(number: int, layout: Json) -> None:
    passed(check_window_layout(number, layout), 3)


@each_scanner
@pytest.mark.parametrize("path", MAINNET.files.values(), ids=lambda path: path.name)
def test_a_real_block(path: Path, scanner: str) -> None:
    passed(check_block_file(path, scanner), 4)


@each_scanner
@pytest.mark.parametrize("run", HERE, ids=lambda run: run["name"])
def test_a_run_of_the_reference_on_real_blocks(run: Json, scanner: str) -> None:
    passed(check_run(MAINNET, run, scanner), 11)


@pytest.mark.parametrize("day", points_days(FIXTURES), ids=lambda day: day.path.stem)
def test_the_price_of_a_real_day_from_its_points(day: PointsDay) -> None:
    passed(check_points_day(day), 2)


@pytest.mark.parametrize("every", [5, pytest.param(1, marks=pytest.mark.soak)])
def test_the_heights_of_330_published_days(every: int) -> None:
    days = [day for day in published_days(FIXTURES) if day.has_times(TIMES)]
    assert len(days) == 330
    done = [check_published_day(day, TIMES) for day in days[::every]]
    assert [difference for checks in done for difference in checks.differences] == []


def test_published_days_without_all_their_times_are_told_apart() -> None:
    day = next(day for day in published_days(FIXTURES) if day.has_times(TIMES))
    cut = {height: time_s for height, time_s in TIMES.items() if height != day.first - 20}
    assert isinstance(day, PublishedDay)
    assert not day.has_times(cut)


def test_nothing_has_left_the_fixtures() -> None:
    assert len(CASES) == 17
    assert sum(case.has_arrays for case in CASES) == 13
    assert sorted(case.name for case in CASES if case.has_blocks) == ["fail_empty", "fail_empty_rb", "fail_few"]
    assert all(case.has_times for case in CASES)
    assert len(window_layouts(FIXTURES)) == 45
    assert sorted(MAINNET.files) == [
        "553724-c47d736c.bin",
        "799997-983c1dfe.bin",
        "799998-73b2b5b4.bin",
        "799999-bd9fbb55.bin",
        "800000-2728a054.bin",
    ]
    assert len(MAINNET.runs) == 23
    assert len(MAINNET.published) == 3
    assert len(HERE) == 4
    assert len(points_days(FIXTURES)) == 7
    assert len(TIMES) == 96_860
    folders = [FIXTURES / name for name in ("mainnet", "reference", "history")]
    size_bytes = sum(path.stat().st_size for folder in folders for path in folder.rglob("*") if path.is_file())
    assert size_bytes < 14_000_000


def small_folder(tmp_path: Path) -> Path:
    """One case and its chain."""
    for name in ("cases/fail_few.json", "cases/fail_few.npz"):
        (tmp_path / "reference" / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(FIXTURES / "reference" / name, tmp_path / "reference" / name)
    shutil.copytree(FIXTURES / "reference" / "chains" / "fail_few", tmp_path / "reference" / "chains" / "fail_few")
    return tmp_path


def test_the_command_says_what_is_not_there(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert parity.main([str(small_folder(tmp_path)), "--scanner", "python"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "cases, window from header times: 1 questions, 3 checks, 0 differences"
    not_there = [line.split("; not there: ")[1] for line in lines if "; not there: " in line]
    assert not_there == [
        "1 (reference/window-selection.json)",
        "1 (mainnet/*.bin)",
        "1 (mainnet/reference-runs.json)",
        "1 (mainnet/published-points.json)",
        "1 (history/points/expected.csv)",
        "2 (history/consensus-daily.csv, history/header-times.csv.gz)",
    ]
    assert lines[-1].startswith("total: 3 questions, ")
    assert ", 0 differences, 7 not there; scanners: python" in lines[-1]


def test_the_command_ends_with_1_when_an_answer_differs(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = small_folder(tmp_path)
    path = folder / "reference" / "cases" / "fail_few.json"
    path.write_text(path.read_text().replace("29267.26475948162", "29267.264759481623"))
    assert parity.main([str(folder), "--scanner", "python"]) == 1
    out = capsys.readouterr().out
    assert "price is 29267.26475948162, expected 29267.264759481623" in out
    assert ", 4 differences" in out.splitlines()[-1]


def test_the_command_ends_with_1_when_there_is_nothing_to_check(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert parity.main([str(tmp_path), "--scanner", "python"]) == 1
    assert "nothing was checked" in capsys.readouterr().out
    with pytest.raises(SystemExit):
        parity.main([str(tmp_path / "missing")])


def test_the_command_reports_what_breaks(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = small_folder(tmp_path)
    blocks = folder / "reference" / "chains" / "fail_few" / "blocks.dat"
    blocks.write_bytes(blocks.read_bytes()[:-50_000])
    assert parity.main([str(folder), "--scanner", "python"]) == 1
    assert "fail_few: BlockError: block" in capsys.readouterr().out
