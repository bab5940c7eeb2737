"""What Docker says of itself and of containers, read from its replies.

Shapes: Docker Engine API 1.41; keys that other versions leave out may be missing.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TypeVar

from utxoracle_tui.sources.http_json import Fields, GarbledBody

T = TypeVar("T")

PROJECT_LABEL, SERVICE_LABEL = "com.docker.compose.project", "com.docker.compose.service"


@dataclass(frozen=True, slots=True)
class EngineVersion:
    """`/version`."""

    version: str | None
    """As `20.10.24`."""
    api_version: str
    """The newest API that it speaks; what is asked without a version is answered in this one."""
    min_api_version: str | None
    at_s: float
    latency_s: float


@dataclass(frozen=True, slots=True)
class ContainerSummary:
    """One container of a listing."""

    container_id: str
    names: tuple[str, ...]
    """Without the slash that Docker puts before them."""
    image: str
    state: str
    """`created`, `running`, `restarting`, `paused`, `exited`, `dead`, …"""
    status: str
    """Docker's words, as `Up 43 seconds (healthy)`."""
    project: str | None
    """Of Docker Compose, and so is the service."""
    service: str | None


@dataclass(frozen=True, slots=True)
class Listing:
    """All containers, running or not."""

    containers: tuple[ContainerSummary, ...]
    at_s: float
    latency_s: float


@dataclass(frozen=True, slots=True)
class RestartPolicy:
    """When Docker starts a container again by itself."""

    name: str
    """`no`, `always`, `unless-stopped`, `on-failure`."""
    most_retries: int
    """With `on-failure`; 0 for any number."""


@dataclass(frozen=True, slots=True)
class Container:
    """One container, inspected."""

    container_id: str
    name: str
    image: str
    state: str
    """As in `ContainerSummary`."""
    running: bool
    """True as well while it restarts or is paused."""
    restarting: bool
    oom_killed: bool
    """The kernel ended it for want of memory."""
    pid: int | None
    """Of its first process, on the host; None when there is none."""
    exit_code: int
    """Of its last end; 0 for one that never ended."""
    error: str
    """Why it could not be started, empty if it could."""
    health: str | None
    """`starting`, `healthy`, `unhealthy`; None without a health check."""
    failing_streak: int
    """Failed health checks in a row."""
    started_s: float | None
    """Unix seconds; None for never."""
    finished_s: float | None
    restarts: int
    """How often Docker restarted it by its policy."""
    restart_policy: RestartPolicy
    tty: bool
    """Whether its log is one raw stream, not frames of two."""
    log_driver: str | None
    project: str | None
    service: str | None
    at_s: float
    latency_s: float


@dataclass(frozen=True, slots=True)
class ContainerStats:
    """What a container uses, counters since its start; None where Docker doesn't say."""

    memory_bytes: int | None
    """Without the file cache that can be given up, as `docker stats` shows it."""
    memory_limit_bytes: int | None
    cpu_s: float | None
    """Processor time, over all cores."""
    host_cpu_s: float | None
    """Processor time of the whole host, idle included, over all cores."""
    cores: int | None
    read_bytes: int | None
    """From block devices."""
    written_bytes: int | None
    at_s: float
    latency_s: float


def busy_cores(earlier: ContainerStats, later: ContainerStats) -> float | None:
    """How many cores a container kept busy between two readings; None where that can't be told.

    docker/cli, cli/command/container/stats_helpers.go, `calculateCPUPercentUnix`, without its factor of 100.
    """
    if earlier.cpu_s is None or later.cpu_s is None or earlier.host_cpu_s is None or later.host_cpu_s is None:
        return None
    used_s, host_s = later.cpu_s - earlier.cpu_s, later.host_cpu_s - earlier.host_cpu_s
    if used_s < 0 or host_s <= 0 or later.cores is None:
        return None
    return used_s / host_s * later.cores


def read_version(value: object, at_s: float, latency_s: float) -> EngineVersion:
    """Read `/version`; raises `GarbledBody`."""
    fields = Fields(value)
    api_version = fields.text("ApiVersion")
    if not api_version:
        raise GarbledBody("has no ApiVersion")
    return EngineVersion(fields.text("Version"), api_version, fields.text("MinAPIVersion"), at_s, latency_s)


def read_listing(value: object) -> tuple[ContainerSummary, ...]:
    """Read `/containers/json`; raises `GarbledBody`."""
    if not isinstance(value, list):
        raise GarbledBody("is not a list")
    return tuple(map(_read_summary, value))


def _read_summary(value: object) -> ContainerSummary:
    fields = Fields(value)
    labels = fields.inner("Labels") or Fields({})
    names = [name.removeprefix("/") for name in fields.items("Names") or () if isinstance(name, str)]
    return ContainerSummary(
        container_id=_needed(fields.text, "Id"),
        names=tuple(names),
        image=fields.text("Image") or "",
        state=_needed(fields.text, "State"),
        status=fields.text("Status") or "",
        project=labels.text(PROJECT_LABEL),
        service=labels.text(SERVICE_LABEL),
    )


def read_container(value: object, at_s: float, latency_s: float) -> Container:
    """Read `/containers/NAME/json`; raises `GarbledBody`."""
    fields = Fields(value)
    state = _needed(fields.inner, "State")
    config = fields.inner("Config") or Fields({})
    host_config = fields.inner("HostConfig") or Fields({})
    labels = config.inner("Labels") or Fields({})
    health = state.inner("Health")
    policy = host_config.inner("RestartPolicy") or Fields({})
    log_config = host_config.inner("LogConfig") or Fields({})
    return Container(
        container_id=_needed(fields.text, "Id"),
        name=(fields.text("Name") or "").removeprefix("/"),
        image=config.text("Image") or "",
        state=_needed(state.text, "Status"),
        running=bool(state.flag("Running")),
        restarting=bool(state.flag("Restarting")),
        oom_killed=bool(state.flag("OOMKilled")),
        pid=state.whole("Pid") or None,
        exit_code=state.whole("ExitCode") or 0,
        error=state.text("Error") or "",
        health=_health(health),
        failing_streak=(health.whole("FailingStreak") or 0) if health is not None else 0,
        started_s=_moment_s(state.text("StartedAt")),
        finished_s=_moment_s(state.text("FinishedAt")),
        restarts=fields.whole("RestartCount") or 0,
        restart_policy=RestartPolicy(policy.text("Name") or "no", policy.whole("MaximumRetryCount") or 0),
        tty=bool(config.flag("Tty")),
        log_driver=log_config.text("Type"),
        project=labels.text(PROJECT_LABEL),
        service=labels.text(SERVICE_LABEL),
        at_s=at_s,
        latency_s=latency_s,
    )


def _health(health: Fields | None) -> str | None:
    """The state of the health check; `none` is what some versions write where there is none."""
    status = health.text("Status") if health is not None else None
    return status if status not in ("", "none") else None


def read_stats(value: object, at_s: float, latency_s: float) -> ContainerStats:
    """Read `/containers/NAME/stats`; raises `GarbledBody`."""
    fields = Fields(value)
    memory = fields.inner("memory_stats") or Fields({})
    cpu = fields.inner("cpu_stats") or Fields({})
    used_ns = (cpu.inner("cpu_usage") or Fields({})).whole("total_usage")
    host_ns = cpu.whole("system_cpu_usage")
    blocks = fields.inner("blkio_stats") or Fields({})
    return ContainerStats(
        memory_bytes=_memory_bytes(memory),
        memory_limit_bytes=memory.whole("limit"),
        cpu_s=used_ns / 1e9 if used_ns is not None else None,
        host_cpu_s=host_ns / 1e9 if host_ns is not None else None,
        cores=cpu.whole("online_cpus"),
        read_bytes=_transferred_bytes(blocks, "read"),
        written_bytes=_transferred_bytes(blocks, "write"),
        at_s=at_s,
        latency_s=latency_s,
    )


def _memory_bytes(memory: Fields) -> int | None:
    """Usage without inactive file cache: `total_inactive_file` in cgroup v1, `inactive_file` in v2.

    docker/cli, cli/command/container/stats_helpers.go, `calculateMemUsageUnixNoCache`.
    """
    usage = memory.whole("usage")
    details = memory.inner("stats") or Fields({})
    cache = details.whole("total_inactive_file")
    if cache is None:
        cache = details.whole("inactive_file") or 0
    return usage - cache if usage is not None and 0 <= cache < usage else usage


def _transferred_bytes(blocks: Fields, operation: str) -> int | None:
    """The sum over all devices; None where nothing is listed, as with some cgroup set-ups."""
    entries = [Fields(entry) for entry in blocks.items("io_service_bytes_recursive") or () if isinstance(entry, dict)]
    amounts = [entry.whole("value") or 0 for entry in entries if (entry.text("op") or "").lower() == operation]
    return sum(amounts) if amounts else None


def _moment_s(text: str | None) -> float | None:
    """Unix seconds; year 1 stands for never."""
    try:
        moment = datetime.fromisoformat(text or "")
    except ValueError:
        return None
    return moment.astimezone(UTC).timestamp() if moment.year > 1 else None


def _needed(fetch: Callable[[str], T | None], key: str) -> T:
    value = fetch(key)
    if value is None:
        raise GarbledBody(f"has no {key}")
    return value
