"""One look at the whole stack, and the doctor's, on the simulated host."""

from __future__ import annotations

import asyncio
import time
from dataclasses import replace
from pathlib import Path

import pytest

from tests.support.demo_node import SMALL, DemoNode, demo_node
from tests.support.scripted_http import Answer, ScriptedServer, recorded
from tests.support.stack_rig import settings_of
from utxoracle_tui.commands.stack import asked_once
from utxoracle_tui.demo.host.electrs.settings import SyncSize
from utxoracle_tui.demo.host.node_state import NodeSettings
from utxoracle_tui.engine.electrs.phases import Phase
from utxoracle_tui.engine.stack import look as look_module
from utxoracle_tui.engine.stack.doctor_look import doctor_look
from utxoracle_tui.engine.stack.findings.everything import find_all
from utxoracle_tui.engine.stack.look import one_look
from utxoracle_tui.engine.stack.reading import Health, Overall, Standing
from utxoracle_tui.engine.stack.stack_reading import StackReading
from utxoracle_tui.sources.node_access import NodeAccess
from utxoracle_tui.sources.node_errors import NodeUnreachable
from utxoracle_tui.sources.node_probe import probe_port

SIZE = SyncSize(
    blocks=40_000,
    first_file_blocks=20_000,
    blk_files=40,
    txstore_bytes=6_000_000_000,
    history_bytes=4_000_000_000,
    headers_s=30.0,
)


async def looked(node: DemoNode, folder: Path, **changes: str) -> StackReading:
    async with asked_once(settings_of(node.env, folder, **changes)) as asked:
        return await one_look(asked)


async def found(node: DemoNode, folder: Path, **changes: str) -> list[str]:
    settings = settings_of(node.env, folder, **changes)
    async with asked_once(settings) as asked:
        return [finding.kind for finding in find_all(await doctor_look(asked, settings, ()))]


async def test_a_stack_that_is_ready(tmp_path: Path) -> None:
    async with demo_node() as node:
        reading = await looked(node, tmp_path)
        assert reading.overall is Overall.READY
        assert [source.health for source in reading.all] == [Health.UP] * 6
        status = reading.node.detail
        assert status is not None
        assert status.network is not None
        assert status.mempool is not None
        assert status.started_at_s is not None
        assert reading.electrs.detail is not None
        assert reading.electrs.detail.phase is Phase.READY
        assert await found(node, tmp_path) == []


async def test_a_first_sync(tmp_path: Path) -> None:
    async with demo_node(replace(SMALL, scenario="first-sync"), size=SIZE) as node:
        await node.act("electrs/advance", to="pass-2")
        await node.act("electrs/advance", hours=4)
        reading = await looked(node, tmp_path)
        state = reading.electrs.detail
        assert state is not None
        assert (state.phase, reading.overall) == (Phase.PASS_2, Overall.WORKING)
        assert state.progress.share == pytest.approx(4 / 16, abs=0.05)
        assert "of this phase" in reading.electrs.sentence
        assert reading.backend.standing is Standing.WAITS
        kinds = await found(node, tmp_path)
        assert set(kinds) <= {"esplora_without_electrs", "backend_misses_the_node"}


async def test_everything_is_down(tmp_path: Path) -> None:
    async with demo_node() as node:
        for verb in ("", "electrs/", "mempool/", "docker/"):
            await node.act(f"{verb}stop")
        reading = await looked(node, tmp_path)
        assert reading.overall is Overall.DOWN
        assert [source.health for source in reading.all[:5]] == [Health.DOWN] * 5
        # what is on this machine is seen all the same
        assert reading.disks.health is Health.UP
        kinds = await found(node, tmp_path)
        assert kinds[0] == "node_unreachable"
        assert {"mempool_unreachable", "docker_down", "electrs_no_answer"} <= set(kinds)


async def test_everything_hangs(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(look_module, "LOOK_WITHIN_S", 1.0)
    async with demo_node() as node:
        for verb in ("", "electrs/", "electrs/metrics/", "mempool/", "docker/"):
            await node.act(f"{verb}hang")
        began_s = time.monotonic()
        settings = settings_of(node.env, tmp_path)
        async with asked_once(settings) as asked:
            monkeypatch.setattr(look_module, "ANSWER_WITHIN_S", 0.8)
            reading = await one_look(asked)
        assert time.monotonic() - began_s < 3.0
        assert reading.node.word == "hangs"
        assert reading.overall is Overall.DOWN
        for source in (reading.backend, reading.exchange, reading.containers):
            assert source.health is Health.DOWN
            assert "within" in source.sentence
        assert reading.disks.health is Health.UP


async def test_what_the_doctor_finds(tmp_path: Path) -> None:
    settings = NodeSettings(rest=False, warnings=["This is a pre-release test build"])
    async with demo_node(settings=settings) as node:
        await node.act("prune", below=100)
        await node.act("electrs/lag", blocks=0)
        assert await found(node, tmp_path) == ["pruned_node", "rest_off", "node_warning"]
        conf = node.folder.parent / "bitcoin.conf"
        conf.write_text(f"{conf.read_text()}rpcworkqueue=2\n")
        assert "short_work_queue" in await found(node, tmp_path)
        # a cookie of another time
        cookie = node.folder / ".cookie"
        before = cookie.read_text()
        cookie.write_text("__cookie__:" + "0" * 64)
        assert (await found(node, tmp_path))[0] == "stale_cookie"
        cookie.write_text(before)
        other = {"UTXORACLE_TUI_NODE_NETWORK": "signet", "UTXORACLE_TUI_NODE_COOKIE_FILE": str(cookie)}
        assert (await found(node, tmp_path, **other))[0] == "wrong_network"
        kinds = await found(node, tmp_path, ELECTRS_HTTP_URL=node.env["MEMPOOL_API_URL"])
        assert "electrs_address_is_the_backend" in kinds
        await node.act("docker/access", mode=0)
        await node.act("mempool/settings", database_up=False)
        kinds = await found(node, tmp_path, UTXORACLE_TUI_ELECTRS_METRICS_URL="http://127.0.0.1:1")
        assert {"metrics_closed", "backend_database_down"} <= set(kinds)


async def test_obfuscated_block_files(tmp_path: Path) -> None:
    options = replace(SMALL, scenario="electrs-crashloop", speed=600)
    async with demo_node(options, size=SIZE) as node:
        (node.folder / "blocks" / "xor.dat").write_bytes(bytes(range(1, 9)))
        while not (await node.read("electrs/state"))["restarts"]:
            await asyncio.sleep(0.05)
        await node.act("electrs/stop")
        assert "obfuscated_block_files" in await found(node, tmp_path)


async def test_a_clock_that_is_wrong(server: ScriptedServer) -> None:
    # as Bitcoin Core 28.1 answered on 2026-11-22
    reply = recorded("rest_chaininfo")
    server.script = lambda _: reply.answer()
    seen = await probe_port(NodeAccess(server.url))
    assert seen.rest_is_on is True
    assert seen.server_time_s == pytest.approx(1_795_341_700, abs=3600)


@pytest.mark.parametrize(
    ("answer", "rest"),
    [
        (Answer(404, b""), False),
        (Answer(404, b"<html>Not Found</html>"), None),
        (Answer(503, b"Service temporarily unavailable: Loading block index\xe2\x80\xa6\r\n"), True),
        (Answer(500, b"oh"), None),
    ],
)
async def test_whether_rest_is_on(server: ScriptedServer, answer: Answer, rest: bool | None) -> None:
    server.script = lambda _: answer
    seen = await probe_port(NodeAccess(server.url))
    assert (seen.rest_is_on, seen.server_time_s) == (rest, None)
    # it asks nobody for a password, and sends none
    assert server.requests[0].credentials is None


async def test_nobody_is_there() -> None:
    with pytest.raises(NodeUnreachable):
        await probe_port(NodeAccess("http://127.0.0.1:1"))
