"""Sources of the stack killed, hung, slow, and talking nonsense: the others stay fresh, and what happened is said."""

from __future__ import annotations

import asyncio
import shutil
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from tests.support.demo_node import DemoNode, demo_node
from tests.support.scripted_http import Answer, ScriptedServer
from tests.support.stack_rig import SAID_WITHIN_S, TIMEOUT_S, Rig, demo_settings, settings_of, stack_rig
from tests.support.unix_server import UnixServer
from utxoracle_tui.engine import node_watch
from utxoracle_tui.engine.stack import backend, node_verdict
from utxoracle_tui.engine.stack.reading import Health, Source, SourceReading
from utxoracle_tui.engine.stack.stack_reading import StackReading

VERBS = {Source.NODE: "", Source.ELECTRS: "electrs/", Source.BACKEND: "mempool/", Source.CONTAINERS: "docker/"}
"""How the control port addresses the sources that have a server of their own."""


def of(reading: StackReading, source: Source) -> SourceReading[object]:
    return next(each for each in reading.all if each.source is source)


def is_bad(reading: StackReading, source: Source) -> bool:
    """Whether what happened is said of a source."""
    found = of(reading, source)
    return found.health is not Health.UP or bool(found.troubles) or found.heard.trouble is not None


def depends_on(source: Source) -> set[Source]:
    """What can't stay as it was when a source fails: the price comes from the backend, electrs and it need the node."""
    return {
        Source.NODE: {Source.NODE, Source.ELECTRS, Source.BACKEND},
        Source.ELECTRS: {Source.ELECTRS, Source.BACKEND},
        Source.BACKEND: {Source.BACKEND, Source.EXCHANGE},
        Source.CONTAINERS: {Source.CONTAINERS},
    }[source]


async def check_others(rig: Rig, before: StackReading, source: Source) -> None:
    """The others have answered since, and are well."""
    reading = await rig.next(
        lambda reading: all(
            (other.heard.answered_s or 0.0) > (of(before, other.source).heard.answered_s or 0.0)
            for other in reading.all
            if other.source not in depends_on(source)
        ),
        SAID_WITHIN_S,
    )
    for other in reading.all:
        if other.source not in depends_on(source):
            assert other.health is Health.UP, other
            assert not other.troubles, other
        assert other.word != "fault"


async def everything_up(rig: Rig) -> StackReading:
    return await rig.next(lambda reading: not any(is_bad(reading, source) for source in VERBS))


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ask the node often, so that tests needn't wait a second each time."""
    monkeypatch.setattr(node_watch, "TIP_EVERY_S", 0.1)
    monkeypatch.setattr(node_watch, "_TROUBLE_EVERY_S", 0.2)


async def test_sources_that_are_killed_and_come_back(impatient: None, tmp_path: Path) -> None:
    async with demo_node() as node, stack_rig(demo_settings(node, tmp_path)) as rig:
        for source, verb in VERBS.items():
            before = await everything_up(rig)
            await node.act(f"{verb}stop")
            reading = await rig.next(lambda reading, source=source: is_bad(reading, source), SAID_WITHIN_S)
            address = {Source.CONTAINERS: "docker.sock", Source.ELECTRS: "electrs"}.get(source, "127.0.0.1:")
            assert address in said_of(reading, source)
            await check_others(rig, before, source)
            await node.act(f"{verb}start")
        await everything_up(rig)


@pytest.mark.soak
async def test_sources_that_hang(impatient: None, tmp_path: Path) -> None:
    async with demo_node() as node, stack_rig(demo_settings(node, tmp_path)) as rig:
        for source in VERBS:
            before = await everything_up(rig)
            await hang(node, source, on=True)
            reading = await rig.next(lambda reading, source=source: is_bad(reading, source), TIMEOUT_S + SAID_WITHIN_S)
            assert f"within {TIMEOUT_S:g} s." in said_of(reading, source)
            await check_others(rig, before, source)
            await hang(node, source, on=False)
        await everything_up(rig)


def said_of(reading: StackReading, source: Source) -> str:
    found = of(reading, source)
    return " ".join((found.sentence, *found.troubles))


async def hang(node: DemoNode, source: Source, *, on: bool) -> None:
    await node.act(f"{VERBS[source]}hang", on=on)
    if source is Source.ELECTRS:
        await node.act("electrs/metrics/hang", on=on)


async def slow_stack(node: DemoNode, tmp_path: Path, seconds: float, every_s: float) -> None:
    """All sources slow at once, with the time-outs of a real console."""
    for verb in (*VERBS.values(), "electrs/metrics/"):
        await node.act(f"{verb}latency", seconds=seconds)
    async with stack_rig(demo_settings(node, tmp_path), timeout_s=10.0, every_s=every_s) as rig:
        reading = await rig.until(
            lambda reading: (
                reading.node.word == reading.backend.word == "slow"
                and reading.containers.detail
                and reading.exchange.detail
                and reading.electrs.word == "ready"
            ),
            6 * seconds + 5,
        )
        for source in reading.all:
            assert source.health is Health.UP, source
            assert not source.troubles, source
        assert (reading.node.latency_s or 0) >= seconds
        assert f"slow: {reading.node.latency_s:.1f} s an answer" in reading.node.sentence


async def test_all_sources_slow(impatient: None, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for module in (backend, node_verdict):
        monkeypatch.setattr(module, "SLOW_S", 0.4)
    async with demo_node() as node:
        await slow_stack(node, tmp_path, 0.4, 0.1)


@pytest.mark.soak
async def test_all_sources_five_seconds_slow(tmp_path: Path) -> None:
    async with demo_node() as node:
        await slow_stack(node, tmp_path, 5.0, 5.0)


NONSENSE = {
    "html": b"<html><body>Sign in to continue</body></html>",
    "empty": b"",
    "huge": b"[" + b"1," * 6_000_000 + b"1]",
    "bad UTF-8": b'{"result": "\xff\xfe"}',
}


@asynccontextmanager
async def nonsense(body: bytes) -> AsyncIterator[tuple[ScriptedServer, UnixServer]]:
    """Servers that answer everything with the same."""
    folder = Path(tempfile.mkdtemp(prefix="odd-"))

    def script(_: object) -> Answer:
        return Answer(200, body)

    odd, socket = ScriptedServer(script), UnixServer(script, path=folder / "docker.sock")
    await odd.start()
    await socket.start()
    try:
        yield odd, socket
    finally:
        await odd.stop()
        await socket.stop()
        shutil.rmtree(folder)


async def test_sources_that_talk_nonsense(impatient: None, tmp_path: Path) -> None:
    async with demo_node() as node:
        for kind, body in NONSENSE.items():
            async with nonsense(body) as (odd, socket):
                variables = {
                    Source.NODE: {"BITCOIN_RPC_URL": odd.url, "UTXORACLE_TUI_NODE_NETWORK": "regtest"},
                    Source.ELECTRS: {"ELECTRS_HTTP_URL": odd.url, "UTXORACLE_TUI_ELECTRS_METRICS_URL": odd.url},
                    Source.BACKEND: {"MEMPOOL_API_URL": odd.url},
                    Source.CONTAINERS: {"UTXORACLE_TUI_CONTAINERS_SOCKET": str(socket.path)},
                }
                await asyncio.gather(
                    *(said_of_nonsense(node, source, changes, tmp_path, kind) for source, changes in variables.items())
                )


async def said_of_nonsense(node: DemoNode, source: Source, changes: dict[str, str], tmp_path: Path, kind: str) -> None:
    settings = settings_of(node.env, tmp_path / source, **changes)
    async with stack_rig(settings, timeout_s=3.0, every_s=0.3) as rig:
        if source is Source.ELECTRS and kind == "empty":
            # a page without figures is one of a process that has none yet: only REST can be told to be none
            reading = await rig.until(lambda reading: of(reading, source).troubles)
        else:
            reading = await rig.until(lambda reading: is_bad(reading, source) and of(reading, source).word != "asking")
        said = said_of(reading, source)
        fault = {
            "html": ("web page", "is not OK"),
            "empty": ("is empty", "is no height", "nothing"),
            "huge": ("too big", "is not JSON", "is not an object", "is not metrics", "is not a JSON-RPC reply"),
            "bad UTF-8": ("is not UTF-8", "is no height"),
        }[kind]
        assert any(words in said for words in fault), said
        assert "127.0.0.1:" in said or "docker.sock" in said
        await rig.until(
            lambda reading: all(
                other.health is Health.UP
                for other in reading.all
                if other.source is not source and (source, other.source) != (Source.BACKEND, Source.EXCHANGE)
            ),
            SAID_WITHIN_S + 5,
        )
        assert rig.now.overall != "ready"
