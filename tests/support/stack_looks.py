"""Looks at a stack by hand: one that is ready, and what is changed of it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from types import MappingProxyType
from typing import Any, TypeAlias

from utxoracle_tui.config.settings import Containers, Electrs, Mempool, Node, Settings
from utxoracle_tui.engine.electrs.evidence import Disk, Metrics, Process, Rest, Source, Status, Trouble
from utxoracle_tui.engine.electrs.memory import Known, Memory
from utxoracle_tui.engine.electrs.phases import SEVERITY, ConditionKind, Phase
from utxoracle_tui.engine.electrs.state import Condition, State
from utxoracle_tui.engine.stack import reading as stack_reading
from utxoracle_tui.engine.stack.backend import BackendStatus
from utxoracle_tui.engine.stack.containers import ContainersStatus, ContainerStatus
from utxoracle_tui.engine.stack.disks import DisksStatus, DiskStatus
from utxoracle_tui.engine.stack.exchange import ExchangeStatus
from utxoracle_tui.engine.stack.findings.finding import NodeConf, StackLook
from utxoracle_tui.engine.stack.node import NodeStatus
from utxoracle_tui.engine.stack.reading import Heard
from utxoracle_tui.engine.stack.stack import HeardOf, Named, judge
from utxoracle_tui.engine.stack.stack_reading import StackReading
from utxoracle_tui.sources.containers_replies import Container, RestartPolicy
from utxoracle_tui.sources.mempool_replies import BackendInfo, Liveness
from utxoracle_tui.sources.node_probe import PortProbe
from utxoracle_tui.sources.node_replies import ChainInfo, MempoolInfo, NetworkInfo
from utxoracle_tui.store.records import ExchangeReading

Value: TypeAlias = Any
"""Of some field."""
NOON_S = 1_761_825_600.0
"""2025-10-30 12:00 UTC: the moment of every look."""
SPAN_S = 5_000.0
"""The same on the clock for spans."""
TIP = 921_456
HOST = "127.0.0.1:8332"


def chain(**changes: Value) -> ChainInfo:
    plain = ChainInfo(
        network="main",
        blocks=TIP,
        headers=TIP,
        best_hash="0" * 64,
        difficulty=1.0,
        time_s=int(NOON_S) - 300,
        median_time_s=int(NOON_S) - 3600,
        progress=0.99999,
        initial_download=False,
        size_on_disk_bytes=780_000_000_000,
        pruned=False,
        prune_height=None,
        automatic_pruning=None,
        prune_target_bytes=None,
        warnings=(),
    )
    return replace(plain, **changes)


def network(**changes: Value) -> NetworkInfo:
    return replace(NetworkInfo(280_100, "/Satoshi:28.1.0/", 70_016, True, 10, 0, 10, None, ()), **changes)


def node(**changes: Value) -> Heard[NodeStatus]:
    """A node that has just answered; `chain`, `network` and so on change what it said."""
    mempool = MempoolInfo(True, 60_000, None, None, None, None, None)
    status = NodeStatus(HOST, chain(), network(), mempool, (), NOON_S - 86_400)
    return heard(replace(status, **changes))


def heard(detail: Value, *, ago_s: float = 0.0, latency_s: float = 0.004) -> Heard[Value]:
    return Heard(detail, SPAN_S - ago_s, NOON_S - ago_s, latency_s)


def failed(kind: str, sentence: str = "It failed.", before: Heard[Value] | None = None) -> Heard[Value]:
    return replace(before or Heard(), trouble=stack_reading.Trouble(kind, sentence))


def condition(kind: ConditionKind, sentence: str = "So it is.", advice: str = "Mend it.") -> Condition:
    return Condition(kind, SEVERITY[kind], NOON_S, sentence, advice)


def electrs(phase: Phase = Phase.READY, *conditions: Condition, memory: Memory | None = None, **known: Value) -> State:
    """The state of an electrs that is ready; `known` changes what is known of it."""
    seen = Known(
        process=Process(NOON_S, Status.RUNNING, started_at_s=NOON_S - 86_400),
        metrics=Metrics(NOON_S, serving=True),
        rest=Rest(NOON_S, TIP),
        disk=Disk(NOON_S, 10**12),
    )
    memory = replace(memory or Memory(), known=replace(seen, **known))
    return State(
        NOON_S, phase, NOON_S - 600, sentence="It is so.", advice="Wait.", conditions=conditions, memory=memory
    )


def troubles(*found: Trouble) -> MappingProxyType[Source, Trouble]:
    return MappingProxyType({trouble.source: trouble for trouble in found})


def backend(**changes: Value) -> BackendStatus:
    info = BackendInfo("3.4.0", "abc", "esplora", "/Satoshi:28.1.0/", NOON_S, 0.01)
    live = Liveness(True, "It is in sync.", NOON_S, 0.01)
    return replace(BackendStatus("127.0.0.1:8999", live, TIP, info), **changes)


def not_live() -> Liveness:
    return Liveness(False, "It answers and is not in sync.", NOON_S, 0.01)


def price(age_s: float = 600.0, source: Value = "own") -> ExchangeStatus:
    return ExchangeStatus(ExchangeReading(time_s=NOON_S - age_s, price_usd=110_000.0, source=source), "127.0.0.1:8999")


def container(name: str = "mempool-api", **changes: Value) -> Container:
    plain = Container(
        container_id="0" * 64,
        name=name,
        image="image",
        state="running",
        running=True,
        restarting=False,
        oom_killed=False,
        pid=1,
        exit_code=0,
        error="",
        health=None,
        failing_streak=0,
        started_s=NOON_S - 86_400,
        finished_s=None,
        restarts=0,
        restart_policy=RestartPolicy("unless-stopped", 0),
        tty=False,
        log_driver="json-file",
        project="mempool",
        service="api",
        at_s=NOON_S,
        latency_s=0.01,
    )
    return replace(plain, **changes)


def containers(*found: ContainerStatus) -> ContainersStatus:
    return ContainersStatus(found or (ContainerStatus("backend", "mempool-api", container()),))


def disk(free_bytes: int = 10**12, holds: tuple[str, ...] = ("node", "electrs"), **changes: Value) -> DiskStatus:
    plain = DiskStatus(holds, Path("/data"), "sda", "ext4", False, 4 * 10**12, free_bytes, None)
    return replace(plain, **changes)


def reading(named: Named | None = None, **changes: Value) -> StackReading:
    """The reading of a stack that is ready, with what some of its sources have said changed."""
    plain = HeardOf(
        node=node(),
        electrs=heard(electrs()),
        backend=heard(backend()),
        exchange=heard(price()),
        containers=heard(containers()),
        disks=heard(DisksStatus((disk(),))),
    )
    return judge(replace(plain, **changes), named or Named(), SPAN_S, NOON_S)


SETTINGS = Settings(
    node=Node(cookie_file=Path("/home/bitcoin/.bitcoin/.cookie"), blocks_dir=Path("/home/bitcoin/.bitcoin/blocks")),
    mempool=Mempool(),
    electrs=Electrs(),
    containers=Containers(),
)


def look(settings: Settings = SETTINGS, named: Named | None = None, **changes: Value) -> StackLook:
    """A look at a stack that is ready and in which nothing is misconfigured, but for what is changed.

    What the sources have said is changed by their names, all else by that of the field.
    """
    sources = {name: changes.pop(name) for name in HeardOf.__slots__ if name in changes}
    plain = StackLook(
        at_s=NOON_S,
        settings=settings,
        reading=reading(named, **sources),
        port=PortProbe(True, NOON_S, NOON_S),
        conf=NodeConf(Path("/home/bitcoin/.bitcoin/bitcoin.conf"), True, None, True),
        cookie_written_s=NOON_S - 86_400,
        block_key=bytes(8),
        electrs_log=("Config { log: StdErrLog { verbosity: Debug, quiet: false }, network_type: Bitcoin }",),
    )
    return replace(plain, **changes)
