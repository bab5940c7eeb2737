"""The public instance: asked slowly, left alone when it wants that, and never twice for the same past."""

from __future__ import annotations

import asyncio
import json

import pytest

from tests.protocol.test_mempool_faults import PROXIES
from tests.protocol.test_mempool_prices import replay
from tests.support.recordings import by_path
from tests.support.scripted_http import Answer, Request, ScriptedServer
from utxoracle_tui import clock
from utxoracle_tui.errors import Exit
from utxoracle_tui.sources import mempool_errors
from utxoracle_tui.sources.mempool_errors import PriceSource
from utxoracle_tui.sources.mempool_public import PublicInstance
from utxoracle_tui.sources.mempool_replies import ExchangePrice, NoPrice
from utxoracle_tui.sources.mempool_session import MempoolAccess

pytestmark = pytest.mark.usefixtures("no_proxy")


class Time:
    """A clock that only sleeping moves."""

    def __init__(self) -> None:
        self.now_s = 1000.0
        self.slept_s: list[float] = []

    async def sleep(self, seconds: float) -> None:
        self.slept_s.append(seconds)
        self.now_s += seconds

    def elapsed_s(self) -> float:
        return self.now_s


@pytest.fixture
def no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in (*PROXIES, "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)


def public_at(url: str, time: Time) -> PublicInstance:
    return PublicInstance(MempoolAccess(url, PriceSource.PUBLIC), sleep=time.sleep, elapsed_s=time.elapsed_s)


async def test_its_prices_are_marked(server: ScriptedServer) -> None:
    server.script = by_path(replay("mainnet-prices"), replay("mainnet-historical_price_2012"))
    async with public_at(server.url, Time()) as public:
        now, earlier = await public.prices(), await public.historical_price(1339539816)
    assert now.usd == ExchangePrice(65020.0, 1795341961, PriceSource.PUBLIC, server.host)
    assert earlier.usd == ExchangePrice(5.46829, 1339372800, PriceSource.PUBLIC, server.host)


async def test_its_missing_prices_are_marked(server: ScriptedServer) -> None:
    server.script = [Answer(body=b'{"time":1795341961,"USD":-1}')]
    async with public_at(server.url, Time()) as public:
        usd = (await public.prices()).usd
    assert isinstance(usd, NoPrice)
    assert (usd.source, usd.message.split(" has ")[0]) == (
        PriceSource.PUBLIC,
        f"The public mempool instance {server.host}",
    )


def test_an_access_that_is_not_marked_is_refused() -> None:
    with pytest.raises(ValueError, match="marked as public"):
        PublicInstance(MempoolAccess("https://mempool.space"))


async def test_one_request_a_second_also_when_many_ask_at_once(server: ScriptedServer) -> None:
    time = Time()
    starts_s: list[float] = []

    def script(request: Request) -> Answer:
        starts_s.append(time.now_s)
        time.now_s += 0.25
        return replay("mainnet-prices").answer

    server.script = script
    async with public_at(server.url, time) as public:
        await asyncio.gather(*(public.prices() for _ in range(4)))
        time.now_s += 5
        await public.prices()
    assert starts_s == [1000.0, 1001.0, 1002.0, 1003.0, 1008.25]
    assert time.slept_s == [0.75, 0.75, 0.75]
    assert server.most_in_flight == 1


async def test_the_second_request_about_a_testnet_waits_as_well(server: ScriptedServer) -> None:
    time = Time()
    server.script = [replay("regtest-prices").answer, replay("regtest-historical_price_ts_usd").answer]
    async with public_at(server.url, time) as public:
        await public.prices()
    assert (time.slept_s, len(server.requests)) == ([1.0], 2)


async def test_it_is_left_alone_for_as_long_as_it_says(server: ScriptedServer) -> None:
    time = Time()
    server.script = [Answer(429, headers=(("Retry-After", "300"),)), replay("mainnet-prices").answer]
    async with public_at(server.url, time) as public:
        with pytest.raises(mempool_errors.RateLimited) as caught:
            await public.prices()
        assert caught.value.wait_s == 300
        time.now_s += 299
        with pytest.raises(mempool_errors.RateLimited) as waiting:
            await public.historical_price(1339539816)
        assert len(server.requests) == 1
        time.now_s += 1
        assert isinstance((await public.prices()).usd, ExchangePrice)
    assert caught.value.message == (
        f"The public mempool instance {server.host} wants fewer requests (HTTP 429). It is not asked for 5 min 00 s. "
        "Whatever else asks it from this address counts as well."
    )
    assert (waiting.value.kind, waiting.value.wait_s) == ("mempool_rate_limited", 1)


@pytest.mark.parametrize(
    ("headers", "wait_s"),
    [
        ((("Retry-After", "7"),), 7.0),
        ((("Retry-After", "Sun, 22 Nov 2026 10:10:00 GMT"), ("Date", "Sun, 22 Nov 2026 10:08:30 GMT")), 90.0),
        ((("Retry-After", "Sun, 22 Nov 2026 10:00:00 GMT"), ("Date", "Sun, 22 Nov 2026 10:08:30 GMT")), 0.0),
        ((("Retry-After", "99999999999999999999"),), 86_400.0),
        ((("Retry-After", "soon"),), 60.0),
        ((("Retry-After", ""),), 60.0),
        ((("Retry-After", "-5"),), 60.0),
        ((), 60.0),
    ],
)
async def test_how_it_says_it(server: ScriptedServer, headers: tuple[tuple[str, str], ...], wait_s: float) -> None:
    server.script = [Answer(429, headers=headers)]
    async with public_at(server.url, Time()) as public:
        with pytest.raises(mempool_errors.RateLimited) as caught:
            await public.prices()
    assert caught.value.wait_s == wait_s


async def test_a_date_without_the_servers_clock(server: ScriptedServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clock, "now_s", lambda: 1_795_342_110.0)  # 2026-11-22 10:08:30 UTC
    server.script = [Answer(429, headers=(("Retry-After", "Sun, 22 Nov 2026 10:10:00 GMT"),))]
    async with public_at(server.url, Time()) as public:
        with pytest.raises(mempool_errors.RateLimited) as caught:
            await public.prices()
    assert caught.value.wait_s == 90.0


async def test_refusals_in_a_row_double_the_wait(server: ScriptedServer) -> None:
    time = Time()
    waits_s = []
    server.script = lambda _: Answer(429, headers=(("Retry-After", "1"),) if len(server.requests) == 3 else ())
    async with public_at(server.url, time) as public:
        for _ in range(8):
            with pytest.raises(mempool_errors.RateLimited) as caught:
                await public.prices()
            assert caught.value.wait_s is not None
            waits_s.append(caught.value.wait_s)
            time.now_s += caught.value.wait_s
        server.script = [replay("mainnet-prices").answer, Answer(429)]
        await public.prices()
        with pytest.raises(mempool_errors.RateLimited) as caught:
            await public.prices()
    assert waits_s == [60, 120, 240, 480, 960, 1920, 3600, 3600]
    assert caught.value.wait_s == 60


async def test_a_ban_is_respected(server: ScriptedServer) -> None:
    time = Time()
    server.script = [Answer(403, b"<html>")]
    async with public_at(server.url, time) as public:
        with pytest.raises(mempool_errors.AccessRefused, match="may have banned this address"):
            await public.prices()
        with pytest.raises(mempool_errors.RateLimited):
            await public.prices()
    assert len(server.requests) == 1


async def test_a_settled_price_is_asked_for_once(server: ScriptedServer) -> None:
    server.script = by_path(
        replay("mainnet-historical_price_2012"),
        replay("mainnet-historical_price_before_2010"),
    )
    async with public_at(server.url, Time()) as public:
        first = await public.historical_price(1339539816)
        again = await asyncio.gather(*(public.historical_price(1339539816) for _ in range(3)))
        for _ in range(2):
            assert isinstance((await public.historical_price(1231006505)).usd, NoPrice)
    assert again == [first] * 3
    assert len(server.requests) == 2


async def test_what_may_still_change_is_asked_for_again(server: ScriptedServer) -> None:
    recent_s = int(clock.now_s()) - 3600
    row = Answer(body=json.dumps({"prices": [{"time": recent_s - 60, "USD": 65020}]}).encode())
    server.script = [row, row, Answer(body=b""), Answer(body=b"")]
    async with public_at(server.url, Time()) as public:
        for time_s in (recent_s, recent_s, 1339539816, 1339539816):
            await public.historical_price(time_s)
    assert len(server.requests) == 4


async def test_it_may_be_asked_through_a_proxy(server: ScriptedServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", server.url)
    server.script = lambda _: replay("mainnet-prices").answer
    async with public_at("http://public.invalid", Time()) as public:
        await public.prices()
    assert server.requests[0].path == "http://public.invalid/api/v1/prices"


async def test_a_proxy_that_refuses(server: ScriptedServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", server.url)
    server.script = lambda _: Answer(407, reason="Proxy Authentication Required")
    async with public_at("https://public.invalid", Time()) as public:
        with pytest.raises(mempool_errors.BackendUnreachable) as caught:
            await public.prices()
    assert caught.value.message.startswith(
        "The proxy before the public mempool instance public.invalid refuses (407 Proxy Authentication Required)."
    )
    assert server.requests[0].method == "CONNECT"


async def test_a_proxy_of_a_kind_that_is_not_supported(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ALL_PROXY", "socks5://operator:hunter22@127.0.0.1:9050")
    async with public_at("http://public.invalid", Time()) as public:
        with pytest.raises(mempool_errors.ProxyUnusable) as caught:
            await public.prices()
    assert (caught.value.kind, caught.value.exit_code) == ("proxy_unusable", Exit.USAGE)
    assert "hunter22" not in caught.value.message


async def test_without_a_connection(server: ScriptedServer) -> None:
    await server.stop()
    async with public_at(server.url, Time()) as public:
        with pytest.raises(mempool_errors.BackendUnreachable) as caught:
            await public.prices()
    assert caught.value.message == (
        f"Nothing answers at {server.host}: the connection is refused. The next request connects anew. "
        "Check the connection to the internet, and the proxy if the environment names one."
    )
