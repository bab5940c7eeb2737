"""The version of the documents, and how older ones become newer.

A file keeps the version that it was written in. Its documents are brought up to date whenever they are read, and
are written in the newest version when something in the file changes.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

SCHEMA_VERSION = 2
"""1: one divergence an observation; 2: one a basis, and exchange prices with a source."""

Document = dict[str, Any]
Migration = Callable[[Document], Document]


def upgrade(collection: str, version: int, document: Document) -> Document:
    """The document in the newest version."""
    for step in range(version, SCHEMA_VERSION):
        migration = _MIGRATIONS.get((collection, step))
        if migration is not None:
            document = migration(document)
    return document


def _observation_from_1(document: Document) -> Document:
    changed = dict(document)
    changed["divergence_spot_pct"] = changed.pop("divergence_pct", None)
    if changed.get("exchange_usd") is not None:
        changed.setdefault("exchange_source", "own")
    return changed


def _exchange_reading_from_1(document: Document) -> Document:
    return {"source": "own", **document}


_MIGRATIONS: Mapping[tuple[str, int], Migration] = {
    ("observations", 1): _observation_from_1,
    ("exchange-readings", 1): _exchange_reading_from_1,
}
"""By collection and the version that they start from."""
