"""Blocks of the simulated chain whose header times are so far apart as a test wants them, whatever its clock says."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace

import pytest

from tests.support.block_line import Stage, stage
from tests.support.demo_node import SMALL
from utxoracle_tui.demo.chain.times import MEDIAN_TIME_BLOCKS

PRICE = 65_000.0

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest.fixture(scope="module")
async def host() -> AsyncIterator[Stage]:
    async with stage(replace(SMALL, tx_per_block=1, price=str(PRICE))) as host:
        yield host


async def times(host: Stage) -> list[int]:
    return [header["time"] for header in await host.node.headers()]


async def test_headers_so_far_apart_on_a_clock_that_stands(host: Stage) -> None:
    before = (await times(host))[-1]
    hashes = (await host.act("mine", count=3, spacing_s=600))["hashes"]
    assert (await times(host))[-3:] == [before + 600, before + 1200, before + 1800]
    assert (await host.node.hashes())[-3:] == hashes
    await host.act("mine", spacing_s=5700)
    assert (await times(host))[-1] == before + 7500


async def test_headers_that_go_back_stay_above_the_median_of_eleven(host: Stage) -> None:
    await host.act("mine", count=11, spacing_s=600)
    await host.act("mine", count=8, spacing_s=-900)
    found = await times(host)
    assert found[-8] == found[-9] - 900
    assert all(
        found[n] > sorted(found[n - MEDIAN_TIME_BLOCKS : n])[MEDIAN_TIME_BLOCKS // 2]
        for n in range(len(found) - 19, len(found))
    )


async def test_without_a_spacing_headers_have_the_time_of_the_clock(host: Stage) -> None:
    before = (await times(host))[-1]
    host.hands.now_s = before + 1234.5
    await host.act("mine")
    assert (await times(host))[-1] == before + 1234


async def test_the_branch_of_a_reorg_goes_on_at_the_same_spacing(host: Stage) -> None:
    await host.act("mine", count=4, spacing_s=600)
    before = await times(host)
    await host.act("reorg", depth=3, length=5, spacing_s=480)
    assert await times(host) == [*before, before[-1] + 480, before[-1] + 960]


async def test_a_step_begins_with_the_newest_header_when_that_is_ahead_of_the_clock(host: Stage) -> None:
    await host.act("mine", count=6, spacing_s=600)
    tip_s = (await times(host))[-1]
    assert tip_s > host.hands.now_s
    await host.act("price-step", percent=10, over_s=3600)
    market = host.node.host.market
    assert market(tip_s) == PRICE
    assert market(tip_s + 1800) == pytest.approx(PRICE * 1.05)
    assert market(tip_s + 3600) == pytest.approx(PRICE * 1.1)
    await host.act("mine", count=6, spacing_s=600)
    # and so do an old price and the amount of a flood
    assert (await host.act("old-price", blocks=0, age_s=3600))["usd"] == PRICE
    assert (await host.act("flood", blocks=0))["sats"] == round(100 / (PRICE * 1.1 * 1.03) * 1e8)


async def test_a_spacing_that_is_no_number_is_refused(host: Stage) -> None:
    url = f"{host.node.env['UTXORACLE_DEMO_CONTROL_URL']}/mine"
    reply = await host.node.client.post(url, json={"spacing_s": "soon"})
    assert reply.status_code == 400
