"""Block 0 of Bitcoin's regtest network, the same on every regtest node."""

from __future__ import annotations

import struct
from functools import cache

from utxoracle_tui.demo.chain.builder import GeneratedBlock
from utxoracle_tui.demo.chain.serialise import (
    FIRST_SUBSIDY_SATS,
    NULL_OUTPOINT,
    REGTEST_BITS,
    block_bytes,
    sha256d,
    transaction,
    tx_in,
    tx_out,
)

# all of it from Bitcoin Core, kernel/chainparams.cpp
_TIME_S = 1_296_688_602
_NONCE = 2
_VERSION = 1
_HEADLINE = b"The Times 03/Jan/2009 Chancellor on brink of second bailout for banks"
_KEY = bytes.fromhex(
    "04678afdb0fe5548271967f1a67130b7105cd6a828e03909a67962e0ea1f61deb6"
    "49f6bc3f4cef38c4f35504e51ec112de5c384df7ba0b8d578a4c702b6bf11d5f"
)
_OP_CHECKSIG = b"\xac"


@cache
def regtest_genesis() -> GeneratedBlock:
    """Height 0, with a header time of 2011."""
    script_sig = bytes.fromhex("04ffff001d0104") + bytes((len(_HEADLINE),)) + _HEADLINE
    script = bytes((len(_KEY),)) + _KEY + _OP_CHECKSIG
    coinbase = transaction([tx_in(NULL_OUTPOINT, script_sig)], [tx_out(FIRST_SUBSIDY_SATS, script)], version=1)
    header = struct.pack("<i32s32sIII", _VERSION, bytes(32), coinbase.txid, _TIME_S, REGTEST_BITS, _NONCE)
    return GeneratedBlock(0, sha256d(header), _TIME_S, 1, block_bytes(header, [coinbase]))
