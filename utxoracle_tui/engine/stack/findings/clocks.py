"""Findings about clocks that don't agree."""

from __future__ import annotations

from collections.abc import Iterator

from utxoracle_tui import formats
from utxoracle_tui.engine.stack.findings.finding import Finding, Gravity, StackLook

MOST_SKEW_S = 30.0
"""Replies tell whole seconds, and take some time."""
MOST_AHEAD_S = 7200.0
"""No node takes a block whose time is further ahead (Bitcoin Core, src/chain.h, `MAX_FUTURE_BLOCK_TIME`)."""
MOST_PRICE_AHEAD_S = 300.0
_GRAVE_S = 600.0
_CLOCK_WORDS = "date and time"
_MEND = "Let both machines keep time by the network: `sudo timedatectl set-ntp true`, then see `timedatectl`."


def find(look: StackLook) -> Iterator[Finding]:
    """At most one: a wrong clock shows in many places."""
    said = list(_signs(look))
    if not said:
        return
    skew_s = max(skew_s for skew_s, _ in said)
    yield Finding(
        "clock_skew",
        Gravity.ERROR if skew_s >= _GRAVE_S else Gravity.WARNING,
        "Clocks don't agree: ages and times of prices are wrong",
        " ".join(sentence for _, sentence in said),
        _MEND,
    )


def _signs(look: StackLook) -> Iterator[tuple[float, str]]:
    """By how much a clock is wrong at least, and what shows it."""
    port = look.port
    if port is not None and port.server_time_s is not None:
        skew_s = port.server_time_s - port.at_s
        if abs(skew_s) >= MOST_SKEW_S:
            ahead = "ahead of" if skew_s > 0 else "behind"
            yield (
                abs(skew_s),
                f"The clock of the node's machine is {formats.span(abs(skew_s))} {ahead} that of this one.",
            )
    tip_s = look.node.chain.time_s if look.node is not None else None
    if tip_s is not None and tip_s - look.at_s > MOST_AHEAD_S:
        ahead_s = tip_s - look.at_s
        yield ahead_s, f"The newest block is {formats.span(ahead_s)} ahead of this machine's clock."
    price = look.reading.exchange.detail
    if price is not None and price.reading.time_s - look.at_s > MOST_PRICE_AHEAD_S:
        ahead_s = price.reading.time_s - look.at_s
        yield ahead_s, f"The exchange price is {formats.span(ahead_s)} ahead of this machine's clock."
    for warning in look.node.warnings if look.node is not None else ():
        if _CLOCK_WORDS in warning:
            yield MOST_SKEW_S, f"The node warns: “{warning}”"
