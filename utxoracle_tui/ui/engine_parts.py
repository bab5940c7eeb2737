"""What the console is given of the engine."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from utxoracle_tui.engine.chart.history import PriceHistory
from utxoracle_tui.engine.live_jobs import LiveJobs
from utxoracle_tui.engine.live_rounds import LiveRounds
from utxoracle_tui.engine.live_window import LiveWindow
from utxoracle_tui.engine.logs.live import LiveLogs
from utxoracle_tui.engine.pricing import WindowPricing
from utxoracle_tui.engine.screen_export import ScreenExport
from utxoracle_tui.engine.validation import DEFAULT_LIMITS, Limits
from utxoracle_tui.engine.window_list import WindowLists
from utxoracle_tui.ui.remembered import Remembering

if TYPE_CHECKING:
    from utxoracle_tui.alerts.watch import AlertWatch
    from utxoracle_tui.config.changing import SettingsPlace
    from utxoracle_tui.engine.stack.stack import StackWatch


@dataclass(frozen=True)
class EngineParts:
    """All that a console on a node works with."""

    pricing: WindowPricing
    newest: LiveWindow
    stack: Callable[[], StackWatch]
    """Makes what watches the stack, the node included: in a thread, and once there is something to look at."""
    live: LiveRounds
    windows: WindowLists
    history: PriceHistory
    jobs: LiveJobs
    host: str
    """The node's."""
    heading: str
    data_dir: Path | None
    """Where the operator wants all files; None for the platform's places."""
    close: Callable[[], Awaitable[None]]
    """Gives back what the parts hold."""
    limits: Limits = DEFAULT_LIMITS
    """What a valid price has to meet."""
    logs: LiveLogs = field(default_factory=LiveLogs)
    exports: ScreenExport = field(default_factory=lambda: ScreenExport(lambda: None, None))
    log_trouble: Callable[[], str | None] = lambda: None
    """Why the program's own log can't be written, as a sentence, if so."""
    remembering: Remembering = field(default_factory=Remembering)
    """How the console was arranged last."""
    settings: SettingsPlace | None = None
    """Where the settings come from and are changed; None for a console without."""
    alerts: Callable[[], AlertWatch] | None = None
    """Makes what raises alerts, in a thread, as `stack`; None for a console without."""
    warnings: tuple[str, ...] = ()
    """What the operator is told once, when the console opens."""
