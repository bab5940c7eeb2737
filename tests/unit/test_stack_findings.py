"""What the doctor finds: each misconfiguration alone on a stack that is otherwise well."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from tests.support import stack_looks as made
from tests.support.scripted_http import recorded_document
from tests.support.stack_looks import NOON_S, SETTINGS, TIP, failed, heard, look
from utxoracle_tui.config.redaction import Secret
from utxoracle_tui.engine.electrs.evidence import Metrics, Process, Rest, Source, Status, Trouble
from utxoracle_tui.engine.electrs.hearing import LastWords
from utxoracle_tui.engine.electrs.memory import Memory
from utxoracle_tui.engine.electrs.milestones import Milestones
from utxoracle_tui.engine.electrs.phases import Cause, ConditionKind, Phase
from utxoracle_tui.engine.stack.containers import ContainersStatus, ContainerStatus
from utxoracle_tui.engine.stack.disks import DisksStatus
from utxoracle_tui.engine.stack.findings.electrs import NOT_ELECTRS_WORDS, verbosity
from utxoracle_tui.engine.stack.findings.everything import find_all
from utxoracle_tui.engine.stack.findings.finding import Finding, Gravity, NodeConf, StackLook
from utxoracle_tui.engine.stack.findings.secrets import is_this_machine
from utxoracle_tui.engine.stack.reading import Trouble as StackTrouble
from utxoracle_tui.engine.stack.stack import Named
from utxoracle_tui.sources.electrs_errors import Door, NotElectrs, Port
from utxoracle_tui.sources.mempool_errors import PriceSource
from utxoracle_tui.sources.mempool_replies import HistoricalPrice, NoPrice, NoPriceKind
from utxoracle_tui.sources.node_probe import PortProbe
from utxoracle_tui.sources.node_replies import read_chain_info

CONF = Path("/home/bitcoin/.bitcoin/bitcoin.conf")
KEY = bytes.fromhex("0102030405060708")


def only(seen: StackLook) -> Finding:
    (found,) = find_all(seen)
    assert found.what
    assert found.evidence
    assert found.mend
    return found


def kinds(seen: StackLook) -> list[str]:
    return [found.kind for found in find_all(seen)]


def test_a_stack_that_is_well() -> None:
    assert find_all(look()) == ()
    # what nobody has named and isn't there is no finding either
    nobody = Named(electrs=False, backend=False, containers=False)
    absent = {
        "backend": failed("mempool_unreachable"),
        "exchange": failed("price_unreachable"),
        "containers": failed("docker_absent"),
    }
    assert find_all(look(named=nobody, **absent)) == ()


def test_a_pruned_node() -> None:
    # as Bitcoin Core 28.1 said it after `pruneblockchain`
    info = read_chain_info(recorded_document("prune_blockchaininfo_after")["body_json"]["result"])
    info = replace(info, time_s=int(NOON_S) - 60)
    found = only(
        look(
            node=made.node(chain=info, network=None),
            backend=heard(made.backend(tip_height=1500)),
            electrs=heard(made.electrs(rest=Rest(NOON_S, 1500))),
            electrs_log=None,
        )
    )
    assert (found.kind, found.gravity) == ("pruned_node", Gravity.ERROR)
    assert "blocks from height 762 on" in found.evidence
    assert found.mend == f"Put prune=0 into {CONF} and start it once with -reindex: it fetches all blocks again."
    # a node that is down tells by its configuration
    down = look(node=failed("node_unreachable"), conf=NodeConf(CONF, True, prune_mib=550))
    assert kinds(down) == ["node_unreachable", "pruned_node"]
    assert f"{CONF} has prune=550" in find_all(down)[1].evidence


@pytest.mark.parametrize(("rest", "said"), [(None, "doesn't set rest"), (False, "says rest=0"), (True, "says rest=1")])
def test_rest_is_off(rest: bool | None, said: str) -> None:
    found = only(look(port=PortProbe(False, NOON_S, NOON_S), conf=NodeConf(CONF, True, rest=rest)))
    assert (found.kind, found.gravity) == ("rest_off", Gravity.WARNING)
    assert said in found.evidence
    assert found.mend == f"Put rest=1 into {CONF} and restart the node."


def test_a_short_work_queue() -> None:
    assert only(look(conf=NodeConf(CONF, True, work_queue=4))).evidence == f"{CONF} has rpcworkqueue=4."
    assert find_all(look(conf=NodeConf(CONF, True, work_queue=64))) == ()
    busy = look(node=failed("node_busy", before=made.node()))
    found = only(busy)
    assert (found.kind, found.gravity) == ("short_work_queue", Gravity.WARNING)
    assert "Work queue depth exceeded" in found.evidence
    assert "before v29 only 16 requests may wait" in found.evidence
    refusals = {"mempool": StackTrouble("node_busy", "It has too many.")}
    assert only(look(node=made.node(refusals=refusals))).kind == "short_work_queue"
    full = made.condition(ConditionKind.NODE_OVERLOADED, "Bitcoin Core has more requests than it can take.")
    assert only(look(electrs=heard(made.electrs(Phase.READY, full)))).kind == "short_work_queue"
    slow = made.condition(ConditionKind.NODE_OVERLOADED, "electrs waits 12 s for an answer of Bitcoin Core.")
    assert only(look(electrs=heard(made.electrs(Phase.READY, slow)))).kind == "node_slow"


def test_a_stale_cookie() -> None:
    seen = look(node=failed("wrong_password", "The cookie in /x/.cookie is not accepted."))
    found = only(seen)
    assert (found.kind, found.gravity) == ("stale_cookie", Gravity.ERROR)
    assert found.evidence == "The cookie in /x/.cookie is not accepted. The file was written 1 d 0 h ago."
    assert "BITCOIN_DATADIR" in found.mend
    by_password = replace(SETTINGS, node=replace(SETTINGS.node, user="u", password=Secret("hunter2")))
    found = only(look(by_password, node=failed("wrong_password")))
    assert found.kind == "wrong_password"
    assert "hunter2" not in str(found)
    # electrs has a cookie of its own to get wrong
    auth = made.condition(ConditionKind.BITCOIND_AUTH, "It is not accepted.", "Check --daemon-dir.")
    found = only(look(electrs=heard(made.electrs(Phase.WAITING, auth, rest=None))))
    assert (found.kind, found.mend) == ("electrs_bitcoind_auth", "Check --daemon-dir.")


@pytest.mark.parametrize(
    "kind", ["node_unreachable", "node_hanging", "node_nonsense", "no_credentials", "cookie_unreadable", "forbidden"]
)
def test_a_node_that_cannot_be_used(kind: str) -> None:
    found = only(look(node=failed(kind, "It is so.")))
    assert (found.kind, found.gravity, found.evidence) == (kind, Gravity.ERROR, "It is so.")


def test_a_node_that_starts_is_no_finding() -> None:
    assert find_all(look(node=failed("node_warming_up", before=made.node()))) == ()


def test_what_a_whitelist_hides() -> None:
    refusals = {"network": StackTrouble("forbidden", "It does not allow getnetworkinfo.")}
    found = only(look(node=made.node(refusals=refusals, network=None)))
    assert (found.kind, found.gravity) == ("rpc_whitelist", Gravity.NOTE)


def test_a_node_that_warns_and_one_without_peers() -> None:
    found = only(look(node=made.node(chain=made.chain(warnings=("Unknown new rules activated (versionbit 3)",)))))
    assert (found.kind, found.evidence) == ("node_warning", "“Unknown new rules activated (versionbit 3)”")
    found = only(look(node=made.node(network=made.network(connections=0, active=False))))
    assert (found.kind, "switched off" in found.evidence) == ("no_peers", True)


def test_metrics_that_are_closed() -> None:
    closed = Trouble(Source.METRICS, NOON_S, "Nothing answers.", refused=True)
    state = made.electrs(Phase.PASS_1, metrics=None, rest=None, troubles=made.troubles(closed))
    found = only(look(electrs=heard(state)))
    assert (found.kind, found.gravity) == ("metrics_closed", Gravity.WARNING)
    assert found.evidence == "electrs runs, and nothing answers at 127.0.0.1:4224."
    assert "--monitoring-addr 0.0.0.0:4224" in found.mend
    # a process that has only begun has not opened it yet, and one that is down never will
    young = Process(NOON_S, Status.RUNNING, started_at_s=NOON_S - 2)
    state = made.electrs(Phase.STARTING, metrics=None, rest=None, process=young, troubles=made.troubles(closed))
    assert find_all(look(electrs=heard(state))) == ()
    state = made.electrs(Phase.STOPPED, metrics=None, rest=None, troubles=made.troubles(closed))
    assert kinds(look(electrs=heard(state))) == ["electrs_stopped"]


CONFIG = "Config {{ log: StdErrLog {{ verbosity: {}, quiet: false, show_level: true }}, network_type: Bitcoin }}"


@pytest.mark.parametrize(
    ("lines", "level"),
    [
        ((CONFIG.format("Error"), "ERROR - x"), 1),
        ((CONFIG.format("Debug"), *["INFO - handle GET /"] * 20), 4),
        (("mempool-electrs  | " + CONFIG.format("Warn"),), 2),
        # an earlier process was told something else
        ((CONFIG.format("Debug"), "DEBUG - x", CONFIG.format("Warn"), "WARN - x"), 2),
        # the first line is gone
        (("WARN - reconnecting to bitcoind: no reply from daemon",) * 12, 2),
        (("WARN - x",) * 3, None),
        (("2025-10-30T12:34:56.789+00:00 - INFO - hash=00 height=1 @ x",) * 12, 3),
        ((), None),
    ],
)
def test_how_much_electrs_says(lines: tuple[str, ...], level: int | None) -> None:
    assert verbosity(lines) == level


def test_electrs_says_too_little() -> None:
    silent = (CONFIG.format("Error"),)
    pass_1 = made.electrs(Phase.PASS_1, rest=None)
    found = only(look(electrs=heard(pass_1), electrs_log=silent))
    assert (found.kind, found.gravity) == ("electrs_says_too_little", Gravity.NOTE)
    assert "(no -v)" in found.evidence
    assert "-vvv" in found.mend
    # where nothing else tells how far it is, that is worse
    blind = made.electrs(Phase.PASS_1, rest=None, metrics=None)
    assert only(look(electrs=heard(blind), electrs_log=silent)).gravity is Gravity.WARNING
    # compactions are only seen from -vvv on; once it is ready, -vv is plenty
    informed = (CONFIG.format("Info"),)
    assert "(-vv)" in only(look(electrs=heard(pass_1), electrs_log=informed)).evidence
    assert find_all(look(electrs_log=informed)) == ()
    assert only(look(electrs_log=silent)).gravity is Gravity.NOTE


def words(cause: Cause, text: str) -> Memory:
    return Memory(last_words=LastWords(NOON_S, text, cause))


def test_obfuscated_block_files() -> None:
    said = "failed to index 921457 blocks from blk*.dat files"
    failing = made.electrs(Phase.FAILED, memory=words(Cause.BLOCK_FILES, said), rest=None, metrics=None)
    found = only(look(electrs=heard(failing), block_key=KEY))
    assert (found.kind, found.gravity) == ("obfuscated_block_files", Gravity.ERROR)
    assert "/home/bitcoin/.bitcoin/blocks/xor.dat holds the key 0102030405060708" in found.evidence
    assert said in found.evidence
    assert "--jsonrpc-import" in found.mend
    assert "don't delete it" in found.mend
    # before it has tried, it is a warning; once it has read some, it evidently can
    waiting = made.electrs(Phase.WAITING, rest=None, metrics=Metrics(NOON_S))
    assert only(look(electrs=heard(waiting), block_key=KEY)).gravity is Gravity.WARNING
    reading = made.electrs(Phase.PASS_1, rest=None, metrics=Metrics(NOON_S, add_batches=4))
    assert find_all(look(electrs=heard(reading), block_key=KEY)) == ()
    assert find_all(look(block_key=KEY)) == ()
    # without a key something else is the matter
    assert only(look(electrs=heard(failing))).kind == "unreadable_block_files"
    assert only(look(electrs=heard(failing), block_key=None)).kind == "unreadable_block_files"


def test_networks_that_do_not_fit() -> None:
    found = only(look(node=failed("wrong_network", "It is on regtest, and main is configured.")))
    assert (found.kind, found.gravity) == ("wrong_network", Gravity.ERROR)
    found = only(look(electrs_log=(CONFIG.format("Debug").replace("Bitcoin", "Signet"),)))
    assert (found.kind, found.mend) == ("electrs_on_another_network", "Start electrs with --network mainnet.")
    found = only(look(electrs=heard(made.electrs(rest=Rest(NOON_S, TIP + 5000)))))
    assert (found.kind, "926,456" in found.evidence) == ("another_chain", True)
    assert only(look(backend=heard(made.backend(tip_height=TIP + 5000)))).mend.startswith("Set MEMPOOL_API_URL")
    # it may hear of a block before the node does
    assert find_all(look(backend=heard(made.backend(tip_height=TIP + 1)))) == ()


def test_clocks_that_do_not_agree() -> None:
    found = only(look(port=PortProbe(True, NOON_S - 95, NOON_S)))
    assert (found.kind, found.gravity) == ("clock_skew", Gravity.WARNING)
    assert found.evidence == "The clock of the node's machine is 1 min 35 s behind that of this one."
    assert "timedatectl set-ntp true" in found.mend
    assert only(look(port=PortProbe(True, NOON_S + 3600, NOON_S))).gravity is Gravity.ERROR
    assert find_all(look(port=PortProbe(True, NOON_S - 1, NOON_S))) == ()
    assert find_all(look(port=None)) == ()
    # a header may be two hours ahead (Bitcoin Core, MAX_FUTURE_BLOCK_TIME), and no more
    assert find_all(look(node=made.node(chain=made.chain(time_s=int(NOON_S) + 7100)))) == ()
    found = only(look(node=made.node(chain=made.chain(time_s=int(NOON_S) + 7300))))
    assert "newest block" in found.evidence
    assert "exchange price" in only(look(exchange=heard(made.price(-400)))).evidence
    # as Bitcoin Core warns, src/node/timeoffsets.cpp
    warning = "Your computer's date and time appear to be more than 10 minutes out of sync with the network"
    found = only(look(node=made.node(chain=made.chain(warnings=(warning,)))))
    assert (found.kind, warning in found.evidence) == ("clock_skew", True)


@pytest.mark.parametrize(
    ("url", "is_found"),
    [
        ("http://127.0.0.1:8332", False),
        ("http://[::1]:8332", False),
        ("http://localhost:8332", False),
        ("http://192.168.1.20:8332", True),
        ("http://127.0.0.1.example.org:8332", True),
        ("https://node.example.org:443", False),
    ],
)
def test_a_password_in_the_clear(url: str, is_found: bool) -> None:
    settings = replace(SETTINGS, node=replace(SETTINGS.node, url=url, user="u", password=Secret("hunter2")))
    found = find_all(look(settings))
    assert [each.kind for each in found] == ["password_in_the_clear"] * is_found
    assert "hunter2" not in str(found)
    if is_found:
        assert "ssh -N -L 8332:127.0.0.1:8332" in found[0].mend
    without = replace(SETTINGS, node=replace(SETTINGS.node, url=url, cookie_file=None))
    assert find_all(look(without)) == ()


def test_this_machine() -> None:
    assert is_this_machine("127.5.5.5")
    assert not is_this_machine("10.0.0.1")


def test_an_esplora_backend_in_the_place_of_electrs() -> None:
    settings = replace(SETTINGS, electrs=replace(SETTINGS.electrs, http_url="http://127.0.0.1:8999/api/v1"))
    found = only(look(settings))
    assert (found.kind, found.gravity) == ("electrs_address_is_the_backend", Gravity.ERROR)
    assert "both name 127.0.0.1:8999; with BACKEND=esplora the backend answers 404" in found.evidence
    # as the client says it when another program answers
    said = NotElectrs(Door(Port.REST, "127.0.0.1:3000"), "has the status 404").message
    assert NOT_ELECTRS_WORDS in said
    odd = Trouble(Source.REST, NOON_S, said)
    found = only(look(electrs=heard(made.electrs(troubles=made.troubles(odd)))))
    assert (found.kind, found.mend) == ("not_electrs", "Set ELECTRS_HTTP_URL to electrs's --http-addr.")
    # an electrs on its way keeps such a backend from being in sync
    waits = look(
        electrs=heard(made.electrs(Phase.PASS_2, rest=None)), backend=heard(made.backend(live=made.not_live()))
    )
    found = only(waits)
    assert (found.kind, found.gravity) == ("esplora_without_electrs", Gravity.NOTE)


def test_a_disk_too_small_for_the_compaction() -> None:
    said = "The coming compaction of the transactions database will need 406 GB, and 120 GB are free."
    state = made.electrs(Phase.PASS_1, made.condition(ConditionKind.DISK_SHORT, said, "Make room."), rest=None)
    found = only(look(electrs=heard(state)))
    assert (found.kind, found.gravity) == ("electrs_disk_short", Gravity.ERROR)
    assert (found.evidence, found.mend) == (said, "Make room.")


@pytest.mark.parametrize(
    ("kind", "gravity"),
    [
        (ConditionKind.CORRUPTED, Gravity.ERROR),
        (ConditionKind.CRASH_LOOP, Gravity.ERROR),
        (ConditionKind.UNUSABLE, Gravity.ERROR),
        (ConditionKind.OUT_OF_MEMORY, Gravity.ERROR),
        (ConditionKind.MAIN_LOOP_HUNG, Gravity.ERROR),
        (ConditionKind.PAUSED, Gravity.WARNING),
        (ConditionKind.RESUMING, None),
        (ConditionKind.PRECACHING, None),
        (ConditionKind.LAGGING, None),
    ],
)
def test_conditions_of_electrs(kind: ConditionKind, gravity: Gravity | None) -> None:
    found = find_all(look(electrs=heard(made.electrs(Phase.READY, made.condition(kind)))))
    assert [each.gravity for each in found] == ([gravity] if gravity else [])


def test_electrs_that_has_ended_or_does_not_answer() -> None:
    failing = made.electrs(Phase.FAILED, memory=words(Cause.PORT_IN_USE, "in use"), rest=None, metrics=None)
    assert only(look(electrs=heard(failing))).kind == "electrs_failed"
    down = made.condition(ConditionKind.BITCOIND_DOWN)
    found = only(look(electrs=heard(made.electrs(Phase.WAITING, down, rest=None))))
    assert (found.kind, "--daemon-rpc-addr 127.0.0.1:8332" in found.mend) == ("electrs_misses_the_node", True)
    # while the node is down for everybody that is no news
    both = look(electrs=heard(made.electrs(Phase.WAITING, down, rest=None)), node=failed("node_unreachable"))
    assert kinds(both) == ["node_unreachable"]
    hangs = Trouble(Source.METRICS, NOON_S, "It says nothing.")
    assert only(look(electrs=heard(made.electrs(troubles=made.troubles(hangs))))).kind == "electrs_hangs"
    closed = [Trouble(source, NOON_S, "Closed.", refused=True) for source in (Source.METRICS, Source.REST)]
    mute = made.electrs(rest=None, metrics=None, process=None, troubles=made.troubles(*closed))
    assert only(look(electrs=heard(mute))).kind == "electrs_no_answer"


def test_the_backend() -> None:
    found = only(look(backend=failed("mempool_unreachable", "Refused."), exchange=failed("price_unreachable")))
    assert (found.kind, found.gravity) == ("mempool_unreachable", Gravity.ERROR)
    found = only(look(exchange=heard(made.price(8000))))
    assert (found.kind, "2 h 13 min" in found.evidence) == ("stale_exchange_price", True)
    assert only(look(exchange=failed("no_price", "It has had none."))).kind == "no_exchange_price"
    assert only(look(backend=heard(made.backend(tip_height=TIP - 8)))).kind == "backend_behind"
    status = made.backend(live=made.not_live())
    assert status.info is not None
    lost = replace(status, info=replace(status.info, core_version=None))
    assert only(look(backend=heard(lost))).kind == "backend_misses_the_node"


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        (NoPriceKind.DATABASE_DOWN, ["backend_database_down"]),
        (NoPriceKind.NO_HISTORY, ["backend_without_history"]),
        (NoPriceKind.TESTNET, []),
        (NoPriceKind.PRICE_MISSING, []),
    ],
)
def test_the_history_of_prices(kind: NoPriceKind, expected: list[str]) -> None:
    none = NoPrice(kind, "There is none.", PriceSource.OWN, "127.0.0.1:8999")
    assert kinds(look(history=HistoricalPrice(int(NOON_S), none, NOON_S, 0.01))) == expected


def test_containers_and_docker() -> None:
    gone = made.container(
        "mempool-db", state="exited", running=False, exit_code=137, finished_s=NOON_S, oom_killed=True
    )
    found = only(look(containers=heard(ContainersStatus((ContainerStatus("database", "mempool-db", gone),)))))
    assert (found.kind, found.mend) == (
        "container_not_well",
        "Give the container or the machine more memory, then start it.",
    )
    assert "last exit code 137" in found.evidence
    found = only(look(containers=failed("docker_denied", "This user may not.")))
    assert (found.gravity, "usermod -aG docker" in found.mend) == (Gravity.NOTE, True)
    assert only(look(containers=failed("docker_down"))).gravity is Gravity.WARNING


def test_disks() -> None:
    found = only(look(disks=heard(DisksStatus((made.disk(4_000_000_000),)))))
    assert (found.kind, found.gravity) == ("disk_low", Gravity.WARNING)
    assert found.evidence == "/data has 4.0 GB free of 4.0 TB."
    assert only(look(disks=heard(DisksStatus((made.disk(4_000_000),))))).gravity is Gravity.ERROR
    assert only(look(disks=heard(DisksStatus((), ("It hangs.",))))).kind == "disk_unreadable"


def test_the_gravest_come_first() -> None:
    seen = look(
        notes=("A file can be read by others.",),
        node=failed("node_unreachable"),
        disks=heard(DisksStatus((made.disk(4_000_000_000),))),
    )
    found = find_all(seen)
    assert [each.kind for each in found] == ["node_unreachable", "disk_low", "configuration"]
    assert [each.gravity for each in found] == list(Gravity)


def test_a_complete_index_needs_no_block_files() -> None:
    done = Memory(milestones=Milestones(completed_at_s=NOON_S - 1000))
    state = made.electrs(Phase.OPENING, memory=done, rest=None, metrics=None)
    assert find_all(look(electrs=heard(state), block_key=KEY)) == ()
