"""Which containers the simulated stack has."""

from __future__ import annotations

from collections.abc import Callable

from utxoracle_tui import clock
from utxoracle_tui.demo.host.container_life import Life
from utxoracle_tui.demo.host.docker.containers import PROJECT, Container, Usage
from utxoracle_tui.demo.host.electrs.electrs import Electrs
from utxoracle_tui.demo.host.log_book import LogBook


def stack(electrs: Electrs, others: dict[str, tuple[Life, LogBook]], data_folder: str) -> list[Container]:
    """The four containers; `others` are the lives and logs of `db`, `api` and `web`, `data_folder` that of electrs."""

    def electrs_usage() -> Usage:
        process = electrs.process
        if process is None:
            return Usage(0, 0.0)
        return Usage(process.memory_bytes, process.cpu_s, 3 * electrs.index.size_bytes, electrs.index.size_bytes)

    def other(service: str, image: str, command: str, memory_bytes: int, *, checked: bool) -> Container:
        life, log = others[service]
        started_s = clock.elapsed_s()

        def usage() -> Usage:
            share = 0.02 * (clock.elapsed_s() - started_s)
            return Usage(memory_bytes, 3600.0 + share) if life.is_running else Usage(0, 0.0)

        health: Callable[[], bool | None] = (lambda: True) if checked else (lambda: None)
        return Container(service, image, command, lambda: life, health, usage, log, network=f"{PROJECT}_default")

    main = Container(
        "electrs",
        "mempool/electrs:v3.1.0",
        "/bin/electrs -vvv --lightmode --db-dir /data --daemon-dir /bitcoin",
        lambda: electrs.life,
        # the check asks the metrics port, which says nothing of the sync
        lambda: electrs.metrics.is_listening,
        electrs_usage,
        electrs.log.book,
        mounts=((data_folder, "/data"),),
    )
    return [
        main,
        other("db", "mariadb:10.5.21", "docker-entrypoint.sh mysqld", 412_000_000, checked=True),
        other("api", "mempool/backend:v3.4.0", "/backend/start.sh", 655_000_000, checked=False),
        other("web", "mempool/frontend:v3.4.0", "/patch/entrypoint.sh nginx", 21_000_000, checked=False),
    ]
