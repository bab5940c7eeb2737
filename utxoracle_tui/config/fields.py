"""How a setting is declared: a field of a dataclass, with what its values must meet."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TypeVar

T = TypeVar("T")

RULES = "rules"
"""The key of a field's metadata under which its rules stand."""


@dataclass(frozen=True, slots=True)
class Rules:
    """What holds for a setting beyond its type and default."""

    env: tuple[str, ...] = ()
    """Variables of the earlier system that mean this setting."""
    flag: str = ""
    """The command-line option that gives it."""
    low: float | None = None
    """The smallest value allowed."""
    high: float | None = None
    """The largest value allowed."""
    unit: str = ""
    """What a number counts, for messages."""
    choices: tuple[str, ...] = ()
    """The texts allowed; capitals and small letters are the same, the spelling here is kept."""
    url: bool = False
    """An address with http or https, without a user name and password."""
    takes_credentials: bool = False
    """`user:password@` in the address goes to the fields `user` and `password` of the same section."""
    hours: bool = False
    """A span of the day such as 08:00-23:00; one that ends before it begins goes over midnight."""


def setting(
    default: T,
    *,
    env: str = "",
    flag: str = "",
    low: float | None = None,
    high: float | None = None,
    unit: str = "",
    choices: tuple[str, ...] = (),
    url: bool = False,
    takes_credentials: bool = False,
    hours: bool = False,
) -> T:
    """A field of a section of the settings; see `Rules`. A field of type `Secret` is never shown."""
    earlier = (env,) if env else ()
    rules = Rules(earlier, flag, low, high, unit, choices, url or takes_credentials, takes_credentials, hours)
    return field(default=default, metadata={RULES: rules})
