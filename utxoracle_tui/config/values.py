"""From what was written to what is meant: texts and TOML values as values of a setting's type."""

from __future__ import annotations

import math
import re
from pathlib import Path
from urllib.parse import SplitResult, unquote, urlsplit

from utxoracle_tui.config.redaction import SET, Secret, redact
from utxoracle_tui.config.schema import Setting

_TRUE = {"true", "1", "yes", "on"}
_FALSE = {"false", "0", "no", "off"}
_LONGEST_SHOWN = 100
_ADDRESS = "an address like http://127.0.0.1:8332 (special characters in a password written as %XX)"
_PRINTABLE = "text without control characters"
_TRUTH = "true or false"
_ANY_PATH = "the path of a file or folder"
_SPAN = "a span of the day, written as 08:00-23:00"
_HOUR = "(?:[01][0-9]|2[0-3]):[0-5][0-9]"
HOURS_PATTERN = rf"({_HOUR})\s*[-–]\s*({_HOUR})"
"""A span of the day, as a regular expression."""


class Unfit(ValueError):
    """A value that a setting can't have; the text says what was expected instead."""


def convert(setting: Setting, raw: object, base: Path) -> object:
    """`raw` as a value of the setting; relative paths start at `base`.

    Raises `Unfit` where it isn't one.
    """
    if setting.secret:
        return _secret(setting, raw)
    if setting.type is bool:
        return _truth(raw)
    if setting.type is int or setting.type is float:
        return _number(setting, raw)
    if setting.type is Path:
        return _path(raw, base)
    return _text(setting, raw)


def expected(setting: Setting) -> str:
    """What a value of the setting must be, in words that go on after “must be”."""
    if setting.type is bool:
        return _TRUTH
    if setting.type is int or setting.type is float:
        return _expected_number(setting)
    if setting.type is Path:
        return _ANY_PATH
    if setting.rules.url:
        return _ADDRESS
    if setting.rules.hours:
        return _SPAN
    return _expected_text(setting) if setting.rules.choices else _PRINTABLE


def shown(setting: Setting, raw: object) -> str:
    """A value as messages name it: quoted, cut, and hidden where it is a secret."""
    if setting.secret:
        return SET
    text = redact(str(raw)) if isinstance(raw, str | Path) else redact(repr(raw))
    if len(text) > _LONGEST_SHOWN:
        text = text[:_LONGEST_SHOWN] + "…"
    return repr(text) if isinstance(raw, str | Path) else text


def split_credentials(url: str) -> tuple[str, str | None, str | None]:
    """An address without its `user:password@`, the user name and the password.

    Raises `Unfit` for what isn't an address at all.
    """
    parts = split_url(url)
    userinfo, at, host = parts.netloc.rpartition("@")
    if not at:
        return url, None, None
    user, _, password = userinfo.partition(":")
    return parts._replace(netloc=host).geturl(), unquote(user), unquote(password)


def split_url(url: str) -> SplitResult:
    """The parts of an address with http or https.

    Raises `Unfit` where it has no host, an impossible port, or spaces.
    """
    try:
        parts = urlsplit(url)
        port = parts.port
        # what no resolver can look up: empty labels and overlong ones
        (parts.hostname or "").encode("idna")
    except ValueError:
        raise Unfit(_ADDRESS) from None
    unfit = parts.scheme not in {"http", "https"} or not parts.hostname or port == 0
    if unfit or any(character.isspace() for character in url):
        raise Unfit(_ADDRESS)
    return parts


def _secret(setting: Setting, raw: object) -> Secret:
    if not isinstance(raw, str):
        raise Unfit("text (in config.toml: in quotes)")
    secret = Secret(raw)
    if not raw.isprintable():
        raise Unfit(_PRINTABLE)
    if setting.rules.url:
        split_url(raw)
    return secret


def _truth(raw: object) -> bool:
    if isinstance(raw, bool):
        return raw
    if isinstance(raw, str):
        word = raw.strip().lower()
        if word in _TRUE | _FALSE:
            return word in _TRUE
    raise Unfit(_TRUTH)


def _number(setting: Setting, raw: object) -> float:
    """A whole number (an `int`) where the setting is one."""
    number = _as_int(raw) if setting.type is int else _as_float(raw)
    rules = setting.rules
    too_low = number is not None and rules.low is not None and number < rules.low
    too_high = number is not None and rules.high is not None and number > rules.high
    if number is None or too_low or too_high:
        raise Unfit(_expected_number(setting))
    return number


def _as_int(raw: object) -> int | None:
    if isinstance(raw, bool):
        return None
    if isinstance(raw, str):
        return int(raw) if re.fullmatch(r"\s*[+-]?[0-9]{1,18}\s*", raw) else None
    return raw if isinstance(raw, int) else None


def _as_float(raw: object) -> float | None:
    if isinstance(raw, bool) or not isinstance(raw, str | int | float):
        return None
    try:
        number = float(raw)
    except (ValueError, OverflowError):
        return None
    return number if math.isfinite(number) else None


def _expected_number(setting: Setting) -> str:
    rules = setting.rules
    words = "a whole number" if setting.type is int else "a number"
    if rules.unit:
        words += f" of {rules.unit}"
    if rules.low is not None and rules.high is not None:
        return f"{words} from {rules.low:g} to {_plain(rules.high)}"
    if rules.low is not None:
        return f"{words}, {rules.low:g} or more"
    return words


def _plain(number: float) -> str:
    return str(int(number)) if number == int(number) else f"{number:g}"


def _path(raw: object, base: Path) -> Path:
    if not isinstance(raw, str | Path) or not str(raw).isprintable():
        raise Unfit(_ANY_PATH)
    try:
        return base / Path(str(raw).strip()).expanduser()
    except RuntimeError:
        raise Unfit("a path whose home folder exists") from None


def _text(setting: Setting, raw: object) -> str:
    if not isinstance(raw, str):
        raise Unfit(_expected_text(setting))
    text = raw.strip()
    rules = setting.rules
    if rules.choices:
        for choice in rules.choices:
            if choice.lower() == text.lower():
                return choice
        raise Unfit(_expected_text(setting))
    if rules.hours:
        return _hours(text)
    if not text.isprintable():
        raise Unfit(_PRINTABLE)
    return _url(text) if rules.url else text


def _hours(text: str) -> str:
    ends = re.fullmatch(HOURS_PATTERN, text)
    if ends is None or ends[1] == ends[2]:
        raise Unfit(_SPAN)
    return f"{ends[1]}-{ends[2]}"


def _expected_text(setting: Setting) -> str:
    if setting.rules.choices:
        return "one of " + ", ".join(setting.rules.choices)
    return "text (in config.toml: in quotes)"


def _url(text: str) -> str:
    parts = split_url(text)
    if "@" in parts.netloc:
        raise Unfit("an address without a user name and password")
    if parts.query or parts.fragment:
        raise Unfit("an address without ? and #")
    return text.rstrip("/")
