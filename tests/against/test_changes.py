"""What a change does to the keys of its base: exact words and places, and what nothing is said of."""

from datetime import timedelta
from pathlib import Path

import pytest

from publisher.rules import WARNINGS, changes

from .cases import GOOD, LEAD, REFUSED, WARNED, Case, Tree, acme, plus
from .world import (
    BASE,
    COMING,
    KEPT,
    LEAST,
    LOST,
    MADE,
    MARK,
    NOW,
    OLD,
    PARTNER,
    POLICY,
    SIGNS,
    World,
    generated,
    key,
    keyset,
    later,
    said,
)


def _named(cases: tuple[Case, ...]) -> list[object]:
    return [pytest.param(case, id=f"{case.rule}-{number}") for number, case in enumerate(cases)]


def _placed(case: Case) -> tuple[Tree, str]:
    """The tree without the mark, and the whole line that is to be printed."""
    marked = [(path, text) for path, text in case.tree.items() if text is not None and MARK in text]
    if not marked:  # what is said of a file that is gone
        return case.tree, f"keysets/{next(iter(case.tree))}:1:1: {case.rule}: {case.says}"
    ((path, text),) = marked
    before, after = text.split(MARK)
    place = f"keysets/{path}:{before.count(chr(10)) + 1}:{len(before) - before.rfind(chr(10))}"
    return {**case.tree, path: before + after}, f"{place}: {case.rule}: {case.says}"


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path / "repo")


@pytest.mark.parametrize("case", _named(REFUSED))
def test_a_change_is_refused_with_its_place(world: World, case: Case) -> None:
    if case.rule == "revoked-before":
        struck = key("x", 8, "revoked: {at: 2026-05-01T00:00:00Z, reason: lost}")
        world.commit({"globex/keyset.yaml": keyset(struck, tenant="globex", domains="id.globex.example")})
        world.commit({"globex/keyset.yaml": BASE["globex/keyset.yaml"]})
    tree, line = _placed(case)
    world.change(tree)
    found = world.check()
    assert [one for one in said(found.diagnostics) if f": {case.rule}: " in one] == [line]
    assert {one.rule for one in found.diagnostics} == {case.rule}


@pytest.mark.parametrize("case", _named(WARNED))
def test_a_change_is_warned_of(world: World, case: Case) -> None:
    tree, line = _placed(case)
    world.change(tree)
    found = world.check()
    assert (said(found.warnings), said(found.diagnostics)) == ([line], [])


@pytest.mark.parametrize("name", GOOD)
def test_nothing_is_said_of(world: World, name: str) -> None:
    world.change(GOOD[name])
    found = world.check()
    assert said((*found.diagnostics, *found.warnings)) == []


def test_every_rule_and_warning_has_a_case() -> None:
    assert {case.rule for case in REFUSED} >= {rule.id for rule in changes.RULES}
    assert {case.rule for case in WARNED} == {rule.id for rule in changes.WARNINGS}
    assert {rule.id for rule in changes.WARNINGS} <= set(WARNINGS)


@pytest.mark.parametrize("name", [name for name, _ in LEAD if name != "generated"])
def test_the_date_that_is_named_is_accepted_and_a_second_less_is_not(world: World, name: str) -> None:
    # Also where the clock stands between two seconds.
    now, least = NOW - timedelta(microseconds=700), LEAST
    for start, fine in ((least, True), (later(least, -1), False)):
        entry = f"signs: {{from: {start}}}"
        early = acme(SIGNS, OLD, key("coming", 2, entry), LOST, PARTNER)
        world.change(early if name == "early" else plus(key("new", 9, entry)))
        found = world.check(now=now).diagnostics
        assert (found == ()) is fine, said(found)
        assert fine or f"signs.from must be {least} or later" in said(found)[0]


def test_a_key_that_was_announced_may_be_brought_forward_no_further_than_that(world: World) -> None:
    announced = "signs: {from: 2026-06-20T00:00:00Z}"
    world.commit(plus(key("new", 9, announced)))
    for start, fine in ((LEAST, True), ("2026-06-01T00:10:00Z", False), ("2026-06-19T00:00:00Z", True)):
        world.change(plus(key("new", 9, f"signs: {{from: {start}}}")))
        assert (world.check().diagnostics == ()) is fine, start
    # One that is published for long by its own window needs no more.
    world.commit(plus(key("new", 9, f"publish: {{from: 2026-05-20T00:00:00Z}}|{announced}")))
    world.change(plus(key("new", 9, "publish: {from: 2026-05-20T00:00:00Z}|signs: {from: 2026-06-01T00:10:00Z}")))
    assert world.check().diagnostics == ()


def test_a_key_comes_back_with_a_lead(world: World) -> None:
    over = "publish: {until: 2026-05-20T00:00:00Z}|signs: {until: 2026-05-01T00:00:00Z}"
    world.commit(plus(key("was", 9, over)))
    world.change(plus(key("was", 9)))
    assert [one.rule for one in world.check().diagnostics] == ["lead-too-short"]
    world.change(plus(key("was", 9, f"signs: {{from: {LEAST}}}")))
    assert world.check().diagnostics == ()


def test_a_key_that_never_signed_leaves_no_place_to_take(world: World) -> None:
    struck = key("coming", 2, "revoked: {at: 2026-05-31T00:00:00Z, reason: lost}|signs: {from: 2026-06-05T00:00:00Z}")
    world.commit({"acme/keyset.yaml": keyset(key("coming", 2, "signs: {from: 2026-06-05T00:00:00Z}"))})
    made = {"acme/generated.yaml": generated(MADE)}
    for revoked_before in (False, True):
        if revoked_before:
            world.commit({**made, "acme/keyset.yaml": keyset(struck)})
        world.change({**made, "acme/keyset.yaml": keyset(struck, key("new", 9))})
        assert [one.rule for one in world.check().diagnostics] == ["lead-too-short"]


def test_a_key_that_signs_is_not_made_one_that_never_did(world: World) -> None:
    world.change(acme(key("signs", 0, "signs: {from: 2026-06-10T00:00:00Z}"), OLD, COMING, LOST, PARTNER))
    (found,) = [str(one) for one in world.check().diagnostics if one.rule == "retention-too-short"]
    assert "leave signs.from as it is there; signs.until ends it" in found


def test_a_replacement_signs_at_once_where_none_of_its_kind_signs_on(world: World) -> None:
    struck = "revoked: {at: 2026-05-30T00:00:00Z, reason: stolen}"
    gone = (key("signs", 0, struck), OLD, COMING, LOST)
    partner = PARTNER + f"    {struck}\n"
    world.change(acme(*gone, PARTNER, key("new", 9)))
    assert [one.rule for one in world.check().diagnostics] == ["lead-too-short"]  # the partner's signs on
    world.change(acme(*gone, partner, key("new", 9)))
    assert world.check().diagnostics == ()
    # Also where the revocation came before.
    world.commit(acme(*gone, partner))
    world.change(acme(*gone, partner, key("new", 9)))
    assert world.check().diagnostics == ()
    world.change({**acme(*gone, partner), "acme/generated.yaml": generated(MADE, key("next", 9))})
    assert [one.rule for one in world.check().diagnostics] == ["lead-too-short"]


def test_an_upstreams_keys_need_no_lead(world: World) -> None:
    more = "upstream: {url: https://idp.example/jwks, synced: 2026-06-01T00:00:00Z}\n"
    world.commit({"acme/generated.yaml": generated(MADE, more=more)})
    world.change({"acme/generated.yaml": generated(MADE, key("theirs", 9), more=more)})
    assert world.check().diagnostics == ()
    world.change(plus(key("own", 10)))
    assert [one.rule for one in world.check().diagnostics] == ["lead-too-short"]


def test_shorter_times_do_not_bind_with_the_change_that_shortens_them(world: World) -> None:
    ends = key("signs", 0, "publish: {until: 2026-06-01T01:05:00Z}|signs: {until: 2026-06-01T00:00:00Z}")
    shorter = POLICY.replace("token_lifetime: 24h", "token_lifetime: 1h")
    hint = f"publish.until must be {KEPT} or later"
    for tree in (
        {"policy.yaml": shorter, **acme(ends, OLD, COMING, LOST, PARTNER)},
        acme(ends, OLD, COMING, LOST, PARTNER, more="token_lifetime: 1h\n"),
    ):
        world.change({"policy.yaml": POLICY, **tree})
        (found,) = world.check().diagnostics
        assert (found.rule, found.hint) == ("retention-too-short", hint)
    world.commit({"policy.yaml": shorter, **acme(SIGNS, OLD, COMING, LOST, PARTNER)})
    world.change(acme(ends, OLD, COMING, LOST, PARTNER))
    assert world.check().diagnostics == ()


def test_a_generated_key_that_becomes_a_custom_one_leaves_the_canonical_domain(world: World) -> None:
    world.change({**plus(MADE), "acme/generated.yaml": generated(key("next", 9, f"signs: {{from: {LEAST}}}"))})
    (found,) = world.check().warnings
    assert found.rule == "key-removed"
    assert found.message == "the key is taken from the canonical domain, and it signs"


def test_what_cannot_be_read_is_not_taken_for_removed(world: World) -> None:
    world.change({"acme/generated.yaml": "generated_keys: [\n"})
    found = world.check()
    assert [one.rule for one in found.diagnostics] == ["yaml-syntax"]
    assert found.warnings == ()
    text = BASE["acme/keyset.yaml"]
    assert text is not None
    world.change(
        {"acme/generated.yaml": BASE["acme/generated.yaml"], "acme/keyset.yaml": text.replace("x: ", "x: !", 2)}
    )
    found = world.check()
    assert {one.rule for one in found.diagnostics}.isdisjoint({"ledger-shortened", "lead-too-short"})
    assert found.warnings == ()
    # What is removed from the other file is told all the same.
    world.change({"acme/generated.yaml": generated(key("made", 5, "odd: 1")), **acme(SIGNS, OLD, COMING, PARTNER)})
    assert [one.rule for one in world.check().diagnostics] == ["unknown-field", "ledger-shortened"]


def test_far_dates_are_dates(world: World) -> None:
    world.change(plus(key("new", 9, "publish: {from: 9999-12-31T23:00:00Z}")))
    assert [one.rule for one in world.check().diagnostics] == ["lead-too-short"]
