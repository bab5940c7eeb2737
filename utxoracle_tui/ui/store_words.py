"""What screens say of the store itself: whose it is, and why there is nothing to read."""

from __future__ import annotations

from utxoracle_tui.engine.live_rounds import NOT_OPEN, StoreReading

READING = "Reading the store …"


def nothing_to_read(reading: StoreReading | None) -> str | None:
    """Why no figures can be shown, as a sentence; None where there is a store to read."""
    if reading is None:
        return READING
    if reading.network is not None:
        return None
    return reading.trouble or (NOT_OPEN if reading.waits else READING)


def unconfirmed(reading: StoreReading) -> str | None:
    """A sentence for a store that is shown although the node hasn't named its chain; None for any other."""
    if not reading.waits:
        return None
    if reading.network is None:
        return NOT_OPEN
    return f"Shown is what is stored of {reading.network}: the node has not named its chain."


def state(reading: StoreReading) -> tuple[object, ...]:
    """What is another one whenever there may be other figures to read."""
    return reading.network, reading.waits, reading.trouble if reading.network is None else None, reading.writes
