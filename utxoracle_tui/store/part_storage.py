"""TinyDB's `Storage` on a part file."""

from __future__ import annotations

from typing import Any

from tinydb.storages import Storage

from utxoracle_tui.store.envelope import Header, Sealed, Tables, tables_of
from utxoracle_tui.store.part_file import PartFile
from utxoracle_tui.store.schema import SCHEMA_VERSION, upgrade


class PartStorage(Storage):
    """All that is changed between opening and closing is one write, made on closing; the lock must be held.

    One that is never closed has written nothing.
    """

    def __init__(self, file: PartFile, collection: str, header: Header) -> None:
        """`header` describes the content as it will be."""
        self._file = file
        self._collection = collection
        self._header = header
        self._tables: Tables | None = None
        self._changed = False
        self.checksum: str | None = None
        """Of what was written."""

    def read(self) -> dict[str, dict[str, Any]] | None:
        """All tables, documents in the newest version. Raises `StoreTrouble`."""
        if self._tables is None:
            sealed = self._file.read()
            self._tables = None if sealed is None else up_to_date(self._collection, sealed)
        return self._tables

    def write(self, data: dict[str, dict[str, Any]]) -> None:
        """Remember what is to be written."""
        self._tables, self._changed = data, True

    def close(self) -> None:
        """Replace the file, if something was changed. Raises `StoreTrouble`."""
        if self._changed and self._tables is not None:
            self.checksum = self._file.write(self._header, self._tables)
            self._changed = False


def up_to_date(collection: str, sealed: Sealed) -> Tables:
    """The tables of a file, documents in the newest version."""
    tables = tables_of(sealed)
    version = sealed.header.schema
    if version == SCHEMA_VERSION:
        return tables
    return {
        name: {number: upgrade(collection, version, document) for number, document in table.items()}
        for name, table in tables.items()
    }
