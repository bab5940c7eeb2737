"""Changes to the configuration file: what was asked for, nothing else, and all of it or nothing."""

from __future__ import annotations

import errno
import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.config_place import Place, make_place, written
from utxoracle_tui.config.editing import write_settings
from utxoracle_tui.config.redaction import Secret
from utxoracle_tui.errors import OperatorError

COMMENTED = """\
# my node
[node]   # in the cellar
# Where RPC and REST answer.
# url = "http://127.0.0.1:8332"

# The name that goes with `password`.
# user = "…"
max_in_flight = 2  # it is an old one

# for the exchange price
[mempool]
api_url = "http://10.0.0.2:8999"
"""


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Place:
    return make_place(tmp_path, monkeypatch)


def edited(path: Path, text: str, **changes: object) -> str:
    written(path, text)
    write_settings(path, {key.replace("__", "."): value for key, value in changes.items()})
    return path.read_bytes().decode()


def test_a_change_touches_its_own_line_alone(tmp_path: Path) -> None:
    after = edited(tmp_path / "c.toml", COMMENTED, node__max_in_flight=8, mempool__api_url="http://10.0.0.3:8999")
    expected = COMMENTED.replace("max_in_flight = 2 ", "max_in_flight = 8 ").replace("10.0.0.2", "10.0.0.3")
    assert after == expected


def test_a_new_key_stands_where_it_was_commented_out_or_after_the_last_one(tmp_path: Path) -> None:
    after = edited(tmp_path / "c.toml", COMMENTED, node__url="http://10.0.0.9:8332", node__reuse_connections=True)
    assert after.splitlines()[3:9] == [
        '# url = "http://127.0.0.1:8332"',
        'url = "http://10.0.0.9:8332"',
        "",
        "# The name that goes with `password`.",
        '# user = "…"',
        "max_in_flight = 2  # it is an old one",
    ]
    assert after.splitlines()[9:12] == ["reuse_connections = true", "", "# for the exchange price"]


def test_a_key_that_is_removed_takes_nothing_with_it(tmp_path: Path) -> None:
    after = edited(tmp_path / "c.toml", COMMENTED, node__max_in_flight=None, log__level=None)
    assert after == COMMENTED.replace("max_in_flight = 2  # it is an old one\n", "")


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("", '[node]\nurl = "u"\n'),
        ("# mine\n", '# mine\n\n[node]\nurl = "u"\n'),
        ('[log]\nlevel = "INFO"', '[log]\nlevel = "INFO"\n\n[node]\nurl = "u"\n'),
        ('node.user = "me"\nlog.level = "INFO"\n', 'node.user = "me"\nnode.url = "u"\nlog.level = "INFO"\n'),
        ('node = { user = "me" }\n', 'node = { user = "me", url = "u"}\n'),
        ("[ node ]\r\nuser = 'me'\r\n\r\n[log]\r\n", "[ node ]\r\nuser = 'me'\r\nurl = \"u\"\r\n\r\n[log]\r\n"),
        ("[node]", '[node]\nurl = "u"'),
        ('[node]\nuser = """\n# url = 1\n[log]"""\n', '[node]\nuser = """\n# url = 1\n[log]"""\nurl = "u"\n'),
        ("\ufeff[node]\n", '\ufeff[node]\nurl = "u"\n'),
    ],
)
def test_every_way_of_writing_a_section_is_understood(tmp_path: Path, before: str, after: str) -> None:
    assert edited(tmp_path / "c.toml", before, node__url="u") == after


def test_what_was_written_is_what_is_loaded(place: Place) -> None:
    changes: dict[str, object] = {
        "node.datadir": Path("/srv/bit coin"),
        "node.password": Secret('p"w\\x'),
        "node.user": "u",
        "price.confidence_threshold": 0.25,
        "screen.ascii": True,
        "jobs.max_in_flight": 7,
    }
    write_settings(place.file, changes)
    assert {key: place.value(key) for key in changes} == changes
    write_settings(place.file, dict.fromkeys(changes))
    assert place.value("jobs.max_in_flight") == 3
    assert place.origin("node.datadir") == "default"


def test_a_truth_written_as_a_number_becomes_one(tmp_path: Path) -> None:
    assert edited(tmp_path / "c.toml", "[screen]\nascii = 1\n", screen__ascii=True) == "[screen]\nascii = true\n"


def test_a_new_file_is_for_its_owner_alone_and_an_old_one_keeps_its_mode(tmp_path: Path) -> None:
    new = tmp_path / "a" / "b" / "c.toml"
    write_settings(new, {"node.url": "u"})
    assert stat.S_IMODE(new.stat().st_mode) == 0o600
    assert [stat.S_IMODE(folder.stat().st_mode) for folder in (new.parent, new.parent.parent)] == [0o700, 0o700]
    new.chmod(0o644)
    write_settings(new, {"node.url": "v"})
    assert stat.S_IMODE(new.stat().st_mode) == 0o644
    assert [each.name for each in new.parent.iterdir()] == ["c.toml"]


def test_nothing_to_change_makes_no_file_and_writes_none(tmp_path: Path) -> None:
    path = tmp_path / "c.toml"
    write_settings(path, {"node.url": None})
    assert not path.exists()
    written(path, '[node]\nurl = "u"\n')
    before = path.stat().st_ino
    write_settings(path, {"node.url": "u"})
    assert path.stat().st_ino == before


def test_a_link_stays_one(tmp_path: Path) -> None:
    target, link = tmp_path / "dotfiles" / "c.toml", tmp_path / "config.toml"
    link.symlink_to(target)
    write_settings(link, {"node.url": "u"})
    assert link.is_symlink()
    assert target.read_text() == '[node]\nurl = "u"\n'


@pytest.mark.parametrize(
    ("before", "reason"),
    [
        (b"[node\n", "it is not valid TOML"),
        (b"node = 3\n", "node in it is a value, not a section"),
        (b'[node]\nuser = "\xff"\n', "it is not UTF-8 text"),
    ],
)
def test_what_cannot_be_read_stays_as_it_is(tmp_path: Path, before: bytes, reason: str) -> None:
    path = tmp_path / "c.toml"
    path.write_bytes(before)
    with pytest.raises(OperatorError, match=reason) as caught:
        write_settings(path, {"node.url": "u"})
    assert str(path) in caught.value.message
    assert path.read_bytes() == before


def test_a_full_disk_leaves_the_old_file_and_no_other(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = written(tmp_path / "c.toml", COMMENTED)

    def full(descriptor: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OperatorError) as caught:
        write_settings(path, {"node.url": "u"})
    assert caught.value.message == f"{path} can't be written: no space left on device. Nothing in it has changed."
    assert path.read_text() == COMMENTED
    assert [each.name for each in tmp_path.iterdir()] == ["c.toml"]


def test_a_folder_in_its_place_is_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(OperatorError, match="is a directory"):
        write_settings(tmp_path, {"node.url": "u"})


def test_only_who_writes_settings_pays_for_the_writer() -> None:
    code = "import sys, utxoracle_tui.config.editing; print('tomlkit' in sys.modules)"
    found = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert found.stdout == "False\n"
