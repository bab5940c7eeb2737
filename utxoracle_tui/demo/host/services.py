"""Everything on the simulated host beside the node: electrs, the mempool backend, and Docker."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Iterator, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

from utxoracle_tui import clock
from utxoracle_tui.demo.host.container_life import Life
from utxoracle_tui.demo.host.control_actions import Actions
from utxoracle_tui.demo.host.docker.control import docker_actions
from utxoracle_tui.demo.host.docker.engine import Engine
from utxoracle_tui.demo.host.docker.stack import stack
from utxoracle_tui.demo.host.electrs.control import electrs_actions
from utxoracle_tui.demo.host.electrs.electrs import Electrs
from utxoracle_tui.demo.host.electrs.node_view import NodeView
from utxoracle_tui.demo.host.electrs.settings import ElectrsSettings, SyncSize
from utxoracle_tui.demo.host.json_text import Json
from utxoracle_tui.demo.host.log_book import STDOUT, LogBook
from utxoracle_tui.demo.host.market import Market
from utxoracle_tui.demo.host.mempool.backend import Backend
from utxoracle_tui.demo.host.mempool.control import exchange_actions, mempool_actions
from utxoracle_tui.demo.host.mempool.exchange import Exchange
from utxoracle_tui.demo.host.mempool.host import MempoolHost
from utxoracle_tui.demo.host.mempool.settings import BackendSettings

_UP_SINCE_S = 30 * 86_400.0
"""How long the other containers have been running."""


class Services:
    """Made before the host listens; each part has a life of its own."""

    def __init__(self, node: NodeView, market: Market, folder: Path, *, size: SyncSize, minute_s: float) -> None:
        """`folder` is for their files. Raises OSError when there are no ports to be had."""
        self.electrs = Electrs(ElectrsSettings(), size, node, folder / "electrs", minute_s=minute_s)
        backend = Backend(
            BackendSettings(),
            Exchange(market, now_s=clock.now_s()),
            node.chain,
            node_up=lambda: node.is_up,
            electrs_up=lambda: self.electrs.is_serving,
            minute_s=minute_s,
        )
        self.mempool = MempoolHost(backend)
        self._market = market
        self._lives = {name: Life() for name in ("db", "web")}
        for life in self._lives.values():
            life.begin(clock.now_s() - _UP_SINCE_S)
        others = {name: (life, LogBook(STDOUT)) for name, life in self._lives.items()}
        others["api"] = (self.mempool.life, backend.log)
        self.docker = Engine(stack(self.electrs, others, str(self.electrs.db_dir)), folder / "docker.sock")

    async def listen(self) -> None:
        """Open the ports of what doesn't wait for anything. Raises OSError."""
        await self.mempool.start()
        await self.docker.start()

    def background(self) -> Iterator[Coroutine[Any, Any, None]]:
        """What goes on for as long as the host is up."""
        yield self.mempool.backend.run()
        yield self.mempool.backend.run_prices()

    async def close(self) -> None:
        """Stop for good."""
        await asyncio.gather(self.mempool.close(), self.docker.service.close(), self.electrs.close())

    @property
    def addresses(self) -> Mapping[str, str]:
        """Variables of the program's settings, by which it finds all of this."""
        return MappingProxyType(
            {
                "MEMPOOL_API_URL": self.mempool.service.url,
                "ELECTRS_HTTP_URL": self.electrs.rest.url,
                "UTXORACLE_TUI_ELECTRS_METRICS_URL": self.electrs.metrics.url,
                "UTXORACLE_TUI_ELECTRS_LOG_FILE": str(self.electrs.log.path),
                "UTXORACLE_TUI_ELECTRS_INDEX_DIR": str(self.electrs.db_dir),
                "UTXORACLE_TUI_CONTAINERS_SOCKET": str(self.docker.path),
            }
        )

    def actions(self) -> Actions:
        """Of all of them."""

        async def addresses() -> Json:
            """Where everything is, by the names of variables."""
            return dict(self.addresses)

        return (
            Actions({"addresses": addresses}, {})
            | electrs_actions(self.electrs).under("electrs")
            | mempool_actions(self.mempool).under("mempool")
            | exchange_actions(self.mempool, self._market).under("exchange")
            | docker_actions(self.docker, self._lives).under("docker")
        )
