"""Who may ask a node: passwords, cookies that change, refusals, and nothing of it ever shown."""

from __future__ import annotations

import logging
import traceback
from base64 import b64encode
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType

import pytest

from tests.support.node_client import BLOCK_113, PASSWORD, asked_for, node_at, result
from tests.support.scripted_http import (
    Answer,
    Cut,
    Json,
    Request,
    Reset,
    Script,
    ScriptedServer,
    Silence,
    Step,
    recorded,
)
from utxoracle_tui.config.redaction import Secret
from utxoracle_tui.errors import Exit
from utxoracle_tui.sources import node_errors
from utxoracle_tui.sources.http import host_of, redact_url
from utxoracle_tui.sources.node_access import NodeAccess

OLD_COOKIE, NEW_COOKIE = "0badc0de" * 8, "c0ffee00" * 8


def write_cookie(folder: Path, secret: str) -> Path:
    path = folder / ".cookie"
    path.write_text(f"__cookie__:{secret}", encoding="utf-8")
    return path


def only_with(secret: str) -> Script:
    """A node that accepts one cookie."""

    def script(request: Request) -> Answer:
        if request.body and request.credentials != f"__cookie__:{secret}":
            return recorded("http_401_stale_cookie").answer()
        return result(request, 84) if request.body else recorded("rest_block_bin").answer()

    return script


async def test_user_and_password_come_before_the_cookie(server: ScriptedServer, tmp_path: Path) -> None:
    server.script = lambda request: recorded("rpcauth_ok").answer(request)
    cookie = write_cookie(tmp_path, OLD_COOKIE)
    async with node_at(server, cookie_path=cookie, user="bob", password=Secret("pass:word ü")) as node:
        assert await node.uptime_s() == 116
    assert server.requests[0].credentials == "bob:pass:word ü"


async def test_a_wrong_password_is_sent_once(server: ScriptedServer) -> None:
    server.script = [recorded("http_401_wrong_password").answer()]
    async with node_at(server) as node:
        with pytest.raises(node_errors.WrongPassword) as caught:
            await node.uptime_s()
    assert len(server.requests) == 1
    assert caught.value.message == (
        f"Bitcoin Core at {server.host} does not accept the user and password. "
        "Compare them with rpcuser and rpcpassword, or rpcauth, in its bitcoin.conf."
    )
    assert (caught.value.kind, caught.value.exit_code) == ("wrong_password", Exit.UNREACHABLE)


async def test_the_cookie_is_read_once_a_session_and_again_after_a_401(server: ScriptedServer, tmp_path: Path) -> None:
    cookie = write_cookie(tmp_path, OLD_COOKIE)
    async with node_at(server, cookie_path=cookie) as node:
        server.script = only_with(OLD_COOKIE)
        await node.uptime_s()
        write_cookie(tmp_path, NEW_COOKIE)
        await node.uptime_s()
        server.script = only_with(NEW_COOKIE)
        assert await node.uptime_s() == 84
        assert await node.uptime_s() == 84
    sent = [(request.credentials or "").removeprefix("__cookie__:") for request in server.requests]
    assert sent == [OLD_COOKIE, OLD_COOKIE, OLD_COOKIE, NEW_COOKIE, NEW_COOKIE]


async def test_a_cookie_that_stays_refused(server: ScriptedServer, tmp_path: Path) -> None:
    cookie = write_cookie(tmp_path, OLD_COOKIE)
    server.script = only_with(NEW_COOKIE)
    async with node_at(server, cookie_path=cookie) as node:
        with pytest.raises(node_errors.WrongPassword) as caught:
            await node.uptime_s()
        assert len(server.requests) == 1
        write_cookie(tmp_path, "also wrong")
        with pytest.raises(node_errors.WrongPassword):
            await node.uptime_s()
        assert len(server.requests) == 2
        write_cookie(tmp_path, NEW_COOKIE)
        assert await node.uptime_s() == 84
    assert caught.value.message == (
        f"Bitcoin Core at {server.host} does not accept the cookie in {cookie}. The file was read again, which did not "
        "help. Check that it is the cookie of this node: its datadir, and the folder of its network."
    )


async def test_a_missing_cookie_means_a_node_that_is_down(server: ScriptedServer, tmp_path: Path) -> None:
    server.script = only_with(NEW_COOKIE)
    async with node_at(server, cookie_path=tmp_path / "nowhere" / ".cookie") as node:
        with pytest.raises(node_errors.NodeUnreachable) as caught:
            await node.uptime_s()
    assert isinstance(caught.value, node_errors.CookieMissing)
    assert (caught.value.kind, caught.value.exit_code) == ("node_unreachable", Exit.UNREACHABLE)
    assert caught.value.message.startswith(
        f"Bitcoin Core at {server.host} seems to be down or only starting: there is no cookie file "
        f"{tmp_path / 'nowhere' / '.cookie'}. It is looked for again with the next request. Start the node, or check"
    )
    assert server.requests == []
    async with node_at(server, cookie_path=tmp_path / ".cookie") as node:
        with pytest.raises(node_errors.CookieMissing):
            await node.uptime_s()
        write_cookie(tmp_path, NEW_COOKIE)
        assert await node.uptime_s() == 84


@pytest.mark.parametrize("content", [b"", b"nonsense", b":", b"user:", b"\xff\xfe:x", b"a:b\nc:d"])
async def test_a_cookie_file_that_holds_none(server: ScriptedServer, tmp_path: Path, content: bytes) -> None:
    (tmp_path / ".cookie").write_bytes(content)
    async with node_at(server, cookie_path=tmp_path / ".cookie") as node:
        with pytest.raises(node_errors.CookieUnreadable) as caught:
            await node.uptime_s()
    assert str(tmp_path / ".cookie") in caught.value.message
    assert (caught.value.kind, caught.value.exit_code) == ("cookie_unreadable", Exit.UNREACHABLE)


async def test_a_cookie_file_that_may_not_be_read(server: ScriptedServer, tmp_path: Path) -> None:
    async with node_at(server, cookie_path=tmp_path) as node:
        with pytest.raises(node_errors.CookieUnreadable) as caught:
            await node.uptime_s()
    assert caught.value.message == (
        f"The cookie file {tmp_path} of Bitcoin Core at {server.host} can't be used: Is a directory. "
        "Give this user the right to read it (rpccookieperms=group), or set user and password."
    )


async def test_no_credentials_at_all(server: ScriptedServer) -> None:
    async with node_at(server, cookie_path=None) as node:
        with pytest.raises(node_errors.NoCredentials) as caught:
            await node.uptime_s()
    assert caught.value.exit_code is Exit.USAGE
    assert server.host in caught.value.message


async def test_a_method_that_is_not_whitelisted(server: ScriptedServer) -> None:
    def whitelist(request: Request) -> Answer:
        if request.rpc_method == "getnetworkinfo":
            return recorded("http_403_whitelist").answer()
        return recorded("whitelist_ok").answer(request)

    server.script = whitelist
    async with node_at(server) as node:
        with pytest.raises(node_errors.Forbidden) as unsure:
            await node.network_info()
        assert await node.uptime_s() == 116
        with pytest.raises(node_errors.Forbidden) as sure:
            await node.network_info()
    assert unsure.value.message == (
        f"Bitcoin Core at {server.host} forbids getnetworkinfo, to this user or to this machine. Add this machine's "
        "address to rpcallowip in its bitcoin.conf. If it has an rpcwhitelist, add getnetworkinfo to this user's."
    )
    assert sure.value.message == (
        f"Bitcoin Core at {server.host} does not allow this user getnetworkinfo. "
        "Add getnetworkinfo to this user's rpcwhitelist in its bitcoin.conf."
    )
    assert (sure.value.kind, sure.value.exit_code) == ("forbidden", Exit.UNREACHABLE)


async def test_a_machine_that_is_not_allowed(server: ScriptedServer) -> None:
    server.script = lambda request: Answer(403)
    async with node_at(server) as node:
        with pytest.raises(node_errors.Forbidden) as caught:
            await node.raw_block(BLOCK_113)
    assert caught.value.message == (
        f"Bitcoin Core at {server.host} does not allow requests from this machine. "
        "Add this machine's address to rpcallowip in its bitcoin.conf."
    )


async def test_proxies_of_the_environment_are_ignored(server: ScriptedServer, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    monkeypatch.delenv("NO_PROXY", raising=False)
    server.script = lambda request: recorded("uptime").answer(request)
    async with node_at(server) as node:
        assert await node.uptime_s() == 84
    assert server.requests[0].path == "/"


async def test_a_redirection_is_not_followed(server: ScriptedServer) -> None:
    server.script = lambda request: Answer(307, headers=(("Location", server.url + "/elsewhere"),))
    async with node_at(server) as node:
        with pytest.raises(node_errors.NodeNonsense, match=r"is empty \(HTTP 307\)"):
            await node.uptime_s()
    assert len(server.requests) == 1


@pytest.mark.parametrize(
    "url",
    [
        f"http://operator:{PASSWORD}@127.0.0.1:8332",
        f"http://{PASSWORD}@127.0.0.1:8332",
        "127.0.0.1:8332",
        "ftp://127.0.0.1",
        "http://",
        "http://127.0.0.1:99999",
        "http://127.0.0.1:8332/?a=b",
        "http://" + "a" * 70 + ".example",
    ],
)
def test_urls_that_can_not_be_used(url: str) -> None:
    with pytest.raises(ValueError, match="URL of a node") as caught:
        NodeAccess(url)
    assert PASSWORD not in str(caught.value)


def test_hosts_and_urls_without_credentials() -> None:
    assert NodeAccess("http://[::1]:8332/").host == "[::1]:8332"
    assert host_of(f"http://operator:{PASSWORD}@node.lan:8332/path") == "node.lan:8332"
    assert redact_url(f"https://operator:{PASSWORD}@node.lan/path?token={PASSWORD}#x") == "https://***@node.lan/path"
    assert redact_url("http://node.lan:8332/path") == "http://node.lan:8332/path"


def test_a_secret_shows_itself_only_when_asked() -> None:
    secret = Secret(PASSWORD)
    access = NodeAccess("http://127.0.0.1:8332", user="operator", password=secret)
    for text in (repr(secret), str(secret), f"{secret}", repr(access), str(access), repr([secret])):
        assert PASSWORD not in text
    assert secret.reveal() == PASSWORD
    assert secret == Secret(PASSWORD) != Secret("another")
    assert hash(secret) == hash(Secret(PASSWORD))


def frames_of(error: BaseException) -> Iterator[TracebackType]:
    """The frames of an error and of all errors that it hangs together with."""
    trace = error.__traceback__
    while trace is not None:
        yield trace
        trace = trace.tb_next
    for other in (error.__cause__, error.__context__):
        if other is not None:
            yield from frames_of(other)


STEPS: list[Step] = [
    Answer(401),
    Answer(403),
    Answer(503, b"Work queue depth exceeded"),
    Answer(503, "Service temporarily unavailable: Loading block index…\r\n".encode()),
    Answer(503, b"<html>"),
    Answer(200, b"<html>"),
    Answer(500, b'{"result":null,"error":{"code":-8,"message":"x"},"id":null}'),
    Cut(),
    Cut(b"garbage\r\n\r\n"),
    Cut(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nonly this"),
    Reset(),
    Silence(),
]


@pytest.mark.parametrize("step", STEPS, ids=range(len(STEPS)))
@pytest.mark.parametrize("by_cookie", [False, True])
async def test_secrets_are_in_no_error_log_or_traceback(
    server: ScriptedServer, tmp_path: Path, caplog: pytest.LogCaptureFixture, step: Step, by_cookie: bool
) -> None:
    caplog.set_level(logging.DEBUG)
    secret = NEW_COOKIE if by_cookie else PASSWORD
    pair = f"{'__cookie__' if by_cookie else 'operator'}:{secret}"
    access: dict[str, Json] = {"cookie_path": write_cookie(tmp_path, secret)} if by_cookie else {}
    hidden = [secret, b64encode(pair.encode()).decode()]
    server.script = lambda request: step
    async with node_at(server, read_timeout_s=0.05, **access) as node:
        with pytest.raises(node_errors.NodeError) as caught:
            await node.uptime_s()
    assert server.requests[0].credentials == pair
    error = caught.value
    shown = [str(error), repr(error), repr(error.args), repr(vars(error)), caplog.text]
    shown += traceback.format_exception(error)
    own = [trace for trace in frames_of(error) if trace.tb_frame.f_code.co_filename != __file__]
    assert not [trace for trace in own if "httpx" in trace.tb_frame.f_code.co_filename]
    shown += [repr(value) for trace in own for value in trace.tb_frame.f_locals.values()]
    for text in shown:
        assert not any(secret_text in text for secret_text in hidden)


async def test_nothing_is_asked_before_there_are_credentials(server: ScriptedServer) -> None:
    server.script = lambda request: recorded("rest_block_bin").answer()
    async with node_at(server, cookie_path=None) as node:
        await node.raw_block(BLOCK_113)
    assert asked_for(server.requests) == [f"/rest/block/{BLOCK_113}.bin"]
