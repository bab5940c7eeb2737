"""The whole first sync of the simulated host, of a real one's size: how near the time left is to the truth.

The host's own files, ports and sockets are watched as the console watches them. Once the test says what time it is: in
each step so much work is done, at a pace that wanders as that of a real disk does, and then everything is looked at;
that is independent of the machine. And once it goes by the clock on the wall, as one sees it who looks at the demo;
there only what is shown is checked, not how well it is foretold, since a busy machine holds up the host as well.
The figures are printed: `pytest -m soak -s tests/soak/test_stack_first_sync.py`.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass, field, replace
from itertools import pairwise
from pathlib import Path
from statistics import median
from types import SimpleNamespace

import httpx
import pytest

from tests.support.demo_node import SMALL, demo_node
from tests.support.electrs_sync import noisy
from tests.support.stack_rig import Rig, settings_of, stack_rig
from utxoracle_tui import clock
from utxoracle_tui.demo.host.electrs import electrs as host_electrs
from utxoracle_tui.demo.host.electrs.settings import Phase as HostPhase
from utxoracle_tui.demo.host.electrs.settings import SyncSize
from utxoracle_tui.demo.host.options import HostOptions
from utxoracle_tui.demo.host.process import HostProcess, start_host
from utxoracle_tui.engine.electrs.phases import Phase
from utxoracle_tui.engine.electrs.state import State

pytestmark = pytest.mark.soak

LONG = {
    HostPhase.PASS_1: Phase.PASS_1,
    HostPhase.COMPACTING_TXSTORE: Phase.COMPACTING_TXSTORE,
    HostPhase.PASS_2: Phase.PASS_2,
    HostPhase.COMPACTING_HISTORY: Phase.COMPACTING_HISTORY,
}
"""The phases that are measured, as the host calls them."""
STEPS_S = dict.fromkeys((HostPhase.PASS_1, HostPhase.PASS_2), 100.0)
STEP_S = 20.0
"""How much time goes by between two looks, in the passes and otherwise."""
WITHIN = 0.30
LEAST_LOOKS = 60
LEAST_SHARE = 0.97
"""Of the looks in the last three quarters of a phase."""
SPEED = 400.0
"""By the clock on the wall: the sync takes four minutes."""
LOOK_S = 0.1


@dataclass
class Journey:
    """Every state that the watch came to, and when the host was found in another phase."""

    states: list[State] = field(default_factory=list)
    changes: list[tuple[float, str]] = field(default_factory=list)

    def note(self, at_s: float, phase: str, state: State | None) -> None:
        """Note what the host says, and what the watch says."""
        if not self.changes or self.changes[-1][1] != phase:
            self.changes.append((at_s, phase))
        if state is not None and (not self.states or state is not self.states[-1]):
            self.states.append(state)

    def figures(self) -> list[Figures]:
        """What came of each long phase."""
        spans = ((HostPhase(name), began, ended) for (began, name), (ended, _) in pairwise(self.changes))
        return [figures(LONG[name], began, ended, self.states) for name, began, ended in spans if name in LONG]


@dataclass(frozen=True, slots=True)
class Figures:
    """What came of one phase, in its last three quarters."""

    phase: Phase
    lasted_s: float
    looks: int
    named: float
    """Share of the looks that named the phase."""
    with_eta: float
    within: float
    """Share whose time left was within 30 % of the truth."""
    within_spread: float
    """Share whose least and most held the truth."""
    middle: float
    """Median of the errors, as a share of the truth."""
    worst: tuple[float, float]
    """The largest error, and at what share of the phase it was."""

    HEAD = f"{'phase':<20} {'lasted':>9} looks   named  with ETA  in 30 % in spread  median      worst"

    def line(self) -> str:
        """As printed."""
        return (
            f"{self.phase:<20} {self.lasted_s:7.0f} s {self.looks:5} {self.named * 100:5.1f} % "
            f"{self.with_eta * 100:7.1f} % {self.within * 100:5.1f} % {self.within_spread * 100:7.1f} % "
            f"{self.middle * 100:5.1f} % {self.worst[0] * 100:8.1f} % at {self.worst[1] * 100:.0f} %"
        )


def figures(phase: Phase, began_s: float, ended_s: float, states: list[State]) -> Figures:
    """What is found in the last three quarters of a phase."""
    lasted_s = ended_s - began_s
    looks = [state for state in states if began_s + lasted_s / 4 <= state.at_s < ended_s]
    named = [state for state in looks if state.phase is phase]
    left_s = {id(state): ended_s - state.at_s for state in named}
    etas = [(state, eta) for state in named if (eta := state.progress.eta) is not None]
    errors = [(abs(eta.mid_s - left_s[id(state)]) / left_s[id(state)], state) for state, eta in etas]
    worst = max(errors, key=lambda each: each[0], default=None)
    count = max(1, len(looks))
    return Figures(
        phase,
        lasted_s,
        len(looks),
        len(named) / count,
        len(etas) / count,
        sum(error <= WITHIN for error, _ in errors) / count,
        sum(eta.low_s <= left_s[id(state)] <= eta.high_s for state, eta in etas) / count,
        median(error for error, _ in errors) if errors else float("nan"),
        (worst[0], (worst[1].at_s - began_s) / lasted_s) if worst is not None else (float("nan"), 0.0),
    )


def show(title: str, journey: Journey) -> list[Figures]:
    """Print the figures, and check what holds however well the time left was foretold."""
    found, states = journey.figures(), journey.states
    print(f"\n{title}, {len(states):,} looks")
    print("\n".join((Figures.HEAD, *(each.line() for each in found))))
    assert tuple(each.phase for each in found) == tuple(LONG.values())
    assert states[-1].phase is Phase.READY
    shares = [state.whole_share for state in states if state.whole_share is not None]
    assert shares == sorted(shares), "the whole went back"
    assert not any(state.reindex_advised for state in states)
    assert states[-1].run == 1, "a restart was seen where there was none"
    return found


@dataclass
class TimeOfTest:
    """The clock that the test sets. The host works in steps alone as soon as `frozen`."""

    now: float
    frozen: float | None = None

    def elapsed_s(self) -> float:
        """The host's clock for spans."""
        return time.monotonic() if self.frozen is None else self.frozen


@pytest.fixture
async def time_of_test(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[TimeOfTest]:
    own = TimeOfTest(time.time())
    monkeypatch.setattr(clock, "now_s", lambda: own.now)
    monkeypatch.setattr(host_electrs, "clock", SimpleNamespace(now_s=clock.now_s, elapsed_s=own.elapsed_s))
    yield own


@pytest.mark.parametrize("noise", [0.0, 0.4], ids=["a steady pace", "a pace that wanders"])
async def test_the_time_left_of_a_whole_first_sync(noise: float, time_of_test: TimeOfTest, tmp_path: Path) -> None:
    options = replace(SMALL, tx_per_block=1, scenario="first-sync")
    journey = Journey()
    async with demo_node(options, size=SyncSize()) as node:
        electrs = node.host.electrs
        while electrs.phase not in (HostPhase.HEADERS, HostPhase.PASS_1):
            await asyncio.sleep(0.02)
        time_of_test.frozen = time.monotonic()
        async with stack_rig(settings_of(node.env, tmp_path), timeout_s=30.0, every_s=0.02) as rig:
            rng = random.Random(1)
            speeds = {
                phase: noisy(rng, STEPS_S.get(phase, STEP_S), scatter=noise / 2, drift=noise * 0.4)
                for phase in HostPhase
            }
            while not journey.states or journey.states[-1].phase is not Phase.READY:
                before = electrs.phase or HostPhase.STARTING
                step_s = STEPS_S.get(before, STEP_S)
                time_of_test.now += step_s
                await electrs.advance(step_s * speeds[before]())
                state = await looked(rig, time_of_test.now)
                journey.note(time_of_test.now, str(electrs.phase), state)
                # readings are given at every change of any source
                rig.readings.clear()
                rig.nodes.clear()
    for each in show(f"ETA of a first sync in steps, noise {noise:g}", journey):
        assert each.looks >= LEAST_LOOKS, each
        assert each.within >= LEAST_SHARE, each


async def looked(rig: Rig, at_s: float) -> State:
    """The state when all that is seen of electrs was looked at since then."""
    async with asyncio.timeout(60):
        while True:
            state = rig.now.electrs.detail
            known = state.memory.known if state is not None else None
            if state is not None and known is not None:
                seen = (known.metrics, known.process, known.sizes, known.rocksdb)
                if all(each is not None and each.at_s >= at_s for each in seen):
                    return state
            await asyncio.sleep(0.01)


async def test_a_whole_first_sync_by_the_clock_on_the_wall(tmp_path: Path) -> None:
    options = HostOptions(days=1, tx_per_block=4, speed=SPEED, scenario="first-sync")
    with start_host(options, wait_until_ready=True) as host:
        async with stack_rig(settings_of(host.env, tmp_path), timeout_s=5.0, every_s=LOOK_S) as rig:
            journey = await watched(host, rig, within_s=120 + 2 * 100_000 / SPEED)
    for each in show(f"ETA of a first sync, {SPEED:g} times as fast", journey):
        assert each.named >= 0.8, each
        assert each.with_eta >= 0.8, each


async def watched(host: HostProcess, rig: Rig, within_s: float) -> Journey:
    """What is seen until electrs is ready."""
    journey = Journey()
    url = f"{host.env['UTXORACLE_DEMO_CONTROL_URL']}/electrs/state"
    async with httpx.AsyncClient(trust_env=False, timeout=5.0) as client, asyncio.timeout(within_s):
        while not journey.states or journey.states[-1].phase is not Phase.READY:
            phase = (await client.get(url)).json()["phase"]
            journey.note(clock.now_s(), str(phase), rig.now.electrs.detail)
            rig.readings.clear()
            rig.nodes.clear()
            await asyncio.sleep(LOOK_S / 2)
    return journey
