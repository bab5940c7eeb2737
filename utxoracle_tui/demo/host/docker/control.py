"""What tests can make the simulated Docker Engine do, and read of it."""

from __future__ import annotations

from collections import Counter

from utxoracle_tui.demo.host.container_life import Life
from utxoracle_tui.demo.host.control_actions import Actions, Known, server_actions
from utxoracle_tui.demo.host.docker.engine import Engine
from utxoracle_tui.demo.host.json_text import Json


def docker_actions(engine: Engine, lives: dict[str, Life]) -> Actions:
    """`docker/...`; `lives` are those of the containers that nothing simulates."""

    async def state() -> Json:
        """Where it listens, and how often it was asked by each method."""
        methods: Counter[str] = Counter()
        for label, times in engine.service.statistics.calls.items():
            methods[label.partition(" ")[0]] += times
        return {"socket": str(engine.path), "listening": engine.service.is_listening, "methods": dict(methods)}

    async def start() -> Json:
        """Let the daemon listen again."""
        await engine.start()
        return {}

    async def stop() -> Json:
        """Let the daemon be gone: nothing answers at the socket."""
        await engine.service.stop()
        return {}

    async def access(*, mode: int) -> Json:
        """Change who may connect, as `chmod`; 0: nobody."""
        engine.path.chmod(mode)
        return {}

    async def container(*, service: str, up: bool, exit_code: int = 1) -> Json:
        """Let `db` or `web` run or be gone."""
        life = lives[service]
        if up and not life.is_running:
            life.begin()
        elif not up and life.is_running:
            life.end(exit_code, restart=False)
        return {}

    acts: Known = {"start": start, "stop": stop, "access": access, "container": container}
    return Actions({"state": state}, acts) | server_actions(engine.service.faults, engine.service.statistics)
