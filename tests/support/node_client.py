"""A Bitcoin Core client pointed at a scripted server, with no waiting of its own."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace

from tests.support.scripted_http import Answer, Json, Request, ScriptedServer
from utxoracle_tui.config.redaction import Secret
from utxoracle_tui.sources.bitcoin_core import BitcoinCore
from utxoracle_tui.sources.node_access import NodeAccess
from utxoracle_tui.sources.node_errors import NodeError
from utxoracle_tui.sources.node_session import NodeSession, Patience

PASSWORD = "correct-horse-battery-staple"
BLOCK_113 = "3b96a5a4bcc035341d152c171405920552710148e0df4107018323bf92ba348b"
"""The block of the recordings."""
UNKNOWN_HASH = "00" * 31 + "01"


class Retries:
    """What a session told about its retries; its sleep takes no time."""

    def __init__(self) -> None:
        self.kinds: list[str] = []
        self.announced_s: list[float] = []
        self.slept_s: list[float] = []

    def note(self, error: NodeError, delay_s: float) -> None:
        self.kinds.append(error.kind)
        self.announced_s.append(delay_s)

    async def sleep(self, seconds: float) -> None:
        self.slept_s.append(seconds)


def node_at(
    server: ScriptedServer,
    *,
    patience: Patience | None = None,
    retries: Retries | None = None,
    **changes: Json,
) -> BitcoinCore:
    """A client of the server, by user and password unless `changes` to the access say otherwise."""
    access = NodeAccess(server.url, user="operator", password=Secret(PASSWORD), read_timeout_s=10)
    if "cookie_path" in changes:
        access = replace(access, user=None, password=None)
    access = replace(access, **changes)
    kept = retries or Retries()
    session = NodeSession(access, on_retry=kept.note, sleep=kept.sleep, jitter=lambda: 1.0)
    return BitcoinCore(access, patience=patience or Patience(busy_s=0), session=session)


def result(request: Request, value: object) -> Answer:
    """A JSON-RPC 2.0 result for a call, or for each call of a batch."""
    calls = request.json
    if isinstance(calls, list):
        replies: object = [{"jsonrpc": "2.0", "result": value, "id": call["id"]} for call in calls]
    else:
        replies = {"jsonrpc": "2.0", "result": value, "id": calls["id"]}
    return Answer(body=json.dumps(replies).encode())


def asked_for(requests: Sequence[Request]) -> list[str]:
    """The paths or methods that were asked for, in order."""
    return [request.rpc_method or request.path for request in requests]
