"""What a coinbase says of its block: the height (BIP 34) and the witness commitment (BIP 141)."""

from __future__ import annotations

from dataclasses import dataclass

from utxoracle_core.errors import BlockError
from utxoracle_core.hashes import HASH_BYTES, double_sha256
from utxoracle_core.scan import HEADER_BYTES
from utxoracle_core.serial import compact_size

_COMMITMENT_PREFIX = bytes.fromhex("6a24aa21a9ed")
_COMMITMENT_BYTES = 38
_OP_1, _OP_16 = 0x51, 0x60
_LONGEST_HEIGHT_BYTES = 5
_BIP34_VERSION = 2


@dataclass(frozen=True, slots=True)
class Coinbase:
    """The parts of a coinbase transaction that speak of the whole block."""

    script_sig: bytes
    commitment: bytes | None
    """The 32 bytes behind the prefix of the last commitment output, if there is one."""
    witness_items: tuple[bytes, ...]


def parse_coinbase(raw: bytes, start: int) -> Coinbase:
    """Read the coinbase that starts at byte `start` of a raw block.

    Raises `BlockError` when its lengths run past the end.
    """
    segwit = raw[start + 4 : start + 6] == b"\x00\x01"
    offset = start + (6 if segwit else 4)
    n_in, offset = compact_size(raw, offset, "number of inputs")
    if n_in != 1:
        raise BlockError("coinbase", offset - 1, "a coinbase with one input")
    if offset + 36 > len(raw):
        raise BlockError("truncated", offset, f"a prevout of 36 bytes, but only {len(raw) - offset} are left")
    script_sig, offset = _chunk(raw, offset + 36, "the coinbase script")
    n_out, offset = compact_size(raw, offset + 4, "number of outputs")
    commitment = None
    for _ in range(n_out):
        script, offset = _chunk(raw, offset + 8, "a coinbase output")
        if script.startswith(_COMMITMENT_PREFIX) and len(script) >= _COMMITMENT_BYTES:
            commitment = script[6:_COMMITMENT_BYTES]
    items = []
    if segwit:
        n_items, offset = compact_size(raw, offset, "number of witness items")
        for _ in range(n_items):
            item, offset = _chunk(raw, offset, "a coinbase witness item")
            items.append(item)
    return Coinbase(script_sig, commitment, tuple(items))


def _chunk(raw: bytes, offset: int, what: str) -> tuple[bytes, int]:
    length, start = compact_size(raw, offset, f"length of {what}")
    if start + length > len(raw):
        raise BlockError("truncated", offset, f"{what} of {length} bytes, but only {len(raw) - start} are left")
    return raw[start : start + length], start + length


def height_of(coinbase: Coinbase, version: int) -> int | None:
    """The height that a coinbase states by BIP 34, or None where it states none.

    Blocks of version 1 don't. Heights 1 to 16 are single opcodes, OP_1 to OP_16; others are pushed as a signed
    little-endian number.
    """
    script = coinbase.script_sig
    if version < _BIP34_VERSION or not script:
        return None
    opcode = script[0]
    if _OP_1 <= opcode <= _OP_16:
        return opcode - _OP_1 + 1
    number = script[1 : 1 + opcode]
    if not 1 <= opcode <= _LONGEST_HEIGHT_BYTES or len(number) != opcode or number[-1] & 0x80:
        return None
    return int.from_bytes(number, "little")


def read_height(raw: bytes) -> int | None:
    """The BIP 34 height of a raw block of which only header and coinbase are looked at.

    Raises `BlockError` when these are damaged.
    """
    if len(raw) <= HEADER_BYTES:
        raise BlockError("truncated", len(raw), "a header and a coinbase")
    _, start = compact_size(raw, HEADER_BYTES, "number of transactions")
    version = int.from_bytes(raw[:4], "little", signed=True)
    return height_of(parse_coinbase(raw, start), version)


def check_witness_commitment(coinbase: Coinbase, witness_root: bytes, has_witness: bool, offset_bytes: int) -> None:
    """Raise `BlockError` when the witnesses are not those that the coinbase commits to (BIP 141).

    `witness_root` is the merkle root over the wtxids, `has_witness` whether any transaction has a witness,
    `offset_bytes` where the coinbase stands.
    """
    if coinbase.commitment is None:
        if has_witness:
            raise BlockError("witness", offset_bytes, "a witness commitment, as the block has witnesses")
        return
    items = coinbase.witness_items
    if len(items) != 1 or len(items[0]) != HASH_BYTES:
        raise BlockError("witness", offset_bytes, "one witness item of 32 bytes in a coinbase with a commitment")
    if double_sha256(witness_root + items[0]) != coinbase.commitment:
        raise BlockError("witness", offset_bytes, "witnesses that hash to the commitment in the coinbase")
