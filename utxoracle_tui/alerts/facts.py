"""What the rules look at: plain values of one moment, taken from what the engine says."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from utxoracle_tui.engine.jobs.reading import JobsReading
from utxoracle_tui.engine.live_rounds import StoreReading
from utxoracle_tui.engine.stack.reading import TITLES, Health, Source, SourceReading, Standing
from utxoracle_tui.engine.stack.stack_reading import StackReading
from utxoracle_tui.store.records import Observation
from utxoracle_tui.store.statistics import Basis


@dataclass(frozen=True, slots=True)
class SourceFact:
    """How one source of the stack is."""

    name: str
    title: str
    health: Health
    standing: Standing
    sentence: str


@dataclass(frozen=True, slots=True)
class ConditionFact:
    """Something that is the matter with electrs."""

    kind: str
    is_grave: bool
    sentence: str


@dataclass(frozen=True, slots=True)
class JobFact:
    """A job, and how many of its windows failed."""

    key: str
    work: str
    failed: int
    items: int
    is_over: bool
    ended_s: float | None = None
    """Unix seconds."""


@dataclass(frozen=True, slots=True)
class DiskFact:
    """A disk, and what is left on it."""

    name: str
    holds: tuple[str, ...]
    free_bytes: int
    is_low: bool


@dataclass(frozen=True, slots=True)
class Facts:
    """None wherever nothing is known yet, as in the first seconds: a rule then says neither yes nor no."""

    round_time_s: float | None = None
    """When the newest round was made, unix seconds."""
    divergence_pct: Mapping[Basis, float] = field(default_factory=dict)
    """Of the newest round, on the bases that it has."""
    confidence: float | None = None
    """Of the newest round."""
    reason: str | None = None
    """Why its price is not valid, if it isn't."""
    store_is_read: bool = False
    store_trouble: str | None = None
    reorg_blocks: int = 0
    """How many blocks the tip was taken back by just now."""
    sources: tuple[SourceFact, ...] | None = None
    conditions: tuple[ConditionFact, ...] | None = None
    disks: tuple[DiskFact, ...] | None = None
    jobs: tuple[JobFact, ...] | None = None
    jobs_trouble: str | None = None

    def source(self, source: Source) -> SourceFact | None:
        """One of the sources."""
        return next((fact for fact in self.sources or () if fact.name == source.value), None)


def facts_of(
    store: StoreReading | None, stack: StackReading | None, jobs: JobsReading | None, reorg_blocks: int = 0
) -> Facts:
    """The facts, as far as the readings are there."""
    newest = store.newest if store is not None else None
    return Facts(
        round_time_s=newest.time_s if newest is not None else None,
        divergence_pct=_divergences(newest),
        confidence=newest.confidence if newest is not None else None,
        reason=newest.reason if newest is not None and newest.valid is False else None,
        store_is_read=store is not None,
        store_trouble=store.trouble if store is not None else None,
        reorg_blocks=reorg_blocks,
        sources=tuple(map(_source, stack.all)) if stack is not None else None,
        conditions=_conditions(stack),
        disks=_disks(stack),
        jobs=_jobs(jobs),
        jobs_trouble=jobs.trouble if jobs is not None else None,
    )


def _divergences(newest: Observation | None) -> dict[Basis, float]:
    if newest is None or newest.orphaned:
        return {}
    found: dict[Basis, float | None] = {
        "block": newest.divergence_block_pct,
        "spot": newest.divergence_spot_pct,
        "window": newest.divergence_window_pct,
    }
    if newest.valid is False:
        # the block price stands on its own; the other two compare a price that nobody believes
        found["spot"] = found["window"] = None
    return {basis: value for basis, value in found.items() if value is not None}


def _source(reading: SourceReading[object]) -> SourceFact:
    return SourceFact(reading.source.value, TITLES[reading.source], reading.health, reading.standing, reading.sentence)


def _conditions(stack: StackReading | None) -> tuple[ConditionFact, ...] | None:
    if stack is None or stack.electrs.detail is None:
        return None
    return tuple(
        ConditionFact(condition.kind.value, condition.severity.value == "alert", condition.sentence)
        for condition in stack.electrs.detail.warnings
    )


def _disks(stack: StackReading | None) -> tuple[DiskFact, ...] | None:
    if stack is None or stack.disks.detail is None:
        return None
    return tuple(DiskFact(disk.title, disk.holds, disk.free_bytes, disk.is_low) for disk in stack.disks.detail.disks)


def _jobs(jobs: JobsReading | None) -> tuple[JobFact, ...] | None:
    if jobs is None:
        return None
    return tuple(
        JobFact(
            reading.job.key,
            f"{reading.job.kind} {reading.job.work}",
            reading.progress.failed,
            reading.job.items,
            not reading.is_open,
            reading.job.ended_s,
        )
        for reading in jobs.jobs
    )
