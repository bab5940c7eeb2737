"""Where keys mean something at the same time: what has the focus, what is around it, its screen, and the console."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

from textual.dom import DOMNode

from utxoracle_tui.ui.app import Console
from utxoracle_tui.ui.keymap import Level, check, keymap, level_of
from utxoracle_tui.ui.node_console import NodeConsole
from utxoracle_tui.ui.screens.alerts import AlertsScreen
from utxoracle_tui.ui.screens.ask import Ask
from utxoracle_tui.ui.screens.confirm import Confirm
from utxoracle_tui.ui.screens.dashboard import Dashboard
from utxoracle_tui.ui.screens.export_choice import ExportChoice
from utxoracle_tui.ui.screens.jobs import JobsScreen
from utxoracle_tui.ui.screens.jump import Jump
from utxoracle_tui.ui.screens.log import LogScreen
from utxoracle_tui.ui.screens.log_line import LogLineDetail
from utxoracle_tui.ui.screens.log_sources import LogSources
from utxoracle_tui.ui.screens.node_window import NodeWindow
from utxoracle_tui.ui.screens.opened_window import OpenedWindow
from utxoracle_tui.ui.screens.range_choice import RangeChoice
from utxoracle_tui.ui.screens.setting_dialog import SettingDialog
from utxoracle_tui.ui.screens.settings import SettingsScreen
from utxoracle_tui.ui.screens.stack import StackScreen
from utxoracle_tui.ui.screens.window_comparison import WindowComparison
from utxoracle_tui.ui.screens.window_detail import WindowDetail
from utxoracle_tui.ui.screens.windows import WindowsScreen
from utxoracle_tui.ui.widgets.divergence_table import DivergenceRows, DivergenceTable
from utxoracle_tui.ui.widgets.log_lines import LogLines
from utxoracle_tui.ui.widgets.price_chart import PriceChart
from utxoracle_tui.ui.widgets.rows_view import RowsView

PLACES: tuple[tuple[type[DOMNode], ...], ...] = (
    (PriceChart, Dashboard, NodeConsole),
    (DivergenceRows, DivergenceTable, Dashboard, NodeConsole),
    (StackScreen, NodeConsole),
    (RowsView, WindowsScreen, NodeConsole),
    (RowsView, JobsScreen, NodeConsole),
    (LogLines, LogScreen, NodeConsole),
    (RowsView, SettingsScreen, NodeConsole),
    (NodeWindow, NodeConsole),
    (OpenedWindow, NodeConsole),
    (WindowComparison, NodeConsole),
    (WindowDetail, Console),
    # a dialog has the keyboard to itself, but for the keys of the console
    (Confirm, NodeConsole),
    (RangeChoice, NodeConsole),
    (ExportChoice, NodeConsole),
    (LogLineDetail, NodeConsole),
    (LogSources, NodeConsole),
    (Jump, NodeConsole),
    (RowsView, AlertsScreen, NodeConsole),
    # whatever is typed goes into its field
    (Ask,),
    (SettingDialog,),
)


@cache
def chains() -> tuple[tuple[Level, ...], ...]:
    """The keys that are declared, place by place."""
    return tuple(tuple(level_of(kind) for kind in place) for place in PLACES)


@dataclass(frozen=True, slots=True)
class Keys:
    """The keys of a console."""

    changed: Mapping[str, str]
    """Those of bindings that are not the declared ones, with commas between several, by the binding's id."""
    declared: Mapping[str, tuple[str, ...]]

    def first(self, binding: str) -> str:
        """The first key of a binding, as Textual calls it."""
        return self.changed[binding].split(",")[0] if binding in self.changed else self.declared[binding][0]


@cache
def checked_keys(keys: str, remap: str) -> Keys:
    """The keys by the settings `screen.keys` and `screen.remap`. Raises `BadKeys` if they can't be read, or clash."""
    levels = [level for chain in chains() for level in chain]
    changed = keymap(keys, remap, levels)
    check(chains(), changed)
    return Keys(changed, {binding: found for level in levels for binding, found in level.keys.items()})
