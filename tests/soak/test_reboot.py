"""A host that is rebooted in the middle of work, with its clock an hour off afterwards.

By hand: `pytest -m soak -s tests/soak/test_reboot.py`. All processes are killed; watch and API start again before the
node is there, as units do; the node comes later, with another cookie. Nobody does anything else, and all goes on.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import time
from pathlib import Path

import httpx
import pytest

from tests.e2e.test_api_command import serving
from tests.e2e.test_watch import Watch, processes_with, until
from tests.support.in_process import find_host, ran
from tests.support.job_place import act, job_place
from tests.support.receiver import Receiver
from tests.support.receiving_thread import Receiving
from utxoracle_tui import clock
from utxoracle_tui.demo.host.options import HostOptions
from utxoracle_tui.demo.host.process import HostProcess, start_host
from utxoracle_tui.engine.workers import Workers
from utxoracle_tui.store.records import Job
from utxoracle_tui.store.store import Store

pytestmark = pytest.mark.soak

DAYS = 8
PLANTED_USD = 61_000
NODE_COMES_AFTER_S = 135.0
"""Longer than a source has to be down for an alert."""
ALERT_ENDS_AFTER_S = 75.0
"""Longer than it has to be up for the alert's end."""


async def ask_for_days(host: HostProcess, folder: Path) -> Job:
    """Write a job to the store, as a console does, and work on nothing."""
    async with job_place(host, Workers(folder / "unused", 1), folder) as place:
        plan = await place.shop.planner.backfill(await place.days(DAYS))
        assert plan.job is not None
        return plan.job


def events(receiver: Receiver) -> list[tuple[str, str]]:
    return [(each["event"], each["rule"]) for each in (json.loads(body) for _, body in receiver.got)]


def kill_all_with(word: str) -> None:
    """End every process that has a word in its environment, at once, as a loss of power does."""
    for path in Path("/proc").glob("[0-9]*"):
        try:
            is_ours = word.encode() in (path / "environ").read_bytes()
        except OSError:
            continue
        if is_ours:
            os.kill(int(path.name), signal.SIGKILL)


def healthy(client: httpx.Client) -> bool:
    report = client.get("/health").json()
    return bool(report["status"] == "healthy" and report["checks"] and report["checks"]["node"]["status"] == "ok")


@pytest.mark.parametrize("step_s", [3600.0, -3600.0])
def test_all_comes_back(tmp_path: Path, step_s: float, monkeypatch: pytest.MonkeyPatch) -> None:
    data, alerts, mark = tmp_path / "data", Receiving(), f"reboot-{step_s:+.0f}"
    options = HostOptions(days=DAYS, tx_per_block=300, speed=0, price=str(PLANTED_USD))
    with start_host(options, wait_until_ready=True) as host, alerts.listening() as receiver:
        environment = host.env | {
            "ALERT_WEBHOOK_URL": receiver.url,
            "XDG_STATE_HOME": str(tmp_path),
            "UTXORACLE_TUI_NODE_READ_BLOCK_FILES": "false",
            "MARK": mark,
        }
        find_host(monkeypatch, environment)
        watch, store = Watch(data, environment), Store(data, "regtest")
        watch.wait_for("round of blocks")
        job = asyncio.run(ask_for_days(host, data))
        with serving(data, **environment) as (_, client):
            assert client.get("/api/prices/latest").status_code == 200
            until(lambda: store.jobs.progress(job.key).done >= 2, lambda: "".join(watch.lines))
            kill_all_with(mark)
        watch.close()
        done_before = store.jobs.progress(job.key).done
        assert done_before < DAYS
        assert processes_with(mark) == []
        act(host, "stop", clean=False)

        environment[clock.ENVIRONMENT_NAME] = f"{time.time() + step_s:.0f}@1"
        watch = Watch(data, environment)
        try:
            with serving(data, **environment) as (_, client):
                watch.wait_for("watching")
                time.sleep(NODE_COMES_AFTER_S)
                assert not healthy(client)
                assert "Traceback" not in "".join(watch.lines)
                rounds = store.observations.count()
                act(host, "start", warm_up_s=5.0)
                act(host, "mine")
                came_s = time.monotonic()
                until(lambda: store.observations.count() > rounds, lambda: "".join(watch.lines))
                round_after_s = time.monotonic() - came_s
                watch.wait_for(f"job {job.key} .* is done")
                job_after_s = time.monotonic() - came_s
                until(lambda: healthy(client), lambda: client.get("/health").text)
                latest = client.get("/api/prices/latest").json()
                time.sleep(ALERT_ENDS_AFTER_S)
            code, took_s = watch.end()
        finally:
            watch.close()
        assert (code, took_s < 10) == (0, True)
    print(
        f"\nclock {step_s:+.0f} s: {done_before} of {DAYS} days before; after the node: a round {round_after_s:.1f} s, "
        f"the rest of the job {job_after_s:.1f} s; {events(receiver)}"
    )
    assert "Traceback" not in "".join(watch.lines)
    assert latest["utxoracle_price"] == pytest.approx(PLANTED_USD, rel=0.01)
    assert [window.price_usd for window in store.windows.newest("day", DAYS)] == pytest.approx(
        [PLANTED_USD] * DAYS, rel=0.01
    )
    assert events(receiver).count(("raised", "source")) == events(receiver).count(("resolved", "source")) == 1
    assert ran("store", "check", "--data-dir", data).code == 0
    assert processes_with(mark) == []
