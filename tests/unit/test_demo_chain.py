"""The generated chains, read back by a parser that shares nothing with what wrote them."""

from __future__ import annotations

import hashlib
import json
import pickle
import struct
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date
from itertools import islice, pairwise
from pathlib import Path
from statistics import fmean, median, pstdev

import pytest

from utxoracle_tui.demo.chain import (
    ChainSpec,
    Constant,
    Every,
    GeneratedBlock,
    Linear,
    MainnetTimes,
    Mix,
    Walk,
    blocks,
    day_times,
    midnight_s,
    serialise,
    write_folder,
)
from utxoracle_tui.demo.chain.__main__ import main

START_S = 1_717_200_000  # 2024-06-01
COMMITMENT = bytes.fromhex("6a24aa21a9ed")


@dataclass
class ParsedTx:
    txid: bytes
    wtxid: bytes
    size_bytes: int
    weight: int
    prevouts: list[bytes]
    script_sigs: list[bytes]
    outputs: list[tuple[int, bytes]]
    witnesses: list[list[bytes]]

    @property
    def passes(self) -> bool:
        """The rules of the price method for one transaction by itself."""
        return (
            len(self.prevouts) <= 5
            and len(self.outputs) == 2
            and self.prevouts[0] != bytes(32) + b"\xff" * 4
            and not any(script[:1] == b"\x6a" for _, script in self.outputs)
            and all(sum(map(len, items)) <= 500 for items in self.witnesses)
        )


class Reader:
    def __init__(self, raw: bytes) -> None:
        self.raw = raw
        self.at = 0

    def take(self, n: int) -> bytes:
        piece = self.raw[self.at : self.at + n]
        assert len(piece) == n, "the block ends too early"
        self.at += n
        return piece

    def size(self) -> int:
        first = self.take(1)[0]
        if first < 253:
            return first
        width = {253: 2, 254: 4, 255: 8}[first]
        value = int.from_bytes(self.take(width), "little")
        assert value >= (253 if width == 2 else 1 << 4 * width), "not the shortest size"
        return value

    def tx(self) -> ParsedTx:
        start = self.at
        version = self.take(4)
        segwit = self.raw[self.at : self.at + 2] == b"\x00\x01"
        if segwit:
            self.at += 2
        body = self.at
        prevouts, script_sigs = [], []
        for _ in range(self.size()):
            prevouts.append(self.take(36))
            script_sigs.append(self.take(self.size()))
            self.take(4)
        outputs = [(struct.unpack("<q", self.take(8))[0], self.take(self.size())) for _ in range(self.size())]
        end = self.at
        witnesses: list[list[bytes]] = [[] for _ in prevouts]
        if segwit:
            witnesses = [[self.take(self.size()) for _ in range(self.size())] for _ in prevouts]
            assert any(witnesses), "marker and flag without a witness"
        tail = self.take(4)
        stripped = version + self.raw[body:end] + tail
        raw = self.raw[start : self.at]
        return ParsedTx(
            txid=sha256d(stripped),
            wtxid=sha256d(raw),
            size_bytes=len(raw),
            weight=3 * len(stripped) + len(raw),
            prevouts=prevouts,
            script_sigs=script_sigs,
            outputs=outputs,
            witnesses=witnesses,
        )


def sha256d(data: bytes) -> bytes:
    return hashlib.sha256(hashlib.sha256(data).digest()).digest()


def root_of(hashes: list[bytes]) -> bytes:
    while len(hashes) > 1:
        hashes = hashes + hashes[-1:] * (len(hashes) % 2)
        hashes = [sha256d(a + b) for a, b in zip(hashes[::2], hashes[1::2], strict=True)]
    return hashes[0]


def parse(raw: bytes) -> list[ParsedTx]:
    reader = Reader(raw)
    reader.take(80)
    txs = [reader.tx() for _ in range(reader.size())]
    assert reader.at == len(raw), "bytes after the last transaction"
    return txs


def spec_of(n_blocks: int, tx_per_block: int = 60, **changes: object) -> ChainSpec:
    spec = ChainSpec(seed=7, times_s=tuple(islice(MainnetTimes(7, START_S), n_blocks)), tx_per_block=tx_per_block)
    return replace(spec, **changes)  # type: ignore[arg-type]


def amounts_btc(spec: ChainSpec) -> list[float]:
    txs = (tx for block in blocks(spec) for tx in parse(block.raw) if tx.passes)
    return [sats / 1e8 for tx in txs for sats, _ in tx.outputs]


def near(amounts: Sequence[float], centre: float, width: float = 0.01) -> int:
    return sum(centre * (1 - width) < amount < centre * (1 + width) for amount in amounts)


def bip34_height(script_sig: bytes) -> int:
    first = script_sig[0]
    if first == 0:
        return 0
    if 0x51 <= first <= 0x60:
        return first - 0x50
    return int.from_bytes(script_sig[1 : 1 + first], "little", signed=True)


def der_lengths(signature: bytes) -> tuple[int, int]:
    """Lengths of R and S of a signature in the strict encoding of BIP 66."""
    assert signature[0] == 0x30
    assert signature[1] == len(signature) - 3
    assert signature[-1] == 1
    r_at, r_length = 4, signature[3]
    s_at, s_length = r_at + r_length + 2, signature[r_at + r_length + 1]
    assert s_at + s_length + 1 == len(signature)
    for at, length in ((r_at, r_length), (s_at, s_length)):
        assert signature[at - 2] == 2
        assert signature[at] < 0x80, "negative"
        assert signature[at] or signature[at + 1] >= 0x80, f"not the shortest of {length}"
    return r_length, s_length


def assert_sound(chain: list[GeneratedBlock], spec: ChainSpec) -> None:
    previous_hash = spec.previous_hash
    for height, block in enumerate(chain, spec.first_height):
        version, prev, root, time_s, bits, _ = struct.unpack("<i32s32sIII", block.raw[:80])
        txs = parse(block.raw)
        assert version == 0x20000000
        assert prev == previous_hash
        assert bits == 0x207FFFFF
        assert block.hash == sha256d(block.raw[:80])
        assert int.from_bytes(block.hash, "little") <= 0x7FFFFF << 232
        assert (block.height, block.time_s, block.n_tx) == (height, time_s, len(txs))
        assert root == root_of([tx.txid for tx in txs])
        assert len({tx.txid for tx in txs}) == len(txs)
        assert 4 * (len(block.raw) - sum(tx.size_bytes for tx in txs)) + sum(tx.weight for tx in txs) <= 4_000_000
        first = txs[0]
        assert first.prevouts == [bytes(32) + b"\xff" * 4]
        assert 2 <= len(first.script_sigs[0]) <= 100
        assert bip34_height(first.script_sigs[0]) == height
        assert first.witnesses == [[bytes(32)]]
        witness_root = root_of([bytes(32), *(tx.wtxid for tx in txs[1:])])
        assert first.outputs[1] == (0, COMMITMENT + sha256d(witness_root + bytes(32)))
        previous_hash = block.hash


@pytest.mark.parametrize("first_height", [0, 14, 120, 32_760, 840_000])
def test_every_block_is_sound(first_height: int) -> None:
    spec = spec_of(20, first_height=first_height, previous_hash=b"\x07" * 32)
    chain = list(blocks(spec))
    assert len(chain) == 20
    assert_sound(chain, spec)


def test_a_block_of_the_coinbase_alone_is_sound() -> None:
    spec = spec_of(3, tx_per_block=1)
    chain = list(blocks(spec))
    assert [block.n_tx for block in chain] == [1, 1, 1]
    assert_sound(chain, spec)


def test_no_block_is_too_heavy() -> None:
    spec = spec_of(1, tx_per_block=6000)
    chain = list(blocks(spec))
    assert_sound(chain, spec)
    assert 2000 < chain[0].n_tx < 6000


def test_the_serialiser_makes_the_genesis_block() -> None:
    text = b"The Times 03/Jan/2009 Chancellor on brink of second bailout for banks"
    key = bytes.fromhex(
        "4104678afdb0fe5548271967f1a67130b7105cd6a828e03909a67962e0ea1f61deb6"
        "49f6bc3f4cef38c4f35504e51ec112de5c384df7ba0b8d578a4c702b6bf11d5fac"
    )
    script_sig = bytes.fromhex("04ffff001d010445") + text
    tx = serialise.transaction(
        [serialise.tx_in(serialise.NULL_OUTPOINT, script_sig)],
        [serialise.tx_out(serialise.subsidy_sats(0), key)],
        version=1,
    )
    root = serialise.merkle_root([tx.txid])
    assert tx.txid == tx.wtxid
    assert tx.weight == 4 * len(tx.raw) == 816
    assert serialise.display_hex(root) == "4a5e1e4baab89f3a32518a88c31bc87f618f76673e2cc77ab2127b7afdeda33b"
    header = struct.pack("<i32s32sIII", 1, bytes(32), root, 1231006505, 0x1D00FFFF, 2083236893)
    block = serialise.block_bytes(header, [tx])
    assert len(block) == 285
    genesis = "000000000019d6689c085ae165831e934ff763ae46a2a6c172b3f1b60a8ce26f"
    assert serialise.display_hex(sha256d(block[:80])) == genesis
    assert int(genesis, 16) <= serialise.target_of(0x1D00FFFF) == 0xFFFF << 208


@pytest.mark.parametrize(
    ("height", "push"),
    [
        *((0, "00"), (1, "51"), (16, "60"), (17, "0111"), (127, "017f"), (128, "028000"), (255, "02ff00")),
        *((32_767, "02ff7f"), (32_768, "03008000"), (840_000, "0340d10c"), (8_388_608, "0400008000")),
    ],
)
def test_heights_are_pushed_as_script_numbers(height: int, push: str) -> None:
    assert serialise.height_push(height).hex() == push


def test_sizes_halvings_and_what_is_refused() -> None:
    sizes = {0: "00", 252: "fc", 253: "fdfd00", 65_535: "fdffff", 65_536: "fe00000100", 2**32: "ff0000000001000000"}
    assert {n: serialise.compact_size(n).hex() for n in sizes} == sizes
    assert [serialise.subsidy_sats(h) for h in (839_999, 840_000)] == [625_000_000, 312_500_000]
    assert serialise.subsidy_sats(64 * 210_000) == 0
    refused: list[Callable[[], object]] = [
        lambda: serialise.compact_size(-1),
        lambda: serialise.compact_size(2**64),
        lambda: serialise.height_push(-1),
        lambda: serialise.merkle_root([]),
        lambda: serialise.coinbase(1, 0, b"", [], b""),
        lambda: Mix(signal=1.1),
        lambda: Mix(usd_payments=0.9),
        lambda: Mix(usd_weights=(1.0,)),
        lambda: spec_of(1, tx_per_block=0),
        lambda: spec_of(1, previous_hash=b""),
        lambda: list(blocks(spec_of(1, price=Constant(0.0)))),
        lambda: Linear(1.0, 2.0, 5, 5),
        lambda: Every(0, START_S),
        lambda: day_times(1, date(2024, 6, 1), 0),
    ]
    for call in refused:
        with pytest.raises(ValueError):
            call()


def test_equal_specs_give_equal_bytes() -> None:
    digest = hashlib.sha256(b"".join(block.raw for block in blocks(spec_of(4, price=Walk(3, 60_000, START_S)))))
    again = pickle.loads(pickle.dumps(spec_of(4, price=Walk(3, 60_000, START_S))))
    assert hashlib.sha256(b"".join(block.raw for block in blocks(again))).digest() == digest.digest()
    assert digest.hexdigest() == "f4a4c12379843ed91edad6c5ddea1a9b73b6eb49c99890bf20c29e994c58fd3c"
    assert next(blocks(spec_of(1))).raw != next(blocks(spec_of(1, seed=8))).raw


def test_a_block_does_not_depend_on_where_the_chain_began() -> None:
    spec = spec_of(6, mix=Mix(in_window_spends=0.0))
    times_s = tuple(spec.times_s)
    chain = list(blocks(spec))
    later = replace(spec, first_height=spec.first_height + 3, times_s=times_s[3:], previous_hash=chain[2].hash)
    assert list(blocks(later)) == chain[3:]


def test_the_first_block_of_an_endless_chain_is_there_at_once() -> None:
    served: list[int] = []

    def times() -> Iterator[int]:
        for time_s in MainnetTimes(1, START_S):
            served.append(time_s)
            yield time_s

    assert next(blocks(spec_of(0, times_s=times()))).time_s == START_S
    assert len(served) == 1


def test_spends_inside_the_chain_name_earlier_transactions_once() -> None:
    spec = spec_of(12, tx_per_block=200, mix=Mix(in_window_spends=0.2, recent_blocks=3))
    made: dict[bytes, int] = {}
    ages: Counter[int] = Counter()
    spent: set[bytes] = set()
    n_tx = 0
    for block in blocks(spec):
        for tx in parse(block.raw):
            n_tx += 1
            for prevout in tx.prevouts:
                if prevout[:32] in made:
                    ages[block.height - made[prevout[:32]]] += 1
                    assert prevout not in spent
                    spent.add(prevout)
            made[tx.txid] = block.height
    assert set(ages) == {0, 1, 2, 3}
    assert 0.16 < ages.total() / n_tx < 0.22


def test_a_default_day_has_the_stated_size() -> None:
    spec = spec_of(6, tx_per_block=2000)
    txs = [tx for block in blocks(spec) for tx in parse(block.raw)]
    mean_bytes = fmean(tx.size_bytes for tx in txs)
    assert len(txs) == 12_000
    assert mean_bytes == pytest.approx(434, rel=0.03)
    assert 144 * 2000 * mean_bytes == pytest.approx(125e6, rel=0.03)
    passed = sum(tx.passes for tx in txs) / len(txs)
    assert 0.70 < passed < 0.74

    seen: set[bytes] = set()
    amounts = 0
    for tx in txs:
        if tx.passes and not any(prevout[:32] in seen for prevout in tx.prevouts):
            amounts += sum(1_000 < sats < 10**13 for sats, _ in tx.outputs)
        seen.add(tx.txid)
    assert 144 * 2000 * amounts / len(txs) == pytest.approx(400_000, rel=0.03)


def test_a_block_carries_every_kind_of_transaction() -> None:
    txs = [tx for block in blocks(spec_of(4, tx_per_block=500)) for tx in parse(block.raw)[1:]]
    lengths = {len(items[1]) for tx in txs for items in tx.witnesses if len(items) == 2}
    assert lengths == {33}
    signatures = [items[0] for tx in txs for items in tx.witnesses if len(items) == 2]
    assert Counter(map(der_lengths, signatures)).keys() == {(32, 32), (33, 32)}
    assert {items[1][0] for tx in txs for items in tx.witnesses if len(items) == 2} == {2, 3}
    scripts = Counter((script[:2].hex(), len(script)) for tx in txs for _, script in tx.outputs)
    for script in (("76a9", 25), ("a914", 23), ("0014", 22), ("5120", 34)):
        assert scripts[script] > 100
    script_sigs = Counter(len(script_sig) for tx in txs for script_sig in tx.script_sigs)
    assert set(script_sigs) == {0, 23, 106, 107}
    assert any(script[:1] == b"\x6a" and sats == 0 for tx in txs for sats, script in tx.outputs)
    assert any(sum(map(len, items)) > 500 for tx in txs for items in tx.witnesses)
    assert {1, 2, 3, 4, 5, 6, 7, 8} <= {len(tx.prevouts) for tx in txs if len(tx.outputs) == 2}
    assert max(len(tx.prevouts) for tx in txs if len(tx.outputs) == 1) > 15
    assert max(len(tx.outputs) for tx in txs) > 15


def test_round_usd_amounts_are_paid_at_the_price() -> None:
    amounts = amounts_btc(spec_of(30, tx_per_block=300, price=Constant(65_000.0)))
    for usd in (20, 50, 100, 200, 1000):
        at = usd / 65_000
        hits = [amount for amount in amounts if abs(amount / at - 1) < 0.02]
        assert near(amounts, at) > 3 * near(amounts, at * 1.04), usd
        assert median(hits) == pytest.approx(at, rel=0.002)


def test_without_signal_the_price_is_nowhere() -> None:
    spec = spec_of(5, tx_per_block=300, mix=Mix(signal=0.0))
    at_65k = [block.raw for block in blocks(replace(spec, price=Constant(65_000.0)))]
    assert at_65k == [block.raw for block in blocks(replace(spec, price=Constant(30_000.0)))]


def test_the_spread_is_the_one_asked_for() -> None:
    for spread in (0.002, 0.01):
        mix = Mix(usd_payments=0.7, usd_spread=spread, usd_ladder=(100,), usd_weights=(1.0,))
        amounts = amounts_btc(spec_of(6, tx_per_block=400, mix=mix))
        paid = [amount * 650 for amount in amounts if abs(amount * 650 - 1) < 5 * spread]
        assert pstdev(paid) == pytest.approx(spread, rel=0.1)


def test_price_paths() -> None:
    line = Linear(60_000.0, 70_000.0, START_S, START_S + 1000)
    assert [line(START_S + s) for s in (-5, 0, 500, 1000, 2000)] == [60_000, 60_000, 65_000, 70_000, 70_000]
    walk = Walk(5, 50_000.0, START_S, daily_volatility=0.03)
    days = [walk(START_S + day * 86_400) for day in range(400)]
    changes = [b / a - 1 for a, b in pairwise(days)]
    assert walk(START_S - 1) == days[0] == 50_000.0
    assert pstdev(changes) == pytest.approx(0.03, rel=0.12)
    assert pickle.loads(pickle.dumps(walk))(START_S + 9_000_000) == walk(START_S + 9_000_000)


def test_header_times_are_distributed_like_mainnets() -> None:
    times = list(islice(MainnetTimes(1, START_S), 60_000))
    steps = sorted(b - a for a, b in pairwise(times))
    assert times[0] == START_S
    assert fmean(steps) == pytest.approx(593.9, rel=0.015)
    assert pstdev(steps) == pytest.approx(591.0, rel=0.03)
    for percent, seconds in ((1, 7), (10, 65), (50, 414), (90, 1358), (99, 2740)):
        assert steps[len(steps) * percent // 100] == pytest.approx(seconds, rel=0.04, abs=1)
    backwards = [-step for step in steps if step < 0]
    assert len(backwards) / len(steps) == pytest.approx(0.00457, rel=0.2)
    assert median(backwards) == pytest.approx(36, rel=0.25)
    for n in range(11, len(times)):
        assert times[n] > sorted(times[n - 11 : n])[5]


def test_days_have_blocks_on_both_sides() -> None:
    start_s = midnight_s(date(2024, 6, 1))
    assert start_s == START_S
    for every_s in (None, 600):
        times = day_times(5, date(2024, 6, 1), 2, every_s=every_s)
        first = next(n for n, time_s in enumerate(times) if time_s >= start_s)
        inside = sum(start_s <= time_s < start_s + 2 * 86_400 for time_s in times)
        assert first == 30
        assert sum(time_s >= start_s + 2 * 86_400 for time_s in times) == 30
        assert 220 < inside < 360
    assert times[30] == start_s + 300
    assert {b - a for a, b in pairwise(times)} == {600}


def test_the_folder_says_where_each_block_lies(tmp_path: Path) -> None:
    chain = list(blocks(spec_of(5)))
    assert write_folder(iter(chain), tmp_path / "new") == 5
    index = json.loads((tmp_path / "new" / "index.json").read_text())
    data = (tmp_path / "new" / "blocks.dat").read_bytes()
    assert list(index) == ["base_height", "tip_height", "blocks"]
    assert (index["base_height"], index["tip_height"]) == (840_000, 840_004)
    for block, entry in zip(chain, index["blocks"], strict=True):
        assert list(entry) == ["height", "hash", "time", "offset", "length", "n_tx"]
        assert data[entry["offset"] : entry["offset"] + entry["length"]] == block.raw
        assert bytes.fromhex(entry["hash"])[::-1] == block.hash
        assert (entry["height"], entry["time"], entry["n_tx"]) == (block.height, block.time_s, block.n_tx)
    assert sum(entry["length"] for entry in index["blocks"]) == len(data)

    with pytest.raises(ValueError, match="does not follow"):
        write_folder(chain[::2], tmp_path / "new")
    assert not (tmp_path / "new" / "index.json").exists()
    with pytest.raises(ValueError, match="without blocks"):
        write_folder([], tmp_path / "empty")


def test_the_command_writes_a_folder(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    arguments = "--seed 3 --tx-per-block 4 --price 60000:61000 --signal 0.5 --first-date 2024-07-01 --every 3600"
    assert main([str(tmp_path), *arguments.split()]) == 0
    assert capsys.readouterr().out == f"84 blocks in {tmp_path}\n"
    index = json.loads((tmp_path / "index.json").read_text())
    assert index["blocks"][30]["time"] == midnight_s(date(2024, 7, 1)) + 1800
    with pytest.raises(SystemExit):
        main([str(tmp_path), "--price", "cheap"])
    assert "cheap" in capsys.readouterr().err
