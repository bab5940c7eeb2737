"""`import` of files of history as its user sees it: what is taken, what is refused and why, and the second time."""

from __future__ import annotations

import csv
import json
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest

from tests.support.config_place import Place, make_place
from tests.support.in_process import Ran, ran
from tests.support.records import START_S
from utxoracle_tui import clock
from utxoracle_tui.store.records import ExchangeDay, Observation, Window
from utxoracle_tui.store.store import Store

HISTORY = Path(__file__).parent.parent / "fixtures" / "history"
FOR_EVER_S = 9e9

# rows of the Bitcoin Research Kit's daily history (MIT), its first one included
EXCHANGE = """date,open,high,low,close
2010-07-12,0.0,0.01,0.0,0.01
2010-07-13,0.01,0.01,0.01,0.01
2011-08-14,10.13,11.24,9.61,10.79
2024-03-18,68355.6,68898.3,66569.4,67600.0
2026-02-12,67082.52,68410.52,65556.0,65602.07
"""

# as DuckDB's COPY … (HEADER) writes the table
EARLIER = """date,exchange_price,utxoracle_price,price_difference,avg_pct_diff,confidence,tx_count,is_valid
2025-10-24,110000.0,108900.0,1100.0,1.0,0.87,412345,true
2025-10-24 14:10:00,111000.5,,,,,,false
2025-10-24 14:20:00+02,,109500.25,,,0.42,398000,t
2025-10-25T00:00:00.5Z,112000,112560,-560,-0.5,1,400000,1
"""


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Place:
    place = make_place(tmp_path, monkeypatch)
    monkeypatch.setattr("os.environ", place.environ)
    place.environ |= {"HOME": str(place.home), "XDG_DATA_HOME": str(place.home / "data")}
    monkeypatch.setattr(clock, "now_s", lambda: START_S)
    return place


@pytest.fixture
def store(place: Place) -> Store:
    """Where commands look that are told nothing."""
    return Store(place.home / "data" / "utxoracle-tui", "main")


def written(place: Place, text: str | bytes, name: str = "file.csv") -> Path:
    path = place.cwd / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def counts(done: Ran) -> str:
    """The line of a text report that counts."""
    return done.out.splitlines()[1].strip()


def report(*arguments: object) -> dict[str, Any]:
    """What `--json` says of a single file."""
    done = ran("import", "--json", *arguments)
    assert done.err == ""
    (only,) = json.loads(done.out)["files"]
    assert done.code == (1 if only["refused"] else 0)
    assert isinstance(only, dict)
    return only


def utc(*moment: int) -> float:
    return datetime(*moment, tzinfo=UTC).timestamp()  # type: ignore[misc,arg-type]


def test_exchange_history(store: Store, place: Place) -> None:
    path = written(place, EXCHANGE)
    done = ran("import", path)
    assert (done.code, done.err) == (0, "")
    assert done.out == f"{path}: daily exchange prices, 5 rows\n  5 taken, 0 same as stored, 0 in conflict, 0 refused\n"
    found = store.exchange_days.between(0, FOR_EVER_S)
    assert found[0] == ExchangeDay(date=date(2010, 7, 12), close_usd=0.01, high_usd=0.01)
    assert found[3] == ExchangeDay(
        date=date(2024, 3, 18), open_usd=68355.6, high_usd=68898.3, low_usd=66569.4, close_usd=67600.0
    )
    assert [day.close_usd for day in found] == [0.01, 0.01, 10.79, 67600.0, 65602.07]
    again = ran("import", path)
    assert (again.code, counts(again)) == (0, "0 taken, 5 same as stored, 0 in conflict, 0 refused")
    assert store.exchange_days.between(0, FOR_EVER_S) == found


def test_published_prices_of_two_years(store: Store) -> None:
    path = HISTORY / "consensus-daily.csv"
    with path.open(newline="") as file:
        expected = list(csv.DictReader(file))
    found = report(path)
    assert (found["kind"], found["rows"], found["taken"]) == ("published-prices", 666, 666)
    windows = store.windows.between(0, FOR_EVER_S, "day")
    assert [
        (str(window.date), window.price_usd, window.first_height, window.last_height, window.points)
        for window in windows
    ] == [
        (
            row["date"],
            float(row["consensus_price_usd"]),
            int(row["first_height"]),
            int(row["last_height"]),
            int(row["n_points"]),
        )
        for row in expected
    ]
    one = windows[0]
    assert (one.method, one.name, one.network) == ("utxoracle-9.1", "UTXOracle Consensus Price", "main")
    assert (one.imported, one.reason, one.confidence, one.valid) == (True, "imported", None, None)
    assert (one.stored_s, one.blocks) == (START_S, 163)
    again = report(path)
    assert (again["taken"], again["same"], again["in_conflict"]) == (0, 666, 0)


def test_a_published_price_has_no_canonical_name_on_another_network(place: Place) -> None:
    path = written(place, "date,consensus_price_usd\n2025-01-01,94000.5\n")
    assert ran("import", "--network", "signet", path).code == 0
    (window,) = Store(place.home / "data" / "utxoracle-tui", "signet").windows.newest("day")
    assert (window.name, window.network, window.price_usd, window.points) == (None, "signet", 94000.5, None)


@pytest.mark.parametrize(
    ("stored", "published", "same"),
    [
        (94_000.5, "94000.5", True),
        (94_000.5, "94000.50000001", True),
        (94_000.5, "94000.5002", False),
        (None, "94000.5", False),
    ],
)
def test_a_computed_price_stays(store: Store, place: Place, stored: float | None, published: str, same: bool) -> None:
    computed = Window(
        kind="day", method="utxoracle-9.1", date=date(2025, 1, 1), network="main", price_usd=stored, valid=True
    )
    store.windows.put([computed])
    found = report(written(place, f"date,consensus_price_usd\n2025-01-01,{published}\n2025-01-02,95000\n"))
    assert (found["taken"], found["same"], found["in_conflict"]) == (1, int(same), int(not same))
    assert found["conflict_lines"] == ([] if same else [2])
    assert store.windows.between(0, FOR_EVER_S, "day")[0] == computed


def test_a_conflict_is_told_with_its_line(place: Place) -> None:
    path = written(place, "date,consensus_price_usd\n2025-01-01,94000\n2025-01-02,95000\n2025-01-01,94001\n")
    done = ran("import", path)
    assert done.code == 0
    assert counts(done) == "2 taken, 0 same as stored, 1 in conflict, 0 refused"
    assert "in conflict, so what is stored stays: line 4" in done.out


def test_the_table_of_the_earlier_system(store: Store, place: Place) -> None:
    path = written(place, EARLIER)
    done = ran("import", path)
    assert (done.code, done.err) == (0, "")
    assert "table of the earlier system, 4 rows" in done.out
    day, no_price, no_exchange, last = sorted(store.observations.between(0, FOR_EVER_S), key=lambda one: one.time_s)
    assert day == Observation(
        key="imported-2025-10-24",
        time_s=utc(2025, 10, 24),
        window_kind="day",
        date=date(2025, 10, 24),
        transactions=412_345,
        onchain_usd=108_900.0,
        exchange_usd=110_000.0,
        exchange_source="imported",
        divergence_spot_pct=-1.0,
        confidence=0.87,
        valid=True,
        imported=True,
    )
    # 14:20 two hours east of Greenwich is before 14:10 in UTC
    assert no_price.time_s == utc(2025, 10, 24, 12, 20)
    assert (no_price.exchange_usd, no_price.exchange_source, no_price.onchain_usd) == (None, None, 109_500.25)
    assert no_price.key == "imported-2025-10-24T12:20:00Z"
    assert no_exchange.time_s == utc(2025, 10, 24, 14, 10)
    assert (no_exchange.onchain_usd, no_exchange.exchange_usd, no_exchange.valid) == (None, 111_000.5, False)
    assert (no_exchange.divergence_spot_pct, no_exchange.confidence, no_exchange.transactions) == (None, None, None)
    assert (last.window_kind, last.date, last.valid) == ("blocks", None, True)
    assert last.time_s == utc(2025, 10, 25) + 0.5
    assert last.divergence_spot_pct == pytest.approx(0.5, rel=1e-12)
    again = ran("import", path)
    assert (again.code, counts(again)) == (0, "0 taken, 4 same as stored, 0 in conflict, 0 refused")


def test_columns_come_in_any_order_and_others_are_left_alone(store: Store, place: Place) -> None:
    text = (
        "\ufeffIs_Valid, utxoracle_price ,note,date,exchange_price\r\n"
        '\r\nTrue,"100100.5","a, ""quoted"" note",2025-10-24,100000\r\n'
        "   \r\nfalse,99000,,2025-10-25,100000"
    )
    done = ran("import", written(place, text))
    assert (done.code, counts(done)) == (0, "2 taken, 0 same as stored, 0 in conflict, 0 refused")
    first, second = store.observations.between(0, FOR_EVER_S)
    assert (first.onchain_usd, first.valid, first.confidence) == (100_100.5, True, None)
    assert first.divergence_spot_pct == pytest.approx(0.1005, rel=1e-12)
    assert (second.valid, second.divergence_spot_pct) == (False, -1.0)


@pytest.mark.parametrize(
    ("header", "row", "reason"),
    [
        ("date,open,high,low,close", "2025-02-30,1,1,1,1", "date is '2025-02-30', which is not a date like 2024-02-29"),
        ("date,open,high,low,close", "30.1.2025,1,1,1,1", "date is '30.1.2025', which is not a date"),
        ("date,open,high,low,close", "0025-01-30,1,1,1,1", "date is '0025-01-30', which is too long ago"),
        ("date,open,high,low,close", ",1,1,1,1", "date is '', which is not a date"),
        ("date,open,high,low,close", "2025-01-30,1,1,1,", "close is empty"),
        ("date,open,high,low,close", "2025-01-30,1,1,1,0", "close is '0', and a price is more than 0"),
        ("date,open,high,low,close", "2025-01-30,-1,1,1,1", "open is '-1', and a price is more than 0"),
        ("date,open,high,low,close", "2025-01-30,1,1,1", "it has 4 fields, and the column row has 5"),
        ("date,open,high,low,close", "2025-01-30,1,1,1,1,", "it has 6 fields, and the column row has 5"),
        ("date,open,high,low,close", '2025-01-30,1,1,1,"1', "it is not CSV"),
        ("date,consensus_price_usd", "2025-01-30,94k", "consensus_price_usd is '94k', which is not a number"),
        ("date,consensus_price_usd", "2025-01-30,nan", "consensus_price_usd is 'nan', which is not a number"),
        ("date,consensus_price_usd", "2025-01-30,inf", "consensus_price_usd is 'inf', which is not a number"),
        ("date,consensus_price_usd", "2025-01-30,1e999", "consensus_price_usd is '1e999', which is not a number"),
        ("date,consensus_price_usd", "2025-01-30,1_000", "consensus_price_usd is '1_000', which is not a number"),
        ("date,consensus_price_usd", "2025-01-30,٣", "consensus_price_usd is '٣', which is not a number"),
        ("date,consensus_price_usd", "2025-01-30,\x1b[2J", "consensus_price_usd is '\\x1b[2J', which is not a number"),
        ("date,consensus_price_usd,n_points", "2025-01-30,1,1.5", "n_points is '1.5', which is not a whole number"),
        ("date,consensus_price_usd,n_points", "2025-01-30,1,-1", "n_points is '-1', which is not a whole number"),
        (
            "date,consensus_price_usd,first_height,last_height",
            "2025-01-30,1,9,8",
            "first_height is 9, and last_height only 8",
        ),
        ("date,exchange_price,utxoracle_price", "2025-01-30,,", "utxoracle_price and exchange_price are both empty"),
        ("date,exchange_price,utxoracle_price", "2025-01-30 25:00:00,1,1", "which is not a time like"),
        ("date,exchange_price,utxoracle_price", "9999-12-31 23:59:59-10,1,1", "which is not a time like"),
        ("date,exchange_price,utxoracle_price", "1969-12-31 23:59:59,1,1", "which is too long ago"),
        ("date,exchange_price,utxoracle_price", "2025-01-30,0.0,1", "exchange_price is '0.0', and a price is more"),
        ("date,exchange_price,utxoracle_price,confidence", "2025-01-30,1,1,1.01", "must be from 0 to 1"),
        ("date,exchange_price,utxoracle_price,is_valid", "2025-01-30,1,1,maybe", "neither true nor false"),
        ("date,exchange_price,utxoracle_price,tx_count", "2025-01-30,1,1,many", "tx_count is 'many'"),
    ],
)
def test_a_bad_row_is_refused_and_the_others_are_taken(place: Place, header: str, row: str, reason: str) -> None:
    good = ",".join(["2025-03-0{}", *["1"] * header.count(",")])
    text = "\n".join([header, good.format(1), row, "", good.format(2)])
    path = written(place, text)
    done = ran("import", path)
    assert (done.code, done.err) == (1, "")
    assert counts(done) == "2 taken, 0 same as stored, 0 in conflict, 1 refused"
    (told,) = [line for line in done.out.splitlines() if line.startswith("  line ")]
    assert told.startswith("  line 3: ")
    assert reason in told
    assert "\x1b" not in done.out
    again = report(path)
    assert (again["same"], again["refused"], again["refusals"][0]["line"]) == (2, 1, 3)
    assert reason in again["refusals"][0]["reason"]


def test_bytes_that_are_no_text_and_endless_lines_are_refused(place: Place) -> None:
    text = b"date,consensus_price_usd\n2025-01-01,1\n2025-01-02,\xff\n" + b"9" * 2_500_000 + b"\n2025-01-03,2\n"
    found = report(written(place, text))
    assert found["taken"] == 2
    assert found["refusals"] == [
        {"line": 3, "reason": "the line is not UTF-8 text"},
        {"line": 4, "reason": "the line is longer than 1,000,000 bytes"},
    ]


def test_the_first_twenty_refused_rows_are_shown_and_all_are_in_json(place: Place) -> None:
    path = written(place, "date,consensus_price_usd\n" + "x,1\n" * 1_234)
    done = ran("import", path)
    assert done.code == 1
    shown = [line for line in done.out.splitlines() if line.startswith("  line ")]
    assert [line.split(":")[0].strip() for line in shown] == [f"line {number}" for number in range(2, 22)]
    assert "and 1,214 more refused" in done.out
    found = report(path)
    assert [refusal["line"] for refusal in found["refusals"]] == list(range(2, 1_236))


@pytest.mark.parametrize(
    "text",
    [
        "when,what\n1,2\n",
        "date;consensus_price_usd\n2025-01-01;1\n",
        "2025-01-01,1\n",
        "date,date,consensus_price_usd\n",
        '[\n{"kind": "day"}\n]\n',
        '{"time": 1, "USD": 2}\n',
        '{"kind": "day", \n',
        "# only a remark\n",
        b"PK\x03\x04\xff\xfe binary \x1b[2J",
        "date,\x1b[2J\n",
        'date,"consensus_price_usd\n',
    ],
)
def test_a_file_of_no_known_kind_is_a_usage_error_that_names_the_known_ones(place: Place, text: str | bytes) -> None:
    good = written(place, EXCHANGE, "good.csv")
    path = written(place, text)
    done = ran("import", good, path)
    assert (done.code, done.out) == (2, "")
    assert str(path) in done.err
    for known in ("date,open,high,low,close", "date,consensus_price_usd", "date,exchange_price,utxoracle_price"):
        assert known in done.err
    assert "Nothing was imported" in done.err
    assert "\x1b" not in done.err
    assert not (place.home / "data").exists()


def test_an_empty_file_a_folder_and_a_missing_one_are_told_in_a_sentence(place: Place) -> None:
    for path, sentence in (
        (written(place, "\n \n"), "is empty"),
        (place.cwd, "Is a directory"),
        (place.cwd / "none.csv", "No such file or directory"),
    ):
        done = ran("import", path)
        assert (done.code, done.out) == (2, "")
        assert str(path) in done.err
        assert sentence in done.err
    done = ran("import", "--json", place.cwd / "none.csv")
    error = json.loads(done.out)["error"]
    assert (done.code, error["kind"], error["host"]) == (2, "unreadable", None)


def test_several_files_each_have_their_report(store: Store, place: Place) -> None:
    paths = [written(place, EXCHANGE, "a.csv"), written(place, EARLIER, "b.csv"), HISTORY / "consensus-daily.csv"]
    done = ran("import", "--json", *paths)
    document = json.loads(done.out)
    assert (document["network"], document["dry_run"]) == ("main", False)
    assert [(one["file"], one["kind"], one["taken"]) for one in document["files"]] == [
        (str(paths[0]), "exchange-history", 5),
        (str(paths[1]), "earlier-table", 4),
        (str(paths[2]), "published-prices", 666),
    ]
    assert (store.counts().exchange_readings, store.counts().observations, store.counts().windows) == (5, 4, 666)


def test_a_dry_run_says_the_same_and_stores_nothing(store: Store, place: Place) -> None:
    text = "date,consensus_price_usd\n2025-01-01,94000\n2025-01-02,95000\n2025-01-01,94000\n2025-01-02,95001\nx,1\n"
    path = written(place, text)
    store.windows.put(
        [Window(kind="day", method="utxoracle-9.1", date=date(2025, 1, 1), network="main", price_usd=94_000.0)]
    )
    before = store.windows.between(0, FOR_EVER_S, "day")
    dry = ran("import", "--dry-run", path)
    assert dry.code == 1
    assert counts(dry) == "1 would be taken, 2 same as stored, 1 in conflict, 1 refused"
    assert store.windows.between(0, FOR_EVER_S, "day") == before
    foreseen = report("--dry-run", path)
    real = report(path)
    assert foreseen == real
    assert (real["taken"], real["same"], real["conflict_lines"]) == (1, 2, [5])


def test_a_dry_run_on_nothing_makes_no_folder(place: Place) -> None:
    path = written(place, EARLIER)
    assert counts(ran("import", "--dry-run", path)).startswith("4 would be taken")
    assert not (place.home / "data").exists()


PUBLISHED_DAY = "date,consensus_price_usd\n2024-03-18,68276\n2024-03-19,65000\n"


@pytest.mark.parametrize("order", [("days.csv", "exchange.csv"), ("exchange.csv", "days.csv")])
def test_a_published_day_is_compared_with_the_close_of_that_day(
    store: Store, place: Place, order: tuple[str, str]
) -> None:
    written(place, PUBLISHED_DAY, "days.csv")
    written(place, EXCHANGE, "exchange.csv")
    last = [ran("import", place.cwd / name) for name in order][-1]
    assert last.out.endswith("\n1 day set beside the exchange price of the day\n")
    compared, alone = store.windows.between(0, FOR_EVER_S, "day")
    assert (compared.exchange_usd, compared.exchange_coverage, compared.exchange_is_daily) == (67_600.0, 0.0, True)
    # 68276 is 676 above 67600, which is 1 %
    assert compared.divergence_window_pct == pytest.approx(1.0)
    assert (compared.imported, compared.stored_s) == (True, START_S)
    assert (alone.exchange_usd, alone.divergence_window_pct) == (None, None)


def test_a_day_worked_out_before_the_exchange_was_known_is_compared_as_well(store: Store, place: Place) -> None:
    day = {"kind": "day", "method": "utxoracle-9.1", "network": "main"}
    known = Window(date=date(2024, 3, 18), price_usd=66_924.0, valid=True, **day)  # type: ignore[arg-type]
    other = Window(date=date(2026, 2, 12), price_usd=66_000.0, exchange_usd=65_900.0, **day)  # type: ignore[arg-type]
    store.windows.put([known, other])
    done = ran("import", "--json", written(place, EXCHANGE))
    assert json.loads(done.out)["days_compared"] == 1
    compared, as_before = store.windows.between(0, FOR_EVER_S, "day")
    # 66924 is 676 below 67600, which is 1 %
    assert compared.divergence_window_pct == pytest.approx(-1.0)
    assert as_before == other
    assert json.loads(ran("import", "--json", place.cwd / "file.csv").out)["days_compared"] == 0
