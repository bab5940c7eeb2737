"""The list of broken rules fits the core: a text that has moved on would break nothing and prove nothing."""

from __future__ import annotations

from collections import Counter

from tests.bench.rule_mutants import MUTANTS
from tests.bench.rules import ROOT, outdated


def test_every_text_to_be_replaced_is_found_once() -> None:
    assert outdated(MUTANTS) == []


def test_every_section_is_broken_in_several_ways() -> None:
    sections = Counter(mutant.section for mutant in MUTANTS if mutant.unobservable is None)
    assert set(sections) == {"1", "2", "3", "4", "5", "6", "7"}
    assert min(sections.values()) >= 3
    assert len({mutant.rule for mutant in MUTANTS}) == len(MUTANTS) >= 100


def test_the_tests_that_are_run_exist() -> None:
    modules = {name for mutant in MUTANTS for name in mutant.tests}
    assert all((ROOT / "tests" / "unit" / f"{name}.py").is_file() for name in modules)
