"""One line that says what is being worked on, how far it is and when it will be done."""

from __future__ import annotations

from rich.text import Text
from textual.app import ComposeResult
from textual.containers import Horizontal
from textual.widgets import ProgressBar, Static

from utxoracle_tui import formats
from utxoracle_tui.engine.progress import Progress


class ProgressLine(Horizontal):
    """A progress bar with done of total, rate and time left; a sentence when nothing is going on."""

    DEFAULT_CSS = """
    ProgressLine { height: 1; }
    ProgressLine ProgressBar { width: 24; margin-right: 1; display: none; }
    ProgressLine.-working ProgressBar { display: block; }
    ProgressLine Static { width: 1fr; height: 1; text-wrap: nowrap; text-overflow: ellipsis; }
    """

    def compose(self) -> ComposeResult:
        """The bar and the words."""
        yield ProgressBar(total=1.0, show_eta=False, show_percentage=False)
        yield Static("", id="progress-words")

    def working(self, title: str, progress: Progress | None = None) -> None:
        """Show work on `title`; without `progress` it has not begun to count."""
        self.add_class("-working")
        self.query_one(ProgressBar).update(progress=progress.share if progress else 0.0)
        words = title
        if progress is not None:
            words = (
                f"{progress.blocks_done} of {formats.plural(progress.blocks_total, 'block')} "
                f"({progress.share * 100:.0f} %)"
            )
            if progress.rate_mb_s is not None:
                words += f" · {progress.rate_mb_s:.0f} MB/s"
            if progress.eta_s is not None and progress.share < 1:
                words += f" · {formats.span(progress.eta_s)} left"
            if progress.share >= 1:
                words += " · pricing"
            words += f" · {title}"
        self.query_one("#progress-words", Static).update(Text(words))

    def idle(self, sentence: str, style: str = "dim") -> None:
        """Show a sentence and no bar."""
        self.remove_class("-working")
        self.query_one("#progress-words", Static).update(Text(sentence, style))
