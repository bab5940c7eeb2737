"""What can be asked for: the windows of it, and the one line that makes it the same job."""

from __future__ import annotations

from datetime import date

import pytest

from utxoracle_core import METHOD
from utxoracle_tui.commands.job_running import command_of
from utxoracle_tui.engine.jobs.wanted import (
    BlockWindows,
    Days,
    Marked,
    Stored,
    Wanted,
    is_older,
    title,
    work_line,
)
from utxoracle_tui.errors import OperatorError
from utxoracle_tui.store.records import Job, WindowKey

DAYS = Days(date(2024, 2, 28), date(2024, 3, 1))


def test_days() -> None:
    assert [key.date for key in DAYS.keys()] == [date(2024, 2, 28), date(2024, 2, 29), date(2024, 3, 1)]  # noqa: SIM118  (it is no mapping)
    assert {(key.kind, key.method) for key in DAYS.keys()} == {("day", METHOD)}  # noqa: SIM118  (it is no mapping)


def test_days_backwards() -> None:
    with pytest.raises(OperatorError, match="give the earlier day first"):
        Days(date(2024, 3, 1), date(2024, 2, 28))


@pytest.mark.parametrize(
    ("first", "last", "step", "expected"),
    [
        (1000, 1143, 144, [(1000, 1143)]),
        (1000, 1286, 144, [(1000, 1143)]),
        (1000, 1287, 144, [(1000, 1143), (1144, 1287)]),
        (1000, 1150, 3, [(1000, 1143), (1003, 1146), (1006, 1149)]),
    ],
)
def test_block_windows_lie_within_their_heights(
    first: int, last: int, step: int, expected: list[tuple[int, int]]
) -> None:
    keys = BlockWindows(first, last, step).keys()
    assert [(key.first_height, key.last_height) for key in keys] == expected
    assert {key.kind for key in keys} == {"blocks"}


@pytest.mark.parametrize(
    ("first", "last", "step", "said"),
    [
        (1000, 1142, 1, "too few for one"),
        (1000, 2000, 0, "A step is 1 or more"),
        (0, 800_000, 1, "799,858 windows"),
    ],
)
def test_block_windows_that_can_not_be(first: int, last: int, step: int, said: str) -> None:
    with pytest.raises(OperatorError, match=said):
        BlockWindows(first, last, step)


def test_marked_windows_are_the_same_job_in_any_order() -> None:
    keys = DAYS.keys()
    block = WindowKey(kind="blocks", method=METHOD, first_height=5, last_height=148)
    one, two = Marked(frozenset([block, *keys])), Marked(frozenset([*reversed(keys), block]))
    assert one.line == two.line
    assert one.keys() == [*keys, block]
    assert Marked(frozenset(keys)).line != one.line


@pytest.mark.parametrize(
    ("kind", "wanted", "said", "command"),
    [
        (
            "backfill",
            DAYS,
            "Backfill of 2024-02-28 to 2024-03-01, 3 days",
            "backfill --from 2024-02-28 --to 2024-03-01",
        ),
        (
            "rerun",
            Days(DAYS.first, DAYS.first),
            "Rerun of 2024-02-28, 3 days",
            "rerun --from 2024-02-28 --to 2024-02-28",
        ),
        (
            "backfill",
            BlockWindows(1000, 2000, 7),
            "Backfill of blocks 1000–2000, 3 windows at a step of 7",
            "backfill --blocks 1000-2000 --step 7",
        ),
        ("rerun", Stored("failed"), "Rerun of 3 windows that failed", "rerun --failed"),
        ("rerun", Stored("not-valid"), "Rerun of 3 windows that were not valid", "rerun --not-valid"),
        ("rerun", Stored("older-method"), "Rerun of 3 windows made by an older method", "rerun --older-method"),
    ],
)
def test_a_job_in_words(kind: str, wanted: Wanted, said: str, command: str) -> None:
    work = work_line(kind, wanted)
    job = Job(key="a", time_s=0.0, kind="rerun" if kind == "rerun" else "backfill", work=work, items=3)
    assert title(job) == said
    assert command_of(work) == command


@pytest.mark.parametrize(
    ("method", "older"),
    [
        (METHOD, False),
        ("utxoracle-9.0", True),
        ("utxoracle-8.12", True),
        ("utxoracle-9.2", False),
        ("utxoracle-10.0", False),
        ("block-price-1", False),
        ("other", False),
    ],
)
def test_older_methods(method: str, older: bool) -> None:
    assert METHOD == "utxoracle-9.1"
    assert is_older(method) == older
