"""The logs that there are: where each is, what is wrong with it, and whether its lines are shown."""

from __future__ import annotations

from typing import ClassVar

from rich.text import Text
from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.screen import ModalScreen
from textual.widgets import Label, OptionList
from textual.widgets.option_list import Option

from utxoracle_tui import formats
from utxoracle_tui.engine.logs.line import Origin
from utxoracle_tui.engine.logs.live import SourceOfLines
from utxoracle_tui.ui.key_names import key_of


class LogSources(ModalScreen[frozenset[Origin]]):
    """Ends with the logs whose lines are not to be shown."""

    CSS = """
    LogSources { align: center middle; }
    LogSources > Vertical {
        width: 76; max-width: 95%; height: auto; max-height: 90%; border: round $primary; padding: 0 1;
        background: $background;
    }
    LogSources OptionList { height: auto; max-height: 100%; border: none; background: $background; padding: 0; }
    LogSources #keys { color: $text-muted; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,s", "done", "Done", id="log_sources.done"),
        Binding("space", "turn", "Show/hide", id="log_sources.toggle"),
        Binding("o", "only", "Only this", id="log_sources.only"),
        Binding("a", "all", "All", id="log_sources.all"),
    ]

    def __init__(self, sources: tuple[SourceOfLines, ...], hidden: frozenset[Origin]) -> None:
        super().__init__()
        self._sources = sources
        self._hidden = hidden

    def compose(self) -> ComposeResult:
        """One entry each."""
        with Vertical():
            yield OptionList(*(Option(self._words(each), id=each.origin) for each in self._sources))
            does = {"toggle": "show/hide", "only": "only this one", "all": "all", "done": "done"}
            keys = [f"{key_of(self, f'log_sources.{name}')} {words}" for name, words in does.items()]
            yield Label(" · ".join(keys), id="keys", markup=False)

    def on_mount(self) -> None:
        """Begin with the first."""
        self.query_one(OptionList).highlighted = 0

    @on(OptionList.OptionSelected)
    def action_turn(self) -> None:
        """Show the lines of the log under the cursor, or hide them."""
        self._show(self._hidden ^ {self._chosen})

    def action_only(self) -> None:
        """Show the lines of the log under the cursor alone."""
        self._show(frozenset(each.origin for each in self._sources) - {self._chosen})

    def action_all(self) -> None:
        """Show all."""
        self._show(frozenset())

    def action_done(self) -> None:
        """Take it."""
        self.dismiss(self._hidden)

    @property
    def _chosen(self) -> Origin:
        return self._sources[self.query_one(OptionList).highlighted or 0].origin

    def _show(self, hidden: frozenset[Origin]) -> None:
        self._hidden = hidden
        entries = self.query_one(OptionList)
        for number, each in enumerate(self._sources):
            entries.replace_option_prompt_at_index(number, self._words(each))

    def _words(self, source: SourceOfLines) -> Text:
        has_lines = source.is_there or source.lines or source.trouble is not None
        shown = "● shown  " if has_lines else "– none   "
        text = Text("○ hidden " if source.origin in self._hidden else shown)
        text.append(f"{source.origin:<8}", "bold")
        if source.trouble is not None:
            text.append(f"✗ {source.where}\n           {source.trouble}", "red")
        elif source.is_there:
            text.append(f"{formats.plural(source.lines, 'line')} · {source.where}")
        elif source.lines:
            text.append(f"{formats.plural(source.lines, 'line')}, no more since it is gone · {source.where}", "dim")
        else:
            text.append(f"no log found · {source.where}", "dim")
        return text
