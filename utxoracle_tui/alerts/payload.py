"""What is sent of an alert: as JSON of our own, or in the shape that a chat or ntfy wants, and how it is signed."""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from utxoracle_tui import __version__, formats
from utxoracle_tui.store.records import Alert

Shape = Literal["json", "slack", "discord", "ntfy"]
EventName = Literal["raised", "worse", "reminded", "resolved", "test"]

SIGNATURE_HEADER, TIME_HEADER = "X-Utxoracle-Signature", "X-Utxoracle-Timestamp"
_MARKS = {"raised": "▲", "worse": "▲▲", "reminded": "▲", "resolved": "✓", "test": "·"}
_NTFY_PRIORITIES = {"info": "3", "warning": "4", "critical": "5"}
"""ntfy, documentation of publishing: 1 to 5, 3 is the default."""
_DISCORD_LENGTH = 2_000
"""Discord, reference of webhooks: the most characters that a message may have."""


@dataclass(frozen=True, slots=True)
class Told:
    """An event of an alert, as it goes out and as it waits for that."""

    event: EventName
    alert: Alert
    host: str
    network: str
    time_s: float
    """When it happened, unix seconds."""

    @property
    def sentence(self) -> str:
        """The event in one line."""
        what = {
            "raised": self.alert.level,
            "worse": f"now {self.alert.level}",
            "reminded": f"still {self.alert.level}",
            "resolved": "over",
            "test": "test",
        }[self.event]
        return f"{_MARKS[self.event]} {what} · {self.host} ({self.network}): {self.alert.message}"

    def document(self) -> dict[str, Any]:
        """All there is to know, as plain values."""
        return {
            "program": "utxoracle-tui",
            "version": __version__,
            "event": self.event,
            "key": self.alert.key,
            "rule": self.alert.rule,
            "level": self.alert.level,
            "message": self.alert.message,
            "values": self.alert.values,
            "host": self.host,
            "network": self.network,
            "time": formats.utc_iso(self.time_s),
            "raised": formats.utc_iso(self.alert.time_s),
        }


@dataclass(frozen=True, slots=True)
class Request:
    """What is posted."""

    body: bytes
    headers: Mapping[str, str]


def request_of(told: Told, shape: Shape, secret: str | None, now_s: float) -> Request:
    """The request in a shape. With a `secret` it is signed, at the moment at which it is sent."""
    body, headers = _SHAPES[shape](told)
    if secret:
        headers |= signature(body, secret, now_s)
    return Request(body, headers)


def signature(body: bytes, secret: str, now_s: float) -> dict[str, str]:
    """The headers that sign a body: HMAC-SHA256, with the secret as its key, over the timestamp, a dot, and the body.

    The timestamp, in unix seconds, is signed as well, so that a receiver can refuse what somebody sends again.
    """
    timestamp = str(int(now_s))
    digest = hmac.new(secret.encode(), timestamp.encode() + b"." + body, hashlib.sha256).hexdigest()
    return {TIME_HEADER: timestamp, SIGNATURE_HEADER: f"sha256={digest}"}


def _json(told: Told) -> tuple[bytes, dict[str, str]]:
    return _encoded(told.document())


def _slack(told: Told) -> tuple[bytes, dict[str, str]]:
    # Slack, reference of message text: these three characters have a meaning
    text = told.sentence.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return _encoded({"text": text})


def _discord(told: Told) -> tuple[bytes, dict[str, str]]:
    return _encoded({"content": told.sentence[:_DISCORD_LENGTH], "allowed_mentions": {"parse": []}})


def _ntfy(told: Told) -> tuple[bytes, dict[str, str]]:
    priority = "2" if told.event == "resolved" else _NTFY_PRIORITIES[told.alert.level]
    title = f"utxoracle-tui: {told.alert.rule.replace('_', ' ')} {told.event}"
    headers = {"Title": title, "Priority": priority, "Content-Type": "text/plain; charset=utf-8"}
    return told.sentence.encode(), headers


def _encoded(document: Mapping[str, Any]) -> tuple[bytes, dict[str, str]]:
    return json.dumps(document, ensure_ascii=False).encode(), {"Content-Type": "application/json"}


_SHAPES = {"json": _json, "slack": _slack, "discord": _discord, "ntfy": _ntfy}
