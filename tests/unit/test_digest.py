"""A digest written to bytes and read back is the same digest; bytes that are anything else are refused."""

from __future__ import annotations

import struct
from dataclasses import fields

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.block_reader import read_block
from tests.support.building import HEIGHT, chain_of, coinbase_tx, payment, sound_block
from tests.support.chain_folder import block_files
from tests.support.parity_checks import FIXTURES
from utxoracle_core import BlockDigest, DigestError, assemble, digest_block, digest_from_bytes, digest_to_bytes
from utxoracle_core.scan import Verdict

RAW = sound_block([payment(1, [5, 6]), payment(2, [1, 2, 3]), payment(3, witnesses=[[b"\x01" * 80]])])
DIGEST = digest_block(RAW, HEIGHT)
DATA = digest_to_bytes(DIGEST)


def assert_same(found: BlockDigest, expected: BlockDigest) -> None:
    for field in fields(BlockDigest):
        a, b = getattr(found, field.name), getattr(expected, field.name)
        if isinstance(b, np.ndarray):
            assert a.dtype == b.dtype, field.name
            assert a.shape == b.shape, field.name
            assert np.array_equal(a, b), field.name
        else:
            assert a == b, field.name


def test_there_and_back() -> None:
    assert_same(digest_from_bytes(DATA), DIGEST)
    assert digest_to_bytes(digest_from_bytes(DATA)) == DATA


def test_what_a_digest_says_of_its_block() -> None:
    block = read_block(RAW)
    digest = digest_from_bytes(DATA)
    assert digest.height == HEIGHT
    assert digest.header_bytes == block.header
    assert (digest.size_bytes, digest.weight, digest.n_tx) == (len(RAW), block.weight, 4)
    assert digest.block_hash[::-1].hex() == digest.hash_text
    assert digest.time == struct.unpack("<I", RAW[68:72])[0]
    assert digest.excluded == {
        reason: int(reason in (Verdict.OUTPUTS, Verdict.COINBASE)) for reason in list(Verdict)[1:]
    }


@pytest.mark.parametrize("others", [[], [payment(1, [1])], [payment(n) for n in range(300)]])
def test_blocks_with_no_few_and_many_candidates(others: list[object]) -> None:
    digest = digest_block(sound_block(others), HEIGHT)  # type: ignore[arg-type]
    assert_same(digest_from_bytes(digest_to_bytes(digest)), digest)


@pytest.mark.parametrize("height", [1, 16, 17, 2**31 - 1])
def test_heights(height: int) -> None:
    assert coinbase_tx(height).raw != coinbase_tx(height - 1).raw
    digest = digest_block(sound_block(height=height), height)
    assert digest_from_bytes(digest_to_bytes(digest)).height == height


def test_a_real_block_is_a_fraction_of_its_size() -> None:
    for path in block_files(FIXTURES / "mainnet" / "799997-800000").values():
        digest = digest_block(path.read_bytes(), int(path.name[:6]))
        data = digest_to_bytes(digest)
        assert len(data) < 0.2 * path.stat().st_size
        assert_same(digest_from_bytes(data), digest)


def test_a_window_from_digests_that_were_stored() -> None:
    chain = chain_of([[payment(1, [5_000, 6_000])], [payment(2, [7_000, 8_000])]])
    stored = [digest_to_bytes(digest_block(raw, height)) for height, raw in chain]
    outputs = assemble([digest_from_bytes(data) for data in stored])
    assert outputs.amounts_btc.tolist() == [5e-05, 6e-05, 7e-05, 8e-05]


def test_any_changed_byte_is_noticed() -> None:
    for at in range(len(DATA)):
        for change in (0x01, 0x80, 0xFF):
            changed = bytearray(DATA)
            changed[at] ^= change
            with pytest.raises(DigestError):
                digest_from_bytes(bytes(changed))


def test_any_cut_is_noticed() -> None:
    for length in range(len(DATA)):
        with pytest.raises(DigestError):
            digest_from_bytes(DATA[:length])
    for extra in (b"\x00", DATA):
        with pytest.raises(DigestError, match="checksum"):
            digest_from_bytes(DATA + extra)


@given(st.integers(0, len(DATA)), st.integers(0, 40), st.binary(max_size=40))
def test_any_other_change_is_noticed(at: int, removed: int, inserted: bytes) -> None:
    changed = DATA[:at] + inserted + DATA[at + removed :]
    if changed == DATA:
        assert_same(digest_from_bytes(changed), DIGEST)
    else:
        with pytest.raises(DigestError):
            digest_from_bytes(changed)


@given(st.binary(max_size=400))
def test_bytes_that_never_were_a_digest(data: bytes) -> None:
    for start in (b"", b"UODG", b"UODG\x01\x00"):
        with pytest.raises(DigestError):
            digest_from_bytes(start + data)


def test_the_error_tells_a_stranger_from_another_version_from_damage() -> None:
    with pytest.raises(DigestError, match="not a block digest"):
        digest_from_bytes(RAW)
    with pytest.raises(DigestError, match="format 1; format 2 is read"):
        digest_from_bytes(DATA[:4] + b"\x01\x00" + DATA[6:])
    with pytest.raises(DigestError, match="damaged: its checksum does not match"):
        digest_from_bytes(DATA[:-1] + bytes((DATA[-1] ^ 1,)))
