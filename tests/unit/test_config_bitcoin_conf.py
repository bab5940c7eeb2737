"""bitcoin.conf means here what it means to Bitcoin Core."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.config_place import written
from utxoracle_tui.config.bitcoin_conf import BitcoinConf, read_conf


def conf_of(tmp_path: Path, text: str) -> BitcoinConf:
    written(tmp_path / "bitcoin.conf", text)
    return read_conf(tmp_path)


def text_of(conf: BitcoinConf, name: str, network: str = "main") -> str | None:
    line = conf.option(name, network)
    return line.text if line else None


def texts_of(conf: BitcoinConf, name: str, network: str = "main") -> list[str]:
    return [line.text for line in conf.options(name, network)]


def test_spaces_comments_and_blank_lines_mean_nothing(tmp_path: Path) -> None:
    conf = conf_of(tmp_path, "# head\r\n\r\n \t rpcuser = al ice \t # the name\r\n#rpcuser=bob\r\n")
    line = conf.option("rpcuser", "main")
    assert line is not None
    assert (line.text, line.number, line.section) == ("al ice", 3, "")
    assert conf.notes == ()


def test_an_equals_sign_may_stand_in_a_value(tmp_path: Path) -> None:
    assert text_of(conf_of(tmp_path, "rpcpassword=a=b==\n"), "rpcpassword") == "a=b=="


def test_the_first_of_several_values_counts(tmp_path: Path) -> None:
    conf = conf_of(tmp_path, "rpcuser=a\nrpcuser=b\n[main]\nrpcport=1\nrpcport=2\n")
    assert text_of(conf, "rpcuser") == "a"
    assert text_of(conf, "rpcport") == "1"


def test_a_section_comes_before_the_top(tmp_path: Path) -> None:
    conf = conf_of(tmp_path, "rpcuser=top\nmain.rpcuser=dotted\n[main]\nrpcuser=section\n[test]\nrpcuser=test\n")
    assert text_of(conf, "rpcuser", "main") == "dotted"
    assert text_of(conf, "rpcuser", "test") == "test"
    assert text_of(conf, "rpcuser", "signet") == "top"


def test_the_example_of_the_manual(tmp_path: Path) -> None:
    conf = conf_of(tmp_path, "regtest=1\nrpcport=2000\nregtest.rpcport=3000\n\n[regtest]\nrpcport=4000\n")
    assert text_of(conf, "rpcport", "regtest") == "3000"


@pytest.mark.parametrize("network", ["test", "testnet4", "signet", "regtest"])
def test_ports_at_the_top_are_for_main_only(tmp_path: Path, network: str) -> None:
    conf = conf_of(tmp_path, "rpcport=1\nrpcbind=10.0.0.1\nrpcuser=a\nrpcconnect=node\n")
    assert text_of(conf, "rpcport", "main") == "1"
    assert texts_of(conf, "rpcbind", "main") == ["10.0.0.1"]
    assert text_of(conf, "rpcport", network) is None
    assert texts_of(conf, "rpcbind", network) == []
    assert text_of(conf, "rpcuser", network) == "a"
    assert text_of(conf, "rpcconnect", network) == "node"
    assert [note.partition(": ")[2] for note in conf.misplaced(network)] == [
        f"rpcbind outside a section counts for main only, not for {network}.",
        f"rpcport outside a section counts for main only, not for {network}.",
    ]
    assert conf.misplaced("main") == []


def test_a_negation_undoes_what_stands_before_it(tmp_path: Path) -> None:
    conf = conf_of(tmp_path, "rpcbind=a\nnorpcbind=1\nrpcbind=b\nrpccookiefile=x\nnorpccookiefile=1\n")
    assert texts_of(conf, "rpcbind") == ["b"]
    line = conf.option("rpccookiefile", "main")
    assert line is not None
    assert line.value is False
    assert line.text == ""


def test_a_negation_at_the_top_reaches_into_other_networks(tmp_path: Path) -> None:
    line = conf_of(tmp_path, "rpcport=1\nnorpcport=1\n").option("rpcport", "regtest")
    assert line is not None
    assert line.value is False


def test_a_negation_in_a_section_undoes_the_list_at_the_top(tmp_path: Path) -> None:
    conf = conf_of(tmp_path, "rpcauth=a:1$2\n[main]\nnorpcauth=1\n[test]\nnorpcauth=1\nrpcauth=b:1$2\n")
    assert texts_of(conf, "rpcauth", "main") == []
    assert texts_of(conf, "rpcauth", "test") == ["b:1$2", "a:1$2"]
    assert texts_of(conf, "rpcauth", "regtest") == ["a:1$2"]


@pytest.mark.parametrize(
    ("text", "truth"),
    [
        ("rest=1", True),
        ("rest=", True),
        ("rest=0", False),
        ("rest=true", False),
        ("rest=2x", True),
        ("norest=1", False),
        ("norest=", False),
        ("norest=0", True),
    ],
)
def test_switches_count_by_their_number(tmp_path: Path, text: str, truth: bool) -> None:
    line = conf_of(tmp_path, text).option("rest", "main")
    assert line is not None
    assert line.truth is truth


@pytest.mark.parametrize(
    ("text", "network", "line"),
    [
        ("", "main", None),
        ("testnet=1", "test", 1),
        ("testnet4=1", "testnet4", 1),
        ("signet=1", "signet", 1),
        ("regtest=", "regtest", 1),
        ("regtest=0", "main", None),
        ("regtest=1\nregtest=0", "main", None),
        ("regtest=0\nregtest=1", "regtest", 2),
        ("regtest=1\nnoregtest=1", "main", None),
        ("[main]\nregtest=1", "main", None),
        ("regtest.regtest=1", "main", None),
        ("chain=signet", "signet", 1),
        ("chain=main", "main", 1),
        ("chain=test\nchain=regtest", "test", 1),
        ("chain=mainnet", "main", None),
    ],
)
def test_the_network_that_the_file_selects(tmp_path: Path, text: str, network: str, line: int | None) -> None:
    selected, selecting = conf_of(tmp_path, text).chain()
    assert (selected, selecting.number if selecting else None) == (network, line)


def test_two_networks_at_once_are_noted(tmp_path: Path) -> None:
    for text in ("regtest=1\nsignet=1\n", "chain=signet\nregtest=1\n"):
        (note,) = conf_of(tmp_path, text).notes
        assert "more than once" in note
    (note,) = conf_of(tmp_path, "chain=mainnet\n").notes
    where = f"{tmp_path / 'bitcoin.conf'} line 1"
    assert note == f"{where}: mainnet is not a network; they are main, test, testnet4, signet, regtest."


def test_includes_count_after_the_file_that_names_them(tmp_path: Path) -> None:
    written(tmp_path / "one.conf", "rpcuser=one\nrpcport=1\n[regtest]\nrpcport=11\n")
    written(tmp_path / "sub/two.conf", "rpcport=2\nrest=1\nincludeconf=one.conf\n")
    conf = conf_of(tmp_path, "includeconf=sub/two.conf\n[main]\nincludeconf=one.conf\nrpcuser=mine\n")
    assert text_of(conf, "rpcuser") == "mine"
    assert text_of(conf, "rpcport") == "1"
    assert text_of(conf, "rpcport", "regtest") == "11"
    line = conf.option("rest", "main")
    assert line is not None
    assert str(line.origin) == f"{tmp_path / 'sub/two.conf'} line 2"
    assert conf.notes == (
        f"{tmp_path / 'sub/two.conf'} line 3: includeconf doesn't work in a file that is included itself.",
    )


def test_includes_of_another_network_are_left_out(tmp_path: Path) -> None:
    written(tmp_path / "reg.conf", "rpcuser=reg\n")
    written(tmp_path / "bitcoin.conf", "[regtest]\nincludeconf=reg.conf\n")
    assert text_of(read_conf(tmp_path), "rpcuser") is None
    assert text_of(read_conf(tmp_path, "regtest"), "rpcuser") == "reg"


def test_an_include_may_be_undone(tmp_path: Path) -> None:
    written(tmp_path / "a.conf", "rpcuser=a\n")
    written(tmp_path / "b.conf", "rpcuser=b\n")
    conf = conf_of(tmp_path, "includeconf=a.conf\nnoincludeconf=1\nincludeconf=b.conf\n")
    assert text_of(conf, "rpcuser") == "b"
    assert text_of(conf_of(tmp_path, "includeconf=a.conf\nnoincludeconf=1\n"), "rpcuser") is None


def test_an_include_that_is_missing_is_noted(tmp_path: Path) -> None:
    conf = conf_of(tmp_path, "rpcuser=a\nincludeconf=none.conf\nincludeconf=\n")
    assert text_of(conf, "rpcuser") == "a"
    missing = tmp_path / "none.conf"
    where = f"{tmp_path / 'bitcoin.conf'} line 2"
    assert conf.notes == (f"{where}: {missing} can't be read and is ignored: No such file or directory.",)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("server", "is not option=value"),
        ("-server=1", "is not option=value"),
        ("rpcpassword=abc#def", "Bitcoin Core refuses a #"),
        ("[testnet]", "[testnet] is not a network"),
    ],
)
def test_what_bitcoin_core_refuses_is_noted(tmp_path: Path, text: str, words: str) -> None:
    conf = conf_of(tmp_path, f"rpcuser=a\n{text}\nrest=1\n")
    (note,) = conf.notes
    assert note.startswith(f"{tmp_path / 'bitcoin.conf'} line 2")
    assert words in note
    assert "abc" not in note
    assert text_of(conf, "rpcuser") == "a"
    assert text_of(conf, "rpcpassword") is None


def test_a_file_that_is_not_there_is_empty(tmp_path: Path) -> None:
    for folder in (tmp_path, tmp_path / "none", written(tmp_path / "file", "")):
        conf = read_conf(folder)
        assert (conf.lines, conf.exists, conf.notes) == ((), False, ())


def test_a_file_that_cannot_be_read_is_noted(tmp_path: Path) -> None:
    (tmp_path / "bitcoin.conf").mkdir()
    conf = read_conf(tmp_path)
    assert conf.exists is False
    assert conf.notes == (f"{tmp_path / 'bitcoin.conf'} can't be read and is ignored: Is a directory.",)


def test_bytes_that_are_no_text_do_no_harm(tmp_path: Path) -> None:
    (tmp_path / "bitcoin.conf").write_bytes(b"uacomment=\xff\xfe\0\nrpcuser=a\n")
    assert text_of(read_conf(tmp_path), "rpcuser") == "a"
