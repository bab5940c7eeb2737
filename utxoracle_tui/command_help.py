"""What `--help` says besides the options: the commands by what they are for, and examples of each.

A test parses every example, so that they stay true.
"""

from __future__ import annotations

import argparse
import textwrap
from collections.abc import Iterator, Mapping
from types import MappingProxyType

_WIDTH = 78
"""What is left of 80 columns, as argparse has it."""

GROUPS = (
    ("prices", ("price", "analyze", "backfill", "rerun")),
    ("the stack", ("status", "doctor", "alert")),
    ("what is stored", ("export", "import", "backup", "restore", "store")),
    ("in the background, and for others", ("watch", "service", "api", "serve")),
    ("this program", ("config", "completion", "demo")),
)

Example = tuple[str, str]
"""A command line, and what it does."""

EXAMPLES: Mapping[str, tuple[Example, ...]] = MappingProxyType(
    {
        "": (
            ("utxoracle-tui demo", "look at it without a node"),
            ("utxoracle-tui config init", "a first configuration"),
            ("utxoracle-tui", "the console on your node"),
            ("utxoracle-tui --blocks ~/blocks", "the console on a folder of raw blocks"),
        ),
        "price": (
            ("utxoracle-tui price", "yesterday, by UTC"),
            ("utxoracle-tui price --date 2024-02-29 --save", "a day, kept in the store"),
            ("utxoracle-tui price --last --json", "the 144 blocks before the tip"),
            ("utxoracle-tui price --blocks ~/blocks --every-block", "each of these blocks"),
        ),
        "analyze": (
            ("utxoracle-tui analyze", "a round, stored"),
            ("utxoracle-tui analyze --dry-run --verbose", "look at one, and store nothing"),
        ),
        "backfill": (
            ("utxoracle-tui backfill --last-days 30 --dry-run", "what a month would take"),
            ("utxoracle-tui backfill --from 2024-01-01 --to 2024-12-31", "a year, by the day"),
            ("utxoracle-tui backfill --blocks 840000-841000 --step 6", "block windows"),
        ),
        "rerun": (
            ("utxoracle-tui rerun --failed", "what could not be worked out"),
            ("utxoracle-tui rerun --not-valid --dry-run", "how much that would be"),
            ("utxoracle-tui rerun --from 2024-02-01 --to 2024-02-29", "a month anew"),
        ),
        "status": (
            ("utxoracle-tui status", "a table"),
            ("utxoracle-tui status --json", "for a program"),
        ),
        "doctor": (
            ("utxoracle-tui doctor", "findings, each with its mend"),
            ("utxoracle-tui doctor --json", "for a program"),
        ),
        "alert": (
            ("utxoracle-tui alert test", "whether alerts reach you"),
            ("utxoracle-tui alert list", "what is the matter, and what was"),
        ),
        "alert test": (
            ("utxoracle-tui alert test", "webhook and command"),
            ("utxoracle-tui alert test --json", "for a program"),
        ),
        "alert list": (
            ("utxoracle-tui alert list", "open ones first"),
            ("utxoracle-tui alert list --json", "for a program"),
        ),
        "alert ack": (
            ("utxoracle-tui alert ack source.node.1795435200", "by its key"),
            ("utxoracle-tui alert ack disk./mnt/hdd.1795435200 --network main", "of one network"),
        ),
        "alert snooze": (
            ("utxoracle-tui alert snooze source.node.1795435200", "for an hour"),
            ("utxoracle-tui alert snooze source.node.1795435200 --minutes 480", "over night"),
        ),
        "config": (
            ("utxoracle-tui config init", "a first configuration"),
            ("utxoracle-tui config show", "what holds, and why"),
        ),
        "config show": (
            ("utxoracle-tui config show", "every setting and its origin"),
            ("utxoracle-tui config show --json --config other.toml", "with another file"),
        ),
        "config validate": (
            ("utxoracle-tui config validate", "ok, or what is wrong"),
            ("utxoracle-tui config validate --config new.toml", "before it is used"),
        ),
        "config init": (
            ("utxoracle-tui config init", "look, ask, and write"),
            ("utxoracle-tui config init --dry-run", "see what would be written"),
            ("utxoracle-tui config init --yes --config /etc/utxoracle.toml", "for scripts"),
        ),
        "config schema": (
            ("utxoracle-tui config schema", "all keys, types and bounds"),
            ("utxoracle-tui config schema > schema.json", "for an editor"),
        ),
        "export": (
            ("utxoracle-tui export observations --from 2024-01-01 > rounds.csv", "rounds since then"),
            ("utxoracle-tui export windows --format json --output windows.jsonl", "all windows"),
        ),
        "import": (
            ("utxoracle-tui import prices.csv --dry-run", "what would become of each row"),
            ("utxoracle-tui import prices.csv exchange.csv", "take them into the store"),
        ),
        "backup": (
            ("utxoracle-tui backup", "beside the store, the newest 30"),
            ("utxoracle-tui backup --to /mnt/usb --keep 12", "elsewhere"),
        ),
        "restore": (
            ("utxoracle-tui restore", "the newest backup, after asking"),
            ("utxoracle-tui restore /mnt/usb/backup.tar.gz --yes", "a certain one"),
        ),
        "store": (
            ("utxoracle-tui store check", "every file, and missing days"),
            ("utxoracle-tui store check --mend", "set damaged files aside"),
        ),
        "api": (
            ("utxoracle-tui api", "on 127.0.0.1:8000"),
            ("utxoracle-tui api --host 0.0.0.0 --port 8080", "for other machines"),
        ),
        "serve": (
            ("utxoracle-tui serve", "on 127.0.0.1:8001, only to look"),
            ("utxoracle-tui serve --writable --port 9000", "jobs can be asked for as well"),
        ),
        "watch": (
            ("utxoracle-tui watch", "until Ctrl-C"),
            ("utxoracle-tui watch --network signet", "only if the node is on it"),
        ),
        "service": (
            ("utxoracle-tui service print --user", "see the units"),
            ("utxoracle-tui service install --user", "for your own systemd"),
            ("utxoracle-tui service install --timer", "as root: timers in place of watch"),
        ),
        "completion": (
            ("utxoracle-tui completion bash >> ~/.bashrc", "bash"),
            ("utxoracle-tui completion zsh >> ~/.zshrc", "zsh, after its compinit"),
            ("utxoracle-tui completion fish > ~/.config/fish/completions/utxoracle-tui.fish", "fish"),
        ),
        "demo": (
            ("utxoracle-tui demo", "blocks 60 times as fast"),
            ("utxoracle-tui demo --scenario first-sync --speed 600", "electrs's first sync, fast"),
            ("utxoracle-tui demo --serve --days 1 --speed 0", "the host alone, for programs"),
        ),
    }
)
"""By command, without the program's name."""


class Help(argparse.HelpFormatter):
    """Lines that begin with a blank stay as they are, others are wrapped; commands come in their groups."""

    def _fill_text(self, text: str, width: int, indent: str) -> str:
        return "\n".join(_filled(text, width, indent))

    def _format_action(self, action: argparse.Action) -> str:
        by_name = {each.dest: each for each in self._iter_indented_subactions(action)}
        known = {name for _, names in GROUPS for name in names}
        if not known & set(by_name):
            return super()._format_action(action)
        others = tuple(name for name in by_name if name not in known)
        parts = []
        self._indent()
        for title, names in (*GROUPS, ("others", others)):
            lines = [super(Help, self)._format_action(by_name[name]) for name in names if name in by_name]
            parts += [f"  {title}:\n", *lines] if lines else []
        self._dedent()
        return self._join_parts(parts)


def _filled(text: str, width: int, indent: str) -> Iterator[str]:
    paragraph: list[str] = []
    for line in [*text.strip("\n").splitlines(), " "]:
        if line and not line[0].isspace():
            paragraph.append(line)
            continue
        if paragraph:
            yield textwrap.fill(" ".join(paragraph), width, initial_indent=indent, subsequent_indent=indent)
            paragraph = []
        if line != " ":
            yield indent + line


def add_help(parser: argparse.ArgumentParser, command: str = "") -> None:
    """Give a parser, and those of its commands, their examples."""
    parser.formatter_class = Help
    if command in EXAMPLES:
        told = f"{parser.epilog}\n\n" if parser.epilog else ""
        parser.epilog = f"{told}examples:\n{_as_text(EXAMPLES[command])}"
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            for name, below in action.choices.items():
                add_help(below, f"{command} {name}".strip())


def _as_text(examples: tuple[Example, ...]) -> str:
    """A line each where they fit, else two."""
    width = max(len(line) for line, _ in examples)
    if width + 4 + max(len(what) for _, what in examples) <= _WIDTH:
        return "\n".join(f"  {line:<{width}}  {what}" for line, what in examples)
    return "\n".join(f"  {line}\n      {what}" for line, what in examples)
