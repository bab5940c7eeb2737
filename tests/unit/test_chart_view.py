"""Ranges, zoom, pan, ticks and cells of the price chart."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import numpy as np
import pytest

from utxoracle_tui.engine.chart.reduction import Envelope
from utxoracle_tui.ui.axes import price_label, price_range, price_ticks, time_ticks
from utxoracle_tui.ui.cells import Canvas, Room
from utxoracle_tui.ui.chart_view import ChartView, following, preset_view, view_of

NOW_S = 1_736_294_400.0
DAY_S = 86_400.0
FIRST_S = NOW_S - 400 * DAY_S
"""Of the first figure."""


@pytest.mark.parametrize(("name", "days"), [("day", 1), ("week", 7), ("month", 30), ("quarter", 90), ("year", 365)])
def test_a_preset_ends_now_and_goes_on(name: str, days: int) -> None:
    view = preset_view(name, NOW_S)
    assert view.span_s == days * DAY_S
    assert NOW_S < view.end_s <= NOW_S + view.span_s / 240
    # the picture moves in steps, and not with each second
    assert view.at(NOW_S + 30) == view
    assert view.at(NOW_S + DAY_S).end_s == pytest.approx(view.end_s + DAY_S, abs=view.span_s / 240)


def test_zoom_keeps_the_cursor_where_it_is() -> None:
    view = ChartView(NOW_S - DAY_S, NOW_S)
    at_s = NOW_S - DAY_S / 4
    closer = view.zoomed(True, at_s, NOW_S, FIRST_S)
    assert closer.span_s == DAY_S / 2
    assert (at_s - closer.start_s) / closer.span_s == pytest.approx(0.75)
    assert not closer.follows
    assert closer.zoomed(False, at_s, NOW_S, FIRST_S).start_s == pytest.approx(view.start_s)
    # without a cursor a view that follows goes on following
    assert view.zoomed(False, None, NOW_S, FIRST_S).follows
    for _ in range(50):
        view = view.zoomed(True, None, NOW_S, FIRST_S)
    assert view.span_s == 3600


SLIVER_S = 900.0
"""What the end of a view may be later than now, at the most."""


@pytest.mark.parametrize("name", ["day", "week", "month", "quarter", "year", "all"])
def test_no_view_ends_in_the_future(name: str) -> None:
    view = preset_view(name, NOW_S)
    for _ in range(12):
        assert NOW_S < view.end_s <= NOW_S + SLIVER_S
        view = view.zoomed(False, NOW_S - 600, NOW_S, FIRST_S)
    for view in (view_of(FIRST_S, NOW_S, NOW_S), view_of(NOW_S, NOW_S, NOW_S)):
        assert NOW_S < view.end_s <= NOW_S + SLIVER_S
    assert preset_view("week", NOW_S).panned(-1, NOW_S).shifted_to(NOW_S - 1, NOW_S).end_s <= NOW_S + SLIVER_S


@pytest.mark.parametrize("around_s", [None, NOW_S - 3 * DAY_S, FIRST_S])
def test_zooming_out_ends_at_what_there_is(around_s: float | None) -> None:
    view = preset_view("day", NOW_S)
    seen = []
    for _ in range(20):
        view = view.zoomed(False, around_s, NOW_S, FIRST_S)
        seen.append(view.span_s)
        assert view.start_s >= FIRST_S
    assert (view.preset, view.title, view.start_s, view.follows) == ("all", "all", FIRST_S, True)
    assert seen == sorted(seen)
    assert view.zoomed(True, None, NOW_S, FIRST_S).span_s == pytest.approx((NOW_S - FIRST_S) / 2, abs=SLIVER_S)


def test_all_ends_at_the_same_moment_before_and_after_it_is_known_what_there_is() -> None:
    view = preset_view("all", NOW_S)
    known = replace(view, start_s=NOW_S - 1.5 * DAY_S)
    assert view.at(NOW_S + 30).end_s == known.at(NOW_S + 30).end_s == view.end_s


@pytest.mark.parametrize(
    ("span_s", "title"),
    [
        (3600, "1 hour"),
        (5400, "1.5 hours"),
        (DAY_S, "24 hours"),
        (2 * DAY_S, "2 days"),
        (365 * DAY_S, "365 days"),
        (40 * 365.25 * DAY_S, "40 years"),
        (1100 * DAY_S, "3.01 years"),
    ],
)
def test_a_span_in_words(span_s: float, title: str) -> None:
    assert ChartView(NOW_S - span_s, NOW_S).title == title


def test_pan_stops_at_now_and_follows_again_there() -> None:
    view = preset_view("day", NOW_S)
    earlier = view.panned(-1, NOW_S).panned(-1, NOW_S)
    assert (earlier.follows, earlier.end_s) == (False, view.end_s - DAY_S / 2)
    later = earlier.panned(1, NOW_S)
    assert not later.follows
    back = later.panned(1, NOW_S)
    assert (back.follows, back.end_s) == (True, view.end_s)
    assert back.panned(1, NOW_S).end_s == view.end_s
    assert following(earlier, NOW_S).end_s == view.end_s


def test_a_view_of_two_moments_has_both_in_it() -> None:
    view = view_of(NOW_S - 7200, NOW_S, NOW_S)
    assert view.start_s < NOW_S - 7200
    assert view.end_s > NOW_S
    assert view_of(NOW_S, NOW_S, NOW_S).span_s == 3600


@pytest.mark.parametrize("days", [0.05, 0.5, 1, 7, 30, 90, 365, 4000])
@pytest.mark.parametrize("columns", [60, 110, 190])
def test_ticks_are_round_times_in_utc_that_fit(days: float, columns: int) -> None:
    ticks = time_ticks(NOW_S - days * DAY_S, NOW_S, columns)
    assert 1 <= len(ticks) <= columns // 10
    for tick in ticks:
        moment = datetime.fromtimestamp(NOW_S - days * DAY_S + (tick.at + 0.5) * days * DAY_S / columns, UTC)
        wanted = {5: ("%H:%M", "%m-%d"), 7: ("%Y-%m",)}[len(tick.label)]
        # to the cell: a tick stands in the one that its moment is in
        slack = days * DAY_S / columns
        near = {datetime.fromtimestamp(moment.timestamp() + off, UTC).strftime(form)
                for form in wanted for off in np.linspace(-slack, slack, 400).tolist()}  # fmt: skip
        assert tick.label in near


@pytest.mark.parametrize(("low", "high"), [(93_000, 97_000), (95_000, 95_000), (0.06, 0.09), (999_000, 1_200_000)])
def test_price_ticks_are_round_and_of_a_width(low: float, high: float) -> None:
    bounds = price_range(low, high)
    assert bounds[0] < low <= high < bounds[1]
    for rows in (5, 12, 30):
        ticks = price_ticks(bounds, rows)
        assert len(ticks) >= 2
        assert all(tick.label.startswith("$") and len(tick.label) <= 8 for tick in ticks)
        assert len({tick.label for tick in ticks}) == len(ticks)


def test_price_labels() -> None:
    assert [price_label(95_000, 1000), price_label(1_250_000, 1e4), price_label(0.065, 0.005)] == [
        "$95,000",
        "$1,250k",
        "$0.065",
    ]


def test_braille_dots_stand_where_the_values_are() -> None:
    # one cell has 2 by 4 dots; these values are in its lowest and in its highest row of dots
    canvas = Canvas(Room(2, 1), (0, 2), (0, 4))
    low, high = np.array([0.5, 3.5, np.nan, 0.0]), np.array([0.5, 3.5, np.nan, 4.0])
    canvas.dots(Envelope(low, high), "success")
    assert canvas.glyphs.tolist() == [["⡈", "⢸"]]


def test_what_is_outside_is_left_out() -> None:
    canvas = Canvas(Room(3, 2), (0, 3), (0, 2))
    canvas.mark(np.array([-1.0, 1.0, 1.0, 9.0, np.nan]), np.array([1.0, 1.5, 7.0, 1.0, 1.0]), "x", "error")
    canvas.fill(Envelope(np.array([5.0, np.nan, -3.0]), np.array([6.0, np.nan, 0.5])), "o", "error")
    assert canvas.glyphs.tolist() == [[" ", " ", "o"], [" ", "x", " "]]


def test_two_lines_in_the_same_cells_take_turns() -> None:
    canvas = Canvas(Room(8, 1), (0, 8), (0, 1))
    flat = Envelope(np.full(16, 0.5), np.full(16, 0.5))
    canvas.dots(flat, "success")
    canvas.dots(flat, "error", shared_with="success")
    assert canvas.colours == [["success", "success", "error", "error"] * 2]
