"""RocksDB's own log, as a real RocksDB 8.1.1 wrote it during a full compaction."""

from __future__ import annotations

import gzip
import json
from functools import cache
from pathlib import Path

import pytest

from utxoracle_tui.engine.electrs.rocksdb_log import FullCompaction, RocksKind, RocksLog, parse_line, read_lines

RECORDED = Path(__file__).parents[1] / "fixtures" / "recorded" / "rocksdb"
INPUT_BYTES = 2_706_500_043
TABLES_BYTES = (1_078_336_307, 1_078_338_714, 549_112_354)
STARTED_S, FINISHED_S = 1_795_342_328.951733, 1_795_342_335.852161


@cache
def recorded_lines() -> list[str]:
    return gzip.decompress((RECORDED / "full_compaction.LOG.gz").read_bytes()).decode().splitlines()


def upto(mark: str) -> list[str]:
    """The recorded lines up to the first with this text, that one included."""
    lines = recorded_lines()
    return lines[: next(number for number, line in enumerate(lines) if mark in line) + 1]


def test_the_whole_recording() -> None:
    log = read_lines(recorded_lines())
    assert log.compaction == FullCompaction(
        13, pytest.approx(STARTED_S), INPUT_BYTES, sum(TABLES_BYTES), 22, pytest.approx(FINISHED_S), finished=True
    )
    assert (log.openings, log.compacted_before) == (1, False)
    assert log.filled_at_s == pytest.approx(1_795_342_327.223662)


@pytest.mark.parametrize("tables", [0, 1, 2, 3])
def test_progress_is_the_sum_of_the_tables(tables: int) -> None:
    mark = "compaction_started" if not tables else f"Generated table #{19 + tables}"
    running = read_lines(upto(mark)).compaction
    assert running is not None
    assert (running.written_bytes, running.finished) == (sum(TABLES_BYTES[:tables]), False)


def test_a_table_is_told_of_twice_and_counts_once() -> None:
    lines = recorded_lines()
    told = [event for line in lines if (event := parse_line(line)) is not None and event.table == 20]
    assert [event.kind for event in told] == [RocksKind.TABLE_WRITTEN, RocksKind.TABLE_WRITTEN]
    assert {event.size_bytes for event in told} == {TABLES_BYTES[0]}


def test_tables_of_flushes_are_no_progress() -> None:
    lines = recorded_lines()
    before = next(number for number, line in enumerate(lines) if "compaction_started" in line)
    flushed = [line for line in lines[:before] if "table_file_creation" in line]
    assert len(flushed) == 11
    log = read_lines([lines[before], *flushed])
    assert log.compaction is not None
    assert log.compaction.written_bytes == 0


def test_read_in_pieces_it_says_the_same() -> None:
    lines = recorded_lines()
    log = RocksLog()
    for start in range(0, len(lines), 7):
        log = read_lines(lines[start : start + 7], log)
    assert log == read_lines(lines)


def test_a_database_that_is_opened_anew_begins_anew() -> None:
    killed = read_lines(upto("Generated table #21"))
    again = read_lines(recorded_lines()[:1], killed)
    assert (again.compaction, again.compacted_before, again.openings) == (None, False, 2)
    after_all = read_lines(recorded_lines()[:1], read_lines(recorded_lines()))
    assert (after_all.compaction, after_all.compacted_before) == (None, True)


def test_the_small_compactions_of_every_day_are_none() -> None:
    line = next(line for line in recorded_lines() if "compaction_started" in line)
    for reason in ("LevelL0FilesNum", "LevelMaxLevelSize"):
        assert read_lines([line.replace("ManualCompaction", reason)]).compaction is None


def test_more_keys_of_other_versions_do_no_harm() -> None:
    line = next(line for line in recorded_lines() if "compaction_started" in line)
    newer = line.replace('"job": 13', '"cf_name": "default", "job": 13, "num_subcompactions": 4')
    assert read_lines([newer]).compaction == FullCompaction(13, pytest.approx(STARTED_S), INPUT_BYTES)


@pytest.mark.parametrize(
    "line",
    [
        "",
        "2026/11/22-10:12:08.951744 1 EVENT_LOG_v1 {",
        "x EVENT_LOG_v1 [1]",
        'x EVENT_LOG_v1 {"event": 5}',
        'x EVENT_LOG_v1 {"event": "compaction_started", "job": "13", "time_micros": true}',
        "\x00\x00",
    ],
)
def test_torn_lines_say_nothing_and_break_nothing(line: str) -> None:
    log = read_lines([line], read_lines(upto("Generated table #20")))
    assert log.compaction is not None
    assert log.compaction.written_bytes == TABLES_BYTES[0]


def test_the_recorded_sizes_are_those_of_its_log() -> None:
    """The folder grew to twice its size and fell back, as the log has it: one is the other's check."""
    series = json.loads((RECORDED / "size_series_8.1.1.json").read_text(encoding="utf-8"))["series"]
    sizes = [size for _, size, _ in series]
    assert max(sizes) == pytest.approx(INPUT_BYTES + sum(TABLES_BYTES), rel=1e-3)
    assert sizes[-1] == pytest.approx(sum(TABLES_BYTES), rel=1e-3)
