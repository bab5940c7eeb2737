"""The console in a browser: a page with a terminal, and behind each that is open a console of its own.

textual-serve brings the terminal and what it speaks. Who may ask, how consoles are started and how all of it ends is
here: a page of another site must not reach the console through the operator's browser.
"""

from __future__ import annotations

import asyncio
import contextlib
import ipaddress
import logging
import os
import signal
import socket
from asyncio.subprocess import PIPE, Process
from collections.abc import Mapping, Sequence
from importlib import resources
from urllib.parse import urlsplit

from aiohttp import web
from aiohttp.typedefs import Handler
from textual_serve.app_service import AppService
from textual_serve.server import Server

_END_WITHIN_S = 6.0
"""A console closes its sources at the end; what takes longer hangs."""
_DRIVER = "utxoracle_tui.ui.web_terminal:WebTerminal"
_COLUMNS, _ROWS = (20, 500), (8, 250)
_PAGE_FILES = {"page.css": "text/css", "page.js": "text/javascript"}
_HEADERS = {
    # all is served from here: nothing is fetched from elsewhere, and no other page may frame this one
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; "
    "font-src 'self'; img-src 'self' data:; connect-src 'self' ws: wss:; frame-ancestors 'none'; base-uri 'none'; "
    "form-action 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-cache",
}
_FAILED = "The console could not be started. `utxoracle-tui serve` says why, where it runs.\r\n"
_log = logging.getLogger(__name__)


class ConsoleProcess(AppService):
    """The console behind one browser."""

    def __init__(
        self, command: Sequence[str], variables: Mapping[str, str], websocket: web.WebSocketResponse, server: Server
    ) -> None:
        super().__init__(
            command[0],
            write_bytes=websocket.send_bytes,
            write_str=websocket.send_str,
            close=self._close,
            download_manager=server.download_manager,
        )
        self._words = tuple(command)
        self._variables = dict(variables)
        self._websocket = websocket
        self._has_shown = False

    async def _close(self) -> None:
        await self._websocket.close()

    async def _open_app_process(self, width: int = 80, height: int = 24) -> Process:
        environment = self._build_environment(_within(width, _COLUMNS), _within(height, _ROWS))
        # a session of its own: Ctrl-C in the terminal of the server is for the server alone
        process = await asyncio.create_subprocess_exec(
            *self._words,
            stdin=PIPE,
            stdout=PIPE,
            stderr=PIPE,
            env=environment | self._variables | {"TEXTUAL_DRIVER": _DRIVER},
            start_new_session=True,
        )
        self._process, self._stdin = process, process.stdin
        return process

    async def set_terminal_size(self, width: int, height: int) -> None:
        """Tell the console how big the browser's terminal is."""
        await super().set_terminal_size(_within(width, _COLUMNS), _within(height, _ROWS))

    async def on_data(self, payload: bytes) -> None:
        """Pass on what the console shows."""
        self._has_shown = True
        await super().on_data(payload)

    async def run(self) -> None:
        """Pass on what the console shows until it ends, and then end the connection."""
        with contextlib.suppress(ConnectionError):
            await super().run()
            if not self._has_shown:
                await self._websocket.send_bytes(_FAILED.encode())
            await self._websocket.close()

    async def stop(self) -> None:
        """End the console, and what it has started with it."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_END_WITHIN_S):
                await super().stop()
                if self._process is not None:
                    await self._process.wait()
        if self._process is not None and self._process.returncode is None:
            _log.warning("a console did not end within %g s, and was killed", _END_WITHIN_S)
            with contextlib.suppress(ProcessLookupError):
                if hasattr(os, "killpg"):
                    os.killpg(self._process.pid, signal.SIGKILL)
                else:
                    self._process.kill()
            await self._process.wait()


class WebConsole(Server):
    """The server. `command` starts a console, with `variables` over those of this process."""

    def __init__(self, command: Sequence[str], variables: Mapping[str, str], names: frozenset[str]) -> None:
        """`names` are those of this machine that browsers may call it by, besides addresses."""
        super().__init__(command[0], title="utxoracle-tui")
        self._words = tuple(command)
        self._variables = dict(variables)
        self._names = names
        self._open: set[ConsoleProcess] = set()

    async def serve_on(self, listening: socket.socket) -> None:
        """Serve until SIGTERM, SIGHUP or Ctrl-C, and end all consoles."""
        ended = asyncio.Event()
        loop = asyncio.get_running_loop()
        for name in ("SIGINT", "SIGTERM", "SIGHUP"):
            # not every platform has all of them
            with contextlib.suppress(AttributeError, NotImplementedError):
                loop.add_signal_handler(getattr(signal, name), ended.set)
        runner = web.AppRunner(await self._make_app(), access_log=None, shutdown_timeout=1.0)
        await runner.setup()
        try:
            await web.SockSite(runner, listening).start()
            await ended.wait()
        finally:
            await runner.cleanup()

    async def _make_app(self) -> web.Application:
        app = await super()._make_app()
        app.middlewares.append(self._refuse_strangers)
        app.router.add_get("/page/{name}", _page_file)
        app.on_response_prepare.append(_add_headers)
        return app

    async def on_startup(self, app: web.Application) -> None:
        """Say nothing: the command does."""

    async def on_shutdown(self, app: web.Application) -> None:
        """End all consoles."""
        await asyncio.gather(*(console.stop() for console in tuple(self._open)), return_exceptions=True)

    async def handle_index(self, request: web.Request) -> web.StreamResponse:
        """The page."""
        return _served("index.html", "text/html")

    async def handle_websocket(self, request: web.Request) -> web.WebSocketResponse:
        """A console for as long as the browser is there."""
        websocket = web.WebSocketResponse(heartbeat=15)
        await websocket.prepare(request)
        console = ConsoleProcess(self._words, self._variables, websocket, self)
        self._open.add(console)
        _log.info("a browser at %s opens a console", request.remote)
        try:
            await console.start(_number(request, "width", 80), _number(request, "height", 24))
            await self._process_messages(websocket, console)
        except (ValueError, LookupError, TypeError, AssertionError) as error:
            _log.warning("a browser sent what is no message, and was left: %s", error)
        finally:
            await console.stop()
            self._open.discard(console)
            await websocket.close()
        return websocket

    @web.middleware
    async def _refuse_strangers(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Answer only browsers that have been sent here by their user, not by the page of another site.

        A page elsewhere can open a websocket here, which carries its Origin; and it can have its own name point to
        this machine, which then is the Host.
        """
        origin = request.headers.get("Origin")
        if not self._is_ours(request.host) or (origin is not None and urlsplit(origin).netloc != request.host):
            text = "This console is opened by its address, or by a name of its machine, and not from other pages.\n"
            return web.Response(status=403, text=text)
        return await handler(request)

    def _is_ours(self, host: str) -> bool:
        try:
            name = urlsplit(f"//{host}").hostname or ""
        except ValueError:
            return False
        if name in self._names:
            return True
        try:
            ipaddress.ip_address(name)
        except ValueError:
            return False
        return True


def _within(number: int, bounds: tuple[int, int]) -> int:
    return max(bounds[0], min(bounds[1], int(number)))


def _number(request: web.Request, name: str, default: int) -> int:
    text = request.query.get(name, "")
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 6 else default


async def _page_file(request: web.Request) -> web.Response:
    name = request.match_info["name"]
    if name not in _PAGE_FILES:
        raise web.HTTPNotFound
    return _served(name, _PAGE_FILES[name])


def _served(name: str, kind: str) -> web.Response:
    text = resources.files(__package__).joinpath("page", name).read_text(encoding="utf-8")
    return web.Response(text=text, content_type=kind)


async def _add_headers(request: web.Request, response: web.StreamResponse) -> None:
    response.headers.update(_HEADERS)


def names_of_this_machine(host: str) -> frozenset[str]:
    """What browsers may call this machine: localhost, its own names, and the one that was asked for."""
    own = socket.gethostname().lower()
    short = own.partition(".")[0]
    return frozenset({"localhost", own, short, f"{short}.local", host.lower()})
