"""All findings, the gravest first."""

from __future__ import annotations

from utxoracle_tui.engine.stack.findings import (
    backend,
    clocks,
    containers,
    disks,
    electrs,
    network,
    node,
    secrets,
)
from utxoracle_tui.engine.stack.findings.finding import Finding, Gravity, StackLook

_MATTERS = (node, network, secrets, electrs, backend, clocks, containers, disks)


def find_all(look: StackLook) -> tuple[Finding, ...]:
    """All findings, the gravest first, and of one gravity in the order of the sources."""
    order = list(Gravity)
    found = [finding for matter in _MATTERS for finding in matter.find(look)]
    return tuple(sorted(found, key=lambda finding: order.index(finding.gravity)))
