"""`utxoracle-tui price --blocks` as a program: what it prints, and how it ends."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from tests.support.in_process import ran
from utxoracle_tui.demo.chain import ChainSpec, Every, blocks, write_folder
from utxoracle_tui.engine.worker_tasks import CACHE_VARIABLE
from utxoracle_tui.engine.workers import Workers

FIXTURES = Path(__file__).parent.parent / "fixtures"
REAL_BLOCKS = FIXTURES / "mainnet" / "799997-800000"
FEW_PAYMENTS = FIXTURES / "reference" / "chains" / "fail_few"
NO_PAYMENTS = FIXTURES / "reference" / "chains" / "fail_empty"
COMMAND = [sys.executable, "-m", "utxoracle_tui", "price"]
KEYS = {
    *("kind", "name", "price_usd", "rough_price_usd", "deviation_pct", "confidence", "valid", "reason"),
    *("first_height", "last_height", "first_hash", "last_hash", "blocks", "transactions", "outputs", "points"),
    *("method", "octave_suspect", "boundary_ambiguous", "elapsed_s"),
}


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    """The developer's own, but for where files are kept."""
    return os.environ | {"HOME": str(tmp_path), "XDG_CACHE_HOME": str(tmp_path / "cache")}


@pytest.fixture
def no_workers(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without processes; whoever has work for one fails."""
    monkeypatch.setattr(Workers, "start", lambda _: None)
    monkeypatch.setattr(Workers, "compile_in_background", lambda _: None)


def refused(*arguments: object) -> tuple[int, dict[str, Any]]:
    """What needs no worker, in the process of the test: exit code, error."""
    done = ran("price", *arguments, "--json")
    assert done.err == ""
    return done.code, json.loads(done.out)["error"]


def price(environment: dict[str, str], *arguments: object) -> tuple[int, dict[str, Any], str]:
    """Run the command with --json: exit code, document, words."""
    done = subprocess.run(
        [*COMMAND, *map(str, arguments), "--json"],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert "Traceback" not in done.stderr
    return done.returncode, json.loads(done.stdout), done.stderr


def reference_runs() -> dict[str, dict[str, Any]]:
    runs = json.loads((FIXTURES / "mainnet" / "reference-runs.json").read_text())
    return {run["name"]: run for run in runs}


SOAK = pytest.mark.soak


@pytest.mark.parametrize("height", [*(pytest.param(n, marks=SOAK) for n in (799_997, 799_998, 799_999)), 800_000])
def test_the_price_of_a_real_block_is_the_references(environment: dict[str, str], height: int) -> None:
    expected = reference_runs()[f"single_{height}"]
    code, document, _ = price(environment, "--blocks", REAL_BLOCKS, "--heights", f"{height}-{height}")
    assert document["price_usd"] == float(expected["central_price"])
    assert document["rough_price_usd"] == expected["rough_price_estimate"]
    assert (document["outputs"], document["points"]) == (expected["n_raw_outputs"], expected["n_output_prices"])
    assert (document["valid"], document["reason"], code) == (False, "too_few_blocks", 4)


def test_the_document_has_all_keys_and_says_what_it_is(environment: dict[str, str]) -> None:
    code, document, _ = price(environment, "--blocks", REAL_BLOCKS)
    assert set(document) >= KEYS
    assert (document["kind"], document["name"], document["network"], code) == ("blocks", None, "main", 4)
    assert (document["first_height"], document["last_height"], document["blocks"]) == (799_997, 800_000, 4)
    assert document["last_hash"].endswith("2728a054")
    assert document["method"] == "utxoracle-9.1"


def test_a_recorded_day(environment: dict[str, str]) -> None:
    expected = json.loads((FIXTURES / "reference" / "cases" / "fail_few.json").read_text())["expected"]
    code, document, _ = price(environment, "--blocks", FEW_PAYMENTS, "--date", "2024-05-05")
    assert document["price_usd"] == expected["central_price"]
    assert document["deviation_pct"] == expected["dev_pct"]
    assert document["transactions"] == expected["n_todays_txids"]
    assert (document["kind"], document["name"], document["valid"], code) == ("day", None, False, 4)


def test_no_price_is_an_answer(environment: dict[str, str]) -> None:
    code, document, _ = price(environment, "--blocks", NO_PAYMENTS, "--last")
    assert (document["price_usd"], document["rough_price_usd"], document["points"]) == (None, None, 0)
    assert (document["reason"], document["blocks"], code) == ("no_candidates", 144, 4)


def test_a_valid_window_ends_with_0(environment: dict[str, str], tmp_path: Path) -> None:
    spec = ChainSpec(seed=3, times_s=Every(600, 1_720_000_000), tx_per_block=150)
    write_folder((block for block, _ in zip(blocks(spec), range(60), strict=False)), tmp_path / "chain")
    code, document, _ = price(environment, "--blocks", tmp_path / "chain", "--last", 59)
    assert document["price_usd"] == pytest.approx(65_000, rel=0.005)
    assert (document["valid"], document["reason"], code) == (True, None, 0)
    assert document["network"] is None


@pytest.mark.parametrize(
    ("arguments", "kind", "code"),
    [
        (("--blocks", "/nowhere/at/all"), "no_folder", 2),
        (("--blocks", REAL_BLOCKS / "README"), "no_folder", 2),
        (("--blocks", FIXTURES), "no_blocks", 2),
        (("--blocks", FEW_PAYMENTS, "--date", "2024-05-06"), "date_too_new", 2),
        (("--blocks", FEW_PAYMENTS, "--date", "2023-12-14"), "date_too_old", 2),
        (("--blocks", FEW_PAYMENTS, "--date", "yesterday"), "usage", 2),
        (("--blocks", REAL_BLOCKS, "--date", "2023-07-23"), "blocks_missing", 2),
        (("--blocks", REAL_BLOCKS, "--heights", "799990-800000"), "blocks_missing", 2),
        (("--blocks", REAL_BLOCKS, "--heights", "800000-799997"), "bad_window", 2),
        (("--blocks", REAL_BLOCKS, "--heights", "12"), "usage", 2),
        (("--blocks", REAL_BLOCKS, "--last", "0"), "bad_window", 2),
        (("--blocks", REAL_BLOCKS, "--last", "x"), "usage", 2),
        (("--blocks", REAL_BLOCKS, "--last", "--date", "2024-01-01"), "usage", 2),
        (("--bloks", REAL_BLOCKS), "usage", 2),
    ],
)
@pytest.mark.usefixtures("no_workers")
def test_what_cannot_be_asked(arguments: tuple[object, ...], kind: str, code: int) -> None:
    ended, error = refused(*arguments)
    assert (error["kind"], ended) == (kind, code)
    assert error["message"].endswith(".")
    assert error["host"] is None


def copy_of_real_blocks(folder: Path) -> Path:
    shutil.copytree(REAL_BLOCKS, folder)
    return folder


@pytest.mark.usefixtures("no_workers")
def test_a_gap_is_named(tmp_path: Path) -> None:
    folder = copy_of_real_blocks(tmp_path / "gap")
    next(folder.glob("799998-*.bin")).unlink()
    code, error = refused("--blocks", folder)
    assert (error["kind"], code) == ("gap", 1)
    assert "after height 799997 comes 799999; 799998 is missing" in error["message"]


def test_a_changed_byte_is_found(environment: dict[str, str], tmp_path: Path) -> None:
    folder = copy_of_real_blocks(tmp_path / "damaged")
    path = next(folder.glob("799998-*.bin"))
    raw = bytearray(path.read_bytes())
    raw[len(raw) // 2] ^= 1
    path.write_bytes(raw)
    code, document, _ = price(environment, "--blocks", folder)
    assert (document["error"]["kind"], code) == ("damaged", 1)
    assert "799998" in document["error"]["message"]
    assert path.name in document["error"]["message"]


def test_a_cut_file_is_found(environment: dict[str, str], tmp_path: Path) -> None:
    folder = copy_of_real_blocks(tmp_path / "cut")
    path = next(folder.glob("800000-*.bin"))
    path.write_bytes(path.read_bytes()[:-1000])
    code, document, _ = price(environment, "--blocks", folder)
    assert (document["error"]["kind"], code) == ("damaged", 1)
    assert "at byte" in document["error"]["message"]


@pytest.mark.usefixtures("no_workers")
def test_an_index_that_points_past_the_end(tmp_path: Path) -> None:
    folder = tmp_path / "short"
    shutil.copytree(FEW_PAYMENTS, folder)
    blocks_path = folder / "blocks.dat"
    blocks_path.write_bytes(blocks_path.read_bytes()[:-10])
    code, error = refused("--blocks", folder)
    assert (error["kind"], code) == ("damaged", 1)
    assert "the file has" in error["message"]


def test_words_for_people(environment: dict[str, str]) -> None:
    done = subprocess.run(
        [*COMMAND, "--blocks", str(REAL_BLOCKS)],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 4
    assert "Price of blocks 799997–800000" in done.stdout
    assert "NOT VALID" in done.stdout
    assert "Fewer than 36 blocks" in done.stdout
    assert "4 blocks, 799997–800000, 2023-07-24 02:46 – 03:17 UTC" in done.stdout
    assert done.stderr == ""


def test_options_go_before_or_after_the_command(environment: dict[str, str], tmp_path: Path) -> None:
    before = [sys.executable, "-m", "utxoracle_tui", "--data-dir", str(tmp_path / "data"), "--blocks", str(REAL_BLOCKS)]
    done = subprocess.run(
        [*before, "price", "--heights", "799997-799997", "--json"],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert json.loads(done.stdout)["blocks"] == 1


def test_interrupting_leaves_nothing_behind(environment: dict[str, str], tmp_path: Path) -> None:
    spec = ChainSpec(seed=3, times_s=Every(600, 1_720_000_000), tx_per_block=1500)
    write_folder((block for block, _ in zip(blocks(spec), range(60), strict=False)), tmp_path / "chain")
    # nothing is compiled yet, so that there is a process that compiles
    del environment[CACHE_VARIABLE]
    running = subprocess.Popen(
        [*COMMAND, "--blocks", str(tmp_path / "chain")],
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    children = wait_for_children(running.pid)
    running.send_signal(signal.SIGINT)
    out, words = running.communicate(timeout=20)
    assert (out, words, running.returncode) == ("", "", 130)
    deadline = time.monotonic() + 10
    while (left := [pid for pid in children if is_running(pid)]) and time.monotonic() < deadline:
        time.sleep(0.02)  # Python's helper process ends when it notices that its parent has gone
    assert not left


def wait_for_children(pid: int) -> list[int]:
    """The processes that the command starts: a worker, the one that compiles, and a helper of Python's own."""
    tasks = Path(f"/proc/{pid}/task/{pid}/children")
    while True:
        children = [int(child) for child in tasks.read_text().split()]
        if len(children) >= 3:
            return children
        time.sleep(0.01)


def is_running(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


@pytest.mark.parametrize(
    ("module", "not_loaded"),
    [
        ("utxoracle_tui.cli", ("numpy", "textual", "asyncio", "httpx", "platformdirs")),
        ("utxoracle_tui.commands.price", ("textual", "plotext", "numba", "httpx")),
        ("utxoracle_core", ("textual", "numba", "utxoracle_tui", "asyncio")),
    ],
)
def test_nothing_is_loaded_before_it_is_needed(module: str, not_loaded: tuple[str, ...]) -> None:
    program = f"import sys, {module}; print([name for name in {not_loaded} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_help_has_examples_and_version_is_one_line() -> None:
    program = [sys.executable, "-m", "utxoracle_tui"]
    words = subprocess.run([*program, "--help"], capture_output=True, text=True, check=True).stdout
    assert "examples:" in words
    version = subprocess.run([*program, "--version"], capture_output=True, text=True, check=True).stdout
    assert version.startswith("utxoracle-tui ")
    assert version.count("\n") == 1


def test_an_unforeseen_error_is_a_sentence_and_a_file(environment: dict[str, str], tmp_path: Path) -> None:
    program = (
        "import sys, utxoracle_tui.commands.price as price; from utxoracle_tui.cli import main\n"
        "def run(arguments): raise ZeroDivisionError('http://u:hunter22@host/')\n"
        "price.run = run; sys.exit(main(['price', '--data-dir', sys.argv[1]]))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, str(tmp_path)], env=environment, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("utxoracle-tui: Something went wrong inside the program (ZeroDivisionError)")
    assert "Traceback" not in done.stderr
    fault = (tmp_path / "state" / "last-fault.txt").read_text()
    assert "Traceback" in fault
    assert "hunter22" not in fault
