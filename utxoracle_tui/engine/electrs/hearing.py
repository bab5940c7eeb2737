"""What electrs's log has said since its process started."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType

from utxoracle_tui.engine.electrs.log_lines import Kind, LogEvent
from utxoracle_tui.engine.electrs.phases import Cause, Db, Phase, rank

BLOCK_FILES = "BlkFiles"
"""electrs's name for reading `blk*.dat`; otherwise it asks the node for blocks, a hundred at a time."""

_PHASE_OF: Mapping[Kind, Phase] = MappingProxyType(
    {
        Kind.STARTED: Phase.STARTING,
        Kind.CONNECT_FAILED: Phase.WAITING,
        Kind.COOKIE_UNREADABLE: Phase.WAITING,
        Kind.NO_REPLY: Phase.WAITING,
        Kind.WARMING_UP: Phase.WAITING,
        Kind.CONNECTED: Phase.WAITING,
        Kind.WAITING: Phase.WAITING,
        Kind.OPENING: Phase.OPENING,
        Kind.WERE_ADDED: Phase.OPENING,
        Kind.WERE_INDEXED: Phase.OPENING,
        Kind.HEADERS_LOADED: Phase.OPENING,
        Kind.HEADERS: Phase.HEADERS,
        Kind.LEFT_TO_INDEX: Phase.HEADERS,
        Kind.ADDING_FROM: Phase.PASS_1,
        Kind.ADDING: Phase.PASS_1,
        Kind.ADDED_HEIGHT: Phase.PASS_1,
        Kind.INDEXING_FROM: Phase.PASS_2,
        Kind.INDEXING: Phase.PASS_2,
        Kind.INDEXED_HEIGHT: Phase.PASS_2,
        Kind.FLUSHING: Phase.LOADING_MEMPOOL,
        Kind.MEMPOOL: Phase.LOADING_MEMPOOL,
        Kind.SERVING: Phase.READY,
        Kind.HANDLED: Phase.READY,
        Kind.PRECACHING: Phase.READY,
    }
)
_COMPACTION: Mapping[tuple[Kind, Db], Phase] = MappingProxyType(
    {
        (Kind.COMPACTING, Db.TXSTORE): Phase.COMPACTING_TXSTORE,
        (Kind.COMPACTED, Db.TXSTORE): Phase.PASS_2,
        (Kind.COMPACTING, Db.HISTORY): Phase.COMPACTING_HISTORY,
        (Kind.COMPACTED, Db.HISTORY): Phase.LOADING_MEMPOOL,
    }
)


def phase_of(event: LogEvent) -> Phase | None:
    """The phase that a line is proof of; the line that ends a compaction is one of what follows."""
    if event.db is not None and (event.kind, event.db) in _COMPACTION:
        return _COMPACTION[event.kind, event.db]
    return _PHASE_OF.get(event.kind)


@dataclass(frozen=True, slots=True)
class PassLog:
    """What the log says of one pass."""

    total: int | None = None
    """Blocks to do, from the line with which the pass begins; None when that line was not seen."""
    from_files: bool | None = None
    batches: int = 0
    blocks: int = 0
    complete: bool = False
    """Every line of the pass was seen, so that the sums are whole."""
    max_height: int | None = None
    """Lines with heights come in the order of the block files; only the highest says something."""
    already: int | None = None
    """Blocks that earlier processes had done."""

    def after(self, event: LogEvent) -> PassLog:
        """What is known after one more line of this pass."""
        number = event.number or 0
        match event.kind:
            case Kind.WERE_ADDED | Kind.WERE_INDEXED:
                return replace(self, already=number)
            case Kind.ADDING_FROM | Kind.INDEXING_FROM:
                return PassLog(number, event.text == BLOCK_FILES, complete=True, already=self.already)
            case Kind.ADDING | Kind.INDEXING:
                return replace(self, batches=self.batches + 1, blocks=self.blocks + number)
            case Kind.ADDED_HEIGHT | Kind.INDEXED_HEIGHT:
                return replace(self, max_height=max(number, self.max_height or 0))
        return self


_OF_ADDING = frozenset({Kind.WERE_ADDED, Kind.ADDING_FROM, Kind.ADDING, Kind.ADDED_HEIGHT})
_OF_INDEXING = frozenset({Kind.WERE_INDEXED, Kind.INDEXING_FROM, Kind.INDEXING, Kind.INDEXED_HEIGHT})
_OF_NODE = frozenset(
    {
        Kind.CONNECT_FAILED,
        Kind.COOKIE_UNREADABLE,
        Kind.NO_REPLY,
        Kind.WARMING_UP,
        Kind.QUEUE_FULL,
        Kind.RECONNECTING,
        Kind.WAITING,
    }
)


@dataclass(frozen=True, slots=True)
class LastWords:
    """The last line of a process that ended with an error."""

    at_s: float
    text: str
    cause: Cause

    def quoted(self, most: int) -> str:
        """The words in one line of at most so many characters, without the advice that electrs gives too lightly."""
        line = " ".join(self.text.replace("Please reindex.", "").split()).rstrip(".")
        return line if len(line) <= most else line[: most - 1] + "…"


@dataclass(frozen=True, slots=True)
class Hearing:
    """What the log has said since the process started, as far as it was seen."""

    from_start: bool = False
    """Whether the line was seen with which the process began."""
    reached: Phase | None = None
    began_at_s: Mapping[Phase, float] = field(default_factory=lambda: MappingProxyType({}))
    """When the first line of a phase came, where a line marks its beginning."""
    adding: PassLog = PassLog()
    indexing: PassLog = PassLog()
    compacted: Mapping[Db, float] = field(default_factory=lambda: MappingProxyType({}))
    """When full compactions were finished."""
    node_blocks: int | None = None
    """Blocks and headers of the node, while electrs waits for it."""
    node_headers: int | None = None
    node_stage: str = ""
    left_to_index: int | None = None
    headers_loaded: int | None = None
    """Headers of a finished index that the process found when it started."""
    of_node_at_s: Mapping[Kind, float] = field(default_factory=lambda: MappingProxyType({}))
    """When lines about the node last came."""
    precaching: tuple[int, int, float] | None = None
    """Scripts done, all, and when that was said."""
    spoke_at_s: float | None = None
    """When the last line came that isn't the answer to a request."""

    def after(self, event: LogEvent, at_s: float) -> Hearing:
        """What is known after one more line; `at_s` is when it was written, as well as is known."""
        heard = self if event.kind is Kind.HANDLED else replace(self, spoke_at_s=at_s)
        phase = phase_of(event)
        if heard.of_node_at_s and rank(phase) > rank(Phase.WAITING) and event.kind is not Kind.HANDLED:
            # what comes after the waiting goes on only when the node answers
            full_s = heard.of_node_at_s.get(Kind.QUEUE_FULL)
            heard = replace(heard, of_node_at_s=MappingProxyType({} if full_s is None else {Kind.QUEUE_FULL: full_s}))
        if phase is not None and rank(phase) > rank(heard.reached):
            began = MappingProxyType({**heard.began_at_s, phase: at_s})
            heard = replace(heard, reached=phase, began_at_s=began)
        if event.kind in _OF_ADDING:
            heard = replace(heard, adding=heard.adding.after(event))
        elif event.kind in _OF_INDEXING:
            heard = replace(heard, indexing=heard.indexing.after(event))
        elif event.kind in _OF_NODE:
            heard = heard._of_node(event, at_s)
        elif event.kind is Kind.COMPACTED and event.db is not None:
            heard = replace(heard, compacted=MappingProxyType({**heard.compacted, event.db: at_s}))
        elif event.kind is Kind.HEADERS_LOADED:
            heard = replace(heard, headers_loaded=event.number)
        elif event.kind is Kind.LEFT_TO_INDEX:
            heard = replace(heard, left_to_index=event.number)
        elif event.kind is Kind.PRECACHING and event.number is not None and event.total:
            heard = replace(heard, precaching=(min(event.number, event.total), event.total, at_s))
        return heard

    def _of_node(self, event: LogEvent, at_s: float) -> Hearing:
        heard = replace(self, of_node_at_s=MappingProxyType({**self.of_node_at_s, event.kind: at_s}))
        if event.kind is Kind.WARMING_UP:
            return replace(heard, node_stage=event.text)
        if event.kind is Kind.WAITING:
            return replace(heard, node_blocks=event.number, node_headers=event.total)
        return heard

    def with_gap(self) -> Hearing:
        """The same where lines may have been missed: sums are whole no more."""
        return replace(
            self, adding=replace(self.adding, complete=False), indexing=replace(self.indexing, complete=False)
        )

    def begins_anew(self, event: LogEvent) -> bool:
        """Whether a line can only come from another process than the lines before it."""
        if event.kind is Kind.STARTED:
            return True
        first = event.kind is Kind.OPENING and event.db is Db.TXSTORE
        return first and rank(self.reached) > rank(Phase.OPENING)


def last_words(before: LastWords | None, event: LogEvent, at_s: float) -> LastWords | None:
    """The last words after one more line. A panic says where it is in one line and what it is in the next."""
    if event.kind is Kind.FATAL:
        cause = event.cause or Cause.OTHER
        if before is not None and cause is Cause.OTHER and before.cause is not Cause.OTHER and _same(before, at_s):
            return before
        return LastWords(at_s, event.text, cause)
    announced = before is not None and before.text.startswith("thread '") and before.text.endswith(":")
    if announced and before is not None and event.level is None and event.kind is Kind.OTHER and event.text:
        return LastWords(before.at_s, event.text, before.cause)
    return before


def _same(before: LastWords, at_s: float) -> bool:
    """Whether two last words are of one death: several threads may speak."""
    return abs(at_s - before.at_s) <= 5.0
