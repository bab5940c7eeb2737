"""The queue of jobs and what became of the earlier ones, with what can be done to them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, ClassVar, cast

from rich.text import Text
from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.widgets import Static

from utxoracle_tui import clock, formats
from utxoracle_tui.engine.jobs.estimate import Estimate, Eta
from utxoracle_tui.engine.jobs.reading import JobReading, JobsReading
from utxoracle_tui.engine.jobs.turns import CareReading
from utxoracle_tui.engine.jobs.wanted import title
from utxoracle_tui.engine.live_rounds import StoreReading
from utxoracle_tui.engine.watch.presence import WatchSeen
from utxoracle_tui.errors import OperatorError
from utxoracle_tui.store.records import JobItem, WindowKey
from utxoracle_tui.ui import store_words
from utxoracle_tui.ui.engine_parts import EngineParts
from utxoracle_tui.ui.guard import guarded
from utxoracle_tui.ui.key_names import key_of, may_change
from utxoracle_tui.ui.returning import Returning
from utxoracle_tui.ui.screens.confirm import Confirm
from utxoracle_tui.ui.widgets.header import Header
from utxoracle_tui.ui.widgets.key_line import KeyLine
from utxoracle_tui.ui.widgets.rows_view import Column, RowsView

if TYPE_CHECKING:
    from utxoracle_tui.ui.node_console import NodeConsole

_BAR_CELLS = 12
_FAILURES_SHOWN = 3


class JobsScreen(Returning[None]):
    """Follows the jobs of the store, whichever process works on them."""

    CSS = """
    JobsScreen #care { height: auto; padding: 0 1; color: $text-muted; }
    JobsScreen #watch { height: auto; padding: 0 1; color: $text-muted; display: none; }
    JobsScreen #job { height: auto; min-height: 3; padding: 0 1; border-top: solid $border; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("p", "pause", "Pause/resume", id="jobs.pause"),
        Binding("c", "cancel", "Cancel", id="jobs.cancel"),
        Binding("r", "retry", "Retry failed", id="jobs.retry"),
        Binding("plus", "move(-1)", "Sooner", key_display="+", id="jobs.sooner"),
        Binding("minus", "move(1)", "Later", key_display="-", id="jobs.later"),
    ]

    def __init__(self, parts: EngineParts) -> None:
        super().__init__()
        self._parts = parts
        self._failures: dict[str, list[JobItem]] = {}

    def compose(self) -> ComposeResult:
        """Header, how the node is spared, the jobs, and the one under the cursor in words."""
        yield Header(self._parts, "jobs")
        yield Static(id="care", markup=False)
        yield Static(id="watch", markup=False)
        yield RowsView(_COLUMNS, lambda reading: reading.job.key, empty=_empty(self), picks=False)
        yield Static(id="job", markup=False)
        yield KeyLine()

    def on_mount(self) -> None:
        """Follow the jobs."""
        console = cast("NodeConsole", self.app)
        console.jobs_signal.subscribe(self, self._show)
        self.query_one(RowsView).focus()
        if console.jobs is not None:
            self._show(console.jobs)
        console.store_signal.subscribe(self, self._store_read)
        if console.stored is not None:
            self._store_read(console.stored)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Without the right to change anything, jobs go on as they are."""
        return action not in {"pause", "cancel", "retry", "move"} or may_change(self)

    def _show(self, reading: JobsReading) -> None:
        self.query_one(RowsView).show(reading.jobs)
        self.query_one("#care", Static).update(_care(reading))
        self._show_job()

    def _store_read(self, reading: StoreReading) -> None:
        self.query_one(RowsView).say_when_empty(store_words.nothing_to_read(reading) or _empty(self))
        self._show_watch(reading)

    def _show_watch(self, reading: StoreReading) -> None:
        line, words = self.query_one("#watch", Static), _watch(reading.watch, clock.now_s())
        line.display = bool(words)
        if line.content != words:
            line.update(words)

    @on(RowsView.Moved)
    def _show_job(self) -> None:
        self._show_words()
        reading = self._chosen
        if reading is not None and reading.progress.failed != len(self._failures.get(reading.job.key, [])):
            self._load_failures(reading.job.key)

    def _show_words(self) -> None:
        reading = self._chosen
        words = "" if reading is None else _in_words(reading, self._failures.get(reading.job.key, []))
        self.query_one("#job", Static).update(words)

    @property
    def _chosen(self) -> JobReading | None:
        row: JobReading | None = self.query_one(RowsView).row
        return row

    @work(exclusive=True, group="job items", exit_on_error=False)
    @guarded
    async def _load_failures(self, key: str) -> None:
        try:
            items = await self._parts.jobs.items(key)
        except OperatorError as error:
            self.notify(error.message, severity="error")
            return
        self._failures[key] = [item for item in items if item.state == "failed"]
        # the reading may be older than what was loaded: the next one tells whether they agree
        self._show_words()

    def action_pause(self) -> None:
        """Let the job rest, or go on."""
        reading = self._chosen
        if reading is not None:
            act = self._parts.jobs.resume if reading.job.state == "paused" else self._parts.jobs.pause
            self._do(act, reading.job.key)

    def action_cancel(self) -> None:
        """End the job, after a question."""
        reading = self._chosen
        if reading is None or not reading.is_open:
            return
        key = reading.job.key

        def answered(yes: bool | None) -> None:
            if yes:
                self._do(self._parts.jobs.cancel, key)

        left = reading.progress.total - reading.progress.tried
        question = f"Cancel: {title(reading.job)}? {formats.plural(left, 'window')} not begun; what is stored stays."
        self.app.push_screen(Confirm(question), answered)

    def action_retry(self) -> None:
        """Have the failed windows done again."""
        reading = self._chosen
        if reading is None:
            return
        if reading.progress.failed:
            self._do(self._parts.jobs.retry, reading.job.key)
        else:
            self.notify(_nothing_failed(reading, key_of(self, "go.windows"), key_of(self, "windows.backfill")))

    def action_move(self, places: int) -> None:
        """Move the job in the queue."""
        reading = self._chosen
        if reading is not None:
            key = reading.job.key
            self._do(lambda _: self._parts.jobs.move(key, places), key)

    @work(group="job actions", exit_on_error=False)
    @guarded
    async def _do(self, act: Callable[[str], Awaitable[object]], key: str) -> None:
        try:
            await act(key)
        except OperatorError as error:
            self.notify(error.message, severity="error")


def _empty(screen: JobsScreen) -> str:
    windows, backfill = key_of(screen, "go.windows"), key_of(screen, "windows.backfill")
    return (
        "No job was asked for yet. To have days worked out that are missing: "
        f"{windows} (Windows), then {backfill} (Backfill)."
    )


def _nothing_failed(reading: JobReading, windows: str, backfill: str) -> str:
    """Why there is nothing to retry, and what does what was meant instead."""
    said = "No window of this job has failed, so there is nothing to retry."
    if reading.job.state == "cancelled" and reading.progress.tried < reading.progress.total:
        return f"{said} Asking for its windows again does the rest of them: {windows} (Windows), then {backfill}."
    return said


def name_of(key: WindowKey) -> str:
    """A window, shortly."""
    return key.date.isoformat() if key.date is not None else f"{key.first_height}–{key.last_height}"


def _care(reading: JobsReading) -> Text:
    text = Text()
    if reading.trouble:
        text.append(f"✗ {reading.trouble}", "red")
        return text
    care = reading.care
    if care is not None:
        text.append(f"node care: {care.in_flight} of at most {care.allowed} blocks in flight")
        if care.allowed < care.budget.max_in_flight:
            text.append(f", fewer than {care.budget.max_in_flight} as the node is busy or slow", "yellow")
        if care.budget.mb_per_s:
            text.append(f", at most {care.budget.mb_per_s:g} MB/s")
        if care.gives_way:
            text.append(", waiting for live work", "yellow")
        text.append_text(_origin(care))
    return text


def _watch(watch: WatchSeen | None, now_s: float) -> Text:
    """What is known of the `watch` on the same store; nothing where there is none."""
    text = Text()
    if watch is None:
        return text
    process = f" (process {watch.pid})" if watch.pid is not None else ""
    if not watch.runs:
        return text.append(f"▲ watch{process} was ended the hard way: this console works on the jobs alone.", "yellow")
    if watch.is_silent(now_s):
        return text.append(f"▲ watch{process} runs but has not been heard of for over a minute.", "yellow")
    since = f" since {formats.utc_minute(watch.since_s)} UTC" if watch.since_s is not None else ""
    return text.append(f"watch{process} runs{since}: it works on these jobs as well, and goes on when you quit.")


def _origin(care: CareReading) -> Text:
    """Where blocks come from, as a line; nothing as long as nobody has looked."""
    files = care.files
    text = Text()
    if files.folder is not None:
        text.append("\nblocks: ")
        text.append(f"{', '.join(f'{count:,} from {source}' for source, count in care.came_from) or 'from files'}")
        text.append(f" · files in {files.folder}")
    elif files.why_not:
        text.append(f"\nblocks: all from the node, as {files.why_not}")
    if files.notes:
        text.append(f"\n▲ {files.notes[-1]}", "yellow")
    return text


def _state(reading: JobReading) -> Text:
    job, progress = reading.job, reading.progress
    if job.state == "paused":
        return Text("‖ paused", "yellow")
    if job.state == "done":
        failed = f", {progress.failed} failed" if progress.failed else ""
        return Text(f"✓ done{failed}", "yellow" if failed else "green")
    if job.state == "cancelled":
        return Text("✗ cancelled", "dim")
    return Text("▶ running", "bold green") if reading.at_hand else Text("… queued")


def _bar(reading: JobReading) -> Text:
    full = int(reading.share * _BAR_CELLS)
    # all windows may be got while the last of them is being priced
    most = 100 if reading.progress.tried == reading.progress.total else 99
    percent = min(int(reading.share * 100), most)
    return Text("▮" * full + "▯" * (_BAR_CELLS - full) + f" {percent:3} %")


def _eta(eta: Eta | None) -> str:
    if eta is None:
        return "–"
    return f"{formats.span(eta.low_s)} – {formats.span(eta.high_s)}"


def _rate(reading: JobReading) -> str:
    rate = reading.estimate.mb_per_s
    return f"{rate:.1f} MB/s" if rate is not None else "–"


def _blocks_rate(reading: JobReading) -> str:
    rate = reading.estimate.blocks_per_s
    return f"{rate:.0f}" if rate is not None else "–"


def _in_words(reading: JobReading, failures: list[JobItem]) -> Text:
    job, progress = reading.job, reading.progress
    text = Text().append(title(job), "bold")
    text.append(f" · asked for {formats.utc_minute(job.time_s)}")
    parts = [f"{progress.done} done"]
    if progress.failed:
        parts.append(f"{progress.failed} failed")
    if progress.skipped:
        parts.append(f"{progress.skipped} skipped, as they were there by then")
    parts.append(f"{progress.total - progress.tried} to do, {progress.bytes_read / 1e6:,.0f} MB read")
    text.append(f"\n{', '.join(parts)}")
    if pace := _pace(reading.estimate):
        text.append(f"\n{pace}")
    for at in reading.at_hand:
        whose = "" if at.here else " by another process"
        of = f" of {at.blocks}" if at.blocks else ""
        text.append(f"\nat hand{whose}: {name_of(at.window)}, {at.blocks_done}{of} blocks")
    if job.state == "paused":
        text.append(f"\n{job.reason or 'It is paused.'}", "yellow")
        if job.resume_at_s is not None:
            text.append(f" Looked at again at {formats.utc_minute(job.resume_at_s)} UTC.", "yellow")
    for item in failures[:_FAILURES_SHOWN]:
        text.append(f"\n✗ {name_of(item.window)} tried {item.tries} times: {item.error}", "red")
    if len(failures) > _FAILURES_SHOWN:
        text.append(f"\n… and {len(failures) - _FAILURES_SHOWN} more", "red")
    return text


def _pace(found: Estimate) -> str:
    """How fast it goes, and how long it still takes, as far as that is known."""
    parts = [f"left {_eta(found.eta)}"] if found.eta is not None else []
    if found.blocks_per_s is not None:
        parts.append(f"{found.blocks_per_s:.1f} blocks/s")
    if found.mb_per_s is not None:
        parts.append(f"{found.mb_per_s:.1f} MB/s")
    return " · ".join(parts)


_COLUMNS: tuple[Column[JobReading], ...] = (
    # how many windows it has stands beside it where there is room, and below
    Column("job", 40, lambda reading: title(reading.job).partition(", ")[0]),
    Column("state", 16, _state),
    Column("progress", 18, _bar),
    Column("windows", 11, lambda reading: f"{reading.progress.tried}/{reading.progress.total}", "right", 84),
    Column("left", 21, lambda reading: _eta(reading.estimate.eta), "right", 106),
    Column("rate", 11, _rate, "right", 120),
    Column("blocks/s", 8, _blocks_rate, "right", 130),
    Column("priority", 8, lambda reading: str(reading.job.priority), "right", 140),
)
