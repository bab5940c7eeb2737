"""The kinds of records, and how each is kept."""

from __future__ import annotations

from utxoracle_tui.store.part_names import PartName, Span
from utxoracle_tui.store.part_reader import Kind
from utxoracle_tui.store.records import (
    Alert,
    BlockPrice,
    ExchangeDay,
    ExchangeReading,
    Job,
    JobItem,
    Note,
    Observation,
    Window,
)

ITEMS_A_PART = 256
"""Few enough that an item's progress is written in a few milliseconds."""


def items_part(job: str, number: int) -> PartName:
    """The part that holds an item of a job."""
    return PartName(job, f"{number // ITEMS_A_PART:06}")


def note_part(key: str) -> PartName:
    """The part that holds the note with a key."""
    return PartName("notes", key)


def _window_ends(record: Observation | Window) -> tuple[int | None, int | None]:
    return record.first_height, record.last_height


OBSERVATIONS = Kind(
    "observations",
    Observation,
    heights=_window_ends,
    columns={
        "time_s": lambda record: record.time_s,
        "onchain_usd": lambda record: record.onchain_usd,
        "exchange_usd": lambda record: record.exchange_usd,
        "exchange_mean_usd": lambda record: record.exchange_mean_usd,
        "exchange_coverage": lambda record: record.exchange_coverage,
        "divergence_spot_pct": lambda record: record.divergence_spot_pct,
        "divergence_window_pct": lambda record: record.divergence_window_pct,
        "divergence_block_pct": lambda record: record.divergence_block_pct,
        "block_usd": lambda record: record.block_usd,
        "confidence": lambda record: record.confidence,
        "valid": lambda record: record.valid,
        "last_height": lambda record: record.last_height,
        "imported": lambda record: record.imported,
        "orphaned": lambda record: record.orphaned,
        "public_exchange": lambda record: record.exchange_source == "public",
    },
)

_WINDOW_COLUMNS = {
    "time_s": lambda record: record.time_s,
    "price_usd": lambda record: record.price_usd,
    "exchange_usd": lambda record: record.exchange_usd,
    "exchange_coverage": lambda record: record.exchange_coverage,
    "divergence_window_pct": lambda record: record.divergence_window_pct,
    "confidence": lambda record: record.confidence,
    "valid": lambda record: record.valid,
    "last_height": lambda record: record.last_height,
    "points": lambda record: record.points,
    "imported": lambda record: record.imported,
    "orphaned": lambda record: record.orphaned,
}
DAY_WINDOWS = Kind("day-windows", Window, span=Span.MONTH, heights=_window_ends, columns=_WINDOW_COLUMNS)
BLOCK_WINDOWS = Kind("block-windows", Window, heights=_window_ends, columns=_WINDOW_COLUMNS)

BLOCK_PRICES = Kind(
    "block-prices",
    BlockPrice,
    heights=lambda record: (record.last_height, record.last_height),
    columns={
        "time_s": lambda record: record.time_s,
        "price_usd": lambda record: record.price_usd,
        "low_usd": lambda record: record.low_usd,
        "high_usd": lambda record: record.high_usd,
        "confidence": lambda record: record.confidence,
        "last_height": lambda record: record.last_height,
        "exchange_usd": lambda record: record.exchange_usd,
        "divergence_block_pct": lambda record: record.divergence_block_pct,
        "orphaned": lambda record: record.orphaned,
    },
)

EXCHANGE_READINGS = Kind(
    "exchange-readings",
    ExchangeReading,
    columns={
        "time_s": lambda record: record.time_s,
        "price_usd": lambda record: record.price_usd,
        "public": lambda record: record.source == "public",
    },
)
EXCHANGE_DAYS = Kind(
    "exchange-days",
    ExchangeDay,
    span=Span.YEAR,
    columns={"time_s": lambda record: record.time_s, "close_usd": lambda record: record.close_usd},
)
ALERTS = Kind("alerts", Alert, span=Span.MONTH)
JOBS = Kind("jobs", Job, span=Span.YEAR)
NOTES = Kind("notes", Note, part_of=lambda note: note_part(note.key))
JOB_ITEMS = Kind("job-items", JobItem, part_of=lambda item: items_part(item.job, item.number))
