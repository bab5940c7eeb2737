"""`export` as its user sees it: what it says of itself, the rows and their order, and where they go."""

from __future__ import annotations

import csv
import json
import stat
from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from tests.support.config_place import Place, make_place
from tests.support.in_process import Ran, ran
from tests.support.records import START_S, block_window, observation
from utxoracle_tui import __version__, clock
from utxoracle_tui.store.records import Window
from utxoracle_tui.store.store import Store

NEW_YEAR = date(2025, 1, 1)
DAY_S = 86_400


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Place:
    place = make_place(tmp_path, monkeypatch)
    monkeypatch.setattr("os.environ", place.environ)
    place.environ |= {"HOME": str(place.home), "XDG_DATA_HOME": str(place.home / "data")}
    monkeypatch.setattr(clock, "now_s", lambda: START_S + 40 * DAY_S)
    return place


@pytest.fixture
def store(place: Place) -> Store:
    """Where commands look that are told nothing."""
    return Store(place.home / "data" / "utxoracle-tui", "main")


def day_window(day: date, **changes: object) -> Window:
    fields: dict[str, object] = {
        "kind": "day",
        "method": "utxoracle-9.1",
        "date": day,
        "network": "main",
        "price_usd": 94_000.1,
        "exchange_usd": 94_100.0,
        "exchange_is_daily": True,
    }
    return Window(**(fields | changes))  # type: ignore[arg-type]


def comments(text: str) -> dict[str, str]:
    """What the first lines of a CSV say."""
    lines = [line.removeprefix("# ") for line in text.splitlines() if line.startswith("# ")]
    return dict(line.split(": ", 1) for line in lines)


def rows(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(line for line in text.splitlines() if not line.startswith("#")))


def json_lines(done: Ran) -> tuple[dict[str, object], list[dict[str, object]]]:
    first, *rest = map(json.loads, done.out.splitlines())
    assert list(first) == ["export"]
    return first["export"], rest


def test_an_empty_store_gives_a_column_row_and_says_that_there_is_nothing(place: Place) -> None:
    done = ran("export", "observations")
    assert (done.code, done.err) == (0, "")
    assert comments(done.out) == {
        "program": "utxoracle-tui",
        "version": __version__,
        "what": "observations",
        "network": "main",
        "count": "0",
        "made": "2025-02-10T00:00:00Z",
    }
    assert done.out.splitlines()[-1].startswith("key,time_s,window_kind,date,")
    assert not (place.home / "data").exists()


def test_a_csv_says_what_it_is_and_lists_the_rows_by_time(store: Store) -> None:
    store.observations.put([observation(number) for number in (5, 3, 600, 4)])
    store.observations.put([observation(2, method="other-1", exchange_source="public")])
    done = ran("export", "observations")
    said = comments(done.out)
    assert said["methods"] == "other-1, utxoracle-9.1"
    assert said["exchange_sources"] == "own, public"
    assert (said["first_height"], said["last_height"]) == ("877002", "877743")
    assert (said["first_time"], said["last_time"]) == ("2025-01-01T00:10:00Z", "2025-01-03T02:00:00Z")
    assert said["count"] == "5"
    found = rows(done.out)
    assert [float(row["time_s"]) - START_S for row in found] == [600, 900, 1200, 1500, 180_000]
    assert found[0]["first_height"] == "877002"
    assert found[0]["valid"] == "true"
    assert found[0]["date"] == ""
    assert float(found[0]["onchain_usd"]) == 65_002 * (1 + ((2 * 37) % 101 - 50) / 10_000)


def test_numbers_read_back_to_the_same_float(store: Store) -> None:
    awkward = [0.1 + 0.2, 1e22, 5e-324, 123456.7890123456789, 94_000.000_000_000_01]
    store.observations.put([observation(number, onchain_usd=value) for number, value in enumerate(awkward)])
    as_csv = rows(ran("export", "observations").out)
    assert [float(row["onchain_usd"]) for row in as_csv] == awkward
    _, as_json = json_lines(ran("export", "observations", "--format", "json"))
    assert [row["onchain_usd"] for row in as_json] == awkward


def test_json_lines_have_all_fields_and_say_first_what_they_are(store: Store) -> None:
    store.windows.put([day_window(NEW_YEAR), block_window(877_143, START_S + 7200, network="main")])
    done = ran("export", "windows", "--format", "json", "--from", "2025-01-01", "--to", "2025-01-31")
    said, found = json_lines(done)
    assert (said["what"], said["network"], said["count"]) == ("windows", "main", 2)
    assert (said["from"], said["to"]) == ("2025-01-01", "2025-01-31")
    assert said["methods"] == ["utxoracle-9.1"]
    assert said["exchange_sources"] == ["daily"]
    assert (said["first_height"], said["last_height"]) == (877_000, 877_143)
    assert [row["kind"] for row in found] == ["day", "blocks"]
    assert (found[0]["date"], found[0]["exchange_is_daily"], found[0]["valid"]) == ("2025-01-01", True, None)
    expected = {"exchange_coverage", "divergence_window_pct", "stored_s", "imported", "orphaned", "price_usd"}
    assert expected <= set(found[0])


def test_windows_have_the_keys_of_price_json(store: Store) -> None:
    """Against the keys that design and README promise for `price --json`, not against the code."""
    promised = {
        *("kind", "name", "price_usd", "rough_price_usd", "deviation_pct", "confidence", "valid", "reason"),
        *("first_height", "last_height", "first_hash", "last_hash", "blocks", "transactions", "outputs", "points"),
        *("method", "octave_suspect", "boundary_ambiguous", "elapsed_s"),
    }
    store.windows.put([day_window(NEW_YEAR)])
    _, found = json_lines(ran("export", "windows", "--format", "json"))
    assert promised <= set(found[0])


@pytest.mark.parametrize(
    ("options", "days"),
    [
        ([], [1, 2, 3, 4]),
        (["--from", "2025-01-02"], [2, 3, 4]),
        (["--to", "2025-01-02"], [1, 2]),
        (["--from", "2025-01-02", "--to", "2025-01-03"], [2, 3]),
        (["--from", "2025-01-03", "--to", "2025-01-03"], [3]),
        (["--from", "2025-02-01"], []),
    ],
)
@pytest.mark.parametrize("what", ["observations", "windows"])
def test_days_are_utc_and_both_included(store: Store, what: str, options: list[str], days: list[int]) -> None:
    if what == "observations":
        midnights = [START_S + DAY_S * day for day in range(4)]
        store.observations.put([observation(n, time_s) for n, time_s in enumerate(midnights)])
        store.observations.put([observation(9 + n, time_s + DAY_S - 0.001) for n, time_s in enumerate(midnights)])
        found = [float(row["time_s"]) for row in rows(ran("export", what, *options).out)]
        assert found == sorted(found)
        assert sorted({datetime.fromtimestamp(time_s, UTC).day for time_s in found}) == days
        assert len(found) == 2 * len(days)
    else:
        store.windows.put([day_window(date(2025, 1, day)) for day in (1, 2, 3, 4)])
        assert [int(row["date"][-2:]) for row in rows(ran("export", what, *options).out)] == days


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (["--from", "2025-02-30"], "'2025-02-30' is not a date"),
        (["--to", "yesterday"], "'yesterday' is not a date"),
        (["--from", "2025-01-02", "--to", "2025-01-01"], "--from 2025-01-02 is later than --to 2025-01-01"),
        (["--format", "xml"], "invalid choice: 'xml'"),
        (["--network", "mian"], "node.network (flag --network) is 'mian'"),
    ],
)
def test_wrong_usage_is_told_in_a_sentence(place: Place, options: list[str], sentence: str) -> None:
    done = ran("export", "windows", *options)
    assert done.code == 2
    assert done.out == ""
    assert sentence in done.err
    assert "Traceback" not in done.err


def test_a_file_is_written_for_the_owner_alone_and_replaces_an_older_one(store: Store, tmp_path: Path) -> None:
    store.observations.put([observation(1)])
    target = tmp_path / "out.csv"
    target.write_text("old")
    target.chmod(0o644)
    done = ran("export", "observations", "--output", target)
    assert (done.code, done.out) == (0, "")
    assert done.err == f"1 observation written to {target}\n"
    assert stat.S_IMODE(target.stat().st_mode) == 0o600
    assert rows(target.read_text()) == rows(ran("export", "observations").out)
    assert list(tmp_path.glob("out.csv*")) == [target]


def test_a_file_that_cannot_be_written_is_told_of_and_the_old_one_stays(store: Store, tmp_path: Path) -> None:
    store.observations.put([observation(1)])
    for target, reason in ((tmp_path, "is not a file"), (tmp_path / "none" / "x.csv", "No such file or directory")):
        done = ran("export", "observations", "--output", target)
        assert done.code in {1, 2}
        assert reason in done.err
        assert str(target) in done.err or str(target.parent) in done.err
    assert not (tmp_path / "none").exists()


def test_an_export_that_breaks_off_leaves_the_old_file(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store.observations.put([observation(1)])
    target = tmp_path / "out.csv"
    target.write_text("old")

    def full(*arguments: object) -> Iterator[None]:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("shutil.copyfileobj", full)
    done = ran("export", "observations", "--output", target)
    assert done.code == 1
    assert done.err == f"utxoracle-tui: Could not write {target}: No space left on device.\n"
    assert target.read_text() == "old"
    assert list(tmp_path.glob("out.csv*")) == [target]


def test_rows_that_cannot_be_read_are_said_to_be_missing(store: Store) -> None:
    store.observations.put([observation(1), observation(400)])
    first = sorted(store.folder.root.glob("observations/2025/2025-01-01.*"))
    assert len(first) >= 2
    for path in first:
        path.write_bytes(b"torn" + path.read_bytes()[4:])
    done = ran("export", "observations")
    assert done.code == 1
    assert comments(done.out)["unreadable_parts"] == "1"
    assert comments(done.out)["count"] == "1"
    assert [row["first_height"] for row in rows(done.out)] == ["877400"]
    assert "1 file of the store can't be read, so their observations are missing here" in done.err


def test_the_network_is_the_only_one_that_is_there(place: Place) -> None:
    data = place.home / "data" / "utxoracle-tui"
    Store(data, "signet").windows.put([day_window(NEW_YEAR, network="signet")])
    done = ran("export", "windows")
    assert comments(done.out)["network"] == "signet"
    assert [row["network"] for row in rows(done.out)] == ["signet"]


def test_several_networks_have_to_be_named(place: Place) -> None:
    data = place.home / "data" / "utxoracle-tui"
    for network in ("main", "regtest"):
        Store(data, network).windows.put([day_window(NEW_YEAR, network=network)])
    done = ran("export", "windows")
    assert (done.code, done.out) == (2, "")
    assert "main, regtest" in done.err
    assert "--network" in done.err
    assert [row["network"] for row in rows(ran("export", "windows", "--network", "regtest").out)] == ["regtest"]
    place.environ["UTXORACLE_TUI_NODE_NETWORK"] = "main"
    assert [row["network"] for row in rows(ran("export", "windows").out)] == ["main"]


def test_the_data_dir_is_the_one_that_is_named(place: Place, tmp_path: Path) -> None:
    Store(tmp_path / "elsewhere", "main").windows.put([day_window(NEW_YEAR)])
    assert len(rows(ran("--data-dir", tmp_path / "elsewhere", "export", "windows").out)) == 1
    assert rows(ran("export", "windows").out) == []


def test_prices_of_a_simulated_host_say_so(place: Place) -> None:
    place.environ |= {"UTXORACLE_DEMO_CONTROL_URL": "http://127.0.0.1:1", "UTXORACLE_TUI_NODE_NETWORK": "regtest"}
    assert comments(ran("export", "windows").out)["label"] == "DEMO"
    said, _ = json_lines(ran("export", "windows", "--format", "json"))
    assert said["label"] == "DEMO"
    place.environ["UTXORACLE_TUI_NODE_NETWORK"] = "main"
    assert "label" not in comments(ran("export", "windows").out)


def test_rows_of_a_day_too_full_for_one_file_are_still_by_time(store: Store) -> None:
    late = [observation(number, START_S + 80_000 + number) for number in range(520)]
    early = [observation(1000 + number, START_S + number) for number in range(30)]
    store.observations.put(late)
    store.observations.put(early)
    assert len(list(store.folder.root.glob("observations/2025/2025-01-01*.json"))) == 2
    found = [float(row["time_s"]) - START_S for row in rows(ran("export", "observations").out)]
    assert found == [*range(30), *range(80_000, 80_520)]
