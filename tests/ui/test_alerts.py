"""Alerts on the screen: counted at the top, told when they come and go, listed and answered by keys."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from textual.pilot import Pilot
from textual.widgets import Static

from tests.ui.test_dashboard_pictures import UP, Shown
from tests.ui.test_dashboard_pictures import console as dashboard
from utxoracle_tui import clock
from utxoracle_tui.alerts.reading import AlertsReading
from utxoracle_tui.config.settings import Screen
from utxoracle_tui.store.records import Alert
from utxoracle_tui.ui.messages import AlertsRead
from utxoracle_tui.ui.node_console import NodeConsole
from utxoracle_tui.ui.screens.alerts import AlertsScreen
from utxoracle_tui.ui.widgets.header import Header
from utxoracle_tui.ui.widgets.rows_view import RowsView

TIME_S = 1_795_435_200.0
DOWN = Alert(
    key="source.node.1795435200",
    time_s=TIME_S,
    rule="source",
    level="critical",
    message="Bitcoin Core is down. It refuses the connection.",
)
APART = Alert(
    key="divergence.block.1795435100",
    time_s=TIME_S - 100,
    rule="divergence",
    level="warning",
    message="The price on the chain is 6.10 % above the exchange's (basis block, limit 5 %).",
)


class Answering:
    """In place of what raises alerts: says what it is told to, and takes answers."""

    def __init__(self) -> None:
        self.alerts: tuple[Alert, ...] = (DOWN, APART)
        self.on_change: Callable[[AlertsReading], None] = lambda _: None

    def on_store(self, reading: object) -> None: ...
    def on_stack(self, reading: object) -> None: ...
    def on_jobs(self, reading: object) -> None: ...

    async def run(self, on_change: Callable[[AlertsReading], None]) -> None:
        self.on_change = on_change
        self.say()
        await asyncio.Event().wait()

    def say(self, *troubles: str) -> None:
        self.on_change(AlertsReading(self.alerts, troubles))

    async def acknowledge(self, key: str) -> None:
        self._change(key, acknowledged_s=TIME_S + 60)

    async def snooze(self, key: str, minutes: float) -> None:
        self._change(key, snoozed_until_s=clock.now_s() + minutes * 60)

    def _change(self, key: str, **changes: float) -> None:
        self.alerts = tuple(replace(a, **changes) if a.key == key else a for a in self.alerts)  # type: ignore[arg-type]
        self.say()


def console(alerts: Answering, **look: Any) -> NodeConsole:  # noqa: ANN401
    parts = replace(dashboard(Shown(node=UP)).parts, alerts=lambda: alerts)  # type: ignore[arg-type,return-value]
    return NodeConsole(parts, Screen(**look))


async def until(pilot: Pilot[None], holds: Callable[[], bool]) -> None:
    for _ in range(400):
        await pilot.pause()
        if holds():
            return
    pytest.fail("it never came")


def heading(app: NodeConsole) -> str:
    return str(app.screen.query_one(Header).query_one("#heading").render())


def toasts(app: NodeConsole) -> list[str]:
    return [notification.message for notification in app._notifications]


def table(pilot: Pilot[None]) -> str:
    rows = pilot.app.screen.query_one(RowsView)
    return "\n".join(strip.text for strip in rows.render_lines(rows.region.reset_offset))


@pytest.mark.parametrize("size", [(80, 24), (120, 40)])
async def test_from_a_toast_to_an_answer(size: tuple[int, int]) -> None:
    alerts = Answering()
    app = console(alerts)
    async with app.run_test(size=size) as pilot:
        await until(pilot, lambda: " ! 2 alerts " in heading(app))
        assert toasts(app) == ["2 alerts are open; ! shows them."]
        await pilot.press("exclamation_mark")
        await until(pilot, lambda: isinstance(app.screen, AlertsScreen) and "Bitcoin Core is down." in table(pilot))
        assert app.screen.query("Vertical").first().border_title == "2 open alerts, 2 to acknowledge"
        first, second = table(pilot).splitlines()[1:3]
        assert "! OPEN" in first
        assert "✗ critical" in first
        assert "▲ warning" in second
        await pilot.press("a")
        await until(pilot, lambda: "a acknowledged" in table(pilot))
        assert "Acknowledged 2026-11-23 12:01 UTC." in str(app.screen.query_one("#detail", Static).render())
        await pilot.press("down", "z")
        await until(pilot, lambda: "z snoozed" in table(pilot))
        assert app.screen.query("Vertical").first().border_title == "2 open alerts, 0 to acknowledge"
        # who tells of what is over
        alerts.alerts = (replace(DOWN, resolved_s=TIME_S + 600), APART)
        alerts.say("The webhook at hooks.example answers 500. 2 to be told of wait, and nothing is lost.")
        await until(pilot, lambda: "✓ over" in table(pilot))
        assert "✓ Over: Bitcoin Core is down. It refuses the connection." in toasts(app)
        assert "answers 500" in str(app.screen.query_one("#troubles", Static).render())
        await pilot.press("escape")
        await until(pilot, lambda: not isinstance(app.screen, AlertsScreen) and " ! 1 alert " in heading(app))


async def test_what_is_cut_looks_it() -> None:
    alerts = Answering()
    long = "Bitcoin Core is down. " + "It refuses the connection. " * 5
    alerts.alerts = (replace(DOWN, message=long), replace(APART, message="Short."))
    async with console(alerts).run_test(size=(80, 24)) as pilot:
        await pilot.press("exclamation_mark")
        await until(pilot, lambda: isinstance(pilot.app.screen, AlertsScreen) and "Bitcoin Core" in table(pilot))
        cut = next(row for row in table(pilot).splitlines() if "Bitcoin Core" in row)
        assert cut.rstrip().endswith("…")
        whole = next(row for row in table(pilot).splitlines() if "Short." in row)
        assert whole.rstrip().endswith("Short.")


async def test_who_only_looks_cannot_answer() -> None:
    alerts = Answering()
    app = console(alerts, read_only=True)
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: " ! 2 alerts  READ ONLY" in heading(app))
        await pilot.press("exclamation_mark")
        await until(pilot, lambda: isinstance(app.screen, AlertsScreen) and "! OPEN" in table(pilot))
        await pilot.press("a", "z")
        await pilot.pause()
        assert alerts.alerts == (DOWN, APART)


async def test_a_new_one_is_told_by_itself() -> None:
    alerts = Answering()
    alerts.alerts = (APART,)
    app = console(alerts)
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: " ! 1 alert " in heading(app))
        app.post_message(AlertsRead(AlertsReading((DOWN, APART))))
        await until(pilot, lambda: " ! 2 alerts " in heading(app))
        assert "✗ Bitcoin Core is down. It refuses the connection. (!: alerts)" in toasts(app)
