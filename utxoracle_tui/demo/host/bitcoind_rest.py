"""Bitcoin Core's REST interface: blocks, headers, and what a node says of itself, without credentials."""

from __future__ import annotations

import re
from collections.abc import Callable
from http import HTTPStatus
from urllib.parse import parse_qs

from utxoracle_tui.demo.host.block_json import block_json, chain_info_json, header_json, mempool_json
from utxoracle_tui.demo.host.chain_state import Known
from utxoracle_tui.demo.host.http_server import Request, Response
from utxoracle_tui.demo.host.json_text import Json, to_json
from utxoracle_tui.demo.host.node_state import NodeState
from utxoracle_tui.demo.host.rpc_params import is_hex

PREFIX = "/rest/"

_MAX_HEADERS = 2000
_DEFAULT_HEADERS = "5"
_ALL_FORMATS = "output format not found (available: .bin, .hex, .json)"
_JSON_ONLY = "output format not found (available: json)"
_PATH = re.compile(r"(?P<what>.*?)(?:\.(?P<format>bin|hex|json))?", re.DOTALL)


class _Refused(Exception):
    def __init__(self, status: HTTPStatus, message: str) -> None:
        self.status = status
        super().__init__(message)


class Rest:
    """Answers what is asked for under `/rest/`."""

    def __init__(self, node: NodeState) -> None:
        self._node = node
        # the longer of two that fit comes first
        self._endpoints: dict[str, Callable[[str, str, str], Response]] = {
            "block/notxdetails/": self._block_without_details,
            "block/": self._block,
            "blockhashbyheight/": self._hash_by_height,
            "headers/": self._headers,
            "chaininfo": self._chain_info,
            "mempool/": self._mempool,
        }

    def offers(self, path: str) -> bool:
        """Whether there is anything under a path."""
        return self._node.settings.rest and self._endpoint(path) is not None

    def answer(self, request: Request, calls: list[str]) -> Response:
        """The reply; what was called is added to `calls`."""
        endpoint = self._endpoint(request.path)
        if endpoint is None:
            return Response(HTTPStatus.NOT_FOUND)
        match = _PATH.fullmatch(request.path[len(PREFIX) + len(endpoint) :])
        assert match is not None
        what, form = match["what"], match["format"] or ""
        calls.append(f"{PREFIX}{endpoint.rstrip('/')}{'.' if form else ''}{form}")
        if self._node.warming_up is not None:
            text = f"Service temporarily unavailable: {self._node.warming_up}"
            return _text(HTTPStatus.SERVICE_UNAVAILABLE, text)
        try:
            return self._endpoints[endpoint](what, form, request.query)
        except _Refused as refused:
            return _text(refused.status, str(refused))

    def _endpoint(self, path: str) -> str | None:
        return next((endpoint for endpoint in self._endpoints if path.startswith(PREFIX + endpoint)), None)

    def _block(self, what: str, form: str, _query: str) -> Response:
        block, raw = self._raw_block(what)
        if form == "json":
            # a real node would take a second of one of its four threads
            raise _Refused(HTTPStatus.NOT_IMPLEMENTED, "the simulated node does not answer blocks with all details")
        response = _content(form, raw)
        self._node.statistics.blocks_served[block.hash] += 1
        return response

    def _block_without_details(self, what: str, form: str, _query: str) -> Response:
        block, raw = self._raw_block(what)
        if form != "json":
            raise _Refused(HTTPStatus.NOT_FOUND, _JSON_ONLY)
        self._node.statistics.blocks_served[block.hash] += 1
        return _json(block_json(self._node, block, raw))

    def _raw_block(self, what: str) -> tuple[Known, bytes]:
        block = self._node.chain.find(_hash(what))
        if block is None:
            raise _Refused(HTTPStatus.NOT_FOUND, f"{what} not found")
        raw = self._node.chain.raw(block)
        if raw is None:
            raise _Refused(HTTPStatus.NOT_FOUND, f"{what} not available (pruned data)")
        return block, raw

    def _hash_by_height(self, what: str, form: str, _query: str) -> Response:
        if not re.fullmatch(r"[0-9]{1,9}", what):
            raise _Refused(HTTPStatus.BAD_REQUEST, f"Invalid height: {what}")
        block = self._node.chain.at(int(what))
        if block is None:
            raise _Refused(HTTPStatus.NOT_FOUND, "Block height out of range")
        match form:
            case "json":
                return _json({"blockhash": block.hash})
            case "hex":
                return _text_line(block.hash)
            case "bin":
                return _binary(bytes.fromhex(block.hash)[::-1])
        raise _Refused(HTTPStatus.NOT_FOUND, _ALL_FORMATS)

    def _headers(self, what: str, form: str, query: str) -> Response:
        parts = what.split("/")
        if len(parts) > 2:
            message = "Invalid URI format. Expected /rest/headers/<hash>.<ext>?count=<count>"
            raise _Refused(HTTPStatus.BAD_REQUEST, message)
        asked = parts[0] if len(parts) == 2 else parse_qs(query).get("count", [_DEFAULT_HEADERS])[0]
        count = int(asked) if re.fullmatch(r"[0-9]{1,9}", asked) else 0
        if not 1 <= count <= _MAX_HEADERS:
            message = f"Header count is invalid or out of acceptable range (1-{_MAX_HEADERS}): {asked}"
            raise _Refused(HTTPStatus.BAD_REQUEST, message)
        first = self._node.chain.find(_hash(parts[-1]))
        run = self._node.chain.run_from(first, count) if first else []
        if form == "json":
            return _json([header_json(self._node, block) for block in run])
        return _content(form, b"".join(block.header for block in run))

    def _chain_info(self, what: str, form: str, _query: str) -> Response:
        if what or form != "json":
            raise _Refused(HTTPStatus.NOT_FOUND, _JSON_ONLY)
        return _json(chain_info_json(self._node))

    def _mempool(self, what: str, form: str, query: str) -> Response:
        if what not in {"info", "contents"}:
            message = "Invalid URI format. Expected /rest/mempool/<info|contents>.json"
            raise _Refused(HTTPStatus.BAD_REQUEST, message)
        if form != "json":
            raise _Refused(HTTPStatus.NOT_FOUND, _JSON_ONLY)
        if what == "info":
            return _json(mempool_json())
        return _json([] if parse_qs(query).get("verbose") == ["false"] else {})


def _hash(what: str) -> str:
    if len(what) != 64 or not is_hex(what):
        raise _Refused(HTTPStatus.BAD_REQUEST, f"Invalid hash: {what}")
    return what.lower()


def _content(form: str, content: bytes) -> Response:
    if form not in {"bin", "hex"}:
        raise _Refused(HTTPStatus.NOT_FOUND, _ALL_FORMATS)
    return _binary(content) if form == "bin" else _text_line(content.hex())


def _binary(content: bytes) -> Response:
    return Response(HTTPStatus.OK, content, "application/octet-stream")


def _text_line(text: str) -> Response:
    return Response(HTTPStatus.OK, (text + "\n").encode(), "text/plain")


def _text(status: HTTPStatus, message: str) -> Response:
    return Response(status, (message + "\r\n").encode(), "text/plain")


def _json(document: Json) -> Response:
    return Response(HTTPStatus.OK, (to_json(document) + "\n").encode(), "application/json")
