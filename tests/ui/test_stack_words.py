"""The words of the Stack screen: nothing cut off, nothing that moves about, in every width."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.support import stack_looks as made
from tests.support.electrs_story import NOON_S, Story, metrics
from tests.support.electrs_sync import Sync
from utxoracle_tui.engine.electrs.machine import step
from utxoracle_tui.engine.electrs.phases import ConditionKind, Phase
from utxoracle_tui.engine.electrs.state import State
from utxoracle_tui.engine.stack.stack import Named
from utxoracle_tui.ui import electrs_words, stack_words

WIDTHS = (74, 114, 194)
"""Within the panels of a terminal of 80, 120 and 200 columns."""


def lines_of(state: State, width: int) -> list[str]:
    source = made.reading(electrs=made.heard(state)).electrs
    text = electrs_words.electrs(source, width, evidence=False)
    assert text is not None
    return text.plain.splitlines()


def test_a_whole_first_sync_in_few_lines_that_stay_where_they_are() -> None:
    state, seen = State(), set()
    places: dict[tuple[Phase, int], set[int]] = {}
    for evidence, _, _ in Sync(step_s=600, noise=0.2).course():
        state = step(state, evidence)
        seen.add(state.phase)
        for width in WIDTHS:
            lines = lines_of(state, width)
            assert any("▶" in line for line in lines)
            bar = next((number for number, line in enumerate(lines) if "▮" in line or "▯" in line), -2)
            assert all(len(line) <= width for line in lines[: bar + 2]), lines
            if bar >= 0:
                places.setdefault((state.phase, width), set()).add(bar)
            if state.phase is Phase.PASS_2:
                assert lines[-1].startswith("by metrics and block files")
    assert {Phase.PASS_1, Phase.COMPACTING_TXSTORE, Phase.PASS_2, Phase.COMPACTING_HISTORY, Phase.READY} <= seen
    assert all(len(numbers) == 1 for numbers in places.values()), places


def test_what_hangs_is_not_left_alone() -> None:
    story = Story()
    for minute in range(40):
        page = metrics(NOON_S + 60 * minute, cpu_s=5.0, add_batches=7, index_batches=3, tip_height=0)
        story.look(60 if minute else 0, metrics=page)
    text = "\n".join(lines_of(story.state, 114))
    assert ConditionKind.STUCK in story.conditions()
    assert "Leave it alone" not in text
    assert text.index("✗ Nothing has moved") < text.index("second of two passes")


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [
        (0.2, "< 1 s"),
        (3.4, "3 s"),
        (52, "50 s"),
        (59, "1 min"),
        (95, "1 min 30 s"),
        (601, "10 min"),
        (3000, "50 min"),
        (3590, "1 h 00 min"),
        (7400, "2 h 05 min"),
        (50_000, "14 h 00 min"),
        (200_000, "2 d 7 h"),
    ],
)
def test_times_left_have_no_more_digits_than_they_deserve(seconds: float, shown: str) -> None:
    assert electrs_words.rough_span(seconds) == shown


@pytest.mark.parametrize("width", WIDTHS)
def test_what_is_well_takes_a_line_and_what_is_not_is_said_in_full(width: int) -> None:
    said = "The mempool backend at 127.0.0.1:8999 took the question and has not answered within 10 s. " * 2
    reading = made.reading(backend=made.failed("mempool_hanging", said))
    lines = stack_words.sources(reading, width).plain.splitlines()
    assert all(len(line) <= width for line in lines)
    for title in ("Bitcoin Core", "electrs", "exchange", "containers", "disks"):
        assert sum(line[2:].startswith(title) for line in lines) == 1
    start = next(number for number, line in enumerate(lines) if line[2:].startswith("backend"))
    end = next(number for number, line in enumerate(lines) if line[2:].startswith("exchange"))
    assert " ".join(" ".join(lines[start:end]).split()).endswith(" ".join(said.split()))
    # but for those of the backend, one line each, and one for the whole
    assert len(lines) - (end - start) == 6


def test_a_stack_without_docker_has_no_line_of_it() -> None:
    nobody = Named(electrs=False, backend=False, containers=False)
    reading = made.reading(nobody, containers=made.failed("docker_absent", "There is no Docker socket."))
    assert "ocker" not in stack_words.sources(reading, 114).plain
    assert "containers" in stack_words.sources(made.reading(), 114).plain


def test_a_share_that_is_not_known_says_what_would_tell() -> None:
    state = replace(made.electrs(Phase.PASS_1), rows=(), conditions=())
    assert any("no measure of progress" in line for line in lines_of(state, 114))
