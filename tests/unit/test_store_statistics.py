"""Statistics of a span, against the standard library's."""

from __future__ import annotations

import statistics
from dataclasses import replace
from pathlib import Path

import pytest

from tests.support.records import START_S, block_window, observation, reading
from utxoracle_tui.store.store import Retention, Store


def test_a_span(tmp_path: Path) -> None:
    store = Store(tmp_path, "main")
    records = [observation(number) for number in range(800)]
    records[5] = replace(records[5], orphaned=True, divergence_spot_pct=99.0)
    records[6] = replace(records[6], divergence_window_pct=None, valid=None)
    store.observations.put(records)
    found = store.statistics(START_S, START_S + 600 * 300)
    kept = [record for record in records[:600] if not record.orphaned]
    spot = [record.divergence_spot_pct for record in kept]
    window = [record.divergence_window_pct for record in kept if record.divergence_window_pct is not None]
    assert (found.count, found.orphaned) == (599, 1)
    assert found.spot.mean_pct == pytest.approx(statistics.fmean(spot))  # type: ignore[type-var]
    assert (found.spot.largest_pct, found.spot.smallest_pct) == (max(spot), min(spot))  # type: ignore[type-var]
    assert (found.window.count, found.window.mean_pct) == (598, pytest.approx(statistics.fmean(window)))
    assert found.block.count == 0
    assert found.block.mean_pct is None
    prices = [record.onchain_usd for record in kept], [record.exchange_usd for record in kept]
    assert found.correlation == pytest.approx(statistics.correlation(*prices))  # type: ignore[arg-type]
    known = [record.valid for record in kept if record.valid is not None]
    assert found.share_valid == pytest.approx(sum(known) / len(known))
    assert (found.first_time_s, found.last_time_s) == (kept[0].time_s, kept[-1].time_s)


def test_two_points_have_no_correlation(tmp_path: Path) -> None:
    store = Store(tmp_path, "main")
    store.observations.put([observation(1), observation(2)])
    assert store.statistics(0, 2e9).correlation is None


def test_a_reorg_marks_and_unmarks(tmp_path: Path) -> None:
    store = Store(tmp_path, "main")
    windows = [block_window(height, START_S + height) for height in range(200, 210)]
    store.windows.put(windows)
    store.observations.put([observation(n, first_height=None, last_height=200 + n) for n in range(10)])
    stale = {205, 206}

    def on_chain(height: int, block_hash: str) -> bool:
        return height not in stale

    # the observations have the same heights: two of each are marked
    assert store.mark_orphans(range(195, 220), on_chain) == 4
    found = store.windows.newest("blocks", 20)
    assert {window.last_height for window in found if window.orphaned} == stale
    assert len(found) == 10
    assert sum(record.orphaned for record in store.observations.all()) == 2
    stale.clear()
    assert store.mark_orphans(range(195, 220), on_chain) == 4
    assert not any(window.orphaned for window in store.windows.newest("blocks", 20))


def test_old_readings_are_thinned(tmp_path: Path) -> None:
    store = Store(tmp_path, "main", retention=Retention(readings_days=30))
    # a reading a minute for two days, by two sources
    readings = [reading(START_S + n * 60, 60_000.0 + n) for n in range(2880)]
    readings += [reading(START_S + n * 60, 60_000.0 + n, source="public") for n in range(0, 2880, 5)]
    store.exchange_readings.put(readings)
    now_s = START_S + 86_400 + 30 * 86_400
    removed = store.thin_out(now_s)
    left = store.exchange_readings.between(0, 2e9)
    first_day = [r for r in left if r.time_s < START_S + 86_400]
    assert len(first_day) == 2 * 144
    assert {r.time_s % 600 for r in first_day} == {0.0}
    assert len(left) - len(first_day) == 1440 + 288
    assert removed == len(readings) - len(left)
    assert store.thin_out(now_s) == 0
