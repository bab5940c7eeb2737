"""Replies that real services once gave, as steps for a scripted server, and what they were replies to."""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass
from pathlib import Path

from tests.support.scripted_http import Answer, Request, Script

RECORDED = Path(__file__).parents[1] / "fixtures" / "recorded"
_FRAMING = ("transfer-encoding", "content-length")


@dataclass(frozen=True)
class RecordedReply:
    """A reply, and the method and path that were asked."""

    method: str
    path: str
    answer: Answer

    @property
    def body(self) -> bytes:
        """The body as it came."""
        return self.answer.body


def recorded_reply(service: str, name: str) -> RecordedReply:
    """The recording of this name in the folder of this service."""
    found = json.loads((RECORDED / service / f"{name}.json").read_text(encoding="utf-8"))
    method, path, _ = found["request"]["line"].split(" ")
    if "body_base64" in found:
        body = base64.b64decode(found["body_base64"])
    elif "body_text" in found:
        body = found["body_text"].encode()
    else:
        body = json.dumps(found["body_json"], separators=(",", ":")).encode()
    headers = tuple((key, value) for key, value in found["headers"].items() if key.lower() not in _FRAMING)
    return RecordedReply(method, path, Answer(found["status"], body, headers))


def by_path(*replies: RecordedReply) -> Script:
    """A script that gives each request the recorded reply to the same path, a 404 to others."""
    known = {(reply.method, reply.path): reply.answer for reply in replies}

    def script(request: Request) -> Answer:
        return known.get((request.method, request.path), Answer(404, b"not recorded"))

    return script
