"""What the engine tells the screens."""

from __future__ import annotations

from textual.message import Message

from utxoracle_core import BlockReading
from utxoracle_tui.alerts.reading import AlertsReading
from utxoracle_tui.engine.jobs.reading import JobsReading
from utxoracle_tui.engine.live_rounds import StoreReading
from utxoracle_tui.engine.live_window import WindowReading
from utxoracle_tui.engine.logs.live import LogsReading
from utxoracle_tui.engine.node_watch import NodeReading
from utxoracle_tui.engine.pricing import PricedWindow
from utxoracle_tui.engine.progress import Progress
from utxoracle_tui.engine.request import Request
from utxoracle_tui.engine.stack.stack_reading import StackReading


class WindowStarted(Message):
    """Work on a window has begun."""

    def __init__(self, request: Request) -> None:
        self.request = request
        super().__init__()


class WindowProgress(Message):
    """Blocks of the window have been digested."""

    def __init__(self, progress: Progress) -> None:
        self.progress = progress
        super().__init__()

    def can_replace(self, message: Message) -> bool:
        """Only the newest progress matters."""
        return isinstance(message, WindowProgress)


class WindowPriced(Message):
    """A window is done."""

    def __init__(self, request: Request, result: PricedWindow) -> None:
        self.request = request
        self.result = result
        super().__init__()


class BlockLineReady(Message):
    """The block prices of the window that was priced last."""

    def __init__(self, result: PricedWindow, readings: list[BlockReading]) -> None:
        self.result = result
        self.readings = readings
        super().__init__()


class WindowFailed(Message):
    """A window could not be priced; `sentence` is for the operator."""

    def __init__(self, request: Request, sentence: str) -> None:
        self.request = request
        self.sentence = sentence
        super().__init__()


class WindowCancelled(Message):
    """The operator stopped the work on a window."""


class StoreRead(Message):
    """The store holds something new, or something could not be stored."""

    def __init__(self, reading: StoreReading) -> None:
        self.reading = reading
        super().__init__()


class JobsRead(Message):
    """Something has changed about the jobs."""

    def __init__(self, reading: JobsReading) -> None:
        self.reading = reading
        super().__init__()

    def can_replace(self, message: Message) -> bool:
        """Only the newest matters."""
        return isinstance(message, JobsRead)


class StackRead(Message):
    """Something has changed about the stack."""

    def __init__(self, reading: StackReading) -> None:
        self.reading = reading
        super().__init__()

    def can_replace(self, message: Message) -> bool:
        """Only the newest matters."""
        return isinstance(message, StackRead)


class AlertsRead(Message):
    """An alert was raised or resolved, or somebody has said something to one."""

    def __init__(self, reading: AlertsReading) -> None:
        self.reading = reading
        super().__init__()


class LogsRead(Message):
    """There are new lines in the logs, or one can't be followed any more."""

    def __init__(self, reading: LogsReading) -> None:
        self.reading = reading
        super().__init__()

    def can_replace(self, message: Message) -> bool:
        """Only the newest matters: the lines themselves are kept."""
        return isinstance(message, LogsRead)


class NodeRead(Message):
    """The node said something, or failed to."""

    def __init__(self, reading: NodeReading) -> None:
        self.reading = reading
        super().__init__()


class NewestWindowRead(Message):
    """Something new about the block window before the tip."""

    def __init__(self, reading: WindowReading) -> None:
        self.reading = reading
        super().__init__()
