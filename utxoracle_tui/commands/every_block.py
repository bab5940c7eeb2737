"""`utxoracle-tui price --every-block`: the price at each block, as JSON lines."""

from __future__ import annotations

import argparse
import asyncio
import json
import sys

from utxoracle_core import BlockReading, Contender
from utxoracle_tui.commands.running import run_until_signal
from utxoracle_tui.commands.shown_progress import shown_progress
from utxoracle_tui.config.paths import cache_dir
from utxoracle_tui.engine.block_line import over
from utxoracle_tui.engine.folder_pricing import FolderPricing
from utxoracle_tui.engine.pricing import WindowPricing
from utxoracle_tui.engine.request import Request
from utxoracle_tui.engine.workers import Workers
from utxoracle_tui.errors import Exit
from utxoracle_tui.sources.block_folder import open_folder


def run_every_block(arguments: argparse.Namespace, request: Request) -> Exit:
    """Price each block and print a line for it; not valid when none has a price."""
    if arguments.blocks is not None:
        readings = run_until_signal(_from_folder(arguments, request))
    else:
        readings = run_until_signal(_from_node(arguments, request))
    for reading in readings:
        sys.stdout.write(json.dumps(as_line(reading)) + "\n")
    return Exit.DONE if any(reading.price_usd is not None for reading in readings) else Exit.NOT_VALID


def as_line(reading: BlockReading) -> dict[str, object]:
    """What is printed of a block."""
    return {
        "height": reading.height,
        "time": reading.time,
        "price_usd": reading.price_usd,
        "low_usd": reading.low_usd,
        "high_usd": reading.high_usd,
        "confidence": reading.confidence,
        "reason": reading.reason.value if reading.reason else None,
        "points": reading.n_points,
        "rival": _contender(reading.rival),
        "octave": _contender(reading.octave),
    }


def _contender(other: Contender | None) -> dict[str, float | None] | None:
    return {"price_usd": other.price_usd, "ratio": other.ratio} if other else None


async def _from_folder(arguments: argparse.Namespace, request: Request) -> list[BlockReading]:
    folder = await asyncio.to_thread(open_folder, arguments.blocks)
    async with Workers(cache_dir(arguments.data_dir)) as workers:
        return await _readings(FolderPricing(folder, workers), workers, arguments, request)


async def _from_node(arguments: argparse.Namespace, request: Request) -> list[BlockReading]:
    from utxoracle_tui.commands import node  # noqa: PLC0415  (raw blocks need no network)

    settings = node.load_settings(arguments)
    async with Workers(cache_dir(settings.store.data_dir)) as workers, node.open_node(settings) as client:
        return await _readings(node.pricing(settings, client, workers, keep=False), workers, arguments, request)


async def _readings(
    pricing: WindowPricing, workers: Workers, arguments: argparse.Namespace, request: Request
) -> list[BlockReading]:
    workers.start()
    workers.compile_in_background()
    with shown_progress() as on_progress:
        _, readings = await over(pricing, request, on_progress, arguments.start_price)
        return readings
