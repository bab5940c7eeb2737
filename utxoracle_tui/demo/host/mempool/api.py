"""The HTTP interface of the simulated mempool backend, under `/api/v1/` and nowhere else."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from http import HTTPStatus
from urllib.parse import parse_qs

from utxoracle_tui import clock
from utxoracle_tui.demo.host.block_json import mempool_json
from utxoracle_tui.demo.host.http_server import Request, Response
from utxoracle_tui.demo.host.json_text import Amount, Json
from utxoracle_tui.demo.host.mempool import blocks, express
from utxoracle_tui.demo.host.mempool.backend import Backend
from utxoracle_tui.demo.host.mempool.exchange import FIRST_ROW_S, MISSING, RATES
from utxoracle_tui.demo.host.mempool.odd import ODD_REPLIES
from utxoracle_tui.demo.host.rpc_params import is_hex

PREFIX = "/api/v1/"
BLOCKS_A_PAGE = 15
_BLOCKS_AT_START = 8
_SATS_A_BTC = 100_000_000
_MINUTE_S = 60
_OLD_BLOCK_S = 600
_HISTORY_S = 300
_UNAVAILABLE = "Service Temporarily Unavailable"
_NOT_LOADED_KEYS = 8
"""Keys of `mempoolInfo` before the node has told: those up to `minrelaytxfee`."""
_COMMON_ROUTES = (
    *("prices", "historical-price", "blocks/tip/height", "blocks", "block", "backend-info", "init-data"),
    *("difficulty-adjustment", "fees/recommended", "fees/precise", "fees/mempool-blocks", "mining/blocks/timestamp"),
)
_PASSED_ROUTES = ("blocks/tip/hash", "block-height", "mempool")
"""Passed on to the node; an electrs answers them where there is one."""
_Answer = Callable[[str, dict[str, str]], Awaitable[Response]]


class Api:
    """Answers requests from what a backend knows."""

    def __init__(self, backend: Backend) -> None:
        self._backend = backend
        self.odd: dict[str, str] = {}
        """Paths behind the prefix (or ``""`` for all) with the name of the odd reply that they are given."""
        self._answers: dict[str, _Answer] = {
            "prices": self._prices,
            "historical-price": self._historical_price,
            "blocks/tip/height": self._tip_height,
            "blocks/tip/hash": self._tip_hash,
            "blocks": self._blocks,
            "block": self._block,
            "block-height": self._block_height,
            "backend-info": self._backend_info,
            "init-data": self._init_data,
            "difficulty-adjustment": self._difficulty,
            "fees/recommended": self._fees,
            "fees/precise": self._fees_precise,
            "fees/mempool-blocks": self._mempool_blocks,
            "mining/blocks/timestamp": self._block_at,
            "mempool": self._mempool,
        }

    def label(self, request: Request) -> str:
        """What a request is counted as: its path without what changes from one to the next."""
        route, _ = self._route(request.path)
        return PREFIX + route if route else request.path

    async def answer(self, request: Request) -> Response:
        """The reply."""
        route, rest = self._route(request.path)
        odd = self.odd.get(route or request.path, self.odd.get(""))
        if odd is not None:
            return ODD_REPLIES[odd](request)
        if route is None or request.method not in {"GET", "HEAD"}:
            return express.no_such_route(request.method, request.path)
        query = {name: values[0] for name, values in parse_qs(request.query).items()}
        return await self._answers[route](rest, query)

    def _route(self, path: str) -> tuple[str | None, str]:
        """The name of a route, and what follows it in the path."""
        if not path.startswith(PREFIX):
            return None, ""
        known = _COMMON_ROUTES if self._backend.needs_electrs else (*_COMMON_ROUTES, *_PASSED_ROUTES)
        inner = path[len(PREFIX) :]
        for route in sorted(known, key=len, reverse=True):
            if inner == route:
                return route, ""
            if route in _WITH_ARGUMENT and inner.startswith(route + "/") and "/" not in inner[len(route) + 1 :]:
                return route, inner[len(route) + 1 :]
        return None, ""

    async def _prices(self, _rest: str, _query: dict[str, str]) -> Response:
        if self._backend.settings.testnet:
            document = {name: 0 if name == "time" else MISSING for name in self._backend.exchange.current_json()}
        else:
            document = self._backend.exchange.current_json()
        return express.json_reply(document, headers=express.public(self._backend.price_period_s))

    async def _historical_price(self, _rest: str, query: dict[str, str]) -> Response:
        headers = express.public(_HISTORY_S)
        if self._backend.settings.testnet:
            return express.error(400, "Prices are not available on testnets.", headers=headers)
        currency, exchange = query.get("currency"), self._backend.exchange
        if not self._backend.settings.database_up or (currency is not None and currency not in RATES):
            return express.reply(b"", None, headers=headers)
        names = tuple(RATES) if currency is None else tuple(dict.fromkeys((currency, "USD")))
        asked = query.get("timestamp", "")
        if not re.fullmatch(r"[0-9]{1,12}", asked):
            prices = [row.as_json(names) for row in reversed(exchange.rows)]
        elif (row := exchange.latest(int(asked))) is not None:
            prices = [row.as_json(names)]
        else:
            prices = [] if currency is None else [{"time": FIRST_ROW_S, **dict.fromkeys(names, 0)}]
        return express.json_reply({"prices": prices, "exchangeRates": exchange.rates_json()}, headers=headers)

    async def _tip_height(self, _rest: str, _query: dict[str, str]) -> Response:
        tip = self._backend.tip
        if tip is None:
            return express.error(HTTPStatus.SERVICE_UNAVAILABLE, _UNAVAILABLE)
        return express.reply(str(tip.height).encode(), express.TEXT_TYPE)

    async def _tip_hash(self, _rest: str, _query: dict[str, str]) -> Response:
        tip = self._backend.tip
        if tip is None or not self._backend.sources_up:
            return express.error(HTTPStatus.INTERNAL_SERVER_ERROR, "Failed to get block tip hash")
        return express.reply(tip.hash.encode(), express.TEXT_TYPE)

    async def _blocks(self, rest: str, _query: dict[str, str]) -> Response:
        backend = self._backend
        headers = express.expires(_MINUTE_S)
        tip = backend.tip
        if tip is None or not backend.settings.database_up:
            return express.error(HTTPStatus.INTERNAL_SERVER_ERROR, "Failed to get blocks", headers=headers)
        height = int(rest) if re.fullmatch(r"[0-9]{1,9}", rest) else tip.height
        found = backend.run_down_from(height, BLOCKS_A_PAGE) if height <= tip.height else []
        return express.json_reply([await backend.block_json(block) for block in found], headers=headers)

    async def _block(self, rest: str, _query: dict[str, str]) -> Response:
        if len(rest) != 64 or not is_hex(rest):
            return express.error(HTTPStatus.BAD_REQUEST, "Invalid block hash")
        block = self._backend.find(rest.lower())
        if block is None:
            return express.error(HTTPStatus.INTERNAL_SERVER_ERROR, "Failed to get block")
        return express.json_reply(await self._backend.block_json(block), headers=express.expires(_OLD_BLOCK_S))

    async def _block_height(self, rest: str, _query: dict[str, str]) -> Response:
        height = int(rest) if re.fullmatch(r"[0-9]{1,9}", rest) else -1
        found = self._backend.run_down_from(height, 1)
        if not found or not self._backend.sources_up:
            return express.error(HTTPStatus.INTERNAL_SERVER_ERROR, "Failed to get block at height")
        return express.reply(found[0].hash.encode(), express.HTML_TYPE)

    async def _block_at(self, rest: str, _query: dict[str, str]) -> Response:
        """The last block at or before a time."""
        if not re.fullmatch(r"[0-9]{1,12}", rest):
            return express.error(HTTPStatus.BAD_REQUEST, "Invalid timestamp")
        tip = self._backend.tip
        below = self._backend.run_down_from(tip.height, tip.height + 1) if tip else []
        block = next((block for block in below if block.time_s <= int(rest)), None)
        if block is None:
            return express.error(HTTPStatus.NOT_FOUND, "No block found before the specified timestamp")
        stamp = datetime.fromtimestamp(block.time_s, UTC).strftime("%Y-%m-%dT%H:%M:%S.000Z")
        document = {"height": block.height, "hash": block.hash, "timestamp": stamp}
        return express.json_reply(document, headers=express.public(_HISTORY_S))

    async def _backend_info(self, _rest: str, _query: dict[str, str]) -> Response:
        return express.json_reply(
            {
                "hostname": "mempool-api",
                "version": "3.4.0-dev",
                "gitCommit": "6b3ed8bd",
                "lightning": False,
                "backend": self._backend.settings.kind,
                "coreVersion": self._backend.core_version,
                "osVersion": "Linux 6.1.0",
            }
        )

    async def _init_data(self, _rest: str, _query: dict[str, str]) -> Response:
        backend = self._backend
        tip = backend.tip
        document: dict[str, Json] = {}
        if backend.exchange.current is not None:
            document["conversions"] = backend.exchange.current_json()
        document["mempoolInfo"] = _mempool_info(loaded=tip is not None)
        if tip is not None:
            newest = reversed(backend.newest(_BLOCKS_AT_START))
            document["blocks"] = [await backend.block_json(block) for block in newest]
        document |= {"mempool-blocks": [], "loadingIndicators": backend.loading, "fees": blocks.FEES_PRECISE}
        if tip is not None:
            document["da"] = blocks.difficulty_json(tip, backend.epoch_start(tip), clock.now_s())
        document |= {"vBytesPerSecond": 0, "transactions": [], "rbfSummary": []}
        return express.json_reply(document)

    async def _difficulty(self, _rest: str, _query: dict[str, str]) -> Response:
        tip = self._backend.tip
        if tip is None:
            return express.error(HTTPStatus.SERVICE_UNAVAILABLE, _UNAVAILABLE)
        return express.json_reply(blocks.difficulty_json(tip, self._backend.epoch_start(tip), clock.now_s()))

    async def _fees(self, _rest: str, _query: dict[str, str]) -> Response:
        return self._when_in_sync(blocks.FEES)

    async def _fees_precise(self, _rest: str, _query: dict[str, str]) -> Response:
        return self._when_in_sync(blocks.FEES_PRECISE)

    async def _mempool_blocks(self, _rest: str, _query: dict[str, str]) -> Response:
        return express.json_reply([])

    async def _mempool(self, _rest: str, _query: dict[str, str]) -> Response:
        return express.json_reply({"count": 0, "vsize": 0, "total_fee": 0, "fee_histogram": []})

    def _when_in_sync(self, document: Json) -> Response:
        if not self._backend.in_sync:
            return express.status_text(HTTPStatus.SERVICE_UNAVAILABLE)
        return express.json_reply(document)


_WITH_ARGUMENT = frozenset({"blocks", "block", "block-height", "mining/blocks/timestamp"})
"""Routes that one more part of the path may follow."""


def _mempool_info(*, loaded: bool) -> Json:
    info = {name: _plain(value) for name, value in mempool_json().items()}
    if loaded:
        return info
    first = list(info.items())[:_NOT_LOADED_KEYS]
    return dict(first) | {"loaded": False, "usage": 0}


def _plain(value: Json) -> Json:
    return value / _SATS_A_BTC if isinstance(value, Amount) else value
