"""What there is to see of alerts, and which of them want somebody."""

from __future__ import annotations

from dataclasses import dataclass

from utxoracle_tui.store.records import Alert

RECENT = 200
"""Alerts that are looked at and shown, the newest; those that are open are among them unless there are more."""


@dataclass(frozen=True, slots=True)
class AlertsReading:
    """All that is to be seen of alerts."""

    alerts: tuple[Alert, ...] = ()
    """The newest first."""
    troubles: tuple[str, ...] = ()
    """Why somebody was not told yet, as sentences."""

    @property
    def open(self) -> tuple[Alert, ...]:
        """Those that are not over."""
        return tuple(alert for alert in self.alerts if alert.resolved_s is None)

    def wanting(self, now_s: float) -> tuple[Alert, ...]:
        """Those that nobody has acknowledged yet."""
        return tuple(alert for alert in self.alerts if waits_for_attention(alert, now_s))


def waits_for_attention(alert: Alert, now_s: float) -> bool:
    """Whether an alert is open, and nobody has said that he knows."""
    is_snoozed = alert.snoozed_until_s is not None and now_s < alert.snoozed_until_s
    return alert.resolved_s is None and alert.acknowledged_s is None and not is_snoozed
