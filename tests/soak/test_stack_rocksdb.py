"""The evidence of a real RocksDB: databases filled and compacted as electrs does it, read while that happens.

Takes two minutes and 8 GB of disk for a while. It needs the package `rocksdict`: `uv pip install rocksdict==0.3.12`.
"""

from __future__ import annotations

import asyncio
import importlib.util
import json
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from utxoracle_tui.engine.electrs.phases import Db, Phase
from utxoracle_tui.engine.electrs.rocksdb_log import FullCompaction
from utxoracle_tui.engine.electrs.state import State
from utxoracle_tui.engine.electrs.watch import ElectrsWatch, Places

pytestmark = pytest.mark.soak

ROOT = Path(__file__).parents[2]
TICK_S = 0.1
WITHIN_S = 240.0
KILL_AT = 0.4


@dataclass
class Writer:
    """A process that writes databases, and what it said."""

    process: asyncio.subprocess.Process
    said: list[dict[str, Any]] = field(default_factory=list)

    async def listen(self) -> None:
        """Take down what it says until it ends."""
        assert self.process.stdout is not None
        async for line in self.process.stdout:
            self.said.append(json.loads(line))

    def of(self, what: str, db: Db) -> dict[str, Any]:
        """What it said of one thing that it did."""
        return next(each for each in self.said if (each["what"], each["database"]) == (what, db.value))


@asynccontextmanager
async def writing(folder: Path, *more: str) -> AsyncIterator[Writer]:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tests.support.rocksdb_writer", str(folder), *more),
        cwd=ROOT,
        stdout=asyncio.subprocess.PIPE,
    )
    writer = Writer(process)
    listening = asyncio.create_task(writer.listen())
    try:
        yield writer
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()
        await listening


@dataclass
class Seen:
    """Every state that a watch of the folder alone came to."""

    states: list[State] = field(default_factory=list)

    async def until(self, holds: Callable[[State], object]) -> State:
        async with asyncio.timeout(WITHIN_S):
            while not self.states or not holds(self.states[-1]):
                await asyncio.sleep(TICK_S / 2)
        return self.states[-1]

    def phases(self) -> list[Phase]:
        """Those that were shown, without repetitions."""
        shown = [state.phase for state in self.states]
        return [phase for number, phase in enumerate(shown) if number == 0 or shown[number - 1] is not phase]


def compaction(state: State, db: Db) -> FullCompaction | None:
    logs = state.memory.known.rocksdb
    log = logs.dbs.get(db) if logs is not None else None
    return log.compaction if log is not None else None


def size(state: State, db: Db) -> int:
    sizes = state.memory.known.sizes
    return sizes.dbs[db].sst_bytes if sizes is not None and db in sizes.dbs else 0


async def test_two_compactions_of_a_real_rocksdb_and_a_kill(tmp_path: Path) -> None:
    if importlib.util.find_spec("rocksdict") is None:
        pytest.fail("This test writes real databases with the package rocksdict: uv pip install rocksdict==0.3.12")
    folder = tmp_path / "newindex"
    folder.mkdir()
    seen = Seen()
    watch = asyncio.create_task(ElectrsWatch(Places(index_dir=folder)).run(seen.states.append, tick_s=TICK_S))
    try:
        async with writing(folder) as writer:
            state = await seen.until(
                lambda state: state.phase is Phase.COMPACTING_TXSTORE and (state.progress.share or 0) >= KILL_AT
            )
            filled_bytes = writer.of("filled", Db.TXSTORE)["sst_bytes"]
            assert state.progress.total == filled_bytes
            assert seen.phases()[-2:] == [Phase.PASS_1, Phase.COMPACTING_TXSTORE]
            writer.process.kill()
        killed = len(seen.states)
        async with writing(folder, "--filled") as writer:
            await seen.until(lambda state: state.phase is Phase.LOADING_MEMPOOL)
            await writer.process.wait()
            assert writer.process.returncode == 0
    finally:
        watch.cancel()
        await asyncio.gather(watch, return_exceptions=True)
    # after the kill the compaction begins from zero, and a restart is seen
    again = [state for state in seen.states[killed:] if state.phase is Phase.COMPACTING_TXSTORE and state.run == 2]
    assert (again[0].progress.share or 0) < KILL_AT / 2
    assert Seen(seen.states[killed:]).phases()[-4:] == [
        Phase.COMPACTING_TXSTORE,
        Phase.PASS_2,
        Phase.COMPACTING_HISTORY,
        Phase.LOADING_MEMPOOL,
    ]
    check_compaction(Db.TXSTORE, writer, again, seen.states[-1])
    of_history = [state for state in seen.states[killed:] if state.phase is Phase.COMPACTING_HISTORY]
    check_compaction(Db.HISTORY, writer, of_history, seen.states[-1])


def check_compaction(db: Db, writer: Writer, states: list[State], last: State) -> None:
    """What was read of a compaction against what RocksDB's own process says of it."""
    began, ended = writer.of("compacts", db), writer.of("compacted", db)
    read = compaction(last, db)
    assert read is not None
    assert read.finished
    assert read.input_bytes == began["sst_bytes"]
    assert read.written_bytes == ended["sst_bytes"]
    assert began["at_s"] <= (read.started_at_s or 0) <= began["at_s"] + 5
    assert ended["at_s"] - 5 <= (read.finished_at_s or 0) <= ended["at_s"]
    shares = [state.progress.share or 0.0 for state in states]
    assert shares == sorted(shares)
    assert len(set(shares)) >= 20, "it didn't move between the tables that the log tells of"
    peak_bytes = max(size(state, db) for state in states)
    assert 1.9 * read.input_bytes <= peak_bytes <= 2.01 * read.input_bytes
    lasted_s = ended["at_s"] - began["at_s"]
    errors = [
        abs(state.progress.eta.mid_s - (ended["at_s"] - state.at_s)) / (ended["at_s"] - state.at_s)
        for state in states
        if state.progress.eta is not None and began["at_s"] + lasted_s / 4 <= state.at_s < ended["at_s"]
    ]
    near = sum(error <= 0.30 for error in errors)
    print(
        f"\n{db}: {read.input_bytes:,} bytes in, {read.written_bytes:,} out in {lasted_s:.0f} s, at most "
        f"{peak_bytes:,} in the folder; {len(set(shares))} different shares; time left within 30 % in {near} of "
        f"{len(errors)} looks of the last three quarters"
    )
