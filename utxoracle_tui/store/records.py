"""What is kept, as the rest of the program sees it. Times are unix seconds, prices USD, divergences percent."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field
from typing import Any, Literal

WindowKind = Literal["day", "blocks"]
ExchangeSource = Literal["own", "public", "imported"]
"""The operator's own backend, the public instance, or a file of history."""


def midnight_s(day: dt.date) -> float:
    """When a UTC day begins."""
    return dt.datetime(day.year, day.month, day.day, tzinfo=dt.UTC).timestamp()


@dataclass(frozen=True, slots=True, kw_only=True)
class Observation:
    """One round: the price on the chain beside the exchange's, at one moment."""

    key: str
    """Made by whoever observes; the same key again is the same observation."""
    time_s: float
    window_kind: WindowKind
    date: dt.date | None = None
    first_height: int | None = None
    last_height: int | None = None
    last_hash: str | None = None
    first_time_s: int | None = None
    """Header times of the window's ends."""
    last_time_s: int | None = None
    transactions: int | None = None
    onchain_usd: float | None = None
    method: str | None = None
    exchange_usd: float | None = None
    exchange_time_s: float | None = None
    """The price's own time, which may be older than the observation."""
    exchange_source: ExchangeSource | None = None
    block_usd: float | None = None
    """The block price of the newest block; None in a gap."""
    block_low_usd: float | None = None
    block_high_usd: float | None = None
    block_confidence: float | None = None
    block_height: int | None = None
    block_time_s: int | None = None
    block_reason: str | None = None
    """Why there is no block price, as a stable word."""
    block_eligible_s: int | None = None
    """Header time of the newest block that says anything of the price: from it on the block price grows stale."""
    exchange_mean_usd: float | None = None
    """Time-weighted over the window's span."""
    exchange_coverage: float | None = None
    """The share of the span that readings hold, 0 to 1."""
    divergence_spot_pct: float | None = None
    divergence_window_pct: float | None = None
    divergence_block_pct: float | None = None
    confidence: float | None = None
    valid: bool | None = None
    """None when nothing is known of it."""
    reason: str | None = None
    """Why it is not valid, as a stable word."""
    imported: bool = False
    orphaned: bool = False
    """Whether its last block is no longer on the chain."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WindowKey:
    """What makes a window the same window. A day is known by its date, a run of blocks by its heights."""

    kind: WindowKind
    method: str
    date: dt.date | None = None
    first_height: int | None = None
    last_height: int | None = None

    @property
    def text(self) -> str:
        """The key as one word, which can be part of a file name."""
        what = self.date.isoformat() if self.date else f"{self.first_height}-{self.last_height}"
        return f"{self.kind}.{what}.{self.method}"


@dataclass(frozen=True, slots=True, kw_only=True)
class ConfidenceParts:
    """What a confidence was made from, each 0 to 1."""

    octave: float
    points: float
    spread: float


@dataclass(frozen=True, slots=True, kw_only=True)
class FilterCounts:
    """How many transactions each filter of the method left out, and how many passed."""

    inputs: int
    outputs: int
    coinbase: int
    op_return: int
    witness: int
    same_window: int
    passed: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """The result of one window, with the fields and names of `price --json`."""

    kind: WindowKind
    method: str
    date: dt.date | None = None
    first_height: int | None = None
    last_height: int | None = None
    first_hash: str | None = None
    last_hash: str | None = None
    first_time: int | None = None
    last_time: int | None = None
    name: str | None = None
    network: str | None = None
    price_usd: float | None = None
    rough_price_usd: int | None = None
    deviation_usd: float | None = None
    deviation_pct: float | None = None
    plot_range: float | None = None
    confidence: float | None = None
    confidence_parts: ConfidenceParts | None = None
    valid: bool | None = None
    reason: str | None = None
    explanation: str | None = None
    warnings: tuple[str, ...] = ()
    blocks: int | None = None
    transactions: int | None = None
    filters: FilterCounts | None = None
    outputs: int | None = None
    points: int | None = None
    octave_suspect: bool | None = None
    octave: dict[str, Any] | None = None
    """What the octave tests say, as `price --json` has it."""
    boundary_ambiguous: bool | None = None
    elapsed_s: float | None = None
    exchange_usd: float | None = None
    """The exchange's mean over the window, or the day's close."""
    exchange_coverage: float | None = None
    exchange_is_daily: bool = False
    """Whether `exchange_usd` is a daily figure, for want of readings."""
    divergence_window_pct: float | None = None
    stored_s: float = 0.0
    imported: bool = False
    """Whether it was published by others, and not worked out here."""
    orphaned: bool = False

    @property
    def key(self) -> str:
        """The key as text."""
        return self.window_key.text

    @property
    def window_key(self) -> WindowKey:
        """What makes it this window."""
        if self.kind == "day":
            return WindowKey(kind="day", method=self.method, date=self.date)
        return WindowKey(
            kind="blocks", method=self.method, first_height=self.first_height, last_height=self.last_height
        )

    @property
    def time_s(self) -> float:
        """The moment that it stands at in a chart: midnight of its day, or its last block."""
        if self.date is not None:
            return midnight_s(self.date)
        return float(self.last_time or 0)


@dataclass(frozen=True, slots=True, kw_only=True)
class BlockPrice:
    """The price at one block, by the method `block-grid-1`: no canonical name."""

    time_s: float
    """Header time."""
    last_height: int
    last_hash: str
    """Of the block itself, which is the last that the price knows of."""
    method: str
    price_usd: float | None = None
    """None in a gap."""
    low_usd: float | None = None
    high_usd: float | None = None
    """The band, 5 to 95 % of the probability."""
    confidence: float | None = None
    points: int | None = None
    reason: str | None = None
    """Why there is no price: uncertain, rival or octave."""
    eligible_time_s: int | None = None
    """Header time of the newest block, this one included, with a point for some price on the grid."""
    exchange_usd: float | None = None
    """The exchange reading nearest to the header time."""
    exchange_time_s: float | None = None
    """That reading's own time."""
    divergence_block_pct: float | None = None
    orphaned: bool = False

    @property
    def key(self) -> str:
        """One a block and method."""
        return f"{self.last_hash}.{self.method}"


@dataclass(frozen=True, slots=True, kw_only=True)
class ExchangeReading:
    """The exchange price at one moment."""

    time_s: float
    """The price's own time."""
    price_usd: float
    source: ExchangeSource
    read_s: float | None = None
    """When it was read, if that is known."""

    @property
    def key(self) -> str:
        """One reading a source and moment."""
        return f"{self.source}.{self.time_s!r}"


@dataclass(frozen=True, slots=True, kw_only=True)
class ExchangeDay:
    """The exchange prices of a UTC day, where no more is known than that."""

    date: dt.date
    close_usd: float
    open_usd: float | None = None
    high_usd: float | None = None
    low_usd: float | None = None

    @property
    def key(self) -> str:
        """One a day."""
        return self.date.isoformat()

    @property
    def time_s(self) -> float:
        """When the day begins."""
        return midnight_s(self.date)


@dataclass(frozen=True, slots=True, kw_only=True)
class Alert:
    """Something that was raised, and what became of it."""

    key: str
    time_s: float
    """When it was raised."""
    rule: str
    level: Literal["info", "warning", "critical"]
    message: str
    values: dict[str, float | int | str | None] = field(default_factory=dict)
    resolved_s: float | None = None
    acknowledged_s: float | None = None
    snoozed_until_s: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Note:
    """What some part of the program wants to find again; the newest of a key is all that is kept."""

    key: str
    """Lower-case letters, digits and hyphens: it names a file."""
    time_s: float
    """When it was written."""
    values: dict[str, Any]
    """Plain values, whose meaning is that part's own affair."""


JobState = Literal["queued", "running", "paused", "done", "cancelled"]
ItemState = Literal["waiting", "done", "failed", "skipped"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """Persistent work over many windows."""

    key: str
    time_s: float
    """When it was asked for."""
    kind: Literal["backfill", "rerun"]
    work: str
    """What it does, in one canonical line: the same line is the same job."""
    items: int
    state: JobState = "queued"
    priority: int = 0
    """Higher goes first."""
    rank: float | None = None
    """Its place among those of its priority, lower first; without one, the time when it was asked for."""
    reason: str | None = None
    """Why it is paused, as a sentence."""
    resume_at_s: float | None = None
    """When a job that is paused by circumstances is looked at again; without one it waits for the operator."""
    started_s: float | None = None
    ended_s: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Lease:
    """Who is at an item, and until when that can be believed."""

    owner: str
    boot_id: str
    expires_s: float
    """On the host's monotonic clock, which no change of the time of day moves."""


@dataclass(frozen=True, slots=True, kw_only=True)
class JobItem:
    """One window of a job."""

    job: str
    number: int
    """Its place in the job, from 0."""
    window: WindowKey
    state: ItemState = "waiting"
    tries: int = 0
    error_kind: str | None = None
    error: str | None = None
    bytes_read: int = 0
    """From the node; none where all digests were at hand."""
    blocks: int | None = None
    """How many its window has, once that is known."""
    blocks_done: int = 0
    """How many of them are digested; of an item at work, as it was when the lease was renewed."""
    blocks_at_hand: int = 0
    """How many of those had been digested before it was begun."""
    elapsed_s: float | None = None
    ended_s: float | None = None
    lease: Lease | None = None

    @property
    def key(self) -> str:
        """One a place."""
        return f"{self.job}.{self.number}"

    @property
    def time_s(self) -> float:
        """Items have no time of their own."""
        return 0.0
