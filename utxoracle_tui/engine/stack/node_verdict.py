"""What is made of what a node has said."""

from __future__ import annotations

from types import MappingProxyType

from utxoracle_tui import formats
from utxoracle_tui.engine.stack.ibd import Ibd
from utxoracle_tui.engine.stack.node import NodeStatus
from utxoracle_tui.engine.stack.reading import ASKING, Health, Heard, Source, Standing, Trouble, Verdict, overdue
from utxoracle_tui.engine.stack.sizes import size
from utxoracle_tui.engine.stack.thresholds import LIMITS, SLOW_S
from utxoracle_tui.sources.node_errors import (
    CookieUnreadable,
    Forbidden,
    NoCredentials,
    NodeBusy,
    NodeHanging,
    NodeNonsense,
    NodeWarmingUp,
    WrongNetwork,
    WrongPassword,
)

NO_PEERS_NETWORK = "regtest"
"""Nodes of this network have none unless they are told of some."""
_FIRST_WITHOUT_ZERO = 220_000
_WORDS = MappingProxyType(
    {
        NodeHanging.KIND: "hangs",
        WrongPassword.KIND: "no access",
        CookieUnreadable.KIND: "no access",
        NoCredentials.KIND: "no access",
        Forbidden.KIND: "no access",
        WrongNetwork.KIND: "wrong network",
        NodeNonsense.KIND: "nonsense",
    }
)


def judge(heard: Heard[NodeStatus], now_s: float, wall_s: float) -> Verdict:
    """The verdict at a moment: `now_s` on the clock for spans, `wall_s` in unix seconds."""
    age_s, status, trouble = heard.age_s(now_s), heard.detail, heard.trouble
    by_age = LIMITS[Source.NODE].health(age_s) if age_s is not None else Health.UNKNOWN
    if trouble is not None:
        return _of_trouble(trouble, by_age)
    if status is None or age_s is None:
        return ASKING
    said = _said(status, heard.latency_s or 0.0, wall_s)
    if by_age is not Health.UP:
        return overdue(by_age, age_s, said)
    standing, word = Standing.READY, "synced"
    if status.ibd is not None:
        standing, word = Standing.WORKING, "syncing"
        stalled_s = status.ibd.stalled_for_s(now_s)
        if stalled_s is not None:
            standing, word = Standing.DEGRADED, "stalled"
            said = f"No block has come for {formats.span(stalled_s)}; see its peers and its log. {said}"
    elif (heard.latency_s or 0.0) >= SLOW_S:
        standing, word = Standing.DEGRADED, "slow"
    elif _has_no_peers(status):
        standing, word = Standing.DEGRADED, "no peers"
    return Verdict(Health.UP, standing, word, said)


def _of_trouble(trouble: Trouble, by_age: Health) -> Verdict:
    if trouble.kind == NodeWarmingUp.KIND:
        return Verdict(Health.UP, Standing.WORKING, "starting", trouble.sentence)
    if trouble.kind == NodeBusy.KIND:
        return Verdict(by_age, Standing.DEGRADED, "busy", trouble.sentence)
    return Verdict(Health.DOWN, Standing.DOWN, _WORDS.get(trouble.kind, "down"), trouble.sentence)


def _has_no_peers(status: NodeStatus) -> bool:
    network = status.network
    return network is not None and network.connections == 0 and status.chain.network != NO_PEERS_NETWORK


def _said(status: NodeStatus, latency_s: float, wall_s: float) -> str:
    """What it said, in short pieces."""
    chain, network, mempool = status.chain, status.network, status.mempool
    pieces = [f"{chain.network}: tip {chain.blocks:,}"]
    if status.ibd is not None:
        pieces += _catching_up(status.ibd)
    elif chain.time_s is not None:
        pieces.append(f"block {formats.age(max(0.0, wall_s - chain.time_s))}")
    if network is not None and network.connections is not None:
        pieces.append(formats.plural(network.connections, "peer"))
    if mempool is not None:
        pieces.append(f"mempool {formats.count(mempool.transactions)} txs")
    if network is not None and network.version is not None:
        pieces.append(f"v{version(network.version)}")
    if chain.pruned:
        pieces.append(f"pruned below {chain.prune_height:,}" if chain.prune_height else "pruned")
    if chain.size_on_disk_bytes:
        pieces.append(size(chain.size_on_disk_bytes))
    if status.started_at_s is not None:
        pieces.append(f"up {formats.span(max(0.0, wall_s - status.started_at_s))}")
    if latency_s >= SLOW_S:
        pieces.append(f"slow: {latency_s:.1f} s an answer")
    return f"{', '.join(pieces)}."


def _catching_up(ibd: Ibd) -> list[str]:
    share = f" ({formats.percent(ibd.progress)})" if ibd.progress is not None else ""
    pieces = [f"{formats.plural(ibd.left_blocks, 'block')} behind{share}"]
    if ibd.blocks_per_s:
        pieces.append(f"{ibd.blocks_per_s:.1f} blocks/s")
    eta = ibd.eta
    if eta is not None:
        span = f"{formats.span(eta.low_s)} to {formats.span(eta.high_s)}"
        pieces.append(f"through in {formats.span(eta.mid_s)} ({span})")
    return pieces


def version(number: int) -> str:
    """A version as people write it: 280100 is 28.1.0, and 210100 is 0.21.1 (Bitcoin Core, src/clientversion.h)."""
    if number < _FIRST_WITHOUT_ZERO:
        return f"0.{number // 10_000}.{number // 100 % 100}"
    return f"{number // 10_000}.{number // 100 % 100}.{number % 100}"
