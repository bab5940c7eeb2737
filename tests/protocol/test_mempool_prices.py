"""The exchange price and its history, with the replies that a real backend once gave."""

from __future__ import annotations

import json

import pytest

from tests.support.recordings import RecordedReply, by_path, recorded_reply
from tests.support.scripted_http import Answer, Request, ScriptedServer, Step
from utxoracle_tui.sources.mempool import MempoolBackend
from utxoracle_tui.sources.mempool_errors import BackendFailed, BackendNonsense, PriceSource
from utxoracle_tui.sources.mempool_replies import ExchangePrice, HistoricalPrice, NoPrice, NoPriceKind, Prices
from utxoracle_tui.sources.mempool_session import MempoolAccess

ASKED_S = 1_795_341_648


def replay(name: str) -> RecordedReply:
    return recorded_reply("mempool-backend", name)


async def prices_of(server: ScriptedServer) -> Prices:
    async with MempoolBackend(MempoolAccess(server.url)) as backend:
        return await backend.prices()


async def history_of(server: ScriptedServer, time_s: int) -> HistoricalPrice:
    async with MempoolBackend(MempoolAccess(server.url)) as backend:
        return await backend.historical_price(time_s)


def absent(usd: ExchangePrice | NoPrice) -> NoPrice:
    assert isinstance(usd, NoPrice)
    return usd


@pytest.mark.parametrize(
    ("name", "usd", "time_s"),
    [
        ("mainnet-prices", 65020.0, 1795341961),
        ("mainnet-prices_exchanges_down_after_restart", 64990.0, 1795338000),
    ],
)
async def test_a_price_with_its_own_time(server: ScriptedServer, name: str, usd: float, time_s: int) -> None:
    """The second was given with all feeds down: 8 keys, and a time that stands still."""
    server.script = by_path(replay(name))
    reading = await prices_of(server)
    assert reading.usd == ExchangePrice(usd, time_s, PriceSource.OWN, server.host)
    assert reading.at_s > 1_700_000_000
    assert 0 < reading.latency_s < 5
    assert [(request.method, request.path) for request in server.requests] == [("GET", "/api/v1/prices")]


async def test_a_test_network_has_no_price(server: ScriptedServer) -> None:
    never, refused = replay("regtest-prices"), replay("regtest-historical_price_ts_usd")
    server.script = lambda request: never.answer if request.path == never.path else refused.answer
    usd = absent((await prices_of(server)).usd)
    assert usd.kind is NoPriceKind.TESTNET
    assert usd.message == (f"The mempool backend at {server.host} serves a test network, where bitcoin has no price.")
    assert (usd.source, usd.host) == (PriceSource.OWN, server.host)


@pytest.mark.parametrize("then", [Answer(404), Answer(500), Answer(body=b'{"prices":[]}'), Answer(body=b"")])
async def test_no_price_since_the_start(server: ScriptedServer, then: Step) -> None:
    server.script = [replay("regtest-prices").answer, then]
    usd = absent((await prices_of(server)).usd)
    assert usd.kind is NoPriceKind.NEVER_PRICED
    assert usd.message == (
        f"The mempool backend at {server.host} has had no exchange price since it was started: none of its feeds "
        "answers it, or it is only starting."
    )


@pytest.mark.parametrize(
    ("body", "why"),
    [
        (b'{"time":1795341961,"USD":-1,"EUR":60020}', "among its prices of 2026-11-22 10:06 UTC: its feeds give none."),
        (b'{"time":1795341961,"USD":0}', "its feeds give none."),
        (b'{"time":1795341961,"EUR":60020}', "its feeds give none."),
        (b"", "answers the question for the price with nothing."),
    ],
)
async def test_a_missing_dollar_price(server: ScriptedServer, body: bytes, why: str) -> None:
    server.script = [Answer(body=body)]
    usd = absent((await prices_of(server)).usd)
    assert usd.kind is NoPriceKind.PRICE_MISSING
    assert usd.message.endswith(why)
    assert len(server.requests) == 1


@pytest.mark.parametrize(
    ("body", "fault"),
    [
        (b'{"time":1795341961,"USD":"65020"}', "has a dollar price that is no number"),
        (b'{"time":1795341961,"USD":true}', "has a dollar price that is no number"),
        (b'{"time":1795341961,"USD":1e999}', "has a dollar price that is no number"),
        (b'{"time":1795341961,"USD":' + b"9" * 400 + b"}", "has a dollar price that is no number"),
        (b'{"time":1795341961,"USD":NaN}', "is not JSON"),
        (b'{"time":1795341961000,"USD":65020}', "has no time in unix seconds"),
        (b'{"time":-1,"USD":65020}', "has no time in unix seconds"),
        (b'{"time":"now","USD":65020}', "has no time in unix seconds"),
        (b'{"USD":65020}', "has no time in unix seconds"),
        (b"{}", "has no time in unix seconds"),
        (b"[65020]", "is not an object"),
        (b'{"time":1795341961,"USD":65', "is not JSON"),
        (b"[" * 100_000, "is not JSON"),
        (b'{"time":1795341961,"USD":65020,"\xff":1}', "is not UTF-8"),
        (b"<html>", "is a web page, not JSON"),
    ],
    ids=lambda value: repr(value[:40]),
)
async def test_prices_that_are_nonsense(server: ScriptedServer, body: bytes, fault: str) -> None:
    server.script = [Answer(body=body)]
    with pytest.raises(BackendNonsense) as caught:
        await prices_of(server)
    assert caught.value.message == (
        f"What answers at {server.host} talks nonsense: its reply to prices {fault}. The reply is not used. "
        "Check that this is the backend's own port (8999) or its front end, and nothing else."
    )


@pytest.mark.parametrize(
    ("name", "asked_s", "usd", "row"),
    [
        ("mainnet-historical_price_ts_usd", ASKED_S, 64990.0, (1795338000, 3648)),
        ("mainnet-historical_price_2012", 1339539816, 5.46829, (1339372800, 167016)),
    ],
)
async def test_an_earlier_price(
    server: ScriptedServer, name: str, asked_s: int, usd: float, row: tuple[int, int]
) -> None:
    row_s, age_s = row
    server.script = by_path(replay(name))
    reading = await history_of(server, asked_s)
    assert reading.usd == ExchangePrice(usd, row_s, PriceSource.OWN, server.host)
    assert (reading.asked_s, reading.row_age_s) == (asked_s, age_s)
    assert server.requests[0].path == f"/api/v1/historical-price?currency=USD&timestamp={asked_s}"


@pytest.mark.parametrize(
    ("name", "asked_s", "kind", "why"),
    [
        (
            "mainnet-historical_price_before_2010",
            1231006505,
            NoPriceKind.BEFORE_HISTORY,
            "has no price of 2009-01-03 18:15 UTC: there is none before 2010-07-19.",
        ),
        (
            "mainnet-db_down_hist",
            1339539816,
            NoPriceKind.DATABASE_DOWN,
            "answers the question for an earlier price with nothing, as it does when its database is down.",
        ),
        (
            "regtest-historical_price_ts_usd",
            ASKED_S,
            NoPriceKind.TESTNET,
            "serves a test network, where bitcoin has no price.",
        ),
        (
            "mainnet-unknown_endpoint",
            ASKED_S,
            NoPriceKind.NO_HISTORY,
            "keeps no earlier prices: DATABASE_ENABLED is off there, or INDEXING_BLOCKS_AMOUNT is 0.",
        ),
    ],
)
async def test_no_earlier_price(server: ScriptedServer, name: str, asked_s: int, kind: NoPriceKind, why: str) -> None:
    server.script = [replay(name).answer]
    reading = await history_of(server, asked_s)
    usd = absent(reading.usd)
    assert (usd.kind, reading.row_age_s) == (kind, None)
    assert usd.message == f"The mempool backend at {server.host} {why}"
    assert usd.kind.is_lasting == (kind in (NoPriceKind.TESTNET, NoPriceKind.BEFORE_HISTORY))


def test_an_unknown_currency_and_a_dead_database_are_answered_alike() -> None:
    """Why an empty body can only mean the database: the currency that is asked for is always USD."""
    assert replay("mainnet-historical_price_badcur").answer.status == 200
    assert replay("mainnet-historical_price_badcur").body == replay("mainnet-db_down_hist").body == b""


async def test_the_newest_row_that_is_not_later_counts(server: ScriptedServer) -> None:
    rows = [{"time": ASKED_S + second, "USD": 60_000 + second} for second in (-7200, -1, -3600, 1)]
    server.script = [Answer(body=json.dumps({"prices": rows}).encode())]
    reading = await history_of(server, ASKED_S)
    assert reading.usd == ExchangePrice(59_999.0, ASKED_S - 1, PriceSource.OWN, server.host)
    assert reading.row_age_s == 1


@pytest.mark.parametrize(
    ("rows", "why"),
    [
        ([], "has no price at or before 2026-11-22 10:00 UTC."),
        ([{"time": ASKED_S + 1, "USD": 65020}], "has no price at or before 2026-11-22 10:00 UTC."),
        (
            [{"time": ASKED_S - 60, "USD": -1}],
            "has no dollar price for 2026-11-22 10:00 UTC: its row of 2026-11-22 09:59 has none.",
        ),
    ],
)
async def test_rows_without_a_price(server: ScriptedServer, rows: list[dict[str, int]], why: str) -> None:
    server.script = [Answer(body=json.dumps({"prices": rows}).encode())]
    usd = absent((await history_of(server, ASKED_S)).usd)
    assert usd.kind is NoPriceKind.PRICE_MISSING
    assert usd.message.endswith(why)


async def test_a_row_with_other_currencies(server: ScriptedServer) -> None:
    server.script = [replay("mainnet-historical_price_ts_eur").answer]
    assert (await history_of(server, ASKED_S)).usd == ExchangePrice(64990.0, 1795338000, PriceSource.OWN, server.host)


async def test_a_refusal_of_another_kind(server: ScriptedServer) -> None:
    server.script = [Answer(400, b'{"error":"Bad \\u001b[31mtimestamp."}')]
    with pytest.raises(BackendFailed, match=r"failed at historical-price: Bad \[31mtimestamp \(HTTP 400\)\."):
        await history_of(server, ASKED_S)


@pytest.mark.parametrize("body", [b'{"rows":[]}', b'{"prices":{}}', b'{"prices":[1]}', b'{"prices":[{"USD":1}]}'])
async def test_a_history_that_is_nonsense(server: ScriptedServer, body: bytes) -> None:
    server.script = [Answer(body=body)]
    with pytest.raises(BackendNonsense):
        await history_of(server, ASKED_S)


async def test_a_whole_table_is_refused(server: ScriptedServer) -> None:
    rows = [{"time": 1_795_338_000 - 3600 * n, "USD": 64990} for n in range(10_000)]
    server.script = [Answer(body=json.dumps({"prices": rows}).encode())]
    with pytest.raises(BackendNonsense, match=r"is too big \(more than 262,144 bytes\)"):
        await history_of(server, ASKED_S)


@pytest.mark.parametrize("time_s", [0, -5])
async def test_times_that_would_fetch_the_whole_table_are_not_asked_for(server: ScriptedServer, time_s: int) -> None:
    with pytest.raises(ValueError, match="positive times"):
        await history_of(server, time_s)
    assert not server.requests


async def test_prices_are_asked_over_one_connection(server: ScriptedServer) -> None:
    answer = replay("mainnet-prices").answer

    def script(request: Request) -> Step:
        return answer

    server.script = script
    async with MempoolBackend(MempoolAccess(server.url)) as backend:
        for _ in range(3):
            await backend.prices()
    assert (server.connections, len(server.requests)) == (1, 3)
