"""Processes as Linux describes them in /proc/PID/stat and /proc/PID/io: proc(5)."""

from __future__ import annotations

from dataclasses import dataclass

_FIELDS = (11, 12, 17, 19, 21)
"""After the name, from 0: `utime`, `stime`, `num_threads`, `starttime`, `rss`."""


@dataclass(frozen=True, slots=True)
class Process:
    """What a process has used since it was started."""

    pid: int
    name: str
    """At most 15 characters of it."""
    state: str
    """Of its first thread: `R` runs, `S` sleeps, `D` waits for a disk and can't be interrupted, `Z` has ended."""
    cpu_s: float
    """Processor time, over all cores, of all its threads."""
    threads: int
    memory_bytes: int
    """Resident."""
    start_tick: int
    """When it was started, in clock ticks of the machine: tells it from another that has its number later."""
    read_bytes: int | None
    """From disks; None where this user may not see it."""
    written_bytes: int | None
    at_s: float
    """Unix seconds."""
    taken_s: float
    """On the clock for spans, `clock.elapsed_s`."""
    latency_s: float


@dataclass(frozen=True, slots=True)
class ProcessActivity:
    """What a process did between two readings."""

    busy_cores: float
    read_bytes_per_s: float | None
    written_bytes_per_s: float | None


@dataclass(frozen=True, slots=True)
class Units:
    """What the machine counts in."""

    ticks_per_s: int
    """`sysconf(_SC_CLK_TCK)`."""
    page_bytes: int


@dataclass(frozen=True, slots=True)
class Taken:
    """When a reading was taken; the fields are those of `Process`."""

    at_s: float
    taken_s: float
    latency_s: float


def parse_process(stat: str, io: str | None, units: Units, taken: Taken) -> Process | None:
    """A process from the texts of its `stat` and `io` (None: not to be read); None if `stat` can't be understood."""
    # the name stands in brackets and may hold brackets and blanks itself
    before, _, rest = stat.partition("(")
    name, closed, after = rest.rpartition(")")
    fields = after.split()
    if not closed or not before.strip().isdecimal() or len(fields) <= max(_FIELDS):
        return None
    numbers = [fields[place] for place in _FIELDS]
    if not all(map(str.isdecimal, numbers)):
        return None
    user_ticks, system_ticks, threads, start_tick, pages = map(int, numbers)
    amounts = _amounts(io or "")
    return Process(
        pid=int(before),
        name="".join(character if character.isprintable() else " " for character in name),
        state=fields[0],
        cpu_s=(user_ticks + system_ticks) / units.ticks_per_s,
        threads=threads,
        memory_bytes=pages * units.page_bytes,
        start_tick=start_tick,
        read_bytes=amounts.get("read_bytes"),
        written_bytes=amounts.get("write_bytes"),
        at_s=taken.at_s,
        taken_s=taken.taken_s,
        latency_s=taken.latency_s,
    )


def _amounts(text: str) -> dict[str, int]:
    pairs = (line.partition(":") for line in text.splitlines())
    return {key.strip(): int(value) for key, _, value in pairs if value.strip().isdecimal()}


def process_activity(earlier: Process, later: Process) -> ProcessActivity | None:
    """What a process did between two readings; None if they are not of the same process."""
    span_s = later.taken_s - earlier.taken_s
    if (earlier.pid, earlier.start_tick) != (later.pid, later.start_tick) or span_s <= 0:
        return None
    return ProcessActivity(
        busy_cores=max(0.0, later.cpu_s - earlier.cpu_s) / span_s,
        read_bytes_per_s=_rate(earlier.read_bytes, later.read_bytes, span_s),
        written_bytes_per_s=_rate(earlier.written_bytes, later.written_bytes, span_s),
    )


def _rate(earlier: int | None, later: int | None, span_s: float) -> float | None:
    if earlier is None or later is None or later < earlier:
        return None
    return (later - earlier) / span_s
