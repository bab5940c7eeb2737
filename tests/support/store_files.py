"""Store files as bytes: made and read from the description of their format alone, and trees of them compared."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import stat
import tarfile
import zlib
from pathlib import Path
from typing import Any

from tests.support.records import START_S, block_window, observation, reading
from utxoracle_tui.store.records import Alert, BlockPrice, ExchangeDay, Job, JobItem, Note, Window, WindowKey
from utxoracle_tui.store.store import Store

GENESIS = "000000000019d6689c085ae165831e934ff763ae46a2a6c172b3f1b60a8ce26f"
"""The genesis block of the main network."""


def sealed(header: dict[str, Any], tables: dict[str, Any]) -> bytes:
    """The bytes of a store file, as `utxoracle_tui.store.envelope` describes them."""
    line = json.dumps({"format": 1, "schema": 2} | header).encode()
    rest = line + b"\n" + json.dumps(tables).encode()
    first = f"UTXORACLE-TUI-STORE {hashlib.sha256(rest).hexdigest()} {zlib.crc32(line):08x}\n"
    return first.encode() + rest


def opened(data: bytes) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """Header and documents of a store file."""
    _, header, tables = data.split(b"\n", 2)
    return json.loads(header), [
        document
        for table in json.loads(tables).values()
        for _, document in sorted(table.items(), key=lambda e: int(e[0]))
    ]


def archive_members(path: Path) -> dict[str, bytes]:
    """What a backup holds, by name."""
    with tarfile.open(path, "r:gz") as archive:
        members = archive.getmembers()
        assert all(member.isreg() for member in members)
        return {member.name: archive.extractfile(member).read() for member in members}  # type: ignore[union-attr]


def tree(root: Path) -> dict[str, tuple[int, str]]:
    """Every file and folder under one, with its mode and its content."""
    return {
        str(path.relative_to(root)): (
            path.lstat().st_mode,
            hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else "",
        )
        for path in sorted(root.rglob("*"))
    }


def open_to_others(root: Path) -> list[str]:
    """Files and folders that anybody but their owner can use, the folder itself included."""
    wanted = {True: 0o700, False: 0o600}
    return [
        f"{path} {stat.S_IMODE(path.lstat().st_mode):o}"
        for path in [root, *root.rglob("*")]
        if stat.S_IMODE(path.lstat().st_mode) != wanted[path.is_dir()]
    ]


def filled_store(data_dir: Path, observations: int = 700, network: str = "main") -> Store:
    """A store with some of everything."""
    store = Store(data_dir, network, genesis_hash=GENESIS)
    store.observations.put(observation(number) for number in range(observations))
    store.windows.put(day_window(day) for day in (1, 2, 5, 9))
    store.windows.put(block_window(880_000 + number, START_S + 600 * number) for number in range(20))
    block = BlockPrice(time_s=START_S, last_height=877_000, last_hash="ab" * 32, method="block-grid-1", price_usd=9e4)
    store.block_prices.put([block])
    store.exchange_readings.put(reading(START_S + 60 * number, 64_000.0 + number) for number in range(100))
    store.exchange_days.put([ExchangeDay(date=dt.date(2024, 12, 31), close_usd=93_000.0)])
    store.alerts.put([Alert(key="a", time_s=START_S, rule="divergence", level="warning", message="Far apart.")])
    store.notes.put([Note(key="electrs", time_s=START_S, values={"phase": "pass_1"})])
    job = Job(key="job-1", time_s=START_S, kind="backfill", work="days", items=300)
    store.jobs.add(job, [item(number) for number in range(300)])
    return store


def day_window(day: int, **changes: Any) -> Window:  # noqa: ANN401
    """The price of a day in January 2025."""
    date = dt.date(2025, 1, day)
    fields = {"kind": "day", "method": "utxoracle-9.1", "date": date, "price_usd": 90_000.0 + day, "valid": True}
    return Window(**(fields | changes))


def item(number: int) -> JobItem:
    """An item of the job."""
    key = WindowKey(kind="day", method="utxoracle-9.1", date=dt.date(2024, 1, 1) + dt.timedelta(days=number))
    return JobItem(job="job-1", number=number, window=key)


def everything(store: Store) -> dict[str, list[Any]]:
    """All records of a store."""
    return {
        "observations": store.observations.all(),
        "days": store.windows.days.all(),
        "blocks": store.windows.blocks.all(),
        "block prices": store.block_prices.all(),
        "readings": store.exchange_readings.all(),
        "exchange days": store.exchange_days.all(),
        "alerts": store.alerts.all(),
        "notes": store.notes.all(),
        "jobs": store.jobs.all(),
        "items": store.jobs.items("job-1"),
    }


def damage(path: Path, position: int = -10) -> None:
    """Change one bit of a file."""
    data = bytearray(path.read_bytes())
    data[position] ^= 1
    path.write_bytes(data)


def no_progress(doing: str, done: int, total: int) -> None:
    """Tells nobody."""
