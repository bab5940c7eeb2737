"""Findings about the mempool backend and the exchange price."""

from __future__ import annotations

from collections.abc import Iterator

from utxoracle_tui import formats
from utxoracle_tui.engine.stack.exchange import NO_PRICE
from utxoracle_tui.engine.stack.findings.finding import Finding, Gravity, StackLook
from utxoracle_tui.engine.stack.reading import Health, Standing
from utxoracle_tui.sources.mempool_replies import NoPrice, NoPriceKind

BEHIND_BLOCKS = 6


def find(look: StackLook) -> Iterator[Finding]:
    """All of them."""
    reading = look.reading.backend
    trouble, status = reading.heard.trouble, reading.detail
    if reading.standing is Standing.NONE:
        return
    if trouble is not None:
        yield Finding(
            trouble.kind,
            Gravity.ERROR,
            "The mempool backend can't be used: there is no exchange price to compare with",
            trouble.sentence,
            "Start it (`docker compose up -d api` in the stock stack), or set MEMPOOL_API_URL to where it answers.",
        )
        return
    yield from _price(look)
    yield from _history(look)
    info = status.info if status is not None else None
    if info is not None and info.core_version is None and status is not None and not status.live.live:
        yield Finding(
            "backend_misses_the_node",
            Gravity.NOTE,
            "The mempool backend had not reached Bitcoin Core when it last tried, which it does every ten minutes",
            "backend-info says coreVersion “?”, and it is not in sync.",
            "Check CORE_RPC_HOST, CORE_RPC_PORT and the credentials of the backend (mempool-config.json).",
        )
    node = look.node
    if node is not None and status is not None and status.live.live and status.tip_height is not None:
        behind = node.chain.blocks - status.tip_height
        if behind >= BEHIND_BLOCKS and node.ibd is None:
            yield Finding(
                "backend_behind",
                Gravity.WARNING,
                "The mempool backend is behind the node",
                f"Its tip is {status.tip_height:,}, the node's {node.chain.blocks:,}.",
                "See its log (`docker compose logs api`): it waits for electrs or its database, or follows another "
                "node.",
            )


def _price(look: StackLook) -> Iterator[Finding]:
    reading = look.reading.exchange
    trouble, status = reading.heard.trouble, reading.detail
    feeds = (
        "Give the backend a way to the internet (its feeds are Kraken, Coinbase, Bitfinex, Gemini and Bitflyer), and "
        "see its log."
    )
    if status is None and trouble is not None and trouble.kind == NO_PRICE and reading.standing is not Standing.NONE:
        yield Finding("no_exchange_price", Gravity.WARNING, "There is no exchange price", trouble.sentence, feeds)
    elif status is not None and reading.health is Health.STALE:
        age = formats.span(max(0.0, look.at_s - status.reading.time_s))
        yield Finding(
            "stale_exchange_price",
            Gravity.WARNING,
            "The exchange price stands still",
            f"Its own time is {age} ago; the backend answers all the same.",
            feeds,
        )


def _history(look: StackLook) -> Iterator[Finding]:
    price = look.history.usd if look.history is not None else None
    if not isinstance(price, NoPrice):
        return
    if price.kind is NoPriceKind.DATABASE_DOWN:
        yield Finding(
            "backend_database_down",
            Gravity.WARNING,
            "The mempool backend's database doesn't answer: there are no earlier prices",
            price.message,
            "Start it (`docker compose up -d db` in the stock stack), and see its log.",
        )
    elif price.kind is NoPriceKind.NO_HISTORY:
        yield Finding(
            "backend_without_history",
            Gravity.NOTE,
            "The mempool backend keeps no earlier prices",
            price.message,
            "Set DATABASE_ENABLED=true, and INDEXING_BLOCKS_AMOUNT to anything but 0, in its environment.",
        )
