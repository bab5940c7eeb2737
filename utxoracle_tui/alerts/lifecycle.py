"""From findings to alerts: raised when something has held for long enough, resolved when it has been over for long
enough, each once.

Pure. Spans are measured on the clock for spans, which nobody can set; unix times are only written down. What was open
when the last process ended is given to the next one, which neither raises it again nor forgets to resolve it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from utxoracle_tui.alerts.rules import Finding, Rule, Said, Unknown
from utxoracle_tui.store.records import Alert

_SEPARATOR = "."
Subject = tuple[str, str]
"""A rule, and what of it."""


class Event(StrEnum):
    """What happened to an alert."""

    RAISED = "raised"
    WORSE = "worse"
    """It is of a higher level than before."""
    REMINDED = "reminded"
    """It was snoozed, and is still there."""
    RESOLVED = "resolved"


@dataclass(frozen=True, slots=True)
class Change:
    """An alert as it is now, and what happened to it."""

    event: Event
    alert: Alert


@dataclass(slots=True)
class _Track:
    """What is remembered of one subject. Times are on the clock for spans."""

    since_s: float | None = None
    """Since when it has been found without a break."""
    over_since_s: float | None = None
    """Since when it has not been found, of an alert that is open."""
    not_before_s: float | None = None
    """It was resolved lately, and is not raised again before."""
    alert: Alert | None = None
    """The alert that is open."""


def key_of(subject: Subject, time_s: float) -> str:
    """The key of an alert on a subject that is raised at a moment."""
    return _SEPARATOR.join((*subject, str(round(time_s))))


def subject_of(alert: Alert) -> Subject:
    """What an alert is on."""
    return alert.rule, alert.key[len(alert.rule) + 1 :].rpartition(_SEPARATOR)[0]


class Lifecycle:
    """The alerts of one network. Feed it with what all rules find, every few seconds."""

    def __init__(self, rules: Mapping[str, Rule], cooldown_s: float) -> None:
        self._rules = rules
        self._cooldown_s = cooldown_s
        self._tracks: dict[Subject, _Track] = {}

    def take_over(self, alerts: Iterable[Alert], now_s: float, elapsed_s: float) -> None:
        """Go on where another process ended: `alerts` are those that are open, and those that were resolved lately."""
        for alert in alerts:
            track = self._tracks.setdefault(subject_of(alert), _Track())
            if alert.resolved_s is None:
                track.alert = alert
                continue
            # a clock that was set in between must neither silence a rule for ever nor let it speak at once
            left_s = min(max(self._cooldown_s - (now_s - alert.resolved_s), 0.0), self._cooldown_s)
            track.not_before_s = max(track.not_before_s or 0.0, elapsed_s + left_s)

    def know(self, alerts: Iterable[Alert]) -> None:
        """Take in what the operator has done with open alerts: acknowledged or snoozed them."""
        for alert in alerts:
            track = self._tracks.get(subject_of(alert))
            if track is not None and track.alert is not None and track.alert.key == alert.key:
                track.alert = replace(
                    track.alert, acknowledged_s=alert.acknowledged_s, snoozed_until_s=alert.snoozed_until_s
                )

    def is_open(self, rule: str, subject: str) -> bool:
        """Whether there is an open alert on a subject."""
        track = self._tracks.get((rule, subject))
        return track is not None and track.alert is not None

    @property
    def open(self) -> list[Alert]:
        """The alerts that are open."""
        return [track.alert for track in self._tracks.values() if track.alert is not None]

    def step(self, findings: Mapping[str, Sequence[Said] | None], now_s: float, elapsed_s: float) -> list[Change]:
        """What follows from what each rule says at a moment; what can't be told changes nothing."""
        changes: list[Change] = []
        for name, found in findings.items():
            if found is None:
                continue
            by_subject = {said.subject: said for said in found if isinstance(said, Finding)}
            unknown = {said.subject for said in found if isinstance(said, Unknown)} - by_subject.keys()
            for subject in {*by_subject, *(key for rule, key in self._tracks if rule == name)} - unknown:
                track = self._tracks.setdefault((name, subject), _Track())
                finding = by_subject.get(subject)
                if finding is not None:
                    changes += self._found(self._rules[name], track, finding, now_s, elapsed_s)
                else:
                    changes += self._not_found(self._rules[name], track, now_s, elapsed_s)
                if track == _Track():
                    del self._tracks[name, subject]
        return changes

    def _found(self, rule: Rule, track: _Track, finding: Finding, now_s: float, elapsed_s: float) -> list[Change]:
        track.over_since_s = None
        if track.since_s is None:
            track.since_s = elapsed_s
        alert = track.alert
        if alert is None:
            if elapsed_s - track.since_s < rule.hold_s or elapsed_s < (track.not_before_s or 0.0):
                return []
            track.not_before_s = None
            track.alert = Alert(
                key=key_of((rule.name, finding.subject), now_s),
                time_s=now_s,
                rule=rule.name,
                level=finding.level,
                message=finding.message,
                values=dict(finding.values),
            )
            return [Change(Event.RAISED, track.alert)]
        is_worse = _rank(finding.level) > _rank(alert.level)
        is_awake = alert.snoozed_until_s is not None and now_s >= alert.snoozed_until_s
        if not is_worse and not is_awake:
            return []
        track.alert = replace(
            alert,
            level=finding.level if is_worse else alert.level,
            message=finding.message,
            values=dict(finding.values),
            snoozed_until_s=None if is_awake else alert.snoozed_until_s,
            acknowledged_s=None if is_worse else alert.acknowledged_s,
        )
        return [Change(Event.WORSE if is_worse else Event.REMINDED, track.alert)]

    def _not_found(self, rule: Rule, track: _Track, now_s: float, elapsed_s: float) -> list[Change]:
        track.since_s = None
        if track.alert is None:
            if track.not_before_s is not None and elapsed_s >= track.not_before_s:
                track.not_before_s = None
            return []
        if track.over_since_s is None:
            track.over_since_s = elapsed_s
        if elapsed_s - track.over_since_s < rule.over_s:
            return []
        resolved = replace(track.alert, resolved_s=now_s)
        track.alert = track.over_since_s = None
        track.not_before_s = elapsed_s + self._cooldown_s
        return [Change(Event.RESOLVED, resolved)]


_LEVELS = ("info", "warning", "critical")


def _rank(level: str) -> int:
    return _LEVELS.index(level)
