"""What becomes of an error that nobody foresaw: a sentence for the operator, and a file for whoever mends it."""

from __future__ import annotations

import logging
import traceback
from pathlib import Path

from utxoracle_tui import __version__
from utxoracle_tui.config.paths import state_dir
from utxoracle_tui.config.redaction import redact
from utxoracle_tui.errors import Exit, OperatorError

_log = logging.getLogger(__name__)
FILE_NAME = "last-fault.txt"


def report(error: Exception, data_dir: Path | None) -> OperatorError:
    """Write the traceback down, secrets taken out, and return what to tell the operator."""
    _log.error("a fault of the program", exc_info=error)
    told = f"Something went wrong inside the program ({type(error).__name__})"
    text = redact(f"utxoracle-tui {__version__}\n" + "".join(traceback.format_exception(error)))
    path = state_dir(data_dir) / FILE_NAME
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch(mode=0o600)
        path.write_text(text, encoding="utf-8")
    except OSError:
        return OperatorError("fault", f"{told}. What is known of it could not be written to {path}.", Exit.FAILED)
    return OperatorError("fault", f"{told}. What is known of it is in {path}; please report it.", Exit.FAILED)
