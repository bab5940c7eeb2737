"""The REST interface of the simulated electrs, as far as a console asks of it: blocks, the tip, the mempool."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from http import HTTPStatus
from typing import Protocol

from utxoracle_core.scan_python import scan
from utxoracle_tui import clock
from utxoracle_tui.demo.chain.serialise import display_hex
from utxoracle_tui.demo.host.block_json import difficulty
from utxoracle_tui.demo.host.chain_state import ChainState, Known
from utxoracle_tui.demo.host.electrs.log import ElectrsLog
from utxoracle_tui.demo.host.electrs.node_view import NodeView
from utxoracle_tui.demo.host.electrs.process import Process
from utxoracle_tui.demo.host.electrs.settings import VERSION, Level
from utxoracle_tui.demo.host.http_server import Request, Response
from utxoracle_tui.demo.host.json_text import Json, to_json
from utxoracle_tui.demo.host.rpc_params import is_hex

_SHORT_S = 10
_FINAL_S = 157_784_630
_FINAL_CONFIRMATIONS = 10
_BLOCKS_A_PAGE = 10
_TEXT = "text/plain"
_JSON = "application/json"


class Indexed(Protocol):
    """What is served."""

    node: NodeView
    log: ElectrsLog
    process: Process | None

    @property
    def tip(self) -> Known:
        """The newest block that is indexed."""


class _Refused(Exception):
    def __init__(self, status: HTTPStatus, message: str) -> None:
        self.status = status
        super().__init__(message)


_Answer = Callable[[str], Response]


class Rest:
    """Answers from an index that trails the node."""

    def __init__(self, index: Indexed) -> None:
        self._index = index
        self._routes: Mapping[str, tuple[re.Pattern[str], _Answer]] = {
            name: (re.compile(pattern), answer)
            for name, pattern, answer in (
                ("/blocks/tip/height", "/blocks/tip/height()", self._tip_height),
                ("/blocks/tip/hash", "/blocks/tip/hash()", self._tip_hash),
                ("/blocks", "/blocks(?:/([^/]+))?", self._blocks),
                ("/block-height", "/block-height/([^/]+)", self._block_height),
                ("/block", "/block/([^/]+)", self._block),
                ("/block/status", "/block/([^/]+)/status", self._block_status),
                ("/block/txids", "/block/([^/]+)/txids", self._block_txids),
                ("/block/header", "/block/([^/]+)/header", self._block_header),
                ("/block/raw", "/block/([^/]+)/raw", self._block_raw),
                ("/mempool", "/mempool()", self._mempool),
                ("/mempool/txids", "/mempool/txids()", self._nothing),
                ("/mempool/recent", "/mempool/recent()", self._nothing),
                ("/fee-estimates", "/fee-estimates()", self._no_estimates),
                ("/tx", "/tx/([^/]+)(?:/.*)?", self._no_transaction),
            )
        }

    @property
    def _chain(self) -> ChainState:
        return self._index.node.chain

    def label(self, request: Request) -> str:
        """What a request is counted as."""
        return self._route(request.path)[0]

    async def answer(self, request: Request) -> Response:
        """The reply, which the log and the metrics hear of."""
        self._index.log.say(Level.INFO, f"handle {request.method} {request.path}", clock.now_s())
        if self._index.process is not None:
            self._index.process.metrics.observe("electrs_rest_api", 0.0004, method="all_methods")
        _, what, answer = self._route(request.path)
        try:
            if answer is None:
                raise _Refused(HTTPStatus.NOT_FOUND, f'endpoint does not exist "{request.path}"')
            return answer(what)
        except _Refused as refused:
            return _reply(refused.status, str(refused).encode(), _TEXT)

    def _route(self, path: str) -> tuple[str, str, _Answer | None]:
        for name, (pattern, answer) in self._routes.items():
            match = pattern.fullmatch(path)
            if match is not None:
                return name, match[1] or "", answer
        return path, "", None

    def _tip_height(self, _what: str) -> Response:
        return _text(str(self._index.tip.height))

    def _tip_hash(self, _what: str) -> Response:
        return _text(self._index.tip.hash)

    def _blocks(self, what: str) -> Response:
        height = _number(what) if what else self._index.tip.height
        found = (self._at(below) for below in range(height, height - _BLOCKS_A_PAGE, -1))
        return _json([self._block_json(block) for block in found if block is not None])

    def _block_height(self, what: str) -> Response:
        block = self._at(_number(what))
        if block is None:
            raise _Refused(HTTPStatus.NOT_FOUND, "Block not found")
        return _text(block.hash, self._age(block))

    def _block(self, what: str) -> Response:
        block = self._find(what)
        return _json(self._block_json(block), self._age(block))

    def _block_status(self, what: str) -> Response:
        known = self._chain.find(_hash(what))
        if known is None or known.height > self._index.tip.height or not self._chain.is_best(known):
            return _json({"in_best_chain": False, "height": None, "next_best": None})
        following = self._at(known.height + 1)
        status = {"in_best_chain": True, "height": known.height, "next_best": following.hash if following else None}
        return _json(status)

    def _block_txids(self, what: str) -> Response:
        block = self._find(what)
        return _json([display_hex(txid.tobytes()) for txid in scan(self._raw(block)).txids], self._age(block))

    def _block_header(self, what: str) -> Response:
        block = self._find(what)
        return _text(block.header.hex(), self._age(block))

    def _block_raw(self, what: str) -> Response:
        block = self._find(what)
        return _reply(HTTPStatus.OK, self._raw(block), "application/octet-stream", self._age(block))

    def _mempool(self, _what: str) -> Response:
        return _json({"count": 0, "vsize": 0, "total_fee": 0, "fee_histogram": []})

    def _nothing(self, _what: str) -> Response:
        return _json([])

    def _no_estimates(self, _what: str) -> Response:
        return _json({})

    def _no_transaction(self, what: str) -> Response:
        _hash(what)
        raise _Refused(HTTPStatus.NOT_FOUND, "Transaction not found")

    def _at(self, height: int) -> Known | None:
        return self._chain.at(height) if height <= self._index.tip.height else None

    def _find(self, text: str) -> Known:
        block = self._chain.find(_hash(text))
        if block is None or block.height > self._index.tip.height:
            raise _Refused(HTTPStatus.NOT_FOUND, "Block not found")
        return block

    def _raw(self, block: Known) -> bytes:
        raw = self._chain.raw(block)
        if raw is None:
            raise _Refused(HTTPStatus.NOT_FOUND, "Block not found")
        return raw

    def _age(self, block: Known) -> int:
        return _FINAL_S if self._index.tip.height - block.height >= _FINAL_CONFIRMATIONS else _SHORT_S

    def _block_json(self, block: Known) -> Json:
        scanned = scan(self._raw(block))
        return {
            "id": block.hash,
            "height": block.height,
            "version": block.version,
            "timestamp": block.time_s,
            "tx_count": block.n_tx,
            "size": scanned.size_bytes,
            "weight": 3 * scanned.stripped_size_bytes + scanned.size_bytes,
            "merkle_root": block.merkle_root,
            "previousblockhash": block.previous_hash if block.height else None,
            "mediantime": block.median_time_s,
            "nonce": block.nonce,
            "bits": block.bits,
            "difficulty": difficulty(block.bits),
        }


def _number(text: str) -> int:
    if not re.fullmatch(r"[0-9]{1,10}", text):
        raise _Refused(HTTPStatus.BAD_REQUEST, "Invalid number")
    return int(text)


def _hash(text: str) -> str:
    if len(text) != 64 or not is_hex(text):
        raise _Refused(HTTPStatus.BAD_REQUEST, "Invalid hash string")
    return text.lower()


def _text(text: str, age_s: int = _SHORT_S) -> Response:
    return _reply(HTTPStatus.OK, text.encode(), _TEXT, age_s)


def _json(document: Json, age_s: int = _SHORT_S) -> Response:
    return _reply(HTTPStatus.OK, to_json(document).encode(), _JSON, age_s)


def _reply(status: HTTPStatus, body: bytes, content_type: str, age_s: int = _SHORT_S) -> Response:
    headers = (("cache-control", f"public, max-age={age_s}"), ("x-powered-by", f"mempool-electrs {VERSION}"))
    return Response(status, body, content_type, headers)
