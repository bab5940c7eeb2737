"""What must outlive a restart of the console: where phases began, how far they had come, what was seen of corruption.

A store keeps `as_document` and gives it to `from_document`; both know nothing of files.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Any

from utxoracle_tui.engine.electrs.phases import Phase

VERSION = 2
RESTARTS_KEPT = 8
SAMPLES_KEPT = 24


@dataclass(frozen=True, slots=True)
class Sample:
    """How much of a phase was done at one moment, 0 to 1."""

    at_s: float
    done: float


@dataclass(frozen=True, slots=True)
class Run:
    """One life of the electrs process, as far as the evidence tells them apart."""

    number: int = 1
    started_at_s: float | None = None
    process: str | None = None
    """The identity of the process, as Docker, systemd or the kernel give it."""
    noted_by: frozenset[str] = frozenset()
    """The kinds of evidence that have noted its start."""
    reached: Phase | None = None
    """The furthest phase that there was evidence for."""
    corrupt: bool = False
    """It has spoken of corruption."""


@dataclass(frozen=True, slots=True)
class Mark:
    """What is known of one phase in the newest run that it took part in."""

    run: int
    started_at_s: float
    exact: bool = True
    """Whether that is when it began, and not merely when the console first saw it."""
    finished_at_s: float | None = None
    earlier_s: float = 0.0
    """Seconds that earlier runs spent in it."""
    share: float | None = None
    """The furthest that it had come, 0 to 1; it never falls in one run."""
    pace_s: float | None = None
    """Seconds that the whole phase would take at the pace last measured."""
    share_earlier: float = 0.0
    """How far earlier runs had come, which this one only reads again."""
    pace_earlier_s: float | None = None
    """Their pace, at which what is new will go."""
    start_bytes: int | None = None
    """Size of the database when its compaction began."""

    def elapsed_s(self, now_s: float) -> float:
        """Seconds spent in it by its run."""
        return max(0.0, (now_s if self.finished_at_s is None else self.finished_at_s) - self.started_at_s)


@dataclass(frozen=True, slots=True)
class Counters:
    """The last counts of the run; smaller ones mean that the process is another."""

    add_batches: int | None = None
    index_batches: int | None = None
    cpu_s: float | None = None


@dataclass(frozen=True, slots=True)
class Milestones:
    """All of it."""

    run: Run = Run()
    marks: Mapping[Phase, Mark] = field(default_factory=lambda: MappingProxyType({}))
    counters: Counters = Counters()
    corruption_at_s: float | None = None
    """When corruption was first seen."""
    corruption_twice: bool = False
    """Seen again by a process that was started after that."""
    whole_share: float = 0.0
    """The furthest that the whole has come, 0 to 1."""
    completed_at_s: float | None = None
    """When the index was first seen ready."""
    restarts_at_s: tuple[float, ...] = ()
    txstore_compacted: bool = False
    """The first compaction is done for good: electrs does it once and skips it after that."""
    series: Mapping[str, tuple[Sample, ...]] = field(default_factory=lambda: MappingProxyType({}))
    """Samples of the phase that is running, by the kind of evidence that they rest on."""

    def with_mark(self, phase: Phase, mark: Mark) -> Milestones:
        """The same with another mark."""
        return replace(self, marks=MappingProxyType({**self.marks, phase: mark}))


def end_phases(milestones: Milestones, at_s: float) -> Milestones:
    """The milestones where whatever phase was under way has ended."""
    marks = {
        phase: replace(mark, finished_at_s=max(at_s, mark.started_at_s)) if mark.finished_at_s is None else mark
        for phase, mark in milestones.marks.items()
    }
    return replace(milestones, marks=MappingProxyType(marks))


def as_document(milestones: Milestones) -> dict[str, Any]:
    """The milestones as plain values, fit for JSON."""
    run = milestones.run
    return {
        "version": VERSION,
        "run": {
            "number": run.number,
            "started_at_s": run.started_at_s,
            "process": run.process,
            "noted_by": sorted(run.noted_by),
            "reached": run.reached.value if run.reached else None,
            "corrupt": run.corrupt,
        },
        "marks": {
            phase.value: {name: getattr(mark, name) for name in Mark.__slots__}
            for phase, mark in milestones.marks.items()
        },
        "counters": {name: getattr(milestones.counters, name) for name in Counters.__slots__},
        "corruption_at_s": milestones.corruption_at_s,
        "corruption_twice": milestones.corruption_twice,
        "whole_share": milestones.whole_share,
        "completed_at_s": milestones.completed_at_s,
        "restarts_at_s": list(milestones.restarts_at_s),
        "txstore_compacted": milestones.txstore_compacted,
        "series": {
            kind: [[sample.at_s, sample.done] for sample in samples[:: max(1, len(samples) // SAMPLES_KEPT)]]
            for kind, samples in milestones.series.items()
        },
    }


def from_document(document: object) -> Milestones | None:
    """The milestones of a document, or None for one that isn't of this version, or damaged."""
    if not isinstance(document, Mapping) or document.get("version") != VERSION:
        return None
    try:
        return _read(document)
    except (KeyError, TypeError, ValueError, AttributeError):
        return None


def _read(document: Mapping[str, Any]) -> Milestones:
    run = document["run"]
    reached = run["reached"]
    return Milestones(
        run=Run(
            number=int(run["number"]),
            started_at_s=_number(run["started_at_s"]),
            process=None if run["process"] is None else str(run["process"]),
            noted_by=frozenset(str(kind) for kind in run["noted_by"]),
            reached=None if reached is None else Phase(reached),
            corrupt=bool(run["corrupt"]),
        ),
        marks=MappingProxyType({Phase(name): _read_mark(mark) for name, mark in document["marks"].items()}),
        counters=Counters(
            _count(document["counters"]["add_batches"]),
            _count(document["counters"]["index_batches"]),
            _number(document["counters"]["cpu_s"]),
        ),
        corruption_at_s=_number(document["corruption_at_s"]),
        corruption_twice=bool(document["corruption_twice"]),
        whole_share=min(1.0, max(0.0, _finite(document["whole_share"]))),
        completed_at_s=_number(document["completed_at_s"]),
        restarts_at_s=tuple(_finite(at_s) for at_s in document["restarts_at_s"])[-RESTARTS_KEPT:],
        txstore_compacted=bool(document["txstore_compacted"]),
        series=MappingProxyType({str(kind): _read_samples(found) for kind, found in document["series"].items()}),
    )


def _read_samples(found: Iterable[tuple[object, object]]) -> tuple[Sample, ...]:
    samples = tuple(Sample(_finite(at_s), _finite(done)) for at_s, done in found)
    if not samples:
        raise ValueError("a series without a sample")
    return samples


def _read_mark(mark: Mapping[str, Any]) -> Mark:
    share = _number(mark["share"])
    return Mark(
        run=int(mark["run"]),
        started_at_s=_finite(mark["started_at_s"]),
        exact=bool(mark["exact"]),
        finished_at_s=_number(mark["finished_at_s"]),
        earlier_s=_finite(mark["earlier_s"]),
        share=None if share is None else min(1.0, max(0.0, share)),
        pace_s=_number(mark["pace_s"]),
        share_earlier=min(1.0, max(0.0, _finite(mark["share_earlier"]))),
        pace_earlier_s=_number(mark["pace_earlier_s"]),
        start_bytes=_count(mark["start_bytes"]),
    )


def _finite(value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise ValueError("not a number")
    return float(value)


def _number(value: object) -> float | None:
    return None if value is None else _finite(value)


def _count(value: object) -> int | None:
    return None if value is None else int(_finite(value))
