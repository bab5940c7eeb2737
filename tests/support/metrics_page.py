"""A page of metrics in Prometheus' text format, read by hand."""

from __future__ import annotations

import re

_SAMPLE = re.compile(r"(?P<name>[a-z_]+)(?:\{(?P<labels>[^}]*)\})? (?P<value>[-+0-9.eE]+)")
Samples = dict[str, float]


def samples(text: str) -> Samples:
    """Values by name and labels as they are written: `index_duration_count{step="add_process"}`."""
    found: Samples = {}
    for line in text.splitlines():
        if line.startswith("#"):
            assert re.fullmatch(r"# (HELP|TYPE) [a-z_]+ .+", line), line
            continue
        match = _SAMPLE.fullmatch(line)
        assert match, line
        found[line.rpartition(" ")[0]] = float(match["value"])
    return found


def families(text: str) -> set[str]:
    """Names of the families, as their TYPE lines have them."""
    return set(re.findall(r"# TYPE ([a-z_]+) (?:gauge|histogram)", text))
