"""The header of a block and the proof of work that it carries."""

from __future__ import annotations

import struct

import pytest

from tests.support.building import HEIGHT, TIME_S, block_hash_of, block_of, coinbase_tx, fault_of, payment
from tests.support.chain_folder import block_files
from tests.support.parity_checks import FIXTURES
from tests.support.scanners import SCANNER_NAMES, scanner_named
from utxoracle_core import BlockError, digest_block
from utxoracle_core.hashes import internal_hash
from utxoracle_core.header import BlockHeader, check_work, parse_header, target_of
from utxoracle_core.scan import Scanner


@pytest.fixture(params=SCANNER_NAMES)
def scan(request: pytest.FixtureRequest) -> Scanner:
    return scanner_named(request.param)


GENESIS = bytes.fromhex(
    "01000000" + "00" * 32 + "3ba3edfd7a7b12b27ac72c3e67768f617fc81bc3888a51323a9fb8aa4b1e5e4a29ab5f49ffff001d1dac2b7c"
)
GENESIS_HASH = "000000000019d6689c085ae165831e934ff763ae46a2a6c172b3f1b60a8ce26f"


def test_the_genesis_header() -> None:
    header = parse_header(GENESIS + b"whatever follows")
    assert header.hash_text == GENESIS_HASH
    assert header.block_hash == bytes.fromhex(GENESIS_HASH)[::-1]
    assert (header.version, header.time, header.bits, header.nonce) == (1, 1231006505, 0x1D00FFFF, 2083236893)
    assert header.previous_hash == bytes(32)
    assert header.merkle_root[::-1].hex() == "4a5e1e4baab89f3a32518a88c31bc87f618f76673e2cc77ab2127b7afdeda33b"
    assert header.difficulty == 1.0
    check_work(header)


def test_the_difficulty_of_block_800000() -> None:
    (path,) = (path for name, path in block_files(FIXTURES / "mainnet").items() if name.startswith("800000-"))
    header = parse_header(path.read_bytes())
    assert header.bits == 0x17053894
    assert header.difficulty == pytest.approx(53_911_173_001_054.59, rel=1e-12)


@pytest.mark.parametrize(
    ("bits", "target"),
    [
        # examples of the compact form, from the tests that Bitcoin's documentation lists
        (0x01123456, 0x12),
        (0x02123456, 0x1234),
        (0x03123456, 0x123456),
        (0x04123456, 0x12345600),
        (0x05009234, 0x92340000),
        (0x20123456, 0x123456 << 232),
        (0x1D00FFFF, 0xFFFF << 208),
        (0x207FFFFF, 0x7FFFFF << 232),
        (0x2100FFFF, 0xFFFF << 240),
        (0x220000FF, 0xFF << 248),
    ],
)
def test_targets(bits: int, target: int) -> None:
    assert target_of(bits) == target


@pytest.mark.parametrize(
    "bits",
    [
        *(0, 0x00123456, 0x01003456, 0x02000056, 0x03000000, 0x1D000000),  # zero
        *(0x04923456, 0x01FEDCBA, 0x1D80FFFF),  # negative
        *(0xFF123456, 0x21010000, 0x22000100, 0x23000001, 0xFF7FFFFF),  # wider than 256 bits
    ],
)
def test_impossible_targets(bits: int) -> None:
    with pytest.raises(ValueError, match=f"{bits:08x}"):
        target_of(bits)
    raw = struct.pack("<i32s32sIII", 2, bytes(32), bytes(32), TIME_S, bits, 0)
    with pytest.raises(BlockError) as caught:
        check_work(parse_header(raw))
    assert (caught.value.kind, caught.value.offset_bytes) == ("work", 72)


@pytest.mark.parametrize(("bits", "target"), [(0x1D00FFFF, 0xFFFF << 208), (0x207FFFFF, 0x7FFFFF << 232)])
def test_a_hash_equal_to_the_target_is_enough_and_one_above_is_not(bits: int, target: int) -> None:
    def header(value: int) -> BlockHeader:
        return BlockHeader(2, bytes(32), bytes(32), TIME_S, bits, 0, value.to_bytes(32, "little"))

    check_work(header(0))
    check_work(header(target))
    with pytest.raises(BlockError, match="a hash of at most"):
        check_work(header(target + 1))


def test_a_hash_above_its_own_target(scan: Scanner) -> None:
    raw = block_of([coinbase_tx(), payment(1)])
    raw = raw[:72] + struct.pack("<I", 0x1D00FFFF) + raw[76:]
    fault = fault_of(raw, scan)
    assert (fault.kind, fault.offset_bytes) == ("work", 72)
    assert f"{0xFFFF << 208:064x}" in fault.expected
    assert block_hash_of(raw)[::-1].hex() in fault.expected


def test_another_block_than_the_one_that_was_asked_for(scan: Scanner) -> None:
    raw = block_of([coinbase_tx(), payment(1)])
    own = block_hash_of(raw)[::-1].hex()
    assert digest_block(raw, HEIGHT, expected_hash=own, scan=scan).hash_text == own
    fault = fault_of(raw, scan, expected_hash=GENESIS_HASH)
    assert (fault.kind, fault.offset_bytes) == ("hash", 0)
    assert GENESIS_HASH in fault.expected
    assert own in fault.expected
    assert fault.block == f"{HEIGHT} ({GENESIS_HASH})"
    assert str(fault) == f"block {fault.block} is not usable (hash): at byte 0, expected {fault.expected}"


@pytest.mark.parametrize("text", ["", "00" * 31, "00" * 33, "zz" * 32])
def test_a_hash_has_64_hexadecimal_digits(text: str) -> None:
    with pytest.raises(ValueError, match="hexadecimal"):
        internal_hash(text)


def test_an_error_without_a_block_still_makes_a_sentence() -> None:
    fault = BlockError("work", 72, "another hash")
    assert str(fault) == "the block is not usable (work): at byte 72, expected another hash"
    assert str(fault.of("5")) == "block 5 is not usable (work): at byte 72, expected another hash"
    assert isinstance(fault, ValueError)
