"""Findings about passwords, and about the configuration at large."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator
from urllib.parse import urlsplit

from utxoracle_tui.engine.stack.findings.finding import Finding, Gravity, StackLook


def find(look: StackLook) -> Iterator[Finding]:
    """All of them."""
    node = look.settings.node
    parts = urlsplit(node.url)
    host = parts.hostname or ""
    if parts.scheme == "http" and not is_this_machine(host):
        what = "password" if node.password is not None else "cookie" if node.cookie_file is not None else ""
        if what:
            port = parts.port or 8332
            yield Finding(
                "password_in_the_clear",
                Gravity.WARNING,
                f"The node's {what} goes over the network for anyone on the way to read",
                f"node.url is {parts.scheme}://{host}:{port}, another host and not encrypted.",
                f"Go through a tunnel: `ssh -N -L {port}:127.0.0.1:{port} {host}`, then BITCOIN_RPC_URL="
                f"http://127.0.0.1:{port}.",
            )
    for exposed in look.exposed:
        what = "Other users of this machine can get at a secret of yours"
        yield Finding("secret_exposed", Gravity.WARNING, what, f"{exposed.fault}.", exposed.mend)
    for note in look.notes:
        yield Finding("configuration", Gravity.NOTE, "Something is odd about the configuration", note, _MEND)


_MEND = "See `utxoracle-tui config show` for each value and where it comes from."


def is_this_machine(host: str) -> bool:
    """Whether what is sent to a host never leaves this machine. A name may be anywhere, but for localhost."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host.lower() in ("localhost", "localhost.")
