"""Following the journal through a journalctl that is a script."""

from __future__ import annotations

import asyncio
import json
import os
import stat
from contextlib import aclosing
from pathlib import Path

import pytest

from utxoracle_tui.sources.journal import JournalError, JournalQuery, follow

UNIT = JournalQuery(unit="electrs")


def entry(message: str, cursor: str) -> str:
    return json.dumps({"MESSAGE": message, "__REALTIME_TIMESTAMP": "1761826896789000", "__CURSOR": cursor})


def script(folder: Path, body: str) -> str:
    path = folder / "journalctl"
    path.write_text(f"#!/bin/sh\nprintf '%s\\n' \"$*\" > '{folder}/asked'\necho $$ > '{folder}/pid'\n{body}\n")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return str(path)


async def test_entries_come_as_they_are_written(tmp_path: Path) -> None:
    command = script(
        tmp_path, f"echo '{entry('one', 'c1')}'\necho nonsense\necho '{entry('two', 'c2')}'\nexec sleep 600"
    )
    got = []
    async with asyncio.timeout(10), aclosing(follow(UNIT, last_entries=7, command=command)) as entries:
        async for each in entries:
            got.append((each.message, each.cursor))
            if len(got) == 2:
                break
    assert got == [("one", "c1"), ("two", "c2")]
    asked = (tmp_path / "asked").read_text().split()
    assert asked == ["--output=json", "--no-pager", "--quiet", "--follow", "--lines=7", "--unit=electrs"]
    pid = int((tmp_path / "pid").read_text())
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


async def test_it_goes_on_after_a_cursor(tmp_path: Path) -> None:
    command = script(tmp_path, f"echo '{entry('three', 'c3')}'\nexec sleep 600")
    async with asyncio.timeout(10), aclosing(follow(UNIT, after="c2", command=command)) as entries:
        assert (await anext(entries)).message == "three"
    assert "--after-cursor=c2" in (tmp_path / "asked").read_text().split()


async def test_a_journalctl_that_ends(tmp_path: Path) -> None:
    command = script(tmp_path, f"echo '{entry('one', 'c1')}'\necho 'No journal files were opened' >&2\nexit 3")
    with pytest.raises(JournalError) as caught:
        async with asyncio.timeout(10), aclosing(follow(UNIT, command=command)) as entries:
            async for _ in entries:
                pass
    assert caught.value.message.startswith(
        f"The journal of unit electrs can't be followed: {command} ended with 3 (No journal files were opened). It is "
        "tried again soon."
    )


async def test_no_journalctl(tmp_path: Path) -> None:
    with pytest.raises(JournalError, match="can't be started \\(no such file or directory\\)"):
        async with aclosing(follow(UNIT, command=str(tmp_path / "nowhere"))) as entries:
            await anext(entries)


async def test_an_entry_beyond_all_bounds_is_passed_over(tmp_path: Path) -> None:
    command = script(
        tmp_path,
        "printf '{\"MESSAGE\": \"'; head -c 3000000 /dev/zero | tr '\\0' a; echo '\"}'\n"
        f"echo '{entry('two', 'c2')}'\nexec sleep 600",
    )
    async with asyncio.timeout(20), aclosing(follow(UNIT, command=command)) as entries:
        assert (await anext(entries)).message == "two"
