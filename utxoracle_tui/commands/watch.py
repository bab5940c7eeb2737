"""`utxoracle-tui watch`: the engine without a screen, until it is told to end."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import logging
import os
import signal
import sys
import threading
from collections.abc import Callable, Sequence
from dataclasses import fields
from pathlib import Path
from typing import Literal

from utxoracle_tui.commands.alerting import alert_watch
from utxoracle_tui.commands.job_engine import live_jobs
from utxoracle_tui.commands.node import exchange_of, limits_of, load_settings, open_node, open_store, pricing
from utxoracle_tui.commands.running import tell
from utxoracle_tui.commands.stack import stack_watch
from utxoracle_tui.commands.stored import likely_store
from utxoracle_tui.config.inputs import Flags
from utxoracle_tui.config.load import load
from utxoracle_tui.config.paths import cache_dir, data_dir
from utxoracle_tui.config.settings import AUTO, Settings
from utxoracle_tui.engine.exchange import Exchange
from utxoracle_tui.engine.live_rounds import LiveRounds
from utxoracle_tui.engine.live_window import LiveWindow
from utxoracle_tui.engine.precedence import Precedence
from utxoracle_tui.engine.rounds import Rounds
from utxoracle_tui.engine.watch.daily_backup import DailyBackup
from utxoracle_tui.engine.watch.engine import WatchEngine, WatchParts
from utxoracle_tui.engine.watch.presence import BEAT_EVERY_S, Presence, WatchRuns
from utxoracle_tui.engine.watch.short_lines import short_lines
from utxoracle_tui.engine.workers import Workers
from utxoracle_tui.errors import Exit, OperatorError
from utxoracle_tui.own_log.keeping import kept_log
from utxoracle_tui.serve.systemd_notify import Notifier
from utxoracle_tui.sources.bitcoin_core import BitcoinCore
from utxoracle_tui.store.store import Store

_END_WITHIN_S = 9.0
"""A disk that hangs must not keep the process alive; whatever is stored is whole at any moment."""
_COMPILE_AFTER_S = 3.0
_log = logging.getLogger(__name__)

_Order = Literal["end", "reload"]


def run(arguments: argparse.Namespace) -> Exit:
    """Watch until SIGTERM or Ctrl-C, which is exit code 0. Raises `OperatorError` where another watch runs."""
    loaded = load(Flags.of(arguments), os.environ, Path.cwd())
    warnings = [each.sentence for each in loaded.exposed]
    return asyncio.run(_Watch(lambda: load_settings(arguments), warnings).run(loaded.settings))


class _Watch:
    """The process: its signals, its mark on the store, what systemd is told, and one engine after another."""

    def __init__(self, load_again: Callable[[], Settings], warnings: Sequence[str] = ()) -> None:
        """`warnings` are logged once."""
        self._load_again = load_again
        self._warnings = warnings
        self._notifier = Notifier(os.environ)
        self._presence = Presence()
        self._orders: asyncio.Queue[_Order] = asyncio.Queue()

    async def run(self, settings: Settings) -> Exit:
        """Run engines until told to end, one for each configuration."""
        self._listen()
        beside = [asyncio.create_task(self._notifier.run_watchdog()), asyncio.create_task(self._beat())]
        following: Settings | None = settings
        try:
            while following is not None:
                following = await self._run_with(following)
        finally:
            self._notifier.stopping()
            for task in beside:
                task.cancel()
            await asyncio.gather(*beside, return_exceptions=True)
            await asyncio.to_thread(self._presence.leave)
        return Exit.DONE

    def _listen(self) -> None:
        loop = asyncio.get_running_loop()
        for name, order in (("SIGTERM", self._end), ("SIGINT", self._end), ("SIGHUP", self._reload)):
            # not every platform has all of them
            with contextlib.suppress(AttributeError, NotImplementedError):
                loop.add_signal_handler(getattr(signal, name), order)

    def _end(self) -> None:
        """End in order; the same signal once more ends the process at once, whatever it is at."""
        for number in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().remove_signal_handler(number)
            signal.signal(number, signal.SIG_DFL)
        limit = threading.Timer(_END_WITHIN_S, _end_hard)
        limit.daemon = True
        limit.start()
        self._orders.put_nowait("end")

    def _reload(self) -> None:
        self._orders.put_nowait("reload")

    async def _beat(self) -> None:
        while True:
            await asyncio.to_thread(self._presence.beat)
            await asyncio.sleep(BEAT_EVERY_S)

    async def _run_with(self, settings: Settings) -> Settings | None:
        """Run an engine until there are other settings, or None when it is to end."""
        with kept_log(settings, "watch", tell), short_lines(sys.stderr, os.environ):
            for sentence in self._warnings:
                _log.warning("%s", sentence)
            self._warnings = ()
            engine = asyncio.create_task(self._run_engine(settings))
            try:
                return await self._until_told(settings, engine)
            finally:
                engine.cancel()
                await asyncio.gather(engine, return_exceptions=True)

    async def _until_told(self, settings: Settings, engine: asyncio.Task[None]) -> Settings | None:
        while True:
            order = asyncio.create_task(self._orders.get())
            await asyncio.wait({engine, order}, return_when=asyncio.FIRST_COMPLETED)
            if engine.done():
                order.cancel()
                engine.result()
            if await order == "end":
                _log.info("told to end")
                return None
            changed = await self._other_settings(settings)
            if changed is not None:
                return changed

    async def _other_settings(self, settings: Settings) -> Settings | None:
        """The settings as they are now; None where they can't be used, or are the same."""
        self._notifier.reloading()
        try:
            found = await asyncio.to_thread(self._load_again)
        except OperatorError as error:
            _log.error("the configuration was read again and can't be used; the one before stays. %s", error.message)
        else:
            if names := _differing(settings, found):
                _log.info("the configuration was read again, the engine begins anew; changed: %s", ", ".join(names))
                return found
            _log.info("the configuration was read again; nothing has changed")
        self._notifier.ready()
        return None

    async def _run_engine(self, settings: Settings) -> None:
        await asyncio.to_thread(self._take_early, settings)
        refused: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        workers = Workers(cache_dir(settings.store.data_dir))
        async with workers, open_node(settings) as node, exchange_of(settings) as exchange:
            workers.start()
            workers.compile_in_background(_COMPILE_AFTER_S)
            parts = self._parts(settings, node, workers, exchange, refused)
            running = asyncio.create_task(WatchEngine(parts, self._notifier.status).run())
            self._notifier.ready()
            folder, minutes = data_dir(settings.store.data_dir), settings.rounds.interval_minutes
            _log.info("watching: a round with every block and every %d min, kept in %s", minutes, folder)
            try:
                await asyncio.wait({running, refused}, return_when=asyncio.FIRST_COMPLETED)
                for each in (refused, running):
                    if each.done():
                        each.result()
            finally:
                running.cancel()
                await asyncio.gather(running, return_exceptions=True)

    def _take_early(self, settings: Settings) -> None:
        """Mark the store before the node says which it is, where that is clear or likely."""
        named = settings.node.network
        if named != AUTO:
            self._presence.take(data_dir(settings.store.data_dir) / named)
            return
        with contextlib.suppress(OperatorError):
            # the node may be on another chain than a watch that runs
            store = likely_store(settings)
            if store is not None:
                self._presence.take(store.folder.home)

    def _parts(
        self,
        settings: Settings,
        node: BitcoinCore,
        workers: Workers,
        exchange: Exchange,
        refused: asyncio.Future[None],
    ) -> WatchParts:
        """What the engine consists of; `refused` gets the exception that another watch runs on the node's store."""
        precedence = Precedence()
        windows = pricing(settings, node, workers, keep=True, precedence=precedence)

        async def open_it() -> Store:
            store = await open_store(settings, node)
            try:
                await asyncio.to_thread(self._presence.take, store.folder.home)
            except WatchRuns as error:
                if not refused.done():
                    refused.set_exception(error)
                raise
            return store

        live = LiveRounds(open_it, lambda store: Rounds(windows, exchange, store, limits_of(settings)))
        return WatchParts(
            newest=LiveWindow(windows, settings.rounds.interval_minutes * 60),
            live=live,
            stack=stack_watch(settings, node, exchange, lambda: live.store),
            jobs=live_jobs(
                settings, node, workers, exchange=exchange, precedence=precedence, opened=lambda: live.store
            ),
            backups=DailyBackup(lambda: live.store, settings.store.backups),
            alerts=alert_watch(settings, lambda: live.store),
        )


def _differing(before: Settings, now: Settings) -> list[str]:
    """The keys whose values differ."""
    return [
        f"{section.name}.{field.name}"
        for section in fields(Settings)
        for field in fields(getattr(now, section.name))
        if getattr(getattr(before, section.name), field.name) != getattr(getattr(now, section.name), field.name)
    ]


def _end_hard() -> None:
    with contextlib.suppress(OSError):
        os.write(2, b"utxoracle-tui: Not all ended in time, and is left as it is. What is stored is whole.\n")
    os._exit(Exit.DONE)
