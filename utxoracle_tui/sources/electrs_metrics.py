"""electrs's metrics, read from the Prometheus text that it serves.

Names and meaning: electrs, src/metrics.rs, src/daemon.rs, src/new_index/{schema,mempool}.rs, src/electrum/server.rs.
Families without a sample are not printed, so that in its first seconds the page is empty.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from math import isfinite

from prometheus_client.parser import text_string_to_metric_families

_OWN = frozenset(
    {
        "process_memory_rss",
        "process_cpu_usage",
        "process_fs_fds",
        "daemon_rpc",
        "daemon_bytes",
        "tip_height",
        "index_duration",
        "query_duration",
        "mempool_count",
    }
)
"""Families of electrs; a page with others and none of these is another program's."""
_SERVING = frozenset({"electrum_clients", "electrum_subscriptions", "electrum_rpc"})


class NoMetrics(ValueError):
    """A page that isn't electrs's; the text says why, as the end of a sentence."""


@dataclass(frozen=True, slots=True)
class RpcTotals:
    """What electrs asked of the node by one method, since it was started."""

    calls: int
    spent_s: float


@dataclass(frozen=True, slots=True)
class MetricsPage:
    """One page; None and missing keys for what isn't printed yet."""

    at_s: float
    """Unix seconds."""
    latency_s: float
    cpu_s: float | None
    """User time."""
    memory_bytes: int | None
    """Resident."""
    open_files: int | None
    tip_height: int | None
    """0 during the whole first sync."""
    steps: Mapping[str, int]
    """Batches by step: `add_process`, `add_write`, `index_lookup`, `index_process`."""
    rpc: Mapping[str, RpcTotals]
    mempool_txs: int | None
    serving: bool
    """Whether the Electrum server has started, and REST with it."""


def read_page(body: bytes, at_s: float, latency_s: float) -> MetricsPage:
    """Read a page. Raises `NoMetrics`."""
    samples: dict[str, list[tuple[Mapping[str, str], float]]] = defaultdict(list)
    families = set()
    try:
        for family in text_string_to_metric_families(body.decode()):
            families.add(family.name)
            for sample in family.samples:
                if isfinite(sample.value):
                    samples[sample.name].append((sample.labels, sample.value))
    except UnicodeDecodeError:
        raise NoMetrics("is not UTF-8") from None
    except (ValueError, KeyError, IndexError):
        fault = "is a web page, not metrics" if body.lstrip()[:1] == b"<" else "is not metrics"
        raise NoMetrics(fault) from None
    if families and not families & _OWN:
        raise NoMetrics("has the metrics of another program")
    return _page(samples, families, at_s, latency_s)


def _page(
    samples: Mapping[str, list[tuple[Mapping[str, str], float]]], families: set[str], at_s: float, latency_s: float
) -> MetricsPage:
    spent_s = _by_label(samples.get("daemon_rpc_sum", []), "method")
    calls = _by_label(samples.get("daemon_rpc_count", []), "method")
    return MetricsPage(
        at_s=at_s,
        latency_s=latency_s,
        cpu_s=_by_label(samples.get("process_cpu_usage", []), "type").get("utime"),
        memory_bytes=_whole(samples.get("process_memory_rss", [])),
        open_files=_whole(samples.get("process_fs_fds", [])),
        tip_height=_whole(samples.get("tip_height", [])),
        steps={step: int(count) for step, count in _by_label(samples.get("index_duration_count", []), "step").items()},
        rpc={method: RpcTotals(int(count), spent_s.get(method, 0.0)) for method, count in calls.items()},
        mempool_txs=next(
            (int(value) for labels, value in samples.get("mempool_count", []) if labels.get("type") == "txs"), None
        ),
        serving=bool(families & _SERVING),
    )


def _by_label(found: list[tuple[Mapping[str, str], float]], label: str) -> dict[str, float]:
    return {labels[label]: value for labels, value in found if label in labels}


def _whole(found: list[tuple[Mapping[str, str], float]]) -> int | None:
    return int(found[0][1]) if found else None
