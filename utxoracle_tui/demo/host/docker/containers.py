"""The containers of the stack, and how the Engine API (1.41) describes them."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from http import HTTPStatus

from utxoracle_tui import clock
from utxoracle_tui.demo.host.container_life import Life, Status
from utxoracle_tui.demo.host.json_text import Json
from utxoracle_tui.demo.host.log_book import LogBook

NEVER = "0001-01-01T00:00:00Z"
PROJECT = "mempool"
MEMORY_BYTES = 33_554_432_000
_PID = 4_200_000
"""Above all that Linux gives (PID_MAX_LIMIT), so that nobody takes another process for it."""
_UNLIMITED = 9_223_372_036_854_771_712
_HOST_STARTED_S = 500_000.0
"""How long the machine has been up, as its processor time says."""
_CORES = 8


@dataclass(frozen=True, slots=True)
class Usage:
    """What a container takes."""

    memory_bytes: int
    cpu_s: float
    read_bytes: int = 0
    written_bytes: int = 0


@dataclass(frozen=True, slots=True)
class Container:
    """One of the stack. Its state is asked for each time."""

    service: str
    image: str
    command: str
    life: Callable[[], Life]
    health: Callable[[], bool | None]
    """Whether the health check is content; None without one."""
    usage: Callable[[], Usage]
    log: LogBook
    mounts: tuple[tuple[str, str], ...] = ()
    """Folders of the host, and where the container sees them."""
    network: str = "host"

    @property
    def name(self) -> str:
        """Without the slash."""
        return f"{PROJECT}-{self.service}"

    @property
    def id(self) -> str:
        """64 hex digits."""
        return hashlib.sha256(self.name.encode()).hexdigest()

    def matches(self, name_or_id: str) -> bool:
        """Whether a request means this one."""
        return name_or_id.lstrip("/") == self.name or (len(name_or_id) >= 6 and self.id.startswith(name_or_id))

    def listed(self) -> Json:
        """As an item of `/containers/json`."""
        return {
            "Id": self.id,
            "Names": [f"/{self.name}"],
            "Image": self.image,
            "ImageID": self._image_id,
            "Command": self.command,
            "Created": int(_created_s(self.life())),
            "Ports": [],
            "Labels": self._labels,
            "State": str(self.life().status),
            "Status": self._status(),
            "HostConfig": {"NetworkMode": self.network},
            "NetworkSettings": {"Networks": {self.network: self._network()}},
            "Mounts": self._mounts,
        }

    def inspected(self) -> Json:
        """As `/containers/{name}/json`."""
        life = self.life()
        folder = f"/var/lib/docker/containers/{self.id}"
        return {
            "Id": self.id,
            "Created": rfc3339_nano(_created_s(life)),
            "Path": self.command.split()[0],
            "Args": self.command.split()[1:],
            "State": self._state(),
            "Image": self._image_id,
            "ResolvConfPath": f"{folder}/resolv.conf",
            "HostnamePath": f"{folder}/hostname",
            "HostsPath": f"{folder}/hosts",
            "LogPath": f"{folder}/{self.id}-json.log",
            "Name": f"/{self.name}",
            "RestartCount": life.restarts,
            "Driver": "overlay2",
            "Platform": "linux",
            "MountLabel": "",
            "ProcessLabel": "",
            "AppArmorProfile": "",
            "ExecIDs": None,
            "HostConfig": {
                "Binds": [f"{source}:{target}:rw" for source, target in self.mounts] or None,
                "LogConfig": {"Type": "json-file", "Config": {}},
                "NetworkMode": self.network,
                "PortBindings": {},
                "RestartPolicy": {"Name": "unless-stopped", "MaximumRetryCount": 0},
                "AutoRemove": False,
                "Memory": 0,
                "OomKillDisable": False,
            },
            "GraphDriver": {"Data": None, "Name": "overlay2"},
            "Mounts": self._mounts,
            "Config": {
                "Hostname": self.id[:12],
                "User": "",
                "Tty": False,
                "Env": [],
                "Cmd": self.command.split(),
                "Image": self.image,
                "Labels": self._labels,
            },
            "NetworkSettings": {"Networks": {self.network: self._network()}},
        }

    def stats(self) -> Json:
        """As one sample of `/containers/{name}/stats`."""
        usage, now_s = self.usage(), clock.now_s()
        busy_ns = int(usage.cpu_s * 1e9)
        running = self.life().is_running
        memory = {"usage": usage.memory_bytes, "max_usage": usage.memory_bytes, "limit": MEMORY_BYTES}
        rows = [("Read", usage.read_bytes), ("Write", usage.written_bytes)]
        io = [{"major": 259, "minor": 0, "op": op, "value": value} for op, value in rows if value]
        blkio: dict[str, Json] = {name: [] for name in _BLKIO}
        return {
            "read": rfc3339_nano(now_s) if running else NEVER,
            "preread": NEVER,
            "pids_stats": {"current": 12} if running else {},
            "blkio_stats": {**blkio, "io_service_bytes_recursive": io},
            "num_procs": 0,
            "storage_stats": {},
            "cpu_stats": {
                "cpu_usage": {
                    "total_usage": busy_ns,
                    "percpu_usage": [busy_ns // _CORES] * _CORES,
                    "usage_in_kernelmode": busy_ns // 5,
                    "usage_in_usermode": busy_ns - busy_ns // 5,
                },
                "system_cpu_usage": int((_HOST_STARTED_S + clock.elapsed_s()) * _CORES * 1e9),
                "online_cpus": _CORES,
                "throttling_data": _NO_THROTTLING,
            },
            "precpu_stats": {
                "cpu_usage": {"total_usage": 0, "usage_in_kernelmode": 0, "usage_in_usermode": 0},
                "throttling_data": _NO_THROTTLING,
            },
            "memory_stats": {**memory, "stats": self._memory(usage)} if running else {},
            "name": f"/{self.name}",
            "id": self.id,
        }

    @property
    def _image_id(self) -> str:
        return f"sha256:{hashlib.sha256(self.image.encode()).hexdigest()}"

    @property
    def _labels(self) -> Json:
        prefix = "com.docker.compose"
        return {f"{prefix}.project": PROJECT, f"{prefix}.service": self.service, f"{prefix}.container-number": "1"}

    @property
    def _mounts(self) -> Json:
        return [
            {
                "Type": "bind",
                "Source": source,
                "Destination": target,
                "Mode": "rw",
                "RW": True,
                "Propagation": "rprivate",
            }
            for source, target in self.mounts
        ]

    def _network(self) -> Json:
        return {
            "IPAMConfig": None,
            "Links": None,
            "Aliases": None,
            "NetworkID": hashlib.sha256(self.network.encode()).hexdigest(),
            "EndpointID": self.id if self.life().is_running else "",
            "Gateway": "",
            "IPAddress": "",
            "IPPrefixLen": 0,
            "IPv6Gateway": "",
            "GlobalIPv6Address": "",
            "GlobalIPv6PrefixLen": 0,
            "MacAddress": "",
            "DriverOpts": None,
        }

    def _state(self) -> Json:
        life = self.life()
        running = life.status in {Status.RUNNING, Status.RESTARTING}
        healthy = self.health()
        state = {
            "Status": str(life.status),
            "Running": running,
            "Paused": False,
            "Restarting": life.status is Status.RESTARTING,
            "OOMKilled": life.out_of_memory,
            "Dead": False,
            "Pid": _PID + len(self.name) + life.restarts if life.is_running else 0,
            "ExitCode": life.exit_code,
            "Error": "",
            "StartedAt": NEVER if life.started_s is None else rfc3339_nano(life.started_s),
            "FinishedAt": NEVER if life.finished_s is None else rfc3339_nano(life.finished_s),
        }
        if healthy is None or not life.is_running:
            return state
        return state | {"Health": self._health(healthy)}

    def _health(self, healthy: bool) -> Json:
        now_s = clock.now_s()
        check = {
            "Start": rfc3339_nano(now_s - 5),
            "End": rfc3339_nano(now_s - 4.95),
            "ExitCode": int(not healthy),
            "Output": "",
        }
        return {"Status": "healthy" if healthy else "unhealthy", "FailingStreak": 0 if healthy else 7, "Log": [check]}

    def _status(self) -> str:
        life, now_s = self.life(), clock.now_s()
        if life.status is Status.CREATED:
            return "Created"
        if life.is_running:
            health = {None: "", True: " (healthy)", False: " (unhealthy)"}[self.health()]
            return f"Up {_ago(now_s - (life.started_s or now_s))}{health}"
        since = _ago(now_s - (life.finished_s or now_s))
        word = "Restarting" if life.status is Status.RESTARTING else "Exited"
        return f"{word} ({life.exit_code}) {since} ago"

    def _memory(self, usage: Usage) -> Json:
        figures = {"rss": usage.memory_bytes * 3 // 4, "cache": usage.memory_bytes // 4}
        limits = {"hierarchical_memory_limit": _UNLIMITED, "hierarchical_memsw_limit": _UNLIMITED}
        return {
            name: (figures | limits).get(name.removeprefix("total_") if name not in limits else name, 0)
            for name in _MEMORY_FIGURES
        }


_BLKIO = (
    *("io_service_bytes_recursive", "io_serviced_recursive", "io_queue_recursive", "io_service_time_recursive"),
    *("io_wait_time_recursive", "io_merged_recursive", "io_time_recursive", "sectors_recursive"),
)
_NO_THROTTLING = {"periods": 0, "throttled_periods": 0, "throttled_time": 0}
_MEMORY_BASE = (
    *("active_anon", "active_file", "cache", "dirty", "inactive_anon", "inactive_file", "mapped_file", "pgfault"),
    *("pgmajfault", "pgpgin", "pgpgout", "rss", "rss_huge", "unevictable", "writeback"),
)
_MEMORY_FIGURES = (
    *_MEMORY_BASE,
    *("hierarchical_memory_limit", "hierarchical_memsw_limit"),
    *(f"total_{name}" for name in _MEMORY_BASE),
)


def rfc3339_nano(time_s: float) -> str:
    """As Go prints a time, in UTC."""
    whole = datetime.fromtimestamp(int(time_s), UTC).strftime("%Y-%m-%dT%H:%M:%S")
    return f"{whole}.{int(time_s % 1 * 1e9):09}Z"


def missing(name: str) -> tuple[HTTPStatus, Json]:
    """The answer for a container that isn't there."""
    return HTTPStatus.NOT_FOUND, {"message": f"No such container: {name}"}


def _created_s(life: Life) -> float:
    return (life.started_s or clock.now_s()) - 1.0


def _ago(seconds: float) -> str:
    """As Docker rounds it."""
    for unit_s, name in ((86_400.0, "days"), (3600.0, "hours"), (60.0, "minutes")):
        if seconds >= 2 * unit_s:
            return f"{int(seconds / unit_s)} {name}"
    return f"{max(int(seconds), 1)} seconds"
