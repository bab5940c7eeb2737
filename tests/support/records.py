"""Records to put into stores, each unlike the others."""

from __future__ import annotations

from utxoracle_core import BlockReading
from utxoracle_tui.store.records import ExchangeReading, Observation, Window

DAY_S = 86_400.0
START_S = 1_735_689_600.0
"""2025-01-01 00:00 UTC."""


def observation(number: int, time_s: float | None = None, **changes: object) -> Observation:
    """The observation of a block window, the `number`th of rounds five minutes apart."""
    moment = START_S + number * 300 if time_s is None else time_s
    exchange = 65_000 + number % 977
    onchain = exchange * (1 + ((number * 37) % 101 - 50) / 10_000)
    fields: dict[str, object] = {
        "key": f"{moment:.3f}-{number:08x}",
        "time_s": moment,
        "window_kind": "blocks",
        "first_height": 877_000 + number,
        "last_height": 877_143 + number,
        "last_hash": f"{number:064x}",
        "first_time_s": int(moment) - 86_400,
        "last_time_s": int(moment) - 60,
        "transactions": 400_000 + number,
        "onchain_usd": onchain,
        "method": "utxoracle-9.1",
        "exchange_usd": float(exchange),
        "exchange_time_s": moment - 120,
        "exchange_source": "own",
        "exchange_mean_usd": exchange - 10.5,
        "exchange_coverage": 0.97,
        "divergence_spot_pct": (onchain - exchange) / exchange * 100,
        "divergence_window_pct": (onchain - exchange + 10.5) / (exchange - 10.5) * 100,
        "confidence": 0.9,
        "valid": number % 10 != 0,
        "reason": None if number % 10 else "low_confidence",
    }
    return Observation(**(fields | changes))  # type: ignore[arg-type]


def block_window(last_height: int, time_s: float, **changes: object) -> Window:
    """The result of the 144 blocks that end at a height."""
    fields: dict[str, object] = {
        "kind": "blocks",
        "method": "utxoracle-9.1",
        "first_height": last_height - 143,
        "last_height": last_height,
        "last_hash": f"{last_height:064x}",
        "first_time": int(time_s) - 86_400,
        "last_time": int(time_s),
        "price_usd": 65_000.25,
        "confidence": 0.8,
        "valid": True,
    }
    return Window(**(fields | changes))  # type: ignore[arg-type]


def block_reading(time_s: int = int(START_S), price_usd: float | None = 65_000.0, **changes: object) -> BlockReading:
    """A price at a block, or none, that is sure of itself and stands alone."""
    fields: dict[str, object] = {
        "height": 877_143,
        "time": time_s,
        "price_usd": price_usd,
        "estimate_usd": 65_000.0,
        "low_usd": 64_900.0,
        "high_usd": 65_100.0,
        "confidence": 0.95,
        "n_points": 40,
        "rival": None,
        "octave": None,
        "reason": None,
        "eligible_time": time_s,
    }
    return BlockReading(**(fields | changes))  # type: ignore[arg-type]


def reading(time_s: float, price_usd: float, **changes: object) -> ExchangeReading:
    """A price of the own backend."""
    return ExchangeReading(**({"time_s": time_s, "price_usd": price_usd, "source": "own"} | changes))  # type: ignore[arg-type]
