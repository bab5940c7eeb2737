"""What tests can make the simulated mempool backend and the exchanges do."""

from __future__ import annotations

import asyncio

from utxoracle_tui import clock
from utxoracle_tui.demo.host.control_actions import Actions, Known, change, server_actions
from utxoracle_tui.demo.host.json_text import Json
from utxoracle_tui.demo.host.market import Market
from utxoracle_tui.demo.host.mempool.host import MempoolHost
from utxoracle_tui.demo.host.mempool.odd import ODD_REPLIES


def mempool_actions(host: MempoolHost) -> Actions:
    """`mempool/...`: the backend."""

    async def state() -> Json:
        """What the backend is up to."""
        tip = host.backend.tip
        return {
            "listening": host.service.is_listening,
            "in_sync": host.backend.in_sync,
            "tip_height": tip.height if tip else None,
            "backend": host.backend.settings.kind,
        }

    async def start() -> Json:
        """Let it listen again."""
        await host.start()
        return {}

    async def stop() -> Json:
        """Let it go down."""
        await host.stop()
        return {}

    async def restart(*, down_s: float = 0.0) -> Json:
        """Both. From then on prices are told in the currencies of the table alone."""
        await host.stop()
        await asyncio.sleep(down_s)
        await host.start()
        return {}

    async def odd(*, reply: str | None, path: str = "") -> Json:
        """Give an odd reply at a path behind `/api/v1/` (none: at all); null ends it."""
        if reply is None:
            host.api.odd.pop(path, None)
        elif reply in ODD_REPLIES:
            host.api.odd[path] = reply
        else:
            raise ValueError(f"there is no odd reply {reply}; there are {', '.join(ODD_REPLIES)}")
        return {}

    async def settings(**changes: Json) -> Json:
        """Change `BackendSettings`."""
        change(host.backend.settings, changes)
        host.backend.update_prices()
        return {}

    own = Actions(
        {"state": state},
        {"start": start, "stop": stop, "restart": restart, "odd": odd, "settings": settings},
    )
    return own | server_actions(host.service.faults, host.service.statistics)


def exchange_actions(host: MempoolHost, market: Market) -> Actions:
    """`exchange/...`: what the backend hears of prices."""
    exchange = host.backend.exchange

    async def state() -> Json:
        """The price that payments are made at now, and the one that the backend tells."""
        current = exchange.current
        return {
            "planted_usd": market(clock.now_s()),
            "usd": current.prices["USD"] if current else None,
            "time": current.time_s if current else 0,
            "offset_pct": exchange.offset_pct,
            "feeds_up": exchange.feeds_up,
            "period_s": host.backend.price_period_s,
        }

    async def offset(*, percent: float) -> Json:
        """Let exchanges trade that much above the price of payments, from now on."""
        exchange.offset_pct = percent
        host.backend.update_prices()
        return {}

    async def feeds(*, up: bool) -> Json:
        """Let all exchanges be out of reach, or answer again: until then the newest price stays, and its time."""
        exchange.feeds_up = up
        if up:
            host.backend.update_prices()
        return {}

    async def update() -> Json:
        """Look at the exchanges now."""
        host.backend.update_prices()
        return {}

    async def save() -> Json:
        """Add the newest price to the table, as the backend does every hour."""
        exchange.save()
        return {}

    async def forget() -> Json:
        """Be a backend that never had a price and gets none."""
        exchange.feeds_up = False
        exchange.restart(database=False)
        return {}

    acts: Known = {"offset": offset, "feeds": feeds, "update": update, "save": save, "forget": forget}
    return Actions({"state": state}, acts)
