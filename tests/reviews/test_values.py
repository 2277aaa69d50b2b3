"""What programs and people at a shell read: stable names, every value, every line."""

import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from strategies import BOUNDED

from publisher.review import Review, ordered
from publisher.reviewgroups import alike, gains
from publisher.reviewhtml import page
from publisher.reviewjson import review_json
from publisher.reviewsummary import headline
from publisher.reviewtext import STYLES, Line, lines

from .renderers import parsed
from .samples import NOW, SAMPLES, added, facts, full, many, rotated
from .values import drawn

GOLDEN = Path(__file__).parent / "golden"


def test_json_is_as_it_was() -> None:
    """Whoever changes a name changes `version`, and this file."""
    assert review_json(full()) == json.loads((GOLDEN / "full.json").read_text(encoding="utf-8"))


@settings(BOUNDED, max_examples=25)
@given(drawn(Review))
def test_any_review_can_be_shown(review: Review) -> None:
    value = review_json(review)
    assert json.loads(json.dumps(value)) == value
    assert value["version"] == 1
    assert value["verdict"] == review.verdict
    assert len(value["tenants"]) == len(review.tenants)
    shown = [*lines(review)]
    assert headline(review) in shown[-1].text
    assert {one.sign for one in shown} <= STYLES.keys()
    assert sum(one.text.startswith("tenant ") for one in shown) == len(review.tenants)
    assert len(parsed(page(review)).findall(".//details")) == len(review.tenants)


def test_open_ends_are_null() -> None:
    key = review_json(SAMPLES["fine"]())["tenants"][0]["keys"][0]
    assert key["after"]["publish"] == {"from": None, "until": None}
    assert key["may_now_mint"] == [
        {"domains": ["login.acme.example", "auth.acme.example"], "from": "2026-05-04T09:00:00Z", "until": None}
    ]


@pytest.mark.parametrize("name", ["fine", "blocked"])
def test_text(name: str) -> None:
    shown = "".join(f"{one}\n" for one in lines(SAMPLES[name]()))
    assert shown == (GOLDEN / f"{name}.txt").read_text(encoding="utf-8")


def test_lines_carry_signs() -> None:
    signs: Mapping[str, list[Line]] = {}
    for one in lines(full()):
        signs.setdefault(one.sign, []).append(one)  # type: ignore[attr-defined]
    assert any("added partner-2026" in one.text for one in signs["+"])
    assert any("REVOKED ci" in one.text for one in signs["-"])
    assert any("drops-active-key" in one.text for one in signs["!"])
    assert any("kid-twice" in one.text for one in signs["!"])
    assert any(one.text.startswith("plan: ") for one in signs["~"])


def test_every_mistake_is_a_line_once() -> None:
    review = full()
    shown = [one.text for one in lines(review) if "kid-twice" in one.text]
    assert len(shown) == len(review.all_mistakes) == 1


def test_alike_is_what_differs_in_names_and_times_alone() -> None:
    tenants = [rotated(f"t{number}", number) for number in range(6)]
    other = facts("own", origin="custom", domains=("login.t3.example",))
    tenants[3] = replace(tenants[3], keys=(added(other), *tenants[3].keys))
    found = alike(ordered(tenants), NOW)
    assert [[one.tenant for one in group] for group in found] == [["t3"], ["t0", "t1", "t2", "t4", "t5"]]


@pytest.mark.parametrize(
    "change",
    [
        {"alg": "ES384"},
        {"kind": "P-384"},
        {"origin": "custom"},
    ],
)
def test_another_kind_of_key_is_not_alike(change: dict[str, Any]) -> None:
    review = many(20)
    tenants = [*review.tenants]
    odd = tenants[5].keys[0]
    assert odd.after is not None
    tenants[5] = replace(tenants[5], keys=(replace(odd, after=replace(odd.after, **change)), *tenants[5].keys[1:]))
    found = gains(replace(review, tenants=tuple(tenants)))
    assert sorted(len(group) for group in found) == [1, 1, 18]
    assert found[-1][0].tenant != tenants[5].tenant


def test_a_key_at_once_is_not_alike_to_one_that_comes_later() -> None:
    review = many(20)
    tenants = [*review.tenants]
    odd = tenants[5].keys[0]
    early = replace(odd.gains[0], start=NOW - timedelta(hours=1))
    tenants[5] = replace(tenants[5], keys=(replace(odd, gains=(early,)), *tenants[5].keys[1:]))
    found = gains(replace(review, tenants=tuple(tenants)))
    assert sorted(len(group) for group in found) == [1, 1, 18]
