"""How many requests are in flight, seen by the server, and the limit that falls and grows."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest

from tests.support.node_client import BLOCK_113, asked_for, node_at, result
from tests.support.scripted_http import Answer, Request, ScriptedServer, Silence, Step, recorded
from utxoracle_tui.sources import node_errors
from utxoracle_tui.sources.http import Backoff
from utxoracle_tui.sources.http_limits import Load, RequestLimiter
from utxoracle_tui.sources.node_session import Patience

BUSY = Answer(503, b"Work queue depth exceeded")


def reply_to(request: Request, after: asyncio.Event | None = None) -> Answer:
    body = result(request, 84).body if request.body else recorded("rest_block_bin").body
    return Answer(body=body, after=after)


async def settle(condition: Callable[[], bool]) -> None:
    """Let other tasks run until something holds."""
    async with asyncio.timeout(10):
        while not condition():
            await asyncio.sleep(0)


@pytest.mark.parametrize("most", [1, 3, 4])
async def test_no_more_than_the_limit_are_in_flight(server: ScriptedServer, most: int) -> None:
    gate = asyncio.Event()
    server.script = lambda request: reply_to(request, gate)
    async with node_at(server, max_in_flight=most) as node, asyncio.TaskGroup() as group:
        for _ in range(5):
            group.create_task(node.raw_block(BLOCK_113))
            group.create_task(node.uptime_s())
        await server.until(lambda: server.in_flight == most)
        assert node.load == Load(in_flight=most, limit=most, most=most, waiting=10 - most)
        gate.set()
    assert node.load == Load(0, most, most, 0)
    assert server.most_in_flight == most
    assert len(server.requests) == 10


async def test_small_requests_go_before_waiting_blocks(server: ScriptedServer) -> None:
    gate = asyncio.Event()
    server.script = lambda request: reply_to(request, gate)
    async with node_at(server, max_in_flight=1) as node, asyncio.TaskGroup() as group:
        for _ in range(3):
            group.create_task(node.raw_block(BLOCK_113))
        await server.until(lambda: server.in_flight == 1)
        group.create_task(node.uptime_s())
        await settle(lambda: node.load.waiting == 3)
        gate.set()
    path = f"/rest/block/{BLOCK_113}.bin"
    assert asked_for(server.requests) == [path, "uptime", path, path]


async def test_a_full_queue_halves_the_limit_once_a_round(server: ScriptedServer) -> None:
    gate = asyncio.Event()
    server.script = lambda request: Answer(BUSY.status, BUSY.body, after=gate)
    async with node_at(server) as node:
        work = [asyncio.create_task(node.uptime_s()) for _ in range(4)]
        await server.until(lambda: server.in_flight == 4)
        gate.set()
        failed = await asyncio.gather(*work, return_exceptions=True)
        assert all(isinstance(error, node_errors.NodeBusy) for error in failed)
        assert node.load.limit == 2
        for limit in (1, 1):
            with pytest.raises(node_errors.NodeBusy):
                await node.uptime_s()
            assert node.load.limit == limit

        server.script = reply_to
        for limit in (2, 3, 4, 4):
            for _ in range(RequestLimiter.GROW_AFTER_REPLIES):
                assert node.load.limit < limit or limit == node.load.limit == 4
                await node.uptime_s()
            assert node.load.limit == limit


async def test_fewer_are_in_flight_after_a_full_queue(server: ScriptedServer) -> None:
    most_after: list[int] = []

    def crowded(request: Request) -> Step:
        if len(server.requests) <= 4:
            return BUSY
        most_after.append(server.in_flight)
        return reply_to(request)

    server.script = crowded
    async with node_at(server, patience=Patience(busy_s=30)) as node, asyncio.TaskGroup() as group:
        for _ in range(20):
            group.create_task(node.raw_block(BLOCK_113))
    assert len(server.requests) == 24
    assert max(most_after) <= 2


async def test_cancelling_leaves_nothing_in_flight(server: ScriptedServer) -> None:
    server.script = lambda request: Silence(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n1234")
    async with node_at(server, max_in_flight=2) as node:
        for read in (node.uptime_s, lambda: node.raw_block(BLOCK_113), lambda: node.block_hashes([1, 2])):
            work = [asyncio.create_task(read()) for _ in range(6)]
            await server.until(lambda: server.in_flight == 2)
            assert node.load.waiting == 4
            for task in work:
                task.cancel()
            outcomes = await asyncio.gather(*work, return_exceptions=True)
            assert all(isinstance(outcome, asyncio.CancelledError) for outcome in outcomes)
            assert node.load == Load(0, 2, 2, 0)
            await server.until(lambda: server.open_connections == 0)
        assert len(server.requests) == 6
        server.script = reply_to
        assert await node.uptime_s() == 84


async def test_closing_with_connections_open(server: ScriptedServer) -> None:
    server.script = reply_to
    node = node_at(server)
    await node.uptime_s()
    await node.aclose()
    await server.until(lambda: server.open_connections == 0)
    await node.aclose()


async def test_a_cancelled_waiter_gives_its_turn_away() -> None:
    limiter = RequestLimiter(1)
    order: list[str] = []

    async def use(name: str, *, ahead: bool = False) -> None:
        async with limiter.slot(ahead=ahead):
            order.append(name)
            await asyncio.sleep(0)

    async with limiter.slot():
        tasks = {name: asyncio.create_task(use(name, ahead=name == "d")) for name in "abcd"}
        await asyncio.sleep(0)
        tasks["a"].cancel()
        await asyncio.sleep(0)
        assert limiter.load == Load(1, 1, 1, 3)
        tasks["b"].cancel()
    # the turn went to d; take it from it in the moment between being given and being used
    assert limiter.load.in_flight == 1
    tasks["d"].cancel()
    await asyncio.gather(*tasks.values(), return_exceptions=True)
    assert order == ["c"]
    assert limiter.load == Load(0, 1, 1, 0)


class SlowOrFast:
    """Feeds a limiter with replies that took so long."""

    def __init__(self) -> None:
        self.limiter = RequestLimiter(8)

    async def replies(self, *waits_s: float, kind: str = "block") -> int:
        """The limit after these."""
        for wait_s in waits_s:
            async with self.limiter.slot() as slot:
                self.limiter.served(slot, kind, wait_s)
        return self.limiter.load.limit


async def test_three_slow_replies_in_a_row_halve_the_limit() -> None:
    feed = SlowOrFast()
    assert await feed.replies(*[0.2] * 8) == 8
    assert await feed.replies(0.9, 0.9, 0.2, 0.9, 0.9) == 8
    assert await feed.replies(0.9) == 4
    assert await feed.replies(0.9, 0.9, 0.9) == 2


async def test_slow_is_meant_by_the_median_of_the_same_kind() -> None:
    feed = SlowOrFast()
    assert await feed.replies(*[0.9] * 7) == 8, "too few to say what is slow"
    assert await feed.replies(*[0.01] * 20, kind="tip") == 8
    assert await feed.replies(0.9, 0.9, 0.9, kind="block") == 8, "as ever for blocks"
    assert await feed.replies(0.4, 0.4, 0.4, 0.4, kind="tip") == 8, "forty times the median, and no trouble"
    assert await feed.replies(0.9, 0.9, 0.9, kind="tip") == 4


async def test_a_server_that_became_slow_for_good_is_used_again() -> None:
    feed = SlowOrFast()
    await feed.replies(*[0.2] * 64)
    assert await feed.replies(*[1.0] * 32) == 1
    assert await feed.replies(*[1.0] * 32 * 8) == 8


def test_a_limit_must_allow_something() -> None:
    with pytest.raises(ValueError, match="at least one"):
        RequestLimiter(0)


def test_back_off_doubles_and_is_half_random() -> None:
    backoff = Backoff(first_s=0.2, most_s=5.0)
    assert [backoff.delay_s(n, 1.0) for n in (1, 2, 3, 10, 10_000)] == [0.2, 0.4, 0.8, 5.0, 5.0]
    assert [backoff.delay_s(n, 0.0) for n in (1, 2, 10)] == [0.1, 0.2, 2.5]
