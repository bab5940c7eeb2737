"""Which blocks a day or a block window is made of, from header times alone."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from tests.support import plain_method
from tests.support.chain_folder import HeaderTimes
from tests.support.examples import examples
from utxoracle_core import HeightRange, MissingHeaderTime, WindowRefused, select_day, select_last

DAY = date(2024, 5, 5)
M = int(datetime(2024, 5, 5, tzinfo=UTC).timestamp())
NEXT_M = M + 86_400
BASE = 10_000
"""The heights below have headers 600 s apart, some 69 days of them."""


def heights(blocks: HeightRange) -> tuple[int, int]:
    return blocks.first, blocks.last


def layout(times_s: Sequence[int]) -> tuple[HeaderTimes, int]:
    """Header times and the height of the last of them."""
    return HeaderTimes(BASE, times_s), BASE + len(times_s) - 1


def even_day(first_s: int, spacing_s: int = 600, after: int = 10) -> tuple[HeaderTimes, int]:
    """Blocks at even distances from `first_s` until `after` of them lie behind the day."""
    count = -((first_s - NEXT_M) // spacing_s) + after
    return layout([first_s + spacing_s * n for n in range(count)])


# --- the day


def test_a_day_of_144_even_blocks() -> None:
    times, tip = even_day(M + 300)
    found = select_day(DAY, times, tip)
    assert heights(found.blocks) == (BASE, BASE + 143)
    assert len(found.blocks) == 144
    assert found.blocks.heights == range(BASE, BASE + 144)
    assert found.day == DAY
    assert not found.boundary_ambiguous


@pytest.mark.parametrize("after", range(1, 12))
def test_a_day_needs_seven_blocks_after_it(after: int) -> None:
    times, tip = even_day(M + 300, after=after)
    if after >= 7:
        assert heights(select_day(DAY, times, tip).blocks) == (BASE, BASE + 143)
    else:
        with pytest.raises(WindowRefused, match="is not finished in the chain") as caught:
            select_day(DAY, times, tip)
        assert caught.value.kind == "date_too_new"
        assert str(tip - 6) in str(caught.value)
        assert "2024-05-04" in str(caught.value)


def test_the_default_day_is_the_one_before_that_of_the_sixth_block_below_the_tip() -> None:
    for after, day in ((6, DAY - timedelta(days=1)), (7, DAY)):
        times, tip = even_day(M + 300, after=after)
        found = select_day(None, times, tip)
        assert found.day == day
        assert found == select_day(day, times, tip)


def test_a_day_at_whose_midnight_the_sixth_block_below_the_tip_stands() -> None:
    times, tip = even_day(M, after=7)
    assert times[tip - 6] == NEXT_M
    assert select_day(None, times, tip).day == DAY


def test_no_day_before_the_first_that_is_priced() -> None:
    start = int(datetime(2023, 12, 14, tzinfo=UTC).timestamp())
    times, tip = layout([start + 600 * n for n in range(2 * 144 + 20)])
    assert select_day(date(2023, 12, 15), times, tip).day == date(2023, 12, 15)
    with pytest.raises(WindowRefused, match="before 2023-12-15") as caught:
        select_day(date(2023, 12, 14), times, tip)
    assert caught.value.kind == "date_too_old"
    # too new is said before too old
    times, tip = layout([start + 600 * n for n in range(100)])
    with pytest.raises(WindowRefused) as caught:
        select_day(None, times, tip)
    assert caught.value.kind == "date_too_old"
    with pytest.raises(WindowRefused) as caught:
        select_day(date(2023, 12, 14), times, tip)
    assert caught.value.kind == "date_too_new"


def test_a_block_at_exactly_midnight_is_in_when_the_search_comes_from_below() -> None:
    # a fast day: the first guess lands far below midnight
    times, tip = even_day(M, 1200)
    assert times[BASE] == M
    assert heights(select_day(DAY, times, tip).blocks) == (BASE, BASE + 71)


def test_a_block_at_exactly_midnight_is_out_when_the_search_comes_from_above() -> None:
    times, tip = even_day(M, 400)
    assert times[BASE] == M
    found = select_day(DAY, times, tip)
    assert found.blocks.first == BASE + 1
    # the search may as well come from below, later
    assert found.boundary_ambiguous
    assert HeightRange(BASE, found.blocks.last) in found.alternatives


def test_a_block_at_exactly_midnight_where_the_search_lands_is_in() -> None:
    times, tip = even_day(M, 600)
    assert heights(select_day(DAY, times, tip).blocks) == (BASE, BASE + 143)


@pytest.mark.parametrize(("blocks_after_midnight", "first"), [(150, BASE + 1), (151, BASE)])
def test_half_a_block_is_rounded_to_the_even_number(blocks_after_midnight: int, first: int) -> None:
    # block tip - 6 is half a block later than that many, and stands one height further up: rounded down, the search
    # begins one above the block at midnight and leaves it out, rounded up, it begins right there
    consensus = BASE + blocks_after_midnight + 1
    times_s = [M + 600 * n for n in range(consensus - BASE)]
    times_s += [M + 600 * blocks_after_midnight + 300 + 60 * n for n in range(7)]
    times, tip = layout(times_s)
    assert tip - 6 == consensus
    assert select_day(DAY, times, tip).blocks.first == first


def test_the_next_midnight_belongs_to_the_next_day() -> None:
    times, tip = even_day(M + 600)
    last = select_day(DAY, times, tip).blocks.last
    assert times[last + 1] == NEXT_M


def test_the_day_ends_with_the_first_block_of_another_even_if_later_ones_are_back() -> None:
    times_s = [M + 300 + 600 * n for n in range(160)]
    times_s[100] = NEXT_M + 5
    times, tip = layout(times_s)
    assert heights(select_day(DAY, times, tip).blocks) == (BASE, BASE + 99)
    times_s[100] = M - 5
    times, tip = layout(times_s)
    assert heights(select_day(DAY, times, tip).blocks) == (BASE, BASE + 99)


def test_the_day_of_the_month_decides_and_not_the_month() -> None:
    june = int(datetime(2024, 6, 5, 12, tzinfo=UTC).timestamp())
    times, tip = layout([*(M + 300 + 600 * n for n in range(100)), *(june + n for n in range(50)), june + 86_400])
    found = select_day(DAY, times, tip)
    assert heights(found.blocks) == (BASE, BASE + 149)


def test_a_day_of_one_block() -> None:
    # the first block after midnight by the rule is of the day before yesterday's date
    times_s = [M - 600, M + 300, M - 5, NEXT_M + 5, *(NEXT_M + 600 * n for n in range(1, 12))]
    times, tip = layout(times_s)
    assert heights(select_day(DAY, times, tip).blocks) == plain_method.day_window(DAY, times, tip)
    assert len(select_day(DAY, times, tip).blocks) == 1


def test_a_day_ends_at_the_tip_at_the_latest() -> None:
    # the seventh block below the tip is of a later day, the ones after it are back in the day of a month ago
    june = int(datetime(2024, 6, 5, tzinfo=UTC).timestamp())
    times, tip = layout([M + 300, *(june + n for n in range(20))])
    assert heights(select_day(DAY, times, tip).blocks) == (BASE, tip)


def test_a_missing_header_time_is_named() -> None:
    times, tip = even_day(M + 300)
    for height in (tip - 6, BASE + 143, BASE, BASE - 1, BASE + 30, BASE - 30):
        known = {h: times[h] for h in range(BASE - 100, tip + 1) if h != height}
        with pytest.raises(MissingHeaderTime) as caught:
            select_day(DAY, known, tip)
        assert caught.value.height == height
        assert str(height) in str(caught.value)
    # nothing is asked for beyond the tip, or further than needed below
    known = {h: times[h] for h in range(BASE - 31, tip + 1)}
    assert heights(select_day(DAY, known, tip).blocks) == (BASE, BASE + 143)


# --- the search, against the rules in plain Python


def outcome_of_core(day: date | None, times: HeaderTimes, tip: int) -> object:
    try:
        found = select_day(day, times, tip)
    except WindowRefused as refused:
        return refused.kind
    except MissingHeaderTime as missing:
        return f"missing {missing.height}"
    return heights(found.blocks), {heights(blocks) for blocks in found.alternatives}


def outcome_of_rules(day: date | None, times: HeaderTimes, tip: int) -> object:
    try:
        window = plain_method.day_window(day, times, tip)
        midnight = plain_method.midnight_s(day or plain_method.newest_day(times, tip))
        nearby = set()
        for height in range(max(window[0] - 30, 0), min(window[0] + 30, tip) + 1):
            try:
                nearby.add(plain_method.day_from(height, midnight, times, tip))
            except KeyError as missing:
                if missing.args[0] <= tip:
                    raise
    except plain_method.Refused as refused:
        return str(refused)
    except KeyError as missing:
        return f"missing {missing.args[0]}"
    return window, nearby - {window}


steps = st.one_of(
    st.sampled_from([0, 1, 300, 600, 600, 600, 1_200, 1_800, -300, -600, -7_200, 3_600, 43_200, 86_400]),
    st.integers(-3_000, 6_000),
)


@settings(max_examples=examples(50, 300))
@given(
    st.lists(steps, min_size=12, max_size=40),
    st.integers(1, 12),
    st.sampled_from([M, M - 300, M - 43_200, M + 1, M - 1, M - 86_400, M - 900]),
    st.sampled_from([None, DAY, DAY - timedelta(days=1), DAY + timedelta(days=1), DAY + timedelta(days=2)]),
)
@example([600] * 12, 12, M, DAY)
def test_any_layout_against_the_rules_in_plain_python(
    pattern: list[int], repeats: int, start_s: int, day: date | None
) -> None:
    times_s = [start_s]
    for step in pattern * repeats:
        times_s.append(times_s[-1] + step)
    times, tip = layout(times_s)
    assert outcome_of_core(day, times, tip) == outcome_of_rules(day, times, tip)


@settings(max_examples=examples(50, 300))
@given(
    st.lists(st.sampled_from([-1, 0, 1, 2]), min_size=20, max_size=60),
    st.integers(-4, 4),
    st.sampled_from([300, 600, 900, 3_000, 9_000]),
)
def test_times_around_midnight_against_the_rules_in_plain_python(pattern: list[int], offset: int, unit_s: int) -> None:
    """Many blocks at exactly midnight, and estimates at exactly half a block."""
    times_s = [M + offset * unit_s]
    for step in pattern:
        times_s.append(times_s[-1] + step * unit_s)
    times_s += [NEXT_M + 600 * n for n in range(8)]
    times, tip = layout(times_s)
    assert outcome_of_core(DAY, times, tip) == outcome_of_rules(DAY, times, tip)


# --- the last blocks


@pytest.mark.parametrize(("count", "tip"), [(144, 900_000), (1, 1), (1, 5), (144, 144), (2016, 900_000)])
def test_the_last_blocks_end_before_the_tip(count: int, tip: int) -> None:
    found = select_last(count, tip)
    assert heights(found) == (tip - count, tip - 1)
    assert len(found) == count
    assert tip not in found.heights


@pytest.mark.parametrize(("count", "tip"), [(0, 10), (-1, 10), (11, 10), (144, 143), (1, 0)])
def test_more_blocks_than_there_are(count: int, tip: int) -> None:
    with pytest.raises(WindowRefused, match=f"ask for 1 to {tip}") as caught:
        select_last(count, tip)
    assert caught.value.kind == "bad_window"
