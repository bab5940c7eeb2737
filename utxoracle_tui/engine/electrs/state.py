"""What the machine says: the state of electrs as screens and commands show it."""

from __future__ import annotations

from dataclasses import dataclass, field

from utxoracle_tui.engine.electrs.memory import Memory
from utxoracle_tui.engine.electrs.milestones import Milestones
from utxoracle_tui.engine.electrs.pace import Eta
from utxoracle_tui.engine.electrs.phases import ConditionKind, Phase, Severity, Status


@dataclass(frozen=True, slots=True)
class Basis:
    """One piece of evidence that a figure rests on."""

    source: str
    says: str
    age_s: float


@dataclass(frozen=True, slots=True)
class Progress:
    """How far the phase has come."""

    share: float | None = None
    """0 to 1; None while there is nothing to compare with. It never falls within one run of one phase."""
    done: float | None = None
    total: float | None = None
    unit: str = ""
    """What `done` and `total` count: block files, blocks, headers, bytes."""
    rate_per_s: float | None = None
    """Units a second, lately."""
    eta: Eta | None = None
    rough: bool = False
    """Whether the share is only a rough one."""
    rests_on: tuple[Basis, ...] = ()


@dataclass(frozen=True, slots=True)
class Condition:
    """Something that lies over the phase."""

    kind: ConditionKind
    severity: Severity
    since_s: float
    """Unix time."""
    sentence: str
    advice: str


@dataclass(frozen=True, slots=True)
class PhaseRow:
    """One phase in the list of all."""

    phase: Phase
    status: Status
    share: float | None
    started_at_s: float | None
    finished_at_s: float | None
    elapsed_s: float | None
    """In the newest run that took part in it; None when the console hasn't seen it."""
    earlier_s: float
    """Spent in it by runs before that one."""
    exact: bool
    """Whether the start is known, and not merely when the console first saw it."""


@dataclass(frozen=True, slots=True)
class LifeSign:
    """Something that was found moving."""

    name: str
    ago_s: float


@dataclass(frozen=True, slots=True)
class State:
    """Where electrs is, and what that means."""

    at_s: float = 0.0
    """Unix time of the evidence."""
    phase: Phase = Phase.UNKNOWN
    since_s: float = 0.0
    """Unix time at which the phase began, or was first seen."""
    run: int = 1
    """Which life of the process this is, counted since the console first looked."""
    progress: Progress = Progress()
    whole_share: float | None = None
    """How much of the whole first sync is done, 0 to 1, by a rule of thumb; it never falls for one index."""
    sentence: str = ""
    """What the phase is."""
    advice: str = ""
    """What to do, or not to do."""
    conditions: tuple[Condition, ...] = ()
    rows: tuple[PhaseRow, ...] = ()
    life: tuple[LifeSign, ...] = ()
    """What has moved lately, the newest first: the answer to "is it working or hung?"."""
    missing: tuple[str, ...] = ()
    """Sentences on sources that are configured and gave nothing."""
    reindex_advised: bool = False
    """Whether deleting the index and building it anew is the thing to do."""
    memory: Memory = field(default_factory=Memory)

    @property
    def warnings(self) -> tuple[Condition, ...]:
        """The conditions that want attention."""
        return tuple(condition for condition in self.conditions if condition.severity is not Severity.INFO)

    @property
    def milestones(self) -> Milestones:
        """What must outlive the console."""
        return self.memory.milestones


def restored(milestones: Milestones | None) -> State:
    """The state to begin with, given what an earlier console has kept."""
    return State() if milestones is None else State(memory=Memory(milestones=milestones))
