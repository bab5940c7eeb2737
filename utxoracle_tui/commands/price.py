"""`utxoracle-tui price`: one window price, from the node or from raw blocks on disk."""

from __future__ import annotations

import argparse
import asyncio
import json
import math
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from utxoracle_tui.commands.price_text import as_text
from utxoracle_tui.commands.running import run_until_signal
from utxoracle_tui.commands.shown_progress import shown_progress
from utxoracle_tui.config.paths import cache_dir, data_dir
from utxoracle_tui.config.settings import Settings
from utxoracle_tui.engine.folder_pricing import FolderPricing
from utxoracle_tui.engine.pricing import PricedWindow, WindowPricing
from utxoracle_tui.engine.report import as_document
from utxoracle_tui.engine.request import MAIN, Day, Everything, Last, Request, read_day, read_heights
from utxoracle_tui.engine.validation import DEFAULT_LIMITS, Limits, validate
from utxoracle_tui.engine.workers import Workers
from utxoracle_tui.errors import Exit, OperatorError
from utxoracle_tui.sources.block_folder import open_folder

if TYPE_CHECKING:
    from utxoracle_tui.store.store import Store


def run(arguments: argparse.Namespace) -> Exit:
    """Price the window that the command line asks for, print it, and keep it when that is wanted."""
    _check(arguments)
    request = _request(arguments)
    if arguments.every_block:
        from utxoracle_tui.commands.every_block import run_every_block  # noqa: PLC0415  (one price does without)

        return run_every_block(arguments, request)
    if arguments.blocks is not None:
        limits, work = DEFAULT_LIMITS, _price_folder(arguments, request)
    else:
        from utxoracle_tui.commands import node  # noqa: PLC0415  (raw blocks need no network)

        settings = node.load_settings(arguments)
        limits, work = node.limits_of(settings), _price_from_node(settings, request, arguments)
    return Exit.DONE if validate(run_until_signal(work).price, limits).valid else Exit.NOT_VALID


def _check(arguments: argparse.Namespace) -> None:
    if arguments.start_price is not None:
        if not arguments.every_block:
            raise OperatorError("usage", "--start-price goes with --every-block.", Exit.USAGE)
        if not 0 < arguments.start_price < math.inf:
            raise OperatorError("usage", "--start-price is an amount of USD above 0.", Exit.USAGE)
    if arguments.every_block and arguments.save:
        raise OperatorError("usage", "--save keeps window prices; it does not go with --every-block.", Exit.USAGE)


def _request(arguments: argparse.Namespace) -> Request:
    if arguments.date is not None:
        return read_day(arguments.date)
    if arguments.last is not None:
        return Last(arguments.last)
    if arguments.heights is not None:
        return read_heights(arguments.heights)
    return Everything() if arguments.blocks is not None else Day()


async def _price_folder(arguments: argparse.Namespace, request: Request) -> PricedWindow:
    folder = await asyncio.to_thread(open_folder, arguments.blocks)
    async with Workers(cache_dir(arguments.data_dir)) as workers:
        windows = FolderPricing(folder, workers)
        result = await _with_progress(windows, workers, request)
        store = _store_of_folder(result, arguments.data_dir) if arguments.save else None
        await _tell(windows, store, result, DEFAULT_LIMITS, as_json=arguments.json)
        return result


async def _price_from_node(settings: Settings, request: Request, arguments: argparse.Namespace) -> PricedWindow:
    from utxoracle_tui.commands import node  # noqa: PLC0415  (raw blocks need no network)

    async with Workers(cache_dir(settings.store.data_dir)) as workers, node.open_node(settings) as client:
        # a store that can't be used is told of before the work, not after it
        store = await node.open_store(settings, client) if arguments.save else None
        windows = node.pricing(settings, client, workers, keep=arguments.save)
        result = await _with_progress(windows, workers, request)
        await _tell(windows, store, result, node.limits_of(settings), as_json=arguments.json)
        return result


async def _tell(
    windows: WindowPricing, store: Store | None, result: PricedWindow, limits: Limits, *, as_json: bool
) -> None:
    """Print a window's price, and then keep it where there is a store."""
    sys.stdout.write(_as_json(result, limits) if as_json else as_text(result, limits))
    sys.stdout.flush()
    if store is not None:
        from utxoracle_tui.commands.price_saving import save  # noqa: PLC0415  (only --save stores)

        said = await save(windows, store, result, limits)
        sys.stdout.write("" if as_json else said)


async def _with_progress(pricing: WindowPricing, workers: Workers, request: Request) -> PricedWindow:
    workers.start()
    workers.compile_in_background()
    with shown_progress() as on_progress:
        return await pricing.price(request, on_progress)


def _store_of_folder(result: PricedWindow, chosen: Path | None) -> Store:
    if result.network != MAIN:
        raise OperatorError(
            "usage",
            "--save: these raw blocks are not of the main network, so it is not known where they belong.",
            Exit.USAGE,
        )
    from utxoracle_tui.store.store import Store  # noqa: PLC0415  (only --save stores)

    return Store(data_dir(chosen), MAIN)


def _as_json(result: PricedWindow, limits: Limits) -> str:
    return json.dumps(as_document(result, limits)) + "\n"
