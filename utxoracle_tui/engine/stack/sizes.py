"""Sizes of files and disks, for people."""

from __future__ import annotations

_KB, _MB, _GB, _TB = 1e3, 1e6, 1e9, 1e12


def size(size_bytes: float) -> str:
    """Bytes in the unit that suits them, as disks are sold: three digits say enough."""
    for unit, name in ((_TB, "TB"), (_GB, "GB"), (_MB, "MB")):
        if size_bytes >= unit:
            amount = size_bytes / unit
            return f"{amount:,.0f} {name}" if amount >= 100 else f"{amount:.1f} {name}"
    return f"{size_bytes / _KB:.0f} kB"
