"""How many examples a property test draws: few in every run, many in the soak.

Many with `-m soak`, which runs the property tests as well, and with `--hypothesis-profile=thorough`.
"""

from __future__ import annotations

from hypothesis import settings

THOROUGH = "thorough"


def examples(few: int, many: int) -> int:
    """The `max_examples` of a test whose examples are slow."""
    return many if settings.get_current_profile_name() == THOROUGH else few
