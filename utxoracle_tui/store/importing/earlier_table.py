"""The table of the earlier system: one row a comparison, with a date or a time.

Its columns are date, exchange_price, utxoracle_price, price_difference, avg_pct_diff, confidence, tx_count and
is_valid. The derived ones are left out: their sign was the opposite of the one used here.
"""

from __future__ import annotations

import datetime as dt

from utxoracle_tui.store.importing.cells import Refused, Row, day_or_moment, price, share, truth, whole
from utxoracle_tui.store.importing.file_kind import Context, FileKind
from utxoracle_tui.store.records import Observation, midnight_s


def read(row: Row, context: Context) -> Observation:
    """One comparison. A bare date means a price of that day, a time one of the blocks before it. Raises `Refused`."""
    when = day_or_moment(row, "date")
    onchain_usd, exchange_usd = price(row, "utxoracle_price"), price(row, "exchange_price")
    if onchain_usd is None and exchange_usd is None:
        raise Refused("utxoracle_price and exchange_price are both empty")
    is_moment = isinstance(when, dt.datetime)
    return Observation(
        key=f"imported-{when.isoformat().replace('+00:00', 'Z')}",
        time_s=when.timestamp() if isinstance(when, dt.datetime) else midnight_s(when),
        window_kind="blocks" if is_moment else "day",
        date=None if is_moment else when,
        transactions=whole(row, "tx_count"),
        onchain_usd=onchain_usd,
        exchange_usd=exchange_usd,
        exchange_source="imported" if exchange_usd is not None else None,
        divergence_spot_pct=_divergence_pct(onchain_usd, exchange_usd),
        confidence=share(row, "confidence"),
        valid=truth(row, "is_valid"),
        imported=True,
    )


def _divergence_pct(onchain_usd: float | None, exchange_usd: float | None) -> float | None:
    if onchain_usd is None or exchange_usd is None:
        return None
    return (onchain_usd - exchange_usd) / exchange_usd * 100


EARLIER_TABLE = FileKind(
    name="earlier-table",
    title="table of the earlier system",
    columns=("date", "exchange_price", "utxoracle_price"),
    read=read,
    collection=lambda store, record: store.observations,
)
