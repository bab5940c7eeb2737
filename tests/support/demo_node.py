"""A simulated node in the test's own process, and a plain HTTP client that talks to it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

import httpx

from utxoracle_tui.demo.host.electrs.settings import SyncSize
from utxoracle_tui.demo.host.json_text import Json
from utxoracle_tui.demo.host.node_state import NodeSettings
from utxoracle_tui.demo.host.options import HostOptions
from utxoracle_tui.demo.host.simulated_host import SimulatedHost

SMALL = HostOptions(days=1, tx_per_block=4, speed=0)
UNKNOWN_HASH = "0" * 63 + "1"


class DemoNode:
    """The node of a host, and everything one does to it."""

    def __init__(self, host: SimulatedHost, client: httpx.AsyncClient) -> None:
        self.host = host
        self.client = client
        self.env = host.environment
        self.url = self.env["BITCOIN_RPC_URL"]
        self.folder = Path(self.env["BITCOIN_DATADIR"]) / "regtest"

    @property
    def cookie(self) -> tuple[str, str]:
        """User and password, read from the file."""
        user, password = (self.folder / ".cookie").read_text().split(":")
        return user, password

    async def post(self, body: Json, path: str = "/", auth: tuple[str, str] | None = None) -> httpx.Response:
        """Post to the RPC, by the cookie unless told otherwise."""
        return await self.client.post(self.url + path, json=body, auth=auth or self.cookie)

    async def call(self, method: str, *params: Json) -> Json:
        """The result of an RPC, whose id is that of the recordings."""
        reply = await self.post({"jsonrpc": "1.0", "id": "utxo", "method": method, "params": params})
        assert reply.status_code == 200, reply.text
        return reply.json()["result"]

    async def get(self, path: str) -> httpx.Response:
        """A REST reply."""
        return await self.client.get(f"{self.url}/rest/{path}")

    async def act(self, action: str, **arguments: Json) -> Json:
        """Do something through the control port."""
        reply = await self.client.post(f"{self.env['UTXORACLE_DEMO_CONTROL_URL']}/{action}", json=arguments)
        assert reply.status_code == 200, reply.text
        return reply.json()

    async def read(self, what: str) -> Json:
        """Read something from the control port."""
        reply = await self.client.get(f"{self.env['UTXORACLE_DEMO_CONTROL_URL']}/{what}")
        assert reply.status_code == 200, reply.text
        return reply.json()

    async def headers(self) -> list[Json]:
        """All headers of the best chain, by height."""
        headers: list[Json] = []
        tip = await self.call("getbestblockhash")
        while not headers or headers[-1]["hash"] != tip:
            first = await self.call("getblockhash", len(headers))
            headers += (await self.get(f"headers/{first}.json?count=2000")).json()
        return headers

    async def hashes(self) -> list[str]:
        """All hashes of the best chain, by height."""
        return [header["hash"] for header in await self.headers()]

    async def header_times(self) -> dict[int, int]:
        """All header times of the best chain, by height."""
        return {header["height"]: header["time"] for header in await self.headers()}


@asynccontextmanager
async def demo_node(
    options: HostOptions = SMALL, settings: NodeSettings | None = None, size: SyncSize | None = None
) -> AsyncIterator[DemoNode]:
    """A host that is ready."""
    async with SimulatedHost(options, settings, size) as host, httpx.AsyncClient(trust_env=False) as client:
        await host.ready()
        yield DemoNode(host, client)


def shape(value: Json) -> Json:
    """Keys in their order and types; of a list that of the first item. Whole and fractional numbers are alike."""
    if isinstance(value, dict):
        return [(key, shape(item)) for key, item in value.items()]
    if isinstance(value, list):
        return [shape(item) for item in value[:1]]
    return "number" if type(value) in {int, float} else type(value).__name__


def lasting_headers(headers: Mapping[str, str] | Iterable[tuple[str, str]]) -> dict[str, str]:
    """Those that are the same for every reply of a kind, their names in lower case."""
    return {
        name.lower(): value for name, value in dict(headers).items() if name.lower() not in {"date", "content-length"}
    }
