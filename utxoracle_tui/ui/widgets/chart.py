"""The one adapter between pictures and plotext.

plotext is slow on many points, hangs on none, and works out ticks in local time; so points are clipped to the picture
and thinned to what the cells can show before it sees them, ticks are always given, and drawing goes on in a thread.
"""

from __future__ import annotations

import asyncio
import logging
import math
import threading
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

import numpy as np
from numpy.typing import NDArray
from plotext._utility import colors_to_ansi
from rich.cells import cell_len
from rich.segment import Segment
from rich.style import Style
from rich.text import Span, Text
from textual import work
from textual.strip import Strip
from textual.visual import VisualType
from textual_plotext import PlotextPlot
from textual_plotext.plot import Plot

from utxoracle_tui.ui.cells import EMPTY, Axis, CellPicture
from utxoracle_tui.ui.inks import Inks, inks_of, style_of
from utxoracle_tui.ui.pictures import Colour, Mark, Picture, Series, Tick
from utxoracle_tui.ui.widgets.changed_cells import cells_of_strip, changed_regions

log = logging.getLogger(__name__)

_PLOTEXT = threading.Lock()
"""plotext keeps state that all its figures share."""

_DOTS_A_COLUMN, _DOTS_A_ROW = 2, 4  # of a braille character
_TICK = "┬"
_ROWS_BESIDE_PLOT = 3
"""The frame above and below a picture, and the labels under it."""
_LEAST_COLUMNS, _LEAST_ROWS = 20, _ROWS_BESIDE_PLOT + 3
"""In three rows the ends of an axis and its middle have one each."""
_ASCII = str.maketrans("│─┤├┼┬┴└┘┌┐━", "|-+++++++++=")

Fitted = Callable[[int, int], CellPicture | None]
"""Makes a picture for so many columns and rows, in a thread."""


@dataclass(frozen=True, slots=True)
class _Look:
    """Everything that a drawing depends on besides the picture."""

    columns: int
    rows: int
    inks: Inks


class Chart(PlotextPlot):
    """Shows a picture, redrawn off the event loop whenever picture, size or theme change."""

    DEFAULT_CSS = """
    Chart { width: 1fr; height: 1fr; }
    """

    def __init__(self, empty_text: str, *, least_rows: int = _LEAST_ROWS, id: str | None = None) -> None:
        super().__init__(id=id)
        self._least_rows = least_rows
        self._picture: Picture | Fitted | None = None
        self._is_known = False
        self._empty_text = empty_text
        self._drawn = Text("")
        self._strips: list[Strip] | None = None
        """What is drawn, ready for the screen; None for a sentence."""

    @property
    def drawn(self) -> Text:
        """As it stands on the screen."""
        return self._drawn

    def on_mount(self) -> None:
        """Follow changes of the theme."""
        super().on_mount()
        self.app.theme_changed_signal.subscribe(self, lambda _: self._redraw())

    def show(self, picture: Picture | None, empty_text: str | None = None) -> None:
        """Show another picture; None shows the text for an empty chart, which may be another one from now on."""
        self._empty_text = self._empty_text if empty_text is None else empty_text
        self._show(picture)

    def show_fitted(self, make: Fitted, empty_text: str) -> None:
        """Show what is made for the size that the chart has, now and whenever that changes.

        Where it makes None, the text is shown.
        """
        self._empty_text = empty_text
        self._show(make)

    def _show(self, picture: Picture | Fitted | None) -> None:
        self._picture = picture
        self._is_known = True
        self._redraw()

    def on_resize(self) -> None:
        """Draw at the new size."""
        self._redraw()

    def render(self) -> VisualType:
        """The last drawing that was finished, or a sentence in its place."""
        return self._drawn

    def render_line(self, y: int) -> Strip:
        """A line of it. Thousands of coloured spans would keep the loop for a tenth of a second if Textual laid them
        out, as it does for text that may have to be wrapped.
        """
        if self._strips is None:
            return super().render_line(y)
        base, width = self.rich_style, self.size.width
        if y >= len(self._strips):
            return Strip.blank(width, base)
        return self._strips[y].adjust_cell_length(width).apply_style(base)

    @work(exclusive=True, exit_on_error=False)
    async def _redraw(self) -> None:
        if not self.size:
            # it wasn't laid out yet, or has no place in this layout
            return
        picture = self._picture
        strips: list[Strip] | None = None
        if picture is None:
            drawn = self._empty()
        elif self.size.width < _LEAST_COLUMNS or self.size.height < self._least_rows:
            drawn = Text("There is no room to draw; make the terminal larger.", "dim")
        else:
            try:
                made = await asyncio.to_thread(_drawing, picture, self._look())
                drawn, strips = made if made is not None else (self._empty(), None)
            except Exception as error:
                log.exception("a chart could not be drawn")
                drawn = Text(f"The chart could not be drawn: {type(error).__name__}. This is a fault of the program.")
        if drawn != self._drawn:
            before, self._drawn, self._strips = self._strips, drawn, strips
            if before is None or strips is None or len(before) != len(strips):
                self.refresh()
            else:
                pairs = [(cells_of_strip(old), cells_of_strip(new)) for old, new in zip(before, strips, strict=True)]
                if changed := list(changed_regions(pairs, self.size.width)):
                    self.refresh(*changed)

    def _empty(self) -> Text:
        return Text(self._empty_text if self._is_known else "", "dim")

    def _look(self) -> _Look:
        return _Look(self.size.width, self.size.height, inks_of(self.app.theme_variables))


def _drawing(picture: Picture | Fitted, look: _Look) -> tuple[Text, list[Strip]] | None:
    lines = _draw(picture, look)
    return None if lines is None else (Text("\n").join(lines), [_strip_of(line) for line in lines])


def _draw(picture: Picture | Fitted, look: _Look) -> list[Text] | None:
    if isinstance(picture, Picture):
        with _PLOTEXT:
            return _draw_alone(picture, look)
    made = picture(look.columns, look.rows)
    if made is None:
        return None
    with _PLOTEXT:
        return _draw_cells(made, look)


def _draw_cells(picture: CellPicture, look: _Look) -> list[Text]:
    """One mark a cell, with axes at the left and below."""
    rows, columns = picture.glyphs.shape
    # plotext wants a row for labels of its own
    plot = _new_plot(look, rows_more=0 if picture.x_axis is Axis.LABELLED else 1)
    plot.xlim(0, columns - 1)
    plot.ylim(0, rows - 1)
    plot.xaxes(picture.x_axis is not Axis.NONE, False)
    plot.yaxes(True, False)
    # a mark that nobody sees: plotext must not be given an empty chart
    plot.scatter([0], [0], marker=EMPTY, color=look.inks.of["foreground"].colour)
    for colour, cells in _by_colour(picture).items():
        rows_of, columns_of, marks = zip(*cells, strict=True)
        ink = look.inks.of[colour]
        # it takes a mark a point as well
        plot.scatter(columns_of, rows_of, marker=list(marks), color=ink.colour, style=ink.style)  # type: ignore[arg-type]
    width = picture.label_columns
    y_labels = [tick.label[:width].rjust(width) for tick in picture.y_ticks]
    plot.xticks([tick.at for tick in picture.x_ticks], [""] * len(picture.x_ticks))
    plot.yticks([tick.at for tick in picture.y_ticks], y_labels)
    built = _lines_of(plot)
    if picture.ascii:
        built = [Text(line.plain.translate(_ASCII), spans=line.spans) for line in built]
    lines = list(built[: rows + (1 if picture.x_axis is not Axis.NONE else 0)])
    if picture.x_axis is Axis.LABELLED:
        places = [width + 1 + int(tick.at) for tick in picture.x_ticks]
        labels = _label_row(look.columns, places, [tick.label for tick in picture.x_ticks])
        lines.append(Text(labels, look.inks.of["foreground"].rich_style))
    return lines


def _strip_of(line: Text) -> Strip:
    """A line for the screen; its spans follow each other."""
    base = line.style if isinstance(line.style, Style) else Style.null()
    plain, at = line.plain, 0
    segments: list[Segment] = []

    def add(text: str, style: Style) -> None:
        if segments and text.isspace() and _same_but_for_colour(style, before := segments[-1].style or base):
            # no colour is seen on blanks, and to change it takes more bytes than most of them
            text, style = segments.pop().text + text, before
        segments.append(Segment(text, style))

    for start, end, style in line.spans:
        if start > at:
            add(plain[at:start], base)
        add(plain[start:end], base + style if isinstance(style, Style) else base)
        at = end
    if at < len(plain):
        add(plain[at:], base)
    return Strip(segments, cell_len(plain))


def _same_but_for_colour(style: Style, other: Style) -> bool:
    """Whether blanks look the same in both."""
    shows = ("reverse", "underline", "underline2", "overline", "strike")
    return style.bgcolor == other.bgcolor and not any(getattr(style, name) or getattr(other, name) for name in shows)


def _lines_of(plot: Plot) -> list[Text]:
    """The lines of a plot, from the cells that plotext lays it out in; the plot is of no use after that.

    What it prints, a text of escape sequences, would take it three times as long to make and us to read again.
    """
    figure: Any = plot
    figure._set_sizes()
    figure._build_matrix()
    cells = figure.monitor.matrix
    # it refers to itself, so that its hundred kilobytes would stay until Python looks for such rings
    vars(figure).clear()
    lines = []
    for marks, *colours in zip(cells.marker, cells.fullground, cells.style, cells.background, strict=True):
        spans: list[Span] = []
        start = 0
        for codes, run in groupby(zip(*colours, strict=True)):
            end = start + sum(1 for _ in run)
            style = style_of(colors_to_ansi(*codes))
            if style is not None:
                spans.append(Span(start, end, style))
            start = end
        lines.append(Text("".join(marks), spans=spans))
    return lines[::-1]


def _by_colour(picture: CellPicture) -> dict[Colour, list[tuple[int, int, str]]]:
    """Row, column and mark of each cell that has one."""
    found: dict[Colour, list[tuple[int, int, str]]] = defaultdict(list)
    for row, column in zip(*(cells.tolist() for cells in np.nonzero(picture.glyphs != EMPTY)), strict=True):
        found[picture.colours[row][column] or "foreground"].append((row, column, str(picture.glyphs[row, column])))
    return found


def _new_plot(look: _Look, rows_more: int = 0) -> Plot:
    plot = Plot()
    plot.clear_figure()
    plot.plotsize(look.columns, look.rows + rows_more)
    plot._set_size(look.columns, look.rows + rows_more)
    plot.canvas_color(look.inks.canvas)
    plot.axes_color(look.inks.canvas)
    plot.ticks_color(look.inks.of["foreground"].colour)
    return plot


def _draw_alone(picture: Picture, look: _Look) -> list[Text]:
    plot = _new_plot(look)
    plot.xlim(*picture.x_range)
    plot.ylim(*picture.y_range)
    for series in picture.series:
        if series.mark is not Mark.STEPS:
            _add(plot, series, picture, look)
    if picture.level is not None:
        # as a series, for plotext draws its own lines below all points
        plot.plot(picture.x_range, (picture.level, picture.level), marker="━", color=look.inks.of["foreground"].colour)
    for series in picture.series:
        if series.mark is Mark.STEPS:
            # under the level, those near it would be missing, and the others seem to be all there are
            _add(plot, series, picture, look)
    # plotext keeps the row below the axis free for labels; it would place them in an order that changes from one
    # process to the next, and leave out those that no longer fit
    plot.xticks([tick.at for tick in picture.x_ticks], [""] * len(picture.x_ticks))
    y_ticks = _with_rows_of_their_own(picture.y_ticks, picture.y_range, look.rows - _ROWS_BESIDE_PLOT)
    plot.yticks([tick.at for tick in y_ticks], [tick.label for tick in y_ticks])
    lines = _lines_of(plot)
    while not lines[-1].plain.strip():
        lines.pop()
    axis = lines[-1].plain
    places = [column for column, mark in enumerate(axis) if mark == _TICK]
    labels = _label_row(len(axis), places, [tick.label for tick in picture.x_ticks])
    return [*lines, Text(labels, look.inks.of["foreground"].rich_style)]


def _with_rows_of_their_own(ticks: Sequence[Tick], bounds: tuple[float, float], rows: int) -> Sequence[Tick]:
    """Every second of the ticks, and of those, until no two share a row: plotext would write one label over the other,
    and the row of the one would seem to be that of the other.
    """
    steps_a_unit = (rows - 1) / (bounds[1] - bounds[0])
    while len({math.floor((tick.at - bounds[0]) * steps_a_unit + 0.5) for tick in ticks}) < len(ticks):
        ticks = ticks[::2]
    return ticks


def _label_row(columns: int, places: Sequence[int], labels: Sequence[str]) -> str:
    """Labels centred under the ticks of an axis, the outer ones first; what would touch another is left out."""
    row = [" "] * columns
    pairs = list(zip(places, labels, strict=False))
    for place, label in [*pairs[:1], *pairs[:0:-1]]:
        start = max(0, min(place - len(label) // 2, columns - len(label)))
        room = row[max(start - 1, 0) : start + len(label) + 1]
        if all(cell == " " for cell in room):
            row[start : start + len(label)] = label
    return "".join(row)


def _add(plot: Plot, series: Series, picture: Picture, look: _Look) -> None:
    ink = look.inks.of[series.colour]
    inside = _inside(series.x, picture.x_range) & _inside(series.y, picture.y_range)
    x, y = series.x[inside], series.y[inside]
    if len(x) == 0:
        return
    if series.mark is Mark.BARS:
        x, y = _tallest_a_column(x, y, picture.x_range, look.columns)
        plot.bar(x.tolist(), y.tolist(), width=0.9, color=ink.colour, marker="hd", minimum=picture.y_range[0])
        return
    if series.mark is Mark.DOTS:
        x, y = _one_a_dot(x, y, picture, look)
    plot.scatter(x.tolist(), y.tolist(), marker=series.mark.value, color=ink.colour)


def _inside(values: NDArray[np.float64], bounds: tuple[float, float]) -> NDArray[np.bool_]:
    return (values >= bounds[0]) & (values <= bounds[1])


def _cell(values: NDArray[np.float64], bounds: tuple[float, float], cells: int) -> NDArray[np.int64]:
    share = (values - bounds[0]) / (bounds[1] - bounds[0])
    return np.minimum((share * cells).astype(np.int64), cells - 1)


def _one_a_dot(
    x: NDArray[np.float64], y: NDArray[np.float64], picture: Picture, look: _Look
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """One point for each dot that the terminal can show."""
    rows = look.rows * _DOTS_A_ROW
    across = _cell(x, picture.x_range, look.columns * _DOTS_A_COLUMN)
    _, first = np.unique(across * rows + _cell(y, picture.y_range, rows), return_index=True)
    return x[first], y[first]


def _tallest_a_column(
    x: NDArray[np.float64], y: NDArray[np.float64], bounds: tuple[float, float], columns: int
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """The tallest bar of each half column."""
    column = _cell(x, bounds, columns)
    order = np.lexsort((-y, column))
    _, first = np.unique(column[order], return_index=True)
    best = order[first]
    return x[best], y[best]
