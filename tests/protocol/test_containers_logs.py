"""Logs as Docker sends them: recorded ones, cut everywhere; followed, broken off, and not to be had."""

from __future__ import annotations

import asyncio
import struct
from collections.abc import AsyncIterator, Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.docker import docker, engine_at, replay
from tests.support.scripted_http import Answer, Cut, Reset, Silence, Step
from tests.support.unix_server import UnixServer
from utxoracle_tui.sources.containers import DockerEngine
from utxoracle_tui.sources.containers_errors import (
    DockerDown,
    DockerError,
    DockerFailed,
    DockerHanging,
    DockerNonsense,
    LogsUnavailable,
    NoSuchContainer,
)
from utxoracle_tui.sources.containers_logs import MOST_LINE_BYTES, LogDecoder, LogLine, Stream
from utxoracle_tui.sources.http_json import GarbledBody

__all__ = ["docker"]

STARTED_NS = 1_795_342_831_642_873_776
COMPACTION_NS = 1_795_342_831_851_028_527
COMPACTION = b'DEBUG - starting full compaction on RocksDB { path: "/data/mainnet/newindex/txstore" }'
UNFRAMED_HEAD = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
STAMP = b"2026-11-22T10:20:31.642873776Z "
LATER_STAMP = b"2026-11-22T10:20:31.851028527Z "


def frame(stream: int, payload: bytes) -> bytes:
    return struct.pack(">BxxxL", stream, len(payload)) + payload


def chunked(*pieces: bytes) -> bytes:
    return b"".join(b"%x\r\n%s\r\n" % (len(piece), piece) for piece in pieces)


def decoded(pieces: Sequence[bytes], *, tty: bool = False) -> list[LogLine]:
    decoder = LogDecoder(tty=tty)
    return [line for piece in pieces for line in decoder.feed(piece)] + list(decoder.finish())


@pytest.fixture
async def engine(docker: UnixServer) -> AsyncIterator[DockerEngine]:
    async with engine_at(docker) as engine:
        yield engine


async def test_lines_with_their_times(docker: UnixServer, engine: DockerEngine) -> None:
    docker.script = [replay("logs_timestamps").answer]
    log = await engine.log("mempool-electrs", tty=False, tail=2)
    assert log.lines == (
        LogLine(Stream.STDERR, STARTED_NS, b"INFO - Tx indexing is up to height=40000"),
        LogLine(Stream.STDERR, COMPACTION_NS, COMPACTION),
    )
    assert log.latency_s > 0
    assert docker.requests[0].path == ("/containers/mempool-electrs/logs?stdout=1&stderr=1&timestamps=1&tail=2")


async def test_both_streams(docker: UnixServer, engine: DockerEngine) -> None:
    """Recorded without times."""
    docker.script = [replay("logs_since").answer]
    lines = (await engine.log("mempool-electrs", tty=False)).lines
    assert [line.stream for line in lines].count(Stream.STDERR) == len(lines) - 1 == 10
    assert lines[5] == LogLine(Stream.STDOUT, None, b"a line on stdout")
    assert lines[-1].line == COMPACTION


async def test_a_log_written_to_a_terminal(docker: UnixServer, engine: DockerEngine) -> None:
    docker.script = [replay("logs_tty_raw").answer]
    assert (await engine.log("electrs-tty", tty=True)).lines == (
        LogLine(Stream.STDOUT, None, b"INFO - Tx indexing is up to height=40000"),
        LogLine(Stream.STDOUT, None, COMPACTION),
    )


@pytest.mark.parametrize(
    ("content_type", "body", "tty"),
    [
        ("application/vnd.docker.multiplexed-stream", frame(1, STAMP + b"one\n"), True),
        ("application/vnd.docker.raw-stream", STAMP + b"one\r\n", False),
    ],
)
async def test_newer_versions_say_what_the_body_is(
    docker: UnixServer, engine: DockerEngine, content_type: str, body: bytes, tty: bool
) -> None:
    docker.script = [Answer(body=body, headers=(("Content-Type", content_type),))]
    assert (await engine.log("x1", tty=tty)).lines == (LogLine(Stream.STDOUT, STARTED_NS, b"one"),)


@pytest.mark.parametrize("name", ["logs_since", "logs_tail4", "logs_timestamps", "logs_tty_raw"])
def test_recorded_logs_cut_anywhere(name: str) -> None:
    body, tty = replay(name).body, name == "logs_tty_raw"
    whole = decoded([body], tty=tty)
    assert len(whole) >= 2
    assert decoded([body[i : i + 1] for i in range(len(body))], tty=tty) == whole
    for cut in range(len(body)):
        assert decoded([body[:cut], body[cut:]], tty=tty) == whole


LINE = st.binary(max_size=60).map(lambda line: line.replace(b"\n", b"").rstrip(b"\r"))


@given(st.data(), st.lists(st.tuples(st.sampled_from([1, 2]), LINE), max_size=12))
def test_lines_survive_frames_and_chunks(data: st.DataObject, lines: list[tuple[int, bytes]]) -> None:
    """Lines in parts over several frames, streams in turn, the whole in chunks of any size."""
    sent = bytearray()
    for stream, line in lines:
        whole = line + data.draw(st.sampled_from([b"\n", b"\r\n"]))
        cut = data.draw(st.integers(0, len(whole) - 1))
        for part in (whole[:cut], whole[cut:]):
            if part:
                sent += frame(stream, STAMP + part)
    size = data.draw(st.integers(1, 40))
    chunks = [bytes(sent[i : i + size]) for i in range(0, len(sent), size)]
    names = {1: Stream.STDOUT, 2: Stream.STDERR}
    assert decoded(chunks) == [LogLine(names[stream], STARTED_NS, line) for stream, line in lines]


def test_parts_of_both_streams_are_not_mixed() -> None:
    pieces = [
        frame(2, STAMP + b"INFO - Tx in"),
        frame(1, LATER_STAMP + b"other\n"),
        frame(2, LATER_STAMP + b"dexing\n"),
    ]
    assert decoded(pieces) == [
        LogLine(Stream.STDOUT, COMPACTION_NS, b"other"),
        LogLine(Stream.STDERR, STARTED_NS, b"INFO - Tx indexing"),
    ]


def test_several_lines_in_one_frame() -> None:
    own = b"2025-10-30T12:34:56.789+00:00 - INFO - two"
    assert decoded([frame(2, STAMP + b"one\n" + own + b"\n" + LATER_STAMP + b"three\n\nend")]) == [
        LogLine(Stream.STDERR, STARTED_NS, b"one"),
        LogLine(Stream.STDERR, STARTED_NS, own),
        LogLine(Stream.STDERR, COMPACTION_NS, b"three"),
        LogLine(Stream.STDERR, STARTED_NS, b""),
        LogLine(Stream.STDERR, STARTED_NS, b"end"),
    ]


@pytest.mark.parametrize(
    ("stamp", "time_ns"),
    [
        (b"2026-11-22T10:20:31Z ", 1_795_342_831_000_000_000),
        (b"2026-11-22T10:20:31.5Z ", 1_795_342_831_500_000_000),
        (b"2026-11-22T12:20:31.000000001+02:00 ", 1_795_342_831_000_000_001),
        (b"2026-13-22T10:20:31Z ", None),
        (b"2026-11-22 10:20:31 ", None),
    ],
)
def test_times(stamp: bytes, time_ns: int | None) -> None:
    line = b"x" if time_ns is not None else stamp + b"x"
    assert decoded([frame(1, stamp + b"x\n")]) == [LogLine(Stream.STDOUT, time_ns, line)]


@pytest.mark.parametrize("tty", [True, False])
def test_a_line_without_end_is_given_out_in_parts(tty: bool) -> None:
    pieces = [b"x" * 16_384] * 80
    lines = decoded(pieces if tty else [frame(1, piece) for piece in pieces], tty=tty)
    assert b"".join(line.line for line in lines) == b"x" * (16_384 * 80)
    assert [len(line.line) for line in lines] == [MOST_LINE_BYTES + 16_384, 16_384 * 15]


@pytest.mark.parametrize(
    "body",
    [
        b"<html>not a log</html>",
        b"INFO - a raw line\n",
        b"\x01\x00\x00\x01\x00\x00\x00\x01x",
        b"\x01\x00\x00\x00\xff\xff\xff\xffx",
        b"\x01\x00\x00\x00\x00\x00\x00\x09x",
        b"\x01\x00",
    ],
)
async def test_logs_that_are_nonsense(docker: UnixServer, engine: DockerEngine, body: bytes) -> None:
    with pytest.raises(GarbledBody):
        decoded([body])
    docker.script = [Answer(body=body, headers=())] * 2
    with pytest.raises(DockerNonsense, match=r"its reply to log of x1 (is not made of|ends in the middle of a) log"):
        await engine.log("x1", tty=False)
    with pytest.raises(DockerNonsense):
        async with engine.follow("x1", tty=False) as lines:
            [line async for line in lines]


async def test_a_web_page_is_no_log_of_a_terminal(docker: UnixServer, engine: DockerEngine) -> None:
    docker.script = [Answer(body=b"<html>", headers=(("Content-Type", "text/html; charset=utf-8"),))]
    with pytest.raises(DockerNonsense, match="is a web page, not a log"):
        await engine.log("x1", tty=True)


async def test_an_error_within_a_log(docker: UnixServer, engine: DockerEngine) -> None:
    docker.script = [Answer(body=frame(1, STAMP + b"one\n") + frame(3, b"error from daemon in stream"))]
    with pytest.raises(DockerFailed, match=r"failed at log of x1: error from daemon in stream\. Its log"):
        await engine.log("x1", tty=False)


@pytest.mark.parametrize(
    ("step", "kind", "words"),
    [
        (replay("logs_404").answer, NoSuchContainer, "has no container nosuch"),
        (
            Answer(501, b'{"message":"configured logging driver does not support reading"}'),
            LogsUnavailable,
            "can't read back the log of nosuch: configured logging driver does not support reading (HTTP 501). "
            "Give the container the log driver json-file, local or journald",
        ),
        (
            Answer(400, b'{"message":"Bad parameters"}'),
            DockerFailed,
            "failed at log of nosuch: Bad parameters (HTTP",
        ),
        (Answer(500, b"<html>"), DockerNonsense, "its reply to log of nosuch is HTTP 500 without Docker's words"),
    ],
)
async def test_logs_that_are_not_to_be_had(
    docker: UnixServer, engine: DockerEngine, step: Step, kind: type[DockerError], words: str
) -> None:
    docker.script = [step] * 2
    with pytest.raises(kind) as caught:
        await engine.log("nosuch", tty=False)
    assert words in caught.value.message
    with pytest.raises(kind):
        async with engine.follow("nosuch", tty=False):
            pass


async def test_a_log_is_followed_until_its_container_ends(docker: UnixServer, engine: DockerEngine) -> None:
    body = frame(2, STAMP + b"one\n") + frame(2, LATER_STAMP + b"two") + frame(2, LATER_STAMP + b"!\r\n")
    body += frame(1, LATER_STAMP + b"unfinished")
    pieces = chunked(*[body[i : i + 7] for i in range(0, len(body), 7)])
    docker.script = [Cut(UNFRAMED_HEAD + pieces + b"0\r\n\r\n")]
    async with engine.follow("x1", tty=False, tail=5) as lines:
        found = [line async for line in lines]
    assert [(line.time_ns, line.line) for line in found] == [
        (STARTED_NS, b"one"),
        (COMPACTION_NS, b"two!"),
        (COMPACTION_NS, b"unfinished"),
    ]
    assert docker.requests[0].path == "/containers/x1/logs?stdout=1&stderr=1&timestamps=1&tail=5&follow=1"


async def test_lines_come_as_they_are_written_and_silence_is_no_fault(docker: UnixServer) -> None:
    """The time-out for whole replies is shorter than the silence of this log."""
    docker.script = [Silence(UNFRAMED_HEAD + chunked(frame(2, STAMP + b"one\n")))]
    async with engine_at(docker, timeout_s=0.1) as engine, engine.follow("x1", tty=False) as lines:
        assert (await anext(lines)).line == b"one"
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.4):
                await anext(lines)
    await docker.until(lambda: docker.open_connections == 0)


async def test_to_leave_closes_the_connection_and_harms_no_other(docker: UnixServer, engine: DockerEngine) -> None:
    docker.script = lambda request: (
        replay("ping").answer
        if request.path == "/_ping"
        else Silence(UNFRAMED_HEAD + chunked(frame(2, STAMP + b"one\n") * 50))
    )
    async with engine.follow("x1", tty=False) as lines:
        async for line in lines:
            assert line.line == b"one"
            await engine.ping()
            break
    await docker.until(lambda: docker.open_connections == 1)
    await engine.ping()
    assert docker.connections == 2


async def test_to_go_on_neither_loses_nor_repeats(docker: UnixServer, engine: DockerEngine) -> None:
    """Docker's `since` includes the moment itself."""
    body = frame(2, STAMP + b"known\n") + frame(2, LATER_STAMP + b"new\n")
    docker.script = [Cut(UNFRAMED_HEAD + chunked(body) + b"0\r\n\r\n"), Answer(body=body, headers=())]
    async with engine.follow("x1", tty=False, since_ns=STARTED_NS) as lines:
        assert [line.line async for line in lines] == [b"new"]
    assert [line.line for line in (await engine.log("x1", tty=False, tail=9, since_ns=STARTED_NS)).lines] == [b"new"]
    assert [request.path.partition("timestamps=1")[2] for request in docker.requests] == [
        "&tail=all&since=1795342831.642873776&follow=1",
        "&tail=9&since=1795342831.642873776",
    ]


@pytest.mark.parametrize("end", [Cut, Reset])
async def test_docker_is_killed_while_its_log_is_followed(
    docker: UnixServer, engine: DockerEngine, end: type[Cut] | type[Reset]
) -> None:
    docker.script = [end(UNFRAMED_HEAD + chunked(frame(2, STAMP + b"one\n"), b"\x02\x00"))]
    async with engine.follow("x1", tty=False) as lines:
        if end is Cut:
            assert (await anext(lines)).line == b"one"
        with pytest.raises(DockerDown, match="closed the connection in the middle of log of x1"):
            while True:
                await anext(lines)


@pytest.mark.parametrize("sent", [b"", b"HTTP/1.1 500 Oops\r\nContent-Length: 50\r\n\r\n{"])
async def test_a_log_that_does_not_begin(docker: UnixServer, sent: bytes) -> None:
    docker.script = [Silence(sent)]
    async with engine_at(docker, timeout_s=0.2) as engine:
        with pytest.raises(DockerHanging):
            async with engine.follow("x1", tty=False):
                pass


async def test_the_callers_own_timeout_is_not_taken_for_dockers(docker: UnixServer, engine: DockerEngine) -> None:
    docker.script = [Silence(UNFRAMED_HEAD)]
    with pytest.raises(TimeoutError):
        async with engine.follow("x1", tty=False):
            raise TimeoutError
