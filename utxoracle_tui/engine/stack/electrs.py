"""electrs as a part of the stack: what its own watch says, and how fresh that is."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from utxoracle_tui import clock, formats
from utxoracle_tui.engine.electrs.evidence import Source as Evidence
from utxoracle_tui.engine.electrs.evidence import Trouble as EvidenceTrouble
from utxoracle_tui.engine.electrs.phases import NOT_RUNNING, ConditionKind, Phase
from utxoracle_tui.engine.electrs.state import State
from utxoracle_tui.engine.electrs.watch import ElectrsWatch
from utxoracle_tui.engine.stack.milestones import KeptMilestones
from utxoracle_tui.engine.stack.reading import ASKING, Health, Heard, Source, Standing, Verdict
from utxoracle_tui.engine.stack.thresholds import ELECTRS_TICK_S, LIMITS

PHASE_WORDS = MappingProxyType(
    {
        Phase.UNKNOWN: "unknown",
        Phase.NOT_INSTALLED: "none",
        Phase.STOPPED: "stopped",
        Phase.FAILED: "failed",
        Phase.STARTING: "starting",
        Phase.WAITING: "waiting",
        Phase.OPENING: "opening",
        Phase.HEADERS: "headers",
        Phase.PASS_1: "pass 1",
        Phase.COMPACTING_TXSTORE: "compaction 1",
        Phase.PASS_2: "pass 2",
        Phase.COMPACTING_HISTORY: "compaction 2",
        Phase.LOADING_MEMPOOL: "mempool",
        Phase.READY: "ready",
    }
)
_OF_NODE = frozenset({ConditionKind.BITCOIND_DOWN})
"""With these electrs itself is well."""
NO_ANSWER, CUT_OFF = "no answer", "cut off"
_PORTS = (Evidence.METRICS, Evidence.REST)


@dataclass(frozen=True, slots=True)
class ElectrsVoice:
    """When something of electrs last answered, on the clock for spans."""

    port_s: float | None = None
    """Its metrics or its REST."""
    any_s: float | None = None
    """These, its process, its files or its log."""
    newest_at_s: tuple[float, float] = (0.0, 0.0)
    """Unix times of the newest answers of both kinds."""

    def after(self, state: State, now_s: float) -> ElectrsVoice:
        """The same after another state."""
        known, heard = state.memory.known, state.memory.hearing
        ports = [reading.at_s for reading in (known.metrics, known.rest) if reading is not None]
        others = [each.at_s for each in (known.process, known.sizes, known.rocksdb) if each is not None]
        port = max(ports, default=0.0)
        newest = max([port, *others, heard.spoke_at_s or 0.0])
        return ElectrsVoice(
            now_s if port > self.newest_at_s[0] else self.port_s,
            now_s if newest > self.newest_at_s[1] else self.any_s,
            (port, newest),
        )


class ElectrsStatusWatch:
    """The watch of electrs, its milestones kept, with an eye on when it last answered."""

    def __init__(
        self,
        make: Callable[[object], ElectrsWatch],
        milestones: KeptMilestones | None = None,
        *,
        tick_s: float = ELECTRS_TICK_S,
    ) -> None:
        """`make` gives a watch, given the milestones that an earlier one has left, or None."""
        self._make = make
        self._milestones = milestones
        self._tick_s = tick_s
        self._voice = ElectrsVoice()
        self.heard: Heard[State] = Heard()

    @property
    def troubles(self) -> tuple[str, ...]:
        """Why milestones can't be kept, as sentences."""
        trouble = self._milestones.trouble if self._milestones is not None else None
        return () if trouble is None else (trouble,)

    async def run(self, on_change: Callable[[], None]) -> None:
        """Watch until cancelled."""

        def take(state: State) -> None:
            self._voice = self._voice.after(state, clock.elapsed_s())
            self.heard = heard_of(state, self._voice)
            on_change()

        kept: dict[str, Any] | None = await self._milestones.early() if self._milestones is not None else None
        while True:
            watch = self._make(kept)
            if self._milestones is None:
                await watch.run(take, tick_s=self._tick_s)
            else:
                kept = await self._keeping(watch, take, self._milestones)

    async def _keeping(
        self, watch: ElectrsWatch, take: Callable[[State], None], milestones: KeptMilestones
    ) -> dict[str, Any]:
        """Watch until milestones turn up with which it is to begin anew; these."""
        watching = asyncio.create_task(watch.run(take, tick_s=self._tick_s))
        keeping = asyncio.create_task(milestones.keep(watch))
        try:
            await asyncio.wait((watching, keeping), return_when=asyncio.FIRST_COMPLETED)
            if watching.done():
                # it only ever ends by a fault
                watching.result()
            return keeping.result()
        finally:
            has_found = keeping.done() and not keeping.cancelled() and keeping.exception() is None
            for task in (watching, keeping):
                task.cancel()
            await asyncio.gather(watching, keeping, return_exceptions=True)
            if not has_found:
                await milestones.save(watch)


def heard_of(state: State, voice: ElectrsVoice) -> Heard[State]:
    """What is known of electrs: its ports count where they have ever answered."""
    by_port = voice.port_s is not None
    answered_s = voice.port_s if by_port else voice.any_s
    at_s = voice.newest_at_s[0 if by_port else 1] or None
    return Heard(state, answered_s, at_s if answered_s is not None else None)


def judge(heard: Heard[State], now_s: float, *, named: bool) -> Verdict:
    """The verdict at a moment on the clock for spans; `named` says whether the operator has told where electrs is."""
    state = heard.detail
    if state is None:
        return ASKING
    phase = state.phase
    word = PHASE_WORDS[phase]
    sentence = _said(state)
    if phase in NOT_RUNNING or phase is Phase.UNKNOWN:
        return _of_absence(state, word, sentence, named=named)
    if phase is Phase.READY and is_mute(state):
        said = "Its log ends with its being ready, and none of its ports answers."
        return Verdict(Health.DOWN, Standing.DEGRADED, NO_ANSWER, said)
    age_s = heard.age_s(now_s)
    health = LIMITS[Source.ELECTRS].health(age_s) if age_s is not None else Health.UNKNOWN
    if health is Health.UP and state.warnings and {each.kind for each in state.warnings} <= _OF_NODE:
        return Verdict(health, Standing.WAITS, CUT_OFF if phase is Phase.READY else word, sentence)
    if state.warnings or health is not Health.UP or _has_odd_ports(state):
        return Verdict(health, Standing.DEGRADED, word, sentence)
    return Verdict(health, Standing.READY if phase is Phase.READY else Standing.WORKING, word, sentence)


def is_mute(state: State) -> bool:
    """Whether no port of it has ever answered, though some were asked."""
    known = state.memory.known
    asked = any(source in _PORTS for source in known.troubles)
    return asked and known.rest is None and known.metrics is None


def _has_odd_ports(state: State) -> bool:
    """Whether a port of it doesn't answer as it should, whatever else shows that it is well."""
    troubles = state.memory.known.troubles
    return any(source in _PORTS and not _is_expected(trouble, state) for source, trouble in troubles.items())


def _of_absence(state: State, word: str, sentence: str, *, named: bool) -> Verdict:
    """The verdict on an electrs that doesn't run, or of which nothing can be read."""
    known = state.memory.known
    refused = [trouble.refused for source, trouble in known.troubles.items() if source in _PORTS]
    nothing = known.process is None and known.sizes is None and known.metrics is None and known.rest is None
    if state.phase is Phase.UNKNOWN and not refused and nothing and not known.troubles:
        return ASKING
    if not named and (state.phase is Phase.NOT_INSTALLED or (nothing and all(refused))):
        return Verdict(Health.NOT_CONFIGURED, Standing.NONE, "none", sentence)
    if state.phase is Phase.UNKNOWN and not (refused and all(refused)):
        return Verdict(Health.UNKNOWN, Standing.DEGRADED, word, sentence)
    return Verdict(Health.DOWN, Standing.DEGRADED, "down" if state.phase is Phase.UNKNOWN else word, sentence)


def progress_text(state: State) -> str:
    """How far the phase is and how long it will take, in short pieces; empty where nothing is known."""
    progress, pieces = state.progress, []
    if progress.share is not None and state.phase is not Phase.READY:
        pieces.append(f"{'about ' if progress.rough else ''}{formats.percent(progress.share)} of this phase")
    eta = progress.eta
    if eta is not None:
        pieces.append(
            f"{formats.span(eta.mid_s)} left ({formats.span(eta.low_s)} to {formats.span(eta.high_s)})",
        )
    if state.whole_share is not None and state.phase is not Phase.READY:
        pieces.append(f"{formats.percent(state.whole_share)} of the whole")
    return ", ".join(pieces)


def _said(state: State) -> str:
    """Progress, then what lies over the phase, then what the phase is."""
    progress = progress_text(state)
    conditions = [condition.sentence for condition in state.warnings]
    return " ".join(filter(None, (f"{progress}." if progress else "", *conditions, state.sentence)))


def troubles_of(state: State, *, docker_answers: bool) -> tuple[str, ...]:
    """What can't be read of electrs and should be, a sentence each; that Docker doesn't answer is said elsewhere."""
    return tuple(
        trouble.sentence
        for trouble in state.memory.known.troubles.values()
        if not _is_expected(trouble, state) and (docker_answers or not trouble.of_docker)
    )


def _is_expected(trouble: EvidenceTrouble, state: State) -> bool:
    """Whether it says nothing new: its REST is closed until it is ready, and a process that is down answers nowhere."""
    known = state.memory.known
    if trouble.source is Evidence.PROCESS:
        return known.metrics is not None or known.rest is not None
    if trouble.source is Evidence.REST and trouble.refused:
        return state.phase is not Phase.READY
    return trouble.source in _PORTS and trouble.refused and state.phase in NOT_RUNNING
