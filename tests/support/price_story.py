"""Stores with prices that are known by a formula, and the screen that shows them: for tests and pictures alone."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from textual import on, work
from textual.app import ComposeResult

from tests.support.records import observation, reading
from utxoracle_tui.engine.chart.history import PriceHistory, PriceRange
from utxoracle_tui.store.records import BlockPrice, ExchangeDay, Observation, Window
from utxoracle_tui.store.statistics import Basis
from utxoracle_tui.store.store import Store
from utxoracle_tui.ui.app import Console
from utxoracle_tui.ui.widgets.divergence_cards import DivergenceCards
from utxoracle_tui.ui.widgets.divergence_table import DivergenceTable
from utxoracle_tui.ui.widgets.price_chart import PriceChart

DAY_S = 86_400.0
NOW_S = 1_736_294_400.0
"""2025-01-08 00:00 UTC."""
FIRST_HEIGHT = 878_000
BLOCK_S = 600.0


def exchange_usd(time_s: float) -> float:
    """The exchange price of a moment: up and down by 2 % within a day and a half."""
    return 95_000 * (1 + 0.02 * math.sin((NOW_S - time_s) / (0.25 * DAY_S)))


def block_price(number: int, time_s: float, off_pct: float = 0.0, **changes: object) -> BlockPrice:
    """The price at a block, so far off the exchange's, and a little to and fro besides."""
    exchange = exchange_usd(time_s)
    price = exchange * (1 + off_pct / 100 + 0.0012 * math.sin(number * 1.7))
    fields: dict[str, object] = {
        "time_s": time_s,
        "last_height": FIRST_HEIGHT + number,
        "last_hash": f"{number:064x}",
        "method": "block-grid-1",
        "price_usd": price,
        "low_usd": price * 0.996,
        "high_usd": price * 1.004,
        "confidence": 0.97,
        "points": 40,
        "exchange_usd": exchange,
        "divergence_block_pct": (price - exchange) / exchange * 100,
    }
    return BlockPrice(**(fields | changes))  # type: ignore[arg-type]


def gap(block: BlockPrice, reason: str, confidence: float) -> BlockPrice:
    """The same block without a price."""
    return replace(block, price_usd=None, divergence_block_pct=None, reason=reason, confidence=confidence)


def round_of(block: BlockPrice, number: int, **changes: object) -> Observation:
    """The round at a block: its window price is the price half a day before."""
    window = exchange_usd(block.time_s - DAY_S / 2)
    exchange = exchange_usd(block.time_s)
    fields: dict[str, object] = {
        "first_height": block.last_height - 144,
        "last_height": block.last_height - 1,
        "onchain_usd": window,
        "exchange_usd": exchange,
        "exchange_mean_usd": window * 1.001,
        "divergence_spot_pct": (window - exchange) / exchange * 100,
        "divergence_window_pct": (window - window * 1.001) / (window * 1.001) * 100,
        "divergence_block_pct": block.divergence_block_pct,
        "block_usd": block.price_usd,
        "block_height": block.last_height,
        "valid": True,
        "reason": None,
    }
    return observation(number, block.time_s + 20, **(fields | changes))


def readings(start_s: float, end_s: float, **changes: object) -> Iterable[object]:
    """A reading every five minutes."""
    return (reading(at, exchange_usd(at), **changes) for at in _steps(start_s, end_s, 300.0))


def _steps(start_s: float, end_s: float, by_s: float) -> list[float]:
    return [start_s + n * by_s for n in range(math.ceil((end_s - start_s) / by_s))]


def blocks_of(days: float) -> list[BlockPrice]:
    """A block every ten minutes up to now."""
    start_s = NOW_S - days * DAY_S
    return [block_price(n, at) for n, at in enumerate(_steps(start_s, NOW_S, BLOCK_S))]


def normal(folder: Path) -> Store:
    """Two days as they should be."""
    store = Store(folder, "main")
    blocks = blocks_of(2)
    store.block_prices.put(blocks)
    store.observations.put(round_of(block, n) for n, block in enumerate(blocks))
    store.exchange_readings.put(readings(NOW_S - 2 * DAY_S, NOW_S))  # type: ignore[arg-type]
    return store


def large(folder: Path) -> Store:
    """The same, but six hours 3.5 % above the exchange and one of them 6.4 % below it."""
    store = Store(folder, "main")
    blocks = [
        block_price(n, block.time_s, 3.5 if 60 <= n - 144 < 90 else -6.4 if 90 <= n - 144 < 96 else 0.0)
        for n, block in enumerate(blocks_of(2))
    ]
    store.block_prices.put(blocks)
    store.observations.put(round_of(block, n) for n, block in enumerate(blocks))
    store.exchange_readings.put(readings(NOW_S - 2 * DAY_S, NOW_S))  # type: ignore[arg-type]
    return store


def broken(folder: Path) -> Store:
    """Gaps of each kind, weak and orphaned blocks, not valid windows, the public instance, hours without anything."""
    store = Store(folder, "main")
    blocks = blocks_of(2)
    first = 144
    for n in range(first + 10, first + 22):
        blocks[n] = gap(blocks[n], "uncertain", 0.3)
    blocks[first + 30] = gap(blocks[first + 30], "rival", 0.8)
    blocks[first + 31] = gap(blocks[first + 31], "octave", 0.8)
    for n in range(first + 40, first + 52):
        low, high = (blocks[n].price_usd or 0) * 0.985, (blocks[n].price_usd or 0) * 1.015
        blocks[n] = replace(blocks[n], confidence=0.7, low_usd=low, high_usd=high)
    blocks[first + 60] = replace(blocks[first + 60], orphaned=True)
    stored = [*blocks[: first + 80], *blocks[first + 104 :]]
    rounds = []
    for n, block in enumerate(blocks):
        changes: dict[str, object] = {}
        if first + 40 <= n < first + 46:
            changes = {"valid": False, "confidence": 0.1, "reason": "low_confidence"}
        elif first + 46 <= n < first + 52:
            changes = {"valid": False, "confidence": 0.8, "reason": "price_out_of_range"}
        elif n == first + 60:
            changes = {"orphaned": True}
        elif n >= first + 120:
            changes = {"exchange_source": "public"}
        if not first + 80 <= n < first + 104:
            rounds.append(round_of(block, n, **changes))
    store.block_prices.put(stored)
    store.observations.put(rounds)
    start_s = NOW_S - DAY_S
    store.exchange_readings.put(readings(start_s - DAY_S, start_s + 13 * 3600))  # type: ignore[arg-type]
    store.exchange_readings.put(readings(start_s + 20 * 3600, NOW_S, source="public"))  # type: ignore[arg-type]
    return store


def history(folder: Path, days: int = 60) -> Store:
    """Days with the exchange known by the day, some imported, one missing; the last of them as in `normal`."""
    store = normal(folder)
    dates = [NOW_S - n * DAY_S for n in range(3, days)]
    store.exchange_days.put(
        ExchangeDay(date=datetime.fromtimestamp(at, UTC).date(), close_usd=exchange_usd(at)) for at in dates
    )
    store.windows.put(_day(at, n) for n, at in enumerate(dates) if n != 7)
    return store


def _day(at_s: float, number: int) -> Window:
    price = exchange_usd(at_s) * 1.004
    return Window(
        kind="day",
        method="utxoracle-9.1",
        date=datetime.fromtimestamp(at_s, UTC).date(),
        price_usd=price,
        confidence=0.8,
        valid=number != 4,
        exchange_usd=exchange_usd(at_s),
        exchange_coverage=0.0,
        exchange_is_daily=True,
        divergence_window_pct=0.4,
        imported=number >= 30,
    )


class ChartApp(Console):
    """The pieces on one screen, fed as a dashboard feeds them."""

    def __init__(
        self, store: Store | None, *, ascii_only: bool = False, preset: str = "day", basis: Basis = "block"
    ) -> None:
        super().__init__(None)
        self.price_history = PriceHistory(lambda: store)
        self._chart = PriceChart(preset=preset, basis=basis, ascii_only=ascii_only)
        self.found: PriceRange | None = None
        self.marked: list[tuple[float, float]] = []
        self.wanted: list[tuple[float, float]] = []

    def compose(self) -> ComposeResult:
        yield self._chart
        yield DivergenceCards()
        yield DivergenceTable()

    def on_mount(self) -> None:
        # at 80 by 24 the chart has 14 lines, as on the dashboard
        self.query_one(DivergenceTable).styles.height = "1fr"
        self._chart.styles.height = 14 if self.size.height <= 24 else "2fr"
        self._chart.focus()

    @on(PriceChart.Wanted)
    def _wanted(self, message: PriceChart.Wanted) -> None:
        self.wanted.append((message.start_s, message.end_s))
        self._load(message.start_s, message.end_s)

    @work(exclusive=True, exit_on_error=False)
    async def _load(self, start_s: float, end_s: float) -> None:
        self.found = await self.price_history.load(start_s, end_s)
        self._chart.show(self.found)
        self._show_figures()

    @on(PriceChart.BasisChanged)
    def _show_figures(self) -> None:
        if self.found is not None:
            basis = self._chart.basis
            self.query_one(DivergenceCards).show(self.found.statistics[basis])
            self.query_one(DivergenceTable).show(self.found.series.rows, basis)

    @on(PriceChart.RangeMarked)
    def _marked(self, message: PriceChart.RangeMarked) -> None:
        self.marked.append((message.from_s, message.to_s))
