"""Which span the price chart shows: ranges, zoom and pan. Times are unix seconds in UTC."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

_HOUR_S, _DAY_S = 3_600.0, 86_400.0
_LEAST_SPAN_S, _MOST_SPAN_S = _HOUR_S, 40 * 366 * _DAY_S
_ZOOM = 2.0
_PAN_SHARE = 0.25
_STEPS_A_SPAN = 240
"""The end of a span that follows the time moves in steps, so that the picture stays the same in between."""


@dataclass(frozen=True, slots=True)
class Preset:
    """A range that has a key of its own; without days it is all there is."""

    name: str
    title: str
    days: int | None


PRESETS = (
    Preset("day", "1 day", 1),
    Preset("week", "7 days", 7),
    Preset("month", "30 days", 30),
    Preset("quarter", "90 days", 90),
    Preset("year", "a year", 365),
    Preset("all", "all", None),
)
BY_NAME = {preset.name: preset for preset in PRESETS}


@dataclass(frozen=True, slots=True)
class ChartView:
    """A span, from `start_s` to before `end_s`; `follows` when its end moves with the time."""

    start_s: float
    end_s: float
    follows: bool = True
    preset: str | None = None

    @property
    def span_s(self) -> float:
        """How long it is."""
        return self.end_s - self.start_s

    @property
    def title(self) -> str:
        """What it is called."""
        return BY_NAME[self.preset].title if self.preset else _span_title(self.span_s)

    def at(self, now_s: float) -> ChartView:
        """The same a while later: moved on, if it follows."""
        if not self.follows:
            return self
        end_s = _end_of(now_s, self.span_s)
        start_s = self.start_s if self.preset == "all" else end_s - self.span_s
        return replace(self, start_s=start_s, end_s=end_s)

    def zoomed(self, inwards: bool, around_s: float | None, now_s: float) -> ChartView:
        """Half or double the span, around a moment; without one, the end stays if the view follows, else the middle."""
        span_s = self.span_s / _ZOOM if inwards else self.span_s * _ZOOM
        span_s = min(max(span_s, _LEAST_SPAN_S), _MOST_SPAN_S)
        if around_s is None and self.follows:
            return ChartView(self.end_s - span_s, self.end_s).at(now_s)
        middle_s = (self.start_s + self.end_s) / 2 if around_s is None else around_s
        share = (middle_s - self.start_s) / self.span_s
        start_s = max(middle_s - share * span_s, 0.0)
        return ChartView(start_s, start_s + span_s, follows=False)

    def panned(self, direction: int, now_s: float) -> ChartView:
        """A quarter of the span to the left (-1) or right (1), but not past the time that it is now."""
        step_s = self.span_s * _PAN_SHARE * direction
        newest_s = _end_of(now_s, self.span_s)
        end_s = min(self.end_s + step_s, newest_s)
        start_s = max(end_s - self.span_s, 0.0)
        return ChartView(start_s, start_s + self.span_s, follows=direction > 0 and end_s == newest_s)

    def shifted_to(self, time_s: float) -> ChartView:
        """Moved just so far that a moment is in it."""
        if time_s < self.start_s:
            start_s = time_s - self.span_s * _PAN_SHARE
        elif time_s >= self.end_s:
            start_s = time_s - self.span_s * (1 - _PAN_SHARE)
        else:
            return self
        return ChartView(start_s, start_s + self.span_s, follows=False)


def preset_view(name: str, now_s: float) -> ChartView:
    """The view of a preset that ends now. Where that is all, it starts at 0 until it is known what there is."""
    days = BY_NAME[name].days
    if days is None:
        return ChartView(0.0, _end_of(now_s, _DAY_S), preset=name)
    span_s = days * _DAY_S
    end_s = _end_of(now_s, span_s)
    return ChartView(end_s - span_s, end_s, preset=name)


def view_of(first_s: float, last_s: float) -> ChartView:
    """A view of two moments and a little beside them."""
    margin_s = max((last_s - first_s) * 0.02, 300.0)
    start_s, end_s = first_s - margin_s, last_s + margin_s
    if end_s - start_s < _LEAST_SPAN_S:
        middle_s = (start_s + end_s) / 2
        start_s, end_s = middle_s - _LEAST_SPAN_S / 2, middle_s + _LEAST_SPAN_S / 2
    return ChartView(start_s, end_s, follows=False)


def bounded_view(span_s: float, start_s: float | None, now_s: float) -> ChartView:
    """A view of about so long from a moment on; without one, up to now, and it follows the time."""
    span_s = min(max(span_s, _LEAST_SPAN_S), _MOST_SPAN_S)
    if start_s is None:
        end_s = _end_of(now_s, span_s)
        return ChartView(end_s - span_s, end_s)
    start_s = min(max(start_s, 0.0), now_s)
    return ChartView(start_s, start_s + span_s, follows=False)


def following(view: ChartView, now_s: float) -> ChartView:
    """A view of the same length that follows the time."""
    return replace(view, follows=True).at(now_s)


def _end_of(now_s: float, span_s: float) -> float:
    step_s = max(span_s / _STEPS_A_SPAN, 60.0)
    return (math.floor(now_s / step_s) + 1) * step_s


def _span_title(span_s: float) -> str:
    days = span_s / _DAY_S
    return f"{days:.3g} days" if days >= 2 else f"{span_s / _HOUR_S:.3g} hours"
