"""Entries of the journal as `journalctl -o json` prints them."""

from __future__ import annotations

import json

import pytest

from utxoracle_tui.sources.journal import JournalEntry, JournalQuery, parse_entry

ENTRY = {
    "__CURSOR": "s=1;i=2",
    "__REALTIME_TIMESTAMP": "1761826896789000",
    "_PID": "1234",
    "PRIORITY": "6",
    "_SYSTEMD_UNIT": "electrs.service",
    "MESSAGE": "DEBUG - Adding 0 blocks to Indexer",
}


def test_an_entry() -> None:
    assert parse_entry(json.dumps(ENTRY)) == JournalEntry(
        "DEBUG - Adding 0 blocks to Indexer", 1_761_826_896.789, 1234, 6, "s=1;i=2"
    )


@pytest.mark.parametrize(
    ("message", "text"),
    [
        (list("naïve".encode()), "naïve"),
        ([255, 110], "\ufffdn"),
        (["first", "second"], "first"),
        ("", ""),
    ],
)
def test_messages_that_are_no_plain_text(message: object, text: str) -> None:
    entry = parse_entry(json.dumps({**ENTRY, "MESSAGE": message}))
    assert entry is not None
    assert entry.message == text


@pytest.mark.parametrize(
    "line",
    [
        b"",
        b"-- No entries --",
        b"[]",
        b"{",
        b'{"MESSAGE": null}',
        b'{"MESSAGE": 5}',
        b'{"MESSAGE": [300]}',
        b"[" * 5000,
        b"\xff",
    ],
)
def test_what_is_no_entry(line: bytes) -> None:
    assert parse_entry(line) is None


def test_fields_that_are_missing_or_odd() -> None:
    assert parse_entry('{"MESSAGE": "x", "_PID": "-", "PRIORITY": null}') == JournalEntry("x", None, None, None, None)


def test_whose_entries_are_asked_for() -> None:
    assert JournalQuery(unit="electrs").arguments == ("--unit=electrs",)
    assert JournalQuery(container="mempool-electrs").arguments == ("CONTAINER_NAME=mempool-electrs",)
