"""A round as the JSON document that `analyze --json` prints."""

from __future__ import annotations

from typing import Any

from utxoracle_tui.engine.rounds import Round
from utxoracle_tui.store.window_document import document_of


def round_document(made: Round) -> dict[str, Any]:
    """The observation, and what became of it."""
    return {
        **document_of(made.observation),
        "kept": made.kept,
        "orphaned_earlier": made.orphaned,
        "exchange_troubles": list(made.exchange.troubles),
    }
