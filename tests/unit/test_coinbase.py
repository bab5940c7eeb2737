"""What a coinbase says of its block: the height (BIP 34), and the commitment to the witnesses (BIP 141)."""

from __future__ import annotations

import pytest

from tests.support.block_reader import root_of, sha256d
from tests.support.building import (
    FIRST_TX_OFFSET,
    HEIGHT,
    P2WPKH,
    block_of,
    coinbase_tx,
    fault_of,
    payment,
    sound_block,
)
from tests.support.scanners import SCANNER_NAMES, scanner_named
from utxoracle_core import BlockError, digest_block
from utxoracle_core.coinbase import Coinbase, height_of, parse_coinbase, read_height
from utxoracle_core.scan import Scanner
from utxoracle_tui.demo.chain.serialise import (
    COMMITMENT_PREFIX,
    NULL_OUTPOINT,
    Tx,
    height_push,
    transaction,
    tx_in,
    tx_out,
    witness_stack,
)


@pytest.fixture(params=SCANNER_NAMES)
def scan(request: pytest.FixtureRequest) -> Scanner:
    return scanner_named(request.param)


# --- the height


# The bytes that a coinbase script begins with, and the height that they state.
HEIGHTS = [
    *((f"{0x50 + height:02x}", height) for height in range(1, 17)),
    *(("0111", 17), ("017f", 127), ("028000", 128), ("02ff00", 255), ("020001", 256), ("02ff7f", 32_767)),
    *(("03008000", 32_768), ("03ffff7f", 8_388_607), ("0400008000", 8_388_608), ("0340d10c", 840_000)),
    ("04ffffff7f", 2**31 - 1),
]


@pytest.mark.parametrize(("push", "height"), HEIGHTS)
def test_heights(scan: Scanner, push: str, height: int) -> None:
    raw = block_of([coinbase_tx(script_sig=bytes.fromhex(push) + b"\x01\x2a")])
    assert read_height(raw) == height
    assert digest_block(raw, height, scan=scan).height == height
    for other in (height - 1, height + 1):
        fault = fault_of(raw, scan, other)
        assert (fault.kind, fault.offset_bytes) == ("height", FIRST_TX_OFFSET)
        assert fault.expected == f"a coinbase of height {other}, found {height}"


@pytest.mark.parametrize(
    "script",
    [
        *("", "00", "0000"),  # no height, or OP_0
        *("0340d1", "04ffff", "03"),  # a push that the script ends before
        *("0340d18c", "0181", "02ff80"),  # negative
        *("0640d10c000000", "4c0340d10c", "4b" + "00" * 75),  # no push that Bitcoin Core would make for a height
        *("61", "4f", "50", "ff"),  # OP_NOP, OP_1NEGATE, OP_RESERVED
    ],
)
def test_scripts_that_state_no_height(script: str) -> None:
    coinbase = Coinbase(bytes.fromhex(script), None, ())
    assert height_of(coinbase, 2) is None
    assert height_of(coinbase, 0x20000000) is None


def test_blocks_of_version_1_state_no_height(scan: Scanner) -> None:
    # the first bytes of their scripts are whatever the miner liked
    for version, stated in ((1, None), (0, None), (-1, None), (2, 7), (0x20000000, 7)):
        raw = block_of([coinbase_tx(script_sig=height_push(7) + b"\x00")], version=version)
        assert read_height(raw) == stated
        if stated is None:
            assert digest_block(raw, 4711, scan=scan).height == 4711
        else:
            assert fault_of(raw, scan, 4711).kind == "height"


def test_the_height_is_read_without_the_rest_of_the_block() -> None:
    raw = sound_block([payment(1)])
    coinbase_end = FIRST_TX_OFFSET + len(coinbase_tx(commits_to=[payment(1).wtxid]).raw)
    assert read_height(raw[:coinbase_end]) == HEIGHT


@pytest.mark.parametrize("length", [0, 1, 79, 80, 81, 85, 86, 87, 100, 123, 124, 125, 130])
def test_the_height_of_a_block_that_ends_before_it(length: int) -> None:
    with pytest.raises(BlockError) as caught:
        read_height(sound_block([payment(1)])[:length])
    assert caught.value.kind in {"truncated", "coinbase"}
    assert caught.value.offset_bytes <= length + 36


def test_a_first_transaction_with_two_inputs_is_no_coinbase() -> None:
    raw = block_of([payment(1, inputs=[b"\x01" * 41, b"\x01" * 41])])
    with pytest.raises(BlockError) as caught:
        parse_coinbase(raw, FIRST_TX_OFFSET)
    assert (caught.value.kind, caught.value.offset_bytes) == ("coinbase", FIRST_TX_OFFSET + 4)


# --- the witnesses

RESERVED = bytes(range(32))
OTHERS = [payment(1, witnesses=[[b"\x01" * 64]]), payment(2), payment(3, witnesses=[[b"\x02", b"\x03" * 33]])]


def commitment(others: list[Tx], reserved: bytes = RESERVED) -> bytes:
    return sha256d(root_of([bytes(32), *(tx.wtxid for tx in others)]) + reserved)


def block_committing(scripts: list[bytes], items: list[bytes] | None, others: list[Tx] = OTHERS) -> bytes:
    """A block whose coinbase has these output scripts and witness items."""
    first = transaction(
        [tx_in(NULL_OUTPOINT, height_push(HEIGHT) + b"\x00")],
        [tx_out(0, script) for script in scripts],
        None if items is None else [witness_stack(items)],
    )
    return block_of([first, *others])


def check(raw: bytes, scan: Scanner) -> None:
    """The block is sound, with and without a look at its witnesses."""
    digest_block(raw, HEIGHT, scan=scan)
    digest_block(raw, HEIGHT, check_witness=True, scan=scan)


def wrong(raw: bytes, scan: Scanner) -> str:
    """What was expected of a block whose fault shows in the witnesses alone."""
    digest_block(raw, HEIGHT, scan=scan)
    fault = fault_of(raw, scan, check_witness=True)
    assert (fault.kind, fault.offset_bytes) == ("witness", FIRST_TX_OFFSET)
    return fault.expected


def test_a_commitment_to_the_witnesses(scan: Scanner) -> None:
    check(block_committing([P2WPKH, COMMITMENT_PREFIX + commitment(OTHERS)], [RESERVED]), scan)
    check(block_committing([COMMITMENT_PREFIX + commitment(OTHERS) + b"more"], [RESERVED]), scan)
    check(block_committing([P2WPKH], None, [payment(1), payment(2)]), scan)
    check(block_committing([COMMITMENT_PREFIX + commitment([payment(1)])], [RESERVED], [payment(1)]), scan)


def test_the_last_of_several_commitments_counts(scan: Scanner) -> None:
    right, other = COMMITMENT_PREFIX + commitment(OTHERS), COMMITMENT_PREFIX + bytes(32)
    check(block_committing([other, right], [RESERVED]), scan)
    check(block_committing([other, right, P2WPKH, right[:37]], [RESERVED]), scan)
    assert "hash to the commitment" in wrong(block_committing([right, other], [RESERVED]), scan)


@pytest.mark.parametrize("prefix", ["6a24aa21a9ee", "6a25aa21a9ed", "6b24aa21a9ed"])
def test_another_prefix_commits_to_nothing(scan: Scanner, prefix: str) -> None:
    raw = block_committing([bytes.fromhex(prefix) + commitment(OTHERS)], [RESERVED])
    assert wrong(raw, scan) == "a witness commitment, as the block has witnesses"


def test_witnesses_without_a_commitment(scan: Scanner) -> None:
    assert "as the block has witnesses" in wrong(block_committing([P2WPKH], [RESERVED]), scan)
    assert "as the block has witnesses" in wrong(block_committing([P2WPKH], None), scan)


def test_another_witness_than_the_one_committed_to(scan: Scanner) -> None:
    changed = [payment(1, witnesses=[[b"\x09" * 64]]), *OTHERS[1:]]
    assert changed[0].txid == OTHERS[0].txid
    raw = block_committing([COMMITMENT_PREFIX + commitment(OTHERS)], [RESERVED], changed)
    assert wrong(raw, scan) == "witnesses that hash to the commitment in the coinbase"


def test_another_reserved_value(scan: Scanner) -> None:
    raw = block_committing([COMMITMENT_PREFIX + commitment(OTHERS)], [bytes(32)])
    assert wrong(raw, scan) == "witnesses that hash to the commitment in the coinbase"


@pytest.mark.parametrize("items", [None, [], [b""], [RESERVED[:31]], [RESERVED + b"\x00"], [RESERVED, RESERVED]])
def test_a_reserved_value_is_one_item_of_32_bytes(scan: Scanner, items: list[bytes] | None) -> None:
    others = [payment(1)]
    script = COMMITMENT_PREFIX + commitment(others)
    if items == []:
        # marked as segwit and without a witness: that is no serialisation at all
        assert fault_of(block_committing([script], items, others), scan).kind == "encoding"
    else:
        expected = "one witness item of 32 bytes in a coinbase with a commitment"
        assert wrong(block_committing([script], items, others), scan) == expected
