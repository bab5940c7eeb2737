"""The whole screen as text, and waiting until something stands on it."""

from __future__ import annotations

import asyncio

import pytest
from textual.pilot import Pilot


def seen(pilot: Pilot[None]) -> str:
    """The screen as an operator sees it."""
    return "\n".join(strip.text.rstrip() for strip in pilot.app.screen._compositor.render_strips())


async def until(pilot: Pilot[None], text: str) -> str:
    """Wait until a text stands on the screen; the screen as it is then."""
    for _ in range(250):
        await pilot.pause()
        if text in seen(pilot):
            return seen(pilot)
        await asyncio.sleep(0.02)
    pytest.fail(f"{text!r} never came:\n{seen(pilot)}")
