"""Pictures of the log screen at the sizes that terminals have."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import date

import pytest
from textual.pilot import Pilot

from tests.ui.logs import WrittenLogs, console_of, line
from tests.ui.test_dashboard_pictures import NOW_S
from tests.ui.test_window_detail_pictures import SIZES, SMALL, SnapCompare
from utxoracle_tui import clock
from utxoracle_tui.engine.logs.line import Level, Origin
from utxoracle_tui.engine.request import Day, Heights
from utxoracle_tui.ui.widgets.log_lines import LogLines

TRACE = "watching disks failed (engine.stack.stack)\nTraceback (most recent call last):\n  File …\nOSError: gone"


@pytest.fixture(autouse=True)
def _still_clock(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clock, "now_s", lambda: NOW_S)


def pressed(*keys: str) -> Callable[[Pilot[None]], Awaitable[None]]:
    """Press keys, each when the one before it has had its effect."""

    async def run(pilot: Pilot[None]) -> None:
        pilot.app.animation_level = "none"
        for key in keys:
            await pilot.press(key)
            while not any(lines.line is not None for lines in pilot.app.screen.query(LogLines)):
                await pilot.pause(0.01)
        # until nothing is left to be laid out anew
        for _ in range(3):
            await pilot.pause()

    return run


def a_busy_hour(troubles: dict[Origin, str] | None = None) -> WrittenLogs:
    logs = WrittenLogs(troubles)
    texts = [
        (Origin.OWN, Level.INFO, "console begins, utxoracle-tui 0.1.0 (own_log.keeping)", None),
        (Origin.ELECTRS, Level.DEBUG, "Tx indexing is up to height=850000", Heights(849_857, 850_000)),
        (Origin.BACKEND, Level.WARNING, "esplora request failed: connect ECONNREFUSED 127.0.0.1:3000", None),
        (Origin.DATABASE, Level.INFO, "InnoDB: Buffer pool(s) load completed at 261123  2:00:03", None),
        (Origin.NODE, Level.INFO, "UpdateTip: new best=0000abc height=975123 version=0x2 tx=1000000001", None),
        (
            Origin.OWN,
            Level.WARNING,
            "day 2026-11-20 of job 7 failed: a block is damaged (store.jobs)",
            Day(date(2026, 11, 20)),
        ),
        (Origin.OWN, Level.ERROR, TRACE, None),
        (Origin.ELECTRS, Level.INFO, f"Config {{ {'db_path: /data/, ' * 40}}}", None),
    ]
    lines = []
    for number in range(60):
        origin, level, text, window = texts[number % len(texts)]
        found = line(logs, text, after_s=number * 7, origin=origin, level=level, window=window, dated=number % 8 != 1)
        lines.append(found)
    logs.write(lines)
    return logs


@pytest.mark.parametrize("size", SIZES)
def test_following(snap_compare: SnapCompare, size: tuple[int, int]) -> None:
    logs = a_busy_hour({Origin.BACKEND: "Docker at /var/run/docker.sock may not be asked: permission denied."})
    assert snap_compare(console_of(logs), terminal_size=size, run_before=pressed("5"))


def test_stopped_and_wrapped(snap_compare: SnapCompare) -> None:
    assert snap_compare(console_of(a_busy_hour()), terminal_size=SMALL, run_before=pressed("5", "k", "k", "k", "z"))
