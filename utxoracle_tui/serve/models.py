"""What the API answers with, as OpenAPI describes it."""

from __future__ import annotations

import datetime as dt
from typing import Literal

from pydantic import AwareDatetime, BaseModel, Field

from utxoracle_tui.serve.checks import CheckStatus


class PriceEntry(BaseModel):
    """One observation: the price on the chain beside the exchange's. What is not known is null."""

    timestamp: AwareDatetime = Field(description="When it was made, UTC.")
    utxoracle_price: float | None = Field(description="The on-chain price, USD.")
    mempool_price: float | None = Field(description="The exchange price, USD.")
    confidence: float | None = Field(description="Of the on-chain price, 0 to 1.")
    tx_count: int | None = Field(description="Transactions in the window that the on-chain price is made from.")
    diff_amount: float | None = Field(description="mempool_price − utxoracle_price, USD.")
    diff_percent: float | None = Field(description="diff_amount in percent of utxoracle_price.")
    is_valid: bool | None = Field(description="Whether the on-chain price can be relied on.")


class PriceComparison(BaseModel):
    """Statistics over the entries with both prices, valid or not; null where there are none."""

    avg_diff: float | None = Field(description="Mean of diff_amount, signed, USD.")
    max_diff: float | None = Field(description="Largest diff_amount, signed, USD.")
    min_diff: float | None = Field(description="Smallest diff_amount, signed, USD.")
    avg_diff_percent: float | None = Field(description="Mean of diff_percent, signed.")
    correlation: float | None = Field(description="Pearson's, of the two prices, −1 to 1; null for fewer than three.")
    total_entries: int = Field(description="All entries of the span.")
    valid_entries: int = Field(description="Those whose is_valid is true.")
    timeframe_days: int = Field(description="The span that was asked for.")


class ServiceCheck(BaseModel):
    """One source, as it was when it was last looked at."""

    status: CheckStatus = Field(
        description="working: on its way, as in a first sync. unknown: this user may not look at it."
    )
    latency_ms: float | None = Field(description="How long its answer took.")
    error: str | None = Field(description="What is wrong, as a sentence.")
    last_success: AwareDatetime | None = Field(description="When it last answered.")
    age_seconds: float = Field(description="How long ago it was looked at.")


class HealthReport(BaseModel):
    """How the API, its store and the sources are."""

    status: Literal["healthy", "degraded", "unhealthy"] = Field(
        description="unhealthy: the store can't be read. degraded: a check is neither ok nor unknown, nothing has been "
        "looked at yet, or files of the store are damaged."
    )
    timestamp: AwareDatetime
    uptime_seconds: float
    started_at: AwareDatetime
    checks: dict[str, ServiceCheck] = Field(
        description="By source; looked at in the background. What is not configured is not listed."
    )
    database: Literal["connected", "damaged", "unreadable"]
    error: str | None = Field(description="What is wrong with the store, as a sentence.")
    network: str | None = Field(description="The network whose prices are served.")
    gaps_detected: int = Field(description="How many dates are missing.")
    missing_dates: list[dt.date] = Field(
        description="UTC days without an entry, of the 30 before today; none before the first entry."
    )


class Problem(BaseModel):
    """Why there is no answer."""

    error: str = Field(description="A sentence.")
    kind: str = Field(description="A word that stays, for programs.")
