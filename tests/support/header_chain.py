"""A chain of headers, mined for regtest, and a node that serves them."""

from __future__ import annotations

import json
import struct
from dataclasses import dataclass
from hashlib import sha256

from tests.support.scripted_http import Answer, Request

REGTEST_BITS = 0x207FFFFF
_TARGET = 0x7FFFFF << 232


def mine(previous_hash: bytes, time_s: int) -> bytes:
    """A header of 80 bytes that meets regtest's target."""
    for nonce in range(1 << 32):
        header = struct.pack("<i32s32sIII", 0x20000000, previous_hash, bytes(32), time_s, REGTEST_BITS, nonce)
        if int.from_bytes(hash_of(header), "little") <= _TARGET:
            return header
    raise AssertionError("no nonce")


def hash_of(header: bytes) -> bytes:
    """The hash in internal order."""
    return sha256(sha256(header).digest()).digest()


def mine_chain(length: int, first_time_s: int = 1_700_000_000, previous_hash: bytes = bytes(32)) -> list[bytes]:
    """Headers that build on each other."""
    chain: list[bytes] = []
    for number in range(length):
        chain.append(mine(hash_of(chain[-1]) if chain else previous_hash, first_time_s + 600 * number))
    return chain


@dataclass
class HeaderNode:
    """A script that serves headers as Bitcoin Core does; `chain` is by height."""

    chain: list[bytes]
    rest: bool = True
    rest_status: int = 404

    def __post_init__(self) -> None:
        self._heights = {hash_of(header)[::-1].hex(): height for height, header in enumerate(self.chain)}

    def __call__(self, request: Request) -> Answer:
        """Answer a request."""
        if not request.body:
            return self._rest(request.path)
        calls = request.json
        replies = [self._answer(c) for c in calls] if isinstance(calls, list) else self._answer(calls)
        return Answer(body=json.dumps(replies).encode())

    def text_of(self, height: int) -> str:
        """The hash at a height, as RPC writes it."""
        return hash_of(self.chain[height])[::-1].hex()

    def _rest(self, path: str) -> Answer:
        if not self.rest:
            return Answer(self.rest_status)
        where, _, count = path.removeprefix("/rest/headers/").partition(".bin?count=")
        if not 1 <= int(count) <= 2000:
            return Answer(400, b"Header count is invalid or out of acceptable range (1-2000): " + count.encode())
        start = self._heights.get(where)
        return Answer(body=b"" if start is None else b"".join(self.chain[start : start + int(count)]))

    def _answer(self, call: dict[str, object]) -> dict[str, object]:
        params = call["params"]
        assert isinstance(params, list)
        if call["method"] == "getblockhash":
            if not 0 <= params[0] < len(self.chain):
                error = {"code": -8, "message": "Block height out of range"}
                return {"jsonrpc": "2.0", "error": error, "id": call["id"]}
            return {"jsonrpc": "2.0", "result": self.text_of(params[0]), "id": call["id"]}
        assert call["method"] == "getblockheader" and params[1] is False
        header = self.chain[self._heights[params[0]]]
        return {"jsonrpc": "2.0", "result": header.hex(), "id": call["id"]}
