"""Completion of the command line in shells: bash on a terminal, and what zsh and fish are told."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.dialogue import dialogue
from tests.support.in_process import ran

PROGRAMS = Path(sys.executable).parent


def asked(folder: Path, line: str, shell: str) -> list[str]:
    """What the program answers to a shell with the cursor at the end of a line."""
    answer = folder / "answer"
    asking = {
        "_ARGCOMPLETE": "1",
        "_ARGCOMPLETE_SHELL": shell,
        "_ARGCOMPLETE_IFS": "\n",
        "_ARGCOMPLETE_DFS": "\t" if shell == "fish" else "",
        "_ARGCOMPLETE_SUPPRESS_SPACE": "1",
        "_ARGCOMPLETE_STDOUT_FILENAME": str(answer),
        "COMP_LINE": line,
        "COMP_POINT": str(len(line)),
    }
    command = [sys.executable, "-m", "utxoracle_tui"]
    done = subprocess.run(command, env=os.environ | asking, capture_output=True, check=True)
    assert (done.stdout, done.stderr) == (b"", b"")
    return answer.read_text().split("\n")


def test_bash_completes_on_a_terminal(tmp_path: Path) -> None:
    bash = shutil.which("bash")
    assert bash is not None
    script = ran("completion", "bash")
    assert (script.code, script.err) == (0, "")
    (tmp_path / "rc").write_text(f"{script.out}\nPS1='ready> '\n")
    (tmp_path / "chain.dat").touch()
    environment = {"PATH": f"{PROGRAMS}:{os.environ['PATH']}", "HOME": str(tmp_path), "TERM": "dumb"}
    with dialogue([bash, "--noprofile", "--rcfile", str(tmp_path / "rc"), "-i"], environment) as talk:
        talk.expect("ready> ")
        talk.send("utxoracle-tui backu\t")
        talk.expect("backup ")
        talk.send("--ke\t")
        talk.expect("--keep ")
        # several are possible: the tabulator lists them
        talk.send("\x15utxoracle-tui ba\t\t\t")
        talk.expect("backfill  backup")
        talk.send(f"\x15utxoracle-tui restore {tmp_path}/cha\t")
        talk.expect("chain.dat")
        # a date is no file, and no command
        talk.send(f"\x15cd {tmp_path}\nutxoracle-tui price --date \t\tnow\n")
        assert "chain.dat" not in talk.expect("utxoracle-tui: ")
        assert talk.expect("ready> ").startswith("'now' is not a date")
        talk.send("exit\n")
        talk.finish()


@pytest.mark.parametrize("shell", ["zsh", "fish"])
def test_other_shells_are_told_what_each_is(shell: str, tmp_path: Path) -> None:
    script = ran("completion", shell)
    assert script.code == 0
    assert "utxoracle-tui" in script.out
    between = {"zsh": ":", "fish": "\t"}[shell]
    commands = dict(line.split(between, 1) for line in asked(tmp_path, "utxoracle-tui ba", shell))
    assert commands == {"backfill": "window prices over a range, stored", "backup": "the store in one file"}


def test_words_that_are_known(tmp_path: Path) -> None:
    assert asked(tmp_path, "utxoracle-tui watch --network test", "bash") == ["test", "testnet4"]
    assert asked(tmp_path, "utxoracle-tui config s", "bash") == ["show", "schema"]
    assert asked(tmp_path, "utxoracle-tui price --date 2", "bash") == [""]
