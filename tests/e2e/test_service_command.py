"""`utxoracle-tui service`: what it prints and writes, what it leaves alone, and whether systemd can read it."""

from __future__ import annotations

import configparser
import os
import pwd
import re
import shlex
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.support.config_place import Place as Surroundings
from tests.support.config_place import make_place, written
from tests.support.in_process import ran
from utxoracle_tui.serve import systemd_units
from utxoracle_tui.serve.systemd_units import Place, UnitFile, find_node_unit, quoted, units

SERVICES = ("utxoracle-tui-watch.service", "utxoracle-tui-api.service")
TIMERS = ("utxoracle-tui-analyze.timer", "utxoracle-tui-backup.timer")
TIMED = ("utxoracle-tui-analyze.service", "utxoracle-tui-backup.service")
NEWER = re.compile(r".*: Unknown key (name )?'Restart(Steps|MaxDelaySec)' in section .*, ignoring\.")
"""What systemd says before version 254, which is no error."""


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Surroundings:
    monkeypatch.delenv("SUDO_USER", raising=False)
    machine = tmp_path / "machine"
    monkeypatch.setattr(systemd_units, "SYSTEM_FOLDER", machine)
    monkeypatch.setattr(systemd_units, "UNIT_FOLDERS", (machine,))
    return make_place(tmp_path, monkeypatch)


@pytest.fixture
def machine(tmp_path: Path) -> Path:
    return tmp_path / "machine"


@dataclass(frozen=True)
class ReadUnit:
    """A unit as an independent parser reads it: section and key to values, as keys come several times."""

    values: dict[tuple[str, str], list[str]]

    @classmethod
    def of(cls, text: str) -> ReadUnit:
        values: dict[tuple[str, str], list[str]] = {}
        section = ""
        for line in text.splitlines():
            if line.startswith("["):
                section = line.strip("[]")
            elif line and not line.startswith("#"):
                key, equals, value = line.partition("=")
                assert equals, line
                values.setdefault((section, key), []).append(value)
        return cls(values)

    def __getitem__(self, key: str) -> list[str]:
        section, _, name = key.partition(".")
        return self.values[section, name]


def verified(folder: Path, found: tuple[UnitFile, ...], *, for_user: bool) -> list[str]:
    """What is wrong with units: by systemd itself, where it is installed, and by a parser of such files everywhere."""
    folder.mkdir()
    for unit in found:
        (folder / unit.name).write_text(unit.text)
        parser = configparser.ConfigParser(strict=False, interpolation=None, delimiters=("=",))
        parser.read_string(unit.text)
        expected = {"Unit", "Timer", "Install"} if unit.name.endswith(".timer") else {"Unit", "Service"}
        assert expected <= set(parser.sections()) <= expected | {"Install"}
    program = shutil.which("systemd-analyze")
    if program is None:
        print("systemd-analyze is not installed here: the units were read by configparser alone")
        return []
    done = subprocess.run(
        [program, "verify", "--man=no", *(["--user"] if for_user else []), *(folder / unit.name for unit in found)],
        # the timers' services are looked for there, too, and one user's systemd needs a folder for its sockets
        env=os.environ | {"SYSTEMD_UNIT_PATH": f"{folder}:", "XDG_RUNTIME_DIR": str(folder)},
        capture_output=True,
        text=True,
        check=False,
        timeout=30,
    )
    said = [line for line in done.stderr.splitlines() if str(folder) in line and not NEWER.fullmatch(line)]
    return said if said or done.returncode == 0 else [done.stderr]


@pytest.mark.parametrize("timer", [False, True])
@pytest.mark.parametrize("for_user", [False, True])
def test_systemd_can_read_them(tmp_path: Path, timer: bool, for_user: bool) -> None:
    odd = tmp_path / 'a "folder" of 100 % $HOME'
    odd.mkdir()
    account = pwd.getpwuid(os.getuid()).pw_name
    found = units(
        Place(
            command=(sys.executable, "-m", "utxoracle_tui", "--data-dir", str(odd)),
            writable=(odd, tmp_path),
            for_user=for_user,
            account=account,
            node_unit="bitcoind.service",
            working_folder=odd,
            variables={"XDG_DATA_HOME": str(odd)},
        ),
        timer=timer,
    )
    assert verified(tmp_path / "units", found, for_user=for_user) == []


def test_a_fault_would_be_found(tmp_path: Path) -> None:
    if shutil.which("systemd-analyze") is None:
        with pytest.raises(configparser.Error):
            verified(tmp_path / "units", (UnitFile("x.service", "[Service\nExecStart"),), for_user=False)
        return
    wrong = UnitFile("x.service", "[Unit]\nDescription=x\n[Service]\nExecStart=/bin/true\nWatchdogSec=often\n")
    (said,) = verified(tmp_path / "units", (wrong,), for_user=False)
    assert "often" in said


def test_words_are_read_back_as_they_were() -> None:
    for word in ("/plain/path", "/with space", 'a"b', "back\\slash", "$HOME", "100%", "", "été"):
        text = quoted(word, in_command=True)
        (back,) = shlex.split(text)
        assert back.replace("%%", "%").replace("$$", "$") == word
    assert quoted("a\nb") == '"a\\x0ab"'


def test_print(place: Surroundings, machine: Path) -> None:
    written(machine / "bitcoind.service", "[Service]\n")
    written(place.file, "[rounds]\ninterval_minutes = 7\n")
    done = ran("service", "print", "--config", "../home/config/utxoracle-tui/config.toml", "--data-dir", "kept")
    assert (done.code, done.err) == (0, "")
    first, second = re.split(rf"^# {machine}/utxoracle-tui-api.service$", done.out, flags=re.MULTILINE)
    assert first.startswith(f"# {machine}/utxoracle-tui-watch.service\n")
    watch, api = ReadUnit.of(first), ReadUnit.of(second)
    words = shlex.split(watch["Service.ExecStart"][0])
    config = f"{place.cwd}/../home/config/utxoracle-tui/config.toml"
    assert words == [
        sys.executable,
        "-m",
        "utxoracle_tui",
        "--config",
        config,
        "--data-dir",
        f"{place.cwd}/kept",
        "watch",
    ]
    assert shlex.split(api["Service.ExecStart"][0]) == [*words[:-1], "api"]
    assert watch["Service.Type"] == ["notify"]
    assert watch["Service.ExecReload"] == ["/bin/kill -HUP $MAINPID"]
    assert watch["Unit.Wants"] == watch["Unit.After"] == ["network-online.target", "bitcoind.service"]
    assert watch["Service.ReadWritePaths"] == [f"{place.cwd}/kept"]
    assert watch["Service.ProtectSystem"] == ["strict"]
    assert watch["Service.ProtectHome"] == ["read-only"]
    assert ("Service", "ProtectProc") not in watch.values
    assert ("Service", "PrivateUsers") not in watch.values
    assert "bitcoind" not in second
    assert not (place.cwd / "kept").exists()

    done = ran("service", "print", "--timer")
    assert [line.rpartition("/")[2] for line in done.out.splitlines() if line.startswith("# /")] == [
        TIMERS[0],
        TIMED[0],
        TIMERS[1],
        TIMED[1],
        SERVICES[1],
    ]
    assert "OnUnitActiveSec=7min" in done.out
    assert "OnCalendar=daily" in done.out
    # the platform's folders, and the variables that say where they are
    data, state, cache = (f"{place.home}/{kind}/utxoracle-tui" for kind in ("data", "state", "cache"))
    assert ReadUnit.of(done.out)["Service.ReadWritePaths"][:3] == [data, state, cache]
    assert f"Environment=XDG_DATA_HOME={place.home}/data" in done.out


def test_the_network_and_the_shell(place: Surroundings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BITCOIN_RPC_USER", "alice")
    monkeypatch.setenv("BITCOIN_RPC_PASSWORD", "correct-horse-battery")
    place.write_dotenv("LOG_LEVEL=DEBUG\n")
    done = ran("service", "print", "--network", "signet")
    assert "won't have these variables of your shell: BITCOIN_RPC_PASSWORD, BITCOIN_RPC_USER." in done.err
    assert "correct-horse-battery" not in done.out + done.err
    assert "Environment=UTXORACLE_TUI_NODE_NETWORK=signet" in done.out
    assert f"WorkingDirectory={place.cwd}" in done.out


def test_install(place: Surroundings, machine: Path) -> None:
    done = ran("service", "install", "--data-dir", "kept")
    assert (done.code, done.err) == (0, "")
    assert done.out.splitlines() == [
        *(f"wrote     {machine / name}" for name in SERVICES),
        "Now run:",
        "  systemctl daemon-reload",
        "  systemctl enable --now utxoracle-tui-watch.service",
        "And for the REST API:",
        "  systemctl enable --now utxoracle-tui-api.service",
    ]
    assert {path.name: path.stat().st_mode & 0o777 for path in machine.iterdir()} == dict.fromkeys(SERVICES, 0o644)
    assert (place.cwd / "kept").stat().st_mode & 0o777 == 0o700

    again = ran("service", "install", "--data-dir", "kept")
    assert again.out.count("unchanged ") == 2
    assert "restart" not in again.out
    # other options are no change by hand
    other = ran("service", "install", "--data-dir", "elsewhere")
    assert other.code == 0
    assert "  systemctl try-restart utxoracle-tui-watch.service utxoracle-tui-api.service\n" in other.out
    # one takes the place of the other
    timers = ran("service", "install", "--data-dir", "elsewhere", "--timer")
    assert "  systemctl disable --now utxoracle-tui-watch.service\n" in timers.out
    assert f"  systemctl enable --now {' '.join(TIMERS)}\n" in timers.out


def test_what_was_changed_by_hand_stays(place: Surroundings, machine: Path) -> None:
    ran("service", "install", "--data-dir", "kept")
    path = machine / SERVICES[0]
    lines = path.read_text().splitlines()
    number = lines.index("WatchdogSec=60") + 1
    lines[number - 1] = "WatchdogSec=600"
    mine = "\n".join(lines) + "\n"
    path.write_text(mine)
    (machine / SERVICES[1]).unlink()

    done = ran("service", "install", "--data-dir", "kept")
    assert (done.code, done.out) == (1, "")
    assert f"Changed by hand, and so left alone: {path} (line {number}). Nothing was written." in done.err
    assert "--force" in done.err
    assert path.read_text() == mine
    assert not (machine / SERVICES[1]).exists()

    done = ran("service", "install", "--data-dir", "kept", "--force")
    assert done.code == 0
    assert "WatchdogSec=60\n" in path.read_text()
    # a unit of somebody else's making is one, too
    path.write_text("[Service]\nExecStart=/bin/true\n")
    assert ran("service", "install", "--data-dir", "kept").code == 1
    assert path.read_text() == "[Service]\nExecStart=/bin/true\n"


def test_units_of_ones_own(place: Surroundings) -> None:
    done = ran("service", "install", "--user", "--data-dir", "kept")
    folder = place.home / "config" / "systemd" / "user"
    assert done.out.splitlines() == [
        *(f"wrote     {folder / name}" for name in SERVICES),
        "Now run:",
        "  systemctl --user daemon-reload",
        "  systemctl --user enable --now utxoracle-tui-watch.service",
        f"  loginctl enable-linger {pwd.getpwuid(os.getuid()).pw_name}",
        "And for the REST API:",
        "  systemctl --user enable --now utxoracle-tui-api.service",
    ]
    text = (folder / SERVICES[0]).read_text()
    # these need name spaces, which one user's systemd has only together with one of users
    for option in ("User=", "ProtectSystem", "ProtectHome", "PrivateTmp", "ReadWritePaths", "network-online"):
        assert option not in text
    assert "WantedBy=default.target" in text


def test_by_sudo_it_is_for_who_called_it(
    place: Surroundings, machine: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = tmp_path / "of-alice"
    entry = pwd.struct_passwd(("alice", "x", os.getuid(), os.getgid(), "", str(home), "/bin/sh"))
    monkeypatch.setattr(pwd, "getpwnam", lambda name: entry if name == "alice" else pytest.fail(name))
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    monkeypatch.setattr(shutil, "chown", lambda path, user: owners.append((Path(path), user)))
    owners: list[tuple[Path, str]] = []
    monkeypatch.setenv("SUDO_USER", "alice")
    done = ran("service", "install")
    assert done.code == 0, done.err
    unit = ReadUnit.of((machine / SERVICES[0]).read_text())
    data = home / ".local" / "share" / "utxoracle-tui"
    assert unit["Service.User"] == ["alice"]
    assert unit["Service.ReadWritePaths"][0] == str(data)
    assert unit["Service.CapabilityBoundingSet"] == [""]
    assert ("Service", "Environment") not in unit.values
    assert (data, "alice") in owners
    assert (home, "alice") in owners
    assert "  sudo systemctl daemon-reload\n" in done.out
    refused = ran("service", "install", "--user")
    assert (refused.code, "without sudo" in refused.err) == (2, True)


def test_a_folder_that_cannot_be_written(place: Surroundings, machine: Path) -> None:
    machine.write_text("in the way")
    done = ran("service", "install")
    assert (done.code, done.out) == (1, "")
    assert str(machine) in done.err


def test_the_nodes_unit(tmp_path: Path) -> None:
    assert find_node_unit((tmp_path / "none", tmp_path)) is None
    written(tmp_path / "bitcoin.service", "")
    assert find_node_unit((tmp_path / "none", tmp_path)) == "bitcoin.service"
