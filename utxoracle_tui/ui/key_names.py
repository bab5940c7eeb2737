"""What a key is called in a sentence on the screen, whatever the operator has put on it, and whether it may be used."""

from __future__ import annotations

from typing import cast

from textual.dom import DOMNode

from utxoracle_tui.ui.app import Console


def key_of(node: DOMNode, binding: str) -> str:
    """The key of a binding, by its id, in the console that `node` stands in."""
    return cast("Console", node.app).key_of(binding)


def key_name(node: DOMNode, key: str) -> str:
    """What a key is called that no binding is for."""
    return cast("Console", node.app).key_name(key)


def may_change(node: DOMNode) -> bool:
    """Whether the console that `node` stands in may change anything, or is there to look at only."""
    return not cast("Console", node.app).look.read_only
