"""What is said of each phase: one sentence on what it is, and one on what to do or not to do."""

from __future__ import annotations

from dataclasses import dataclass

from utxoracle_tui.engine.electrs.advice import AFTER_DEATH, REINDEX
from utxoracle_tui.engine.electrs.measures import Measure, gigabytes, shown
from utxoracle_tui.engine.electrs.memory import Memory
from utxoracle_tui.engine.electrs.phases import Cause, Phase

LEAVE = "Leave it alone."
SIGKILL, SIGTERM = 137, 143


@dataclass(frozen=True, slots=True)
class Telling:
    """What the sentences speak of."""

    memory: Memory
    measure: Measure | None
    resumed: bool
    """Whether an earlier process had done part of this already."""
    cut_off: bool = False
    """Whether it doesn't reach the node."""

    @property
    def count(self) -> str:
        """How far it is, in brackets, or nothing."""
        if self.measure is None or self.measure.total is None:
            return ""
        return f" ({shown(self.measure.done, self.measure.total, self.measure.unit)})"


def tell(phase: Phase, telling: Telling) -> tuple[str, str]:
    """The sentence on the phase and the one on what to do."""
    match phase:
        case Phase.UNKNOWN:
            return _unknown(telling)
        case Phase.NOT_INSTALLED | Phase.STOPPED | Phase.FAILED:
            return _not_running(phase, telling)
        case Phase.PASS_1 | Phase.PASS_2:
            return _pass(phase, telling)
        case Phase.COMPACTING_TXSTORE | Phase.COMPACTING_HISTORY:
            return _compaction(phase, telling)
        case Phase.READY if telling.cut_off:
            return (
                "electrs answers from what it has indexed, and follows no new blocks.",
                "Leave it alone: it goes on by itself as soon as Bitcoin Core is back.",
            )
    return _PLAIN[phase]


_PLAIN = {
    Phase.STARTING: ("electrs is starting.", "Give it a moment."),
    Phase.WAITING: (
        "electrs waits for Bitcoin Core: it begins only when the node answers, has caught up and has loaded its "
        "mempool.",
        "Look at the node; electrs goes on by itself.",
    ),
    Phase.OPENING: (
        "electrs opens its databases, which takes minutes where there are thousands of files on a hard disk.",
        LEAVE,
    ),
    Phase.HEADERS: (
        "electrs fetches all block headers from Bitcoin Core; “left to index” in its log is the length of the chain, "
        "not what is left to do.",
        "Nothing to do: this takes minutes.",
    ),
    Phase.LOADING_MEMPOOL: (
        "The index is complete; electrs flushes it to disk and loads the mempool, and opens its ports after that.",
        "Nothing to do: this takes minutes.",
    ),
    Phase.READY: ("electrs is ready and answers.", "Nothing to do."),
}


def _unknown(telling: Telling) -> tuple[str, str]:
    process = telling.memory.known.process
    if process is not None and process.started_at_s is not None:
        happened = "electrs runs, and nothing else can be read of it."
    else:
        happened = "Nothing can be read of electrs."
    return happened, (
        "Tell this console its metrics address (--monitoring-addr, port 4224 on the main network), its container or "
        "unit, its log, or the folder of its database (--db-dir)."
    )


def _not_running(phase: Phase, telling: Telling) -> tuple[str, str]:
    process, words = telling.memory.known.process, telling.memory.last_words
    if phase is Phase.NOT_INSTALLED:
        return (
            "There is no electrs here: no container or unit of that name, no database, and its ports are closed.",
            "Install it, or tell this console where it runs.",
        )
    code = process.exit_code if process is not None else None
    if phase is Phase.FAILED:
        ended = "electrs ended with an error" + (f" (exit code {code})" if code is not None else "")
        said = f"{ended}: {words.quoted(160)}." if words is not None else f"{ended}."
        if telling.memory.milestones.corruption_twice:
            return said, REINDEX
        return said, AFTER_DEATH[words.cause if words is not None else Cause.OTHER]
    if process is not None and process.oom_killed:
        return (
            "electrs was killed because memory ran out.",
            "Give it more memory, then start it again: the index is intact, and it goes on where it was.",
        )
    if code == SIGKILL:
        return (
            "electrs was killed (exit code 137), as docker stop does in the end: while it indexes or compacts it does "
            "not listen to being asked.",
            "Start it again when you want it: the index is intact; only a compaction that was under way begins anew.",
        )
    reason = {0: " (it ended by itself, exit code 0)", SIGTERM: " (it was asked to, exit code 143)"}.get(code or 0, "")
    return (
        f"electrs is stopped{reason if code is not None else ''}.",
        "Start it again when you want it: what it has indexed is kept.",
    )


def _pass(phase: Phase, telling: Telling) -> tuple[str, str]:
    first = phase is Phase.PASS_1
    what = "stores all transactions" if first else "indexes the history of all addresses"
    number = "first" if first else "second"
    rest = (
        "a compaction, the second pass and a second compaction follow"
        if first and not telling.memory.milestones.txstore_compacted
        else "the second pass and the last compaction follow"
        if first
        else "one more compaction follows"
    )
    if telling.resumed:
        said = "Adding 0 blocks" if first else "Indexing 0 blocks"
        return (
            f"Resumed after a restart, electrs reads all block files again for the {number} of two "
            f"passes{telling.count}: files with nothing new are logged as “{said}”, and {rest}.",
            "Leave it alone: this is no corruption and no loop, and nothing that was indexed is lost; don't delete the "
            "index.",
        )
    if telling.memory.milestones.completed_at_s is not None:
        return (
            f"electrs takes in the blocks that came while it was off{telling.count}: their transactions first, then "
            "their histories; no compaction follows.",
            "Nothing to do: it answers when it is through.",
        )
    slow = "" if first else ", slower than the first because it looks up every spent output"
    return (
        f"electrs {what}, the {number} of two passes over the block files{telling.count}{slow}; {rest}.",
        "Leave it alone: its ports stay closed and its height stays 0 until all is done; heights in its log come out "
        "of order.",
    )


def _compaction(phase: Phase, telling: Telling) -> tuple[str, str]:
    first = phase is Phase.COMPACTING_TXSTORE
    db = "transactions" if first else "history"
    size = f" of {gigabytes(telling.measure.total)}" if telling.measure is not None and telling.measure.total else ""
    follows = "the second pass and a second compaction follow" if first else "after it only the mempool is loaded"
    return (
        f"electrs sorts its {db} database{size} in one go, the {'first' if first else 'second'} of two compactions: "
        f"it logs nothing meanwhile and takes up to twice the space until it ends; {follows}.",
        "Leave it alone, for hours if need be: a restart would begin this compaction from zero; don't delete the "
        "index.",
    )
