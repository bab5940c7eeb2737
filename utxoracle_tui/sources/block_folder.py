"""Raw blocks in a folder: `index.json` with `blocks.dat`, or one `.bin` file a block.

Opening a folder reads headers and coinbases only. Heights of `.bin` files come from their coinbases (BIP 34).
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any, NoReturn

from utxoracle_core.coinbase import read_height
from utxoracle_core.errors import BlockError
from utxoracle_core.hashes import display_hash
from utxoracle_core.header import BlockHeader, check_work, parse_header
from utxoracle_core.scan import HEADER_BYTES
from utxoracle_tui.errors import Exit, OperatorError

HEADER_SPACING_S = 600
"""Header times below the first block of a folder are taken to be this far apart."""
MAIN_LEAST_DIFFICULTY = 1e10
"""Bitcoin's main network has been above it since mid-2014; no test network has come near."""
_COINBASE_READ_BYTES = 65_536


@dataclass(frozen=True, slots=True)
class BlockRef:
    """Where the bytes of one block lie."""

    height: int
    header: BlockHeader
    path: Path
    offset_bytes: int
    length_bytes: int

    def read(self) -> bytes:
        """The raw block; raises `OSError`."""
        with self.path.open("rb") as file:
            file.seek(self.offset_bytes)
            return file.read(self.length_bytes)


class FolderTimes(Mapping[int, int]):
    """Header times of a folder, by height; below its first block they are estimated, every 600 s."""

    def __init__(self, refs: Mapping[int, BlockRef], base: int) -> None:
        self._refs = refs
        self._base = base

    def __getitem__(self, height: int) -> int:
        if height < self._base:
            return self._refs[self._base].header.time - HEADER_SPACING_S * (self._base - height)
        return self._refs[height].header.time

    def __iter__(self) -> Iterator[int]:
        return iter(self._refs)

    def __len__(self) -> int:
        return len(self._refs)


@dataclass(frozen=True, slots=True)
class BlockFolder:
    """A folder of consecutive, hash-linked blocks."""

    path: Path
    base: int
    tip: int
    refs: Mapping[int, BlockRef]
    is_main: bool
    """Whether every block meets the proof of work of Bitcoin's main network."""

    @property
    def times(self) -> FolderTimes:
        """Header times by height, unix seconds."""
        return FolderTimes(self.refs, self.base)


def open_folder(path: Path) -> BlockFolder:
    """Find the blocks of a folder, and check that they are consecutive and hash-linked.

    Raises `OperatorError` for a folder that can't be used, saying what is wrong with which file.
    """
    if not path.exists():
        raise OperatorError("no_folder", f"There is no folder {path}. Give a folder of raw blocks.", Exit.USAGE)
    if not path.is_dir():
        raise OperatorError("no_folder", f"{path} is not a folder. Give the folder that the blocks lie in.", Exit.USAGE)
    try:
        refs = _indexed(path) if (path / "index.json").exists() else _single_files(path)
    except OSError as error:
        name = error.filename or path
        raise OperatorError("unreadable", f"{name} can't be read: {error.strerror}.", Exit.UNREACHABLE) from None
    if not refs:
        raise OperatorError(
            "no_blocks",
            f"{path} holds no blocks. It needs index.json and blocks.dat, or one .bin file a block.",
            Exit.USAGE,
        )
    refs.sort(key=lambda ref: ref.height)
    _check_linked(refs)
    return BlockFolder(
        path=path,
        base=refs[0].height,
        tip=refs[-1].height,
        refs={ref.height: ref for ref in refs},
        is_main=all(_meets_main_work(ref.header) for ref in refs),
    )


def _damaged(path: Path, what: str) -> NoReturn:
    raise OperatorError("damaged", f"{path} is damaged: {what}", Exit.FAILED) from None


def _indexed(folder: Path) -> list[BlockRef]:
    index_path, blocks_path = folder / "index.json", folder / "blocks.dat"
    try:
        entries: list[dict[str, Any]] = json.loads(index_path.read_bytes())["blocks"]
        places = [(int(e["height"]), str(e["hash"]), int(e["offset"]), int(e["length"])) for e in entries]
    except (ValueError, KeyError, TypeError) as error:
        _damaged(index_path, f"it is not an index of blocks ({type(error).__name__}: {error}).")
    refs = []
    size = blocks_path.stat().st_size
    with blocks_path.open("rb") as file:
        for height, hash_text, offset, length in places:
            if offset < 0 or length < HEADER_BYTES or offset + length > size:
                _damaged(blocks_path, f"block {height} should end at byte {offset + length}, the file has {size}.")
            file.seek(offset)
            header = parse_header(file.read(HEADER_BYTES))
            if header.hash_text != hash_text:
                _damaged(blocks_path, f"at byte {offset} lies block {header.hash_text}, the index says {hash_text}.")
            refs.append(BlockRef(height, header, blocks_path, offset, length))
    return refs


def _single_files(folder: Path) -> list[BlockRef]:
    refs = []
    for path in sorted(folder.glob("*.bin")):
        with path.open("rb") as file:
            start = file.read(_COINBASE_READ_BYTES)
        try:
            header = parse_header(start)
            height = read_height(start)
        except BlockError as error:
            _damaged(path, f"at byte {error.offset_bytes}, expected {error.expected}.")
        if height is None:
            _damaged(path, "its coinbase states no height (BIP 34), so its place in the chain is unknown.")
        refs.append(BlockRef(height, header, path, 0, path.stat().st_size))
    return refs


def _check_linked(refs: list[BlockRef]) -> None:
    for before, after in pairwise(refs):
        if after.height == before.height:
            message = f"Height {after.height} is there twice: {before.header.hash_text} and {after.header.hash_text}."
            raise OperatorError("gap", message, Exit.FAILED)
        if after.height != before.height + 1:
            missing = f"{before.height + 1}"
            if after.height > before.height + 2:
                missing += f" to {after.height - 1}"
            message = f"The blocks have a gap: after height {before.height} comes {after.height}; {missing} is missing."
            raise OperatorError("gap", message, Exit.FAILED)
        if after.header.previous_hash != before.header.block_hash:
            message = (
                f"The blocks are not of one chain: block {after.height} builds on "
                f"{display_hash(after.header.previous_hash)}, block {before.height} is {before.header.hash_text}."
            )
            raise OperatorError("not_linked", message, Exit.FAILED)


def _meets_main_work(header: BlockHeader) -> bool:
    try:
        check_work(header)
    except BlockError:
        return False
    return header.difficulty >= MAIN_LEAST_DIFFICULTY
