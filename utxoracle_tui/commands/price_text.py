"""A priced window, in words for the terminal."""

from __future__ import annotations

from utxoracle_tui import formats
from utxoracle_tui.engine.pricing import PricedWindow
from utxoracle_tui.engine.validation import Limits, validate, warnings


def as_text(result: PricedWindow, limits: Limits) -> str:
    """All that an operator wants to know of it."""
    price, window = result.price, result.window
    outputs, verdict = price.outputs, validate(price, limits)
    blocks = f"blocks {outputs.first_height}–{outputs.last_height}"
    title = window.name or (f"Price of {window.day.day}" if window.day else f"Price of {blocks}")
    figure = f"{formats.usd(price.price_usd)} per BTC" if price.price_usd is not None else "no price"
    rows = [("", figure + ("" if verdict.valid else "   NOT VALID"))]
    rows += [("warning", text) for text in warnings(price, window.boundary_ambiguous)]
    if verdict.sentence and verdict.sentence not in {text for _, text in rows}:
        rows.append(("not valid", verdict.sentence))
    parts = price.confidence
    rows += [
        (
            "confidence",
            f"{parts.value:.2f} of 1 (octave {parts.octave:.2f}, points {parts.points:.2f}, spread {parts.spread:.2f})",
        ),
        (
            "window",
            f"{formats.plural(outputs.n_blocks, 'block')}, {outputs.first_height}–{outputs.last_height}, "
            f"{formats.utc_span(float(outputs.block_times[0]), float(outputs.block_times[-1]))}",
        ),
    ]
    if price.rough and price.spread and price.points:
        rows += [
            ("rough price", formats.whole_usd(price.rough.price_usd)),
            (
                "spread",
                f"± {formats.whole_usd(price.spread.deviation_usd)} median deviation, "
                f"{formats.percent(price.spread.deviation_pct)} of the band",
            ),
            ("points", f"{len(price.points.usd):,} from {outputs.n_outputs:,} outputs"),
        ]
    filters = outputs.filters
    rows.append(
        (
            "transactions",
            f"{filters.total:,}, of which {filters.passed:,} count; left out: {filters.inputs:,} inputs, "
            f"{filters.outputs:,} outputs, {filters.coinbase:,} coinbase, {filters.op_return:,} OP_RETURN, "
            f"{filters.witness:,} witness, {filters.same_window:,} spent inside",
        )
    )
    rows.append(("took", f"{result.elapsed_s:.2f} s"))
    return title + "\n" + "".join(f"  {name:<13} {text}\n" if name else f"  {text}\n" for name, text in rows)
