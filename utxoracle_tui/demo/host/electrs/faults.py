"""Ways in which the simulated electrs ends by itself, in its own words."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Self

from utxoracle_tui.demo.host.electrs.index import Index
from utxoracle_tui.demo.host.electrs.settings import Phase

ERROR_EXIT = 1
PANIC_EXIT = 134
"""abort"""
KILLED_EXIT = 137
"""SIGKILL"""


class Failure(Exception):
    """The process ends. `lines` are what it prints, without a level where there is none."""

    def __init__(self, exit_code: int, lines: tuple[str, ...], *, out_of_memory: bool = False) -> None:
        self.exit_code = exit_code
        self.lines = lines
        self.out_of_memory = out_of_memory
        super().__init__(lines[0] if lines else f"exit code {exit_code}")

    @classmethod
    def panic(cls, thread: str, place: str, message: str) -> Self:
        """As Rust prints one, then abort."""
        note = "note: run with `RUST_BACKTRACE=1` environment variable to display a backtrace"
        return cls(PANIC_EXIT, (f"thread '{thread}' panicked at {place}:", message, note))

    @classmethod
    def error(cls, message: str) -> Self:
        """An error that reached `main`."""
        return cls(ERROR_EXIT, (f"ERROR - server failed: Error: {message}",))


@dataclass(frozen=True, slots=True)
class Trap:
    """A failure that waits in a phase."""

    at: Phase
    failure: Callable[[Index], Failure]


def _unwrap(message: str) -> Callable[[Index], Failure]:
    return lambda index: Failure.panic(
        "main",
        "src/new_index/db.rs:101:45",
        f'failed to open RocksDB: Error {{ message: "{message.format(folder=index.txstore.seen_as)}" }}',
    )


def _blk_files(index: Index) -> Failure:
    message = f"failed to index {index.size.blocks} blocks from blk*.dat files"
    return Failure.panic("main", "src/new_index/fetch.rs:118:13", message)


def _missing_txo(index: Index) -> Failure:
    txid = "e3bf3d07d4b0375638d5f1db5255fe07ba2c4cb067cd81b84ee974b6585fb468"
    database = f'RocksDB {{ path: "{index.txstore.seen_as}" }}'
    return Failure.panic("main", "src/new_index/schema.rs:1170:17", f"missing txo {txid}:1 in {database}")


def _lightmode(_index: Index) -> Failure:
    return Failure.panic("main", "src/new_index/db.rs:180:17", "Incompatible database found. Please reindex.")


def _port_taken(_index: Index) -> Failure:
    message = "failed to start monitoring HTTP server at 0.0.0.0:4224: Address already in use (os error 98)"
    return Failure.panic("metrics", "src/metrics.rs:61:17", message)


def _rpc_error(_index: Index) -> Failure:
    return Failure.error('{"code":-5,"message":"Block not found"}')


def _out_of_memory(_index: Index) -> Failure:
    return Failure(KILLED_EXIT, (), out_of_memory=True)


_CORRUPTION = "Corruption: block checksum mismatch: stored = 3735928559, computed = 12648430 in {folder}/000042.sst"
_LOCKED = "IO error: While lock file: {folder}/LOCK: Resource temporarily unavailable"
_TOO_MANY_FILES = "IO error: While open a file for random read: {folder}/000042.sst: Too many open files"
_DENIED = "IO error: While opening a file for sequentially reading: {folder}/CURRENT: Permission denied"

TRAPS: Mapping[str, Trap] = MappingProxyType(
    {
        "blk-files": Trap(Phase.PASS_1, _blk_files),
        "corruption": Trap(Phase.OPENING, _unwrap(_CORRUPTION)),
        "denied": Trap(Phase.OPENING, _unwrap(_DENIED)),
        "lightmode": Trap(Phase.OPENING, _lightmode),
        "locked": Trap(Phase.OPENING, _unwrap(_LOCKED)),
        "missing-txo": Trap(Phase.PASS_2, _missing_txo),
        "out-of-memory": Trap(Phase.PASS_2, _out_of_memory),
        "port-taken": Trap(Phase.STARTING, _port_taken),
        "rpc-error": Trap(Phase.READY, _rpc_error),
        "too-many-files": Trap(Phase.OPENING, _unwrap(_TOO_MANY_FILES)),
    }
)
"""By the names of the control port."""
