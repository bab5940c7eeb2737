"""The figures of a phase: share, rate and time left, from what is measured and what was measured before."""

from __future__ import annotations

from dataclasses import replace
from types import MappingProxyType

from utxoracle_tui.engine.electrs.measures import Measure
from utxoracle_tui.engine.electrs.milestones import Mark, Milestones, Sample
from utxoracle_tui.engine.electrs.pace import Eta, Forecast, forecast, with_sample
from utxoracle_tui.engine.electrs.phases import Phase
from utxoracle_tui.engine.electrs.state import Basis, Progress


def figures(phase: Phase, found: Measure | None, milestones: Milestones, now_s: float) -> tuple[Milestones, Progress]:
    """The progress of the phase, and the milestones that know of it."""
    mark = milestones.marks.get(phase)
    if found is None:
        share = mark.share if mark is not None else None
        return milestones, Progress(1.0 if phase is Phase.READY else share)
    basis = tuple(Basis(ground.source, ground.says, max(0.0, now_s - ground.at_s)) for ground in found.grounds)
    if phase is Phase.READY:
        return milestones, Progress(1.0, found.done, found.total, found.unit, rests_on=basis)
    if mark is None or found.share is None:
        share = mark.share if mark is not None else None
        return milestones, Progress(share, found.done, found.total, found.unit, rests_on=basis)
    share = min(1.0, max(mark.share or 0.0, found.share))
    milestones = _sampled(milestones, mark, found, now_s)
    seen = _forecast(milestones, found, 1.0 - found.share)
    new = found.share >= mark.share_earlier
    mark = replace(mark, share=share, pace_s=seen.pace_s if seen is not None and new else mark.pace_s)
    milestones = milestones.with_mark(phase, mark)
    rate = seen.rate_per_s * found.total if seen is not None and found.total else None
    eta = _eta(seen, mark, found.share) if seen is not None else None
    return milestones, Progress(share, found.done, found.total, found.unit, rate, eta, found.rough, basis)


def _sampled(milestones: Milestones, mark: Mark, found: Measure, now_s: float) -> Milestones:
    """The milestones with one more sample. Each kind of evidence has a series of its own, which goes on when it is
    back. All begin anew where a resumed pass has come to what is new to it: reading again goes faster."""
    series, share = dict(milestones.series), found.share or 0.0
    samples = series.get(found.key, ())
    if samples and samples[-1].done < mark.share_earlier <= share:
        series, samples = {}, ()
    if not samples and found.began is not None and found.began.at_s < now_s:
        samples = (found.began,)
    series[found.key] = with_sample(samples, Sample(now_s, share))
    return replace(milestones, series=MappingProxyType(series))


def _forecast(milestones: Milestones, found: Measure, left: float) -> Forecast | None:
    """By the series of this kind of evidence, and as long as that is too short by what another has shown lately."""
    own = forecast(milestones.series[found.key], left)
    if own is not None:
        return own
    others = sorted(milestones.series.values(), key=lambda samples: samples[-1].at_s, reverse=True)
    return next((seen for samples in others if (seen := forecast(samples, left)) is not None), None)


def _eta(seen: Forecast, mark: Mark, share: float) -> Eta:
    again = mark.share_earlier - share
    if again <= 0 or mark.pace_earlier_s is None:
        return seen.eta(1.0 - share)
    # what was done before is only read again; the rest goes at the pace of before
    reading, new_s, factor = seen.eta(again), (1.0 - mark.share_earlier) * mark.pace_earlier_s, 1.0 + seen.spread
    return Eta(reading.low_s + new_s / factor, reading.mid_s + new_s, reading.high_s + new_s * factor)
