"""Own exports read back: every record as it was, and what must not get in."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.config_place import Place, make_place
from tests.support.in_process import Ran, ran
from tests.support.records import START_S, block_window, observation
from utxoracle_tui.store.records import ConfidenceParts, FilterCounts, Observation, Window
from utxoracle_tui.store.store import Store

FOR_EVER_S = 1e12
FORMATS = ["csv", "json"]


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Place:
    place = make_place(tmp_path, monkeypatch)
    monkeypatch.setattr("os.environ", place.environ)
    place.environ |= {"HOME": str(place.home), "XDG_DATA_HOME": str(place.home / "data")}
    return place


def store_in(folder: Path, network: str = "main") -> Store:
    return Store(folder, network)


def all_of(store: Store) -> list[Observation | Window]:
    found: list[Observation | Window] = [
        *store.observations.all(),
        *store.windows.days.all(),
        *store.windows.blocks.all(),
    ]
    return sorted(found, key=lambda record: record.key)


# --- what any record can hold ---

_words = st.text(
    st.characters(blacklist_categories=("Cs", "Cc", "Cf", "Co", "Cn", "Zl", "Zp", "Zs"), max_codepoint=0x10FFFF),
    max_size=12,
)
_texts = _words | st.sampled_from(['"', '""', '"quoted"', "a,b", "# not a remark", "null", "true", "[]", "5", " x "])
_prices = st.floats(min_value=0, max_value=1e300, exclude_min=True)
_floats = st.floats(allow_nan=False, allow_infinity=False)
_shares = st.floats(min_value=0, max_value=1)
_counts = st.integers(min_value=0, max_value=2**53)
_moments = st.floats(min_value=0, max_value=253_402_300_799)
_header_times = st.integers(min_value=0, max_value=2**32 - 1)
_days = st.dates(min_value=date(1970, 1, 1))
_truths = st.booleans()


def _perhaps(strategy: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.none() | strategy


_observations = st.builds(
    Observation,
    key=_texts.filter(bool),
    time_s=_moments,
    window_kind=st.sampled_from(["day", "blocks"]),
    date=_perhaps(_days),
    first_height=_perhaps(_counts),
    last_height=_perhaps(_counts),
    last_hash=_perhaps(_texts),
    first_time_s=_perhaps(_header_times),
    last_time_s=_perhaps(_header_times),
    transactions=_perhaps(_counts),
    onchain_usd=_perhaps(_prices),
    method=_perhaps(_texts),
    exchange_usd=_perhaps(_prices),
    exchange_time_s=_perhaps(_moments),
    exchange_source=_perhaps(st.sampled_from(["own", "public", "imported"])),
    exchange_mean_usd=_perhaps(_prices),
    exchange_coverage=_perhaps(_shares),
    divergence_spot_pct=_perhaps(_floats),
    divergence_window_pct=_perhaps(_floats),
    divergence_block_pct=_perhaps(_floats),
    confidence=_perhaps(_shares),
    valid=_perhaps(_truths),
    reason=_perhaps(_texts),
    imported=_truths,
    orphaned=_truths,
)
_results: dict[str, st.SearchStrategy[Any]] = {
    "method": st.from_regex(r"[A-Za-z0-9][A-Za-z0-9_.+-]{0,20}", fullmatch=True),
    "first_hash": _perhaps(_texts),
    "last_hash": _perhaps(_texts),
    "first_time": _perhaps(_header_times),
    "name": _perhaps(_texts),
    "network": st.sampled_from([None, "main"]),
    "price_usd": _perhaps(_prices),
    "rough_price_usd": _perhaps(_counts),
    "deviation_usd": _perhaps(_floats),
    "deviation_pct": _perhaps(_floats),
    "plot_range": _perhaps(_floats),
    "confidence": _perhaps(_shares),
    "confidence_parts": _perhaps(st.builds(ConfidenceParts, octave=_shares, points=_shares, spread=_shares)),
    "valid": _perhaps(_truths),
    "reason": _perhaps(_texts),
    "explanation": _perhaps(_texts),
    "warnings": st.lists(_texts, max_size=3).map(tuple),
    "blocks": _perhaps(_counts),
    "transactions": _perhaps(_counts),
    "filters": _perhaps(st.builds(FilterCounts, **dict.fromkeys(FilterCounts.__slots__, _counts))),
    "outputs": _perhaps(_counts),
    "points": _perhaps(_counts),
    "octave_suspect": _perhaps(_truths),
    "octave": _perhaps(st.dictionaries(_words, _perhaps(_floats), max_size=3)),
    "boundary_ambiguous": _perhaps(_truths),
    "elapsed_s": _perhaps(_floats),
    "exchange_usd": _perhaps(_prices),
    "exchange_coverage": _perhaps(_shares),
    "exchange_is_daily": _truths,
    "divergence_window_pct": _perhaps(_floats),
    "stored_s": _moments,
    "imported": _truths,
    "orphaned": _truths,
}
_day_windows = st.builds(
    Window,
    kind=st.just("day"),
    date=_days,
    first_height=_perhaps(_counts),
    last_height=_perhaps(_counts),
    last_time=_perhaps(_header_times),
    **_results,
)
_block_windows = st.builds(
    Window, kind=st.just("blocks"), first_height=_counts, last_height=_counts, last_time=_header_times, **_results
)


def _by_key(record: Observation | Window) -> str:
    return record.key


@settings(max_examples=15)
@given(st.lists(_observations, min_size=1, max_size=5, unique_by=_by_key), st.sampled_from(FORMATS))
def test_any_observation_reads_back_equal(records: list[Observation], form: str) -> None:
    _round_trip(records, form)


@settings(max_examples=15)
@given(st.lists(_day_windows | _block_windows, min_size=1, max_size=5, unique_by=_by_key), st.sampled_from(FORMATS))
def test_any_window_reads_back_equal(records: list[Window], form: str) -> None:
    _round_trip(records, form)


def _round_trip(records: list[Observation] | list[Window], form: str) -> None:
    with tempfile.TemporaryDirectory() as folder:
        first, second, path = Path(folder, "first"), Path(folder, "second"), Path(folder, "export")
        store = store_in(first)
        what = "windows" if isinstance(records[0], Window) else "observations"
        for record in records:
            if isinstance(record, Window):
                store.windows.put([record])
            else:
                store.observations.put([record])
        options = ["--format", form, "--output", path, "--data-dir", first, "--network", "main"]
        assert ran("export", what, *options).code == 0
        done = ran("import", "--data-dir", second, "--network", "main", path)
        assert done.code == 0, done.out + done.err
        assert all_of(store_in(second)) == sorted(records, key=_by_key)
        again = ran("import", "--data-dir", second, "--network", "main", path)
        assert f"0 taken, {len(records)} same as stored, 0 in conflict, 0 refused" in again.out


# --- by hand ---


def exported(place: Place, what: str, form: str, name: str = "export") -> Path:
    path = place.cwd / name
    assert ran("export", what, "--format", form, "--output", path).code == 0
    return path


def imported(path: Path, *options: object) -> Ran:
    return ran("import", "--data-dir", path.parent / "other", *options, path)


@pytest.mark.parametrize("form", FORMATS)
def test_an_empty_export_is_taken_as_nothing(place: Place, form: str) -> None:
    path = exported(place, "windows", form)
    done = imported(path)
    assert (done.code, done.err) == (0, "")
    assert "export of windows, 0 rows" in done.out


@pytest.mark.parametrize("form", FORMATS)
def test_exports_that_were_put_together_are_taken_as_one(place: Place, form: str) -> None:
    store = store_in(place.home / "data" / "utxoracle-tui")
    store.observations.put([observation(1), observation(2)])
    first = exported(place, "observations", form)
    whole = first.read_text()
    store.observations.put([observation(3)])
    second = exported(place, "observations", form, "second").read_text().splitlines(keepends=True)
    # a CSV has only one column row
    first.write_text(whole + "".join(line for line in second if not line.startswith("key,")))
    done = imported(first)
    assert (done.code, done.out.splitlines()[1].strip()) == (0, "3 taken, 2 same as stored, 0 in conflict, 0 refused")


@pytest.mark.parametrize("form", FORMATS)
def test_an_export_of_another_network_is_refused(place: Place, form: str) -> None:
    store_in(place.home / "data" / "utxoracle-tui", "signet").observations.put([observation(1)])
    path = exported(place, "observations", form)
    done = imported(path)
    assert (done.code, done.out) == (2, "")
    assert "an export of the network 'signet', and this is the store of main" in done.err
    # its log is all that there is
    assert [entry.name for entry in (path.parent / "other").iterdir()] == ["state"]
    assert imported(path, "--network", "signet").code == 0


def test_windows_of_another_network_are_refused_without_the_export_saying_so(place: Place) -> None:
    own, other = block_window(877_143, START_S, network="main"), block_window(877_144, START_S, network="regtest")
    unknown = block_window(877_145, START_S)
    store_in(place.home / "data" / "utxoracle-tui").windows.put([own, other, unknown])
    path = exported(place, "windows", "json")
    path.write_text("".join(path.read_text().splitlines(keepends=True)[1:]))
    done = imported(path)
    assert done.code == 1
    assert "1 taken, 0 same as stored, 0 in conflict, 2 refused" in done.out
    assert "line 2: it is of the network 'regtest', and the store of main" in done.out
    assert "line 3: nothing says of which network it is" in done.out


@pytest.mark.parametrize("form", FORMATS)
def test_a_result_takes_the_place_of_a_published_price(place: Place, form: str) -> None:
    result = Window(
        kind="day", method="utxoracle-9.1", date=date(2025, 1, 1), network="main", price_usd=94_000.5, valid=True
    )
    store_in(place.home / "data" / "utxoracle-tui").windows.put([result])
    path = exported(place, "windows", form)
    published = place.cwd / "published.csv"
    for price in ("94000.5", "94100"):
        published.write_text(f"date,consensus_price_usd\n2025-01-01,{price}\n")
        other = ("--data-dir", place.cwd / price)
        assert ran("import", *other, published).code == 0
        assert "1 would be taken, 0 same" in ran("import", "--dry-run", *other, path).out
        assert "1 taken, 0 same" in ran("import", *other, path).out
        assert all_of(store_in(place.cwd / price)) == [result]
        assert "0 taken, 1 same" in ran("import", *other, path).out
        # and a published one never that of a result
        again = ran("import", *other, published).out
        assert ("0 taken, 1 same" if price == "94000.5" else "0 taken, 0 same as stored, 1 in conflict") in again
        assert all_of(store_in(place.cwd / price)) == [result]


def test_what_changes_by_itself_is_no_conflict(place: Place) -> None:
    store = store_in(place.home / "data" / "utxoracle-tui")
    window, seen = block_window(877_143, START_S, network="main", elapsed_s=3.0, stored_s=5.0), observation(1)
    store.windows.put([window])
    store.observations.put([seen])
    paths = [exported(place, what, "csv", what) for what in ("windows", "observations")]
    store.windows.put([replace(window, elapsed_s=4.0, stored_s=6.0, orphaned=True)])
    store.observations.put([replace(seen, orphaned=True)], replace=True)
    for path in paths:
        assert "0 taken, 1 same as stored, 0 in conflict" in ran("import", path).out
    store.windows.put([replace(window, price_usd=1.0)])
    store.observations.put([replace(seen, onchain_usd=1.0)], replace=True)
    for path in paths:
        assert "0 taken, 0 same as stored, 1 in conflict" in ran("import", path).out


def test_columns_that_are_missing_or_unknown_do_no_harm(place: Place) -> None:
    path = place.cwd / "cut.csv"
    path.write_text("future,key,window_kind,onchain_usd,time_s\nx,k1,blocks,94000.5,1735689600\n")
    assert imported(path).code == 0
    assert all_of(store_in(place.cwd / "other")) == [
        Observation(key="k1", time_s=1735689600.0, window_kind="blocks", onchain_usd=94_000.5)
    ]


OBSERVATION = {"key": "k", "time_s": 1.5e9, "window_kind": "blocks", "onchain_usd": 5.0}
WINDOW = {"kind": "day", "method": "utxoracle-9.1", "date": "2025-01-01", "price_usd": 5.0, "network": "main"}


@pytest.mark.parametrize(
    ("document", "change", "reason"),
    [
        (OBSERVATION, {"window_kind": "weeks"}, "window_kind: invalid enum value 'weeks'"),
        (OBSERVATION, {"exchange_source": "\u001b[2J"}, "exchange_source: invalid enum value '\\x1b[2J'"),
        (OBSERVATION, {"time_s": -1}, "time_s is -1.0, and must be from 0 to 253402300799"),
        (OBSERVATION, {"time_s": 1e18}, "time_s is 1e+18, and must be"),
        (OBSERVATION, {"time_s": "noon"}, "time_s"),
        (OBSERVATION, {"onchain_usd": 0}, "onchain_usd is 0.0, and a price is more than 0"),
        (OBSERVATION, {"exchange_usd": -5}, "exchange_usd is -5.0, and a price is more than 0"),
        (OBSERVATION, {"exchange_mean_usd": -5}, "exchange_mean_usd is -5.0, and a price is more than 0"),
        (OBSERVATION, {"confidence": 1.5}, "confidence is 1.5, and must be from 0 to 1"),
        (OBSERVATION, {"transactions": -3}, "transactions is "),
        (OBSERVATION, {"transactions": 2**60}, "transactions is "),
        (OBSERVATION, {"reason": "\u001b[2J"}, "reason has characters that can't be shown"),
        (OBSERVATION, {"reason": "two\nlines"}, "reason has characters that can't be shown"),
        (OBSERVATION, {"date": "1969-12-31"}, "date is '1969-12-31', which is too long ago"),
        (OBSERVATION, {"date": "2025-02-30"}, "date"),
        (OBSERVATION, {"valid": "perhaps"}, "valid"),
        (WINDOW, {"kind": "week"}, "kind: invalid enum value 'week'"),
        (WINDOW, {"date": None}, "it is a day without a date"),
        (WINDOW, {"kind": "blocks", "date": None, "first_height": 1}, "a run of blocks without first_height, last_h"),
        (WINDOW, {"method": "../../x"}, "method is '../../x', which is not the name of one"),
        (WINDOW, {"price_usd": 0}, "price_usd is 0.0, and a price is more than 0"),
        (WINDOW, {"warnings": ["fine", "\u001b]0;x\u0007"]}, "warnings has characters that can't be shown"),
        (WINDOW, {"octave": {"\u001b": 1.0}}, "octave has characters that can't be shown"),
        (WINDOW, {"octave": [1.0]}, "octave: expected `object | null`, got `array`"),
        (WINDOW, {"last_time": 2**40}, "last_time is 1099511627776, and must be from 0 to 253402300799"),
        (WINDOW, {"confidence_parts": {"octave": 1.0, "points": 1.0}}, "confidence_parts: object missing required"),
    ],
)
@pytest.mark.parametrize("form", FORMATS)
def test_what_no_record_can_be_is_refused(
    place: Place, document: dict[str, Any], change: dict[str, Any], reason: str, form: str
) -> None:
    path = place.cwd / "export"
    bad = {name: value for name, value in (document | change).items() if value is not None}
    writers: dict[str, Callable[[list[dict[str, Any]]], str]] = {"json": _as_json, "csv": _as_csv}
    path.write_text(writers[form]([document, bad]))
    done = imported(path, "--json")
    (only,) = json.loads(done.out)["files"]
    assert (done.code, only["taken"], only["refused"]) == (1, 1, 1)
    (refusal,) = only["refusals"]
    assert refusal["line"] == (2 if form == "json" else 3)
    # in a CSV that a JSON writer's line breaks have torn, the row is not even one
    assert reason in refusal["reason"] or (form == "csv" and "\n" in str(change))
    assert "\x1b" not in refusal["reason"]


def _as_json(documents: list[dict[str, Any]]) -> str:
    return "".join(json.dumps(document) + "\n" for document in documents)


def _as_csv(documents: list[dict[str, Any]]) -> str:
    """Written plainly, by hand; nested values and texts as JSON."""
    names = list(dict.fromkeys(name for document in documents for name in _flat(document)))
    lines = [",".join(names)]
    for document in documents:
        flat = _flat(document)
        lines.append(",".join('"' + flat.get(name, "").replace('"', '""') + '"' for name in names))
    return "\n".join(lines) + "\n"


def _flat(document: dict[str, Any]) -> dict[str, str]:
    flat: dict[str, str] = {}
    for name, value in document.items():
        if name == "confidence_parts":
            flat |= {f"{name}.{part}": repr(share) for part, share in value.items()}
        elif isinstance(value, str):
            flat[name] = json.dumps(value) if not value.isprintable() else value
        else:
            flat[name] = json.dumps(value)
    return flat


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("[1, 2]", "it is not a JSON object"),
        ('{"key": "k2", "time_s": NaN, "window_kind": "day"}', "it is not JSON"),
        ('{"key": "k2", "time_s": 1e999, "window_kind": "day"}', "it is not JSON"),
        ('{"key": "k2", "time_s": 1', "it is not JSON"),
        ('{"key": "k2", "window_kind": "day"}', "object missing required field `time_s`"),
        ('{"key": "", "time_s": 1, "window_kind": "day"}', "key is empty"),
        ("key,time_s", "it is not JSON"),
    ],
)
def test_a_torn_line_of_json_is_refused_alone(place: Place, line: str, reason: str) -> None:
    path = place.cwd / "export"
    path.write_text(_as_json([OBSERVATION]) + line + "\n\n" + _as_json([OBSERVATION | {"key": "k3"}]))
    done = imported(path)
    assert done.code == 1
    assert "2 taken, 0 same as stored, 0 in conflict, 1 refused" in done.out
    assert f"line 2: {reason}" in done.out
