"""The block price against recorded readings, planted prices, and the exchange's range of real days."""

from __future__ import annotations

from functools import cache
from statistics import median

import numpy as np
import pytest

from tests.support.block_price_checks import (
    CHAINS,
    FORGOTTEN_AFTER,
    REAL,
    agreement,
    outside_the_day,
    planted_errors,
    published_blocks,
    published_prices,
    recorded,
)
from tests.support.parity_checks import FIXTURES
from tests.support.real_blocks import FIRST, LAST, real_window
from utxoracle_core import BlockPricer, BlockReading, Gap, price_window
from utxoracle_core.octave import Look


@cache
def chain_readings(name: str) -> tuple[BlockReading, ...]:
    """A generated chain from its recorded start price, with the amounts that were recorded for it."""
    document = recorded(name)
    with np.load(FIXTURES / "reference" / "cases" / f"{name}.npz") as stored:
        amounts, heights = stored["amounts_btc"], stored["amount_heights"]
    pricer = BlockPricer(document["seed_price_usd"])
    return tuple(
        pricer.add(block["height"], block["time"], amounts[heights == block["height"]]) for block in document["blocks"]
    )


@cache
def real_readings(start_usd: float) -> tuple[BlockReading, ...]:
    """The eleven real blocks as one window."""
    window = real_window(FIRST, LAST)
    times = [block["time"] for block in recorded(REAL)["runs"][0]["blocks"]]
    pricer = BlockPricer(start_usd)
    return tuple(
        pricer.add(height, time, window.amounts_btc[window.amount_heights == height])
        for height, time in enumerate(times, FIRST)
    )


@pytest.mark.parametrize("name", CHAINS)
def test_readings_of_a_generated_chain(name: str) -> None:
    found = agreement(chain_readings(name), recorded(name)["blocks"])
    assert found.holds, found
    # the same rules on the same amounts: far closer than has to be
    assert max(found.price, found.band, found.confidence) < 1e-12


@pytest.mark.parametrize("name", ["clean30k", "fast205", "sparse40"])
def test_the_ratios_and_the_points_of_a_generated_chain(name: str) -> None:
    for reading, block in zip(chain_readings(name), recorded(name)["blocks"], strict=True):
        assert (reading.rival.ratio if reading.rival else 0.0) == pytest.approx(block["rival"], abs=1e-9)
        if reading.octave is not None:
            assert reading.octave.ratio == pytest.approx(block["octave"], abs=1e-9)


def test_the_ratios_of_single_blocks() -> None:
    """Nothing is counted while all is uncertain, so that each block is tested by itself."""
    for reading, block in zip(chain_readings("mediocre60"), recorded("mediocre60")["blocks"], strict=True):
        # the recording has 9 where the price has no points
        ratio = reading.octave.ratio if reading.octave else None
        assert (9.0 if ratio is None else ratio) == pytest.approx(block["octave"], abs=1e-9)
        assert (reading.rival.ratio if reading.rival else 0.0) == pytest.approx(block["rival"], abs=1e-9)


@pytest.mark.parametrize("run", recorded(REAL)["runs"], ids=lambda run: str(run["seed_price_usd"]))
def test_readings_of_real_blocks(run: dict[str, object]) -> None:
    found = agreement(real_readings(run["seed_price_usd"]), run["blocks"])  # type: ignore[arg-type]
    assert found.holds, found
    assert max(found.price, found.band, found.confidence) < 1e-12


@pytest.mark.parametrize(("name", "gaps"), [("fast205", []), ("clean30k", [0, 60]), ("sparse40", [])])
def test_shown_prices_are_those_that_the_payments_were_made_at(name: str, gaps: list[int]) -> None:
    readings = chain_readings(name)
    # two blocks of the one chain have no payment in them
    assert [n for n, reading in enumerate(readings) if reading.reason is Gap.UNCERTAIN] == gaps
    errors = planted_errors(readings, recorded(name)["blocks"])
    assert len(errors) == len(readings) - len(gaps)
    assert median(errors) < 0.001
    assert max(errors) < 0.015


def test_nothing_is_shown_without_a_clear_signal() -> None:
    readings = chain_readings("mediocre60")
    assert len(readings) == 144
    assert {reading.price_usd for reading in readings} == {None}
    assert {reading.reason for reading in readings} == {Gap.UNCERTAIN}
    assert max(reading.confidence for reading in readings) < 0.5


@pytest.mark.parametrize("start_usd", [29_800.0, 26_820.0, 23_840.0])
def test_real_blocks_from_right_and_low_starts(start_usd: float) -> None:
    shown = [reading.price_usd for reading in real_readings(start_usd) if reading.price_usd is not None]
    assert len(shown) >= 8
    assert all(29_700 < price < 30_000 for price in shown)


@pytest.mark.parametrize("factor", [2.0, 0.5, 2 / 3])
def test_real_blocks_from_a_start_that_is_a_round_factor_off(factor: float) -> None:
    readings = real_readings(29_800.0 * factor)
    assert {reading.price_usd for reading in readings} == {None}
    # it is sure of a price all the same, and says which other one the payments speak for
    last = readings[-1]
    assert last.confidence > 0.85
    assert last.reason in {Gap.OCTAVE, Gap.RIVAL}
    if last.reason is Gap.OCTAVE:
        assert last.octave is not None
        assert last.octave.ratio is not None and last.octave.ratio > 1
    if factor == 2.0:
        assert last.octave is not None
        assert last.octave.price_usd == pytest.approx(29_800, rel=0.005)


@cache
def published_run(start_usd: float) -> tuple[float, ...]:
    return tuple(published_prices(published_blocks(), start_usd))


OPEN_USD = 112_774.5


@pytest.mark.parametrize("factor", [0.9, 1.0, 1.1])
def test_four_published_days_stay_within_the_range_of_the_exchange(factor: float) -> None:
    blocks = published_blocks()
    assert len(blocks) == 609
    assert outside_the_day(blocks, published_run(factor * OPEN_USD)) < 0.01


def test_four_published_days_come_out_the_same_from_any_start() -> None:
    low, right, high = (published_run(factor * OPEN_USD)[FORGOTTEN_AFTER:] for factor in (0.9, 1.0, 1.1))
    assert low == pytest.approx(right, rel=1e-9)
    assert high == pytest.approx(right, rel=1e-9)


# --- the same octave test on windows

WINDOWS = [(first, last) for first in range(FIRST, LAST + 1) for last in range(first + 5, LAST + 1)]


def test_windows_of_real_blocks_are_suspect_exactly_where_they_double() -> None:
    doubled, right = [], []
    for first, last in WINDOWS:
        found = price_window(real_window(first, last), min_blocks=1)
        assert found.price_usd is not None and found.octave is not None
        assert found.octave_suspect is bool(found.octave.suspected_by)
        (doubled if found.price_usd > 45_000 else right).append(found)
    assert (len(doubled), len(right)) == (7, 14)
    assert all(Look.LADDER in found.octave.suspected_by for found in doubled if found.octave)
    assert all(found.octave.other_usd == pytest.approx(29_800, rel=0.01) for found in doubled if found.octave)
    assert all(1.10 < found.octave.ladder_ratio < 1.35 for found in doubled if found.octave)
    assert not any(found.octave_suspect for found in right)
    assert all(0.83 < found.octave.ladder_ratio < 0.93 for found in right if found.octave)


def test_doubled_windows_are_not_to_be_trusted_though_they_have_blocks_enough() -> None:
    for first, last in WINDOWS:
        found = price_window(real_window(first, last), min_blocks=1)
        assert (found.confidence.value >= 0.3) is ((found.price_usd or 0) < 30_000)
