"""The simulated electrs as a whole: what drives its process, and the ports that it opens and closes."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path

from utxoracle_tui import clock
from utxoracle_tui.demo.host.chain_state import Known
from utxoracle_tui.demo.host.container_life import Life
from utxoracle_tui.demo.host.electrs.electrum import ElectrumServer
from utxoracle_tui.demo.host.electrs.faults import KILLED_EXIT, Failure, Trap
from utxoracle_tui.demo.host.electrs.first_sync import first_sync
from utxoracle_tui.demo.host.electrs.index import SYNCED, Index, Presets
from utxoracle_tui.demo.host.electrs.log import ElectrsLog
from utxoracle_tui.demo.host.electrs.node_view import NodeView
from utxoracle_tui.demo.host.electrs.process import Position, Process, Span
from utxoracle_tui.demo.host.electrs.rest import Rest
from utxoracle_tui.demo.host.electrs.settings import ElectrsSettings, Level, Phase, SyncSize
from utxoracle_tui.demo.host.http_server import Request, Response
from utxoracle_tui.demo.host.node_state import NETWORK
from utxoracle_tui.demo.host.service import Service

_TICK_S = 0.1
_IDLE_TIMEOUT_S = 60.0
_UP_BEFORE_S = 3 * 86_400.0
"""How long an electrs that is ready has been running when the host starts."""
_QUIET_PHASES = frozenset({Phase.STARTING, Phase.CONNECTING, Phase.WAITING, Phase.READY})
"""In which it notices a signal that asks it to end."""


@dataclass(frozen=True, slots=True)
class Beginning:
    """How the host finds its electrs when it starts."""

    presets: Presets = SYNCED
    position: Position | None = None
    """Where in its first sync the process is; None: it starts now, or has long been ready."""
    trap: Trap | None = None
    room: float | None = None
    """What its disk holds, in sizes of the txstore, whose compaction takes two; None: enough."""


LONG_READY = Beginning()


class Electrs:
    """Its process runs in a thread, a little at every tick; its ports belong to the event loop."""

    def __init__(
        self,
        settings: ElectrsSettings,
        size: SyncSize,
        node: NodeView,
        folder: Path,
        *,
        minute_s: float,
    ) -> None:
        """`folder` is for its data folder and its log. Raises OSError when there are no ports to be had."""
        self.settings = settings
        self.db_dir = folder / "data"
        self.life = Life()
        self.trap: Trap | None = None
        self.stalled = False
        """Whether it does nothing any more, its metrics and its REST interface apart."""
        self.lag_blocks = 0
        """How far the index stays behind the node."""
        self.node = node
        self.index = Index(self.db_dir, NETWORK, size, lambda: self._stamp_s)
        self.log = ElectrsLog(folder / "electrs.log", settings)
        self.metrics = Service(self._metrics, lambda _: "/metrics", idle_timeout_s=_IDLE_TIMEOUT_S)
        self.api = Rest(self)
        self.rest = Service(self.api.answer, self.api.label, idle_timeout_s=_IDLE_TIMEOUT_S)
        self.electrum = ElectrumServer(self)
        self.process: Process | None = None
        self._rate = 60 / minute_s
        self._steps: Iterator[Span] = iter(())
        self._span: Span | None = None
        self._left_s = 0.0
        self._stamp_s = clock.now_s()
        self._failure: Failure | None = None
        self._changing = asyncio.Lock()
        self._worker = ThreadPoolExecutor(1, thread_name_prefix="demo-electrs")
        self._leaving = False

    @property
    def is_serving(self) -> bool:
        """Whether its REST interface answers."""
        return self.rest.is_listening

    @property
    def phase(self) -> Phase | None:
        """Of its process."""
        return self.process.phase if self.process else None

    @property
    def tip(self) -> Known:
        """The newest block that it has indexed."""
        height = (self.process.tip_height if self.process else None) or 0
        return self.node.chain.at(max(0, min(height, self.node.tip.height - self.lag_blocks))) or self.node.tip

    async def prepare(self, beginning: Beginning) -> None:
        """Put the data folder there, and start as the beginning says. Raises OSError."""
        self.trap = beginning.trap
        if beginning.room is not None:
            self.index.capacity_bytes = int(beginning.room * self.index.size.txstore_bytes)
        await self._in_worker(lambda: self._prepare_files(beginning.presets))
        up_before_s = _UP_BEFORE_S if beginning.presets.synced else 0.0
        if beginning.position is not None:
            up_before_s = self._time_until(beginning.position) / self._rate
        await self.start(beginning.position, up_before_s=up_before_s)

    async def start(self, position: Position | None = None, *, up_before_s: float = 0.0) -> None:
        """Start its process, unless there is one. Raises OSError."""
        async with self._changing:
            if self.life.is_running:
                return
            ports = (self.metrics.port_number, self.rest.port_number, self.electrum.port_number)
            process = Process(self.settings, self.index, self.node, self._say, ports, first_sync, self.trap, position)
            process.cpu_s = process.cores * up_before_s
            self.process, self._steps, self._span = process, process.run(), None
            self.life.begin(clock.now_s() - up_before_s)
            await self.metrics.start()
            await self._work(0.0)

    def set_trap(self, trap: Trap | None) -> None:
        """Let this and all later processes fail at a certain point, or no more."""
        self.trap = trap
        if self.process is not None:
            self.process.trap = trap

    async def stop(self) -> None:
        """`docker stop`: where it doesn't look for signals it ends by the hard way."""
        async with self._changing:
            if self.life.is_running:
                quiet = self.phase in _QUIET_PHASES
                await self._end(0 if quiet else KILLED_EXIT, restart=False)

    async def kill(self, *, out_of_memory: bool = False) -> None:
        """End it the hard way; Docker starts it again."""
        async with self._changing:
            if self.life.is_running:
                await self._end(KILLED_EXIT, out_of_memory=out_of_memory, restart=True)

    async def close(self) -> None:
        """Stop for good; nothing is written afterwards."""
        self._leaving = True
        await asyncio.to_thread(self._worker.shutdown)
        for service in (self.rest, self.metrics):
            await service.close()
        await self.electrum.close()

    async def run(self) -> None:
        """Let time pass, for ever."""
        before_s = clock.elapsed_s()
        while True:
            await asyncio.sleep(_TICK_S)
            now_s = clock.elapsed_s()
            if self.life.is_due:
                await self.start()
            else:
                await self._take_turn(now_s - before_s)
            before_s = now_s

    async def advance(self, seconds: float) -> None:
        """Let so much of its work be done at once; waits for others take as long as ever."""
        await self._take_turn(0.0, skip_s=seconds)

    async def advance_to(self, phase: Phase) -> bool:
        """Let all work before a phase be done at once; tells whether it got there, or something else held it up."""
        await self._take_turn(0.0, skip_s=math.inf, until=phase)
        return self.phase is phase

    async def _take_turn(self, real_s: float, *, skip_s: float = 0.0, until: Phase | None = None) -> None:
        async with self._changing:
            if self.life.is_running:
                await self._work(real_s, skip_s=skip_s, until=until)

    async def _work(self, real_s: float, *, skip_s: float = 0.0, until: Phase | None = None) -> None:
        """While nothing else changes it: do what there is time for, and open or close ports after that."""
        if self.stalled:
            await self._in_worker(self.log.write_file)
        else:
            await self._in_worker(lambda: self._do(real_s, skip_s, until))
        self.log.publish()
        failure, self._failure = self._failure, None
        if failure is not None:
            await self._end(failure.exit_code, out_of_memory=failure.out_of_memory, restart=True)
        elif self.phase is Phase.READY and not self.rest.is_listening:
            await self.rest.start()
            await self.electrum.start()

    def _do(self, real_s: float, skip_s: float, until: Phase | None) -> None:
        """In a thread: do what there is time for."""
        process = self.process
        assert process is not None
        end_s = clock.now_s()
        try:
            while (until is None or process.phase is not until) and not self._leaving:
                if self._span is None:
                    self._span = next(self._steps)
                    self._left_s = self._span.seconds
                    # it may just have come to where it is to stop
                    continue
                skipped_s = 0.0 if self._span.real else min(skip_s, self._left_s)
                skip_s -= skipped_s
                rate = 1.0 if self._span.real else self._rate
                spent_s = min(real_s, (self._left_s - skipped_s) / rate)
                real_s -= spent_s
                process.cpu_s += process.cores * (spent_s + skipped_s / self._rate)
                self._left_s -= skipped_s + spent_s * rate
                if self._left_s > 1e-9:
                    break
                self._span = None
                self._stamp_s = max(self._stamp_s, end_s - real_s)
        except Failure as failure:
            self._failure = failure
            for line in failure.lines:
                self._say(None, line)
        self._stamp_s = max(self._stamp_s, end_s)
        self.log.write_file()

    async def _in_worker(self, work: Callable[[], None]) -> None:
        await asyncio.get_running_loop().run_in_executor(self._worker, work)

    def _say(self, level: Level | None, message: str) -> None:
        self.log.say(level, message, self._stamp_s)

    async def _end(self, exit_code: int, *, out_of_memory: bool = False, restart: bool) -> None:
        self.life.end(exit_code, out_of_memory=out_of_memory, restart=restart)
        self.process = None
        for database in self.index.databases:
            database.lose_memtable()
        await self.rest.stop()
        await self.electrum.stop()
        await self.metrics.stop()
        await self._in_worker(self.log.write_file)
        self.log.publish()

    async def _metrics(self, _request: Request) -> Response:
        process = self.process
        if process is None:
            return Response(HTTPStatus.SERVICE_UNAVAILABLE)
        process.refresh_gauges()
        return Response(200, process.metrics.text().encode(), None)

    def _prepare_files(self, presets: Presets) -> None:
        self.db_dir.mkdir(parents=True, exist_ok=True)
        self.log.path.touch()
        self.index.preset(presets)

    def _time_until(self, position: Position) -> float:
        """Work that a process has behind it at a position."""
        size = self.index.size
        passes = {
            Phase.PASS_1: (0.0, size.pass_1_s),
            Phase.COMPACTING_TXSTORE: (size.pass_1_s, 0.0),
            Phase.PASS_2: (size.pass_1_s + size.compact_txstore_s, size.pass_2_s),
            Phase.COMPACTING_HISTORY: (size.pass_1_s + size.compact_txstore_s + size.pass_2_s, 0.0),
        }
        before_s, pass_s = passes[position.phase]
        return size.headers_s + before_s + pass_s * position.share
