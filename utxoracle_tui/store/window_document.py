"""Records as plain documents, and a window back from the one that `price --json` prints."""

from __future__ import annotations

from typing import Any

import msgspec

from utxoracle_tui.store.records import Observation, Window


def window_of(document: dict[str, Any]) -> Window:
    """The record of such a document. Raises `ValueError` for one that is none."""
    return msgspec.convert(document, Window)


def document_of(record: Observation | Window) -> dict[str, Any]:
    """All fields of a record; dates as ISO text."""
    document: dict[str, Any] = msgspec.to_builtins(record)
    return document
