"""The edge of a screen's workers: what nobody foresaw becomes something that the operator sees."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import wraps
from typing import TYPE_CHECKING, Concatenate, ParamSpec, TypeVar, cast

from textual.message_pump import MessagePump

from utxoracle_tui.fault_report import report

if TYPE_CHECKING:
    from utxoracle_tui.ui.app import Console

S = TypeVar("S", bound=MessagePump)
P = ParamSpec("P")


def guarded(work: Callable[Concatenate[S, P], Awaitable[None]]) -> Callable[Concatenate[S, P], Awaitable[None]]:
    """A worker's work; a fault in it is written down, told of, and ends this work alone."""

    @wraps(work)
    async def run(self: S, /, *args: P.args, **kwargs: P.kwargs) -> None:
        try:
            await work(self, *args, **kwargs)
        except Exception as error:  # noqa: BLE001  (the edge of a worker)
            console = cast("Console", self.app)
            told = report(error, console.data_dir)
            console.notify(f"{told.message} What it showed is not updated any more.", severity="error", timeout=60)

    return run
