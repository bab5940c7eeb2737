"""`utxoracle-tui api` as a program of its own, with requests of all kinds made from its own description."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
import schemathesis
from hypothesis import settings
from schemathesis import Case
from schemathesis.schemas import BaseSchema

from tests.support.in_process import ran
from tests.support.records import DAY_S, observation
from utxoracle_tui.demo.host.options import HostOptions
from utxoracle_tui.demo.host.process import HostProcess, start_host
from utxoracle_tui.store.store import Store

PASSWORD = "correct-horse-battery"
PATHS = ("/api/prices/latest", "/api/prices/historical", "/api/prices/comparison", "/health", "/metrics")


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port: int = server.getsockname()[1]
        return port


@pytest.fixture(scope="module")
def host() -> Iterator[HostProcess]:
    with start_host(HostOptions(days=1, tx_per_block=4, speed=0), wait_until_ready=True) as running:
        yield running


@contextlib.contextmanager
def serving(folder: Path, *arguments: str, **environment: str) -> Iterator[tuple[subprocess.Popen[str], httpx.Client]]:
    """The command, and a client of it; it is ended if it hasn't been."""
    port = free_port()
    command = [sys.executable, "-m", "utxoracle_tui", "api", "--data-dir", str(folder), *arguments]
    with subprocess.Popen(
        command, env=os.environ | {"FASTAPI_PORT": str(port)} | environment, stderr=subprocess.PIPE, text=True
    ) as process:
        try:
            assert process.stderr is not None
            said = process.stderr.readline()
            assert said == f"utxoracle-tui: Serving on http://127.0.0.1:{port}, described by /openapi.json.\n"
            with httpx.Client(base_url=f"http://127.0.0.1:{port}", trust_env=False, timeout=10) as client:
                yield process, client
        finally:
            process.kill()


@pytest.fixture(scope="module")
def api(host: HostProcess, tmp_path_factory: pytest.TempPathFactory) -> Iterator[httpx.Client]:
    """An API whose node is there, and which knows a password."""
    folder = tmp_path_factory.mktemp("api")
    now_s = time.time()
    Store(folder, "regtest").observations.put(observation(number, now_s - (99 - number) * 600) for number in range(100))
    # the webhook is never asked: it is a secret to keep
    webhook = {"ALERT_WEBHOOK_URL": f"https://hooks.example/{PASSWORD}"}
    with serving(folder, **host.env, **webhook) as (_, client):
        yield client


def asked(host: HostProcess) -> int:
    """How often the node was asked."""
    reply = httpx.get(f"{host.env['UTXORACLE_DEMO_CONTROL_URL']}/requests", trust_env=False)
    return len(reply.json())


def test_prices_and_the_stack_beside_them(api: httpx.Client, host: HostProcess) -> None:
    assert api.get("/api/prices/latest").json()["tx_count"] == 400_099
    assert [entry["tx_count"] for entry in api.get("/api/prices/historical?days=1").json()] == [
        *range(400_000, 400_100)
    ]
    comparison = api.get("/api/prices/comparison?days=1").json()
    assert (comparison["total_entries"], comparison["valid_entries"], comparison["timeframe_days"]) == (100, 90, 1)

    end_s = time.monotonic() + 15
    while (report := api.get("/health").json())["checks"] == {} and time.monotonic() < end_s:
        time.sleep(0.1)
    assert {"node", "electrs", "backend", "exchange"} <= set(report["checks"])
    assert {check["status"] for check in report["checks"].values()} == {"ok"}
    assert (report["status"], report["database"], report["network"]) == ("healthy", "connected", "regtest")
    assert 'utxoracle_tui_source_up{source="node"} 1.0' in api.get("/metrics").text

    before = asked(host)
    assert before > 0
    for _ in range(50):
        assert api.get("/health").status_code == 200
    assert asked(host) == before


def test_no_reply_has_a_secret_or_a_page_of_somebody_else(api: httpx.Client) -> None:
    for path in (*PATHS, "/openapi.json", f"/{PASSWORD}", "/docs", "/redoc"):
        reply = api.get(path)
        assert "https://" not in reply.text
        assert "hooks.example" not in reply.text
        assert PASSWORD not in reply.text
        assert "__cookie__" not in reply.text
    assert api.post("/api/prices/latest").status_code == 405
    assert api.delete("/api/prices/latest").headers["allow"] == "GET"


@pytest.fixture(scope="module")
def described(api: httpx.Client) -> BaseSchema:
    """The API as it describes itself."""
    return schemathesis.openapi.from_url(str(api.base_url.join("/openapi.json")))


schema = schemathesis.pytest.from_fixture("described")


@pytest.fixture(scope="module")
def kinds() -> Iterator[set[tuple[str, bool]]]:
    """Paths that are asked, and whether wrongly: at the end there must have been both."""
    found: set[tuple[str, bool]] = set()
    yield found
    assert {path for path, is_wrong in found if not is_wrong} == set(PATHS)
    assert {"/api/prices/historical", "/api/prices/comparison"} <= {path for path, is_wrong in found if is_wrong}


@schema.parametrize()
@settings(max_examples=10)
def test_replies_keep_to_the_description(case: Case, kinds: set[tuple[str, bool]]) -> None:
    """For parameters of all kinds, right and wrong, and for methods that there aren't."""
    kinds.add((case.path, case.meta is not None and case.meta.generation.mode.is_negative))
    case.call_and_validate()


def test_it_ends_soon_and_in_order(tmp_path: Path) -> None:
    Store(tmp_path, "main").observations.put([observation(1, time.time() - DAY_S)])
    # a node that answers nothing, so that the look at it is under way
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}"
        node = {"BITCOIN_RPC_URL": url, "BITCOIN_RPC_USER": "u", "BITCOIN_RPC_PASSWORD": PASSWORD}
        with serving(tmp_path, **node) as (process, client):
            # the connection stays open
            assert client.get("/api/prices/latest").status_code == 200
            process.send_signal(signal.SIGTERM)
            assert process.wait(10) == 0
            assert process.stderr is not None
            assert process.stderr.read() == ""


def test_a_port_that_is_taken(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        done = ran("api", "--port", port, "--data-dir", tmp_path)
    assert (done.code, done.out) == (1, "")
    assert done.err == (
        f"utxoracle-tui: The API could not be started on 127.0.0.1 port {port}: another program has it. End that one, "
        "or name another port with --port.\n"
    )


@pytest.mark.parametrize("address", ["192.0.2.7", "no-such-host.invalid"])
def test_an_address_of_another_machine(tmp_path: Path, address: str) -> None:
    done = ran("api", "--host", address, "--port", free_port(), "--data-dir", tmp_path)
    assert done.code == 1
    assert "this machine has no such address. Name one with --host." in done.err


def test_without_the_extra(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "fastapi", None)
    done = ran("api", "--data-dir", tmp_path)
    assert (done.code, done.out) == (2, "")
    assert "pipx inject utxoracle-tui fastapi uvicorn" in done.err
    assert "uv tool install 'utxoracle-tui[api]'" in done.err


def test_wrong_settings(tmp_path: Path) -> None:
    assert ran("api", "--port", "70000", "--data-dir", tmp_path).code == 2
    for network in ("main", "signet"):
        Store(tmp_path, network).observations.put([observation(1)])
    done = ran("api", "--port", free_port(), "--data-dir", tmp_path)
    assert done.code == 2
    assert "Name one with --network." in done.err


def test_only_the_named_network_is_served_until_ctrl_c(tmp_path: Path) -> None:
    for number, network in enumerate(("main", "signet")):
        Store(tmp_path, network).observations.put([observation(number)])
    with serving(tmp_path, "--network", "signet") as (process, client):
        assert client.get("/api/prices/latest").json()["tx_count"] == 400_001
        assert client.get("/health").json()["network"] == "signet"
        process.send_signal(signal.SIGINT)
        assert process.wait(10) == 0
