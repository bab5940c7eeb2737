"""The log screen: following and standing still, filters, one line whole, the window that a line speaks of."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import date

import pytest
from textual.pilot import Pilot
from textual.widgets import Input, Label, Static

from tests.ui.logs import WrittenLogs, console_of, line, numbered
from tests.ui.seen import seen
from utxoracle_tui.engine.logs.line import Level, Origin
from utxoracle_tui.engine.request import Day
from utxoracle_tui.ui import node_console
from utxoracle_tui.ui.node_console import NodeConsole
from utxoracle_tui.ui.screens.ask import Ask
from utxoracle_tui.ui.screens.log_line import LogLineDetail
from utxoracle_tui.ui.screens.opened_window import OpenedWindow
from utxoracle_tui.ui.widgets.log_lines import LogLines

LOOKS = 500


@asynccontextmanager
async def log_screen(
    logs: WrittenLogs, size: tuple[int, int] = (80, 24), log_trouble: Callable[[], str | None] = lambda: None
) -> AsyncIterator[Pilot[None]]:
    async with console_of(logs, log_trouble).run_test(size=size) as pilot:
        await pilot.press("5")
        await until(pilot, lambda: bool(lines_of(pilot)))
        yield pilot


def lines_of(pilot: Pilot[None]) -> LogLines | None:
    return next(iter(pilot.app.screen.query(LogLines)), None)


def rows(pilot: Pilot[None]) -> list[str]:
    lines = pilot.app.screen.query_one(LogLines)
    return [lines.render_line(y).text.rstrip() for y in range(lines.size.height)]


def said(pilot: Pilot[None], place: str) -> str:
    return str(pilot.app.screen.query_one(place, Static).content)


async def until(pilot: Pilot[None], holds: Callable[[], bool]) -> None:
    for _ in range(LOOKS):
        if holds():
            return
        await pilot.pause(0.02)
    raise AssertionError(rows(pilot))


async def test_following_and_standing_still() -> None:
    logs = WrittenLogs()
    logs.write(numbered(logs, 0, 100))
    async with log_screen(logs) as pilot:
        await until(pilot, lambda: rows(pilot)[-1] == "02:01:39  own     info  line 99")
        assert "● following" in said(pilot, "#where")
        logs.write(numbered(logs, 100, 5))
        await until(pilot, lambda: rows(pilot)[-1].endswith("line 104"))
        assert said(pilot, "#pill") == ""
        # who goes up reads
        await pilot.press("up", "up")
        before = rows(pilot)
        assert "‖ stopped · line 103 of 105" in said(pilot, "#where")
        drawn: list[object] = []
        lines = pilot.app.screen.query_one(LogLines)
        lines.refresh = lambda *arguments, **_: drawn.append(arguments)  # type: ignore[method-assign, assignment]
        logs.write(numbered(logs, 105, 1_234))
        await until(pilot, lambda: said(pilot, "#pill") == " +1,234 new · f follows ")
        # late lines of long ago, too, move nothing
        logs.write([replace(found, at_s=found.at_s - 10_000) for found in numbered(logs, 0, 60)])
        await until(pilot, lambda: said(pilot, "#pill") == " +1,294 new · f follows ")
        assert rows(pilot) == before
        assert drawn == []
        del lines.refresh  # type: ignore[attr-defined]
        await pilot.press("f")
        await until(pilot, lambda: rows(pilot)[-1].endswith("line 1338"))
        assert said(pilot, "#pill") == ""
        await pilot.press("home")
        assert rows(pilot)[0].endswith("line 0")
        await pilot.press("pagedown")
        assert f"line {lines.size.height} of" in said(pilot, "#where")
        await pilot.press("end")
        assert "● following" in said(pilot, "#where")
        # down from the last line follows as well
        await pilot.press("up", "down")
        assert "‖ stopped" in said(pilot, "#where")
        await pilot.press("down")
        assert "● following" in said(pilot, "#where")


async def test_filters_levels_and_sources() -> None:
    logs = WrittenLogs({Origin.BACKEND: "Docker may not be asked."})
    logs.write(numbered(logs, 0, 30))
    logs.write([line(logs, "a warning", after_s=100, origin=Origin.ELECTRS, level=Level.WARNING)])
    logs.write([line(logs, "an error", after_s=101, origin=Origin.NODE, level=Level.ERROR)])
    async with log_screen(logs) as pilot:
        await until(pilot, lambda: rows(pilot)[-1].endswith("error an error"))
        assert said(pilot, "#troubles") == "✗ backend: Docker may not be asked."
        await pilot.press("slash")
        await until(pilot, lambda: isinstance(pilot.app.screen, Ask))
        pilot.app.screen.query_one(Input).value = "line [12]$("
        await pilot.press("enter")
        note = str(pilot.app.screen.query_one("#ask-note", Label).render())
        assert note.startswith("✗ That is no regular expression: missing )")
        pilot.app.screen.query_one(Input).value = "LINE|line [12]$"
        await pilot.press("enter")
        await until(pilot, lambda: [row for row in rows_if(pilot) if row][-1:] == ["02:00:02  own     info  line 2"])
        assert [row[-6:] for row in rows(pilot) if row] == ["line 1", "line 2"]
        assert "only /LINE|line [12]$/" in said(pilot, "#filters")
        logs.write([line(logs, "not wanted", after_s=200), line(logs, "line 1", after_s=201)])
        await until(pilot, lambda: len([row for row in rows(pilot) if row]) == 3)
        await pilot.press("escape")
        await until(pilot, lambda: "not wanted" in rows(pilot)[-2])
        await pilot.press("l", "l")
        await until(pilot, lambda: len([row for row in rows(pilot) if row]) == 2)
        assert "warn and above" in said(pilot, "#filters")
        await pilot.press("l", "l")
        await until(pilot, lambda: rows(pilot)[-1].endswith("line 1"))
        await pilot.press("s", "down", "o", "escape")
        await until(pilot, lambda: [row for row in rows_if(pilot) if row] == ["02:01:41  node    error an error"])


def rows_if(pilot: Pilot[None]) -> list[str]:
    """The rows, or none while a dialog is there."""
    return rows(pilot) if lines_of(pilot) is not None else []


async def test_a_line_whole_and_its_window(monkeypatch: pytest.MonkeyPatch) -> None:
    logs = WrittenLogs()
    long = "a window failed " + "x" * 300 + "\nTraceback (most recent call last):\n  File here"
    logs.write([*numbered(logs, 0, 2), line(logs, long, after_s=9, window=Day(date(2026, 11, 20)), dated=False)])
    asked: list[object] = []
    monkeypatch.setattr(OpenedWindow, "begin", lambda self: asked.append(self._first))
    copied: list[str] = []
    monkeypatch.setattr(NodeConsole, "copy_to_clipboard", lambda _, text: copied.append(text))
    async with log_screen(logs) as pilot:
        await until(pilot, lambda: "…" in rows(pilot)[2])
        assert rows(pilot)[2].startswith("02:00:09~ own     info  a window failed xxx")
        await pilot.press("z")
        shown = [row for row in rows(pilot) if row]
        assert "".join(shown[2:]).count("x") == 300
        assert shown[-1].endswith("  File here")
        await pilot.press("z", "enter")
        await until(pilot, lambda: isinstance(pilot.app.screen, LogLineDetail))
        assert str(pilot.app.screen.query_one(Static).content).startswith(
            "2026-11-23 02:00:09.000 UTC (of a line before"
        )
        await pilot.press("c")
        assert copied[0].endswith(long)
        await pilot.press("w")
        await until(pilot, lambda: isinstance(pilot.app.screen, OpenedWindow))
        assert asked == [Day(date(2026, 11, 20))]
        await pilot.press("escape")
        await until(pilot, lambda: lines_of(pilot) is not None)
        await pilot.press("up", "w")
        assert len(asked) == 1
        assert "names no day" in str([found.message for found in pilot.app._notifications])
        await pilot.press("down", "w")
        await until(pilot, lambda: len(asked) == 2)


async def test_lines_that_came_while_another_screen_was_open(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(node_console, "_LOG_TROUBLE_EVERY_S", 0.05)
    logs = WrittenLogs()
    logs.write(numbered(logs, 0, 3))
    trouble = "The log /x can't be written: no space left on device."
    async with log_screen(logs, (120, 40), lambda: trouble) as pilot:
        await until(pilot, lambda: rows(pilot)[2].endswith("line 2"))
        assert rows(pilot)[0].startswith("11-23 02:00:00  own")
        await pilot.press("4")
        logs.write(numbered(logs, 3, 25_000))
        await pilot.pause(0.1)
        await pilot.press("5")
        await until(pilot, lambda: rows(pilot)[-1].endswith("line 25002"))
        # as many of one log as are kept
        assert "4,000 lines" in said(pilot, "#where")
        # what can't be written down was told of, once
        assert [found.message for found in pilot.app._notifications] == [trouble]


async def test_the_filter_is_whole_where_the_sources_are_not() -> None:
    logs = WrittenLogs()
    logs.write([line(logs, f"block {n}", after_s=n, origin=origin) for n, origin in enumerate(Origin)])
    async with log_screen(logs) as pilot:
        await pilot.press("slash", *"compaction|block", "enter")
        await until(pilot, lambda: "compaction" in said(pilot, "#filters"))
        await pilot.resize_terminal(60, 24)
        await pilot.pause()
        shown = next(row for row in seen(pilot).splitlines() if "only /" in row)
        assert "only /compaction|block/ (esc: all)" in shown
        assert shown.endswith("…")


async def test_a_log_that_is_not_there_is_not_called_shown() -> None:
    logs = WrittenLogs()
    logs.write([line(logs, "a line", after_s=1)])
    async with log_screen(logs) as pilot:
        await pilot.press("s")
        await until(pilot, lambda: "no log found" in seen(pilot))
        of_node = next(row for row in seen(pilot).splitlines() if "no log found" in row)
        assert "– none" in of_node
        assert "shown" not in of_node
