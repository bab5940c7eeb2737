"""The figures behind the chart as a table, with what is large in words."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import ClassVar, overload

import numpy as np
from rich.text import Text
from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.widgets import Input, Static

from utxoracle_tui import formats
from utxoracle_tui.engine.chart.series import Rows, Source, State
from utxoracle_tui.engine.chart.sorting import Order, SortKey, matching, ordered
from utxoracle_tui.store.exporting import Row as ExportedRow
from utxoracle_tui.store.statistics import BASES, Basis
from utxoracle_tui.ui.guard import guarded
from utxoracle_tui.ui.key_names import key_name, key_of
from utxoracle_tui.ui.price_words import divergence
from utxoracle_tui.ui.remembered import Arranged, remembered
from utxoracle_tui.ui.store_words import READING
from utxoracle_tui.ui.widgets.rows_view import Column, RowsView

_NONE = Text("–", "dim")
_STATE_MARKS: dict[State, tuple[str, str]] = {
    State.VALID: ("■", "green"),
    State.LOW_CONFIDENCE: ("▽", "yellow"),
    State.NOT_VALID: ("▨", "bold yellow"),
    State.IMPORTED: ("◇", "cyan"),
    State.ORPHANED: ("x", "yellow"),
    State.UNKNOWN: ("?", "yellow"),
    State.GAP: ("▁", "yellow"),
}
_WEAK = ("○", "yellow")
_STATE_WORDS = {State.LOW_CONFIDENCE: "low conf", State.GAP: "no price"}
_SOURCE_MARKS = {Source.PUBLIC: " P", Source.DAILY: " d", Source.IMPORTED: " i"}
_OTHER_FROM_COLUMNS = (112, 130)
"""From these widths on the table has the divergences of the two other bases."""
_STATE_WORD_FROM_COLUMNS = 78
"""Where there is less room the state is its mark alone."""


@dataclass(frozen=True, slots=True)
class Row:
    """One row; NaN where there is no value."""

    number: int
    """Its place in the rows, as they were read."""
    time_s: float
    height: float
    block_usd: float
    window_usd: float
    pct: dict[Basis, float]
    exchange_usd: float
    """What the price on the basis of the table is compared with; it is that price's confidence and state as well."""
    confidence: float
    state: State
    source: Source

    @property
    def key(self) -> str:
        """What makes it the same row when others come."""
        return f"{self.time_s!r}.{self.height!r}"


class _Chosen(Sequence[Row]):
    """Rows in an order, each made when it is looked at: a year has more of them than can be made at once."""

    def __init__(self, rows: Rows, order: Order, basis: Basis) -> None:
        self._rows = rows
        self._side = rows.sides[basis]
        self._order = order

    def __len__(self) -> int:
        return len(self._order)

    @overload
    def __getitem__(self, place: int) -> Row: ...
    @overload
    def __getitem__(self, place: slice) -> list[Row]: ...
    def __getitem__(self, place: int | slice) -> Row | list[Row]:
        if isinstance(place, slice):
            return [self._row(int(n)) for n in self._order[place]]
        return self._row(int(self._order[place]))

    def __iter__(self) -> Iterator[Row]:
        return (self._row(int(n)) for n in self._order)

    def place_of(self, row: Row) -> int | None:
        """Where a row, of these rows or of earlier ones, stands now."""
        same = (self._rows.time_s[self._order] == row.time_s) & (
            (self._rows.height[self._order] == row.height) | np.isnan(row.height)
        )
        found = np.flatnonzero(same)
        return int(found[0]) if len(found) else None

    def _row(self, n: int) -> Row:
        rows, side = self._rows, self._side
        return Row(
            number=n,
            time_s=float(rows.time_s[n]),
            height=float(rows.height[n]),
            block_usd=float(rows.block_usd[n]),
            window_usd=float(rows.window_usd[n]),
            pct={basis: float(each.divergence_pct[n]) for basis, each in rows.sides.items()},
            exchange_usd=float(side.exchange_usd[n]),
            confidence=float(side.confidence[n]),
            state=State(int(side.state[n])),
            source=Source(int(side.source[n])),
        )


class DivergenceRows(RowsView[Row]):
    """The rows themselves. There is nothing to mark or to open here."""

    def show_chosen(self, rows: _Chosen, columns: Sequence[Column[Row]]) -> None:
        """Show other rows; unless it is on the first row, the cursor stays on the one it is on."""
        current = self.row if self._cursor else None
        place = rows.place_of(current) if current is not None else None
        self._columns = columns
        # the search of the table itself makes every row
        self._cursor = 0
        self.show(rows)
        self._go_to(place or 0)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Rows can't be marked or opened."""
        return action not in {"open", "mark", "mark_range"} and super().check_action(action, parameters)


class DivergenceTable(Vertical):
    """Sorts, filters, and says what is shown of how many."""

    DEFAULT_CSS = """
    DivergenceTable { height: 1fr; }
    DivergenceTable > #rows-where { height: 1; color: $text-muted; padding: 0 1; }
    DivergenceTable > Input, DivergenceTable > Input:focus { height: 1; border: none; padding: 0 1; }
    DivergenceTable > Input { display: none; }
    DivergenceTable > Input.-asking { display: block; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("s", "sort", "Sort", id="divergence.sort"),
        Binding("S", "reverse", "Reverse", id="divergence.reverse", show=False),
        Binding("slash", "filter", "Filter", key_display="/", id="divergence.filter"),
        Binding("escape", "no_filter", "No filter", id="divergence.no_filter", show=False),
    ]

    def __init__(self, *, basis: Basis = "block", id: str | None = None) -> None:
        super().__init__(id=id)
        self._rows: Rows | None = None
        self._basis: Basis = basis
        self._sort = SortKey.TIME
        self._downwards = True
        self._filter = ""

    def compose(self) -> ComposeResult:
        """What is shown, the rows, and the line to type a filter in."""
        yield Static(id="rows-where", markup=False)
        yield DivergenceRows(_columns(self._basis), lambda row: row.key, empty=READING)
        keys = f"{key_name(self, 'enter')}, {key_of(self, 'divergence.no_filter')}"
        yield Input(placeholder=f"2025-01-05, a height, high, low, alert, public, >0.5 or <-2 (in %)   {keys}")

    def on_mount(self) -> None:
        """Begin as it was arranged last."""
        before = remembered(self)
        self._sort, self._downwards, self._filter = before.rows_by, before.rows_downwards, before.rows_filter

    def show(self, rows: Rows, basis: Basis) -> None:
        """Show the rows of another span, or another basis first."""
        if self._rows is not None and basis == self._basis and self._rows.same_as(rows):
            # those that were there stay: they may just be being drawn
            return
        self._rows, self._basis = rows, basis
        self._draw()

    def show_nothing(self, sentence: str) -> None:
        """Show no rows, and why there are none."""
        self._rows = None
        table = self.query_one(DivergenceRows)
        table.say_when_empty(sentence)
        table.show(())
        self.query_one("#rows-where", Static).update("")

    def shown(self) -> Callable[[], list[ExportedRow]] | None:
        """What makes the rows that are shown, for a file; None without any."""
        rows = self.query_one(DivergenceRows).rows
        return (lambda: [_exported(row) for row in rows]) if len(rows) else None

    @on(RowsView.Moved)
    def _moved(self) -> None:
        self._say_where()

    @work(exclusive=True, exit_on_error=False)
    @guarded
    async def _draw(self) -> None:
        rows, basis, sort, downwards, words = self._rows, self._basis, self._sort, self._downwards, self._filter
        if rows is None:
            return

        def chosen() -> Order:
            order = ordered(rows, sort, basis, downwards=downwards)
            return order[matching(rows, words, basis)[order]] if words else order

        # a year of rows takes long enough to be felt
        order = await asyncio.to_thread(chosen)
        if rows is not self._rows:
            return
        self.query_one(DivergenceRows).say_when_empty(self._sentence(len(rows)))
        self.query_one(DivergenceRows).show_chosen(_Chosen(rows, order, basis), _columns(basis))
        self._say_where()

    def _sentence(self, total: int) -> str:
        """Why there are no rows, where there are none of so many."""
        if not total or not self._filter:
            return "No figure in this span."
        return f"No row matches /{self._filter}. {key_of(self, 'divergence.no_filter')} shows all of them again."

    def _say_where(self) -> None:
        place, total = self.query_one(DivergenceRows).position
        ends = ("newest", "oldest") if self._sort is SortKey.TIME else ("greatest", "least")
        words = [f"{place:,} of {total:,}", f"by {self._sort}, {ends[0 if self._downwards else 1]} first"]
        if self._filter and self._rows is not None:
            words.append(
                f"/{self._filter}: {total:,} of {len(self._rows):,} ({key_of(self, 'divergence.no_filter')}: all)"
            )
        self.query_one("#rows-where", Static).update(Text(" · ".join(words), no_wrap=True, overflow="ellipsis"))

    def action_sort(self) -> None:
        """Sort by the next column."""
        keys = list(SortKey)
        self._sort = keys[(keys.index(self._sort) + 1) % len(keys)]
        self._downwards = True
        self._arranged()

    def action_reverse(self) -> None:
        """Turn the order round."""
        self._downwards = not self._downwards
        self._arranged()

    def _arranged(self) -> None:
        self.post_message(Arranged(rows_by=self._sort, rows_downwards=self._downwards, rows_filter=self._filter))
        self._draw()

    def action_filter(self) -> None:
        """Ask for words that the rows must have in them."""
        asked = self.query_one(Input)
        asked.value = self._filter
        asked.add_class("-asking")
        asked.focus()

    @on(Input.Submitted)
    def _filtered(self, event: Input.Submitted) -> None:
        event.stop()
        self._set_filter(event.value.strip())

    def action_no_filter(self) -> None:
        """Show all rows again."""
        self._set_filter("")

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Escape is the screen's where there is no filter."""
        return action != "no_filter" or bool(self._filter) or self.query_one(Input).has_class("-asking")

    def _set_filter(self, words: str) -> None:
        self._filter = words
        self.query_one(Input).remove_class("-asking")
        self.query_one(DivergenceRows).focus()
        self._arranged()


def _exported(row: Row) -> ExportedRow:
    return {
        "time": formats.utc_iso(row.time_s),
        "height": None if np.isnan(row.height) else int(row.height),
        "block_usd": _or_none(row.block_usd),
        "window_usd": _or_none(row.window_usd),
        "exchange_usd": _or_none(row.exchange_usd),
        "exchange_source": None if row.source is Source.NONE else row.source.word,
        **{f"divergence_{basis}_pct": _or_none(row.pct[basis]) for basis in BASES},
        "confidence": _or_none(row.confidence),
        "state": row.state.word,
    }


def _or_none(value: float) -> float | None:
    return None if np.isnan(value) else value


def _columns(basis: Basis) -> list[Column[Row]]:
    """The columns, with the divergence of the basis and the price that it compares first."""
    prices: list[Column[Row]] = [
        Column("block", 10, lambda row: _usd(row.block_usd), "right", 0 if basis == "block" else 100),
        Column("window", 10, lambda row: _usd(row.window_usd), "right", 100 if basis == "block" else 0),
    ]
    others = [other for other in BASES if other != basis]
    return [
        Column("time (UTC)", 16, lambda row: formats.utc_minute(row.time_s)),
        Column("height", 7, lambda row: _NONE if np.isnan(row.height) else f"{row.height:.0f}", "right"),
        *prices,
        Column("exchange", 10, _exchange, "right"),
        _divergence_column(basis, 0),
        Column("", 1, _state_mark, below_width=_STATE_WORD_FROM_COLUMNS),
        Column("state", 11, _state, least_width=_STATE_WORD_FROM_COLUMNS),
        Column("conf", 4, lambda row: _NONE if np.isnan(row.confidence) else f"{row.confidence:.2f}", "right", 92),
        *(_divergence_column(other, width) for other, width in zip(others, _OTHER_FROM_COLUMNS, strict=True)),
    ]


def _divergence_column(basis: Basis, least_width: int) -> Column[Row]:
    return Column(f"{basis} %", 17, lambda row: divergence(row.pct[basis]), "right", least_width)


def _usd(value: float) -> str | Text:
    return _NONE if np.isnan(value) else formats.whole_usd(value)


def _exchange(row: Row) -> str | Text:
    return (
        _NONE if np.isnan(row.exchange_usd) else formats.whole_usd(row.exchange_usd) + _SOURCE_MARKS.get(row.source, "")
    )


def _is_weak(row: Row) -> bool:
    """Whether it is of a block alone, whose price is weak, as the chart has it."""
    return row.state is State.LOW_CONFIDENCE and bool(np.isnan(row.window_usd))


def _state_mark(row: Row) -> Text:
    return Text(*(_WEAK if _is_weak(row) else _STATE_MARKS[row.state]))


def _state(row: Row) -> Text:
    words = "weak" if _is_weak(row) else _STATE_WORDS.get(row.state, row.state.word)
    mark = _state_mark(row)
    return mark.append(f" {words}")
