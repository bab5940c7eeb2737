"""`utxoracle-tui price --every-block`: a line for each block, from a folder and from a simulated node."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.support.in_process import ran
from utxoracle_tui.demo.host.options import HostOptions
from utxoracle_tui.demo.host.process import HostProcess, start_host

PLANTED_USD = 48_000
REAL_BLOCKS = Path(__file__).parent.parent / "fixtures" / "mainnet" / "799997-800000"
KEYS = {"height", "time", "price_usd", "low_usd", "high_usd", "confidence", "reason"}


def every_block(*arguments: str, env: Mapping[str, str] = os.environ) -> tuple[int, list[dict[str, Any]], str]:
    command = [sys.executable, "-m", "utxoracle_tui", "price", "--every-block", *arguments]
    done = subprocess.run(command, env=env, capture_output=True, text=True, check=False, timeout=60)
    return done.returncode, [json.loads(line) for line in done.stdout.splitlines()], done.stderr


@pytest.fixture(scope="module")
def host() -> Iterator[HostProcess]:
    options = HostOptions(days=2, tx_per_block=80, speed=0, price=str(PLANTED_USD))
    with start_host(options, wait_until_ready=True) as running:
        yield running


def test_a_day_from_the_node(host: HostProcess) -> None:
    code, lines, complaint = every_block(env=os.environ | host.env)
    assert (code, complaint) == (0, "")
    assert set(lines[0]) >= KEYS
    heights = [line["height"] for line in lines]
    assert heights == list(range(heights[0], heights[0] + len(heights)))
    shown = [line for line in lines if line["price_usd"] is not None]
    assert len(shown) > 0.9 * len(lines)
    for line in shown:
        assert line["price_usd"] == pytest.approx(PLANTED_USD, rel=0.015)
        assert line["low_usd"] < line["price_usd"] < line["high_usd"]
        assert line["reason"] is None
    assert all(line["reason"] in ("uncertain", "rival", "octave") for line in lines if line["price_usd"] is None)


def test_from_a_wrong_start() -> None:
    """Recorded blocks, as blocks of few transactions may once in a while have a price at the double of it."""
    done = ran("price", "--every-block", "--blocks", REAL_BLOCKS, "--start-price", "59600")
    assert (done.code, done.err) == (4, "")
    assert [json.loads(line)["price_usd"] for line in done.out.splitlines()] == [None] * 4


def test_recorded_real_blocks() -> None:
    code, lines, complaint = every_block("--blocks", str(REAL_BLOCKS), "--start-price", "29800")
    assert (code, complaint) == (0, "")
    assert [line["height"] for line in lines] == [799_997, 799_998, 799_999, 800_000]
    for line in lines:
        assert line["price_usd"] is None or 29_700 <= line["price_usd"] <= 30_000


def test_too_few_blocks_to_start_from() -> None:
    code, lines, complaint = every_block("--blocks", str(REAL_BLOCKS))
    assert (code, lines) == (2, [])
    assert "--start-price" in complaint


@pytest.mark.parametrize(
    ("arguments", "word"),
    [
        (("--start-price", "-3"), "above 0"),
        (("--start-price", "nan"), "above 0"),
        (("--save",), "--save"),
    ],
)
def test_wrong_usage(arguments: tuple[str, ...], word: str) -> None:
    done = ran("price", "--every-block", *arguments)
    assert done.code == 2
    assert word in done.err
