"""Running one job to its end, as `backfill` and `rerun` do."""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
from collections.abc import Awaitable, Callable
from datetime import date, timedelta

from utxoracle_tui import clock
from utxoracle_tui.commands import node
from utxoracle_tui.commands.job_engine import JobWorkshop
from utxoracle_tui.commands.job_progress import ShownJob
from utxoracle_tui.commands.job_text import JobOutcome, as_document, as_text, before_starting, window_name
from utxoracle_tui.commands.running import run_until_signal
from utxoracle_tui.config.paths import cache_dir
from utxoracle_tui.config.settings import Settings
from utxoracle_tui.engine.jobs.plan import JobPlan, Planner, newest_day
from utxoracle_tui.engine.jobs.wanted import Days, Wanted
from utxoracle_tui.engine.request import read_day
from utxoracle_tui.engine.workers import Workers
from utxoracle_tui.errors import Exit, OperatorError
from utxoracle_tui.sources.bitcoin_core import BitcoinCore
from utxoracle_tui.store.store import Store

Ask = Callable[[BitcoinCore], Awaitable[Wanted]]
"""Finds out what is wanted, for which the node may have to be asked."""
PlanOf = Callable[[Planner, Wanted], Awaitable[JobPlan]]


def run_job(arguments: argparse.Namespace, ask: Ask, plan_of: PlanOf) -> Exit:
    """Plan a job, work on it until it is over, and print what became of it."""
    settings = node.load_settings(arguments)
    outcome = run_until_signal(_run(settings, ask, plan_of))
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


async def _run(settings: Settings, ask: Ask, plan_of: PlanOf) -> JobOutcome:
    started_s = clock.elapsed_s()
    async with Workers(cache_dir(settings.store.data_dir)) as workers, node.open_node(settings) as client:
        store = await node.open_store(settings, client)
        workshop = JobWorkshop(settings, store, client, workers)
        plan = await plan_of(workshop.planner, await ask(client))
        for sentence in before_starting(plan):
            _say(sentence)
        if plan.job is None:
            _refuse_if_impossible(plan)
            return JobOutcome(plan, None, None, (), clock.elapsed_s() - started_s)
        workers.start()
        workers.compile_in_background()
        try:
            await _work(workshop, plan.job.key)
        except asyncio.CancelledError:
            _say(_how_to_go_on(store, plan))
            raise
        return await asyncio.to_thread(_outcome, store, plan, clock.elapsed_s() - started_s)


async def _work(workshop: JobWorkshop, key: str) -> None:
    shown = ShownJob(key)
    try:
        job = await workshop.engine(key).run_until_over(shown.show)
    finally:
        shown.close()
    if job.state == "cancelled":
        raise OperatorError("job_cancelled", f"Job {key} was cancelled by the operator.", Exit.FAILED)


def _outcome(store: Store, plan: JobPlan, elapsed_s: float) -> JobOutcome:
    assert plan.job is not None
    key = plan.job.key
    failures = [item for item in store.jobs.items(key) if item.state == "failed"]
    return JobOutcome(plan, store.jobs.get(key), store.jobs.progress(key), failures, elapsed_s)


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
    sys.stderr.write(f"utxoracle-tui: {sentence}\n")
    sys.stderr.flush()
