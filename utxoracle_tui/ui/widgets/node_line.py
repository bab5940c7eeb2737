"""The node in a line: is it there, its tip, how far it is, and how old all that is."""

from __future__ import annotations

from rich.text import Text

from utxoracle_tui import clock, formats
from utxoracle_tui.engine.node_watch import NodeReading
from utxoracle_tui.sources.node_replies import ChainInfo
from utxoracle_tui.ui.widgets.steady_text import SteadyText

_AGE_CHECK_S = 1.0
_STALE_S = 15.0


class NodeLine(SteadyText):
    """What is known of the node, with its age; its trouble as a sentence."""

    DEFAULT_CSS = """
    NodeLine { height: auto; padding: 0 1; }
    """

    def __init__(self, host: str) -> None:
        super().__init__(Text(f"… asking Bitcoin Core at {host}", "dim"))
        self._reading: NodeReading | None = None

    def on_mount(self) -> None:
        """Keep the ages right."""
        self.set_interval(_AGE_CHECK_S, self._refresh)

    def show(self, reading: NodeReading) -> None:
        """Show another reading."""
        self._reading = reading
        self._refresh()

    @property
    def columns(self) -> int:
        """How wide its longest line is."""
        lines = self.render().split("\n", allow_blank=True)
        return max(line.cell_len for line in lines) + self.gutter.width

    def _refresh(self) -> None:
        if self._reading is None:
            return
        self.update(describe(self._reading, clock.now_s()))


def describe(reading: NodeReading, now_s: float) -> Text:
    """The reading in words, as it stands at `now_s`."""
    text = Text()
    if reading.trouble:
        text.append("✗ ", "bold red")
        text.append(reading.trouble, "red")
        if reading.chain and reading.chain_at_s:
            text.append(
                f"\nlast known, {formats.age(now_s - reading.chain_at_s)}: {_chain(reading.chain, now_s)}", "dim"
            )
        return text
    if reading.chain is None or reading.chain_at_s is None:
        return text
    stale = now_s - reading.at_s > _STALE_S
    text.append("◌ late " if stale else "● up ", "bold yellow" if stale else "bold green")
    text.append(f"{reading.chain.network} · {_chain(reading.chain, now_s)}")
    text.append(f" · {reading.latency_s * 1000:.0f} ms" if reading.latency_s >= 0.1 else "", "yellow")
    text.append(f" · asked {formats.age(now_s - reading.at_s)}", "dim")
    for warning in reading.chain.warnings:
        text.append(f"\n⚠ the node warns: {warning}", "yellow")
    return text


def _chain(chain: ChainInfo, now_s: float) -> str:
    words = [f"tip {chain.blocks:,}"]
    if chain.time_s is not None:
        words[0] += f", {formats.age(now_s - chain.time_s)}"
    behind = chain.headers - chain.blocks
    if chain.initial_download or behind > 1:
        share = f" ({formats.percent(chain.progress)})" if chain.progress is not None else ""
        words.append(f"syncing, {behind:,} blocks behind{share}")
    else:
        words.append("synced")
    if chain.pruned:
        words.append(f"pruned below {chain.prune_height:,}" if chain.prune_height else "pruned")
    return " · ".join(words)
