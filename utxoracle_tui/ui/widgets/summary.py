"""A priced window in words: the figure, what to make of it, and what it was made from."""

from __future__ import annotations

from rich.table import Table
from rich.text import Text
from textual.widgets import Static

from utxoracle_core.price import METHOD
from utxoracle_core.window import WindowOutputs
from utxoracle_tui import formats
from utxoracle_tui.engine.pricing import PricedWindow
from utxoracle_tui.engine.validation import Limits, Validity, validate, warnings
from utxoracle_tui.ui.verdict_words import verdict as verdict_words

_CELLS = 10


class PriceSummary(Static):
    """The price with name, verdict, confidence, spread and warnings."""

    def show(self, result: PricedWindow, limits: Limits) -> None:
        """Show another window; `limits` are what a valid price has to meet."""
        self.update(text_of(result, limits))


class FilterSummary(Static):
    """What each filter left out."""

    def show(self, result: PricedWindow) -> None:
        """Show another window."""
        self.update(_filters(result.price.outputs))


def text_of(result: PricedWindow, limits: Limits) -> Text:
    """The window as a paragraph, with colours."""
    price = result.price
    verdict = validate(price, limits)
    text = Text()
    text.append(title_of(result), "bold")
    text.append("\n")
    text.append(formats.usd(price.price_usd) if price.price_usd is not None else "no price", "bold")
    text.append(" per BTC   " if price.price_usd is not None else "   ")
    text.append_text(verdict_words(valid=verdict.valid))
    text.append(f"   confidence {_bar(price.confidence.value)} {price.confidence.value:.2f}")
    for sentence in _sentences(result, verdict):
        text.append("\n⚠ ", "bold yellow")
        text.append(sentence, "yellow")
    for line in _details(result):
        text.append("\n" + line)
    return text


def file_name(result: PricedWindow) -> str:
    """The window in the name of a file."""
    window = result.window
    return f"window-{window.day.day}" if window.day else f"window-{window.blocks.first}-{window.blocks.last}"


def facts(result: PricedWindow) -> dict[str, object]:
    """What a file with the window says of it first."""
    outputs = result.price.outputs
    return {
        "what": "window",
        "network": result.network,
        "method": METHOD,
        "first_height": outputs.first_height,
        "last_height": outputs.last_height,
        "first_hash": outputs.first_hash,
        "last_hash": outputs.last_hash,
        "transactions": outputs.filters.total,
        "counted": outputs.filters.passed,
    }


def title_of(result: PricedWindow) -> str:
    """The canonical name of a price, or what it is the price of."""
    window = result.window
    blocks = f"blocks {window.blocks.first}–{window.blocks.last}"
    of = f"{window.day.day} UTC, {blocks}" if window.day else blocks
    return f"{window.name}, {of}" if window.name else f"Price of {of}"


def _bar(value: float) -> str:
    filled = round(value * _CELLS)
    return "▮" * filled + "▯" * (_CELLS - filled)


def _sentences(result: PricedWindow, verdict: Validity) -> list[str]:
    found = list(warnings(result.price, result.window.boundary_ambiguous))
    if verdict.sentence and verdict.reason in {"low_confidence", "price_out_of_range"}:
        found.insert(0, verdict.sentence)
    return found


def _details(result: PricedWindow) -> list[str]:
    price = result.price
    outputs, parts = price.outputs, price.confidence
    made_of = (
        f"{formats.plural(outputs.n_blocks, 'block')} · "
        f"{formats.utc_span(float(outputs.block_times[0]), float(outputs.block_times[-1]))}"
    )
    if price.points:
        made_of += f" · {len(price.points.usd):,} points"
    lines = [made_of]
    if price.rough and price.spread:
        lines.append(
            f"spread ± {formats.whole_usd(price.spread.deviation_usd)} "
            f"({formats.percent(price.spread.deviation_pct)} of the band) · "
            f"rough price {formats.whole_usd(price.rough.price_usd)}"
        )
    if price.rough and price.octave:
        lines.append(
            f"confidence: octave {parts.octave:.2f}, points {parts.points:.2f}, spread {parts.spread:.2f} · "
            f"leads {formats.whole_usd(price.octave.rival_usd)} by {formats.percent(price.octave.margin)}"
        )
    return lines


def _filters(outputs: WindowOutputs) -> Table:
    filters = outputs.filters
    rows = [
        ("transactions", filters.total, ""),
        ("more than 5 inputs", filters.inputs, "−"),
        ("not exactly 2 outputs", filters.outputs, "−"),
        ("coinbase", filters.coinbase, "−"),
        ("OP_RETURN", filters.op_return, "−"),
        ("witness over 500 bytes", filters.witness, "−"),
        ("spends inside the window", filters.same_window, "−"),
        ("counted", filters.passed, "="),
    ]
    table = Table.grid(padding=(0, 1))
    table.add_column()
    table.add_column(justify="right")
    table.add_column(justify="right")
    for name, number, sign in rows:
        share = formats.percent(number / filters.total) if filters.total else ""
        style = "bold" if sign in {"", "="} else ""
        table.add_row(f"{sign or ' '} {name}", formats.count(number), share, style=style)
    table.add_row("  amounts from these", formats.count(outputs.n_outputs), "")
    return table
