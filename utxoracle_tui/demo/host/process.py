"""The simulated host in a process of its own, for a program that runs against it."""

from __future__ import annotations

import contextlib
import json
import os
import queue
import shutil
import subprocess
import sys
import tempfile
import threading
from collections.abc import Mapping
from types import TracebackType
from typing import IO, Self

from utxoracle_tui.demo.host.options import HostOptions
from utxoracle_tui.errors import Exit, OperatorError

_START_TIMEOUT_S = 20.0
_STOP_TIMEOUT_S = 0.25


class HostProcess:
    """A host that listens, and that ends with this object, or with the process that holds it."""

    def __init__(self, process: subprocess.Popen[bytes], env: Mapping[str, str]) -> None:
        self._process = process
        self.env = dict(env)
        """Variables that let every command find the host."""

    @property
    def pid(self) -> int:
        """Of the process."""
        return self._process.pid

    def stop(self) -> None:
        """End the process, the hard way if need be, and delete its data directory."""
        _end(self._process)
        shutil.rmtree(self.env["BITCOIN_DATADIR"], ignore_errors=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop."""
        self.stop()


def start_host(options: HostOptions, *, wait_until_ready: bool = False) -> HostProcess:
    """Start a host and wait until it listens, or until its node has warmed up.

    Raises `OperatorError` when it ends instead, or takes too long to listen.
    """
    announce = "ready" if wait_until_ready else "listening"
    command = [sys.executable, "-m", "utxoracle_tui", "demo", "--serve", *options.as_arguments()]
    command += [f"--announce={announce}", f"--parent={os.getpid()}"]
    with tempfile.TemporaryFile() as words:
        process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=words,
            # Ctrl-C in the terminal is for this process to answer
            start_new_session=True,
        )
        assert process.stdout is not None
        try:
            line = _first_line(process.stdout, None if wait_until_ready else _START_TIMEOUT_S)
            return HostProcess(process, json.loads(line)["env"])
        except (ValueError, queue.Empty):
            _end(process)
            words.seek(0)
            said = words.read().decode(errors="replace").strip()
            last = said.splitlines()[-1] if said else "it said nothing"
            raise OperatorError("demo_failed", f"The simulated host did not start: {last}", Exit.FAILED) from None
        except BaseException:
            _end(process)
            raise


def _first_line(stream: IO[bytes], timeout_s: float | None) -> bytes:
    """Empty when the stream ends first; raises `queue.Empty` after the time-out."""
    lines: queue.Queue[bytes] = queue.Queue()
    threading.Thread(target=lambda: lines.put(stream.readline()), daemon=True).start()
    return lines.get(timeout=timeout_s)


def _end(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(_STOP_TIMEOUT_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    if process.stdout is not None:
        with contextlib.suppress(OSError):
            process.stdout.close()
