"""Whether a window price is fit for use, and why not."""

from __future__ import annotations

from dataclasses import dataclass

from utxoracle_core.confidence import VALID_FROM
from utxoracle_core.price import Outcome, WindowPrice


@dataclass(frozen=True, slots=True)
class Limits:
    """What a valid price has to meet."""

    min_confidence: float = VALID_FROM
    min_price_usd: float = 10_000.0
    max_price_usd: float = 500_000.0


@dataclass(frozen=True, slots=True)
class Validity:
    """A verdict: `reason` is a stable word and `sentence` says it to people; both None when valid."""

    valid: bool
    reason: str | None = None
    sentence: str | None = None


DEFAULT_LIMITS = Limits()
_BRIEFLY = {
    "price_out_of_range": "the figure lies outside the limits",
    "low_confidence": "low confidence",
    "octave_suspect": "it may be a round factor off",
    Outcome.NO_CANDIDATES.value: "nothing in it can be priced",
    Outcome.NO_SIGNAL.value: "no round USD sums in it",
    Outcome.NO_POINTS.value: "no payment near the rough price",
    Outcome.FLAT_HISTOGRAM.value: "its amounts are spread evenly",
    Outcome.TOO_FEW_BLOCKS.value: "too few blocks",
}


def validate(price: WindowPrice, limits: Limits = DEFAULT_LIMITS) -> Validity:
    """Judge a window price; the first thing that speaks against it is the reason."""
    if price.outcome is not Outcome.PRICED:
        return Validity(False, price.outcome.value, price.outcome.sentence)
    value = price.price_usd
    if value is None or not limits.min_price_usd <= value <= limits.max_price_usd:
        sentence = f"The figure lies outside ${limits.min_price_usd:,.0f} to ${limits.max_price_usd:,.0f}."
        return Validity(False, "price_out_of_range", sentence)
    if price.confidence.value < limits.min_confidence:
        sentence = f"Confidence {price.confidence.value:.2f} is below {limits.min_confidence:.2f}."
        if price.octave_suspect and price.octave is not None:
            return Validity(False, "octave_suspect", f"{sentence} {_octave_sentence(price.octave.other_usd)}")
        return Validity(False, "low_confidence", sentence)
    return Validity(True)


def briefly(reason: str | None) -> str:
    """A stored reason in a few words, where there is no room for the sentence."""
    if reason is None:
        return "for a reason that was not recorded"
    return _BRIEFLY.get(reason, reason.replace("_", " "))


def _octave_sentence(other_usd: float) -> str:
    return f"The price may be a round factor off: ${other_usd:,.0f} has as good a case."


def warnings(price: WindowPrice, boundary_ambiguous: bool) -> tuple[str, ...]:
    """What an operator has to know besides the figure, a sentence each, the gravest first."""
    found = []
    if price.outcome is not Outcome.PRICED:
        found.append(price.outcome.sentence)
    if price.octave_suspect and price.octave is not None:
        found.append(_octave_sentence(price.octave.other_usd))
    if boundary_ambiguous:
        found.append("The day's first block is ambiguous: asked for from another tip, the day can have other blocks.")
    return tuple(found)
