"""What a backend says of itself, and where it can be reached."""

from __future__ import annotations

import pytest

from tests.protocol.test_mempool_prices import replay
from tests.support.recordings import by_path
from tests.support.scripted_http import Answer, ScriptedServer
from utxoracle_tui.sources.mempool import MempoolBackend
from utxoracle_tui.sources.mempool_errors import BackendNonsense, BackendNotReady, NotServed
from utxoracle_tui.sources.mempool_replies import Indicator
from utxoracle_tui.sources.mempool_session import MempoolAccess


def backend_at(server: ScriptedServer) -> MempoolBackend:
    return MempoolBackend(MempoolAccess(server.url))


async def test_the_height_of_the_tip(server: ScriptedServer) -> None:
    server.script = by_path(replay("mainnet-tip_height"))
    async with backend_at(server) as backend:
        assert (await backend.tip_height()).height == 117


async def test_a_dead_node_shows_in_the_liveness_and_not_in_the_height(server: ScriptedServer) -> None:
    """Recorded of one backend at one moment: Bitcoin Core had been stopped under it."""
    server.script = by_path(replay("mainnet-core_down_tip_height"), replay("mainnet-core_down_fees"))
    async with backend_at(server) as backend:
        assert (await backend.tip_height()).height == 118
        liveness = await backend.liveness()
    assert not liveness.live
    assert liveness.message == (
        f"The mempool backend at {server.host} answers and is not in sync: what it says of blocks and fees may be old. "
        "It is starting, or Bitcoin Core or electrs do not answer it."
    )


async def test_a_live_backend(server: ScriptedServer) -> None:
    server.script = by_path(replay("mainnet-fees_recommended"))
    async with backend_at(server) as backend:
        liveness = await backend.liveness()
    assert (liveness.live, liveness.message) == (True, f"The mempool backend at {server.host} is in sync.")
    assert liveness.latency_s > 0


async def test_fees_that_are_none(server: ScriptedServer) -> None:
    server.script = [Answer(body=b"{}"), Answer(body=b"<html>")]
    async with backend_at(server) as backend:
        for fault in ("has no fastestFee", "is a web page, not JSON"):
            with pytest.raises(BackendNonsense, match=fault):
                await backend.liveness()


async def test_no_block_yet(server: ScriptedServer) -> None:
    server.script = by_path(replay("esplora-electrs_down_tip_height"))
    async with backend_at(server) as backend:
        with pytest.raises(BackendNotReady) as caught:
            await backend.tip_height()
    assert caught.value.kind == "mempool_not_ready"
    assert caught.value.message == (
        f"The mempool backend at {server.host} has no tip height yet (HTTP 503): it knows no block so far. It is asked "
        "again later. It starts so while Bitcoin Core or electrs, which it asks, do not answer: look at those first."
    )


@pytest.mark.parametrize("body", [b"", b"-1", b"1e3", b"118 blocks", b"\xff", b"9" * 10, b'{"height":118}'])
async def test_a_height_that_is_none(server: ScriptedServer, body: bytes) -> None:
    server.script = [Answer(body=body)]
    async with backend_at(server) as backend:
        with pytest.raises(BackendNonsense, match="blocks/tip/height is not a height"):
            await backend.tip_height()


async def test_the_hash_of_the_tip(server: ScriptedServer) -> None:
    server.script = by_path(replay("mainnet-tip_hash"))
    async with backend_at(server) as backend:
        tip = await backend.tip_hash()
    assert tip.block_hash == "65a3ab9dbc23a3760d1ffcf0210eb9f342cd1faef14ffe6c771fdddee79f4b65"


async def test_with_esplora_the_hash_is_left_to_electrs(server: ScriptedServer) -> None:
    server.script = by_path(replay("esplora-electrs_down_tip_hash"))
    async with backend_at(server) as backend:
        with pytest.raises(NotServed) as caught:
            await backend.tip_hash()
    assert caught.value.left_to_electrs
    assert caught.value.message == (
        f"The mempool backend at {server.host} does not serve blocks/tip/hash (HTTP 404). With BACKEND=esplora it "
        "leaves that to electrs; ask electrs itself."
    )


async def test_version_and_set_up(server: ScriptedServer) -> None:
    server.script = [
        replay("mainnet-backend_info").answer,
        replay("esplora-electrs_down_backend_info").answer,
        Answer(body=b'{"version":"3.2.1","gitCommit":"abc1234","backend":"electrum","coreVersion":"/Satoshi:29.0.0/"}'),
        Answer(body=b'{"version":"3.2.1"}'),
    ]
    async with backend_at(server) as backend:
        plain, with_electrs, released = [await backend.info() for _ in range(3)]
        with pytest.raises(BackendNonsense, match="has no backend"):
            await backend.info()
    assert (plain.backend, plain.core_version) == ("none", "/Satoshi:28.1.0(inquisition)/")
    assert (plain.version, plain.git_commit) == (None, None)
    assert (with_electrs.backend, with_electrs.core_version) == ("esplora", None)
    assert (released.version, released.git_commit, released.backend) == ("3.2.1", "abc1234", "electrum")


async def test_what_is_being_loaded(server: ScriptedServer) -> None:
    server.script = [
        replay("esplora-electrs_down_init_data").answer,
        Answer(body=b'{"loadingIndicators":{"block-indexing":12.3,"mempool-\\u001b":"?"},"blocks":[]}'),
        Answer(body=b'{"loadingIndicators":{}}'),
        Answer(body=b'{"blocks":[]}'),
    ]
    async with backend_at(server) as backend:
        starting, indexing, idle = [await backend.loading() for _ in range(3)]
        with pytest.raises(BackendNonsense, match="has no loadingIndicators"):
            await backend.loading()
    assert (starting.indicators, starting.out_of_sync) == ((Indicator("mempool", 99.0),), True)
    assert (indexing.indicators, indexing.out_of_sync) == ((Indicator("block-indexing", 12.3),), False)
    assert (idle.indicators, idle.out_of_sync) == ((), False)


@pytest.mark.parametrize(
    ("suffix", "prefix"),
    [("", ""), ("/", ""), ("/api", ""), ("/api/v1/", ""), ("/mempool", "/mempool"), ("/mempool/api/", "/mempool")],
)
async def test_spellings_of_the_address(server: ScriptedServer, suffix: str, prefix: str) -> None:
    server.script = [replay("mainnet-tip_height").answer]
    async with MempoolBackend(MempoolAccess(server.url + suffix)) as backend:
        assert (await backend.tip_height()).height == 117
    assert server.requests[0].path == f"{prefix}/api/v1/blocks/tip/height"


@pytest.mark.parametrize(
    "url", ["127.0.0.1:8999", "ftp://127.0.0.1", "http://", "http://h:0", "http://h/?k=1", "http://h/#x", "http://a..b"]
)
def test_addresses_that_cannot_be_used(url: str) -> None:
    with pytest.raises(ValueError, match="is not the URL of a mempool backend"):
        MempoolAccess(url)


def test_credentials_in_the_address_are_refused_and_not_repeated() -> None:
    with pytest.raises(ValueError, match="must carry no credentials") as caught:
        MempoolAccess("http://operator:hunter22@127.0.0.1:8999")
    assert "hunter22" not in str(caught.value)
