"""How fast a job goes and how long it still takes."""

from __future__ import annotations

import math
import random

import pytest

from utxoracle_tui.engine.jobs.estimate import AtWork, Finished, estimate

BEGIN_S = 1.7e9


def in_turn(took_s: list[float], blocks: int = 144, megabytes: int = 100) -> list[Finished]:
    """Windows one after the other."""
    end_s, found = BEGIN_S, []
    for span_s in took_s:
        end_s += span_s
        found.append(Finished(end_s, span_s, blocks, megabytes * 1_000_000))
    return found


def test_nothing_is_known_when_nothing_is_at_work() -> None:
    found = estimate(in_turn([10.0] * 5), [], 5, BEGIN_S + 50)
    assert (found.blocks_per_s, found.mb_per_s, found.eta) == (None, None, None)


def test_an_even_pace() -> None:
    done = in_turn([10.0] * 8)
    now = AtWork(elapsed_s=5.0, blocks_to_get=144, blocks_got=72, bytes_read=50_000_000)
    found = estimate(done, [now], 4, BEGIN_S + 85)
    assert found.blocks_per_s == pytest.approx((8 * 144 + 72) / 85)
    assert found.mb_per_s == pytest.approx(10.0)
    assert found.eta is not None
    assert found.eta.likely_s == pytest.approx(45.0)
    assert found.eta.low_s == pytest.approx(45.0)
    assert found.eta.high_s == pytest.approx(45.0)


def test_windows_side_by_side() -> None:
    # three at once, each 30 s long, one done every ten seconds
    done = [Finished(BEGIN_S + 30 + 10 * n, 30.0, 144, 0) for n in range(12)]
    at_work = [AtWork(elapsed_s, 144, round(144 * elapsed_s / 30), 0) for elapsed_s in (20.0, 10.0, 0.0)]
    found = estimate(done, at_work, 6, done[-1].ended_s)
    assert found.eta is not None
    assert found.eta.likely_s == pytest.approx(10 * (6 + 3 - 20 / 30 - 10 / 30), rel=0.15)
    assert found.mb_per_s == 0


def test_a_pause_does_not_count() -> None:
    before = in_turn([10.0] * 4)
    after = [Finished(window.ended_s + 36_000, window.elapsed_s, 144, 0) for window in in_turn([10.0] * 4)]
    now_s = after[-1].ended_s
    found = estimate([*before, *after], [AtWork(0.0, None, 0, 0)], 9, now_s)
    assert found.eta is not None
    assert found.eta.likely_s == pytest.approx(100.0)


def test_a_standstill_shows_in_the_rate() -> None:
    done = in_turn([10.0] * 8)
    stuck = AtWork(elapsed_s=400.0, blocks_to_get=144, blocks_got=1, bytes_read=0)
    found = estimate(done, [stuck], 4, BEGIN_S + 80 + 400)
    assert found.blocks_per_s is not None
    assert found.blocks_per_s < 3


def test_before_the_first_window_is_done() -> None:
    assert estimate([], [AtWork(3.0, None, 0, 0)], 9, BEGIN_S).eta is None
    found = estimate([], [AtWork(10.0, 100, 25, 7_000_000)], 9, BEGIN_S)
    assert (found.blocks_per_s, found.mb_per_s) == (2.5, 0.7)
    assert found.eta is not None
    assert found.eta.likely_s == pytest.approx(40 * 9.75)
    assert found.eta.low_s < found.eta.likely_s < found.eta.high_s


def test_the_newest_windows_count() -> None:
    found = estimate(in_turn([100.0] * 200 + [10.0] * 30), [AtWork(0.0, None, 0, 0)], 9, BEGIN_S + 20_300)
    assert found.eta is not None
    assert found.eta.likely_s == pytest.approx(100.0)


def test_the_spread_holds_four_in_five() -> None:
    chance = random.Random(5)
    inside = runs = 0
    for _ in range(400):
        took_s = [chance.gammavariate(4.0, 2.5) for _ in range(40)]
        found = estimate(in_turn(took_s[:20]), [AtWork(0.0, 144, 0, 0)], 19, BEGIN_S + sum(took_s[:20]))
        assert found.eta is not None
        runs += 1
        inside += found.eta.low_s <= sum(took_s[20:]) <= found.eta.high_s
    # within three standard deviations of what 400 tries at 0.8 give
    assert abs(inside / runs - 0.8) < 3 * math.sqrt(0.8 * 0.2 / runs)


def test_blocks_at_hand_are_no_pace() -> None:
    # one window was there already but for its price, of the other 22 blocks are got, in the four seconds since
    done = [Finished(BEGIN_S + 1.0, 1.0, 0, 0)]
    now = AtWork(elapsed_s=5.0, blocks_to_get=144, blocks_got=22, bytes_read=22_000_000, share=22 / 144)
    found = estimate(done, [now], 0, BEGIN_S + 5.0)
    assert found.blocks_per_s == pytest.approx(22 / 5)
    assert found.eta is not None
    assert found.eta.likely_s == pytest.approx(122 / (22 / 5))


def test_nothing_is_said_of_blocks_to_get_before_one_is_got() -> None:
    done = [Finished(BEGIN_S + n, 1.0, 0, 0) for n in range(1, 5)]
    now = AtWork(elapsed_s=0.5, blocks_to_get=144, blocks_got=0, bytes_read=0)
    assert estimate(done, [now], 3, BEGIN_S + 4.5).eta is None


def test_windows_whose_blocks_are_all_at_hand() -> None:
    done = [Finished(BEGIN_S + 2 * n, 2.0, 0, 0) for n in range(1, 9)]
    now = AtWork(elapsed_s=1.0, blocks_to_get=0, blocks_got=0, bytes_read=0, share=0.5)
    found = estimate(done, [now], 4, BEGIN_S + 17)
    assert found.blocks_per_s == 0
    assert found.eta is not None
    assert found.eta.likely_s == pytest.approx(9.0)
