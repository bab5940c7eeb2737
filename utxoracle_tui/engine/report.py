"""A priced window as the JSON document that `price --json` prints."""

from __future__ import annotations

import math
from typing import Any

from utxoracle_core import METHOD
from utxoracle_tui.engine.pricing import PricedWindow
from utxoracle_tui.engine.validation import DEFAULT_LIMITS, Limits, validate, warnings


def as_document(result: PricedWindow, limits: Limits = DEFAULT_LIMITS) -> dict[str, Any]:
    """All that is known of a priced window, with plain numbers, strings and nulls."""
    price, window = result.price, result.window
    outputs, verdict = price.outputs, validate(price, limits)
    return {
        "kind": window.kind,
        "name": window.name,
        "date": window.day.day.isoformat() if window.day else None,
        "network": result.network,
        "price_usd": price.price_usd,
        "rough_price_usd": price.rough.price_usd if price.rough else None,
        "deviation_usd": price.spread.deviation_usd if price.spread else None,
        "deviation_pct": price.spread.deviation_pct if price.spread else None,
        "plot_range": price.spread.plot_range if price.spread else None,
        "confidence": price.confidence.value,
        "confidence_parts": {
            "octave": price.confidence.octave,
            "points": price.confidence.points,
            "spread": price.confidence.spread,
        },
        "valid": verdict.valid,
        "reason": verdict.reason,
        "explanation": verdict.sentence,
        "warnings": list(warnings(price, window.boundary_ambiguous)),
        "first_height": outputs.first_height,
        "last_height": outputs.last_height,
        "first_hash": outputs.first_hash,
        "last_hash": outputs.last_hash,
        "first_time": int(outputs.block_times[0]),
        "last_time": int(outputs.block_times[-1]),
        "blocks": outputs.n_blocks,
        "transactions": outputs.filters.total,
        "filters": _filters(result),
        "outputs": outputs.n_outputs,
        "points": len(price.points.usd) if price.points else 0,
        "method": METHOD,
        "octave_suspect": price.octave_suspect,
        "octave": _octave(result),
        "boundary_ambiguous": window.boundary_ambiguous,
        "elapsed_s": result.elapsed_s,
    }


def _filters(result: PricedWindow) -> dict[str, int]:
    filters = result.price.outputs.filters
    return {
        "inputs": filters.inputs,
        "outputs": filters.outputs,
        "coinbase": filters.coinbase,
        "op_return": filters.op_return,
        "witness": filters.witness,
        "same_window": filters.same_window,
        "passed": filters.passed,
    }


def _octave(result: PricedWindow) -> dict[str, float | list[str] | None] | None:
    octave = result.price.octave
    if octave is None:
        return None
    return {
        "margin": octave.margin,
        "rival_usd": octave.rival_usd,
        # JSON has no infinity; it is one where no payment at all speaks for the price
        "ladder_ratio": octave.ladder_ratio if math.isfinite(octave.ladder_ratio) else None,
        "ladder_rival_usd": octave.ladder_rival_usd,
        "other_usd": octave.other_usd,
        "suspected_by": [look.value for look in octave.suspected_by],
    }
