"""Does a test notice when a rule of the method is broken? `python -m tests.bench.rules [--only TEXT] [--jobs N]`.

Each mutant breaks one rule, by a replacement in a copy of the core that the tests are then run against. A line is
printed for each: killed when a test fails (or hangs), survived when none does. Some replacements change nothing that
can be observed, and say why; these must survive. The exit status is 1 when anything else comes out, and 2 when a text
to be replaced isn't found exactly once: the list is then out of date.
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from tests.bench.rule_mutants import MUTANTS, Mutant

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "core" / "utxoracle_core"
TIMEOUT_S = 300
_FAILED, _PASSED = 1, 0


@dataclass(frozen=True)
class Verdict:
    mutant: Mutant
    killed: bool
    by: str
    seconds: float

    @property
    def as_expected(self) -> bool:
        return self.killed is (self.mutant.unobservable is None)

    def line(self) -> str:
        word = "killed  " if self.killed else "survived"
        note = f"by {self.by}" if self.killed else (self.mutant.unobservable or "NO TEST NOTICES")
        return f"{word} {self.mutant.section:>2} {self.mutant.rule} ({self.seconds:.0f} s): {note}"


def outdated(mutants: Sequence[Mutant]) -> list[str]:
    """What no longer fits the core."""
    found = []
    for mutant in mutants:
        for change in mutant.changes:
            times = (PACKAGE / change.file).read_text(encoding="utf-8").count(change.old)
            if times != 1:
                found.append(f"{mutant.rule}: found {times} times in {change.file}: {change.old!r}")
    return found


def try_out(mutant: Mutant) -> Verdict:
    """Run the tests against a copy of the core with the mutant's changes."""
    started = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="rules-") as folder:
        package = Path(folder) / "core" / PACKAGE.name
        shutil.copytree(PACKAGE, package, ignore=shutil.ignore_patterns("__pycache__"))
        for change in mutant.changes:
            path = package / change.file
            path.write_text(path.read_text(encoding="utf-8").replace(change.old, change.new), encoding="utf-8")
        by = _killer(mutant, package, Path(folder))
    return Verdict(mutant, by is not None, by or "", time.monotonic() - started)


def _killer(mutant: Mutant, package: Path, folder: Path) -> str | None:
    """The test that fails, or None when all pass."""
    environment = os.environ | {
        "PYTHONPATH": str(package.parent),
        "PYTHONDONTWRITEBYTECODE": "1",
        "NUMBA_CACHE_DIR": str(folder / "numba"),
    }
    command = [
        *(sys.executable, "-m", "pytest", "-x", "-p", "no:cacheprovider"),
        *("-k", "compiled" if mutant.compiled else "not compiled"),
        *(f"tests/unit/{name}.py" for name in mutant.tests),
    ]
    try:
        done = subprocess.run(
            command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=TIMEOUT_S, check=False
        )
    except subprocess.TimeoutExpired:
        return f"a hang of {TIMEOUT_S} s"
    if f"core: {package}{os.sep}" not in done.stdout:
        raise RuntimeError(f"the copy of the core was not the one tested:\n{done.stdout}{done.stderr}")
    if done.returncode == _PASSED:
        return None
    failed = re.search(r"^FAILED (\S+)", done.stdout, re.MULTILINE)
    if done.returncode != _FAILED or failed is None:
        raise RuntimeError(f"{mutant.rule}: pytest ended with {done.returncode}:\n{done.stdout}{done.stderr}")
    return failed[1]


def verdicts(mutants: Sequence[Mutant], jobs: int) -> Iterator[Verdict]:
    with ThreadPoolExecutor(jobs) as pool:
        yield from pool.map(try_out, mutants)


def main(arguments: Sequence[str] | None = None) -> int:
    """Try the mutants. Returns the exit status."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench.rules", description=__doc__)
    parser.add_argument("--only", default="", metavar="TEXT", help="mutants whose section and rule contain this")
    parser.add_argument("--jobs", type=int, default=1, help="how many at a time")
    options = parser.parse_args(arguments)
    if old := outdated(MUTANTS):
        print("\n".join(old))
        return 2
    chosen = [mutant for mutant in MUTANTS if options.only in f"{mutant.section} {mutant.rule}"]
    done = []
    for verdict in verdicts(chosen, options.jobs):
        print(verdict.line(), flush=True)
        done.append(verdict)
    killed = sum(verdict.killed for verdict in done)
    unobservable = sum(verdict.mutant.unobservable is not None for verdict in done)
    unexpected = [verdict.mutant.rule for verdict in done if not verdict.as_expected]
    print(f"{killed} of {len(done) - unobservable} killed, {unobservable} change nothing that can be observed")
    for rule in unexpected:
        print(f"unexpected: {rule}")
    return 1 if unexpected or not done else 0


if __name__ == "__main__":
    sys.exit(main())
