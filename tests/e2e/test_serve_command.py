"""`utxoracle-tui serve` as a program of its own: its page, the console behind it, and the end of both."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import aiohttp
import pytest

from tests.support.in_process import ran
from tests.support.processes import command_line, descendants, still_running
from utxoracle_tui.demo.host.options import HostOptions
from utxoracle_tui.demo.host.process import HostProcess, start_host

WS = "/ws?width=120&height=40"
WEBHOOK = "https://hooks.example/correct-horse-battery"


@pytest.fixture(scope="module")
def host() -> Iterator[HostProcess]:
    with start_host(HostOptions(days=1, tx_per_block=4, speed=0), wait_until_ready=True) as running:
        yield running


class Serving:
    """The command."""

    def __init__(self, folder: Path, environment: dict[str, str], *arguments: str) -> None:
        command = [sys.executable, "-m", "utxoracle_tui", "serve", "--port", "0", "--data-dir", str(folder), *arguments]
        self.process = subprocess.Popen(
            command, env=os.environ | environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        assert self.process.stderr is not None
        self.said = self.process.stderr.readline()
        found = re.search(r"The console is on (http://\S+),", self.said)
        assert found is not None, self.said
        self.url = found[1]

    def end(self, by: signal.Signals) -> tuple[int, set[int]]:
        """End it by a signal: its exit code, and which of the processes below it go on."""
        below = descendants(self.process.pid)
        self.process.send_signal(by)
        code = self.process.wait(20)
        return code, still_running(below, 10)

    def close(self) -> None:
        for pid in descendants(self.process.pid):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        self.process.kill()
        self.process.communicate()


@contextlib.asynccontextmanager
async def serving(
    folder: Path, environment: dict[str, str], *arguments: str
) -> AsyncIterator[tuple[Serving, aiohttp.ClientSession]]:
    server = await asyncio.to_thread(Serving, folder, environment, *arguments)
    try:
        async with aiohttp.ClientSession(server.url) as client:
            yield server, client
    finally:
        await asyncio.to_thread(server.close)


async def seen_until(websocket: aiohttp.ClientWebSocketResponse, text: str) -> str:
    """What the console has written, as plain text, up to a text."""
    seen = ""
    async with asyncio.timeout(60):
        while text not in re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", seen):
            message = await websocket.receive()
            assert message.type is aiohttp.WSMsgType.BINARY, (message, seen)
            seen += message.data.decode(errors="replace")
    return re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", seen)


async def until_closed(websocket: aiohttp.ClientWebSocketResponse) -> bytes:
    seen = b""
    async with asyncio.timeout(30):
        while (message := await websocket.receive()).type is aiohttp.WSMsgType.BINARY:
            seen += message.data
    assert message.type in (aiohttp.WSMsgType.CLOSE, aiohttp.WSMsgType.CLOSED, aiohttp.WSMsgType.CLOSING)
    return seen


async def test_a_console_in_the_browser(host: HostProcess, tmp_path: Path) -> None:
    environment = dict(host.env) | {"ALERT_WEBHOOK_URL": WEBHOOK}
    async with serving(tmp_path, environment) as (server, client):
        assert server.said.startswith("utxoracle-tui: The console is on http://127.0.0.1:")
        assert server.said.endswith(", only to look.\n")
        page = await client.get("/")
        text = await page.text()
        assert page.status == 200
        # everything comes from here
        assert "//" not in text.replace("<!DOCTYPE html>", "")
        assert "frame-ancestors 'none'" in page.headers["Content-Security-Policy"]
        for path in [*re.findall(r'(?:src|href)="([a-z][^":]*)"', text), "static/js/textual.js"]:
            assert (await client.get(f"/{path}")).status == 200

        strangers = ({"Origin": "https://evil.example"}, {"Host": "evil.example"}, {"Origin": "null"})
        for headers in strangers:
            for path in ("/", "/ws"):
                assert (await client.get(path, headers=headers)).status == 403

        own = {"Origin": server.url}
        async with client.ws_connect(WS, headers=own) as websocket:
            # the heading of a console that only looks, on the host that the environment names
            seen = await seen_until(websocket, "READ ONLY")
            assert "utxoracle-tui" in seen
            await websocket.send_str(json.dumps(["stdin", "2"]))
            await seen_until(websocket, "Bitcoin Core")
            below = descendants(server.process.pid)
            words = [word for pid in below for word in command_line(pid)]
            assert "utxoracle_tui" in words
            assert not any("correct-horse" in word for word in words)
            code, left = await asyncio.to_thread(server.end, signal.SIGTERM)
            assert (code, left) == (0, set())
            await until_closed(websocket)
        assert server.process.stderr is not None
        assert server.process.stderr.read() == ""


def test_what_is_missing_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "textual_serve", None)
    done = ran("serve")
    assert (done.code, done.out) == (2, "")
    assert "`uv tool install 'utxoracle-tui[web]'`" in done.err


def test_a_port_that_is_taken(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        done = ran("serve", "--port", port, "--data-dir", tmp_path)
    assert done.code == 1
    assert f"The console could not be started on 127.0.0.1 port {port}: another program has it." in done.err
    assert ran("serve", "--port", "70000", "--data-dir", tmp_path).code == 2


def test_a_wrong_configuration_is_said_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("UTXORACLE_TUI_NODE_MAX_IN_FLIGHT", "0")
    done = ran("serve", "--data-dir", tmp_path)
    assert done.code == 2
    assert "node.max_in_flight" in done.err


@pytest.mark.soak
@pytest.mark.parametrize("by", [signal.SIGINT, signal.SIGHUP, signal.SIGKILL])
async def test_all_ends_with_the_server(host: HostProcess, tmp_path: Path, by: signal.Signals) -> None:
    async with (
        serving(tmp_path, dict(host.env)) as (server, client),
        client.ws_connect(WS) as first,
        client.ws_connect(WS) as second,
    ):
        await seen_until(first, "READ ONLY")
        await seen_until(second, "READ ONLY")
        code, left = await asyncio.to_thread(server.end, by)
        assert (code, left) == (-9 if by is signal.SIGKILL else 0, set())


@pytest.mark.soak
async def test_a_console_ends_with_its_browser(host: HostProcess, tmp_path: Path) -> None:
    async with serving(tmp_path, dict(host.env)) as (server, client):
        async with client.ws_connect(WS) as websocket:
            await seen_until(websocket, "READ ONLY")
            below = descendants(server.process.pid)
            assert below
        assert await asyncio.to_thread(still_running, below, 15) == set()
        # by q as well, and by what is no message; the next one is served all the same
        for sent in (json.dumps(["stdin", "q"]), "no message", "[]", '{"stdin": 1}', '["resize", {}]'):
            async with client.ws_connect(WS) as websocket:
                await seen_until(websocket, "READ ONLY")
                await websocket.send_str(sent)
                await until_closed(websocket)
        assert (await client.get("/")).status == 200


@pytest.mark.soak
async def test_writable_and_for_others(host: HostProcess, tmp_path: Path) -> None:
    config = tmp_path / "config.toml"
    config.write_text("[screen]\nread_only = true\n")
    environment = dict(host.env)
    arguments = ("--writable", "--host", "0.0.0.0", "--config", str(config))
    async with serving(tmp_path, environment, *arguments) as (server, client):
        assert server.said.endswith(", jobs can be asked for.\n")
        assert server.process.stderr is not None
        warning = await asyncio.to_thread(server.process.stderr.readline)
        assert "there is no password" in warning
        async with client.ws_connect(WS) as websocket:
            seen = await seen_until(websocket, "synced")
            assert "READ ONLY" not in seen


@pytest.mark.soak
async def test_a_console_that_does_not_start_says_so(host: HostProcess, tmp_path: Path) -> None:
    async with serving(tmp_path, dict(host.env) | {"UTXORACLE_TUI_SCREEN_REMAP": "app.quit=1 jobs.pause=1"}) as served:
        server, client = served
        async with client.ws_connect(WS) as websocket:
            assert b"The console could not be started." in await until_closed(websocket)
        server.process.send_signal(signal.SIGTERM)
        out, _ = await asyncio.to_thread(server.process.communicate)
        assert out.startswith("utxoracle-tui: ")
