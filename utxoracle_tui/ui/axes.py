"""Ticks of the price chart: round figures, in UTC."""

from __future__ import annotations

import math
from datetime import UTC, datetime

from utxoracle_tui.ui.pictures import Tick

_MINUTE_S, _HOUR_S, _DAY_S = 60, 3_600, 86_400
_STEPS_S = (
    *(minutes * _MINUTE_S for minutes in (5, 10, 15, 30)),
    *(hours * _HOUR_S for hours in (1, 2, 3, 6, 12)),
    *(days * _DAY_S for days in (1, 2, 5, 10)),
)
_STEPS_MONTHS = (1, 2, 3, 6, 12, 24, 60)
_CELLS_A_LABEL = 12
_MILLION = 1_000_000


def time_ticks(start_s: float, end_s: float, columns: int) -> list[Tick]:
    """Ticks at round times of a span, as columns of so many; midnights have the date, other times the hour."""
    most = max(columns // _CELLS_A_LABEL, 2)
    span_s = end_s - start_s
    step_s = next((step for step in _STEPS_S if span_s / step <= most), None)
    if step_s is None:
        moments = _month_starts(start_s, end_s, most)
    else:
        first = math.ceil(start_s / step_s)
        moments = [float(n * step_s) for n in range(first, math.ceil(end_s / step_s))]
    return [Tick(float(int((at - start_s) / span_s * columns)), _time_label(at, step_s)) for at in moments]


def _month_starts(start_s: float, end_s: float, most: int) -> list[float]:
    first, last = (datetime.fromtimestamp(max(at, 0.0), UTC) for at in (start_s, end_s))
    months = range(first.year * 12 + first.month - 1, last.year * 12 + last.month)
    step = next((step for step in _STEPS_MONTHS if len(months) / step <= most), _STEPS_MONTHS[-1])
    starts = (datetime(n // 12, n % 12 + 1, 1, tzinfo=UTC).timestamp() for n in months if n % step == 0)
    return [at for at in starts if start_s <= at < end_s]


def _time_label(at_s: float, step_s: int | None) -> str:
    moment = datetime.fromtimestamp(at_s, UTC)
    if step_s is None:
        return f"{moment:%Y-%m}"
    return f"{moment:%m-%d}" if at_s % _DAY_S == 0 else f"{moment:%H:%M}"


def round_step(span: float, most: int) -> float:
    """The least of 1, 2, 2.5, 5 times a power of ten that `span` has at most `most` of."""
    rough = span / max(most, 1)
    magnitude = 10.0 ** math.floor(math.log10(rough))
    return next((n * magnitude for n in (1, 2, 2.5, 5) if n * magnitude >= rough * 0.999), 10 * magnitude)


def price_range(low: float, high: float) -> tuple[float, float]:
    """Round ends around two prices that leave a little room, the same for prices that are nearly the same."""
    spread = max(high - low, abs(high) * 0.004, 1e-6)
    step = round_step(spread * 1.1, 10)
    return math.floor((low - spread * 0.03) / step) * step, math.ceil((high + spread * 0.03) / step) * step


def price_ticks(bounds: tuple[float, float], rows: int) -> list[Tick]:
    """Ticks at round prices, as rows of so many."""
    span = bounds[1] - bounds[0]
    step = round_step(span, max(rows // 2, 3))
    first, last = math.ceil(bounds[0] / step - 1e-9), math.floor(bounds[1] / step + 1e-9)
    found: list[Tick] = []
    for n in range(first, last + 1):
        row = min(int((n * step - bounds[0]) / span * rows), rows - 1)
        if not found or row - found[-1].at >= 2:
            found.append(Tick(float(row), price_label(n * step, step)))
    return found


def price_label(value: float, step: float) -> str:
    """A price in at most eight characters."""
    if abs(value) >= _MILLION:
        return f"${value / 1000:,.0f}k"
    digits = 0 if step >= 1 else min(-math.floor(math.log10(step)), 4)
    return f"${value:,.{digits}f}"
