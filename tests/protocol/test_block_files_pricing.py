"""Windows from a node whose block files lie on this host: the same as over REST, and REST where a file is no use."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import islice
from pathlib import Path

import pytest

from tests.support.block_file_folder import BlockFileFolder, hash_text, hashes_of, recorded_folder, time_of
from tests.support.building import chain_of, payment
from tests.support.demo_node import DemoNode, demo_node
from tests.support.header_chain import HeaderNode
from tests.support.node_client import asked_for, node_at
from tests.support.scripted_http import Answer, Request, ScriptedServer, recorded
from utxoracle_core import WindowPrice
from utxoracle_tui.demo.chain import ChainSpec, Every, blocks
from utxoracle_tui.demo.host.options import HostOptions
from utxoracle_tui.engine.block_file_pricing import BlockSource
from utxoracle_tui.engine.node_pricing import NodePricing
from utxoracle_tui.engine.progress import Progress
from utxoracle_tui.engine.request import Day, Heights, Last
from utxoracle_tui.engine.request import Request as Asked
from utxoracle_tui.engine.workers import Workers
from utxoracle_tui.sources.bitcoin_core import BitcoinCore
from utxoracle_tui.sources.block_files import BlockFiles
from utxoracle_tui.sources.block_files_records import BlockPlace
from utxoracle_tui.sources.block_files_search import BlockSearch
from utxoracle_tui.sources.node_access import NodeAccess

OPTIONS = HostOptions(days=1, tx_per_block=25, speed=0)
NO_KEY, KEY = bytes(8), bytes.fromhex("0badc0ffee0ddf00")


def quiet(progress: Progress) -> None:
    pass


def with_files(client: BitcoinCore, workers: Workers, files: BlockFiles | None) -> NodePricing:
    return NodePricing(client, workers, files_for=lambda network: files)


def client_of(node: DemoNode) -> BitcoinCore:
    return BitcoinCore(NodeAccess(node.url, cookie_path=node.folder / ".cookie"))


async def digests(pricing: NodePricing, asked: Asked) -> tuple[list[int], list[bytes]]:
    """Heights and digests."""
    plan, found = await pricing.digests(asked, quiet)
    return [block.height for block in plan.blocks], list(found)


@dataclass
class ChainNode:
    """A script that answers as a node with this chain does: headers, chain state and blocks, with REST or without."""

    raws: Sequence[bytes]
    rest: bool = True

    def __post_init__(self) -> None:
        self._headers = HeaderNode([raw[:80] for raw in self.raws], rest=self.rest)
        self._by_hash = hashes_of(self.raws)

    def __call__(self, request: Request) -> Answer:
        if request.path.startswith("/rest/block/"):
            if not self.rest:
                return Answer(404)
            return Answer(body=self._by_hash[request.path.removeprefix("/rest/block/").removesuffix(".bin")])
        if request.rpc_method == "getblockchaininfo":
            body = recorded("getblockchaininfo").answer(request).body
            tip = b"%d" % (len(self.raws) - 1)
            return Answer(body=body.replace(b'"blocks":116,"headers":116', b'"blocks":%s,"headers":%s' % (tip, tip)))
        if request.rpc_method == "getblock":
            call = request.json
            found = self._by_hash[call["params"][0]].hex()
            return Answer(body=json.dumps({"jsonrpc": "2.0", "result": found, "id": call["id"]}).encode())
        return self._headers(request)


@cache
def chain() -> tuple[bytes, ...]:
    """Sixty blocks from height 0 on."""
    spec = ChainSpec(seed=5, times_s=Every(600, 1_700_000_000), first_height=0, tx_per_block=12)
    return tuple(block.raw for block in islice(blocks(spec), 60))


ALL = Heights(0, 59)


def blocks_sent(server: ScriptedServer) -> list[str]:
    """The blocks that the node was asked for."""
    return [name.split("/")[-1][:64] for name in asked_for(server.requests) if name.startswith("/rest/block/")]


async def over_rest(server: ScriptedServer, client: BitcoinCore, workers: Workers) -> tuple[list[int], list[bytes]]:
    """What the whole chain comes to without block files."""
    found = await digests(NodePricing(client, workers), ALL)
    assert len(set(blocks_sent(server))) == 60
    server.requests.clear()
    return found


@pytest.mark.parametrize(("rest", "source"), [(True, "REST"), (False, "RPC")])
async def test_the_file_of_a_real_node_gives_what_its_port_gives(
    server: ScriptedServer, workers: Workers, tmp_path: Path, rest: bool, source: str
) -> None:
    raws = [raw for _, raw in recorded_folder(tmp_path / "blocks")]
    server.script = ChainNode(raws, rest)
    files = BlockFiles(tmp_path / "blocks", "regtest", tmp_path / "index")
    everything = Heights(0, len(raws) - 1)
    async with node_at(server) as client:
        from_files, over_the_port = with_files(client, workers, files), NodePricing(client, workers)
        assert from_files.source is None
        found = await digests(from_files, everything)
        assert not [name for name in asked_for(server.requests) if "/rest/block/" in name or name == "getblock"]
        assert (from_files.source, files.notes) == ("block files", ())
        assert found == await digests(over_the_port, everything)
        assert over_the_port.source == source
    assert found[0] == list(range(122))
    assert [BlockSource(word) for word in ("block files", "REST", "RPC")] == list(BlockSource)


def same(one: WindowPrice, other: WindowPrice) -> bool:
    """Everything that the price was worked out from, and the price."""
    return (
        one.price_usd is not None
        and one.price_usd == other.price_usd
        and one.points is not None
        and other.points is not None
        and one.points.usd.tolist() == other.points.usd.tolist()
        and one.outputs.filters == other.outputs.filters
        and (one.outputs.first_height, one.outputs.n_blocks) == (other.outputs.first_height, other.outputs.n_blocks)
    )


async def test_a_day_and_the_newest_blocks_through_a_reorg(workers: Workers, tmp_path: Path) -> None:
    async with demo_node(OPTIONS) as node, client_of(node) as client:

        async def served() -> int:
            sent = sum((await node.read("statistics"))["blocks_served"].values())
            await node.act("clear-statistics")
            return int(sent)

        over_the_port = NodePricing(client, workers)
        files = BlockFiles(node.folder / "blocks", "regtest", tmp_path / "index")
        pricing = with_files(client, workers, files)
        day = await pricing.price(Day(), quiet)
        await pricing.price(Last(), quiet)
        await node.act("mine", count=2)
        await node.act("reorg", depth=2, length=3)
        last = await pricing.price(Last(), quiet)
        # a program that has just been started, and has the index
        again = with_files(client, workers, BlockFiles(node.folder / "blocks", "regtest", tmp_path / "index"))
        assert same((await again.price(Last(), quiet)).price, last.price)
        assert await served() == 0
        assert (pricing.source, files.notes) == (BlockSource.BLOCK_FILES, ())
        assert same((await over_the_port.price(Day(), quiet)).price, day.price)
        assert same((await over_the_port.price(Last(), quiet)).price, last.price)
        assert await served() > 144


@pytest.mark.parametrize("key", [NO_KEY, KEY])
async def test_shuffled_files_and_damaged_blocks(
    server: ScriptedServer, workers: Workers, tmp_path: Path, key: bytes
) -> None:
    server.script = ChainNode(chain())
    hashes = [hash_text(raw) for raw in chain()]
    folder = BlockFileFolder(tmp_path / "blocks", key)
    stale = [raw for _, raw in chain_of([[payment(1)], [payment(2)]])]
    folder.append_all(sorted([*chain(), *stale], key=hash_text), 17)
    # a bit of the header, of a transaction, and of the witness of the last one
    damaged = hashes[10], hashes[20], hashes[30]
    for block_hash, at in zip(damaged, (40, 300, -30), strict=True):
        path, offset, length = folder.places[block_hash]
        flip(path, offset + (at if at > 0 else length + at))
    notes: list[str] = []
    files = BlockFiles(tmp_path / "blocks", "regtest", tmp_path / "index", notes.append)
    async with node_at(server) as client:
        expected = await over_rest(server, client, workers)
        assert await digests(with_files(client, workers, files), ALL) == expected
        assert sorted(blocks_sent(server)) == sorted(damaged)
        assert await digests(with_files(client, workers, files), ALL) == expected
    # the one whose header is another is not found at all; the others are told of once
    in_order = sorted(notes, key=lambda note: damaged.index(note.split()[1]))
    for block_hash, note in zip(damaged[1:], in_order, strict=True):
        assert note.startswith(
            f"Block {block_hash} can't be used as it lies in {folder.places[block_hash][0]}: at byte "
        )
        assert note.endswith("The node is asked for it.")
    assert files.notes == tuple(notes)


def flip(path: Path, offset: int) -> None:
    """Change a bit of a file."""
    with path.open("r+b") as file:
        file.seek(offset)
        (byte,) = file.read(1)
        file.seek(offset)
        file.write(bytes([byte ^ 4]))


async def test_a_file_that_the_node_deletes_while_a_window_is_read(
    server: ScriptedServer, workers: Workers, tmp_path: Path
) -> None:
    server.script = ChainNode(chain())
    BlockFileFolder(tmp_path / "blocks").append_all(chain(), 40)
    files = BlockFiles(tmp_path / "blocks", "regtest", tmp_path / "index")
    async with node_at(server) as client:
        expected = await over_rest(server, client, workers)
        for raw in chain():
            assert await files.place_of(hash_text(raw), time_of(raw)) is not None
        (tmp_path / "blocks" / "blk00000.dat").unlink()
        assert await digests(with_files(client, workers, files), ALL) == expected
    assert sorted(blocks_sent(server)) == sorted(map(hash_text, chain()[:40]))
    # that is what a node does that prunes, and no trouble
    assert files.notes == ()
    assert [path.name for path in (tmp_path / "index").iterdir()] == ["00001.index"]


async def test_without_a_folder_blocks_come_from_the_node(
    server: ScriptedServer, workers: Workers, tmp_path: Path
) -> None:
    server.script = ChainNode(chain())
    files = BlockFiles(tmp_path / "blocks", "regtest", tmp_path / "index")
    async with node_at(server) as client:
        expected = await over_rest(server, client, workers)
        pricing = with_files(client, workers, files)
        assert await digests(pricing, ALL) == expected
        assert (pricing.source, len(blocks_sent(server))) == ("REST", 60)
        (note,) = files.notes
        assert note.startswith(f"The folder of block files {tmp_path}/blocks isn't there, so the node is asked for")
        # it may come, as when a disk is mounted
        server.requests.clear()
        BlockFileFolder(tmp_path / "blocks").append_all(chain())
        pricing = with_files(client, workers, files)
        assert await digests(pricing, ALL) == expected
        assert (pricing.source, blocks_sent(server)) == ("block files", [])
    assert files.notes == (note,)


async def test_notes_are_told_in_the_event_loop(tmp_path: Path) -> None:
    told: list[tuple[int, str]] = []
    files = BlockFiles(
        tmp_path / "none", "main", tmp_path / "index", lambda note: told.append((threading.get_ident(), note))
    )
    for _ in range(3):
        assert await files.place_of("00" * 32, 0) is None
    assert told == [(threading.get_ident(), files.notes[0])]


async def test_cancelling_ends_the_search(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    searching, ended = threading.Event(), threading.Event()

    def endless(self: BlockSearch, hash_text: str, time_s: int, stopped: Callable[[], bool]) -> BlockPlace | None:
        searching.set()
        while not stopped():
            ended.wait(0.001)
        ended.set()
        return None

    monkeypatch.setattr(BlockSearch, "find", endless)
    files = BlockFiles(tmp_path, "main", tmp_path / "index")
    task = asyncio.create_task(files.place_of("00" * 32, 0))
    assert await asyncio.to_thread(searching.wait, 10)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert await asyncio.to_thread(ended.wait, 10)
