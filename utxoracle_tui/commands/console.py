"""`utxoracle-tui` alone: the console, on the node or on a folder of raw blocks."""

from __future__ import annotations

import argparse
import logging
import os
import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from utxoracle_tui.commands.settings_place import settings_place
from utxoracle_tui.config.changing import SettingsPlace
from utxoracle_tui.config.inputs import Flags
from utxoracle_tui.config.paths import cache_dir, data_dir
from utxoracle_tui.config.settings import Settings
from utxoracle_tui.engine.workers import Workers
from utxoracle_tui.errors import Exit, OperatorError

if TYPE_CHECKING:
    from utxoracle_tui.alerts.watch import AlertWatch
    from utxoracle_tui.engine.stack.stack import StackWatch
    from utxoracle_tui.own_log.keeping import OwnLog

_COMPILE_AFTER_S = 3.0
_log = logging.getLogger(__name__)


def run(arguments: argparse.Namespace) -> Exit:
    """Open the console until the operator leaves it."""
    need_terminal()
    place = settings_place(Flags.of(arguments), os.environ, Path.cwd())
    settings = place.started.settings
    cache = cache_dir(settings.store.data_dir)
    if arguments.blocks is not None:
        return _on_folder(arguments.blocks, cache, settings)
    return on_node(place, cache, warnings=tuple(each.sentence for each in place.started.exposed))


def need_terminal() -> None:
    """Raise `OperatorError` where there is no terminal to show a console on."""
    # Textual's own variable: what names a driver has a screen of its own, as a browser is
    if not sys.stdout.isatty() and not os.environ.get("TEXTUAL_DRIVER"):
        message = "The console needs a terminal. For output to a file or a pipe: utxoracle-tui price --json."
        raise OperatorError("no_terminal", message, Exit.USAGE)


def _on_folder(path: Path, cache: Path, settings: Settings) -> Exit:
    from utxoracle_tui.engine.folder_pricing import FolderPricing  # noqa: PLC0415
    from utxoracle_tui.sources.block_folder import open_folder  # noqa: PLC0415

    folder = open_folder(path)
    workers = _started(cache)
    try:
        from utxoracle_tui.commands.node import limits_of  # noqa: PLC0415  (the workers start meanwhile)
        from utxoracle_tui.ui.app import Console  # noqa: PLC0415
        from utxoracle_tui.ui.key_places import checked_keys  # noqa: PLC0415
        from utxoracle_tui.ui.remembered import of_this_console  # noqa: PLC0415
        from utxoracle_tui.ui.screens.window_detail import of_folder  # noqa: PLC0415

        look = settings.screen
        checked_keys(look.keys, look.remap)
        remembering = of_this_console(settings.store.data_dir, str(path), read_only=look.read_only)
        Console(
            of_folder(FolderPricing(folder, workers), limits_of(settings)), look=look, remembering=remembering
        ).start()
    finally:
        workers.stop()
    return Exit.DONE


def on_node(place: SettingsPlace, cache: Path, *, label: str = "", warnings: tuple[str, ...] = ()) -> Exit:
    """The console on the node that the settings of `place` name; `label` stands in its heading, `warnings` are told
    once.
    """
    from utxoracle_tui.own_log.keeping import kept_log  # noqa: PLC0415  (the workers start meanwhile)

    with kept_log(place.started.settings, label.lower() or "console") as own_log:
        for sentence in warnings:
            _log.warning("%s", sentence)
        return _on_node(place, cache, label, own_log, warnings)


def _on_node(place: SettingsPlace, cache: Path, label: str, own_log: OwnLog, warnings: tuple[str, ...]) -> Exit:
    settings = place.started.settings
    workers = _started(cache)
    try:
        from utxoracle_tui.commands.job_engine import live_jobs  # noqa: PLC0415
        from utxoracle_tui.commands.node import (  # noqa: PLC0415  (the workers start meanwhile)
            exchange_of,
            limits_of,
            live_rounds,
            open_node,
            pricing,
        )
        from utxoracle_tui.engine.chart.history import PriceHistory  # noqa: PLC0415
        from utxoracle_tui.engine.live_window import LiveWindow  # noqa: PLC0415
        from utxoracle_tui.engine.logs.sources import live_logs  # noqa: PLC0415
        from utxoracle_tui.engine.precedence import Precedence  # noqa: PLC0415
        from utxoracle_tui.engine.screen_export import ScreenExport  # noqa: PLC0415
        from utxoracle_tui.engine.window_list import WindowLists  # noqa: PLC0415
        from utxoracle_tui.ui.engine_parts import EngineParts  # noqa: PLC0415
        from utxoracle_tui.ui.key_places import checked_keys  # noqa: PLC0415
        from utxoracle_tui.ui.node_console import NodeConsole  # noqa: PLC0415
        from utxoracle_tui.ui.remembered import of_this_console  # noqa: PLC0415

        checked_keys(settings.screen.keys, settings.screen.remap)
        node = open_node(settings)
        host = node.access.host
        heading = f" utxoracle-tui · {label + ' · ' if label else ''}{host}"
        precedence = Precedence()
        windows = pricing(settings, node, workers, keep=True, precedence=precedence)
        exchange = exchange_of(settings)

        async def close() -> None:
            await exchange.aclose()
            await node.aclose()

        live = live_rounds(settings, windows, node, exchange)
        lists = WindowLists(lambda: live.readable)
        history = PriceHistory(lambda: live.readable, settings.price.confidence_threshold)

        jobs = live_jobs(
            settings,
            node,
            workers,
            exchange=exchange,
            precedence=precedence,
            opened=lambda: live.store,
            readable=lambda: live.readable,
        )
        data = settings.store.data_dir

        def watch() -> StackWatch:
            from utxoracle_tui.commands.stack import stack_watch  # noqa: PLC0415  (long, and not for the first picture)

            return stack_watch(settings, node, exchange, lambda: live.store)

        def alerts() -> AlertWatch:
            from utxoracle_tui.commands.alerting import alert_watch  # noqa: PLC0415  (the same)

            return alert_watch(settings, lambda: live.store, is_demo=bool(label))

        newest = LiveWindow(windows, settings.rounds.interval_minutes * 60)
        parts = EngineParts(windows, newest, watch, live, lists, history, jobs, host, heading, data, close)
        exports = ScreenExport(lambda: live.readable, data_dir(data) / "exports", label or None)
        parts = replace(
            parts,
            limits=limits_of(settings),
            exports=exports,
            logs=live_logs(settings),
            log_trouble=lambda: own_log.trouble,
        )
        remembering = of_this_console(data, host, read_only=settings.screen.read_only)
        parts = replace(parts, warnings=warnings, remembering=remembering, settings=place, alerts=alerts)
        NodeConsole(parts, settings.screen, settings.alerts.terminal).start()
    finally:
        workers.stop()
    return Exit.DONE


def _started(cache: Path) -> Workers:
    workers = Workers(cache)
    workers.start()
    workers.compile_in_background(_COMPILE_AFTER_S)
    return workers
