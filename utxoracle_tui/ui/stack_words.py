"""The stack in words and bars: what a screen shows of a reading, as plain text with style."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from rich.text import Text

from utxoracle_tui import clock, formats
from utxoracle_tui.engine.electrs.pace import Eta
from utxoracle_tui.engine.electrs.phases import ORDER, WEIGHTS, Phase, Severity, Status
from utxoracle_tui.engine.electrs.state import PhaseRow, State
from utxoracle_tui.engine.stack.containers import ContainerStatus
from utxoracle_tui.engine.stack.disks import DiskStatus
from utxoracle_tui.engine.stack.node import NodeStatus
from utxoracle_tui.engine.stack.reading import TITLES, Health, Overall, SourceReading, Standing
from utxoracle_tui.engine.stack.stack import StackReading

_GLYPHS = {
    Standing.READY: ("●", "bold green"),
    Standing.WORKING: ("◐", "bold cyan"),
    Standing.WAITS: ("◌", "cyan"),
    Standing.DEGRADED: ("▲", "bold yellow"),
    Standing.DOWN: ("✗", "bold red"),
    Standing.NONE: ("–", "dim"),
}
_OVERALL = {
    Overall.READY: ("● the stack is ready", "bold green"),
    Overall.WORKING: ("◐ the stack is on its way", "bold cyan"),
    Overall.DEGRADED: ("▲ something wants attention", "bold yellow"),
    Overall.DOWN: ("✗ the stack is down", "bold red"),
}
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
_BAR_CELLS = 30
_GB = 1e9


def glyph(reading: SourceReading[Any]) -> tuple[str, str]:
    """A source's mark, which says the same without colour, and its style."""
    return _GLYPHS[reading.standing]


def summary(reading: StackReading) -> Text:
    """All sources in one line."""
    text = Text(no_wrap=True)
    for source in reading.all:
        mark, style = glyph(source)
        text.append(f"{mark} ", style)
        text.append(f"{TITLES[source.source]} {source.word}  ")
    return text


def sources(reading: StackReading) -> Text:
    """A line or two for each source: mark, word, age, sentence."""
    words, style = _OVERALL[reading.overall]
    text = Text(words, style)
    for source in reading.all:
        mark, style = glyph(source)
        text.append(f"\n{mark} ", style)
        text.append(f"{TITLES[source.source]:<13}", "bold")
        text.append(f"{source.word:<14}", style)
        text.append(_age(source), "dim" if source.health is Health.UP else "yellow")
        # what electrs is doing stands in a panel of its own
        text.append(source.sentence.partition(". ")[0] if source is reading.electrs else source.sentence)
        for trouble in source.troubles:
            text.append(f"\n    {trouble}", "yellow")
    return text


def _age(source: SourceReading[Any]) -> str:
    age_s = source.age_s(clock.elapsed_s())
    if age_s is None:
        return ""
    slow = f", took {source.latency_s:.1f} s" if source.latency_s is not None and source.latency_s >= 1 else ""
    return f"{formats.age(age_s)}{slow} · "


def electrs(source: SourceReading[State], *, evidence: bool) -> Text | None:
    """Where electrs is in its first sync; None where nothing is known of it."""
    state = source.detail
    if state is None:
        return None
    text = Text(state.sentence, "bold")
    text.append(f"\n{state.advice}" if state.advice else "")
    for line in _progress(state):
        text.append("\n").append_text(line)
    text.append("\n").append_text(_phases(state))
    for condition in state.conditions:
        mark, style = _SEVERITY[condition.severity]
        text.append(f"\n{mark} {condition.sentence}", style)
        text.append(f" {condition.advice}" if condition.advice else "")
    if evidence:
        text.append("\n").append_text(_evidence(state))
    elif state.life:
        sign = state.life[0]
        text.append(f"\nlast sign of life: {sign.name}, {formats.age(sign.ago_s)} · e shows all evidence", "dim")
    return text


def _progress(state: State) -> Iterator[Text]:
    progress = state.progress
    if state.phase is Phase.READY:
        return
    if progress.share is not None:
        full = int(progress.share * _BAR_CELLS)
        line = Text("▮" * full + "▯" * (_BAR_CELLS - full), "cyan")
        line.append(f" {'about ' if progress.rough else ''}{progress.share * 100:.1f} %", "bold")
        if progress.done is not None and progress.total is not None:
            line.append(f" · {_amount(progress.done, progress.unit)} of {_amount(progress.total, progress.unit)}")
        if progress.rate_per_s:
            line.append(f" · {_rate(progress.rate_per_s, progress.unit)}")
        yield line
        yield Text(f"{_eta(progress.eta)} · in this phase for {formats.span(max(state.at_s - state.since_s, 0))}")
    elif state.phase in WEIGHTS:
        yield Text("no measure of progress: the index folder, the metrics or the log would tell", "yellow")
    if state.whole_share is not None:
        yield Text(f"the whole first sync: about {state.whole_share * 100:.0f} %, by a rule of thumb", "dim")


def _eta(eta: Eta | None) -> str:
    if eta is None:
        return "time left not known yet"
    return f"{formats.span(eta.mid_s)} left ({formats.span(eta.low_s)} to {formats.span(eta.high_s)})"


def _amount(value: float, unit: str) -> str:
    return _bytes(value) if unit == "bytes" else f"{value:,.0f} {unit}"


def _bytes(value: float) -> str:
    return f"{value / _GB:,.1f} GB" if value >= _GB else f"{value / 1e6:,.1f} MB"


def _rate(per_s: float, unit: str) -> str:
    if unit == "bytes":
        return f"{per_s / 1e6:,.1f} MB/s"
    return f"{per_s:,.1f} {unit}/s" if per_s >= 1 else f"{per_s * 60:,.1f} {unit}/min"


def _phases(state: State) -> Text:
    rows = {row.phase: row for row in state.rows}
    text = Text()
    for phase in ORDER:
        row = rows.get(phase)
        if row is None:
            continue
        mark, style = _MARKS[row.status]
        text.append(" " if text else "")
        text.append(f"{mark} {_PHASE_NAMES[phase]}{_of_phase(row)}", style)
    return text


def _of_phase(row: PhaseRow) -> str:
    if row.status is Status.RUNNING and row.share is not None:
        return f" {row.share * 100:.0f} %"
    spent_s = (row.elapsed_s or 0.0) + row.earlier_s
    if row.status is Status.DONE and spent_s >= 1:
        return f" ({'' if row.exact else '≥ '}{formats.span(spent_s)})"
    return " (earlier)" if row.status is Status.DONE_EARLIER else ""


def _evidence(state: State) -> Text:
    text = Text("evidence", "bold")
    for basis in state.progress.rests_on:
        text.append(f"\n  {basis.source}: {basis.says}, {formats.age(basis.age_s)}")
    for sign in state.life:
        text.append(f"\n  moving: {sign.name}, {formats.age(sign.ago_s)}")
    for sentence in state.missing:
        text.append(f"\n  not there: {sentence}", "yellow")
    if not state.progress.rests_on and not state.life:
        text.append("\n  nothing was measured yet", "dim")
    return text


def node(source: SourceReading[NodeStatus]) -> Text | None:
    """More of the node than its sentence says."""
    status = source.detail
    if status is None:
        return None
    words = [status.chain.network]
    if status.network is not None:
        words.append(status.network.subversion.strip("/"))
        if status.network.connections is not None:
            words.append(formats.plural(status.network.connections, "peer"))
    if status.started_at_s is not None:
        words.append(f"up for {formats.span(max(clock.now_s() - status.started_at_s, 0))}")
    if status.chain.size_on_disk_bytes is not None:
        words.append(f"{_bytes(status.chain.size_on_disk_bytes)} on disk")
    if status.mempool is not None:
        words.append(f"{status.mempool.transactions:,} transactions in its mempool")
    indexes = status.indexes or ()
    words += [f"{index.name} {'synced' if index.synced else f'at {index.best_height}'}" for index in indexes]
    text = Text(" · ".join(words))
    for warning in status.warnings:
        text.append(f"\n▲ the node warns: {warning}", "yellow")
    return text


def containers(found: tuple[ContainerStatus, ...]) -> Text:
    """A line for each container."""
    text = Text()
    for each in found:
        text.append("\n" if text else "")
        text.append(f"{'●' if each.is_well else '✗'} ", "green" if each.is_well else "bold red")
        text.append(f"{each.name:<18}", "bold")
        container = each.container
        if container is None:
            text.append("not there", "dim")
            continue
        text.append(container.state)
        if container.health:
            text.append(f", {container.health}")
        if container.started_s is not None and container.running:
            text.append(f", for {formats.span(max(clock.now_s() - container.started_s, 0))}")
        if container.restarts:
            text.append(f", restarted {container.restarts} times", "yellow")
        if not container.running:
            text.append(f", exit code {container.exit_code}", "yellow")
        if container.oom_killed:
            text.append(", ended by the kernel for want of memory", "bold red")
    return text


def disks(found: tuple[DiskStatus, ...]) -> Text:
    """A line for each disk."""
    text = Text()
    for disk in found:
        text.append("\n" if text else "")
        text.append("▲ " if disk.is_low else "● ", "bold yellow" if disk.is_low else "green")
        text.append(f"{disk.mount_point or '?'!s:<18}", "bold")
        share = disk.free_bytes / disk.total_bytes if disk.total_bytes else 0.0
        text.append(
            f"{disk.free_bytes / _GB:,.0f} GB free of {disk.total_bytes / _GB:,.0f} ({share * 100:.0f} %)",
            "bold yellow" if disk.is_low else "",
        )
        text.append(f" · holds {', '.join(disk.holds)}")
        if disk.activity is not None:
            text.append(f" · busy {disk.activity.busy * 100:.0f} %")
            text.append(
                f", reads {disk.activity.read_bytes_per_s / 1e6:,.1f} and writes "
                f"{disk.activity.written_bytes_per_s / 1e6:,.1f} MB/s"
            )
    return text
