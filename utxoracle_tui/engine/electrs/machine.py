"""The state machine: evidence in, state out. Pure; time is that of the evidence."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType

from utxoracle_tui.engine.electrs import conditions, listening
from utxoracle_tui.engine.electrs.advice import speak
from utxoracle_tui.engine.electrs.claims import Claim, decide
from utxoracle_tui.engine.electrs.conditions import Finding
from utxoracle_tui.engine.electrs.evidence import Evidence, Source
from utxoracle_tui.engine.electrs.figures import figures
from utxoracle_tui.engine.electrs.hearing import Hearing
from utxoracle_tui.engine.electrs.marks import enter, index_facts, is_resumed, status_of, with_whole_share
from utxoracle_tui.engine.electrs.measures import measure
from utxoracle_tui.engine.electrs.memory import Memory, RpcWindow
from utxoracle_tui.engine.electrs.milestones import end_phases
from utxoracle_tui.engine.electrs.phases import NOT_RUNNING, ORDER, SEVERITY, ConditionKind, Db, Phase, Status, rank
from utxoracle_tui.engine.electrs.pulse import feel
from utxoracle_tui.engine.electrs.runs import follow_counters, follow_process, follow_rocksdb
from utxoracle_tui.engine.electrs.sentences import Telling, tell
from utxoracle_tui.engine.electrs.state import Condition, LifeSign, PhaseRow, State

LIFE_S = 600.0
"""Signs of life older than this aren't listed."""


_DONE = frozenset({Status.DONE, Status.DONE_EARLIER})


def step(state: State, evidence: Evidence) -> State:
    """The state after one more look at the evidence. Evidence that is older than the state counts as of its time."""
    now_s = max(state.at_s, evidence.at_s)
    memory = _take_in(state.memory, evidence, now_s)
    claim = decide(memory, now_s)
    memory = _enter(memory, claim, now_s)
    phase = claim.phase
    found = measure(phase, memory, now_s)
    milestones, progress = figures(phase, found, memory.milestones, now_s)
    memory = replace(memory, milestones=milestones)
    memory = replace(memory, milestones=with_whole_share(phase, memory))
    memory = conditions.note(memory, evidence, now_s)
    findings = conditions.find(phase, memory, now_s)
    memory = _hold(memory, findings, now_s)
    resumed = is_resumed(phase, memory)
    sentence, advice = tell(phase, Telling(memory, found, resumed, _is_cut_off(findings)))
    told = tuple(_told(finding, memory) for finding in findings)
    return State(
        at_s=now_s,
        phase=phase,
        since_s=memory.phase_since_s,
        run=memory.milestones.run.number,
        progress=progress,
        whole_share=memory.milestones.whole_share if _is_known(memory) else None,
        sentence=sentence,
        advice=advice,
        conditions=told,
        rows=_rows(phase, memory, now_s),
        life=_life(memory, now_s),
        missing=_missing(phase, memory),
        reindex_advised=memory.milestones.corruption_twice,
        memory=memory,
    )


def _take_in(memory: Memory, evidence: Evidence, now_s: float) -> Memory:
    """The memory after the evidence, before anything is concluded from it."""
    before, run = memory.known, memory.milestones.run.number
    milestones = follow_process(memory.milestones, evidence)
    milestones = follow_counters(milestones, evidence.metrics)
    milestones = follow_rocksdb(milestones, before.rocksdb, evidence.rocksdb)
    memory = replace(memory, milestones=milestones, known=before.after(evidence))
    if milestones.run.number != run:
        memory = replace(memory, hearing=Hearing())
    memory = listening.listen(memory, evidence.log, now_s)
    if memory.milestones.run.number != run:
        memory = _forget_process(memory)
    memory = replace(memory, pulse=feel(memory.pulse, evidence, now_s))
    memory = replace(memory, milestones=index_facts(memory))
    return memory.sized(now_s)


def _forget_process(memory: Memory) -> Memory:
    """The memory without what was true of the process before this one."""
    none: tuple[RpcWindow, ...] = ()
    known = memory.known.since(memory.milestones.run.started_at_s or 0.0)
    nothing: Mapping[Db, int] = MappingProxyType({})
    return replace(memory, known=known, sizes_at_start=None, rpc=none, rpc_mean_s=None, size_at_stop=nothing)


def _enter(memory: Memory, claim: Claim, now_s: float) -> Memory:
    milestones = memory.milestones
    if rank(claim.phase) >= 0:
        milestones = enter(milestones, claim, memory, now_s)
        since_s = milestones.marks[claim.phase].started_at_s
    else:
        since_s = memory.phase_since_s if memory.shown is claim.phase else now_s
        if claim.phase in NOT_RUNNING and memory.shown is not claim.phase:
            milestones = end_phases(milestones, now_s)
    return replace(memory, milestones=milestones, shown=claim.phase, phase_since_s=since_s)


def _hold(memory: Memory, findings: list[Finding], now_s: float) -> Memory:
    """The memory with since when each condition holds."""
    since: Mapping[ConditionKind, float] = {
        finding.kind: memory.condition_since_s.get(finding.kind, now_s) for finding in findings
    }
    return replace(memory, condition_since_s=MappingProxyType(dict(since)))


def _is_cut_off(findings: list[Finding]) -> bool:
    return any(finding.kind is ConditionKind.BITCOIND_DOWN for finding in findings)


def _told(finding: Finding, memory: Memory) -> Condition:
    process = memory.known.process
    sentence, advice = speak(finding, process.command if process is not None else "")
    return Condition(finding.kind, SEVERITY[finding.kind], memory.condition_since_s[finding.kind], sentence, advice)


def _rows(phase: Phase, memory: Memory, now_s: float) -> tuple[PhaseRow, ...]:
    return tuple(_row(each, phase, memory, now_s) for each in ORDER)


def _row(each: Phase, phase: Phase, memory: Memory, now_s: float) -> PhaseRow:
    milestones = memory.milestones
    mark, status = milestones.marks.get(each), status_of(each, phase, memory)
    if mark is None:
        return PhaseRow(each, status, 1.0 if status in _DONE else None, None, None, None, 0.0, exact=False)
    now = mark.run == milestones.run.number
    share = 1.0 if status in _DONE else mark.share if now else None
    # what an earlier run has begun and this one must do again
    earlier_s = mark.earlier_s if now else mark.earlier_s + mark.elapsed_s(now_s)
    if status is Status.TO_COME:
        return PhaseRow(each, status, None, None, None, None, earlier_s, exact=False)
    elapsed_s = mark.elapsed_s(now_s)
    return PhaseRow(each, status, share, mark.started_at_s, mark.finished_at_s, elapsed_s, mark.earlier_s, mark.exact)


def _missing(phase: Phase, memory: Memory) -> tuple[str, ...]:
    """What gives nothing and should: before the first sync is done nothing listens where REST will be."""
    return tuple(
        trouble.sentence
        for source, trouble in sorted(memory.known.troubles.items())
        if not (source is Source.REST and trouble.refused and phase is not Phase.READY)
    )


def _life(memory: Memory, now_s: float) -> tuple[LifeSign, ...]:
    moved = [
        LifeSign(name, max(0.0, now_s - sign.moved_at_s))
        for name, sign in memory.pulse.signs.items()
        if sign.moved and now_s - sign.moved_at_s <= LIFE_S
    ]
    return tuple(sorted(moved, key=lambda sign: sign.ago_s))


def _is_known(memory: Memory) -> bool:
    """Whether anything is known of the index."""
    milestones = memory.milestones
    return milestones.run.reached is not None or milestones.whole_share > 0
