"""HTTP replies as Express writes them."""

from __future__ import annotations

import base64
import hashlib
import json
from email.utils import formatdate
from html import escape
from http import HTTPStatus

from utxoracle_tui import clock
from utxoracle_tui.demo.host.http_server import Response
from utxoracle_tui.demo.host.json_text import Json

JSON_TYPE = "application/json; charset=utf-8"
TEXT_TYPE = "text/plain; charset=utf-8"
HTML_TYPE = "text/html; charset=utf-8"
_ALLOWED_HEADERS = (
    "Accept,Authorization,Cache-Control,Content-Type,DNT,"
    "If-Modified-Since,Keep-Alive,Origin,User-Agent,X-Requested-With"
)
_ALWAYS = (
    ("X-Powered-By", "Express"),
    ("Access-Control-Allow-Origin", "*"),
    ("Access-Control-Allow-Methods", "GET, POST, PUT, DELETE, OPTIONS"),
    ("Access-Control-Allow-Headers", _ALLOWED_HEADERS),
    ("Access-Control-Expose-Headers", "X-Total-Count,X-Mempool-Auth"),
)
_KEEP_ALIVE = (("Connection", "keep-alive"), ("Keep-Alive", "timeout=70"))
_NOT_FOUND = (
    '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n<title>Error</title>\n</head>\n'
    "<body>\n<pre>Cannot {method} {path}</pre>\n</body>\n</html>\n"
)


def reply(
    body: bytes, content_type: str | None, status: int = HTTPStatus.OK, *, headers: tuple[tuple[str, str], ...] = ()
) -> Response:
    """Any reply, with its ETag."""
    etag = f'W/"{len(body):x}-{base64.b64encode(hashlib.sha1(body, usedforsecurity=False).digest())[:27].decode()}"'
    return Response(status, body, content_type, (*_ALWAYS, *headers, ("ETag", etag), *_KEEP_ALIVE))


def json_reply(document: Json, status: int = HTTPStatus.OK, *, headers: tuple[tuple[str, str], ...] = ()) -> Response:
    """A JSON document without blanks."""
    body = json.dumps(document, separators=(",", ":"), ensure_ascii=False).encode()
    return reply(body, JSON_TYPE, status, headers=headers)


def error(status: int, message: str, *, headers: tuple[tuple[str, str], ...] = ()) -> Response:
    """An error as clients that take JSON get it."""
    return json_reply({"error": message}, status, headers=headers)


def status_text(status: HTTPStatus) -> Response:
    """A status and its own words."""
    return reply(status.phrase.encode(), HTML_TYPE, status)


def no_such_route(method: str, path: str) -> Response:
    """The page for a path that nothing answers at."""
    body = _NOT_FOUND.format(method=method, path=escape(path)).encode()
    headers = (("Content-Security-Policy", "default-src 'none'"), ("X-Content-Type-Options", "nosniff"))
    return Response(HTTPStatus.NOT_FOUND, body, HTML_TYPE, (*_ALWAYS, *headers, *_KEEP_ALIVE))


def expires(after_s: float) -> tuple[tuple[str, str], ...]:
    """The header of a reply that may be kept that long."""
    return (("Expires", formatdate(clock.now_s() + after_s, usegmt=True)),)


def public(after_s: float) -> tuple[tuple[str, str], ...]:
    """The headers of a reply that anybody may keep that long."""
    return (("Pragma", "public"), ("Cache-control", "public"), *expires(after_s))
