"""The look that the doctor takes: one at the stack, and at some things besides that only findings need."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import aclosing
from pathlib import Path
from typing import TypeVar

from utxoracle_tui import clock
from utxoracle_tui.config.bitcoin_conf import Line, read_conf
from utxoracle_tui.config.file_rights import Exposed
from utxoracle_tui.config.settings import AUTO, Node, Settings
from utxoracle_tui.engine.electrs.watch import Places
from utxoracle_tui.engine.stack.findings.finding import NodeConf, StackLook
from utxoracle_tui.engine.stack.look import ANSWER_WITHIN_S, Asked, one_look
from utxoracle_tui.errors import OperatorError
from utxoracle_tui.sources import journal
from utxoracle_tui.sources.block_files_records import DamagedKey, read_key
from utxoracle_tui.sources.containers import DockerEngine
from utxoracle_tui.sources.host_threads import SideThreads
from utxoracle_tui.sources.journal import JournalQuery
from utxoracle_tui.sources.log_file import LogFile
from utxoracle_tui.sources.mempool import MempoolBackend
from utxoracle_tui.sources.mempool_replies import HistoricalPrice
from utxoracle_tui.sources.node_probe import probe_port

LOG_LINES = 2000
_DAY_S = 86_400
_JOURNAL_S = 2.0
"""It is read until nothing more comes, which nobody announces."""

T = TypeVar("T")


async def doctor_look(
    asked: Asked, settings: Settings, notes: tuple[str, ...], exposed: tuple[Exposed, ...] = ()
) -> StackLook:
    """The look, which takes no longer than one at the stack.

    `notes` are those on the configuration, `exposed` its files that others can get at.
    """
    threads = SideThreads()
    reading, port, files, log, history = await asyncio.gather(
        one_look(asked),
        _or_none(lambda: probe_port(asked.node.access)),
        _or_none(lambda: threads.run("files of the node", lambda: _files(settings.node), ANSWER_WITHIN_S)),
        _or_none(lambda: _log(asked.setup.electrs, threads)),
        _or_none(lambda: _history(asked)),
    )
    conf, cookie_written_s, block_key = files if files is not None else (None, None, None)
    return StackLook(
        at_s=clock.now_s(),
        settings=settings,
        reading=reading,
        port=port,
        conf=conf,
        cookie_written_s=cookie_written_s,
        block_key=block_key,
        electrs_log=log,
        history=history,
        notes=notes,
        exposed=exposed,
    )


async def _or_none(look: Callable[[], Awaitable[T]]) -> T | None:
    """What findings would need, or None: why it isn't to be had, the look at the stack says."""
    try:
        async with asyncio.timeout(ANSWER_WITHIN_S):
            return await look()
    except (OperatorError, OSError, TimeoutError):
        return None


def _files(node: Node) -> tuple[NodeConf | None, float | None, bytes | None]:
    """What the node's configuration says, when its cookie was written, and the key of its block files."""
    network = None if node.network == AUTO else node.network
    return _conf(node.datadir, network), _written_s(node.cookie_file), _key(node.blocks_dir)


def _conf(datadir: Path | None, network: str | None) -> NodeConf | None:
    if datadir is None:
        return None
    conf = read_conf(datadir, network)
    chosen = network or conf.chain()[0]
    rest = conf.option("rest", chosen)
    prune, queue, threads = (_number(conf.option(name, chosen)) for name in ("prune", "rpcworkqueue", "rpcthreads"))
    return NodeConf(conf.path, conf.exists, prune, rest.truth if rest is not None else None, queue, threads)


def _number(line: Line | None) -> int | None:
    text = line.text.strip() if line is not None else ""
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 10 else None


def _written_s(cookie: Path | None) -> float | None:
    try:
        return cookie.stat().st_mtime if cookie is not None else None
    except OSError:
        return None


def _key(blocks_dir: Path | None) -> bytes | None:
    """None where it can't be told: without the folder nothing is known of its files."""
    try:
        return read_key(blocks_dir) if blocks_dir is not None and blocks_dir.is_dir() else None
    except (DamagedKey, OSError):
        return None


async def _history(asked: Asked) -> HistoricalPrice:
    async with MempoolBackend(asked.setup.backend) as backend:
        return await backend.historical_price(int(clock.now_s()) - _DAY_S)


async def _log(places: Places, threads: SideThreads) -> tuple[str, ...] | None:
    """The last lines of electrs's log, wherever it is."""
    if places.log_file is not None:
        path = places.log_file
        return await threads.run(path, lambda: _tail(path), ANSWER_WITHIN_S)
    if places.container is not None:
        async with DockerEngine(places.docker) as docker:
            found = await docker.inspect(places.container)
            log = await docker.log(places.container, tty=found.tty, tail=LOG_LINES)
            return tuple(line.line.decode(errors="replace") for line in log.lines)
    if places.unit is not None:
        return await _journal(JournalQuery(unit=places.unit))
    return None


def _tail(path: Path) -> tuple[str, ...]:
    log = LogFile(path, last_lines=LOG_LINES)
    try:
        return log.read().lines
    finally:
        log.close()


async def _journal(query: JournalQuery) -> tuple[str, ...]:
    lines: list[str] = []
    try:
        async with (
            asyncio.timeout(_JOURNAL_S),
            aclosing(journal.follow(query, last_entries=LOG_LINES, after=None)) as entries,
        ):
            async for entry in entries:
                lines.append(entry.message)  # noqa: PERF401  (what came before the time-out counts)
    except TimeoutError:
        pass
    return tuple(lines)
