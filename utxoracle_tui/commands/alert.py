"""`utxoracle-tui alert`: whether alerts reach somebody, which there are, and that one is acknowledged."""

from __future__ import annotations

import argparse
import asyncio
import json
import sys

from utxoracle_tui import clock, formats
from utxoracle_tui.alerts.answering import acknowledge, snooze
from utxoracle_tui.alerts.payload import Told
from utxoracle_tui.alerts.reading import RECENT
from utxoracle_tui.alerts.sinks import NotTold, Sink, sinks_of
from utxoracle_tui.commands.alerting import host_name
from utxoracle_tui.commands.node import load_settings
from utxoracle_tui.commands.stored import open_store
from utxoracle_tui.config.settings import Settings
from utxoracle_tui.errors import Exit, OperatorError
from utxoracle_tui.store.records import Alert

_MOST_MINUTES = 10_080


def run(arguments: argparse.Namespace) -> Exit:
    """Do what is asked for. Raises `OperatorError`."""
    if arguments.alert_command == "test":
        return asyncio.run(_test(load_settings(arguments), as_json=arguments.json))
    return _RUN[arguments.alert_command](arguments)


async def _test(settings: Settings, *, as_json: bool) -> Exit:
    """Tell every sink one thing; 1 when somebody could not be told."""
    sinks = sinks_of(settings.alerts)
    if not sinks:
        raise OperatorError(
            "no_sinks",
            "Nobody is told of alerts: set alerts.webhook_url or alerts.command in the configuration, or look at them "
            "in the console.",
            Exit.USAGE,
        )
    now_s = clock.now_s()
    alert = Alert(
        key=f"test.alert.{round(now_s)}",
        time_s=now_s,
        rule="test",
        level="info",
        message="This is a test: alerts of utxoracle-tui reach you.",
    )
    told = Told("test", alert, host_name(), settings.node.network, now_s)
    outcomes = dict(
        zip((sink.name for sink in sinks), await asyncio.gather(*(_try(s, told) for s in sinks)), strict=True)
    )
    if as_json:
        document = {name: {"told": trouble is None, "error": trouble} for name, trouble in outcomes.items()}
        sys.stdout.write(json.dumps({"sinks": document}) + "\n")
    else:
        for name, trouble in outcomes.items():
            sys.stdout.write(f"{name}: {'told' if trouble is None else 'NOT TOLD. ' + trouble}\n")
    return Exit.DONE if all(trouble is None for trouble in outcomes.values()) else Exit.FAILED


async def _try(sink: Sink, told: Told) -> str | None:
    try:
        await sink.tell(told)
    except NotTold as failed:
        return failed.sentence
    return None


def _list(arguments: argparse.Namespace) -> Exit:
    """Open alerts first, then those that are over."""
    alerts = open_store(arguments).alerts.newest(RECENT)
    alerts.sort(key=lambda alert: (alert.resolved_s is not None, -alert.time_s))
    if arguments.json:
        sys.stdout.write(json.dumps({"alerts": [_document(alert) for alert in alerts]}) + "\n")
        return Exit.DONE
    for alert in alerts:
        sys.stdout.write(f"{formats.utc_minute(alert.time_s)}  {_state(alert):<13} {alert.level:<8} {alert.message}\n")
        if alert.resolved_s is None:
            sys.stdout.write(f"    {alert.key}\n")
    if not alerts:
        sys.stdout.write("There was no alert.\n")
    return Exit.DONE


def _acknowledge(arguments: argparse.Namespace) -> Exit:
    return _say(acknowledge(open_store(arguments), arguments.key), arguments.key, "acknowledged")


def _snooze(arguments: argparse.Namespace) -> Exit:
    minutes = arguments.minutes
    if not 0 < minutes <= _MOST_MINUTES:
        message = f"--minutes takes a number above 0, and at most {_MOST_MINUTES:,} (a week), not {minutes:g}."
        raise OperatorError("usage", message, Exit.USAGE)
    found = snooze(open_store(arguments), arguments.key, minutes)
    return _say(found, arguments.key, f"silent for {formats.span(minutes * 60)}")


def _say(found: Alert | None, key: str, what: str) -> Exit:
    if found is None:
        raise OperatorError("no_alert", f"No alert {key} is open; `alert list` names those that are.", Exit.USAGE)
    sys.stdout.write(f"{what}: {found.message}\n")
    return Exit.DONE


def _state(alert: Alert) -> str:
    if alert.resolved_s is not None:
        return "over"
    if alert.snoozed_until_s is not None and alert.snoozed_until_s > clock.now_s():
        return "snoozed"
    return "acknowledged" if alert.acknowledged_s is not None else "OPEN"


def _document(alert: Alert) -> dict[str, object]:
    return {
        "key": alert.key,
        "rule": alert.rule,
        "level": alert.level,
        "message": alert.message,
        "values": alert.values,
        "raised": formats.utc_iso(alert.time_s),
        **{
            name: None if moment is None else formats.utc_iso(moment)
            for name, moment in (
                ("resolved", alert.resolved_s),
                ("acknowledged", alert.acknowledged_s),
                ("snoozed_until", alert.snoozed_until_s),
            )
        },
    }


_RUN = {"list": _list, "ack": _acknowledge, "snooze": _snooze}
