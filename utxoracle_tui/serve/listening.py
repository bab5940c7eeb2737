"""A socket that listens, or the sentence why there is none."""

from __future__ import annotations

import errno
import ipaddress
import socket

from utxoracle_tui.errors import Exit, OperatorError

_MOST_PORT = 65535


def listen(host: str, port: int, what: str) -> socket.socket:
    """A socket that listens, for what sentences call `what`. Raises `OperatorError` where that can't be."""
    if not 0 <= port <= _MOST_PORT:
        # the look-up of addresses would take a bigger one for another one
        message = f"{what} could not be started on port {port}: ports go from 1 to {_MOST_PORT}."
        raise OperatorError("no_such_port", message, Exit.USAGE, host)
    try:
        family, _, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        return socket.create_server(address[:2], family=family, backlog=socket.SOMAXCONN)
    except (OSError, UnicodeError) as error:
        raise _refused(host, port, what, error) from None


def _refused(host: str, port: int, what: str, error: Exception) -> OperatorError:
    failed = f"{what} could not be started on {host} port {port}"
    number = error.errno if isinstance(error, OSError) else None
    if number == errno.EADDRINUSE:
        return OperatorError(
            "port_taken",
            f"{failed}: another program has it. End that one, or name another port with --port.",
            Exit.FAILED,
            host,
        )
    if number in (errno.EACCES, errno.EPERM):
        return OperatorError(
            "no_permission", f"{failed}: this user may not use it. Name one above 1023 with --port.", Exit.FAILED, host
        )
    if isinstance(error, socket.gaierror | UnicodeError) or number == errno.EADDRNOTAVAIL:
        return OperatorError(
            "no_such_address", f"{failed}: this machine has no such address. Name one with --host.", Exit.FAILED, host
        )
    reason = error.strerror if isinstance(error, OSError) else None
    return OperatorError("can't_listen", f"{failed}: {reason or error}.", Exit.FAILED, host)


def is_loopback(listening: socket.socket) -> bool:
    """Whether only this machine can reach it."""
    address = str(listening.getsockname()[0])
    return ipaddress.ip_address(address.partition("%")[0]).is_loopback


def url_of(host: str, port: int) -> str:
    """The address for a browser."""
    return f"http://{f'[{host}]' if ':' in host else host}:{port}"
