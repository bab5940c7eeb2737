"""Bitcoin Core's JSON-RPC over HTTP: both dialects, batches, credentials, and the status codes that go with them."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from http import HTTPStatus

from utxoracle_tui.demo.host.credentials import Accept, Credentials
from utxoracle_tui.demo.host.http_server import Request, Response
from utxoracle_tui.demo.host.json_text import Json, from_json, to_json
from utxoracle_tui.demo.host.node_state import NodeState
from utxoracle_tui.demo.host.rpc_errors import Code, Forbidden, RpcError
from utxoracle_tui.demo.host.rpc_methods import METHODS, call_label

_WRONG_PASSWORD_S = 0.25
"""What a guess costs (Bitcoin Core, httprpc.cpp)."""
_CHALLENGE = (("WWW-Authenticate", 'Basic realm="jsonrpc"'),)
_JSON_TYPE = "application/json"
_STATUS = {
    Code.INVALID_REQUEST: HTTPStatus.BAD_REQUEST,
    Code.METHOD_NOT_FOUND: HTTPStatus.NOT_FOUND,
}
"""Of errors in the first dialect; those that are not here are a 500."""


@dataclass(slots=True)
class _Call:
    """One call as it was sent, as far as it could be understood."""

    id: Json = None
    has_id: bool = True
    second_dialect: bool = False
    method: str = ""
    params: Json = None

    @property
    def is_notification(self) -> bool:
        return self.second_dialect and not self.has_id

    def reply(self, result: Json = None, error: RpcError | None = None) -> Json:
        """The first dialect has both `result` and `error`, the second `jsonrpc` and either."""
        failure = {"code": int(error.code), "message": error.message} if error else None
        if self.second_dialect:
            body = {"jsonrpc": "2.0", **({"error": failure} if failure else {"result": result})}
        else:
            body = {"result": result, "error": failure}
        return {**body, **({"id": self.id} if self.has_id else {})}


class JsonRpc:
    """Answers what is posted to the node's root path."""

    def __init__(self, node: NodeState, credentials: Credentials) -> None:
        self._node = node
        self._credentials = credentials

    async def answer(self, request: Request, calls: list[str]) -> Response:
        """The reply; what was called is added to `calls`."""
        if request.method != "POST":
            return Response(HTTPStatus.METHOD_NOT_ALLOWED, b"JSONRPC server handles only POST requests")
        user = await self._user(request.authorization)
        if user is None:
            return Response(HTTPStatus.UNAUTHORIZED, headers=_CHALLENGE)
        try:
            body = from_json(request.body)
        except ValueError:
            return _failed(_Call(), RpcError(Code.PARSE, "Parse error"))
        if isinstance(body, dict):
            return self._single(user, body, calls)
        if isinstance(body, list):
            return self._batch(user, body, calls)
        return _failed(_Call(), RpcError(Code.PARSE, "Top-level object parse error"))

    async def _user(self, authorization: str | None) -> str | None:
        accept = self._node.settings.accept
        if accept is Accept.ANY:
            return ""
        if authorization is None:
            return None
        user = self._credentials.user_of(authorization) if accept is Accept.RIGHT else None
        if user is None:
            await asyncio.sleep(_WRONG_PASSWORD_S)
        return user

    def _single(self, user: str, body: dict[str, Json], calls: list[str]) -> Response:
        call = _Call()
        try:
            _read(call, body)
            calls.append(call_label(call.method, call.params))
            self._check_whitelist(user, call.method)
            result = self._run(call)
        except Forbidden:
            return Response(HTTPStatus.FORBIDDEN)
        except RpcError as error:
            return _failed(call, error)
        if call.is_notification:
            return Response(HTTPStatus.NO_CONTENT)
        return _json(HTTPStatus.OK, call.reply(result))

    def _batch(self, user: str, bodies: list[Json], calls: list[str]) -> Response:
        replies: list[Json] = []
        try:
            for body in bodies:
                method = body.get("method") if isinstance(body, dict) else None
                self._check_whitelist(user, method if isinstance(method, str) else "")
        except Forbidden:
            return Response(HTTPStatus.FORBIDDEN)
        for body in bodies:
            call = _Call()
            try:
                _read(call, body)
                calls.append(call_label(call.method, call.params))
                reply = call.reply(self._run(call))
            except RpcError as error:
                reply = call.reply(error=error)
            if not call.is_notification:
                replies.append(reply)
        if bodies and not replies:
            return Response(HTTPStatus.NO_CONTENT)
        return _json(HTTPStatus.OK, replies)

    def _check_whitelist(self, user: str, method: str) -> None:
        whitelist = self._node.settings.whitelist
        if whitelist is not None and method not in whitelist.get(user, ()):
            raise Forbidden

    def _run(self, call: _Call) -> Json:
        if self._node.warming_up is not None:
            raise RpcError(Code.WARMING_UP, self._node.warming_up)
        method = METHODS.get(call.method)
        if method is None:
            raise RpcError(Code.METHOD_NOT_FOUND, "Method not found")
        return method(call.method, self._node, call.params)


def _read(call: _Call, body: Json) -> None:
    """Fill in the call, so far as it goes. Raises `RpcError` where it is no request."""
    if not isinstance(body, dict):
        raise RpcError(Code.INVALID_REQUEST, "Invalid Request object")
    call.has_id = "id" in body
    call.id = body.get("id")
    version = body.get("jsonrpc")
    if version is not None and not isinstance(version, str):
        raise RpcError(Code.INVALID_REQUEST, "jsonrpc field must be a string")
    if version not in {None, "1.0", "2.0"}:
        raise RpcError(Code.INVALID_REQUEST, "JSON-RPC version not supported")
    call.second_dialect = version == "2.0"
    method = body.get("method")
    if method is None:
        raise RpcError(Code.INVALID_REQUEST, "Missing method")
    if not isinstance(method, str):
        raise RpcError(Code.INVALID_REQUEST, "Method must be a string")
    params = body.get("params")
    if not isinstance(params, list | dict | None):
        raise RpcError(Code.INVALID_REQUEST, "Params must be an array or object")
    call.method = method
    call.params = [] if params is None else params


def _failed(call: _Call, error: RpcError) -> Response:
    """The reply to a single call that went wrong."""
    if call.is_notification:
        return Response(HTTPStatus.NO_CONTENT)
    is_ok = call.second_dialect
    status = HTTPStatus.OK if is_ok else _STATUS.get(error.code, HTTPStatus.INTERNAL_SERVER_ERROR)
    return _json(status, call.reply(error=error))


def _json(status: HTTPStatus, body: Json) -> Response:
    return Response(status, (to_json(body) + "\n").encode(), _JSON_TYPE)
