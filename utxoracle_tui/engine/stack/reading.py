"""What is known of the stack at one moment: of each source how it is, how fresh that is, and what it means."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Generic, TypeVar

from utxoracle_tui import formats

D = TypeVar("D")


class Source(StrEnum):
    """What is watched, by the names that screens and JSON give it."""

    NODE = "node"
    ELECTRS = "electrs"
    BACKEND = "backend"
    EXCHANGE = "exchange"
    CONTAINERS = "containers"
    DISKS = "disks"


TITLES = {
    Source.NODE: "Bitcoin Core",
    Source.ELECTRS: "electrs",
    Source.BACKEND: "backend",
    Source.EXCHANGE: "exchange",
    Source.CONTAINERS: "containers",
    Source.DISKS: "disks",
}
"""What sources are called in front of people."""


class Health(StrEnum):
    """Whether a source answers, and how old its last answer is."""

    UP = "up"
    LATE = "late"
    STALE = "stale"
    DOWN = "down"
    UNKNOWN = "unknown"
    """Not asked yet, or it may not be asked."""
    NOT_CONFIGURED = "not configured"
    """Nobody has named it, and there is no sign of it."""


class Standing(StrEnum):
    """What a source does to the stack as a whole."""

    READY = "ready"
    WORKING = "working"
    """It is on its way: starting, or syncing."""
    WAITS = "waits"
    """It has nothing live to say, as is right while those before it are on their way."""
    DEGRADED = "degraded"
    DOWN = "down"
    NONE = "none"
    """It doesn't count."""


class Overall(StrEnum):
    """How the stack is, in a word."""

    READY = "ready"
    WORKING = "working"
    DEGRADED = "degraded"
    DOWN = "down"
    """Without Bitcoin Core nothing can be worked out."""


@dataclass(frozen=True, slots=True)
class Trouble:
    """Why a question has failed."""

    kind: str
    """Stable, for programs."""
    sentence: str
    """For the operator."""


@dataclass(frozen=True, slots=True)
class Heard(Generic[D]):
    """What a source has said so far, and whether the newest question failed."""

    detail: D | None = None
    """The newest that is known, which may be older than the trouble."""
    answered_s: float | None = None
    """When it last answered, on the clock for spans, `clock.elapsed_s`."""
    answered_at_s: float | None = None
    """The same in unix seconds."""
    latency_s: float | None = None
    """How long its last answer, or its last failure, took."""
    trouble: Trouble | None = None

    def age_s(self, now_s: float) -> float | None:
        """Seconds since its last answer; `now_s` is on the clock for spans. None before the first."""
        return None if self.answered_s is None else max(0.0, now_s - self.answered_s)


@dataclass(frozen=True, slots=True)
class Verdict:
    """What is made of what a source has said."""

    health: Health
    standing: Standing
    word: str
    """The state in at most 13 characters: `synced`, `pass 1`, `live`, `down`, …"""
    sentence: str
    """What there is to say of it."""


@dataclass(frozen=True, slots=True)
class SourceReading(Generic[D]):
    """One source."""

    source: Source
    heard: Heard[D]
    verdict: Verdict
    troubles: tuple[str, ...] = ()
    """What went wrong beside what the verdict's sentence says, a sentence each."""

    @property
    def detail(self) -> D | None:
        """What it said last."""
        return self.heard.detail

    @property
    def health(self) -> Health:
        """Whether it answers, and how old that is."""
        return self.verdict.health

    @property
    def standing(self) -> Standing:
        """What it does to the stack as a whole."""
        return self.verdict.standing

    @property
    def word(self) -> str:
        """Its state in a word."""
        return self.verdict.word

    @property
    def sentence(self) -> str:
        """What there is to say of it."""
        return self.verdict.sentence

    @property
    def latency_s(self) -> float | None:
        """How long its last answer took."""
        return self.heard.latency_s

    def age_s(self, now_s: float) -> float | None:
        """Seconds since its last answer; `now_s` is on the clock for spans. None before the first."""
        return self.heard.age_s(now_s)


def overdue(health: Health, age_s: float, said: str) -> Verdict:
    """The verdict on a source that is late or stale, and said this so many seconds ago."""
    sentence = f"Nothing new was heard for {formats.span(age_s)}; then it was: {said}"
    return Verdict(health, Standing.DEGRADED, health.value, sentence)


ASKING = Verdict(Health.UNKNOWN, Standing.WORKING, "asking", "It is being asked for the first time.")


def overall(readings: Iterator[SourceReading[object]]) -> Overall:
    """How the stack is, given all its sources."""
    standings = {reading.source: reading.standing for reading in readings}
    if standings.get(Source.NODE) is Standing.DOWN:
        return Overall.DOWN
    on_its_way = Standing.WORKING in (standings.get(Source.NODE), standings.get(Source.ELECTRS))
    found = {
        (Standing.WORKING if on_its_way else Standing.DEGRADED) if standing is Standing.WAITS else standing
        for standing in standings.values()
    }
    if found & {Standing.DEGRADED, Standing.DOWN}:
        return Overall.DEGRADED
    return Overall.WORKING if Standing.WORKING in found else Overall.READY
