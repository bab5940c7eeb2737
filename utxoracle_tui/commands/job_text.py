"""A job in words: how it goes, on one line, and what became of it, as text and as a JSON document."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from utxoracle_tui import formats
from utxoracle_tui.engine.block_file_pricing import BlockSource
from utxoracle_tui.engine.jobs.estimate import Eta
from utxoracle_tui.engine.jobs.plan import JobPlan, JobPreview
from utxoracle_tui.engine.jobs.reading import AtHand, JobReading
from utxoracle_tui.engine.jobs.wanted import title
from utxoracle_tui.engine.progress import BYTES_PER_MB
from utxoracle_tui.store.jobs import JobProgress
from utxoracle_tui.store.records import Job, JobItem, WindowKey

_NAMED = 5
_FAILURES_SHOWN = 10


@dataclass(frozen=True, slots=True)
class JobOutcome:
    """What became of a request."""

    plan: JobPlan
    job: Job | None
    """As it is at the end; None where there was nothing to do."""
    progress: JobProgress | None
    failures: Sequence[JobItem]
    elapsed_s: float
    """Of this command."""
    came_from: tuple[tuple[BlockSource, int], ...] = ()
    """How many blocks this command got from where."""


def window_name(key: WindowKey) -> str:
    """A window, for people and for programs."""
    return key.date.isoformat() if key.date is not None else f"{key.first_height}-{key.last_height}"


def before_starting(plan: JobPlan) -> list[str]:
    """What there is to say of a plan, a sentence each."""
    told = []
    if plan.job is not None:
        verb = "goes on" if plan.goes_on else "begins"
        told.append(f"{title(plan.job)} {verb} (job {plan.job.key}).")
    if plan.was_paused is not None:
        told.append(f"It was paused and is resumed by asking for it again. {plan.was_paused}")
    if plan.there:
        told.append(f"{_windows(plan.there, 'has', 'have')} a result already and can be made anew by rerun.")
    if plan.impossible:
        told.append(
            f"{_windows(len(plan.impossible), 'has', 'have')} blocks that the pruned node has deleted, and can't be "
            f"had from it: {_names(plan.impossible)}. It has those from {plan.lowest_height} on."
        )
    return told


def as_preview_text(preview: JobPreview) -> str:
    """What a request would come to, for people."""
    plan, forecast = preview.plan, preview.forecast
    told = before_starting(plan) if plan.job is None else [f"{title(plan.job)} was asked for before and would go on."]
    if forecast is not None:
        told += [f"{formats.plural(forecast.windows, 'window')} to do.", forecast.words]
    elif plan.job is None:
        told.append("Nothing to do.")
    return "".join(f"{sentence}\n" for sentence in told)


def as_preview(preview: JobPreview) -> dict[str, Any]:
    """What a request would come to, for programs."""
    plan, forecast = preview.plan, preview.forecast
    return {
        "work": plan.work,
        "state": "not_begun" if forecast else "nothing_to_do",
        "windows": forecast.windows if forecast else 0,
        "blocks": forecast.blocks if forecast else 0,
        "blocks_at_hand": forecast.at_hand if forecast else 0,
        "bytes": forecast.size_bytes if forecast else 0,
        "seconds": forecast.took_s if forecast else 0.0,
        "sampled_blocks": forecast.sampled if forecast else 0,
        "source": forecast.source.value if forecast and forecast.source else None,
        "there_already": plan.there,
        "impossible": [window_name(key) for key in plan.impossible],
    }


def progress_line(reading: JobReading, trouble: str | None) -> str:
    """How a job goes, on one line."""
    progress, now = reading.progress, reading.estimate
    parts = [f"{progress.tried} of {formats.plural(progress.total, 'window')}"]
    if progress.failed:
        parts.append(f"{progress.failed} failed")
    if trouble is not None:
        parts.append(trouble)
    elif reading.job.state == "paused":
        parts.append(pause_sentence(reading.job))
    else:
        if reading.at_hand:
            parts.append(_at_hand(reading.at_hand))
        if now.blocks_per_s is not None:
            parts.append(f"{now.blocks_per_s:.0f} blocks/s")
        if now.mb_per_s:
            parts.append(f"{now.mb_per_s:.1f} MB/s")
        if now.eta is not None:
            parts.append(_eta(now.eta))
    return " · ".join(parts)


def pause_sentence(job: Job) -> str:
    """Why a job is paused, and what ends that."""
    reason = job.reason or "It is paused."
    if job.resume_at_s is None:
        return f"paused: {reason} It waits until it is resumed."
    return f"paused: {reason} Looked at again at {formats.utc_minute(job.resume_at_s)} UTC."


def as_text(outcome: JobOutcome) -> str:
    """What became of a request, for people."""
    if outcome.job is None or outcome.progress is None:
        return "Nothing to do.\n"
    progress = outcome.progress
    rows = [("done", f"{progress.done} of {formats.plural(progress.total, 'window')}")]
    if progress.skipped:
        rows.append(("skipped", f"{progress.skipped}, which got a result meanwhile"))
    if progress.failed:
        rows.append(("failed", f"{progress.failed}; rerun --failed tries again"))
    rows.append(("read", _read(progress, outcome.came_from)))
    shown = outcome.failures[:_FAILURES_SHOWN]
    rows += [(window_name(item.window), item.error or item.error_kind or "") for item in shown]
    if len(outcome.failures) > _FAILURES_SHOWN:
        rows.append(("…", f"and {len(outcome.failures) - _FAILURES_SHOWN} more; --json has all"))
    width = max(len(name) for name, _ in rows)
    head = f"{title(outcome.job)}: {outcome.job.state} in {formats.span(outcome.elapsed_s)}\n"
    return head + "".join(f"  {name:<{width}}  {text}\n" for name, text in rows)


def as_document(outcome: JobOutcome) -> dict[str, Any]:
    """What became of a request, for programs."""
    job, progress, plan = outcome.job, outcome.progress, outcome.plan
    return {
        "job": job.key if job else None,
        "work": plan.work,
        "state": job.state if job else "nothing_to_do",
        "windows": progress.total if progress else 0,
        "done": progress.done if progress else 0,
        "failed": progress.failed if progress else 0,
        "skipped": progress.skipped if progress else 0,
        "there_already": plan.there,
        "impossible": [window_name(key) for key in plan.impossible],
        "bytes_read": progress.bytes_read if progress else 0,
        "blocks_from": {source.value: count for source, count in outcome.came_from},
        "elapsed_s": outcome.elapsed_s,
        "failures": [
            {
                "window": window_name(item.window),
                "kind": item.error_kind,
                "message": item.error,
                "tries": item.tries,
            }
            for item in outcome.failures
        ],
    }


def _read(progress: JobProgress, came_from: Sequence[tuple[BlockSource, int]]) -> str:
    whole = f"{progress.bytes_read / BYTES_PER_MB:,.1f} MB"
    if not came_from:
        return whole
    return f"{whole}; here {' and '.join(f'{count:,} blocks from {source}' for source, count in came_from)}"


def _windows(count: int, one: str, many: str) -> str:
    return f"{formats.plural(count, 'window')} {one if count == 1 else many}"


def _names(keys: Sequence[WindowKey]) -> str:
    names = [window_name(key) for key in keys]
    if len(names) <= _NAMED:
        return ", ".join(names)
    return f"{names[0]} to {names[-1]}"


def _at_hand(at_hand: Sequence[AtHand]) -> str:
    """The window that is furthest; the others are begun already so that nothing idles."""
    first = max(at_hand, key=lambda hand: (hand.here, hand.blocks_done))
    text = window_name(first.window)
    if first.blocks:
        text += f": {first.blocks_done} of {formats.plural(first.blocks, 'block')}"
    if not first.here:
        return f"{text} (another process)"
    others = sum(not hand.here for hand in at_hand)
    return f"{text}, {others} more by another process" if others else text


def _eta(eta: Eta) -> str:
    likely, low, high = (formats.span(seconds) for seconds in (eta.likely_s, eta.low_s, eta.high_s))
    return f"{likely} left" if low == high else f"{likely} left ({low} – {high})"
