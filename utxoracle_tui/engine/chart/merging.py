"""Rounds, days and blocks laid together in order of time, each figure once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from utxoracle_tui.engine.chart.series import (
    BlockLine,
    Codes,
    Comparisons,
    Floats,
    Rows,
    Side,
    Source,
    State,
    WindowLine,
)

Columns = Mapping[str, Floats]
_DAY_S = 86_400.0


@dataclass(frozen=True, slots=True, eq=False)
class Figures:
    """Columns of the store in order of time, and the state of each of their window prices."""

    columns: Columns
    states: Codes

    def __len__(self) -> int:
        return len(self.states)

    def __getitem__(self, name: str) -> Floats:
        return self.columns[name]


def without_days_of(days: Columns, times_s: Floats) -> Columns:
    """The columns of the days that have none of these times in them."""
    lone = ~np.isin(days["time_s"] // _DAY_S, times_s // _DAY_S)
    return {name: column[lone] for name, column in days.items()}


def windows_and_days(rounds: Figures, days: Figures) -> WindowLine:
    """Window prices of rounds, and of the days that have none."""
    order = _order(rounds["time_s"], days["time_s"])

    def both(of_rounds: Floats, of_days: Floats) -> Floats:
        return np.concatenate([of_rounds, of_days])[order]

    return WindowLine(
        time_s=both(rounds["time_s"], days["time_s"]),
        height=both(rounds["last_height"], days["last_height"]),
        price_usd=both(rounds["onchain_usd"], days["price_usd"]),
        confidence=both(rounds["confidence"], days["confidence"]),
        state=np.concatenate([rounds.states, days.states])[order],
        daily=(np.arange(len(order)) >= len(rounds))[order],
    )


def observed(rounds: Figures, divergence: str, exchange: str) -> Comparisons:
    """What rounds say on a basis: the names of the columns of the divergence and of the exchange price."""
    return Comparisons(
        time_s=rounds["time_s"],
        height=rounds["last_height"],
        onchain_usd=rounds["onchain_usd"],
        exchange_usd=rounds[exchange],
        divergence_pct=rounds[divergence],
        confidence=rounds["confidence"],
        state=rounds.states,
        source=_sources(rounds, exchange),
        daily=np.zeros(len(rounds), np.bool_),
    )


def with_days(pairs: Comparisons, days: Figures) -> Comparisons:
    """The same, with days that no round is of."""
    order = _order(pairs.time_s, days["time_s"])

    def both(of_rounds: Floats, of_days: Floats) -> Floats:
        return np.concatenate([of_rounds, of_days])[order]

    return Comparisons(
        time_s=both(pairs.time_s, days["time_s"]),
        height=both(pairs.height, days["last_height"]),
        onchain_usd=both(pairs.onchain_usd, days["price_usd"]),
        exchange_usd=both(pairs.exchange_usd, days["exchange_usd"]),
        divergence_pct=both(pairs.divergence_pct, days["divergence_window_pct"]),
        confidence=both(pairs.confidence, days["confidence"]),
        state=np.concatenate([pairs.state, days.states])[order],
        source=np.concatenate([pairs.source, _day_sources(days)])[order],
        daily=(np.arange(len(order)) >= len(pairs.time_s))[order],
    )


def block_comparisons(blocks: BlockLine) -> Comparisons:
    """All blocks, those without a price as well: how many have one says something."""
    return Comparisons(
        time_s=blocks.time_s,
        height=blocks.height,
        onchain_usd=blocks.price_usd,
        exchange_usd=blocks.exchange_usd,
        divergence_pct=blocks.divergence_pct,
        confidence=blocks.confidence,
        state=blocks.state,
        source=blocks.source,
        daily=np.zeros(len(blocks.time_s), np.bool_),
    )


def merged_rows(rounds: Figures, days: Figures, blocks: BlockLine) -> Rows:
    """One row for each round, for each block that no round is of, and for each day without rounds."""
    # a round's block window ends with the block before the tip
    alone = ~np.isin(blocks.height, rounds["last_height"] + 1)
    order = _order(rounds["time_s"], blocks.time_s[alone], days["time_s"])
    none = np.full(max(len(order), len(alone)), np.nan)

    def laid(of_rounds: Floats | None, of_blocks: Floats | None, of_days: Floats | None) -> Floats:
        parts = (
            none[: len(rounds)] if of_rounds is None else of_rounds,
            (none[: len(alone)] if of_blocks is None else of_blocks)[alone],
            none[: len(days)] if of_days is None else of_days,
        )
        return np.concatenate(parts)[order]

    def side(of_rounds: Side, of_blocks: Floats | None, of_days: Floats | None) -> Side:
        return Side(
            exchange_usd=laid(of_rounds.exchange_usd, blocks.exchange_usd, days["exchange_usd"]),
            divergence_pct=laid(of_rounds.divergence_pct, of_blocks, of_days),
            confidence=laid(of_rounds.confidence, blocks.confidence, days["confidence"]),
            state=np.concatenate([of_rounds.state, blocks.state[alone], days.states])[order],
            source=np.concatenate([of_rounds.source, blocks.source[alone], _day_sources(days)])[order],
        )

    block_usd, by_block = at_blocks(rounds, blocks)
    spot = _of_windows(rounds, "divergence_spot_pct", "exchange_usd")
    window = _of_windows(rounds, "divergence_window_pct", "exchange_mean_usd")
    return Rows(
        time_s=laid(rounds["time_s"], blocks.time_s, days["time_s"]),
        height=laid(rounds["last_height"] + 1, blocks.height, days["last_height"]),
        block_usd=laid(block_usd, blocks.price_usd, None),
        window_usd=laid(rounds["onchain_usd"], None, days["price_usd"]),
        sides={
            "block": side(by_block, blocks.divergence_pct, None),
            "spot": side(spot, None, None),
            "window": side(window, None, days["divergence_window_pct"]),
        },
    )


def _of_windows(rounds: Figures, divergence: str, exchange: str) -> Side:
    return Side(rounds[exchange], rounds[divergence], rounds["confidence"], rounds.states, _sources(rounds, exchange))


def at_blocks(rounds: Figures, blocks: BlockLine) -> tuple[Floats, Side]:
    """The block price that was the newest at each round, and what it is compared with.

    It is what is stored of the block. Where that is nothing, it is what the round itself says, with the exchange price
    that follows from it; imported rounds say nothing of blocks, and stand there with the window's figures.
    """
    at = _tips(rounds, blocks)
    stored = at >= 0
    imported = rounds["imported"] == 1
    own_usd, own_pct = rounds["block_usd"], rounds["divergence_block_pct"]
    own_state = np.where(np.isnan(own_usd), State.GAP, State.UNKNOWN)

    def of(column: Floats | Codes, without: Floats | Codes) -> Floats:
        found = np.array(without, np.float64)
        found[stored] = column[at[stored]]
        return found

    side = Side(
        exchange_usd=of(blocks.exchange_usd, np.where(imported, rounds["exchange_usd"], own_usd / (1 + own_pct / 100))),
        divergence_pct=of(blocks.divergence_pct, own_pct),
        confidence=of(blocks.confidence, np.where(imported, rounds["confidence"], np.nan)),
        state=of(blocks.state, np.where(imported, rounds.states, own_state)).astype(np.int8),
        source=of(blocks.source, _sources(rounds, "exchange_usd")).astype(np.int8),
    )
    return of(blocks.price_usd, own_usd), side


def _tips(rounds: Figures, blocks: BlockLine) -> NDArray[np.int64]:
    """The number of the block that was the newest at each round; -1 where it is not stored."""
    heights = rounds["last_height"] + 1
    order = np.lexsort((blocks.state != State.ORPHANED, blocks.height))
    in_order = blocks.height[order]
    last = np.searchsorted(in_order, heights, side="right") - 1
    found = np.full(len(rounds), -1)
    there = last >= 0
    there[there] = in_order[last[there]] == heights[there]
    found[there] = order[last[there]]
    # a reorg leaves two blocks at a height, and the round's is the one with its price
    twice = in_order[1:][in_order[1:] == in_order[:-1]]
    for n in np.flatnonzero(np.isin(heights, twice)).tolist():
        same = np.flatnonzero((blocks.height == heights[n]) & (blocks.price_usd == rounds["block_usd"][n]))
        found[n] = same[0] if len(same) else found[n]
    return found


def _order(*times: Floats) -> NDArray[np.int64]:
    return np.argsort(np.concatenate(times), kind="stable")


def _sources(rounds: Figures, exchange: str) -> Codes:
    found = np.where(rounds["public_exchange"] == 1, Source.PUBLIC, Source.OWN)
    found[rounds["imported"] == 1] = Source.IMPORTED
    found[np.isnan(rounds[exchange])] = Source.NONE
    return found.astype(np.int8)


def _day_sources(days: Figures) -> Codes:
    found = np.where(days["exchange_coverage"] == 0, Source.DAILY, Source.OWN)
    found[np.isnan(days["exchange_usd"])] = Source.NONE
    return found.astype(np.int8)
