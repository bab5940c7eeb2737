"""`utxoracle-tui status` and `doctor` against a simulated host, some as separate programs."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.support.in_process import find_host, ran
from utxoracle_tui.demo.host.options import HostOptions
from utxoracle_tui.demo.host.process import HostProcess, start_host
from utxoracle_tui.store.records import Observation
from utxoracle_tui.store.store import Store

OPTIONS = HostOptions(days=1, tx_per_block=4, speed=0)


@pytest.fixture(scope="module")
def shared() -> Iterator[HostProcess]:
    """A host that nobody changes."""
    with start_host(OPTIONS, wait_until_ready=True) as running:
        yield running


@pytest.fixture
def host() -> Iterator[HostProcess]:
    with start_host(OPTIONS, wait_until_ready=True) as running:
        yield running


def act(host: HostProcess, action: str, **arguments: object) -> None:
    reply = httpx.post(f"{host.env['UTXORACLE_DEMO_CONTROL_URL']}/{action}", json=arguments, trust_env=False)
    assert reply.status_code == 200, reply.text


def run(host: HostProcess, folder: Path, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "utxoracle_tui", *arguments, "--data-dir", str(folder)],
        env=os.environ | host.env | environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


def test_a_day_of_a_stack(host: HostProcess, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = Store(tmp_path, "regtest")
    store.observations.put([Observation(key="one", time_s=time.time() - 3700, window_kind="blocks")])

    done = run(host, tmp_path, "status")
    assert (done.returncode, done.stderr) == (0, "")
    lines = done.stdout.splitlines()
    assert lines[0].startswith("The stack is ready.")
    assert max(map(len, lines)) <= 80
    for row in ("Bitcoin Core ● synced", "electrs      ● ready", "backend      ● live", "exchange     ● fresh"):
        assert any(line.startswith(row) for line in lines), done.stdout
    assert "store ● there regtest: newest round 1 h ago, no 1 h ago backup." in " ".join(done.stdout.split())

    find_host(monkeypatch, host.env)
    quick = ran("doctor", "--data-dir", tmp_path)
    assert (quick.code, quick.out) == (0, "Nothing is misconfigured, as far as can be seen from here.\n")

    act(host, "mempool/stop")
    done = run(host, tmp_path, "status", "--json")
    assert (done.returncode, done.stderr) == (4, "")
    document = json.loads(done.stdout)
    assert list(document) == [
        "overall",
        "time",
        "node",
        "electrs",
        "backend",
        "exchange",
        "containers",
        "disks",
        "store",
    ]
    assert document["overall"] == "degraded"
    assert (document["backend"]["health"], document["backend"]["error"]) == ("down", "mempool_unreachable")
    assert document["node"]["blocks"] == document["node"]["headers"] > 100
    assert document["node"]["peers"] == 10
    assert (document["electrs"]["phase"], document["electrs"]["share"]) == ("ready", 1.0)
    assert document["electrs"]["advice"]
    assert {"eta_s", "sentence", "conditions"} <= set(document["electrs"])
    assert [each["state"] for each in document["containers"]["containers"]] == [
        "running",
        "exited",
        "running",
        "running",
    ]
    assert document["disks"]["disks"][0]["free_bytes"] > 0
    assert document["store"]["newest_observation_age_s"] == pytest.approx(3700, abs=60)

    quick = ran("doctor", "--json", "--data-dir", tmp_path)
    assert (quick.code, quick.err) == (4, "")
    findings = json.loads(quick.out)["findings"]
    assert findings[0]["kind"] == "mempool_unreachable"
    assert {"kind", "gravity", "what", "evidence", "mend"} == set(findings[0])

    act(host, "stop")
    quick = ran("status", "--data-dir", tmp_path)
    assert quick.code == 3
    assert quick.out.startswith("The stack is down.")
    done = run(host, tmp_path, "doctor")
    assert done.returncode == 4
    assert max(map(len, done.stdout.splitlines())) <= 80
    assert "✗ error     Bitcoin Core can't be used." in done.stdout
    assert "  mend:     " in done.stdout


def test_a_password_is_never_shown(shared: HostProcess, tmp_path: Path) -> None:
    password = "correct-horse-battery"
    given = {"BITCOIN_RPC_USER": "alice", "BITCOIN_RPC_PASSWORD": password}
    for command in (("status", "--json"), ("doctor",)):
        done = run(shared, tmp_path, *command, **given)
        assert done.returncode in (3, 4)
        assert "alice" in done.stdout or "password" in done.stdout
        assert password not in done.stdout + done.stderr


def test_wrong_configuration(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("UTXORACLE_TUI_NODE_MAX_IN_FLIGHT", "0")
    done = ran("doctor", "--json", "--data-dir", tmp_path)
    assert done.code == 2
    assert json.loads(done.out)["error"]["kind"] == "configuration"


@pytest.mark.soak
@pytest.mark.parametrize("fault", ["hang", "latency"])
def test_nobody_waits_for_long(host: HostProcess, tmp_path: Path, fault: str) -> None:
    for verb in ("", "electrs/", "electrs/metrics/", "mempool/", "docker/"):
        act(host, f"{verb}{fault}", **({"seconds": 5.0} if fault == "latency" else {}))
    for command in ("status", "doctor"):
        began_s = time.monotonic()
        done = run(host, tmp_path, command)
        assert time.monotonic() - began_s < 12, done.stdout
        expected = {("hang", "status"): 3, ("hang", "doctor"): 4, ("latency", "status"): 4, ("latency", "doctor"): 0}
        assert done.returncode == expected[fault, command], done.stdout
        assert "Traceback" not in done.stderr
