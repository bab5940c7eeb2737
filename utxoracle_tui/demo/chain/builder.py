"""Chains of generated blocks: linked by hash, mined, and produced one at a time."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from itertools import count
from pathlib import Path

from utxoracle_tui.demo.chain.assemble import RecentOutputs, transactions
from utxoracle_tui.demo.chain.draws import Draws, Stream
from utxoracle_tui.demo.chain.economy import NO_FLOOD, Flood, Mix, plan_block
from utxoracle_tui.demo.chain.prices import Constant, PricePath
from utxoracle_tui.demo.chain.scripts import reward_script
from utxoracle_tui.demo.chain.serialise import (
    HEADER_BYTES,
    MAX_BLOCK_WEIGHT,
    Tx,
    block_bytes,
    coinbase,
    display_hex,
    merkle_root,
    mine_header,
    subsidy_sats,
)

_COUNT_BYTES = 9
"""The most that the number of transactions takes."""
_COINBASE_WEIGHT = 1_000
"""More than any coinbase made here has."""
_DEFAULT_PRICE = Constant(65_000.0)
_MEAN_FEES_SATS = 5_000
"""A transaction, on average; of no consequence, the inputs are made up."""


@dataclass(frozen=True, slots=True)
class Oddity:
    """What is out of the ordinary in a block."""

    price_usd: float | None = None
    """That its round USD payments are made at, whatever the price of the day is."""
    usd_payments: float | None = None
    """Share of its transactions that are such payments."""
    flood: Flood = NO_FLOOD


ORDINARY = Oddity()


def ordinary(_height: int) -> Oddity:
    """Nothing odd at any height."""
    return ORDINARY


@dataclass(frozen=True, slots=True)
class ChainSpec:
    """Everything that a chain is made from: equal ones give equal bytes on any machine.

    It can be pickled when its parts can.
    """

    seed: int
    times_s: Iterable[int]
    """Header times, one a block: a tuple (`day_times`) or something endless (`MainnetTimes`)."""
    first_height: int = 840_000
    tx_per_block: int = 2000
    """Transactions, the coinbase included; fewer in a block that they would make too heavy."""
    price: PricePath = _DEFAULT_PRICE
    """USD per bitcoin at the header time of a block, at which its round USD payments are made."""
    mix: Mix = field(default_factory=Mix)
    previous_hash: bytes = bytes(32)
    """Of the block before the first one, in internal order."""
    oddity: Callable[[int], Oddity] = ordinary
    """By height; asked for when the block is made."""

    def __post_init__(self) -> None:
        if self.seed < 0 or self.first_height < 0 or self.tx_per_block < 1 or len(self.previous_hash) != 32:
            raise ValueError(
                "a chain needs a seed and a height of 0 or more, a coinbase, and a previous hash of 32 bytes"
            )


@dataclass(frozen=True, slots=True)
class GeneratedBlock:
    """A block of a generated chain."""

    height: int
    hash: bytes
    """In internal order."""
    time_s: int
    n_tx: int
    raw: bytes
    """The whole block; the header is the first 80 bytes."""


def blocks(spec: ChainSpec) -> Iterator[GeneratedBlock]:
    """The blocks of a chain in height order, each made when it is asked for.

    What a block pays depends on the seed, its height, its oddity and the price alone; only the hash link and the spends
    of recent outputs depend on the blocks before it. Raises ValueError when the price path gives no price.
    """
    recent = RecentOutputs(spec.mix.recent_blocks)
    previous_hash = spec.previous_hash
    for height, time_s in zip(count(spec.first_height), spec.times_s, strict=False):
        block = _block(spec, height, time_s, previous_hash, recent)
        previous_hash = block.hash
        yield block


def _block(spec: ChainSpec, height: int, time_s: int, previous_hash: bytes, recent: RecentOutputs) -> GeneratedBlock:
    oddity = spec.oddity(height)
    price_usd = spec.price(time_s) if oddity.price_usd is None else oddity.price_usd
    if not price_usd > 0:
        raise ValueError(f"the price path gives {price_usd} at {time_s}")
    draws = Draws(spec.seed, Stream.BLOCK, height)
    extra_nonce = draws.octets(8).tobytes()
    script = reward_script(draws)
    plan = plan_block(_mix(spec.mix, oddity), spec.tx_per_block - 1, price_usd, draws, oddity.flood)
    recent.begin_block()
    txs: list[Tx] = []
    weight_left = MAX_BLOCK_WEIGHT - 4 * (HEADER_BYTES + _COUNT_BYTES) - _COINBASE_WEIGHT
    for tx in transactions(plan, draws, recent):
        weight_left -= tx.weight
        if weight_left < 0:
            break
        recent.add(tx.txid)
        txs.append(tx)
    reward_sats = subsidy_sats(height) + _MEAN_FEES_SATS * len(txs)
    first = coinbase(height, reward_sats, script, [tx.wtxid for tx in txs], extra_nonce)
    txs.insert(0, first)
    header, block_hash = mine_header(previous_hash, merkle_root([tx.txid for tx in txs]), time_s)
    return GeneratedBlock(height, block_hash, time_s, len(txs), block_bytes(header, txs))


def _mix(mix: Mix, oddity: Oddity) -> Mix:
    return mix if oddity.usd_payments is None else replace(mix, usd_payments=oddity.usd_payments)


def write_folder(chain: Iterable[GeneratedBlock], folder: Path) -> int:
    """Write `blocks.dat`, the raw blocks one after the other, and `index.json`, which says where each lies.

    The folder is made when it isn't there, and files of these names are replaced. Returns the number of
    blocks. Raises ValueError when there are none or their heights have a gap, OSError when it cannot write.
    """
    folder.mkdir(parents=True, exist_ok=True)
    index = folder / "index.json"
    index.unlink(missing_ok=True)  # an index only ever stands beside the blocks that it describes
    lines: list[str] = []
    offset = base = tip = 0
    with (folder / "blocks.dat").open("wb") as file:
        for block in chain:
            if not lines:
                base = block.height
            elif block.height != tip + 1:
                raise ValueError(f"height {block.height} does not follow {tip}")
            tip = block.height
            file.write(block.raw)
            lines.append(_index_line(block, offset))
            offset += len(block.raw)
    if not lines:
        raise ValueError("a chain without blocks")
    entries = ",\n".join(lines)
    text = f'{{"base_height": {base}, "tip_height": {tip}, "blocks": [\n{entries}\n]}}\n'
    index.write_text(text, encoding="ascii")
    return len(lines)


def _index_line(block: GeneratedBlock, offset: int) -> str:
    entry = {
        "height": block.height,
        "hash": display_hex(block.hash),
        "time": block.time_s,
        "offset": offset,
        "length": len(block.raw),
        "n_tx": block.n_tx,
    }
    return json.dumps(entry)
