"""Secrets, and keeping them out of everything that is shown, logged or thrown."""

from __future__ import annotations

import json
import logging
import re
import threading
from urllib.parse import quote

SET = "(set)"
"""What stands for a secret that has a value."""

HIDDEN = "(hidden)"
"""What stands in a text where a secret was."""

SHORTEST_KNOWN = 4
"""Secrets of fewer characters aren't looked for in texts: they would be found in every other word."""

SURELY_SECRET = 8
"""Secrets of fewer characters are looked for as words of their own only, and so don't tear numbers and names apart."""


class Secret:
    """A text that is never shown. Only `reveal` gives it out; from then on `redact` takes it out of any text.

    It can be pickled, for worker processes: the process that unpickles it redacts it, too. It can't be changed. It is
    no dataclass, since `dataclasses.asdict` would look into it.
    """

    __slots__ = ("_text",)
    _text: str

    def __init__(self, text: str) -> None:
        object.__setattr__(self, "_text", text)
        _known.add(text)

    def reveal(self) -> str:
        """The secret itself: for a request's header or address, never for a message."""
        return self._text

    def __repr__(self) -> str:
        return SET

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and self._text == other._text

    def __hash__(self) -> int:
        return hash(self._text)

    def __setattr__(self, name: str, value: object) -> None:
        raise AttributeError("a secret can't be changed")

    def __delattr__(self, name: str) -> None:
        raise AttributeError("a secret can't be changed")

    def __reduce__(self) -> tuple[type[Secret], tuple[str]]:
        return Secret, (self._text,)


class _Known:
    """The secrets of this process in every spelling that a text may have them in."""

    def __init__(self) -> None:
        self._spellings: frozenset[str] = frozenset()
        self._pattern: re.Pattern[str] | None = None
        self._lock = threading.Lock()

    def add(self, text: str) -> None:
        new = _spellings(text) - self._spellings
        if not new:
            return
        with self._lock:
            self._spellings |= new
            # the longest first: a spelling may be part of another
            ordered = sorted(self._spellings, key=len, reverse=True)
            self._pattern = re.compile("|".join(map(_as_pattern, ordered)))

    def remove_from(self, text: str) -> str:
        return self._pattern.sub(HIDDEN, text) if self._pattern else text


def _spellings(text: str) -> frozenset[str]:
    spelled = {text, quote(text), quote(text, safe=""), repr(text)[1:-1], json.dumps(text)[1:-1]}
    scheme, separator, rest = text.partition("://")
    path = rest.partition("/")[2]
    if separator and scheme in {"http", "https"} and len(path) >= SURELY_SECRET:
        # an error of the HTTP client may name the path alone; in a webhook it is the path that is secret
        spelled.add(path)
    return frozenset(spelling for spelling in spelled if len(spelling) >= SHORTEST_KNOWN)


def _as_pattern(spelling: str) -> str:
    pattern = re.escape(spelling)
    return pattern if len(spelling) >= SURELY_SECRET else rf"(?<![^\W_]){pattern}(?![^\W_])"


_known = _Known()

_SHAPES = (
    # Bitcoin Core's cookie, and what its configuration says about passwords
    (re.compile(r"(__cookie__:)[0-9A-Za-z]+"), rf"\1{HIDDEN}"),
    (re.compile(r"\b(rpcpassword|rpcauth)(\s*=\s*)\S+"), rf"\1\2{HIDDEN}"),
    # the Authorization header; "Basic authentication" is no token
    (re.compile(r"\b(Bearer\s+)[^\s\"',;]+", re.IGNORECASE), rf"\1{HIDDEN}"),
    (re.compile(r"\b(Basic\s+)(?![A-Za-z][a-z]*(?![A-Za-z0-9+/=]))[A-Za-z0-9+/]{7,}={0,2}"), rf"\1{HIDDEN}"),
    # a password may hold / and @ although it shouldn't, so all up to the last @ goes
    (re.compile(r"(://)[^\s\"'<>]{0,500}@"), rf"\1{HIDDEN}@"),
    (re.compile(r"(?<![\w/(.+-])[\w.+-]+:[^\s:@/\"'<>]+@(?=[\w\[])"), f"{HIDDEN}@"),
    # webhooks whose address isn't a setting: the path is the key
    (re.compile(r"(https?://[^\s\"'<>]{0,200}?hook[^\s\"'<>/]{0,50}/)[^\s\"'<>]+", re.IGNORECASE), rf"\1{HIDDEN}"),
    (re.compile(r"(/bot)\d+:[\w-]+"), rf"\1{HIDDEN}"),
)


def redact(text: str) -> str:
    """`text` without the secrets of this process and without what has the shape of one.

    Shapes: `user:password@` in addresses, cookies, `Authorization` tokens, the paths of webhooks, the password
    options of bitcoin.conf. In doubt more goes than must.
    """
    text = _known.remove_from(text)
    for shape, replacement in _SHAPES:
        text = shape.sub(replacement, text)
    return text


class RedactingFilter(logging.Filter):
    """Redacts every record: message, arguments, exception and stack.

    To be added to handlers: a filter of a logger doesn't see what its children log.
    """

    def filter(self, record: logging.LogRecord) -> bool:
        """Redact `record` in place; it always passes."""
        try:
            message = record.getMessage()
        except Exception:  # noqa: BLE001  (arguments may be of any type, and a log line must not end the program)
            message = f"{record.msg} (its arguments don't fit)"
        record.msg, record.args = redact(message), ()
        if record.exc_info:
            record.exc_text = record.exc_text or _FORMATTER.formatException(record.exc_info)
            # handlers that format exceptions themselves would start again from the exception
            record.exc_info = None
        if record.exc_text:
            record.exc_text = redact(record.exc_text)
        if record.stack_info:
            record.stack_info = redact(record.stack_info)
        return True


_FORMATTER = logging.Formatter()
