"""The life of a container: whether it runs, how it ended, and when Docker starts it again."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from utxoracle_tui import clock

_FIRST_WAIT_S = 0.1
_LONGEST_WAIT_S = 60.0
_GOOD_RUN_S = 10.0
"""After a run of this length Docker begins with the shortest wait again."""


class Status(StrEnum):
    """As Docker has it."""

    CREATED = "created"
    RUNNING = "running"
    RESTARTING = "restarting"
    EXITED = "exited"


@dataclass(slots=True)
class Life:
    """With the restart policy `unless-stopped`. Times are unix seconds."""

    status: Status = Status.CREATED
    exit_code: int = 0
    out_of_memory: bool = False
    started_s: float | None = None
    finished_s: float | None = None
    restarts: int = 0
    due_s: float = 0.0
    """When it is started again, on the clock for spans."""
    _wait_s: float = _FIRST_WAIT_S
    _began_s: float = 0.0

    @property
    def is_running(self) -> bool:
        """Whether there is a process."""
        return self.status is Status.RUNNING

    @property
    def is_due(self) -> bool:
        """Whether it is to be started again now."""
        return self.status is Status.RESTARTING and clock.elapsed_s() >= self.due_s

    def begin(self, started_s: float | None = None) -> None:
        """A process is there."""
        if self.status is Status.RESTARTING:
            self.restarts += 1
        else:
            self._wait_s = _FIRST_WAIT_S
        self.status = Status.RUNNING
        self.out_of_memory = False
        self.exit_code = 0
        self.started_s = clock.now_s() if started_s is None else started_s
        self._began_s = clock.elapsed_s()

    def end(self, exit_code: int, *, out_of_memory: bool = False, restart: bool) -> None:
        """The process is gone."""
        self.exit_code = exit_code
        self.out_of_memory = out_of_memory
        self.finished_s = clock.now_s()
        self.status = Status.RESTARTING if restart else Status.EXITED
        if clock.elapsed_s() - self._began_s > _GOOD_RUN_S:
            self._wait_s = _FIRST_WAIT_S
        self.due_s = clock.elapsed_s() + self._wait_s
        self._wait_s = min(2 * self._wait_s, _LONGEST_WAIT_S)
