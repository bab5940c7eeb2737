"""The rules of alerts: what of the facts is worth one, and what isn't."""

from __future__ import annotations

from dataclasses import replace

import pytest

from utxoracle_tui.alerts.facts import ConditionFact, DiskFact, Facts, JobFact, SourceFact
from utxoracle_tui.alerts.rules import RULES, Finding, Moment, Unknown
from utxoracle_tui.alerts.watch import reorganised
from utxoracle_tui.config.settings import Alerts
from utxoracle_tui.engine.stack.reading import Health, Standing
from utxoracle_tui.store.records import BlockPrice

NOW_S = 1_795_435_200.0
LONG_S = 10 * 86_400.0
UP = SourceFact("node", "Bitcoin Core", Health.UP, Standing.READY, "It is synced.")
WELL = Facts(round_time_s=NOW_S - 60, store_is_read=True, sources=(UP,), conditions=(), disks=(), jobs=())


def found(rule: str, facts: Facts, *, running_s: float = LONG_S, is_open: bool = False) -> list[Finding] | None:
    said = RULES[rule].judge(facts, Alerts(), Moment(NOW_S, running_s, lambda _: is_open))
    return None if said is None else [each for each in said if isinstance(each, Finding)]


def unknown(rule: str, facts: Facts, *open_ones: str) -> list[str]:
    """The subjects, of those on which an alert is open, of which a rule can't say how they are."""
    said = RULES[rule].judge(facts, Alerts(), Moment(NOW_S, LONG_S, open_ones.__contains__))
    assert said is not None
    return [each.subject for each in said if isinstance(each, Unknown)]


@pytest.mark.parametrize("rule", RULES)
def test_nothing_is_the_matter(rule: str) -> None:
    assert found(rule, WELL) == []


@pytest.mark.parametrize("rule", [name for name in RULES if name != "reorg"])
def test_nothing_is_said_of_what_is_not_known(rule: str) -> None:
    assert found(rule, Facts()) is None


@pytest.mark.parametrize(
    ("pct", "is_open", "is_found"),
    [
        *((5.01, False, True), (-5.01, False, True), (5.0, False, False), (4.9, False, False)),
        # once raised, it takes less than 4 % to be over
        *((4.9, True, True), (-4.01, True, True), (4.0, True, False)),
    ],
)
def test_prices_far_apart(pct: float, is_open: bool, is_found: bool) -> None:
    facts = replace(WELL, divergence_pct={"block": pct, "window": 0.1})
    findings = found("divergence", facts, is_open=is_open)
    assert findings is not None
    assert [finding.subject for finding in findings] == (["block"] if is_found else [])
    if is_found:
        side = "above" if pct > 0 else "below"
        assert findings[0].message.startswith(f"The price on the chain is {abs(pct):.2f} % {side} the exchange's")


def test_what_an_old_round_said_is_no_news() -> None:
    facts = replace(WELL, divergence_pct={"block": 9.0}, round_time_s=NOW_S - 31 * 60)
    assert found("divergence", facts) is None


def test_no_round_for_half_an_hour() -> None:
    assert found("no_round", replace(WELL, round_time_s=NOW_S - 29 * 60)) == []
    findings = found("no_round", replace(WELL, round_time_s=NOW_S - 31 * 60))
    assert findings is not None
    assert "No round was made for 31 min: the newest is of 2026-11-23 11:29 UTC" in findings[0].message
    # who has only just begun has had no time for one
    assert found("no_round", replace(WELL, round_time_s=NOW_S - LONG_S), running_s=60) == []
    never = found("no_round", replace(WELL, round_time_s=None), running_s=1801)
    assert never is not None
    assert "none was made yet" in never[0].message


@pytest.mark.parametrize("standing", [Standing.WORKING, Standing.DOWN])
def test_no_round_is_made_of_a_node_that_syncs_or_is_down(standing: Standing) -> None:
    facts = replace(WELL, round_time_s=NOW_S - LONG_S, sources=(replace(UP, standing=standing),))
    assert found("no_round", facts) == []


def test_sources_that_are_down_or_stale() -> None:
    down = SourceFact("node", "Bitcoin Core", Health.DOWN, Standing.DOWN, "It refuses the connection.")
    stale = SourceFact("backend", "backend", Health.STALE, Standing.DEGRADED, "Nothing new was heard for 4 min.")
    waits = SourceFact("electrs", "electrs", Health.DOWN, Standing.WAITS, "It waits for the node.")
    none = SourceFact("containers", "containers", Health.NOT_CONFIGURED, Standing.NONE, "")
    findings = found("source", replace(WELL, sources=(down, stale, waits, none)))
    assert findings is not None
    assert [(finding.subject, finding.level) for finding in findings] == [("node", "critical"), ("backend", "warning")]
    assert findings[0].message == "Bitcoin Core is down. It refuses the connection."


@pytest.mark.parametrize(
    ("health", "standing", "is_unknown"),
    [
        # the first seconds of a process, and electrs behind a node that is down
        (Health.UNKNOWN, Standing.WORKING, True),
        (Health.DOWN, Standing.WAITS, True),
        (Health.UP, Standing.READY, False),
        (Health.NOT_CONFIGURED, Standing.NONE, False),
    ],
)
def test_a_source_that_is_not_heard_of_is_not_well_again(health: Health, standing: Standing, is_unknown: bool) -> None:
    facts = replace(WELL, sources=(SourceFact("electrs", "electrs", health, standing, ""),))
    assert found("source", facts, is_open=True) == []
    assert unknown("source", facts, "electrs") == (["electrs"] if is_unknown else [])
    assert unknown("source", facts) == []


def test_prices_that_cannot_be_compared_any_more_are_not_close_again() -> None:
    assert unknown("divergence", replace(WELL, divergence_pct={"spot": 1.0}), "block", "spot") == ["block"]
    assert unknown("divergence", WELL) == []


def test_room_for_a_compaction_is_not_found_by_not_looking() -> None:
    assert unknown("disk", replace(WELL, conditions=None), "disk_short", "/mnt/hdd") == ["disk_short"]


def test_electrs_and_its_disk() -> None:
    stuck = ConditionFact("stuck", True, "Nothing has moved for 31 min.")
    short = ConditionFact("disk_short", True, "The compaction needs 900 GB, and 300 GB are free.")
    lagging = ConditionFact("lagging", False, "It is two blocks behind.")
    low = DiskFact("/mnt/hdd", ("node", "electrs"), 3_000_000_000, True)
    facts = replace(WELL, conditions=(stuck, short, lagging), disks=(low, replace(low, name="/", is_low=False)))
    sync, disk = found("sync", facts), found("disk", facts)
    assert sync is not None
    assert disk is not None
    assert [finding.subject for finding in sync] == ["stuck"]
    assert [finding.subject for finding in disk] == ["/mnt/hdd", "disk_short"]
    assert disk[0].message == "The disk of /mnt/hdd (node, electrs) has 3.0 GB left."


def test_jobs() -> None:
    facts = replace(
        WELL,
        jobs=(
            JobFact("a", "backfill 2026-01-01..2026-01-31", 2, 31, True),
            JobFact("b", "rerun", 1, 5, False),
            JobFact("c", "rerun", 0, 5, True),
        ),
        jobs_trouble="The store can't be written.",
    )
    findings = found("job", facts)
    assert findings is not None
    assert [finding.subject for finding in findings] == ["a", "jobs"]
    assert findings[0].message == "2 of 31 windows failed in the job “backfill 2026-01-01..2026-01-31”."


def test_jobs_of_long_ago_are_no_news() -> None:
    old = JobFact("a", "rerun", 2, 5, True, NOW_S - 2 * 86_400)
    assert found("job", replace(WELL, jobs=(old,))) == []
    assert found("job", replace(WELL, jobs=(old,)), is_open=True) != []
    assert found("job", replace(WELL, jobs=(replace(old, ended_s=NOW_S - 3600),))) != []


def test_a_price_that_is_not_valid() -> None:
    findings = found("confidence", replace(WELL, reason="low_confidence", confidence=0.12))
    assert findings is not None
    assert findings[0].message == "The price on the chain is not valid: low confidence, confidence 0.12."


def test_a_reorg() -> None:
    assert found("reorg", replace(WELL, reorg_blocks=1)) == []
    findings = found("reorg", replace(WELL, reorg_blocks=6))
    assert findings is not None
    assert "reorganised by 6 blocks" in findings[0].message


def test_how_deep_a_reorg_was() -> None:
    def block(height: int, *, orphaned: bool) -> BlockPrice:
        return BlockPrice(
            time_s=NOW_S,
            last_height=height,
            last_hash=f"{height:064x}",
            method="block-grid-1",
            price_usd=1.0,
            low_usd=1.0,
            high_usd=1.0,
            confidence=1.0,
            points=1,
            orphaned=orphaned,
        )

    gone = [block(height, orphaned=True) for height in (700, 702, 703, 704, 710)]
    assert reorganised([*gone, *(block(height, orphaned=False) for height in range(695, 712))]) == 3
    assert reorganised([]) == 0
