"""What can be said on the command line: the commands, their options, and the help for both."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import NoReturn

from utxoracle_tui import __version__
from utxoracle_tui.command_help import add_help
from utxoracle_tui.demo.host.options import add_options
from utxoracle_tui.errors import Exit, OperatorError


class _Parser(argparse.ArgumentParser):
    """A parser whose errors are those of the program, so that `--json` can print them as JSON."""

    def error(self, message: str) -> NoReturn:
        raise OperatorError("usage", f"{message[:1].upper()}{message[1:]}. See {self.prog} --help.", Exit.USAGE)


def _common(default: object) -> _Parser:
    """Options that go before or after the command's name; the second parser must not undo the first."""
    common = _Parser(add_help=False)
    common.add_argument("--config", type=Path, metavar="FILE", default=default, help="read this configuration file")
    common.add_argument(
        "--data-dir", type=Path, metavar="DIR", default=default, help="keep all files under DIR, caches included"
    )
    return common


def build_parser() -> argparse.ArgumentParser:
    """The whole command line."""
    parser = _Parser(
        prog="utxoracle-tui",
        description="The price of bitcoin from the chain itself, in the terminal.",
        parents=[_common(None)],
    )
    parser.add_argument("--version", action="version", version=f"%(prog)s {__version__}")
    parser.add_argument("--blocks", type=Path, metavar="DIR", help="a folder of raw blocks")
    parser.set_defaults(command="console", json=False)
    commands = parser.add_subparsers(title="commands", metavar="COMMAND")
    _add_price(commands)
    _add_analyze(commands)
    _add_backfill(commands)
    _add_rerun(commands)
    _add_status(commands)
    _add_doctor(commands)
    _add_alert(commands)
    _add_config(commands)
    _add_export(commands)
    _add_import(commands)
    _add_backup(commands)
    _add_restore(commands)
    _add_store(commands)
    _add_api(commands)
    _add_watch(commands)
    _add_service(commands)
    _add_serve(commands)
    _add_completion(commands)
    _add_demo(commands)
    add_help(parser)
    return parser


def _add_price(commands: argparse._SubParsersAction[_Parser]) -> None:
    price = commands.add_parser(
        "price",
        help="one window price",
        description="Price one window of blocks. Exit code 0: valid; 4: priced, but not valid.",
        parents=[_common(argparse.SUPPRESS)],
    )
    price.set_defaults(command="price")
    price.add_argument(
        "--blocks",
        type=Path,
        metavar="DIR",
        default=argparse.SUPPRESS,
        help="raw blocks: index.json with blocks.dat, or one .bin file a block",
    )
    window = price.add_mutually_exclusive_group()
    window.add_argument("--date", metavar="YYYY-MM-DD", help="a UTC day")
    window.add_argument("--last", nargs="?", type=int, const=144, metavar="N", help="the N blocks before the tip (144)")
    window.add_argument("--heights", metavar="A-B", help="these heights, both included")
    price.add_argument("--every-block", action="store_true", help="the price at each block, as JSON lines")
    price.add_argument(
        "--start-price", type=float, metavar="USD", help="what --every-block starts from, within 25 %% of the truth"
    )
    price.add_argument("--save", action="store_true", help="keep the result in the store")
    price.add_argument("--json", action="store_true", help="print one JSON document")


def _add_analyze(commands: argparse._SubParsersAction[_Parser]) -> None:
    analyze = commands.add_parser(
        "analyze",
        help="one round: block window price, exchange price, divergence, stored",
        description="Make one round and store it. Exit code 0: valid; 4: made, but the price is not valid.",
        parents=[_common(argparse.SUPPRESS)],
    )
    analyze.set_defaults(command="analyze")
    analyze.add_argument("--dry-run", action="store_true", help="show what would be stored, and store nothing")
    analyze.add_argument("--verbose", action="store_true", help="print all that is known of the window as well")
    analyze.add_argument("--json", action="store_true", help="print one JSON document")


def _add_days(command: _Parser) -> None:
    command.add_argument("--from", dest="first_day", metavar="YYYY-MM-DD", help="the first UTC day")
    command.add_argument(
        "--to", dest="last_day", metavar="YYYY-MM-DD", help="the last UTC day (the newest that can be asked for)"
    )


_JOB = """Work that takes long is a job in the store: stopped in whatever way, it goes on where it was when the same
command is given again, and any open console works on it, too. Exit code 0: every window was tried."""


def _add_backfill(commands: argparse._SubParsersAction[_Parser]) -> None:
    backfill = commands.add_parser(
        "backfill",
        help="window prices over a range, stored",
        description=f"Work out the windows of a range that are not in the store yet. {_JOB}",
        parents=[_common(argparse.SUPPRESS)],
    )
    backfill.set_defaults(command="backfill")
    _add_days(backfill)
    backfill.add_argument("--last-days", type=int, metavar="N", help="the newest N UTC days that can be asked for")
    backfill.add_argument(
        "--blocks", dest="heights", metavar="A-B", help="block windows of 144 blocks, all within these heights"
    )
    backfill.add_argument(
        "--step", type=int, metavar="S", help="blocks from one block window's start to the next one's (144)"
    )
    backfill.add_argument("--dry-run", action="store_true", help="say what it would take, and begin nothing")
    backfill.add_argument("--json", action="store_true", help="print one JSON document at the end")


def _add_rerun(commands: argparse._SubParsersAction[_Parser]) -> None:
    rerun = commands.add_parser(
        "rerun",
        help="windows worked out again, stored",
        description=f"Work out windows again, from what is kept of their blocks where it is. {_JOB}",
        parents=[_common(argparse.SUPPRESS)],
    )
    rerun.set_defaults(command="rerun", which=None)
    which = rerun.add_mutually_exclusive_group()
    for name, what in (
        ("failed", "all that failed the last time they were tried"),
        ("not-valid", "all whose result is not valid"),
        ("older-method", "all that an older version of the method made"),
    ):
        which.add_argument(f"--{name}", dest="which", action="store_const", const=name, help=what)
    _add_days(rerun)
    rerun.add_argument("--dry-run", action="store_true", help="say what it would take, and begin nothing")
    rerun.add_argument("--json", action="store_true", help="print one JSON document at the end")


def _add_status(commands: argparse._SubParsersAction[_Parser]) -> None:
    status = commands.add_parser(
        "status",
        help="the whole stack as a table",
        description="Ask node, electrs, mempool backend and containers once, and say how they are. Exit code 0: all "
        "are ready; 4: something is on its way or not well; 3: Bitcoin Core can't be used.",
        parents=[_common(argparse.SUPPRESS)],
    )
    status.set_defaults(command="status")
    status.add_argument("--json", action="store_true", help="print one JSON document")


def _add_doctor(commands: argparse._SubParsersAction[_Parser]) -> None:
    doctor = commands.add_parser(
        "doctor",
        help="what is misconfigured, and how to mend it",
        description="Look for what is misconfigured in the stack, with the evidence and a line that mends it; nothing "
        "is changed. Exit code 0: nothing was found; 4: something was.",
        parents=[_common(argparse.SUPPRESS)],
    )
    doctor.set_defaults(command="doctor")
    doctor.add_argument("--json", action="store_true", help="print one JSON document")


_INIT = """Look for the node (bitcoin.conf, data directory, cookie), the mempool backend and electrs, try what was
found, ask for the rest, and write what isn't found by itself into the configuration file, which only you can read.
Without a terminal, or with --yes, nothing is asked. A file that is there is changed only with your consent, and a
copy of it is kept."""


def _add_alert(commands: argparse._SubParsersAction[_Parser]) -> None:
    alert = commands.add_parser(
        "alert",
        help="whether alerts reach you, and which there are",
        description="Try the ways in which alerts are told, list them, or say that you know of one. Exit code 0: done; "
        "1: somebody could not be told.",
        parents=[_common(argparse.SUPPRESS)],
    )
    alert.set_defaults(command="alert")
    what = alert.add_subparsers(title="what to do", metavar="COMMAND", dest="alert_command", required=True)
    for name, words in (
        ("test", "tell webhook and command one thing, and say how that went"),
        ("list", "open alerts with their keys, and those that are over"),
        ("ack", "say that you know of an open one"),
        ("snooze", "be silent of an open one for a while"),
    ):
        one = what.add_parser(
            name, help=words, description=f"{words.capitalize()}.", parents=[_common(argparse.SUPPRESS)]
        )
        one.set_defaults(json=False)
        if name in {"test", "list"}:
            one.add_argument("--json", action="store_true", help="print one JSON document")
        else:
            one.add_argument("key", metavar="KEY", help="the alert, as `alert list` has it")
        if name == "snooze":
            one.add_argument("--minutes", type=float, default=60.0, metavar="N", help="for how long (60)")
        if name != "test":
            _add_network(one)


def _add_config(commands: argparse._SubParsersAction[_Parser]) -> None:
    config = commands.add_parser(
        "config",
        help="the settings and where they come from; a first configuration",
        description="Show every setting with its origin, check them all, or make a first configuration file.",
        parents=[_common(argparse.SUPPRESS)],
    )
    config.set_defaults(command="config")
    kinds = config.add_subparsers(
        title="what", dest="config_command", metavar="{show,validate,init,schema}", required=True
    )
    for name, what, more in (
        ("show", "values and origins, secrets hidden", ""),
        ("validate", "ok, or all problems at once", " Exit code 0: usable; 2: not."),
        ("init", "find and try the stack, and write what has to be written", ""),
        ("schema", "the JSON schema of the configuration file, for editors", ""),
    ):
        description = _INIT if name == "init" else f"{what[0].upper()}{what[1:]}.{more}"
        kind = kinds.add_parser(name, help=what, description=description, parents=[_common(argparse.SUPPRESS)])
        if name == "init":
            kind.add_argument("--yes", action="store_true", help="ask nothing, and change a file that is there")
            kind.add_argument("--dry-run", action="store_true", help="print the file, and write nothing")
        if name != "schema":
            kind.add_argument("--json", action="store_true", help="print one JSON document")


def _add_network(command: _Parser) -> None:
    command.add_argument("--network", metavar="NAME", help="the network of the store; where there is one, that one")


def _add_export(commands: argparse._SubParsersAction[_Parser]) -> None:
    export = commands.add_parser(
        "export",
        help="what is stored, as CSV or JSON lines",
        description="Print what is stored, by time. What it is comes first; import reads it back.",
        parents=[_common(argparse.SUPPRESS)],
    )
    export.set_defaults(command="export")
    export.add_argument(
        "what",
        choices=("observations", "windows"),
        metavar="{observations,windows}",
        help="observations: both prices, round by round; windows: the price of each day and block window",
    )
    export.add_argument("--format", choices=("csv", "json"), default="csv", help="csv, or json for JSON lines (csv)")
    export.add_argument("--from", dest="first_day", metavar="YYYY-MM-DD", help="the first UTC day")
    export.add_argument("--to", dest="last_day", metavar="YYYY-MM-DD", help="the last UTC day, included")
    export.add_argument("--output", type=Path, metavar="FILE", help="write to FILE, which only you can read")
    _add_network(export)


_IMPORT_HELP = """Take files into the store. What a CSV holds is told by its column row, which needs at least:
  date,open,high,low,close                     exchange prices by day
  date,consensus_price_usd                     published consensus prices
  date,exchange_price,utxoracle_price          the table of the earlier system
Exports of this program, CSV or JSON lines, are taken as well. What is stored already stays as it is, so that
importing a file again is harmless.

The earlier system keeps its data in DuckDB. To get its table as CSV, run in duckdb, on its database:
  COPY prices TO 'prices.csv' (HEADER)"""


def _add_import(commands: argparse._SubParsersAction[_Parser]) -> None:
    import_ = commands.add_parser(
        "import",
        help="history and exports into the store",
        description=_IMPORT_HELP,
        epilog="Exit code 0: all rows were taken or stored before; 1: some were refused; 2: a file of no known kind.",
        parents=[_common(argparse.SUPPRESS)],
    )
    import_.set_defaults(command="import_")
    import_.add_argument("files", nargs="+", type=Path, metavar="FILE", help="a file to take rows from")
    import_.add_argument("--dry-run", action="store_true", help="say what would become of each row; store nothing")
    import_.add_argument("--json", action="store_true", help="print one JSON document")
    _add_network(import_)


def _add_backup(commands: argparse._SubParsersAction[_Parser]) -> None:
    backup = commands.add_parser(
        "backup",
        help="the store in one file",
        description="Back up the store while others go on writing to it. The file is a gzipped tar archive.",
        parents=[_common(argparse.SUPPRESS)],
    )
    backup.set_defaults(command="backup")
    backup.add_argument("--to", type=Path, metavar="DIR", help="where backups go (`backups` beside the store)")
    backup.add_argument("--keep", type=int, metavar="N", help="keep the newest N of this store there (30)")
    backup.add_argument("--json", action="store_true", help="print one JSON document")
    _add_network(backup)


def _add_restore(commands: argparse._SubParsersAction[_Parser]) -> None:
    restore = commands.add_parser(
        "restore",
        help="the store back from a backup",
        description="Verify a backup and put it in the place of the store, which is kept beside it.",
        parents=[_common(argparse.SUPPRESS)],
    )
    restore.set_defaults(command="restore")
    restore.add_argument("file", nargs="?", default="latest", metavar="FILE", help="a backup, or latest (latest)")
    restore.add_argument("--yes", action="store_true", help="replace a store without being asked")
    restore.add_argument("--json", action="store_true", help="print one JSON document")
    _add_network(restore)


def _add_store(commands: argparse._SubParsersAction[_Parser]) -> None:
    store = commands.add_parser(
        "store",
        help="whether the store is whole",
        description="Check every file of the store. Exit code 0: nothing is damaged; 1: something is.",
        parents=[_common(argparse.SUPPRESS)],
    )
    store.set_defaults(command="store")
    store.add_argument("store_command", choices=("check",), metavar="check", help="look at every file; changes nothing")
    store.add_argument("--mend", action="store_true", help="keep damaged files elsewhere and use the state before them")
    store.add_argument("--json", action="store_true", help="print one JSON document")
    _add_network(store)


def _add_api(commands: argparse._SubParsersAction[_Parser]) -> None:
    api = commands.add_parser(
        "api",
        help="the read-only REST API",
        description="Serve what is stored to other programs until Ctrl-C: /api/prices/latest, /api/prices/historical, "
        "/api/prices/comparison, /health and /metrics; /openapi.json describes them. Needs the extra `api`.",
        parents=[_common(argparse.SUPPRESS)],
    )
    api.set_defaults(command="api")
    api.add_argument("--host", metavar="ADDRESS", help="the address to listen on (127.0.0.1)")
    api.add_argument("--port", metavar="PORT", help="the port to listen on (8000)")
    _add_network(api)


def _add_serve(commands: argparse._SubParsersAction[_Parser]) -> None:
    serve = commands.add_parser(
        "serve",
        help="the console in a browser",
        description="Serve the console to browsers until Ctrl-C. Each that opens it has a console of its own, which "
        "can only look unless --writable is given. There is no password. Needs the extra `web`.",
        parents=[_common(argparse.SUPPRESS)],
    )
    serve.set_defaults(command="serve")
    serve.add_argument("--host", metavar="ADDRESS", default="127.0.0.1", help="the address to listen on (%(default)s)")
    serve.add_argument("--port", type=int, metavar="PORT", default=8001, help="the port to listen on (%(default)s)")
    serve.add_argument("--writable", action="store_true", help="let browsers ask for jobs and change them")


def _add_completion(commands: argparse._SubParsersAction[_Parser]) -> None:
    completion = commands.add_parser(
        "completion",
        help="completion of commands and options in your shell",
        description="Print what makes the shell complete commands, options and files with the tabulator key.",
        parents=[_common(argparse.SUPPRESS)],
    )
    completion.set_defaults(command="completion")
    completion.add_argument("shell", choices=("bash", "zsh", "fish"), metavar="{bash,zsh,fish}", help="your shell")


def _add_watch(commands: argparse._SubParsersAction[_Parser]) -> None:
    watch = commands.add_parser(
        "watch",
        help="the engine without a screen, until stopped",
        description="Make rounds every interval and with every block, work on jobs, and make a backup a day, until "
        "SIGTERM or Ctrl-C. SIGHUP: read the configuration again. There is one for a store. Exit code 0: ended as "
        "told; 1: another one runs.",
        parents=[_common(argparse.SUPPRESS)],
    )
    watch.set_defaults(command="watch")
    watch.add_argument("--network", metavar="NAME", help="the network that the node must be on (what it says)")


_SERVICE_HELP = """Print the systemd units, or write them and say what to run. Without --timer: one for watch, one for
the API; with it, timers that run analyze and backup take the place of watch. A unit that was changed by hand stays,
unless --force is given. Nothing is run."""


def _add_service(commands: argparse._SubParsersAction[_Parser]) -> None:
    service = commands.add_parser(
        "service",
        help="systemd units",
        description=_SERVICE_HELP,
        parents=[_common(argparse.SUPPRESS)],
    )
    service.set_defaults(command="service")
    service.add_argument(
        "service_command",
        choices=("print", "install"),
        metavar="{print,install}",
        help="print: show them; install: write them where systemd looks for them",
    )
    service.add_argument("--user", action="store_true", help="for your own systemd, not for that of the machine")
    service.add_argument("--timer", action="store_true", help="timers for analyze and backup in place of watch")
    service.add_argument("--force", action="store_true", help="replace units that were changed by hand as well")
    service.add_argument("--network", metavar="NAME", help="the network that the node must be on (what it says)")


def _add_demo(commands: argparse._SubParsersAction[_Parser]) -> None:
    demo = commands.add_parser(
        "demo",
        help="the console on a simulated node",
        description="The console on a simulated node host, which needs nothing else; or that host alone.",
        parents=[_common(argparse.SUPPRESS)],
    )
    demo.set_defaults(command="demo")
    add_options(demo)
