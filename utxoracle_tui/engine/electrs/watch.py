"""Watches an electrs by all that the operator has told the console of it.

Every source is looked at by a task of its own, so that one which hangs holds up no other. At every tick what they have
seen becomes evidence, and the machine makes of it the state.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from utxoracle_tui import clock
from utxoracle_tui.engine.electrs import gather
from utxoracle_tui.engine.electrs.ears import Ears, listen_to_container, listen_to_file, listen_to_journal
from utxoracle_tui.engine.electrs.evidence import Disk, Evidence, Node, Process, Source, Status, Trouble
from utxoracle_tui.engine.electrs.folder_eye import FolderEye
from utxoracle_tui.engine.electrs.machine import step
from utxoracle_tui.engine.electrs.milestones import as_document, from_document
from utxoracle_tui.engine.electrs.state import State, restored
from utxoracle_tui.errors import Exit, OperatorError
from utxoracle_tui.sources.containers import DockerEngine
from utxoracle_tui.sources.containers_errors import DockerAbsent, DockerError, NoSuchContainer
from utxoracle_tui.sources.containers_session import DockerAccess
from utxoracle_tui.sources.electrs import Electrs, ElectrsAccess
from utxoracle_tui.sources.electrs_errors import ElectrsClosed
from utxoracle_tui.sources.host import Host
from utxoracle_tui.sources.journal import JournalQuery

TICK_S = 5.0
FOLDER_EVERY_S = 10.0
DISK_EVERY_S = 30.0
SAVE_EVERY_S = 30.0


@dataclass(frozen=True, slots=True)
class Places:
    """What the operator has told of electrs; None for what isn't there or isn't to be looked at.

    A unit goes before a container, and a log file before the log of either.
    """

    access: ElectrsAccess = ElectrsAccess()  # noqa: RUF009  (frozen)
    container: str | None = None
    is_named: bool = True
    """Whether the operator has told of that container, or of Docker; one of the usual name needs not be there."""
    unit: str | None = None
    log_file: Path | None = None
    index_dir: Path | None = None
    """`--db-dir`, or the network's folder in it."""
    blocks_dir: Path | None = None
    """Where the node keeps its `blk*.dat`."""
    docker: DockerAccess = DockerAccess()  # noqa: RUF009  (frozen)


Look = Callable[[], Awaitable[object]]
OnState = Callable[[State], None]
NodeView = Callable[[], Node | None]
"""What the console knows of the node by now."""


class ElectrsWatch:
    """One electrs that is watched. `kept` is what `milestones` gave to an earlier one."""

    def __init__(self, places: Places, *, node: NodeView = lambda: None, kept: object = None) -> None:
        self._places = places
        self._node = node
        self._ears = Ears()
        self._seen: dict[Source, Any] = {}
        self._troubles: dict[Source, Trouble] = {}
        self.state = restored(from_document(kept))

    @property
    def milestones(self) -> Mapping[str, Any]:
        """What must outlive the console, as plain values."""
        return as_document(self.state.milestones)

    async def run(self, on_state: OnState, *, tick_s: float = TICK_S) -> None:
        """Watch until cancelled; `on_state` is called with every state."""
        async with AsyncExitStack() as stack:
            electrs = await stack.enter_async_context(Electrs(self._places.access))
            docker = await stack.enter_async_context(DockerEngine(self._places.docker))
            folder = stack.enter_context(FolderEye(self._places.index_dir, self._places.blocks_dir))
            # last, so that the tasks have ended before what they use is closed
            tasks = await stack.enter_async_context(asyncio.TaskGroup())
            for source, look, every_s in self._looks(electrs, docker, Host(), folder):
                tasks.create_task(self._look_on(source, look, min(every_s, tick_s * every_s / TICK_S)))
            self._listen(tasks, docker)
            while True:
                await asyncio.sleep(tick_s)
                on_state(self.look())

    def look(self) -> State:
        """Make the state of what was seen since the last time."""
        news = self._ears.take()
        seen, self._seen = self._seen, {}
        if self._ears.trouble is not None:
            self._note(Source.LOG, self._ears.trouble)
        elif news:
            self._troubles.pop(Source.LOG, None)
        evidence = Evidence(
            clock.now_s(),
            process=seen.get(Source.PROCESS),
            metrics=seen.get(Source.METRICS),
            rest=seen.get(Source.REST),
            log=news[0] if news else None,
            rocksdb=seen.get(Source.ROCKSDB),
            sizes=seen.get(Source.SIZES),
            block_files=seen.get(Source.BLOCK_FILES),
            node=self._node(),
            disk=seen.get(Source.DISK),
            troubles=tuple(self._troubles.values()),
        )
        self.state = step(self.state, evidence)
        for later in news[1:]:
            self.state = step(self.state, Evidence(clock.now_s(), log=later, troubles=evidence.troubles))
        return self.state

    def _looks(
        self, electrs: Electrs, docker: DockerEngine, host: Host, folder: FolderEye
    ) -> list[tuple[Source, Look, float]]:
        """The sources that there are, how each is looked at, and how often."""
        places = self._places
        looks: list[tuple[Source, Look, float]] = []
        if places.access.metrics_url is not None:
            looks.append((Source.METRICS, lambda: _metrics(electrs), TICK_S))
        if places.access.rest_url is not None:
            looks.append((Source.REST, lambda: _rest(electrs), TICK_S))
        if places.unit is not None:
            unit = places.unit
            looks.append((Source.PROCESS, lambda: _unit(host, unit), TICK_S))
        elif places.container is not None:
            name = places.container
            looks.append((Source.PROCESS, lambda: _container(docker, host, name), TICK_S))
        if places.index_dir is not None:
            index_dir = places.index_dir
            looks.append((Source.SIZES, folder.sizes, FOLDER_EVERY_S))
            looks.append((Source.ROCKSDB, folder.rocksdb, TICK_S))
            looks.append((Source.DISK, lambda: _disk(host, index_dir), DISK_EVERY_S))
        if places.blocks_dir is not None:
            looks.append((Source.BLOCK_FILES, folder.block_files, DISK_EVERY_S))
        return looks

    def _listen(self, tasks: asyncio.TaskGroup, docker: DockerEngine) -> None:
        places = self._places
        if places.log_file is not None:
            tasks.create_task(listen_to_file(self._ears, places.log_file))
        elif places.unit is not None:
            tasks.create_task(listen_to_journal(self._ears, JournalQuery(unit=places.unit)))
        elif places.container is not None:
            tasks.create_task(listen_to_container(self._ears, docker, places.container))

    async def _look_on(self, source: Source, look: Look, every_s: float) -> None:
        while True:
            try:
                self._seen[source] = await look()
            except OperatorError as error:
                self._note(source, error)
            else:
                self._troubles.pop(source, None)
            await asyncio.sleep(every_s)

    def _note(self, source: Source, error: OperatorError) -> None:
        """Note a trouble, with the time since which it lasts."""
        if isinstance(error, DockerAbsent | NoSuchContainer) and not self._places.is_named:
            self._troubles.pop(source, None)
            return
        refused = isinstance(error, ElectrsClosed)
        trouble = Trouble(source, clock.now_s(), error.message, refused, isinstance(error, DockerError))
        before = self._troubles.get(source)
        if before is not None and before.refused == refused:
            trouble = replace(trouble, at_s=before.at_s)
        self._troubles[source] = trouble


async def _metrics(electrs: Electrs) -> object:
    return gather.of_metrics(await electrs.metrics())


async def _rest(electrs: Electrs) -> object:
    return gather.of_tip(await electrs.tip())


async def _container(docker: DockerEngine, host: Host, name: str) -> object:
    try:
        container = await docker.inspect(name)
    except NoSuchContainer:
        return Process(clock.now_s(), Status.MISSING)
    stats = await docker.stats(name) if container.running and not container.restarting else None
    process = await host.process(container.pid) if container.pid is not None else None
    return gather.of_container(container, stats, process)


async def _unit(host: Host, name: str) -> object:
    unit = await host.unit(name)
    if unit is None:
        raise OperatorError(
            "unit_unknown",
            f"The state of the unit {name} can't be told: systemd doesn't run here, or doesn't answer.",
            Exit.UNREACHABLE,
        )
    process = await host.process(unit.main_pid) if unit.main_pid is not None else None
    return gather.of_unit(unit, process)


async def _disk(host: Host, folder: Path) -> object:
    found = await host.disk(folder)
    if found.space is None:
        raise OperatorError("disk_unknown", found.trouble or f"The disk of {folder} can't be told.", Exit.UNREACHABLE)
    return Disk(found.at_s, found.space.free_bytes)
