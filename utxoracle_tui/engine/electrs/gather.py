"""From what the sources say to evidence."""

from __future__ import annotations

from types import MappingProxyType

from utxoracle_tui.engine.electrs.evidence import (
    BlockFiles,
    DbSize,
    Metrics,
    Node,
    NodeTrouble,
    Process,
    Rest,
    Rpc,
    Sizes,
    Status,
)
from utxoracle_tui.engine.electrs.phases import Db
from utxoracle_tui.engine.node_watch import NodeReading
from utxoracle_tui.sources.containers_replies import Container, ContainerStats
from utxoracle_tui.sources.electrs import Tip
from utxoracle_tui.sources.electrs_metrics import MetricsPage
from utxoracle_tui.sources.host_processes import Process as HostProcess
from utxoracle_tui.sources.host_units import Unit
from utxoracle_tui.sources.index_folder import BlockFileCount, IndexSizes
from utxoracle_tui.sources.node_errors import (
    CookieMissing,
    CookieUnreadable,
    NoCredentials,
    NodeBusy,
    NodeHanging,
    NodeUnreachable,
    NodeWarmingUp,
    WrongPassword,
)

SIGNAL_EXIT = 128
"""Added to the number of a signal it makes the exit code of a process that the signal ended, as shells have it."""
_DISK_SLEEP = "D"
_CONTAINER_STATUS = MappingProxyType(
    {
        "running": Status.RUNNING,
        "restarting": Status.RESTARTING,
        "paused": Status.PAUSED,
        "created": Status.CREATED,
    }
)
_NODE_TROUBLE = MappingProxyType(
    {
        NodeUnreachable.KIND: NodeTrouble.DOWN,
        CookieMissing.KIND: NodeTrouble.DOWN,
        NodeWarmingUp.KIND: NodeTrouble.WARMING,
        NodeBusy.KIND: NodeTrouble.BUSY,
        NodeHanging.KIND: NodeTrouble.BUSY,
        WrongPassword.KIND: NodeTrouble.AUTH,
        CookieUnreadable.KIND: NodeTrouble.AUTH,
        NoCredentials.KIND: NodeTrouble.AUTH,
    }
)


def of_metrics(page: MetricsPage) -> Metrics:
    """Metrics as evidence."""
    return Metrics(
        page.at_s,
        cpu_s=page.cpu_s,
        tip_height=page.tip_height,
        add_batches=page.steps.get("add_process"),
        index_batches=page.steps.get("index_process"),
        lookups=page.steps.get("index_lookup"),
        rpc=MappingProxyType({method: Rpc(total.calls, total.spent_s) for method, total in page.rpc.items()}),
        mempool_txs=page.mempool_txs,
        serving=page.serving,
    )


def of_tip(tip: Tip) -> Rest:
    """The tip of REST as evidence."""
    return Rest(tip.at_s, tip.height)


def of_sizes(sizes: IndexSizes) -> Sizes:
    """Sizes of the databases as evidence."""
    return Sizes(
        sizes.at_s,
        MappingProxyType(
            {
                Db(name): DbSize(size.sst_bytes, size.allocated_bytes, size.files, size.large_bytes)
                for name, size in sizes.databases.items()
            }
        ),
    )


def of_block_files(files: BlockFileCount) -> BlockFiles:
    """The number of block files as evidence."""
    return BlockFiles(files.at_s, files.count)


def of_node(reading: NodeReading | None) -> Node | None:
    """What is known of the node as evidence; None before the first reading."""
    if reading is None:
        return None
    chain = reading.chain
    if reading.trouble_kind is not None or chain is None:
        trouble = _NODE_TROUBLE.get(reading.trouble_kind or "", NodeTrouble.OTHER)
        return Node(reading.at_s, trouble=trouble)
    headers = chain.headers if chain.headers >= 0 else None
    return Node(reading.at_s, chain.blocks, headers, bool(chain.initial_download))


def of_container(container: Container, stats: ContainerStats | None, process: HostProcess | None) -> Process:
    """A container as evidence."""
    cpu_s, io_bytes = _used(stats, process)
    status = _CONTAINER_STATUS.get(container.state, Status.EXITED)
    return Process(
        container.at_s,
        status,
        started_at_s=container.started_s,
        exit_code=container.exit_code if status in (Status.EXITED, Status.RESTARTING) else None,
        oom_killed=container.oom_killed and status is not Status.RUNNING,
        restarts=container.restarts,
        cpu_s=cpu_s,
        io_bytes=io_bytes,
        in_disk_sleep=process is not None and process.state == _DISK_SLEEP,
        command=f"docker restart {container.name}",
    )


def _used(stats: ContainerStats | None, process: HostProcess | None) -> tuple[float | None, int | None]:
    """CPU time and bytes read and written, as the container counts them, else as the kernel does."""
    cpu_s = stats.cpu_s if stats is not None else process.cpu_s if process is not None else None
    source = stats if stats is not None and stats.read_bytes is not None else process
    if source is None or source.read_bytes is None or source.written_bytes is None:
        return cpu_s, None
    return cpu_s, source.read_bytes + source.written_bytes


def of_unit(unit: Unit, process: HostProcess | None) -> Process:
    """A unit of systemd as evidence."""
    cpu_s, io_bytes = _used(None, process)
    return Process(
        unit.at_s,
        _unit_status(unit),
        process_id=f"{process.pid}:{process.start_tick}" if process is not None else None,
        exit_code=_exit_code(unit),
        oom_killed=unit.result == "oom-kill",
        restarts=unit.restarts,
        cpu_s=cpu_s,
        io_bytes=io_bytes,
        in_disk_sleep=process is not None and process.state == _DISK_SLEEP,
        command=f"sudo systemctl restart {unit.name}",
    )


def _unit_status(unit: Unit) -> Status:
    if not unit.exists:
        return Status.MISSING
    if unit.sub_state.startswith("auto-restart"):
        return Status.RESTARTING
    return Status.RUNNING if unit.active_state in ("active", "activating", "deactivating") else Status.EXITED


def _exit_code(unit: Unit) -> int | None:
    if unit.exit_status is None or _unit_status(unit) is Status.RUNNING:
        return None
    by_signal = unit.result in ("signal", "core-dump", "oom-kill")
    return unit.exit_status + SIGNAL_EXIT if by_signal and unit.exit_status < SIGNAL_EXIT else unit.exit_status
