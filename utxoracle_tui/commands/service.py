"""`utxoracle-tui service`: systemd units, printed or written. Nothing is run, and systemd is told nothing."""

from __future__ import annotations

import argparse
import difflib
import getpass
import importlib.util
import os
import shutil
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from utxoracle_tui import durable
from utxoracle_tui.commands.running import tell
from utxoracle_tui.config.inputs import Flags
from utxoracle_tui.config.load import Loaded, load
from utxoracle_tui.config.paths import cache_dir, data_dir, state_dir
from utxoracle_tui.config.provenance import Source
from utxoracle_tui.config.schema import schema
from utxoracle_tui.errors import Exit, OperatorError
from utxoracle_tui.serve import systemd_units
from utxoracle_tui.serve.systemd_units import API, PREFIX, Place, UnitFile, find_node_unit, is_as_written, units

_UNIT_MODE = 0o644
_FOLDER_VARIABLES = tuple(f"XDG_{kind}_HOME" for kind in ("CACHE", "CONFIG", "DATA", "STATE"))
_ROOT = "root"


def run(arguments: argparse.Namespace) -> Exit:
    """Print the units, or write them and print what the operator is to run."""
    account = _account(for_user=arguments.user)
    loaded = load(Flags.of(arguments), os.environ, Path.cwd())
    place = _place(arguments, loaded, account)
    folder = _user_folder() if arguments.user else systemd_units.SYSTEM_FOLDER
    found = units(place, timer=arguments.timer)
    _tell_of_variables(loaded)
    if arguments.service_command == "print":
        for unit in found:
            sys.stdout.write(f"# {folder / unit.name}\n{unit.text}\n")
        return Exit.DONE
    _install(found, folder, place, force=arguments.force)
    return Exit.DONE


def _account(*, for_user: bool) -> str:
    """Who the program is to run as: the operator, also where the command is run by sudo.

    Its folders are those of that account then, and so this process takes its home for its own.
    """
    behind = os.environ.get("SUDO_USER")
    if os.name != "posix" or os.geteuid() != 0 or behind in (None, _ROOT):
        return getpass.getuser()
    assert behind is not None
    if for_user:
        raise OperatorError("usage", "Units with --user are your own: run this without sudo.", Exit.USAGE)
    import pwd  # noqa: PLC0415  (other platforms don't have it)

    try:
        os.environ["HOME"] = pwd.getpwnam(behind).pw_dir
    except KeyError:
        raise OperatorError("no_account", f"There is no account {behind}, as SUDO_USER has it.", Exit.USAGE) from None
    for name in _FOLDER_VARIABLES:
        os.environ.pop(name, None)
    return behind


def _place(arguments: argparse.Namespace, loaded: Loaded, account: str) -> Place:
    settings = loaded.settings
    chosen = settings.store.data_dir
    dotenv = next((value.origin for value in loaded.values.values() if value.origin.source is Source.DOTENV), None)
    node_folders = (_user_folder(),) if arguments.user else systemd_units.UNIT_FOLDERS
    return Place(
        command=(*_program(), *_options(arguments)),
        writable=(data_dir(chosen),) if chosen else (data_dir(None), state_dir(None), cache_dir(None)),
        for_user=arguments.user,
        account=account,
        interval_minutes=settings.rounds.interval_minutes,
        workers=max(1, (os.cpu_count() or 1) - 1),
        node_unit=find_node_unit(node_folders),
        working_folder=Path(dotenv.place).parent if dotenv is not None else None,
        variables=_variables(arguments.network),
    )


def _variables(network: str | None) -> dict[str, str]:
    """What the service needs of the shell's variables, and the network, for which not every command has a flag."""
    found = {name: os.environ[name] for name in _FOLDER_VARIABLES if os.environ.get(name)}
    return found | ({schema()["node.network"].variable: network} if network is not None else {})


def _program() -> tuple[str, ...]:
    """The program that runs now, by an absolute path."""
    given = Path(sys.argv[0])
    if given.stem == PREFIX and given.is_file() and os.access(given, os.X_OK):
        return (str(given.absolute()),)
    return (sys.executable, "-m", "utxoracle_tui")


def _options(arguments: argparse.Namespace) -> Iterable[str]:
    for flag, path in (("--config", arguments.config), ("--data-dir", arguments.data_dir)):
        if path is not None:
            yield from (flag, str(Path.cwd() / path.expanduser()))


def _user_folder() -> Path:
    """Where one user's units lie: systemd.unit(5)."""
    named = Path(os.environ.get("XDG_CONFIG_HOME") or "~/.config").expanduser()
    # what is not absolute is not valid: XDG Base Directory Specification
    return (named if named.is_absolute() else Path.home() / ".config") / "systemd" / "user"


def _tell_of_variables(loaded: Loaded) -> None:
    """A service has none of the variables of a shell."""
    names = [value.origin.place for value in loaded.values.values() if value.origin.source is Source.ENVIRONMENT]
    if names:
        tell(
            f"The service won't have these variables of your shell: {', '.join(sorted(set(names)))}. Write what they "
            "set into the configuration file."
        )


def _install(found: tuple[UnitFile, ...], folder: Path, place: Place, *, force: bool) -> None:
    with _writing(folder, for_user=place.for_user):
        before = {unit.name: _text_of(folder / unit.name) for unit in found}
        if not force:
            _refuse_changed(found, before, folder)
        folder.mkdir(parents=True, exist_ok=True)
        for unit in found:
            if before[unit.name] == unit.text:
                sys.stdout.write(f"unchanged {folder / unit.name}\n")
                continue
            _write(folder / unit.name, unit.text)
            sys.stdout.write(f"wrote     {folder / unit.name}\n")
    for path in place.writable:
        with _writing(path, for_user=place.for_user):
            _make_folder(path, place.account)
    replaced = [unit.name for unit in found if before[unit.name] not in (None, unit.text)]
    sys.stdout.write("".join(f"{line}\n" for line in _to_run(found, folder, replaced, place)))
    if importlib.util.find_spec("fastapi") is None:
        tell("The REST API needs packages that are not installed; `utxoracle-tui api` says which.")


@contextmanager
def _writing(path: Path, *, for_user: bool) -> Iterator[None]:
    try:
        yield
    except PermissionError:
        what = "" if for_user else " Run this with sudo, or write units of your own with --user."
        message = f"This user may not write to {path}.{what}"
        raise OperatorError("no_permission", message, Exit.FAILED) from None
    except OSError as error:
        message = f"{error.filename or path} could not be written: {error.strerror or error}."
        raise OperatorError("unit_not_written", message, Exit.FAILED) from None


def _text_of(path: Path) -> str | None:
    """What stands in a unit's file; None where there is none."""
    try:
        return path.read_text(encoding="utf-8", errors="replace")
    except FileNotFoundError:
        return None


def _refuse_changed(found: tuple[UnitFile, ...], before: dict[str, str | None], folder: Path) -> None:
    """Raise `OperatorError` where a unit is not as this program wrote it; nothing is written then."""
    places = []
    for unit in found:
        text = before[unit.name]
        if text is None or text == unit.text or is_as_written(text):
            continue
        places.append(f"{folder / unit.name} ({_where(text, unit.text)})")
    if places:
        raise OperatorError(
            "unit_changed",
            f"Changed by hand, and so left alone: {'; '.join(places)}. Nothing was written. See what would be there "
            "with `service print`; replace them with --force.",
            Exit.FAILED,
        )


def _where(text: str, wanted: str) -> str:
    """The lines of a text that are not as wanted; the first one, which seals it, isn't what anybody has changed."""
    ours, theirs = text.splitlines(), wanted.splitlines()
    numbers: list[int] = []
    matcher = difflib.SequenceMatcher(None, ours, theirs, autojunk=False)
    for kind, first, last, _, _ in matcher.get_opcodes():
        if kind != "equal":
            numbers += range(first + 1, max(last, first + 1) + 1)
    named = [str(min(number, len(ours))) for number in numbers if number > 1]
    return f"line {', '.join(dict.fromkeys(named))}" if named and ours else "all of it"


def _write(path: Path, text: str) -> None:
    temporary = durable.temporary_beside(path)
    try:
        temporary.write_text(text, encoding="utf-8")
        temporary.chmod(_UNIT_MODE)
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def _make_folder(path: Path, account: str) -> None:
    """Make a folder that the service writes to, as its account's own: systemd starts nothing that can't have it."""
    missing = [each for each in (path, *path.parents) if not each.exists()]
    durable.private_folder(path)
    if account != getpass.getuser():
        for each in missing:
            shutil.chown(each, account)


def _to_run(found: tuple[UnitFile, ...], folder: Path, replaced: list[str], place: Place) -> Iterator[str]:
    """What the operator is to run, a command a line."""
    sudo = "" if place.for_user or "SUDO_USER" not in os.environ else "sudo "
    systemctl = f"{sudo}systemctl{' --user' if place.for_user else ''}"
    names = [unit.name for unit in found if unit.is_enabled]
    yield "Now run:"
    others = [unit.name for timer in (False, True) for unit in units(place, timer=timer) if unit.is_enabled]
    gone = [name for name in others if name not in names and (folder / name).is_file()]
    if gone:
        yield f"  {systemctl} disable --now {' '.join(gone)}"
    yield f"  {systemctl} daemon-reload"
    if replaced:
        yield f"  {systemctl} try-restart {' '.join(name for name in names if name in replaced) or ' '.join(names)}"
    yield f"  {systemctl} enable --now {' '.join(name for name in names if name != f'{API}.service')}"
    if place.for_user:
        yield f"  loginctl enable-linger {place.account}"
    yield "And for the REST API:"
    yield f"  {systemctl} enable --now {API}.service"
