"""The console opened while the node is down or lets nobody in, as people do who want to see what is wrong."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from tests.support import price_story as story
from tests.support.demo_node import demo_node
from tests.support.records import block_window
from tests.support.shown_terminal import ShownTerminal, shown_terminal
from utxoracle_tui import clock
from utxoracle_tui.demo.host.options import HostOptions
from utxoracle_tui.store.records import Job
from utxoracle_tui.store.store import Store

NOBODY = "http://127.0.0.1:9"
"""The port for what is thrown away: nothing answers."""


@contextmanager
def console(folder: Path, **environment: str) -> Iterator[ShownTerminal]:
    command = [str(Path(sys.executable).with_name("utxoracle-tui")), "--data-dir", str(folder / "data")]
    known = {
        "HOME": str(folder),
        "PATH": os.environ["PATH"],
        "TERM": "xterm-256color",
        "LANG": "C.UTF-8",
        "MEMPOOL_API_URL": NOBODY,
        clock.ENVIRONMENT_NAME: f"{story.NOW_S}@1",
    }
    with shown_terminal(command, known | environment) as shown:
        yield shown


def fill(store: Store) -> None:
    """Two days of blocks and rounds, a window and a job."""
    window = block_window(story.FIRST_HEIGHT + 286, story.NOW_S - 700, price_usd=94_321.0)
    store.windows.put([window, replace(window, kind="day", date=datetime.fromtimestamp(story.NOW_S - 1e5, UTC).date())])
    job = Job(key="j1", time_s=story.NOW_S - 5e4, kind="backfill", work="days 2025-01-01..2025-01-02", items=0)
    store.jobs.add(replace(job, state="done", ended_s=story.NOW_S - 4e4), [])


def test_what_is_stored_is_shown_while_the_node_is_down(tmp_path: Path) -> None:
    fill(story.normal(tmp_path / "data"))
    newest = story.blocks_of(2)[-1]
    with console(tmp_path, BITCOIN_RPC_URL=NOBODY) as terminal:
        terminal.until("Shown is what is stored of main: the node has not named its chain")
        terminal.until(rf"(?m)^▶ .* {newest.last_height} .*■ valid")
        terminal.until(r"block, 14\d figures")
        assert "no figures yet" not in terminal.text
        terminal.until(r"(?m)^last .* block \$")
        terminal.press("3")
        terminal.until(r"days: 1 of 1")
        terminal.until(r"\$94,321.00")
        assert "Nothing is stored yet" not in terminal.text
        terminal.press("4")
        terminal.until("Backfill of .* ✓ done")


def test_without_a_store_the_screens_say_when_it_is_opened(tmp_path: Path) -> None:
    opens = "The store is opened as soon as the node says which chain it is on."
    with console(tmp_path, BITCOIN_RPC_URL=NOBODY) as terminal:
        terminal.until(opens)
        # in the header, on the chart and in the table
        terminal.until(rf"(?s)({opens}.*){{3}}")
        for key in "34":
            terminal.press(key)
            terminal.until(rf"(?s)({opens}.*){{2}}")
        assert "Reading the store" not in terminal.text


def test_stores_of_two_networks_are_not_guessed_at(tmp_path: Path) -> None:
    fill(story.normal(tmp_path / "data"))
    Store(tmp_path / "data", "regtest").observations.insert(story.round_of(story.blocks_of(2)[-1], 1))
    with console(tmp_path, BITCOIN_RPC_URL=NOBODY) as terminal:
        terminal.until("The store is opened as soon as the node says which chain it is on")
        assert "$9" not in terminal.text


async def test_a_wrong_password_keeps_nothing_stored_from_view_and_the_node_decides_in_the_end(tmp_path: Path) -> None:
    fill(story.normal(tmp_path / "data"))
    async with demo_node(HostOptions(days=1, tx_per_block=4, speed=0)) as node:
        wrong = {"BITCOIN_RPC_URL": node.url, "BITCOIN_RPC_USER": "me", "BITCOIN_RPC_PASSWORD": "wrong"}
        with console(tmp_path, **wrong) as terminal:
            await shows(terminal, "Shown is what is stored of main: the node has not named its chain")
            await shows(terminal, rf"(?m)^▶ .* {story.FIRST_HEIGHT + 287} .*■ valid")
        # the same folder, and a node that turns out to be on another chain
        right = dict(zip(("BITCOIN_RPC_USER", "BITCOIN_RPC_PASSWORD"), node.cookie, strict=True))
        with console(tmp_path, BITCOIN_RPC_URL=node.url, **right) as terminal:
            await shows(terminal, "● up regtest")
            await shows(terminal, "No price is stored from")
            assert str(story.FIRST_HEIGHT)[:4] not in terminal.text


async def shows(terminal: ShownTerminal, pattern: str) -> None:
    """Wait in a thread: the node answers in this one."""
    await asyncio.to_thread(terminal.until, pattern)
