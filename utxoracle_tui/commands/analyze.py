"""`utxoracle-tui analyze`: one round, as cron would make it."""

from __future__ import annotations

import argparse
import asyncio
import json
import sys

from utxoracle_tui import formats
from utxoracle_tui.commands import node
from utxoracle_tui.commands.running import run_until_signal, tell
from utxoracle_tui.commands.shown_progress import shown_progress
from utxoracle_tui.config.paths import cache_dir
from utxoracle_tui.config.settings import Settings
from utxoracle_tui.engine.report import as_document
from utxoracle_tui.engine.round_report import round_document
from utxoracle_tui.engine.rounds import Round, Rounds
from utxoracle_tui.engine.workers import Workers
from utxoracle_tui.errors import Exit, OperatorError
from utxoracle_tui.own_log.keeping import kept_log
from utxoracle_tui.sources.node_errors import NodeBusy, NodeHanging, NodeUnreachable, NodeWarmingUp
from utxoracle_tui.store.troubles import StoreTrouble

_WAITS_S = (5, 15, 45)
_PASSING = (NodeUnreachable, NodeHanging, NodeWarmingUp, NodeBusy, StoreTrouble)
_SOURCES = {"own": "own backend", "public": "PUBLIC instance", "imported": "imported"}


def run(arguments: argparse.Namespace) -> Exit:
    """Make one round, keep it unless told otherwise, and print it."""
    settings = node.load_settings(arguments)
    with kept_log(settings, "analyze", tell):
        made = run_until_signal(_made_at_last(settings, arguments))
    return Exit.DONE if made.observation.valid else Exit.NOT_VALID


async def _made_at_last(settings: Settings, arguments: argparse.Namespace) -> Round:
    """Try as often as is set; a node that is starting, or a full disk, may be well again in a minute."""
    retries = settings.rounds.retries
    for number in range(retries):
        wait_s = _WAITS_S[min(number, len(_WAITS_S) - 1)]
        try:
            return await _make(settings, arguments)
        except _PASSING as error:
            tell(f"{error.message} Tried again in {wait_s} s ({number + 1} of {retries}).")
        await asyncio.sleep(wait_s)
    return await _make(settings, arguments)


async def _make(settings: Settings, arguments: argparse.Namespace) -> Round:
    keep = not arguments.dry_run
    async with Workers(cache_dir(settings.store.data_dir)) as workers, node.open_node(settings) as client:
        workers.start()
        workers.compile_in_background()
        store = await node.open_store(settings, client)
        windows = node.pricing(settings, client, workers, keep=keep)
        async with node.exchange_of(settings) as exchange:
            rounds = Rounds(windows, exchange, store, node.limits_of(settings))
            with shown_progress() as on_progress:
                made = await rounds.make(on_progress)
            if not keep:
                _show(made, settings, arguments)
                return made
            made = await rounds.keep(made)
            _show(made, settings, arguments)
            # nobody has to wait for the blocks since the last round
            try:
                await rounds.fill_in(made)
            except OperatorError as error:
                sys.stderr.write(f"utxoracle-tui: block prices are missing before this round's: {error.message}\n")
            return made


def _show(made: Round, settings: Settings, arguments: argparse.Namespace) -> None:
    for sentence in made.exchange.troubles:
        sys.stderr.write(f"utxoracle-tui: {sentence}\n")
    if arguments.json:
        sys.stdout.write(json.dumps(round_document(made)) + "\n")
    else:
        sys.stdout.write(_as_text(made))
        if arguments.verbose and made.result is not None:
            sys.stdout.write(json.dumps(as_document(made.result, node.limits_of(settings)), indent=2) + "\n")
    sys.stdout.flush()


def _as_text(made: Round) -> str:
    seen, window = made.observation, made.window
    name = window.name or f"Price of blocks {window.first_height}–{window.last_height}"
    figure = formats.usd(seen.onchain_usd) if seen.onchain_usd is not None else "no price"
    rows = [(name, f"{figure} per BTC{'' if seen.valid else '   NOT VALID: ' + (window.explanation or '')}")]
    rows.append(("confidence", f"{seen.confidence:.2f} of 1" if seen.confidence is not None else "none"))
    rows.append(("exchange", _exchange(made)))
    rows.append(("divergence, spot", _divergence(seen.divergence_spot_pct, "against that exchange price")))
    over = f"against the exchange over the window, {formats.percent(seen.exchange_coverage or 0)} of it known"
    if window.exchange_is_daily:
        over = "against the exchange's daily close"
    rows.append(("divergence, window", _divergence(seen.divergence_window_pct, over)))
    rows.append(("blocks", f"{window.first_height}–{window.last_height}, {seen.transactions or 0:,} transactions"))
    if made.orphaned:
        rows.append(
            ("reorg", f"{formats.plural(made.orphaned, 'earlier result')} found orphaned or on the chain again")
        )
    rows.append(("stored", "yes" if made.kept else "no, this was a dry run"))
    title = f"Round of {formats.utc_minute(seen.time_s)} UTC"
    width = max(len(name) for name, _ in rows)
    return title + "\n" + "".join(f"  {name:<{width}}  {text}\n" for name, text in rows)


def _exchange(made: Round) -> str:
    seen = made.observation
    if seen.exchange_usd is None or seen.exchange_time_s is None or seen.exchange_source is None:
        return "not known"
    age = formats.age(max(seen.time_s - seen.exchange_time_s, 0.0))
    return f"{formats.usd(seen.exchange_usd)}, {_SOURCES[seen.exchange_source]}, {age}"


def _divergence(value_pct: float | None, against: str) -> str:
    return f"{formats.signed_percent(value_pct)} {against}" if value_pct is not None else "not known"
