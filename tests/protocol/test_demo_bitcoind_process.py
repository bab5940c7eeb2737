"""`demo --serve` as a process of its own: what it prints, what time it goes by, and how it ends."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest

from tests.support.demo_node import SMALL
from utxoracle_core import select_day
from utxoracle_tui import clock
from utxoracle_tui.demo.host.options import HostOptions
from utxoracle_tui.demo.host.process import start_host
from utxoracle_tui.errors import OperatorError

TINY = replace(SMALL, tx_per_block=1)
SERVE = (sys.executable, "-m", "utxoracle_tui", "demo", "--serve")
MIDNIGHT_S = 1_795_305_600
ANNOUNCED = {
    *("BITCOIN_RPC_URL", "BITCOIN_DATADIR", "MEMPOOL_API_URL", "ELECTRS_HTTP_URL"),
    *("UTXORACLE_TUI_ELECTRS_METRICS_URL", "UTXORACLE_TUI_ELECTRS_LOG_FILE", "UTXORACLE_TUI_ELECTRS_INDEX_DIR"),
    *("UTXORACLE_TUI_CONTAINERS_SOCKET", "UTXORACLE_DEMO_CONTROL_URL"),
}
HOURS = {"00:00:30": 30, "03:00": 10_800, "12:00": 43_200, "23:59": 86_340}


def is_up(env: dict[str, str]) -> bool:
    try:
        httpx.get(env["BITCOIN_RPC_URL"] + "/rest/chaininfo.json", trust_env=False)
    except httpx.TransportError:
        return False
    return True


def comes_true(condition: Callable[[], bool], within_s: float = 8) -> bool:
    end_s = time.monotonic() + within_s
    while not condition() and time.monotonic() < end_s:
        time.sleep(0.05)
    return condition()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_serve_prints_one_line_when_ready_and_ends_by_a_signal(number: signal.Signals) -> None:
    with subprocess.Popen([*SERVE, *TINY.as_arguments()], stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        document = json.loads(process.stdout.readline())
        env = document["env"]
        assert document["pid"] == process.pid
        assert set(env) == ANNOUNCED
        user, password = Path(env["BITCOIN_DATADIR"], "regtest", ".cookie").read_text().split(":")
        body = {"id": 1, "method": "getblockchaininfo"}
        reply = httpx.post(env["BITCOIN_RPC_URL"], json=body, auth=(user, password), trust_env=False)
        assert reply.json()["result"]["chain"] == "regtest"
        process.send_signal(number)
        rest = process.stdout.read()
    assert (process.returncode, rest) == (0, b"")
    assert not Path(env["BITCOIN_DATADIR"]).exists()


async def header_times(env: dict[str, str]) -> dict[int, int]:
    async with httpx.AsyncClient(base_url=env["BITCOIN_RPC_URL"] + "/rest/", trust_env=False) as client:
        genesis = (await client.get("blockhashbyheight/0.json")).json()["blockhash"]
        headers = (await client.get(f"headers/{genesis}.json?count=2000")).json()
        return {header["height"]: header["time"] for header in headers}


@pytest.mark.soak
async def test_yesterday_is_the_default_day_at_any_hour() -> None:
    """The hosts start together: most of a start is spent importing."""

    async def check(second: int) -> None:
        now_s = MIDNIGHT_S + second
        process = await asyncio.create_subprocess_exec(
            *SERVE,
            *replace(TINY, days=2).as_arguments(),
            env={**os.environ, clock.ENVIRONMENT_NAME: f"{now_s}@1"},
            stdout=asyncio.subprocess.PIPE,
        )
        try:
            assert process.stdout is not None
            env = json.loads(await process.stdout.readline())["env"]
            epoch, _, rate = env[clock.ENVIRONMENT_NAME].partition("@")
            assert (rate, now_s <= float(epoch) < now_s + 30) == ("1", True)
            times = await header_times(env)
        finally:
            process.terminate()
            assert await process.wait() == 0
        today = datetime.fromtimestamp(now_s, UTC).date()
        for day in (None, today - timedelta(days=2)):
            chosen = select_day(day, times, max(times))
            assert chosen.day == (day or today - timedelta(days=1))
            assert 100 <= len(chosen.blocks) <= 200
        assert max(times.values()) <= now_s

    await asyncio.gather(*(check(second) for second in HOURS.values()))


def test_child_listens_at_once_and_ends_with_its_handle() -> None:
    with start_host(replace(TINY, days=30)) as host:
        assert Path(host.env["BITCOIN_DATADIR"], "regtest", ".cookie").exists()
        reply = httpx.get(host.env["BITCOIN_RPC_URL"] + "/rest/chaininfo.json", trust_env=False)
        assert (reply.status_code, reply.text[:31]) == (503, "Service temporarily unavailable")
    assert not is_up(host.env)
    assert not Path(host.env["BITCOIN_DATADIR"]).exists()


def test_child_ends_when_its_parent_is_killed() -> None:
    program = (
        "import json, time\n"
        "from utxoracle_tui.demo.host.options import HostOptions\n"
        "from utxoracle_tui.demo.host.process import start_host\n"
        f"host = start_host(HostOptions(**{ {name: getattr(TINY, name) for name in TINY.__slots__} }))\n"
        "print(json.dumps(host.env), flush=True)\n"
        "time.sleep(60)\n"
    )
    with subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE) as parent:
        assert parent.stdout is not None
        env = json.loads(parent.stdout.readline())
        assert is_up(env)
        parent.kill()
    assert comes_true(lambda: not is_up(env))
    assert comes_true(lambda: not Path(env["BITCOIN_DATADIR"]).exists())


def test_child_that_does_not_start_says_why(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(clock.ENVIRONMENT_NAME, "no time")
    with pytest.raises(OperatorError) as failed:
        start_host(TINY)
    assert failed.value.kind == "demo_failed"
    assert "ValueError" in failed.value.message


@pytest.mark.parametrize("option", ["--days=0", "--speed=-1", "--price=cheap", "--scenario=apocalypse"])
def test_wrong_option_is_told_at_once(option: str) -> None:
    done = subprocess.run([*SERVE, option], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (2, "")
    assert option.partition("=")[0] in done.stderr


def test_options_survive_the_command_line() -> None:
    from utxoracle_tui.command_line import build_parser

    options = HostOptions(
        seed=3, days=4, tx_per_block=5, price="6:7", speed=8.5, scenario="reorg", price_updates_per_hour=9
    )
    arguments = build_parser().parse_args(["demo", "--serve", *options.as_arguments()])
    assert HostOptions.from_arguments(arguments) == options
    assert HostOptions.from_arguments(build_parser().parse_args(["demo"])) == HostOptions()
