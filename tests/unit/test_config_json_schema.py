"""The JSON schema of the configuration file: what an editor is told of it agrees with what the program takes."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest

from tests.support.config_place import make_place
from tests.support.in_process import ran
from utxoracle_tui.config.schema import schema

EVERY_SETTING = """
[node]
url = "http://alice:secret@127.0.0.1:8332"
user = "alice"
password = "hunter2"
cookie_file = "/node/.cookie"
datadir = "~/.bitcoin"
read_block_files = false
blocks_dir = "/node/blocks"
network = "testnet4"
max_in_flight = 8
reuse_connections = true
connect_timeout_s = 0.5
read_timeout_s = 60

[mempool]
api_url = "https://mempool.example/base"
fallback_enabled = true
fallback_url = "https://mempool.space"

[electrs]
http_url = "http://[::1]:3000"
metrics_url = "http://127.0.0.1:4224"
index_dir = "/electrs"
log_file = "/var/log/electrs.log"
container = "electrs-1"
unit = "electrs.service"

[containers]
socket = "/run/docker.sock"
backend = "api"
database = "db"
web = "web"

[price]
confidence_threshold = 0.5
min_price_usd = 1
max_price_usd = 1000000.5

[rounds]
interval_minutes = 5
retries = 0

[jobs]
max_in_flight = 2
mb_per_s = 12.5
quiet_hours = "22:00-06:00"

[log]
level = "DEBUG"
json = true

[store]
data_dir = "/data"
readings_days = 60
points_days = 0
points_block_windows = 0
digests_mb = 500
backups = 7

[api]
host = "0.0.0.0"
port = 8080
"""


@pytest.fixture(scope="module")
def printed() -> dict[str, Any]:
    done = ran("config", "schema")
    assert (done.code, done.err) == (0, "")
    document: dict[str, Any] = json.loads(done.out)
    return document


@pytest.fixture(scope="module")
def validator(printed: dict[str, Any]) -> jsonschema_rs.Draft202012Validator:
    jsonschema_rs.meta.validate(printed)
    assert printed["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    return jsonschema_rs.Draft202012Validator(printed)


def from_defaults(printed: dict[str, Any], names: set[str]) -> dict[str, Any]:
    """Whole sections made from the defaults that the schema names."""
    return {
        name: {key: described.get("default", "text") for key, described in section["properties"].items()}
        for name, section in printed["properties"].items()
        if name in names
    }


def test_a_file_with_every_setting_is_valid_for_both(
    printed: dict[str, Any],
    validator: jsonschema_rs.Draft202012Validator,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    document = tomllib.loads(EVERY_SETTING)
    written = {f"{section}.{name}" for section, table in document.items() for name in table}
    # what is left has neither bounds nor forms of its own
    rest = {"screen", "alerts"}
    assert {key for key in schema() if key.partition(".")[0] not in rest} == written
    assert [error.message for error in validator.iter_errors(document)] == []
    assert [error.message for error in validator.iter_errors(from_defaults(printed, {"screen"}))] == []
    make_place(tmp_path, monkeypatch).write_file(EVERY_SETTING)
    assert ran("config", "validate").out == "ok\n"


@pytest.mark.parametrize(
    "text",
    [
        "nodes = {}",
        "[node]\nurll = 'http://x'",
        "[node]\nurl = 'ftp://x'",
        "[node]\nurl = 8332",
        "[node]\nmax_in_flight = 0",
        "[node]\nmax_in_flight = 65",
        "[node]\nmax_in_flight = 2.5",
        "[node]\nread_block_files = 'maybe'",
        "[node]\nnetwork = 'mainnet'",
        "[node]\ndatadir = 7",
        "[mempool]\napi_url = 'http://user:word@host'",
        "[mempool]\napi_url = 'http://host/?key=1'",
        "[price]\nconfidence_threshold = 1.5",
        "[price]\nmin_price_usd = -1",
        "[jobs]\nquiet_hours = '25:00-06:00'",
        "[log]\nlevel = 'LOUD'",
        "[api]\nport = 65536",
        "[store]\nbackups = 0",
        "[alerts]\nsecret = 7",
        "screen = 3",
    ],
)
def test_what_is_wrong_is_wrong_for_both(
    text: str, validator: jsonschema_rs.Draft202012Validator, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert not validator.is_valid(tomllib.loads(text))
    make_place(tmp_path, monkeypatch).write_file(text)
    assert ran("config", "validate").code == 2


def test_what_editors_show(printed: dict[str, Any]) -> None:
    sections = printed["properties"]
    port = sections["api"]["properties"]["port"]
    assert port == {
        "type": "integer",
        "description": "The port that it listens on.",
        "default": 8000,
        "minimum": 1,
        "maximum": 65535,
    }
    assert sections["node"]["properties"]["password"]["writeOnly"] is True
    assert "default" not in sections["node"]["properties"]["password"]
    secrets = [key for key, setting in schema().items() if setting.secret]
    described = {
        f"{name}.{key}": field for name, section in sections.items() for key, field in section["properties"].items()
    }
    assert [key for key, field in described.items() if field.get("writeOnly")] == secrets
    assert [key for key, field in described.items() if "description" not in field] == []
    assert list(described) == list(schema())
