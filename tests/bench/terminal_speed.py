"""What the console costs a slow line, and how quick it is: `python -m tests.bench.terminal_speed [--minutes N]`.

The console runs on a terminal of its own, 120x40, against simulated hosts in processes of their own: one where nothing
changes (for ten minutes, unless told otherwise), one with a block every ten seconds, and one whose days are backfilled
by two processes at the same time. What goes over the line is counted in bytes; a key counts until what it leads to is
on the line. The exit code is 1 when one misses.
"""

from __future__ import annotations

import argparse
import contextlib
import fcntl
import os
import pty
import signal
import statistics
import struct
import subprocess
import sys
import tempfile
import termios
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from tests.bench.core_speed import Figure
from utxoracle_tui.demo.host.options import HostOptions
from utxoracle_tui.demo.host.process import start_host

COLUMNS, ROWS = 120, 40
SETTLE_S = 75.0
"""The first rounds, the past filled in, and ages that step fast."""
STEADY_S = 90.0
IDLE_B_S, STEADY_B_S, KEY_MS, LOOP_MS = 50.0, 2048.0, 100.0, 100.0
SCREENS = (("2", b"Evidence"), ("3", b"Backfill"), ("4", b"Cancel"), ("5", b"Level"), ("1", b"Basis"))
"""A key, and a word that only its screen has, in its last line."""
CURSOR_KEYS = (b"\x1b[D", b"\x1b[C", b"+", b"-")
ROUNDS = 12
QUIET = HostOptions(days=2, tx_per_block=200, speed=0, seed=7)
BUSY = HostOptions(days=2, tx_per_block=200, speed=60, seed=7)
MANY_DAYS = HostOptions(days=41, tx_per_block=2000, speed=0, seed=7)


class Terminal:
    """A console on a terminal, whose output is read and counted."""

    def __init__(self, environment: Mapping[str, str], folder: Path) -> None:
        self.stalls = folder / "stalls.txt"
        self.pid, self._terminal = pty.fork()
        if self.pid == 0:
            os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
            os.environ.update(environment, TERM="xterm-256color")
            arguments = [str(self.stalls), "--data-dir", str(folder / "console")]
            os.execv(sys.executable, [sys.executable, "-m", "tests.bench.watched_console", *arguments])
        fcntl.ioctl(self._terminal, termios.TIOCSWINSZ, struct.pack("HHHH", ROWS, COLUMNS, 0, 0))
        self.count_bytes = 0
        self._seen = bytearray()
        self._changed = threading.Condition()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        with contextlib.suppress(OSError):
            while data := os.read(self._terminal, 65536):
                with self._changed:
                    self.count_bytes += len(data)
                    self._seen += data
                    self._changed.notify_all()

    def forget(self) -> None:
        """Look only at what comes from now on."""
        with self._changed:
            self._seen.clear()

    def until(self, word: bytes, timeout_s: float = 120.0) -> None:
        """Wait for a word, or for anything at all."""
        with self._changed:
            if not self._changed.wait_for(lambda: word in self._seen if word else bool(self._seen), timeout_s):
                raise TimeoutError(f"{word!r} never came")

    def key_ms(self, key: bytes, word: bytes) -> float:
        """Milliseconds from a key to what it leads to."""
        self.forget()
        started = time.perf_counter()
        os.write(self._terminal, key)
        self.until(word)
        return (time.perf_counter() - started) * 1e3

    def bytes_a_second(self, span_s: float) -> float:
        """What goes over the line in a span."""
        before = self.count_bytes
        time.sleep(span_s)
        return (self.count_bytes - before) / span_s

    def longest_stall_ms(self, since: float) -> tuple[float, float]:
        """The longest that the loop stood since a unix time: on the clock, and at work itself."""
        rows = [tuple(map(float, line.split())) for line in self.stalls.read_text().splitlines()]
        late = [row for row in rows if len(row) == 3 and row[0] >= since]
        return max((row[1] for row in late), default=0.0), max((row[2] for row in late), default=0.0)

    def close(self) -> None:
        """End the console."""
        os.kill(self.pid, signal.SIGTERM)
        os.waitpid(self.pid, 0)
        os.close(self._terminal)


@contextmanager
def console(options: HostOptions) -> Iterator[tuple[Terminal, Mapping[str, str], Path]]:
    """A console on a simulated host of its own, when it has settled."""
    with tempfile.TemporaryDirectory() as name, start_host(options, wait_until_ready=True) as host:
        environment = {**host.env, "XDG_CONFIG_HOME": name, "XDG_STATE_HOME": name, "XDG_CACHE_HOME": name}
        terminal = Terminal(environment, Path(name))
        try:
            terminal.until(b"done in")
            yield terminal, environment, Path(name)
        finally:
            terminal.close()


def idle(minutes: float) -> list[Figure]:
    """With nothing changing."""
    with console(QUIET) as (terminal, _, _):
        time.sleep(SETTLE_S)
        began = time.time()
        rate = terminal.bytes_a_second(minutes * 60)
        stood_ms, worked_ms = terminal.longest_stall_ms(began)
    return [
        Figure(f"with nothing changing, over {minutes:g} minutes", rate, "B/s", IDLE_B_S, False),
        Figure("the loop at work at a stretch, with nothing changing", worked_ms, "ms", LOOP_MS, False),
        Figure("the loop standing, on the clock", stood_ms, "ms", LOOP_MS, False),
    ]


def steady() -> list[Figure]:
    """With a block every ten seconds."""
    with console(BUSY) as (terminal, _, _):
        time.sleep(SETTLE_S)
        began = time.time()
        rate = terminal.bytes_a_second(STEADY_S)
        _, worked_ms = terminal.longest_stall_ms(began)
    return [
        Figure("with a block every ten seconds", rate, "B/s", STEADY_B_S, False),
        Figure("the loop at work at a stretch, with these blocks", worked_ms, "ms", LOOP_MS, False),
    ]


def keys() -> list[Figure]:
    """While both cores backfill."""
    with console(MANY_DAYS) as (terminal, environment, folder):
        time.sleep(10)
        for key, word in SCREENS:
            terminal.key_ms(key.encode(), word)
        command = [sys.executable, "-m", "utxoracle_tui", "--data-dir", str(folder / "console"), "backfill"]
        with subprocess.Popen(
            [*command, "--last-days", "40"],
            env={**os.environ, **environment},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        ) as backfill:
            time.sleep(6)
            began = time.time()
            screens, cursor = [], []
            for _ in range(ROUNDS):
                if backfill.poll() is not None:
                    break
                for key, word in SCREENS:
                    time.sleep(0.1)
                    screens.append(terminal.key_ms(key.encode(), word))
                for code in CURSOR_KEYS:
                    time.sleep(0.1)
                    cursor.append(terminal.key_ms(code, b""))
            still_at_it = backfill.poll() is None
            stood_ms, worked_ms = terminal.longest_stall_ms(began)
            backfill.terminate()
    print(f"{len(screens) + len(cursor)} keys, backfill at work to the end: {still_at_it}")
    print("slowest on the chart:", ", ".join(f"{ms:.0f}" for ms in sorted(cursor)[-5:]), "ms")
    medians = (statistics.median(screens), statistics.median(cursor))
    print(f"medians: {medians[0]:.0f} ms to another screen, {medians[1]:.0f} ms on the chart")
    return [
        Figure("key to another screen, while both cores backfill, p95", _p95(screens), "ms", KEY_MS, False),
        Figure("key on the chart, to the first byte, p95", _p95(cursor), "ms", KEY_MS, False),
        Figure("the loop at work at a stretch meanwhile", worked_ms, "ms", LOOP_MS, False),
        Figure("the loop standing meanwhile, on the clock", stood_ms, "ms", LOOP_MS, False),
    ]


def _p95(values: list[float]) -> float:
    return statistics.quantiles(values, n=20)[-1]


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--minutes", type=float, default=10.0, help="how long nothing changes (10)")
    parser.add_argument("--only", choices=("idle", "steady", "keys"), help="one of the three")
    asked = parser.parse_args()
    figures: list[Figure] = []
    if asked.only in (None, "keys"):
        figures += keys()
    if asked.only in (None, "steady"):
        figures += steady()
    if asked.only in (None, "idle"):
        figures += idle(asked.minutes)
    for figure in figures:
        print(figure)
    return 0 if all(figure.met for figure in figures) else 1


if __name__ == "__main__":
    sys.exit(main())
