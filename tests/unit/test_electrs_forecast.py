"""The time left, on made-up timelines with noise: within 30 % of the truth over the last three quarters of a phase."""

from __future__ import annotations

import itertools
import random
from collections import defaultdict
from dataclasses import replace

import pytest

from tests.support.electrs_sync import ALL, START_S, Sync
from utxoracle_tui.engine.electrs.machine import step
from utxoracle_tui.engine.electrs.milestones import Sample
from utxoracle_tui.engine.electrs.pace import MOST_SAMPLES, forecast, with_sample
from utxoracle_tui.engine.electrs.phases import Phase
from utxoracle_tui.engine.electrs.state import State

LONG = (Phase.PASS_1, Phase.COMPACTING_TXSTORE, Phase.PASS_2, Phase.COMPACTING_HISTORY)
NEAR_S = 180.0
"""In the last minutes a share of what is left says nothing: a reading may come as late as that."""


def phase_lengths() -> dict[Phase, float]:
    return {
        Phase.WAITING: 60.0,
        Phase.OPENING: 60.0,
        Phase.HEADERS: 120.0,
        Phase.PASS_1: 2 * 3600.0,
        Phase.COMPACTING_TXSTORE: 3000.0,
        Phase.PASS_2: 4 * 3600.0,
        Phase.COMPACTING_HISTORY: 2700.0,
        Phase.LOADING_MEMPOOL: 60.0,
        Phase.READY: 60.0,
    }


@pytest.mark.parametrize(
    ("sources", "slow_down", "seed"),
    [
        (ALL, 0.0, 1),
        (ALL, 0.0, 2),
        (ALL, 0.4, 3),
        (frozenset({"metrics", "blocks"}), 0.0, 4),
        (frozenset({"log", "blocks"}), 0.0, 5),
        (frozenset({"log", "node", "rocksdb"}), 0.0, 6),
        (frozenset({"sizes"}), 0.0, 7),
    ],
    ids=lambda value: "+".join(sorted(value)) if isinstance(value, frozenset) else str(value),
)
def test_the_time_left_is_near_the_truth(sources: frozenset[str], slow_down: float, seed: int) -> None:
    """The pace scatters by 20 % from reading to reading and drifts; with `slow_down` a pass ends 40 % slower."""
    state = State()
    errors: dict[Phase, list[float]] = defaultdict(list)
    within: list[bool] = []
    step_s = 30.0 if seed == 1 else 60.0
    sync = Sync(noise=0.4, seed=seed, slow_down=slow_down, sources=sources, lasts_s=phase_lengths(), step_s=step_s)
    for evidence, truth, left_s in sync.course():
        state = step(state, evidence)
        share, eta = state.progress.share, state.progress.eta
        if truth not in LONG or state.phase is not truth or share is None or not 0.25 <= share < 1.0:
            continue
        assert eta is not None, (truth, share)
        assert eta.low_s <= eta.mid_s <= eta.high_s
        error_s = abs(eta.mid_s - left_s)
        errors[truth].append(0.0 if error_s <= NEAR_S else error_s / left_s)
        within.append(eta.low_s - NEAR_S <= left_s <= eta.high_s + NEAR_S)
    expected = {"sizes": LONG[1::2], "metrics": LONG[::2] if "rocksdb" not in sources else LONG, "log": LONG[::2]}
    named = next(iter(sorted(sources & set(expected), key=list(expected).index)))
    measured = LONG if sources == ALL or "rocksdb" in sources else expected[named]
    assert tuple(phase for phase in LONG if phase in errors) == tuple(measured)
    for phase, found in errors.items():
        assert max(found) <= 0.30, (phase, max(found))
    # the spread holds the truth most of the time, also where the pace is about to fall as nobody can know
    assert sum(within) / len(within) >= (0.75 if slow_down else 0.9)


def test_a_change_of_pace_is_followed() -> None:
    """After half of the work it goes at half the pace: a quarter of the work later the forecast knows."""
    samples: tuple[Sample, ...] = ()
    for second in range(0, 10_000, 10):
        done = second / 10_000 if second < 5000 else 0.5 + (second - 5000) / 20_000
        samples = with_sample(samples, Sample(START_S + second, done))
    seen = forecast(samples, 0.25)
    assert seen is not None
    assert seen.eta(0.25).mid_s == pytest.approx(5000, rel=0.15)
    assert seen.rate_per_s == pytest.approx(1 / 20_000, rel=0.05)


def test_a_standstill_lengthens_the_time_left() -> None:
    samples: tuple[Sample, ...] = ()
    for second in range(0, 3600, 30):
        samples = with_sample(samples, Sample(START_S + second, second / 7200))
    before = forecast(samples, 0.5)
    for second in range(3600, 5400, 30):
        samples = with_sample(samples, Sample(START_S + second, 0.5))
    after = forecast(samples, 0.5)
    assert before is not None
    assert after is not None
    assert after.eta(0.5).mid_s > 1.2 * before.eta(0.5).mid_s
    assert after.spread > before.spread


def test_no_forecast_from_too_little() -> None:
    assert forecast((), 1.0) is None
    soon = [Sample(0, 0.0), Sample(30, 0.01), Sample(40, 0.02), Sample(50, 0.03), Sample(59, 0.04)]
    assert forecast(soon, 0.96) is None
    assert forecast([*soon, Sample(59.5, 0.05)], 0.95) is not None
    assert forecast([*soon, Sample(60, 0.041)], 0.96) is not None
    assert forecast([Sample(0, 0.0), Sample(3000, 0.5)], 0.5) is None
    # the console is opened in the middle of a compaction, of which RocksDB tells when it began
    seen = forecast([Sample(0, 0.0), Sample(3000, 0.5), Sample(3005, 0.501)], 0.499)
    assert seen is not None
    assert seen.eta(0.499).mid_s == pytest.approx(3000, rel=0.02)
    assert forecast([Sample(0, 0.0), Sample(3000, 0.05), Sample(3005, 0.051)], 0.95) is None
    assert forecast([Sample(number * 100, 0.3) for number in range(50)], 0.7) is None


def test_samples_stay_few_and_in_order() -> None:
    rng = random.Random(3)
    samples: tuple[Sample, ...] = ()
    for number in range(20_000):
        samples = with_sample(samples, Sample(START_S + number * 5 + rng.uniform(-20, 20), number / 20_000))
        assert len(samples) <= MOST_SAMPLES
    times = [sample.at_s for sample in samples]
    assert times == sorted(times)
    assert samples[0].done == 0.0
    gaps = [after - before for before, after in itertools.pairwise(times)]
    assert max(gaps) < 4 * 100_000 / 160


def test_a_source_that_falls_silent_for_a_while_costs_no_forecast() -> None:
    """The metrics don't answer for five minutes: the log goes on, and the time left is told all the while."""
    state = State()
    sync = Sync(noise=0.4, seed=11, lasts_s=phase_lengths(), step_s=30.0)
    began_s: float | None = None
    silent = 0
    for evidence, truth, left_s in sync.course():
        began_s = evidence.at_s if began_s is None and truth is Phase.PASS_1 else began_s
        gone = began_s is not None and 2400 <= evidence.at_s - began_s < 2700
        state = step(state, replace(evidence, metrics=None) if gone else evidence)
        if began_s is None or truth is not Phase.PASS_1 or not 2300 <= evidence.at_s - began_s < 3600:
            continue
        silent += "metrics" not in {basis.source for basis in state.progress.rests_on}
        assert state.progress.eta is not None, evidence.at_s - began_s
        assert state.progress.eta.mid_s == pytest.approx(left_s, rel=0.30)
    assert silent >= 5
