"""The merkle tree: the root that the header names, and the lists of transactions that share one (CVE-2012-2459)."""

from __future__ import annotations

import pytest

from tests.support.block_reader import root_of, sha256d
from tests.support.building import HEIGHT, block_of, coinbase_tx, fault_of, payment
from tests.support.scanners import SCANNER_NAMES, scanner_named
from utxoracle_core import digest_block
from utxoracle_core.hashes import merkle_root
from utxoracle_core.scan import Scanner


@pytest.fixture(params=SCANNER_NAMES)
def scan(request: pytest.FixtureRequest) -> Scanner:
    return scanner_named(request.param)


@pytest.mark.parametrize("count", [1, 2, 3, 4, 5, 6, 7, 8, 9, 11, 13, 16, 17, 33, 100])
def test_any_number_of_transactions(scan: Scanner, count: int) -> None:
    txs = [coinbase_tx(), *(payment(n) for n in range(1, count))]
    digest = digest_block(block_of(txs), HEIGHT, scan=scan)
    assert [bytes(row) for row in digest.txids] == [tx.txid for tx in txs]
    root, mutated = merkle_root([tx.txid for tx in txs])
    assert root == root_of([tx.txid for tx in txs]) == digest.header.merkle_root
    assert not mutated


@pytest.mark.parametrize("bit", [0, 7, 128, 255])
def test_another_root_in_the_header(scan: Scanner, bit: int) -> None:
    txs = [coinbase_tx(), payment(1), payment(2)]
    root = root_of([tx.txid for tx in txs])
    wrong = (int.from_bytes(root, "big") ^ 1 << bit).to_bytes(32, "big")
    fault = fault_of(block_of(txs, root=wrong), scan)
    assert (fault.kind, fault.offset_bytes) == ("merkle", 36)
    assert root[::-1].hex() in fault.expected


def test_a_changed_transaction(scan: Scanner) -> None:
    raw = block_of([coinbase_tx(), payment(1), payment(2)])
    assert fault_of(raw[:-1] + b"\x01", scan).kind == "merkle"


@pytest.mark.parametrize(
    ("count", "repeated"),
    # the last transaction again; the last two again; the last four again
    [(3, (2,)), (5, (4,)), (7, (6,)), (6, (4, 5)), (10, (8, 9)), (12, (8, 9, 10, 11)), (11, (10,))],
)
def test_a_longer_list_with_the_same_root(scan: Scanner, count: int, repeated: tuple[int, ...]) -> None:
    txs = [coinbase_tx(), *(payment(n) for n in range(1, count))]
    longer = [*txs, *(txs[n] for n in repeated)]
    root = root_of([tx.txid for tx in txs])
    assert root_of([tx.txid for tx in longer]) == root
    assert digest_block(block_of(txs), HEIGHT, scan=scan).n_tx == count
    fault = fault_of(block_of(longer), scan)
    assert (fault.kind, fault.offset_bytes) == ("merkle", 36)
    assert "CVE-2012-2459" in fault.expected


def test_equal_neighbours_anywhere_in_the_tree(scan: Scanner) -> None:
    same = payment(1)
    txs = [coinbase_tx(), payment(2), same, same, payment(3), payment(4)]
    assert "CVE-2012-2459" in fault_of(block_of(txs), scan).expected


def test_equal_transactions_that_are_not_hashed_together(scan: Scanner) -> None:
    # pairs are (0, 1), (2, 3): Bitcoin Core refuses such a block for its double spend, not for its tree
    same = payment(1)
    assert digest_block(block_of([coinbase_tx(), same, same, payment(2)]), HEIGHT, scan=scan).n_tx == 4


def test_the_tree_by_its_definition() -> None:
    a, b, c = (bytes((n,)) * 32 for n in range(3))
    assert merkle_root([a]) == (a, False)
    assert merkle_root([a, b]) == (sha256d(a + b), False)
    assert merkle_root([a, a]) == (sha256d(a + a), True)
    assert merkle_root([a, b, c]) == (sha256d(sha256d(a + b) + sha256d(c + c)), False)
    assert merkle_root([a, b, c, c]) == (sha256d(sha256d(a + b) + sha256d(c + c)), True)
