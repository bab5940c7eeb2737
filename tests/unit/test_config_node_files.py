"""The node is found by its own files, and another machine's node never gets this one's password."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from tests.support.config_place import Place, make_place, written
from utxoracle_tui.config.networks import NETWORKS, network_of_port
from utxoracle_tui.config.node_files import default_datadir, split_host_port
from utxoracle_tui.config.redaction import Secret


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Place:
    return make_place(tmp_path, monkeypatch)


def test_ports_and_folders_of_the_networks() -> None:
    assert [(network.name, network.rpc_port, network.subfolder) for network in NETWORKS.values()] == [
        ("main", 8332, ""),
        ("test", 18332, "testnet3"),
        ("testnet4", 48332, "testnet4"),
        ("signet", 38332, "signet"),
        ("regtest", 18443, "regtest"),
    ]
    assert network_of_port(38332) is NETWORKS["signet"]
    assert network_of_port(1) is None


def test_the_default_folder(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "linux")
    assert default_datadir() == place.home / ".bitcoin"
    monkeypatch.setattr(sys, "platform", "darwin")
    assert default_datadir() == place.home / "Library/Application Support/Bitcoin"


def test_no_home_folder_is_no_failure(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    def homeless(cls: type[Path]) -> Path:
        raise RuntimeError("no home")

    monkeypatch.setattr(Path, "home", classmethod(homeless))
    loaded = place.load()
    assert loaded.settings.node.url == "http://127.0.0.1:8332"
    assert (loaded.settings.node.cookie_file, loaded.node_files) == (None, None)


def test_without_any_file_the_node_is_on_main_here(place: Place) -> None:
    loaded = place.load()
    node = loaded.settings.node
    assert (node.url, node.network) == ("http://127.0.0.1:8332", "auto")
    assert node.cookie_file == place.bitcoin / ".cookie"
    assert node.datadir == place.bitcoin
    assert place.origin("node.cookie_file") == f"default in {place.bitcoin}"
    assert loaded.node_files is not None
    assert loaded.node_files.conf is None
    assert loaded.notes == ()


@pytest.mark.parametrize("name", NETWORKS)
def test_a_network_selected_in_bitcoin_conf(place: Place, name: str) -> None:
    path = place.write_conf(f"server=1\nchain={name}\n")
    node = place.load().settings.node
    network = NETWORKS[name]
    assert (node.url, node.network) == (f"http://127.0.0.1:{network.rpc_port}", name)
    assert node.cookie_file == place.bitcoin / network.subfolder / ".cookie"
    assert place.origin("node.network") == f"{path} line 2"
    assert place.origin("node.url") == f"{path} line 2"


@pytest.mark.parametrize("name", [name for name in NETWORKS if name != "main"])
def test_a_network_asked_for_by_the_operator(place: Place, name: str) -> None:
    place.write_conf("rpcport=1\n")
    place.environ["UTXORACLE_TUI_NODE_NETWORK"] = name
    loaded = place.load()
    assert loaded.settings.node.url == f"http://127.0.0.1:{NETWORKS[name].rpc_port}"
    assert place.origin("node.url") == f"default of {name}"
    (note,) = loaded.notes
    assert f"counts for main only, not for {name}" in note


def test_the_section_of_the_network_is_read(place: Place) -> None:
    path = place.write_conf(
        "regtest=1\nrpcuser=top\n[main]\nrpcuser=m\n[regtest]\nrpcport=18555\nrpcuser=al\nrpcpassword=hunter22\n"
    )
    node = place.load().settings.node
    assert (node.url, node.user, node.password) == ("http://127.0.0.1:18555", "al", Secret("hunter22"))
    assert node.cookie_file is None
    assert place.origin("node.url") == f"{path} line 6 [regtest]"
    assert place.origin("node.password") == f"{path} line 8 [regtest]"


def test_a_data_directory_of_the_operator(place: Place) -> None:
    place.write_conf("rpcport=1111\n")
    folder = place.home / "elsewhere"
    place.write_conf("rpcport=2222\nsignet=1\n[signet]\nrpcport=3333\n", folder)
    place.environ["BITCOIN_DATADIR"] = str(folder)
    node = place.load().settings.node
    assert (node.url, node.datadir) == ("http://127.0.0.1:3333", folder)
    assert node.cookie_file == folder / "signet/.cookie"


def test_a_data_directory_that_bitcoin_conf_names(place: Place) -> None:
    folder = place.home / "disk"
    path = place.write_conf(f"datadir={folder}\nregtest=1\n")
    place.write_conf("rpcport=9999\n", folder)
    node = place.load().settings.node
    assert (node.datadir, node.cookie_file) == (folder, folder / "regtest/.cookie")
    assert node.url == "http://127.0.0.1:18443"
    assert place.origin("node.datadir") == f"{path} line 1"
    place.environ["BITCOIN_DATADIR"] = str(place.bitcoin)
    assert place.load().settings.node.cookie_file == place.bitcoin / "regtest/.cookie"


@pytest.mark.parametrize(
    ("line", "cookie"),
    [
        ("rpccookiefile=my.cookie", "regtest/my.cookie"),
        ("rpccookiefile=../up", "regtest/../up"),
        ("rpccookiefile=/run/cookie", "/run/cookie"),
        ("norpccookiefile=1", None),
        ("rpcpassword=hunter22", None),
        ("rpcpassword=", "regtest/.cookie"),
    ],
)
def test_the_cookie_is_where_bitcoin_conf_puts_it(place: Place, line: str, cookie: str | None) -> None:
    place.write_conf(f"regtest=1\n{line}\n")
    expected = place.bitcoin / cookie if cookie else None
    assert place.load().settings.node.cookie_file == expected


@pytest.mark.parametrize(
    ("text", "url"),
    [
        ("rpcconnect=10.0.0.9", "http://10.0.0.9:8332"),
        ("rpcconnect=node.lan:1234", "http://node.lan:1234"),
        ("rpcconnect=node.lan:1234\nrpcport=4321", "http://node.lan:4321"),
        ("rpcconnect=::1", "http://[::1]:8332"),
        ("rpcconnect=[fd00::9]:99", "http://[fd00::9]:99"),
        ("rpcbind=10.0.0.9", "http://127.0.0.1:8332"),
        ("rpcbind=10.0.0.9\nrpcallowip=10.0.0.0/8", "http://10.0.0.9:8332"),
        ("rpcbind=10.0.0.9\nrpcbind=127.0.0.1:77\nrpcallowip=10.0.0.0/8", "http://127.0.0.1:77"),
        ("rpcbind=0.0.0.0:77\nrpcallowip=0.0.0.0/0\nrpcport=88", "http://127.0.0.1:77"),
        ("rpcbind=[::]:77\nrpcallowip=::/0", "http://[::1]:77"),
    ],
)
def test_the_address_that_bitcoin_conf_gives(place: Place, text: str, url: str) -> None:
    place.write_conf(text)
    loaded = place.load()
    assert loaded.settings.node.url == url
    assert loaded.notes == ()


@pytest.mark.parametrize(("text", "words"), [("rpcport=x", "x is not a port"), ("rpcport=70000", "is not a port")])
def test_a_bad_port_in_bitcoin_conf_is_noted(place: Place, text: str, words: str) -> None:
    path = place.write_conf(text)
    loaded = place.load()
    (note,) = loaded.notes
    assert note.startswith(f"{path} line 1: ")
    assert words in note
    assert loaded.settings.node.url == "http://127.0.0.1:8332"


def test_a_port_switched_off_is_the_default_one(place: Place) -> None:
    place.write_conf("norpcport=1\n")
    loaded = place.load()
    assert (loaded.settings.node.url, loaded.notes) == ("http://127.0.0.1:8332", ())


def test_a_bad_host_in_bitcoin_conf_is_noted(place: Place) -> None:
    place.write_conf("rpcconnect=no de\n")
    loaded = place.load()
    assert loaded.settings.node.url == "http://127.0.0.1:8332"
    assert any("no de is not a host" in note for note in loaded.notes)


@pytest.mark.parametrize(
    ("text", "host", "port"),
    [
        ("host", "host", None),
        ("host:1", "host", 1),
        ("host:", "host:", None),
        ("::1", "::1", None),
        ("[::1]", "::1", None),
        ("[::1]:1", "::1", 1),
    ],
)
def test_hosts_and_ports(text: str, host: str, port: int | None) -> None:
    assert split_host_port(text) == (host, port)


def test_an_unreadable_bitcoin_conf_is_a_note(place: Place) -> None:
    (place.bitcoin / "bitcoin.conf").mkdir(parents=True)
    loaded = place.load()
    assert "can't be read" in loaded.notes[0]
    assert loaded.settings.node.cookie_file == place.bitcoin / ".cookie"


def test_what_else_bitcoin_conf_says(place: Place) -> None:
    path = place.write_conf("rest=1\nprune=550\nrpcauth=alice:salt$hash\nrpcauth=bob:salt$hash\n")
    files = place.load().node_files
    assert files is not None
    assert (files.conf, files.folder, files.network) == (path, place.bitcoin, "main")
    assert (files.rest, files.prune_mib, files.rpcauth_users) == (True, 550, ("alice", "bob"))
    place.write_conf("norest=1\nnoprune=1\n")
    files = place.load().node_files
    assert files is not None
    assert (files.rest, files.prune_mib) == (False, 0)
    place.write_conf("")
    files = place.load().node_files
    assert files is not None
    assert (files.rest, files.prune_mib) == (None, None)


def test_rpcauth_asks_for_the_password_unless_the_cookie_will_do(place: Place) -> None:
    place.write_conf("rpcauth=alice:5ac1$c0ffee\n")
    (note,) = place.load().notes
    assert "lets alice in by rpcauth" in note
    assert "c0ffee" not in note
    cookie = written(place.bitcoin / ".cookie", "__cookie__:00")
    assert place.load().notes == ()
    cookie.unlink()
    place.environ |= {"BITCOIN_RPC_USER": "alice", "BITCOIN_RPC_PASSWORD": "hunter22"}
    assert place.load().notes == ()


def test_another_machine_does_not_get_the_password_of_this_one(place: Place) -> None:
    place.write_conf("regtest=1\nrpcuser=alice\nrpcpassword=hunter22\n")
    place.environ["BITCOIN_RPC_URL"] = "http://10.0.0.9:8332"
    loaded = place.load()
    node = loaded.settings.node
    assert (node.user, node.password, node.cookie_file, node.network) == (None, None, None, "auto")
    assert loaded.node_files is None
    (note,) = loaded.notes
    assert "names another machine" in note
    place.environ |= {"BITCOIN_RPC_USER": "bob", "BITCOIN_RPC_PASSWORD": "hunter33"}
    assert place.load().notes == ()


def test_a_name_that_looks_like_this_machine_is_another(place: Place) -> None:
    place.write_conf("rpcuser=alice\nrpcpassword=hunter22\n")
    place.environ["BITCOIN_RPC_URL"] = "http://127.example.org:8332"
    assert place.load().settings.node.password is None


@pytest.mark.parametrize("host", ["127.0.0.1", "127.1.2.3", "localhost", "[::1]", "node.lan"])
def test_this_machine_and_the_one_that_bitcoin_conf_points_to_get_it(place: Place, host: str) -> None:
    place.write_conf("rpcconnect=node.lan\nrpcuser=alice\nrpcpassword=hunter22\n")
    place.environ["BITCOIN_RPC_URL"] = f"http://{host}:8332"
    assert place.load().settings.node.password == Secret("hunter22")


def test_a_data_directory_of_the_operator_belongs_to_any_address(place: Place) -> None:
    folder = place.home / "mounted"
    place.write_conf("rpcuser=alice\nrpcpassword=hunter22\n", folder)
    place.environ |= {"BITCOIN_RPC_URL": "http://bitcoind:8332", "BITCOIN_DATADIR": str(folder)}
    assert place.load().settings.node.password == Secret("hunter22")


def test_a_password_goes_with_its_own_user_only(place: Place) -> None:
    path = place.write_conf("rpcuser=alice\nrpcpassword=hunter22\n")
    place.environ["BITCOIN_RPC_USER"] = "alice"
    assert place.load().settings.node.password == Secret("hunter22")
    place.environ["BITCOIN_RPC_USER"] = "bob"
    loaded = place.load()
    assert loaded.settings.node.password is None
    assert loaded.notes[0].startswith("node.user (environment BITCOIN_RPC_USER) has no node.password")
    assert loaded.notes[1].startswith(f"{path} line 2 is the password of alice, not of bob")


def test_a_cookie_file_of_the_operator_beats_the_password_in_bitcoin_conf(place: Place) -> None:
    place.write_conf("rpcuser=alice\nrpcpassword=hunter22\n")
    place.environ["UTXORACLE_TUI_NODE_COOKIE_FILE"] = "/run/cookie"
    node = place.load().settings.node
    assert (node.cookie_file, node.password) == (Path("/run/cookie"), None)


def test_a_password_of_the_operator_takes_the_user_of_bitcoin_conf(place: Place) -> None:
    place.write_conf("rpcuser=alice\n")
    place.environ["BITCOIN_RPC_PASSWORD"] = "hunter22"
    assert place.load().settings.node.user == "alice"


def test_the_port_of_an_address_tells_the_network(place: Place) -> None:
    place.write_conf("[signet]\nrpcuser=sig\nrpcpassword=hunter22\n")
    place.environ["BITCOIN_RPC_URL"] = "http://127.0.0.1:38332"
    node = place.load().settings.node
    assert (node.user, node.network) == ("sig", "auto")


def test_a_network_of_bitcoin_conf_is_not_forced_on_an_address_of_another(place: Place) -> None:
    place.write_conf("regtest=1\n")
    place.environ["BITCOIN_RPC_URL"] = "http://127.0.0.1:8332"
    node = place.load().settings.node
    assert (node.network, node.cookie_file) == ("auto", place.bitcoin / ".cookie")
    place.write_conf("regtest=1\n[regtest]\nrpcport=8332\n")
    node = place.load().settings.node
    assert (node.network, node.cookie_file) == ("regtest", place.bitcoin / "regtest/.cookie")


def test_the_only_cookie_tells_the_network_of_an_address_on_an_odd_port(place: Place) -> None:
    folder = place.home / "simulated"
    cookie = written(folder / "regtest/.cookie", "__cookie__:00")
    place.environ |= {"BITCOIN_RPC_URL": "http://127.0.0.1:40123", "BITCOIN_DATADIR": str(folder)}
    assert place.load().settings.node.cookie_file == cookie
    written(folder / "signet/.cookie", "__cookie__:00")
    assert place.load().settings.node.cookie_file == folder / ".cookie"
    place.write_conf("regtest=1\n", folder)
    node = place.load().settings.node
    assert (node.cookie_file, node.network) == (cookie, "regtest")


def test_characters_that_steer_a_terminal_do_not_get_into_notes(place: Place) -> None:
    place.write_conf("chain=\x1b[31mred\n")
    (note,) = place.load().notes
    assert note.isprintable()
    assert "\\x1b[31mred" in note
