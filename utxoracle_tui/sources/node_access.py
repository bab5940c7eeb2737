"""How a Bitcoin Core node is reached: its address, its credentials, and how much is asked of it at once."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from utxoracle_tui.config.redaction import Secret
from utxoracle_tui.sources.http import host_of, redact_url
from utxoracle_tui.sources.node_errors import CookieMissing, CookieUnreadable, NoCredentials

_COOKIE_MOST_BYTES = 4096


@dataclass(frozen=True, slots=True)
class NodeAccess:
    """Where a node is and how to get in. Raises `ValueError` for a URL that can't be used or carries credentials."""

    url: str
    """Of the RPC port, which REST shares, as `http://127.0.0.1:8332`."""
    user: str | None = None
    password: Secret | None = field(default=None, repr=False)
    """With the user; it comes before the cookie."""
    cookie_path: Path | None = None
    network: str | None = None
    """`main`, `test`, `testnet4`, `signet` or `regtest`: what the node must be on; None if that doesn't matter."""
    max_in_flight: int = 4
    """Bitcoin Core before v29 answers four requests at a time (`-rpcthreads`)."""
    reuse_connections: bool = False
    """Whether block bodies share connections; each has its own otherwise."""
    connect_timeout_s: float = 5.0
    read_timeout_s: float = 30.0
    """How long the node may say nothing."""

    def __post_init__(self) -> None:
        parts = urlsplit(self.url)
        if "@" in parts.netloc:
            raise ValueError("the URL of a node must carry no credentials")
        try:
            usable = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
            (parts.hostname or "").encode("idna")
        except ValueError:
            usable = False
        if not usable or parts.query or parts.fragment:
            raise ValueError(f"{redact_url(self.url)!r} is not the URL of a node; write it as http://127.0.0.1:8332")

    @property
    def host(self) -> str:
        """Host and port, as errors name them."""
        return host_of(self.url)


@dataclass(frozen=True, slots=True)
class Credentials:
    """What a request is signed with."""

    user: str
    password: Secret
    cookie_path: Path | None
    """The file that they were read from, None for a user and password of their own."""


def read_credentials(access: NodeAccess) -> Credentials:
    """The user and password, or else what the cookie file holds now.

    Reads a file. Raises `CookieMissing`, `CookieUnreadable` and `NoCredentials`.
    """
    if access.user is not None and access.password is not None:
        return Credentials(access.user, access.password, None)
    path = access.cookie_path
    if path is None:
        raise NoCredentials(access.host)
    fault = None
    try:
        with path.open("rb") as file:
            text = file.read(_COOKIE_MOST_BYTES).decode().strip()
    except (FileNotFoundError, NotADirectoryError):
        raise CookieMissing(access.host, path) from None
    except OSError as error:
        fault = error.strerror or "it can't be opened"
    except UnicodeDecodeError:
        fault = "it is not text"
    if fault is None:
        user, separator, password = text.partition(":")
        if user and separator and password and "\n" not in text:
            return Credentials(user, Secret(password), path)
        fault = "it doesn't hold one line of the form __cookie__:password"
    raise CookieUnreadable(access.host, path, fault)
