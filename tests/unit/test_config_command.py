"""`config show` and `config validate` as the operator sees them."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import pytest

from tests.support.config_place import Place, make_place
from utxoracle_tui.commands import config
from utxoracle_tui.config.load import ConfigError
from utxoracle_tui.config.schema import schema
from utxoracle_tui.errors import Exit

SECRETS = {
    "BITCOIN_RPC_URL": "http://alice:url-secret-1@localhost:8332",
    "BITCOIN_RPC_PASSWORD": "env-secret-2",
    "ALERT_WEBHOOK_URL": "https://hooks.example/services/hook-secret-3",
    "UTXORACLE_TUI_ALERTS_SECRET": "sign-secret-4",
}


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Place:
    place = make_place(tmp_path, monkeypatch)
    monkeypatch.setattr("os.environ", place.environ)
    place.environ |= {"HOME": str(place.home), "XDG_CONFIG_HOME": str(place.home / "config")}
    return place


def arguments(
    what: str, *, as_json: bool = False, file: Path | None = None, data: Path | None = None
) -> argparse.Namespace:
    return argparse.Namespace(config_command=what, json=as_json, config=file, data_dir=data)


def test_show_prints_each_key_with_value_and_origin(place: Place, capsys: pytest.CaptureFixture[str]) -> None:
    place.environ |= {"FASTAPI_PORT": "8001", "UTXORACLE_CONFIDENCE_THRESHOLD": "0.45"}
    assert config.run(arguments("show", data=Path("/data"))) is Exit.DONE
    out, err = capsys.readouterr()
    lines = [line.split(maxsplit=2) for line in out.splitlines()]
    assert lines[0] == ["key", "value", "origin"]
    assert [key for key, *_ in lines[1:]] == list(schema())
    rows = {key: rest for key, *rest in lines}
    assert rows["api.port"] == ["8001", "environment FASTAPI_PORT"]
    assert rows["store.data_dir"] == ["/data", "flag --data-dir"]
    assert rows["price.confidence_threshold"] == ["0.45", "environment UTXORACLE_CONFIDENCE_THRESHOLD"]
    assert rows["price.max_price_usd"] == ["500000", "default"]
    assert rows["mempool.fallback_enabled"] == ["false", "default"]
    assert rows["alerts.secret"] == ["(not", "set)  " + rows["alerts.secret"][1].split("  ", 1)[1]]
    assert err == ""


def test_show_as_json(place: Place, capsys: pytest.CaptureFixture[str]) -> None:
    path = place.write_conf("regtest=1\n[regtest]\nrpcport=9\n")
    place.environ["DUCKDB_PATH"] = "/x"
    assert config.run(arguments("show", as_json=True)) is Exit.DONE
    out, err = capsys.readouterr()
    document = json.loads(out)
    assert list(document["settings"]) == list(schema())
    assert document["settings"]["node.url"] == {
        "value": "http://127.0.0.1:9",
        "origin": {"kind": "bitcoin.conf", "place": str(path), "line": 3, "section": "regtest"},
    }
    assert document["settings"]["api.port"]["value"] == 8000
    assert document["settings"]["mempool.fallback_enabled"]["value"] is False
    assert document["settings"]["alerts.secret"]["value"] is None
    assert len(document["notes"]) == 1
    assert err == ""


@pytest.mark.parametrize("as_json", [False, True])
@pytest.mark.parametrize("what", ["show", "validate"])
def test_no_secret_is_ever_printed(place: Place, capsys: pytest.CaptureFixture[str], what: str, as_json: bool) -> None:
    place.environ |= SECRETS
    place.write_file('[node]\npassword = "file-secret-5"\n').chmod(0o644)
    place.write_conf("rpcuser=alice\nrpcpassword=conf-secret-6\nrpcauth=bob:s$auth-secret-7\n")
    place.write_dotenv("UTXORACLE_TUI_NODE_PASSWORD=dotenv-secret-8\n")
    assert config.run(arguments(what, as_json=as_json)) is Exit.DONE
    out, err = capsys.readouterr()
    assert "secret-" not in out + err
    if what == "show":
        assert out.count("(set)") == 3
    place.environ |= {"FASTAPI_PORT": "x", "MEMPOOL_API_URL": "http://a:mempool-secret-9@h"}
    if what == "show":
        with pytest.raises(ConfigError) as caught:
            config.run(arguments(what, as_json=as_json))
        assert "secret-" not in caught.value.message
    else:
        assert config.run(arguments(what, as_json=as_json)) is Exit.USAGE
        out, err = capsys.readouterr()
        assert "secret-" not in out + err


def test_notes_of_show_go_to_stderr(place: Place, capsys: pytest.CaptureFixture[str]) -> None:
    place.environ["DUCKDB_PATH"] = "/x"
    config.run(arguments("show"))
    out, err = capsys.readouterr()
    assert "DUCKDB_PATH" not in out
    assert err.startswith("note: DUCKDB_PATH (environment) ")


def test_validate_says_ok(place: Place, capsys: pytest.CaptureFixture[str]) -> None:
    assert config.run(arguments("validate")) is Exit.DONE
    assert capsys.readouterr() == ("ok\n", "")
    assert config.run(arguments("validate", as_json=True)) is Exit.DONE
    assert json.loads(capsys.readouterr().out) == {"ok": True, "problems": [], "notes": []}


def test_validate_prints_all_problems_and_notes(place: Place, capsys: pytest.CaptureFixture[str]) -> None:
    place.write_file("[node]\npasword = 'x'\n")
    place.environ |= {"FASTAPI_PORT": "x", "DUCKDB_PATH": "/x"}
    assert config.run(arguments("validate")) is Exit.USAGE
    out, err = capsys.readouterr()
    lines = out.splitlines()
    assert "Did you mean node.password?" in lines[0]
    assert "environment FASTAPI_PORT" in lines[1]
    assert "utxoracle-tui import" in lines[2]
    assert len(lines) == 3
    assert err == ""
    assert config.run(arguments("validate", as_json=True)) is Exit.USAGE
    document = json.loads(capsys.readouterr().out)
    assert document["ok"] is False
    assert document["problems"] == lines[:2]
    assert [f"note: {note}" for note in document["notes"]] == lines[2:]
    assert document["error"]["kind"] == "configuration"
    assert document["error"]["host"] is None


def test_another_file_can_be_named(place: Place) -> None:
    with pytest.raises(ConfigError, match=r"none\.toml doesn't exist"):
        config.run(arguments("show", file=place.home / "none.toml"))


def test_a_value_that_would_steer_the_terminal_is_quoted(place: Place, capsys: pytest.CaptureFixture[str]) -> None:
    place.write_conf("rpcuser=al\x1b[2Jice\nrpcpassword=hunter22\n")
    config.run(arguments("show"))
    assert "'al\\x1b[2Jice'" in capsys.readouterr().out


def test_validate_says_what_the_console_would_say_of_its_keys(place: Place, capsys: pytest.CaptureFixture[str]) -> None:
    place.environ["UTXORACLE_TUI_SCREEN_REMAP"] = "jobs.pause=P, app.quit=X"
    assert config.run(arguments("validate")) is Exit.USAGE
    said = "“” in “jobs.pause=P,” is no key"
    assert capsys.readouterr().out.startswith(said)
    assert config.run(arguments("validate", as_json=True)) is Exit.USAGE
    document = json.loads(capsys.readouterr().out)
    assert (document["ok"], document["error"]["kind"]) == (False, "bad_keys")
    assert document["problems"][0].startswith(said)
    place.environ["UTXORACLE_TUI_SCREEN_REMAP"] = "jobs.pause=P app.quit=X"
    assert config.run(arguments("validate")) is Exit.DONE
