"""All sources but the node in a line: a mark and a word for each, and the jobs that run."""

from __future__ import annotations

from rich.text import Text

from utxoracle_tui import clock, formats
from utxoracle_tui.engine.jobs.reading import JobsReading
from utxoracle_tui.engine.stack.reading import TITLES, Health, Source, SourceReading, Standing
from utxoracle_tui.engine.stack.stack_reading import StackReading
from utxoracle_tui.ui.stack_words import glyph, is_heard
from utxoracle_tui.ui.widgets.coming_width import coming_width
from utxoracle_tui.ui.widgets.steady_text import SteadyText

_AGE_CHECK_S = 1.0
_OLD = frozenset({Health.LATE, Health.STALE, Health.DOWN})
_AT_REST = frozenset({Standing.READY, Standing.NONE})


class SourcesLine(SteadyText):
    """What the stack beside the node says, with the age of what is old."""

    DEFAULT_CSS = """
    SourcesLine { height: 1; padding: 0 1; text-wrap: nowrap; text-overflow: ellipsis; }
    """

    def __init__(self) -> None:
        super().__init__(Text("… asking the stack", "dim"))
        self._stack: StackReading | None = None
        self._jobs: JobsReading | None = None

    def on_mount(self) -> None:
        """Keep the ages right."""
        self.set_interval(_AGE_CHECK_S, self._refresh)

    def on_resize(self) -> None:
        """Say more where there is room."""
        self._refresh()

    def show_stack(self, reading: StackReading) -> None:
        """Show another reading of the stack."""
        self._stack = reading
        self._refresh()

    def show_jobs(self, reading: JobsReading) -> None:
        """Show another reading of the jobs."""
        self._jobs = reading
        self._refresh()

    @property
    def columns(self) -> int:
        """How wide it is with all that it has to say."""
        if self._stack is None:
            return self.render().cell_len + self.gutter.width
        return _whole(self._stack, self._jobs, clock.elapsed_s()).cell_len + self.gutter.width

    def _refresh(self) -> None:
        if self._stack is None:
            return
        self.update(describe(self._stack, self._jobs, clock.elapsed_s(), coming_width(self)))


def describe(stack: StackReading, jobs: JobsReading | None, now_s: float, width: int) -> Text:
    """The line at a moment on the clock for spans, in at most `width` columns where that can be.

    Where there isn't room for all, what is as it should be is only counted.
    """
    others = _others(stack)
    at_work = _jobs(jobs)
    whole = _whole(stack, jobs, now_s)
    if whole.cell_len <= width:
        return whole
    brief = [_source(source, now_s, brief=source.standing in _AT_REST) for source in others]
    if (text := _joined([*brief, *at_work])).cell_len <= width:
        return text
    odd = [_source(source, now_s) for source in others if source.standing not in _AT_REST]
    fine = sum(source.standing is Standing.READY for source in others)
    return _joined([*odd, Text.assemble(("● ", "bold green"), f"{fine} ok"), *at_work])


def _others(stack: StackReading) -> list[SourceReading[object]]:
    return [source for source in stack.all if source.source is not Source.NODE]


def _whole(stack: StackReading, jobs: JobsReading | None, now_s: float) -> Text:
    return _joined([*(_source(source, now_s) for source in _others(stack)), *_jobs(jobs)])


def _joined(pieces: list[Text]) -> Text:
    return Text("  ", no_wrap=True).join(pieces)


def _source(source: SourceReading[object], now_s: float, *, brief: bool = False) -> Text:
    mark, style = glyph(source)
    text = Text.assemble((f"{mark} ", style), TITLES[source.source])
    if brief:
        return text
    text.append(f" {source.word}", "" if source.standing in _AT_REST else style)
    age_s = source.age_s(now_s)
    if age_s is not None and source.health in _OLD and not is_heard(source, age_s):
        text.append(f", {formats.age(age_s)}", "yellow")
    return text


def _jobs(reading: JobsReading | None) -> list[Text]:
    """What the open jobs come to, as no piece or one."""
    going = [job for job in reading.jobs if job.is_open] if reading is not None else []
    if not going:
        return []
    first = going[0]
    text = Text.assemble(
        ("▶ ", "bold cyan"), f"{formats.plural(len(going), 'job')} {first.progress.tried}/{first.progress.total}"
    )
    if first.job.state == "paused":
        text.append(" paused", "yellow")
    elif first.estimate.eta is not None:
        text.append(f", {formats.span(first.estimate.eta.likely_s)} left")
    return [text]
