"""Small scripts of what happens on the simulated host, in minutes that the speed of the blocks makes shorter."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import Any, Protocol

from utxoracle_tui.demo.host.electrs.electrs import LONG_READY, Beginning, Electrs
from utxoracle_tui.demo.host.electrs.faults import TRAPS
from utxoracle_tui.demo.host.electrs.index import Presets
from utxoracle_tui.demo.host.electrs.process import Position
from utxoracle_tui.demo.host.electrs.settings import Phase
from utxoracle_tui.demo.host.growth import Growth
from utxoracle_tui.demo.host.mempool.backend import Backend
from utxoracle_tui.demo.host.node import Node

_STUCK_AT = 0.55
_FULL_AT = 0.985
_FULL_DISK = 1.58
_INDEXED_FILES = 4850 / 4900
"""Of the block files, those that hold 916,307 of 921,457 blocks."""
_DIVERGENCE_PCT = 7.0
_RAMP_STEPS = 12


class Stage(Protocol):
    """What a script acts on."""

    @property
    def node(self) -> Node:
        """The node."""

    @property
    def electrs(self) -> Electrs:
        """The index server."""

    @property
    def backend(self) -> Backend:
        """The mempool backend."""

    @property
    def minute_s(self) -> float:
        """How long a minute lasts, in seconds."""

    @property
    def growth(self) -> Growth:
        """What makes blocks, and the price of payments."""


async def _minutes(stage: Stage, minutes: float) -> None:
    await asyncio.sleep(minutes * stage.minute_s)


async def nothing_more(_stage: Stage) -> None:
    """Nothing but blocks."""


async def electrs_stuck(stage: Stage) -> None:
    """After ten minutes electrs does nothing any more."""
    await _minutes(stage, 10)
    stage.electrs.stalled = True


async def node_restart(stage: Stage) -> None:
    """Every hour the node goes down for three minutes and warms up for seven."""
    while True:
        await _minutes(stage, 20)
        await stage.node.restart(down_s=3 * stage.minute_s, warm_up_s=7 * stage.minute_s)
        await _minutes(stage, 30)


async def node_ibd(stage: Stage) -> None:
    """A block a minute until the node has all of them."""
    while await stage.growth.catch_up(1):
        await _minutes(stage, 1)


async def price_outage(stage: Stage) -> None:
    """Every five hours all exchanges are out of reach for two and a half."""
    while True:
        await _minutes(stage, 60)
        stage.backend.exchange.feeds_up = False
        await _minutes(stage, 150)
        stage.backend.exchange.feeds_up = True
        stage.backend.update_prices()
        await _minutes(stage, 90)


async def divergence(stage: Stage) -> None:
    """Every five hours exchanges move 7 % away from the price of payments within an hour, and come back."""
    while True:
        await _minutes(stage, 20)
        await _ramp(stage, 0.0, _DIVERGENCE_PCT)
        await _minutes(stage, 120)
        await _ramp(stage, _DIVERGENCE_PCT, 0.0)
        await _minutes(stage, 40)


async def _ramp(stage: Stage, start_pct: float, end_pct: float) -> None:
    for step in range(1, _RAMP_STEPS + 1):
        await _minutes(stage, 60 / _RAMP_STEPS)
        stage.backend.exchange.offset_pct = start_pct + (end_pct - start_pct) * step / _RAMP_STEPS
        stage.backend.update_prices()


async def reorg(stage: Stage) -> None:
    """Every hour two blocks are replaced by three."""
    while True:
        await _minutes(stage, 25)
        await stage.growth.reorg(depth=2, length=3)
        await _minutes(stage, 35)


async def step(stage: Stage) -> None:
    """Every six hours the price rises by 10 % within the hour; three hours later it falls back as fast."""
    while True:
        await _minutes(stage, 30)
        stage.growth.price_step(10.0, 60 * stage.minute_s)
        await _minutes(stage, 180)
        stage.growth.price_step(100 / 1.1 - 100, 60 * stage.minute_s)
        await _minutes(stage, 150)


async def flood(stage: Stage) -> None:
    """Every eight hours, for six, each block has one amount 150 times."""
    while True:
        await _minutes(stage, 60)
        stage.growth.flood(36)
        await _minutes(stage, 420)


async def yesterday(stage: Stage) -> None:
    """The price rises by 8 % in six hours; then, every four, three blocks are full of payments at that of before."""
    stage.growth.price_step(8.0, 360 * stage.minute_s)
    await _minutes(stage, 300)
    while True:
        await _minutes(stage, 60)
        stage.growth.old_price(3, 390 * stage.minute_s)
        await _minutes(stage, 180)


async def quiet_hour(stage: Stage) -> None:
    """Every six hours there is no block for an hour and a half and five minutes."""
    while True:
        await _minutes(stage, 60)
        stage.growth.pause(95 * stage.minute_s)
        await _minutes(stage, 300)


@dataclass(frozen=True, slots=True)
class Scenario:
    """A script, and how the host is found when it begins."""

    script: Callable[[Stage], Coroutine[Any, Any, None]]
    electrs: Beginning = LONG_READY
    blocks_missing: float = 0.0
    """Share of its blocks that the node has yet to get."""

    @property
    def syncs(self) -> bool:
        """Whether electrs has yet to read the block files."""
        return not self.electrs.presets.synced


_STUCK = Beginning(Presets(1.0, _STUCK_AT, txstore_compacted=True), Position(Phase.PASS_2, _STUCK_AT))
_FULL = Beginning(Presets(_FULL_AT), Position(Phase.PASS_1, _FULL_AT), room=_FULL_DISK)
_CRASHING = Beginning(Presets(0.03), trap=TRAPS["blk-files"])
_RESUMING = Beginning(Presets(1.0, _INDEXED_FILES, txstore_compacted=True))

SCENARIOS: dict[str, Scenario] = {
    "ready": Scenario(nothing_more),
    "first-sync": Scenario(nothing_more, Beginning(Presets())),
    "resume": Scenario(nothing_more, _RESUMING),
    "electrs-stuck": Scenario(electrs_stuck, _STUCK),
    "electrs-crashloop": Scenario(nothing_more, _CRASHING),
    "disk-filling": Scenario(nothing_more, _FULL),
    "node-restart": Scenario(node_restart),
    "node-ibd": Scenario(node_ibd, Beginning(Presets()), blocks_missing=0.4),
    "price-outage": Scenario(price_outage),
    "divergence": Scenario(divergence),
    "reorg": Scenario(reorg),
    "step": Scenario(step),
    "flood": Scenario(flood),
    "yesterday": Scenario(yesterday),
    "quiet-hour": Scenario(quiet_hour),
}
"""By the names of the command line, which `options` says in words."""
