"""The library face of the earlier system: the core's price from transactions as a node prints them."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
import pytest

from tests.support.block_reader import read_block
from tests.support.building import HEIGHT, P2WPKH, chain_of, outpoint, payment
from tests.support.chain_folder import block_files, height_in_name
from tests.support.getblock import printed_block
from tests.support.parity_checks import FIXTURES, mainnet_blocks
from utxoracle_core import UTXOracleCalculator, assemble, digest_block, price_window
from utxoracle_core.histogram import bin_edges
from utxoracle_tui.demo.chain.serialise import NULL_OUTPOINT, Tx, tx_in

REAL = [
    (height_in_name(name), path.read_bytes())
    for name, path in sorted(block_files(FIXTURES / "mainnet" / "799997-800000").items())
]


read = cache(read_block)


def calculate(chain: list[tuple[int, bytes]], **how: bool) -> dict[str, Any]:
    transactions = [tx for _, raw in chain for tx in printed_block(read(raw), **how)]
    return UTXOracleCalculator().calculate_price_for_transactions(transactions)


def assert_as_the_core(found: dict[str, Any], chain: list[tuple[int, bytes]]) -> None:
    outputs = assemble([digest_block(raw, height) for height, raw in chain])
    # the adapter doesn't know how many blocks the transactions are from
    expected = price_window(outputs, min_blocks=1)
    assert found["price_usd"] == expected.price_usd
    assert found["confidence"] == expected.confidence.value
    assert found["output_count"] == len(outputs.amounts_btc)
    assert found["tx_count"] == outputs.filters.passed
    if expected.curve is not None:
        assert found["histogram"] == dict(enumerate(expected.curve.tolist()))
    counts = outputs.filters
    assert found["diagnostics"] == {
        "total_txs": counts.total,
        "filtered_inputs": counts.inputs,
        "filtered_outputs": counts.outputs,
        "filtered_coinbase": counts.coinbase,
        "filtered_op_return": counts.op_return,
        "filtered_witness": counts.witness,
        "filtered_same_day": counts.same_window,
        "total_filtered": counts.excluded,
        "passed_filter": counts.passed,
    }


@pytest.mark.parametrize("how", [{}, {"decimals": True}, {"with_hex": False}], ids=["floats", "decimals", "asm"])
def test_four_real_blocks(how: dict[str, bool]) -> None:
    assert_as_the_core(calculate(REAL, **how), REAL)


@pytest.mark.parametrize("position", range(4))
def test_each_real_block_as_recorded(position: int) -> None:
    height, _ = REAL[position]
    (run,) = (run for run in mainnet_blocks(FIXTURES).runs if run["heights"] == [height])
    found = calculate(REAL[position : position + 1])
    assert repr(found["price_usd"]) == run["central_price"]
    assert found["output_count"] == run["n_raw_outputs"]


def test_what_the_answer_is_made_of() -> None:
    found = calculate(REAL)
    assert list(found) == ["price_usd", "confidence", "tx_count", "output_count", "histogram", "diagnostics"]
    assert list(found["diagnostics"]) == [
        "total_txs",
        "filtered_inputs",
        "filtered_outputs",
        "filtered_coinbase",
        "filtered_op_return",
        "filtered_witness",
        "filtered_same_day",
        "total_filtered",
        "passed_filter",
    ]
    assert type(found["price_usd"]) is float
    assert type(found["confidence"]) is float
    assert found["tx_count"] == found["diagnostics"]["passed_filter"]
    assert found["diagnostics"]["total_txs"] == sum(len(read(raw).transactions) for _, raw in REAL)
    assert len(found["histogram"]) == len(bin_edges())
    assert all(type(k) is int and type(value) is float for k, value in found["histogram"].items())


def printed(*txs: Tx) -> list[dict[str, Any]]:
    (_, raw) = chain_of([txs])[0]
    return printed_block(read_block(raw))[1:]


def reasons(*txs: Tx) -> dict[str, int]:
    """What was filtered, by reason."""
    found = UTXOracleCalculator().calculate_price_for_transactions(printed(*txs))
    diagnostics: dict[str, int] = found["diagnostics"]
    assert diagnostics["total_txs"] == len(txs)
    assert diagnostics["total_filtered"] + diagnostics["passed_filter"] == len(txs)
    names = {name: count for name, count in diagnostics.items() if name.startswith("filtered_")}
    assert diagnostics["total_filtered"] == sum(names.values())
    return {name.removeprefix("filtered_"): count for name, count in names.items() if count}


def test_each_transaction_counts_under_the_first_reason() -> None:
    made = payment(50)
    null = tx_in(NULL_OUTPOINT)
    same_day = tx_in(made.txid + bytes(4))
    spent = [tx_in(outpoint(n)) for n in range(4)]
    big, data = [b"\x01" * 501], [b"\x6a", P2WPKH]

    def broken(n: int, outputs: int, *, inputs: list[bytes], scripts: list[bytes], witness: list[bytes]) -> Tx:
        witnesses = [witness] * len(inputs)
        return payment(n, [9_000] * outputs, inputs=inputs, scripts=scripts, witnesses=witnesses)

    six, five = [same_day, *spent, null], [same_day, *spent[:3], null]
    assert reasons(made, broken(1, 3, inputs=six, scripts=data, witness=big)) == {"inputs": 1}
    assert reasons(made, broken(1, 3, inputs=five, scripts=data, witness=big)) == {"outputs": 1}
    assert reasons(made, broken(1, 2, inputs=five, scripts=data, witness=big)) == {"coinbase": 1}
    assert reasons(made, broken(1, 2, inputs=[same_day], scripts=data, witness=big)) == {"op_return": 1}
    assert reasons(made, broken(1, 2, inputs=[same_day], scripts=[], witness=big)) == {"witness": 1}
    assert reasons(made, broken(1, 2, inputs=[same_day], scripts=[], witness=[b"\x01"])) == {"same_day": 1}
    assert reasons(made, broken(1, 2, inputs=spent, scripts=[], witness=[b"\x01"])) == {}


def test_the_edges_of_the_filters() -> None:
    assert reasons(payment(1, inputs=[tx_in(outpoint(n)) for n in range(5)])) == {}
    assert reasons(payment(1, inputs=[tx_in(outpoint(n)) for n in range(6)])) == {"inputs": 1}
    assert reasons(payment(1, witnesses=[[b"\x01" * 250, b"\x02" * 250]])) == {}
    assert reasons(payment(1, witnesses=[[b"\x01" * 250, b"\x02" * 251]])) == {"witness": 1}
    assert reasons(payment(1, scripts=[b"", b"\x00\x6a"])) == {}
    assert reasons(payment(1, scripts=[b"\x6a", b""])) == {"op_return": 1}
    # a spend that comes before what it spends is none
    made = payment(1)
    spend = payment(2, inputs=[tx_in(made.txid + bytes(4))])
    assert reasons(spend, made) == {}
    assert reasons(made, spend) == {"same_day": 1}


def test_an_op_return_in_capital_hexadecimal() -> None:
    (tx,) = printed(payment(1, scripts=[b"\x6a\x01\x02"]))
    tx["vout"][0]["scriptPubKey"]["hex"] = tx["vout"][0]["scriptPubKey"]["hex"].upper()
    found = UTXOracleCalculator().calculate_price_for_transactions([tx])
    assert found["diagnostics"]["filtered_op_return"] == 1


@pytest.mark.parametrize(("sats", "kept"), [(1_000, 0), (1_001, 1), (10**13 - 1, 1), (10**13, 0), (0, 0)])
@pytest.mark.parametrize("decimals", [False, True])
def test_the_limits_of_an_amount(sats: int, kept: int, decimals: bool) -> None:
    (_, raw) = chain_of([[payment(1, [sats, 0])]])[0]
    transactions = printed_block(read_block(raw), decimals=decimals)[1:]
    found = UTXOracleCalculator().calculate_price_for_transactions(transactions)
    assert found["output_count"] == kept
    assert found["tx_count"] == 1


def test_every_amount_in_sats_survives_being_printed() -> None:
    sats = [1_001, 2_675, 30_003, 123_456_789, 1_999_999_999_999, 10**13 - 1, *range(77_777_001, 77_777_301)]
    txs = [payment(n, sats[2 * n : 2 * n + 2]) for n in range(len(sats) // 2)]
    chain = chain_of([txs])
    for decimals in (False, True):
        assert_as_the_core(calculate(chain, decimals=decimals), chain)


def test_nothing_to_price() -> None:
    for transactions in ([], printed(payment(1, [500, 600]))):
        found = UTXOracleCalculator().calculate_price_for_transactions(transactions)
        assert (found["price_usd"], found["confidence"], found["output_count"]) == (None, 0.0, 0)
        assert found["histogram"] == {}
    chain = chain_of([[payment(n, [110_000, 110_000]) for n in range(40)]])
    found = calculate(chain)
    # amounts, but no point: there is a histogram, and no price
    assert (found["price_usd"], found["confidence"], found["output_count"]) == (None, 0.0, 80)
    assert np.count_nonzero(list(found["histogram"].values())) == 1
    assert_as_the_core(found, chain)


def test_a_transaction_without_what_the_rules_look_at() -> None:
    for name in ("txid", "vin", "vout"):
        (tx,) = printed(payment(1))
        del tx[name]
        with pytest.raises(KeyError):
            UTXOracleCalculator().calculate_price_for_transactions([tx])


def test_a_calculator_remembers_nothing() -> None:
    calculator = UTXOracleCalculator()
    made = payment(1)
    spend = payment(2, inputs=[tx_in(made.txid + bytes(4))])
    calculator.calculate_price_for_transactions(iter(printed(made)))
    again = calculator.calculate_price_for_transactions(iter(printed(spend)))
    assert HEIGHT > 0
    assert again["diagnostics"]["filtered_same_day"] == 0
