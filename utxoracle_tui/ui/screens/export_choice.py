"""As what the things on a screen are to be kept."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar, Literal

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.screen import ModalScreen
from textual.widgets import Label

from utxoracle_tui.ui.key_names import key_of

ExportForm = Literal["csv", "json", "text", "svg"]
_AS: dict[ExportForm, str] = {"csv": "CSV", "json": "JSON lines", "text": "text", "svg": "a picture (SVG)"}


class ExportChoice(ModalScreen[ExportForm | None]):
    """The form, or None."""

    CSS = """
    ExportChoice { align: center middle; }
    ExportChoice > Vertical {
        width: 64; max-width: 90%; height: auto; border: round $primary; padding: 1 2; background: $panel;
    }
    ExportChoice Label { width: 1fr; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("c", "choose('csv')", "CSV", id="export.csv"),
        Binding("j", "choose('json')", "JSON lines", id="export.json"),
        Binding("t", "choose('text')", "Text", id="export.text"),
        Binding("s", "choose('svg')", "SVG", id="export.svg"),
        Binding("escape", "choose(None)", "Nothing", id="export.nothing"),
    ]

    def __init__(self, forms: Mapping[ExportForm, str]) -> None:
        """`forms` are those that there are here, and what each would have in it."""
        super().__init__()
        self._forms = forms

    def compose(self) -> ComposeResult:
        """A line for each form."""
        lines = [f"{key_of(self, f'export.{form}'):<4} {what} as {_AS[form]}" for form, what in self._forms.items()]
        lines.append(f"{key_of(self, 'export.nothing'):<4} nothing")
        with Vertical():
            yield Label("Export what is shown?\n\n" + "\n".join(lines), markup=False)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Only the forms that there are."""
        return action != "choose" or parameters[0] is None or parameters[0] in self._forms

    def action_choose(self, form: ExportForm | None) -> None:
        """Answer."""
        self.dismiss(form)
