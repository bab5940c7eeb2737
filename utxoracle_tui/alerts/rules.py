"""The rules: what of the facts is worth an alert. All pure; how long it has to last is the lifecycle's affair."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Literal, get_args

from utxoracle_tui import formats
from utxoracle_tui.alerts.facts import Facts, JobFact
from utxoracle_tui.config.settings import Alerts
from utxoracle_tui.engine.electrs.phases import ConditionKind
from utxoracle_tui.engine.stack.reading import Health, Source, Standing
from utxoracle_tui.engine.stack.sizes import size
from utxoracle_tui.store.statistics import Basis

Level = Literal["info", "warning", "critical"]
Value = float | int | str | None

FAILED_LATELY_S = 86_400.0
"""A job that ended longer ago is no news to somebody who has only just begun to watch."""
BACK_TO = 0.8
"""A divergence that was raised is over when it is below this share of the limit."""
_DISK_KINDS = frozenset({ConditionKind.DISK_SHORT.value, ConditionKind.SPACE_RAN_OUT.value})
_MINUTE_S = 60.0


@dataclass(frozen=True, slots=True)
class Finding:
    """Something that a rule has to say of one subject."""

    subject: str
    level: Level
    message: str
    values: Mapping[str, Value] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Unknown:
    """Of one subject nothing can be said now: an alert on it is neither raised nor over."""

    subject: str


@dataclass(frozen=True, slots=True)
class Moment:
    """What a rule knows besides the facts."""

    now_s: float
    """Unix time."""
    running_s: float
    """How long this process has been at work, or since the clock was set: before that, nobody was to make rounds."""
    is_open: Callable[[str], bool]
    """Whether an alert of this rule on a subject is open: then it takes more to be over."""


Said = Finding | Unknown
Judge = Callable[[Facts, Alerts, Moment], Sequence[Said] | None]
"""What a rule has to say; None when the facts tell it nothing."""


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule, with how long it has to hold, and to be over, in seconds."""

    name: str
    judge: Judge
    hold_s: float
    over_s: float


def divergence(facts: Facts, limits: Alerts, moment: Moment) -> list[Said] | None:
    """The two prices are far apart, on whichever basis."""
    if facts.round_time_s is None or _round_age_s(facts, moment) > limits.no_round_minutes * _MINUTE_S:
        # what an old round said is no news; that there is no newer one is another rule's affair
        return None
    # without an exchange price, say, nobody knows whether the two are still apart
    gone = set(get_args(Basis)) - facts.divergence_pct.keys()
    found: list[Said] = [Unknown(basis) for basis in sorted(gone) if moment.is_open(basis)]
    for basis, value_pct in facts.divergence_pct.items():
        limit_pct = limits.divergence_pct * (BACK_TO if moment.is_open(basis) else 1.0)
        if abs(value_pct) > limit_pct:
            side = "above" if value_pct > 0 else "below"
            found.append(
                Finding(
                    basis,
                    "warning",
                    f"The price on the chain is {abs(value_pct):.2f} % {side} the exchange's (basis {basis}, limit "
                    f"{limits.divergence_pct:g} %).",
                    {"divergence_pct": round(value_pct, 4), "basis": basis, "limit_pct": limits.divergence_pct},
                )
            )
    return found


def no_round(facts: Facts, limits: Alerts, moment: Moment) -> list[Finding] | None:
    """No round was made for long, though the node could be asked."""
    node = facts.source(Source.NODE)
    if not facts.store_is_read or node is None or node.health is Health.UNKNOWN:
        return None
    # a node that syncs is left alone, and one that is down has an alert of its own
    if node.standing in (Standing.WORKING, Standing.DOWN):
        return []
    known_s = _round_age_s(facts, moment) if facts.round_time_s is not None else moment.running_s
    age_s = min(known_s, moment.running_s)
    if age_s <= limits.no_round_minutes * _MINUTE_S:
        return []
    last = "none was made yet" if facts.round_time_s is None else f"the newest is of {_utc(facts.round_time_s)}"
    return [
        Finding(
            "rounds",
            "warning",
            f"No round was made for {age_s / _MINUTE_S:.0f} min: {last}. The log says what keeps them.",
            {"minutes": round(age_s / _MINUTE_S, 1), "limit_minutes": limits.no_round_minutes},
        )
    ]


def source(facts: Facts, limits: Alerts, moment: Moment) -> list[Said] | None:
    """A source of the stack is down, or has said nothing for long."""
    if facts.sources is None:
        return None
    found: list[Said] = []
    for fact in facts.sources:
        is_missed = fact.health in (Health.DOWN, Health.STALE) and fact.standing is not Standing.NONE
        if fact.health is Health.UNKNOWN or (is_missed and fact.standing is Standing.WAITS):
            # that it is not heard of yet, or waits for another one, doesn't mean that it is well again
            found += [Unknown(fact.name)] if moment.is_open(fact.name) else []
            continue
        if not is_missed:
            continue
        level: Level = "critical" if fact.name == Source.NODE.value else "warning"
        found.append(
            Finding(fact.name, level, f"{fact.title} is {fact.health.value}. {fact.sentence}", {"source": fact.name})
        )
    return found


def sync(facts: Facts, limits: Alerts, moment: Moment) -> list[Finding] | None:
    """electrs is stuck, crashes again and again, or can't open its index."""
    if facts.conditions is None:
        return None
    return [
        Finding(condition.kind, "critical", f"electrs: {condition.sentence}", {"condition": condition.kind})
        for condition in facts.conditions
        if condition.is_grave and condition.kind not in _DISK_KINDS
    ]


def disk(facts: Facts, limits: Alerts, moment: Moment) -> list[Said] | None:
    """A disk will be full soon, or is too small for what is to come."""
    if facts.disks is None:
        return None
    found: list[Said] = [
        Finding(
            low.name,
            "critical",
            f"The disk of {low.name} ({', '.join(low.holds)}) has {size(low.free_bytes)} left.",
            {"free_bytes": low.free_bytes, "disk": low.name},
        )
        for low in facts.disks
        if low.is_low
    ]
    if facts.conditions is None:
        found += [Unknown(kind) for kind in sorted(_DISK_KINDS) if moment.is_open(kind)]
    found += [
        Finding(condition.kind, "critical", f"electrs: {condition.sentence}", {"condition": condition.kind})
        for condition in facts.conditions or ()
        if condition.kind in _DISK_KINDS
    ]
    return found


def reorg(facts: Facts, limits: Alerts, moment: Moment) -> list[Finding] | None:
    """The chain was reorganised by more than what happens every other week."""
    if facts.reorg_blocks < limits.reorg_blocks:
        return []
    blocks = formats.plural(facts.reorg_blocks, "block")
    return [
        Finding(
            "chain",
            "warning",
            f"The chain was reorganised by {blocks}. Prices of these blocks are marked orphaned.",
            {"blocks": facts.reorg_blocks},
        )
    ]


def confidence(facts: Facts, limits: Alerts, moment: Moment) -> list[Finding] | None:
    """The newest price is not to be relied on."""
    if facts.round_time_s is None:
        return None
    if facts.reason is None:
        return []
    value = "" if facts.confidence is None else f", confidence {facts.confidence:.2f}"
    return [
        Finding(
            "price",
            "warning",
            f"The price on the chain is not valid: {facts.reason.replace('_', ' ')}{value}.",
            {"reason": facts.reason, "confidence": facts.confidence},
        )
    ]


def job(facts: Facts, limits: Alerts, moment: Moment) -> list[Finding] | None:
    """Windows of a job failed, or jobs can't go on."""
    if facts.jobs is None:
        return None
    found = [
        Finding(
            fact.key,
            "warning",
            f"{fact.failed} of {formats.plural(fact.items, 'window')} failed in the job “{fact.work}”.",
            {"failed": fact.failed, "windows": fact.items},
        )
        for fact in facts.jobs
        if fact.failed and fact.is_over and (_ended_lately(fact, moment) or moment.is_open(fact.key))
    ]
    if facts.jobs_trouble is not None:
        found.append(Finding("jobs", "warning", f"Jobs can't go on. {facts.jobs_trouble}"))
    return found


def store(facts: Facts, limits: Alerts, moment: Moment) -> list[Finding] | None:
    """What was found can't be stored."""
    if not facts.store_is_read:
        return None
    return [] if facts.store_trouble is None else [Finding("store", "critical", facts.store_trouble)]


RULES: Mapping[str, Rule] = MappingProxyType(
    {
        rule.name: rule
        for rule in (
            Rule("divergence", divergence, 120.0, 300.0),
            Rule("no_round", no_round, 0.0, 0.0),
            Rule("source", source, 120.0, 60.0),
            Rule("sync", sync, 0.0, 120.0),
            Rule("disk", disk, 60.0, 300.0),
            Rule("reorg", reorg, 0.0, 3600.0),
            Rule("confidence", confidence, 1800.0, 300.0),
            Rule("job", job, 0.0, 0.0),
            Rule("store", store, 60.0, 60.0),
        )
    }
)
"""All rules. A source that restarts, a round that fails once, or a price that leaps for a minute is no alert."""


def _round_age_s(facts: Facts, moment: Moment) -> float:
    # a clock that was set back would make it young for ever
    return abs(moment.now_s - (facts.round_time_s or 0.0))


def _ended_lately(fact: JobFact, moment: Moment) -> bool:
    return fact.ended_s is None or abs(moment.now_s - fact.ended_s) < FAILED_LATELY_S


def _utc(time_s: float) -> str:
    return f"{formats.utc_minute(time_s)} UTC"
