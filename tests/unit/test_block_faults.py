"""Blocks whose serialisation is broken: each ends in an error that names block, offset and what was expected."""

from __future__ import annotations

import tracemalloc

import pytest

from tests.support.building import HEIGHT, P2WPKH, block_of, coinbase_tx, fault_of, outpoint, payment, sound_block
from tests.support.fields import Field, Kind, field_named, fields_of, replaced
from tests.support.scanners import SCANNER_NAMES, scanner_named
from utxoracle_core import digest_block
from utxoracle_core.scan import Scanner
from utxoracle_tui.demo.chain.serialise import NULL_OUTPOINT, transaction, tx_in, tx_out


@pytest.fixture(params=SCANNER_NAMES)
def scan(request: pytest.FixtureRequest) -> Scanner:
    return scanner_named(request.param)


# The first of everything is large, so that a cut behind it leaves every count plausible, and a second one is there to
# be cut.
SPECIMEN = payment(
    2,
    inputs=[tx_in(outpoint(2), b"\x51" * 130), tx_in(outpoint(3), b"\x52" * 7)],
    scripts=[b"\x53" * 100, b"\x54" * 9],
    witnesses=[[b"\x55" * 60], [b"\x56" * 5, b"\x57" * 33]],
)
LEGACY = payment(9, scripts=[b"\x58" * 300])
BLOCK = sound_block([LEGACY, SPECIMEN])
SIZES = [field for field in fields_of(BLOCK) if field.kind is not Kind.DATA]


def named(field: Field) -> str:
    return field.name


def test_the_specimen_is_sound(scan: Scanner) -> None:
    digest = digest_block(BLOCK, HEIGHT, check_witness=True, scan=scan)
    assert digest.n_tx == 3
    assert (digest.size_bytes, digest.weight) == (len(BLOCK), 4 * len(BLOCK) - 3 * (2 + 2 + 34 + 1 + 61 + 1 + 6 + 34))


def test_no_bytes_at_all(scan: Scanner) -> None:
    fault = fault_of(b"", scan)
    assert (fault.kind, fault.offset_bytes) == ("empty", 0)
    assert "header" in fault.expected


def test_a_cut_anywhere_is_noticed(scan: Scanner) -> None:
    starts = {field.start for field in fields_of(BLOCK)}
    flag = field_named(BLOCK, "tx 2 flag").start
    for length in range(1, len(BLOCK)):
        fault = fault_of(BLOCK[:length], scan)
        assert fault.kind == ("encoding" if length == flag else "truncated"), length
        if length < 80:
            assert fault.offset_bytes == length
        else:
            assert fault.offset_bytes in starts
            assert fault.offset_bytes <= length


@pytest.mark.parametrize(
    ("cut_in", "named_field", "expected"),
    [
        ("header", "header", "a header of 80 bytes, but there are 79 bytes"),
        ("tx 2 version", "tx 2 version", "the version of transaction 2 of 4 bytes, but only 3 are left"),
        ("tx 2 input 1 prevout", "tx 2 input 1 prevout", "the prevout of input 1 in transaction 2 of 36 bytes"),
        ("tx 2 input 1 script", "tx 2 input 1 script length", "the script of input 1 in transaction 2 of 7 bytes"),
        ("tx 2 input 1 sequence", "tx 2 input 1 sequence", "the sequence of input 1 in transaction 2 of 4 bytes"),
        ("tx 2 output 1 amount", "tx 2 output 1 amount", "the amount of output 1 in transaction 2 of 8 bytes"),
        ("tx 2 output 1 script", "tx 2 output 1 script length", "the script of output 1 in transaction 2 of 9 bytes"),
        ("tx 2 witness 1 item 0", "tx 2 witness 1 item 0 length", "witness item 0 of input 1 in transaction 2"),
        ("tx 2 witness 1 item 1", "tx 2 witness 1 item 1 length", "witness item 1 of input 1 in transaction 2"),
        ("tx 2 lock time", "tx 2 lock time", "the lock time of transaction 2 of 4 bytes, but only 3 are left"),
    ],
)
def test_a_cut_one_byte_before_the_end_of_a_field(scan: Scanner, cut_in: str, named_field: str, expected: str) -> None:
    cut = field_named(BLOCK, cut_in).end - 1
    fault = fault_of(BLOCK[:cut], scan)
    assert fault.kind == "truncated"
    assert fault.offset_bytes == (79 if cut_in == "header" else field_named(BLOCK, named_field).start)
    assert expected in fault.expected


@pytest.mark.parametrize(
    ("field", "expected"),
    [
        ("transactions", "a number of transactions, but the data ends here"),
        ("tx 2 marker", "number of inputs in transaction 2"),
        ("tx 2 inputs", "number of inputs in transaction 2"),
        ("tx 2 input 1 script length", "length of the script of input 1 in transaction 2"),
        ("tx 2 outputs", "number of outputs in transaction 2"),
        ("tx 2 output 1 script length", "length of the script of output 1 in transaction 2"),
        ("tx 2 witness 1 items", "number of witness items of input 1 in transaction 2"),
        ("tx 2 witness 1 item 1 length", "length of witness item 1 of input 1 in transaction 2"),
    ],
)
def test_a_cut_right_before_a_field(scan: Scanner, field: str, expected: str) -> None:
    cut = field_named(BLOCK, field).start
    fault = fault_of(BLOCK[:cut], scan)
    assert (fault.kind, fault.offset_bytes) == ("truncated", cut)
    assert expected in fault.expected


@pytest.mark.parametrize("extreme", ["fdffff", "feffffffff", "ff0000000001000000", "ff" * 8 + "7f", "ff" * 9])
@pytest.mark.parametrize("field", SIZES, ids=named)
def test_a_count_or_length_past_the_end(scan: Scanner, field: Field, extreme: str) -> None:
    # machine code is loaded with the first block that a process scans
    scan(BLOCK)
    tracemalloc.start()
    try:
        fault = fault_of(replaced(BLOCK, field, bytes.fromhex(extreme)), scan)
        _, peak_bytes = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert (fault.kind, fault.offset_bytes) == ("truncated", field.start)
    assert str(int.from_bytes(bytes.fromhex(extreme)[1:], "little")) in fault.expected
    assert peak_bytes < 1_000_000


@pytest.mark.parametrize("field", SIZES, ids=named)
def test_a_size_that_is_written_longer_than_need_be(scan: Scanner, field: Field) -> None:
    text = BLOCK[field.start : field.end]
    value = text[0] if len(text) == 1 else int.from_bytes(text[1:], "little")
    longer = [(0xFD, 2), (0xFE, 4), (0xFF, 8)][0 if len(text) == 1 else 1 :]
    for first, width in longer:
        fault = fault_of(replaced(BLOCK, field, bytes((first,)) + value.to_bytes(width, "little")), scan)
        assert (fault.kind, fault.offset_bytes) == ("encoding", field.start)
        assert f"in its shortest form, found {value} in {width} bytes" in fault.expected


@pytest.mark.parametrize("field", SIZES, ids=named)
def test_a_size_whose_bytes_end_too_early(scan: Scanner, field: Field) -> None:
    for text in (b"\xfd\xfd", b"\xfe\x00\x00\x01", b"\xff" + bytes(7)):
        fault = fault_of(BLOCK[: field.start] + text, scan)
        assert fault.kind == "truncated"
        assert fault.offset_bytes in [size.start for size in SIZES if size.start <= field.start]


@pytest.mark.parametrize("extra", [b"\x00", b"\xff" * 100])
def test_bytes_after_the_end(scan: Scanner, extra: bytes) -> None:
    fault = fault_of(BLOCK + extra, scan)
    assert (fault.kind, fault.offset_bytes) == ("trailing", len(BLOCK))
    assert f"but {len(extra)} bytes follow" in fault.expected


def test_fewer_transactions_announced_than_there_are(scan: Scanner) -> None:
    fault = fault_of(replaced(BLOCK, field_named(BLOCK, "transactions"), b"\x02"), scan)
    assert (fault.kind, fault.offset_bytes) == ("trailing", field_named(BLOCK, "tx 2 version").start)


@pytest.mark.parametrize("name", ["transactions", "tx 1 outputs", "tx 2 inputs", "tx 2 outputs"])
def test_nothing_where_there_is_at_least_one(scan: Scanner, name: str) -> None:
    field = field_named(BLOCK, name)
    fault = fault_of(replaced(BLOCK, field, b"\x00"), scan)
    assert (fault.kind, fault.offset_bytes) == ("empty", field.start)
    assert "at least one of the" in fault.expected


def test_an_old_style_transaction_without_inputs_reads_as_a_marker(scan: Scanner) -> None:
    field = field_named(BLOCK, "tx 1 inputs")
    fault = fault_of(replaced(BLOCK, field, b"\x00"), scan)
    assert (fault.kind, fault.offset_bytes) == ("encoding", field.start + 1)
    assert "the segwit flag 01 after the marker 00 in transaction 1" in fault.expected


@pytest.mark.parametrize("flag", [0, 2, 0xFF])
def test_another_segwit_flag(scan: Scanner, flag: int) -> None:
    field = field_named(BLOCK, "tx 2 flag")
    fault = fault_of(replaced(BLOCK, field, bytes((flag,))), scan)
    assert (fault.kind, fault.offset_bytes) == ("encoding", field.start)


@pytest.mark.parametrize("n_inputs", [1, 2, 300])
def test_marked_as_segwit_but_all_witnesses_are_empty(scan: Scanner, n_inputs: int) -> None:
    inputs = [tx_in(outpoint(n)) for n in range(n_inputs)]
    raw = block_of([coinbase_tx(), payment(1, inputs=inputs, witnesses=[[]] * n_inputs)])
    fault = fault_of(raw, scan)
    assert (fault.kind, fault.offset_bytes) == ("encoding", field_named(raw, "tx 1 witness 0 items").start)
    assert "a witness in transaction 1, which is marked as segwit and has none" in fault.expected


def test_one_empty_item_is_a_witness(scan: Scanner) -> None:
    assert digest_block(block_of([coinbase_tx(), payment(1, witnesses=[[b""]])]), HEIGHT, scan=scan).n_tx == 2


def test_the_first_transaction_is_no_coinbase(scan: Scanner) -> None:
    fault = fault_of(block_of([payment(1), payment(2)]), scan)
    assert (fault.kind, fault.offset_bytes) == ("coinbase", 81 + 4 + 1)
    fault = fault_of(block_of([payment(1, witnesses=[[b"\x01"]]), payment(2)]), scan)
    assert (fault.kind, fault.offset_bytes) == ("coinbase", 81 + 6 + 1)


@pytest.mark.parametrize(
    "spent",
    [
        (bytes(32) + b"\xff\xff\xff\xfe",),
        (bytes(31) + b"\x01\xff\xff\xff\xff",),
        (NULL_OUTPOINT, NULL_OUTPOINT),
        (NULL_OUTPOINT, outpoint(1)),
    ],
)
def test_a_coinbase_has_one_input_and_that_has_a_null_prevout(scan: Scanner, spent: tuple[bytes, ...]) -> None:
    first = transaction([tx_in(prevout, b"\x51\x51") for prevout in spent], [tx_out(5, P2WPKH)])
    fault = fault_of(block_of([first, payment(1)]), scan)
    assert (fault.kind, fault.offset_bytes) == ("coinbase", 86)
    assert "one input, with a null prevout" in fault.expected


@pytest.mark.parametrize("over", [0, 1])
def test_the_weight_limit_without_witnesses(scan: Scanner, over: int) -> None:
    small = len(block_of([coinbase_tx(), payment(1, scripts=[b""])]))
    # a script of this many bytes has a length of four bytes more
    script = bytes(1_000_000 - small - 4 + over)
    raw = block_of([coinbase_tx(), payment(1, scripts=[script])])
    assert len(raw) == 1_000_000 + over
    if over:
        fault = fault_of(raw, scan)
        assert (fault.kind, fault.offset_bytes) == ("weight", len(raw))
        assert fault.expected == "at most 4000000 weight units, found 4000004"
    else:
        assert digest_block(raw, HEIGHT, scan=scan).weight == 4_000_000


@pytest.mark.parametrize("over", [0, 1])
def test_the_weight_limit_with_a_witness(scan: Scanner, over: int) -> None:
    first = coinbase_tx()
    stripped = 81 + first.stripped_size_bytes + payment(1).stripped_size_bytes
    # marker, flag, number of items, and five bytes for the length of the item
    item = bytes(4_000_000 - 4 * stripped - 2 - 1 - 5 + over)
    raw = block_of([first, payment(1, witnesses=[[item]])])
    if over:
        fault = fault_of(raw, scan)
        assert (fault.kind, fault.offset_bytes) == ("weight", len(raw))
        assert fault.expected == "at most 4000000 weight units, found 4000001"
    else:
        assert digest_block(raw, HEIGHT, scan=scan).weight == 4_000_000


@pytest.mark.parametrize("size", [4_000_001, 20_000_000])
def test_a_block_of_more_bytes_than_weight_units(scan: Scanner, size: int) -> None:
    raw = block_of([coinbase_tx(), payment(1, witnesses=[[bytes(size)]])])
    assert fault_of(raw, scan).kind == "weight"
