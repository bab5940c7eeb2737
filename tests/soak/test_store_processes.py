"""Several processes on one store, and processes that are killed while they write."""

from __future__ import annotations

import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.support.records import START_S, observation
from utxoracle_tui.store.store import Store

pytestmark = pytest.mark.soak

WRITERS, EACH = 4, 500
KILLS = 200


def writer(folder: Path, first: int, count: int) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "tests.support.store_writer", str(folder), str(first), str(count)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)


def test_four_write_while_a_fifth_reads(tmp_path: Path) -> None:
    reader = subprocess.Popen(
        [sys.executable, "-m", "tests.support.store_reader", str(tmp_path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    started_s = time.monotonic()
    writers = [writer(tmp_path, number * EACH, EACH) for number in range(WRITERS)]
    for process in writers:
        said, _ = process.communicate(timeout=300)
        assert process.returncode == 0
        assert len(said.splitlines()) == EACH
    took_s = time.monotonic() - started_s
    told, complaint = reader.communicate("stop", timeout=60)
    assert reader.returncode == 0, complaint
    reads, most = map(int, told.split())
    found = Store(tmp_path, "main").observations.between(0, 2e9)
    assert len(found) == WRITERS * EACH
    assert {record.key for record in found} == {
        observation(n, START_S + n % 2 * 86_400 + n * 0.01).key for n in range(WRITERS * EACH)
    }
    assert reads > 10
    print(f"\n{WRITERS * EACH} observations in {took_s:.1f} s, read {reads} times meanwhile (at most {most} seen)")


def test_killed_while_writing(tmp_path: Path) -> None:
    chance = random.Random(1)
    acknowledged: set[int] = set()
    next_number = 0
    for _ in range(KILLS):
        with writer(tmp_path, next_number, 10_000) as process:
            assert process.stdout is not None
            # the kill falls anywhere in a few writes, the first of the process included
            said = [int(process.stdout.readline()) for _ in range(chance.randrange(3))]
            time.sleep(chance.random() * (0.02 if said else 0.35))
            process.send_signal(signal.SIGKILL)
            said += [int(line) for line in process.stdout.read().splitlines() if line.strip()]
        acknowledged.update(said)
        next_number = max([next_number, *(number + 1 for number in said)]) + 1
        store = Store(tmp_path, "main")
        found = {int(record.key.rpartition("-")[2], 16): record for record in store.observations.between(0, 2e9)}
        assert acknowledged <= set(found)
        assert not store.notices.all()
        for number in said:
            assert found[number] == observation(number, START_S + number % 2 * 86_400 + number * 0.01)
    print(f"\n{KILLS} kills, {len(acknowledged)} observations acknowledged, {len(found)} there")
    assert len(acknowledged) > KILLS / 4
