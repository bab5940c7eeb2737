"""A store with one part, spoilt in ways that are known, and looked at in every way that there is."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from tests.support.records import START_S, observation
from utxoracle_tui.store.records import Observation
from utxoracle_tui.store.store import Store

LOOKS: dict[str, Callable[[Store], int]] = {
    "all": lambda store: len(store.observations.all()),
    "count": lambda store: store.observations.count(),
    "between": lambda store: len(store.observations.between(START_S, START_S + 86_400)),
    "heights": lambda store: len(store.observations.between_heights(0, 2_000_000)),
    "newest": lambda store: len(store.observations.newest(1000)),
    "columns": lambda store: len(store.observations.columns(0, 2e9)["time_s"]),
}
"""How many records each way of reading finds."""


class Spoilt:
    """A store whose newest file gets damaged; the state before it has one record less."""

    def __init__(self, folder: Path, records: int) -> None:
        self._folder = folder
        store = self.open()
        self.records: list[Observation] = [observation(number, START_S + number) for number in range(records)]
        store.observations.put(self.records[:-1])
        store.observations.insert(self.records[-1])
        self.path = store.folder.root / "observations" / "2025" / "2025-01-01.json"
        self.previous = self.path.with_suffix(".previous")
        self.bytes, self.bytes_before = self.path.read_bytes(), self.previous.read_bytes()

    def open(self) -> Store:
        """The store as a program that has just been started sees it."""
        return Store(self._folder, "main")

    def assert_found(self, data: bytes, look: str) -> None:
        """Damage is found at the first look, whichever it is; the state before is used, and the damage set aside."""
        self.path.write_bytes(data)
        self.previous.write_bytes(self.bytes_before)
        store = self.open()
        seen = LOOKS[look](store)
        # the header may be whole, and its count is then that of the newest state
        assert seen == len(self.records) - (not (look == "count" and not store.notices.all()))
        assert store.observations.all() == self.records[:-1]
        assert all(look(store) == len(self.records) - 1 for look in LOOKS.values())
        (notice,) = store.notices.all()
        assert notice.path == self.path
        assert notice.sentence.startswith(f"{self.path} was damaged (")
        assert "The state before it is used from now on." in notice.sentence
        assert "\n" not in notice.sentence
        (aside,) = store.folder.damaged.iterdir()
        assert f"The damaged file is kept as {aside}." in notice.sentence
        assert aside.read_bytes() == data
        assert self.path.read_bytes() == self.previous.read_bytes() == self.bytes_before
        aside.unlink()
