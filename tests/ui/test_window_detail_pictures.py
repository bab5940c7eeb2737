"""Pictures of the window screen in each state that an operator can meet, at the sizes that terminals have."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Awaitable, Callable
from datetime import date
from typing import Any

import pytest
from textual.pilot import Pilot
from textual.widgets import Input

from tests.ui.results import empty_window, real_folder, real_window, recorded_day
from utxoracle_core import BlockReading, Gap
from utxoracle_tui.engine.pricing import PricedWindow, ProgressCallback
from utxoracle_tui.engine.progress import Progress
from utxoracle_tui.engine.request import CONSENSUS_PRICE, Chain, Request
from utxoracle_tui.engine.validation import DEFAULT_LIMITS, Limits
from utxoracle_tui.errors import Exit, OperatorError
from utxoracle_tui.ui.app import Console
from utxoracle_tui.ui.screens.window_detail import of_folder

SnapCompare = Callable[..., bool]
SIZES = [(80, 24), (120, 40)]
SMALL = (80, 24)


class StillPricing:
    """In place of the engine: says what it is told to, and does no work."""

    def __init__(
        self,
        *,
        result: PricedWindow | None = None,
        error: OperatorError | None = None,
        line: list[BlockReading] | None = None,
    ) -> None:
        self._line = line or []
        self.folder = real_folder()
        self.chain = Chain(self.folder.base, self.folder.tip, self.folder.times, "main")
        self._result = result
        self._error = error

    async def price(self, request: Request, on_progress: ProgressCallback) -> PricedWindow:
        if self._error is not None:
            raise self._error
        if self._result is not None:
            return self._result
        on_progress(Progress(37, 144, 63_000_000, 245_000_000, 0.75))
        await asyncio.Event().wait()
        raise AssertionError

    async def block_line(self, result: PricedWindow) -> list[BlockReading]:
        return self._line


def console(
    *,
    result: PricedWindow | None = None,
    error: OperatorError | None = None,
    line: list[BlockReading] | None = None,
    limits: Limits = DEFAULT_LIMITS,
) -> Console:
    pricing: Any = StillPricing(result=result, error=error, line=line)
    return Console(of_folder(pricing, limits))


_LASTING = {"window", "newest", "stack", "store", "jobs", "logs", "alerts"}
"""Workers that stay as long as the console does."""


def after(*keys: str) -> Callable[[Pilot[None]], Awaitable[None]]:
    """Wait until the charts are drawn, press keys, and wait again."""

    async def run(pilot: Pilot[None]) -> None:
        pilot.app.animation_level = "none"
        await settle(pilot)
        for key in keys:
            await pilot.press(key)
        for entry in pilot.app.screen.query(Input):
            entry.cursor_blink = False
        await settle(pilot)

    return run


async def settle(pilot: Pilot[None]) -> None:
    """Until ten looks in a row find no chart being drawn; a layout that changes has charts drawn anew."""
    quiet = 0
    while quiet < 10:
        await pilot.pause(0.01)
        drawing = [worker for worker in pilot.app.workers if worker.group not in _LASTING]
        if drawing:
            # one whose place another took was cancelled
            await asyncio.gather(*(worker.wait() for worker in drawing), return_exceptions=True)
        quiet = 0 if drawing else quiet + 1


@pytest.mark.parametrize("size", SIZES)
def test_the_block_prices_over_the_points(snap_compare: SnapCompare, size: tuple[int, int]) -> None:
    result = recorded_day("sel_tip7_ok", date(2024, 5, 5), CONSENSUS_PRICE)
    outputs, usd = result.price.outputs, result.price.price_usd
    assert usd is not None
    line = [
        BlockReading(
            height=height,
            time=0,
            # up and down by 2 %, with ten blocks without a price
            price_usd=None if 60 <= number < 70 else usd * (1 + 0.02 * math.sin(number / 12)),
            estimate_usd=usd,
            low_usd=usd * 0.998,
            high_usd=usd * 1.002,
            confidence=0.9,
            n_points=20,
            rival=None,
            octave=None,
            reason=Gap.UNCERTAIN if 60 <= number < 70 else None,
            eligible_time=None,
        )
        for number, height in enumerate(range(outputs.first_height + 36, outputs.last_height + 1))
    ]
    assert snap_compare(console(result=result, line=line), terminal_size=size, run_before=after())


@pytest.mark.parametrize("size", [*SIZES, (200, 60)])
def test_a_valid_day(snap_compare: SnapCompare, size: tuple[int, int]) -> None:
    result = recorded_day("sel_tip7_ok", date(2024, 5, 5), CONSENSUS_PRICE)
    assert snap_compare(console(result=result), terminal_size=size, run_before=after())


@pytest.mark.parametrize("size", [*SIZES, (200, 60)])
def test_real_blocks_too_few_to_be_trusted(snap_compare: SnapCompare, size: tuple[int, int]) -> None:
    assert snap_compare(console(result=real_window()), terminal_size=size, run_before=after())


@pytest.mark.parametrize("size", SIZES)
def test_an_octave_suspect_with_an_ambiguous_boundary(snap_compare: SnapCompare, size: tuple[int, int]) -> None:
    result = recorded_day("mediocre60", date(2024, 10, 1), None)
    assert snap_compare(console(result=result), terminal_size=size, run_before=after())


@pytest.mark.parametrize("size", SIZES)
def test_no_price_at_all(snap_compare: SnapCompare, size: tuple[int, int]) -> None:
    assert snap_compare(console(result=empty_window()), terminal_size=size, run_before=after())


def test_the_histogram_on_a_narrow_terminal(snap_compare: SnapCompare) -> None:
    assert snap_compare(console(result=real_window()), terminal_size=SMALL, run_before=after("v"))


def test_the_filters_on_a_narrow_terminal(snap_compare: SnapCompare) -> None:
    assert snap_compare(console(result=real_window()), terminal_size=SMALL, run_before=after("v", "v"))


@pytest.mark.parametrize("size", SIZES)
def test_blocks_being_read(snap_compare: SnapCompare, size: tuple[int, int]) -> None:
    assert snap_compare(console(), terminal_size=size, run_before=after())


def test_a_damaged_block(snap_compare: SnapCompare) -> None:
    error = OperatorError(
        "damaged", "Block 799998 in 799998-73b2b5b4.bin is damaged: at byte 1662401, expected more.", Exit.FAILED
    )
    assert snap_compare(console(error=error), terminal_size=SMALL, run_before=after())


def test_asking_for_a_day(snap_compare: SnapCompare) -> None:
    assert snap_compare(
        console(result=real_window()), terminal_size=SMALL, run_before=after("d", *"2024-13-40", "enter")
    )


def test_the_keys(snap_compare: SnapCompare) -> None:
    assert snap_compare(console(result=real_window()), terminal_size=(120, 40), run_before=after("question_mark"))
