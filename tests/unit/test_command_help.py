"""`--help` of every command: 80 columns wide, with examples that the command line takes."""

from __future__ import annotations

import argparse
import shlex
import subprocess
import sys
from collections.abc import Iterator

import pytest

from tests.support.in_process import ran
from utxoracle_tui.command_help import EXAMPLES, GROUPS
from utxoracle_tui.command_line import build_parser

PROGRAM = "utxoracle-tui"


def parsers(parser: argparse.ArgumentParser) -> Iterator[argparse.ArgumentParser]:
    yield parser
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            for below in action.choices.values():
                yield from parsers(below)


COMMANDS = [parser.prog.removeprefix(PROGRAM).strip() for parser in parsers(build_parser())]


@pytest.mark.parametrize("command", COMMANDS)
def test_help(command: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    with pytest.raises(SystemExit) as ended:
        build_parser().parse_args([*command.split(), "--help"])
    assert ended.value.code == 0
    text = capsys.readouterr().out
    assert max(map(len, text.splitlines())) <= 80
    assert "  others:" not in text.splitlines()
    head, _, examples = text.partition("\nexamples:\n")
    assert head.startswith(f"usage: {PROGRAM}")
    shown = [line.strip() for line in examples.splitlines() if line.startswith(f"  {PROGRAM}")]
    assert 2 <= len(shown) <= 4
    assert all(line.split("  ")[0].startswith(f"{PROGRAM} {command}".strip()) or not command for line in shown)


@pytest.mark.parametrize("line", [line for command in COMMANDS for line, _ in EXAMPLES[command]])
def test_examples_are_right(line: str) -> None:
    words = shlex.split(line)
    redirected = next((at for at, word in enumerate(words) if word in (">", ">>")), len(words))
    assert words[0] == PROGRAM
    arguments = build_parser().parse_args(words[1:redirected])
    # the command is the one whose help has it
    owner = next(command for command, examples in EXAMPLES.items() if line in [each for each, _ in examples])
    assert words[1 : 1 + len(owner.split())] == owner.split()
    assert arguments.command


def test_every_command_has_examples_and_a_group() -> None:
    assert set(COMMANDS) <= set(EXAMPLES)
    named = [name for _, names in GROUPS for name in names]
    assert len(named) == len(set(named))
    assert {command for command in COMMANDS if command and " " not in command} <= set(named)


def test_commands_come_in_groups() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "utxoracle_tui", "--help"],
        capture_output=True,
        text=True,
        check=True,
        env={"COLUMNS": "80"},
    )
    lines = done.stdout.splitlines()
    at = lines.index("commands:")
    assert lines[at + 1 : at + 3] == ["  prices:", "    price         one window price"]


def test_only_what_help_needs_is_imported() -> None:
    code = (
        "import sys; from utxoracle_tui.command_line import build_parser; build_parser().format_help(); "
        "print(*sorted({name.partition('.')[0] for name in sys.modules} "
        "& {'argcomplete', 'tomlkit', 'textual', 'httpx', 'numpy', 'aiohttp', 'asyncio'}))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "\n"


def test_a_wrong_command_is_a_sentence() -> None:
    done = ran("config")
    assert (done.code, done.out) == (2, "")
    assert done.err == (
        "utxoracle-tui: The following arguments are required: {show,validate,init,schema}. "
        "See utxoracle-tui config --help.\n"
    )
