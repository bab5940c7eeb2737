"""Which exchange price a block is set beside, what is stored of it and when, and what an operator reads of its age."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.block_line import words
from tests.support.records import START_S, block_reading, observation, reading
from utxoracle_core import BLOCK_METHOD, Gap, gap_at
from utxoracle_tui.engine.block_keeping import gap_now, keep_block_prices, nearest, with_exchange
from utxoracle_tui.store.records import BlockPrice, Observation
from utxoracle_tui.store.store import Store

HOUR_S, MINUTE_S = 3600.0, 60.0
HEIGHT = 877_144


def at_block(price_usd: float | None = 65_000.0, **changes: object) -> BlockPrice:
    """The price at a block whose header time is `START_S`."""
    fields: dict[str, object] = {
        "time_s": START_S,
        "last_height": HEIGHT,
        "last_hash": f"{HEIGHT:064x}",
        "method": BLOCK_METHOD,
        "price_usd": price_usd,
    }
    return BlockPrice(**(fields | changes))  # type: ignore[arg-type]


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path, "main")


# --- the exchange price of a block's moment


@pytest.mark.parametrize(
    ("minutes", "expected"),
    [
        ((-50.0,), -50.0),
        ((-119.0,), -119.0),
        ((-121.0,), None),
        ((-50.0, -10.0), -10.0),
        # the console asked when the block had come, and the backend had looked since
        ((-10.0, 0.5), 0.5),
        ((-0.4, 0.5), -0.4),
        ((-50.0, 9.0, 9.5), 9.0),
        # too late to say anything of the moment
        ((-50.0, 11.0), -50.0),
        ((11.0,), None),
        ((0.0, 0.1), 0.0),
        ((), None),
    ],
)
def test_the_reading_nearest_to_the_header_time(minutes: tuple[float, ...], expected: float | None) -> None:
    readings = [(START_S + minute * MINUTE_S, 60_000.0 + minute) for minute in minutes]
    found = nearest(readings, START_S)
    assert found == (None if expected is None else (START_S + expected * MINUTE_S, 60_000.0 + expected))


@given(st.lists(st.integers(-8000, 2000), max_size=8, unique=True))
def test_nearest_against_a_search_through_all(seconds: list[int]) -> None:
    readings = [(START_S + second, 1.0) for second in sorted(seconds)]
    allowed = [second for second in seconds if -7200 <= second <= 600]
    found = nearest(readings, START_S)
    if not allowed:
        assert found is None
    else:
        assert found is not None
        assert abs(found[0] - START_S) == min(abs(second) for second in allowed)


def test_at_the_first_block_of_a_step_it_depends_on_when_the_backend_looked(store: Store) -> None:
    # exchanges fell by 10 % eight minutes before the block; the backend looks at them every hour
    old, new = reading(START_S - 40 * MINUTE_S, 65_000.0), reading(START_S + 3.0, 58_500.0)
    store.exchange_readings.put([old])
    (blind,) = with_exchange(store, [at_block(58_600.0)], newest=old)
    assert (blind.exchange_usd, blind.exchange_time_s) == (65_000.0, START_S - 40 * MINUTE_S)
    assert blind.divergence_block_pct == pytest.approx(-9.846, abs=1e-3)
    # one that looked in between is believed instead
    (seeing,) = with_exchange(store, [at_block(58_600.0)], newest=new)
    assert (seeing.exchange_usd, seeing.exchange_time_s) == (58_500.0, START_S + 3.0)
    assert seeing.divergence_block_pct == pytest.approx(0.171, abs=1e-3)
    # and what was stored at the time stays
    assert keep_block_prices(store, [blind]) == 1
    assert keep_block_prices(store, [seeing]) == 0
    assert store.block_prices.all() == [blind]


def test_a_gap_has_an_exchange_price_and_no_divergence(store: Store) -> None:
    (found,) = with_exchange(store, [at_block(None, reason="rival")], newest=reading(START_S, 65_000.0))
    assert (found.exchange_usd, found.divergence_block_pct) == (65_000.0, None)


# --- what is stored


def test_a_rerun_replaces_the_price_and_keeps_the_exchange_price_of_its_moment(store: Store) -> None:
    known = at_block(65_000.0, exchange_usd=64_000.0, exchange_time_s=START_S - 5, divergence_block_pct=1.5625)
    unknown = replace(known, last_hash="f" * 64, exchange_usd=None, exchange_time_s=None, divergence_block_pct=None)
    keep_block_prices(store, [known, unknown])
    # thinned out since, so that another reading is the nearest
    again = [
        replace(
            price,
            price_usd=65_280.0,
            exchange_usd=60_000.0,
            exchange_time_s=START_S - 300,
            divergence_block_pct=5_280 / 60_000 * 100,
        )
        for price in (known, unknown)
    ]
    assert keep_block_prices(store, again, anew=True) == 2
    stored = {price.last_hash: price for price in store.block_prices.all()}
    found = stored[known.last_hash]
    assert (found.price_usd, found.exchange_usd, found.exchange_time_s) == (65_280.0, 64_000.0, START_S - 5)
    assert found.divergence_block_pct == pytest.approx(2.0)
    assert stored[unknown.last_hash] == again[1]
    assert keep_block_prices(store, list(stored.values()), anew=True) == 0


# --- what an operator reads


@pytest.mark.parametrize("reason", [None, *(gap for gap in Gap if gap is not Gap.STALE)])
@pytest.mark.parametrize("eligible_before_s", [0, 3000])
@pytest.mark.parametrize("age_s", [0.0, 2400.0, 2401.0, 5400.0, 5401.0, 99_999.0])
def test_a_stored_price_grows_stale_as_a_reading_does(reason: Gap | None, eligible_before_s: int, age_s: float) -> None:
    time_s = int(START_S)
    price_usd = 65_000.0 if reason is None else None
    live = block_reading(time_s, price_usd, reason=reason, eligible_time=time_s - eligible_before_s)
    found = gap_now(reason.value if reason else None, live.eligible_time, time_s + age_s)
    assert found is gap_at(live, time_s + age_s)


def seen(**changes: object) -> Observation:
    """A round at a block whose header time is `START_S`."""
    fields: dict[str, object] = {
        "block_usd": 65_000.0,
        "block_low_usd": 64_900.0,
        "block_high_usd": 65_100.0,
        "block_confidence": 0.95,
        "block_height": HEIGHT,
        "block_time_s": int(START_S),
        "block_eligible_s": int(START_S),
        "onchain_usd": 65_000.0,
        "divergence_block_pct": 0.1,
    }
    return observation(0, START_S + 5, **(fields | changes))


def test_empty_blocks_do_not_keep_a_price_fresh() -> None:
    # the newest block came just now; the last one with anything to say did not
    empty = seen(block_eligible_s=int(START_S) - 5700)
    first_line = words(empty, START_S + 5).splitlines()[0]
    assert f"none at block {HEIGHT}, 5 s ago: stale, 1 h 35 min old. No block for 90 minutes" in first_line
    assert "65,000" not in first_line
    # rounds of an earlier version did not note it
    assert "$65,000.00" in words(replace(empty, block_eligible_s=None), START_S + 5)
    assert ": stale, 1 h 31 min old" in words(seen(block_eligible_s=None), START_S + 5460)


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"onchain_usd": 55_000.0}, "it is 18 % above the window price, which lags by half a day"),
        ({"onchain_usd": 80_000.0}, "it is 19 % below the window price, which lags by half a day"),
        ({"divergence_block_pct": 50.1}, "it is 50 % above the exchange price"),
        ({"divergence_block_pct": 50.1, "onchain_usd": 40_000.0}, "it is 50 % above the exchange price"),
    ],
)
def test_a_price_far_from_the_others_is_said_to_be_doubtful(changes: dict[str, object], sentence: str) -> None:
    text = words(seen(**changes), START_S + 5)
    assert text.startswith("block price $65,000.00")
    assert f"doubtful: {sentence}" in text.splitlines()[1]


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"onchain_usd": 57_000.0, "divergence_block_pct": -14.9},
        {"onchain_usd": None, "divergence_block_pct": None},
        {"onchain_usd": 40_000.0, "block_usd": None, "block_reason": "octave"},
    ],
)
def test_others_are_not(changes: dict[str, object]) -> None:
    assert "doubtful" not in words(seen(**changes), START_S + 5)
