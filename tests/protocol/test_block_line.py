"""The hard cases of the price at every block, on a simulated host: through the engine, on real sockets.

They happen one after the other on one chain, with calm blocks in between. What is right is what the host's market says
of a block's header time; what is read are the words of the console.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from tests.support.block_line import SPACING_S, Console, Mined, Stage, stage, words
from utxoracle_core.block_price import STALE_AFTER_S, SURE_FROM, Gap
from utxoracle_tui.demo.host.options import HostOptions
from utxoracle_tui.engine.block_keeping import keep_block_prices
from utxoracle_tui.engine.block_line import at_tip
from utxoracle_tui.engine.pricing import SETTLED_AFTER, PricedWindow
from utxoracle_tui.engine.rounds import Round, observe
from utxoracle_tui.engine.workers import Workers
from utxoracle_tui.store.records import BlockPrice, Observation

OPTIONS = HostOptions(days=1, tx_per_block=300, speed=0, price="65000")
WRONG_PCT = 1.5
CALM = 8
UP, DOWN, FLOOD, OLD, QUIET = "up", "down", "flood", "old price", "quiet"
OLD_BLOCKS = 2

pytestmark = pytest.mark.asyncio(loop_scope="module")


@dataclass(frozen=True)
class Story:
    """What happened on one chain, and what the engine made of it."""

    console: Console
    mined: dict[str, list[Mined]]
    """From the first block of each case to the last calm one after it."""
    window: PricedWindow
    """At the end."""
    line: dict[str, BlockPrice]
    """By block hash, at the end."""
    during_old: Round
    """The round at the first block that was full of payments at the old price."""
    before_quiet: Round

    def of(self, case: str) -> list[tuple[BlockPrice, float]]:
        """The prices at the blocks of a case, with what they ought to be."""
        return [(self.line[block.hash], block.market_usd) for block in self.mined[case]]


@pytest.fixture(scope="module")
async def story(workers: Workers, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Story]:
    async with stage(OPTIONS) as host, host.console(workers, tmp_path_factory.mktemp("store")) as console:
        mined = {}
        await host.act("price-step", percent=10)
        mined[UP] = await calm(host, CALM)
        await host.act("price-step", percent=-10, over_s=3600)
        mined[DOWN] = await calm(host, 6 + CALM)
        await host.act("flood", blocks=12)
        mined[FLOOD] = await calm(host, 12)
        market_usd = mined[FLOOD][-1].market_usd
        await host.act("old-price", blocks=OLD_BLOCKS, usd=market_usd / 1.08)
        mined[OLD] = await calm(host, 1)
        during_old = await console.round()
        mined[OLD] += await calm(host, OLD_BLOCKS - 1 + CALM)
        before_quiet = await console.round()
        mined[QUIET] = [await host.mine(95 * 60), *await calm(host, CALM)]
        window = await console.window()
        line = {price.last_hash: price for price in await at_tip(console.pricing, window)}
        yield Story(console, mined, window, line, during_old, before_quiet)


async def calm(host: Stage, blocks: int) -> list[Mined]:
    return [await host.mine(SPACING_S) for _ in range(blocks)]


def wrong(prices: Sequence[tuple[BlockPrice, float]]) -> list[BlockPrice]:
    """Those that are shown and off."""
    return [price for price, usd in prices if price.price_usd and abs(price.price_usd / usd - 1) * 100 > WRONG_PCT]


def silent(prices: Sequence[tuple[BlockPrice, float]]) -> list[str | None]:
    """The reasons of the gaps, in order."""
    return [price.reason for price, _ in prices if price.price_usd is None]


def assert_right(prices: Sequence[tuple[BlockPrice, float]]) -> None:
    assert not wrong(prices)
    assert not silent(prices)


@pytest.mark.soak
async def test_a_step_at_once_is_followed_in_three_blocks(story: Story) -> None:
    found = story.of(UP)
    # the first block alone can't outweigh all those before, and is not to be relied on
    (first,) = wrong(found)
    assert first is found[0][0]
    assert first.confidence is not None and first.confidence < SURE_FROM
    assert set(silent(found)) <= {Gap.UNCERTAIN, Gap.RIVAL}
    assert_right(found[3:])


@pytest.mark.soak
async def test_a_step_within_the_hour_is_followed_when_it_is_over(story: Story) -> None:
    found = story.of(DOWN)
    assert len(wrong(found)) <= 1
    assert Gap.UNCERTAIN in silent(found)
    assert_right(found[6 + 4 :])


async def test_one_amount_over_and_over_says_nothing(story: Story) -> None:
    assert_right(story.of(FLOOD))


async def test_blocks_at_the_old_price_are_a_rival_and_no_price(story: Story) -> None:
    found = story.of(OLD)
    assert len(wrong(found)) <= 1
    assert Gap.RIVAL in silent(found)
    assert_right(found[OLD_BLOCKS + 4 :])
    seen = story.during_old.observation
    assert (seen.block_usd, seen.block_reason, seen.divergence_block_pct) == (None, Gap.RIVAL, None)
    text = words(seen, seen.time_s)
    height = story.mined[OLD][0].height
    assert text.startswith(
        f"block price none at block {height}, 5 s ago: rival. More payments of the last three blocks"
    )
    assert "divergence spot" in text


async def test_a_price_of_90_minutes_ago_is_stale(story: Story) -> None:
    seen = story.before_quiet.observation
    assert seen.block_time_s is not None and seen.block_usd is not None
    shown = words(seen, seen.block_time_s + STALE_AFTER_S)
    assert shown.startswith(f"block price ${seen.block_usd:,.2f} ±")
    stale = words(seen, seen.block_time_s + STALE_AFTER_S + 1)
    assert f"none at block {seen.block_height}, 1 h ago: stale, 1 h 30 min old. No block for 90 minutes" in stale
    assert f"{seen.block_usd:,.2f}" not in stale.splitlines()[0]


async def test_after_95_minutes_the_next_block_has_a_price(story: Story) -> None:
    assert_right(story.of(QUIET))


async def test_what_was_shown_at_the_time_is_what_the_line_says_later(story: Story) -> None:
    for made in (story.during_old, story.before_quiet):
        then = made.blocks[-1]
        now = story.line[then.last_hash]
        assert (now.price_usd is None) == (then.price_usd is None)
        assert now.low_usd == pytest.approx(then.low_usd, rel=1e-4)
        assert now.reason == then.reason


async def test_gaps_are_stored_with_their_reason(story: Story) -> None:
    stored = {price.last_hash: price for price in story.console.store.block_prices.all()}
    gaps = [price for price in stored.values() if price.price_usd is None]
    assert {Gap.UNCERTAIN, Gap.RIVAL} <= {price.reason for price in gaps}
    for price in gaps:
        assert price.divergence_block_pct is None
        assert price.low_usd is not None and price.high_usd is not None
        assert price.low_usd < price.high_usd
    assert all(price.reason is None for price in stored.values() if price.price_usd is not None)


@pytest.mark.parametrize(
    ("factor", "reasons"), [(2.0, {Gap.OCTAVE}), (0.5, {Gap.OCTAVE}), (2 / 3, {Gap.OCTAVE, Gap.RIVAL, Gap.UNCERTAIN})]
)
async def test_nothing_is_shown_of_a_line_that_starts_a_round_factor_off(
    story: Story, tmp_path: Path, factor: float, reasons: set[Gap]
) -> None:
    off = started_at(story.window, factor)
    line = await at_tip(story.console.pricing, off)
    assert len(line) == 144 - SETTLED_AFTER
    assert all(price.price_usd is None for price in line)
    calm_ones = [price for price in line if price.last_hash in {block.hash for block in story.mined[QUIET]}]
    assert {price.reason for price in calm_ones} <= reasons
    seen = observed(story, line[-1])
    assert "none at" in words(seen, seen.time_s).splitlines()[0]


async def test_the_octave_in_words(story: Story) -> None:
    line = await at_tip(story.console.pricing, started_at(story.window, 2.0))
    seen = observed(story, line[-1])
    assert ": octave. The price may be a round factor off" in words(seen, seen.time_s).splitlines()[0]


@pytest.mark.soak
async def test_without_a_window_price_there_is_no_line(story: Story) -> None:
    none = replace(story.window, price=replace(story.window.price, central=None))
    assert await at_tip(story.console.pricing, none) == []
    assert keep_block_prices(story.console.store, []) == 0


def started_at(window: PricedWindow, factor: float) -> PricedWindow:
    """As if the window had come out a factor off."""
    central = window.price.central
    assert central is not None
    return replace(window, price=replace(window.price, central=replace(central, price_usd=central.price_usd * factor)))


def observed(story: Story, newest: BlockPrice) -> Observation:
    """What a round would have stored of a line."""
    made = story.before_quiet
    return observe(made.window, made.exchange, newest, newest.time_s)
