"""The mempool backend as a part of the stack: whether its data is live, its tip, and what it is."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from typing import TypeVar

from utxoracle_tui import clock
from utxoracle_tui.engine.stack.reading import ASKING, Health, Heard, Source, Standing, Trouble, Verdict, overdue
from utxoracle_tui.engine.stack.thresholds import (
    BACKEND_EVERY_S,
    BACKEND_INFO_EVERY_S,
    BACKEND_LOADING_EVERY_S,
    LIMITS,
    SLOW_S,
)
from utxoracle_tui.sources.mempool import MempoolBackend
from utxoracle_tui.sources.mempool_errors import BackendHanging, BackendNonsense, BackendUnreachable, MempoolError
from utxoracle_tui.sources.mempool_replies import BackendInfo, Liveness, Loading
from utxoracle_tui.sources.mempool_session import MempoolAccess

T = TypeVar("T")
Ask = Callable[[], Awaitable[T]]
"""A question that isn't put before it is called."""
_WORDS = {BackendHanging.KIND: "hangs", BackendNonsense.KIND: "nonsense"}


@dataclass(frozen=True, slots=True)
class BackendStatus:
    """What is known of a backend."""

    host: str
    live: Liveness
    """The honest probe: it refuses recommended fees soon after it lost its sources."""
    tip_height: int | None = None
    """The newest block that it has heard of: it stays at its last value while the data isn't live."""
    info: BackendInfo | None = None
    loading: Loading | None = None
    """What it is loading; asked for only while it isn't in sync."""


class BackendWatch:
    """One backend that is watched."""

    def __init__(self, access: MempoolAccess, *, every_s: float = BACKEND_EVERY_S) -> None:
        self._access = access
        self._every_s = every_s
        self.heard: Heard[BackendStatus] = Heard()
        self._info_due_s = self._loading_due_s = 0.0

    async def run(self, on_change: Callable[[], None]) -> None:
        """Watch until cancelled."""
        async with MempoolBackend(self._access) as backend:
            while True:
                self.heard = await self._look(backend)
                on_change()
                await asyncio.sleep(self._every_s)

    async def _look(self, backend: MempoolBackend) -> Heard[BackendStatus]:
        started_s, before = clock.elapsed_s(), self.heard
        live, tip = await asyncio.gather(_or_error(backend.liveness), _or_none(lambda: _height(backend)))
        now_s, old = clock.elapsed_s(), before.detail
        if isinstance(live, MempoolError):
            self._info_due_s = 0.0
            return replace(before, trouble=Trouble(live.kind, live.message), latency_s=now_s - started_s)
        known = old if old is not None else BackendStatus(self._access.service.host, live)
        status = replace(known, live=live, tip_height=tip if tip is not None else known.tip_height)
        if now_s >= self._info_due_s:
            info = await _or_none(backend.info)
            self._info_due_s = now_s + (BACKEND_INFO_EVERY_S if info is not None else BACKEND_LOADING_EVERY_S)
            status = replace(status, info=info or status.info)
        if live.live:
            status = replace(status, loading=None)
        elif now_s >= self._loading_due_s:
            self._loading_due_s = now_s + BACKEND_LOADING_EVERY_S
            status = replace(status, loading=await _or_none(backend.loading))
        return Heard(status, now_s, live.at_s, live.latency_s)


async def ask_backend(backend: MempoolBackend) -> BackendStatus:
    """All that a backend says of itself, asked for once. Raises `MempoolError` where it isn't there."""
    live, tip, info = await asyncio.gather(
        _or_error(backend.liveness), _or_none(lambda: _height(backend)), _or_none(backend.info)
    )
    if isinstance(live, MempoolError):
        raise live
    return BackendStatus(backend.access.service.host, live, tip, info)


async def _height(backend: MempoolBackend) -> int:
    return (await backend.tip_height()).height


async def _or_error(ask: Ask[T]) -> T | MempoolError:
    """What was asked for, or why there is none: no question is left alone because another failed."""
    try:
        return await ask()
    except MempoolError as error:
        return error


async def _or_none(ask: Ask[T]) -> T | None:
    """What is nice to know, or None where it isn't told."""
    try:
        return await ask()
    except MempoolError:
        return None


def judge(heard: Heard[BackendStatus], now_s: float, *, named: bool) -> Verdict:
    """The verdict at a moment on the clock for spans; `named` says whether the operator has given an address."""
    age_s, status, trouble = heard.age_s(now_s), heard.detail, heard.trouble
    if trouble is not None:
        if status is None and not named and trouble.kind == BackendUnreachable.KIND:
            return Verdict(Health.NOT_CONFIGURED, Standing.NONE, "none", trouble.sentence)
        return Verdict(Health.DOWN, Standing.DOWN, _WORDS.get(trouble.kind, "down"), trouble.sentence)
    if status is None or age_s is None:
        return ASKING
    by_age = LIMITS[Source.BACKEND].health(age_s)
    if by_age is not Health.UP:
        return overdue(by_age, age_s, _said(status))
    return _of_answer(status, heard.latency_s or 0.0)


def _of_answer(status: BackendStatus, latency_s: float) -> Verdict:
    if not status.live.live:
        return Verdict(Health.UP, Standing.WAITS, "not in sync", f"{status.live.message}{_loading(status)}")
    if latency_s >= SLOW_S:
        sentence = f"It is slow, {latency_s:.1f} s an answer. {_said(status)}"
        return Verdict(Health.UP, Standing.DEGRADED, "slow", sentence)
    return Verdict(Health.UP, Standing.READY, "live", _said(status))


def _said(status: BackendStatus) -> str:
    pieces = [f"Tip {status.tip_height:,}" if status.tip_height is not None else "No tip yet"]
    if not status.live.live:
        pieces[0] += " (it may be old)"
    if status.info is not None:
        pieces.append(f"v{status.info.version}" if status.info.version else "version unknown")
        pieces.append(f"backend {status.info.backend}")
    return f"{', '.join(pieces)}."


def _loading(status: BackendStatus) -> str:
    indicators = status.loading.indicators if status.loading is not None else ()
    loads = ", ".join(f"{indicator.name} {indicator.progress_pct:.0f} %" for indicator in indicators)
    return f" It is loading: {loads}." if loads else ""
