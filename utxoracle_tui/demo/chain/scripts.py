"""Inputs, witnesses and outputs of the usual script types, many at a time.

Signatures, keys and hashes are random bytes of the right lengths and prefixes: nothing here could be spent,
but every size, and every byte that says how long something is, are as on mainnet.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from utxoracle_tui.demo.chain.draws import Draws
from utxoracle_tui.demo.chain.economy import Script
from utxoracle_tui.demo.chain.serialise import tx_out, witness_stack

_LONG_SIGNATURES = 0.3
"""Share of signatures of 72 bytes instead of 71, from wallets that don't grind for a short one."""
_PUSH_BYTES = 520
"""The largest push that a script may make (Bitcoin Core, MAX_SCRIPT_ELEMENT_SIZE)."""
_OP_PUSHDATA2 = 0x4D


@dataclass(frozen=True, slots=True)
class _Template:
    """Bytes of which each is `(random & keep) | fixed`."""

    keep: bytes
    fixed: bytes

    def __add__(self, other: _Template) -> _Template:
        return _Template(self.keep + other.keep, self.fixed + other.fixed)

    def rows(self, n: int, draws: Draws) -> NDArray[np.uint8]:
        """(n, width)"""
        width = len(self.keep)
        rows = draws.octets(n * width).reshape(n, width) & np.frombuffer(self.keep, dtype=np.uint8)
        return rows | np.frombuffer(self.fixed, dtype=np.uint8)


def _fixed(text: str) -> _Template:
    data = bytes.fromhex(text)
    return _Template(bytes(len(data)), data)


def _any(n: int) -> _Template:
    return _Template(b"\xff" * n, bytes(n))


def _one(keep: int, fixed: int) -> _Template:
    return _Template(bytes((keep,)), bytes((fixed,)))


# BIP 66: 30 <length> 02 <length> R 02 <length> S, then the signature hash type. A number whose first bit
# is set takes a zero byte in front; the others here begin with the bits 01 and so always need 32 bytes.
_POSITIVE = _one(0x3F, 0x40) + _any(31)
_SHORT_SIGNATURE = _fixed("30440220") + _POSITIVE + _fixed("0220") + _POSITIVE + _fixed("01")
_LONG_SIGNATURE = _fixed("3045022100") + _one(0x7F, 0x80) + _any(31) + _fixed("0220") + _POSITIVE + _fixed("01")
_PUBKEY = _one(0x01, 0x02) + _any(32)
_SHORT_PROOF = _fixed("47") + _SHORT_SIGNATURE + _fixed("21") + _PUBKEY
_LONG_PROOF = _fixed("48") + _LONG_SIGNATURE + _fixed("21") + _PUBKEY
_OUTPOINT = _any(32) + _one(0x03, 0x00) + _fixed("000000")
_SEQUENCE = _fixed("fdffffff")  # replaceable (BIP 125)
_NO_SCRIPT_SIG = _OUTPOINT + _fixed("00") + _SEQUENCE

# For each script type: with a short signature, with a long one.
_INPUTS = {
    Script.P2PKH: (
        _OUTPOINT + _fixed("6a") + _SHORT_PROOF + _SEQUENCE,
        _OUTPOINT + _fixed("6b") + _LONG_PROOF + _SEQUENCE,
    ),
    Script.P2SH_P2WPKH: (_OUTPOINT + _fixed("17160014") + _any(20) + _SEQUENCE,) * 2,
    Script.P2WPKH: (_NO_SCRIPT_SIG,) * 2,
    Script.P2TR: (_NO_SCRIPT_SIG,) * 2,
}
_KEY_WITNESSES = (_fixed("02") + _SHORT_PROOF, _fixed("02") + _LONG_PROOF)
_WITNESSES = {
    Script.P2SH_P2WPKH: _KEY_WITNESSES,
    Script.P2WPKH: _KEY_WITNESSES,
    Script.P2TR: (_fixed("0140") + _any(64),) * 2,  # BIP 341: a signature by the key, default hash type
}
_AMOUNT = _fixed("00" * 8)
_OUTPUTS = {
    Script.P2PKH: _AMOUNT + _fixed("1976a914") + _any(20) + _fixed("88ac"),
    Script.P2SH_P2WPKH: _AMOUNT + _fixed("17a914") + _any(20) + _fixed("87"),
    Script.P2WPKH: _AMOUNT + _fixed("160014") + _any(20),  # BIP 141
    Script.P2TR: _AMOUNT + _fixed("225120") + _any(32),  # BIP 341
}


def input_cells(types: NDArray[np.int64], draws: Draws) -> tuple[list[bytes], list[bytes]]:
    """Serialised inputs with made-up prevouts, one for each of `types`, and their witnesses.

    The witness of a P2PKH is empty bytes.
    """
    inputs = [b""] * len(types)
    witnesses = [b""] * len(types)
    long = draws.uniform(len(types)) < _LONG_SIGNATURES
    for script, templates in _INPUTS.items():
        for size, template in enumerate(templates):
            places = np.flatnonzero((types == script) & (long == bool(size)))
            _put(inputs, places, template.rows(len(places), draws))
            if script in _WITNESSES:
                _put(witnesses, places, _WITNESSES[script][size].rows(len(places), draws))
    return inputs, witnesses


def output_cells(types: NDArray[np.int64], sats: NDArray[np.int64], draws: Draws) -> list[bytes]:
    """Serialised outputs of `sats`, one for each of `types`; empty bytes in the place of an OP_RETURN."""
    cells = [b""] * len(types)
    for script, template in _OUTPUTS.items():
        places = np.flatnonzero(types == script)
        rows = template.rows(len(places), draws)
        rows[:, :8] = sats[places].astype("<i8").view(np.uint8).reshape(-1, 8)
        _put(cells, places, rows)
    return cells


def data_output(payload: bytes) -> bytes:
    """An OP_RETURN output of 1 to 75 bytes."""
    return tx_out(0, b"\x6a" + bytes((len(payload),)) + payload)


def inscription_witness(n_bytes: int, draws: Draws) -> bytes:
    """A script-path spend of taproot (BIP 341) whose script carries `n_bytes` of content in a branch that is
    never taken."""
    noise = draws.octets(64 + 32 + 33 + n_bytes).tobytes()
    signature, key, control, content = noise[:64], noise[64:96], noise[96:129], noise[129:]
    pushes = [_push(content[at : at + _PUSH_BYTES]) for at in range(0, n_bytes, _PUSH_BYTES)]
    parts = (
        b"\x20",
        key,
        b"\xac\x00\x63",
        _push(b"ord"),
        b"\x51",
        _push(b"text/plain"),
        b"\x00",
        *pushes,
        b"\x68",
    )
    return witness_stack([signature, b"".join(parts), b"\xc0" + control[1:]])


def reward_script(draws: Draws) -> bytes:
    """A P2WPKH script (BIP 141)."""
    return b"\x00\x14" + draws.octets(20).tobytes()


def _push(data: bytes) -> bytes:
    if len(data) <= 75:
        return bytes((len(data),)) + data
    if len(data) <= 0xFF:
        return b"\x4c" + bytes((len(data),)) + data
    return bytes((_OP_PUSHDATA2,)) + len(data).to_bytes(2, "little") + data


def _put(cells: list[bytes], places: NDArray[np.intp], rows: NDArray[np.uint8]) -> None:
    """Write the rows, as bytes, to their places."""
    width = rows.shape[1]
    blob = rows.tobytes()
    for row, place in enumerate(places.tolist()):
        cells[place] = blob[row * width : (row + 1) * width]
