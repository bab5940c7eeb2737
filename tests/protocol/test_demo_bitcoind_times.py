"""Which blocks the simulated chain is made of, at whatever hour the host starts."""

from __future__ import annotations

import threading
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from tests.support.demo_node import SMALL
from utxoracle_core import select_day
from utxoracle_tui.demo.chain.serialise import display_hex
from utxoracle_tui.demo.host.history import median_time_past, plan_history
from utxoracle_tui.demo.host.miner import Miner, price_path
from utxoracle_tui.demo.host.options import HostOptions
from utxoracle_tui.errors import OperatorError

MIDNIGHT_S = 1_795_305_600
DAY_S = 86_400


@pytest.mark.parametrize("days", [1, 3, 30])
@pytest.mark.parametrize("second", [0, 1, 5, 30, 600, 3 * 3600, 12 * 3600, DAY_S - 1])
def test_yesterday_and_each_day_before_can_be_asked_for_at_any_hour(days: int, second: int) -> None:
    now = MIDNIGHT_S + second
    history = plan_history(7, days, now)
    times = [0, *history.lead_in_s, *history.times_s]
    by_height = dict(enumerate(times))
    tip = len(times) - 1
    newest = select_day(None, by_height, tip).day
    assert newest == datetime.fromtimestamp(MIDNIGHT_S, UTC).date() - timedelta(days=1)
    for back in range(days):
        blocks = select_day(newest - timedelta(days=back), by_height, tip).blocks
        assert 100 <= len(blocks) <= 200
        assert blocks.first > len(history.lead_in_s)
    assert all(times[n] > median_time_past(times[:n]) for n in range(1, len(times)))
    assert max(times) <= max(now, MIDNIGHT_S + 1)
    assert sum(time_s >= MIDNIGHT_S for time_s in times) >= 7


def made(options: HostOptions) -> list[str]:
    history = plan_history(options.seed, options.days, MIDNIGHT_S + 600)
    miner = Miner(options, history, price_path(options, history))
    return [display_hex(block.hash) for block in miner.past(threading.Event())]


def test_same_seed_gives_the_same_chain_and_another_one_another() -> None:
    assert made(SMALL) == made(SMALL)
    assert set(made(SMALL)[1:]).isdisjoint(made(replace(SMALL, seed=2)))


def test_making_blocks_can_be_given_up() -> None:
    stopped = threading.Event()
    history = plan_history(1, 30, MIDNIGHT_S)
    chain = Miner(SMALL, history, price_path(SMALL, history)).past(stopped)
    next(chain)
    stopped.set()
    assert list(chain) == []


@pytest.mark.parametrize(
    "wrong",
    [
        {"days": 0},
        {"tx_per_block": 0},
        {"speed": -1},
        {"speed": 601},
        {"seed": -1},
        {"price": "cheap"},
        {"price": "65000:"},
        {"price": "1:2:3"},
        {"price": "-5"},
        {"price": "nan"},
        {"scenario": "apocalypse"},
    ],
)
def test_options_that_give_no_chain_are_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(OperatorError) as refused:
        replace(HostOptions(), **wrong)  # type: ignore[arg-type]
    assert refused.value.kind == "usage"
