"""The node as its own files describe it: bitcoin.conf and the data directory."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from utxoracle_tui.config.bitcoin_conf import BitcoinConf, Line, read_conf
from utxoracle_tui.config.networks import MAIN, NETWORKS, Network, network_of_port
from utxoracle_tui.config.provenance import DEFAULT, Origin, Source, Value
from utxoracle_tui.config.redaction import Secret
from utxoracle_tui.config.settings import AUTO
from utxoracle_tui.config.values import Unfit, split_url

BLOCKS_NAME = "blocks"
"""The folder of the block files, in the network's folder (`src/common/args.cpp`, `GetBlocksDirPath`)."""
COOKIE_NAME = ".cookie"
"""The file with the password of the day, in the network's folder (`src/rpc/request.cpp`)."""

_LOOPBACK = "127.0.0.1"
_ANY_ADDRESS = {"0.0.0.0": _LOOPBACK, "::": "::1", "*": _LOOPBACK}


@dataclass(frozen=True, slots=True)
class NodeFiles:
    """What the node's files say beyond the settings."""

    conf: Path | None
    """Its bitcoin.conf, where there is one that can be read."""
    folder: Path
    """The network's folder in the data directory."""
    network: str
    """The network whose section and folder were looked at."""
    rest: bool | None
    """Whether `rest=` switches REST on; None where the file doesn't say."""
    prune_mib: int | None
    """`prune=`: 0 keeps all blocks, 1 prunes by hand, more is a target; None where the file doesn't say."""
    rpcauth_users: tuple[str, ...]
    """Who may log in by a password that the file doesn't hold."""


@dataclass(slots=True)
class Discovery:
    """Values for the section `node`, and what is remarkable about them."""

    values: dict[str, Value] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    files: NodeFiles | None = None


def default_datadir() -> Path | None:
    """Where Bitcoin Core keeps its data on this platform; None where there is no home folder."""
    try:
        home = Path.home()
    except RuntimeError:
        return None
    if sys.platform == "darwin":
        return home / "Library" / "Application Support" / "Bitcoin"
    return home / ".bitcoin"


def discover(chosen: Mapping[str, Value]) -> Discovery:
    """What the node's files add to the `chosen` values of the section `node`, which they never override."""
    found = Discovery()
    given_dir = _path(chosen.get("node.datadir"))
    start = given_dir or default_datadir()
    if start is None:
        return found
    wanted = _wanted_network(chosen)
    conf = read_conf(start, wanted)
    url = _text(chosen.get("node.url"))
    if url and given_dir is None and not _is_described(url, conf):
        _leave_alone(chosen, start, found)
        return found
    found.notes += conf.notes
    selected, line = conf.chain()
    network = NETWORKS[wanted or _network_of_url(url, conf) or (selected if line else _by_cookie(url, start))]
    found.notes += conf.misplaced(network.name)
    datadir = start
    if given_dir is None:
        datadir = _datadir(conf, network, start, found)
    if line and network.name == selected:
        found.values["node.network"] = Value(selected, line.origin)
    _add_address(conf, network, found)
    _add_login(conf, network, datadir / network.subfolder, chosen, found)
    _add_blocks_dir(conf, network, datadir, found)
    found.files = _files(conf, network, datadir / network.subfolder)
    return found


def _wanted_network(chosen: Mapping[str, Value]) -> str | None:
    name = _text(chosen.get("node.network"))
    return None if name in {"", AUTO} else name


def _text(value: Value | None) -> str:
    return str(value.value) if value else ""


def _path(value: Value | None) -> Path | None:
    return value.value if value and isinstance(value.value, Path) else None


def _is_described(url: str, conf: BitcoinConf) -> bool:
    """Whether the default bitcoin.conf may be that of the node at `url`: on this machine, or where it points to."""
    host = urlsplit(url).hostname or ""
    # a name may begin with 127. and be anywhere
    if host in {"localhost", "::1", "0.0.0.0"} or re.fullmatch(r"127(\.[0-9]{1,3}){3}", host):
        return True
    pointed = conf.option("rpcconnect", conf.chain()[0])
    return pointed is not None and split_host_port(pointed.text)[0] == host


def _leave_alone(chosen: Mapping[str, Value], folder: Path, found: Discovery) -> None:
    """A password of this machine's node must not be sent to another machine."""
    if "node.password" in chosen or "node.cookie_file" in chosen:
        return
    found.notes.append(
        f"node.url ({chosen['node.url'].origin}) names another machine, so the login of the node in {folder} isn't "
        "used for it. Set node.user and node.password, or node.datadir if that folder belongs to this node."
    )


def _network_of_url(url: str, conf: BitcoinConf) -> str | None:
    """The network that the port of `url` stands for, unless bitcoin.conf gives that port to its own network."""
    port = urlsplit(url).port if url else None
    if port is None:
        return None
    selected = conf.chain()[0]
    if port == _address(conf, NETWORKS[selected], [])[1]:
        return selected
    network = network_of_port(port)
    return network.name if network else None


def _by_cookie(url: str, folder: Path) -> str:
    """Where an address is all that is known: the network of the only cookie that lies there, else main."""
    names = [name for name, network in NETWORKS.items() if os.access(folder / network.subfolder / COOKIE_NAME, os.R_OK)]
    return names[0] if url and len(names) == 1 else MAIN


def _datadir(conf: BitcoinConf, network: Network, start: Path, found: Discovery) -> Path:
    line = conf.option("datadir", network.name)
    if line is None or not line.text:
        found.values["node.datadir"] = Value(start, DEFAULT)
        return start
    folder = start / line.text
    found.values["node.datadir"] = Value(folder, line.origin)
    return folder


def _add_address(conf: BitcoinConf, network: Network, found: Discovery) -> None:
    host, port, line = _address(conf, network, found.notes)
    shown_host = f"[{host}]" if ":" in host else host
    url = f"http://{shown_host}:{port}"
    try:
        split_url(url)
    except Unfit:
        found.notes.append(f"{line.origin if line else conf.path}: {host} is not a host; {_LOOPBACK} is used.")
        url = f"http://{_LOOPBACK}:{port}"
    if line:
        origin = line.origin
    elif "node.network" in found.values:
        origin = found.values["node.network"].origin
    else:
        origin = DEFAULT if network.name == MAIN else Origin(Source.DEFAULT, f"of {network.name}")
    found.values["node.url"] = Value(url, origin)


def _address(conf: BitcoinConf, network: Network, notes: list[str]) -> tuple[str, int, Line | None]:
    """Host and port of the RPC and the line that says so: `rpcconnect` as bitcoin-cli reads it, else what is bound."""
    port_line = conf.option("rpcport", network.name)
    port = _port(port_line.text) if port_line else None
    if port_line and port_line.text and port is None:
        notes.append(f"{port_line.origin}: {port_line.text} is not a port; {network.rpc_port} is used.")
    if port is None:
        port_line = None
    pointed = conf.option("rpcconnect", network.name)
    if pointed and pointed.text:
        host, own_port = split_host_port(pointed.text)
        return host, port or own_port or network.rpc_port, port_line or pointed
    bound = conf.options("rpcbind", network.name)
    # without rpcallowip the node ignores rpcbind
    if bound and conf.options("rpcallowip", network.name):
        places = [(line, *split_host_port(line.text)) for line in bound]
        places = [(line, _ANY_ADDRESS.get(host, host), own_port) for line, host, own_port in places]
        places.sort(key=lambda place: place[1] not in {_LOOPBACK, "::1", "localhost"})
        line, host, own_port = places[0]
        return host, own_port or port or network.rpc_port, line
    return _LOOPBACK, port or network.rpc_port, port_line


def split_host_port(text: str) -> tuple[str, int | None]:
    """`host:port`, `[v6]:port` or a host alone, as bitcoin.conf has them; the port is None where none is given."""
    bracketed = re.fullmatch(r"\[([^\]]*)\](?::(\d+))?", text)
    if bracketed:
        return bracketed[1], _port(bracketed[2] or "")
    host, colon, port = text.partition(":")
    if colon and ":" not in port and _port(port) is not None:
        return host, _port(port)
    return text, None


def _port(text: str) -> int | None:
    return int(text) if re.fullmatch(r"[0-9]{1,5}", text) and 0 < int(text) < 65536 else None


def _add_login(
    conf: BitcoinConf, network: Network, folder: Path, chosen: Mapping[str, Value], found: Discovery
) -> None:
    user, password = conf.option("rpcuser", network.name), conf.option("rpcpassword", network.name)
    if password and password.text:
        # with a password of its own the node writes no cookie
        _add_password(user, password, chosen, found)
        return
    if user and "node.password" in chosen:
        found.values["node.user"] = Value(user.text, user.origin)
    cookie = conf.option("rpccookiefile", network.name)
    if cookie is None:
        found.values["node.cookie_file"] = Value(folder / COOKIE_NAME, Origin(Source.DEFAULT, f"in {folder}"))
    elif cookie.text:
        found.values["node.cookie_file"] = Value(folder / cookie.text, cookie.origin)
    _note_rpcauth(conf, network, chosen, found)


def _add_password(user: Line | None, password: Line, chosen: Mapping[str, Value], found: Discovery) -> None:
    name, secret = user.text if user else "", Secret(password.text)
    given_user = chosen.get("node.user")
    if "node.password" not in chosen:
        if "node.cookie_file" in chosen:
            return
        if given_user and given_user.value != name:
            found.notes.append(
                f"{password.origin} is the password of {name or 'nobody'}, not of {given_user.value}, "
                f"who is node.user ({given_user.origin}): it isn't used."
            )
            return
    found.values["node.user"] = Value(name, user.origin if user else password.origin)
    found.values["node.password"] = Value(secret, password.origin)


def _add_blocks_dir(conf: BitcoinConf, network: Network, datadir: Path, found: Discovery) -> None:
    line = conf.option("blocksdir", network.name)
    base = datadir / line.text if line else datadir
    folder = base / network.subfolder / BLOCKS_NAME
    origin = line.origin if line and line.text else Origin(Source.DEFAULT, f"in {datadir / network.subfolder}")
    found.values["node.blocks_dir"] = Value(folder, origin)


def _note_rpcauth(conf: BitcoinConf, network: Network, chosen: Mapping[str, Value], found: Discovery) -> None:
    users = _rpcauth_users(conf, network)
    cookie = _path(chosen.get("node.cookie_file")) or _path(found.values.get("node.cookie_file"))
    if users and "node.password" not in chosen and (cookie is None or not os.access(cookie, os.R_OK)):
        found.notes.append(
            f"{conf.path} lets {', '.join(users)} in by rpcauth, which doesn't hold the password, and the node's "
            "cookie can't be read: set node.user and node.password."
        )


def _rpcauth_users(conf: BitcoinConf, network: Network) -> tuple[str, ...]:
    return tuple(line.text.partition(":")[0] for line in conf.options("rpcauth", network.name))


def _files(conf: BitcoinConf, network: Network, folder: Path) -> NodeFiles:
    rest, prune = conf.option("rest", network.name), conf.option("prune", network.name)
    size = re.match(r"\d{1,9}", prune.text) if prune else None
    return NodeFiles(
        conf=conf.path if conf.exists else None,
        folder=folder,
        network=network.name,
        rest=rest.truth if rest else None,
        prune_mib=(int(size[0]) if size else 0) if prune else None,
        rpcauth_users=_rpcauth_users(conf, network),
    )
