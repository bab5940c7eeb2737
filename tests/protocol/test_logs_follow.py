"""Following the logs of a simulated host: files through rotation, containers by Docker, and what can't be followed."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest

from tests.support.demo_node import SMALL, demo_node
from utxoracle_tui.config.inputs import Flags
from utxoracle_tui.config.load import load
from utxoracle_tui.engine import lasting_logs
from utxoracle_tui.engine.logs import followers
from utxoracle_tui.engine.logs.followers import Where
from utxoracle_tui.engine.logs.line import Level, Origin
from utxoracle_tui.engine.logs.live import LiveLogs, LogsReading, SourceOfLines
from utxoracle_tui.engine.logs.sources import live_logs
from utxoracle_tui.own_log.entry import Entry, as_text, read_entry
from utxoracle_tui.own_log.shared_file import Bounds, SharedLogFile
from utxoracle_tui.sources import log_file
from utxoracle_tui.sources.containers_session import DockerAccess

NO_DOCKER = DockerAccess(Path("/nowhere/docker.sock"))
NEWEST_S = 1_795_399_200.0


@pytest.fixture(autouse=True)
def _soon_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lasting_logs, "AGAIN_AFTER_S", 0.1)
    monkeypatch.setattr(log_file, "follow", partial(log_file.follow, every_s=0.05))


@asynccontextmanager
async def following(logs: LiveLogs) -> AsyncIterator[list[LogsReading]]:
    readings: list[LogsReading] = []
    task = asyncio.create_task(logs.run(readings.append))
    try:
        yield readings
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def until(holds: Callable[[], bool]) -> None:
    async with asyncio.timeout(30):
        while not holds():
            await asyncio.sleep(0.02)


def texts(logs: LiveLogs, origin: Origin) -> list[str]:
    return [line.text for line in logs.book.all() if line.origin is origin]


def source(logs: LiveLogs, origin: Origin) -> SourceOfLines:
    return next(each for each in logs.reading.sources if each.origin is origin)


def followed(files: Mapping[Origin, Path]) -> LiveLogs:
    return LiveLogs({origin: Where(file=path) for origin, path in files.items()}, NO_DOCKER)


async def test_own_log_through_its_rotation(tmp_path: Path) -> None:
    """What is written, whole lines in files that follow each other quickly, is what is read."""
    path = tmp_path / "a.log"
    file = SharedLogFile(path, Bounds(most_bytes=20_000, files=50))
    write = lambda number: file.write(as_text(Entry(NEWEST_S + number, "INFO", 1, "a", f"line {number}")))  # noqa: E731
    write(0)
    logs = followed({Origin.OWN: path})
    async with following(logs):
        await until(lambda: logs.book.arrived == 1)
        for number in range(1, 1_000):
            write(number)
            if number % 100 == 0:
                await asyncio.sleep(0.1)
        await until(lambda: logs.book.arrived == 1_000)
    assert len(list(tmp_path.glob("a.log.*"))) >= 2
    assert texts(logs, Origin.OWN) == [f"line {number} (a)" for number in range(1_000)]


async def test_a_file_that_comes_goes_and_is_truncated(tmp_path: Path) -> None:
    node, own = tmp_path / "debug.log", tmp_path / "own.log"
    logs = LiveLogs({Origin.NODE: Where(file=node), Origin.OWN: Where(file=own, is_named=False)}, NO_DOCKER)
    async with following(logs):
        await until(lambda: source(logs, Origin.NODE).trouble is not None)
        assert str(source(logs, Origin.NODE).trouble).startswith(f"The log file {node} can't be read: no such file")
        # nobody has named it, so nobody misses it
        assert source(logs, Origin.OWN).trouble is None
        node.write_text("2026-11-22T10:05:33Z UpdateTip: height=1\nand more of it\n")
        await until(lambda: logs.book.arrived == 2)
        assert source(logs, Origin.NODE).is_there
        node.write_text("2026-11-22T10:05:34Z x\n")
        await until(lambda: logs.book.arrived == 3)
    first, second, third = logs.book.all()
    assert (first.text, first.at_s, second.at_s) == ("UpdateTip: height=1", 1_795_341_933.0, 1_795_341_933.0)
    assert (second.dated, third.at_s) == (False, 1_795_341_934.0)


async def test_a_simulated_host() -> None:
    async with demo_node(replace(SMALL, scenario="first-sync")) as node:
        settings = load(Flags(values={"store.data_dir": node.folder}), dict(node.env), node.folder).settings
        # electrs by Docker, too
        settings = replace(settings, electrs=replace(settings.electrs, log_file=None))
        logs = live_logs(settings)
        async with following(logs) as readings:
            await until(lambda: any("Mempool Server is running" in text for text in texts(logs, Origin.BACKEND)))
            await until(lambda: source(logs, Origin.DATABASE).is_there)
            assert source(logs, Origin.NODE).trouble is None
            before = len(texts(logs, Origin.ELECTRS))
            await node.act("electrs/advance", to="pass-1")
            await until(lambda: any(text.startswith("Adding ") for text in texts(logs, Origin.ELECTRS)))
            assert len(texts(logs, Origin.ELECTRS)) > before
            lines = [line for line in logs.book.all() if line.origin is Origin.ELECTRS]
            assert all(line.dated for line in lines)
            assert {line.level for line in lines} <= {Level.DEBUG, Level.INFO}
            # one of several that fails blanks only itself
            await node.act("docker/stop")
            await until(lambda: source(logs, Origin.BACKEND).trouble is not None)
            assert source(logs, Origin.OWN).trouble is None
            await node.act("docker/start")
            await until(lambda: source(logs, Origin.BACKEND).trouble is None)
        assert len(readings) < 300
        # followed again, no line is there twice
        assert len({(line.at_s, line.text) for line in logs.book.all()}) == logs.book.arrived


async def test_without_docker() -> None:
    wheres = {
        Origin.ELECTRS: Where(container="mempool-electrs", is_named=True),
        Origin.BACKEND: Where(container="mempool-api", is_named=False),
    }
    logs = LiveLogs(wheres, NO_DOCKER)
    async with following(logs):
        await until(lambda: source(logs, Origin.ELECTRS).trouble is not None)
        assert "/nowhere/docker.sock" in str(source(logs, Origin.ELECTRS).trouble)
        assert source(logs, Origin.BACKEND).trouble is None
        assert not source(logs, Origin.BACKEND).is_there


async def test_a_fault_in_one_is_told_of_and_leaves_the_others(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "own.log"
    path.write_text(as_text(Entry(NEWEST_S, "INFO", 1, "a", "there")) + "\n")
    real = followers.follow

    async def faulty(channel: followers.Channel, where: Where, docker: object) -> None:
        if where.container is not None:
            raise ZeroDivisionError
        await real(channel, where, docker)  # type: ignore[arg-type]

    monkeypatch.setattr("utxoracle_tui.engine.logs.live.follow", faulty)
    logs = LiveLogs({Origin.OWN: Where(file=path), Origin.BACKEND: Where(container="x1")}, NO_DOCKER)
    async with following(logs):
        await until(lambda: source(logs, Origin.BACKEND).trouble is not None and logs.book.arrived == 1)
    assert str(source(logs, Origin.BACKEND).trouble).startswith("Following it failed: ZeroDivisionError.")
    assert read_entry(path.read_text().rstrip()) is not None
