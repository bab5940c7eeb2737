"""Replies of real programs, kept as far as needed to compare their shapes with those of the simulated host."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path

from tests.support.scripted_http import Json

_FOLDER = Path(__file__).parents[1] / "fixtures" / "recorded"


@cache
def recorded_shapes(program: str) -> Json:
    """The replies of a program by name; lists are cut to their first item."""
    return json.loads((_FOLDER / f"{program}-shapes.json").read_text(encoding="utf-8"))


def loose_shape(value: Json) -> Json:
    """Keys and types without the order of keys; of a list that of the first item. Numbers are alike."""
    if isinstance(value, dict):
        return {key: loose_shape(item) for key, item in value.items()}
    if isinstance(value, list):
        return [loose_shape(item) for item in value[:1]]
    return "number" if type(value) in {int, float} else type(value).__name__
