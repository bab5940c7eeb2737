"""What is made of what the sources have said: how they are, how fresh that is, and what it does to the whole."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from tests.support import stack_looks as made
from tests.support.stack_looks import NOON_S, SPAN_S, failed, heard, reading
from utxoracle_tui.config.settings import Containers, Electrs, Mempool, Settings
from utxoracle_tui.engine.electrs.evidence import Source as Evidence
from utxoracle_tui.engine.electrs.evidence import Trouble as EvidenceTrouble
from utxoracle_tui.engine.electrs.memory import Known, Memory
from utxoracle_tui.engine.electrs.phases import ConditionKind, Phase
from utxoracle_tui.engine.electrs.state import State
from utxoracle_tui.engine.stack.containers import ContainersStatus, ContainerStatus
from utxoracle_tui.engine.stack.disks import DisksStatus
from utxoracle_tui.engine.stack.ibd import follow
from utxoracle_tui.engine.stack.node_verdict import version
from utxoracle_tui.engine.stack.reading import Health, Heard, Overall, Source, SourceReading, Standing
from utxoracle_tui.engine.stack.sizes import size
from utxoracle_tui.engine.stack.stack import Named

NOBODY = Named(electrs=False, backend=False, containers=False)


def short(found: SourceReading[Any]) -> tuple[Health, Standing, str]:
    return found.health, found.standing, found.word


def test_all_is_well() -> None:
    found = reading()
    assert found.overall is Overall.READY
    assert [each.source for each in found.all] == list(Source)
    assert [each.word for each in found.all] == ["synced", "ready", "live", "fresh", "1 running", "well"]
    assert found.node.sentence == (
        "main: tip 921,456, block 5 min ago, 10 peers, mempool 60,000 txs, v28.1.0, 780 GB, up 1 d 0 h."
    )
    assert found.backend.sentence == "Tip 921,456, v3.4.0, backend esplora."
    assert found.exchange.sentence == "$110,000, 10 min ago, by 127.0.0.1:8999."
    assert found.containers.sentence == "mempool-api running."
    assert found.disks.sentence == "/data (node, electrs) has 1.0 TB free (25%)."


def test_before_anything_was_heard() -> None:
    found = reading(**{source.value: Heard() for source in Source})
    assert {each.word for each in found.all} == {"asking"}
    assert {each.health for each in found.all} == {Health.UNKNOWN}
    assert found.overall is Overall.WORKING


@pytest.mark.parametrize(
    ("source", "ages"),
    [("node", (14, 16, 61)), ("backend", (19, 21, 91)), ("containers", (29, 31, 121)), ("disks", (59, 61, 301))],
)
def test_ages(source: str, ages: tuple[int, int, int]) -> None:
    detail = getattr(reading(), source).detail
    for age_s, health in zip(ages, (Health.UP, Health.LATE, Health.STALE), strict=True):
        found = getattr(reading(**{source: heard(detail, ago_s=age_s)}), source)
        assert found.health is health
        assert found.age_s(SPAN_S) == age_s
        if health is not Health.UP:
            assert (found.standing, found.word) == (Standing.DEGRADED, health.value)
            assert "Nothing new was heard for" in found.sentence


@pytest.mark.parametrize(
    ("age_s", "health", "standing"),
    [
        (3500, Health.UP, Standing.READY),
        (3700, Health.LATE, Standing.READY),
        (7300, Health.STALE, Standing.DEGRADED),
    ],
)
def test_the_price_by_its_own_time(age_s: float, health: Health, standing: Standing) -> None:
    found = reading(exchange=heard(made.price(age_s), ago_s=1)).exchange
    assert (found.health, found.standing) == (health, standing)
    assert ("stands still" in found.sentence) == (health is not Health.UP)
    # it holds although nobody answers any more
    later = reading(exchange=failed("price_unreachable", "Nobody is there.", heard(made.price(age_s)))).exchange
    assert (later.health, later.standing) == (health, standing)
    assert later.sentence.endswith("Nobody is there.")


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        ("node_unreachable", (Health.DOWN, Standing.DOWN, "down")),
        ("node_hanging", (Health.DOWN, Standing.DOWN, "hangs")),
        ("wrong_password", (Health.DOWN, Standing.DOWN, "no access")),
        ("wrong_network", (Health.DOWN, Standing.DOWN, "wrong network")),
        ("node_nonsense", (Health.DOWN, Standing.DOWN, "nonsense")),
        ("node_warming_up", (Health.UP, Standing.WORKING, "starting")),
        ("node_busy", (Health.UP, Standing.DEGRADED, "busy")),
    ],
)
def test_nodes_that_do_not_answer(kind: str, expected: tuple[Health, Standing, str]) -> None:
    found = reading(node=failed(kind, "That is why.", made.node()))
    assert short(found.node) == expected
    assert found.node.sentence == "That is why."
    assert (found.overall is Overall.DOWN) == (expected[1] is Standing.DOWN)


def test_a_node_that_catches_up() -> None:
    info = made.chain(blocks=460_000, headers=920_000, progress=0.25, initial_download=True)
    ibd = follow(None, info, SPAN_S - 1500)
    assert ibd is not None
    stalled = reading(node=made.node(chain=info, ibd=ibd))
    assert short(stalled.node) == (Health.UP, Standing.DEGRADED, "stalled")
    assert stalled.node.sentence.startswith("No block has come for 25 min")
    moving = replace(ibd, moved_s=SPAN_S, heights=((SPAN_S - 100, 459_000), (SPAN_S, 460_000)))
    found = reading(node=made.node(chain=info, ibd=moving), backend=heard(made.backend(live=made.not_live())))
    assert short(found.node) == (Health.UP, Standing.WORKING, "syncing")
    assert "460,000 blocks behind (25.0 %), 10.0 blocks/s" in found.node.sentence
    # what waits for it is no fault of its own
    assert short(found.backend) == (Health.UP, Standing.WAITS, "not in sync")
    assert found.overall is Overall.WORKING


def test_a_node_without_peers() -> None:
    lonely = made.node(network=made.network(connections=0))
    assert short(reading(node=lonely).node) == (Health.UP, Standing.DEGRADED, "no peers")
    test_net = made.node(network=made.network(connections=0), chain=made.chain(network="regtest"))
    assert short(reading(node=test_net).node) == (Health.UP, Standing.READY, "synced")


def test_slow_sources() -> None:
    slow = heard(reading().node.detail, latency_s=5.0)
    assert short(reading(node=slow).node) == (Health.UP, Standing.DEGRADED, "slow")
    assert "slow: 5.0 s an answer" in reading(node=slow).node.sentence
    slow = heard(made.backend(), latency_s=5.0)
    assert short(reading(backend=slow).backend) == (Health.UP, Standing.DEGRADED, "slow")


def test_backends() -> None:
    for kind, word in (("mempool_unreachable", "down"), ("mempool_hanging", "hangs"), ("mempool_nonsense", "nonsense")):
        found = reading(backend=failed(kind))
        assert short(found.backend) == (Health.DOWN, Standing.DOWN, word)
        assert found.overall is Overall.DEGRADED
    alone = reading(backend=heard(made.backend(live=made.not_live())))
    # everything before it is ready, so that it has no reason to wait
    assert alone.overall is Overall.DEGRADED


def test_nobody_has_named_it() -> None:
    """What is only looked for where everybody has it, and isn't there, isn't missed."""
    absent = {
        "backend": failed("mempool_unreachable"),
        "exchange": failed("price_unreachable"),
        "containers": failed("docker_absent"),
        "electrs": heard(State(memory=Memory(known=Known(troubles=refused())))),
    }
    found = reading(NOBODY, **absent)
    assert {each.health for each in found.all[1:5]} == {Health.NOT_CONFIGURED}
    assert found.overall is Overall.READY
    assert found.electrs.troubles == ()
    assert found.containers.sentence == "Docker isn't here, and no setting names a container."
    missed = reading(**absent)
    assert missed.overall is Overall.DEGRADED
    assert [each.word for each in missed.all[1:5]] == ["down", "down", "no price", "down"]
    # what was there once is missed as well
    gone = reading(NOBODY, backend=failed("mempool_unreachable", before=heard(made.backend())))
    assert gone.backend.health is Health.DOWN


def refused() -> made.Value:
    return made.troubles(
        EvidenceTrouble(Evidence.METRICS, NOON_S, "Nothing answers.", refused=True),
        EvidenceTrouble(Evidence.REST, NOON_S, "Nothing answers.", refused=True),
    )


def test_names() -> None:
    assert Named.of(Settings()) == NOBODY
    assert Named.of(Settings(electrs=Electrs(unit="electrs.service"))) == replace(NOBODY, electrs=True)
    assert Named.of(Settings(mempool=Mempool(api_url="http://10.0.0.2:8999"))) == replace(NOBODY, backend=True)
    assert Named.of(Settings(containers=Containers(web="front"))) == replace(NOBODY, containers=True)


def test_networks_without_a_price() -> None:
    signet = made.node(chain=made.chain(network="signet"))
    found = reading(node=signet, exchange=failed("no_price", "Test networks have none."))
    assert short(found.exchange) == (Health.NOT_CONFIGURED, Standing.NONE, "none")
    assert found.overall is Overall.READY
    assert short(reading(exchange=failed("no_price")).exchange) == (Health.DOWN, Standing.DEGRADED, "no price")


def test_the_public_instance_is_named() -> None:
    assert "PUBLIC" in reading(exchange=heard(made.price(source="public"))).exchange.sentence


@pytest.mark.parametrize(
    ("changes", "word", "standing"),
    [
        ({}, "1 running", Standing.READY),
        ({"health": "unhealthy"}, "0 of 1 well", Standing.DEGRADED),
        ({"state": "exited", "running": False, "exit_code": 1}, "0 of 1 well", Standing.DEGRADED),
        ({"restarts": 4, "started_s": NOON_S - 5}, "0 of 1 well", Standing.DEGRADED),
        ({"restarts": 4}, "1 running", Standing.READY),
    ],
)
def test_containers(changes: dict[str, Any], word: str, standing: Standing) -> None:
    status = ContainersStatus((ContainerStatus("backend", "mempool-api", made.container(**changes)),))
    found = reading(containers=heard(status)).containers
    assert (found.word, found.standing) == (word, standing)
    # the health check of electrs says nothing of electrs
    checked = ContainerStatus("electrs", "mempool-electrs", made.container(health="unhealthy"))
    assert checked.is_well


def test_docker() -> None:
    denied = reading(containers=failed("docker_denied", "This user may not."))
    assert short(denied.containers) == (Health.UNKNOWN, Standing.NONE, "no access")
    assert denied.overall is Overall.READY
    assert reading(containers=failed("docker_down")).containers.standing is Standing.DEGRADED
    none = heard(ContainersStatus((ContainerStatus("web", "mempool-web", None),)))
    assert reading(NOBODY, containers=none).containers.health is Health.NOT_CONFIGURED
    assert reading(containers=none).containers.sentence == "Docker has none of the containers mempool-web."
    # one that isn't there needs not be
    two = heard(
        made.containers(ContainerStatus("web", "w", None), ContainerStatus("backend", "a", made.container("a")))
    )
    assert reading(containers=two).containers.word == "1 running"


def test_disks() -> None:
    low = heard(DisksStatus((made.disk(4_000_000_000),)))
    assert short(reading(disks=low).disks) == (Health.UP, Standing.DEGRADED, "low")
    own = heard(DisksStatus((made.disk(4_000_000_000, ("console",)),)))
    assert reading(disks=own).disks.word == "well"
    part = heard(DisksStatus((made.disk(),), ("/mnt can't be looked at.",)))
    assert short(reading(disks=part).disks) == (Health.UP, Standing.DEGRADED, "in part")
    assert reading(disks=failed("disk_unreadable", "It hangs.")).disks.sentence == "It hangs."


@pytest.mark.parametrize(
    ("phase", "word", "standing", "health"),
    [
        (Phase.READY, "ready", Standing.READY, Health.UP),
        (Phase.PASS_1, "pass 1", Standing.WORKING, Health.UP),
        (Phase.COMPACTING_TXSTORE, "compaction 1", Standing.WORKING, Health.UP),
        (Phase.LOADING_MEMPOOL, "mempool", Standing.WORKING, Health.UP),
        (Phase.STOPPED, "stopped", Standing.DEGRADED, Health.DOWN),
        (Phase.FAILED, "failed", Standing.DEGRADED, Health.DOWN),
        (Phase.NOT_INSTALLED, "none", Standing.DEGRADED, Health.DOWN),
    ],
)
def test_phases_of_electrs(phase: Phase, word: str, standing: Standing, health: Health) -> None:
    found = reading(electrs=heard(made.electrs(phase))).electrs
    assert short(found) == (health, standing, word)


def test_what_lies_over_a_phase() -> None:
    short_of_disk = made.condition(ConditionKind.DISK_SHORT, "The disk won't do.")
    found = reading(electrs=heard(made.electrs(Phase.PASS_1, short_of_disk)))
    assert short(found.electrs) == (Health.UP, Standing.DEGRADED, "pass 1")
    assert found.electrs.sentence == "The disk won't do. It is so."
    resuming = made.condition(ConditionKind.RESUMING)
    assert reading(electrs=heard(made.electrs(Phase.PASS_1, resuming))).electrs.standing is Standing.WORKING
    # while the node starts, electrs is well
    starting = failed("node_warming_up", before=made.node())
    waits = reading(
        node=starting, electrs=heard(made.electrs(Phase.READY, made.condition(ConditionKind.BITCOIND_DOWN)))
    )
    assert waits.electrs.standing is Standing.WAITS
    assert waits.overall is Overall.WORKING


def test_ports_of_electrs() -> None:
    silent = EvidenceTrouble(Evidence.REST, NOON_S, "The REST port says nothing.")
    closed = EvidenceTrouble(Evidence.REST, NOON_S, "The REST port is closed.", refused=True)
    assert reading(electrs=heard(made.electrs(troubles=made.troubles(silent)))).electrs.troubles == (silent.sentence,)
    found = reading(electrs=heard(made.electrs(troubles=made.troubles(closed)))).electrs
    assert (found.troubles, found.standing) == ((closed.sentence,), Standing.DEGRADED)
    # in a first sync it is closed, as it has to be
    found = reading(electrs=heard(made.electrs(Phase.PASS_1, troubles=made.troubles(closed), rest=None))).electrs
    assert (found.troubles, found.standing) == ((), Standing.WORKING)
    mute = made.electrs(troubles=refused(), rest=None, metrics=None)
    found = reading(electrs=heard(mute)).electrs
    assert short(found) == (Health.DOWN, Standing.DEGRADED, "no answer")
    late = reading(electrs=heard(made.electrs(), ago_s=31)).electrs
    assert late.health is Health.LATE


def test_how_docker_is_the_containers_say() -> None:
    lost = EvidenceTrouble(Evidence.PROCESS, NOON_S, "Docker is gone.", of_docker=True)
    unheard = EvidenceTrouble(Evidence.LOG, NOON_S, "Docker gives no log.", of_docker=True)
    state = made.electrs(Phase.PASS_1, troubles=made.troubles(lost, unheard), metrics=None, rest=None)
    assert reading(electrs=heard(state)).electrs.troubles == (lost.sentence, unheard.sentence)
    assert reading(electrs=heard(state), containers=failed("docker_down")).electrs.troubles == ()
    unread = EvidenceTrouble(Evidence.LOG, NOON_S, "The file can't be read.")
    state = made.electrs(Phase.PASS_1, troubles=made.troubles(unread))
    assert reading(electrs=heard(state), containers=failed("docker_down")).electrs.troubles == (unread.sentence,)


def test_versions_and_sizes() -> None:
    assert [version(number) for number in (280_100, 300_000, 210_100)] == ["28.1.0", "30.0.0", "0.21.1"]
    assert [size(n) for n in (512_000, 3_200_000, 1_500_000_000, 406_000_000_000, 1.3e12)] == [
        "512 kB",
        "3.2 MB",
        "1.5 GB",
        "406 GB",
        "1.3 TB",
    ]
