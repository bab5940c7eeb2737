"""Findings about Bitcoin Core: it isn't there, lets nobody in, is pruned, has no REST, takes too few requests."""

from __future__ import annotations

from collections.abc import Iterator
from types import MappingProxyType

from utxoracle_tui import formats
from utxoracle_tui.engine.electrs.phases import ConditionKind
from utxoracle_tui.engine.stack.findings.finding import Finding, Gravity, StackLook
from utxoracle_tui.engine.stack.reading import Standing
from utxoracle_tui.sources.node_errors import (
    CookieUnreadable,
    Forbidden,
    NoCredentials,
    NodeBusy,
    NodeHanging,
    NodeNonsense,
    NodeUnreachable,
    NodeWarmingUp,
    WrongNetwork,
    WrongPassword,
)

FIRST_WITH_LONG_QUEUE = 290_000
"""From v29 on 64 requests may wait where nothing else is set, before that 16 (Bitcoin Core, release notes)."""
LEAST_QUEUE = 16
_CLOCK_WORDS = "date and time"
QUEUE_WORDS = "more requests than it can take"
"""As electrs's watch puts it; it also speaks of a node that is merely slow."""
_MEND = MappingProxyType(
    {
        NodeUnreachable.KIND: "Start it (`sudo systemctl start bitcoind`), or set BITCOIN_RPC_URL to its rpcbind and "
        "rpcport.",
        NodeHanging.KIND: "Look at its disk and its log (`tail debug.log`); if it is frozen, restart it.",
        NodeNonsense.KIND: "Set BITCOIN_RPC_URL to the RPC port of Bitcoin Core itself: 8332 on the main network.",
        NoCredentials.KIND: "Set BITCOIN_DATADIR to its datadir, or BITCOIN_RPC_USER and BITCOIN_RPC_PASSWORD.",
        CookieUnreadable.KIND: "Put rpccookieperms=group into its bitcoin.conf, restart it, and add this user to its "
        "group.",
        Forbidden.KIND: "Add what is missing to rpcwhitelist, or this machine to rpcallowip, in its bitcoin.conf.",
    }
)


def find(look: StackLook) -> Iterator[Finding]:
    """All of them."""
    yield from _unusable(look)
    yield from _pruned(look)
    yield from _rest_off(look)
    yield from _short_queue(look)
    yield from _refusals(look)
    yield from _warnings(look)


def _unusable(look: StackLook) -> Iterator[Finding]:
    trouble = look.reading.node.heard.trouble
    if trouble is None or trouble.kind in (NodeWarmingUp.KIND, NodeBusy.KIND, WrongNetwork.KIND):
        return
    if trouble.kind == WrongPassword.KIND:
        yield _wrong_password(look, trouble.sentence)
        return
    what = "Bitcoin Core can't be used"
    yield Finding(trouble.kind, Gravity.ERROR, what, trouble.sentence, _MEND.get(trouble.kind, "See its log."))


def _wrong_password(look: StackLook, sentence: str) -> Finding:
    node = look.settings.node
    if node.password is not None:
        mend = "Compare BITCOIN_RPC_USER and BITCOIN_RPC_PASSWORD with rpcuser and rpcpassword, or rpcauth, in "
        return Finding("wrong_password", Gravity.ERROR, "The node's password is wrong", sentence, mend + look.conf_name)
    age = ""
    if look.cookie_written_s is not None:
        age = f" The file was written {formats.span(max(0.0, look.at_s - look.cookie_written_s))} ago."
    return Finding(
        "stale_cookie",
        Gravity.ERROR,
        "The cookie is not that of the running node",
        f"{sentence}{age}",
        "Set BITCOIN_DATADIR to the datadir of the node that listens there (a new cookie is written into it at each "
        "start; a copy goes stale). If it has an rpcpassword, it writes none: set BITCOIN_RPC_USER and "
        "BITCOIN_RPC_PASSWORD.",
    )


def _pruned(look: StackLook) -> Iterator[Finding]:
    chain = look.node.chain if look.node is not None else None
    if chain is not None and not chain.pruned:
        return
    set_to = look.conf.prune_mib if look.conf is not None else None
    if chain is None and not set_to:
        return
    said = []
    if chain is not None:
        said.append(f"getblockchaininfo says pruned, blocks from height {chain.prune_height or 0:,} on")
    if set_to:
        said.append(f"{look.conf_name} has prune={set_to}")
    has_electrs = look.reading.electrs.standing is not Standing.NONE
    yield Finding(
        "pruned_node",
        Gravity.ERROR if has_electrs else Gravity.WARNING,
        "The node is pruned: electrs refuses such a node, and older windows can't be priced"
        if has_electrs
        else "The node is pruned: windows of older blocks can't be priced",
        f"{'; '.join(said)}.",
        f"Put prune=0 into {look.conf_name} and start it once with -reindex: it fetches all blocks again.",
    )


def _rest_off(look: StackLook) -> Iterator[Finding]:
    if look.port is None or look.port.rest_is_on is not False:
        return
    rest = look.conf.rest if look.conf is not None else None
    said = {True: "says rest=1, so it was changed since the start", False: "says rest=0", None: "doesn't set rest"}
    conf = f"; {look.conf_name} {said[rest]}" if look.conf is not None and look.conf.exists else ""
    yield Finding(
        "rest_off",
        Gravity.WARNING,
        "REST is off: blocks come over RPC, as text of twice the size and three times as slow",
        f"GET /rest/chaininfo.json is answered with 404 and nothing else{conf}.",
        f"Put rest=1 into {look.conf_name} and restart the node.",
    )


def _short_queue(look: StackLook) -> Iterator[Finding]:
    said = []
    trouble = look.reading.node.heard.trouble
    if trouble is not None and trouble.kind == NodeBusy.KIND:
        said.append("the node answered “Work queue depth exceeded” (HTTP 503) just now")
    elif look.node is not None and any(why.kind == NodeBusy.KIND for why in look.node.refusals.values()):
        said.append("the node answered some questions with “Work queue depth exceeded” (HTTP 503)")
    overloaded = [
        each.sentence
        for each in (look.electrs.conditions if look.electrs is not None else ())
        if each.kind is ConditionKind.NODE_OVERLOADED and QUEUE_WORDS in each.sentence
    ]
    said += [f"electrs: {sentence}" for sentence in overloaded]
    queue = look.conf.work_queue if look.conf is not None else None
    if queue is not None and queue < LEAST_QUEUE:
        said.append(f"{look.conf_name} has rpcworkqueue={queue}")
    if not said:
        return
    network = look.node.network if look.node is not None else None
    if queue is None and network is not None and (network.version or FIRST_WITH_LONG_QUEUE) < FIRST_WITH_LONG_QUEUE:
        said.append("before v29 only 16 requests may wait where nothing else is set")
    yield Finding(
        "short_work_queue",
        Gravity.WARNING,
        "The node takes too few requests at once for all that ask it",
        f"{'; '.join(text.rstrip('.') for text in said)}.",
        f"Put rpcworkqueue=128 and rpcthreads=16 into {look.conf_name} and restart the node.",
    )


def _refusals(look: StackLook) -> Iterator[Finding]:
    refusals = look.node.refusals if look.node is not None else {}
    forbidden = [why.sentence for why in refusals.values() if why.kind == Forbidden.KIND]
    if forbidden:
        yield Finding(
            "rpc_whitelist",
            Gravity.NOTE,
            "Some of what the console would show of the node is forbidden to this user",
            " ".join(forbidden),
            f"Add getnetworkinfo,getmempoolinfo,getindexinfo,uptime to rpcwhitelist of this user in {look.conf_name}.",
        )


def _warnings(look: StackLook) -> Iterator[Finding]:
    for warning in look.node.warnings if look.node is not None else ():
        if _CLOCK_WORDS in warning:
            continue
        yield Finding(
            "node_warning",
            Gravity.WARNING,
            "The node itself warns",
            f"“{warning}”",
            "Do what it says; its debug.log says more.",
        )
    network = look.node.network if look.node is not None else None
    if look.reading.node.word == "no peers" and network is not None:
        yield Finding(
            "no_peers",
            Gravity.WARNING,
            "The node has no peers, and so gets no blocks",
            f"getnetworkinfo: 0 connections, network {'active' if network.active is not False else 'switched off'}.",
            "Check its connection to the internet, connect= and onlynet= in its bitcoin.conf, and `bitcoin-cli "
            "setnetworkactive true`.",
        )
