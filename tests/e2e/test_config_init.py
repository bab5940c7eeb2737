"""`utxoracle-tui config init` as its user meets it: on a terminal, and without one."""

from __future__ import annotations

import json
import os
import re
import shutil
import socket
import stat
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from tests.support.config_place import make_place, written
from tests.support.dialogue import dialogue
from tests.support.in_process import Ran, ran
from utxoracle_tui.commands import init_search
from utxoracle_tui.config.networks import NETWORKS
from utxoracle_tui.demo.host.options import HostOptions
from utxoracle_tui.demo.host.process import HostProcess, start_host

INIT = [sys.executable, "-m", "utxoracle_tui", "config", "init"]


@pytest.fixture(scope="module")
def host() -> Iterator[HostProcess]:
    with start_host(HostOptions(days=1, tx_per_block=4, speed=0), wait_until_ready=True) as running:
        yield running


@pytest.fixture
def environ(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """A machine of its own: none of this one's node, nor of its configuration. The test's process is in it, too."""
    place = make_place(tmp_path, monkeypatch)
    monkeypatch.chdir(place.home)
    names = ("PATH", "HOME", "XDG_CONFIG_HOME", "XDG_DATA_HOME", "XDG_STATE_HOME", "XDG_CACHE_HOME")
    return {name: os.environ[name] for name in names} | {"LANG": "C.UTF-8", "TERM": "xterm"}


def settings_file(environ: dict[str, str]) -> Path:
    return Path(environ["XDG_CONFIG_HOME"]) / "utxoracle-tui" / "config.toml"


def run(environ: dict[str, str], *arguments: str) -> Ran:
    """The command in this process, which has no terminal to be asked on."""
    with pytest.MonkeyPatch.context() as patch:
        for name, value in environ.items():
            patch.setenv(name, value)
        return ran("config", "init", *arguments)


def closed_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port: int = server.getsockname()[1]
        return port


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_without_a_terminal_what_is_found_is_written_and_works(environ: dict[str, str], host: HostProcess) -> None:
    reading, writing = os.pipe()
    # an input that stays open and never says anything: nothing may wait for it
    done = subprocess.run(
        INIT,
        env=environ | dict(host.env),
        stdin=reading,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    os.close(reading)
    os.close(writing)
    assert done.returncode == 0, done.stderr
    file = settings_file(environ)
    assert done.stdout == f"wrote {file}\n"
    assert mode(file) == 0o600
    assert mode(file.parent) == 0o700
    document = tomllib.loads(file.read_text())
    assert document["node"] == {"url": host.env["BITCOIN_RPC_URL"], "datadir": host.env["BITCOIN_DATADIR"]}
    assert document["mempool"] == {"api_url": host.env["MEMPOOL_API_URL"]}
    said = " ".join(done.stderr.split())
    assert re.search(r"✓ Bitcoin Core 127\.0\.0\.1:\d+ answers: regtest, height \d+, by the cookie \S+", said)
    assert "✓ mempool backend" in said
    assert "✓ electrs" in said
    # with the file alone, the program now finds the same
    assert json.loads(ran("status", "--json").out)["overall"] == "ready"


def test_what_is_found_by_itself_is_not_written(environ: dict[str, str], host: HostProcess) -> None:
    home = Path(environ["HOME"])
    port = host.env["BITCOIN_RPC_URL"].rpartition(":")[2]
    written(home / ".bitcoin" / "bitcoin.conf", f"regtest=1\n[regtest]\nrpcport={port}\n")
    (home / ".bitcoin" / "regtest").mkdir()
    shutil.copy(Path(host.env["BITCOIN_DATADIR"]) / "regtest" / ".cookie", home / ".bitcoin" / "regtest")
    done = run(environ | {"MEMPOOL_API_URL": host.env["MEMPOOL_API_URL"]})
    assert done.code == 0
    assert "✓ Bitcoin Core" in done.err
    assert tomllib.loads(settings_file(environ).read_text()) == {"mempool": {"api_url": host.env["MEMPOOL_API_URL"]}}


def test_a_data_directory_in_another_usual_place_is_found(environ: dict[str, str], host: HostProcess) -> None:
    folder = Path(environ["HOME"]) / "snap" / "bitcoin-core" / "common" / ".bitcoin"
    port = host.env["BITCOIN_RPC_URL"].rpartition(":")[2]
    written(folder / "bitcoin.conf", f"regtest=1\n[regtest]\nrpcport={port}\n")
    (folder / "regtest").mkdir()
    shutil.copy(Path(host.env["BITCOIN_DATADIR"]) / "regtest" / ".cookie", folder / "regtest")
    done = run(environ, "--json")
    document = json.loads(done.out)
    assert document["found"]["node"]["state"] == "works"
    assert document["settings"]["node.datadir"] == str(folder)
    assert tomllib.loads(settings_file(environ).read_text())["node"] == {"datadir": str(folder)}


def test_a_node_on_the_usual_port_of_another_network_is_found(
    environ: dict[str, str], host: HostProcess, monkeypatch: pytest.MonkeyPatch
) -> None:
    # the simulated node's port can't be the usual one: tests run side by side
    port = int(host.env["BITCOIN_RPC_URL"].rpartition(":")[2])
    regtest = replace(NETWORKS["regtest"], rpc_port=port)
    monkeypatch.setattr(init_search, "NETWORKS", {"regtest": regtest})
    folder = Path(environ["HOME"]) / ".bitcoin" / "regtest"
    folder.mkdir(parents=True)
    shutil.copy(Path(host.env["BITCOIN_DATADIR"]) / "regtest" / ".cookie", folder)
    done = run(environ)
    assert "✓ Bitcoin Core" in done.err
    assert tomllib.loads(settings_file(environ).read_text()) == {"node": {"url": host.env["BITCOIN_RPC_URL"]}}


def test_nothing_there_is_told_with_what_was_tried(environ: dict[str, str]) -> None:
    backend = f"127.0.0.1:{closed_port()}"
    done = run(
        environ | {"BITCOIN_RPC_URL": f"http://127.0.0.1:{closed_port()}", "MEMPOOL_API_URL": f"http://{backend}"}
    )
    assert done.code == 0
    said = " ".join(done.err.split())
    assert "✗ Bitcoin Core Nothing answers at 127.0.0.1:" in said
    assert f"✗ mempool backend Nothing answers at {backend}: the connection is refused. Start the backend" in said
    assert said.endswith("Next: utxoracle-tui doctor")


def test_asks_for_what_was_not_found(environ: dict[str, str], host: HostProcess) -> None:
    cookie = (Path(host.env["BITCOIN_DATADIR"]) / "regtest" / ".cookie").read_text()
    password = cookie.partition(":")[2]
    own = {
        "BITCOIN_RPC_URL": f"http://127.0.0.1:{closed_port()}",
        "MEMPOOL_API_URL": f"http://127.0.0.1:{closed_port()}",
        "ELECTRS_HTTP_URL": host.env["ELECTRS_HTTP_URL"],
    }
    with dialogue(INIT, environ | own) as talk:
        talk.expect("Address of the node (-: leave it out) [http://127.0.0.1:")
        talk.send(f"{host.env['BITCOIN_RPC_URL']}\n")
        talk.expect("RPC user")
        talk.send("__cookie__\n")
        talk.expect("RPC password (not shown")
        talk.send("surely-wrong-1\n")
        talk.expect("does not accept")
        talk.expect("again? [y/N]: ")
        talk.send("y\n")
        talk.expect("Address of the node")
        talk.send(f"{host.env['BITCOIN_RPC_URL']}\n")
        talk.expect("RPC user")
        talk.send("__cookie__\n")
        talk.expect("RPC password")
        talk.send(f"{password}\n")
        talk.expect("✓ Bitcoin Core")
        talk.expect("Address of the mempool backend")
        talk.send(f"{host.env['MEMPOOL_API_URL']}\n")
        talk.expect("✓ mempool backend")
        assert talk.finish() == 0
        assert "surely-wrong-1" not in talk.seen
        assert password not in talk.seen
    file = settings_file(environ)
    assert mode(file) == 0o600
    document = tomllib.loads(file.read_text())
    assert document["node"] == {"url": host.env["BITCOIN_RPC_URL"], "user": "__cookie__", "password": password}
    assert document["mempool"] == {"api_url": host.env["MEMPOOL_API_URL"]}


def test_all_may_be_left_out(environ: dict[str, str]) -> None:
    closed = f"http://127.0.0.1:{closed_port()}"
    with dialogue([*INIT, "--config", "own.toml"], environ | {"BITCOIN_RPC_URL": closed}) as talk:
        talk.expect("Address of the node")
        talk.send("not an address\n")
        talk.expect("RPC user")
        talk.send("\n")
        talk.expect("must be an address like http://127.0.0.1:8332")
        talk.expect("Address of the node")
        talk.send("\x04")
        assert talk.finish() == 2
        assert "Nothing was written." in talk.seen


def test_a_file_that_is_there_is_changed_only_with_consent(environ: dict[str, str], host: HostProcess) -> None:
    before = "# mine\n[price]\nmin_price_usd = 1234.0 # low\n"
    file = written(settings_file(environ), before)
    refused = run(environ | dict(host.env))
    assert refused.code == 1
    assert refused.err.startswith(f"utxoracle-tui: {file} exists. Nothing was changed.")
    with dialogue(INIT, environ | dict(host.env)) as talk:
        talk.expect("[y/N]")
        talk.send("\n")
        assert talk.finish() == 1
    assert file.read_text() == before
    file.chmod(0o644)
    with dialogue(INIT, environ | dict(host.env)) as talk:
        talk.expect("[y/N]")
        talk.send("y\n")
        assert talk.finish() == 0
    assert file.read_text().startswith(before)
    assert tomllib.loads(file.read_text())["node"]["url"] == host.env["BITCOIN_RPC_URL"]
    assert mode(file) == 0o600
    copies = [path for path in file.parent.iterdir() if path != file]
    assert [path.read_text() for path in copies] == [before]
    assert re.fullmatch(r"config\.toml\.\d{4}-\d\d-\d\d-\d{4}", copies[0].name)
    assert mode(copies[0]) == 0o600


def test_dry_run_prints_the_file_without_its_secrets(environ: dict[str, str], host: HostProcess) -> None:
    secrets = {"BITCOIN_RPC_USER": "alice", "BITCOIN_RPC_PASSWORD": "hunter2-hunter2"}
    done = run(environ | dict(host.env) | secrets, "--dry-run")
    assert done.code == 0
    node = tomllib.loads(done.out)["node"]
    assert (node["user"], node["password"]) == ("alice", "(hidden)")
    assert "does not accept the user and password" in " ".join(done.err.split())
    assert "hunter2" not in done.out + done.err
    assert not settings_file(environ).parent.exists()
    wrong = run(environ | dict(host.env) | secrets, "--json")
    assert json.loads(wrong.out)["settings"]["node.password"] == "(set)"
    assert "hunter2" not in wrong.out + wrong.err
    assert tomllib.loads(settings_file(environ).read_text())["node"]["password"] == "hunter2-hunter2"
    shown = ran("config", "show").out
    assert "alice" in shown
    assert "hunter2" not in shown
