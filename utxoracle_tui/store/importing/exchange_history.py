"""`date,open,high,low,close`: the exchange price by UTC day."""

from __future__ import annotations

from utxoracle_tui.store.importing.cells import Refused, Row, day, needed_price, number, shown
from utxoracle_tui.store.importing.file_kind import Context, FileKind
from utxoracle_tui.store.records import ExchangeDay


def read(row: Row, context: Context) -> ExchangeDay:
    """A day of exchange prices. Raises `Refused`."""
    return ExchangeDay(
        date=day(row, "date"),
        close_usd=needed_price(row, "close"),
        open_usd=_beside_close(row, "open"),
        high_usd=_beside_close(row, "high"),
        low_usd=_beside_close(row, "low"),
    )


def _beside_close(row: Row, name: str) -> float | None:
    """A price that may be missing; the earliest days have 0.0 where there was none yet, or less than half a cent."""
    value = number(row, name)
    if value is not None and value < 0:
        raise Refused(f"{name} is {shown(str(row[name]))}, and a price is more than 0")
    return value or None


EXCHANGE_HISTORY = FileKind(
    name="exchange-history",
    title="daily exchange prices",
    columns=("date", "open", "high", "low", "close"),
    read=read,
    collection=lambda store, record: store.exchange_days,
)
