"""The console on a node: its screens, one key each, and what all of them are told."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar

from textual import on, work
from textual.app import SystemCommand
from textual.binding import Binding, BindingType
from textual.screen import ModalScreen, Screen
from textual.signal import Signal

from utxoracle_tui import clock
from utxoracle_tui.alerts.reading import AlertsReading
from utxoracle_tui.config.settings import Screen as Look
from utxoracle_tui.config.settings import Settings
from utxoracle_tui.engine.jobs.reading import JobsReading
from utxoracle_tui.engine.live_rounds import StoreReading
from utxoracle_tui.engine.live_window import WindowReading
from utxoracle_tui.engine.logs.live import LogsReading
from utxoracle_tui.engine.node_watch import NodeReading
from utxoracle_tui.engine.stack.stack_reading import StackReading
from utxoracle_tui.own_log.keeping import set_level
from utxoracle_tui.ui.alert_words import news
from utxoracle_tui.ui.app import DEFAULT_LOOK, Console
from utxoracle_tui.ui.bridge import AlertsBridge, JobsBridge, LogsBridge, NewestWindowBridge, StackBridge, StoreBridge
from utxoracle_tui.ui.engine_parts import EngineParts
from utxoracle_tui.ui.guard import guarded
from utxoracle_tui.ui.key_names import key_of
from utxoracle_tui.ui.messages import AlertsRead, JobsRead, LogsRead, NewestWindowRead, NodeRead, StackRead, StoreRead
from utxoracle_tui.ui.screens.alerts import AlertsScreen
from utxoracle_tui.ui.screens.dashboard import Dashboard
from utxoracle_tui.ui.screens.jobs import JobsScreen
from utxoracle_tui.ui.screens.log import LogScreen
from utxoracle_tui.ui.screens.settings import SettingsScreen
from utxoracle_tui.ui.screens.stack import StackScreen
from utxoracle_tui.ui.screens.windows import WindowsScreen

if TYPE_CHECKING:
    from utxoracle_tui.ui.elsewhere import Elsewhere

_LOG_TROUBLE_EVERY_S = 2.0
_ARRIVES_S = 0.1
_ALERT_TOLD_S = 8.0
"""It lies over what one reads; the heading counts the open alerts for as long as there are any."""


class NodeConsole(Console):
    """All screens on one engine. What the engine says is kept, so that a screen opened later knows it at once."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("1", "go('dashboard')", "Dashboard", id="go.dashboard", show=False),
        Binding("2", "go('stack')", "Stack", id="go.stack", show=False),
        Binding("3", "go('windows')", "Windows", id="go.windows", show=False),
        Binding("4", "go('jobs')", "Jobs", id="go.jobs", show=False),
        Binding("5", "go('log')", "Log", id="go.log", show=False),
        Binding("exclamation_mark", "alerts", "Alerts", id="app.alerts", show=False),
        Binding("O", "settings", "Settings", id="app.settings", show=False),
    ]

    def __init__(self, parts: EngineParts, look: Look = DEFAULT_LOOK, rings: str = "off") -> None:
        """`rings` says what the terminal does when an alert is raised: `off`, `bell`, or `notify`."""
        super().__init__(None, parts.close, look, parts.remembering)
        self.parts = parts
        self.data_dir = parts.data_dir
        self.node: NodeReading | None = None
        self.stored: StoreReading | None = None
        self.node_signal: Signal[NodeReading] = Signal(self, "node")
        self.jobs: JobsReading | None = None
        self.jobs_signal: Signal[JobsReading] = Signal(self, "jobs")
        self.store_signal: Signal[StoreReading] = Signal(self, "store")
        self._store_bridge = StoreBridge(parts.live, self)
        self.stack: StackReading | None = None
        self.stack_signal: Signal[StackReading] = Signal(self, "stack")
        self.newest_signal: Signal[WindowReading] = Signal(self, "newest")
        self._newest_bridge = NewestWindowBridge(parts.newest, parts.live, self)
        self._stack_bridge = StackBridge(parts.stack, self)
        self._jobs_bridge = JobsBridge(parts.jobs, self)
        self.logs_signal: Signal[LogsReading] = Signal(self, "logs")
        self._logs_bridge = LogsBridge(parts.logs, self)
        self.alerts = AlertsReading()
        self.alerts_signal: Signal[AlertsReading] = Signal(self, "alerts")
        self._alerts_bridge = AlertsBridge(parts.alerts, self)
        self._rings = rings
        self._logs_are_followed = False
        self._log_trouble_told = False

    def open_first(self) -> None:
        """Begin with the dashboard, and watch."""
        screens: dict[str, Any] = {
            "dashboard": lambda: Dashboard(self.parts),
            "stack": lambda: StackScreen(self.parts),
            "windows": lambda: WindowsScreen(self.parts),
            "jobs": lambda: JobsScreen(self.parts),
            "log": lambda: LogScreen(self.parts),
        }
        for name, screen in screens.items():
            self.add_mode(name, screen)
        self.switch_mode("dashboard")
        self._watch_stack()
        self._price_newest()
        self._follow_store()
        self._work_on_jobs()
        self._watch_alerts()
        self.set_interval(_LOG_TROUBLE_EVERY_S, self._tell_log_trouble)
        for sentence in self.parts.warnings:
            self.notify(sentence, severity="warning", timeout=20, markup=False)

    def action_go(self, mode: str) -> None:
        """Go to a screen, to what was open on it; once more goes to the screen itself."""
        if mode != self.current_mode:
            self.switch_mode(mode)
            return
        while len(self.screen_stack) > 1:
            self.pop_screen()

    def get_system_commands(self, screen: Screen[Any]) -> Iterable[SystemCommand]:
        """What the command palette has: all that keys do here, and what they do on the other screens."""
        from utxoracle_tui.ui.elsewhere import elsewhere  # noqa: PLC0415  (seldom needed)

        yield from super().get_system_commands(screen)
        if isinstance(screen, ModalScreen):
            return
        for command in elsewhere(self.current_mode):
            what = f"goes there first · {command.binding}"
            yield SystemCommand(command.title, what, partial(self._do_there, command))

    def _do_there(self, command: Elsewhere) -> None:
        """Go to a screen, and do there what a key of it does."""
        self.switch_mode(command.mode)
        while len(self.screen_stack) > 1:
            self.pop_screen()
        # until it is laid out and has the focus where its keys are
        self.set_timer(_ARRIVES_S, lambda: self._press(command))

    def _press(self, command: Elsewhere) -> None:
        for active in self.screen.active_bindings.values():
            if active.binding.id == command.binding and active.enabled:
                self.simulate_key(active.binding.key)
                return
        self.notify(f"“{command.title}” can't be done there now.", severity="warning", markup=False)

    def take_over(self, settings: Settings) -> None:
        """Work by other settings, as far as a running console can. Raises `OperatorError` where keys clash."""
        now = settings.screen
        look = replace(self.look, theme=now.theme, ascii=now.ascii, keys=now.keys, remap=now.remap)
        if look != self.look:
            self.take_look(look)
        set_level(settings.log.level)

    def action_settings(self) -> None:
        """Open the settings over whatever is open, or close them."""
        if isinstance(self.screen, SettingsScreen):
            self.screen.dismiss()
        elif self.is_web:
            # one of them names a command that is run on the host
            self.notify("Settings are not shown in a browser; open the console on the host itself for them.")
        elif self.parts.settings is not None:
            self.push_screen(SettingsScreen(self.parts, self.parts.settings))

    @work(group="stack", exit_on_error=False)
    @guarded
    async def _watch_stack(self) -> None:
        await self._stack_bridge.run()

    @work(group="newest", exit_on_error=False)
    @guarded
    async def _price_newest(self) -> None:
        await self._newest_bridge.run()

    @on(NewestWindowRead)
    def _newest_read(self, message: NewestWindowRead) -> None:
        self.newest_signal.publish(message.reading)

    @on(StackRead)
    def _stack_read(self, message: StackRead) -> None:
        if self._alerts_bridge.watch is not None:
            self._alerts_bridge.watch.on_stack(message.reading)
        self.stack = message.reading
        self.stack_signal.publish(message.reading)

    @work(group="store", exit_on_error=False)
    @guarded
    async def _follow_store(self) -> None:
        await self._store_bridge.run()

    @work(group="jobs", exit_on_error=False)
    @guarded
    async def _work_on_jobs(self) -> None:
        await self._jobs_bridge.run()

    @work(group="alerts", exit_on_error=False)
    @guarded
    async def _watch_alerts(self) -> None:
        await self._alerts_bridge.run()

    @on(AlertsRead)
    def _alerts_read(self, message: AlertsRead) -> None:
        before, self.alerts = self.alerts, message.reading
        for telling in news(before, message.reading, clock.now_s(), key_of(self, "app.alerts")):
            self.notify(telling.sentence, severity=telling.severity, timeout=_ALERT_TOLD_S, markup=False)
            if telling.rings and not self.is_headless:
                self._ring(telling.sentence)
        self.alerts_signal.publish(message.reading)

    def _ring(self, sentence: str) -> None:
        if self._rings == "bell":
            self.bell()
        elif self._rings == "notify" and self._driver is not None:
            # OSC 9, as iTerm2, kitty, WezTerm, Windows Terminal and others have it; the rest ignore it
            text = "".join(letter for letter in sentence if letter.isprintable())
            self._driver.write(f"\x1b]9;utxoracle-tui: {text}\x07")

    def action_alerts(self) -> None:
        """Open the alerts over whatever is open, or close them."""
        if isinstance(self.screen, AlertsScreen):
            self.screen.dismiss()
        else:
            self.push_screen(AlertsScreen())

    async def answer_alert(self, key: str, *, silent_minutes: float | None = None) -> None:
        """Acknowledge an open alert, or be silent of it for a while. Raises `StoreTrouble`."""
        watch = self._alerts_bridge.watch
        if watch is None:
            return
        if silent_minutes is None:
            await watch.acknowledge(key)
        else:
            await watch.snooze(key, silent_minutes)

    @on(JobsRead)
    def _jobs_read(self, message: JobsRead) -> None:
        if self._alerts_bridge.watch is not None:
            self._alerts_bridge.watch.on_jobs(message.reading)
        self.jobs = message.reading
        self.jobs_signal.publish(message.reading)

    def follow_logs(self) -> None:
        """Have the logs followed from now on; what nobody has looked at yet isn't."""
        if not self._logs_are_followed:
            self._logs_are_followed = True
            self._follow_logs()

    @work(group="logs", exit_on_error=False)
    @guarded
    async def _follow_logs(self) -> None:
        await self._logs_bridge.run()

    @on(LogsRead)
    def _logs_read(self, message: LogsRead) -> None:
        self.logs_signal.publish(message.reading)

    def _tell_log_trouble(self) -> None:
        """Tell once that the own log can't be written."""
        trouble = self.parts.log_trouble()
        if trouble is not None and not self._log_trouble_told:
            self._log_trouble_told = True
            self.notify(trouble, severity="warning", timeout=20)

    @on(NodeRead)
    def _node_read(self, message: NodeRead) -> None:
        self.node = message.reading
        self.parts.newest.node_read(message.reading)
        self.node_signal.publish(message.reading)

    @on(StoreRead)
    def _store_read(self, message: StoreRead) -> None:
        if self._alerts_bridge.watch is not None:
            self._alerts_bridge.watch.on_store(message.reading)
        self.stored = message.reading
        self.store_signal.publish(message.reading)
