"""Window results: days by month, block windows by day."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from utxoracle_tui.store.collection import Collection, Outcome
from utxoracle_tui.store.kinds import BLOCK_WINDOWS, DAY_WINDOWS
from utxoracle_tui.store.records import Window, WindowKey, WindowKind, midnight_s
from utxoracle_tui.store.store_folder import StoreFolder


class Windows:
    """The results of all windows. Writing raises `StoreTrouble`."""

    def __init__(self, folder: StoreFolder) -> None:
        self.days: Collection[Window] = Collection(DAY_WINDOWS, folder)
        self.blocks: Collection[Window] = Collection(BLOCK_WINDOWS, folder)

    def of_kind(self, kind: WindowKind) -> Collection[Window]:
        """The collection of a kind."""
        return self.days if kind == "day" else self.blocks

    def put(self, windows: Iterable[Window], *, replace: bool = True) -> list[Outcome]:
        """Keep results; a newer one of the same window takes the place of the older, unless told otherwise."""
        wanted = list(windows)
        kinds: tuple[WindowKind, ...] = ("day", "blocks")
        outcomes: dict[int, Outcome] = {}
        for kind in kinds:
            numbers = [number for number, window in enumerate(wanted) if window.kind == kind]
            found = self.of_kind(kind).put([wanted[number] for number in numbers], replace=replace)
            outcomes.update(zip(numbers, found, strict=True))
        return [outcomes[number] for number in range(len(wanted))]

    def get(self, key: WindowKey, near_time_s: float | None = None) -> Window | None:
        """The result of a window. For one that is known by its heights, the time of its last block finds it sooner."""
        if key.date is not None:
            return self.days.get(key.text, DAY_WINDOWS.span.part_of(midnight_s(key.date)))
        if near_time_s is not None:
            return self.blocks.get(key.text, BLOCK_WINDOWS.span.part_of(near_time_s))
        if key.last_height is None:
            return None
        near = self.blocks.between_heights(key.last_height, key.last_height)
        return next((window for window in near if window.key == key.text), None)

    def between(self, start_s: float, end_s: float, kind: WindowKind) -> list[Window]:
        """Windows of a kind with `start_s <= time_s < end_s`, by time."""
        return self.of_kind(kind).between(start_s, end_s)

    def between_heights(self, first: int, last: int, kind: WindowKind) -> list[Window]:
        """Windows of a kind that end within these heights, both included."""
        return self.of_kind(kind).between_heights(first, last)

    def newest(self, kind: WindowKind, count: int = 1) -> list[Window]:
        """The latest windows of a kind, the latest first."""
        return self.of_kind(kind).newest(count)

    def columns(self, start_s: float, end_s: float, kind: WindowKind) -> dict[str, NDArray[np.float64]]:
        """The numbers of a kind's windows in a span of time, by column."""
        return self.of_kind(kind).columns(start_s, end_s)

    def count(self, kind: Literal["day", "blocks"] | None = None) -> int:
        """How many there are."""
        kinds = (self.days, self.blocks) if kind is None else (self.of_kind(kind),)
        return sum(collection.count() for collection in kinds)
