"""electrs's metrics and REST over real sockets: what they say, and everything else that may answer there."""

from __future__ import annotations

import asyncio

import pytest

from tests.support.scripted_http import Answer, Cut, Reset, ScriptedServer, Silence, Step
from utxoracle_tui.errors import Exit
from utxoracle_tui.sources import electrs_errors
from utxoracle_tui.sources.electrs import Electrs, ElectrsAccess
from utxoracle_tui.sources.electrs_metrics import NoMetrics, RpcTotals, read_page

PAGE = """# HELP daemon_rpc Bitcoind RPC latency (in seconds)
# TYPE daemon_rpc histogram
daemon_rpc_bucket{method="getblockchaininfo",le="0.005"} 2
daemon_rpc_bucket{method="getblockchaininfo",le="+Inf"} 2
daemon_rpc_sum{method="getblockchaininfo"} 0.004
daemon_rpc_count{method="getblockchaininfo"} 2
# HELP index_duration Index update duration (in seconds)
# TYPE index_duration histogram
index_duration_bucket{step="add_process",le="+Inf"} 412
index_duration_sum{step="add_process"} 153.2
index_duration_count{step="add_process"} 412
index_duration_bucket{step="add_write",le="+Inf"} 412
index_duration_sum{step="add_write"} 611.9
index_duration_count{step="add_write"} 412
# HELP process_cpu_usage CPU usage by this process [seconds]
# TYPE process_cpu_usage gauge
process_cpu_usage{type="utime"} 1201.53
# HELP process_fs_fds # of file descriptors
# TYPE process_fs_fds gauge
process_fs_fds 431
# HELP process_memory_rss Resident memory size [bytes]
# TYPE process_memory_rss gauge
process_memory_rss 3221225472
# HELP tip_height Current chain tip height
# TYPE tip_height gauge
tip_height 0
"""
"""A page early in the first pass."""
SERVING = """# TYPE electrum_clients gauge
electrum_clients 0
# TYPE mempool_count gauge
mempool_count{type="txs"} 84121
# TYPE tip_height gauge
tip_height 921456
# TYPE index_duration histogram
index_duration_bucket{step="index_process",le="+Inf"} 4900
index_duration_sum{step="index_process"} 90.5
index_duration_count{step="index_process"} 4900
"""


def page(text: str) -> Answer:
    return Answer(200, text.encode(), (("Content-Length", "0"),))


def at(server: ScriptedServer, timeout_s: float = 5.0) -> Electrs:
    return Electrs(ElectrsAccess(server.url, server.url, timeout_s=timeout_s))


async def test_a_page_of_metrics(server: ScriptedServer) -> None:
    server.script = [page(PAGE), page(SERVING), page("")]
    async with at(server) as electrs:
        early, late, first = await electrs.metrics(), await electrs.metrics(), await electrs.metrics()
    assert (early.cpu_s, early.memory_bytes, early.open_files, early.tip_height) == (1201.53, 3_221_225_472, 431, 0)
    assert dict(early.steps) == {"add_process": 412, "add_write": 412}
    assert dict(early.rpc) == {"getblockchaininfo": RpcTotals(2, 0.004)}
    assert (early.serving, early.mempool_txs) == (False, None)
    assert early.latency_s > 0
    assert (late.serving, late.mempool_txs, late.tip_height) == (True, 84_121, 921_456)
    assert late.steps["index_process"] == 4900
    assert (first.cpu_s, first.tip_height, dict(first.steps), dict(first.rpc)) == (None, None, {}, {})
    assert server.connections == 3, "the metrics server has one thread, which a kept connection would hold"
    assert server.requests[0].method == "GET"


async def test_the_height_of_rest(server: ScriptedServer) -> None:
    version = (("X-Powered-By", "mempool-electrs 3.1.0-dev-80758ea"), ("Content-Type", "text/plain"))
    server.script = [Answer(200, b"921456", version), Answer(200, b"921457", ())]
    async with at(server) as electrs:
        first, second = await electrs.tip(), await electrs.tip()
    assert (first.height, first.version) == (921_456, "mempool-electrs 3.1.0-dev-80758ea")
    assert (second.height, second.version) == (921_457, None)
    assert server.requests[0].path == "/blocks/tip/height"
    assert server.connections == 1


async def test_closed_ports(server: ScriptedServer) -> None:
    await server.stop()
    async with at(server) as electrs:
        with pytest.raises(electrs_errors.ElectrsClosed) as metrics:
            await electrs.metrics()
        with pytest.raises(electrs_errors.ElectrsClosed) as rest:
            await electrs.tip()
    assert metrics.value.message == (
        f"Nothing answers at {server.host}, the address of electrs's metrics: the connection is refused. It is asked "
        "again soon. electrs opens it in its first second: it isn't running, or listens elsewhere (--monitoring-addr)."
    )
    assert rest.value.message == (
        f"Nothing answers at {server.host}, the address of electrs's REST: the connection is refused. It is asked "
        "again soon. electrs opens it only when its whole first sync is done; until then this is no fault."
    )
    assert (rest.value.kind, rest.value.exit_code, rest.value.host) == ("electrs_closed", Exit.UNREACHABLE, server.host)


@pytest.mark.parametrize("step", [Silence(), Silence(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\ntip_")])
async def test_ports_that_hang(server: ScriptedServer, step: Step) -> None:
    server.script = [step]
    async with at(server, timeout_s=0.1) as electrs:
        with pytest.raises(electrs_errors.ElectrsHanging) as caught:
            await electrs.metrics()
    assert caught.value.message == (
        f"The port of electrs's metrics at {server.host} took the question and has not answered within 0.1 s. It is "
        "asked again soon. The machine may be overloaded, or electrs frozen; that alone is no proof that it is stuck."
    )


async def test_a_reply_that_drips_does_not_hold_up_for_ever(server: ScriptedServer) -> None:
    given_up, ended = asyncio.Event(), asyncio.Event()

    async def drip(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(1)
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n")
        while not given_up.is_set():
            writer.write(b"#")
            await asyncio.sleep(0.02)
        writer.transport.abort()
        ended.set()

    await server.stop()
    slow = await asyncio.start_server(drip, "127.0.0.1", server.port)
    async with slow, at(server, timeout_s=0.2) as electrs:
        with pytest.raises(electrs_errors.ElectrsHanging):
            await electrs.metrics()
        given_up.set()
        await ended.wait()


@pytest.mark.parametrize(
    ("answer", "fault"),
    [
        (Answer(200, b"<!doctype html><title>Grafana</title>"), "is a web page, not metrics"),
        (Answer(404, b"not found"), "has the status 404"),
        (Answer(302, b""), "has the status 302"),
        (Answer(200, b"{}"), "is not metrics"),
        (Answer(200, b"tip_height nine"), "is not metrics"),
        (Answer(200, b"\xff\xfe"), "is not UTF-8"),
        (Answer(200, b"# TYPE node_load1 gauge\nnode_load1 0.5\n"), "has the metrics of another program"),
        (Answer(200, b"# x\n" * 1_200_000), "is too big (more than 4,194,304 bytes)"),
        (Cut(b"SSH-2.0-OpenSSH_9.6\r\n\r\n"), "is not HTTP"),
    ],
)
async def test_other_programs_where_the_metrics_should_be(server: ScriptedServer, answer: Step, fault: str) -> None:
    server.script = [answer]
    async with at(server) as electrs:
        with pytest.raises(electrs_errors.NotElectrs) as caught:
            await electrs.metrics()
    assert caught.value.message == (
        f"What answers at {server.host} is not electrs's metrics: the reply {fault}. It is asked again soon. Compare "
        "the address with electrs's --monitoring-addr."
    )


@pytest.mark.parametrize(
    ("answer", "fault"),
    [
        (Answer(200, b"<html>Grafana</html>"), "is a web page"),
        (Answer(404, b'endpoint does not exist "/blocks/tip/height"'), "has the status 404"),
        (Answer(200, b"-1"), "is no height"),
        (Answer(200, b"9" * 30), "is no height"),
        (Answer(200, "٣".encode()), "is no height"),
        (Answer(200, b""), "is no height"),
        (Answer(200, b"\xff\xfe"), "is no height"),
        (Answer(200, b"9" * 5_000_000), "is too big"),
    ],
)
async def test_other_programs_where_rest_should_be(server: ScriptedServer, answer: Step, fault: str) -> None:
    server.script = [answer]
    async with at(server) as electrs:
        with pytest.raises(electrs_errors.NotElectrs, match=fault):
            await electrs.tip()


@pytest.mark.parametrize("step", [Reset(), Cut(), Reset(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n9")])
async def test_connections_that_break(server: ScriptedServer, step: Step) -> None:
    server.script = [step]
    async with at(server) as electrs:
        with pytest.raises(electrs_errors.ElectrsUnreachable, match="closed the connection in the middle"):
            await electrs.tip()


async def test_a_name_that_nobody_knows() -> None:
    access = ElectrsAccess(metrics_url="http://no-such-electrs.invalid:4224")
    async with Electrs(access) as electrs:
        with pytest.raises(electrs_errors.ElectrsUnreachable, match=r"The name of no-such-electrs\.invalid"):
            await electrs.metrics()


async def test_proxies_of_the_environment_are_not_asked(
    server: ScriptedServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    server.script = [Answer(200, b"7")]
    async with at(server) as electrs:
        assert (await electrs.tip()).height == 7


@pytest.mark.parametrize(
    "url",
    ["http://user:secret@127.0.0.1:3000", "ftp://127.0.0.1", "127.0.0.1:3000", "http://127.0.0.1:99999", "http://"],
)
def test_addresses_that_can_not_be_used(url: str) -> None:
    with pytest.raises(ValueError, match=r"URL of electrs") as caught:
        ElectrsAccess(rest_url=url)
    assert "secret" not in str(caught.value)


async def test_an_address_that_was_not_given() -> None:
    async with Electrs(ElectrsAccess()) as electrs:
        with pytest.raises(ValueError, match="no address for electrs's metrics"):
            await electrs.metrics()


@pytest.mark.parametrize(
    "text",
    [
        "tip_height NaN\n",
        "tip_height +Inf\n",
        "process_cpu_usage 5\n",
        '# TYPE daemon_rpc histogram\ndaemon_rpc_count{method="x"} 2\n',
    ],
)
def test_figures_that_are_none(text: str) -> None:
    try:
        found = read_page(text.encode(), 0.0, 0.0)
    except NoMetrics:
        return
    assert found.tip_height is None
    assert found.cpu_s is None
