"""What is read from the store for the chart, and its statistics, against plain Python over the same records."""

from __future__ import annotations

import math
import statistics
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest

from tests.support import price_story as story
from tests.support.records import observation
from utxoracle_tui import clock
from utxoracle_tui.engine.chart.cursor import next_stop, read_at, stops
from utxoracle_tui.engine.chart.history import PriceHistory, price_range
from utxoracle_tui.engine.chart.reading import read_series
from utxoracle_tui.engine.chart.series import GapReason, PriceSeries, Source, State
from utxoracle_tui.engine.chart.statistics import range_statistics
from utxoracle_tui.store.records import ExchangeDay, Window
from utxoracle_tui.store.store import Store

DAY_S = story.DAY_S
START_S, END_S = story.NOW_S - DAY_S, story.NOW_S


@pytest.fixture(scope="module")
def broken(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    yield story.broken(tmp_path_factory.mktemp("broken"))


@pytest.fixture(scope="module")
def series(broken: Store) -> PriceSeries:
    return read_series(broken, START_S, END_S, story.NOW_S)


def test_blocks_have_their_state_and_reason(broken: Store, series: PriceSeries) -> None:
    records = broken.block_prices.between(START_S, END_S)
    blocks = series.blocks
    shown = blocks.time_s >= START_S
    assert blocks.height[shown].tolist() == [record.last_height for record in records]
    assert np.array_equal(blocks.price_usd[shown], [record.price_usd or math.nan for record in records], equal_nan=True)
    names = [GapReason(gap).word if gap else None for gap in blocks.gap[shown].tolist()]
    assert names == [record.reason for record in records]
    for state, record in zip(blocks.state[shown].tolist(), records, strict=True):
        if record.orphaned:
            assert state == State.ORPHANED
        elif record.price_usd is None:
            assert state == State.GAP
        else:
            assert state == (State.LOW_CONFIDENCE if (record.confidence or 0) < 0.9 else State.VALID)


def test_a_line_breaks_where_the_next_height_is_missing(series: PriceSeries) -> None:
    first = story.FIRST_HEIGHT + 144
    breaks = set(series.blocks.height[series.blocks.breaks].astype(int).tolist())
    # before the missing blocks, at the orphaned one, and before it
    assert breaks == {first + 79, first + 60, first + 59}


def test_the_reasons_of_a_long_span_are_not_read_one_by_one(broken: Store) -> None:
    gaps = read_series(broken, END_S - 60 * DAY_S, END_S, story.NOW_S).blocks.gap
    assert np.count_nonzero(gaps == GapReason.UNCERTAIN) == 12
    assert np.count_nonzero(gaps == GapReason.RIVAL_OR_OCTAVE) == 2


def test_window_prices_have_their_state(broken: Store, series: PriceSeries) -> None:
    records = broken.observations.between(START_S, END_S)
    states = series.windows.state[series.windows.time_s >= START_S].tolist()
    for state, record in zip(states, records, strict=True):
        if record.orphaned:
            assert state == State.ORPHANED
        elif record.valid:
            assert state == State.VALID
        else:
            assert state == (State.LOW_CONFIDENCE if record.reason == "low_confidence" else State.NOT_VALID)


def test_exchange_prices_have_their_source(broken: Store, series: PriceSeries) -> None:
    records = broken.exchange_readings.between(START_S, END_S)
    shown = series.exchange.time_s >= START_S
    assert series.exchange.time_s[shown].tolist() == [record.time_s for record in records]
    expected = [Source.PUBLIC if record.source == "public" else Source.OWN for record in records]
    assert series.exchange.source[shown].tolist() == expected


@pytest.mark.parametrize("basis", ["spot", "window"])
def test_statistics_of_rounds(broken: Store, series: PriceSeries, basis: str) -> None:
    kept = [record for record in broken.observations.between(START_S, END_S) if not record.orphaned]
    values = [getattr(record, f"divergence_{basis}_pct") for record in kept]
    found = range_statistics(series, basis, START_S, END_S)  # type: ignore[arg-type]
    assert found.count == len(values)
    assert found.mean_pct == pytest.approx(statistics.fmean(values))
    assert (found.largest_pct, found.smallest_pct) == (max(values), min(values))
    assert found.largest_time_s == kept[values.index(max(values))].time_s
    assert found.smallest_time_s == kept[values.index(min(values))].time_s
    exchange = [record.exchange_usd if basis == "spot" else record.exchange_mean_usd for record in kept]
    onchain = [record.onchain_usd for record in kept]
    assert found.correlation == pytest.approx(statistics.correlation(onchain, exchange))  # type: ignore[arg-type]
    assert found.share_valid == pytest.approx(sum(bool(record.valid) for record in kept) / len(kept))
    hours = {int(record.time_s // 3600) for record in kept}
    assert found.hours_covered == pytest.approx(len(hours) / 24)


def test_statistics_of_blocks(broken: Store, series: PriceSeries) -> None:
    kept = [record for record in broken.block_prices.between(START_S, END_S) if not record.orphaned]
    priced = [record for record in kept if record.price_usd is not None]
    values = [record.divergence_block_pct or 0.0 for record in priced]
    found = range_statistics(series, "block", START_S, END_S)
    assert (found.count, found.mean_pct) == (len(values), pytest.approx(statistics.fmean(values)))
    assert found.share_valid == pytest.approx(len(priced) / len(kept))
    heights = [record.last_height for record in kept]
    assert found.blocks_covered == pytest.approx(len(priced) / (max(heights) - min(heights) + 1))
    assert found.hours_covered == pytest.approx(len({int(record.time_s // 3600) for record in priced}) / 24)


def test_an_empty_store_has_no_figure(tmp_path: Path) -> None:
    found = price_range(read_series(Store(tmp_path, "main"), 0.0, END_S, story.NOW_S))
    assert found.series.extent is None
    assert not len(found.stops)
    for figures in found.statistics.values():
        assert figures.count == 0
        assert (figures.mean_pct, figures.largest_time_s, figures.correlation) == (None, None, None)
        assert (figures.share_valid, figures.blocks_covered) == (None, None)


def test_days_stand_where_there_is_no_round(tmp_path: Path) -> None:
    store = Store(tmp_path, "main")
    days = [START_S - n * DAY_S for n in range(4)]
    dates = [datetime.fromtimestamp(at, UTC).date() for at in days]
    store.windows.put(
        Window(
            kind="day", method="utxoracle-9.1", date=date, price_usd=101.0, valid=True, confidence=0.9,
            exchange_usd=100.0, exchange_coverage=0.0, divergence_window_pct=1.0, imported=n == 3,
        )
        for n, date in enumerate(dates)
    )  # fmt: skip
    store.exchange_days.put(ExchangeDay(date=date, close_usd=100.0) for date in dates)
    store.observations.put([observation(1, days[1] + 60, onchain_usd=99.0, divergence_window_pct=-1.0)])
    store.exchange_readings.put(story.readings(days[1], days[1] + 3600))  # type: ignore[arg-type]
    found = price_range(read_series(store, 0.0, END_S, story.NOW_S))
    windows, exchange = found.series.windows, found.series.exchange
    assert windows.time_s.tolist() == [days[3], days[2], days[1] + 60, days[0]]
    assert windows.daily.tolist() == [True, True, False, True]
    assert windows.state.tolist() == [State.IMPORTED, State.VALID, State.VALID, State.VALID]
    assert exchange.time_s[exchange.source == Source.DAILY].tolist() == [days[3], days[2], days[0]]
    # three days and the hour of the round, of the four days from the first figure on
    assert found.statistics["window"].hours_covered == pytest.approx((3 * 24 + 1) / (4 * 24))
    assert found.statistics["window"].mean_pct == pytest.approx(0.5)


def test_a_cursor_reads_real_figures_alone(broken: Store, series: PriceSeries) -> None:
    records = {record.last_height: record for record in broken.block_prices.between(START_S, END_S)}
    first = story.FIRST_HEIGHT + 144
    priced = records[first + 5]
    reading = read_at(series, "block", priced.time_s + 100, 60.0)
    assert reading.block is not None
    assert (reading.block.height, reading.block.price_usd) == (first + 5, priced.price_usd)
    assert reading.exchange is not None
    assert reading.exchange.time_s == priced.time_s
    assert reading.divergence is not None
    assert reading.divergence.pct == priced.divergence_block_pct
    empty = read_at(series, "block", records[first + 15].time_s, 60.0)
    assert empty.block is not None
    assert (empty.block.price_usd, empty.block.gap) == (None, GapReason.UNCERTAIN)
    # in the middle of the hours without anything
    silent = read_at(series, "block", START_S + 16 * 3600, 60.0)
    assert (silent.block, silent.exchange, silent.window, silent.divergence) == (None, None, None, None)


def test_a_cursor_steps_by_columns_and_over_gaps(series: PriceSeries) -> None:
    at = stops(series)
    assert next_stop(at, at[10], 60.0) == min(t for t in at.tolist() if t >= at[10] + 60)
    assert next_stop(at, at[10], -60.0) == max(t for t in at.tolist() if t <= at[10] - 60)
    assert next_stop(at, at[-1], 60.0) == at[-1]
    assert next_stop(at, at[0], -60.0) == at[0]
    assert next_stop(np.zeros(0), 5.0, 1.0) is None


async def test_the_engine_reads_beside_the_loop(broken: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clock, "now_s", lambda: story.NOW_S)
    assert await PriceHistory(lambda: None).load(START_S, END_S) is None
    found = await PriceHistory(lambda: broken).load(START_S, END_S)
    assert found is not None
    # of 144 blocks 14 have no price, 24 are missing and one is orphaned
    assert found.statistics["block"].count == 144 - 14 - 24 - 1
    # each round once, and no block twice: all blocks have their round
    assert len(found.series.rows) == len(broken.observations.between(START_S, END_S))
