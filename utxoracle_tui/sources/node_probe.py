"""What a node's port tells without credentials: whether REST is on, and what its clock shows."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC
from email.utils import parsedate_to_datetime

import httpx

from utxoracle_tui import clock
from utxoracle_tui.sources.node_access import NodeAccess
from utxoracle_tui.sources.node_errors import NodeWarmingUp
from utxoracle_tui.sources.node_session import NodeSession

_PATH = "/rest/chaininfo.json"


@dataclass(frozen=True, slots=True)
class PortProbe:
    """What was seen."""

    rest_is_on: bool | None
    """None where the reply was neither of REST nor of its absence."""
    server_time_s: float | None
    """What its clock showed, in unix seconds without fractions; None where it doesn't say."""
    at_s: float
    """What this machine's clock showed then."""


async def probe_port(access: NodeAccess) -> PortProbe:
    """Look at a node's port. Raises `NodeError` where nothing sensible answers."""
    session = NodeSession(access)
    try:
        reply = await session.rest(_PATH, "chaininfo")
    except NodeWarmingUp:
        # without REST there is nothing at this path, also while the node starts
        return PortProbe(True, None, clock.now_s())
    finally:
        await session.aclose()
    is_on = True if reply.status == httpx.codes.OK else None
    if reply.status == httpx.codes.NOT_FOUND and not reply.body:
        is_on = False
    return PortProbe(is_on, _date_s(reply.headers.get("date", "")), clock.now_s())


def _date_s(text: str) -> float | None:
    try:
        date = parsedate_to_datetime(text)
        return (date if date.tzinfo else date.replace(tzinfo=UTC)).timestamp()
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
