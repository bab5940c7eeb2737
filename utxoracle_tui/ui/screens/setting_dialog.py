"""A dialog for the value of one setting: a list where there is a choice, else a line of text."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import ClassVar

from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.screen import ModalScreen
from textual.widgets import Input, Label, OptionList

from utxoracle_tui.errors import OperatorError
from utxoracle_tui.ui.guard import guarded
from utxoracle_tui.ui.key_names import key_name, key_of
from utxoracle_tui.ui.settings_words import Row, effect_words, rule_words, typed_words

_YES_OR_NO = {"yes": True, "no": False}


class SettingDialog(ModalScreen[bool]):
    """Ends with True when the value has been taken, with False when the operator leaves it as it is."""

    CSS = """
    SettingDialog { align: center middle; }
    SettingDialog > VerticalScroll {
        width: 76; max-width: 95%; height: auto; max-height: 95%; border: round $primary; padding: 0 1;
        background: $background;
    }
    SettingDialog Label { width: 1fr; height: auto; }
    SettingDialog #setting-rule { color: $text-muted; }
    SettingDialog #setting-winner { color: $warning; text-style: bold; }
    SettingDialog #setting-note { color: $text-muted; }
    SettingDialog #setting-note.-wrong { color: $error; }
    SettingDialog OptionList { height: auto; max-height: 8; border: none; background: $background; padding: 0; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "leave", "Cancel", id="ask.cancel")]

    def __init__(self, row: Row, path: Path, take: Callable[[object], None]) -> None:
        """`path` is the file that is written. `take` is called in a thread with what was typed or chosen, and raises
        `OperatorError` for what is wrong.
        """
        super().__init__()
        self._row = row
        self._path = path
        self._take = take
        self._is_taking = False
        setting = row.setting
        self._choices: dict[str, object] = (
            dict(_YES_OR_NO) if setting.type is bool else {choice: choice for choice in setting.rules.choices}
        )

    def compose(self) -> ComposeResult:
        """What it is, what it may be, whether it will count, the answer, and room for what is wrong with that."""
        row, setting = self._row, self._row.setting
        with VerticalScroll(can_focus=False) as box:
            box.border_title = row.key
            yield Label(row.describes, markup=False)
            yield Label(f"{rule_words(setting)} {effect_words(setting)}", id="setting-rule", markup=False)
            if row.overridden_by:
                winner = f"▲ {row.overridden_by[0].upper()}{row.overridden_by[1:]}. What is set here won't count."
                yield Label(winner, id="setting-winner", markup=False)
            if setting.key == "screen.read_only":
                yield Label("A console that only looks can't change settings either, not even this one.", markup=False)
            if self._choices:
                value = row.value.value
                yield OptionList(*(f"{'●' if is_it == value else '○'} {name}" for name, is_it in self._choices.items()))
            else:
                hidden = "type the new one; it isn't shown" if setting.secret else ""
                yield Input(typed_words(row.value.value), placeholder=hidden, password=setting.secret)
            enter, leave = key_name(self, "enter"), key_of(self, "ask.cancel")
            yield Label(f"{enter} writes it to {self._path} · {leave} leaves it", id="setting-note", markup=False)

    def on_mount(self) -> None:
        """Begin with the value as it is."""
        if self._choices:
            value = self._row.value.value
            entries = self.query_one(OptionList)
            entries.highlighted = next((n for n, choice in enumerate(self._choices.values()) if choice == value), 0)
            entries.focus()

    @on(Input.Submitted)
    def _typed(self, event: Input.Submitted) -> None:
        if event.value.strip():
            self._begin(event.value)
        else:
            self._say(f"Nothing was typed. {key_of(self, 'settings.remove')} in the list takes it out of the file.")

    @on(OptionList.OptionSelected)
    def _chosen(self, event: OptionList.OptionSelected) -> None:
        self._begin(list(self._choices.values())[event.option_index])

    def _begin(self, answer: object) -> None:
        if not self._is_taking:
            self._is_taking = True
            self._write(answer)

    @work(exit_on_error=False)
    @guarded
    async def _write(self, answer: object) -> None:
        try:
            await asyncio.to_thread(self._take, answer)
        except OperatorError as error:
            self._say(error.message)
        else:
            self.dismiss(True)
        finally:
            self._is_taking = False

    def _say(self, sentence: str) -> None:
        note = self.query_one("#setting-note", Label)
        note.update(f"✗ {sentence}")
        note.add_class("-wrong")

    def action_leave(self) -> None:
        """Close without a change."""
        self.dismiss(False)
