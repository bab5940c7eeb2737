"""Handing bytes over to a worker process: what arrives is what was sent, through whatever way there is."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

import pytest

from utxoracle_tui.engine import handing_over
from utxoracle_tui.engine.handing_over import Handed, HandingOver, InMemory, NotHandedOver, taken
from utxoracle_tui.engine.workers import Workers

BLOCKS = [bytes([number]) * (number * 100_000 + 1) for number in (7, 2, 5, 0)]


def hashed(handed: Handed) -> tuple[str, bool]:
    return hashlib.sha256(taken(handed)).hexdigest(), isinstance(handed, InMemory)


def refusing(handed: Handed) -> str:
    if isinstance(handed, InMemory):
        # what a system does that hides the processes of a user from each other
        InMemory(handed.pid, 999_999, handed.length_bytes).read()
    return hashed(handed)[0]


async def test_what_arrives_is_what_was_sent(workers: Workers) -> None:
    for block in BLOCKS:
        found = await workers.handing_over.over(block, lambda handed: workers.run(hashed, handed))
        assert found == (hashlib.sha256(block).hexdigest(), hasattr(os, "memfd_create"))


async def test_where_memory_cannot_be_shared_the_bytes_are_sent(workers: Workers) -> None:
    handing = HandingOver()
    for block in BLOCKS:
        found = await handing.over(block, lambda handed: workers.run(refusing, handed))
        assert found == hashlib.sha256(block).hexdigest()
    handing.close()


async def test_without_such_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(handing_over.os, "memfd_create", raising=False)

    async def use(handed: Handed) -> Handed:
        return handed

    assert await HandingOver().over(b"a block", use) == b"a block"


async def test_the_memory_is_used_again_and_given_back() -> None:
    handing = HandingOver()
    before = len(list(Path("/proc/self/fd").iterdir()))

    async def use(handed: Handed) -> int:
        assert isinstance(handed, InMemory)
        assert handed.read() == BLOCKS[0]
        return handed.descriptor

    assert len({await handing.over(BLOCKS[0], use) for _ in range(5)}) == 1
    handing.close()
    assert len(list(Path("/proc/self/fd").iterdir())) == before


def test_less_than_was_put_there_is_nothing() -> None:
    with pytest.raises(NotHandedOver):
        InMemory(os.getpid(), 999_999, 5).read()
