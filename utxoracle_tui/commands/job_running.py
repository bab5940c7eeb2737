"""Running one job to its end, as `backfill` and `rerun` do."""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import date, timedelta

from utxoracle_tui import clock
from utxoracle_tui.commands import node
from utxoracle_tui.commands.block_files import NodesBlockFiles
from utxoracle_tui.commands.job_engine import JobWorkshop
from utxoracle_tui.commands.job_progress import CLEAR_LINE, ShownJob
from utxoracle_tui.commands.job_text import (
    JobOutcome,
    as_document,
    as_preview,
    as_preview_text,
    as_text,
    before_starting,
    window_name,
)
from utxoracle_tui.commands.running import run_until_signal
from utxoracle_tui.config.paths import cache_dir
from utxoracle_tui.config.settings import Settings
from utxoracle_tui.engine.jobs.plan import JobKind, JobPlan, JobPreview, newest_day
from utxoracle_tui.engine.jobs.turns import CareReading
from utxoracle_tui.engine.jobs.wanted import Days, Wanted
from utxoracle_tui.engine.request import read_day
from utxoracle_tui.engine.workers import Workers
from utxoracle_tui.errors import Exit, OperatorError
from utxoracle_tui.own_log.keeping import kept_log
from utxoracle_tui.sources.bitcoin_core import BitcoinCore
from utxoracle_tui.store.store import Store

Ask = Callable[[BitcoinCore], Awaitable[Wanted]]
"""Finds out what is wanted, for which the node may have to be asked."""


def run_job(arguments: argparse.Namespace, kind: JobKind, ask: Ask) -> Exit:
    """Plan a job, work on it until it is over, and print what became of it; with `--dry-run` what it would take."""
    settings = node.load_settings(arguments)
    if arguments.dry_run:
        preview = run_until_signal(_preview(settings, kind, ask))
        sys.stdout.write(json.dumps(as_preview(preview)) + "\n" if arguments.json else as_preview_text(preview))
        return Exit.DONE
    with kept_log(settings, arguments.command, _say):
        outcome = run_until_signal(_run(settings, kind, ask))
    sys.stdout.write(json.dumps(as_document(outcome)) + "\n" if arguments.json else as_text(outcome))
    return Exit.DONE


def days_of(arguments: argparse.Namespace) -> Ask:
    """The range of days that `--from` and `--to` name; without an end, up to the newest that can be asked for."""
    first, last = _day(arguments.first_day), _day(arguments.last_day)
    if first is None:
        raise OperatorError("usage", "--to needs --from: the first day of the range.", Exit.USAGE)

    async def ask(client: BitcoinCore) -> Wanted:
        return Days(first, last or await newest_day(client))

    return ask


def last_days(count: int) -> Ask:
    """The newest so many days that can be asked for."""
    if count < 1:
        raise OperatorError("usage", f"--last-days is 1 or more, not {count}.", Exit.USAGE)

    async def ask(client: BitcoinCore) -> Wanted:
        newest = await newest_day(client)
        return Days(newest - timedelta(days=count - 1), newest)

    return ask


def exactly(wanted: Wanted) -> Ask:
    """What is known already."""

    async def ask(client: BitcoinCore) -> Wanted:
        return wanted

    return ask


def _day(text: str | None) -> date | None:
    return None if text is None else read_day(text).day


@asynccontextmanager
async def _workshop(settings: Settings) -> AsyncIterator[tuple[JobWorkshop, Store, BitcoinCore]]:
    async with (
        Workers(cache_dir(settings.store.data_dir)) as workers,
        node.open_node(settings) as client,
        node.exchange_of(settings) as exchange,
    ):
        store = await node.open_store(settings, client)
        workers.start()
        workers.compile_in_background()
        files = NodesBlockFiles(settings, keep=True, on_note=_say)
        yield JobWorkshop(settings, store, client, workers, files=files, exchange=exchange), store, client


async def _preview(settings: Settings, kind: JobKind, ask: Ask) -> JobPreview:
    async with _workshop(settings) as (workshop, _, client):
        preview = await workshop.planner.preview(kind, await ask(client))
        _say_origin(workshop, preview)
        return preview


async def _run(settings: Settings, kind: JobKind, ask: Ask) -> JobOutcome:
    started_s = clock.elapsed_s()
    async with _workshop(settings) as (workshop, store, client):
        wanted = await ask(client)
        preview = await workshop.planner.preview(kind, wanted)
        _say_origin(workshop, preview)
        if preview.forecast is not None:
            _say(preview.forecast.words)
        plan = await workshop.planner.ask_for(kind, wanted)
        for sentence in before_starting(plan):
            _say(sentence)
        if plan.job is None:
            _refuse_if_impossible(plan)
            return JobOutcome(plan, None, None, (), clock.elapsed_s() - started_s)
        try:
            await _work(workshop, plan.job.key)
        except asyncio.CancelledError:
            _say(_how_to_go_on(store, plan))
            raise
        return await asyncio.to_thread(_outcome, store, plan, workshop.care, clock.elapsed_s() - started_s)


def _say_origin(workshop: JobWorkshop, preview: JobPreview) -> None:
    origin = workshop.care.files.sentence
    if origin is not None and preview.forecast is not None and preview.forecast.blocks:
        _say(origin)


async def _work(workshop: JobWorkshop, key: str) -> None:
    shown = ShownJob(key)
    try:
        job = await workshop.engine(key).run_until_over(shown.show)
    finally:
        shown.close()
    if job.state == "cancelled":
        raise OperatorError("job_cancelled", f"Job {key} was cancelled by the operator.", Exit.FAILED)


def _outcome(store: Store, plan: JobPlan, care: CareReading, elapsed_s: float) -> JobOutcome:
    assert plan.job is not None
    key = plan.job.key
    failures = [item for item in store.jobs.items(key) if item.state == "failed"]
    return JobOutcome(plan, store.jobs.get(key), store.jobs.progress(key), failures, elapsed_s, care.came_from)


def _refuse_if_impossible(plan: JobPlan) -> None:
    if plan.impossible and not plan.there:
        names = f"{window_name(plan.impossible[0])} to {window_name(plan.impossible[-1])}"
        raise OperatorError(
            "pruned_block",
            f"The node is pruned and has the blocks of {names} no more. Use a node that keeps all blocks.",
            Exit.FAILED,
        )


def _how_to_go_on(store: Store, plan: JobPlan) -> str:
    assert plan.job is not None
    progress = store.jobs.progress(plan.job.key)
    return (
        f"Stopped with {progress.tried} of {progress.total} windows tried; nothing of it is lost. "
        f"To go on: utxoracle-tui {command_of(plan.work)}"
    )


def command_of(work: str) -> str:
    """The command that asks for a piece of work."""
    kind, what, *more = work.split()
    match what, more:
        case "days", [first, last, _]:
            return f"{kind} --from {first} --to {last}"
        case "blocks", [heights, "step", step, _]:
            return f"{kind} --blocks {heights} --step {step}"
        case _:
            return f"{kind} --{what}"


def _say(sentence: str) -> None:
    # there may be a line of progress
    clear = CLEAR_LINE if sys.stderr.isatty() else ""
    sys.stderr.write(f"{clear}utxoracle-tui: {sentence}\n")
    sys.stderr.flush()
