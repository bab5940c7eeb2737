"""The rules of the method, each broken in one way: what `tests.bench.rules` puts into the core."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Change:
    """A text of the core, found once in the file, and what takes its place."""

    file: str
    old: str
    new: str


@dataclass(frozen=True)
class Mutant:
    section: str
    """Of the method: 1 which blocks, 2 which outputs, 3 histogram, 4 stencils, 5 rough price, 6 points, 7 central."""
    rule: str
    changes: tuple[Change, ...]
    tests: tuple[str, ...]
    """Modules of tests/unit."""
    unobservable: str | None = None
    """Why no test can notice."""
    compiled: bool = False
    """Concerns the compiled scanner."""


def _in(
    section: str, file: str, tests: str, *broken: tuple[str, str, str], compiled: bool = False
) -> tuple[Mutant, ...]:
    """Mutants of one file: (rule, text, what takes its place)."""
    return tuple(
        Mutant(section, rule, (Change(file, old, new),), tuple(tests.split()), compiled=compiled)
        for rule, old, new in broken
    )


_BLOCKS = _in(
    "1",
    "selection.py",
    "test_selection test_parity",
    ("estimates are rounded, not truncated", "return round(_BLOCKS", "return int(_BLOCKS"),
    (
        "halves go to the even block",
        "return round(_BLOCKS_PER_DAY * span_s / _DAY_S)",
        "return int((_BLOCKS_PER_DAY * span_s / _DAY_S + 0.5) // 1)",
    ),
    ("jumps go on above 6 blocks", "while jump > _CLOSE_JUMP", "while jump >= _CLOSE_JUMP"),
    ("a jump is compared with the one before the last", "jump != before_last", "jump != last"),
    ("jumps go back", "        height -= jump", "        height += jump"),
    (
        "from above, a block at midnight is left out",
        "while times[height] > midnight",
        "while times[height] >= midnight",
    ),
    ("from above, the first block after midnight", "return height + 1", "return height"),
    ("from below, a block at midnight is in", "while times[height] < midnight", "while times[height] <= midnight"),
    (
        "a landing at exactly midnight is the first block",
        "    if times[height] > midnight",
        "    if times[height] >= midnight",
    ),
    (
        "the day of the month decides the end",
        "_utc_day(times[last + 1]).day == day_of_month",
        "_utc_day(times[last + 1]) == _utc_day(times[first])",
    ),
    (
        "the first block of another day ends it",
        "    while last < times.tip and _utc_day(times[last + 1]).day == day_of_month:\n        last += 1\n",
        "    for h in range(first, min(first + 200, times.tip) + 1):\n"
        "        last = h if _utc_day(times[h]).day == day_of_month else last\n",
    ),
    ("a day ends at the tip", "while last < times.tip and", "while last + 1 < times.tip and"),
    ("the tip is not among the last blocks", "HeightRange(tip - count, tip - 1)", "HeightRange(tip - count + 1, tip)"),
    ("the day of block tip - 6 is too new", "if day > newest:", "if day >= newest:"),
    ("block tip - 6 decides", "CONSENSUS_DEPTH = 6", "CONSENSUS_DEPTH = 5"),
    ("the first date is 2023-12-15", "FIRST_DATE = date(2023, 12, 15)", "FIRST_DATE = date(2023, 12, 16)"),
    ("boundaries are tried within 30 blocks", "_BOUNDARY_REACH = 30", "_BOUNDARY_REACH = 29"),
)

_TRANSACTIONS = (
    *_in(
        "2",
        "scan_python.py",
        "test_scan_rules",
        (
            "five inputs pass",
            "            if n_in <= 5:\n                add_inputs",
            "            if n_in < 5:\n                add_inputs",
        ),
        (
            "500 bytes of witness pass",
            "if total_bytes > MAX_INPUT_WITNESS_BYTES",
            "if total_bytes >= MAX_INPUT_WITNESS_BYTES",
        ),
        ("the running total of witness items counts", "total_bytes += size", "total_bytes = max(total_bytes, size)"),
        (
            "each input's witness by itself",
            'compact_size(raw, offset, "number")\n        total_bytes = 0',
            'compact_size(raw, offset, "number")\n        total_bytes = locals().get("total_bytes", 0)',
        ),
        (
            "a null prevout is a coinbase anywhere in the block",
            "return [index for index, place in rows if _spends_null(raw, place, nulls)]",
            "return [index for index, place in rows if index == 0]",
        ),
        (
            "a null prevout is a coinbase in any input",
            "for _ in range(raw[offset - 1]):\n        if offset in nulls",
            "for _ in range(1):\n        if offset in nulls",
        ),
        (
            "OP_RETURN is said before witness",
            "    verdicts[open_rows[outputs.has_op_return]] = Verdict.OP_RETURN\n",
            "    verdicts[open_rows[outputs.has_op_return]] = Verdict.OP_RETURN\n"
            "    verdicts[walked.big_witness] = Verdict.WITNESS\n",
        ),
        (
            "inputs are said before outputs",
            "verdicts[index] = 2 if n_in <= 5 else 1",
            "verdicts[index] = 2",
        ),
        (
            "the txid leaves marker and flag out",
            "plain = d[start : start + 4] + d[start + 6 : witness]",
            "plain = d[start : start + 4] + d[start + 4 : witness]",
        ),
    ),
    *_in(
        "2",
        "scan_candidates.py",
        "test_scan_rules",
        ("an empty script is no OP_RETURN", "(size > 0) & (data[script] == OP_RETURN)", "(data[script] == OP_RETURN)"),
        (
            "a lone 0x6a is an OP_RETURN",
            "(size > 0) & (data[script] == OP_RETURN)",
            "(size > 1) & (data[script] == OP_RETURN)",
        ),
        ("an OP_RETURN in either output", "has_op_return |= (size > 0)", "has_op_return = (size > 0)"),
    ),
    *_in(
        "2",
        "scan.py",
        "test_scan_rules",
        ("the witness limit is 500", "MAX_INPUT_WITNESS_BYTES = 500", "MAX_INPUT_WITNESS_BYTES = 499"),
        ("the first byte 0x6a", "OP_RETURN = 0x6A", "OP_RETURN = 0x6B"),
    ),
    *_in(
        "2",
        "scan_kernel.py",
        "test_scan_rules",
        ("compiled: five inputs pass", "if n_inputs > MAX_CANDIDATE_INPUTS", "if n_inputs >= MAX_CANDIDATE_INPUTS"),
        (
            "compiled: 500 bytes of witness pass",
            "if n_bytes > MAX_INPUT_WITNESS_BYTES",
            "if n_bytes >= MAX_INPUT_WITNESS_BYTES",
        ),
        (
            "compiled: coinbase is said before OP_RETURN",
            "    if null:\n        return _COINBASE\n    if op_return:\n        return _OP_RETURN\n",
            "    if op_return:\n        return _OP_RETURN\n    if null:\n        return _COINBASE\n",
        ),
        compiled=True,
    ),
)

_WINDOWS = _in(
    "2",
    "window.py",
    "test_window",
    ("a transaction is seen before it is judged", "<= positions[owner[maybe]]", "< positions[owner[maybe]]"),
    (
        "later transactions are not seen yet",
        "prevouts[maybe])] <= positions[owner[maybe]]",
        "prevouts[maybe])] < len(txids)",
    ),
    ("spends inside the window are out", "spends[owner[maybe[seen]]] = True", "spends[owner[maybe[seen]]] = False"),
    (
        "the window is what counts, not the block",
        "start for d, start in zip(digests, first_tx, strict=True)",
        "0 for d, start in zip(digests, first_tx, strict=True)",
    ),
    (
        "the whole txid decides",
        "same = (txids[places] == wanted[open_rows]).all(axis=1)",
        "same = np.ones(len(places), np.bool_)",
    ),
    (
        "the first of equal txids counts",
        'np.argsort(prefixes, kind="stable")',
        "np.lexsort((-np.arange(len(prefixes)), prefixes))",
    ),
    ("1,000 sats are out", "(amounts_btc > MIN_AMOUNT_BTC)", "(amounts_btc >= MIN_AMOUNT_BTC)"),
    ("10^13 sats are out", "(amounts_btc < MAX_AMOUNT_BTC)", "(amounts_btc <= MAX_AMOUNT_BTC)"),
    (
        "each output is kept on its own",
        "kept = (amounts_btc > MIN_AMOUNT_BTC) & (amounts_btc < MAX_AMOUNT_BTC)",
        "kept = (amounts_btc > MIN_AMOUNT_BTC) & (amounts_btc < MAX_AMOUNT_BTC)\n"
        "    kept = np.repeat(kept.reshape(-1, 2).all(axis=1), 2)",
    ),
    ("amounts are sats divided by 1e8", "output_sats[~spends] / SATS_PER_BTC", "output_sats[~spends] * 1e-8"),
)

_HISTOGRAM = _in(
    "3",
    "histogram.py",
    "test_histogram test_tables",
    ("an amount at an edge belongs above it", "amounts_btc >= np.append", "amounts_btc > np.append"),
    (
        "edges from scalar pow",
        "    result = np.array(edges)",
        "    result = np.concatenate(([0.0], np.logspace(-6, 6, len(edges) - 1, endpoint=False)))",
    ),
    ("bin 200 is emptied", "curve[:FIRST_BIN] = 0", "curve[: FIRST_BIN - 1] = 0"),
    ("bin 1600 stays", "curve[LAST_BIN + 1 :] = 0", "curve[LAST_BIN:] = 0"),
    ("smoothing sees emptied bins", "0.5 * (curve[k + 1] + curve[k - 1])", "0.5 * (counts[k + 1] + counts[k - 1])"),
    ("smoothing takes the mean", "0.5 * (curve[k + 1] + curve[k - 1])", "min(curve[k + 1], curve[k - 1])"),
    ("the round-BTC bins", "496, 540, 601", "496, 541, 601"),
    (
        "the sum runs left to right",
        "np.cumsum(curve[FIRST_BIN : LAST_BIN + 1])[-1]",
        "np.sum(curve[FIRST_BIN : LAST_BIN + 1])",
    ),
    (
        "division comes before the cap",
        "np.minimum(curve[inner] / curve_sum(curve), BIN_CAP)",
        "np.minimum(curve[inner], BIN_CAP) / curve_sum(curve)",
    ),
    (
        "the capped shares are not divided again",
        "curve_sum(curve), BIN_CAP)\n    return result",
        "curve_sum(curve), BIN_CAP)\n    result[inner] = result[inner] / curve_sum(result)\n    return result",
    ),
    ("the cap is 0.008", "BIN_CAP = 0.008", "BIN_CAP = 0.0081"),
)

_STENCILS = (
    *_in(
        "4",
        "stencil.py",
        "test_tables",
        (
            "the smooth stencil from scalar pow",
            "2.718281828459045 ** (-((x - 411) ** 2) / (2 * 201**2))",
            "float(np.power(2.718281828459045, -((x - 411) ** 2) / (2 * 201**2)))",
        ),
        ("the slope of the smooth stencil", "0.0000005 * x", "0.00000051 * x"),
        ("the spike of $100", "401: 0.006174500465286022", "401: 0.006174500465286023"),
    ),
)

_ROUGH = _in(
    "5",
    "rough.py",
    "test_rough test_parity",
    ("the smooth part counts below slide 150", "_slides() < SMOOTH_BELOW_SLIDE", "_slides() <= SMOOTH_BELOW_SLIDE"),
    ("the weight of the smooth part", "SMOOTH_WEIGHT = 0.65", "SMOOTH_WEIGHT = 0.66"),
    ("slides from -141", "FIRST_SLIDE, LAST_SLIDE = -141, 200", "FIRST_SLIDE, LAST_SLIDE = -140, 200"),
    ("slides to 200", "FIRST_SLIDE, LAST_SLIDE = -141, 200", "FIRST_SLIDE, LAST_SLIDE = -141, 199"),
    (
        "the first highest slide wins",
        "best = int(np.argmax(scores))",
        "best = len(scores) - 1 - int(np.argmax(scores[::-1]))",
    ),
    ("a tie of the neighbours goes up", "if down > up else", "if down >= up else"),
    (
        "neighbours by their spikes alone",
        "    up, down = _spike_score(curve, slide + 1), _spike_score(curve, slide - 1)\n",
        "    up, down = (float(scores[min(max(best + step, 0), len(scores) - 1)]) for step in (1, -1))\n",
    ),
    ("the better neighbour", "(-1, down) if down > up else (1, up)", "(-1, down) if down < up else (1, up)"),
    ("the mean from a sum left to right", "float(np.cumsum(scores)[-1]) / len(scores)", "float(np.mean(scores))"),
    ("the mean over all slides", "/ len(scores)\n", "/ (len(scores) - 1)\n"),
    ("the neighbour's distance from the mean is absolute", "abs(neighbour_score - mean)", "neighbour_score - mean"),
    ("whole dollars by truncation", "price = int(w1", "price = round(w1"),
    (
        "scores are summed in order",
        "np.cumsum(windows[stencil_start(FIRST_SLIDE) : stencil_start(LAST_SLIDE) + 1] * stencil, axis=1)[:, -1]",
        "np.sum(windows[stencil_start(FIRST_SLIDE) : stencil_start(LAST_SLIDE) + 1] * stencil, axis=1)",
    ),
    (
        "weights first, then prices",
        "int(w1 * slide_price_usd(slide) + w2 * slide_price_usd(slide + neighbour))",
        "int(w1 * slide_price_usd(slide) + w2 * slide_price_usd(slide))",
    ),
)

_POINTS = _in(
    "6",
    "points.py",
    "test_points test_tables",
    ("the ladder's steps", "20, 25, 30, 40, 50", "20, 25, 30, 50"),
    ("the ladder's order", "USD_LADDER = (5, 10, 15,", "USD_LADDER = (5, 15, 10,"),
    ("a band's lower end is outside", "(low < amounts)", "(low <= amounts)"),
    ("a band's upper end is outside", "(amounts < high)", "(amounts <= high)"),
    ("a quarter to both sides", "REACH = 0.25", "REACH = 0.2499"),
    ("the lower end near a round amount is outside", 'amounts_btc, side="left") - 1', 'amounts_btc, side="right") - 1'),
    (
        "the upper end near a round amount is outside",
        "(amounts_btc < high[np.maximum(below, 0)])",
        "(amounts_btc <= high[np.maximum(below, 0)])",
    ),
    ("0.01 % to both sides", "ROUND_BTC_REACH = 0.0001", "ROUND_BTC_REACH = 0.00011"),
    (
        "round amounts by adding up steps",
        "            amounts.append(amount)\n            amount += step",
        "            amounts.append(amount)\n            amount = round(amount + step, 6)",
    ),
    ("round amounts give no point", "rows = rows[~near_round_btc(amounts_btc[rows])]", "rows = rows[:]"),
    ("a point is a quotient", "[step] / amounts[output]", "[step] * (1 / amounts[output])"),
    (
        "points in order of the outputs",
        "output, step = np.divmod(np.flatnonzero(hits), len(USD_LADDER))",
        "step, output = np.divmod(np.flatnonzero(hits.T), len(hits))",
    ),
)

_CENTRAL = (
    *_in(
        "7",
        "central.py",
        "test_central test_parity",
        ("the lower end is outside", "(low < points_usd)", "(low <= points_usd)"),
        ("the upper end is outside", "(points_usd < high)", "(points_usd <= high)"),
        ("the central price is no median", "price = float(x[np.argmin(distance)])", "price = float(np.median(x))"),
        ("it is no lower middle point", "price = float(x[np.argmin(distance)])", "price = float(x[(n - 1) // 2])"),
        ("the total from a sum left to right", "right = sums[-1] - sums", "right = np.sum(x) - sums"),
        (
            "sums grouped as written",
            "distance = (x * index - left) + (right - x * (n - index - 1))",
            "distance = x * index - left + right - x * (n - index - 1)",
        ),
        ("the first of equals", "x[np.argmin(distance)]", "x[n - 1 - np.argmin(distance[::-1])]"),
        ("the deviation is a median", "_median(np.abs(x - price))", "float(np.mean(np.abs(x - price)))"),
        (
            "the mean of the two middle deviations",
            "return (float(ordered[middle - 1]) + float(ordered[middle])) / 2",
            "return float(ordered[middle])",
        ),
    ),
    *_in(
        "7",
        "price.py",
        "test_parity test_method",
        (
            "one pass, no search for a fixed point",
            "    spread = _spread(points.usd, middle.price_usd)\n",
            "    for _ in range(20):\n"
            "        before, reach = middle.price_usd, CENTRAL_REACH * middle.price_usd\n"
            "        middle = central(points.usd, before - reach, before + reach) or middle\n"
            "        if middle.price_usd == before:\n"
            "            break\n"
            "    spread = _spread(points.usd, middle.price_usd)\n",
        ),
        (
            "the upper end of the band is a sum",
            "middle = central(points.usd, rough.price_usd - reach, rough.price_usd + reach)",
            "middle = central(points.usd, rough.price_usd - reach, 1.05 * rough.price_usd)",
        ),
        (
            "the lower end of the band is a difference",
            "middle = central(points.usd, rough.price_usd - reach, rough.price_usd + reach)",
            "middle = central(points.usd, 0.95 * rough.price_usd, rough.price_usd + reach)",
        ),
        ("points within 5 %", "CENTRAL_REACH = 0.05", "CENTRAL_REACH = 0.0501"),
        ("the spread within 10 %", "SPREAD_REACH = 0.1", "SPREAD_REACH = 0.11"),
        ("the band of the spread is a difference", "deviation_usd / (up - down)", "deviation_usd / (0.2 * price_usd)"),
        (
            "the deviation is from the central of the wide band",
            "deviation_usd = wide.deviation_usd if wide else 0.0",
            "away = np.sort(np.abs(points_usd[(down < points_usd) & (points_usd < up)] - price_usd))\n"
            "    deviation_usd = float(np.median(away)) if wide else 0.0",
        ),
        (
            "the plot range: quotient first",
            "(deviation_pct - 0.17) * ((0.15 - 0.05) / (0.20 - 0.17))",
            "(deviation_pct - 0.17) * (0.15 - 0.05) / (0.20 - 0.17)",
        ),
        (
            "the plot range is 0.05 at least",
            "MIN_PLOT_RANGE, MAX_PLOT_RANGE = 0.05, 0.20",
            "MIN_PLOT_RANGE, MAX_PLOT_RANGE = 0.0, 0.20",
        ),
        (
            "the plot range is 0.20 at most",
            "MIN_PLOT_RANGE, MAX_PLOT_RANGE = 0.05, 0.20",
            "MIN_PLOT_RANGE, MAX_PLOT_RANGE = 0.05, 0.25",
        ),
        ("plot bounds as a difference", "price_usd - plot_range * price_usd", "price_usd * (1 - plot_range)"),
    ),
)

_UNOBSERVABLE = (
    Mutant(
        "5",
        "no score above zero is no price",
        (Change("rough.py", "if not best_score > 0:", "if best_score < 0:"),),
        ("test_rough",),
        unobservable="all scores are zero then, and that the weights cannot be told says the same",
    ),
    Mutant(
        "6",
        "the upper end of a band is a sum",
        (Change("points.py", "centre + REACH * centre)", "centre * 1.25)"),),
        ("test_points",),
        unobservable="a quarter is exact in binary, so both are the same number, rounded once",
    ),
    Mutant(
        "3",
        "the order of the round-BTC bins",
        (Change("histogram.py", "for k in ROUND_BTC_BINS:", "for k in reversed(ROUND_BTC_BINS):"),),
        ("test_histogram",),
        unobservable="no two of them are neighbours, so none sees what another one left",
    ),
    Mutant(
        "6",
        "the lower of two overlapping round amounts",
        (Change("points.py", "return nearest | second", "return nearest"),),
        ("test_points",),
        unobservable="the upper one's band reaches further up, so it decides alone",
    ),
)

MUTANTS = (
    *_BLOCKS,
    *_TRANSACTIONS,
    *_WINDOWS,
    *_HISTOGRAM,
    *_STENCILS,
    *_ROUGH,
    *_POINTS,
    *_CENTRAL,
    *_UNOBSERVABLE,
)
