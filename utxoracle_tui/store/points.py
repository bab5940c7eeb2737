"""The price points of windows, kept for the newest ones and worked out again for the others."""

from __future__ import annotations

import io
import zipfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from utxoracle_tui.store.blobs import Blobs
from utxoracle_tui.store.records import Window, WindowKey

_NO_BOUND_BYTES = 1 << 40
"""The number of windows is the bound, not their size."""


@dataclass(frozen=True)
class KeptPoints:
    """The price points of one window, in the order of the method."""

    usd: NDArray[np.float64]
    heights: NDArray[np.int32]


class PointsStore:
    """Points of the newest days and the newest block windows."""

    def __init__(self, folder: Path, days: int, block_windows: int) -> None:
        self._kept = {"day": days, "blocks": block_windows}
        self._blobs = {kind: Blobs(folder / kind, _NO_BOUND_BYTES) for kind in self._kept}

    def put(self, window: Window, points: KeptPoints) -> None:
        """Keep the points of a window, and give up those of the oldest."""
        blobs = self._blobs[window.kind]
        blobs.put(window.key, _packed(points, window.last_hash or ""))
        for name in sorted(blobs.names(), key=_age_order, reverse=True)[self._kept[window.kind] :]:
            blobs.forget(name)

    def get(self, window: Window) -> KeptPoints | None:
        """The points of a window, unless they are gone, or are those of other blocks."""
        data = self._blobs[window.kind].get(window.key)
        if data is None:
            return None
        try:
            with np.load(io.BytesIO(data)) as arrays:
                if arrays["last_hash"].tobytes().decode() != (window.last_hash or ""):
                    return None
                return KeptPoints(arrays["usd"], arrays["heights"])
        except (KeyError, ValueError, zipfile.BadZipFile):
            return None

    def forget(self, key: WindowKey) -> None:
        """Remove the points of a window."""
        self._blobs[key.kind].forget(key.text)


def _packed(points: KeptPoints, last_hash: str) -> bytes:
    """As `numpy.savez_compressed` has it, but with the prices as they are: to deflate them takes as long as half the
    price method, and leaves nine tenths of them.
    """
    arrays = (
        ("usd", points.usd, zipfile.ZIP_STORED),
        ("heights", points.heights, zipfile.ZIP_DEFLATED),
        ("last_hash", np.frombuffer(last_hash.encode(), dtype=np.uint8), zipfile.ZIP_STORED),
    )
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, array, compression in arrays:
            content = io.BytesIO()
            np.lib.format.write_array(content, np.asarray(array), allow_pickle=False)
            archive.writestr(f"{name}.npy", content.getbuffer(), compression)
    return buffer.getvalue()


def _age_order(name: str) -> tuple[int, str]:
    """Names sort by date, or by the last height."""
    what = name.split(".")[1]
    first, _, last = what.partition("-")
    return (int(last), name) if first and last.isdecimal() else (0, name)
