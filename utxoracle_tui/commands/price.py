"""`utxoracle-tui price`: one window price, from the node or from raw blocks on disk."""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
from pathlib import Path

from utxoracle_tui import formats
from utxoracle_tui.commands.running import run_until_signal
from utxoracle_tui.config.paths import cache_dir
from utxoracle_tui.config.settings import Settings
from utxoracle_tui.engine.folder_pricing import FolderPricing
from utxoracle_tui.engine.pricing import PricedWindow, WindowPricing
from utxoracle_tui.engine.progress import Progress
from utxoracle_tui.engine.report import as_document
from utxoracle_tui.engine.request import Day, Everything, Last, Request, read_day, read_heights
from utxoracle_tui.engine.validation import DEFAULT_LIMITS, Limits, validate, warnings
from utxoracle_tui.engine.workers import Workers
from utxoracle_tui.errors import Exit
from utxoracle_tui.sources.block_folder import open_folder

_CLEAR_LINE = "\r\x1b[K"


def run(arguments: argparse.Namespace) -> Exit:
    """Price the window that the command line asks for and print it."""
    request = _request(arguments)
    if arguments.blocks is not None:
        work = _price_folder(arguments.blocks, request, cache_dir(arguments.data_dir))
        limits = DEFAULT_LIMITS
    else:
        from utxoracle_tui.commands import node  # noqa: PLC0415  (raw blocks need no network)

        settings = node.load_settings(arguments)
        limits = node.limits_of(settings)
        work = _price_from_node(settings, request)
    result = run_until_signal(work)
    sys.stdout.write(_as_json(result, limits) if arguments.json else _as_text(result, limits))
    return Exit.DONE if validate(result.price, limits).valid else Exit.NOT_VALID


def _request(arguments: argparse.Namespace) -> Request:
    if arguments.date is not None:
        return read_day(arguments.date)
    if arguments.last is not None:
        return Last(arguments.last)
    if arguments.heights is not None:
        return read_heights(arguments.heights)
    return Everything() if arguments.blocks is not None else Day()


async def _price_folder(path: Path, request: Request, cache: Path) -> PricedWindow:
    folder = await asyncio.to_thread(open_folder, path)
    async with Workers(cache) as workers:
        return await _with_progress(FolderPricing(folder, workers), workers, request)


async def _price_from_node(settings: Settings, request: Request) -> PricedWindow:
    from utxoracle_tui.commands import node  # noqa: PLC0415  (raw blocks need no network)

    async with Workers(cache_dir(settings.store.data_dir)) as workers, node.open_node(settings) as client:
        return await _with_progress(node.pricing(client, workers), workers, request)


async def _with_progress(pricing: WindowPricing, workers: Workers, request: Request) -> PricedWindow:
    workers.start()
    workers.compile_in_background()
    terminal = sys.stderr.isatty()
    try:
        return await pricing.price(request, _show if terminal else _ignore)
    finally:
        if terminal:
            sys.stderr.write(_CLEAR_LINE)


def _ignore(progress: Progress) -> None:
    pass


def _show(progress: Progress) -> None:
    line = f"{progress.blocks_done} of {formats.plural(progress.blocks_total, 'block')} ({progress.share * 100:.0f} %)"
    if progress.rate_mb_s is not None:
        line += f" · {progress.rate_mb_s:.0f} MB/s"
    if progress.eta_s is not None:
        line += f" · {formats.span(progress.eta_s)} left"
    sys.stderr.write(_CLEAR_LINE + line)
    sys.stderr.flush()


def _as_json(result: PricedWindow, limits: Limits) -> str:
    return json.dumps(as_document(result, limits)) + "\n"


def _as_text(result: PricedWindow, limits: Limits) -> str:
    price, window = result.price, result.window
    outputs, verdict = price.outputs, validate(price, limits)
    blocks = f"blocks {outputs.first_height}–{outputs.last_height}"
    title = window.name or (f"Price of {window.day.day}" if window.day else f"Price of {blocks}")
    figure = f"{formats.usd(price.price_usd)} per BTC" if price.price_usd is not None else "no price"
    rows = [("", figure + ("" if verdict.valid else "   NOT VALID"))]
    rows += [("warning", text) for text in warnings(price, window.boundary_ambiguous)]
    if verdict.sentence and verdict.sentence not in {text for _, text in rows}:
        rows.append(("not valid", verdict.sentence))
    parts = price.confidence
    rows += [
        (
            "confidence",
            f"{parts.value:.2f} of 1 (octave {parts.octave:.2f}, points {parts.points:.2f}, spread {parts.spread:.2f})",
        ),
        (
            "window",
            f"{formats.plural(outputs.n_blocks, 'block')}, {outputs.first_height}–{outputs.last_height}, "
            f"{formats.utc_span(float(outputs.block_times[0]), float(outputs.block_times[-1]))}",
        ),
    ]
    if price.rough and price.spread and price.points:
        rows += [
            ("rough price", formats.whole_usd(price.rough.price_usd)),
            (
                "spread",
                f"±{formats.whole_usd(price.spread.deviation_usd)} median deviation, "
                f"{formats.percent(price.spread.deviation_pct)} of the band",
            ),
            ("points", f"{len(price.points.usd):,} from {len(outputs.amounts_btc):,} outputs"),
        ]
    filters = outputs.filters
    rows.append(
        (
            "transactions",
            f"{filters.total:,}, of which {filters.passed:,} count; left out: {filters.inputs:,} inputs, "
            f"{filters.outputs:,} outputs, {filters.coinbase:,} coinbase, {filters.op_return:,} OP_RETURN, "
            f"{filters.witness:,} witness, {filters.same_window:,} spent inside",
        )
    )
    rows.append(("took", f"{result.elapsed_s:.2f} s"))
    return title + "\n" + "".join(f"  {name:<13} {text}\n" if name else f"  {text}\n" for name, text in rows)
