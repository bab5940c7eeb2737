"""What tests can make the chain and the price of payments do."""

from __future__ import annotations

from utxoracle_tui.demo.host.control_actions import Actions
from utxoracle_tui.demo.host.growth import Growth
from utxoracle_tui.demo.host.json_text import Json


def chain_actions(growth: Growth) -> Actions:
    """These names stand alone."""

    async def mine(*, count: int = 1, spacing_s: int | None = None) -> Json:
        """Let blocks arrive, with the clock's time in their headers or so far apart by their headers; their hashes."""
        return {"hashes": [block.hash for block in await growth.mine(count, spacing_s)]}

    async def reorg(*, depth: int = 1, length: int = 2, spacing_s: int | None = None) -> Json:
        """Let a longer branch replace the newest blocks, those that are more as `mine` has them; its hashes."""
        return {"hashes": [block.hash for block in await growth.reorg(depth, length, spacing_s)]}

    async def prune(*, below: int | None) -> Json:
        """Forget the blocks under a height; null is a node that doesn't prune."""
        await growth.prune(below)
        return {}

    async def catch_up(*, count: int) -> Json:
        """Let a node that is behind get some blocks; how many are missing then."""
        return {"missing": await growth.catch_up(count)}

    async def price_step(*, percent: float, over_s: float = 0.0) -> Json:
        """Let the price of payments and of exchanges change by so much, at once or over some seconds."""
        growth.price_step(percent, over_s)
        return {}

    async def flood(*, blocks: int, payments: int = 150, sats: int | None = None) -> Json:
        """Let blocks to come have one amount over and over, as if the price were 3 % higher; the amount."""
        return {"sats": growth.flood(blocks, payments, sats)}

    async def old_price(*, blocks: int, age_s: float = 86_400.0, usd: float | None = None) -> Json:
        """Let blocks to come be full of payments at the price of before, or at one that is given; that price."""
        return {"usd": growth.old_price(blocks, age_s, usd)}

    async def pause_blocks(*, seconds: float) -> Json:
        """Let no block arrive by itself for so long; 0 ends it."""
        growth.pause(seconds)
        return {}

    return Actions(
        {},
        {
            "mine": mine,
            "reorg": reorg,
            "prune": prune,
            "catch_up": catch_up,
            "price_step": price_step,
            "flood": flood,
            "old_price": old_price,
            "pause_blocks": pause_blocks,
        },
    )
