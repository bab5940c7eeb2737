"""Replies that a client of the mempool backend meets in the field and had better understand."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from http import HTTPStatus
from types import MappingProxyType

from utxoracle_tui.demo.host.http_server import Request, Response
from utxoracle_tui.demo.host.mempool import express


def empty(_request: Request) -> Response:
    """200 without a body: for an unknown currency, and while the database is away."""
    return express.reply(b"", None)


def unavailable(_request: Request) -> Response:
    """503 with an error in JSON."""
    return express.error(HTTPStatus.SERVICE_UNAVAILABLE, "Service Temporarily Unavailable")


def unavailable_text(_request: Request) -> Response:
    """503 with the status as text."""
    return express.status_text(HTTPStatus.SERVICE_UNAVAILABLE)


def html(request: Request) -> Response:
    """404 with a page."""
    return express.no_such_route(request.method, request.path)


def testnet(_request: Request) -> Response:
    """400, as on any network but the main one."""
    return express.error(HTTPStatus.BAD_REQUEST, "Prices are not available on testnets.")


def too_many(_request: Request) -> Response:
    """429 with a time to wait, from a server in front of the backend."""
    return express.reply(b"Too Many Requests", express.HTML_TYPE, 429, headers=(("Retry-After", "5"),))


def half(_request: Request) -> Response:
    """200 with half a document."""
    return express.reply(b'{"time":17953', express.JSON_TYPE)


ODD_REPLIES: Mapping[str, Callable[[Request], Response]] = MappingProxyType(
    {
        "empty": empty,
        "unavailable": unavailable,
        "unavailable-text": unavailable_text,
        "html": html,
        "testnet": testnet,
        "too-many": too_many,
        "half": half,
    }
)
"""By the names of the control port."""
