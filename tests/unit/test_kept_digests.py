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


async def test_a_look_holds_for_ten_seconds(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    now_s = 100.0
    monkeypatch.setattr(clock, "elapsed_s", lambda: now_s)
    blobs = Blobs(tmp_path, 10_000)
    kept = KeptDigests(blobs, here)
    assert await kept.among(["one", "two"]) == set()
    # by another process
    blobs.put("one", b"a digest")
    now_s = 109.0
    assert not await kept.has("one")
    now_s = 111.0
    assert await kept.has("one")
    assert not await kept.has("two")
