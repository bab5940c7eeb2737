"""Runs of headers of the best chain: fetched in as few requests as the node allows, and checked."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import httpx

from utxoracle_core.errors import BlockError
from utxoracle_core.header import BlockHeader, check_work, parse_header
from utxoracle_core.scan import HEADER_BYTES
from utxoracle_tui.sources.http import Reply
from utxoracle_tui.sources.node_calls import BAD_PARAMETER, BATCH_CALLS, NodeCalls, check_status
from utxoracle_tui.sources.node_errors import NodeNonsense, RpcFailed
from utxoracle_tui.sources.node_replies import read_bytes, read_hash
from utxoracle_tui.sources.node_rpc import Answer, GarbledReply, RpcError

REST_HEADERS = 2000
"""Headers in one REST reply, the most that Bitcoin Core gives."""
BEGINNINGS = 3
"""How often a run is begun, if the chain is reorganised under it."""


class _ChainMoved(Exception):
    """The headers read so far are no longer of the best chain."""


async def fetch_headers(calls: NodeCalls, first_height: int, count: int) -> list[BlockHeader]:
    """So many headers of the best chain, fewer where the tip comes first.

    Checked: each meets the work that it states and builds on the one before, the first is the one that the node
    names for its height. Raises `NodeError`: `BlockNotFound` when `first_height` is above the tip.
    """
    for _ in range(BEGINNINGS):
        try:
            found = await _by_rest(calls, first_height, count)
            return await _by_rpc(calls, first_height, count) if found is None else found
        except _ChainMoved:
            continue
    raise NodeNonsense(calls.host, "headers", f"changed {BEGINNINGS} times while they were read")


async def hash_at(calls: NodeCalls, height: int) -> str:
    """The hash at a height; raises `BlockNotFound` above the tip."""
    return await calls.about_block(calls.call("getblockhash", height, read=read_hash), height, None)


def hash_of(calls: NodeCalls, height: int, answer: Answer) -> str:
    """The hash at a height from the answer of a batch; raises `BlockNotFound` above the tip."""
    try:
        value = calls.value("getblockhash", answer)
    except RpcFailed as failed:
        raise calls.block_error(failed, height, None) from None
    with calls.sensible("getblockhash"):
        return read_hash(value)


def read_header(raw: bytes, block_hash: str) -> BlockHeader:
    """The header at the beginning of a block; raises `GarbledReply` unless it is sound and that of `block_hash`."""
    header = _sound(raw)
    if header.hash_text != block_hash:
        raise GarbledReply(f"is about block {header.hash_text}, not {block_hash}")
    return header


def read_lone_header(value: object, block_hash: str) -> BlockHeader:
    """A header in hexadecimal; raises `GarbledReply` unless it is sound and that of `block_hash`."""
    raw = read_bytes(value)
    if len(raw) != HEADER_BYTES:
        raise GarbledReply(f"is {len(raw)} bytes, not a header of {HEADER_BYTES}")
    return read_header(raw, block_hash)


def read_run(raw: bytes, first_hash: str, most: int) -> list[BlockHeader]:
    """At most so many linked headers, the first that of `first_hash`; raises `GarbledReply` for anything else."""
    if len(raw) % HEADER_BYTES or len(raw) > most * HEADER_BYTES:
        raise GarbledReply(f"is {len(raw)} bytes, not up to {most} headers of {HEADER_BYTES}")
    run = [_sound(raw[offset : offset + HEADER_BYTES]) for offset in range(0, len(raw), HEADER_BYTES)]
    if run and run[0].hash_text != first_hash:
        raise GarbledReply(f"begins with block {run[0].hash_text}, not {first_hash}")
    if not _linked(run):
        raise GarbledReply("holds headers that don't build on each other")
    return run


def _sound(raw: bytes) -> BlockHeader:
    try:
        header = parse_header(raw)
        check_work(header)
    except BlockError as error:
        raise GarbledReply(f"holds no sound header: expected {error.expected}") from None
    return header


def _linked(headers: Sequence[BlockHeader]) -> bool:
    return all(after.previous_hash == before.block_hash for before, after in pairwise(headers))


async def _by_rest(calls: NodeCalls, first_height: int, count: int) -> list[BlockHeader] | None:
    """The headers, or None where REST is off or too old to be asked this way."""
    if calls.session.rest_is_off or calls.session.rest_headers_fail:
        return None
    found: list[BlockHeader] = []
    begin = await hash_at(calls, first_height)
    while len(found) < count:
        # the last header is asked for again, which makes sure that what follows is of the same chain
        known = min(len(found), 1)
        most = min(REST_HEADERS, count - len(found) + known)
        run = await _rest_run(calls, begin, most)
        if run is None:
            return None
        if not run:
            raise _ChainMoved
        found += run[known:]
        if len(run) < most:
            break
        begin = found[-1].hash_text
    return found


async def _rest_run(calls: NodeCalls, begin: str, most: int) -> list[BlockHeader] | None:
    def read(reply: Reply) -> list[BlockHeader] | None:
        if reply.status == httpx.codes.NOT_FOUND:
            calls.session.found_rest_off()
            return None
        if reply.status == httpx.codes.BAD_REQUEST:
            # before v24 the count was a part of the path
            calls.session.rest_headers_fail = True
            return None
        check_status(reply)
        return read_run(reply.body, begin, most)

    return await calls.rest(f"/rest/headers/{begin}.bin?count={most}", "headers", read)


async def _by_rpc(calls: NodeCalls, first_height: int, count: int) -> list[BlockHeader]:
    found: list[BlockHeader] = []
    while len(found) < count:
        heights = range(first_height + len(found), first_height + min(count, len(found) + BATCH_CALLS))
        hashes: list[str] = []
        answers = await calls.batch("getblockhash", [(height,) for height in heights])
        for height, answer in zip(heights, answers, strict=True):
            if isinstance(answer, RpcError) and answer.code == BAD_PARAMETER and (found or hashes):
                break
            hashes.append(hash_of(calls, height, answer))
        run = []
        answers = await calls.batch("getblockheader", [(block_hash, False) for block_hash in hashes])
        for block_hash, answer in zip(hashes, answers, strict=True):
            value = calls.value("getblockheader", answer)
            with calls.sensible("getblockheader"):
                run.append(read_lone_header(value, block_hash))
        if not _linked([*found[-1:], *run]):
            raise _ChainMoved
        found += run
        if len(hashes) < len(heights):
            break
    return found
