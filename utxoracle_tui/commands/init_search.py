"""Looking for node, mempool backend and electrs: at the addresses that are set, and where they usually are."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from types import MappingProxyType

from utxoracle_tui import formats
from utxoracle_tui.commands.node import open_node
from utxoracle_tui.config.load import Loaded
from utxoracle_tui.config.networks import NETWORKS
from utxoracle_tui.config.node_places import data_places
from utxoracle_tui.config.provenance import Source
from utxoracle_tui.sources.bitcoin_core import BitcoinCore
from utxoracle_tui.sources.electrs import Electrs, ElectrsAccess
from utxoracle_tui.sources.electrs_errors import ElectrsError
from utxoracle_tui.sources.http import host_of
from utxoracle_tui.sources.mempool import MempoolBackend
from utxoracle_tui.sources.mempool_errors import MempoolError
from utxoracle_tui.sources.mempool_session import MempoolAccess
from utxoracle_tui.sources.node_access import NodeAccess
from utxoracle_tui.sources.node_errors import (
    CookieMissing,
    CookieUnreadable,
    NoCredentials,
    NodeError,
    NodeNonsense,
    NodeUnreachable,
    NodeWarmingUp,
    WrongPassword,
)
from utxoracle_tui.sources.node_probe import probe_port
from utxoracle_tui.sources.node_session import Patience

_ANSWER_WITHIN_S = 3.0
"""What listens on loopback answers at once; a node on a slow disk may take a second."""
_LOOPBACK = "http://127.0.0.1"
_BACKEND_PORTS = (8999, 8080, 80)
"""The backend's own, and those of its front end, inside its container and as the stock compose file publishes it."""
_ELECTRS_PORTS: Mapping[str, tuple[tuple[int, ...], int]] = MappingProxyType(
    {
        # 3001 is where it goes when another program has 3000
        "main": ((3000, 3001), 4224),
        "test": ((3001,), 14224),
        "testnet4": ((3004,), 44224),
        "signet": ((3003,), 54224),
        "regtest": ((3002,), 24224),
    }
)
"""REST and metrics by network (mempool/electrs, src/config.rs)."""
_NO_LOGIN = (CookieMissing, CookieUnreadable, NoCredentials, WrongPassword)

Values = dict[str, object]
"""Settings by key, as the configuration takes them."""
Load = Callable[[Values], Loaded]
"""The settings with these values over all others. Raises `ConfigError` for values that can't be."""


class State(StrEnum):
    """How the search for something has ended, as `--json` has it."""

    WORKS = "works"
    NO_LOGIN = "no_login"
    """It is there, and doesn't let us in."""
    UNUSABLE = "unusable"
    """Something is there, and it is of no use as it is."""
    ABSENT = "absent"


@dataclass(frozen=True, slots=True)
class Found:
    """What became of the search for one thing."""

    what: str
    """As people call it."""
    state: State
    said: str
    """Sentences: what was found, or what is wrong and how to mend it."""
    values: Values = field(default_factory=dict)
    """The settings that it takes to find it there."""
    tried: tuple[str, ...] = ()
    """The addresses, as host and port."""
    network: str | None = None
    """The node's."""


async def find_node(load: Load, given: Values) -> Found:
    """Look for the node: where the settings say, else by the usual places of data directories, else at usual ports."""
    loaded = load(given)
    first = await try_node(loaded, given)
    if first.state not in (State.ABSENT, State.NO_LOGIN) or _is_named(loaded, "node.url"):
        return first
    candidates: list[Values] = []
    if not _is_named(loaded, "node.datadir"):
        places = [place for place in data_places() if place.folder != loaded.settings.node.datadir]
        candidates += [{"node.datadir": str(place.folder)} for place in places if place.is_readable]
        closed = [str(place.folder) for place in places if not place.is_readable]
        if closed:
            hint = f" {closed[0]} is there, and this user may not look into it: `sudo usermod -aG bitcoin $USER`."
            first = replace(first, said=first.said + hint)
    if first.state is State.ABSENT:
        candidates += [{"node.url": f"{_LOOPBACK}:{network.rpc_port}"} for network in NETWORKS.values()]
    tried = list(first.tried)
    for values in candidates:
        wanted = {**given, **values}
        loaded = load(wanted)
        if "node.url" in values and host_of(loaded.settings.node.url) in tried:
            continue
        found = await try_node(loaded, wanted)
        tried += [each for each in found.tried if each not in tried]
        if found.state is State.WORKS or (found.state is State.NO_LOGIN and first.state is State.ABSENT):
            return replace(found, tried=tuple(tried))
    return replace(first, tried=tuple(tried))


async def try_node(loaded: Loaded, values: Values) -> Found:
    """Ask the node that the settings name how its chain is; `values` are what it took to get there."""
    access = open_node(loaded.settings).access
    access = replace(access, connect_timeout_s=_ANSWER_WITHIN_S, read_timeout_s=_ANSWER_WITHIN_S)
    what, tried = "Bitcoin Core", (access.host,)
    try:
        has_rest = (await probe_port(access)).rest_is_on
        async with BitcoinCore(access, patience=Patience(busy_s=0.0)) as client:
            chain = await client.chain_info()
    except NodeWarmingUp as error:
        return Found(what, State.WORKS, error.message, values, tried)
    except _NO_LOGIN as error:
        return Found(what, State.NO_LOGIN, _sentences(error.happened, error.advice), values, tried)
    except (NodeUnreachable, NodeNonsense) as error:
        return Found(what, State.ABSENT, _sentences(error.happened, error.advice), values, tried)
    except NodeError as error:
        return Found(what, State.UNUSABLE, _sentences(error.happened, error.advice), values, tried)
    said = f"{access.host} answers: {chain.network}, height {formats.count(chain.blocks)}, {_login(access)}."
    if has_rest is False:
        conf = loaded.node_files.conf if loaded.node_files is not None else None
        where = conf or "its bitcoin.conf"
        said += f" REST is off, so that blocks come slowly: put rest=1 into {where} and restart the node."
    if chain.pruned:
        said += " It is pruned: older windows can't be worked out."
    return Found(what, State.WORKS, said, values, tried, chain.network)


def _sentences(*parts: str) -> str:
    """What happened and what to do; what is done about it elsewhere isn't done here."""
    return " ".join(part for part in parts if part)


def _login(access: NodeAccess) -> str:
    if access.password is not None:
        return f"as the user {access.user}" if access.user else "by its password"
    return f"by the cookie {access.cookie_path}"


async def find_backend(loaded: Loaded, values: Values) -> Found:
    """Look for the mempool backend: at its address, and where none is set, at the usual ones of its front end."""
    key, address = "mempool.api_url", loaded.settings.mempool.api_url
    usual = [] if _is_named(loaded, key) else [f"{_LOOPBACK}:{port}" for port in _BACKEND_PORTS]
    first: Found | None = None
    tried: list[str] = []
    for url in dict.fromkeys((address, *usual)):
        found = await try_backend(url, values if url == address else {key: url})
        tried += found.tried
        if found.state is State.WORKS:
            return replace(found, tried=tuple(tried))
        first = first or found
    assert first is not None
    return replace(first, tried=tuple(tried))


async def try_backend(url: str, values: Values) -> Found:
    """Ask what is there whether it is a mempool backend."""
    what = "mempool backend"
    access = MempoolAccess(url, connect_timeout_s=_ANSWER_WITHIN_S, timeout_s=_ANSWER_WITHIN_S)
    tried = (host_of(url),)
    try:
        async with MempoolBackend(access) as backend:
            info = await backend.info()
    except MempoolError as error:
        return Found(what, State.ABSENT, _sentences(error.happened, error.advice), values, tried)
    version = f", version {info.version}" if info.version else ""
    return Found(what, State.WORKS, f"{tried[0]} answers{version}.", values, tried)


async def find_electrs(loaded: Loaded, network: str | None) -> Found:
    """Look for electrs: its REST, which comes only after its first sync, and its metrics, which are there before."""
    settings = loaded.settings.electrs
    rest_ports, metrics_port = _ELECTRS_PORTS.get(network or "main", _ELECTRS_PORTS["main"])
    rest = [settings.http_url]
    if not _is_named(loaded, "electrs.http_url"):
        rest = [f"{_LOOPBACK}:{port}" for port in rest_ports]
    metrics = [settings.metrics_url]
    if not _is_named(loaded, "electrs.metrics_url"):
        metrics = [f"{_LOOPBACK}:{metrics_port}"]
    values: Values = {}
    said = await _first_that_works(
        [(url, _tip, ElectrsAccess(rest_url=url)) for url in rest], "electrs.http_url", values
    )
    counted = await _first_that_works(
        [(url, _metrics, ElectrsAccess(metrics_url=url)) for url in metrics if url],
        "electrs.metrics_url",
        values,
    )
    tried = tuple(host_of(url) for url in (*rest, *metrics) if url)
    if said.works or counted.works:
        first, second = (said, counted) if said.works else (counted, said)
        return Found("electrs", State.WORKS, _sentences(first.text, second.text), values, tried)
    return Found("electrs", State.ABSENT, said.text, values, tried)


@dataclass(frozen=True, slots=True)
class _Answer:
    works: bool
    text: str


_Ask = Callable[[Electrs], Awaitable[str]]


async def _first_that_works(places: list[tuple[str, _Ask, ElectrsAccess]], key: str, values: Values) -> _Answer:
    """What the first address says that works, put into `values`; else the fault of the first."""
    fault = ""
    for url, ask, access in places:
        patient = replace(access, connect_timeout_s=_ANSWER_WITHIN_S, timeout_s=_ANSWER_WITHIN_S)
        async with Electrs(patient) as client:
            try:
                text = await ask(client)
            except ElectrsError as error:
                fault = fault or _sentences(error.happened, error.meaning)
                continue
        values[key] = url
        return _Answer(True, f"{host_of(url)} {text}")
    return _Answer(False, fault)


async def _tip(client: Electrs) -> str:
    tip = await client.tip()
    return f"answers: height {formats.count(tip.height)}{f', {tip.version}' if tip.version else ''}."


async def _metrics(client: Electrs) -> str:
    await client.metrics()
    return "has its metrics."


async def find_others(loaded: Loaded, network: str | None) -> tuple[Found, Found]:
    """Backend and electrs, looked for at the same time."""
    return await asyncio.gather(find_backend(loaded, {}), find_electrs(loaded, network))


def _is_named(loaded: Loaded, key: str) -> bool:
    """Whether somebody has said where it is."""
    return loaded.values[key].origin.source is not Source.DEFAULT
