"""Who may call the node's RPC: the cookie of this start, or a user with a password."""

from __future__ import annotations

import base64
import binascii
import secrets
from enum import StrEnum
from pathlib import Path

_COOKIE_USER = "__cookie__"
_SECRET_BYTES = 32
_OWNER_ONLY = 0o600


class Accept(StrEnum):
    """What the RPC does with credentials."""

    RIGHT = "right"
    """Accepts those that are right."""
    NONE = "none"
    """Refuses all, also the right ones."""
    ANY = "any"
    """Accepts all, also none at all."""


class Credentials:
    """Either a new cookie at each start or, when a password is set, that user alone."""

    def __init__(self, folder: Path, user: str | None, password: str | None) -> None:
        """`folder` is where the cookie lies."""
        self._folder = folder
        self._fixed = f"{user or ''}:{password}" if password is not None else None
        self._cookie: str | None = None

    @property
    def cookie_path(self) -> Path:
        """Where the cookie lies when there is one."""
        return self._folder / ".cookie"

    @property
    def is_readable(self) -> bool:
        """Whether a client that goes by the cookie file finds one; with a password it has that."""
        return self._fixed is not None or self.cookie_path.exists()

    def renew(self) -> None:
        """Make the cookie of a start; none when a password is set. Raises OSError when it cannot be written."""
        if self._fixed is not None:
            return
        self._cookie = f"{_COOKIE_USER}:{secrets.token_hex(_SECRET_BYTES)}"
        unfinished = self._folder / ".cookie.tmp"
        unfinished.touch(mode=_OWNER_ONLY)
        unfinished.write_text(self._cookie, encoding="ascii")
        unfinished.replace(self.cookie_path)

    def remove_file(self) -> None:
        """Delete the cookie file; what was in it is still accepted."""
        self.cookie_path.unlink(missing_ok=True)

    def user_of(self, authorization: str) -> str | None:
        """The user of an `Authorization` header, or None when it is wrong."""
        scheme, _, encoded = authorization.partition(" ")
        try:
            text = base64.b64decode(encoded, validate=True).decode()
        except (binascii.Error, UnicodeDecodeError):
            return None
        expected = self._fixed or self._cookie
        if scheme != "Basic" or expected is None or not secrets.compare_digest(text.encode(), expected.encode()):
            return None
        return text.partition(":")[0]
