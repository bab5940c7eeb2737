"""How numbers are written for people, the same on every screen and in every command."""

from __future__ import annotations

from datetime import UTC, datetime

_MINUTE_S, _HOUR_S, _DAY_S = 60, 3600, 86_400


def usd(value: float) -> str:
    """Dollars and cents."""
    return f"${value:,.2f}"


def whole_usd(value: float) -> str:
    """Dollars."""
    return f"${value:,.0f}"


def percent(share: float) -> str:
    """A share, 0 to 1, in percent with one digit."""
    return f"{share * 100:.1f} %"


def signed_percent(value_pct: float) -> str:
    """How far two prices are apart, in percent; what is nothing to two digits has no sign."""
    figure = f"{value_pct:+.2f}"
    return f"{figure if float(figure) else '0.00'} %"


def span(seconds: float) -> str:
    """A span of time in the two largest units that matter."""
    whole = round(seconds)
    if whole < 1:
        return "< 1 s"
    if whole < _MINUTE_S:
        return f"{whole} s"
    if whole < _HOUR_S:
        return f"{whole // _MINUTE_S} min {whole % _MINUTE_S:02d} s"
    if whole < _DAY_S:
        return f"{whole // _HOUR_S} h {whole % _HOUR_S // _MINUTE_S:02d} min"
    return f"{whole // _DAY_S} d {whole % _DAY_S // _HOUR_S} h"


def utc_minute(time_s: float) -> str:
    """A moment in UTC, to the minute."""
    return f"{datetime.fromtimestamp(time_s, UTC):%Y-%m-%d %H:%M}"


def utc_iso(time_s: float) -> str:
    """A moment in UTC, to the second, as programs read it."""
    return f"{datetime.fromtimestamp(time_s, UTC):%Y-%m-%dT%H:%M:%SZ}"


def utc_span(first_s: float, last_s: float) -> str:
    """Two moments in UTC, the date of the second left out when it is the same."""
    last = utc_minute(last_s)
    first = utc_minute(first_s)
    return f"{first} – {last[11:] if last[:10] == first[:10] else last} UTC"


def short_utc_span(first_s: float, last_s: float) -> str:
    """The same where there is little room: the year of the second is left out as well."""
    span_words = utc_span(first_s, last_s)
    year = span_words[:5]
    return span_words.replace(f"– {year}", "– ")


def count(number: int) -> str:
    """A whole number with thousands set apart."""
    return f"{number:,}"


def plural(number: int, noun: str) -> str:
    """A count with its noun."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


_AGE_STEPS_S = (5, 15, 30, *(minutes * _MINUTE_S for minutes in (1, 2, 5, 10, 15, 20, 30, 45)))


def age_within(seconds: float, bound_s: float) -> str:
    """How long ago; for less than a bound that something keeps to, the bound, so that the words stay the same."""
    if seconds >= bound_s:
        return age(seconds)
    return f"< {bound_s:.0f} s ago" if bound_s < 2 * _MINUTE_S else f"< {bound_s / _MINUTE_S:.0f} min ago"


def age(seconds: float) -> str:
    """How long ago, in steps that grow, so that a screen which shows it hardly ever changes."""
    if seconds < _AGE_STEPS_S[0]:
        return "just now"
    if seconds >= 2 * _DAY_S:
        return f"{int(seconds) // _DAY_S} d ago"
    if seconds >= _HOUR_S:
        return f"{int(seconds) // _HOUR_S} h ago"
    step = max(step for step in _AGE_STEPS_S if step <= seconds)
    return f"{step} s ago" if step < _MINUTE_S else f"{step // _MINUTE_S} min ago"
