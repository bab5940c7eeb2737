"""Following a file: from its last lines on, through rotation and truncation, and what it costs."""

from __future__ import annotations

import asyncio
import os
import random
from contextlib import aclosing
from pathlib import Path

import pytest

from utxoracle_tui.errors import Exit
from utxoracle_tui.sources import log_file
from utxoracle_tui.sources.log_file import LogFile, LogFileError, NewLines, follow


def write(path: Path, text: str, mode: str = "a") -> None:
    with path.open(mode, encoding="utf-8", newline="") as file:
        file.write(text)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "electrs.log"


@pytest.mark.parametrize("last", [0, 1, 3, 50])
def test_the_last_lines_come_first(path: Path, last: int) -> None:
    write(path, "".join(f"line {number}\n" for number in range(20)) + "beginn")
    file = LogFile(path, last_lines=last)
    news = file.read()
    assert list(news.lines) == [f"line {number}" for number in range(max(0, 20 - last), 20)]
    assert (news.history, news.gap) == (True, True)
    assert news.modified_at_s == pytest.approx(path.stat().st_mtime)
    write(path, "ing\nnext\n")
    news = file.read()
    assert (news.lines, news.history, news.gap) == (("beginning", "next"), False, False)
    assert file.read().lines == ()
    file.close()


@pytest.mark.parametrize("length", [1, 79, 65_535, 65_536, 65_537])
def test_the_last_lines_wherever_blocks_end(path: Path, length: int) -> None:
    rng = random.Random(length)
    lines = ["x" * rng.randint(0, length) for _ in range(40)]
    write(path, "".join(line + "\n" for line in lines))
    for last in (1, 2, 39, 40):
        file = LogFile(path, last_lines=last)
        assert list(file.read().lines) == lines[-last:]
        file.close()


def test_no_more_history_is_read_than_allowed(path: Path) -> None:
    write(path, "".join(f"{number:09}\n" for number in range(1000)))
    file = LogFile(path, last_lines=500, most_history_bytes=105)
    assert list(file.read().lines) == [f"{number:09}" for number in range(990, 1000)]
    file.close()


def test_a_renamed_file_is_read_to_its_end(path: Path) -> None:
    write(path, "one\n")
    file = LogFile(path)
    file.read()
    write(path, "two\nthr")
    path.rename(path.with_suffix(".1"))
    assert file.read().lines == ("two",)
    write(path.with_suffix(".1"), "ee\n")
    path.touch()
    assert file.read().lines == ("three",), "the new file is empty: the old one may still be written"
    write(path.with_suffix(".1"), "four")
    write(path, "five\n")
    news = file.read()
    assert (news.lines, news.gap) == (("four", "five"), False)
    write(path, "six\n")
    assert file.read().lines == ("six",)
    file.close()


def test_a_truncated_file_is_read_from_its_start(path: Path) -> None:
    write(path, "one\ntwo\n")
    file = LogFile(path)
    file.read()
    write(path, "1\n", "w")
    news = file.read()
    assert (news.lines, news.gap) == (("1",), True)
    # truncated and grown beyond where it was: only the bytes tell
    write(path, "a longer line than before\nanother\n", "w")
    news = file.read()
    assert (news.lines, news.gap) == (("a longer line than before", "another"), True)
    assert file.read().gap is False
    file.close()


def test_a_hole_of_zeros_is_no_text(path: Path) -> None:
    """A writer that keeps its place in a file truncated under it leaves zeros before its next line."""
    with path.open("wb") as writer:
        writer.write(b"one\n" * 50)
        writer.flush()
        file = LogFile(path)
        file.read()
        os.truncate(path, 0)
        writer.write(b"two\n")
        writer.flush()
        assert file.read().lines == ("two",)
    file.close()


def test_a_file_that_comes_goes_and_comes_again(path: Path) -> None:
    file = LogFile(path)
    with pytest.raises(LogFileError) as caught:
        file.read()
    assert caught.value.message == (
        f"The log file {path} can't be read: no such file or directory. It is looked for again soon. Check the path, "
        "and this user's right to read it."
    )
    assert (caught.value.kind, caught.value.exit_code) == ("log_file_unreadable", Exit.UNREACHABLE)
    write(path, "one\n")
    assert file.read().lines == ("one",)
    path.unlink()
    assert file.read().lines == ()
    write(path, "two\n")
    assert file.read().lines == ("two",)
    file.close()
    write(path, "three\n")
    news = file.read()
    assert (news.lines, news.gap) == (("three",), False), "let go of and taken up again, it goes on where it was"
    file.close()
    path.rename(path.with_suffix(".1"))
    write(path, "four\n")
    news = file.read()
    assert (news.lines, news.gap) == (("four",), True), "another file since: lines of the old one may be missing"
    file.close()


def test_a_folder_is_no_log(tmp_path: Path) -> None:
    with pytest.raises(LogFileError, match="is a directory"):
        LogFile(tmp_path).read()


def test_very_long_lines_and_bytes_that_are_no_text(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(log_file, "MOST_AT_ONCE_BYTES", 1000)
    monkeypatch.setattr(log_file, "MOST_LINE_BYTES", 300)
    path.write_bytes(b"")
    file = LogFile(path)
    file.read()
    with path.open("ab") as writer:
        writer.write(b"a" * 2500 + b"\n\xff\xfe\r\n")
    lines: list[str] = []
    for _ in range(5):
        news = file.read().lines
        assert sum(map(len, news)) <= 1300
        lines += news
    assert "".join(lines[:-1]) == "a" * 2500
    assert max(map(len, lines)) <= 1000
    assert lines[-1] == "��"
    file.close()


def test_random_lives_of_a_log_lose_and_repeat_nothing(tmp_path: Path) -> None:
    """Writes of any size, renames with and without a pause: every line comes once, in order."""
    for seed in range(30):
        rng = random.Random(seed)
        path = tmp_path / f"{seed}.log"
        path.touch()
        file = LogFile(path, last_lines=0)
        file.read()
        written, heard, old = 0, [], 0
        for _ in range(60):
            act = rng.random()
            if act < 0.6:
                count = rng.randint(1, 40)
                write(path, "".join(f"{number}\n" for number in range(written, written + count)))
                written += count
            elif act < 0.75 and path.stat().st_size:
                old += 1
                path.rename(tmp_path / f"{seed}.{old}")
                path.touch()
                # the next rotation comes later than the next look
                heard += file.read().lines
            else:
                heard += file.read().lines
        heard += [*file.read().lines, *file.read().lines]
        file.close()
        assert [int(line) for line in heard] == list(range(written)), seed


async def test_following(path: Path) -> None:
    got: list[NewLines | LogFileError] = []
    async with asyncio.timeout(10), aclosing(follow(path, last_lines=1, every_s=0.01)) as found:
        async for news in found:
            got.append(news)
            match len(got):
                case 1:
                    assert isinstance(news, LogFileError)
                    write(path, "one\ntwo\n")
                case 2:
                    assert isinstance(news, NewLines)
                    assert (news.lines, news.history) == (("two",), True)
                    write(path, "three\n")
                case 3:
                    assert isinstance(news, NewLines)
                    assert (news.lines, news.history) == (("three",), False)
                    break
