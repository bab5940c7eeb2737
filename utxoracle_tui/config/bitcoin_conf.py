"""Bitcoin Core's configuration file, read as Bitcoin Core reads it (`src/common/config.cpp`, `settings.cpp`)."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path

from utxoracle_tui.config.networks import MAIN, NETWORKS
from utxoracle_tui.config.provenance import Origin, Source

FILE_NAME = "bitcoin.conf"

NETWORK_ONLY = frozenset({"rpcport", "rpcbind"})
"""Those of the options read here that count for main only when they stand outside a section (`src/init.cpp`)."""

_CHAIN_SWITCHES = {"regtest": "regtest", "signet": "signet", "testnet": "test", "testnet4": "testnet4"}


@dataclass(frozen=True, slots=True)
class Line:
    """One option as it was set."""

    section: str
    """The network, or nothing for all that stands outside a section."""
    name: str
    value: str | bool = field(repr=False)
    """The text, which may be a password; False for an option switched off (`nofoo=1`), True for a double negation
    (`nofoo=0`)."""
    path: Path
    number: int
    """The line in the file, from 1."""

    @property
    def origin(self) -> Origin:
        """The place of this line."""
        return Origin(Source.BITCOIN_CONF, str(self.path), self.number, self.section)

    @property
    def text(self) -> str:
        """The value as text, empty for an option switched off."""
        return self.value if isinstance(self.value, str) else ""

    @property
    def truth(self) -> bool:
        """The value as a switch: an empty one is on, a text counts by the number that it starts with."""
        if isinstance(self.value, bool):
            return self.value
        number = re.match(r"\s*[+-]?\d+", self.value)
        return not self.value or (number is not None and int(number[0]) != 0)


@dataclass(frozen=True, slots=True)
class BitcoinConf:
    """A configuration file and what it includes."""

    path: Path
    lines: tuple[Line, ...] = ()
    exists: bool = False
    """Whether the file was there and could be read."""
    notes: tuple[str, ...] = ()
    """What is odd about it, as sentences."""

    def option(self, name: str, network: str) -> Line | None:
        """What counts for an option with one value: the first of the network's section, else the first of the top.

        Values before a negation don't count; a line with the value False is the negation itself.
        """
        in_section = self._of(network, name)
        if in_section:
            return _standing(in_section)[0]
        at_top = self._of("", name)
        if not at_top or (name in NETWORK_ONLY and network != MAIN and at_top[-1].value is not False):
            return None
        return _standing(at_top)[0]

    def options(self, name: str, network: str) -> list[Line]:
        """All that counts for an option with many values, the network's section first."""
        in_section = self._of(network, name)
        found = _standing(in_section)
        # a negation at the end of the section undoes what stands at the top as well
        switched_off = bool(in_section) and in_section[-1].value is False
        if not switched_off and (name not in NETWORK_ONLY or network == MAIN):
            found += _standing(self._of("", name))
        return [line for line in found if line.value is not False]

    def chain(self) -> tuple[str, Line | None]:
        """The network that the file selects, and the line that does so; main where none does.

        Only lines outside a section select one; of several for the same switch the last counts.
        """
        switches = [self._of("", switch) for switch in _CHAIN_SWITCHES]
        chosen = [lines[-1] for lines in switches if lines and lines[-1].truth]
        named = _standing(self._of("", "chain"))
        if named and named[0].text in NETWORKS:
            return named[0].text, named[0]
        return (_CHAIN_SWITCHES[chosen[0].name], chosen[0]) if chosen else (MAIN, None)

    def misplaced(self, network: str) -> list[str]:
        """Sentences about lines outside a section that the network doesn't see."""
        if network == MAIN:
            return []
        return [
            f"{line.origin}: {line.name} outside a section counts for main only, not for {network}."
            for name in sorted(NETWORK_ONLY)
            if not self._of(network, name)
            for line in self._of("", name)
        ]

    def _of(self, section: str, name: str) -> list[Line]:
        return [line for line in self.lines if line.section == section and line.name == name]


def _standing(lines: list[Line]) -> list[Line]:
    """The lines that a later negation doesn't undo; the negation itself where nothing follows it."""
    last = max((at for at, line in enumerate(lines) if line.value is False), default=-1)
    return lines[last + 1 :] or lines[-1:]


def read_conf(folder: Path, network: str | None = None) -> BitcoinConf:
    """Read the file in `folder` and the files that it includes; `network` where it is known from elsewhere.

    A file that isn't there is an empty one; one that can't be read is noted.
    """
    path = folder / FILE_NAME
    try:
        text = _read(path)
    except (FileNotFoundError, NotADirectoryError):
        return BitcoinConf(path)
    except OSError as error:
        return BitcoinConf(path, notes=(f"{path} can't be read and is ignored: {error.strerror}.",))
    notes: list[str] = []
    conf = BitcoinConf(path, tuple(_parse(text, path, notes)), exists=True)
    lines = list(conf.lines)
    for include in _includes(conf, network or conf.chain()[0]):
        included = folder / include.text
        try:
            text = _read(included)
        except OSError as error:
            notes.append(f"{include.origin}: {included} can't be read and is ignored: {error.strerror}.")
            continue
        for line in _parse(text, included, notes):
            if line.name == "includeconf":
                notes.append(f"{line.origin}: includeconf doesn't work in a file that is included itself.")
            else:
                lines.append(line)
    complete = BitcoinConf(path, tuple(lines), exists=True)
    return BitcoinConf(path, complete.lines, exists=True, notes=(*notes, *_refused_chain(complete)))


def _includes(conf: BitcoinConf, network: str) -> list[Line]:
    """What to include: the network's files, then those of the top, each list cut by its own negations."""
    found = []
    for section in (network, ""):
        lines = [line for line in conf.lines if line.section == section and line.name == "includeconf"]
        found += [line for line in _standing(lines) if line.text]
    return found


def _refused_chain(conf: BitcoinConf) -> list[str]:
    top = [line for line in conf.lines if not line.section]
    chosen = {line.name for line in top if line.name in _CHAIN_SWITCHES and line.truth}
    chains = [line for line in top if line.name == "chain"]
    notes = [
        f"{line.origin}: {line.text} is not a network; they are {', '.join(NETWORKS)}."
        for line in chains
        if line.text not in NETWORKS
    ]
    if len(chosen) + bool(chains) > 1:
        names = ", ".join(sorted(chosen | {line.name for line in chains}))
        notes.append(f"{conf.path} selects a network more than once ({names}); Bitcoin Core refuses that.")
    return notes


def _read(path: Path) -> str:
    # no path may hold a zero byte, and options may be paths
    return path.read_text(encoding="utf-8", errors="replace").replace("\0", "")


def _parse(text: str, path: Path, notes: list[str]) -> list[Line]:
    """The options of one file; what Bitcoin Core would refuse is noted and left out."""
    lines: list[Line] = []
    section = ""
    for number, written in enumerate(text.split("\n"), 1):
        where = f"{path} line {number}"
        content, hash_sign, _ = written.partition("#")
        content = content.strip(" \t\r\n")
        if not content:
            continue
        if content.startswith("[") and content.endswith("]"):
            section = content[1:-1]
            if section not in NETWORKS:
                notes.append(f"{where}: [{section}] is not a network; they are {', '.join(NETWORKS)}.")
            continue
        name, equals, value = (part.strip(" \t\r\n") for part in content.partition("="))
        if not equals or name.startswith("-"):
            notes.append(f"{where} is not option=value, without a dash before it; it is ignored.")
        elif hash_sign and "rpcpassword" in name:
            notes.append(f"{where}: Bitcoin Core refuses a # on the line of rpcpassword; the line is ignored.")
        else:
            lines.append(_line(section, name, value, path, number))
    return lines


def _line(section: str, name: str, value: str, path: Path, number: int) -> Line:
    """One option; `regtest.rpcport=…` is the same as `rpcport=…` under [regtest]."""
    if not section and "." in name:
        section, _, name = name.partition(".")
    line = Line(section, name, value, path, number)
    if not name.startswith("no"):
        return line
    return Line(section, name[2:], not line.truth, path, number)
