"""Which keys do what: the keys that bindings are declared with, a preset over them, and those of the operator's own."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from textual.binding import Binding
from textual.dom import DOMNode

from utxoracle_tui.errors import Exit, OperatorError

_STEPS_OUT = "escape"
"""Takes one step out, whatever one is in: each level may have it."""

PRESETS: Mapping[str, Mapping[str, str]] = MappingProxyType(
    {
        "default": {},
        # h and l move where j and k do; pages are half of vim's, as its whole ones are ctrl+f and tmux's ctrl+b
        "vim": {
            "chart.left": "left,h",
            "chart.right": "right,l",
            "chart.home": "home,0,circumflex_accent",
            "chart.end": "end,dollar_sign",
            "chart.pan_left": "comma,shift+left,H",
            "chart.pan_right": "full_stop,shift+right,L",
            "log.page_up": "pageup,ctrl+u",
            "log.page_down": "pagedown,ctrl+d",
            "rows.page_up": "pageup,ctrl+u",
            "rows.page_down": "pagedown,ctrl+d",
            "stack.page_up": "pageup,ctrl+u",
            "stack.page_down": "pagedown,ctrl+d",
            "window.last": "L",
            "window.heights": "H",
        },
        # tmux holds escape back for half a second and may take keys with shift and ctrl for itself
        "tmux-safe": {
            "chart.clear": "backspace,escape",
            "chart.pan_left": "comma",
            "chart.pan_right": "full_stop",
            "divergence.no_filter": "backspace,escape",
            "log.clear": "backspace,escape",
            "log_line.back": "backspace,enter,escape",
            "log_sources.done": "s,backspace,escape",
            "confirm.no": "n,backspace,escape",
            "comparison.back": "backspace,escape",
            "alerts.back": "backspace,escape",
            "app.close_help": "backspace,escape",
            "export.nothing": "backspace,escape",
            "jump.stay": "backspace,escape",
            "range.nothing": "backspace,escape",
            "settings.back": "backspace,escape",
            "window.back": "backspace,escape",
            "window.cancel": "backspace,escape",
            "windows.unmark": "backspace,escape",
        },
    }
)


_SPELT = {"⏎": "enter", "⌫": "backspace", "↑": "up", "↓": "down", "←": "left", "→": "right"}


def spelt_key(shown: str) -> str:
    """A key as it is shown, in letters where that is a sign."""
    *modifiers, last = shown.split("+") if shown != "+" else ["+"]
    return "+".join([*modifiers, _SPELT.get(last, last)])


@dataclass(frozen=True, slots=True)
class Level:
    """The keys of one place: of the console, of a screen, or of what has the focus on it."""

    name: str
    keys: Mapping[str, tuple[str, ...]]
    """Of each binding, by its id."""


class BadKeys(OperatorError):
    """The keys of the configuration can't be used."""

    def __init__(self, message: str) -> None:
        super().__init__("bad_keys", f"{message} The settings are screen.keys and screen.remap.", Exit.USAGE)


def keymap(preset: str, remap: str, levels: Iterable[Level]) -> dict[str, str]:
    """The keys of all bindings that are not those they are declared with, as Textual wants them.

    `remap` is `id=key,key …`, with spaces between several. Raises `BadKeys` for what can't be read, a binding or a key
    that isn't there.
    """
    known = {binding for level in levels for binding in level.keys}
    found = dict(PRESETS[preset])
    for entry in remap.split():
        binding, equals, keys = entry.partition("=")
        if not equals or not keys:
            raise BadKeys(f"“{entry}” is no remapping: one reads jobs.pause=P, or jobs.pause=P,space.")
        if binding not in known:
            raise BadKeys(f"There is no binding “{binding}”. There are: {', '.join(sorted(known))}.")
        found[binding] = ",".join(_key(key, entry) for key in keys.split(","))
    return found


def _key(name: str, entry: str) -> str:
    """A key as Textual calls it, from that or the character itself."""
    *modifiers, last = name.split("+") if name != "+" else ["+"]
    if not last or any(modifier not in {"ctrl", "shift", "alt", "super"} for modifier in modifiers):
        raise BadKeys(f"“{name}” in “{entry}” is no key; keys are such as a, A, ctrl+a, f2, space, plus or escape.")
    # Textual has a name for each character, and knows best what it is
    (named,) = Binding.make_bindings([Binding(last, "", "")])
    return "+".join([*modifiers, named.key])


def level_of(kind: type[DOMNode]) -> Level:
    """The bindings that a screen, a widget or the console declares, and those that it has from its own kind."""
    keys: dict[str, tuple[str, ...]] = {}
    for base in reversed(kind.__mro__):
        for binding in Binding.make_bindings(base.__dict__.get("BINDINGS", [])):
            if binding.id is not None:
                so_far = keys.get(binding.id, ())
                keys[binding.id] = so_far if binding.key in so_far else (*so_far, binding.key)
    return Level(kind.__name__, MappingProxyType(keys))


def clashes(chain: Iterable[Level], keys: Mapping[str, str]) -> Iterator[str]:
    """A sentence for each key that means two things where one has the focus and the others are around it."""
    taken: dict[str, str] = {}
    for level in chain:
        for binding, declared in level.keys.items():
            for key in keys[binding].split(",") if binding in keys else declared:
                other = taken.setdefault(key, binding)
                if other != binding and key not in {_STEPS_OUT, "backspace"}:
                    yield f"{key} is both {other} and {binding}"


def check(chains: Iterable[Iterable[Level]], keys: Mapping[str, str]) -> None:
    """Raise `BadKeys` where keys clash."""
    found = sorted({clash for chain in chains for clash in clashes(chain, keys)})
    if found:
        raise BadKeys(f"Keys clash: {'; '.join(found)}.")
