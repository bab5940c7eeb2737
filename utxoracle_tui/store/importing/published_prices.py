"""`date,consensus_price_usd`: consensus prices as others have published them."""

from __future__ import annotations

import math

from utxoracle_core import METHOD
from utxoracle_tui.store.importing.cells import Refused, Row, day, needed_price, whole
from utxoracle_tui.store.importing.file_kind import Context, FileKind
from utxoracle_tui.store.records import Window

IMPORTED = "imported"
"""Why nothing is known of the validity of such a price."""
_SAME_WITHIN = 1e-9


def read(row: Row, context: Context) -> Window:
    """A day's price. Raises `Refused`."""
    first, last = whole(row, "first_height"), whole(row, "last_height")
    if first is not None and last is not None and first > last:
        raise Refused(f"first_height is {first}, and last_height only {last}")
    return Window(
        kind="day",
        method=METHOD,
        date=day(row, "date"),
        first_height=first,
        last_height=last,
        name=context.consensus_name,
        network=context.network,
        price_usd=needed_price(row, "consensus_price_usd"),
        reason=IMPORTED,
        blocks=None if first is None or last is None else last - first + 1,
        points=whole(row, "n_points"),
        stored_s=context.now_s,
        imported=True,
    )


def same_price(old: Window, new: Window) -> bool:
    """Whether two results of a day are one price, as far as floats that were printed tell."""
    if old.price_usd is None or new.price_usd is None:
        return old.price_usd is new.price_usd
    return math.isclose(old.price_usd, new.price_usd, rel_tol=_SAME_WITHIN)


PUBLISHED_PRICES = FileKind(
    name="published-prices",
    title="published consensus prices",
    columns=("date", "consensus_price_usd"),
    read=read,
    collection=lambda store, record: store.windows.days,
    same=same_price,
)
