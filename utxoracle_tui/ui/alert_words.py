"""Alerts in words: what a toast says of them, and how the list shows them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from rich.text import Text

from utxoracle_tui import formats
from utxoracle_tui.alerts.reading import AlertsReading
from utxoracle_tui.store.records import Alert

_LEVELS = {"info": ("·", "cyan"), "warning": ("▲", "bold yellow"), "critical": ("✗", "bold red")}


@dataclass(frozen=True, slots=True)
class Telling:
    """Something for a toast."""

    sentence: str
    severity: Literal["information", "warning", "error"]
    rings: bool
    """Whether the terminal is to call for attention as well."""


def news(before: AlertsReading, now: AlertsReading, now_s: float, key: str) -> list[Telling]:
    """What has happened between two readings; `key` opens the list."""
    known = {alert.key: alert for alert in before.alerts}
    if not before.alerts and len(now.wanting(now_s)) > 1:
        return [
            Telling(f"{formats.plural(len(now.wanting(now_s)), 'alert')} are open; {key} shows them.", "error", True)
        ]
    found = []
    for alert in now.alerts:
        old = known.get(alert.key)
        if old is None and alert.resolved_s is None and alert.acknowledged_s is None:
            severity: Literal["warning", "error"] = "error" if alert.level == "critical" else "warning"
            found.append(Telling(f"{_LEVELS[alert.level][0]} {alert.message} ({key}: alerts)", severity, True))
        elif old is not None and old.resolved_s is None and alert.resolved_s is not None:
            found.append(Telling(f"✓ Over: {alert.message}", "information", False))
    new_troubles = [sentence for sentence in now.troubles if _stem(sentence) not in map(_stem, before.troubles)]
    return found + [Telling(sentence, "warning", False) for sentence in new_troubles]


def _stem(trouble: str) -> str:
    """A trouble without how many wait, which is no news."""
    return trouble.partition(". ")[0]


def level(alert: Alert) -> Text:
    """How grave it is."""
    glyph, style = _LEVELS[alert.level]
    return Text(f"{glyph} {alert.level}", style if alert.resolved_s is None else "dim")


def state(alert: Alert, now_s: float) -> Text:
    """What has become of it."""
    if alert.resolved_s is not None:
        return Text("✓ over", "green")
    if alert.snoozed_until_s is not None and now_s < alert.snoozed_until_s:
        return Text("z snoozed", "cyan")
    return Text("a acknowledged", "cyan") if alert.acknowledged_s is not None else Text("! OPEN", "bold red")


def detail(alert: Alert, now_s: float) -> str:
    """All there is to say of one."""
    lines = [
        alert.message,
        f"Raised {formats.utc_minute(alert.time_s)} UTC by the rule {alert.rule.replace('_', ' ')}.",
    ]
    if alert.resolved_s is not None:
        lasted = formats.span(max(alert.resolved_s - alert.time_s, 0.0))
        lines.append(f"Over since {formats.utc_minute(alert.resolved_s)} UTC; it lasted {lasted}.")
    if alert.acknowledged_s is not None:
        lines.append(f"Acknowledged {formats.utc_minute(alert.acknowledged_s)} UTC.")
    if alert.resolved_s is None and alert.snoozed_until_s is not None and now_s < alert.snoozed_until_s:
        lines.append(f"Silent until {formats.utc_minute(alert.snoozed_until_s)} UTC.")
    return "\n".join(lines)
