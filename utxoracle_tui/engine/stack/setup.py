"""Where all of the stack is, as the settings have it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

from utxoracle_tui.config.settings import Electrs, Settings
from utxoracle_tui.engine.electrs.watch import Places
from utxoracle_tui.engine.stack.containers import ELECTRS_ROLE
from utxoracle_tui.engine.stack.disks import OWN_DATA
from utxoracle_tui.engine.stack.stack import Named
from utxoracle_tui.sources.containers_session import DockerAccess
from utxoracle_tui.sources.electrs import ElectrsAccess
from utxoracle_tui.sources.mempool_session import MempoolAccess

TIMEOUT_S = 10.0


@dataclass(frozen=True, slots=True)
class Setup:
    """Everything but the node, whose client others share."""

    backend: MempoolAccess
    electrs: Places
    docker: DockerAccess
    containers: Mapping[str, str]
    """Names by role."""
    folders: Mapping[str, Path]
    """What the disks are wanted of: folders by what they hold."""
    named: Named

    @classmethod
    def of(cls, settings: Settings, data_folder: Path, *, timeout_s: float = TIMEOUT_S) -> Setup:
        """As the settings have it; `data_folder` is the console's own, `timeout_s` how long answers may take."""
        electrs, node, containers = settings.electrs, settings.node, settings.containers
        docker = DockerAccess(timeout_s=timeout_s)
        if containers.socket is not None:
            docker = DockerAccess(containers.socket, timeout_s=timeout_s)
        in_container = electrs.container if electrs.unit is None else None
        named = Named.of(settings)
        names = {
            ELECTRS_ROLE: in_container,
            "backend": containers.backend,
            "database": containers.database,
            "web": containers.web,
        }
        folders = {
            "node": node.datadir,
            "blocks": node.blocks_dir,
            "electrs": electrs.index_dir,
            OWN_DATA: data_folder,
        }
        return cls(
            backend=MempoolAccess(settings.mempool.api_url, timeout_s=timeout_s),
            electrs=Places(
                access=ElectrsAccess(electrs.http_url, electrs.metrics_url, timeout_s=timeout_s),
                container=in_container,
                is_named=named.containers or electrs.container != Electrs().container,
                unit=electrs.unit,
                log_file=electrs.log_file,
                index_dir=electrs.index_dir,
                blocks_dir=node.blocks_dir,
                docker=docker,
            ),
            docker=docker,
            containers=MappingProxyType({role: name for role, name in names.items() if name}),
            folders=MappingProxyType({name: folder for name, folder in folders.items() if folder is not None}),
            named=named,
        )
