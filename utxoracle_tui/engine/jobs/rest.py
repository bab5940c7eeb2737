"""When jobs have to rest: in the quiet hours, while the node syncs, and while it can't be asked."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from utxoracle_tui import clock
from utxoracle_tui.engine.jobs.care import QuietHours
from utxoracle_tui.errors import OperatorError
from utxoracle_tui.sources.bitcoin_core import BitcoinCore
from utxoracle_tui.sources.node_errors import NodeError
from utxoracle_tui.sources.node_session import Patience

_LOOK_EVERY_S = 15.0
_SYNCING_S = 30.0
_AGAIN_AFTER_S = (2.0, 5.0, 10.0, 20.0, 30.0)
"""After a node's first failure, its second, and so on; the last from then on."""


@dataclass(frozen=True, slots=True)
class Rest:
    """A pause that ends by itself."""

    reason: str
    """A sentence."""
    until_s: float
    """Unix time of the next look."""


class RestRules:
    """Says whether to rest. One for a process and its node."""

    def __init__(self, node: BitcoinCore, quiet_hours: QuietHours | None) -> None:
        self._node = node.with_patience(Patience(busy_s=0.0))
        self._quiet_hours = quiet_hours
        self._failures = 0
        self._looked_s: float | None = None

    async def needed(self) -> Rest | None:
        """Whether there is a reason to rest now; the node is asked every quarter of a minute."""
        quiet = self._quiet(clock.now_s())
        if quiet is not None:
            return quiet
        now_s = clock.elapsed_s()
        if self._looked_s is not None and now_s - self._looked_s < _LOOK_EVERY_S:
            return None
        try:
            info = await self._node.chain_info()
        except NodeError as error:
            return self.after(error)
        self._looked_s = now_s
        if not info.initial_download:
            return None
        self._looked_s = None
        return Rest(
            f"Bitcoin Core at {self._node.access.host} is catching up with the chain (block {info.blocks:,} of "
            f"{info.headers:,}) and is left alone until it has.",
            clock.now_s() + _SYNCING_S,
        )

    def after(self, error: OperatorError) -> Rest:
        """How long to rest after an error of the node, each time longer."""
        wait_s = _AGAIN_AFTER_S[min(self._failures, len(_AGAIN_AFTER_S) - 1)]
        self._failures += 1
        self._looked_s = None
        return Rest(error.message, clock.now_s() + wait_s)

    def all_is_well(self) -> None:
        """A window is done."""
        self._failures = 0

    def _quiet(self, now_s: float) -> Rest | None:
        hours = self._quiet_hours
        end = hours.until(datetime.fromtimestamp(now_s).astimezone()) if hours is not None else None
        if end is None:
            return None
        return Rest(f"Jobs rest in the quiet hours {hours} (jobs.quiet_hours), local time.", end.timestamp())
