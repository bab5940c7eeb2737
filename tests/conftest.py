"""What holds for all tests: property tests that find the same examples on every run and machine."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

import utxoracle_core
from tests.support.config_place import forget_secrets
from tests.support.examples import THOROUGH
from tests.support.scanners import SCANNER_NAMES
from utxoracle_tui.engine.worker_tasks import CACHE_VARIABLE
from utxoracle_tui.engine.workers import Workers

COMPILE = "from utxoracle_core import scan_compiled; scan_compiled.compile_now()"
settings.register_profile(
    "repeatable",
    derandomize=True,
    deadline=None,
    database=None,
    max_examples=40,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.register_profile(THOROUGH, settings.get_profile("repeatable"), max_examples=100)
settings.load_profile("repeatable")

# the processes of the suite compile each module once between them, and the scanner, as for an installed program
sys.dont_write_bytecode = False
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
os.environ.setdefault(CACHE_VARIABLE, str(Path(__file__).parents[1] / ".pytest_cache" / "compiled"))


def pytest_configure(config: pytest.Config) -> None:
    """The soak tests are all of the property tests, too, with more examples.

    The scanner is compiled once, before there are several processes that would each do it.
    """
    if config.option.markexpr == "soak":
        settings.load_profile(THOROUGH)
    if "compiled" in SCANNER_NAMES and not hasattr(config, "workerinput"):
        subprocess.run([sys.executable, "-c", COMPILE], check=True)


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark the property tests, before those without the mark are left out."""
    if settings.get_current_profile_name() == THOROUGH:
        for item in items:
            if getattr(getattr(item, "obj", None), "is_hypothesis_test", False):
                item.add_marker("soak")


@pytest.fixture(scope="module")
def workers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Workers]:
    """One worker process for the tests of a module."""
    pool = Workers(tmp_path_factory.mktemp("cache"), 1)
    pool.start()
    yield pool
    pool.stop()


@pytest.fixture(autouse=True)
def _no_secrets_of_other_tests(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is hidden in one test is no secret in the next: a made-up password may be an everyday word."""
    forget_secrets(monkeypatch)


def pytest_report_header() -> list[str]:
    """Which core is tested, and with which scanners."""
    return [f"core: {utxoracle_core.__file__}", f"scanners: {', '.join(SCANNER_NAMES)}"]
