"""What keys do on the screens that one is not on, for a palette that has everything."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from types import MappingProxyType

from textual.binding import Binding
from textual.dom import DOMNode

from utxoracle_tui.ui.screens.dashboard import Dashboard
from utxoracle_tui.ui.screens.jobs import JobsScreen
from utxoracle_tui.ui.screens.log import LogScreen
from utxoracle_tui.ui.screens.stack import StackScreen
from utxoracle_tui.ui.screens.windows import WindowsScreen
from utxoracle_tui.ui.widgets.price_chart import PriceChart

_KINDS: MappingProxyType[str, tuple[type[DOMNode], ...]] = MappingProxyType(
    {
        "dashboard": (Dashboard, PriceChart),
        "stack": (StackScreen,),
        "windows": (WindowsScreen,),
        "jobs": (JobsScreen,),
        "log": (LogScreen,),
    }
)
_MOVES = ("scroll", "cursor", "clear")
"""What actions begin with that mean nothing from afar."""


@dataclass(frozen=True, slots=True)
class Elsewhere:
    """Something that a key does on another screen."""

    mode: str
    binding: str
    """Its id."""
    title: str


def elsewhere(mode: str) -> Iterator[Elsewhere]:
    """What can be done on all screens but one, screen by screen."""
    for other, kinds in _KINDS.items():
        if other == mode:
            continue
        for binding in _bindings(kinds):
            if binding.id and binding.description and not binding.action.startswith(_MOVES):
                yield Elsewhere(other, binding.id, f"{other.capitalize()}: {binding.description}")


def _bindings(kinds: tuple[type[DOMNode], ...]) -> Iterator[Binding]:
    for kind in kinds:
        for base in kind.__mro__:
            # those of the library's own classes are of no use to an operator
            if base.__module__.startswith("utxoracle_tui."):
                yield from (each for each in base.__dict__.get("BINDINGS", ()) if isinstance(each, Binding))
