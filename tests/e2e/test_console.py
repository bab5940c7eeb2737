"""The console as a newcomer meets it: the README's first command on a terminal, keys, and the way out."""

from __future__ import annotations

import base64
import csv
import os
import re
import shlex
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.shown_terminal import ShownTerminal, shown_terminal
from utxoracle_tui import clock

README = Path(__file__).parents[2] / "README.md"
SETTING_UP = "uv run --quiet --locked "
PAID_USD = 65_000.0
"""What the people on the simulated chain take a bitcoin for, within a quarter of a per cent of noise."""
BEGIN_S = 1_795_495_320
"""When the newest block is some minutes old: with one that is older than ten there is no exchange price to compare."""
NAMES = {"2": "Evidence", "3": "Backfill", "4": "Cancel", "5": "Level", "1": "Basis"}
"""Of each screen, a word that stands on no other one."""


def first_command() -> list[str]:
    """The README's first command; what it does to set itself up was done for these tests."""
    block = re.search(r"^```sh\n(.*?)\n```", README.read_text(), re.MULTILINE | re.DOTALL)
    assert block is not None
    set_up, name, arguments = block[1].partition(SETTING_UP + "utxoracle-tui")
    assert name and "&&" in set_up
    return [str(Path(sys.executable).with_name("utxoracle-tui")), *shlex.split(arguments)]


@pytest.fixture
def terminal(tmp_path: Path) -> Iterator[ShownTerminal]:
    environment = {
        "HOME": str(tmp_path),
        "PATH": os.environ["PATH"],
        "TERM": "xterm-256color",
        "COLORTERM": "truecolor",
        "LANG": "C.UTF-8",
        clock.ENVIRONMENT_NAME: f"{BEGIN_S}@1",
    }
    with shown_terminal(first_command(), environment) as shown:
        yield shown


def dollars(text: str) -> float:
    return float(text.replace(",", ""))


def test_from_the_first_command_to_the_way_out(terminal: ShownTerminal) -> None:
    terminal.until(r"the last 144 blocks before the tip: done in", 120)
    assert "DEMO" in terminal.lines[0]

    for key, word in NAMES.items():
        terminal.press(key)
        terminal.until(word)
        others = [other for other in NAMES.values() if other != word]
        assert [other for other in others if other in terminal.lines[-1]] == []

    terminal.press("w")
    found = terminal.until(r"Price of blocks [\d,]+–([\d,]+) .*\n +\$([\d,.]+) per BTC   ■ valid")
    assert dollars(found[2]) == pytest.approx(PAID_USD, rel=0.01)
    terminal.until(r"━ price \$" + re.escape(found[2]))
    terminal.press("y")
    found = terminal.until(r"Price of (\d{4}-\d\d-\d\d) UTC, blocks .*\n +\$([\d,.]+) per BTC   ■ valid")
    assert dollars(found[2]) == pytest.approx(PAID_USD, rel=0.01)
    # until then, the key stops the pricing of the blocks instead
    terminal.until("▪ block price")
    terminal.press("\x1b")
    terminal.until(NAMES["1"])

    terminal.press("W")
    terminal.until(r"(?m)^7 days · .* · (\S+ \S+) – (\S+ \S+) UTC")
    terminal.press("+")
    shown = terminal.until(r"(?m)^3\.5 days · .* · (\S+ \S+) – (\S+ \S+) UTC")

    terminal.press("e")
    terminal.until(r"Export what is shown\?")
    terminal.press("c")
    terminal.until(r"the path is on the clipboard")
    copied = re.findall(r"\x1b\]52;c;([^\x07\x1b]*)", terminal.talk.seen)
    lines = Path(base64.b64decode(copied[-1]).decode()).read_text().splitlines()
    head = dict(line[2:].split(": ", 1) for line in lines if line.startswith("#"))
    assert (head["label"], head["from"], head["to"]) == ("DEMO", shown[1], shown[2])
    rows = list(csv.DictReader(line for line in lines if not line.startswith("#")))
    assert int(head["first_height"]) <= int(rows[0]["height"]) <= int(head["last_height"])
    for row in rows:
        assert float(row["block_usd"]) == pytest.approx(PAID_USD, rel=0.02)
        apart_pct = (float(row["block_usd"]) / float(row["exchange_usd"]) - 1) * 100
        assert float(row["divergence_block_pct"]) == pytest.approx(apart_pct, abs=0.001)

    terminal.press("q")
    assert terminal.talk.finish() == 0
    assert b"\x1b[?1049l" in terminal.talk.raw
    assert "Traceback" not in terminal.talk.seen
