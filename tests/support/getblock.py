"""Transactions as a node prints them (`getblock`, verbosity 2), made from raw blocks by the slow reader."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from tests.support.block_reader import Block, Input, Output, Transaction

OP_RETURN = 0x6A
_SMALL_PUSH = 75


def printed_block(block: Block, *, decimals: bool = False, with_hex: bool = True) -> list[dict[str, Any]]:
    """The `tx` of a block. Amounts are floats, or with `decimals` what a careful JSON reader makes of them."""
    return [_transaction(tx, decimals, with_hex) for tx in block.transactions]


def _transaction(tx: Transaction, decimals: bool, with_hex: bool) -> dict[str, Any]:
    return {
        "txid": tx.txid[::-1].hex(),
        "hash": tx.wtxid[::-1].hex(),
        "version": tx.version,
        "locktime": tx.lock_time,
        "vin": [_input(spent) for spent in tx.inputs],
        "vout": [_output(n, output, decimals, with_hex) for n, output in enumerate(tx.outputs)],
    }


def _input(spent: Input) -> dict[str, Any]:
    printed: dict[str, Any] = {"sequence": spent.sequence}
    if spent.is_null:
        printed["coinbase"] = spent.script_sig.hex()
    else:
        printed |= {
            "txid": spent.prevout_txid[::-1].hex(),
            "vout": spent.prevout_index,
            "scriptSig": {"asm": "", "hex": spent.script_sig.hex()},
        }
    if spent.witness:
        printed["txinwitness"] = [item.hex() for item in spent.witness]
    return printed


def _output(n: int, output: Output, decimals: bool, with_hex: bool) -> dict[str, Any]:
    # eight digits behind the point, as a node prints them
    text = f"{output.sats // 10**8}.{output.sats % 10**8:08d}"
    script: dict[str, Any] = {"asm": _asm(output.script), "hex": output.script.hex()}
    if not with_hex:
        del script["hex"]
    return {"value": Decimal(text) if decimals else float(text), "n": n, "scriptPubKey": script}


def _asm(script: bytes) -> str:
    """The first operation of a script, which is all that anybody here reads."""
    if not script:
        return ""
    if script[0] == OP_RETURN:
        return f"OP_RETURN {script[1:].hex()}".rstrip()
    if 0 < script[0] <= _SMALL_PUSH:
        return script[1 : 1 + script[0]].hex()
    return "0" if script[0] == 0 else f"OP_CODE_{script[0]}"
