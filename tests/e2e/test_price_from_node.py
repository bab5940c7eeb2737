"""`utxoracle-tui price` against a simulated node, some as separate programs."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from typing import Any

import pytest

from tests.support.in_process import find_host, ran
from utxoracle_tui.demo.host.options import HostOptions
from utxoracle_tui.demo.host.process import HostProcess, start_host

PLANTED_USD = 48_000
COMMAND = [sys.executable, "-m", "utxoracle_tui", "price", "--json"]


@pytest.fixture(scope="module")
def host() -> Iterator[HostProcess]:
    options = HostOptions(days=1, tx_per_block=80, speed=0, price=str(PLANTED_USD))
    with start_host(options, wait_until_ready=True) as running:
        # what is sent is counted, slowed down and refused here, so blocks have to come over the port
        running.env["UTXORACLE_TUI_NODE_READ_BLOCK_FILES"] = "false"
        yield running


def price(host: HostProcess, *arguments: str, **environment: str) -> tuple[int, dict[str, Any]]:
    done = subprocess.run(
        [*COMMAND, *arguments],
        env=os.environ | host.env | environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.stderr == ""
    return done.returncode, json.loads(done.stdout)


def control(host: HostProcess, action: str, body: dict[str, Any] | None = None) -> Any:  # noqa: ANN401
    url = f"{host.env['UTXORACLE_DEMO_CONTROL_URL']}/{action}"
    data = None if body is None else json.dumps(body).encode()
    with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(url, data) as reply:
        return json.loads(reply.read())


def test_the_default_is_yesterday(host: HostProcess) -> None:
    control(host, "clear-statistics", {})
    code, document = price(host)
    assert (code, document["kind"], document["valid"]) == (0, "day", True)
    assert document["price_usd"] == pytest.approx(PLANTED_USD, rel=0.005)
    assert (document["network"], document["name"]) == ("regtest", None)
    served = control(host, "statistics")["blocks_served"]
    assert len(served) == document["blocks"]
    assert set(served.values()) == {1}


def test_the_same_without_rest(host: HostProcess, monkeypatch: pytest.MonkeyPatch) -> None:
    find_host(monkeypatch, host.env)
    over_rest = json.loads(ran("price", "--json", "--last", "50").out)
    control(host, "settings", {"rest": False})
    try:
        over_rpc = json.loads(ran("price", "--json", "--last", "50").out)
    finally:
        control(host, "settings", {"rest": True})
    assert over_rpc["price_usd"] == over_rest["price_usd"]
    assert over_rpc["last_hash"] == over_rest["last_hash"]


def test_another_network_is_refused(host: HostProcess) -> None:
    cookie = f"{host.env['BITCOIN_DATADIR']}/regtest/.cookie"
    code, document = price(host, "--last", UTXORACLE_TUI_NODE_NETWORK="main", UTXORACLE_TUI_NODE_COOKIE_FILE=cookie)
    assert (code, document["error"]["kind"]) == (2, "wrong_network")


def test_nothing_listens(host: HostProcess, monkeypatch: pytest.MonkeyPatch) -> None:
    find_host(monkeypatch, dict(host.env) | {"BITCOIN_RPC_URL": "http://127.0.0.1:1"})
    done = ran("price", "--json")
    error = json.loads(done.out)["error"]
    assert (done.code, error["kind"], error["host"], done.err) == (3, "node_unreachable", "127.0.0.1:1", "")
