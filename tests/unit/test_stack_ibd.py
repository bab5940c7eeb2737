"""Rate and time left of a node that catches up, against downloads whose end is known."""

from __future__ import annotations

import math
import random
from collections.abc import Callable
from dataclasses import replace

import pytest

from tests.support.stack_looks import chain
from utxoracle_tui.engine.stack.ibd import STALLED_S, Ibd, follow

HEADERS = 900_000


def download(progress_at: Callable[[float], float], until_s: float, *, every_s: float = 1.0) -> Ibd:
    """A download that is looked at every so many seconds; heights go with the square root of the work."""
    ibd: Ibd | None = None
    at_s = 0.0
    while at_s <= until_s:
        done = progress_at(at_s)
        info = chain(blocks=int(HEADERS * math.sqrt(done)), headers=HEADERS, progress=done, initial_download=True)
        ibd = follow(ibd, info, 100.0 + at_s)
        at_s += every_s
    assert ibd is not None
    return ibd


def test_an_even_download() -> None:
    whole_s = 40_000.0
    ibd = download(lambda at_s: 0.30 + at_s / whole_s, 400)
    left_s = (1 - ibd.left - 0.30) * whole_s
    eta = ibd.eta
    assert eta is not None
    assert eta.mid_s == pytest.approx(0.7 * whole_s - left_s, rel=0.02)
    assert eta.low_s < eta.mid_s < eta.high_s
    forecast = ibd.forecast
    assert forecast is not None
    assert forecast.rate_per_s == pytest.approx(1 / whole_s, rel=0.02)
    # d/dt of 900,000 · √(0.3 + t/40,000), between the ends
    first, last = HEADERS * math.sqrt(0.30), HEADERS * math.sqrt(0.31)
    assert ibd.blocks_per_s == pytest.approx((last - first) / 400, rel=0.02)
    assert ibd.left_blocks == HEADERS - ibd.blocks


@pytest.mark.parametrize("seed", range(5))
def test_a_download_in_fits_and_starts(seed: int) -> None:
    draw = random.Random(seed)
    # ten minutes of minutes, each between half and one and a half times as fast
    speeds = [draw.uniform(0.5, 1.5) / 30_000 for _ in range(40)]

    def progress(at_s: float) -> float:
        whole = int(at_s // 60)
        return 0.5 + sum(speeds[:whole]) * 60 + speeds[whole] * (at_s % 60)

    ibd = download(progress, 600)
    eta = ibd.eta
    assert eta is not None
    truth_s = ibd.left * 30_000
    assert eta.low_s <= truth_s <= eta.high_s


def test_only_the_last_minutes_count() -> None:
    def progress(at_s: float) -> float:
        return 0.2 + (at_s / 1_000_000 if at_s < 1000 else 0.001 + (at_s - 1000) / 10_000)

    ibd = download(progress, 1700)
    eta = ibd.eta
    assert eta is not None
    assert eta.mid_s == pytest.approx(ibd.left * 10_000, rel=0.1)
    assert ibd.samples[-1].at_s - ibd.samples[0].at_s <= 600


def test_too_little_is_known() -> None:
    assert download(lambda at_s: 0.3 + at_s / 40_000, 30).eta is None
    assert download(lambda _: 0.3, 300).eta is None
    lone = follow(None, chain(blocks=5, headers=10, progress=None), 0.0)
    assert lone is not None
    assert (lone.eta, lone.blocks_per_s, lone.progress) == (None, None, 0.5)


def test_a_node_that_stalls() -> None:
    ibd = download(lambda at_s: 0.3 + min(at_s, 100) / 40_000, 500)
    assert ibd.stalled_for_s(600.0) is None
    assert ibd.stalled_for_s(100.0 + 100 + STALLED_S + 5) == pytest.approx(STALLED_S + 5, abs=3)
    # its estimate falls a little while the chain grows without it, which is no new beginning
    info = chain(blocks=ibd.blocks, headers=HEADERS + 3, progress=(ibd.progress or 0) - 1e-6, initial_download=True)
    later = follow(ibd, info, 700.0)
    assert later is not None
    assert later.moved_s == ibd.moved_s
    assert len(later.samples) >= len([sample for sample in ibd.samples if sample.at_s >= 100])


def test_nodes_that_are_not_behind() -> None:
    assert follow(None, chain(), 0.0) is None
    # the newest block may just be arriving
    assert follow(None, chain(headers=chain().blocks + 1), 0.0) is None
    assert follow(None, chain(headers=chain().blocks + 2), 0.0) is not None
    assert follow(None, chain(initial_download=True), 0.0) is not None


def test_a_node_that_begins_anew() -> None:
    ibd = download(lambda at_s: 0.3 + at_s / 40_000, 100)
    again = follow(ibd, chain(blocks=0, headers=HEADERS, progress=0.0, initial_download=True), 300.0)
    assert again is not None
    assert (again.blocks, len(again.samples), again.moved_s) == (0, 1, 300.0)
    # a reorg is none
    info = chain(blocks=ibd.blocks - 2, headers=HEADERS, progress=ibd.progress, initial_download=True)
    reorganised = follow(ibd, info, 300.0)
    assert reorganised is not None
    assert len(reorganised.heights) > 2


def test_test_networks_claim_to_be_complete() -> None:
    ibd = follow(None, replace(chain(blocks=50, headers=200), progress=1.0), 0.0)
    assert ibd is not None
    assert ibd.progress == 0.25
