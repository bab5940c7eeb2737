"""Metrics in Prometheus' text format, under the names of electrs."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

_BUCKETS_S = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
"""Default buckets of the Rust library."""
_HELP = {
    "daemon_bytes": "Bitcoind RPC size (in bytes)",
    "daemon_rpc": "Bitcoind RPC latency (in seconds)",
    "electrs_rest_api": "REST API latency (in seconds)",
    "electrum_clients": "# of Electrum clients",
    "electrum_rpc": "Electrum RPC latency (in seconds)",
    "electrum_subscriptions": "# of Electrum subscriptions",
    "index_duration": "Index update duration (in seconds)",
    "mempool_count": "# of elements currently at the mempool",
    "mempool_delta": "# of transactions added/removed",
    "mempool_latency": "Mempool update latency (in seconds)",
    "process_cpu_usage": "CPU usage by this process [seconds]",
    "process_fs_fds": "# of file descriptors",
    "process_memory_rss": "Resident memory size [bytes]",
    "query_duration": "Time to execute index query (in seconds)",
    "tip_height": "Current chain tip height",
}
"""Of each family; what isn't here isn't known."""

Labels = tuple[tuple[str, str], ...]


@dataclass(slots=True)
class _Histogram:
    counts: list[int] = field(default_factory=lambda: [0] * (len(_BUCKETS_S) + 1))
    total: float = 0.0

    def observe(self, value: float, times: int) -> None:
        place = next((place for place, edge in enumerate(_BUCKETS_S) if value <= edge), len(_BUCKETS_S))
        self.counts[place] += times
        self.total += value * times

    def lines(self, name: str, labels: Labels) -> Iterable[str]:
        below = 0
        for edge, count in zip((*map(_number, _BUCKETS_S), "+Inf"), self.counts, strict=True):
            below += count
            yield f"{name}_bucket{_braces((*labels, ('le', edge)))} {below}"
        yield f"{name}_sum{_braces(labels)} {_number(self.total)}"
        yield f"{name}_count{_braces(labels)} {below}"


class Metrics:
    """Of one process: it begins with none. A family without a sample isn't told."""

    def __init__(self) -> None:
        self._gauges: dict[str, dict[Labels, float]] = {}
        self._histograms: dict[str, dict[Labels, _Histogram]] = {}

    def set(self, name: str, value: float, **labels: str) -> None:
        """Give a gauge a value."""
        self._gauges.setdefault(name, {})[tuple(labels.items())] = value

    def observe(self, name: str, value: float, *, times: int = 1, **labels: str) -> None:
        """Add an observation to a histogram, or several that are alike."""
        if not times:
            return
        family = self._histograms.setdefault(name, {})
        family.setdefault(tuple(labels.items()), _Histogram()).observe(value, times)

    def count(self, name: str, **labels: str) -> int:
        """How many observations a histogram has."""
        found = self._histograms.get(name, {}).get(tuple(labels.items()))
        return sum(found.counts) if found else 0

    def text(self) -> str:
        """The page, families in the order of their names."""
        lines: list[str] = []
        for name in sorted(self._gauges.keys() | self._histograms.keys()):
            kind = "gauge" if name in self._gauges else "histogram"
            lines += [f"# HELP {name} {_HELP[name]}", f"# TYPE {name} {kind}"]
            for labels, value in sorted(self._gauges.get(name, {}).items()):
                lines.append(f"{name}{_braces(labels)} {_number(value)}")
            for labels, histogram in sorted(self._histograms.get(name, {}).items()):
                lines += histogram.lines(name, labels)
        return "\n".join(lines) + "\n"


def _braces(labels: Labels) -> str:
    return "{" + ",".join(f'{name}="{value}"' for name, value in labels) + "}" if labels else ""


def _number(value: float) -> str:
    """As Rust prints a float: no exponent, and no fraction where there is none."""
    text = f"{value:.9f}".rstrip("0").rstrip(".")
    return text or "0"
