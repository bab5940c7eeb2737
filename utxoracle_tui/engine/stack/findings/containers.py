"""Findings about containers and Docker."""

from __future__ import annotations

from collections.abc import Iterator

from utxoracle_tui.engine.stack.containers import ELECTRS_ROLE, ContainerStatus
from utxoracle_tui.engine.stack.findings.finding import Finding, Gravity, StackLook
from utxoracle_tui.engine.stack.reading import Standing
from utxoracle_tui.sources.containers_errors import DockerDenied


def find(look: StackLook) -> Iterator[Finding]:
    """All of them."""
    reading = look.reading.containers
    trouble = reading.heard.trouble
    if trouble is not None and trouble.kind == DockerDenied.KIND:
        yield Finding(
            trouble.kind,
            Gravity.NOTE,
            "Containers can't be seen: this user may not use Docker",
            trouble.sentence,
            "`sudo usermod -aG docker $USER`, then log in again. Who may use Docker has the power of root here.",
        )
    elif trouble is not None and reading.standing is not Standing.NONE:
        mend = "`sudo systemctl start docker`, or set UTXORACLE_TUI_CONTAINERS_SOCKET to its socket."
        yield Finding(trouble.kind, Gravity.WARNING, "Docker can't be asked", trouble.sentence, mend)
    for each in reading.detail.present if reading.detail is not None else ():
        # of electrs, its own watch says more
        if not each.is_well and each.role != ELECTRS_ROLE:
            yield _not_well(each)


def _not_well(each: ContainerStatus) -> Finding:
    found = each.container
    assert found is not None
    said = [f"state {found.state}"]
    if found.finished_s is not None:
        said.append(f"last exit code {found.exit_code}")
    if found.restarts:
        said.append(f"restarted {found.restarts} times")
    if found.oom_killed:
        said.append("killed for want of memory")
    if found.health is not None:
        said.append(f"health check {found.health}")
    if found.error:
        said.append(f"error “{found.error}”")
    if found.oom_killed:
        mend = "Give the container or the machine more memory, then start it."
    elif found.running:
        mend = f"See why in its log: `docker logs --tail 50 {each.name}`."
    else:
        mend = f"`docker start {each.name}`; if it ends again, `docker logs --tail 50 {each.name}` says why."
    return Finding("container_not_well", Gravity.WARNING, f"{each.name} is not well", f"{', '.join(said)}.", mend)
