"""Settings that a running program changes: what is taken, what is refused in which words, and what is written."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.support.config_place import Place, make_place
from utxoracle_tui.config.changing import SettingsPlace
from utxoracle_tui.config.inputs import Flags
from utxoracle_tui.config.redaction import Secret
from utxoracle_tui.config.settings import Settings
from utxoracle_tui.errors import Exit, OperatorError


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Place:
    return make_place(tmp_path, monkeypatch)


def settings_of(place: Place) -> SettingsPlace:
    return SettingsPlace(Flags(), place.environ, place.cwd, place.load())


def refused(place: Place, key: str, raw: object) -> str:
    before = place.file.read_text() if place.file.exists() else None
    with pytest.raises(OperatorError) as caught:
        settings_of(place).change(key, raw)
    assert (place.file.read_text() if place.file.exists() else None) == before
    return caught.value.message


def test_what_is_typed_is_written_as_what_it_is(place: Place) -> None:
    settings = settings_of(place)
    for key, raw in {
        "jobs.max_in_flight": "7",
        "node.read_timeout_s": " 12 ",
        "node.datadir": "~/bit coin",
        "node.reuse_connections": True,
        "screen.theme": "light",
        "alerts.secret": "s3cret words",
    }.items():
        settings.change(key, raw)
    assert place.file.read_text() == (
        "[jobs]\nmax_in_flight = 7\n\n"
        '[node]\nread_timeout_s = 12.0\ndatadir = "~/bit coin"\nreuse_connections = true\n\n'
        '[screen]\ntheme = "light"\n\n[alerts]\nsecret = "s3cret words"\n'
    )
    read = settings.read()
    assert read.loaded.settings.alerts.secret == Secret("s3cret words")
    assert read.loaded.settings.node.datadir == place.home / "bit coin"
    assert read.in_file["jobs.max_in_flight"].line == 2


def test_a_bad_value_is_refused_in_the_words_of_loading(place: Place) -> None:
    sentence = refused(place, "jobs.max_in_flight", "99")
    place.write_file("[jobs]\nmax_in_flight = 99\n")
    (loading,) = place.problems()
    assert sentence == loading.replace("99", "'99'").replace(" line 2", "")
    assert sentence.endswith("is '99', but must be a whole number from 1 to 64.")


def test_what_contradicts_another_setting_is_refused(place: Place) -> None:
    place.write_file("[price]\nmax_price_usd = 90000\n")
    assert "but must be less than price.max_price_usd" in refused(place, "price.min_price_usd", "100000")


def test_a_secret_that_is_refused_is_not_shown(place: Place) -> None:
    sentence = refused(place, "alerts.webhook_url", "ftp://my-secret-key")
    assert "my-secret" not in sentence
    assert "alerts.webhook_url" in sentence


def test_a_check_of_the_callers_own_sees_all_settings_as_they_would_be(place: Place) -> None:
    seen: list[str] = []

    def check(settings: Settings) -> None:
        seen.append(settings.screen.keys)
        raise OperatorError("bad_keys", "Keys clash.", Exit.USAGE)

    with pytest.raises(OperatorError, match="Keys clash"):
        settings_of(place).change("screen.keys", "vim", check)
    assert seen == ["vim"]
    assert not place.file.exists()


def test_what_the_environment_decides_is_written_all_the_same(place: Place) -> None:
    place.environ["MEMPOOL_API_URL"] = "http://10.0.0.1:8999"
    settings = settings_of(place)
    settings.change("mempool.api_url", "http://10.0.0.2:8999")
    read = settings.read()
    assert str(read.loaded.values["mempool.api_url"].origin) == "environment MEMPOOL_API_URL"
    assert read.loaded.settings.mempool.api_url == "http://10.0.0.1:8999"
    assert read.in_file["mempool.api_url"].line == 2


def test_a_login_in_an_address_outlives_a_change_of_the_address(place: Place) -> None:
    place.write_file('[node]\nurl = "http://me:pa%2Fss@10.0.0.1:8332"\n')
    settings_of(place).change("node.url", "http://10.0.0.2:8332")
    node = place.load().settings.node
    assert (node.url, node.user, node.password) == ("http://10.0.0.2:8332", "me", Secret("pa/ss"))


def test_one_mistake_in_the_file_can_be_mended_while_there_is_another(place: Place) -> None:
    settings = settings_of(place)
    place.write_file('[jobs]\nmax_in_flight = 99\n\n[log]\nlevel = "LOUD"\n')
    read = settings.read()
    assert [problem.split(" (")[0] for problem in read.problems] == ["jobs.max_in_flight", "log.level"]
    assert read.loaded is settings.started
    settings.change("jobs.max_in_flight", "3")
    settings.change("log.level", None)
    assert settings.read().problems == ()


def test_a_damaged_file_is_left_alone(place: Place) -> None:
    settings = settings_of(place)
    place.write_file("[jobs\n")
    assert "is not valid TOML" in settings.read().problems[0]
    with pytest.raises(OperatorError, match="is not changed: it is not valid TOML"):
        settings.change("jobs.max_in_flight", "3")
    assert place.file.read_text() == "[jobs\n"


def test_a_folder_that_may_not_be_written_to_is_told_beforehand(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    assert settings_of(place).read().unwritable is None
    monkeypatch.setattr(os, "access", lambda path, mode: False)
    unwritable = settings_of(place).read().unwritable
    assert unwritable is not None
    assert unwritable.startswith(f"{place.file} can't be changed: its folder {place.home} may not be written to")
