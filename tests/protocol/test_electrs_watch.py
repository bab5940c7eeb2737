"""The watcher of electrs at work on the simulated host: real ports, real files, Docker's socket."""

from __future__ import annotations

import asyncio
import json
import re
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from tests.support.demo_node import SMALL, DemoNode, demo_node
from tests.support.scripted_http import Answer, ScriptedServer, Silence
from utxoracle_tui import clock
from utxoracle_tui.demo.host.electrs.settings import SyncSize
from utxoracle_tui.engine.electrs.evidence import Node
from utxoracle_tui.engine.electrs.phases import ConditionKind, Phase, Status
from utxoracle_tui.engine.electrs.state import State
from utxoracle_tui.engine.electrs.watch import ElectrsWatch, Places
from utxoracle_tui.sources.containers_session import DockerAccess
from utxoracle_tui.sources.electrs import ElectrsAccess

SIZE = SyncSize(
    blocks=40_000,
    first_file_blocks=20_000,
    blk_files=40,
    txstore_bytes=6_000_000_000,
    history_bytes=4_000_000_000,
    headers_s=30.0,
)
SLOW = replace(SIZE, rescan_file_s=6000.0)
"""Reading again goes on only where a test says so."""
CONTAINER = "mempool-electrs"


async def places_of(node: DemoNode, *, docker_log: bool = False) -> Places:
    addresses = await node.read("addresses")
    return Places(
        ElectrsAccess(addresses["ELECTRS_HTTP_URL"], addresses["UTXORACLE_TUI_ELECTRS_METRICS_URL"]),
        container=CONTAINER,
        log_file=None if docker_log else Path(addresses["UTXORACLE_TUI_ELECTRS_LOG_FILE"]),
        index_dir=Path(addresses["UTXORACLE_TUI_ELECTRS_INDEX_DIR"]),
        blocks_dir=node.folder / "blocks",
        docker=DockerAccess(Path(addresses["UTXORACLE_TUI_CONTAINERS_SOCKET"])),
    )


class Watched:
    """A watch that runs, and every state that it came to."""

    def __init__(self, watch: ElectrsWatch) -> None:
        self.watch = watch
        self.states: list[State] = []

    @property
    def state(self) -> State:
        return self.watch.state

    async def until(self, condition: Callable[[State], object], within_s: float = 10.0) -> State:
        end_s = time.monotonic() + within_s
        while not condition(self.state):
            assert time.monotonic() < end_s, f"it did not come true: {self.state.phase} {self.state.sentence}"
            await asyncio.sleep(0.01)
        return self.state

    async def phase(self, phase: Phase) -> State:
        return await self.until(lambda state: state.phase is phase)


@asynccontextmanager
async def watching(watch: ElectrsWatch) -> AsyncIterator[Watched]:
    watched = Watched(watch)
    task = asyncio.create_task(watch.run(watched.states.append, tick_s=0.03))
    try:
        yield watched
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


@pytest.mark.parametrize("docker_log", [False, True], ids=["log file", "log of the container"])
async def test_a_first_sync_from_an_empty_folder(docker_log: bool) -> None:
    options = replace(SMALL, tx_per_block=1, scenario="first-sync")
    async with demo_node(options, size=SLOW) as node:
        tip = SIZE.blocks - 1

        def view() -> Node:
            return Node(clock.now_s(), tip, tip)

        watch = ElectrsWatch(await places_of(node, docker_log=docker_log), node=view)
        async with watching(watch) as watched:
            await watched.until(lambda state: state.phase in (Phase.HEADERS, Phase.PASS_1))
            await node.act("electrs/advance", to="pass-1")
            await node.act("electrs/advance", hours=5)
            state = await watched.until(lambda state: state.phase is Phase.PASS_1 and (state.progress.share or 0) > 0.4)
            assert (state.progress.total, state.progress.unit) == (40, "block files")
            assert [basis.source for basis in state.progress.rests_on] == ["metrics", "block files"]
            assert not state.missing
            await node.act("electrs/advance", to="compacting-txstore")
            await node.act("electrs/advance", hours=0.6)
            # the folder was looked at last before five hours of it were skipped
            state = await watched.until(
                lambda state: (
                    state.phase is Phase.COMPACTING_TXSTORE
                    and state.progress.share
                    and state.progress.total == pytest.approx(SIZE.txstore_bytes, rel=0.01)
                )
            )
            assert "a second compaction follow" in state.sentence

            # killed in the middle: Docker starts it again, and that compaction begins from zero
            await node.act("electrs/kill")
            await watched.until(lambda state: state.run == 2 and state.sentence.startswith("Resumed after a restart"))
            await node.act("electrs/advance", to="compacting-txstore")
            await watched.until(lambda state: state.run == 2 and state.phase is Phase.COMPACTING_TXSTORE)
            resumed = [state for state in watched.states if state.run == 2 and state.phase is Phase.PASS_1]
            assert resumed[-1].sentence.startswith("Resumed after a restart")
            assert ConditionKind.RESUMING in {condition.kind for condition in resumed[-1].conditions}
            assert all((state.whole_share or 0) >= (resumed[0].whole_share or 0) for state in resumed)
            await node.act("electrs/advance", to="pass-2")
            state = await watched.phase(Phase.PASS_2)
            status = {row.phase: row.status for row in state.rows}
            assert status[Phase.COMPACTING_TXSTORE] is Status.DONE
            assert status[Phase.COMPACTING_HISTORY] is Status.TO_COME
            await node.act("electrs/advance", to="compacting-history")
            await watched.phase(Phase.COMPACTING_HISTORY)
            await node.act("electrs/advance", to="ready")
            state = await watched.phase(Phase.READY)
        assert state.whole_share == 1.0
        assert not any(state.reindex_advised for state in watched.states)
        grave = {condition.kind for state in watched.states for condition in state.warnings}
        assert grave <= {ConditionKind.REST_SILENT, ConditionKind.LAGGING, ConditionKind.NODE_OVERLOADED}, grave


async def test_a_resume_that_looks_stuck_and_is_not() -> None:
    async with demo_node(replace(SMALL, tx_per_block=1, scenario="resume"), size=SLOW) as node:
        places = await places_of(node)
        async with watching(ElectrsWatch(places)) as watched:
            await node.act("electrs/advance", to="pass-1")
            state = await watched.until(lambda state: state.phase is Phase.PASS_1 and state.progress.share is not None)
            assert state.sentence.startswith("Resumed after a restart")
            await node.act("electrs/stall")
            state = await watched.until(lambda state: (state.whole_share or 0) > 0.8)
            kept = json.loads(json.dumps(dict(watched.watch.milestones)))
        # another console, which knows only what was kept
        async with watching(ElectrsWatch(places, kept=kept)) as watched:
            again = await watched.phase(Phase.PASS_1)
            assert again.since_s == state.since_s
            assert again.run == state.run
            assert (again.whole_share or 0) > 0.8


async def test_a_loop_of_crashes() -> None:
    options = replace(SMALL, tx_per_block=1, scenario="electrs-crashloop", speed=600)

    def loops(state: State) -> bool:
        return ConditionKind.CRASH_LOOP in {condition.kind for condition in state.conditions}

    async with (
        demo_node(options, size=SIZE) as node,
        watching(ElectrsWatch(await places_of(node, docker_log=True))) as watched,
    ):
        state = await watched.until(lambda state: state.phase is Phase.FAILED and loops(state), within_s=20)
    assert "failed to index" in state.sentence
    assert "--blocks-dir" in state.advice
    assert not state.reindex_advised


async def test_an_electrs_that_does_nothing_any_more(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its metrics still answer, and nothing moves: after half an hour that is stuck. Every look takes a minute here."""
    now_s = time.time()
    monkeypatch.setattr(clock, "now_s", lambda: now_s)
    async with demo_node(replace(SMALL, tx_per_block=1, scenario="electrs-stuck"), size=SIZE) as node:
        await node.act("electrs/stall")
        places = replace(await places_of(node), container=None)
        async with watching(ElectrsWatch(places)) as watched:
            while ConditionKind.STUCK not in {each.kind for each in watched.state.conditions}:
                looks = len(watched.states)
                now_s += 60
                await watched.until(lambda _, looks=looks: len(watched.states) > looks + 1)
    state = watched.state
    assert state.phase is Phase.PASS_2
    assert re.match(r"Nothing has moved for 3\d min", state.conditions[0].sentence)
    assert not state.reindex_advised
    first = next(each for each in watched.states if each.phase is Phase.PASS_2)
    assert 1800 <= state.at_s - first.at_s < 2400


async def test_a_source_that_hangs_holds_up_no_other(server: ScriptedServer, tmp_path: Path) -> None:
    server.script = lambda request: Silence() if request.path == "/metrics" else Answer(200, b"921456")
    log = tmp_path / "electrs.log"
    log.write_text("INFO - REST server running on 0.0.0.0:3001\n")
    places = Places(
        ElectrsAccess(server.url, server.url, timeout_s=0.2),
        log_file=log,
        index_dir=tmp_path / "nowhere",
        blocks_dir=tmp_path,
        docker=DockerAccess(tmp_path / "docker.sock"),
        container="electrs",
    )
    async with watching(ElectrsWatch(places)) as watched:
        for words in (
            "docker.sock",
            "took the question and has not answered within 0.2 s",
            "nowhere can't be read: there is no such folder",
        ):
            state = await watched.until(lambda state, words=words: any(words in said for said in state.missing))
        assert state.phase is Phase.READY
        assert state.progress.share == 1.0


@pytest.mark.parametrize("is_named", [True, False], ids=["named", "of the usual name"])
async def test_an_electrs_without_docker(server: ScriptedServer, tmp_path: Path, is_named: bool) -> None:
    """A container of the usual name needs not be there; one that the settings name is missed."""
    server.script = lambda _: Answer(200, b"921456")
    places = Places(
        ElectrsAccess(server.url), container=CONTAINER, is_named=is_named, docker=DockerAccess(tmp_path / "docker.sock")
    )
    async with watching(ElectrsWatch(places)) as watched:
        await watched.until(lambda state: state.phase is Phase.READY)
        if is_named:
            await watched.until(lambda state: any("docker.sock" in said for said in state.missing))
        else:
            await watched.until(lambda _: len(watched.states) > 10)
            assert not any(state.missing for state in watched.states)


async def test_nothing_configured() -> None:
    async with watching(ElectrsWatch(Places())) as watched:
        state = await watched.until(lambda state: state.sentence)
    assert (state.phase, state.sentence) == (Phase.UNKNOWN, "Nothing can be read of electrs.")
    assert not state.missing
