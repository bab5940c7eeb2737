"""Which value wins, and where it says that it comes from."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.config_place import Place, make_place, written
from utxoracle_tui.config.redaction import Secret
from utxoracle_tui.config.schema import schema


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Place:
    return make_place(tmp_path, monkeypatch)


EARLIER_NAMES = {
    "BITCOIN_RPC_URL": ("node.url", "http://10.0.0.1:8332", "http://10.0.0.1:8332"),
    "BITCOIN_RPC_USER": ("node.user", "alice", "alice"),
    "BITCOIN_RPC_PASSWORD": ("node.password", "hunter22", Secret("hunter22")),
    "BITCOIN_DATADIR": ("node.datadir", "/srv/bitcoin", Path("/srv/bitcoin")),
    "MEMPOOL_API_URL": ("mempool.api_url", "http://mempool:8999/", "http://mempool:8999"),
    "MEMPOOL_FALLBACK_ENABLED": ("mempool.fallback_enabled", "True", True),
    "MEMPOOL_FALLBACK_URL": ("mempool.fallback_url", "https://example.org", "https://example.org"),
    "ELECTRS_HTTP_URL": ("electrs.http_url", "http://electrs:3000", "http://electrs:3000"),
    "UTXORACLE_CONFIDENCE_THRESHOLD": ("price.confidence_threshold", "0.5", 0.5),
    "MIN_PRICE_USD": ("price.min_price_usd", "20000", 20_000.0),
    "MAX_PRICE_USD": ("price.max_price_usd", "900000.5", 900_000.5),
    "ANALYSIS_INTERVAL_MINUTES": ("rounds.interval_minutes", "15", 15),
    "ALERT_WEBHOOK_URL": (
        "alerts.webhook_url",
        "https://hooks.example/T0/abcdef",
        Secret("https://hooks.example/T0/abcdef"),
    ),
    "LOG_LEVEL": ("log.level", "debug", "DEBUG"),
    "FASTAPI_HOST": ("api.host", "0.0.0.0", "0.0.0.0"),
    "FASTAPI_PORT": ("api.port", "8001", 8001),
}


@pytest.mark.parametrize("name", EARLIER_NAMES)
def test_a_name_of_the_earlier_system_is_honoured_in_the_environment(place: Place, name: str) -> None:
    key, text, value = EARLIER_NAMES[name]
    place.environ[name] = text
    assert place.value(key) == value
    assert place.origin(key) == f"environment {name}"


@pytest.mark.parametrize("name", EARLIER_NAMES)
def test_a_name_of_the_earlier_system_is_honoured_in_dotenv(place: Place, name: str) -> None:
    key, text, value = EARLIER_NAMES[name]
    place.write_dotenv(f"# earlier\n\nexport {name}='{text}'\n")
    assert place.value(key) == value
    assert place.origin(key) == f"{place.cwd / '.env'} line 3"


def test_no_other_name_of_the_earlier_system_is_honoured() -> None:
    assert {name for setting in schema().values() for name in setting.rules.env} == set(EARLIER_NAMES)


SAMPLES: dict[type, tuple[str, object]] = {
    bool: ("true", True),
    int: ("7", 7),
    float: ("0.9", 0.9),
    str: ("text", "text"),
    Path: ("/some/path", Path("/some/path")),
    Secret: ("a secret", Secret("a secret")),
}


@pytest.mark.parametrize("key", schema())
def test_every_setting_has_a_variable_and_a_key_in_the_file(place: Place, key: str) -> None:
    setting = schema()[key]
    text, value = SAMPLES[setting.type]
    if setting.rules.url:
        text = "https://example.org:1234/hook"
        value = Secret(text) if setting.secret else text
    elif setting.rules.choices:
        text = value = setting.rules.choices[-1]
    elif setting.rules.hours:
        text = value = "22:00-06:30"
    elif key == "price.max_price_usd":
        text, value = "10001.5", 10_001.5
    elif (setting.rules.low or 0) > 0.9 and setting.type is float:
        text, value = "9.5", 9.5
    place.environ[setting.variable] = text
    assert place.value(key) == value
    assert place.origin(key) == f"environment {setting.variable}"
    del place.environ[setting.variable]
    place.write_file(f'[{setting.section}]\n{setting.name} = "{text}"\n')
    assert place.value(key) == value
    assert place.origin(key) == f"{place.file} line 2"


def test_a_default_is_given_by_nobody(place: Place) -> None:
    loaded = place.load()
    assert loaded.settings.price.confidence_threshold == 0.3
    assert (loaded.settings.price.min_price_usd, loaded.settings.price.max_price_usd) == (10_000, 500_000)
    assert loaded.settings.rounds.interval_minutes == 10
    assert loaded.settings.mempool.fallback_enabled is False
    assert str(loaded.values["price.confidence_threshold"].origin) == "default"
    assert list(loaded.values) == list(schema())
    assert loaded.notes == ()


LAYERS = ("flag", "own variable", "earlier variable", "own in .env", "earlier in .env", "file", "default")


@pytest.mark.parametrize("strongest", range(len(LAYERS)))
def test_the_strongest_source_wins(place: Place, strongest: int) -> None:
    there = set(LAYERS[strongest:])
    flags = {"api.port": 1001} if "flag" in there else {}
    if "own variable" in there:
        place.environ["UTXORACLE_TUI_API_PORT"] = "1002"
    if "earlier variable" in there:
        place.environ["FASTAPI_PORT"] = "1003"
    dotenv = "FASTAPI_PORT=1005\n" if "earlier in .env" in there else ""
    if "own in .env" in there:
        dotenv += "UTXORACLE_TUI_API_PORT=1004\n"
    place.write_dotenv(dotenv)
    if "file" in there:
        place.write_file("[api]\nport = 1006\n")
    expected = [
        (1001, "flag --port"),
        (1002, "environment UTXORACLE_TUI_API_PORT"),
        (1003, "environment FASTAPI_PORT"),
        (1004, f"{place.cwd / '.env'} line 2"),
        (1005, f"{place.cwd / '.env'} line 1"),
        (1006, f"{place.file} line 2"),
        (8000, "default"),
    ]
    value = place.load(flags).values["api.port"]
    assert (value.value, str(value.origin)) == expected[strongest]


URL_LAYERS = ("variable", ".env", "file", "bitcoin.conf", "default")


@pytest.mark.parametrize("strongest", range(len(URL_LAYERS)))
def test_bitcoin_conf_is_weaker_than_the_file_and_stronger_than_the_default(place: Place, strongest: int) -> None:
    there = set(URL_LAYERS[strongest:])
    if "variable" in there:
        place.environ["BITCOIN_RPC_URL"] = "http://localhost:1001"
    if ".env" in there:
        place.write_dotenv("BITCOIN_RPC_URL=http://localhost:1002\n")
    if "file" in there:
        place.write_file('# mine\n[node]\nurl = "http://localhost:1003"\n')
    if "bitcoin.conf" in there:
        place.write_conf("rpcport=1004\n")
    expected = [
        ("http://localhost:1001", "environment BITCOIN_RPC_URL"),
        ("http://localhost:1002", f"{place.cwd / '.env'} line 1"),
        ("http://localhost:1003", f"{place.file} line 3"),
        ("http://127.0.0.1:1004", f"{place.bitcoin / 'bitcoin.conf'} line 1"),
        ("http://127.0.0.1:8332", "default"),
    ]
    assert (place.value("node.url"), place.origin("node.url")) == expected[strongest]


def test_an_empty_value_is_none(place: Place) -> None:
    place.environ |= {"BITCOIN_RPC_PASSWORD": "", "FASTAPI_PORT": "  "}
    place.write_dotenv("BITCOIN_RPC_USER=\nLOG_LEVEL\n")
    place.write_file('[node]\nuser = ""\n')
    loaded = place.load()
    assert loaded.settings.node.user is None
    assert loaded.settings.node.password is None
    assert loaded.settings.api.port == 8000
    assert loaded.settings.log.level == "INFO"


def test_credentials_in_an_address_are_taken_out(place: Place) -> None:
    place.environ["BITCOIN_RPC_URL"] = "http://al%40ice:p%3Aw%2Fd@localhost:8332"
    node = place.load().settings.node
    assert (node.url, node.user) == ("http://localhost:8332", "al@ice")
    assert node.password is not None
    assert node.password.reveal() == "p:w/d"
    assert place.origin("node.password") == "environment BITCOIN_RPC_URL"


def test_a_name_of_its_own_beats_credentials_in_an_address_of_the_same_source_only(place: Place) -> None:
    place.write_file('[node]\nuser = "carol"\npassword = "from the file"\n')
    place.environ["BITCOIN_RPC_URL"] = "http://alice:fromtheurl@localhost:8332"
    place.environ["BITCOIN_RPC_USER"] = "bob"
    node = place.load().settings.node
    assert node.user == "bob"
    assert node.password == Secret("fromtheurl")


def test_a_strong_cookie_file_beats_a_weak_password(place: Place) -> None:
    place.write_file('[node]\nuser = "alice"\npassword = "hunter22"\n')
    place.environ["UTXORACLE_TUI_NODE_COOKIE_FILE"] = "/run/cookie"
    loaded = place.load()
    assert (loaded.settings.node.user, loaded.settings.node.password) == (None, None)
    assert any("node.cookie_file" in note and "isn't" in note for note in loaded.notes)
    place.environ["BITCOIN_RPC_PASSWORD"] = "hunter33"
    assert place.load().settings.node.password == Secret("hunter33")


def test_half_a_login_is_noted(place: Place) -> None:
    place.environ["BITCOIN_RPC_USER"] = "alice"
    assert any("node.user" in note and "cookie" in note for note in place.load().notes)
    place.environ = {"BITCOIN_RPC_PASSWORD": "hunter22"}
    loaded = place.load()
    assert loaded.settings.node.user == ""
    assert any("node.password" in note for note in loaded.notes)


def test_dotenv_takes_names_from_the_environment_and_the_lines_above(place: Place) -> None:
    place.environ |= {"PLACE": "/srv", "DISK": "environment"}
    place.write_dotenv("DISK=dotenv\nSUB=btc\nBITCOIN_DATADIR=${PLACE}/${DISK}/${SUB}/${NONE:-x}\n")
    assert place.value("node.datadir") == Path("/srv/environment/btc/x")


def test_of_several_lines_in_dotenv_the_last_counts(place: Place) -> None:
    place.write_dotenv("FASTAPI_PORT=1\n\n\n# two\nFASTAPI_PORT=2\n")
    assert place.value("api.port") == 2
    assert place.origin("api.port") == f"{place.cwd / '.env'} line 5"


def test_an_unreadable_dotenv_is_noted(place: Place) -> None:
    path = place.write_dotenv("")
    path.write_bytes(b"FASTAPI_PORT=\xff\n")
    assert place.load().notes == (f"{path} can't be read and is ignored: it is not UTF-8 text.",)
    path.write_text("some words\nFASTAPI_PORT=3\n")
    assert place.load().notes == (f"{path} line 1 is not NAME=value and is ignored.",)
    assert place.value("api.port") == 3


def test_another_file_is_read_instead_of_the_platforms(place: Place) -> None:
    place.write_file("[api]\nport = 1\n")
    other = written(place.home / "other.toml", "[api]\nport = 2\n")
    assert place.load(config=Path("../home/other.toml")).settings.api.port == 2
    assert place.load(config=other).settings.api.port == 2


def test_relative_paths_start_where_they_are_written(place: Place) -> None:
    place.write_file('[node]\ndatadir = "btc"\ncookie_file = "~/cookie"\n')
    place.environ["UTXORACLE_TUI_STORE_DATA_DIR"] = "data"
    settings = place.load().settings
    assert settings.node.datadir == place.file.parent / "btc"
    assert settings.node.cookie_file == place.home / "cookie"
    assert settings.store.data_dir == place.cwd / "data"
    assert place.load({"store.data_dir": Path("there")}).settings.store.data_dir == place.cwd / "there"


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("api.port = 5\n", 1),
        ("\n[ 'api' ] # ours\n# port = 1\n\"port\" = 5\n", 4),
        ("[price]\n[api]\nhost='h'\n port=5\n", 4),
        ("api = {port = 5}\n", None),
    ],
)
def test_the_line_in_the_file_is_told_where_it_is_plain(place: Place, text: str, line: int | None) -> None:
    place.write_file(text)
    origin = place.load().values["api.port"].origin
    assert (origin.place, origin.line) == (str(place.file), line)
