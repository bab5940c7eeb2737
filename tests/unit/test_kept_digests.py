"""What is known of digests on the disk, while they come."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from utxoracle_tui import clock
from utxoracle_tui.engine.jobs.kept_digests import KeptDigests
from utxoracle_tui.store.blobs import Blobs


class SlowBlobs(Blobs):
    """Looks as long as it is told to."""

    go = threading.Event()

    def has(self, name: str) -> bool:
        found = super().has(name)
        if name == "slow":
            self.go.wait(10.0)
        return found


class CountingBlobs(Blobs):
    """Tells what was looked at."""

    def __init__(self, folder: Path, max_bytes: int) -> None:
        super().__init__(folder, max_bytes)
        self.looks: list[str] = []

    def has(self, name: str) -> bool:
        self.looks.append(name)
        return super().has(name)


async def here(task: Callable[..., tuple[int, bytes]], *args: object) -> tuple[int, bytes]:
    return task(*args)


def digest(name: str) -> bytes:
    return name.encode()


async def test_what_comes_during_a_look_is_there(tmp_path: Path) -> None:
    blobs = SlowBlobs(tmp_path, 10_000)
    kept = KeptDigests(blobs, here)
    looking = asyncio.create_task(kept.among(["early", "slow", "never"]))
    await asyncio.sleep(0.05)
    assert await kept.making("early")(digest, "a digest") == b""
    blobs.go.set()
    assert await looking == {"early"}
    assert await kept.has("early")
    assert not await kept.has("never")
    assert blobs.get("early") == b"a digest"


async def test_what_cannot_be_kept_is_returned(tmp_path: Path) -> None:
    kept = KeptDigests(Blobs(tmp_path, 10), here)
    assert await kept.making("one")(digest, "too large for ten bytes") == b"too large for ten bytes"
    assert not await kept.has("one")


async def test_a_look_holds_for_a_second_and_then_goes_to_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    now_s = 100.0
    monkeypatch.setattr(clock, "elapsed_s", lambda: now_s)
    blobs = CountingBlobs(tmp_path, 10_000)
    kept = KeptDigests(blobs, here)
    assert await kept.among(["one", "two", "three"]) == set()
    now_s = 100.9
    assert not await kept.has("one")
    assert blobs.looks == ["one", "two", "three"]
    now_s = 101.0
    assert not any(await asyncio.gather(*map(kept.has, ("one", "two", "three"))))
    assert blobs.looks == ["one", "two", "three"] * 2


async def test_beside_another_process_each_is_looked_at(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    now_s = 100.0
    monkeypatch.setattr(clock, "elapsed_s", lambda: now_s)
    blobs = CountingBlobs(tmp_path, 10_000)
    kept = KeptDigests(blobs, here)
    await kept.among(["one", "two", "three"])
    # by another process
    blobs.put("one", b"a digest")
    now_s = 101.5
    assert await kept.has("one")
    blobs.put("two", b"a digest")
    assert await kept.has("two")
    assert not await kept.has("three")
    # what nobody has asked for in a while is not looked at any more
    now_s = 170.0
    await kept.among(["four"])
    now_s = 171.5
    blobs.looks.clear()
    assert not await kept.has("four")
    assert blobs.looks == ["four"]


async def test_what_a_worker_has_just_put_there_is_no_sign_of_another(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    now_s = 100.0
    monkeypatch.setattr(clock, "elapsed_s", lambda: now_s)
    blobs = CountingBlobs(tmp_path, 10_000)

    async def with_a_look_before_its_reply(task: Callable[..., tuple[int, bytes]], *args: object) -> tuple[int, bytes]:
        reply = task(*args)
        assert await kept.among(["one", "two"]) == {"one"}
        return reply

    kept = KeptDigests(blobs, with_a_look_before_its_reply)
    await kept.among(["one", "two"])
    await kept.making("one")(digest, "a digest")
    blobs.looks.clear()
    assert not await kept.has("two")
    assert blobs.looks == []


async def test_what_this_process_makes_is_no_sign_of_another(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    now_s = 100.0
    monkeypatch.setattr(clock, "elapsed_s", lambda: now_s)
    blobs = CountingBlobs(tmp_path, 10_000)
    kept = KeptDigests(blobs, here)
    await kept.among(["one", "two"])
    await kept.making("one")(digest, "a digest")
    assert await kept.among(["one", "two"]) == {"one"}
    blobs.looks.clear()
    assert not await kept.has("two")
    assert blobs.looks == []
