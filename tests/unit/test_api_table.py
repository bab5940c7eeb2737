"""What the API answers with, against plain Python."""

from __future__ import annotations

import datetime as dt
import json
import statistics

import pytest

from tests.support.records import DAY_S, START_S, observation
from utxoracle_tui.serve.table import Rows, Table
from utxoracle_tui.store.records import Observation


def table(*observations: Observation) -> Table:
    return Table([Rows.of(observations)])


def test_a_row_has_the_fields_and_signs_of_the_earlier_system() -> None:
    row = observation(0, START_S + 0.25, onchain_usd=50_000.0, exchange_usd=50_500.0, transactions=415_234)
    latest = table(row).latest()
    assert latest is not None
    assert list(json.loads(latest).items()) == [
        ("timestamp", "2025-01-01T00:00:00.250000Z"),
        ("utxoracle_price", 50_000.0),
        ("mempool_price", 50_500.0),
        ("confidence", 0.9),
        ("tx_count", 415_234),
        ("diff_amount", 500.0),
        ("diff_percent", 1.0),
        ("is_valid", False),
    ]


@pytest.mark.parametrize("unknown", [{"onchain_usd": None}, {"exchange_usd": None}, {"onchain_usd": 0.0}])
def test_without_both_prices_there_is_no_difference(unknown: dict[str, float | None]) -> None:
    one = table(observation(1, **unknown))
    entry = json.loads(one.latest() or b"")
    assert entry["diff_amount"] is None
    assert entry["diff_percent"] is None
    found = one.comparison(0.0)
    assert (found.avg_diff, found.avg_diff_percent, found.correlation, found.total_entries) == (None, None, None, 1)


def test_what_is_not_known_is_null() -> None:
    entry = json.loads(table(Observation(key="a", time_s=START_S, window_kind="day")).latest() or b"")
    assert entry.pop("timestamp") == "2025-01-01T00:00:00Z"
    assert set(entry.values()) == {None}


def test_comparison_agrees_with_plain_python() -> None:
    rows = [observation(number) for number in range(500)]
    rows[7] = observation(7, exchange_usd=None)
    rows[8] = observation(8, valid=None)
    found = table(*rows).comparison(START_S + 50 * 300)
    span = rows[50:]
    pairs = [(row.onchain_usd, row.exchange_usd) for row in span]
    differences = [exchange - onchain for onchain, exchange in pairs]  # type: ignore[operator]
    assert found.total_entries == 450
    assert found.valid_entries == sum(row.valid is True for row in span)
    assert found.avg_diff == pytest.approx(statistics.fmean(differences), rel=1e-9)
    assert (found.max_diff, found.min_diff) == (max(differences), min(differences))
    percents = [(exchange - onchain) / onchain * 100 for onchain, exchange in pairs]  # type: ignore[operator]
    assert found.avg_diff_percent == pytest.approx(statistics.fmean(percents), rel=1e-9)
    assert found.correlation == pytest.approx(statistics.correlation(*zip(*pairs, strict=True)))

    whole = table(*rows).comparison(0.0)
    assert whole.total_entries == 500
    assert whole.valid_entries == sum(row.valid is True for row in rows)


def test_prices_that_stand_still_have_no_correlation() -> None:
    assert (
        table(*(observation(number, exchange_usd=65_000.0) for number in range(9))).comparison(0.0).correlation is None
    )
    assert table(observation(1), observation(2)).comparison(0.0).correlation is None


def test_rows_come_by_time_whatever_part_they_are_in() -> None:
    parts = [Rows.of(observation(number) for number in numbers) for numbers in ((4, 0), (), (3, 1, 2))]
    heights = [entry["tx_count"] - 400_000 for entry in json.loads(Table(parts).since(START_S + 300))]
    assert heights == [1, 2, 3, 4]
    assert json.loads(Table(parts).latest() or b"")["tx_count"] == 400_004


def test_orphans_are_left_out() -> None:
    found = table(observation(0), observation(1, orphaned=True), observation(2, orphaned=True))
    assert len(found) == 1
    assert json.loads(found.latest() or b"")["tx_count"] == 400_000
    assert len(json.loads(found.since(0.0))) == found.comparison(0.0).total_entries == 1


def test_nothing() -> None:
    empty = Table(())
    assert (empty.latest(), empty.since(0.0), empty.missing_dates(START_S, 30)) == (None, b"[]", [])
    assert empty.comparison(0.0).total_entries == 0


def test_missing_dates() -> None:
    days = table(*(observation(1, START_S + day * DAY_S + 3600) for day in (0, 1, 4, 5, 7)))
    now_s = START_S + 8 * DAY_S + 60
    # neither today, which is not over, nor what was before the first row
    assert days.missing_dates(now_s, 30) == [dt.date(2025, 1, day) for day in (3, 4, 7)]
    assert days.missing_dates(now_s, 3) == [dt.date(2025, 1, 7)]
    assert len(days.missing_dates(START_S + 400 * DAY_S, 30)) == 30
