"""The stack in words and bars: what a screen shows of a reading, as plain text with style."""

from __future__ import annotations

import re
import textwrap
from typing import TYPE_CHECKING, Any

from rich.text import Text

from utxoracle_tui import clock, formats
from utxoracle_tui.engine.stack.reading import TITLES, Health, Overall, SourceReading, Standing
from utxoracle_tui.engine.stack.stack_reading import StackReading
from utxoracle_tui.engine.stack.thresholds import LIMITS
from utxoracle_tui.ui.electrs_words import bytes_shown

if TYPE_CHECKING:
    from utxoracle_tui.engine.stack.containers import ContainerStatus
    from utxoracle_tui.engine.stack.disks import DiskStatus
    from utxoracle_tui.engine.stack.node import NodeStatus

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
_GB = 1e9
_HEARD_WITHIN_S = 60.0
"""All sources are asked more often than this; how old the exchange price itself may be is another matter."""
_LEAST_ROOM = 20
_WIDE_COLUMNS = 100
_INDENT, _NARROW_INDENT = 29, 4
"""Where further lines of a sentence begin: under its first word's age, or near the edge where there is little room."""


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


def sources(reading: StackReading, width: int | None = None, rows: int = 0) -> Text:
    """A line or more for each source: mark, word, age, sentence; `width` is that of what it is shown in.

    What is well takes one line whatever it says, and so does electrs, so that nothing below moves: their own panels
    have the rest. Where there are so many `rows` that all of it fits, nothing of it is left out.
    """
    if width is not None and rows:
        whole = _sources(reading, width, whole=True)
        if len(whole.plain.split("\n")) <= rows:
            return whole
    return _sources(reading, width, whole=False)


def _sources(reading: StackReading, width: int | None, *, whole: bool) -> Text:
    text = Text().append(*_OVERALL[reading.overall])
    for source in reading.all:
        if source is reading.containers and source.health is Health.NOT_CONFIGURED:
            # a stack without Docker misses nothing
            continue
        text.append("\n").append_text(_source(source, is_electrs=source is reading.electrs, width=width, whole=whole))
    return text


def _source(source: SourceReading[Any], *, is_electrs: bool, width: int | None, whole: bool) -> Text:
    mark, style = glyph(source)
    text = Text.assemble((f"{mark} ", style), (f"{TITLES[source.source]:<13}", "bold"), (f"{source.word:<14}", style))
    age_s = source.age_s(clock.elapsed_s())
    if age_s is not None:
        text.append(_age(source, age_s), "dim" if is_heard(source, age_s) else "yellow")
    # what electrs is doing stands in a panel of its own
    said = source.sentence.partition(". ")[0] if is_electrs else source.sentence
    if width is None:
        text.append(said)
    elif not whole and (is_electrs or source.standing is Standing.READY):
        text.append(_fitted(said, width - len(text)))
    else:
        indent = _INDENT if width >= _WIDE_COLUMNS else _NARROW_INDENT
        text.append(_hanging(said, width, len(text), indent))
    for trouble in source.troubles:
        lines = [trouble] if width is None else textwrap.wrap(trouble, width - _NARROW_INDENT)
        for line in lines:
            text.append(f"\n{' ' * _NARROW_INDENT}{line}", "yellow")
    return text


def _fitted(said: str, room: int) -> str:
    """As many of the pieces of a sentence as fit into a line; nothing rather than a few letters."""
    if len(said) <= room:
        return said
    if room < _LEAST_ROOM:
        return ""
    ends = [found.start() for found in re.finditer("[,;] ", said) if found.start() <= room - 2]
    return f"{said[: ends[-1]]} …" if ends else f"{said[: max(room - 1, 0)]}…"


def _hanging(said: str, width: int, start: int, indent: int) -> str:
    """A sentence that begins at a column, or in the next line, its further lines under each other."""
    if width - start < _LEAST_ROOM:
        return "\n" + textwrap.fill(said, width, initial_indent=" " * indent, subsequent_indent=" " * indent)
    return textwrap.fill(
        said, width, initial_indent=" " * start, subsequent_indent=" " * indent, break_on_hyphens=False
    )[start:]


def _age(source: SourceReading[Any], age_s: float) -> str:
    slow = f"took {source.latency_s:.1f} s · " if source.latency_s is not None and source.latency_s >= 1 else ""
    return f"{_age_words(source, age_s):<11} {slow}"


def is_heard(source: SourceReading[Any], age_s: float) -> bool:
    """Whether it is heard of as often as it should be, whatever it says."""
    return age_s < _within_s(source)


def _within_s(source: SourceReading[Any]) -> float:
    return min(LIMITS[source.source].late_s, _HEARD_WITHIN_S)


def _age_words(source: SourceReading[Any], age_s: float) -> str:
    """How long ago it was heard of; while it is heard of as often as it should be, the bound that this keeps to."""
    return formats.age_within(age_s, _within_s(source))


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
        words.append(f"{bytes_shown(status.chain.size_on_disk_bytes)} on disk")
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
