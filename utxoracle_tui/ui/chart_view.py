"""Which span the price chart shows: ranges, zoom and pan. Times are unix seconds in UTC."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

_HOUR_S, _DAY_S, _YEAR_S = 3_600.0, 86_400.0, 365.25 * 86_400.0
_LEAST_SPAN_S = _HOUR_S
_GENESIS_S = 1_231_006_505.0
"""The time of the first block: there is no price before it."""
_ZOOM = 2.0
_PAN_SHARE = 0.25
_STEPS_A_SPAN = 240
"""The end of a span that follows the time moves in steps, so that the picture stays the same in between."""
_MOST_STEP_S = 900.0
"""A step of a long span, of which nobody would see that it ends days from now but in its heading."""


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
        if self.preset == "all":
            return replace(preset_view("all", now_s), start_s=self.start_s)
        end_s = _end_of(now_s, self.span_s)
        return replace(self, start_s=end_s - self.span_s, end_s=end_s)

    def zoomed(self, inwards: bool, around_s: float | None, now_s: float, first_s: float | None) -> ChartView:
        """Half or double the span, around a moment; without one, the end stays if the view follows, else the middle.

        There is nothing before `first_s`, None for nothing at all: where all there is has room, all is shown.
        """
        least_s = _GENESIS_S if first_s is None else first_s
        from_s = max(self.start_s, least_s) if self.preset == "all" else self.start_s
        before_s = self.end_s - from_s
        span_s = max(before_s / _ZOOM if inwards else before_s * _ZOOM, _LEAST_SPAN_S)
        if not inwards and span_s >= _end_of(now_s, span_s) - least_s:
            return replace(preset_view("all", now_s), start_s=first_s or 0.0)
        if around_s is None and self.follows:
            return ChartView(self.end_s - span_s, self.end_s).at(now_s)
        middle_s = from_s + before_s / 2 if around_s is None else around_s
        start_s = middle_s - (middle_s - from_s) / before_s * span_s
        if not inwards:
            start_s = max(start_s, least_s)
        return _not_to_come(ChartView(start_s, start_s + span_s, follows=False), now_s)

    def panned(self, direction: int, now_s: float) -> ChartView:
        """A quarter of the span to the left (-1) or right (1), but not past the time that it is now."""
        step_s = self.span_s * _PAN_SHARE * direction
        newest_s = _end_of(now_s, self.span_s)
        end_s = min(self.end_s + step_s, newest_s)
        start_s = max(end_s - self.span_s, 0.0)
        return ChartView(start_s, start_s + self.span_s, follows=direction > 0 and end_s == newest_s)

    def shifted_to(self, time_s: float, now_s: float) -> ChartView:
        """Moved just so far that a moment is in it."""
        if time_s < self.start_s:
            start_s = time_s - self.span_s * _PAN_SHARE
        elif time_s >= self.end_s:
            start_s = time_s - self.span_s * (1 - _PAN_SHARE)
        else:
            return self
        return _not_to_come(ChartView(start_s, start_s + self.span_s, follows=False), now_s)


def preset_view(name: str, now_s: float) -> ChartView:
    """The view of a preset that ends now. Where that is all, it starts at 0 until it is known what there is."""
    days = BY_NAME[name].days
    if days is None:
        return ChartView(0.0, _end_of(now_s, _DAY_S), preset=name)
    span_s = days * _DAY_S
    end_s = _end_of(now_s, span_s)
    return ChartView(end_s - span_s, end_s, preset=name)


def view_of(first_s: float, last_s: float, now_s: float) -> ChartView:
    """A view of two moments and a little beside them."""
    margin_s = max((last_s - first_s) * 0.02, 300.0)
    start_s, end_s = first_s - margin_s, last_s + margin_s
    if end_s - start_s < _LEAST_SPAN_S:
        middle_s = (start_s + end_s) / 2
        start_s, end_s = middle_s - _LEAST_SPAN_S / 2, middle_s + _LEAST_SPAN_S / 2
    return _not_to_come(ChartView(start_s, end_s, follows=False), now_s)


def bounded_view(span_s: float, start_s: float | None, now_s: float) -> ChartView:
    """A view of about so long from a moment on; without one, up to now, and it follows the time."""
    span_s = min(max(span_s, _LEAST_SPAN_S), now_s - _GENESIS_S)
    if start_s is None:
        end_s = _end_of(now_s, span_s)
        return ChartView(end_s - span_s, end_s)
    start_s = min(max(start_s, 0.0), now_s)
    return _not_to_come(ChartView(start_s, start_s + span_s, follows=False), now_s)


def following(view: ChartView, now_s: float) -> ChartView:
    """A view of the same length that follows the time."""
    return replace(view, follows=True).at(now_s)


def _not_to_come(view: ChartView, now_s: float) -> ChartView:
    """The same, but moved back where it would end later than one that follows the time."""
    end_s = min(view.end_s, _end_of(now_s, view.span_s))
    return replace(view, start_s=end_s - view.span_s, end_s=end_s)


def _end_of(now_s: float, span_s: float) -> float:
    step_s = min(max(span_s / _STEPS_A_SPAN, 60.0), _MOST_STEP_S)
    return (math.floor(now_s / step_s) + 1) * step_s


def _span_title(span_s: float) -> str:
    units = ((_YEAR_S, "year"), (_DAY_S, "day"), (_HOUR_S, "hour"))
    unit_s, noun = next(((unit_s, noun) for unit_s, noun in units if span_s >= 2 * unit_s), units[-1])
    figure = f"{span_s / unit_s:.3g}"
    return f"{figure} {noun}{'' if figure == '1' else 's'}"
