"""Which keys do what: presets, the operator's own, and what can't be."""

from __future__ import annotations

import importlib
import pkgutil
from itertools import chain

import pytest
from textual.dom import DOMNode

import utxoracle_tui.ui
from utxoracle_tui.ui.key_places import PLACES, chains, checked_keys
from utxoracle_tui.ui.keymap import PRESETS, BadKeys, Level, clashes


def test_every_class_with_keys_is_in_a_place_and_every_key_has_an_id() -> None:
    listed = set(chain.from_iterable(PLACES))
    for module in pkgutil.walk_packages(utxoracle_tui.ui.__path__, "utxoracle_tui.ui."):
        for kind in vars(importlib.import_module(module.name)).values():
            is_own = isinstance(kind, type) and issubclass(kind, DOMNode) and kind.__module__ == module.name
            if is_own and "BINDINGS" in kind.__dict__:
                assert kind in listed or any(issubclass(other, kind) for other in listed), kind
                assert all(binding.id for binding in kind.__dict__["BINDINGS"]), kind


@pytest.mark.parametrize("preset", list(PRESETS))
def test_no_preset_clashes_and_all_its_bindings_are_there(preset: str) -> None:
    known = {binding for levels in chains() for level in levels for binding in level.keys}
    assert set(checked_keys(preset, "").changed) <= known


def test_no_key_of_the_safe_set_is_one_that_tmux_may_keep() -> None:
    keys = checked_keys("tmux-safe", "").changed
    for level in chain.from_iterable(chains()):
        for binding, declared in level.keys.items():
            used = keys[binding].split(",") if binding in keys else declared
            assert not [key for key in used if "ctrl+" in key or "shift+" in key], binding
            assert used != ("escape",) or binding == "ask.cancel", binding


@pytest.mark.parametrize(
    ("remap", "expected"),
    [
        ("jobs.pause=P", {"jobs.pause": "P"}),
        ("  jobs.pause=P,f2   app.quit=ctrl+x ", {"jobs.pause": "P,f2", "app.quit": "ctrl+x"}),
        ("log.filter=& jobs.sooner=+", {"log.filter": "ampersand", "jobs.sooner": "plus"}),
    ],
)
def test_keys_of_ones_own(remap: str, expected: dict[str, str]) -> None:
    assert checked_keys("default", remap).changed == expected


def test_keys_of_ones_own_go_over_the_set() -> None:
    keys = checked_keys("vim", "chart.left=b").changed
    assert (keys["chart.left"], keys["chart.right"]) == ("b", "right,l")


@pytest.mark.parametrize(
    ("remap", "said"),
    [
        ("jobs.pause", "“jobs.pause” is no remapping"),
        ("jobs.pause=", "“jobs.pause=” is no remapping"),
        ("jobs.paws=P", "There is no binding “jobs.paws”. There are: alerts.acknowledge, alerts.back,"),
        ("jobs.pause=hyper+P", "“hyper+P” in “jobs.pause=hyper+P” is no key"),
        ("jobs.pause=P,", "“” in “jobs.pause=P,” is no key"),
        ("jobs.pause=c", "Keys clash: c is both jobs.pause and jobs.cancel."),
        ("jobs.pause=q", "Keys clash: q is both jobs.pause and app.quit."),
        ("rows.mark=b", "Keys clash: b is both rows.mark and windows.backfill."),
    ],
)
def test_keys_that_cannot_be(remap: str, said: str) -> None:
    with pytest.raises(BadKeys) as refused:
        checked_keys("default", remap)
    assert said in refused.value.message
    assert refused.value.message.endswith("The settings are screen.keys and screen.remap.")


def test_escape_may_be_at_every_level() -> None:
    chart = Level("Chart", {"chart.clear": ("escape",), "chart.mark": ("m",)})
    screen = Level("Screen", {"screen.back": ("escape",), "screen.menu": ("m",)})
    assert list(clashes([chart, screen], {})) == ["m is both chart.mark and screen.menu"]
    assert list(clashes([chart, screen], {"chart.mark": "x"})) == []
