"""The simulated host as a whole: its data directory, its chain, its node, and what drives them."""

from __future__ import annotations

import asyncio
import os
import random
import shutil
import tempfile
import threading
from collections.abc import Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import TracebackType
from typing import Any, Self, TypeVar

from utxoracle_tui import clock
from utxoracle_tui.demo.host.block_store import BlockStore
from utxoracle_tui.demo.host.chain_state import ChainState, Known
from utxoracle_tui.demo.host.control import ControlServer
from utxoracle_tui.demo.host.history import History, plan_history
from utxoracle_tui.demo.host.http_server import LOOPBACK, LoopbackPort
from utxoracle_tui.demo.host.miner import Miner
from utxoracle_tui.demo.host.node import FIRST_WARM_UP_S, Node
from utxoracle_tui.demo.host.node_state import NETWORK, NodeSettings, NodeState
from utxoracle_tui.demo.host.options import HostOptions
from utxoracle_tui.demo.host.scenario import SCENARIOS

CONTROL_URL_NAME = "UTXORACLE_DEMO_CONTROL_URL"
_MEAN_SPACING_S = 600.0
_SPEED_WITHOUT_BLOCKS = 60.0
"""Of a scenario's minutes when no blocks arrive."""

T = TypeVar("T")


class SimulatedHost:
    """An async context: entered, it listens; left, nothing of it remains.

    Blocks are made by a thread. Until the node has warmed up only that thread changes the chain, afterwards only the
    event loop does.
    """

    def __init__(self, options: HostOptions, settings: NodeSettings | None = None) -> None:
        self.options = options
        self._settings = settings or NodeSettings()
        self._tasks: set[asyncio.Task[None]] = set()
        self._maker = ThreadPoolExecutor(1, thread_name_prefix="demo-blocks")
        self._leaving = threading.Event()
        self._loaded = asyncio.Event()
        self._ready = asyncio.Event()
        self._mining = asyncio.Lock()
        self._failure: asyncio.Future[None] | None = None

    async def __aenter__(self) -> Self:
        """Raises OSError when the ports or the data directory cannot be had."""
        self._failure = asyncio.get_running_loop().create_future()
        self._datadir = Path(tempfile.mkdtemp(prefix="utxoracle-demo-"))
        folder = self._datadir / NETWORK
        self._store = BlockStore(folder / "blocks")
        self.chain = ChainState(self._store)
        self.history: History = plan_history(self.options.seed, self.options.days, clock.now_s())
        self._miner = Miner(self.options, self.history)
        self._port = LoopbackPort()
        self.node = Node(NodeState(self.chain, self._settings, folder), self._port, self._loaded)
        self._write_config()
        self._control = ControlServer(self)
        try:
            await self.node.listen()
            await self._control.listen()
        except BaseException:
            await self.aclose()
            raise
        for work in (self._load(), self._drive()):
            self.in_background(work)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop, and delete the data directory."""
        await self.aclose()

    async def aclose(self) -> None:
        """Stop, and delete the data directory."""
        self._leaving.set()
        for task in self._tasks:
            task.cancel()
        if self._tasks:
            await asyncio.wait(list(self._tasks))
        await self._control.close()
        await self.node.stop()
        self._maker.shutdown()
        self._store.close()
        self._port.close()
        shutil.rmtree(self._datadir, ignore_errors=True)

    @property
    def url(self) -> str:
        """Of the node."""
        return f"http://{LOOPBACK}:{self._port.number}"

    @property
    def environment(self) -> dict[str, str]:
        """Variables that let every command find the host."""
        env = {
            "BITCOIN_RPC_URL": self.url,
            "BITCOIN_DATADIR": str(self._datadir),
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
        """Wait until the node has warmed up for the first time. Raises what broke the host before that."""
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
        """Whether the node has warmed up for the first time."""
        return self._ready.is_set()

    async def mine(self, count: int = 1) -> list[Known]:
        """Let blocks arrive on the tip, now."""
        await self._ready.wait()
        async with self._mining:
            return [await self._arrive(int(clock.now_s())) for _ in range(count)]

    async def reorg(self, depth: int, length: int) -> list[Known]:
        """Let a branch of `length` blocks replace the newest `depth`, at the same times and then now.

        Raises ValueError unless the branch is longer, and the chain long enough.
        """
        await self._ready.wait()
        async with self._mining:
            tip = self.chain.tip
            fork = self.chain.at(tip.height - depth)
            if fork is None or not 0 < depth < length:
                raise ValueError(f"a branch of {length} blocks cannot replace the newest {depth} of {tip.height}")
            replaced = [block.time_s for block in self.chain.run_from(fork, depth + 1)[1:]]
            times = replaced + [int(clock.now_s())] * (length - depth)
            await self._in_maker(lambda: self._miner.branch_off(fork.height, bytes.fromhex(fork.hash)[::-1]))
            made: list[Known] = []
            for time_s in times:
                made.append(await self._arrive(time_s, on=made[-1] if made else fork))
            return made

    async def prune(self, below: int | None) -> None:
        """Forget the blocks under a height; None makes the node one that never pruned."""
        await self._ready.wait()
        self.chain.prune_below(below)

    @property
    def minute_s(self) -> float:
        """Seconds that a minute lasts at the speed at which blocks arrive."""
        return 60 / (self.options.speed or _SPEED_WITHOUT_BLOCKS)

    async def _arrive(self, time_s: int, on: Known | None = None) -> Known:
        parent = on or self.chain.tip
        time_s = max(time_s, parent.median_time_s + 1)
        return self.chain.connect(await self._in_maker(lambda: self._miner.next_block(time_s)))

    async def _in_maker(self, work: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._maker, work)

    async def _load(self) -> None:
        await self._in_maker(self._make_past)
        self._loaded.set()

    def _make_past(self) -> None:
        for block in self._miner.past(self._leaving):
            self.chain.connect(block)

    async def _drive(self) -> None:
        await self.node.start(FIRST_WARM_UP_S)
        self._ready.set()
        if self.options.speed:
            self.in_background(self._arrivals())
        self.in_background(SCENARIOS[self.options.scenario](self))

    async def _arrivals(self) -> None:
        waits = random.Random(self.options.seed)
        while True:
            await asyncio.sleep(waits.expovariate(self.options.speed / _MEAN_SPACING_S))
            await self.mine()

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
