"""The price method once more, read off its rules line by line, in plain Python without numpy.

Slow, literal and separate from the core: lists, loops and single additions, so that the order of every sum is seen.
The numbers of the sections are those of the rules: 1 which blocks, 2 which outputs, 3 histogram, 4 stencils, 5 rough
price, 6 price points, 7 central price.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from functools import cache

from tests.support.block_reader import Block, Transaction

# --- section 1


class Refused(ValueError):
    """A day that may not be asked for; the text is the kind."""


def day_window(day: date | None, times: Mapping[int, int], tip: int) -> tuple[int, int]:
    """First and last height of a day as seen from `tip`. Raises `KeyError` for a missing header time."""
    c = tip - 6
    if day is None:
        day = newest_day(times, tip)
    m = midnight_s(day)
    if not m < midnight_s(newest_day(times, tip) + timedelta(days=1)):
        raise Refused("date_too_new")
    if day < date(2023, 12, 15):
        raise Refused("date_too_old")
    return day_from(_search(m, times, c), m, times, tip)


def newest_day(times: Mapping[int, int], tip: int) -> date:
    """The day before that of the block six below the tip."""
    return datetime.fromtimestamp(times[tip - 6], UTC).date() - timedelta(days=1)


def _search(m: int, times: Mapping[int, int], c: int) -> int:
    """Step 1."""
    h = c - round(144 * (times[c] - m) / 86400)
    jumps = [round(144 * (times[h] - m) / 86400)]
    while jumps[-1] > 6 and not (len(jumps) >= 3 and jumps[-1] == jumps[-3]):
        h -= jumps[-1]
        jumps.append(round(144 * (times[h] - m) / 86400))
    return h


def day_from(h: int, m: int, times: Mapping[int, int], tip: int) -> tuple[int, int]:
    """Steps 2 and 3 from height `h`, for the midnight `m`."""
    if times[h] > m:
        while times[h] > m:
            h -= 1
        h += 1
    elif times[h] < m:
        while times[h] < m:
            h += 1
    first = h
    while h < tip and _day_of_month(times[h + 1]) == _day_of_month(times[first]):
        h += 1
    return first, h


def midnight_s(day: date) -> int:
    return int(datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp())


@cache
def _day_of_month(time_s: int) -> int:
    return datetime.fromtimestamp(time_s, UTC).day


# --- section 2

REASONS = ("inputs", "outputs", "coinbase", "op_return", "witness")


def reason_against(tx: Transaction) -> str | None:
    """The first rule, but the one about spends, that a transaction breaks; None for a candidate."""
    broken = {
        "inputs": len(tx.inputs) > 5,
        "outputs": len(tx.outputs) != 2,
        "coinbase": any(spent.is_null for spent in tx.inputs),
        "op_return": any(output.script[:1] == b"\x6a" for output in tx.outputs),
        "witness": any(sum(len(item) for item in spent.witness) > 500 for spent in tx.inputs),
    }
    return next((reason for reason in REASONS if broken[reason]), None)


@dataclass
class Outputs:
    """What section 2 keeps of a window."""

    amounts_btc: list[float] = field(default_factory=list)
    heights: list[int] = field(default_factory=list)
    excluded: Counter[str] = field(default_factory=Counter)
    n_tx: int = 0


def window_outputs(blocks: Iterable[tuple[int, Block]]) -> Outputs:
    """Section 2 over blocks with their heights, in order."""
    kept = Outputs()
    seen: set[bytes] = set()
    for height, block in blocks:
        for tx in block.transactions:
            kept.n_tx += 1
            seen.add(tx.txid)
            reason = reason_against(tx)
            if reason is None and any(spent.prevout_txid in seen for spent in tx.inputs):
                reason = "same_window"
            if reason is not None:
                kept.excluded[reason] += 1
                continue
            for output in tx.outputs:
                amount = output.sats / 1e8
                if 1e-5 < amount < 1e5:
                    kept.amounts_btc.append(amount)
                    kept.heights.append(height)
    return kept


# --- section 3


@cache
def edges() -> tuple[float, ...]:
    return (0.0, *(10 ** (e + b / 200) for e in range(-6, 6) for b in range(200)))


ROUND_BTC_BINS = (201, 401, 461, 496, 540, 601, 661, 696, 740, 801, 861, 896, 940, 1001, 1061, 1096, 1140, 1201)


def counted(amounts_btc: Iterable[float]) -> list[float]:
    """How many amounts each bin holds."""
    bounds = edges()
    counts = [0.0] * 2401
    for amount in amounts_btc:
        # a first guess from the logarithm, then the comparison that the rule asks for
        k = min(max(int((math.log10(amount) + 6) * 200), 0), 2400)
        while bounds[k] > amount:
            k -= 1
        while k < 2400 and bounds[k + 1] <= amount:
            k += 1
        counts[k] += 1
    return counts


def smoothed(counts: Sequence[float]) -> list[float]:
    """Steps 1 and 2."""
    curve = list(counts)
    for k in (*range(201), *range(1601, 2401)):
        curve[k] = 0.0
    for k in ROUND_BTC_BINS:
        curve[k] = 0.5 * (curve[k + 1] + curve[k - 1])
    return curve


def total_of(curve: Sequence[float]) -> float:
    return _sum(curve[201:1601])


def normalised(curve: Sequence[float]) -> list[float]:
    """Step 3."""
    total = total_of(curve)
    return [min(x / total, 0.008) if 201 <= k <= 1600 else x for k, x in enumerate(curve)]


def _sum(values: Iterable[float]) -> float:
    # Python's own sum() compensates from 3.12 on, and this must not
    total = 0.0
    for value in values:
        total += value
    return total


# --- section 4

_SPIKES = (
    *((40, 0.001300198324984352), (141, 0.001676746949820743), (201, 0.003468805546942046)),
    *((202, 0.001991977522512513), (236, 0.001905066647961839), (261, 0.003341772718156079)),
    *((262, 0.002588902624584287), (296, 0.002577893841190244), (297, 0.002733728814200412)),
    *((340, 0.003076117748975647), (341, 0.005613067550103145), (342, 0.003088253178535568)),
    *((400, 0.002918457489366139), (401, 0.006174500465286022), (402, 0.004417068070043504)),
    *((403, 0.002628663628020371), (436, 0.002858828161543839), (461, 0.004097463611984264)),
    *((462, 0.003345917406120509), (496, 0.002521467726855856), (497, 0.002784125730361008)),
    *((541, 0.003792850444811335), (601, 0.003688240815848247), (602, 0.002392400117402263)),
    *((636, 0.001280993059008106), (661, 0.001654665137536031), (662, 0.001395501347054946)),
    *((741, 0.001154279140906312), (801, 0.000832244504868709)),
)


@cache
def spike_stencil() -> tuple[float, ...]:
    weights = dict(_SPIKES)
    return tuple(weights.get(k, 0.0) for k in range(803))


@cache
def smooth_stencil() -> tuple[float, ...]:
    return tuple(0.00150 * 2.718281828459045 ** (-((x - 411) ** 2) / (2 * 201**2)) + 0.0000005 * x for x in range(803))


# --- section 5


@dataclass(frozen=True)
class Rough:
    price_usd: int
    best_slide: int
    best_score: float
    neighbour: int
    scores: list[float]


def rough_price(curve: Sequence[float]) -> Rough:
    """The rough price. Raises `ZeroDivisionError` where the reference does."""
    best_slide, best_score = 0, 0.0
    scores = []
    for slide in range(-141, 201):
        score = _spike_score(curve, slide)
        if slide < 150:
            piece = _slice(curve, slide)
            score = score + _sum(x * y for x, y in zip(piece, smooth_stencil(), strict=True)) * 0.65
        scores.append(score)
        if score > best_score:
            best_slide, best_score = slide, score
    neighbour, neighbour_score = 1, _spike_score(curve, best_slide + 1)
    if _spike_score(curve, best_slide - 1) > neighbour_score:
        neighbour, neighbour_score = -1, _spike_score(curve, best_slide - 1)
    avg = _sum(scores) / 342
    a1, a2 = best_score - avg, abs(neighbour_score - avg)
    w1, w2 = a1 / (a1 + a2), a2 / (a1 + a2)
    p_best, p_neighbour = 100 / edges()[601 + best_slide], 100 / edges()[601 + best_slide + neighbour]
    return Rough(int(w1 * p_best + w2 * p_neighbour), best_slide, best_score, neighbour, scores)


def _slice(curve: Sequence[float], slide: int) -> Sequence[float]:
    start = 601 - 402 + slide
    return curve[start : start + 803]


def _spike_score(curve: Sequence[float], slide: int) -> float:
    return _sum(x * y for x, y in zip(_slice(curve, slide), spike_stencil(), strict=True))


# --- section 6

LADDER_USD = (5, 10, 15, 20, 25, 30, 40, 50, 100, 150, 200, 300, 500, 1000)


@cache
def round_btc() -> tuple[float, ...]:
    found = []
    for start, limit, step in (
        (0.00005, 0.0001, 0.00001),
        (0.0001, 0.001, 0.00001),
        (0.001, 0.01, 0.0001),
        (0.01, 0.1, 0.001),
        (0.1, 1, 0.01),
    ):
        i = start
        while i < limit:
            found.append(i)
            i += step
    return tuple(found)


def near_round_btc(amount: float) -> bool:
    return any(r - 0.0001 * r < amount < r + 0.0001 * r for r in round_btc())


def price_points(amounts_btc: Sequence[float], rough_usd: int) -> list[tuple[int, float]]:
    """Each point with the position of the output that gives it."""
    points = []
    for position, n in enumerate(amounts_btc):
        for usd in LADDER_USD:
            a = usd / rough_usd
            if a - 0.25 * a < n < a + 0.25 * a and not near_round_btc(n):
                points.append((position, usd / n))
    return points


# --- section 7


def central(points: Iterable[float], low: float, high: float) -> tuple[float, float] | None:
    """The central price and the median absolute deviation from it."""
    x = sorted(point for point in points if low < point < high)
    if not x:
        return None
    n = len(x)
    p: list[float] = []
    for value in x:
        p.append((p[-1] if p else 0.0) + value)
    distances = [(x[i] * i - (p[i - 1] if i else 0.0)) + ((p[n - 1] - p[i]) - x[i] * (n - i - 1)) for i in range(n)]
    price = x[distances.index(min(distances))]
    away = sorted(abs(value - price) for value in x)
    middle = n // 2
    return price, away[middle] if n % 2 else (away[middle - 1] + away[middle]) / 2


@dataclass(frozen=True)
class Spread:
    deviation_usd: float
    deviation_pct: float
    plot_range: float
    plot_low_usd: float
    plot_high_usd: float


def spread(points: Sequence[float], price: float) -> Spread:
    up, dn = price + 0.1 * price, price - 0.1 * price
    wide = central(points, dn, up)
    assert wide is not None, "the price is one of the points"
    deviation = wide[1]
    pct = deviation / (up - dn)
    plot_range = 0.05 + (pct - 0.17) * ((0.15 - 0.05) / (0.20 - 0.17))
    plot_range = 0.05 if plot_range < 0.05 else 0.2 if plot_range > 0.2 else plot_range
    return Spread(deviation, pct, plot_range, price - plot_range * price, price + plot_range * price)


@dataclass(frozen=True)
class Priced:
    curve: list[float]
    curve_sum: float
    rough: Rough
    points: list[tuple[int, float]]
    price_usd: float
    spread: Spread


def price(amounts_btc: Sequence[float]) -> Priced:
    """Sections 3 to 7 in a row, for amounts that the reference has a price for."""
    counts = smoothed(counted(amounts_btc))
    curve = normalised(counts)
    rough = rough_price(curve)
    points = price_points(amounts_btc, rough.price_usd)
    usd = [point for _, point in points]
    reach = 0.05 * rough.price_usd
    middle = central(usd, rough.price_usd - reach, rough.price_usd + reach)
    assert middle is not None
    return Priced(curve, total_of(counts), rough, points, middle[0], spread(usd, middle[0]))
