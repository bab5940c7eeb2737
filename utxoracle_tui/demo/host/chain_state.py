"""The blocks that the simulated node knows, and which of them are its best chain."""

from __future__ import annotations

import struct
from dataclasses import dataclass

from utxoracle_tui.demo.chain.builder import GeneratedBlock
from utxoracle_tui.demo.chain.serialise import HEADER_BYTES, display_hex
from utxoracle_tui.demo.chain.times import MEDIAN_TIME_BLOCKS
from utxoracle_tui.demo.host.block_store import RECORD_HEAD_BYTES, BlockStore, Place

_HEADER = struct.Struct("<i32s32sIII")
_WORK_PER_BLOCK = 2
"""Hashes that a block of regtest's target stands for."""


@dataclass(frozen=True, slots=True)
class Known:
    """A block that the node has. Hashes are as RPC writes them."""

    height: int
    hash: str
    previous_hash: str
    header: bytes
    """80 bytes."""
    time_s: int
    median_time_s: int
    """Median of its own time and the ten before."""
    n_tx: int
    tx_total: int
    """Transactions of the chain up to this block, it included."""
    place: Place

    @property
    def version(self) -> int:
        """Header version."""
        return int(_HEADER.unpack(self.header)[0])

    @property
    def merkle_root(self) -> str:
        """As RPC writes it."""
        return display_hex(_HEADER.unpack(self.header)[2])

    @property
    def bits(self) -> int:
        """The compact target."""
        return int(_HEADER.unpack(self.header)[4])

    @property
    def nonce(self) -> int:
        """The header's nonce."""
        return int(_HEADER.unpack(self.header)[5])

    @property
    def chainwork(self) -> int:
        """Hashes that the chain up to here stands for, all blocks having regtest's target."""
        return (self.height + 1) * _WORK_PER_BLOCK


@dataclass(frozen=True, slots=True)
class ChainTip:
    """The end of a branch."""

    block: Known
    branch_blocks: int
    """Above the best chain; 0 for its own tip."""


class ChainState:
    """An index over stored blocks. The longest branch is the best chain; of equal ones the first."""

    def __init__(self, store: BlockStore) -> None:
        self._store = store
        self._by_hash: dict[str, Known] = {}
        self._best: list[Known] = []
        self._pruned_below: int | None = None
        self._stored_bytes = 0

    def __len__(self) -> int:
        """Number of blocks on all branches."""
        return len(self._by_hash)

    @property
    def tip(self) -> Known:
        """The newest block of the best chain. Raises IndexError before the first block."""
        return self._best[-1]

    @property
    def pruned_below(self) -> int | None:
        """The height below which blocks are gone; None when the node doesn't prune."""
        return self._pruned_below

    @property
    def size_on_disk_bytes(self) -> int:
        """Of the records of all blocks that are not pruned."""
        return self._stored_bytes

    def connect(self, block: GeneratedBlock) -> Known:
        """Store a block on top of one that is known.

        It becomes the tip when its branch is now longer than the best chain. Raises ValueError when the block
        before it is unknown or its time is not above the median of the eleven before.
        """
        known = self._entry(block)
        self._by_hash[known.hash] = known
        self._stored_bytes += self._size(known)
        if not self._best or known.height > self.tip.height:
            self._make_best(known)
        return known

    def at(self, height: int) -> Known | None:
        """The block of the best chain at a height."""
        return self._best[height] if 0 <= height < len(self._best) else None

    def find(self, block_hash: str) -> Known | None:
        """A block of any branch."""
        return self._by_hash.get(block_hash)

    def is_best(self, block: Known) -> bool:
        """Whether the block is in the best chain."""
        return self.at(block.height) is block

    def confirmations(self, block: Known) -> int:
        """As RPC counts them: 1 at the tip, -1 off the best chain."""
        return self.tip.height - block.height + 1 if self.is_best(block) else -1

    def run_from(self, block: Known, count: int) -> list[Known]:
        """At most `count` blocks of the best chain from this one on; none when it isn't in there."""
        return self._best[block.height : block.height + count] if self.is_best(block) else []

    def tips(self) -> list[ChainTip]:
        """The ends of all branches, highest first."""
        parents = {known.previous_hash for known in self._by_hash.values()}
        ends = [known for known in self._by_hash.values() if known.hash not in parents]
        ends.sort(key=lambda known: -known.height)
        return [ChainTip(end, self._branch_blocks(end)) for end in ends]

    def raw(self, block: Known) -> bytes | None:
        """The whole block, or None when it is pruned."""
        if self._pruned_below is not None and block.height < self._pruned_below:
            return None
        return self._store.read(block.place)

    def prune_below(self, height: int | None) -> None:
        """Forget the blocks under a height; None makes the node one that never pruned."""
        self._pruned_below = height
        self._stored_bytes = sum(self._size(known) for known in self._by_hash.values())

    def _entry(self, block: GeneratedBlock) -> Known:
        header = block.raw[:HEADER_BYTES]
        previous_hash = display_hex(_HEADER.unpack(header)[1])
        parent = self._by_hash.get(previous_hash)
        if block.height and (parent is None or parent.height != block.height - 1):
            raise ValueError(f"a block of height {block.height} on {previous_hash}, which is not known at that place")
        if parent is not None and block.time_s <= parent.median_time_s:
            raise ValueError(f"a block of {block.time_s}, which is not above the median time {parent.median_time_s}")
        return Known(
            height=block.height,
            hash=display_hex(block.hash),
            previous_hash=previous_hash,
            header=header,
            time_s=block.time_s,
            median_time_s=self._median_time_s(block.time_s, parent),
            n_tx=block.n_tx,
            tx_total=(parent.tx_total if parent else 0) + block.n_tx,
            place=self._store.append(block.raw),
        )

    def _median_time_s(self, time_s: int, parent: Known | None) -> int:
        times = [time_s]
        while parent is not None and len(times) < MEDIAN_TIME_BLOCKS:
            times.append(parent.time_s)
            parent = self._by_hash.get(parent.previous_hash)
        return sorted(times)[len(times) // 2]

    def _make_best(self, tip: Known) -> None:
        branch: list[Known] = []
        block: Known | None = tip
        while block is not None and not self.is_best(block):
            branch.append(block)
            block = self._by_hash.get(block.previous_hash)
        del self._best[tip.height + 1 - len(branch) :]
        self._best.extend(reversed(branch))

    def _branch_blocks(self, end: Known) -> int:
        blocks = 0
        block: Known | None = end
        while block is not None and not self.is_best(block):
            blocks += 1
            block = self._by_hash.get(block.previous_hash)
        return blocks

    def _size(self, known: Known) -> int:
        if self._pruned_below is not None and known.height < self._pruned_below:
            return 0
        return RECORD_HEAD_BYTES + known.place.size_bytes
