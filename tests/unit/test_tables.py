"""The tables of the method, pinned to the last bit."""

from __future__ import annotations

from hashlib import sha256
from math import log10

import numpy as np
import pytest
from numpy.typing import NDArray

from tests.support import plain_method
from utxoracle_core.histogram import bin_edges
from utxoracle_core.points import USD_LADDER, round_btc_amounts
from utxoracle_core.stencil import smooth_stencil, spike_stencil


def fingerprint(values: NDArray[np.float64]) -> str:
    return sha256(values.astype("<f8").tobytes()).hexdigest()


@pytest.mark.parametrize(
    ("table", "length", "expected"),
    [
        (bin_edges(), 2401, "1dc4803810156027709419c67064183aadcb253f38113760622c89f0fdd1fb4e"),
        (smooth_stencil(), 803, "6130700f37412f54ffcff7bb26865e9af01b92085a96019049e9ce68152fa18a"),
        (round_btc_amounts(), 366, "45425c6452f85da73f3a3b7434a9f5e8de977e55121f12517261c2b5565b7df1"),
    ],
    ids=["bin edges", "smooth stencil", "round amounts"],
)
def test_tables(table: NDArray[np.float64], length: int, expected: str) -> None:
    assert table.dtype == np.float64
    assert len(table) == length
    assert fingerprint(table) == expected


def test_the_plain_rules_have_the_same_tables() -> None:
    assert bin_edges().tolist() == list(plain_method.edges())
    assert smooth_stencil().tolist() == list(plain_method.smooth_stencil())
    assert round_btc_amounts().tolist() == list(plain_method.round_btc())
    assert spike_stencil().tolist() == list(plain_method.spike_stencil())
    assert plain_method.LADDER_USD == USD_LADDER


def test_the_spikes() -> None:
    spikes = spike_stencil()
    assert len(spikes) == 803
    assert np.count_nonzero(spikes) == 29
    # 200 bins are a factor of ten, and bin 401 is $100
    for usd in (5, 10, 15, 20, 30, 50, 100, 150, 200, 300, 500, 1000, 1500, 2000, 5000, 10000):
        assert spikes[401 + round(200 * log10(usd / 100))] > 0


def test_the_first_edges_and_decades() -> None:
    edges = bin_edges()
    assert edges[0] == 0.0
    assert edges[1] == 1e-06
    assert [float(edges[1 + 200 * n]) for n in range(12)] == [10.0**n for n in range(-6, 6)]
    assert bool((np.diff(edges) > 0).all())


def test_both_forms_of_a_hundredth_are_round() -> None:
    rounds = round_btc_amounts().tolist()
    assert 0.009999999999999995 in rounds
    assert 0.01 in rounds


def test_tables_cannot_be_changed() -> None:
    for table in (bin_edges(), smooth_stencil(), spike_stencil(), round_btc_amounts()):
        with pytest.raises(ValueError, match="read-only"):
            table[0] = 1.0
