"""Pictures of the price chart with its cards and table, in the states that an operator can meet."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support import price_story as story
from tests.support.price_story import ChartApp
from tests.ui.test_window_detail_pictures import SnapCompare, after
from utxoracle_tui import clock
from utxoracle_tui.store.store import Store

SIZES = [(80, 24), (120, 40)]
Made = Callable[[Callable[[Path], Store]], Store]


@pytest.fixture(autouse=True)
def _still_clock(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clock, "now_s", lambda: story.NOW_S)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Made:
    """A store of a story, filled once."""
    stores: dict[str, Store] = {}

    def store_of(make: Callable[[Path], Store]) -> Store:
        if make.__name__ not in stores:
            stores[make.__name__] = make(tmp_path_factory.mktemp(make.__name__))
        return stores[make.__name__]

    return store_of


@pytest.mark.parametrize("size", SIZES)
def test_two_prices_that_agree(snap_compare: SnapCompare, made: Made, size: tuple[int, int]) -> None:
    assert snap_compare(ChartApp(made(story.normal)), terminal_size=size, run_before=after())


@pytest.mark.parametrize("size", SIZES)
def test_a_large_divergence(snap_compare: SnapCompare, made: Made, size: tuple[int, int]) -> None:
    assert snap_compare(ChartApp(made(story.large)), terminal_size=size, run_before=after())


@pytest.mark.parametrize("size", SIZES)
def test_gaps_and_low_confidence(snap_compare: SnapCompare, made: Made, size: tuple[int, int]) -> None:
    assert snap_compare(ChartApp(made(story.broken)), terminal_size=size, run_before=after())


@pytest.mark.parametrize("size", SIZES)
def test_nothing_stored(snap_compare: SnapCompare, tmp_path: Path, size: tuple[int, int]) -> None:
    assert snap_compare(ChartApp(Store(tmp_path, "main")), terminal_size=size, run_before=after())


def test_a_cursor_in_a_marked_range(snap_compare: SnapCompare, made: Made) -> None:
    keys = ("home", "m", "pagedown", "pagedown", "m")
    assert snap_compare(ChartApp(made(story.large)), terminal_size=(120, 40), run_before=after(*keys))


def test_in_ascii(snap_compare: SnapCompare, made: Made) -> None:
    app = ChartApp(made(story.broken), ascii_only=True)
    assert snap_compare(app, terminal_size=(80, 24), run_before=after())
