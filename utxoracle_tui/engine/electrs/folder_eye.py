"""Looking at the folders of electrs and of the node, in threads that nobody has to wait for."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from types import MappingProxyType, TracebackType
from typing import TypeVar

from utxoracle_tui import clock
from utxoracle_tui.engine.electrs import gather
from utxoracle_tui.engine.electrs.evidence import BlockFiles, RocksLogs, Sizes
from utxoracle_tui.engine.electrs.phases import Db
from utxoracle_tui.engine.electrs.rocksdb_follow import LOG_NAME, RocksdbLog
from utxoracle_tui.engine.electrs.rocksdb_log import RocksLog, read_lines
from utxoracle_tui.errors import Exit, OperatorError
from utxoracle_tui.sources.host_threads import SideThreads
from utxoracle_tui.sources.index_folder import count_block_files, find_index, read_sizes

TIMEOUT_S = 30.0

T = TypeVar("T")


class FolderEye:
    """The index folder, and the folder of the node's block files. Looking raises `OperatorError`."""

    def __init__(self, index_dir: Path | None, blocks_dir: Path | None) -> None:
        self._index_dir = index_dir
        self._blocks_dir = blocks_dir
        self._threads = SideThreads()
        self._is_closed = False
        self._logs: dict[Db, RocksdbLog] = {}
        self._known: dict[Db, RocksLog] = {}
        self._written_at_s: dict[Db, float] = {}

    def __enter__(self) -> FolderEye:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._is_closed = True
        self._close_logs()

    async def sizes(self) -> Sizes:
        """Sizes of the databases."""
        folder = self._needed(self._index_dir)
        return gather.of_sizes(await self._run("sizes", folder, lambda: read_sizes(find_index(folder))))

    async def block_files(self) -> BlockFiles:
        """How many block files there are."""
        folder = self._needed(self._blocks_dir)
        return gather.of_block_files(await self._run("blocks", folder, lambda: count_block_files(folder)))

    async def rocksdb(self) -> RocksLogs:
        """What RocksDB's logs say by now. Databases that don't exist yet are left out."""
        folder = self._needed(self._index_dir)
        await self._run("logs", folder, lambda: self._read_logs(find_index(folder)))
        return RocksLogs(clock.now_s(), MappingProxyType(dict(self._known)), MappingProxyType(dict(self._written_at_s)))

    def _close_logs(self) -> None:
        for log in tuple(self._logs.values()):
            log.close()

    def _read_logs(self, index: Path) -> None:
        try:
            self._read_each_log(index)
        finally:
            # it may have been closed while this thread was at it
            if self._is_closed:
                self._close_logs()

    def _read_each_log(self, index: Path) -> None:
        for db in Db:
            if self._is_closed or not (index / db / LOG_NAME).exists():
                continue
            log = self._logs.setdefault(db, RocksdbLog(index / db))
            news = log.read()
            self._known[db] = read_lines(news.lines, self._known.get(db))
            if news.modified_at_s is not None:
                self._written_at_s[db] = news.modified_at_s

    async def _run(self, what: str, folder: Path, work: Callable[[], T]) -> T:
        try:
            return await self._threads.run(what, work, TIMEOUT_S)
        except TimeoutError:
            pass
        raise OperatorError(
            "folder_hangs",
            f"The file system of {folder} has not answered within {TIMEOUT_S:.0f} s: a disk that is overloaded or "
            "fails, or a network file system whose server is gone. It is asked again when it has answered.",
            Exit.UNREACHABLE,
        )

    @staticmethod
    def _needed(folder: Path | None) -> Path:
        if folder is None:
            raise ValueError("there is no such folder to look at")
        return folder
