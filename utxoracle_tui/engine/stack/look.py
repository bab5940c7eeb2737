"""One look at the whole stack: everything is asked once, at the same time, and none of it for long."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TypeVar

from utxoracle_tui import clock
from utxoracle_tui.engine.electrs import gather
from utxoracle_tui.engine.electrs.evidence import Node
from utxoracle_tui.engine.electrs.evidence import Source as Evidence
from utxoracle_tui.engine.electrs.state import State
from utxoracle_tui.engine.electrs.watch import ElectrsWatch, Places
from utxoracle_tui.engine.exchange import Exchange
from utxoracle_tui.engine.node_watch import NodeReading
from utxoracle_tui.engine.stack.backend import BackendStatus, ask_backend
from utxoracle_tui.engine.stack.containers import ContainersStatus, ask_containers
from utxoracle_tui.engine.stack.disks import DisksEye
from utxoracle_tui.engine.stack.electrs import ElectrsVoice, heard_of
from utxoracle_tui.engine.stack.exchange import ask_exchange
from utxoracle_tui.engine.stack.node import NodeStatus, ask_node
from utxoracle_tui.engine.stack.reading import Heard, Trouble
from utxoracle_tui.engine.stack.setup import Setup
from utxoracle_tui.engine.stack.stack import HeardOf, judge
from utxoracle_tui.engine.stack.stack_reading import StackReading
from utxoracle_tui.errors import OperatorError
from utxoracle_tui.sources.bitcoin_core import BitcoinCore
from utxoracle_tui.sources.containers import DockerEngine
from utxoracle_tui.sources.host import Host
from utxoracle_tui.sources.mempool import MempoolBackend

ANSWER_WITHIN_S = 6.0
"""For the clients of one look: a source that takes five seconds is slow, and is there."""
LOOK_WITHIN_S = 7.5
"""Whatever happens."""
_TICK_S = 0.25
_LISTEN_S = 1.0
"""For so long the log is waited for: an empty one never speaks."""
_LATE = "not_in_time"

D = TypeVar("D")


@dataclass(frozen=True, slots=True)
class Asked:
    """Whom one look asks."""

    node: BitcoinCore
    exchange: Exchange
    setup: Setup
    milestones: object = None
    """What earlier consoles have kept of electrs's."""


async def one_look(asked: Asked) -> StackReading:
    """The reading of the stack by one look, which takes no longer than `LOOK_WITHIN_S`."""
    setup = asked.setup
    node = asyncio.create_task(ask_node(asked.node, ANSWER_WITHIN_S))
    electrs = asyncio.create_task(_electrs(setup.electrs, asked.milestones, node))
    others = asyncio.gather(
        _within(lambda: _backend(setup), "The mempool backend"),
        _within(lambda: ask_exchange(asked.exchange, Heard()), "The exchange price"),
        _within(lambda: _containers(setup), "Docker"),
        _within(lambda: DisksEye(setup.folders, Host()).look(Heard()), "The disks"),
    )
    try:
        heard_node, heard_electrs = await node, await electrs
        backend, exchange, containers, disks = await others
    finally:
        for task in (node, electrs, others):
            task.cancel()
        await asyncio.gather(node, electrs, others, return_exceptions=True)
    heard = HeardOf(heard_node, heard_electrs, backend, exchange, containers, disks)
    return judge(heard, setup.named, clock.elapsed_s(), clock.now_s())


async def _within(look: Callable[[], Awaitable[Heard[D]]], what: str) -> Heard[D]:
    """What was heard, or that it was too late."""
    try:
        async with asyncio.timeout(LOOK_WITHIN_S):
            return await look()
    except TimeoutError:
        return Heard(trouble=Trouble(_LATE, f"{what} has not been heard of within {LOOK_WITHIN_S:g} s."))


async def _backend(setup: Setup) -> Heard[BackendStatus]:
    started_s = clock.elapsed_s()
    async with MempoolBackend(setup.backend) as backend:
        try:
            status = await ask_backend(backend)
        except OperatorError as error:
            return Heard(trouble=Trouble(error.kind, error.message), latency_s=clock.elapsed_s() - started_s)
    return Heard(status, clock.elapsed_s(), status.live.at_s, status.live.latency_s)


async def _containers(setup: Setup) -> Heard[ContainersStatus]:
    async with DockerEngine(setup.docker) as docker:
        return await ask_containers(docker, setup.containers, Heard())


async def _electrs(places: Places, milestones: object, node: asyncio.Task[Heard[NodeStatus]]) -> Heard[State]:
    """The state of electrs once each of its sources has said something, or failed to."""
    settled = asyncio.Event()
    voice = ElectrsVoice()
    heard: Heard[State] = Heard()
    started_s = clock.elapsed_s()

    def view() -> Node | None:
        return gather.of_node(_reading(node.result())) if node.done() and not node.cancelled() else None

    watch = ElectrsWatch(places, node=view, kept=milestones)

    def take(state: State) -> None:
        nonlocal voice, heard
        voice = voice.after(state, clock.elapsed_s())
        heard = heard_of(state, voice)
        has_listened = clock.elapsed_s() - started_s >= _LISTEN_S or state.memory.hearing.reached is not None
        if node.done() and has_listened and is_settled(state, places):
            settled.set()

    tasks = [asyncio.create_task(watch.run(take, tick_s=_TICK_S)), asyncio.create_task(settled.wait())]
    try:
        done, _ = await asyncio.wait(tasks, timeout=LOOK_WITHIN_S, return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            task.result()
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    return heard


def is_settled(state: State, places: Places) -> bool:
    """Whether each source of electrs that there is has said something, or failed to."""
    known = state.memory.known
    wanted = {
        Evidence.METRICS: (places.access.metrics_url, known.metrics),
        Evidence.REST: (places.access.rest_url, known.rest),
        Evidence.PROCESS: (places.container or places.unit, known.process),
        Evidence.SIZES: (places.index_dir, known.sizes),
        Evidence.ROCKSDB: (places.index_dir, known.rocksdb),
        Evidence.DISK: (places.index_dir, known.disk),
        Evidence.BLOCK_FILES: (places.blocks_dir, known.block_files),
    }
    return all(
        where is None or said is not None or source in known.troubles for source, (where, said) in wanted.items()
    )


def _reading(heard: Heard[NodeStatus]) -> NodeReading | None:
    """What was heard of the node, as the watch of its tip would have said it."""
    status, trouble = heard.detail, heard.trouble
    at_s = heard.answered_at_s if heard.answered_at_s is not None else clock.now_s()
    if status is None and trouble is None:
        return None
    return NodeReading(
        host=status.host if status is not None else "",
        at_s=at_s,
        latency_s=heard.latency_s or 0.0,
        chain=status.chain if status is not None else None,
        chain_at_s=heard.answered_at_s,
        trouble_kind=trouble.kind if trouble is not None else None,
        trouble=trouble.sentence if trouble is not None else None,
    )
