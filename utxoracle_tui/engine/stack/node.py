"""Bitcoin Core as a part of the stack: its tip once a second, and, less often, all else that it says of itself."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import TypeVar

from utxoracle_tui import clock
from utxoracle_tui.engine.electrs import gather
from utxoracle_tui.engine.electrs.evidence import Node
from utxoracle_tui.engine.node_watch import NodeReading, NodeWatch
from utxoracle_tui.engine.stack.ibd import Ibd, follow
from utxoracle_tui.engine.stack.reading import Heard, Trouble
from utxoracle_tui.engine.stack.thresholds import (
    INDEXES_EVERY_S,
    MEMPOOL_EVERY_S,
    NETWORK_EVERY_S,
    NODE_SPACING_S,
    UPTIME_EVERY_S,
)
from utxoracle_tui.sources.bitcoin_core import BitcoinCore
from utxoracle_tui.sources.node_errors import NodeError, NodeHanging, NodeUnreachable, NodeWarmingUp
from utxoracle_tui.sources.node_replies import ChainInfo, IndexInfo, MempoolInfo, NetworkInfo
from utxoracle_tui.sources.node_session import Patience

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class NodeStatus:
    """What is known of a node. What it was not asked yet, or refuses to say, is None."""

    host: str
    chain: ChainInfo
    network: NetworkInfo | None = None
    mempool: MempoolInfo | None = None
    indexes: tuple[IndexInfo, ...] | None = None
    """Empty for a node without any."""
    started_at_s: float | None = None
    """Unix seconds."""
    ibd: Ibd | None = None
    """None for a node that isn't behind."""
    refusals: Mapping[str, Trouble] = field(default_factory=lambda: MappingProxyType({}))
    """Why something was not told, by what it is."""

    @property
    def warnings(self) -> tuple[str, ...]:
        """What the node itself warns of."""
        of_network = self.network.warnings if self.network is not None else ()
        return tuple(dict.fromkeys((*self.chain.warnings, *of_network)))


@dataclass(frozen=True, slots=True)
class Extra:
    """One of the things that are asked for besides the chain."""

    name: str
    every_s: float
    ask: Callable[[BitcoinCore], Awaitable[dict[str, object]]]
    """The fields of `NodeStatus` that it gives."""


async def _network(node: BitcoinCore) -> dict[str, object]:
    return {"network": await node.network_info()}


async def _mempool(node: BitcoinCore) -> dict[str, object]:
    return {"mempool": await node.mempool_info()}


async def _indexes(node: BitcoinCore) -> dict[str, object]:
    return {"indexes": tuple((await node.index_info()).values())}


async def _uptime(node: BitcoinCore) -> dict[str, object]:
    uptime_s = await node.uptime_s()
    return {"started_at_s": clock.now_s() - uptime_s}


EXTRAS = (
    Extra("network", NETWORK_EVERY_S, _network),
    Extra("mempool", MEMPOOL_EVERY_S, _mempool),
    Extra("indexes", INDEXES_EVERY_S, _indexes),
    Extra("uptime", UPTIME_EVERY_S, _uptime),
)
OnNode = Callable[[NodeReading], None]


class NodeStatusWatch:
    """One node that is watched. `watch` asks for its tip."""

    def __init__(self, node: BitcoinCore, watch: NodeWatch | None = None) -> None:
        self._node = node.with_patience(Patience(busy_s=0.0))
        self._watch = watch or NodeWatch(node)
        self.newest: NodeReading | None = None
        self.heard: Heard[NodeStatus] = Heard()
        self._due_s: dict[str, float] = {}
        self._ready = asyncio.Event()

    async def run(self, on_change: Callable[[], None], on_node: OnNode = lambda _: None) -> None:
        """Watch until cancelled; `on_node` is called with every reading of the tip."""

        def take(reading: NodeReading) -> None:
            self._take(reading)
            on_node(reading)
            on_change()

        self._due_s = {}
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._watch.run(take))
            tasks.create_task(self._ask_extras(on_change))

    def as_evidence(self) -> Node | None:
        """What is known of the node, for whoever watches electrs."""
        return gather.of_node(self.newest)

    def _take(self, reading: NodeReading) -> None:
        before, self.newest = self.heard, reading
        if reading.trouble is not None or reading.chain is None:
            trouble = Trouble(reading.trouble_kind or "", reading.trouble or "")
            self.heard = replace(before, trouble=trouble, latency_s=reading.latency_s)
            self._ready.clear()
            if reading.trouble_kind in (NodeUnreachable.KIND, NodeWarmingUp.KIND):
                # whatever answers next was started anew
                self._due_s = {}
            return
        now_s, old = clock.elapsed_s(), before.detail
        ibd = follow(old.ibd if old is not None else None, reading.chain, now_s)
        known = old if old is not None else NodeStatus(reading.host, reading.chain)
        status = replace(known, chain=reading.chain, ibd=ibd)
        self.heard = Heard(status, now_s, reading.at_s, reading.latency_s)
        self._ready.set()

    async def _ask_extras(self, on_change: Callable[[], None]) -> None:
        """Ask for what else there is, one thing at a time, and only while the node answers."""
        while True:
            await self._ready.wait()
            now_s = clock.elapsed_s()
            extra = min(EXTRAS, key=lambda each: self._due_s.get(each.name, 0.0))
            if self._due_s.get(extra.name, 0.0) <= now_s:
                self._due_s[extra.name] = now_s + extra.every_s
                await self._ask(extra)
                on_change()
            await asyncio.sleep(NODE_SPACING_S)

    async def _ask(self, extra: Extra) -> None:
        found: dict[str, object] = {}
        refusal: Trouble | None = None
        try:
            found = await extra.ask(self._node)
        except (NodeUnreachable, NodeHanging):
            # whoever watches the tip says so; the question is put again as soon as there is an answer
            self._due_s.pop(extra.name, None)
            return
        except NodeError as error:
            refusal = Trouble(error.kind, error.message)
        status = self.heard.detail
        if status is not None:
            self.heard = replace(self.heard, detail=with_extra(status, extra.name, found, refusal))


def with_extra(status: NodeStatus, name: str, found: Mapping[str, object], refusal: Trouble | None) -> NodeStatus:
    """The status with one more thing, or with why it is not to be had."""
    others = {key: why for key, why in status.refusals.items() if key != name}
    refusals = others if refusal is None else {**others, name: refusal}
    return replace(status, **found, refusals=MappingProxyType(refusals))  # type: ignore[arg-type]  # by its own names


async def ask_node(node: BitcoinCore, within_s: float) -> Heard[NodeStatus]:
    """All that a node says of itself within so many seconds, asked for once."""
    started_s = clock.elapsed_s()
    try:
        status, latency_s = await _status_of(node.with_patience(Patience(busy_s=0.0)), within_s)
    except NodeError as error:
        return Heard(trouble=Trouble(error.kind, error.message), latency_s=clock.elapsed_s() - started_s)
    return Heard(status, clock.elapsed_s(), clock.now_s(), latency_s)


async def _status_of(node: BitcoinCore, within_s: float) -> tuple[NodeStatus, float]:
    """The status, and how long the node took for the chain. Raises `NodeError` where it doesn't say how that is."""
    started_s = clock.elapsed_s()

    async def timed_chain() -> tuple[ChainInfo, float]:
        return await node.chain_info(), clock.elapsed_s() - started_s

    chain = asyncio.create_task(timed_chain())
    extras = {extra.name: asyncio.create_task(_outcome(extra, node)) for extra in EXTRAS}
    try:
        await asyncio.wait([chain, *extras.values()], timeout=within_s)
        late = NodeHanging(node.access.host, "all questions", within_s)
        if not chain.done():
            raise late
        info, latency_s = chain.result()
        status = NodeStatus(node.access.host, info, ibd=follow(None, info, clock.elapsed_s()))
        for name, task in extras.items():
            status = with_extra(
                status, name, *(task.result() if task.done() else ({}, Trouble(late.kind, late.message)))
            )
        return status, latency_s
    finally:
        chain.cancel()
        for task in extras.values():
            task.cancel()
        await asyncio.gather(chain, *extras.values(), return_exceptions=True)


async def _outcome(extra: Extra, node: BitcoinCore) -> tuple[dict[str, object], Trouble | None]:
    try:
        return await extra.ask(node), None
    except NodeError as error:
        return {}, Trouble(error.kind, error.message)
