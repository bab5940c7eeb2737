"""What holds for all tests: property tests that find the same examples on every run and machine."""

from __future__ import annotations

from hypothesis import HealthCheck, settings

import utxoracle_core
from tests.support.scanners import SCANNER_NAMES

settings.register_profile(
    "repeatable",
    derandomize=True,
    deadline=None,
    database=None,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.load_profile("repeatable")


def pytest_report_header() -> list[str]:
    """Which core is tested, and with which scanners."""
    return [f"core: {utxoracle_core.__file__}", f"scanners: {', '.join(SCANNER_NAMES)}"]
