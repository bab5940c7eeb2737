"""What the importer knows of a kind of file."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from operator import eq
from typing import Any, Generic

from utxoracle_tui.store.collection import Collection
from utxoracle_tui.store.importing.cells import Row
from utxoracle_tui.store.part_reader import R
from utxoracle_tui.store.store import Store


@dataclass(frozen=True, slots=True)
class Context:
    """What a row has to be read with."""

    network: str
    consensus_name: str | None
    """The canonical name of a day's price on this network, if it has one."""
    now_s: float
    network_is_said: bool = False
    """Whether the file says of which network it is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FileKind(Generic[R]):
    """A kind of file: how it is told, how its rows are read, and where they go."""

    name: str
    """A stable word, for programs."""
    title: str
    columns: tuple[str, ...]
    """All of these make it this kind; others may be there."""
    read: Callable[[Row, Context], R]
    """Raises `Refused`."""
    collection: Callable[[Store, R], Collection[R]]
    same: Callable[[R, R], bool] = eq
    """Whether a stored record and a new one with its key say the same."""
    makes_way: Callable[[R, R], bool] | None = None
    """Whether a stored record makes way for a new one; else it stays."""
    json_lines: bool = False


AnyKind = FileKind[Any]
