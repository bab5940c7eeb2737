"""`utxoracle-tui doctor`: what is misconfigured, and how to mend it."""

from __future__ import annotations

import argparse
import json
import os
import sys
import textwrap
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from utxoracle_tui import formats
from utxoracle_tui.commands.running import run_until_signal
from utxoracle_tui.commands.stack import asked_once
from utxoracle_tui.config.inputs import Flags
from utxoracle_tui.config.load import Loaded, load
from utxoracle_tui.config.redaction import redact
from utxoracle_tui.engine.stack.doctor_look import doctor_look
from utxoracle_tui.engine.stack.findings.everything import find_all
from utxoracle_tui.engine.stack.findings.finding import Finding, Gravity, StackLook
from utxoracle_tui.errors import Exit

_WIDTH = 80
_INDENT = 12
_GLYPHS = {Gravity.ERROR: "✗", Gravity.WARNING: "▲", Gravity.NOTE: "ℹ"}


def run(arguments: argparse.Namespace) -> Exit:
    """Look for what is misconfigured and print it. Exit code 0: nothing; 4: something."""
    loaded = load(Flags.of(arguments), os.environ, Path.cwd())
    look = run_until_signal(_look(loaded))
    findings = find_all(look)
    if arguments.json:
        document = {
            "overall": look.reading.overall.value,
            "time": look.at_s,
            "findings": [{key: redact(value) for key, value in asdict(each).items()} for each in findings],
        }
        sys.stdout.write(json.dumps(document) + "\n")
    else:
        sys.stdout.write(redact(as_text(findings)))
    return Exit.NOT_VALID if findings else Exit.DONE


async def _look(loaded: Loaded) -> StackLook:
    async with asked_once(loaded.settings) as asked:
        told = {each.sentence for each in loaded.exposed}
        notes = tuple(note for note in loaded.notes if note not in told)
        return await doctor_look(asked, loaded.settings, notes, loaded.exposed)


def as_text(findings: Sequence[Finding]) -> str:
    """The findings for people, 80 columns wide."""
    if not findings:
        return "Nothing is misconfigured, as far as can be seen from here.\n"
    counts = Counter(finding.gravity for finding in findings)
    words = ", ".join(formats.plural(counts[gravity], gravity.value) for gravity in Gravity if counts[gravity])
    lines = [f"{formats.plural(len(findings), 'finding')}: {words}."]
    for finding in findings:
        mark = f"{_GLYPHS[finding.gravity]} {finding.gravity.value}"
        lines.append("")
        lines += _wrapped(mark, f"{finding.what}.")
        lines += _wrapped("  evidence:", finding.evidence)
        lines += _wrapped("  mend:", finding.mend)
    return "".join(f"{line.rstrip()}\n" for line in lines)


def _wrapped(head: str, text: str) -> list[str]:
    first, *others = textwrap.wrap(text, _WIDTH - _INDENT, break_on_hyphens=False) or [""]
    return [f"{head:<{_INDENT}}{first}", *(" " * _INDENT + other for other in others)]
