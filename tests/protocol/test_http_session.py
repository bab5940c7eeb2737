"""One HTTP session that is closed while it is asking: whatever becomes of the request, no connection is left open."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator

import httpcore
import pytest

from tests.support.scripted_http import Answer, ScriptedServer
from utxoracle_tui.sources.http import ExchangeFailed, Failure, HttpSession, Reply


def session_at(server: ScriptedServer) -> HttpSession:
    return HttpSession(server.url, connect_timeout_s=5, read_timeout_s=5, keep_alive=True)


async def ask(session: HttpSession) -> Reply | ExchangeFailed:
    try:
        return await session.exchange("GET", "/", most_bytes=100)
    except ExchangeFailed as failed:
        return failed


@pytest.fixture
async def slow_to_connect(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[tuple[asyncio.Event, asyncio.Event]]:
    """Connections are made only after the second event; the first tells that one is wanted."""
    wanted, gate = asyncio.Event(), asyncio.Event()
    connect = httpcore.AnyIOBackend.connect_tcp

    async def late(*positional: object, **named: object) -> object:
        wanted.set()
        await gate.wait()
        return await connect(*positional, **named)  # type: ignore[arg-type]

    monkeypatch.setattr(httpcore.AnyIOBackend, "connect_tcp", late)
    yield wanted, gate
    gate.set()


async def test_closed_while_it_connects(
    server: ScriptedServer, slow_to_connect: tuple[asyncio.Event, asyncio.Event]
) -> None:
    wanted, gate = slow_to_connect
    server.script = lambda _: Answer(200, b"1")
    session = session_at(server)
    asking = asyncio.create_task(ask(session))
    await wanted.wait()
    await session.aclose()
    gate.set()
    reply = await asking
    assert isinstance(reply, Reply)
    assert reply.body == b"1"
    await server.until(lambda: server.connections == 1 and server.open_connections == 0)


async def test_closed_while_it_connects_for_a_long_reply(
    server: ScriptedServer, slow_to_connect: tuple[asyncio.Event, asyncio.Event]
) -> None:
    wanted, gate = slow_to_connect
    server.script = lambda _: Answer(200, b"1")
    session = session_at(server)

    async def read() -> bytes:
        async with session.open("GET", "/") as reply:
            return b"".join([chunk async for chunk in reply.chunks])

    reading = asyncio.create_task(read())
    await wanted.wait()
    await session.aclose()
    gate.set()
    assert await reading == b"1"
    await server.until(lambda: server.connections == 1 and server.open_connections == 0)


@pytest.mark.parametrize("kept", [False, True], ids=["its first connection", "a kept connection"])
async def test_closed_while_it_waits_for_the_answer(server: ScriptedServer, kept: bool) -> None:
    gate = asyncio.Event()
    session = session_at(server)
    if kept:
        server.script = lambda _: Answer(200, b"1")
        await ask(session)
    server.script = lambda _: Answer(200, b"1", after=gate)
    asking = asyncio.create_task(ask(session))
    await server.until(lambda: server.in_flight == 1)
    await session.aclose()
    failed = await asking
    assert isinstance(failed, ExchangeFailed)
    assert failed.failure is Failure.CLOSED
    gate.set()
    # it isn't sent again over another connection
    await server.until(lambda: server.open_connections == 0)
    assert server.connections == 1


async def test_cancelled_while_it_waits(server: ScriptedServer) -> None:
    gate = asyncio.Event()
    server.script = lambda _: Answer(200, b"1", after=gate)
    session = session_at(server)
    asking = asyncio.create_task(ask(session))
    await server.until(lambda: server.in_flight == 1)
    asking.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await asking
    await session.aclose()
    gate.set()
    await server.until(lambda: server.open_connections == 0)
