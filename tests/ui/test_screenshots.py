"""The pictures that the README shows are those of the program as it is."""

from __future__ import annotations

import asyncio
import re
import subprocess
import sys
from collections import defaultdict
from pathlib import Path
from xml.etree import ElementTree

import pytest

from tests.ui.test_dashboard_pictures import UP, Shown
from tests.ui.test_dashboard_pictures import console as dashboard
from utxoracle_tui.ui.widgets.key_line import KeyLine

ROOT = Path(__file__).parents[2]
SCREENS = {"dashboard": "1", "stack": "2", "windows": "3"}
"""The key of each screen that has a picture."""
NAMES = {*SCREENS, "window"}
_TEXT = "{http://www.w3.org/2000/svg}text"
_OTHER_EACH_TIME = (
    (re.compile(r"127\.0\.0\.1:\d+"), "PORT"),
    (re.compile(r"(< )?\d+(\.\d)? m?s\b(?! ago)"), "SPAN"),
)


def lines_of(picture: Path) -> list[str]:
    """What stands on the screen of a picture, but for what is another each time."""
    rows: dict[float, list[tuple[float, str]]] = defaultdict(list)
    for text in ElementTree.parse(picture).iter(_TEXT):
        if text.get("clip-path"):
            rows[float(text.attrib["y"])].append((float(text.attrib["x"]), (text.text or "").replace("\xa0", " ")))
    lines = ["".join(words for _, words in sorted(row)) for _, row in sorted(rows.items())]
    for pattern, word in _OTHER_EACH_TIME:
        # what comes after a longer port or span has less room
        lines = [re.sub(r"\s+", " ", pattern.sub(word, line)).strip() for line in lines]
    return lines


async def test_their_keys_are_those_of_the_screens() -> None:
    app = dashboard(Shown(node=UP))
    async with app.run_test(size=(120, 40)) as pilot:
        for name, key in SCREENS.items():
            await pilot.press(key)
            shown = lines_of(ROOT / "screenshots" / f"{name}.svg")[-1]
            for _ in range(400):
                words = " ".join(str(app.screen.query_one(KeyLine).render()).split())
                if words == shown:
                    break
                await asyncio.sleep(0.01)
            assert words == shown, "make them anew with `python -m tests.screenshots`"


def test_the_readme_shows_them() -> None:
    shown = set(re.findall(r"screenshots/(\w+)\.svg", (ROOT / "README.md").read_text()))
    assert shown <= NAMES
    assert {path.stem for path in (ROOT / "screenshots").glob("*.svg")} == NAMES


@pytest.mark.soak
def test_they_are_the_same_when_they_are_made_anew(tmp_path: Path) -> None:
    subprocess.run([sys.executable, "-m", "tests.screenshots", str(tmp_path)], cwd=ROOT, check=True, timeout=280)
    for name in sorted(NAMES):
        assert lines_of(tmp_path / f"{name}.svg") == lines_of(ROOT / "screenshots" / f"{name}.svg"), name
