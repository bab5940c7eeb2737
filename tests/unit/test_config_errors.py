"""What is wrong with a configuration is said all at once, with place and remedy, and without secrets."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.config_place import Place, make_place
from utxoracle_tui.config.load import ConfigError
from utxoracle_tui.errors import Exit


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Place:
    return make_place(tmp_path, monkeypatch)


@pytest.mark.parametrize(
    ("text", "line", "words", "meant"),
    [
        ("[node]\npasword = 'x'\n", 2, "key node.pasword", "node.password"),
        ("[price]\nconfidense_treshold = 1\n", 2, "key price.confidense_treshold", "price.confidence_threshold"),
        ("[nodes]\nurl = 'http://x'\n", 1, "section [nodes]", "node"),
        ("mempol = 3\n", 1, "key mempol", "mempool"),
        ("[node.url]\nx = 1\n[node]\nusr = 1\n", 4, "key node.usr", "node.user"),
    ],
)
def test_an_unknown_key_in_the_file(place: Place, text: str, line: int, words: str, meant: str) -> None:
    place.write_file(text)
    problem = f"The {words} ({place.file} line {line}) is not known. Did you mean {meant}?"
    assert problem in place.problems()


def test_an_unknown_key_like_no_other(place: Place) -> None:
    place.write_file("[rounds]\nzzz = 1\n")
    (problem,) = place.problems()
    assert problem.endswith("is not known. The keys of [rounds] are interval_minutes, retries.")


def test_a_section_is_no_key(place: Place) -> None:
    place.write_file("node = 'http://127.0.0.1'\n")
    (problem,) = place.problems()
    assert problem == f"node ({place.file} line 1) is a section: write [node] and its keys below it."


def test_an_unknown_variable_of_ours(place: Place) -> None:
    place.environ["UTXORACLE_TUI_NODE_PASSWRD"] = "hunter22"
    place.write_dotenv("UTXORACLE_TUI_CLOK=1\nUTXORACLE_TUI_ZZZ=\n")
    assert place.problems() == (
        "UTXORACLE_TUI_NODE_PASSWRD (environment) is not a known setting. Did you mean UTXORACLE_TUI_NODE_PASSWORD?",
        f"UTXORACLE_TUI_CLOK ({place.cwd / '.env'} line 1) is not a known setting. Did you mean UTXORACLE_TUI_CLOCK?",
        f"UTXORACLE_TUI_ZZZ ({place.cwd / '.env'} line 2) is not a known setting.",
    )


def test_names_that_are_not_ours_are_let_be(place: Place) -> None:
    place.environ |= {"UTXORACLE_TUI_CLOCK": "0@1", "UTXORACLE_OTHER": "1", "BITCOIN_RPC_URI": "x", "PATH": "/bin"}
    place.write_dotenv("REDIS_URL=redis://x\n")
    assert place.load().notes == ()


def test_the_earlier_database_is_answered_with_the_import_command(place: Place) -> None:
    place.environ["DUCKDB_PATH"] = "/data/cache.duckdb"
    (note,) = place.load().notes
    assert note.startswith("DUCKDB_PATH (environment)")
    assert "utxoracle-tui import" in note


WHOLE_PORT = "a whole number from 1 to 65535"
AN_ADDRESS = "an address like http://127.0.0.1:8332"
BAD_VALUES = [
    ("UTXORACLE_TUI_API_PORT", "eighty", WHOLE_PORT),
    ("UTXORACLE_TUI_API_PORT", "80.5", WHOLE_PORT),
    ("UTXORACLE_TUI_API_PORT", "0", WHOLE_PORT),
    ("UTXORACLE_TUI_API_PORT", "65536", WHOLE_PORT),
    ("UTXORACLE_TUI_API_PORT", "8_0", WHOLE_PORT),
    ("UTXORACLE_TUI_API_PORT", "9" * 5000, WHOLE_PORT),
    ("UTXORACLE_TUI_NODE_MAX_IN_FLIGHT", "0", "a whole number from 1 to 64"),
    ("UTXORACLE_TUI_NODE_READ_TIMEOUT_S", "inf", "a number of seconds from 1 to 3600"),
    ("UTXORACLE_TUI_NODE_NETWORK", "mainnet", "one of auto, main, test, testnet4, signet, regtest"),
    ("UTXORACLE_TUI_NODE_REUSE_CONNECTIONS", "maybe", "true or false"),
    ("UTXORACLE_TUI_NODE_DATADIR", "/a\x00b", "the path of a file or folder"),
    ("UTXORACLE_TUI_NODE_USER", "al\nice", "text without control characters"),
    ("UTXORACLE_CONFIDENCE_THRESHOLD", "30", "a number from 0 to 1"),
    ("UTXORACLE_CONFIDENCE_THRESHOLD", "nan", "a number from 0 to 1"),
    ("MIN_PRICE_USD", "-1", "a number of dollars, 0 or more"),
    ("MIN_PRICE_USD", "$10,000", "a number of dollars, 0 or more"),
    ("LOG_LEVEL", "loud", "one of DEBUG, INFO, WARNING, ERROR, CRITICAL"),
    ("BITCOIN_RPC_URL", "127.0.0.1:8332", AN_ADDRESS),
    ("BITCOIN_RPC_URL", "ftp://127.0.0.1", AN_ADDRESS),
    ("BITCOIN_RPC_URL", "http://:8332", AN_ADDRESS),
    ("BITCOIN_RPC_URL", "http://host:99999", AN_ADDRESS),
    ("BITCOIN_RPC_URL", "http://host:0", AN_ADDRESS),
    ("BITCOIN_RPC_URL", "http://ho st:1", AN_ADDRESS),
    ("BITCOIN_RPC_URL", "http://[::1:8332", AN_ADDRESS),
    ("BITCOIN_RPC_URL", "http://a..b:8332", AN_ADDRESS),
    ("BITCOIN_RPC_URL", "http://host:8332/?wallet=x", "an address without ? and #"),
    ("MEMPOOL_API_URL", "http://alice:hunter22@host", "an address without a user name and password"),
    ("ALERT_WEBHOOK_URL", "hooks.example/T0/hunter22", AN_ADDRESS),
]


@pytest.mark.parametrize(("name", "text", "expected"), BAD_VALUES)
def test_a_bad_value_in_the_environment(place: Place, name: str, text: str, expected: str) -> None:
    place.environ[name] = text
    (problem,) = place.problems()
    assert f"(environment {name}) is " in problem
    assert f", but must be {expected}" in problem
    assert "hunter22" not in problem
    assert problem.isprintable()
    assert len(problem) < 400


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("port = true", WHOLE_PORT),
        ("port = 80.0", WHOLE_PORT),
        ("port = [1]", WHOLE_PORT),
        ("port = 1979-05-27", WHOLE_PORT),
        ("host = 127", "text (in config.toml: in quotes)"),
    ],
)
def test_a_value_of_another_type_in_the_file(place: Place, line: str, expected: str) -> None:
    place.write_file(f"[api]\n{line}\n")
    (problem,) = place.problems()
    assert f"({place.file} line 2) is " in problem
    assert problem.endswith(f"but must be {expected}.")


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("password = 22334455", "text (in config.toml: in quotes)"),
        ('password = "a\\u0007b22334455"', "text without control characters"),
        ("network = 1", "one of auto, main"),
        ("reuse_connections = 1", "true or false"),
        ("read_timeout_s = '5 s'", "a number of seconds from 1 to 3600"),
        ("connect_timeout_s = true", "a number of seconds from 0.1 to 120"),
        ("datadir = 5", "the path of a file or folder"),
        ("datadir = '~nobody-of-that-name/x'", "a path whose home folder exists"),
        ("url = ['http://x']", "text (in config.toml: in quotes)"),
    ],
)
def test_a_bad_value_of_the_node_in_the_file(place: Place, line: str, expected: str) -> None:
    place.write_file(f"[node]\n{line}\n")
    (problem,) = place.problems()
    assert f"but must be {expected}" in problem
    assert "22334455" not in problem


def test_numbers_may_be_whole_where_they_needn_t_be(place: Place) -> None:
    place.write_file("[price]\nmin_price_usd = 1\n[node]\nconnect_timeout_s = 7\n")
    value = place.value("node.connect_timeout_s")
    assert value == 7.0
    assert isinstance(value, float)


def test_a_broken_address_never_shows_its_password(place: Place) -> None:
    for url in ("http://al:hunt/er22@host:8332", "http://al:hunter#22@host:99999", "alice:hunter22@host:8332"):
        place.environ["BITCOIN_RPC_URL"] = url
        (problem,) = place.problems()
        assert "hunt" not in problem


def test_a_losing_value_is_checked_where_it_is_surely_ours(place: Place) -> None:
    place.environ |= {"UTXORACLE_TUI_LOG_LEVEL": "ERROR", "LOG_LEVEL": "verbose", "FASTAPI_PORT": "1"}
    assert place.value("log.level") == "ERROR"
    place.write_file("[api]\nport = 'none'\n")
    (problem,) = place.problems()
    assert problem.startswith(f"api.port ({place.file} line 2)")


def test_all_problems_are_reported_at_once(place: Place) -> None:
    place.environ |= {"FASTAPI_PORT": "x", "UTXORACLE_TUI_NOPE": "1"}
    place.write_dotenv("LOG_LEVEL=loud\n")
    place.write_file("[node]\nnope = 1\nmax_in_flight = 1000\n")
    with pytest.raises(ConfigError) as caught:
        place.load()
    error = caught.value
    assert len(error.problems) == 5
    assert (error.kind, error.exit_code) == ("configuration", Exit.USAGE)
    assert error.message.startswith("5 problems in the configuration:\n  ")
    assert all(problem in error.message for problem in error.problems)
    place.environ, one = {"FASTAPI_PORT": "x"}, "api.port (environment FASTAPI_PORT) is 'x'"
    place.write_dotenv("")
    place.write_file("")
    with pytest.raises(ConfigError, match=r"^api\.port") as caught:
        place.load()
    assert caught.value.message.startswith(one)


def test_prices_that_contradict_each_other(place: Place) -> None:
    place.environ |= {"MIN_PRICE_USD": "600000"}
    assert place.problems() == (
        "price.min_price_usd (environment MIN_PRICE_USD) is 600000, but must be less than price.max_price_usd "
        "(default), which is 500000.",
    )


def test_a_file_that_is_not_toml(place: Place) -> None:
    path = place.write_file("[node\n")
    (problem,) = place.problems()
    assert problem.startswith(f"{path} is not valid TOML: ")
    assert "line 1" in problem
    path.write_bytes(b"[api]\nhost='\xff'\n")
    assert place.problems() == (f"The configuration file {path} can't be read: it is not UTF-8 text.",)


def test_a_named_file_must_be_there(place: Place) -> None:
    missing = place.home / "missing.toml"
    assert place.problems(config=missing) == (f"The configuration file {missing} doesn't exist.",)
    assert place.problems(config=place.home) == (f"The configuration file {place.home} can't be read: Is a directory.",)


@pytest.mark.parametrize("mode", [0o644, 0o640])
def test_a_file_with_a_secret_that_others_can_read_is_noted(place: Place, mode: int) -> None:
    file = place.write_file('[alerts]\nsecret = "hunter22"\n')
    dotenv = place.write_dotenv("BITCOIN_RPC_URL=http://alice:hunter33@localhost:8332\n")
    assert place.load().notes == ()
    file.chmod(mode)
    dotenv.chmod(mode)
    notes = place.load().notes
    assert [note.partition(" holds ")[0] for note in notes] == sorted([str(file), str(dotenv)])
    assert all(f"chmod 600 {path}" in note for path, note in zip(sorted([file, dotenv]), notes, strict=True))
    assert all(f"mode {mode:04o}" in note for note in notes)
    file.write_text("[api]\nport = 1\n")
    dotenv.write_text("BITCOIN_RPC_URL=http://localhost:8332\n")
    assert place.load().notes == ()
