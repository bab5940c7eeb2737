"""What the transactions of a block do: how many inputs and outputs, of which kind, paying how much.

The only trace of the price is in the payments of round USD amounts. All other amounts are drawn in bitcoin,
from distributions that know nothing of it.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

from utxoracle_tui.demo.chain.draws import Draws, exp

MAX_INPUTS = 300
MAX_OUTPUTS = 300
DUST_SATS = 546
"""Below this nodes do not relay an output (Bitcoin Core, P2PKH at 3 sats/vB)."""
MAX_PAID_SATS = 500_000_000_000

_SATS_A_BTC = 100_000_000
_MULTI_INPUT_WEIGHTS = (0.42, 0.2, 0.13, 0.09, 0.07, 0.05, 0.04)
"""Of payments with 2 to 8 inputs."""


class Kind(IntEnum):
    """What a transaction is for."""

    USD_PAYMENT = 0
    RANDOM_PAYMENT = 1
    BTC_PAYMENT = 2
    CONSOLIDATION = 3
    BATCH = 4
    DATA = 5
    INSCRIPTION = 6


class Script(IntEnum):
    """Script types, for inputs and outputs."""

    P2PKH = 0
    P2SH_P2WPKH = 1
    P2WPKH = 2
    P2TR = 3
    OP_RETURN = 4
    """For outputs only."""


@dataclass(frozen=True, slots=True)
class Mix:
    """Shares and parameters of the transactions of a block.

    The defaults make about 434 bytes a transaction. 72 % of the transactions have at most five inputs,
    exactly two outputs, no OP_RETURN and at most 500 bytes of witness an input: 144 blocks of 2,000 are about
    125 MB and 400,000 amounts.
    Raises ValueError for shares outside 0 to 1 or above 1 together.
    """

    signal: float = 1.0
    """0 to 1: scales `usd_payments`; what is taken from them is paid at random amounts instead."""
    usd_spread: float = 0.004
    """Standard deviation of the logarithm of what is paid for a round USD amount: exchanges disagree, and
    some senders pay the fee out of it."""

    usd_payments: float = 0.22
    """Share of payments of a round USD amount, the other output being change."""
    btc_payments: float = 0.03
    """Share of payments of a round bitcoin amount."""
    consolidations: float = 0.035
    """Share of transactions that put many outputs into one."""
    batches: float = 0.13
    """Share of payouts to many from one input."""
    data: float = 0.06
    """Share with an OP_RETURN output."""
    inscriptions: float = 0.025
    """Share with a witness of more than 500 bytes. What the shares leave is paid at random amounts."""

    multi_input: float = 0.22
    """Share of payments with 2 to 8 inputs, of which nearly a tenth have more than five."""
    in_window_spends: float = 0.04
    """Share of transactions that spend an output of this block or of the last `recent_blocks`."""
    recent_blocks: int = 6

    usd_ladder: tuple[int, ...] = (
        *(1, 5, 10, 15, 20, 25, 30, 40, 50, 75, 100, 150, 200, 250, 300, 400, 500, 750),
        *(1000, 1500, 2000, 3000, 5000, 10000),
    )
    usd_weights: tuple[float, ...] = (
        *(1.0, 2.0, 6.0, 2.5, 6.5, 3.5, 5.0, 3.0, 9.5, 2.0, 14.0, 4.5, 8.5, 2.5, 4.5, 2.5, 7.5, 1.0),
        *(7.5, 2.0, 3.5, 1.2, 2.2, 1.2),
    )
    """How often each step of `usd_ladder` is paid."""
    btc_ladder_sats: tuple[int, ...] = (
        *(10_000, 20_000, 50_000, 100_000, 200_000, 300_000, 500_000, 1_000_000, 2_000_000, 5_000_000),
        *(10_000_000, 20_000_000, 50_000_000, 100_000_000),
    )
    """Round amounts, each paid as often as the others."""

    random_median_sats: int = 170_000
    """Near $110 at $65,000, as the price method expects of most amounts. It follows no price, so a chain above
    some $200,000 needs this and the median of change lower, lest the method is led to half the price."""
    random_ln_sd: float = 2.1
    """Standard deviation of the logarithm of a random amount; ln 10 is a decade."""
    change_median_sats: int = 400_000
    change_ln_sd: float = 2.5

    consolidation_mean_inputs: float = 10.5
    """Above the six that a consolidation has at least."""
    batch_mean_outputs: float = 8.0
    """Above the three that a batch has at least."""
    inscription_mean_bytes: float = 700.0
    """Above the 600 that an inscription has at least."""

    input_weights: tuple[float, float, float, float] = (0.14, 0.14, 0.52, 0.20)
    """P2PKH, P2SH-P2WPKH, P2WPKH, P2TR; all inputs of a transaction are alike."""
    output_weights: tuple[float, float, float, float] = (0.15, 0.17, 0.48, 0.20)

    def __post_init__(self) -> None:
        for name in ("signal", *_SHARES, "multi_input", "in_window_spends"):
            if not 0.0 <= getattr(self, name) <= 1.0:
                raise ValueError(f"{name} is not a share between 0 and 1")
        if self.recent_blocks < 0:
            raise ValueError("recent_blocks is a number of blocks")
        if self.random_payments < -1e-9:
            raise ValueError("the shares of the transactions exceed 1")
        if len(self.usd_ladder) != len(self.usd_weights):
            raise ValueError("each step of the USD ladder needs its weight")

    @property
    def random_payments(self) -> float:
        """What is left for payments of a random amount, before `signal` adds to it."""
        return 1.0 - sum((getattr(self, name) for name in _SHARES), start=0.0)

    def kind_weights(self) -> tuple[float, ...]:
        """Shares in the order of `Kind`."""
        usd = self.usd_payments * self.signal
        random = max(self.random_payments, 0.0) + (self.usd_payments - usd)
        return (usd, random, *(getattr(self, name) for name in _SHARES[1:]))


_SHARES = ("usd_payments", "btc_payments", "consolidations", "batches", "data", "inscriptions")


@dataclass(frozen=True, slots=True)
class Plan:
    """The transactions of one block without its coinbase, before any byte is written.

    `n` transactions; the outputs of all of them, `m`, lie one after the other.
    """

    kinds: NDArray[np.int64]
    """(n,) values of `Kind`"""
    input_counts: NDArray[np.int64]
    """(n,)"""
    output_counts: NDArray[np.int64]
    """(n,)"""
    input_scripts: NDArray[np.int64]
    """(n,) values of `Script`"""
    payload_bytes: NDArray[np.int64]
    """(n,) size of what a DATA or INSCRIPTION carries, meaningless for others"""
    spend_ages: NDArray[np.int64]
    """(n,) how many blocks back the first input's prevout lies, -1 for one that the chain does not show"""
    spend_picks: NDArray[np.float64]
    """(n,) which of the outputs of that age it spends, in [0, 1)"""
    output_scripts: NDArray[np.int64]
    """(m,) values of `Script`"""
    output_sats: NDArray[np.int64]
    """(m,)"""


@dataclass(frozen=True, slots=True)
class Flood:
    """Payments of one amount, over and over, behind the others of a block: what some services do for days."""

    sats: int
    payments: int


NO_FLOOD = Flood(0, 0)


def plan_block(mix: Mix, n: int, price_usd: float, draws: Draws, flood: Flood = NO_FLOOD) -> Plan:
    """Plan `n` transactions at `price_usd` a bitcoin, and those of a flood.

    `signal` and the price change amounts and nothing else: numbers are drawn for all kinds alike.
    """
    n += flood.payments
    kinds = draws.pick(mix.kind_weights(), n)
    kinds[n - flood.payments :] = Kind.RANDOM_PAYMENT
    input_counts = _input_counts(mix, kinds, draws)
    batch_outputs = 3 + (draws.exponential(n) * mix.batch_mean_outputs).astype(np.int64)
    output_counts = np.full(n, 2, dtype=np.int64)
    output_counts[kinds == Kind.CONSOLIDATION] = 1
    output_counts[kinds == Kind.BATCH] = np.minimum(batch_outputs, MAX_OUTPUTS)[kinds == Kind.BATCH]

    input_scripts = draws.pick(mix.input_weights, n)
    input_scripts[kinds == Kind.INSCRIPTION] = Script.P2TR
    payload_bytes = 4 + draws.below(72, n)  # what one push opcode of one byte can carry
    inscribed = 600 + (draws.exponential(n) * mix.inscription_mean_bytes).astype(np.int64)
    payload_bytes[kinds == Kind.INSCRIPTION] = inscribed[kinds == Kind.INSCRIPTION]

    spends = draws.uniform(n) < mix.in_window_spends
    ages = np.where(spends, draws.below(mix.recent_blocks + 1, n), -1)
    picks = draws.uniform(n)

    sats = _payments(mix, kinds, price_usd, draws)
    sats[n - flood.payments :] = flood.sats
    first_outputs = np.cumsum(output_counts) - output_counts
    paid_outputs = first_outputs + (draws.uniform(n) < 0.5) * (output_counts > 1)
    output_sats, output_scripts = _other_outputs(mix, int(output_counts.sum()), draws)
    payments = kinds <= Kind.BTC_PAYMENT
    output_sats[paid_outputs[payments]] = sats[payments]
    output_sats[paid_outputs[kinds == Kind.DATA]] = 0
    output_scripts[paid_outputs[kinds == Kind.DATA]] = Script.OP_RETURN
    return Plan(
        kinds=kinds,
        input_counts=input_counts,
        output_counts=output_counts,
        input_scripts=input_scripts,
        payload_bytes=payload_bytes,
        spend_ages=ages,
        spend_picks=picks,
        output_scripts=output_scripts,
        output_sats=output_sats,
    )


def _input_counts(mix: Mix, kinds: NDArray[np.int64], draws: Draws) -> NDArray[np.int64]:
    n = len(kinds)
    several = draws.uniform(n) < mix.multi_input
    counts = np.where(several, 2 + draws.pick(_MULTI_INPUT_WEIGHTS, n), 1)
    many = 6 + (draws.exponential(n) * mix.consolidation_mean_inputs).astype(np.int64)
    counts[kinds == Kind.CONSOLIDATION] = np.minimum(many, MAX_INPUTS)[kinds == Kind.CONSOLIDATION]
    counts[(kinds == Kind.BATCH) | (kinds == Kind.INSCRIPTION)] = 1
    return counts


def _payments(mix: Mix, kinds: NDArray[np.int64], price_usd: float, draws: Draws) -> NDArray[np.int64]:
    """(n,) what each transaction pays, in sats; only those of payments are of use."""
    n = len(kinds)
    usd = np.array(mix.usd_ladder, dtype=np.float64)[draws.pick(mix.usd_weights, n)]
    at_price = usd / price_usd * _SATS_A_BTC * exp(mix.usd_spread * draws.normal(n))
    at_random = mix.random_median_sats * exp(mix.random_ln_sd * draws.normal(n))
    round_sats = np.array(mix.btc_ladder_sats, dtype=np.int64)[draws.below(len(mix.btc_ladder_sats), n)]
    sats = _whole_sats(np.where(kinds == Kind.USD_PAYMENT, at_price, at_random))
    return np.where(kinds == Kind.BTC_PAYMENT, round_sats, sats)


def _other_outputs(mix: Mix, m: int, draws: Draws) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """(m,) amounts of change in sats and (m,) script types."""
    amounts = mix.change_median_sats * exp(mix.change_ln_sd * draws.normal(m))
    return _whole_sats(amounts), draws.pick(mix.output_weights, m)


def _whole_sats(amounts: NDArray[np.float64]) -> NDArray[np.int64]:
    return np.clip(np.rint(amounts), DUST_SATS, MAX_PAID_SATS).astype(np.int64)
