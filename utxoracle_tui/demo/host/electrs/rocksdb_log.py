"""The `LOG` of a RocksDB, as version 8.1.1 writes it."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping
from pathlib import Path

from utxoracle_tui.demo.host.json_text import Json

KEY_BYTES = 445
"""Of a key with its value."""
_THREAD = 139_768_629_294_784
_COMPACTION_JOB = "[db/compaction/compaction_job.cc"
_STATS = (
    "** DB Stats **",
    "Uptime(secs): {uptime:.1f} total, 600.0 interval",
    "Cumulative writes: {keys} writes, {keys} keys, {keys} commit groups, 1.0 writes per commit group, ingest: 0.00 GB",
    "Write Stall (count): write-buffer-manager-limit-stops: 0, ",
    "** Compaction Stats [default] **",
    "Level    Files   Size     Score Read(GB)  Rn(GB) Rnp1(GB) Write(GB) Wnew(GB) Moved(GB) W-Amp Rd(MB/s) Wr(MB/s)",
    "  L0   {files:6d}/0   {gib:.2f} GB   0.0      0.0     0.0      0.0       0.0      0.0       0.0   1.0      0.0",
    "** File Read Latency Histogram By Level [default] **",
)

Stamp = Callable[[], float]
"""Unix time of what is being done."""


class RocksLog:
    """Appends to `LOG` in a folder."""

    def __init__(self, folder: Path, stamp: Stamp) -> None:
        self._path = folder / "LOG"
        self._stamp = stamp
        self._began_s = 0.0

    def begin(self, summary: tuple[str, ...]) -> None:
        """Put the log of the process before aside, and begin with what a start prints."""
        self._began_s = self._stamp()
        if self._path.exists():
            self._path.rename(self._path.with_name(f"LOG.old.{int(self._began_s * 1e6)}"))
        self.lines("RocksDB version: 8.1.1", "Compile date 2023-04-06 16:38:52", "DB SUMMARY", *summary)

    def flush_began(self, job: int, number: int, keys: int, size: int, reason: str) -> None:
        """A memtable goes to disk."""
        self.lines(f"[db/flush_job.cc:859] [default] [JOB {job}] Flushing memtable with next log file: 8")
        sizes = {"num_memtables": 1, "num_entries": keys, "num_deletes": 0, "total_data_size": size}
        self.event(job, "flush_started", {**sizes, "memory_usage": size, "flush_reason": reason})
        self.lines(f"[db/flush_job.cc:888] [default] [JOB {job}] Level-0 flush table #{number}: started")

    def flush_ended(self, job: int, number: int, size: int, levels: list[int]) -> None:
        """It is there."""
        done = f"[db/flush_job.cc:974] [default] [JOB {job}] Level-0 flush table #{number}: {size} bytes OK"
        spent = "Flush lasted 1598283 microseconds, and 642768 cpu microseconds."
        self.lines(f"[db/flush_job.cc:1021] [default] [JOB {job}] {spent}", self._original(done))
        state = {"output_compression": "NoCompression", "lsm_state": levels, "immutable_memtables": 0}
        self.event(job, "flush_finished", state, original=True)
        summary = f"Level summary: files[{' '.join(map(str, levels))}]"
        self.lines(self._original(f"[db/db_impl/db_impl_compaction_flush.cc:295] [default] {summary}"))

    def table_created(self, job: int, number: int, size: int, keys: int) -> None:
        """A table is complete."""
        index_bytes = size // 230
        properties = {
            "data_size": size - index_bytes,
            "index_size": index_bytes,
            "raw_key_size": 41 * keys,
            "raw_value_size": 399 * keys,
            "num_entries": keys,
            "num_deletions": 0,
            "column_family_name": "default",
            "compression": "NoCompression",
            "creation_time": int(self._stamp()),
        }
        more = {
            "file_number": number,
            "file_size": size,
            "file_checksum": "",
            "file_checksum_func_name": "Unknown",
            "smallest_seqno": 0,
            "largest_seqno": 0,
            "table_properties": properties,
        }
        self.event(job, "table_file_creation", more, family=True)

    def compaction_began(self, job: int, numbers: list[int], total: int) -> None:
        """All tables of level 0, by their numbers, are to become new ones; `total` bytes."""
        plan = "Manual compaction from level-0 to level-1 from (begin) .. (end); will stop at (end)"
        self.lines(
            self._original(f"[db/db_impl/db_impl_compaction_flush.cc:3261] [default] {plan}"),
            f"{_COMPACTION_JOB}:1988] [default] [JOB {job}] Compacting {len(numbers)}@0 files to L1, score -1.00",
        )
        more = {
            "compaction_reason": "ManualCompaction",
            "files_L0": numbers,
            "score": -1,
            "input_data_size": total,
            "oldest_snapshot_seqno": -1,
        }
        self.event(job, "compaction_started", more)

    def table_generated(self, job: int, number: int, size: int) -> None:
        """An output of a compaction is complete."""
        keys = size // KEY_BYTES
        words = f"Generated table #{number}: {keys} keys, {size} bytes, temperature: kUnknown"
        self.lines(f"{_COMPACTION_JOB}:1592] [default] [JOB {job}] {words}")
        self.table_created(job, number, size, keys)

    def compaction_ended(self, job: int, inputs: int, outputs: int, total: int, seconds: float) -> None:
        """All outputs are there."""
        words = f"Compacted {inputs}@0 files to L1 => {total} bytes"
        self.lines(self._original(f"{_COMPACTION_JOB}:1663] [default] [JOB {job}] {words}"))
        more = {
            "compaction_time_micros": int(seconds * 1e6),
            "compaction_time_cpu_micros": int(seconds * 8e5),
            "output_level": 1,
            "num_output_files": outputs,
            "total_output_size": total,
            "num_input_records": total // KEY_BYTES,
            "num_output_records": total // KEY_BYTES,
            "num_subcompactions": 1,
            "output_compression": "NoCompression",
            "num_single_delete_mismatches": 0,
            "num_single_delete_fallthrough": 0,
            "lsm_state": [0, outputs, 0, 0, 0, 0, 0],
        }
        self.event(job, "compaction_finished", more, original=True)

    def moved(self, job: int, level: int, files: int, total: int) -> None:
        """Tables are now of another level, without a byte being written."""
        more = {"destination_level": level, "files": files, "total_files_size": total}
        self.event(job, "trivial_move", more, original=True)

    def options_set(self) -> None:
        """What is written once the index is marked as compacted, and again at every later update."""
        self.lines(
            "[db/db_impl/db_impl.cc:1187] SetOptions() on column family [default], inputs:",
            "[db/db_impl/db_impl.cc:1190] disable_auto_compactions: false",
            "[db/db_impl/db_impl.cc:1194] [default] SetOptions() succeeded",
            "[options/cf_options.cc:1004]                         write_buffer_size: 268435456",
            "[options/cf_options.cc:1006]                   max_write_buffer_number: 2",
        )

    def stats(self, files: int, size: int) -> None:
        """The tables of figures that come every ten minutes."""
        self.lines("[db/db_impl/db_impl.cc:1085] ------- DUMPING STATS -------")
        uptime_s = self._stamp() - self._began_s
        text = "\n".join(_STATS).format(uptime=uptime_s, keys=size // KEY_BYTES, files=files, gib=size / 2**30)
        self.lines(f"[db/db_impl/db_impl.cc:1086] \n{text}")

    def event(
        self, job: int, event: str, more: Mapping[str, Json], *, original: bool = False, family: bool = False
    ) -> None:
        """A line for programs; `original` ones carry the time at which they were first written."""
        head = {"time_micros": int(self._stamp() * 1e6), **({"cf_name": "default"} if family else {})}
        text = "EVENT_LOG_v1 " + json.dumps({**head, "job": job, "event": event, **more})
        self.lines(self._original(text) if original else text)

    def lines(self, *texts: str) -> None:
        """Lines as they are."""
        stamp = f"{_log_time(self._stamp())} {_THREAD} "
        with self._path.open("a", encoding="ascii") as log:
            log.writelines(f"{stamp}{text}\n" for text in texts)

    def _original(self, text: str) -> str:
        return f"(Original Log Time {_log_time(self._stamp())}) {text}"


def _log_time(time_s: float) -> str:
    """Local time to the microsecond."""
    return time.strftime("%Y/%m/%d-%H:%M:%S", time.localtime(time_s)) + f".{int(time_s % 1 * 1e6):06}"
