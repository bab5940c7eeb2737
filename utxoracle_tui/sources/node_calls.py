"""Calls of a node's methods, one or many at once, each tried again as far as the caller's patience goes."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TypeVar

import httpx

from utxoracle_tui.sources.http import Reply, clean_text
from utxoracle_tui.sources.node_errors import (
    BlockNotFound,
    NodeError,
    NodeNonsense,
    NodeWarmingUp,
    PrunedBlock,
    RpcFailed,
)
from utxoracle_tui.sources.node_rpc import (
    Answer,
    Call,
    GarbledReply,
    RpcError,
    decode,
    decode_batch,
    encode,
)
from utxoracle_tui.sources.node_session import NodeSession, Patience

BATCH_CALLS = 100
"""Calls in one batch; a node works them off one after the other in one thread."""
MISC_ERROR, NOT_FOUND, BAD_PARAMETER, WARMING_UP = -1, -5, -8, -28
_PRUNED = "pruned data"

T = TypeVar("T")


class NodeCalls:
    """The methods and paths of one node, called with one patience."""

    def __init__(self, session: NodeSession, patience: Patience) -> None:
        self.session = session
        self.patience = patience
        self.host = session.access.host

    async def call(self, method: str, *params: object, read: Callable[[object], T], body: bool = False) -> T:
        """Call a method and read its result; `read` raises `GarbledReply`, `body` says that a whole block will come.

        Raises `NodeError`, and `NotAllowedError` for a method that doesn't only read.
        """

        async def attempt() -> T:
            call = Call(next(self.session.numbers), method, params)
            reply = await self.session.rpc(encode(call), method, body=body)
            with self.sensible(method, reply.status):
                return read(self.value(method, decode(reply.body, call)))

        return await self.session.patiently(attempt, self.patience)

    async def batch(self, method: str, params: Sequence[tuple[object, ...]]) -> list[Answer]:
        """Call a method with each of these parameters and return the answers in their order.

        Raises `NodeError` where the batch as a whole fails, or the node is starting.
        """
        found: list[Answer] = []
        for start in range(0, len(params), BATCH_CALLS):
            chunk = params[start : start + BATCH_CALLS]

            async def attempt(chunk: Sequence[tuple[object, ...]] = chunk) -> list[Answer]:
                calls = [Call(next(self.session.numbers), method, each) for each in chunk]
                reply = await self.session.rpc(encode(calls), method, batch=True)
                with self.sensible(method, reply.status):
                    answers = decode_batch(reply.body, calls)
                for answer in answers:
                    if isinstance(answer, RpcError) and answer.code == WARMING_UP:
                        raise NodeWarmingUp(self.host, answer.message)
                return answers

            found += await self.session.patiently(attempt, self.patience)
        return found

    async def rest(self, path: str, what: str, read: Callable[[Reply], T], *, body: bool = False) -> T:
        """Get a REST path and read the reply, whatever its status; `read` raises `GarbledReply` or `NodeError`."""

        async def attempt() -> T:
            reply = await self.session.rest(path, what, body=body)
            with self.sensible(what):
                return read(reply)

        return await self.session.patiently(attempt, self.patience)

    def value(self, method: str, answer: Answer) -> object:
        """The result; raises `RpcFailed` or `NodeWarmingUp` for an error."""
        if not isinstance(answer, RpcError):
            return answer.value
        if answer.code == WARMING_UP:
            raise NodeWarmingUp(self.host, answer.message)
        raise RpcFailed(self.host, method, answer.code, answer.message)

    @contextmanager
    def sensible(self, what: str, status: int = httpx.codes.OK) -> Iterator[None]:
        """Turns a `GarbledReply` within into the `NodeNonsense` that names the host and what was asked."""
        try:
            yield
        except GarbledReply as garbled:
            fault = f"{garbled}" if status == httpx.codes.OK else f"{garbled} (HTTP {status})"
            raise NodeNonsense(self.host, what, fault) from None

    async def about_block(self, work: Awaitable[T], height: int | None, block_hash: str | None) -> T:
        """Await a call about one block, its errors named as that block's."""
        try:
            return await work
        except RpcFailed as failed:
            raise self.block_error(failed, height, block_hash) from None

    def block_error(self, failed: RpcFailed, height: int | None, block_hash: str | None) -> NodeError:
        """What a node's error means for a call about one block whose parameters were sound."""
        if failed.code == MISC_ERROR:
            return self.missing_block(failed.said, height, block_hash)
        if failed.code in (NOT_FOUND, BAD_PARAMETER):
            return BlockNotFound(self.host, height, block_hash)
        return failed

    def missing_block(self, said: str, height: int | None, block_hash: str | None) -> NodeError:
        """The error for a block that the node knows and doesn't have; `said` is why."""
        if _PRUNED in said:
            return PrunedBlock(self.host, height, block_hash, self.session.prune_height)
        return BlockNotFound(self.host, height, block_hash, said)


def check_status(reply: Reply) -> None:
    """Raise `GarbledReply` for an HTTP status that isn't success."""
    if reply.status != httpx.codes.OK:
        said = clean_text(reply.body[:1000].decode(errors="replace"))
        raise GarbledReply(f"is HTTP {reply.status}" + (f" “{said}”" if said else ""))
