"""The stack as one JSON document, with keys that stay."""

from __future__ import annotations

from typing import Any

from utxoracle_tui.engine.electrs.pace import Eta
from utxoracle_tui.engine.electrs.state import State
from utxoracle_tui.engine.stack.backend import BackendStatus
from utxoracle_tui.engine.stack.containers import ContainersStatus, ContainerStatus
from utxoracle_tui.engine.stack.disks import DisksStatus, DiskStatus
from utxoracle_tui.engine.stack.exchange import ExchangeStatus
from utxoracle_tui.engine.stack.ibd import Ibd
from utxoracle_tui.engine.stack.node import NodeStatus
from utxoracle_tui.engine.stack.reading import SourceReading
from utxoracle_tui.engine.stack.stack_reading import StackReading
from utxoracle_tui.engine.stack.stored import StoredStatus

Document = dict[str, Any]


def stack_document(reading: StackReading, stored: StoredStatus | None, now_s: float, wall_s: float) -> Document:
    """The document; `now_s` is on the clock for spans, `wall_s` in unix seconds.

    What isn't known is null; spans are in seconds, sizes in bytes, shares from 0 to 1.
    """
    return {
        "overall": reading.overall.value,
        "time": wall_s,
        "node": _source(reading.node, now_s) | _node(reading.node.detail, wall_s),
        "electrs": _source(reading.electrs, now_s) | _electrs(reading.electrs.detail),
        "backend": _source(reading.backend, now_s) | _backend(reading.backend.detail),
        "exchange": _source(reading.exchange, now_s) | _exchange(reading.exchange.detail, wall_s),
        "containers": _source(reading.containers, now_s) | _containers(reading.containers.detail),
        "disks": _source(reading.disks, now_s) | _disks(reading.disks.detail),
        "store": _stored(stored, wall_s),
    }


def _source(reading: SourceReading[Any], now_s: float) -> Document:
    return {
        "health": reading.health.value,
        "standing": reading.standing.value,
        "state": reading.word,
        "sentence": reading.sentence,
        "troubles": list(reading.troubles),
        "age_s": reading.age_s(now_s),
        "latency_s": reading.latency_s,
        "error": reading.heard.trouble.kind if reading.heard.trouble is not None else None,
    }


def _node(status: NodeStatus | None, wall_s: float) -> Document:
    chain = status.chain if status is not None else None
    network = status.network if status is not None else None
    mempool = status.mempool if status is not None else None
    started_at_s = status.started_at_s if status is not None else None
    return {
        "network": chain and chain.network,
        "blocks": chain and chain.blocks,
        "headers": chain and chain.headers,
        "best_hash": chain and chain.best_hash,
        "tip_time": chain and chain.time_s,
        "progress": chain and chain.progress,
        "initial_download": chain and chain.initial_download,
        "size_on_disk_bytes": chain and chain.size_on_disk_bytes,
        "pruned": chain.pruned if chain is not None else None,
        "prune_height": chain and chain.prune_height,
        "ibd": _ibd(status.ibd) if status is not None and status.ibd is not None else None,
        "version": network and network.version,
        "subversion": network and network.subversion,
        "peers": network and network.connections,
        "mempool_transactions": mempool and mempool.transactions,
        "mempool_vbytes": mempool and mempool.size_vbytes,
        "uptime_s": wall_s - started_at_s if started_at_s is not None else None,
        "indexes": None
        if status is None or status.indexes is None
        else [{"name": each.name, "synced": each.synced, "best_height": each.best_height} for each in status.indexes],
        "warnings": list(status.warnings) if status is not None else [],
    }


def _ibd(ibd: Ibd) -> Document:
    return {
        "blocks_left": ibd.left_blocks,
        "progress": ibd.progress,
        "blocks_per_s": ibd.blocks_per_s,
        **_eta(ibd.eta),
    }


def _eta(eta: Eta | None) -> Document:
    return {
        "eta_s": eta and eta.mid_s,
        "eta_low_s": eta and eta.low_s,
        "eta_high_s": eta and eta.high_s,
    }


def _electrs(state: State | None) -> Document:
    return {
        "phase": state and state.phase.value,
        "share": state and state.progress.share,
        "whole_share": state and state.whole_share,
        **_eta(state.progress.eta if state is not None else None),
        "phase_sentence": state and state.sentence,
        "advice": state and state.advice,
        "conditions": [
            {
                "kind": each.kind.value,
                "severity": each.severity.value,
                "sentence": each.sentence,
                "advice": each.advice,
            }
            for each in (state.conditions if state is not None else ())
        ],
    }


def _backend(status: BackendStatus | None) -> Document:
    info = status.info if status is not None else None
    return {
        "live": status.live.live if status is not None else None,
        "tip_height": status and status.tip_height,
        "version": info and info.version,
        "backend": info and info.backend,
        "core_version": info and info.core_version,
        "loading": {each.name: each.progress_pct for each in status.loading.indicators}
        if status is not None and status.loading is not None
        else {},
    }


def _exchange(status: ExchangeStatus | None, wall_s: float) -> Document:
    price = status.reading if status is not None else None
    return {
        "price_usd": price and price.price_usd,
        "price_time": price and price.time_s,
        "price_age_s": wall_s - price.time_s if price is not None else None,
        "price_source": price and price.source,
        "host": status and status.host,
    }


def _containers(status: ContainersStatus | None) -> Document:
    return {"containers": [_container(each) for each in (status.containers if status is not None else ())]}


def _container(each: ContainerStatus) -> Document:
    found = each.container
    return {
        "role": each.role,
        "name": each.name,
        "state": found.state if found is not None else "missing",
        "well": each.is_well,
        "exit_code": found.exit_code if found is not None and found.finished_s is not None else None,
        "oom_killed": found.oom_killed if found is not None else None,
        "restarts": found.restarts if found is not None else None,
        "health_check": found.health if found is not None else None,
        "started": found.started_s if found is not None else None,
    }


def _disks(status: DisksStatus | None) -> Document:
    return {"disks": [_disk(each) for each in (status.disks if status is not None else ())]}


def _disk(each: DiskStatus) -> Document:
    return {
        "holds": list(each.holds),
        "mount_point": str(each.mount_point) if each.mount_point is not None else None,
        "disk": each.disk,
        "file_system": each.file_system,
        "rotational": each.rotational,
        "total_bytes": each.total_bytes,
        "free_bytes": each.free_bytes,
        "low": each.is_low,
        "busy": each.activity.busy if each.activity is not None else None,
        "read_bytes_per_s": each.activity.read_bytes_per_s if each.activity is not None else None,
        "written_bytes_per_s": each.activity.written_bytes_per_s if each.activity is not None else None,
    }


def _stored(stored: StoredStatus | None, wall_s: float) -> Document | None:
    if stored is None:
        return None
    newest_s, backup_s = stored.observation_at_s, stored.backup_at_s
    return {
        "network": stored.network,
        "folder": str(stored.folder),
        "newest_observation_age_s": wall_s - newest_s if newest_s is not None else None,
        "newest_backup_age_s": wall_s - backup_s if backup_s is not None else None,
        "trouble": stored.trouble,
    }
