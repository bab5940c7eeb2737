"""That a `watch` runs on the same store is said where the jobs are."""

from __future__ import annotations

from dataclasses import replace
from unittest.mock import patch

import pytest
from textual.widgets import Static

from tests.ui.test_dashboard_pictures import STORED, StillRounds
from tests.ui.test_windows_pictures import console
from utxoracle_tui import clock
from utxoracle_tui.engine.watch.presence import WatchSeen

SINCE_S = 1_736_294_400.0
NOW_S = SINCE_S + 3600


@pytest.mark.parametrize(
    ("watch", "said"),
    [
        (None, ""),
        (
            WatchSeen(True, 4711, SINCE_S, NOW_S - 5),
            "watch (process 4711) runs since 2025-01-08 00:00 UTC: "
            "it works on these jobs as well, and goes on when you quit.",
        ),
        (
            WatchSeen(True, 4711, SINCE_S, NOW_S - 90),
            "▲ watch (process 4711) runs but has not been heard of for over a minute.",
        ),
        (
            WatchSeen(False, 4711, SINCE_S, NOW_S - 900),
            "▲ watch (process 4711) was ended the hard way: this console works on the jobs alone.",
        ),
    ],
)
async def test_what_is_known_of_a_watch(watch: WatchSeen | None, said: str) -> None:
    app = console(None)
    app.parts = replace(app.parts, live=StillRounds(replace(STORED, watch=watch)))
    app._store_bridge._live = app.parts.live
    with patch.object(clock, "now_s", lambda: NOW_S):
        async with app.run_test(size=(120, 40)) as pilot:
            await pilot.press("4")
            await pilot.pause(0.2)
            line = app.screen.query_one("#watch", Static)
            assert (str(line.content) if line.display else "") == said
