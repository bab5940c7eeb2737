"""The block scanners that this machine must have."""

from __future__ import annotations

import importlib
from importlib.util import find_spec

from utxoracle_core.scan import Scanner

SCANNER_NAMES = ("python", "compiled") if find_spec("numba") else ("python",)
"""The compiled scanner belongs wherever numba is installed: there, its absence is a failure and no reason to skip."""


def scanner_named(name: str) -> Scanner:
    """The scanner `python` or `compiled`. Raises `ImportError` when it isn't there."""
    scanner: Scanner = importlib.import_module(f"utxoracle_core.scan_{name}").scan
    return scanner
