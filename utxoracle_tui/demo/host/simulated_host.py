"""The simulated host as a whole: its data directory, its node, what stands beside that, and what drives them."""

from __future__ import annotations

import asyncio
import os
import shutil
import tempfile
from collections.abc import Coroutine
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from utxoracle_tui import clock
from utxoracle_tui.demo.host.block_store import BlockStore
from utxoracle_tui.demo.host.chain_state import ChainState
from utxoracle_tui.demo.host.control import ControlServer
from utxoracle_tui.demo.host.control_actions import Actions
from utxoracle_tui.demo.host.control_chain import chain_actions
from utxoracle_tui.demo.host.control_node import node_actions
from utxoracle_tui.demo.host.docker.engine import Engine
from utxoracle_tui.demo.host.electrs.electrs import Electrs
from utxoracle_tui.demo.host.electrs.node_view import NodeView
from utxoracle_tui.demo.host.electrs.settings import Phase, SyncSize
from utxoracle_tui.demo.host.growth import Growth
from utxoracle_tui.demo.host.history import History, plan_history
from utxoracle_tui.demo.host.http_server import LOOPBACK, LoopbackPort
from utxoracle_tui.demo.host.market import Market
from utxoracle_tui.demo.host.mempool.backend import Backend
from utxoracle_tui.demo.host.mempool.host import MempoolHost
from utxoracle_tui.demo.host.miner import price_path
from utxoracle_tui.demo.host.node import FIRST_WARM_UP_S, Node
from utxoracle_tui.demo.host.node_state import NETWORK, NodeSettings, NodeState
from utxoracle_tui.demo.host.options import HostOptions
from utxoracle_tui.demo.host.scenario import SCENARIOS
from utxoracle_tui.demo.host.services import Services

CONTROL_URL_NAME = "UTXORACLE_DEMO_CONTROL_URL"
_SPEED_WITHOUT_BLOCKS = 60.0
"""Of a scenario's minutes when no blocks arrive."""


class SimulatedHost:
    """An async context: entered, it listens; left, nothing of it remains."""

    def __init__(
        self, options: HostOptions, settings: NodeSettings | None = None, size: SyncSize | None = None
    ) -> None:
        """`size` is that of a first sync of electrs."""
        self.options = options
        self._settings = settings or NodeSettings()
        self._size = size or SyncSize()
        self._scenario = SCENARIOS[options.scenario]
        self._tasks: set[asyncio.Task[None]] = set()
        self._loaded = asyncio.Event()
        self._ready = asyncio.Event()
        self._failure: asyncio.Future[None] | None = None

    async def __aenter__(self) -> Self:
        """Raises OSError when the ports or the data directory cannot be had."""
        self._failure = asyncio.get_running_loop().create_future()
        self._datadir = Path(tempfile.mkdtemp(prefix="utxoracle-demo-"))
        folder = self._datadir / NETWORK
        self._store = BlockStore(folder / "blocks")
        self.chain = ChainState(self._store)
        self.history: History = plan_history(self.options.seed, self.options.days, clock.now_s())
        self.market = Market(price_path(self.options, self.history), self.options.seed)
        self._port = LoopbackPort()
        self.node = Node(NodeState(self.chain, self._settings, folder), self._port, self._loaded)
        self.growth = Growth(self.options, self.history, self.market, self.chain, self.node)
        self._services = Services(
            NodeView(self.node, self.chain, self._port.number),
            self.market,
            self._datadir,
            size=self._size,
            minute_s=self.minute_s,
        )
        self.backend.settings.price_updates_per_hour = self.options.price_updates_per_hour
        self._write_config()
        self._control = ControlServer(self._actions())
        try:
            await self.node.listen()
            await self._services.listen()
            await self._control.listen()
        except BaseException:
            await self.aclose()
            raise
        for work in (self._load(), self._drive(), *self._services.background()):
            self.in_background(work)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop, and delete the data directory."""
        await self.aclose()

    async def aclose(self) -> None:
        """Stop, and delete the data directory."""
        self.growth.leave()
        for task in self._tasks:
            task.cancel()
        if self._tasks:
            await asyncio.wait(list(self._tasks))
        await self._control.close()
        await self._services.close()
        await self.node.stop()
        self.growth.close()
        self._store.close()
        self._port.close()
        shutil.rmtree(self._datadir, ignore_errors=True)

    @property
    def url(self) -> str:
        """Of the node."""
        return f"http://{LOOPBACK}:{self._port.number}"

    @property
    def electrs(self) -> Electrs:
        """The index server."""
        return self._services.electrs

    @property
    def mempool(self) -> MempoolHost:
        """The mempool backend behind its port."""
        return self._services.mempool

    @property
    def docker(self) -> Engine:
        """The Docker Engine."""
        return self._services.docker

    @property
    def backend(self) -> Backend:
        """The mempool backend."""
        return self._services.mempool.backend

    @property
    def environment(self) -> dict[str, str]:
        """Variables that let every command find the host."""
        env = {
            "BITCOIN_RPC_URL": self.url,
            "BITCOIN_DATADIR": str(self._datadir),
            **self._services.addresses,
            CONTROL_URL_NAME: self._control.url,
        }
        password = self._settings.rpc_password
        if password is not None:
            env |= {"BITCOIN_RPC_USER": self._settings.rpc_user or "", "BITCOIN_RPC_PASSWORD": password}
        simulated = os.environ.get(clock.ENVIRONMENT_NAME)
        if simulated:
            env[clock.ENVIRONMENT_NAME] = f"{clock.now_s():.3f}@{simulated.partition('@')[2] or 1}"
        return env

    async def ready(self) -> None:
        """Wait until the node has warmed up for the first time, and electrs serves if it has nothing to do before.

        Raises what broke the host before that.
        """
        waiting = asyncio.create_task(self._ready.wait())
        broken = asyncio.create_task(self.broken())
        try:
            done, _ = await asyncio.wait({waiting, broken}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            waiting.cancel()
            broken.cancel()
        if broken in done:
            broken.result()

    async def broken(self) -> None:
        """Wait for ever; raises what breaks the host."""
        await asyncio.shield(self._failed())

    def in_background(self, work: Coroutine[Any, Any, None]) -> None:
        """Run something for as long as the host is up; when it fails, so does the host."""
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._ended)

    @property
    def is_ready(self) -> bool:
        """As `ready`."""
        return self._ready.is_set()

    @property
    def minute_s(self) -> float:
        """Seconds that a minute lasts at the speed at which blocks arrive."""
        return 60 / (self.options.speed or _SPEED_WITHOUT_BLOCKS)

    def _actions(self) -> Actions:
        return node_actions(self) | chain_actions(self.growth) | self._services.actions()

    async def _load(self) -> None:
        # thousands of files are made in no time, but not beside a thread that makes blocks
        if self._scenario.syncs:
            await asyncio.to_thread(self._store.add_empty, self.electrs.index.size.blk_files)
        await self.electrs.prepare(self._scenario.electrs)
        await self.growth.load(missing=self._scenario.blocks_missing)
        self._loaded.set()

    async def _drive(self) -> None:
        await self.node.start(FIRST_WARM_UP_S)
        if not self._scenario.syncs:
            await self.electrs.advance_to(Phase.READY)
        self.backend.look()
        self.growth.begin()
        self._ready.set()
        self.in_background(self.electrs.run())
        self.in_background(self.growth.arrivals())
        self.in_background(self._scenario.script(self))

    def _write_config(self) -> None:
        """A node with a port of its own has it in its configuration, and so a client finds it there."""
        lines = [f"{NETWORK}=1", f"rest={int(self._settings.rest)}", f"[{NETWORK}]", f"rpcport={self._port.number}"]
        (self._datadir / "bitcoin.conf").write_text("\n".join(lines) + "\n", encoding="ascii")

    def _failed(self) -> asyncio.Future[None]:
        assert self._failure is not None
        return self._failure

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        error = None if task.cancelled() else task.exception()
        if error is not None and not self._failed().done():
            self._failed().set_exception(error)
