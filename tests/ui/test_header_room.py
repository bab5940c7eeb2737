"""What gives way in the header and in the panel of the stack where there is little room, and what never does."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.support import stack_looks as made
from tests.support.electrs_sync import Sync
from tests.ui.test_dashboard_pictures import NOW_S, Shown, _still_clock, console  # noqa: F401  (a fixture)
from utxoracle_tui.alerts.reading import AlertsReading
from utxoracle_tui.engine.electrs.evidence import Node, NodeTrouble
from utxoracle_tui.engine.electrs.machine import step
from utxoracle_tui.engine.electrs.phases import Phase
from utxoracle_tui.engine.electrs.state import State
from utxoracle_tui.engine.stack.reading import Standing
from utxoracle_tui.store.records import Alert
from utxoracle_tui.ui import electrs_words, stack_words
from utxoracle_tui.ui.node_console import NodeConsole

LABELLED = " utxoracle-tui · DEMO · 127.0.0.1:41233"


async def top(size: tuple[int, int], alerts: tuple[Alert, ...]) -> str:
    parts = replace(console(Shown()).parts, heading=LABELLED)
    app = NodeConsole(parts)
    async with app.run_test(size=size) as pilot:
        app.alerts = AlertsReading(alerts)
        app.alerts_signal.publish(app.alerts)
        await pilot.pause()
        return "".join(segment.text for segment in app.screen._compositor.render_strips()[0])


@pytest.mark.parametrize("number", [0, 1, 3])
async def test_the_label_is_never_cut_off(number: int) -> None:
    alerts = tuple(
        Alert(key=str(n), time_s=NOW_S - 60, rule="divergence", level="critical", message="far apart")
        for n in range(number)
    )
    line = await top((80, 24), alerts)
    assert " DEMO " in line
    assert (f"{number} alert" in line) is bool(number)
    assert "utxoracle-tui · DEMO · 127.0.0.1:41233" in await top((120, 40), alerts)


def test_electrs_without_its_node_says_one_thing_everywhere() -> None:
    state = State()
    for evidence, _, _ in Sync(step_s=600, noise=0.2).course():
        state = step(state, evidence)
        last = evidence
    assert state.phase is Phase.READY
    later_s = last.at_s + 5
    state = step(state, replace(last, at_s=later_s, node=Node(later_s, trouble=NodeTrouble.DOWN)))
    source = made.reading(electrs=made.heard(state)).electrs
    panel = electrs_words.electrs(source, 114, evidence=False)
    assert panel is not None
    assert (source.word, source.standing) == ("cut off", Standing.WAITS)
    assert "is ready" not in panel.plain
    assert "Nothing to do" not in panel.plain
    assert "answers from what it has indexed, and follows no new blocks." in panel.plain


def test_the_panel_of_the_stack_says_all_where_there_is_room() -> None:
    reading = made.reading()
    cut = stack_words.sources(reading, 78, 6).plain
    whole = stack_words.sources(reading, 78, 30).plain
    assert "…" in cut
    assert "…" not in whole
    for source in reading.all:
        assert " ".join(source.sentence.partition(". ")[0].split()) in " ".join(whole.split())
