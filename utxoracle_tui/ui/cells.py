"""A chart as the characters in its cells: made with numpy, so that the adapter has one mark a cell to place."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum

import numpy as np
from numpy.typing import NDArray

from utxoracle_tui.engine.chart.reduction import Envelope
from utxoracle_tui.ui.pictures import Colour, Tick

EMPTY = " "
_BRAILLE = 0x2800
_DOTS = np.array([[0x01, 0x08], [0x02, 0x10], [0x04, 0x20], [0x40, 0x80]])
"""The bit of each dot of a braille character, from the top (Unicode, chapter 21.1)."""
DOTS_A_COLUMN, DOTS_A_ROW = 2, 4
_TURN_COLUMNS = 2
"""How many cells in a row belong to the same of two lines that lie in the same cells."""

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Flags = NDArray[np.bool_]


class Axis(Enum):
    """What stands under the canvas; the value is how many rows it takes."""

    NONE = 0
    LINE = 1
    LABELLED = 2


@dataclass(frozen=True, slots=True, eq=False)
class CellPicture:
    """A whole chart. Ticks stand at columns and rows of the canvas; row 0 is the lowest."""

    glyphs: NDArray[np.str_]
    """(rows, columns), one character each."""
    colours: Sequence[Sequence[Colour | None]]
    x_ticks: Sequence[Tick]
    y_ticks: Sequence[Tick]
    label_columns: int
    """How wide the labels of the vertical axis are, whatever is in them."""
    x_axis: Axis
    ascii: bool = False


@dataclass(frozen=True, slots=True)
class Room:
    """How many cells there are for the canvas of a picture."""

    columns: int
    rows: int


def room_in(columns: int, rows: int, label_columns: int, x_axis: Axis) -> Room:
    """What is left for the canvas of so many cells, beside labels and axes."""
    return Room(columns - label_columns - 1, rows - x_axis.value)


class Canvas:
    """Cells to draw on; what is drawn later covers what was there."""

    def __init__(self, room: Room, x_range: tuple[float, float], y_range: tuple[float, float]) -> None:
        self.columns, self.rows = room.columns, room.rows
        self._x_range, self._y_range = x_range, y_range
        self.glyphs = np.full((self.rows, self.columns), EMPTY)
        self.colours: list[list[Colour | None]] = [[None] * self.columns for _ in range(self.rows)]

    def column_of(self, x: Floats | float) -> Ints:
        """The columns of places on the horizontal axis; outside it they are below 0 or too large."""
        return self._cells(x, self._x_range, self.columns)

    def row_of(self, y: Floats | float) -> Ints:
        """The rows of places on the vertical axis."""
        return self._cells(y, self._y_range, self.rows)

    def put(
        self,
        columns: Ints,
        rows: Ints,
        glyph: str,
        colour: Colour,
        *,
        shared_with: Colour | None = None,
        but_for: Flags | None = None,
    ) -> None:
        """The same mark in cells; what lies outside is left out, and what is in the cells `but_for`.

        For `shared_with` see `dots`.
        """
        inside = (columns >= 0) & (columns < self.columns) & (rows >= 0) & (rows < self.rows)
        if but_for is not None:
            inside[inside] = ~but_for[rows[inside], columns[inside]]
        for column, row in zip(columns[inside].tolist(), rows[inside].tolist(), strict=True):
            if self._is_left(row, column, shared_with):
                self.glyphs[row, column] = glyph
                self.colours[row][column] = colour

    def mark(self, x: Floats, y: Floats, glyph: str, colour: Colour, but_for: Flags | None = None) -> None:
        """The same mark at places, but for those in the cells `but_for`."""
        known = ~(np.isnan(x) | np.isnan(y))
        self.put(self.column_of(x[known]), self.row_of(y[known]), glyph, colour, but_for=but_for)

    def cells_at(self, x: Floats, y: Floats) -> Flags:
        """The cells that places are in, (rows, columns)."""
        known = ~(np.isnan(x) | np.isnan(y))
        columns, rows = self.column_of(x[known]), self.row_of(y[known])
        inside = (columns >= 0) & (columns < self.columns) & (rows >= 0) & (rows < self.rows)
        found = np.zeros((self.rows, self.columns), np.bool_)
        found[rows[inside], columns[inside]] = True
        return found

    def across(self, y: float, glyph: str, colour: Colour) -> None:
        """A line from the left to the right."""
        columns = np.arange(self.columns)
        self.put(columns, np.broadcast_to(self.row_of(y), columns.shape), glyph, colour)

    def down(self, x: float, glyph: str, colour: Colour) -> None:
        """A line from the top to the bottom."""
        rows = np.arange(self.rows)
        self.put(np.broadcast_to(self.column_of(x), rows.shape), rows, glyph, colour)

    def fill(self, area: Envelope, glyph: str, colour: Colour, shared_with: Colour | None = None) -> None:
        """The cells between the low and the high end of each column, which `area` has one of."""
        rows, columns = np.nonzero(self._between(area, 1))
        self.put(columns, rows, glyph, colour, shared_with=shared_with)

    def dots(self, line: Envelope, colour: Colour, shared_with: Colour | None = None) -> None:
        """A line of braille dots; `line` is of `DOTS_A_COLUMN` for each column.

        A cell has one colour. Where the line in the colour `shared_with` is in the same cells, the two take turns, so
        that both are seen where they are one.
        """
        dots = self._between(line, DOTS_A_ROW)[::-1]
        cells = dots.reshape(self.rows, DOTS_A_ROW, self.columns, DOTS_A_COLUMN)
        bits = np.einsum("rdcs,ds->rc", cells, _DOTS)[::-1]
        for row, column in zip(*(found.tolist() for found in np.nonzero(bits)), strict=True):
            if self._is_left(row, column, shared_with):
                self.glyphs[row, column] = chr(_BRAILLE + int(bits[row, column]))
                self.colours[row][column] = colour

    def _is_left(self, row: int, column: int, shared_with: Colour | None) -> bool:
        """Whether a cell is left to the line that is drawn second."""
        is_taken = shared_with is not None and self.colours[row][column] == shared_with
        return not is_taken or column // _TURN_COLUMNS % 2 == 1

    def _between(self, area: Envelope, steps: int) -> Flags:
        """Which of the steps of each row lie in the area, (rows * steps, n), from the bottom."""
        low, high = self._y_range
        seen = (area.high >= low) & (area.low <= high)
        first = self._cells(np.where(seen, np.maximum(area.low, low), low), self._y_range, self.rows * steps)
        last = self._cells(np.where(seen, np.minimum(area.high, high), low), self._y_range, self.rows * steps)
        at = np.arange(self.rows * steps)[:, np.newaxis]
        return (at >= first) & (at <= last) & seen

    @staticmethod
    def _cells(value: Floats | float, bounds: tuple[float, float], cells: int) -> Ints:
        share = (np.asarray(value, np.float64) - bounds[0]) / (bounds[1] - bounds[0])
        # the upper end belongs to the last cell
        return np.where(share == 1, cells - 1, np.floor(share * cells)).astype(np.int64)
