"""All settings: what each is, where that comes from, and changing it in the configuration file."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, ClassVar, cast

from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.screen import Screen
from textual.widgets import Input, Static

from utxoracle_tui.config.changing import SettingsPlace, SettingsRead
from utxoracle_tui.config.settings import Settings
from utxoracle_tui.errors import OperatorError
from utxoracle_tui.ui import settings_words
from utxoracle_tui.ui.engine_parts import EngineParts
from utxoracle_tui.ui.guard import guarded
from utxoracle_tui.ui.key_names import key_name, key_of, may_change
from utxoracle_tui.ui.screens.setting_dialog import SettingDialog
from utxoracle_tui.ui.settings_words import Row
from utxoracle_tui.ui.widgets.header import Header
from utxoracle_tui.ui.widgets.key_line import KeyLine
from utxoracle_tui.ui.widgets.rows_view import RowsView

if TYPE_CHECKING:
    from utxoracle_tui.ui.node_console import NodeConsole


class SettingRows(RowsView[Row]):
    """The settings; there is nothing to mark."""

    def show_fitted(self, rows: list[Row], of: list[Row]) -> None:
        """Show rows, with columns that have room for all there are."""
        self._columns = settings_words.columns(self.scrollable_content_region.width, of)
        self.show(rows)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Nothing is marked, and who only looks opens nothing."""
        if action in {"mark", "mark_range"}:
            return False
        return super().check_action(action, parameters) and (action != "open" or may_change(self))


class SettingsScreen(Screen[None]):
    """Reads everything anew when it is opened, and writes nothing but what was changed."""

    CSS = """
    SettingsScreen #where {
        height: 1; padding: 0 1; color: $text-muted; text-wrap: nowrap; text-overflow: ellipsis;
    }
    SettingsScreen #trouble { height: auto; max-height: 5; padding: 0 1; color: $error; display: none; }
    SettingsScreen Input { height: 1; border: none; padding: 0 1; display: none; }
    SettingsScreen Input.-asking { display: block; }
    SettingsScreen #setting { height: 7; padding: 0 1; border-top: solid $border; border-title-color: $primary; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("d,delete", "remove", "Remove", id="settings.remove"),
        Binding("slash", "filter", "Filter", key_display="/", id="settings.filter"),
        Binding("r", "read", "Read again", id="settings.read", show=False),
        Binding("escape", "back", "Back", id="settings.back"),
    ]

    def __init__(self, parts: EngineParts, place: SettingsPlace) -> None:
        super().__init__()
        self._parts = parts
        self._place = place
        self._read: SettingsRead | None = None
        self._rows: list[Row] = []
        self._words = ""

    def compose(self) -> ComposeResult:
        """Header, what is shown, what is wrong, the settings, and all about one of them."""
        yield Header(self._parts, "settings")
        yield Static("Reading the settings …", id="where", markup=False)
        yield Static(id="trouble", markup=False)
        keys = f"{key_name(self, 'enter')}, {key_of(self, 'settings.back')}"
        yield Input(placeholder=f"a section, a name, a value, environment, next start …   {keys}")
        yield SettingRows((), lambda row: row.key, empty="No setting is like that.")
        yield Static(id="setting")
        yield KeyLine()

    def on_mount(self) -> None:
        """Read."""
        self._table.focus()
        self._load()

    @property
    def _table(self) -> SettingRows:
        return self.query_one(SettingRows)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Who only looks removes nothing."""
        return action != "remove" or may_change(self)

    def on_resize(self) -> None:
        """Another width has other columns, once it is known what is left of it."""
        self.call_after_refresh(self._show)

    @work(exclusive=True, group="settings", exit_on_error=False)
    @guarded
    async def _load(self) -> None:
        console = cast("NodeConsole", self.app)
        before = self._read.loaded if self._read is not None else None

        def read() -> tuple[SettingsRead, list[Row]]:
            found = self._place.read(before)
            return found, settings_words.rows_of(found, self._place.started.settings)

        now, self._rows = await asyncio.to_thread(read)
        self._read = now
        trouble = [f"✗ {problem}" for problem in now.problems]
        if trouble:
            trouble.insert(0, "✗ A start now would fail. What is shown is from before.")
        if now.unwritable:
            trouble.append(f"▲ {now.unwritable}")
        if not may_change(self):
            trouble.append("▲ READ ONLY: nothing can be changed here.")
        try:
            console.take_over(now.loaded.settings)
        except OperatorError as error:
            trouble.append(f"✗ {error.message}")
        shown = self.query_one("#trouble", Static)
        shown.update("\n".join(trouble))
        shown.display = bool(trouble)
        self._show()

    def _show(self) -> None:
        if self._read is None or not self.is_mounted:
            return
        rows = settings_words.matching(self._rows, self._words)
        self._table.show_fitted(rows, self._rows)
        words = settings_words.where(self._rows, self._place, self._words, len(rows))
        self.query_one("#where", Static).update(words)
        self._show_one()

    @on(RowsView.Moved)
    def _show_one(self) -> None:
        row, panel = self._table.row, self.query_one("#setting", Static)
        panel.border_title = f" {row.key} " if row is not None else None
        panel.update(settings_words.detail(row) if row is not None else "")

    @on(RowsView.Opened)
    def _open(self) -> None:
        row = self._table.row
        if row is None:
            return

        def answered(changed: bool | None) -> None:
            if changed:
                self._load()

        def take(answer: object) -> None:
            self._place.change(row.key, answer, _check)

        self.app.push_screen(SettingDialog(row, self._place.path, take), answered)

    def action_remove(self) -> None:
        """Take the setting under the cursor out of the file, so that it is what it was without."""
        row = self._table.row
        if row is None:
            return
        if row.in_file is None:
            self.notify(f"{row.key} isn't in {self._place.path}.", timeout=4, markup=False)
        else:
            self._remove(row)

    @work(exclusive=True, group="remove a setting", exit_on_error=False)
    @guarded
    async def _remove(self, row: Row) -> None:
        try:
            await asyncio.to_thread(self._place.change, row.key, None, _check)
        except OperatorError as error:
            self.notify(error.message, severity="error", timeout=15, markup=False)
        else:
            self.notify(f"{row.key} is no longer in {self._place.path}.", timeout=4, markup=False)
            self._load()

    def action_read(self) -> None:
        """Read everything again."""
        self._load()

    def action_filter(self) -> None:
        """Show the settings that have some words in them."""
        asked = self.query_one(Input)
        asked.add_class("-asking")
        # it takes the place of this line, so that no row moves
        self.query_one("#where").display = False
        asked.focus()

    @on(Input.Changed)
    def _typed(self, event: Input.Changed) -> None:
        self._words = event.value.strip()
        self._show()

    @on(Input.Submitted)
    def _end_typing(self) -> None:
        self.query_one(Input).remove_class("-asking")
        self.query_one("#where").display = True
        self._table.focus()

    def action_back(self) -> None:
        """Show all settings again, and then what was there before."""
        asked = self.query_one(Input)
        if asked.has_class("-asking") or self._words:
            asked.value = ""
            self._end_typing()
        else:
            self.dismiss()


def _check(settings: Settings) -> None:
    """What loading leaves to the console: whether the keys can be read, and don't clash."""
    from utxoracle_tui.ui.key_places import checked_keys  # noqa: PLC0415  (it knows this module)

    checked_keys(settings.screen.keys, settings.screen.remap)
