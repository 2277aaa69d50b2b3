"""Plans: what each difference between live and wanted is called, what it endangers, and what does not count."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from strategies import BASE, BOUNDED, MOMENTS, Entry, Tenant, entry, hour, pool, tenants, window

from publisher.plan import Change, Move, Plan, live_headers, make_plan, serves
from publisher.policy import Cache, Policy
from publisher.render import cache_control
from publisher.state import Live
from publisher.store import Headers
from publisher.wanted import Wanted

CACHE = cache_control(Cache())
DOMAIN = "login.acme.example"
ALL_HAZARDS = frozenset({"empty-set", "foreign-object"})

ROTATION: list[Entry] = [entry(2, "old", **window(0, 0, 4, 6)), entry(3, "new", **window(2, 4, None, None))]
"""At 0 `old` signs; at 2 `new` is announced; at 4 they change places; at 6 `old` is gone."""


def at(count: float, *, custom: Iterable[Entry] = (), generated: Iterable[Entry] = ROTATION) -> Wanted:
    """What the tenant's domain is to serve at an hour."""
    tenant = Tenant(custom=tuple(custom), generated=tuple(generated))
    return tenant.wanted(hour(count), Policy())[0]


def stored(wanted: Wanted, cache: str = CACHE) -> Live:
    """It, as we publish it."""
    return Live(domain=wanted.domain, body=wanted.body, headers=live_headers(wanted, cache), token="t")


def foreign(body: bytes) -> Live:
    """An object that somebody else has put there."""
    headers = Headers(content_type="application/json", cache_control="max-age=60")
    return Live(domain=DOMAIN, body=body, headers=headers, token="f")


def marked(live: Live, **metadata: str) -> Live:
    """The object with other metadata; an empty value takes it away."""
    fields = {**dict(live.headers.metadata), **metadata}
    kept = tuple(sorted((name, value) for name, value in fields.items() if value))
    return replace(live, headers=replace(live.headers, metadata=kept))


def planned(
    wanted: Iterable[Wanted],
    live: Mapping[str, Live],
    *,
    published: Iterable[str] | None = None,
    now: datetime = BASE,
    cache: str = CACHE,
    allowed: frozenset[str] = frozenset(),
) -> Plan:
    return make_plan(
        wanted,
        live,
        live if published is None else published,
        source="commit 1a2b3c4d5e6f",
        store="memory://",
        now=now,
        cache_control=cache,
        allowed=allowed,
    )


def change(wanted: Wanted, before: Live | None, cache: str = CACHE, allowed: frozenset[str] = frozenset()) -> Change:
    (one,) = planned([wanted], {} if before is None else {DOMAIN: before}, cache=cache, allowed=allowed).changes
    return one


def told(one: Change) -> tuple[str, list[str], list[str]]:
    """Effect, kids in, kids out."""
    return one.effect, [key.kid for key in one.keys_in], list(one.keys_out)


def hazards(one: Change) -> list[tuple[str, bool]]:
    return [(hazard.rule.id, hazard.waived) for hazard in one.hazards]


def move(kid: str, before: str | None, after: str) -> Move:
    return Move(kid=kid, before=before, after=after)


@pytest.mark.parametrize(
    ("before", "after", "effect", "moves"),
    [
        (None, 0, ("new", ["old"], []), []),
        (None, 2, ("new", ["old", "new"], []), []),
        (0, 2, ("keys", ["new"], []), []),
        (2, 4, ("order", [], []), [("new", "announced", "active"), ("old", "active", "retiring")]),
        (0, 4, ("keys", ["new"], []), [("old", "active", "retiring")]),
        (4, 6, ("keys", [], ["old"]), []),
        (2, 6, ("keys", [], ["old"]), [("new", "announced", "active")]),
        (0, 6, ("keys", ["new"], ["old"]), []),
        (6, 0, ("keys", ["old"], ["new"]), []),
    ],
)
def test_time_alone_moves_a_rotation_on(
    before: int | None, after: int, effect: tuple[str, list[str], list[str]], moves: list[tuple[str, str, str]]
) -> None:
    one = change(at(after), None if before is None else stored(at(before)))
    assert told(one) == effect
    assert one.moves == tuple(move(*each) for each in moves)
    assert one.hazards == ()
    assert not one.blocked
    assert one.headers == live_headers(at(after), CACHE)


@pytest.mark.parametrize(("before", "after"), [(0, 1.9), (2, 3.9), (4, 5.9), (6, 999)])
def test_between_two_instants_there_is_nothing_to_do(before: float, after: float) -> None:
    plan = planned([at(after)], {DOMAIN: stored(at(before))})
    assert (plan.changes, plan.unchanged) == ((), 1)


def test_keys_in_are_facts_in_the_order_of_the_document() -> None:
    one = change(at(2, custom=[entry(4, "mine")]), None)
    assert [(key.kid, key.origin, key.phase, key.alg) for key in one.keys_in] == [
        ("mine", "custom", "active", "ES256"),
        ("old", "generated", "active", "ES256"),
        ("new", "generated", "announced", "ES256"),
    ]
    assert [key.thumbprint for key in one.keys_in] == [pool()[number].thumbprint for number in (4, 2, 3)]


def test_other_material_under_the_same_kid_is_a_key_out_and_a_key_in() -> None:
    """jwks-rsa-java#277: caches go on with the old one; a plan that called it another order would hide it."""
    before, after = at(0, generated=[entry(2, "k"), entry(3, "l")]), at(0, generated=[entry(4, "k"), entry(3, "l")])
    one = change(after, stored(before))
    assert told(one) == ("keys", ["k"], ["k"])
    assert one.keys_in[0].thumbprint == pool()[4].thumbprint
    assert one.moves == ()


def test_the_same_key_under_another_kid_is_a_key_out_and_a_key_in() -> None:
    assert told(change(at(0, generated=[entry(2, "b")]), stored(at(0, generated=[entry(2, "a")])))) == (
        "keys",
        ["b"],
        ["a"],
    )


def test_another_algorithm_for_the_same_key_is_another_form() -> None:
    before, after = (at(0, generated=[{**entry(0, "k"), "alg": alg}]) for alg in ("RS256", "PS256"))
    assert told(change(after, stored(before))) == ("order", [], [])


@pytest.mark.parametrize(
    "spoil",
    [
        lambda live: replace(live, headers=replace(live.headers, cache_control="public, max-age=60")),
        lambda live: replace(live, headers=replace(live.headers, content_type="application/jwk-set+json")),
        lambda live: marked(live, tenant="globex"),
        lambda live: marked(live, tenant=""),
    ],
)
def test_headers_alone_are_a_change(spoil: Callable[[Live], Live]) -> None:
    one = change(at(2), spoil(stored(at(2))))
    assert told(one) == ("headers", [], [])
    assert one.moves == ()
    assert one.hazards == ()


def test_a_policy_with_other_cache_times_changes_all_headers() -> None:
    shorter = cache_control(Cache(max_age=timedelta(seconds=60)))
    one = change(at(2), stored(at(2)), cache=shorter)
    assert one.effect == "headers"
    assert one.headers.cache_control == "public, max-age=60, stale-while-revalidate=60, stale-if-error=86400"
    assert planned([at(2)], {DOMAIN: stored(at(2), shorter)}, cache=shorter).changes == ()


def test_recorded_phases_do_not_count() -> None:
    wanted = at(0, generated=[entry(2, "k", **window(0, 2, 4, 6))])
    later = at(3, generated=[entry(2, "k", **window(0, 2, 4, 6))])
    assert wanted.body == later.body
    assert live_headers(wanted, CACHE) != live_headers(later, CACHE)
    assert serves(stored(wanted), later, live_headers(later, CACHE))
    assert serves(marked(stored(wanted), phases=""), later, live_headers(later, CACHE))
    assert planned([later], {DOMAIN: stored(wanted)}).changes == ()


@pytest.mark.parametrize("phases", ["", "active", "active,active,active"])
def test_phases_that_were_not_recorded_are_unknown(phases: str) -> None:
    one = change(at(4), marked(stored(at(2)), phases=phases))
    assert told(one) == ("order", [], [])
    assert one.moves == (move("new", None, "active"), move("old", None, "retiring"))


@pytest.mark.parametrize(
    ("body", "effect"),
    [
        (b"<html>", ("keys", ["old"], [])),
        (b"", ("keys", ["old"], [])),
        (b"\xff", ("keys", ["old"], [])),
        (b"[]", ("keys", ["old"], [])),
        (b"{}", ("keys", ["old"], [])),
        (b'{"keys":{"a":1}}', ("keys", ["old"], [])),
        (b'{"keys":[1]}', ("keys", ["old"], [])),
        (b'{"keys":[{"kty":"RSA"}]}', ("keys", ["old"], [])),
        (b'{"keys":[{"kid":"x","kty":["RSA"]}]}', ("keys", ["old"], ["x"])),
        (b'{"keys":[{"kid":"old","kty":"RSA","n":"AQAB","e":"AQAB"}]}', ("keys", ["old"], ["old"])),
        (b'{"keys":[{"kid":"x"},{"kid":"y"},{"kid":"x"}]}', ("keys", ["old"], ["x", "y"])),
        (None, ("headers", [], [])),
    ],
)
def test_what_somebody_else_wrote_blocks_until_it_is_waived(
    body: bytes | None, effect: tuple[str, list[str], list[str]]
) -> None:
    """None: the very bytes that are wanted."""
    theirs = foreign(at(0).body if body is None else body)
    one = change(at(0), theirs)
    assert told(one) == effect
    assert hazards(one) == [("foreign-object", False)]
    assert one.blocked
    waived = change(at(0), theirs, allowed=frozenset({"foreign-object"}))
    assert hazards(waived) == [("foreign-object", True)]
    assert not waived.blocked
    assert change(at(0), theirs, allowed=frozenset({"empty-set"})).blocked


def test_our_object_with_a_changed_body_is_foreign() -> None:
    edited = replace(stored(at(2)), body=at(2).body + b"\n")
    assert not edited.ours
    assert told(change(at(2), edited)) == ("order", [], [])
    assert hazards(change(at(2), edited)) == [("foreign-object", False)]
    assert hazards(change(at(4), edited)) == [("foreign-object", False)]


def test_our_object_without_the_digest_of_its_bytes_is_foreign() -> None:
    for sha256 in ("", "0" * 64):
        one = change(at(2), marked(stored(at(2)), sha256=sha256))
        assert told(one) == ("headers", [], [])
        assert hazards(one) == [("foreign-object", False)]


def test_an_empty_set_in_place_of_keys_blocks_until_it_is_waived() -> None:
    nothing = at(0, generated=[])
    assert told(change(nothing, stored(at(2)))) == ("keys", [], ["old", "new"])
    one = change(nothing, stored(at(2)))
    assert hazards(one) == [("empty-set", False)]
    assert one.hazards[0].message == "it serves 2 keys, and would serve none"
    assert change(nothing, stored(at(0))).hazards[0].message == "it serves 1 key, and would serve none"
    waived = change(nothing, stored(at(2)), allowed=frozenset({"empty-set"}))
    assert not waived.blocked
    assert dict(waived.headers.metadata) == {"domain": DOMAIN, "sha256": nothing.digest, "tenant": "acme"}
    assert hazards(change(nothing, foreign(at(0).body))) == [("foreign-object", False), ("empty-set", False)]


def test_an_empty_set_that_is_live_already_endangers_nobody() -> None:
    """It was waived when it was published; other cache times do not ask again."""
    nothing = at(0, generated=[])
    assert planned([nothing], {DOMAIN: stored(nothing)}).unchanged == 1
    one = change(nothing, stored(nothing, "public, max-age=1"))
    assert (one.effect, one.hazards) == ("headers", ())
    assert told(change(at(0), stored(nothing))) == ("keys", ["old"], [])


def test_one_blocked_domain_blocks_no_other() -> None:
    first, second = at(2), replace(at(2), domain="id.acme.example")
    plan = planned([first, second], {DOMAIN: foreign(b"{}")})
    assert [(one.wanted.domain, one.blocked) for one in plan.changes] == [("id.acme.example", False), (DOMAIN, True)]
    assert [one.wanted.domain for one in plan.blocked] == [DOMAIN]
    assert planned([first, second], {DOMAIN: foreign(b"{}")}, allowed=ALL_HAZARDS).blocked == ()


def test_domains_without_keys_have_no_document() -> None:
    plan = planned([at(-1), replace(at(-1), domain="a.acme.example")], {})
    assert (plan.changes, plan.unchanged) == ((), 0)
    assert plan.without_keys == ("a.acme.example", DOMAIN)
    assert plan.next_change == hour(0)


def test_live_domains_that_the_source_does_not_name_are_left_alone() -> None:
    others = [f"{label}.example" for label in "zyxabc"]
    plan = planned([at(2)], {DOMAIN: stored(at(2))}, published=[DOMAIN, *others])
    assert plan.not_in_source == tuple(sorted(others))
    assert (plan.changes, plan.unchanged) == ((), 1)
    assert planned([at(-1)], {}, published=[DOMAIN]).not_in_source == ()


@pytest.mark.parametrize(("now", "due"), [(-1, 0), (0, 2), (1.5, 2), (2, 4), (4, 6), (6, None)])
def test_the_next_change_is_the_earliest_of_all_domains(now: float, due: float | None) -> None:
    steady = replace(at(0, generated=[entry(5, "x")]), domain="id.acme.example")
    expected = None if due is None else hour(due)
    assert planned([at(now), steady], {}).next_change == expected
    assert planned([steady, at(now)], {DOMAIN: foreign(b"{}")}).next_change == expected
    late = replace(at(0, generated=[entry(5, "x", **window(None, None, None, 99))]), domain="id.acme.example")
    assert planned([late, at(now)], {}).next_change == (expected or hour(99))


def test_a_plan_says_what_it_was_made_from() -> None:
    plan = planned([at(2)], {}, now=hour(2))
    assert (plan.source, plan.store, plan.now) == ("commit 1a2b3c4d5e6f", "memory://", hour(2))


@settings(BOUNDED, max_examples=40)
@given(acme=tenants(), globex=tenants(name="globex"), moments=st.tuples(MOMENTS, MOMENTS), data=st.data())
def test_a_plan_is_equal_whatever_the_order_of_its_input(
    acme: Tenant, globex: Tenant, moments: tuple[datetime, datetime], data: st.DataObject
) -> None:
    earlier, later = min(moments), max(moments)
    before = {one.domain: stored(one) for tenant in (acme, globex) for one in tenant.wanted(earlier) if one.keys}
    wanted = [one for tenant in (acme, globex) for one in tenant.wanted(later)]
    plan = planned(wanted, before)
    mixed = data.draw(st.permutations(wanted))
    live = dict(data.draw(st.permutations(list(before.items()))))
    assert planned(mixed, live, published=reversed(list(before))) == plan
    assert planned(iter(wanted), before) == plan
    counted = len(plan.changes) + plan.unchanged + len(plan.without_keys)
    assert counted == len(wanted)


@settings(BOUNDED, max_examples=40)
@given(tenant=tenants(), moments=st.tuples(MOMENTS, MOMENTS))
def test_keys_in_and_out_turn_the_one_set_into_the_other(tenant: Tenant, moments: tuple[datetime, datetime]) -> None:
    before = {one.domain: stored(one) for one in tenant.wanted(moments[0])}
    plan = planned(tenant.wanted(moments[1]), before)
    for one in plan.changes:
        old = {key["kid"] for key in orjson.loads(before[one.wanted.domain].body)["keys"]}
        new = {key["kid"] for key in orjson.loads(one.wanted.body)["keys"]}
        assert new == (old - set(one.keys_out)) | {key.kid for key in one.keys_in}
        assert {each.kid for each in one.moves} <= old & new
        assert (one.effect == "keys") == (old != new)
        assert one.blocked == (not new and bool(old))
    unchanged = {one.domain for one in tenant.wanted(moments[1])} - {one.wanted.domain for one in plan.changes}
    assert all(before[one.domain].body == one.body for one in tenant.wanted(moments[1]) if one.domain in unchanged)


@pytest.mark.parametrize(
    ("entries", "waived"),
    [
        ([{"revoked": True}, {"revoked": True}], True),
        ([{"revoked": True}, {"until": 1}], True),
        ([{"revoked": True}, None], False),
        ([{"until": 1}, {"until": 1}], False),
    ],
)
def test_a_revocation_empties_a_set_only_if_no_other_key_is_lost_by_it(
    entries: list[dict[str, object] | None], waived: bool
) -> None:
    """Each entry of two that are live: revoked, past its window, or removed from the files (None)."""
    before = at(0, generated=[entry(2, "a"), entry(3, "b")])
    after: list[Entry] = []
    for number, one in enumerate(entries):
        if one is not None:
            more = {"revoked": {"at": "2025-12-31T00:00:00Z", "reason": "lost"}} if "revoked" in one else {}
            bounds = window(None, None, None, 1) if "until" in one else {}
            after.append(entry(2 + number, "ab"[number], **more, **bounds))
    found = change(at(2, generated=after), stored(before))
    assert hazards(found) == [("empty-set", waived)]


def test_recorded_phases_that_are_none_are_not_shown() -> None:
    live = marked(stored(at(0)), phases="\x1b]0;title\x07")
    assert live.phases() == {"old": None}


def test_a_document_of_another_domain_is_foreign() -> None:
    moved = replace(stored(at(0)), domain="id.globex.example")
    assert not moved.ours
