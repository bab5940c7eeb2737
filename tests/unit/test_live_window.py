"""When the block window is priced: with every block, every so often without one, again after a failure."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from tests.ui.results import real_window
from utxoracle_tui.engine import live_window
from utxoracle_tui.engine.live_window import Doing, LiveWindow, WindowReading
from utxoracle_tui.engine.node_watch import NodeReading
from utxoracle_tui.engine.pricing import PricedWindow
from utxoracle_tui.engine.progress import Progress
from utxoracle_tui.engine.request import Last, Request
from utxoracle_tui.errors import Exit, OperatorError
from utxoracle_tui.sources.http import Backoff
from utxoracle_tui.sources.node_replies import ChainInfo

RESULT = real_window()
PART = Progress(1, 144, 1, None, 0.1)
CHAIN = ChainInfo(
    network="main",
    blocks=900,
    headers=900,
    best_hash="aa",
    difficulty=1.0,
    time_s=0,
    median_time_s=None,
    progress=1.0,
    initial_download=False,
    size_on_disk_bytes=None,
    pruned=False,
    prune_height=None,
    automatic_pruning=None,
    prune_target_bytes=None,
    warnings=(),
)


@dataclass
class Pricing:
    """In place of the node and the workers: asked, it gives what it was told to, or raises it."""

    outcomes: list[PricedWindow | Exception] = field(default_factory=list)
    line: list[Any] | OperatorError = field(default_factory=list)
    asked: int = 0

    async def price(self, request: Request, on_progress: Callable[[Progress], None]) -> PricedWindow:
        assert request == Last()
        self.asked += 1
        on_progress(PART)
        await asyncio.sleep(0)
        outcome = self.outcomes.pop(0) if self.outcomes else RESULT
        if isinstance(outcome, Exception):
            raise outcome
        return outcome

    async def block_line(self, result: PricedWindow) -> list[Any]:
        if isinstance(self.line, OperatorError):
            raise self.line
        return self.line


@dataclass
class Running:
    window: LiveWindow
    pricing: Pricing
    told: list[WindowReading] = field(default_factory=list)
    priced: list[PricedWindow] = field(default_factory=list)

    def tip(self, block_hash: str, **changes: Any) -> None:  # noqa: ANN401  (fields of ChainInfo)
        chain = replace(CHAIN, best_hash=block_hash, **changes)
        self.window.node_read(NodeReading("node:8332", 1.0, 0.001, chain, 1.0))

    async def until(self, holds: Callable[[], object]) -> None:
        async with asyncio.timeout(10):
            while not holds():
                await asyncio.sleep(0.001)

    async def stays(self) -> None:
        """Time in which something could happen that must not."""
        for _ in range(20):
            await asyncio.sleep(0.001)


@asynccontextmanager
async def running(pricing: Pricing, every_s: float = 3600.0) -> AsyncIterator[Running]:
    # of the engine's pricing only these two are used
    parts = Running(LiveWindow(pricing, every_s), pricing)  # type: ignore[arg-type]
    task = asyncio.create_task(parts.window.run(parts.told.append, parts.priced.append))
    try:
        yield parts
        assert not task.done()
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def test_every_tip_gets_its_window_once() -> None:
    async with running(Pricing()) as live:
        await live.stays()
        assert live.window.reading.doing is Doing.WAITING
        live.tip("aa")
        await live.until(lambda: live.window.reading.doing is Doing.DONE)
        assert [reading.doing for reading in live.told] == [Doing.WORKING, Doing.WORKING, Doing.DONE]
        assert live.told[1].progress is PART
        live.tip("aa")
        await live.stays()
        assert live.priced == [RESULT]
        live.tip("bb")
        await live.until(lambda: len(live.priced) == 2)
        # the one before is there while the next is worked on
        assert all(reading.result is RESULT for reading in live.told[2:])


async def test_without_a_block_it_is_priced_every_so_often() -> None:
    async with running(Pricing(), every_s=0.01) as live:
        live.tip("aa")
        await live.until(lambda: len(live.priced) == 3)


async def test_what_may_pass_is_tried_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live_window, "_AGAIN", Backoff(first_s=0.01, most_s=0.02))
    down = OperatorError("node_hanging", "The node hangs.", Exit.UNREACHABLE)
    async with running(Pricing([down, down])) as live:
        live.tip("aa")
        await live.until(lambda: live.window.reading.doing is Doing.DONE)
        assert live.pricing.asked == 3
        said = [reading.trouble for reading in live.told if reading.doing is Doing.FAILED]
        assert said == ["The node hangs. It is tried again in 0 s."] * 2
        assert live.window.reading.trouble is None


async def test_what_stays_waits_for_the_next_block() -> None:
    pruned = OperatorError("blocks_missing", "Block 8 is pruned.", Exit.USAGE)
    async with running(Pricing([pruned, KeyError("x")])) as live:
        live.tip("aa")
        await live.until(lambda: live.window.reading.doing is Doing.FAILED)
        assert live.window.reading.trouble == "Block 8 is pruned. It is tried again with the next block."
        live.tip("aa")
        await live.stays()
        assert live.pricing.asked == 1
        live.tip("bb")
        await live.until(lambda: "KeyError" in (live.window.reading.trouble or ""))
        live.tip("cc")
        await live.until(lambda: live.priced == [RESULT])


async def test_a_node_that_syncs_is_left_alone_unless_asked() -> None:
    async with running(Pricing()) as live:
        live.tip("aa", headers=907)
        await live.until(lambda: live.window.reading.doing is Doing.SYNCING)
        live.tip("bb", initial_download=True)
        await live.stays()
        assert live.pricing.asked == 0
        live.window.ask()
        await live.until(lambda: live.priced == [RESULT])


async def test_the_line_comes_after_the_price() -> None:
    reading: Any = object()
    async with running(Pricing(line=[reading])) as live:
        live.tip("aa")
        await live.until(lambda: live.window.reading.line)
        assert live.window.reading.line == (reading,)
        assert [bool(told.line) for told in live.told] == [False, False, False, True]


async def test_no_line_is_no_trouble() -> None:
    async with running(Pricing(line=OperatorError("gone", "Gone.", Exit.UNREACHABLE))) as live:
        live.tip("aa")
        await live.until(lambda: live.priced)
        await live.stays()
        assert live.window.reading.trouble is None
