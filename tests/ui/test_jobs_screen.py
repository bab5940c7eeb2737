"""The jobs screen by keys."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from tests.ui.seen import seen, until
from tests.ui.test_dashboard_pictures import _still_clock  # noqa: F401  (a fixture)
from tests.ui.test_windows_pictures import console, queue
from utxoracle_tui.engine.jobs.reading import AtHand, JobReading, JobsReading
from utxoracle_tui.store.jobs import JobProgress
from utxoracle_tui.store.store import Store


@pytest.mark.parametrize("size", [(80, 24), (120, 40)])
async def test_nothing_to_retry_is_said(tmp_path: Path, size: tuple[int, int]) -> None:
    async with console(Store(tmp_path, "main"), queue()).run_test(size=size) as pilot:
        await pilot.press("4")
        await until(pilot, "✗ cancelled")
        await pilot.press("G", "r")
        await pilot.pause()
        assert [notification.message for notification in pilot.app._notifications] == [
            "No window of this job has failed, so there is nothing to retry. "
            "Asking for its windows again does the rest of them: 3 (Windows), then b."
        ]


async def test_the_windows_at_hand_count_in_the_progress_and_100_is_for_what_is_over(tmp_path: Path) -> None:
    first = queue().jobs[0]
    hands = (
        replace(first.at_hand[0], blocks_done=72, blocks=144),
        replace(first.at_hand[1], blocks_done=144, blocks=144),
    )

    def shown(progress: JobProgress, *at_hand: AtHand) -> JobsReading:
        return JobsReading((JobReading(first.job, progress, at_hand),))

    # none of two is done, but a half and a whole one are got: 75 %
    async with console(Store(tmp_path, "main"), shown(JobProgress(2, 0, 0, 0, 2, 0), *hands)).run_test() as pilot:
        await pilot.press("4")
        await until(pilot, " 75 %")
    last = shown(JobProgress(2, 1, 0, 0, 1, 0), hands[1])
    async with console(Store(tmp_path, "main"), last).run_test() as pilot:
        await pilot.press("4")
        await until(pilot, " 99 %")
        assert "100 %" not in seen(pilot).partition("cancelled")[0]
