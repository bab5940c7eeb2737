"""The API's Prometheus metrics."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator

import msgspec
from prometheus_client import generate_latest
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from utxoracle_tui import clock
from utxoracle_tui.serve.checks import Checks
from utxoracle_tui.serve.follower import Held

_PREFIX = "utxoracle_tui"


def metrics_text(held: Held, checks: Checks, started_at_s: float) -> bytes:
    """All metrics in Prometheus' text format, version 0.0.4."""
    return generate_latest(_Metrics(held, checks, started_at_s))


class _Metrics(Collector):
    def __init__(self, held: Held, checks: Checks, started_at_s: float) -> None:
        self._held, self._checks, self._started_at_s = held, checks, started_at_s

    def collect(self) -> Iterator[Metric]:
        yield _gauge("start_time_seconds", "When the API was started, unix seconds.", self._started_at_s)
        readable = self._held.trouble is None
        yield _gauge("store_readable", "Whether the store can be read.", float(readable))
        # what was read before is old by now
        yield from self._of_newest() if readable else ()
        yield from self._of_sources()

    def _of_newest(self) -> Iterator[Metric]:
        yield _gauge("entries", "Entries that are held, a year of them.", len(self._held.table))
        latest = self._held.table.latest()
        if latest is None:
            return
        entry = msgspec.json.decode(latest)
        made_at_s = dt.datetime.fromisoformat(entry["timestamp"]).timestamp()
        yield _gauge("entry_timestamp_seconds", "When the newest entry was made, unix seconds.", made_at_s)
        for field, name, what in (
            ("utxoracle_price", "onchain_price_usd", "The on-chain price of the newest entry."),
            ("mempool_price", "exchange_price_usd", "The exchange price of the newest entry."),
            ("diff_amount", "difference_usd", "Exchange price - on-chain price."),
            ("confidence", "confidence_ratio", "Of the on-chain price, 0 to 1."),
            ("is_valid", "price_valid", "Whether the on-chain price can be relied on."),
        ):
            if entry[field] is not None:
                yield _gauge(name, what, float(entry[field]))

    def _of_sources(self) -> Iterator[Metric]:
        up = GaugeMetricFamily(f"{_PREFIX}_source_up", "Whether a source is as it should be.", labels=["source"])
        age = GaugeMetricFamily(f"{_PREFIX}_source_age_seconds", "Since a source was looked at.", labels=["source"])
        now_s = clock.elapsed_s()
        for source, check in self._checks.newest.items():
            up.add_metric([source.value], float(check.status == "ok"))
            age.add_metric([source.value], now_s - check.looked_s)
        yield up
        yield age


def _gauge(name: str, what: str, value: float) -> GaugeMetricFamily:
    return GaugeMetricFamily(f"{_PREFIX}_{name}", what, value=value)
