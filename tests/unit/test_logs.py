"""Lines of all logs: taken apart, without secrets, merged by time, filtered."""

from __future__ import annotations

import time
from datetime import UTC, date, datetime
from itertools import count
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.config_place import forget_secrets
from utxoracle_tui.config.redaction import Secret
from utxoracle_tui.config.settings import Containers, Electrs, Node, Settings, Store
from utxoracle_tui.engine.logs.book import LogBook, LogView
from utxoracle_tui.engine.logs.dialects import DIALECTS
from utxoracle_tui.engine.logs.followers import Where
from utxoracle_tui.engine.logs.line import Level, LogLine, Origin
from utxoracle_tui.engine.logs.reading import LineReader, Raw
from utxoracle_tui.engine.logs.sieve import LogFilter, Sieve, read_pattern
from utxoracle_tui.engine.logs.sources import logs_of
from utxoracle_tui.engine.logs.spoken_of import window_in
from utxoracle_tui.engine.request import Day, Heights
from utxoracle_tui.errors import OperatorError
from utxoracle_tui.own_log.entry import Entry, as_json, as_text

AT_S = datetime(2026, 11, 22, 10, 5, 33, 500_000, UTC).timestamp()
ISO = "2026-11-22T10:05:33.500"
INDEXED = "Tx indexing is up to height=40000"


def entry(text: str, trace: str = "") -> Entry:
    return Entry(AT_S, "WARNING", 1, "engine.rounds", text, trace)


@pytest.mark.parametrize(
    ("origin", "line", "text", "level", "at_s"),
    [
        (Origin.ELECTRS, f"INFO - {INDEXED}", INDEXED, Level.INFO, None),
        (Origin.ELECTRS, f"INFO {INDEXED}", INDEXED, Level.INFO, None),
        (Origin.ELECTRS, f"{ISO}+00:00 - DEBUG - {INDEXED}", INDEXED, Level.DEBUG, AT_S),
        (Origin.ELECTRS, f"2026-11-22T11:05:33.500+01:00 - WARN - {INDEXED}", INDEXED, Level.WARNING, AT_S),
        (Origin.ELECTRS, f"mempool-electrs  | \x1b[32mTRACE - {INDEXED}\x1b[0m", INDEXED, Level.DEBUG, None),
        (Origin.ELECTRS, f"Nov 22 10:05:33 host electrs[12]: ERROR - {INDEXED}", INDEXED, Level.ERROR, None),
        (Origin.ELECTRS, f'{{"log":"INFO - {INDEXED}\\n","time":"{ISO}Z"}}', INDEXED, Level.INFO, AT_S),
        (
            Origin.ELECTRS,
            "thread 'main' panicked at src/x.rs:1",
            "thread 'main' panicked at src/x.rs:1",
            Level.ERROR,
            None,
        ),
        (Origin.ELECTRS, "Config { log: StdErrLog", "Config { log: StdErrLog", None, None),
        (
            Origin.BACKEND,
            "Nov 22 10:05:33 [28] WARN: esplora request failed",
            "esplora request failed",
            Level.WARNING,
            None,
        ),
        (Origin.BACKEND, "Nov  2 10:05:33 [28] ERR: <signet> oh", "<signet> oh", Level.ERROR, None),
        (Origin.BACKEND, "Nov 22 10:05:33 [28] NOTICE: oh", "oh", Level.INFO, None),
        (
            Origin.BACKEND,
            "    at Socket.emit (node:events:518:28)",
            "    at Socket.emit (node:events:518:28)",
            None,
            None,
        ),
        (Origin.DATABASE, "2026-11-22 10:05:33 0 [Note] mariadbd: ready", "mariadbd: ready", Level.INFO, None),
        (Origin.DATABASE, "2026-11-22 10:05:33+00:00 [ERROR] [Entrypoint]: no", "[Entrypoint]: no", Level.ERROR, None),
        (Origin.DATABASE, "2026-11-22  9:05:33 12 [Warning] aborted", "aborted", Level.WARNING, None),
        (Origin.NODE, f"{ISO}Z UpdateTip: height=3", "UpdateTip: height=3", Level.INFO, AT_S),
        (Origin.NODE, f"{ISO}Z [net] sending inv", "[net] sending inv", Level.DEBUG, AT_S),
        (Origin.NODE, f"{ISO}Z [msghand] [net:warning] odd", "[msghand] [net:warning] odd", Level.WARNING, AT_S),
        (Origin.NODE, f"{ISO}Z [init] Using 16 MiB", "[init] Using 16 MiB", Level.INFO, AT_S),
        (Origin.NODE, f"{ISO}Z [error] no space", "[error] no space", Level.ERROR, AT_S),
        (Origin.NODE, f"{ISO}Z ERROR: AcceptBlock", "ERROR: AcceptBlock", Level.ERROR, AT_S),
        (Origin.NODE, f"{ISO}Z Warning: disk space", "Warning: disk space", Level.WARNING, AT_S),
        (Origin.OWN, as_text(entry("a\\b", "T:\n  F")), "a\\b (engine.rounds)\nT:\n  F", Level.WARNING, AT_S),
        (Origin.OWN, as_json(entry("text", "T:\n  F")), "text (engine.rounds)\nT:\n  F", Level.WARNING, AT_S),
        (Origin.OWN, "something else", "something else", None, None),
    ],
)
def test_lines_taken_apart(origin: Origin, line: str, text: str, level: Level | None, at_s: float | None) -> None:
    told = DIALECTS[origin](line)
    assert (told.text, told.level, told.at_s) == (text, level, at_s)


@given(st.sampled_from(list(Origin)), st.text(max_size=80))
def test_no_line_does_harm(origin: Origin, line: str) -> None:
    read = LineReader(origin, count(1)).read([Raw(line)], 5.0, is_new=True)
    for found in read:
        assert not set(found.text) & {chr(code) for code in [*range(10), *range(11, 32), *range(127, 160), 0x202E]}


def test_lines_without_a_time_have_that_of_the_line_before() -> None:
    reader = LineReader(Origin.ELECTRS, count(1))
    lines = [Raw("first"), Raw(f"{ISO}+00:00 - WARN - a"), Raw("   b"), Raw(""), Raw("c"), Raw("INFO - d", 7.0)]
    found = reader.read(lines, 5.0, is_new=False)
    assert [(line.text, line.at_s, line.dated) for line in found] == [
        ("first", 5.0, False),
        ("a", AT_S, True),
        ("   b", AT_S, False),
        ("c", AT_S, False),
        ("d", 7.0, True),
    ]
    assert [line.level for line in found] == [Level.INFO, Level.WARNING, Level.WARNING, Level.INFO, Level.INFO]
    # the time of old lines is none of those that come now
    assert reader.read([Raw("now")], 9.0, is_new=True)[0].at_s == 9.0


def test_secrets_of_others_are_not_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    forget_secrets(monkeypatch)
    Secret("correct-horse-battery")
    reader = LineReader(Origin.BACKEND, count(1))
    texts = ["pass correct-horse-battery", "GET http://alice:hunter22@10.0.0.1:8332/", "rpcpassword=hunter22"]
    shown = " ".join(line.text for line in reader.read([Raw(text) for text in texts], 0.0, is_new=True))
    assert "horse" not in shown
    assert "hunter22" not in shown


@pytest.mark.parametrize(
    ("text", "window"),
    [
        ("the window 2026-11-20 failed", Day(date(2026, 11, 20))),
        ("day 2026-11-20 of job 20261120-1: a block is damaged", Day(date(2026, 11, 20))),
        ("round of blocks 849857–850000: $60,000.00", Heights(849_857, 850_000)),
        ("blocks 849,857 to 850,000", Heights(849_857, 850_000)),
        ("Tx indexing is up to height=850000", Heights(849_857, 850_000)),
        ("UpdateTip: new best=0000ab height=100 version=0x2", Heights(0, 100)),
        ("Block #850,000 is there", Heights(849_857, 850_000)),
        ("downloading blocks 0-850000", None),
        ("2026-11-22 10:05:33 is a time", None),
        ("2026-13-40", None),
        ("writing 3 blocks", None),
        ("esplora 127.0.0.1:3000 height", None),
        ("tip 1.5", None),
    ],
)
def test_windows_that_lines_speak_of(text: str, window: Day | Heights | None) -> None:
    assert window_in(text) == window


def line(number: int, at_s: float, origin: Origin = Origin.OWN, level: Level = Level.INFO, text: str = "") -> LogLine:
    return LogLine(number, at_s, origin, level, text or f"line {number}")


@given(st.lists(st.tuples(st.sampled_from(list(Origin)), st.integers(0, 50)), max_size=120), st.integers(1, 40))
def test_merged_as_if_sorted_at_once(arrivals: list[tuple[Origin, int]], at_once: int) -> None:
    """However lines come, the view shows those that are kept, by time; those of one time in the order they came."""
    book, view, taken = LogBook(most_lines=50), LogView(), 0
    lines = [line(number, at_s, origin) for number, (origin, at_s) in enumerate(arrivals)]
    for start in range(0, len(lines), at_once):
        book.add(lines[start : start + at_once])
        assert book.knows_since(taken)
        new = book.after(taken)
        assert new == lines[taken : start + at_once]
        taken = book.arrived
        view.merge(new)
        view.prune(book)
    newest = {each.number for origin in Origin for each in [found for found in lines if found.origin is origin][-10:]}
    assert {each.number for each in book.all()} == newest
    shown = [each for each in view.lines if each.number in newest]
    assert shown == sorted((each for each in lines if each.number in newest), key=lambda each: (each.at_s, each.number))


def test_a_log_that_talks_a_lot_drives_out_no_other() -> None:
    book, view = LogBook(), LogView()
    book.add([line(0, 0.0, Origin.OWN)])
    book.add([line(number, float(number), Origin.ELECTRS) for number in range(1, 50_000)])
    assert not book.knows_since(0)
    view.replace(book.all(), book.dropped)
    assert book.count(Origin.OWN) == 1
    assert book.count(Origin.ELECTRS) == 4_000
    assert (view.lines[0].number, view.lines[-1].number) == (0, 49_999)


def picked(wanted: LogFilter) -> list[int]:
    lines = [
        line(1, 0, Origin.OWN, Level.INFO, "Round of blocks"),
        line(2, 0, Origin.ELECTRS, Level.DEBUG, "adding blocks"),
        line(3, 0, Origin.BACKEND, Level.ERROR, "Traceback\nBLOCKS are gone"),
    ]
    return [each.number for each in Sieve(wanted).pick(lines)]


def test_filters() -> None:
    assert picked(LogFilter()) == [1, 2, 3]
    assert picked(LogFilter(least=Level.INFO)) == [1, 3]
    assert picked(LogFilter(hidden=frozenset({Origin.OWN, Origin.BACKEND}))) == [2]
    assert picked(LogFilter(pattern="blocks")) == [1, 2, 3]
    assert picked(LogFilter(pattern="BLOCKS")) == [3]
    assert picked(LogFilter(pattern="^(round|adding)")) == [1, 2]
    assert picked(LogFilter(least=Level.ERROR, pattern="round")) == []


@pytest.mark.parametrize(
    ("pattern", "why"),
    [
        ("(", "missing )"),
        ("[a", "missing ]"),
        ("*", "no argument for repetition operator"),
        (r"(a)\1", "invalid escape sequence"),
        ("((a{1000}){1000}){1000}", "invalid repetition size"),
        ("x" * 300, "it is longer than 200 characters"),
    ],
)
def test_what_is_no_regular_expression(pattern: str, why: str) -> None:
    with pytest.raises(OperatorError) as caught:
        read_pattern(pattern)
    assert caught.value.message.startswith(f"That is no regular expression: {why}")


@pytest.mark.parametrize("pattern", ["(a|aa)+$", "(a+)+$", "(.*)*x(.*)*y$", "(((((a|b)*)*)*)*)*c$"])
def test_no_expression_takes_for_ever(pattern: str) -> None:
    """Backtracking would need 2**1000 steps for any of these."""
    lines = [line(number, 0, text="a" * 1000 + "!") for number in range(100)]
    began_s = time.process_time()
    Sieve(LogFilter(pattern=pattern)).pick(lines)
    assert time.process_time() - began_s < 5


def test_where_the_logs_are(tmp_path: Path) -> None:
    datadir = tmp_path / "bitcoin"
    settings = Settings(
        node=Node(datadir=datadir, cookie_file=datadir / "regtest" / ".cookie"),
        electrs=Electrs(log_file=tmp_path / "electrs.log", unit="electrs"),
        containers=Containers(backend="api"),
        store=Store(data_dir=tmp_path),
    )
    assert logs_of(settings) == {
        Origin.OWN: Where(file=tmp_path / "state" / "utxoracle-tui.log", is_named=False),
        Origin.NODE: Where(file=datadir / "regtest" / "debug.log", is_named=False),
        Origin.ELECTRS: Where(file=tmp_path / "electrs.log"),
        Origin.BACKEND: Where(container="api"),
        Origin.DATABASE: Where(container="mempool-db"),
    }
    plain = logs_of(Settings(electrs=Electrs(unit="electrs"), store=Store(data_dir=tmp_path)))
    assert plain[Origin.ELECTRS] == Where(unit="electrs")
    assert plain[Origin.BACKEND] == Where(container="mempool-api", is_named=False)
    assert Origin.NODE not in plain
    without = logs_of(Settings(node=Node(datadir=datadir, network="signet"), containers=Containers(socket=None)))
    assert without[Origin.NODE].file == datadir / "signet" / "debug.log"
    assert set(without) == {Origin.OWN, Origin.NODE}
