"""When alerts are raised, and when they are over."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from utxoracle_tui.alerts.lifecycle import Change, Lifecycle, subject_of
from utxoracle_tui.alerts.reading import waits_for_attention
from utxoracle_tui.alerts.rules import Finding, Rule, Unknown
from utxoracle_tui.store.records import Alert

WALL_S = 1_795_435_200.0
HOLD_S, OVER_S, COOLDOWN_S = 120.0, 60.0, 600.0
RULE = Rule("source", lambda *_: None, HOLD_S, OVER_S)


class Story:
    """A lifecycle with one rule, fed at moments."""

    def __init__(self, alerts: Sequence[Alert] = (), *, wall_s: float = WALL_S) -> None:
        self.wall_s = wall_s
        self.now_s = 1_000.0
        self.lifecycle = Lifecycle({"source": RULE}, COOLDOWN_S)
        self.lifecycle.take_over(alerts, wall_s, self.now_s)

    def at(self, seconds: float, *, found: str | None = None, level: str = "warning") -> list[Change]:
        """What follows after so many seconds from the beginning, with something found or not."""
        findings = [] if found is None else [Finding(found, level, f"{found} is down.")]  # type: ignore[arg-type]
        return self.lifecycle.step({"source": findings}, self.wall_s + seconds, self.now_s + seconds)


def events(changes: list[Change]) -> list[str]:
    return [change.event.value for change in changes]


def test_it_has_to_hold_and_is_raised_once() -> None:
    story = Story()
    assert story.at(0, found="node") == []
    assert story.at(119, found="node") == []
    (change,) = story.at(120, found="node")
    assert change.event == "raised"
    assert (change.alert.rule, change.alert.time_s, change.alert.message) == ("source", WALL_S + 120, "node is down.")
    for seconds in range(122, 4000, 2):
        assert story.at(seconds, found="node") == []


def test_what_comes_and_goes_is_no_alert() -> None:
    story = Story()
    for minute in range(60):
        assert story.at(minute * 120, found="node") == []
        assert story.at(minute * 120 + 60) == []


def test_it_is_over_when_it_has_been_for_a_while() -> None:
    story = Story()
    story.at(0, found="node")
    story.at(120, found="node")
    assert story.at(200) == []
    # back before it was over for a minute
    assert story.at(230, found="node") == []
    assert story.at(300) == []
    assert story.at(359) == []
    (change,) = story.at(360)
    assert (change.event, change.alert.resolved_s) == ("resolved", WALL_S + 360)
    assert story.lifecycle.open == []


def test_the_same_is_not_raised_again_at_once() -> None:
    story = Story()
    story.at(0, found="node")
    story.at(120, found="node")
    story.at(200)
    assert events(story.at(260)) == ["resolved"]
    story.at(300, found="node")
    assert story.at(859, found="node") == []
    assert events(story.at(860, found="node")) == ["raised"]


def test_subjects_do_not_know_of_each_other() -> None:
    story = Story()
    both = [Finding("node", "critical", "a"), Finding("/mnt/x.y", "warning", "b")]
    story.lifecycle.step({"source": both}, WALL_S, 0.0)
    changes = story.lifecycle.step({"source": both}, WALL_S, HOLD_S)
    assert sorted(subject_of(change.alert) for change in changes) == [("source", "/mnt/x.y"), ("source", "node")]


def test_a_rule_that_cannot_tell_changes_nothing() -> None:
    story = Story()
    story.at(0, found="node")
    story.at(120, found="node")
    for seconds in range(130, 4000, 10):
        assert story.lifecycle.step({"source": None}, WALL_S + seconds, story.now_s + seconds) == []
    assert story.lifecycle.is_open("source", "node")


def test_of_what_is_unknown_neither_end_nor_beginning_is_told() -> None:
    story = Story()
    story.at(0, found="node")
    assert events(story.at(120, found="node")) == ["raised"]
    nobody_knows = {"source": [Unknown("node"), Unknown("electrs")]}
    for seconds in range(130, 4000, 10):
        assert story.lifecycle.step(nobody_knows, WALL_S + seconds, story.now_s + seconds) == []
    assert story.lifecycle.is_open("source", "node")
    assert not story.lifecycle.is_open("source", "electrs")
    # the minute for which it has to be well begins when it is heard of again
    assert story.at(4000) == []
    assert events(story.at(4060)) == ["resolved"]


def test_worse_is_told_once_more() -> None:
    story = Story()
    story.at(0, found="node")
    story.at(120, found="node")
    (change,) = story.at(130, found="node", level="critical")
    assert (change.event, change.alert.level) == ("worse", "critical")
    assert story.at(140, found="node", level="critical") == []
    # and better is no news
    assert story.at(150, found="node") == []


def _raised() -> Alert:
    story = Story()
    story.at(0, found="node")
    (change,) = story.at(120, found="node")
    return change.alert


@pytest.mark.parametrize("clock_set_by_s", [0.0, 3600.0, -3600.0])
def test_a_new_process_goes_on_where_the_old_one_ended(clock_set_by_s: float) -> None:
    story = Story([_raised()], wall_s=WALL_S + clock_set_by_s)
    assert story.lifecycle.is_open("source", "node")
    assert story.at(0, found="node") == []
    assert story.at(500, found="node") == []
    assert story.at(510) == []
    assert events(story.at(570)) == ["resolved"]


@pytest.mark.parametrize("clock_set_by_s", [0.0, -3600.0])
def test_a_cool_down_outlives_the_process_and_never_lasts_longer_than_it_should(clock_set_by_s: float) -> None:
    from dataclasses import replace

    story = Story([replace(_raised(), resolved_s=WALL_S)], wall_s=WALL_S + clock_set_by_s)
    story.at(0, found="node")
    assert story.at(599, found="node") == []
    assert events(story.at(600, found="node")) == ["raised"]


def test_snoozed_and_acknowledged() -> None:
    from dataclasses import replace

    alert = _raised()
    story = Story([alert])
    assert waits_for_attention(alert, WALL_S)
    assert not waits_for_attention(replace(alert, acknowledged_s=WALL_S), WALL_S)
    snoozed = replace(alert, snoozed_until_s=WALL_S + 1000)
    assert not waits_for_attention(snoozed, WALL_S)
    assert waits_for_attention(snoozed, WALL_S + 1000)
    story.lifecycle.know([snoozed])
    assert story.at(999, found="node") == []
    (change,) = story.at(1000, found="node")
    assert (change.event, change.alert.snoozed_until_s) == ("reminded", None)
    assert story.at(1010, found="node") == []
