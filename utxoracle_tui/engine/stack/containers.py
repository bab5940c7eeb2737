"""The containers of the stack: their states, restarts and ends, as Docker tells them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from utxoracle_tui import clock, formats
from utxoracle_tui.engine.stack.reading import ASKING, Health, Heard, Source, Standing, Trouble, Verdict, overdue
from utxoracle_tui.engine.stack.thresholds import CONTAINERS_EVERY_S, LIMITS
from utxoracle_tui.sources.containers import DockerEngine
from utxoracle_tui.sources.containers_errors import (
    DockerAbsent,
    DockerDenied,
    DockerError,
    DockerHanging,
    DockerNonsense,
    NoSuchContainer,
)
from utxoracle_tui.sources.containers_replies import Container
from utxoracle_tui.sources.containers_session import DockerAccess

ELECTRS_ROLE = "electrs"
RUNNING = "running"
_UNHEALTHY = "unhealthy"
_RESTARTS, _JUST_STARTED_S = 3, 120.0
NO_DOCKER = "Docker isn't here, and no setting names a container."
_WORDS = {DockerHanging.KIND: "hangs", DockerNonsense.KIND: "nonsense"}


@dataclass(frozen=True, slots=True)
class ContainerStatus:
    """One of the containers that the settings name."""

    role: str
    """`electrs`, `backend`, `database`, `web`."""
    name: str
    container: Container | None
    """None where Docker has none of that name."""

    @property
    def is_well(self) -> bool:
        """Whether it runs, and its health check doesn't say otherwise.

        What the check of electrs says counts for nothing: it asks the metrics port, which is open long before electrs
        is ready, with a program that newer images don't have.
        """
        found = self.container
        if found is None or found.state != RUNNING or self.keeps_restarting:
            return False
        return self.role == ELECTRS_ROLE or found.health != _UNHEALTHY

    @property
    def keeps_restarting(self) -> bool:
        """Whether Docker has to start it again and again, and has just done so once more."""
        found = self.container
        if found is None or found.started_s is None or found.restarts < _RESTARTS:
            return False
        return found.state != RUNNING or found.at_s - found.started_s < _JUST_STARTED_S


@dataclass(frozen=True, slots=True)
class ContainersStatus:
    """All of them."""

    containers: tuple[ContainerStatus, ...]

    @property
    def present(self) -> tuple[ContainerStatus, ...]:
        """Those that there are."""
        return tuple(each for each in self.containers if each.container is not None)


class ContainersWatch:
    """The containers, by role; their names are those that the settings give."""

    def __init__(self, access: DockerAccess, names: Mapping[str, str], *, every_s: float = CONTAINERS_EVERY_S) -> None:
        self._access = access
        self._names = dict(names)
        self._every_s = every_s
        self.heard: Heard[ContainersStatus] = Heard()

    async def run(self, on_change: Callable[[], None]) -> None:
        """Watch until cancelled."""
        async with DockerEngine(self._access) as docker:
            while True:
                self.heard = await ask_containers(docker, self._names, self.heard)
                on_change()
                await asyncio.sleep(self._every_s)


async def ask_containers(
    docker: DockerEngine, names: Mapping[str, str], before: Heard[ContainersStatus]
) -> Heard[ContainersStatus]:
    """What is known of the containers after one more question for each."""
    started_s = clock.elapsed_s()
    answers = await asyncio.gather(*(_inspect(docker, role, name) for role, name in names.items()))
    now_s = clock.elapsed_s()
    error = next((answer for answer in answers if isinstance(answer, DockerError)), None)
    if error is not None:
        return replace(before, trouble=Trouble(error.kind, error.message), latency_s=now_s - started_s)
    found = tuple(answer for answer in answers if isinstance(answer, ContainerStatus))
    return Heard(ContainersStatus(found), now_s, clock.now_s(), now_s - started_s)


async def _inspect(docker: DockerEngine, role: str, name: str) -> ContainerStatus | DockerError:
    """A container, or why it can't be told: no question is left alone because another failed."""
    try:
        return ContainerStatus(role, name, await docker.inspect(name))
    except NoSuchContainer:
        return ContainerStatus(role, name, None)
    except DockerError as error:
        return error


def judge(heard: Heard[ContainersStatus], now_s: float, *, named: bool) -> Verdict:
    """The verdict at a moment on the clock for spans; `named` says whether the operator has named socket or names."""
    age_s, status, trouble = heard.age_s(now_s), heard.detail, heard.trouble
    if trouble is not None:
        return _of_trouble(trouble, seen=status is not None, named=named)
    if status is None or age_s is None:
        return ASKING
    by_age = LIMITS[Source.CONTAINERS].health(age_s)
    if by_age is not Health.UP:
        return overdue(by_age, age_s, _said(status))
    return _of_answer(status, named=named)


def _of_answer(status: ContainersStatus, *, named: bool) -> Verdict:
    if not status.present and not named:
        return Verdict(Health.NOT_CONFIGURED, Standing.NONE, "none", _said(status))
    if not status.present:
        return Verdict(Health.DOWN, Standing.DEGRADED, "none", _said(status))
    well, there = sum(each.is_well for each in status.present), len(status.present)
    if well == there:
        return Verdict(Health.UP, Standing.READY, f"{well} running", _said(status))
    return Verdict(Health.UP, Standing.DEGRADED, f"{well} of {there} well", _said(status))


def _of_trouble(trouble: Trouble, *, seen: bool, named: bool) -> Verdict:
    if trouble.kind == DockerDenied.KIND:
        return Verdict(Health.UNKNOWN, Standing.NONE, "no access", trouble.sentence)
    if trouble.kind == DockerAbsent.KIND and not seen and not named:
        return Verdict(Health.NOT_CONFIGURED, Standing.NONE, "none", NO_DOCKER)
    return Verdict(Health.DOWN, Standing.DEGRADED, _WORDS.get(trouble.kind, "down"), trouble.sentence)


def _said(status: ContainersStatus) -> str:
    if not status.present:
        return f"Docker has none of the containers {', '.join(each.name for each in status.containers)}."
    said = (f"{each.name} {_words(each, each.container)}" for each in status.present if each.container is not None)
    return f"{'; '.join(said)}."


def _words(each: ContainerStatus, found: Container) -> str:
    words = [found.state]
    if found.state != RUNNING and found.finished_s is not None:
        words.append(f"exit code {found.exit_code}")
    if found.oom_killed:
        words.append("killed for want of memory")
    if each.keeps_restarting:
        words.append(f"keeps being restarted ({found.restarts} times)")
    elif found.restarts:
        words.append(f"restarted {formats.plural(found.restarts, 'time')}")
    if found.health == _UNHEALTHY and each.role != ELECTRS_ROLE:
        words.append(found.health)
    return ", ".join(words)
