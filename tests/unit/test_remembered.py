"""What a console remembers of how it was arranged: in the file, between consoles, and in spite of what is in it."""

from __future__ import annotations

import json
import logging
import stat
from pathlib import Path

import pytest

from utxoracle_tui.engine.chart.sorting import SortKey
from utxoracle_tui.engine.logs.line import Level, Origin
from utxoracle_tui.ui.chart_view import ChartView, preset_view
from utxoracle_tui.ui.remembered import ChosenTheme, Remembered, Remembering, ShownSpan, of_this_console

NOW_S, HOUR_S, DAY_S = 1_736_294_400.0, 3_600.0, 86_400.0
HOST = "127.0.0.1:8332"
ARRANGED: dict[str, object] = {
    "view": "stack",
    "chart": ShownSpan("week"),
    "basis": "window",
    "rows_by": SortKey.DIVERGENCE,
    "rows_downwards": False,
    "rows_filter": "high",
    "windows": "blocks",
    "windows_order": "least confidence first",
    "windows_doubtful": True,
    "log_least": Level.WARNING,
    "log_hidden": frozenset({Origin.NODE}),
    "log_pattern": "height=",
    "log_wraps": True,
    "log_follows": False,
    "theme": ChosenTheme("light", "black-and-orange"),
}


def kept(path: Path, changes: dict[str, object], host: str = HOST) -> None:
    remembering = Remembering(path, host)
    remembering.change(changes)
    remembering.start_writing().join()


def test_all_of_it_is_there_again(tmp_path: Path) -> None:
    kept(tmp_path / "state" / "console.json", ARRANGED)
    assert Remembering(tmp_path / "state" / "console.json", HOST).now == Remembered(**ARRANGED)  # type: ignore[arg-type]
    assert stat.S_IMODE((tmp_path / "state" / "console.json").stat().st_mode) == 0o600
    assert set(ARRANGED) == set(Remembered.__dataclass_fields__)


def test_where_it_lies(tmp_path: Path) -> None:
    of_this_console(tmp_path, HOST, read_only=False).change({"view": "stack"})
    remembering = of_this_console(tmp_path, HOST, read_only=False)
    remembering.change({"view": "figures"})
    remembering.start_writing().join()
    assert json.loads((tmp_path / "state" / "console.json").read_text())["all"] == {"view": "figures"}


def test_spans_and_filters_belong_to_a_node_and_the_rest_to_all(tmp_path: Path) -> None:
    path = tmp_path / "console.json"
    kept(path, {"chart": ShownSpan("year"), "rows_filter": "907000", "view": "figures"})
    assert Remembering(path, "10.0.0.2:18443").now == Remembered(view="figures")
    kept(path, {"chart": ShownSpan("month")}, "10.0.0.2:18443")
    assert Remembering(path, HOST).now.chart == ShownSpan("year")


def test_of_many_nodes_those_arranged_last_are_kept(tmp_path: Path) -> None:
    path = tmp_path / "console.json"
    for turn, number in enumerate([*range(25), 7]):
        kept(path, {"rows_filter": f"in turn {turn}"}, f"10.0.0.{number}:8332")
    numbers = [5, 6, *range(8, 25), 7]
    assert list(json.loads(path.read_text())["nodes"]) == [f"10.0.0.{number}:8332" for number in numbers]


def test_of_two_consoles_the_last_one_wins_field_by_field(tmp_path: Path) -> None:
    path = tmp_path / "console.json"
    one, other = Remembering(path, HOST), Remembering(path, HOST)
    one.change({"view": "stack", "log_wraps": True})
    one.start_writing().join()
    other.change({"view": "figures"})
    other.start_writing().join()
    assert Remembering(path, HOST).now == Remembered(view="figures", log_wraps=True)


def test_nothing_new_is_nothing_to_write(tmp_path: Path) -> None:
    remembering = Remembering(tmp_path / "console.json", HOST)
    assert not remembering.change({"view": "chart", "chart": ShownSpan("day")})
    remembering.start_writing().join()
    assert list(tmp_path.iterdir()) == []
    assert remembering.change({"view": "stack"})
    assert not remembering.change({"view": "stack"})


def test_who_only_looks_begins_as_it_was_and_leaves_no_trace(tmp_path: Path) -> None:
    kept(of_path := tmp_path / "state" / "console.json", {"view": "figures"})
    before = of_path.read_bytes()
    looking = of_this_console(tmp_path, HOST, read_only=True)
    assert looking.now.view == "figures"
    assert not looking.change({"view": "stack"})
    looking.start_writing().join()
    assert of_path.read_bytes() == before


@pytest.mark.parametrize(
    "damaged",
    [
        b"",
        b"{",
        b"[]",
        b'{"version": "1"}',
        b'{"version": 2, "all": {"view": "stack"}, "nodes": {}}',
        b'{"version": 1, "all": []}',
        b'{"version": 1, "all": {}, "nodes": {"127.0.0.1:8332": 3}}',
        b"[" * 100_000,
    ],
    ids=["empty", "torn", "a list", "no number", "newer", "no parts", "no node", "deep"],
)
def test_a_damaged_or_newer_file_is_ignored_and_replaced_by_the_next_change(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, damaged: bytes
) -> None:
    path = tmp_path / "console.json"
    path.write_bytes(damaged)
    with caplog.at_level(logging.WARNING):
        remembering = Remembering(path, HOST)
    assert remembering.now == Remembered()
    assert [record.getMessage().split(" is ignored")[0] for record in caplog.records] == [str(path)]
    remembering.start_writing().join()
    assert path.read_bytes() == damaged
    remembering.change({"view": "figures"})
    remembering.start_writing().join()
    assert Remembering(path, HOST).now == Remembered(view="figures")


def test_a_field_that_cannot_be_read_costs_no_other(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    path = tmp_path / "console.json"
    fields = {"view": "basement", "log_least": 30, "rows_by": "the moon", "of_tomorrow": 1}
    path.write_text(json.dumps({"version": 1, "all": fields, "nodes": {}}))
    assert Remembering(path, HOST).now == Remembered(log_least=Level.WARNING)
    assert [record.getMessage().split(" is ignored")[0] for record in caplog.records] == [
        "what is remembered as view",
        "what is remembered as rows_by",
    ]
    kept(path, {"view": "stack"})
    assert json.loads(path.read_text())["all"] == fields | {"view": "stack"}


def test_a_place_that_cannot_be_written_to_is_logged_and_tried_again(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    in_the_way = tmp_path / "state"
    in_the_way.write_text("")
    remembering = Remembering(in_the_way / "console.json", HOST)
    remembering.change({"view": "stack"})
    remembering.start_writing().join()
    assert "can't be written to" in caplog.text
    in_the_way.unlink()
    remembering.start_writing().join()
    assert Remembering(in_the_way / "console.json", HOST).now.view == "stack"


def test_without_a_place_nothing_is_written() -> None:
    remembering = Remembering()
    assert not remembering.change({"view": "stack"})
    remembering.start_writing().join()
    assert remembering.now.view == "stack"


@pytest.mark.parametrize(
    ("view", "later"),
    [
        # what followed the time does so again, with its length
        (preset_view("week", NOW_S), (NOW_S + 30 * DAY_S - 7 * DAY_S, NOW_S + 30 * DAY_S)),
        (ChartView(NOW_S - 12 * HOUR_S, NOW_S), (NOW_S + 29.5 * DAY_S, NOW_S + 30 * DAY_S)),
        # what stood still is where it was
        (
            ChartView(NOW_S - 3 * DAY_S, NOW_S - 2 * DAY_S, follows=False),
            (NOW_S - 3 * DAY_S, NOW_S - 2 * DAY_S),
        ),
    ],
)
def test_a_span_a_month_later(view: ChartView, later: tuple[float, float]) -> None:
    found = ShownSpan.of(view).view(NOW_S + 30 * DAY_S)
    # the end of a span moves in steps of a 240th of it
    assert found.start_s == pytest.approx(later[0], abs=view.span_s / 240)
    assert found.end_s == pytest.approx(later[1], abs=view.span_s / 240)
    assert (found.follows, found.preset) == (view.follows, view.preset)


@pytest.mark.parametrize(
    ("span", "span_s"),
    [
        (ShownSpan("fortnight"), DAY_S),
        (ShownSpan(None, 0.0), HOUR_S),
        (ShownSpan(None, -5.0, -7.0), HOUR_S),
        # since the first block, 2009-01-03 18:15:05
        (ShownSpan(None, 1e300, 1e300), NOW_S - 1_231_006_505),
    ],
)
def test_a_span_that_makes_no_sense_is_one_that_can_be_shown(span: ShownSpan, span_s: float) -> None:
    found = span.view(NOW_S)
    assert found.span_s == pytest.approx(span_s)
