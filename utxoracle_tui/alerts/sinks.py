"""Who is told: an address that alerts are posted to, and a command that is run."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import shlex
from typing import Protocol, cast
from urllib.parse import urlsplit

import httpx

from utxoracle_tui import clock
from utxoracle_tui.alerts.payload import Shape, Told, request_of
from utxoracle_tui.config.settings import Alerts
from utxoracle_tui.sources.http import Backoff, ExchangeFailed, Failure, HttpSession, clean_text, host_of

CONNECT_S, ANSWER_S = 5.0, 10.0
COMMAND_S = 30.0
_MOST_BYTES = 1 << 16
_AGAIN = Backoff(first_s=5.0, most_s=300.0)
_FAILURES = {
    Failure.REFUSED: "refuses the connection",
    Failure.NAME: "is not a known name",
    Failure.NO_CONNECTION: "can't be reached",
    Failure.PROXY: "can't be reached through the proxy",
    Failure.TLS: "has a certificate that isn't trusted, or speaks no TLS",
    Failure.CLOSED: "closed the connection before it answered",
    Failure.SILENT: "does not answer",
    Failure.GARBLED: "does not speak HTTP",
}


class NotTold(Exception):
    """Somebody could not be told. The text is a sentence."""

    def __init__(self, sentence: str) -> None:
        super().__init__(sentence)
        self.sentence = sentence


class Sink(Protocol):
    """Somebody who is told."""

    @property
    def name(self) -> str:
        """A word for folders and for people."""

    @property
    def again(self) -> Backoff:
        """How long to wait before another try."""

    async def tell(self, told: Told) -> None:
        """Tell one thing. Raises `NotTold`."""


class Webhook:
    """An address that alerts are posted to. What it is stays out of all that is said of it, but for its host."""

    name = "webhook"
    again = _AGAIN

    def __init__(self, url: str, shape: Shape, secret: str | None, *, answer_s: float = ANSWER_S) -> None:
        self._url = url
        self._shape: Shape = shape
        self._secret = secret
        self._answer_s = answer_s

    async def tell(self, told: Told) -> None:
        """Post it; anything but 2xx is a failure. Raises `NotTold`."""
        request = request_of(told, self._shape, self._secret, clock.now_s())
        host = host_of(self._url)
        # a session a message: they are hours apart
        parts = urlsplit(self._url)
        base = f"{parts.scheme}://{parts.netloc}"
        # it reads the certificates of all authorities
        session = await asyncio.to_thread(
            HttpSession,
            base,
            connect_timeout_s=CONNECT_S,
            read_timeout_s=self._answer_s,
            keep_alive=False,
            use_proxy=True,
        )
        sentence = None
        try:
            async with asyncio.timeout(self._answer_s + CONNECT_S):
                reply = await session.exchange(
                    "POST",
                    self._url[len(base) :] or "/",
                    content=request.body,
                    headers=request.headers,
                    most_bytes=_MOST_BYTES,
                )
            if not 200 <= reply.status < 300:
                sentence = f"The webhook at {host} answers {reply.status}."
        except TimeoutError:
            sentence = f"The webhook at {host} does not answer."
        except (httpx.InvalidURL, ValueError):
            # what passes for an address elsewhere, such as http://xn--a/, and none can be sent to
            sentence = "The address in alerts.webhook_url can't be used."
        except ExchangeFailed as failed:
            sentence = f"The webhook at {host} {_FAILURES.get(failed.failure, 'could not be used')}."
        finally:
            await session.aclose()
        if sentence is not None:
            raise NotTold(sentence)


class Command:
    """A command that is run for each alert, without a shell.

    It gets the document on its standard input, and event, level, rule, message and host in its environment.
    """

    name = "command"
    again = Backoff(first_s=5.0, most_s=60.0)

    def __init__(self, line: str, *, limit_s: float = COMMAND_S) -> None:
        self._line = line
        self._limit_s = limit_s

    async def tell(self, told: Told) -> None:
        """Run it, and wait for its end. Raises `NotTold`, when it ended with anything but 0 as well."""
        try:
            words = shlex.split(self._line)
        except ValueError as error:
            raise NotTold(f"The alert command can't be read: {error}.") from None
        if not words:
            raise NotTold("The alert command is empty.")
        document = told.document()
        variables = {f"ALERT_{name.upper()}": str(document[name]) for name in _VARIABLES}
        try:
            process = await asyncio.create_subprocess_exec(
                *words,
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.DEVNULL,
                stderr=asyncio.subprocess.PIPE,
                env={**os.environ, **variables},
                start_new_session=True,
            )
        except (OSError, ValueError) as error:
            reason = error.strerror if isinstance(error, OSError) else str(error)
            raise NotTold(f"The alert command {words[0]} can't be run: {reason}.") from None
        said = await self._wait(process, json.dumps(document).encode(), words[0])
        if process.returncode:
            last = clean_text(said.decode(errors="replace").strip().rpartition("\n")[2])
            raise NotTold(f"The alert command {words[0]} ended with {process.returncode}{f': {last}' if last else ''}.")

    async def _wait(self, process: asyncio.subprocess.Process, document: bytes, name: str) -> bytes:
        try:
            async with asyncio.timeout(self._limit_s):
                _, said = await process.communicate(document)
        except TimeoutError:
            raise NotTold(f"The alert command {name} was ended after {self._limit_s:g} s.") from None
        finally:
            if process.returncode is None:
                # its children as well: it has a session of its own
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(process.pid, 9)
                await process.wait()
        return said


_VARIABLES = ("event", "level", "rule", "message", "host", "network", "time")


def sinks_of(settings: Alerts) -> list[Sink]:
    """Those that are configured."""
    found: list[Sink] = []
    if settings.webhook_url is not None:
        shape = cast("Shape", settings.webhook_shape)
        secret = settings.secret.reveal() if settings.secret is not None else None
        found.append(Webhook(settings.webhook_url.reveal(), shape, secret))
    if settings.command.strip():
        found.append(Command(settings.command))
    return found
