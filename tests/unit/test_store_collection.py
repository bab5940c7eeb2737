"""Records in and out of the store: ranges, keys, columns, several processes' views."""

from __future__ import annotations

import math
import stat
from dataclasses import replace
from datetime import date
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.records import DAY_S, START_S, block_window, observation
from utxoracle_tui import clock
from utxoracle_tui.store.collection import PART_DOCUMENTS, Outcome
from utxoracle_tui.store.part_names import PartName, Span
from utxoracle_tui.store.records import Alert, ExchangeDay, Window
from utxoracle_tui.store.store import Store
from utxoracle_tui.store.troubles import StoreTrouble


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "data", "main")


def test_what_is_put_comes_back_equal(store: Store, tmp_path: Path) -> None:
    records = [observation(number) for number in range(700)]
    assert store.observations.put(records) == [Outcome.TAKEN] * 700
    assert store.observations.between(0, 2e9) == records
    assert Store(tmp_path / "data", "main").observations.between(0, 2e9) == records


def test_days_that_nobody_asks_for_are_not_kept_in_memory(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    at_s = [1000.0]
    monkeypatch.setattr(clock, "now_s", lambda: at_s[0])
    days = [observation(0), replace(observation(1), time_s=START_S + DAY_S), replace(observation(2), time_s=START_S)]
    store.observations.put(days[:2])
    parts = store.observations.parts
    first, second = list(parts.names())
    read = {name: parts.load(name) for name in (first, second)}
    at_s[0] += 400
    assert parts.load(first) is read[first]
    at_s[0] += 400
    store.observations.put(days[2:])
    assert len(parts.load(first).records) == 2
    reread = parts.load(second)
    assert reread is not read[second]
    assert reread == read[second]


def test_a_key_is_kept_once(store: Store) -> None:
    record = observation(1)
    other = replace(record, onchain_usd=1.0)
    assert store.observations.insert(record) is Outcome.TAKEN
    assert store.observations.insert(record) is Outcome.SAME
    assert store.observations.insert(other) is Outcome.CONFLICT
    assert store.observations.newest() == [record]
    assert store.observations.put([other], replace=True) == [Outcome.REPLACED]
    assert store.observations.between(0, 2e9) == [other]
    assert store.observations.count() == 1


def test_the_same_key_twice_in_one_call(store: Store) -> None:
    record = observation(1)
    other = replace(record, onchain_usd=1.0)
    assert store.observations.put([record, record, other]) == [Outcome.TAKEN, Outcome.SAME, Outcome.CONFLICT]
    assert store.observations.between(0, 2e9) == [record]


def test_a_field_that_is_cleared_is_gone(store: Store) -> None:
    record = observation(10)
    assert record.reason == "low_confidence"
    store.observations.insert(record)
    cleared = replace(record, reason=None, valid=True)
    store.observations.put([cleared], replace=True)
    assert store.observations.between(0, 2e9) == [cleared]


def test_a_full_part_gets_a_neighbour(store: Store) -> None:
    # all on one day, more than three parts hold
    records = [observation(number, START_S + number) for number in range(3 * PART_DOCUMENTS + 7)]
    store.observations.put(records[: PART_DOCUMENTS + 1])
    for record in records[PART_DOCUMENTS + 1 : PART_DOCUMENTS + 4]:
        store.observations.insert(record)
    store.observations.put(records[PART_DOCUMENTS + 4 :])
    files = sorted(path.name for path in (store.folder.root / "observations" / "2025").glob("*.json"))
    assert files == ["2025-01-01.json", "2025-01-01~2.json", "2025-01-01~3.json", "2025-01-01~4.json"]
    assert store.observations.between(0, 2e9) == records
    assert store.observations.put(records) == [Outcome.SAME] * len(records)
    assert store.observations.newest(3) == records[:-4:-1]


def test_ranges_are_half_open(store: Store) -> None:
    records = [observation(number) for number in range(1000)]
    store.observations.put(records)
    for start, end in ((0, 1000), (17, 500), (288, 289), (999, 1000), (5, 5)):
        found = store.observations.between(START_S + start * 300, START_S + end * 300)
        assert found == records[start:end]


def test_newest_first(store: Store) -> None:
    records = [observation(number) for number in range(700)]
    store.observations.put(records[::-1])
    assert store.observations.newest(400) == records[:299:-1]
    assert store.observations.newest(5000) == records[::-1]


def test_by_height(store: Store) -> None:
    windows = [block_window(height, START_S + height * 600) for height in range(200, 900)]
    store.windows.put(windows)
    assert store.windows.between_heights(300, 310, "blocks") == windows[100:111]
    key = windows[5].window_key
    assert store.windows.get(key) == windows[5]
    assert store.windows.get(key, near_time_s=windows[5].time_s) == windows[5]
    assert store.windows.get(replace(key, last_height=9000)) is None


def test_days_by_their_date(store: Store) -> None:
    days = [Window(kind="day", method="m", date=date(2024, 12, 30 + n), price_usd=1.5 + n) for n in range(2)]
    days += [Window(kind="day", method="m", date=date(2025, 1, 1 + n), price_usd=3.5 + n) for n in range(30)]
    store.windows.put(days)
    assert store.windows.newest("day", 2) == days[:-3:-1]
    assert store.windows.get(days[1].window_key) == days[1]
    assert store.windows.between(START_S, START_S + 2 * DAY_S, "day") == days[2:4]


def test_columns_are_the_records_numbers(store: Store, tmp_path: Path) -> None:
    records = [observation(number) for number in range(1000)]
    records[3] = replace(records[3], exchange_usd=None, valid=None)
    store.observations.put(records)
    for opened in (store, Store(tmp_path / "data", "main")):
        columns = opened.observations.columns(START_S + 300, START_S + 900 * 300)
        wanted = records[1:900]
        assert columns["time_s"].tolist() == [record.time_s for record in wanted]
        assert columns["onchain_usd"].tolist() == [record.onchain_usd for record in wanted]
        assert math.isnan(columns["exchange_usd"][2])
        assert math.isnan(columns["valid"][2])
        assert columns["valid"][0] == 1.0
        assert columns["last_height"].tolist() == [record.last_height for record in wanted]


def test_columns_follow_a_change(store: Store) -> None:
    records = [observation(number) for number in range(600)]
    store.observations.put(records)
    store.observations.columns(0, 2e9)
    store.observations.put([replace(records[0], onchain_usd=7.0)], replace=True)
    assert store.observations.columns(0, 2e9)["onchain_usd"][0] == 7.0


def test_a_damaged_column_file_is_made_again(store: Store) -> None:
    store.observations.put([observation(number) for number in range(600)])
    before = store.observations.columns(0, 2e9)
    files = list((store.folder.root / "observations").rglob("*.columns"))
    assert files
    for path in files:
        data = bytearray(path.read_bytes())
        data[-20] ^= 0x10
        path.write_bytes(data)
    after = store.observations.columns(0, 2e9)
    np.testing.assert_array_equal(before["onchain_usd"], after["onchain_usd"])


def test_another_store_sees_a_write(store: Store, tmp_path: Path) -> None:
    other = Store(tmp_path / "data", "main")
    assert other.observations.newest() == []
    seen = other.writes()
    for number in range(5):
        record = observation(number)
        store.observations.insert(record)
        assert other.writes() != seen
        seen = other.writes()
        assert other.observations.newest() == [record]


def test_nothing_is_written_by_reading(tmp_path: Path) -> None:
    store = Store(tmp_path / "data", "main")
    assert store.observations.between(0, 2e9) == []
    assert store.counts().observations == 0
    assert store.statistics(0, 2e9).count == 0
    assert not (tmp_path / "data").exists()


def test_files_are_private(store: Store) -> None:
    store.observations.put([observation(number) for number in range(600)])
    store.observations.columns(0, 2e9)
    for path in store.folder.home.rglob("*"):
        mode = stat.S_IMODE(path.stat().st_mode)
        assert mode == (0o700 if path.is_dir() else 0o600), path


def test_a_store_of_another_chain_is_refused(tmp_path: Path) -> None:
    Store(tmp_path, "regtest", genesis_hash="aa" * 32).observations.insert(observation(1))
    Store(tmp_path, "regtest", genesis_hash="aa" * 32)
    Store(tmp_path, "regtest")
    with pytest.raises(StoreTrouble, match=r"never mixed.*--data-dir") as caught:
        Store(tmp_path, "regtest", genesis_hash="bb" * 32)
    assert caught.value.exit_code == 2


def test_edit_changes_what_it_is_told(store: Store) -> None:
    alerts = [
        Alert(key=f"a{n}", time_s=START_S + n, rule="disk", level="warning", message="m", values={"free": n})
        for n in range(10)
    ]
    store.alerts.put(alerts)
    changed = store.alerts.edit(
        Span.MONTH.part_of(START_S), lambda alert: replace(alert, acknowledged_s=1.0) if alert.key == "a3" else None
    )
    assert [alert.key for alert in changed] == ["a3"]
    assert [alert.acknowledged_s for alert in store.alerts.all()] == [None] * 3 + [1.0] + [None] * 6


def test_imported_days_count_as_readings(store: Store) -> None:
    store.exchange_days.put(ExchangeDay(date=date(2020, 1, 1 + n), close_usd=7000.0 + n) for n in range(20))
    assert store.counts().exchange_readings == 20
    assert len(list((store.folder.root / "exchange-days").rglob("*.json"))) == 1


@given(st.floats(0, 4e9), st.sampled_from(Span))
def test_a_part_is_found_by_any_moment_in_it(time_s: float, span: Span) -> None:
    name = span.part_of(time_s)
    assert PartName.from_file(name.folder, name.file_stem) == name
    assert PartName.from_file(name.folder, name.neighbour.file_stem) == name.neighbour
    assert name < name.neighbour < span.part_of(time_s + 400 * DAY_S)


@settings(max_examples=30, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 60), st.integers(0, 3)), min_size=1, max_size=60))
def test_any_order_of_writes(tmp_path_factory: pytest.TempPathFactory, writes: list[tuple[int, int]]) -> None:
    """The store against a plain dictionary."""
    store = Store(tmp_path_factory.mktemp("store"), "main")
    plain = {}
    for number, version in writes:
        record = observation(number, START_S + number * 7200, transactions=version)
        outcome = store.observations.put([record], replace=version % 2 == 1)[0]
        old = plain.get(record.key)
        if old is None:
            expected = Outcome.TAKEN
        elif old == record:
            expected = Outcome.SAME
        else:
            expected = Outcome.REPLACED if version % 2 else Outcome.CONFLICT
        assert outcome is expected
        if outcome in (Outcome.TAKEN, Outcome.REPLACED):
            plain[record.key] = record
    assert store.observations.between(0, 2e9) == sorted(plain.values(), key=lambda record: record.time_s)
