"""Where the block files are looked for."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.config_place import Place, make_place
from utxoracle_tui.config.networks import NETWORKS, Network


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Place:
    return make_place(tmp_path, monkeypatch)


@pytest.mark.parametrize("network", NETWORKS.values(), ids=NETWORKS.keys())
def test_beside_the_node_s_other_files(place: Place, network: Network) -> None:
    place.write_conf(f"chain={network.name}\n")
    assert place.value("node.blocks_dir") == place.bitcoin / network.subfolder / "blocks"
    assert place.origin("node.blocks_dir") == f"default in {place.bitcoin / network.subfolder}"
    assert place.value("node.read_block_files") is True


def test_where_bitcoin_conf_puts_them(place: Place) -> None:
    conf = place.write_conf("chain=signet\nblocksdir=/mnt/disk\n")
    assert place.value("node.blocks_dir") == Path("/mnt/disk/signet/blocks")
    assert place.origin("node.blocks_dir") == f"{conf} line 2"
    place.write_conf("chain=signet\nblocksdir=/mnt/disk\n[signet]\nblocksdir=/mnt/other\n")
    assert place.value("node.blocks_dir") == Path("/mnt/other/signet/blocks")
    place.write_conf("blocksdir=/mnt/disk\nnoblocksdir=1\n")
    assert place.value("node.blocks_dir") == place.bitcoin / "blocks"


def test_where_the_operator_puts_them(place: Place) -> None:
    place.write_conf("blocksdir=/mnt/disk\n")
    place.write_file('[node]\nblocks_dir = "/srv/blocks"\nread_block_files = false\n')
    assert place.value("node.blocks_dir") == Path("/srv/blocks")
    assert place.value("node.read_block_files") is False


def test_files_of_this_machine_s_node_are_not_those_of_another_machine_s(place: Place) -> None:
    place.write_conf("chain=main\n")
    place.environ["BITCOIN_RPC_URL"] = "http://node.example:8332"
    assert place.value("node.blocks_dir") is None


def test_the_marks_of_the_networks() -> None:
    """Bitcoin Core's documentation of the P2P protocol and of its chain parameters has them in this order of bytes."""
    assert {name: network.magic.hex() for name, network in NETWORKS.items()} == {
        "main": "f9beb4d9",
        "test": "0b110907",
        "testnet4": "1c163f28",
        "signet": "0a03cf40",
        "regtest": "fabfb5da",
    }
