"""What is said of each condition, and what to do about it. Reindexing is advised in one place only."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from utxoracle_tui import formats
from utxoracle_tui.engine.electrs.conditions import Finding
from utxoracle_tui.engine.electrs.measures import gigabytes
from utxoracle_tui.engine.electrs.phases import Cause, ConditionKind, Db

KEEP = "Don't delete the index."

REINDEX = "Check disk and memory of the machine, then delete the index and let electrs build it anew (reindex)."

AFTER_DEATH: Mapping[Cause, str] = MappingProxyType(
    {
        Cause.CORRUPTION: "Check disk and memory of the machine, and start it once more: once is no proof of a corrupt "
        f"index. {KEEP}",
        Cause.LOCKED: f"Another electrs has the index open: stop that one, then start this. {KEEP}",
        Cause.NO_SPACE: f"Make room on the disk, then start it again; it goes on where it was. {KEEP}",
        Cause.TOO_MANY_FILES: f"Raise its limit of open files (LimitNOFILE, ulimits: nofile), then start it. {KEEP}",
        Cause.PERMISSION: f"Give its user the right to the folder, then start it again. {KEEP}",
        Cause.INCOMPATIBLE: "Put --lightmode back to what it was when the index was built, and start it again; its own "
        f"message asks for more than is needed. {KEEP}",
        Cause.BLOCK_FILES: "Check --blocks-dir and --magic. Block files of Bitcoin Core 28 and later may be obfuscated "
        "(blocks/xor.dat), which this electrs can't read: use --jsonrpc-import, or a version that reads them. " + KEEP,
        Cause.PRUNED: "electrs needs a node that keeps all blocks (prune=0).",
        Cause.PORT_IN_USE: "Its metrics port is taken: stop what listens there, or give it another --monitoring-addr.",
        Cause.OTHER: f"Start it again, and read its last lines. {KEEP}",
    }
)
"""What to do when electrs has ended with an error."""


def speak(finding: Finding, restart: str) -> tuple[str, str]:
    """The sentence on a condition and the one on what to do; `restart` is the operator's command for one."""
    if finding.kind in _PLAIN:
        return _PLAIN[finding.kind]
    return _TOLD[finding.kind](finding, restart)


_PLAIN: Mapping[ConditionKind, tuple[str, str]] = MappingProxyType(
    {
        ConditionKind.OUT_OF_MEMORY: (
            "electrs was killed because memory ran out.",
            f"Give the machine or the container more memory; the index is intact. {KEEP}",
        ),
        ConditionKind.PAUSED: (
            "The container is paused: electrs stands still, and nothing is wrong with it.",
            "Go on with docker unpause.",
        ),
        ConditionKind.BITCOIND_DOWN: (
            "electrs doesn't reach Bitcoin Core.",
            "Start the node, or check --daemon-rpc-addr; electrs tries again by itself.",
        ),
        ConditionKind.BITCOIND_AUTH: (
            "Bitcoin Core doesn't accept electrs's cookie, or electrs can't read it.",
            "Check --daemon-dir and the right to read the cookie file there; a copied cookie goes stale with each "
            "start of the node.",
        ),
        ConditionKind.REST_SILENT: (
            "electrs was ready, and its REST interface no longer answers.",
            "Look at its log and its load; restart it only if that stays so.",
        ),
    }
)


def _corrupted(finding: Finding, _: str) -> tuple[str, str]:
    return (
        "The index is corrupt: electrs said so, was started again, and said so again" + _quoted(finding.detail) + ".",
        REINDEX,
    )


def _suspected(finding: Finding, _: str) -> tuple[str, str]:
    return (
        "electrs spoke of corruption once" + _quoted(finding.detail) + "; once is no proof.",
        f"If it has ended, start it again; if it then works on, all is well. {KEEP}",
    )


def _quoted(text: str) -> str:
    return f" (“{text}”)" if text else ""


def _crash_loop(finding: Finding, _: str) -> tuple[str, str]:
    return (
        f"electrs was restarted {int(finding.number or 0)} times in a short while" + _quoted(finding.detail) + ".",
        f"Stop it, mend what its last lines name, then start it. {KEEP}",
    )


_INTACT: Mapping[str, str] = MappingProxyType(
    {
        Cause.LOCKED: "another process has it open",
        Cause.NO_SPACE: "the disk is full",
        Cause.TOO_MANY_FILES: "too many files are open",
        Cause.PERMISSION: "it lacks the right to",
        Cause.INCOMPATIBLE: "the lightmode flag isn't what it was when the index was built",
    }
)


def _unusable(finding: Finding, _: str) -> tuple[str, str]:
    cause = Cause(finding.detail)
    return f"electrs can't open its index, which is intact: {_INTACT[cause]}.", AFTER_DEATH[cause]


def _stuck(finding: Finding, restart: str) -> tuple[str, str]:
    for_long = formats.span(finding.number or 0)
    where = "; its process waits for the disk (state D)" if finding.detail == "disk" else ""
    return (
        f"Nothing has moved for {for_long}: no count, no file, no CPU time, no log of RocksDB{where}.",
        "Look at disk and kernel log (dmesg) first"
        + (f"; then restart it ({restart})" if restart else "; then restart it")
        + f", which costs a running compaction and nothing else. {KEEP}",
    )


def _hung(finding: Finding, restart: str) -> tuple[str, str]:
    return (
        f"electrs answers, but has stayed at height {int(finding.number or 0):,} while the node went on to "
        f"{int(finding.total or 0):,}: its main loop hangs.",
        f"Restart it{f' ({restart})' if restart else ''}; the index is intact. {KEEP}",
    )


def _lagging(finding: Finding, _: str) -> tuple[str, str]:
    behind = int((finding.total or 0) - (finding.number or 0))
    return (
        f"electrs is {formats.plural(behind, 'block')} behind the node.",
        "It takes over all of them at once when it is through with them; wait.",
    )


def _disk(finding: Finding, _: str) -> tuple[str, str]:
    short = finding.shortage
    if short is None:
        return "", ""
    what = "transactions" if short.db is Db.TXSTORE else "history"
    need = f"{'at least ' if short.at_least else ''}{gigabytes(short.needed_bytes)}"
    free = gigabytes(short.free_bytes)
    if short.running:
        return (
            f"The compaction of the {what} database still needs {need}, and {free} are free: the disk won't do.",
            f"Make room now; when the disk is full electrs ends, and the compaction begins anew. {KEEP}",
        )
    return (
        f"The coming compaction of the {what} database will need {need} from now on, and {free} are free: the disk "
        "won't do.",
        f"Make room before it begins: it keeps the old files until the new ones are complete. {KEEP}",
    )


def _ran_out(_: Finding, __: str) -> tuple[str, str]:
    return (
        "The electrs before this one ended because the disk was full.",
        f"Make room before the next compaction: until it ends it takes as much again as its database. {KEEP}",
    )


def _overloaded(finding: Finding, _: str) -> tuple[str, str]:
    slow = f"electrs waits {finding.number:.0f} s for an answer of Bitcoin Core on average" if finding.number else ""
    full = "Bitcoin Core has more requests than it can take" if finding.detail == "queue" else ""
    said = "; ".join(part for part in (slow, full) if part) or "electrs waited long for Bitcoin Core"
    return (
        f"{said}: the node, or the disk that both share, is overloaded.",
        "Raise rpcworkqueue and rpcthreads of the node, and see who else keeps node and disk busy; electrs goes on, "
        "only slower.",
    )


def _idle(finding: Finding, _: str) -> tuple[str, str]:
    return (
        f"electrs lives, but has finished nothing that can be counted for {formats.span(finding.number or 0)}.",
        f"Look at its process and at the disk; that alone is no reason to restart it. {KEEP}",
    )


def _warming(finding: Finding, _: str) -> tuple[str, str]:
    stage = finding.detail.rstrip(".… ")
    return f"Bitcoin Core is starting{f': {stage}' if stage else ''}.", "Nothing to do: electrs waits for it."


def _syncing(finding: Finding, _: str) -> tuple[str, str]:
    known = finding.number is not None and finding.total
    if known and finding.number == finding.total:
        return "Bitcoin Core has caught up and loads its mempool.", "Nothing to do: electrs begins after that."
    at = f": {int(finding.number or 0):,} of {int(finding.total or 0):,} blocks" if known else ""
    return f"Bitcoin Core itself is still catching up{at}.", "Nothing to do: electrs begins when the node is through."


def _resuming(finding: Finding, _: str) -> tuple[str, str]:
    added = f"{int(finding.total):,} blocks were stored" if finding.total else ""
    indexed = f"{int(finding.number):,} were indexed" if finding.number else ""
    had = " and ".join(part for part in (added, indexed) if part)
    return (
        f"This is a resume of an unfinished first sync{f': {had} before it' if had else ''}.",
        "“left to index” shows the whole chain after a restart, and “Adding 0 blocks” means that a file holds nothing "
        f"new: both are normal. {KEEP}",
    )


def _precaching(finding: Finding, _: str) -> tuple[str, str]:
    return (
        f"In the background electrs caches {int(finding.total or 0):,} scripts ({int(finding.number or 0):,} done).",
        "Nothing to do: it answers meanwhile.",
    )


_TOLD = {
    ConditionKind.CORRUPTED: _corrupted,
    ConditionKind.CORRUPTION_SUSPECTED: _suspected,
    ConditionKind.CRASH_LOOP: _crash_loop,
    ConditionKind.UNUSABLE: _unusable,
    ConditionKind.STUCK: _stuck,
    ConditionKind.MAIN_LOOP_HUNG: _hung,
    ConditionKind.LAGGING: _lagging,
    ConditionKind.DISK_SHORT: _disk,
    ConditionKind.SPACE_RAN_OUT: _ran_out,
    ConditionKind.NODE_OVERLOADED: _overloaded,
    ConditionKind.IDLE: _idle,
    ConditionKind.BITCOIND_WARMING: _warming,
    ConditionKind.BITCOIND_SYNCING: _syncing,
    ConditionKind.RESUMING: _resuming,
    ConditionKind.PRECACHING: _precaching,
}
