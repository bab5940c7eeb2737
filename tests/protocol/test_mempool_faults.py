"""Backends that are down, frozen, slow, misplaced, or something else altogether."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import pytest

from tests.protocol.test_mempool_prices import replay
from tests.support.dripping import dripping
from tests.support.scripted_http import Answer, Cut, Reset, ScriptedServer, Silence, Step
from utxoracle_tui.errors import Exit
from utxoracle_tui.sources import mempool_errors
from utxoracle_tui.sources.mempool import MempoolBackend
from utxoracle_tui.sources.mempool_session import MempoolAccess

HTML = (("Content-Type", "text/html"),)
PROXIES = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY")


async def fails(server: ScriptedServer, timeout_s: float = 10.0, url: str = "") -> mempool_errors.MempoolError:
    async with MempoolBackend(MempoolAccess(url or server.url, timeout_s=timeout_s)) as backend:
        with pytest.raises(mempool_errors.MempoolError) as caught:
            await backend.prices()
    return caught.value


async def test_nothing_listens(server: ScriptedServer) -> None:
    await server.stop()
    error = await fails(server)
    assert error.message == (
        f"Nothing answers at {server.host}: the connection is refused. The next request connects anew. Start the "
        "backend, or check its address: it listens on port 8999, its front end on 8080 or 80."
    )
    assert (error.kind, error.exit_code, error.host) == ("mempool_unreachable", Exit.UNREACHABLE, server.host)


async def test_an_unknown_name(server: ScriptedServer) -> None:
    error = await fails(server, url="http://no-such-backend.invalid:8999")
    assert error.kind == "mempool_unreachable"
    assert error.message.startswith("The name of no-such-backend.invalid:8999 is not known")


@pytest.mark.parametrize("step", [Cut(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{"), Cut(), Reset()])
async def test_killed_in_the_middle(server: ScriptedServer, step: Step) -> None:
    server.script = [step]
    error = await fails(server)
    assert error.kind == "mempool_unreachable"
    assert "closed the connection in the middle of prices" in error.message


async def test_killed_and_back_again(server: ScriptedServer) -> None:
    server.script = lambda _: replay("mainnet-tip_height").answer
    async with MempoolBackend(MempoolAccess(server.url)) as backend:
        assert (await backend.tip_height()).height == 117
        await server.stop()
        with pytest.raises(mempool_errors.BackendUnreachable):
            await backend.tip_height()
        await server.start()
        assert (await backend.tip_height()).height == 117


@pytest.mark.parametrize("sent", [b"", b"HTTP/1.1 200 OK\r\nContent-Length: 300\r\n\r\n{"])
async def test_frozen(server: ScriptedServer, sent: bytes) -> None:
    server.script = [Silence(sent)]
    error = await fails(server, timeout_s=0.2)
    assert (error.kind, error.exit_code) == ("mempool_hanging", Exit.UNREACHABLE)
    assert error.message == (
        f"The mempool backend at {server.host} has not answered prices within 0.2 s. It is asked again when the price "
        "is next due. See whether its container is frozen, or its database or disk overloaded."
    )


async def test_a_reply_that_never_ends_in_small_pieces() -> None:
    """Each piece comes in time, the whole does not."""
    async with dripping(lambda serve: asyncio.start_server(serve, "127.0.0.1", 0)) as server:
        url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        async with MempoolBackend(MempoolAccess(url, timeout_s=0.3)) as backend:
            with pytest.raises(mempool_errors.BackendHanging):
                await backend.prices()


@pytest.mark.parametrize(
    ("step", "fault"),
    [
        (Cut(b"\x00\x01 not http at all\r\n\r\n"), "is not HTTP"),
        (Answer(body=b"<!doctype html><title>mempool</title>", headers=HTML), "is a web page, not JSON"),
        (Answer(body=b"\xff\xfe{"), "is not UTF-8"),
        (Answer(body=b"[]"), "is not an object"),
        (Answer(body=b" " * 300_000), "is too big (more than 262,144 bytes)"),
        (
            Answer(302, headers=(("Location", "http://user:hunter22@elsewhere.example/login?token=abc"),)),
            "sends to http://***@elsewhere.example/login (HTTP 302), which is not followed",
        ),
        (Answer(301), "sends to nowhere (HTTP 301), which is not followed"),
    ],
    ids=lambda value: value[:20] if isinstance(value, str) else "",
)
async def test_nonsense(server: ScriptedServer, step: Step, fault: str) -> None:
    server.script = [step]
    error = await fails(server)
    assert error.kind == "mempool_nonsense"
    assert error.message.startswith(
        f"What answers at {server.host} talks nonsense: its reply to prices {fault}. The reply is not used."
    )
    assert "hunter22" not in error.message


async def test_a_redirect_is_not_followed(server: ScriptedServer) -> None:
    other = ScriptedServer(lambda _: replay("mainnet-prices").answer)
    await other.start()
    server.script = [Answer(307, headers=(("Location", f"{other.url}/api/v1/prices"),))]
    await fails(server)
    await other.stop()
    assert not other.requests


async def test_an_endless_body_is_cut_off(server: ScriptedServer) -> None:
    head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
    server.script = [Cut(head + b"10000\r\n" + b" " * 65_536 + b"\r\n" + b"40000\r\n" + b" " * 262_144 + b"\r\n")]
    assert "is too big" in (await fails(server)).message


@pytest.mark.parametrize(
    ("step", "kind", "words"),
    [
        (replay("mainnet-unknown_endpoint").answer, "mempool_not_served", "does not serve prices (HTTP 404). Check"),
        (
            Answer(502, b"<html><center>nginx</center></html>", HTML),
            "mempool_unreachable",
            "answers, the backend behind it does not (HTTP 502 to prices). The next request tries again. Start the",
        ),
        (Answer(504, b"", HTML), "mempool_unreachable", "(HTTP 504 to prices)"),
        (
            replay("mainnet-db_down_blocks").answer,
            "mempool_failed",
            "failed at prices: Failed to get blocks (HTTP",
        ),
        (Answer(500, b"<html>oops</html>", HTML), "mempool_failed", "failed at prices (HTTP 500). Its log"),
        (
            Answer(503, b"Service Unavailable", HTML),
            "mempool_failed",
            "failed at prices: Service Unavailable (HTTP",
        ),
        (Answer(401), "mempool_refused", "refuses prices (HTTP 401). The backend itself asks for no password"),
        (Answer(403), "mempool_refused", "refuses prices (HTTP 403)"),
        (Answer(429), "mempool_rate_limited", "wants fewer requests (HTTP 429). The backend itself has no limit"),
        (Answer(204), "mempool_failed", "(HTTP 204)"),
    ],
)
async def test_statuses(server: ScriptedServer, step: Step, kind: str, words: str) -> None:
    server.script = [step]
    error = await fails(server)
    assert error.kind == kind
    assert words in error.message
    assert server.host in error.message


@pytest.fixture
def proxy_in_environment(server: ScriptedServer, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    for name in (*PROXIES, "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)
    monkeypatch.setenv("HTTP_PROXY", server.url)
    yield


@pytest.mark.usefixtures("proxy_in_environment")
async def test_the_own_backend_is_never_asked_through_a_proxy(server: ScriptedServer) -> None:
    own = ScriptedServer(lambda _: replay("mainnet-tip_height").answer)
    await own.start()
    async with MempoolBackend(MempoolAccess(own.url)) as backend:
        await backend.tip_height()
    await own.stop()
    assert (len(own.requests), len(server.requests)) == (1, 0)
