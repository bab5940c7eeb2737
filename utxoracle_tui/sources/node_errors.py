"""What can go wrong with a Bitcoin Core node, each with its sentence for the operator."""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar

from utxoracle_tui import formats
from utxoracle_tui.errors import Exit, OperatorError
from utxoracle_tui.sources.http import ExchangeFailed, Failure, clean_text


class NodeError(OperatorError):
    """A request to a node that failed: what happened, what is done about it, what the operator can do."""

    KIND: ClassVar[str] = "node_error"
    EXIT: ClassVar[Exit] = Exit.UNREACHABLE

    def __init__(self, host: str, happened: str, done: str = "", advice: str = "") -> None:
        self.happened = happened
        self.done = done
        self.advice = advice
        super().__init__(self.KIND, " ".join(part for part in (happened, done, advice) if part), self.EXIT, host)

    def note_tries(self, tries: int, spent_s: float) -> None:
        """Say in the message that the request was tried more than once, and given up."""
        given_up = f"Given up after {tries} tries in {formats.span(spent_s)}."
        self.message = " ".join(part for part in (self.happened, given_up, self.advice) if part)
        self.args = (self.message,)


class NodeUnreachable(NodeError):
    """Nothing answers there: refused, unknown name, no way, connection reset."""

    KIND = "node_unreachable"


class CookieMissing(NodeUnreachable):
    """The cookie file is not there, as it is while a node is down or only starting."""

    def __init__(self, host: str, path: Path) -> None:
        self.path = path
        super().__init__(
            host,
            f"Bitcoin Core at {host} seems to be down or only starting: there is no cookie file {path}.",
            "It is looked for again with the next request.",
            "Start the node, or check its datadir and network; a node with an rpcpassword of its own writes no cookie "
            "and needs user and password here.",
        )


class NodeHanging(NodeError):
    """The node took the request and says nothing."""

    KIND = "node_hanging"

    def __init__(self, host: str, what: str, timeout_s: float) -> None:
        super().__init__(
            host,
            f"Bitcoin Core at {host} has not answered {what} within {timeout_s:g} s.",
            "Fewer requests are sent at once until it answers again.",
            "See whether its disk or processor is overloaded, or whether it is frozen.",
        )


class NodeWarmingUp(NodeError):
    """The node is starting and says what it is at."""

    KIND = "node_warming_up"

    def __init__(self, host: str, stage: str) -> None:
        self.stage = clean_text(stage)
        stop = "" if self.stage.endswith(("…", ".")) else "."
        super().__init__(
            host,
            f"Bitcoin Core at {host} is starting: {self.stage}{stop}",
            advice="It answers when that is done, which can take minutes; nothing needs to be done.",
        )


class NodeBusy(NodeError):
    """The node's queue of work is full."""

    KIND = "node_busy"

    def __init__(self, host: str) -> None:
        super().__init__(
            host,
            f"Bitcoin Core at {host} has more requests than it can take (work queue depth exceeded).",
            "Fewer requests are sent at once until it keeps up.",
            "If this goes on, raise its rpcworkqueue and rpcthreads, or find who else asks it so much.",
        )


class WrongPassword(NodeError):
    """The credentials are refused, the cookie also after it was read again."""

    KIND = "wrong_password"

    def __init__(self, host: str, cookie_path: Path | None) -> None:
        if cookie_path is None:
            happened = f"Bitcoin Core at {host} does not accept the user and password."
            done, advice = "", "Compare them with rpcuser and rpcpassword, or rpcauth, in its bitcoin.conf."
        else:
            happened = f"Bitcoin Core at {host} does not accept the cookie in {cookie_path}."
            done = "The file was read again, which did not help."
            advice = "Check that it is the cookie of this node: its datadir, and the folder of its network."
        super().__init__(host, happened, done, advice)


class CookieUnreadable(NodeError):
    """The cookie file is there and can't be used."""

    KIND = "cookie_unreadable"

    def __init__(self, host: str, path: Path, fault: str) -> None:
        self.path = path
        super().__init__(
            host,
            f"The cookie file {path} of Bitcoin Core at {host} can't be used: {clean_text(fault)}.",
            advice="Give this user the right to read it (rpccookieperms=group), or set user and password.",
        )


class NoCredentials(NodeError):
    """Neither user and password nor a cookie file are configured."""

    KIND = "no_credentials"
    EXIT = Exit.USAGE

    def __init__(self, host: str) -> None:
        super().__init__(
            host,
            f"There are no credentials for Bitcoin Core at {host}.",
            advice="Name its datadir, where the cookie is, or set user and password.",
        )


class Forbidden(NodeError):
    """The node refuses this user's method, or this machine."""

    KIND = "forbidden"

    def __init__(self, host: str, what: str, *, address_allowed: bool | None) -> None:
        user = f"Add {what} to this user's rpcwhitelist in its bitcoin.conf."
        address = "Add this machine's address to rpcallowip in its bitcoin.conf."
        if address_allowed:
            happened, advice = f"Bitcoin Core at {host} does not allow this user {what}.", user
        elif address_allowed is False:
            happened, advice = f"Bitcoin Core at {host} does not allow requests from this machine.", address
        else:
            happened = f"Bitcoin Core at {host} forbids {what}, to this user or to this machine."
            advice = f"{address} If it has an rpcwhitelist, add {what} to this user's."
        super().__init__(host, happened, advice=advice)


class _AboutBlock(NodeError):
    """An error about one block, named by height, hash or both."""

    EXIT = Exit.FAILED

    def __init__(self, host: str, height: int | None, block_hash: str | None, happened: str, advice: str) -> None:
        self.height = height
        self.block_hash = block_hash
        super().__init__(host, happened, advice=advice)


def _block_name(height: int | None, block_hash: str | None) -> str:
    if height is None:
        return f"block {block_hash}"
    return f"block {height}" + (f" ({block_hash})" if block_hash else "")


class PrunedBlock(_AboutBlock):
    """The node had the block and has deleted it."""

    KIND = "pruned_block"

    def __init__(
        self, host: str, height: int | None = None, block_hash: str | None = None, prune_height: int | None = None
    ) -> None:
        kept = f"It has the blocks from height {prune_height} on: choose" if prune_height else "Choose"
        super().__init__(
            host,
            height,
            block_hash,
            f"Bitcoin Core at {host} is pruned and has {_block_name(height, block_hash)} no more.",
            f"{kept} a newer window, or use a node that keeps all blocks.",
        )


class BlockNotFound(_AboutBlock):
    """The node doesn't know the block, or doesn't have it yet. `said` is the node's own word, if it adds anything."""

    KIND = "block_not_found"

    def __init__(self, host: str, height: int | None = None, block_hash: str | None = None, said: str = "") -> None:
        added = f" ({clean_text(said).rstrip('.')})" if said else ""
        super().__init__(
            host,
            height,
            block_hash,
            f"Bitcoin Core at {host} has no {_block_name(height, block_hash)}{added}.",
            "If the node is still catching up, wait until it has got there; a height above the tip has no block yet.",
        )


class WrongNetwork(NodeError):
    """The node is on another network than expected."""

    KIND = "wrong_network"
    EXIT = Exit.USAGE

    def __init__(self, host: str, expected: str, found: str) -> None:
        self.expected = expected
        self.found = found
        super().__init__(
            host,
            f"Bitcoin Core at {host} is on the network {found}, and {expected} is configured.",
            "Nothing of it is used.",
            "Set the network to that of the node, or give the port and datadir of a node on the right one.",
        )


class NodeNonsense(NodeError):
    """A reply that a Bitcoin Core node would not give."""

    KIND = "node_nonsense"

    def __init__(self, host: str, what: str, fault: str) -> None:
        super().__init__(
            host,
            f"What answers at {host} talks nonsense: its reply to {what} {fault}.",
            "The reply is not used.",
            "Check that this is the RPC port of Bitcoin Core (8332 on the main network) and nothing in between.",
        )


class RpcFailed(NodeError):
    """An error of the node's own, with its code and its words."""

    KIND = "rpc_failed"
    EXIT = Exit.FAILED

    def __init__(self, host: str, method: str, code: int, said: str) -> None:
        self.method = method
        self.code = code
        self.said = clean_text(said)
        super().__init__(host, f"Bitcoin Core at {host} failed at {method}: {self.said.rstrip('.')} (code {code}).")


def unreachable(host: str, failed: ExchangeFailed) -> NodeUnreachable:
    """The error for an exchange that never came about, or broke off."""
    detail = f" ({failed.detail})" if failed.detail else ""
    anew = "The next request connects anew."
    match failed.failure:
        case Failure.REFUSED:
            return NodeUnreachable(
                host,
                f"Nothing answers at {host}: the connection is refused.",
                anew,
                "Start Bitcoin Core, or check the address against its rpcport and rpcbind.",
            )
        case Failure.NAME:
            return NodeUnreachable(
                host, f"The name of {host} is not known{detail}.", anew, "Check the node's address and the name server."
            )
        case Failure.TLS:
            return NodeUnreachable(
                host,
                f"No encrypted connection to {host} comes about{detail}.",
                anew,
                "Bitcoin Core itself speaks plain http://; with a proxy before it, check the certificate.",
            )
        case Failure.CLOSED:
            return NodeUnreachable(
                host,
                f"{host} closed the connection in the middle of a request{detail}.",
                anew,
                "See whether Bitcoin Core is being restarted, and that this is its RPC port, not the P2P port.",
            )
        case _:
            return NodeUnreachable(
                host,
                f"No connection to {host} comes about{detail}.",
                anew,
                "Check that the machine is up, and its firewall.",
            )


def shutting_down(host: str) -> NodeUnreachable:
    """The error for a node that takes no more work."""
    return NodeUnreachable(
        host,
        f"Bitcoin Core at {host} takes no requests, as it does while shutting down (HTTP 503).",
        "The next request connects anew.",
        "Start it again, or wait until it is back.",
    )
