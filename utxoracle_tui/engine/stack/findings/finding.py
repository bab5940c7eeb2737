"""What a finding is, and what it is found in."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from utxoracle_tui.config.file_rights import Exposed
from utxoracle_tui.config.settings import Settings
from utxoracle_tui.engine.electrs.state import State
from utxoracle_tui.engine.stack.node import NodeStatus
from utxoracle_tui.engine.stack.stack_reading import StackReading
from utxoracle_tui.sources.mempool_replies import HistoricalPrice
from utxoracle_tui.sources.node_probe import PortProbe


class Gravity(StrEnum):
    """How much a finding matters, the gravest first."""

    ERROR = "error"
    """Something doesn't work."""
    WARNING = "warning"
    """Something works badly, or will not work for long."""
    NOTE = "note"
    """Something could be better."""


@dataclass(frozen=True, slots=True)
class Finding:
    """Something that is not as it should be."""

    kind: str
    """Stable, for programs."""
    gravity: Gravity
    what: str
    evidence: str
    """What was seen."""
    mend: str
    """What to do: a command or a line of a configuration, where there is one."""


@dataclass(frozen=True, slots=True)
class NodeConf:
    """What the node's bitcoin.conf says, as far as that matters here; None for what it doesn't say."""

    path: Path
    exists: bool
    prune_mib: int | None = None
    rest: bool | None = None
    work_queue: int | None = None
    threads: int | None = None


@dataclass(frozen=True, slots=True)
class StackLook:
    """All that findings are found in. What could not be seen is None."""

    at_s: float
    """Unix seconds by this machine's clock."""
    settings: Settings
    reading: StackReading
    port: PortProbe | None = None
    conf: NodeConf | None = None
    cookie_written_s: float | None = None
    """When the cookie file was last written to, unix seconds; None where there is none."""
    block_key: bytes | None = None
    """What the node's block files are obfuscated with; all zero where they aren't."""
    electrs_log: tuple[str, ...] | None = None
    """Its last lines."""
    history: HistoricalPrice | None = None
    """What the backend knows of the price of a day ago."""
    notes: tuple[str, ...] = ()
    """What is odd about the configuration, as sentences."""
    exposed: tuple[Exposed, ...] = ()
    """The program's own files with a secret that other users can get at; they are not among the notes."""

    @property
    def node(self) -> NodeStatus | None:
        """What the node said."""
        return self.reading.node.detail

    @property
    def electrs(self) -> State | None:
        """How electrs is."""
        return self.reading.electrs.detail

    @property
    def conf_name(self) -> str:
        """What the node's configuration file is called in front of people."""
        return str(self.conf.path) if self.conf is not None else "its bitcoin.conf"
