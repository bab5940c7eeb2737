"""Finding a block by its hash in the block files of a node: the newest file first, each file read once.

Blocks lie in the order of their arrival, stale ones among them. A node asks for blocks at most 1,024 ahead of its own
tip (Bitcoin Core, `BLOCK_DOWNLOAD_WINDOW`), so a block lies at most that far from those of the same age: by the time
in its header, files that are much newer are passed over, and the search ends at one that is much older.

Everything here blocks and belongs in a thread.
"""

from __future__ import annotations

import math
import os
import re
import threading
from bisect import bisect_right
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

from utxoracle_core.hashes import internal_hash
from utxoracle_tui.config.networks import NETWORKS, Network
from utxoracle_tui.sources.block_files_index import IndexFolder, Part, empty_part
from utxoracle_tui.sources.block_files_records import (
    HEAD_BYTES,
    NO_KEY,
    BlockFile,
    BlockPlace,
    BlockRecord,
    DamagedKey,
    read_key,
)

DAY_S = 86_400
SLACKS_S = (DAY_S, 14 * DAY_S)
"""How far from its time a block is looked for: as a node in sync has it, then as one does that was catching up."""
_FILE = re.compile(r"blk(\d{5,9})\.dat")


class NotUsable(Exception):
    """The whole folder can't be used, as a sentence for the operator."""

    def __init__(self, sentence: str) -> None:
        self.sentence = sentence
        super().__init__(sentence)


class BlockSearch:
    """The block files of one node. Threads take turns; `notes` grows by a sentence for each new trouble."""

    def __init__(self, folder: Path, network: Network, index: IndexFolder) -> None:
        self.notes: list[str] = []
        self._folder = folder
        self._network = network
        self._index = index
        self._turn = threading.Lock()
        self._key = NO_KEY
        self._numbers: list[int] = []
        self._parts: dict[int, Part] = {}
        self._senseless: dict[int, int] = {}
        """Sizes of files that hold something, but no block of this network."""
        self._distrusted: set[str] = set()

    def known(self, hash_text: str, time_s: int) -> BlockPlace | None:
        """Where a block lies, if that is known already. Any thread may ask at any time, nothing is waited for."""
        if hash_text in self._distrusted:
            return None
        block_hash = internal_hash(hash_text)
        places = (self._place_in(part, block_hash, time_s) for part in tuple(self._parts.values()))
        return next(filter(None, places), None)

    def find(self, hash_text: str, time_s: int, stopped: Callable[[], bool]) -> BlockPlace | None:
        """Where a block lies, given its hash and the time in its header; None where it isn't there.

        Raises `NotUsable` for a folder that can't be used, `Stopped` when `stopped` says so.
        """
        block_hash = internal_hash(hash_text)
        with self._turn:
            if hash_text in self._distrusted:
                return None
            if place := self.known(hash_text, time_s):
                return place
            self._list_files()
            looked_at = set()
            for number in self._candidates(time_s, stopped):
                if number not in looked_at:
                    looked_at.add(number)
                    if place := self._place_in(self._look(number, stopped), block_hash, time_s):
                        return place
            return None

    def distrust(self, hash_text: str, place: BlockPlace, reason: str | None) -> None:
        """Take note that a block could not be had from its place; its file will be read anew.

        Without a reason the file is gone. With one, the block isn't looked for again, and a note is made.
        """
        with self._turn:
            for number in [n for n in self._parts if self._path(n) == place.path]:
                self._forget(number)
            if reason is not None:
                self._distrusted.add(hash_text)
                self.note(
                    f"Block {hash_text} can't be used as it lies in {place.path}: {reason}. The node is asked for it."
                )

    def _place_in(self, part: Part, block_hash: bytes, time_s: int) -> BlockPlace | None:
        row = part.row_of(block_hash, time_s)
        if row is None:
            return None
        return BlockPlace(self._path(part.number), int(part.offsets[row]), int(part.lengths[row]), self._key)

    def _list_files(self) -> None:
        """See which files there are, and forget what is known of those that are gone, as in a node that prunes."""
        try:
            key = read_key(self._folder)
            names = os.listdir(self._folder)  # noqa: PTH208  (thousands, and nothing but their names is needed)
        except (FileNotFoundError, NotADirectoryError):
            raise NotUsable(self._unusable("isn't there")) from None
        except OSError as error:
            raise NotUsable(self._unusable(f"can't be read ({error.strerror})")) from None
        except DamagedKey as error:
            what = f"has a key ({error.path.name}) of {error.length_bytes} bytes, not of 8"
            raise NotUsable(self._unusable(what)) from None
        if key != self._key:
            self._key = key
            self._parts.clear()
            self._senseless.clear()
        numbers = {int(match[1]) for name in names if (match := _FILE.fullmatch(name))}
        if not numbers:
            raise NotUsable(self._unusable("holds no block files"))
        if not self._numbers or not numbers.issuperset(self._numbers):
            self._index.tidy(numbers)
            self._parts = {number: part for number, part in self._parts.items() if number in numbers}
        self._numbers = sorted(numbers)

    def _candidates(self, time_s: int, stopped: Callable[[], bool]) -> Iterator[int]:
        """The files that may hold a block of this time, the newest first, some of them repeatedly."""

        def begin_s(number: int) -> float:
            return self._begin_s(number, stopped)

        for slack_s in SLACKS_S:
            end, latest_s = len(self._numbers), float(time_s + slack_s)
            if begin_s(self._numbers[-1]) > latest_s:
                end = bisect_right(self._numbers, latest_s, key=begin_s)
            for number in reversed(self._numbers[:end]):
                yield number
                if begin_s(number) < time_s - slack_s:
                    break

    def _begin_s(self, number: int, stopped: Callable[[], bool]) -> float:
        """The time in the first header of a file; infinite where it holds no block yet."""
        part = self._parts.get(number)
        if part is None:
            with suppress(OSError), self._open(number) as file:
                if record := file.record_at(0):
                    return record.header.time
            part = self._look(number, stopped)
        return int(part.times_s[0]) if len(part.times_s) else math.inf

    def _look(self, number: int, stopped: Callable[[], bool]) -> Part:
        """What a file holds now; only what is new in it is read."""
        try:
            with self._open(number) as file:
                return self._read_on(file, self._known(number, file), stopped)
        except FileNotFoundError:
            self._forget(number)
        except OSError as error:
            self.note(f"{self._path(number)} can't be read: {error.strerror}. The node is asked for its blocks.")
        return empty_part(number)

    def _known(self, number: int, file: BlockFile) -> Part:
        """What was known of a file, unless it is another file now."""
        part = self._parts.get(number) or self._index.read(number)
        if part is None:
            return empty_part(number)
        if part.scanned_bytes <= file.size_bytes and len(part.hashes):
            first = file.record_at(int(part.offsets[0]) - HEAD_BYTES)
            if first is not None and first.header.block_hash == part.hashes[0].tobytes():
                self._parts[number] = part
                return part
        self._forget(number)
        return empty_part(number)

    def _read_on(self, file: BlockFile, part: Part, stopped: Callable[[], bool]) -> Part:
        if not part.scanned_bytes and self._makes_no_sense(file, part.number):
            return part
        records: list[BlockRecord] = []
        try:
            for record in file.records(part.scanned_bytes, stopped):
                records.append(record)  # noqa: PERF402  (what was read stays when it is stopped)
        finally:
            if records:
                part = part.with_records(records)
                self._keep(part)
        if not part.scanned_bytes and file.begins_with() not in {None, self._network.magic}:
            self._senseless[part.number] = file.size_bytes
            self._makes_no_sense(file, part.number)
        return part

    def _makes_no_sense(self, file: BlockFile, number: int) -> bool:
        """Whether a file was found to hold something, but no block.

        Raises `NotUsable` where none of the others made sense either, and for a file of another network.
        """
        begin = file.begins_with()
        other = next((network.name for network in NETWORKS.values() if network.magic == begin), None)
        if other not in {None, self._network.name}:
            raise NotUsable(self._unusable(f"holds blocks of the network {other}, not of {self._network.name}"))
        if self._senseless.get(number) != file.size_bytes:
            return False
        what = f"holds no block of the network {self._network.name}"
        if not self._parts:
            raise NotUsable(self._unusable(f"{what} in {self._path(number).name}"))
        self.note(f"{self._path(number)} {what}. It may be damaged.")
        return True

    def _keep(self, part: Part) -> None:
        self._parts[part.number] = part
        try:
            self._index.write(part)
        except OSError as error:
            self.note(
                f"The index of the block files can't be kept in {self._index.folder}: {error.strerror}. It is made "
                "anew whenever this program starts."
            )

    def _forget(self, number: int) -> None:
        self._parts.pop(number, None)
        self._index.remove(number)

    def _open(self, number: int) -> BlockFile:
        return BlockFile(self._path(number), self._network.magic, self._key)

    def _path(self, number: int) -> Path:
        return self._folder / f"blk{number:05}.dat"

    def _unusable(self, what: str) -> str:
        return (
            f"The folder of block files {self._folder} {what}, so the node is asked for blocks. To mend it, set "
            "node.blocks_dir, or give this user the right to read; to do without, set node.read_block_files to false."
        )

    def note(self, sentence: str) -> None:
        """Make a note, unless it was made before."""
        if sentence not in self.notes:
            self.notes.append(sentence)
