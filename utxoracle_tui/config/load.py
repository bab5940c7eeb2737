"""Loading the settings: flags > environment > .env > config.toml > bitcoin.conf > defaults."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from types import MappingProxyType

from utxoracle_tui.config.file_rights import Exposed, exposures
from utxoracle_tui.config.inputs import Flags, Given, Inputs, gather
from utxoracle_tui.config.node_files import NodeFiles, discover
from utxoracle_tui.config.provenance import DEFAULT, Source, Value
from utxoracle_tui.config.redaction import redact
from utxoracle_tui.config.schema import schema, section_classes
from utxoracle_tui.config.settings import Settings
from utxoracle_tui.config.values import Unfit, convert, shown, split_credentials
from utxoracle_tui.errors import Exit, OperatorError


@dataclass(frozen=True, slots=True)
class Loaded:
    """The settings and where each comes from."""

    settings: Settings
    values: Mapping[str, Value]
    """Every setting by its key, in the order of declaration."""
    notes: tuple[str, ...]
    """Sentences about what the operator should know but needn't change."""
    node_files: NodeFiles | None
    """What the node's files say beyond the settings; None where no node on this machine is meant."""
    exposed: tuple[Exposed, ...] = ()
    """Files with a secret that other users can get at; the notes tell of them, too."""


class ConfigError(OperatorError):
    """Settings that can't be used, with all that is wrong with them."""

    def __init__(self, problems: Iterable[str], notes: Iterable[str] = ()) -> None:
        self.problems = tuple(problems)
        self.notes = tuple(notes)
        message = self.problems[0]
        if len(self.problems) > 1:
            message = "\n  ".join([f"{len(self.problems)} problems in the configuration:", *self.problems])
        super().__init__("configuration", message, Exit.USAGE)


def load(
    flags: Flags, environ: Mapping[str, str], cwd: Path, changes: Mapping[str, object | None] | None = None
) -> Loaded:
    """Read all sources and check them.

    `.env` is read from `cwd`; the platform's folders and the home folder are those of the process. With `changes` all
    is as if the configuration file had them in it already; None stands for a key that is removed.
    Raises `ConfigError` with all problems at once.
    """
    inputs = gather(flags, environ, cwd, changes)
    _split_credentials(inputs)
    chosen = _choose(inputs)
    exposed = _exposed(inputs)
    inputs.notes += [each.sentence for each in exposed]
    _prefer_cookie(chosen, inputs.notes)
    found = discover(chosen)
    values = {
        key: chosen.get(key) or found.values.get(key) or Value(setting.default, DEFAULT)
        for key, setting in schema().items()
    }
    _complete_login(values, inputs.notes)
    inputs.problems += _contradictions(values)
    notes = tuple(_sentence(note) for note in inputs.notes + found.notes)
    if inputs.problems:
        raise ConfigError(map(_sentence, inputs.problems), notes)
    return Loaded(_settings(values), MappingProxyType(values), notes, found.files, exposed)


def _split_credentials(inputs: Inputs) -> None:
    """Take `user:password@` out of the addresses that may have it, as values of their own."""
    for at, given in enumerate(inputs.given.copy()):
        setting = schema()[given.key]
        if not setting.rules.takes_credentials or not isinstance(given.raw, str):
            continue
        try:
            url, user, password = split_credentials(given.raw.strip())
        except Unfit:
            continue
        inputs.given[at] = Given(given.key, url, given.origin, given.base, given.specific)
        for name, text in (("user", user), ("password", password)):
            if text:
                inputs.given.append(Given(f"{setting.section}.{name}", text, given.origin, given.base, 2))


def _choose(inputs: Inputs) -> dict[str, Value]:
    """The value that wins for each key; a value of ours that loses is checked all the same."""
    chosen: dict[str, Value] = {}
    seen: set[str] = set()
    for given in sorted(inputs.given, key=lambda given: given.rank):
        setting = schema()[given.key]
        wins = given.key not in seen
        seen.add(given.key)
        try:
            value = convert(setting, given.raw, given.base)
        except Unfit as error:
            # a name of the earlier system may mean something else to another program
            if wins or given.specific == 0:
                inputs.problems.append(
                    f"{given.key} ({given.origin}) is {shown(setting, given.raw)}, but must be {error}."
                )
        else:
            if wins:
                chosen[given.key] = Value(value, given.origin)
    return chosen


def _prefer_cookie(chosen: dict[str, Value], notes: list[str]) -> None:
    """A cookie file outweighs a password from a weaker source; else the password is what the client uses."""
    cookie, password = chosen.get("node.cookie_file"), chosen.get("node.password")
    if cookie and password and cookie.origin.source < password.origin.source:
        del chosen["node.password"]
        chosen.pop("node.user", None)
        notes.append(f"node.cookie_file ({cookie.origin}) is used, so node.password ({password.origin}) isn't.")


def _complete_login(values: dict[str, Value], notes: list[str]) -> None:
    """A password always has a user, if only the nameless one of a bitcoin.conf without rpcuser."""
    user, password = values["node.user"], values["node.password"]
    if user.value and password.value is None:
        notes.append(f"node.user ({user.origin}) has no node.password with it and isn't used; the cookie is.")
    if password.value is not None and user.value is None:
        values["node.user"] = Value("", password.origin)
        notes.append(f"node.password ({password.origin}) has no node.user with it; the user name is empty.")


def _exposed(inputs: Inputs) -> tuple[Exposed, ...]:
    """The files with a secret in them that other users can get at."""
    with_secrets = {
        Path(given.origin.place)
        for given in inputs.given
        if schema()[given.key].secret and given.origin.source in {Source.FILE, Source.DOTENV}
    }
    return tuple(
        replace(found, fault=_sentence(found.fault), mend=_sentence(found.mend))
        # a file that is to have its first setting may not be there yet
        for path in sorted(with_secrets)
        if path.exists()
        for found in exposures(path)
    )


def _contradictions(values: Mapping[str, Value]) -> list[str]:
    low, high = values["price.min_price_usd"], values["price.max_price_usd"]
    if isinstance(low.value, float) and isinstance(high.value, float) and low.value >= high.value:
        return [
            f"price.min_price_usd ({low.origin}) is {low.value:g}, but must be less than price.max_price_usd "
            f"({high.origin}), which is {high.value:g}."
        ]
    return []


def _sentence(text: str) -> str:
    """A message fit to be shown: without secrets, and without characters that steer a terminal."""
    return "".join(character if character.isprintable() else repr(character)[1:-1] for character in redact(text))


def _settings(values: Mapping[str, Value]) -> Settings:
    sections = {
        section: section_class(
            **{setting.name: values[setting.key].value for setting in schema().values() if setting.section == section}
        )
        for section, section_class in section_classes().items()
    }
    return Settings(**sections)
