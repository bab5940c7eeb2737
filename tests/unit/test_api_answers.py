"""The API's answers from stores in every state, without a port."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families

from tests.support import stack_looks
from tests.support.records import DAY_S, observation
from tests.support.store_files import damage
from utxoracle_tui import clock
from utxoracle_tui.config.redaction import Secret
from utxoracle_tui.engine.stack.reading import Source
from utxoracle_tui.engine.stack.stack import Named
from utxoracle_tui.engine.stack.stack_reading import StackReading
from utxoracle_tui.errors import Exit, OperatorError
from utxoracle_tui.serve.app import Answers, make_app
from utxoracle_tui.serve.checks import Checks
from utxoracle_tui.serve.follower import Follower
from utxoracle_tui.store.store import Store

NO_STACK = stack_looks.reading(Named(False, False, False))


class Place:
    """An API and what asks it."""

    def __init__(self, client: httpx.AsyncClient, checks: Checks) -> None:
        self.client = client
        self.checks = checks

    async def get(self, path: str) -> httpx.Response:
        return await self.client.get(path)

    async def until(self, path: str, met: Callable[[httpx.Response], bool]) -> httpx.Response:
        """The first reply that is as it should be."""
        async with asyncio.timeout(10):
            while not met(reply := await self.get(path)):
                await asyncio.sleep(0.05)
        return reply


@asynccontextmanager
async def api(
    open_store: Callable[[], Store], look: Callable[[], Awaitable[StackReading]] | None = None
) -> AsyncIterator[Place]:
    async def quiet() -> StackReading:
        return NO_STACK

    checks = Checks(look or quiet, every_s=0.05)
    follower = Follower(open_store, every_s=0.05, again_s=0.1)
    transport = httpx.ASGITransport(make_app(Answers(follower, checks)))
    async with asyncio.TaskGroup() as tasks, httpx.AsyncClient(transport=transport, base_url="http://api") as client:
        running = [tasks.create_task(follower.run()), tasks.create_task(checks.run())]
        yield Place(client, checks)
        for task in running:
            task.cancel()


async def test_an_empty_store_then_what_others_write(tmp_path: Path) -> None:
    async with api(lambda: Store(tmp_path, "main")) as place:
        empty = await place.get("/api/prices/latest")
        assert (empty.status_code, empty.json()) == (404, {"error": "Nothing is stored yet.", "kind": "empty"})
        assert (await place.get("/api/prices/historical")).json() == []
        nothing = (await place.get("/api/prices/comparison?days=30")).json()
        assert nothing == dict.fromkeys(("avg_diff", "max_diff", "min_diff", "avg_diff_percent", "correlation")) | {
            "total_entries": 0,
            "valid_entries": 0,
            "timeframe_days": 30,
        }

        # another process's store, as far as this one can tell
        now_s = clock.now_s()
        other = Store(tmp_path, "main")
        other.observations.put(observation(number, now_s - (3 - number) * DAY_S + 60) for number in range(3))
        Store(tmp_path, "signet").observations.put([observation(9, now_s)])
        found = await place.until("/api/prices/latest", lambda reply: reply.status_code == 200)
        assert found.json()["tx_count"] == 400_002
        counts = [entry["tx_count"] for entry in (await place.get("/api/prices/historical?days=3")).json()]
        assert counts == [400_000, 400_001, 400_002]
        assert len((await place.get("/api/prices/historical?days=2")).json()) == 2

        other.observations.put([observation(2, now_s - DAY_S + 60, orphaned=True)], replace=True)
        await place.until("/api/prices/latest", lambda reply: reply.json()["tx_count"] == 400_001)


async def test_the_store_may_be_made_later_for_another_network(tmp_path: Path) -> None:
    async with api(lambda: Store(tmp_path, "signet" if (tmp_path / "signet").exists() else "main")) as place:
        assert (await place.get("/api/prices/latest")).status_code == 404
        Store(tmp_path, "signet").observations.put([observation(5, clock.now_s())])
        await place.until("/api/prices/latest", lambda reply: reply.status_code == 200)
        assert (await place.get("/health")).json()["network"] == "signet"


async def test_the_newest_entry_may_be_years_old(tmp_path: Path) -> None:
    Store(tmp_path, "main").observations.put(observation(number, number * DAY_S * 100) for number in range(20, 30))
    async with api(lambda: Store(tmp_path, "main")) as place:
        assert (await place.get("/api/prices/latest")).json()["timestamp"] == "1977-12-10T00:00:00Z"
        assert (await place.get("/api/prices/historical?days=365")).json() == []
        assert (await place.get("/health")).json()["gaps_detected"] == 30


@pytest.mark.parametrize("days", ["0", "366", "-1", "x", "1.5", ""])
async def test_bad_parameters_are_refused(tmp_path: Path, days: str) -> None:
    async with api(lambda: Store(tmp_path, "main")) as place:
        for path in ("historical", "comparison"):
            assert (await place.get(f"/api/prices/{path}?days={days}")).status_code == 422


async def test_a_store_that_cannot_be_read_is_told_in_a_sentence(tmp_path: Path) -> None:
    Store(tmp_path, "main").observations.put([observation(1, clock.now_s())])
    store = tmp_path / "main" / "store"
    async with api(lambda: Store(tmp_path, "main")) as place:
        assert (await place.get("/api/prices/latest")).status_code == 200
        store.rename(tmp_path / "elsewhere")
        (tmp_path / "main" / "store.sequence").unlink()
        gone = await place.until("/api/prices/latest", lambda reply: reply.status_code == 503)
        assert gone.json()["kind"] == "store_gone"
        assert gone.json()["error"].startswith(f"The store at {store} was there and is gone.")
        for path in ("historical", "comparison"):
            assert (await place.get(f"/api/prices/{path}")).json() == gone.json()
        health = await place.get("/health")
        assert health.status_code == 503
        report = health.json()
        assert (report["status"], report["database"], report["error"]) == (
            "unhealthy",
            "unreadable",
            gone.json()["error"],
        )
        assert "utxoracle_tui_store_readable 0.0" in (await place.get("/metrics")).text
        (tmp_path / "elsewhere").rename(store)
        await place.until("/health", lambda reply: reply.status_code == 200)
        assert (await place.get("/api/prices/latest")).status_code == 200


async def test_a_store_that_cannot_be_opened(tmp_path: Path) -> None:
    secret = Secret("correct-horse-battery")

    def refuse() -> Store:
        raise OperatorError("no_permission", f"Nobody may read it, nor {secret.reveal()}.", Exit.FAILED)

    async with api(refuse) as place:
        reply = await place.get("/api/prices/comparison")
        assert reply.status_code == 503
        assert reply.json() == {"error": "Nobody may read it, nor (hidden).", "kind": "no_permission"}
        assert "correct-horse" not in (await place.get("/health")).text


async def test_damaged_files_are_told_of(tmp_path: Path) -> None:
    Store(tmp_path, "main").observations.put([observation(1, clock.now_s())])
    for path in (tmp_path / "main" / "store" / "observations").rglob("*.json"):
        damage(path)
    async with api(lambda: Store(tmp_path, "main")) as place:
        report = (await place.get("/health")).json()
        assert (report["status"], report["database"]) == ("degraded", "damaged")
        assert "observations" in report["error"]


async def test_health_tells_what_the_last_look_found(tmp_path: Path) -> None:
    now_s = clock.now_s()
    Store(tmp_path, "main").observations.put(observation(1, now_s - day * DAY_S) for day in (0, 1, 3))
    looks = 0
    found = stack_looks.reading(
        backend=stack_looks.failed("mempool_unreachable", "The backend with hook https://u:topsecret@h is down.")
    )

    async def look() -> StackReading:
        nonlocal looks
        looks += 1
        if looks > 1:
            # the second look never ends
            await asyncio.Event().wait()
        return found

    async with api(lambda: Store(tmp_path, "main"), look) as place:
        report = (await place.until("/health", lambda reply: reply.json()["checks"] != {})).json()
        assert list(report)[:6] == ["status", "timestamp", "uptime_seconds", "started_at", "checks", "database"]
        assert set(report["checks"]) == {source.value for source in Source}
        assert report["status"] == "degraded"
        assert report["checks"]["node"] == {
            "status": "ok",
            "latency_ms": 4.0,
            "error": None,
            "last_success": "2025-10-30T12:00:00Z",
            "age_seconds": report["checks"]["node"]["age_seconds"],
        }
        backend = report["checks"]["backend"]
        assert (backend["status"], backend["last_success"]) == ("down", None)
        assert "is down" in backend["error"]
        assert "topsecret" not in json.dumps(report)
        assert report["gaps_detected"] == 1
        assert len(report["missing_dates"]) == 1
        # however often it is asked, nobody else is, and the answer grows older
        await place.until("/health", lambda reply: looks == 2)
        for _ in range(20):
            last = (await place.get("/health")).json()
        assert looks == 2
        assert last["checks"]["node"]["age_seconds"] > report["checks"]["node"]["age_seconds"]


@pytest.mark.parametrize(
    ("containers", "listed"),
    [
        ("docker_absent", ["node", "electrs", "exchange", "disks"]),
        # it is there, and closed to this user
        ("docker_denied", ["node", "electrs", "exchange", "containers", "disks"]),
    ],
)
async def test_what_is_not_configured_is_not_listed_and_a_ready_stack_is_healthy(
    tmp_path: Path, containers: str, listed: list[str]
) -> None:
    some = stack_looks.reading(
        Named(False, False, False),
        backend=stack_looks.failed("mempool_unreachable"),
        containers=stack_looks.failed(containers),
    )

    async def look() -> StackReading:
        return some

    async with api(lambda: Store(tmp_path, "main"), look) as place:
        report = (await place.until("/health", lambda reply: reply.json()["checks"] != {})).json()
        assert list(report["checks"]) == listed
        assert (report["status"], report["database"], report["error"]) == ("healthy", "connected", None)


@pytest.mark.parametrize(
    ("error", "status", "words"),
    [
        (OperatorError("configuration", "The node's address is wrong.", Exit.USAGE), "down", "The node's address"),
        (RuntimeError("x"), "degraded", "RuntimeError. This is a fault of the program."),
    ],
)
async def test_a_look_that_fails_is_told_and_made_again(
    tmp_path: Path, error: Exception, status: str, words: str
) -> None:
    looks = 0

    async def look() -> StackReading:
        nonlocal looks
        looks += 1
        if looks == 2:
            raise error
        if looks == 3:
            await asyncio.sleep(0.2)
        return stack_looks.reading()

    async with api(lambda: Store(tmp_path, "main"), look) as place:
        reply = await place.until("/health", lambda reply: list(reply.json()["checks"]) == ["node"])
        node = reply.json()["checks"]["node"]
        assert (node["status"], node["last_success"]) == (status, "2025-10-30T12:00:00Z")
        assert words in node["error"]
        await place.until("/health", lambda reply: len(reply.json()["checks"]) > 1)


async def test_metrics_are_prometheus_text(tmp_path: Path) -> None:
    now_s = clock.now_s()
    row = observation(3, now_s, onchain_usd=50_000.0, exchange_usd=50_500.0, valid=True)
    Store(tmp_path, "main").observations.put([row])
    async with api(lambda: Store(tmp_path, "main")) as place:
        reply = await place.until("/metrics", lambda reply: "source_up{" in reply.text)
        assert reply.headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8"
        found = {
            (sample.name, *sample.labels.values()): sample.value
            for family in text_string_to_metric_families(reply.text)
            for sample in family.samples
        }
        prefix = "utxoracle_tui_"
        assert found[(f"{prefix}onchain_price_usd",)] == 50_000
        assert found[(f"{prefix}exchange_price_usd",)] == 50_500
        assert found[(f"{prefix}difference_usd",)] == 500
        assert found[(f"{prefix}price_valid",)] == 1
        assert found[(f"{prefix}entry_timestamp_seconds",)] == pytest.approx(now_s, abs=0.001)
        assert found[(f"{prefix}source_up", "node")] == 1
