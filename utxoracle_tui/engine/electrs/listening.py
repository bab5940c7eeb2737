"""Taking in new lines of the log: what they say of this process, of a new one, and of corruption."""

from __future__ import annotations

from dataclasses import replace

from utxoracle_tui.engine.electrs.evidence import LogNews
from utxoracle_tui.engine.electrs.hearing import Hearing, last_words
from utxoracle_tui.engine.electrs.log_lines import Kind, LogEvent
from utxoracle_tui.engine.electrs.memory import Memory
from utxoracle_tui.engine.electrs.milestones import Milestones
from utxoracle_tui.engine.electrs.phases import Cause, Phase, rank
from utxoracle_tui.engine.electrs.runs import BY_LOG, new_run, note_start

BEFORE_START_S = 5.0
"""Clocks of Docker and of the process may differ by less."""


def listen(memory: Memory, news: LogNews | None, now_s: float) -> Memory:
    """The memory after new lines."""
    if news is None:
        return memory
    if news.gap:
        memory = replace(memory, hearing=memory.hearing.with_gap())
    last_start = _last_start(news.events) if news.history else 0
    for number, event in enumerate(news.events):
        memory = _take(memory, event, now_s, is_old=number < last_start, is_history=news.history)
    return _inferred_start(memory, news, now_s) if news.history else memory


def _inferred_start(memory: Memory, news: LogNews, now_s: float) -> Memory:
    """The memory after lines from before the console looked, which bear no time.

    They show a process that has come less far than the one that was known before they were read: it is another, unless
    its identity is known.
    """
    run = memory.milestones.run
    behind = memory.hearing.reached is not None and rank(memory.hearing.reached) < rank(run.reached)
    if not behind or run.process is not None or not memory.hearing.from_start:
        return memory
    mark = memory.milestones.marks.get(run.reached) if run.reached is not None else None
    if mark is None or mark.started_at_s > news.at_s - BEFORE_START_S:
        # the lines may have been read before it had come so far
        return memory
    return replace(memory, milestones=new_run(memory.milestones, BY_LOG, now_s))


def _last_start(events: tuple[LogEvent, ...]) -> int:
    """Where the lines of the newest process begin."""
    starts = [number for number, event in enumerate(events) if event.kind is Kind.STARTED]
    return starts[-1] if starts else 0


def _take(memory: Memory, event: LogEvent, now_s: float, *, is_old: bool, is_history: bool) -> Memory:
    at_s = now_s if event.at_s is None else min(event.at_s, now_s)
    started_s = memory.milestones.run.started_at_s
    is_old = is_old or (event.at_s is not None and started_s is not None and event.at_s < started_s - BEFORE_START_S)
    words = last_words(memory.last_words, event, at_s)
    if words is not memory.last_words:
        memory = replace(memory, last_words=words)
        if words is not None and words.cause is Cause.CORRUPTION:
            # a line without a date is one of the new process only if that has begun in the log
            proven = event.dated or (memory.hearing.from_start and not is_history)
            milestones = _corruption(memory.milestones, at_s, is_old=is_old, is_proven=proven)
            memory = replace(memory, milestones=milestones)
    if is_old:
        return memory
    if memory.hearing.begins_anew(event):
        memory = _start(memory, at_s, is_timed=event.at_s is not None or not is_history)
    memory = replace(memory, hearing=memory.hearing.after(event, at_s))
    return replace(memory, milestones=_index(memory.milestones, memory.hearing, event))


def _start(memory: Memory, at_s: float, *, is_timed: bool) -> Memory:
    """A line with which a process begins. Two such lines are two processes, however soon the one follows the other."""
    milestones = note_start(memory.milestones, BY_LOG, at_s) if is_timed else memory.milestones
    return replace(memory, milestones=milestones, hearing=Hearing(from_start=True))


def _corruption(milestones: Milestones, at_s: float, *, is_old: bool, is_proven: bool) -> Milestones:
    """Note that corruption was spoken of.

    It counts a second time only for a process that was started after the first, and only for a line that can be none
    of an earlier process: late, or read again.
    """
    first_s, run = milestones.corruption_at_s, milestones.run
    if first_s is None:
        return replace(milestones, corruption_at_s=at_s, run=run if is_old else replace(run, corrupt=True))
    restarted = run.started_at_s is not None and first_s < run.started_at_s <= at_s
    if is_old or run.corrupt or not is_proven or not restarted:
        return milestones
    return replace(milestones, corruption_twice=True, run=replace(run, corrupt=True))


def _index(milestones: Milestones, hearing: Hearing, event: LogEvent) -> Milestones:
    """What a line tells of the index itself."""
    if (hearing.indexing.already or 0) > 0 or rank(hearing.reached) >= rank(Phase.PASS_2):
        milestones = replace(milestones, txstore_compacted=True)
    if event.kind is Kind.WERE_ADDED and event.number == 0:
        return new_index(milestones)
    return milestones


def new_index(milestones: Milestones) -> Milestones:
    """The milestones where the database turns out to be empty: of an earlier index nothing counts any more."""
    run = milestones.run
    if rank(run.reached) > rank(Phase.OPENING):
        return milestones
    marks = {phase: mark for phase, mark in milestones.marks.items() if mark.run == run.number}
    return Milestones(run=run, marks=marks, counters=milestones.counters, restarts_at_s=milestones.restarts_at_s)
