"""Random numbers that are the same on every machine.

numpy promises that the raw stream of a bit generator never changes (NEP 19), but not what its distributions
make of it, and its `exp` and `log` differ in the last digit between processors. So everything here is made of
the raw stream and of single additions, multiplications and divisions, which IEEE 754 fixes to the last bit.
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

_LN2_HIGH = float.fromhex("0x1.62e42feep-1")
"""The first 32 bits of ln 2: its product with a small whole number is exact."""
_LN2_LOW = float.fromhex("0x1.a39ef35793c76p-33")
_LOG2_E = float.fromhex("0x1.71547652b82fep+0")
_STEP = float.fromhex("0x1p-53")
_HALF_SQRT = 0.7071067811865476


class Stream(IntEnum):
    """What a stream is drawn for, so that two uses of one seed never share numbers."""

    BLOCK = 1
    TIMES = 2
    PRICE = 3


def exp(x: NDArray[np.float64]) -> NDArray[np.float64]:
    """e to the power `x`, for |x| < 700, to within a few units of the last digit."""
    twos = np.rint(x * _LOG2_E)
    rest = (x - twos * _LN2_HIGH) - twos * _LN2_LOW
    total = np.ones_like(rest)
    for n in range(14, 0, -1):  # |rest| <= 0.35: the 15th term is below 1e-19
        total = total * rest / n + 1.0
    return np.asarray(np.ldexp(total, twos.astype(np.int32)), dtype=np.float64)


def log(x: NDArray[np.float64]) -> NDArray[np.float64]:
    """Natural logarithm of positive `x`, to within a few units of the last digit."""
    mantissa, twos = np.frexp(x)
    low = mantissa < _HALF_SQRT
    mantissa = np.where(low, mantissa * 2, mantissa)
    twos = twos - low
    z = (mantissa - 1) / (mantissa + 1)
    square = z * z
    total = np.zeros_like(z)
    for n in range(23, 0, -2):  # |z| <= 0.172: the next term is below 1e-19
        total = total * square + 1 / n
    return np.asarray(twos * _LN2_LOW + 2 * z * total + twos * _LN2_HIGH, dtype=np.float64)


class Draws:
    """One stream of random numbers, given by a seed, a purpose and an index such as a height."""

    def __init__(self, seed: int, stream: Stream, index: int = 0) -> None:
        """Raises ValueError for a negative seed or index."""
        self._bits = np.random.PCG64(np.random.SeedSequence((seed, int(stream), index)))

    def raw(self, n: int) -> NDArray[np.uint64]:
        """(n,) whole numbers of 64 bits."""
        return np.asarray(self._bits.random_raw(n), dtype=np.uint64)

    def octets(self, n: int) -> NDArray[np.uint8]:
        """(n,) bytes."""
        return self.raw((n + 7) // 8).astype("<u8").view(np.uint8)[:n]

    def uniform(self, n: int) -> NDArray[np.float64]:
        """(n,) numbers in [0, 1), in steps of 2^-53."""
        shares: NDArray[np.float64] = (self.raw(n) >> np.uint64(11)).astype(np.float64) * _STEP
        return shares

    def normal(self, n: int) -> NDArray[np.float64]:
        """(n,) numbers of mean 0 and standard deviation 1: the sum of twelve uniform ones, so within ±6."""
        pieces = self.octets(24 * n).view("<u2").reshape(n, 12)
        sums: NDArray[np.int64] = pieces.sum(axis=1, dtype=np.int64) - 6 * 65535
        return sums.astype(np.float64) / 65536.0

    def exponential(self, n: int) -> NDArray[np.float64]:
        """(n,) waiting times of mean 1."""
        return -log(1.0 - self.uniform(n))

    def below(self, limit: int, n: int) -> NDArray[np.int64]:
        """(n,) whole numbers in [0, limit)."""
        numbers: NDArray[np.int64] = (self.uniform(n) * limit).astype(np.int64)
        return numbers

    def pick(self, weights: Sequence[float], n: int) -> NDArray[np.int64]:
        """(n,) positions in `weights`, each as often as its weight says."""
        edges = np.cumsum(np.asarray(weights, dtype=np.float64))
        found = np.searchsorted(edges, self.uniform(n) * edges[-1], side="right")
        places: NDArray[np.int64] = np.minimum(found, len(edges) - 1).astype(np.int64)
        return places
