"""The library face of the earlier system: a price from transactions as `getblock` verbosity 2 prints them.

A thin adapter on the core, so that callers of `UTXOracleCalculator` can stay as they are.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

import numpy as np

from utxoracle_core.price import WindowPrice, price_window
from utxoracle_core.scan import (
    CANDIDATE_OUTPUTS,
    MAX_CANDIDATE_INPUTS,
    MAX_INPUT_WITNESS_BYTES,
    OP_RETURN,
    Verdict,
)
from utxoracle_core.window import (
    MAX_AMOUNT_BTC,
    MIN_AMOUNT_BTC,
    SATS_PER_BTC,
    FilterCounts,
    WindowOutputs,
)

Transaction = Mapping[str, Any]
"""One transaction with `txid`, `vin[].txid | coinbase | txinwitness`, `vout[].value`,
`vout[].scriptPubKey.hex | asm`."""


@dataclass
class _Tally:
    seen: set[str] = field(default_factory=set)
    amounts_btc: list[float] = field(default_factory=list)
    blocks: list[int] = field(default_factory=list)
    """For each amount, how many blocks had begun."""
    blocks_begun: int = 0
    excluded: dict[Verdict, int] = field(default_factory=lambda: dict.fromkeys(Verdict, 0))
    same_window: int = 0
    total: int = 0


class UTXOracleCalculator:
    """Prices transactions by the rules of the method, whatever blocks they are from."""

    def calculate_price_for_transactions(self, transactions: Iterable[Transaction]) -> dict[str, Any]:
        """Price `transactions`, in chain order.

        Returns `price_usd` (float or None), `confidence` (0 to 1), `tx_count`, `output_count`, `histogram`
        ({bin: share}) and `diagnostics` (counts by filter, each transaction under the first that applies).
        Raises `KeyError` for a transaction without the fields that the rules look at.
        """
        tally = _Tally()
        for transaction in transactions:
            _count(transaction, tally)
        filters = _filters(tally)
        amounts = np.array(tally.amounts_btc, np.float64)
        kept = (amounts > MIN_AMOUNT_BTC) & (amounts < MAX_AMOUNT_BTC)
        # the caller hands in whatever it takes for a window; its length in blocks is unknown
        result = price_window(
            WindowOutputs(
                first_height=0,
                last_height=0,
                first_hash="",
                last_hash="",
                block_times=np.zeros(0, np.int64),
                filters=filters,
                amounts_btc=amounts[kept],
                # only which amounts share a block matters, and a coinbase begins one
                amount_heights=np.array(tally.blocks, np.int32)[kept],
            ),
            min_blocks=0,
        )
        return _as_dict(result, filters)


def _count(transaction: Transaction, tally: _Tally) -> None:
    tally.total += 1
    tally.seen.add(transaction["txid"])
    tally.blocks_begun += any("coinbase" in spent for spent in transaction["vin"])
    verdict = _verdict(transaction)
    if verdict is not Verdict.CANDIDATE:
        tally.excluded[verdict] += 1
    elif any(spent["txid"] in tally.seen for spent in transaction["vin"]):
        tally.same_window += 1
    else:
        tally.amounts_btc.extend(_btc(output["value"]) for output in transaction["vout"])
        tally.blocks.extend([tally.blocks_begun] * len(transaction["vout"]))


def _btc(value: Decimal | float) -> float:
    """The amount as the core has it, whole sats by 1e8, from a float or a Decimal."""
    sats = value * 100_000_000 if isinstance(value, Decimal) else round(float(value) * SATS_PER_BTC)
    return int(sats) / SATS_PER_BTC


def _verdict(transaction: Transaction) -> Verdict:
    inputs, outputs = transaction["vin"], transaction["vout"]
    if len(inputs) > MAX_CANDIDATE_INPUTS:
        return Verdict.INPUTS
    if len(outputs) != CANDIDATE_OUTPUTS:
        return Verdict.OUTPUTS
    if any("coinbase" in spent for spent in inputs):
        return Verdict.COINBASE
    if any(_is_op_return(output["scriptPubKey"]) for output in outputs):
        return Verdict.OP_RETURN
    if any(_witness_bytes(spent) > MAX_INPUT_WITNESS_BYTES for spent in inputs):
        return Verdict.WITNESS
    return Verdict.CANDIDATE


def _is_op_return(script: Mapping[str, str]) -> bool:
    if "hex" in script:
        return script["hex"][:2].lower() == f"{OP_RETURN:02x}"
    return script["asm"].startswith("OP_RETURN")


def _witness_bytes(spent: Mapping[str, Any]) -> int:
    return sum(len(item) // 2 for item in spent.get("txinwitness", ()))


def _filters(tally: _Tally) -> FilterCounts:
    return FilterCounts(
        total=tally.total,
        inputs=tally.excluded[Verdict.INPUTS],
        outputs=tally.excluded[Verdict.OUTPUTS],
        coinbase=tally.excluded[Verdict.COINBASE],
        op_return=tally.excluded[Verdict.OP_RETURN],
        witness=tally.excluded[Verdict.WITNESS],
        same_window=tally.same_window,
    )


def _as_dict(result: WindowPrice, filters: FilterCounts) -> dict[str, Any]:
    curve = result.curve if result.curve is not None else np.zeros(0)
    return {
        "price_usd": result.price_usd,
        "confidence": result.confidence.value,
        "tx_count": filters.passed,
        "output_count": len(result.outputs.amounts_btc),
        "histogram": {index: float(value) for index, value in enumerate(curve)},
        "diagnostics": {
            "total_txs": filters.total,
            "filtered_inputs": filters.inputs,
            "filtered_outputs": filters.outputs,
            "filtered_coinbase": filters.coinbase,
            "filtered_op_return": filters.op_return,
            "filtered_witness": filters.witness,
            "filtered_same_day": filters.same_window,
            "total_filtered": filters.excluded,
            "passed_filter": filters.passed,
        },
    }
