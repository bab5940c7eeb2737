"""electrs in words and bars: where its first sync is, how long that will take, and what the figures rest on."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from rich.text import Text

from utxoracle_tui import formats
from utxoracle_tui.engine.electrs.phases import ORDER, WEIGHTS, ConditionKind, Phase, Severity, Status
from utxoracle_tui.engine.stack.reading import SourceReading

if TYPE_CHECKING:
    from utxoracle_tui.engine.electrs.pace import Eta
    from utxoracle_tui.engine.electrs.state import Condition, PhaseRow, Progress, State

_SEVERITY = {
    Severity.INFO: ("ℹ", "cyan"),
    Severity.WARNING: ("▲", "bold yellow"),
    Severity.ALERT: ("✗", "bold red"),
}
_PHASE_NAMES = {
    Phase.STARTING: "start",
    Phase.WAITING: "wait for Core",
    Phase.OPENING: "open",
    Phase.HEADERS: "headers",
    Phase.PASS_1: "pass 1",
    Phase.COMPACTING_TXSTORE: "compact txstore",
    Phase.PASS_2: "pass 2",
    Phase.COMPACTING_HISTORY: "compact history",
    Phase.LOADING_MEMPOOL: "mempool",
    Phase.READY: "ready",
}
_MARKS = {
    Status.DONE: ("✓", "green"),
    Status.DONE_EARLIER: ("✓", "green"),
    Status.RUNNING: ("▶", "bold cyan"),
    Status.TO_COME: ("·", "dim"),
}
_HANGS = frozenset({ConditionKind.STUCK, ConditionKind.MAIN_LOOP_HUNG})
_BAR_CELLS, _NARROW_BAR_CELLS = 30, 16
_NARROW_COLUMNS = 90
_GB = 1e9
_MINUTE_S, _HOUR_S = 60, 3600
_STEPS_S = (
    (20, 1),
    (_MINUTE_S, 5),
    (10 * _MINUTE_S, 15),
    (_HOUR_S, _MINUTE_S),
    (10 * _HOUR_S, 5 * _MINUTE_S),
    (float("inf"), 15 * _MINUTE_S),
)
"""Below what a time left is told in which steps: digits beyond them mean nothing, and would only flicker."""


def electrs(source: SourceReading[State], width: int, *, evidence: bool) -> Text | None:
    """Where electrs is in its first sync, in so many columns; None where nothing is known of it."""
    state = source.detail
    if state is None:
        return None
    text = _phases(state, width)
    for line in _progress(state, _NARROW_BAR_CELLS if width < _NARROW_COLUMNS else _BAR_CELLS):
        text.append("\n").append_text(line)
    alerts = [condition for condition in state.conditions if condition.severity is Severity.ALERT]
    _append(text, alerts)
    text.append(f"\n{state.sentence}", "bold")
    if state.advice and not any(condition.kind in _HANGS for condition in alerts):
        # to leave alone what hangs would be wrong
        text.append(f"\n{state.advice}")
    _append(text, [condition for condition in state.conditions if condition not in alerts])
    text.append("\n").append_text(_evidence(state) if evidence else _grounds(state))
    return text


def _append(text: Text, conditions: list[Condition]) -> None:
    for condition in conditions:
        mark, style = _SEVERITY[condition.severity]
        text.append(f"\n{mark} {condition.sentence}", style)
        text.append(f" {condition.advice}" if condition.advice else "")


def has_most_to_say(source: SourceReading[State]) -> bool:
    """Whether electrs is on its way, or in trouble, so that its panel is what one looks for first."""
    return source.detail is not None and source.detail.phase not in (Phase.READY, Phase.UNKNOWN, Phase.NOT_INSTALLED)


def _progress(state: State, cells: int) -> Iterator[Text]:
    progress = state.progress
    if state.phase is Phase.READY:
        return
    if progress.share is not None:
        full = int(progress.share * cells)
        line = Text("▮" * full + "▯" * (cells - full), "cyan")
        line.append(f" {'about ' if progress.rough else ''}{formats.percent(progress.share)}", "bold")
        line.append(f" · {_time_left(progress.eta)}", "bold")
        yield line
        yield Text(" · ".join(_figures(state, progress)))
    elif state.phase in WEIGHTS:
        yield Text("no measure of progress: the index folder, the metrics or the log would tell", "yellow")


def _figures(state: State, progress: Progress) -> Iterator[str]:
    if progress.done is not None and progress.total is not None:
        rate = f", {_rate(progress.rate_per_s, progress.unit)}" if progress.rate_per_s else ""
        yield f"{_of_total(progress.done, progress.total, progress.unit)}{rate}"
    yield f"for {formats.span(max(state.at_s - state.since_s, 0))}"
    if state.whole_share is not None:
        yield f"whole sync {state.whole_share * 100:.0f} %"


def _time_left(eta: Eta | None) -> str:
    if eta is None:
        return "time left not known yet"
    return f"{rough_span(eta.mid_s)} left ({rough_span(eta.low_s)} to {rough_span(eta.high_s)})"


def rough_span(seconds: float) -> str:
    """A span of time with no more digits than a forecast has."""
    step_s = next(step for below_s, step in _STEPS_S if seconds < below_s)
    whole = round(seconds / step_s) * step_s
    if whole < _HOUR_S and whole % _MINUTE_S == 0 and whole:
        return f"{whole // _MINUTE_S} min"
    return formats.span(whole)


def _of_total(done: float, total: float, unit: str) -> str:
    if unit == "bytes":
        return f"{bytes_shown(done)} of {bytes_shown(total)}"
    return f"{done:,.0f} of {total:,.0f} {unit}"


def bytes_shown(value: float) -> str:
    """Bytes as megabytes or gigabytes, as disks are sold."""
    return f"{value / _GB:,.1f} GB" if value >= _GB else f"{value / 1e6:,.1f} MB"


def _rate(per_s: float, unit: str) -> str:
    if unit == "bytes":
        return f"{per_s / 1e6:,.1f} MB/s"
    return f"{per_s:,.1f}/s" if per_s >= 1 else f"{per_s * 60:,.1f}/min"


def _phases(state: State, width: int) -> Text:
    """All phases in a row; a line ends between them, never within one."""
    rows = {row.phase: row for row in state.rows}
    text, left = Text(), width
    for phase in ORDER:
        row = rows.get(phase)
        if row is None:
            continue
        mark, style = _MARKS[row.status]
        piece = f"{mark} {_PHASE_NAMES[phase]}{_of_phase(row)}"
        if text and len(piece) + 2 > left:
            text.append("\n")
            left = width
        elif text:
            text.append("  ")
            left -= 2
        text.append(piece, style)
        left -= len(piece)
    return text


def _of_phase(row: PhaseRow) -> str:
    if row.status is Status.RUNNING and row.share is not None:
        return f" {row.share * 100:.0f} %"
    spent_s = (row.elapsed_s or 0.0) + row.earlier_s
    if row.status is Status.DONE and spent_s >= 1:
        return f" ({'' if row.exact else '≥ '}{formats.span(spent_s)})"
    return " (earlier)" if row.status is Status.DONE_EARLIER else ""


def _grounds(state: State) -> Text:
    """What the figures rest on, in a line."""
    pieces = []
    if state.progress.rests_on:
        pieces.append(f"by {' and '.join(basis.source for basis in state.progress.rests_on)}")
    if state.life:
        pieces.append(f"moving: {state.life[0].name}, {formats.age(state.life[0].ago_s)}")
    return Text(" · ".join((*pieces, "e: all evidence")), "dim")


def _evidence(state: State) -> Text:
    text = Text().append("evidence", "bold")
    for basis in state.progress.rests_on:
        text.append(f"\n  {basis.source}: {basis.says}, {formats.age(basis.age_s)}")
    for sign in state.life:
        text.append(f"\n  moving: {sign.name}, {formats.age(sign.ago_s)}")
    for sentence in state.missing:
        text.append(f"\n  not there: {sentence}", "yellow")
    if not state.progress.rests_on and not state.life:
        text.append("\n  nothing was measured yet", "dim")
    return text
