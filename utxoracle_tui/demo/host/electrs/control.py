"""What tests can make the simulated electrs do."""

from __future__ import annotations

from utxoracle_tui.demo.host.control_actions import Actions, change, server_actions
from utxoracle_tui.demo.host.electrs.electrs import Electrs
from utxoracle_tui.demo.host.electrs.faults import TRAPS
from utxoracle_tui.demo.host.electrs.settings import Level, Phase
from utxoracle_tui.demo.host.json_text import Json


def electrs_actions(electrs: Electrs) -> Actions:
    """`electrs/...`."""

    async def state() -> Json:
        """What it is really up to."""
        life, process, index = electrs.life, electrs.process, electrs.index
        return {
            "container": str(life.status),
            "exit_code": life.exit_code,
            "restarts": life.restarts,
            "phase": str(process.phase) if process else None,
            "serving": electrs.is_serving,
            "stalled": electrs.stalled,
            "tip_height": process.tip_height if process else None,
            "blk_files": index.size.blk_files,
            "added_files": index.txstore.block_files,
            "indexed_files": index.history.block_files,
            "txstore_bytes": index.txstore.size_bytes,
            "history_bytes": index.history.size_bytes,
            "capacity_bytes": index.capacity_bytes,
            "free_bytes": index.free_bytes,
            "electrum_port": electrs.electrum.port_number,
        }

    async def start() -> Json:
        """Start it, as `docker start`."""
        await electrs.start()
        return {}

    async def stop() -> Json:
        """Stop it, as `docker stop`."""
        await electrs.stop()
        return {}

    async def kill(*, out_of_memory: bool = False) -> Json:
        """Kill it; Docker starts it again."""
        await electrs.kill(out_of_memory=out_of_memory)
        return {}

    async def trap(*, cause: str | None) -> Json:
        """Let this and all later processes fail at a certain point; null ends it."""
        if cause is not None and cause not in TRAPS:
            raise ValueError(f"there is no cause {cause}; there are {', '.join(TRAPS)}")
        electrs.set_trap(None if cause is None else TRAPS[cause])
        return {}

    async def advance(*, hours: float | None = None, to: str | None = None) -> Json:
        """Let work of some hours be done at once, or all before a phase; tells the phase that it is then in."""
        if to is not None:
            await electrs.advance_to(Phase(to))
        else:
            await electrs.advance(3600 * (hours or 0.0))
        return {"phase": str(electrs.phase) if electrs.phase else None}

    async def stall(*, on: bool = True) -> Json:
        """Let it do nothing any more, its metrics and its REST interface apart, until `on` is false."""
        electrs.stalled = on
        return {}

    async def lag(*, blocks: int) -> Json:
        """Let what it serves stay that many blocks behind the node."""
        electrs.lag_blocks = blocks
        return {}

    async def capacity(*, n_bytes: int | None) -> Json:
        """Give its disk a size; null is one that is large enough."""
        electrs.index.capacity_bytes = n_bytes
        return {}

    async def settings(**changes: Json) -> Json:
        """Change `ElectrsSettings`."""
        if "verbosity" in changes:
            changes["verbosity"] = Level(changes["verbosity"])
        change(electrs.settings, changes)
        return {}

    own = Actions(
        {"state": state},
        {
            "start": start,
            "stop": stop,
            "kill": kill,
            "trap": trap,
            "advance": advance,
            "stall": stall,
            "lag": lag,
            "capacity": capacity,
            "settings": settings,
        },
    )
    metrics = server_actions(electrs.metrics.faults, electrs.metrics.statistics).under("metrics")
    return own | server_actions(electrs.rest.faults, electrs.rest.statistics) | metrics
