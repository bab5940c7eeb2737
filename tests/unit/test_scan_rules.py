"""Which transactions may carry a price: the rules about single transactions, at their edges, by both scanners."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from tests.support.building import HEIGHT, P2PKH, P2WPKH, block_of, coinbase_tx, outpoint, payment, sound_block
from tests.support.scanners import SCANNER_NAMES, scanner_named
from utxoracle_core import BlockDigest, digest_block
from utxoracle_core.scan import Scanner, Verdict
from utxoracle_tui.demo.chain.serialise import NULL_OUTPOINT, Tx, transaction, tx_in, tx_out


@pytest.fixture(params=SCANNER_NAMES)
def scan(request: pytest.FixtureRequest) -> Scanner:
    return scanner_named(request.param)


def digest_of(scan: Scanner, *txs: Tx) -> BlockDigest:
    return digest_block(sound_block(txs), HEIGHT, check_witness=True, scan=scan)


def verdict(scan: Scanner, tx: Tx) -> Verdict:
    """The verdict on one transaction; the coinbase, which has two outputs here, counts as one more."""
    scanned = scan(sound_block([tx]))
    assert scanned.verdicts[0] == Verdict.COINBASE
    found = Verdict(scanned.verdicts[1])
    assert list(scanned.tx_indexes) == ([1] if found is Verdict.CANDIDATE else [])
    return found


def spending(count: int, first: int = 100) -> list[bytes]:
    return [tx_in(outpoint(first + n), b"\x51" * (n % 3)) for n in range(count)]


@pytest.mark.parametrize(
    ("count", "expected"),
    [
        *((1, Verdict.CANDIDATE), (2, Verdict.CANDIDATE), (5, Verdict.CANDIDATE)),
        *((6, Verdict.INPUTS), (252, Verdict.INPUTS), (253, Verdict.INPUTS), (300, Verdict.INPUTS)),
    ],
)
@pytest.mark.parametrize("segwit", [False, True])
def test_at_most_five_inputs(scan: Scanner, count: int, expected: Verdict, segwit: bool) -> None:
    witnesses = [[b"\x01"]] * count if segwit else None
    assert verdict(scan, payment(1, inputs=spending(count), witnesses=witnesses)) is expected


@pytest.mark.parametrize(
    ("count", "expected"),
    [(1, Verdict.OUTPUTS), (2, Verdict.CANDIDATE), (3, Verdict.OUTPUTS), (253, Verdict.OUTPUTS)],
)
@pytest.mark.parametrize("segwit", [False, True])
def test_exactly_two_outputs(scan: Scanner, count: int, expected: Verdict, segwit: bool) -> None:
    witnesses = [[b"\x01"]] if segwit else None
    assert verdict(scan, payment(1, [100_000] * count, witnesses=witnesses)) is expected


def test_outputs_of_nothing_count_towards_the_two(scan: Scanner) -> None:
    assert verdict(scan, payment(1, [0, 5_000])) is Verdict.CANDIDATE
    assert verdict(scan, payment(1, [0, 0])) is Verdict.CANDIDATE
    assert verdict(scan, payment(1, [0, 5_000, 5_000])) is Verdict.OUTPUTS


@pytest.mark.parametrize(
    ("script", "expected"),
    [
        ("6a", Verdict.OP_RETURN),
        ("6a00", Verdict.OP_RETURN),
        ("6a6a", Verdict.OP_RETURN),
        ("6a" + "00" * 300, Verdict.OP_RETURN),
        ("", Verdict.CANDIDATE),
        ("006a", Verdict.CANDIDATE),
        ("696a", Verdict.CANDIDATE),
        ("6b", Verdict.CANDIDATE),
        ("00" * 300 + "6a", Verdict.CANDIDATE),
    ],
)
@pytest.mark.parametrize("position", [0, 1])
@pytest.mark.parametrize("segwit", [False, True])
def test_an_op_return_is_a_script_whose_first_byte_is_6a(
    scan: Scanner, script: str, expected: Verdict, position: int, segwit: bool
) -> None:
    scripts = [P2PKH, P2PKH]
    scripts[position] = bytes.fromhex(script)
    witnesses = [[b"\x01"]] if segwit else None
    assert verdict(scan, payment(1, scripts=scripts, witnesses=witnesses)) is expected


def test_a_6a_behind_an_empty_script_is_none_of_it(scan: Scanner) -> None:
    # the byte after the first script is the lowest of the second amount; after the last one, of the lock time
    assert verdict(scan, payment(1, [70_000, 0x6A], scripts=[b"", b""])) is Verdict.CANDIDATE
    outputs = [tx_out(5_000, P2PKH), tx_out(6_000, b"")]
    assert verdict(scan, transaction([tx_in(outpoint(1))], outputs, lock_time=0x6A)) is Verdict.CANDIDATE


@pytest.mark.parametrize(
    ("items", "expected"),
    [
        ([499], Verdict.CANDIDATE),
        ([500], Verdict.CANDIDATE),
        ([501], Verdict.WITNESS),
        ([250, 250], Verdict.CANDIDATE),
        ([251, 250], Verdict.WITNESS),
        ([252, 248], Verdict.CANDIDATE),
        ([252, 249], Verdict.WITNESS),
        ([0, 500], Verdict.CANDIDATE),
        ([500, 0], Verdict.CANDIDATE),
        ([0, 501], Verdict.WITNESS),
        ([253, 247], Verdict.CANDIDATE),
        ([247, 253], Verdict.CANDIDATE),
        ([247, 254], Verdict.WITNESS),
        ([100] * 5, Verdict.CANDIDATE),
        ([100] * 5 + [1], Verdict.WITNESS),
        ([1] * 500, Verdict.CANDIDATE),
        ([1] * 501, Verdict.WITNESS),
        ([0] * 600, Verdict.CANDIDATE),
        ([1000], Verdict.WITNESS),
        ([70_000], Verdict.WITNESS),
        ([1000, 0, 0], Verdict.WITNESS),
    ],
)
def test_at_most_500_bytes_of_witness_an_input(scan: Scanner, items: list[int], expected: Verdict) -> None:
    witness = [b"\x6a" * size for size in items]
    assert verdict(scan, payment(1, witnesses=[witness])) is expected
    # each input by itself: 500 bytes for each of three pass
    inputs = spending(3)
    assert verdict(scan, payment(1, inputs=inputs, witnesses=[[b"\x01" * 500], witness, [b"\x02" * 500]])) is expected
    assert verdict(scan, payment(1, inputs=inputs, witnesses=[[], [], witness])) is expected


def test_script_signatures_may_be_of_any_size(scan: Scanner) -> None:
    for size in (0, 252, 253, 10_000, 70_000):
        inputs = [tx_in(outpoint(1), b"\x00" * size), tx_in(outpoint(2), b"\x6a" * size)]
        assert verdict(scan, payment(1, inputs=inputs)) is Verdict.CANDIDATE


def test_a_null_prevout_makes_a_coinbase_wherever_it_stands(scan: Scanner) -> None:
    null = tx_in(NULL_OUTPOINT, b"\x51")
    for inputs in ([null], [tx_in(outpoint(1)), null], [*spending(4), null]):
        assert verdict(scan, payment(1, inputs=inputs)) is Verdict.COINBASE
    # neither a zero hash with another index, nor another hash with that index, nor the same bytes elsewhere
    for almost in (bytes(32) + b"\xff\xff\xff\xfe", bytes(31) + b"\x01" + b"\xff" * 4, bytes(36)):
        assert verdict(scan, payment(1, inputs=[tx_in(almost)])) is Verdict.CANDIDATE
    assert verdict(scan, payment(1, inputs=[tx_in(outpoint(1), NULL_OUTPOINT)])) is Verdict.CANDIDATE
    assert verdict(scan, payment(1, scripts=[NULL_OUTPOINT, P2WPKH])) is Verdict.CANDIDATE
    assert verdict(scan, payment(1, witnesses=[[NULL_OUTPOINT]])) is Verdict.CANDIDATE


def test_the_coinbase_of_the_block_is_one_with_two_outputs_and_none_otherwise(scan: Scanner) -> None:
    for outputs, expected in ((1, Verdict.OUTPUTS), (2, Verdict.COINBASE), (3, Verdict.OUTPUTS)):
        raw = block_of([coinbase_tx(outputs=[tx_out(5_000, P2WPKH)] * outputs)])
        assert list(scan(raw).verdicts) == [expected]


def test_the_first_reason_that_applies_counts(scan: Scanner) -> None:
    """Each transaction breaks one rule less than the one before it."""
    null = tx_in(NULL_OUTPOINT)
    big: Sequence[bytes] = [b"\x01" * 501]
    data = [b"\x6a", P2WPKH]
    cases = [
        (payment(1, [1] * 3, inputs=[*spending(5), null], scripts=data, witnesses=[big] * 6), Verdict.INPUTS),
        (payment(1, [1] * 3, inputs=[*spending(4), null], scripts=data, witnesses=[big] * 5), Verdict.OUTPUTS),
        (payment(1, [1] * 2, inputs=[*spending(4), null], scripts=data, witnesses=[big] * 5), Verdict.COINBASE),
        (payment(1, [1] * 2, inputs=spending(5), scripts=data, witnesses=[big] * 5), Verdict.OP_RETURN),
        (payment(1, [1] * 2, inputs=spending(5), witnesses=[big] * 5), Verdict.WITNESS),
        (payment(1, [1] * 2, inputs=spending(5)), Verdict.CANDIDATE),
    ]
    for tx, expected in cases:
        assert verdict(scan, tx) is expected
    digest = digest_of(scan, *(tx for tx, _ in cases))
    # the coinbase of the block has two outputs
    assert digest.excluded == {
        Verdict.INPUTS: 1,
        Verdict.OUTPUTS: 1,
        Verdict.COINBASE: 2,
        Verdict.OP_RETURN: 1,
        Verdict.WITNESS: 1,
    }
    assert digest.tx_indexes.tolist() == [6]


def test_what_a_candidate_leaves_in_the_digest(scan: Scanner) -> None:
    txs = [
        payment(1, [7, 8]),
        payment(2, [1, 2, 3]),
        payment(3, [2**63 - 1, 0], inputs=spending(5, 500), witnesses=[[b"a"], [], [b"b" * 300], [], [b"c"]]),
        payment(4, [-1, -(2**63)], inputs=spending(2, 900)),
    ]
    digest = digest_of(scan, *txs)
    assert digest.n_tx == 5
    assert [bytes(row) for row in digest.txids[1:]] == [tx.txid for tx in txs]
    assert digest.tx_indexes.tolist() == [1, 3, 4]
    assert digest.output_sats.tolist() == [[7, 8], [2**63 - 1, 0], [-1, -(2**63)]]
    assert digest.input_counts.tolist() == [1, 5, 2]
    spent = [outpoint(1), *(outpoint(500 + n) for n in range(5)), outpoint(900), outpoint(901)]
    assert [bytes(row) for row in digest.prevout_txids] == [prevout[:32] for prevout in spent]
    assert [array.dtype.str for array in (digest.txids, digest.input_counts, digest.prevout_txids)] == ["|u1"] * 3
    assert (digest.tx_indexes.dtype.str, digest.output_sats.dtype.str) == ("<i4", "<i8")


def test_a_block_without_candidates(scan: Scanner) -> None:
    digest = digest_of(scan)
    assert digest.n_tx == 1
    assert digest.output_sats.shape == (0, 2)
    assert digest.prevout_txids.shape == (0, 32)
    assert len(digest.tx_indexes) == len(digest.input_counts) == 0
