"""The typed errors of the core: what is wrong with the bytes that were handed in."""

from __future__ import annotations


class BlockError(ValueError):
    """A block that must not be used: damaged, incomplete, or not the block that was asked for.

    `kind` is a stable word for programs, `block` names the block (height, hash or file, whatever the
    caller knew), `offset_bytes` is where in the raw block the fault shows, `expected` says what should have
    been there.
    """

    def __init__(self, kind: str, offset_bytes: int, expected: str, block: str = "") -> None:
        self.kind = kind
        self.block = block
        self.offset_bytes = offset_bytes
        self.expected = expected
        super().__init__(kind, offset_bytes, expected, block)

    def __str__(self) -> str:
        """The whole fault as one sentence."""
        name = f"block {self.block}" if self.block else "the block"
        return f"{name} is not usable ({self.kind}): at byte {self.offset_bytes}, expected {self.expected}"

    def of(self, block: str) -> BlockError:
        """The same error, naming the block."""
        return BlockError(self.kind, self.offset_bytes, self.expected, block)


class DigestError(ValueError):
    """Bytes that are not a whole, unchanged block digest of a version that this program reads."""
