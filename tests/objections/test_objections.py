"""The catalogue of what a review objects to."""

import re
from pathlib import Path

import pytest
from program import run

from publisher.auditrules import FAULTS
from publisher.diagnostic import Rule
from publisher.objections import OBJECTIONS
from publisher.refusals import HAZARDS
from publisher.rules import CATALOGUE, WARNINGS


@pytest.mark.parametrize("rule", OBJECTIONS.values(), ids=lambda rule: rule.id)
def test_rules_are_documented(rule: Rule) -> None:
    assert re.fullmatch(r"[a-z][a-z0-9]*(?:-[a-z]+)*", rule.id)
    assert rule.doc.endswith(".")
    assert len(rule.doc.split()) >= 6


def test_ids_are_unique() -> None:
    from publisher import objections

    assert sum(len(module.RULES) for module in objections._MODULES) == len(OBJECTIONS)
    assert not OBJECTIONS.keys() & {**CATALOGUE, **WARNINGS, **FAULTS, **HAZARDS}.keys()


def test_explain_tells_them(tmp_path: Path) -> None:
    listed = run("explain", cwd=tmp_path)
    assert listed.code == 0
    for name in OBJECTIONS:
        assert f"{name:<26} (review) " in listed.out
    told = run("explain", "domain-taken", cwd=tmp_path)
    assert told.code == 0
    assert "gives it up" in told.out
