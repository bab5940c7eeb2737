"""The simulated mempool backend: what it follows, and what it still knows when that is gone."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from utxoracle_tui import clock
from utxoracle_tui.demo.host.block_figures import BlockFigures, block_figures
from utxoracle_tui.demo.host.chain_state import ChainState, Known
from utxoracle_tui.demo.host.json_text import Json
from utxoracle_tui.demo.host.log_book import STDOUT, LogBook, syslog_time
from utxoracle_tui.demo.host.mempool import blocks
from utxoracle_tui.demo.host.mempool.exchange import Exchange
from utxoracle_tui.demo.host.mempool.settings import ESPLORA, BackendSettings

KEPT_BLOCKS = 32
"""Blocks that it has in memory, and goes on telling while the node is away."""
_FAILURES_OUT_OF_SYNC = 5
_OUT_OF_SYNC_PCT = 99
_MINUTES_AN_HOUR = 60
_PID = 29
_CORE_VERSION = "/Satoshi:28.1.0/"


class Backend:
    """Follows the node, and electrs if it is set up for that, by polling."""

    def __init__(
        self,
        settings: BackendSettings,
        exchange: Exchange,
        chain: ChainState,
        *,
        node_up: Callable[[], bool],
        electrs_up: Callable[[], bool],
        minute_s: float,
    ) -> None:
        """`minute_s` is how many seconds a minute lasts on this host."""
        self.settings = settings
        self.exchange = exchange
        self.log = LogBook(STDOUT)
        self.is_running = False
        self.in_sync = False
        self.core_version = "?"
        self._chain = chain
        self._node_up = node_up
        self._electrs_up = electrs_up
        self._minute_s = minute_s
        self._recent: list[Known] = []
        self._figures: dict[str, BlockFigures] = {}
        self._failures = 0
        self._price_settings_changed = asyncio.Event()

    @property
    def tip(self) -> Known | None:
        """The newest block it knows; that of before while the node is away."""
        return self._recent[-1] if self._recent else None

    @property
    def needs_electrs(self) -> bool:
        """Whether it is set up for an electrs."""
        return self.settings.kind == ESPLORA

    @property
    def sources_up(self) -> bool:
        """Whether those that it follows answer."""
        return self._node_up() and (self._electrs_up() or not self.needs_electrs)

    @property
    def loading(self) -> Json:
        """As `loadingIndicators`."""
        return {} if self.in_sync else {"mempool": _OUT_OF_SYNC_PCT}

    @property
    def price_period_s(self) -> float:
        """Seconds from one look at the exchanges to the next."""
        return self._minute_s * _MINUTES_AN_HOUR / self.settings.price_updates_per_hour

    def begin(self) -> None:
        """The process starts: it knows no block, and of prices what its table has."""
        self._write("NOTICE", "Starting Mempool Server... (6b3ed8bd)")
        self._recent = []
        self._failures = 0
        self.in_sync = False
        self.core_version = _CORE_VERSION if self._node_up() else "?"
        self.exchange.update(clock.now_s())
        self.is_running = True
        self._price_settings_changed.set()
        self._write("NOTICE", "Mempool Server is running on port 8999")

    def end(self) -> None:
        """The process is gone; the next one finds only what is in the table."""
        self.is_running = False
        self.in_sync = False
        self.exchange.restart(database=self.settings.database_up)

    async def run(self) -> None:
        """Follow node and electrs for ever."""
        while True:
            await asyncio.sleep(self.look() if self.is_running else self.settings.retry_s)

    async def run_prices(self) -> None:
        """Follow the exchanges for ever."""
        saved_s = clock.elapsed_s()
        while True:
            self._price_settings_changed.clear()
            try:
                async with asyncio.timeout(self.price_period_s):
                    await self._price_settings_changed.wait()
                continue
            except TimeoutError:
                pass
            if self.is_running:
                self.exchange.update(clock.now_s())
                if clock.elapsed_s() - saved_s >= self._minute_s * _MINUTES_AN_HOUR:
                    saved_s = clock.elapsed_s()
                    self.exchange.save()

    def update_prices(self) -> None:
        """Look at the exchanges now, and then by the settings as they are."""
        self.exchange.update(clock.now_s())
        self._price_settings_changed.set()

    def newest(self, count: int) -> list[Known]:
        """The newest blocks it knows, highest first."""
        return self._recent[: -count - 1 : -1]

    def run_down_from(self, height: int, count: int) -> list[Known]:
        """Blocks from a height downwards, of those that it has in memory or can get from the node."""
        known = {block.height: block for block in self._recent}
        found: list[Known] = []
        for below in range(height, max(height - count, -1), -1):
            block = known.get(below) or (self._chain.at(below) if self.sources_up else None)
            if block is not None and self.tip is not None and below <= self.tip.height:
                found.append(block)
        return found

    def find(self, block_hash: str) -> Known | None:
        """A block by its hash, under the same condition."""
        kept = next((block for block in self._recent if block.hash == block_hash), None)
        return kept or (self._chain.find(block_hash) if self.sources_up else None)

    def epoch_start(self, tip: Known) -> Known:
        """The first block of the 2,016 that share the tip's difficulty."""
        return self._chain.at(tip.height - tip.height % 2016) or tip

    async def block_json(self, block: Known) -> Json:
        """As an item of `/blocks`."""
        if block.hash not in self._figures:
            raw = self._chain.raw(block) or b""
            while len(self._figures) >= 2 * KEPT_BLOCKS:
                del self._figures[next(iter(self._figures))]
            self._figures[block.hash] = await asyncio.to_thread(block_figures, raw)
        return blocks.block_json(block, self._figures[block.hash])

    def look(self) -> float:
        """Do one round of the main loop. Returns how long to wait for the next, in seconds."""
        if self.sources_up:
            tip = self._chain.tip
            self._failures = 0
            self.core_version = _CORE_VERSION
            if self.tip is None or self.tip.hash != tip.hash:
                low = self._chain.at(max(0, tip.height - KEPT_BLOCKS + 1))
                self._recent = self._chain.run_from(low, KEPT_BLOCKS) if low else [tip]
            if not self.in_sync:
                self.in_sync = True
                self._write("NOTICE", "The mempool is now in sync!")
            return self.settings.poll_s
        self._failures += 1
        if self._failures >= _FAILURES_OUT_OF_SYNC:
            self.in_sync = False
        self._write_failure()
        return self.settings.retry_s

    def _write_failure(self) -> None:
        reason = "connect ECONNREFUSED 127.0.0.1:3001" if self._node_up() else "connect ECONNREFUSED 127.0.0.1:8332"
        if self._node_up():
            self._write("WARN", f"esplora request failed undefined http://127.0.0.1:3001/mempool/txids, {reason}")
        if self._failures >= _FAILURES_OUT_OF_SYNC:
            count = f"(count: {self._failures}). Retrying in 1 sec."
            self._write("WARN", f"Exception in runMainUpdateLoop() {count} Reason: {reason}")

    def _write(self, level: str, message: str) -> None:
        self.log.write(f"{syslog_time(clock.now_s())} [{_PID}] {level}: {message}")
