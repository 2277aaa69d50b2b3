"""For every rule a mistake with its place and its words, beside a neighbour without it."""

import re
from pathlib import Path

import pytest
from against.cases import REFUSED

from publisher.diagnostic import Rule
from publisher.refusals import HAZARDS
from publisher.rules import CATALOGUE

from .cases import CASES
from .trees import COUNTS, SOUND, Case, check, write

NAMED = [pytest.param(case, id=f"{case.rule}-{number}") for number, case in enumerate(CASES)]


def test_sound_key_sets_have_no_mistake(tmp_path: Path) -> None:
    write(tmp_path, SOUND)
    loaded = check(tmp_path)
    assert [str(one) for one in loaded.diagnostics] == []
    assert loaded.counts == COUNTS


@pytest.mark.parametrize("case", NAMED)
def test_a_mistake_is_told_with_its_place_and_its_correction_is_accepted(case: Case, tmp_path: Path) -> None:
    tree, place = case.bad()
    write(tmp_path / "bad", tree)
    found = check(tmp_path / "bad").diagnostics
    expected = f"{place}: {case.rule}: {case.says}"
    others = [one for one in found if str(one) != expected]
    assert len(others) == len(found) - 1, "\n".join(str(one) for one in [expected, "instead of", *found])
    assert sorted({one.rule for one in others}) == sorted(case.also), "\n".join(str(one) for one in others)
    if case.around:
        write(tmp_path / "good", case.good())
        assert [str(one) for one in check(tmp_path / "good").diagnostics] == []


def test_every_rule_has_a_case_and_every_case_a_rule() -> None:
    assert {case.rule for case in CASES} | {case.rule for case in REFUSED} == set(CATALOGUE)


@pytest.mark.parametrize("rule", [*CATALOGUE.values(), *HAZARDS.values()], ids=lambda rule: rule.id)
def test_rules_are_documented(rule: Rule) -> None:
    assert re.fullmatch(r"[a-z][a-z0-9]*(?:-[a-z]+)*", rule.id)
    assert rule.doc.endswith(".")
    assert len(rule.doc.split()) >= 6


def test_ids_are_unique() -> None:
    from publisher import rules

    ids = [rule.id for module in rules._MODULES for rule in module.RULES]
    assert len(ids) == len(set(ids)) == len(CATALOGUE)
    assert not set(ids) & set(HAZARDS)


@pytest.mark.parametrize("case", NAMED)
def test_words_read_well(case: Case) -> None:
    message, _, hint = case.says.partition("; ")
    assert message
    assert hint
    assert not message.endswith(".")
    assert not hint.endswith((".", ";")) or hint.endswith("...")
    assert not re.search(r"  |\bNone\b|\[\]|<|object at", case.says)
