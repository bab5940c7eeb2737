"""The console on a node: its screens, one key each, and what all of them are told."""

from __future__ import annotations

from typing import Any, ClassVar

from textual import on, work
from textual.binding import Binding, BindingType
from textual.signal import Signal

from utxoracle_tui.engine.jobs.reading import JobsReading
from utxoracle_tui.engine.live_rounds import StoreReading
from utxoracle_tui.engine.node_watch import NodeReading
from utxoracle_tui.engine.stack.stack import StackReading
from utxoracle_tui.ui.app import Console
from utxoracle_tui.ui.bridge import JobsBridge, StackBridge, StoreBridge
from utxoracle_tui.ui.engine_parts import EngineParts
from utxoracle_tui.ui.guard import guarded
from utxoracle_tui.ui.messages import JobsRead, NodeRead, StackRead, StoreRead
from utxoracle_tui.ui.screens.dashboard import Dashboard
from utxoracle_tui.ui.screens.jobs import JobsScreen
from utxoracle_tui.ui.screens.stack import StackScreen
from utxoracle_tui.ui.screens.windows import WindowsScreen


class NodeConsole(Console):
    """All screens on one engine. What the engine says is kept, so that a screen opened later knows it at once."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("1", "go('dashboard')", "Dashboard", id="go.dashboard", show=False),
        Binding("2", "go('stack')", "Stack", id="go.stack", show=False),
        Binding("3", "go('windows')", "Windows", id="go.windows", show=False),
        Binding("4", "go('jobs')", "Jobs", id="go.jobs", show=False),
    ]

    def __init__(self, parts: EngineParts) -> None:
        super().__init__(None, parts.close)
        self.parts = parts
        self.data_dir = parts.data_dir
        self.node: NodeReading | None = None
        self.stored: StoreReading | None = None
        self.node_signal: Signal[NodeReading] = Signal(self, "node")
        self.jobs: JobsReading | None = None
        self.jobs_signal: Signal[JobsReading] = Signal(self, "jobs")
        self.store_signal: Signal[StoreReading] = Signal(self, "store")
        self.store_bridge = StoreBridge(parts.live, self)
        self.stack: StackReading | None = None
        self.stack_signal: Signal[StackReading] = Signal(self, "stack")
        self._stack_bridge = StackBridge(parts.stack, self)
        self._jobs_bridge = JobsBridge(parts.jobs, self)

    def open_first(self) -> None:
        """Begin with the dashboard, and watch."""
        screens: dict[str, Any] = {
            "dashboard": lambda: Dashboard(self.parts),
            "stack": lambda: StackScreen(self.parts),
            "windows": lambda: WindowsScreen(self.parts),
            "jobs": lambda: JobsScreen(self.parts),
        }
        for name, screen in screens.items():
            self.add_mode(name, screen)
        self.switch_mode("dashboard")
        self._watch_stack()
        self._follow_store()
        self._work_on_jobs()

    def action_go(self, mode: str) -> None:
        """Go to a screen."""
        self.switch_mode(mode)

    @work(group="stack", exit_on_error=False)
    @guarded
    async def _watch_stack(self) -> None:
        await self._stack_bridge.run()

    @on(StackRead)
    def _stack_read(self, message: StackRead) -> None:
        self.stack = message.reading
        self.stack_signal.publish(message.reading)

    @work(group="store", exit_on_error=False)
    @guarded
    async def _follow_store(self) -> None:
        await self.store_bridge.run()

    @work(group="jobs", exit_on_error=False)
    @guarded
    async def _work_on_jobs(self) -> None:
        await self._jobs_bridge.run()

    @on(JobsRead)
    def _jobs_read(self, message: JobsRead) -> None:
        self.jobs = message.reading
        self.jobs_signal.publish(message.reading)

    @on(NodeRead)
    def _node_read(self, message: NodeRead) -> None:
        self.node = message.reading
        self.node_signal.publish(message.reading)

    @on(StoreRead)
    def _store_read(self, message: StoreRead) -> None:
        self.stored = message.reading
        self.store_signal.publish(message.reading)
