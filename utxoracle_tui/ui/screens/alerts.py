"""The alerts: those that are open first, and what an operator says to them."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, cast

from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.screen import ModalScreen
from textual.widgets import Static

from utxoracle_tui import clock, formats
from utxoracle_tui.alerts.reading import AlertsReading
from utxoracle_tui.errors import OperatorError
from utxoracle_tui.store.records import Alert
from utxoracle_tui.ui import alert_words
from utxoracle_tui.ui.guard import guarded
from utxoracle_tui.ui.key_names import may_change
from utxoracle_tui.ui.widgets.key_line import KeyLine
from utxoracle_tui.ui.widgets.rows_view import Column, RowsView

if TYPE_CHECKING:
    from utxoracle_tui.ui.node_console import NodeConsole

_SNOOZE_MINUTES = 60.0
_COLUMNS: tuple[Column[Alert], ...] = (
    Column("state", 14, lambda alert: alert_words.state(alert, clock.now_s())),
    Column("level", 10, alert_words.level),
    Column("raised (UTC)", 16, lambda alert: formats.utc_minute(alert.time_s)),
    Column("alert", 400, lambda alert: alert.message),
)


class AlertsScreen(ModalScreen[None]):
    """Follows the alerts for as long as it is open."""

    CSS = """
    AlertsScreen { align: center middle; }
    AlertsScreen > Vertical {
        width: 95%; height: 90%; border: round $primary; border-title-color: $primary; background: $background;
    }
    AlertsScreen #detail { height: auto; min-height: 3; max-height: 40%; padding: 0 1; border-top: solid $border; }
    AlertsScreen #troubles { height: auto; padding: 0 1; color: $warning; display: none; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("a", "acknowledge", "Acknowledge", id="alerts.acknowledge"),
        Binding("z", "snooze", "Snooze 1 h", id="alerts.snooze"),
        Binding("escape", "back", "Back", id="alerts.back"),
    ]

    def compose(self) -> ComposeResult:
        """The list, what there is to say of one, and why somebody was not told."""
        with Vertical():
            yield RowsView(_COLUMNS, lambda alert: alert.key, empty="There was no alert.", picks=False)
            yield Static(id="detail", markup=False)
            yield Static(id="troubles", markup=False)
            yield KeyLine()

    def on_mount(self) -> None:
        """Show what there is."""
        console = cast("NodeConsole", self.app)
        console.alerts_signal.subscribe(self, self._show)
        self.query_one(RowsView).focus()
        self._show(console.alerts)

    def _show(self, reading: AlertsReading) -> None:
        now_s = clock.now_s()
        rows = sorted(reading.alerts, key=lambda alert: (alert.resolved_s is not None, -alert.time_s))
        table = self.query_one(RowsView)
        table.show(rows)
        wanting, total = len(reading.wanting(now_s)), len(reading.open)
        self.query_one(Vertical).border_title = f"{formats.plural(total, 'open alert')}, {wanting} to acknowledge"
        troubles = self.query_one("#troubles", Static)
        troubles.update("\n".join(f"✗ {sentence}" for sentence in reading.troubles))
        troubles.display = bool(reading.troubles)
        self._show_detail()

    @on(RowsView.Moved)
    def _show_detail(self) -> None:
        alert: Alert | None = self.query_one(RowsView).row
        self.query_one("#detail", Static).update("" if alert is None else alert_words.detail(alert, clock.now_s()))
        self.refresh_bindings()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Only an open alert can be answered, and only by who may change anything."""
        if action not in {"acknowledge", "snooze"}:
            return True
        alert: Alert | None = self.query_one(RowsView).row if self.is_mounted else None
        return may_change(self) and alert is not None and alert.resolved_s is None

    @work(group="answer", exit_on_error=False)
    @guarded
    async def _answer(self, silent_minutes: float | None) -> None:
        alert: Alert | None = self.query_one(RowsView).row
        if alert is None:
            return
        try:
            await cast("NodeConsole", self.app).answer_alert(alert.key, silent_minutes=silent_minutes)
        except OperatorError as error:
            self.notify(error.message, severity="error", timeout=10)

    def action_acknowledge(self) -> None:
        """Say that somebody knows: it is no longer counted at the top."""
        self._answer(None)

    def action_snooze(self) -> None:
        """Be silent of it for an hour."""
        self._answer(_SNOOZE_MINUTES)

    def action_back(self) -> None:
        """Close."""
        self.dismiss()
