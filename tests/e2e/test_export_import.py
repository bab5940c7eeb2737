"""`export` and `import` as programs: pipes, files, help, and what `price --json` printed."""

from __future__ import annotations

import csv
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

FIXTURES = Path(__file__).parent.parent / "fixtures"
PUBLISHED = FIXTURES / "history" / "consensus-daily.csv"
REAL_BLOCKS = FIXTURES / "mainnet" / "799997-800000"
COMMAND = [sys.executable, "-m", "utxoracle_tui"]


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    """The developer's own, but for where files are kept, and with a terminal that knows ASCII alone."""
    home = {"HOME": str(tmp_path), **{f"XDG_{kind}_HOME": str(tmp_path / kind) for kind in ("DATA", "CACHE", "CONFIG")}}
    terminal = {"LC_ALL": "C", "PYTHONIOENCODING": "ascii:backslashreplace", "PYTHONUTF8": "0", "PYTHONUNBUFFERED": ""}
    return os.environ | home | terminal


def run(environment: dict[str, str], *arguments: object, stdin: bytes = b"") -> subprocess.CompletedProcess[bytes]:
    done = subprocess.run(
        [*COMMAND, *map(str, arguments)], env=environment, input=stdin, capture_output=True, check=False, timeout=60
    )
    assert b"Traceback" not in done.stderr
    return done


def test_published_prices_go_in_and_come_out_again(environment: dict[str, str], tmp_path: Path) -> None:
    taken = run(environment, "import", PUBLISHED)
    assert (taken.returncode, taken.stderr) == (0, b"")
    assert b"666 taken, 0 same as stored, 0 in conflict, 0 refused" in taken.stdout
    target = tmp_path / "windows.csv"
    out = run(environment, "export", "windows", "--from", "2024-01-01", "--to", "2024-12-31", "--output", target)
    assert (out.returncode, out.stdout) == (0, b"")
    with PUBLISHED.open(newline="") as file:
        expected = {row["date"]: row for row in csv.DictReader(file) if row["date"].startswith("2024")}
    assert out.stderr.decode() == f"{len(expected)} windows written to {target}\n"
    rows = list(csv.DictReader(line for line in target.read_text().splitlines() if not line.startswith("#")))
    assert [row["date"] for row in rows] == sorted(expected)
    for row in rows:
        assert row["price_usd"] == expected[row["date"]]["consensus_price_usd"]
    elsewhere = ("--data-dir", tmp_path / "elsewhere")
    assert f"{len(expected)} taken" in run(environment, *elsewhere, "import", target).stdout.decode()
    assert f"{len(expected)} same" in run(environment, *elsewhere, "import", target).stdout.decode()


@pytest.mark.soak
def test_what_price_printed_can_be_kept_later(environment: dict[str, str], tmp_path: Path) -> None:
    priced = run(environment, "price", "--blocks", REAL_BLOCKS, "--json")
    document = json.loads(priced.stdout)
    (tmp_path / "prices.jsonl").write_bytes(priced.stdout)
    assert b"1 taken" in run(environment, "import", tmp_path / "prices.jsonl").stdout
    _, found = map(json.loads, run(environment, "export", "windows", "--format", "json").stdout.splitlines())
    assert {name: found[name] for name in document} == document


def test_a_pipe_in_and_a_pipe_that_closes(environment: dict[str, str]) -> None:
    taken = run(environment, "import", "/dev/stdin", stdin=PUBLISHED.read_bytes())
    assert taken.returncode == 0
    assert b"666 taken" in taken.stdout
    for form in ("csv", "json"):
        with subprocess.Popen(
            [*COMMAND, "export", "windows", "--format", form],
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        ) as process:
            assert process.stdout is not None
            assert process.stderr is not None
            assert process.stdout.readline()
            process.stdout.close()
            assert process.stderr.read() == b""
        assert process.returncode in {0, 1}


def test_a_full_disk_under_the_output_is_told_in_a_sentence(environment: dict[str, str]) -> None:
    run(environment, "import", PUBLISHED)
    with Path("/dev/full").open("wb") as full:
        done = subprocess.run(
            [*COMMAND, "export", "windows"],
            env=environment,
            stdout=full,
            stderr=subprocess.PIPE,
            check=False,
            timeout=60,
        )
    assert done.returncode == 1
    assert done.stderr == b"utxoracle-tui: Could not write the export: No space left on device.\n"


def test_text_is_utf8_whatever_the_terminal(environment: dict[str, str], tmp_path: Path) -> None:
    window = {"kind": "day", "method": "m", "date": "2025-01-01", "network": "main", "explanation": "– zu dünn ✓"}
    (tmp_path / "one.jsonl").write_text(json.dumps(window | {"price_usd": 1.5}), encoding="utf-8")
    assert run(environment, "import", tmp_path / "one.jsonl").returncode == 0
    assert "– zu dünn ✓" in run(environment, "export", "windows").stdout.decode("utf-8")
    assert "– zu dünn ✓" in run(environment, "export", "windows", "--format", "json").stdout.decode("utf-8")


def test_help_tells_what_is_known_and_how_to_get_the_earlier_table(environment: dict[str, str]) -> None:
    done = run(environment, "import", "--help")
    assert done.returncode == 0
    assert b"COPY prices TO 'prices.csv' (HEADER)" in done.stdout
    assert b"date,consensus_price_usd" in done.stdout
    assert run(environment, "export", "--help").returncode == 0
    nothing = run(environment, "import")
    assert nothing.returncode == 2
    assert b"FILE" in nothing.stderr
