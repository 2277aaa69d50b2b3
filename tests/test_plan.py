"""Plans: what each difference between live and wanted is called, what it endangers, and what does not count."""

import asyncio
from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import datetime, timedelta

import orjson
import pytest
from history import History
from hypothesis import given, settings
from hypothesis import strategies as st
from publishing import plan as plan_of
from publishing import publish
from strategies import BOUNDED, CERTIFIED, MOMENTS, Entry, Tenant, entry, hour, pool, tenants, window

from publisher.plan import Change, Move, Plan
from publisher.planreport import plan_text
from publisher.policy import Cache
from publisher.render import cache_control
from publisher.state import get_live, live_headers, live_key
from publisher.store import Headers, Store, Stored
from publisher.stores import open_store
from publisher.survey import Wish

CACHE = cache_control(Cache())
DOMAIN = "login.acme.example"
PLAIN = "version: 1\n"
EVERY = (
    "version: 1\nalgorithms: [RS256, PS512, ES256, ES384, ES512, ES256K, EdDSA, Ed25519, Ed448]\n"
    'canonical_domain: "{tenant}.idp.example"\n'
)
SHORT = "version: 1\ncache: {max_age: 60}\n"
THEIRS = Headers(content_type="application/json", cache_control="max-age=60")
OVER_TIME = ("drops-active-key", "drops-retiring-key", "clock-behind", "empty-set")
"""Hazards of going back and forth in time, where a test is about something else."""

SOUND = tenants(sound=True, keys=range(CERTIFIED))


def day(count: float) -> datetime:
    """An instant in days."""
    return hour(24 * count)


def days(*counts: float | None) -> Entry:
    """A window in days."""
    return window(*(None if count is None else 24 * count for count in counts))


ROTATION: list[Entry] = [entry(2, "old", **days(0, 0, 4, 6)), entry(3, "new", **days(2, 4, None, None))]
"""On day 0 `old` signs; on day 2 `new` is announced; on day 4 they change places; on day 6 `old` is gone."""
LONG_AFTER = 999
"""A day on which files are checked to be of no rule about the future."""

Spoil = Callable[[Stored], tuple[bytes, Headers]]


def acme(generated: Iterable[Entry] = ROTATION, *, custom: Iterable[Entry] = ()) -> Tenant:
    return Tenant(custom=tuple(custom), generated=tuple(generated))


class Fleet:
    """A store in memory and the commits that are published to it, at instants in days."""

    def __init__(self) -> None:
        self.store: Store = open_store("memory://")
        self.history = History()

    def publish(
        self,
        at: float,
        *tenants: Tenant,
        policy: str = PLAIN,
        allowed: Iterable[str] = (),
        checked: float | None = None,
    ) -> None:
        commit = self.history.commit(*tenants, policy=policy)
        judged = None if checked is None else day(checked)
        asyncio.run(publish(self.store, commit, now=day(at), allowed=allowed, checked=judged))

    def plan(
        self, at: float, *tenants: Tenant, policy: str = PLAIN, allowed: Iterable[str] = (), full: bool = False
    ) -> Plan:
        commit = self.history.commit(*tenants, policy=policy)
        wish, inspect = Wish(full=full), full
        return asyncio.run(plan_of(self.store, commit, now=day(at), allowed=allowed, wish=wish, inspect=inspect))

    def change(self, at: float, *tenants: Tenant, **more: object) -> Change:
        """The one change."""
        (one,) = self.plan(at, *tenants, **more).changes  # type: ignore[arg-type]
        return one

    def spoil(self, spoil: Spoil, domain: str = DOMAIN) -> None:
        """Somebody else writes to a live object."""

        async def go() -> None:
            there = await self.store.get(live_key(domain))
            given = there or Stored(body=b"", headers=THEIRS, token="")
            body, headers = spoil(given)
            token = None if there is None else there.token
            assert await self.store.put(live_key(domain), body, headers, replaces=token) is not None

        asyncio.run(go())


@pytest.fixture
def fleet() -> Fleet:
    return Fleet()


def told(one: Change) -> tuple[str, list[str], list[str]]:
    """Effect, kids in, kids out."""
    return one.effect, [key.kid for key in one.keys_in], list(one.keys_out)


def hazards(one: Change) -> list[tuple[str, bool]]:
    return [(hazard.rule.id, hazard.waived) for hazard in one.hazards]


def kids(body: bytes) -> set[str]:
    return {str(key["kid"]) for key in orjson.loads(body)["keys"]}


def marked(**metadata: str) -> Spoil:
    """Other metadata; an empty value takes it away."""

    def spoil(found: Stored) -> tuple[bytes, Headers]:
        fields = {**dict(found.headers.metadata), **metadata}
        kept = tuple(sorted((name, value) for name, value in fields.items() if value))
        return found.body, replace(found.headers, metadata=kept)

    return spoil


def move(kid: str, before: str, after: str) -> Move:
    return Move(kid=kid, before=before, after=after)  # type: ignore[arg-type]


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
        (0, 6, ("keys", ["new"], []), [("old", "active", "retiring")]),  # as `new` may not sign yet
    ],
)
def test_time_alone_moves_a_rotation_on(
    fleet: Fleet,
    before: int | None,
    after: int,
    effect: tuple[str, list[str], list[str]],
    moves: list[tuple[str, str, str]],
) -> None:
    if before is not None:
        fleet.publish(before, acme())
    plan = fleet.plan(after, acme())
    (one,) = plan.changes
    assert told(one) == effect
    assert one.moves == tuple(move(*each) for each in moves)
    late = before == 0 and after >= 4  # then `new` comes when it should sign already
    assert hazards(one) == [("signs-before-published", True)] * late
    assert not one.blocked
    assert not one.removes
    assert one.cache == CACHE


@pytest.mark.parametrize(("before", "after"), [(0, 1.9), (2, 3.9), (4, 5.9), (6, 999)])
def test_between_two_instants_there_is_nothing_to_do(fleet: Fleet, before: float, after: float) -> None:
    fleet.publish(before, acme())
    plan = fleet.plan(after, acme(), full=True)
    assert (plan.changes, plan.unchanged) == ((), 1)


def test_time_does_not_go_back(fleet: Fleet) -> None:
    fleet.publish(6, acme())
    assert fleet.plan(0, acme()).refused


def test_keys_in_are_facts_in_the_order_of_the_document(fleet: Fleet) -> None:
    one = fleet.change(2, acme(custom=[entry(4, "mine")]))
    assert [(key.kid, key.origin, key.phase, key.alg) for key in one.keys_in] == [
        ("mine", "custom", "active", "ES256"),
        ("old", "generated", "active", "ES256"),
        ("new", "generated", "announced", "ES256"),
    ]
    assert [key.thumbprint for key in one.keys_in] == [pool()[number].thumbprint for number in (4, 2, 3)]


def test_no_kid_is_a_command_to_the_log_that_shows_the_plan(fleet: Fleet) -> None:
    plan = fleet.plan(0, acme([], custom=[entry(4, "##[add-mask]e")]))
    (line,) = [one.strip() for one in plan_text(plan) if "add-mask" in one]
    assert line.startswith("+ #\\x23[add-mask]e  ")


def test_other_material_under_the_same_kid_is_a_key_out_and_a_key_in(fleet: Fleet) -> None:
    """jwks-rsa-java#277: caches go on with the old one; a plan that called it another order would hide it."""
    fleet.publish(0, acme([], custom=[entry(2, "k"), entry(3, "l")]))
    one = fleet.change(0, acme([], custom=[entry(4, "k"), entry(3, "l")]))
    assert told(one) == ("keys", ["k"], ["k"])
    assert one.keys_in[0].thumbprint == pool()[4].thumbprint
    assert one.moves == ()
    assert hazards(one) == [("drops-active-key", False), ("kid-reused", False)]


def test_the_same_key_under_another_kid_is_a_key_out_and_a_key_in(fleet: Fleet) -> None:
    """Tokens name the kid: to verifiers it is gone."""
    fleet.publish(0, acme([entry(2, "a")]))
    one = fleet.change(0, acme([entry(2, "b")]))
    assert told(one) == ("keys", ["b"], ["a"])
    assert hazards(one) == [("drops-active-key", False)]


def test_another_algorithm_for_the_same_key_is_another_form(fleet: Fleet) -> None:
    fleet.publish(0, acme([{**entry(0, "k"), "alg": "RS256"}]))
    assert told(fleet.change(0, acme([{**entry(0, "k"), "alg": "PS256"}]))) == ("order", [], [])


@pytest.mark.parametrize(
    "spoil",
    [
        lambda found: (found.body, replace(found.headers, cache_control="public, max-age=60")),
        lambda found: (found.body, replace(found.headers, content_type="application/jwk-set+json")),
        marked(tenant="globex"),
        marked(tenant=""),
    ],
)
def test_headers_alone_are_a_change(fleet: Fleet, spoil: Spoil) -> None:
    """As `audit` looks at them: a publish trusts its own record of what it wrote."""
    fleet.publish(2, acme())
    fleet.spoil(spoil)
    assert asyncio.run(get_live(fleet.store, DOMAIN)) is not None
    another = acme([*ROTATION, entry(5, "third", **days(None, 9, None, None))])
    assert hazards(fleet.change(2, another)) == []
    assert fleet.change(2, another).effect == "keys"


def test_a_policy_with_other_cache_times_changes_all_headers(fleet: Fleet) -> None:
    fleet.publish(2, acme())
    one = fleet.change(2, acme(), policy=SHORT)
    assert (told(one), one.moves, one.hazards) == (("headers", [], []), (), ())
    assert one.cache == "public, max-age=60, stale-while-revalidate=60, stale-if-error=86400"
    fleet.publish(2, acme(), policy=SHORT)
    assert fleet.plan(2, acme(), policy=SHORT, full=True).changes == ()


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
    fleet: Fleet, body: bytes | None, effect: tuple[str, list[str], list[str]]
) -> None:
    """None: the very bytes that are wanted."""
    written = acme().wanted(day(0))[0].body if body is None else body
    fleet.spoil(lambda found: (written, THEIRS))
    one = fleet.change(0, acme())
    assert told(one) == effect
    assert hazards(one) == [("foreign-object", False)]
    assert one.blocked
    waived = fleet.change(0, acme(), allowed=["foreign-object"])
    assert hazards(waived) == [("foreign-object", True)]
    assert not waived.blocked
    assert fleet.change(0, acme(), allowed=["empty-set"]).blocked


@pytest.mark.parametrize("at", [2, 4])
def test_our_object_with_a_changed_body_is_foreign(fleet: Fleet, at: float) -> None:
    fleet.publish(2, acme())
    fleet.spoil(lambda found: (found.body + b"\n", found.headers))
    one = fleet.change(at, acme(), full=True)
    assert told(one) == ("order", [], [])
    assert hazards(one) == [("foreign-object", False)]


@pytest.mark.parametrize(
    "metadata", [{"sha256": ""}, {"sha256": "0" * 64}, {"domain": "id.acme.example"}, {"release": ""}]
)
def test_an_object_whose_mark_is_not_of_its_bytes_and_domain_is_foreign(fleet: Fleet, metadata: dict[str, str]) -> None:
    fleet.publish(2, acme())
    fleet.spoil(marked(**metadata))
    one = fleet.change(2, acme(), full=True)
    assert told(one) == ("headers", [], [])
    assert hazards(one) == [("foreign-object", False)]


@pytest.mark.parametrize("release", ["2", "99", "0", "-1", "1.0", "٣"])
def test_a_release_that_never_was_is_foreign(fleet: Fleet, release: str) -> None:
    fleet.publish(2, acme())
    headers = live_headers(DOMAIN, "acme", acme().wanted(day(2))[0].body, CACHE, 1)
    fleet.spoil(lambda found: (found.body, headers))
    assert fleet.plan(2, acme(), full=True).changes == ()
    if release.isascii():
        fleet.spoil(marked(release=release))
        assert hazards(fleet.change(2, acme(), full=True)) == [("foreign-object", False)]


def test_a_document_that_is_gone_is_put_back(fleet: Fleet) -> None:
    fleet.publish(2, acme())
    asyncio.run(fleet.store.delete(live_key(DOMAIN)))
    assert told(fleet.change(2, acme(), full=True)) == ("restored", ["old", "new"], [])


def test_an_empty_set_in_place_of_keys_blocks_until_it_is_waived(fleet: Fleet) -> None:
    fleet.publish(2, acme())
    one = fleet.change(2, acme([]))
    assert told(one) == ("keys", [], ["old", "new"])
    assert hazards(one) == [("empty-set", False), ("drops-active-key", False)]
    assert one.hazards[0].message == "it serves 2 keys, and would serve none"
    waived = fleet.change(2, acme([]), allowed=["empty-set", "drops-active-key"])
    assert not waived.blocked
    assert waived.body == b'{"keys":[]}'
    assert waived.effect == "keys"


def test_an_empty_set_that_is_live_already_endangers_nobody(fleet: Fleet) -> None:
    """It was waived when it was published; other cache times do not ask again."""
    fleet.publish(0, acme())
    fleet.publish(0, acme([]), allowed=OVER_TIME)
    assert fleet.plan(0, acme([]), full=True).unchanged == 1
    one = fleet.change(0, acme([]), policy=SHORT)
    assert (one.effect, one.hazards) == ("headers", ())
    assert told(fleet.change(0, acme())) == ("keys", ["old"], [])


def test_one_blocked_domain_blocks_no_other(fleet: Fleet) -> None:
    tenant = Tenant(domains=(DOMAIN, "id.acme.example"), generated=ROTATION)
    fleet.spoil(lambda found: (b"{}", THEIRS))
    plan = fleet.plan(2, tenant)
    assert [(one.domain, one.blocked) for one in plan.changes] == [("id.acme.example", False), (DOMAIN, True)]
    assert [one.domain for one in plan.blocked] == [DOMAIN]
    assert plan.quarantined == ("acme",)
    assert fleet.plan(2, tenant, allowed=["foreign-object"]).blocked == ()


def test_domains_without_keys_have_no_document(fleet: Fleet) -> None:
    plan = fleet.plan(-1, Tenant(domains=(DOMAIN, "a.acme.example"), generated=ROTATION))
    assert (plan.changes, plan.unchanged) == ((), 0)
    assert plan.without_keys == ("a.acme.example", DOMAIN)
    assert plan.next_change == day(0)


def test_domains_and_tenants_that_the_commit_does_not_name_any_more_are_withdrawn(fleet: Fleet) -> None:
    globex = Tenant(name="globex", domains=("id.globex.example",), custom=[entry(5, "g", **days(0, 0, 1, None))])
    fleet.publish(0, Tenant(domains=(DOMAIN, "id.acme.example"), generated=ROTATION), globex, checked=LONG_AFTER)
    plan = fleet.plan(0, acme())
    assert [(told(one), hazards(one)) for one in plan.changes] == [
        (("withdrawn", [], ["old"]), [("drops-active-key", False)]),
        (("withdrawn", [], ["g"]), [("drops-active-key", False)]),
    ]
    assert plan.unchanged == 1
    late = fleet.plan(40, acme())
    assert [(one.domain, one.effect, hazards(one)) for one in late.changes] == [
        ("id.acme.example", "withdrawn", [("drops-retiring-key", False)]),  # for which `old` has signed until now
        ("id.globex.example", "withdrawn", []),
        (DOMAIN, "keys", [("signs-before-published", True)]),  # `new` is published late
    ]


def test_a_new_domain_waits_where_the_key_that_signs_is_in_the_files_no_more(fleet: Fleet) -> None:
    fleet.publish(0, acme(), checked=LONG_AFTER)
    plan = fleet.plan(1, Tenant(domains=(DOMAIN, "id.acme.example"), generated=[entry(3, "new")]))
    assert [(one.domain, one.blocked, hazards(one)) for one in plan.changes] == [
        ("id.acme.example", True, [("drops-active-key", False)]),
        (DOMAIN, True, [("drops-active-key", False), ("signs-before-published", False)]),
    ]
    plan = fleet.plan(1, Tenant(domains=(DOMAIN, "id.acme.example"), generated=ROTATION))
    assert [(one.domain, hazards(one)) for one in plan.changes] == [("id.acme.example", [])]


def test_live_objects_that_nobody_names_are_left_alone(fleet: Fleet) -> None:
    fleet.spoil(lambda found: (b"{}", THEIRS), "z.example")
    fleet.publish(0, acme())
    assert fleet.plan(0, acme(), full=True).changes == ()


@pytest.mark.parametrize(("now", "due"), [(-1, 0), (0, 2), (1.5, 2), (2, 4), (4, 6), (6, None)])
def test_the_next_change_is_the_earliest_of_all_domains(fleet: Fleet, now: float, due: float | None) -> None:
    steady = Tenant(name="globex", domains=("id.globex.example",), generated=[entry(5, "x"), entry(4, "y")])
    late = replace(steady, generated=[entry(5, "x", **days(None, None, -2, 99)), entry(4, "y")])
    expected = None if due is None else day(due)
    assert fleet.plan(now, acme(), steady).next_change == expected
    assert fleet.plan(now, acme(), late).next_change == (expected or day(99))
    fleet.publish(now, acme(), steady)
    assert fleet.plan(now, acme(), steady).next_change == expected, "also of tenants that were not looked at"
    fleet.spoil(lambda found: (b"{}", THEIRS))
    assert fleet.plan(now, acme(), late).next_change == (expected or day(99))


def test_a_plan_says_what_it_was_made_from(fleet: Fleet) -> None:
    plan = fleet.plan(2, acme())
    commit = fleet.history.last
    assert commit is not None
    assert (plan.source, plan.store, plan.now) == (commit.label, "memory://", day(2))
    assert (plan.commit.id, plan.commit.subject) == (commit.commit.id, "Change number 1")
    assert (plan.sequence, plan.base, plan.previous) == (1, None, None)


@settings(BOUNDED, max_examples=30)
@given(
    acme=tenants(sound=True, keys=range(6)),
    globex=tenants(name="globex", sound=True, keys=range(6, CERTIFIED)),
    moments=st.tuples(MOMENTS, MOMENTS),
)
def test_every_domain_is_changed_unchanged_or_without_keys(
    acme: Tenant, globex: Tenant, moments: tuple[datetime, datetime]
) -> None:
    async def go() -> None:
        store, commit = open_store("memory://"), History().commit(acme, globex, policy=EVERY)
        await publish(store, commit, now=min(moments), checked=hour(99))
        plan = await plan_of(store, commit, now=max(moments), checked=hour(99), wish=Wish(full=True), inspect=True)
        assert plan.mistakes == ()
        domains = {*acme.domains, *globex.domains, "acme.idp.example", "globex.idp.example"}
        changed = {one.domain for one in plan.changes}
        assert len(changed) == len(plan.changes)
        assert changed.isdisjoint(plan.without_keys)
        new = {one.domain for one in plan.changes if one.effect == "new"}
        assert len(changed) + len(plan.without_keys) + plan.unchanged == len(domains)
        assert all(not one.blocked or one.hazards[0].rule.id == "empty-set" for one in plan.changes)
        assert new <= domains
        quick = await plan_of(store, commit, now=max(moments), checked=hour(99))
        assert quick.changes == plan.changes, "what was not looked at is as it was recorded"

    asyncio.run(go())


@settings(BOUNDED, max_examples=40)
@given(before=SOUND, after=SOUND, moments=st.tuples(MOMENTS, MOMENTS))
def test_keys_in_and_out_turn_the_one_set_into_the_other(
    before: Tenant, after: Tenant, moments: tuple[datetime, datetime]
) -> None:
    async def go() -> None:
        store, history = open_store("memory://"), History()
        await publish(store, history.commit(before, policy=EVERY), now=min(moments), checked=hour(99))
        commit = history.commit(after, policy=EVERY)
        plan = await plan_of(store, commit, now=max(moments), checked=hour(99), wish=Wish(full=True), inspect=True)
        assert plan.mistakes == ()
        wanted = {one.domain: one.body for one in after.wanted(max(moments))}
        kept = {key.thumbprint for record in plan.records for key in record.keys if key.kept is not None}
        for one in plan.changes:
            old = {} if one.before is None else one.before.thumbprints()
            new = kids(one.body)
            assert new == (set(old) - set(one.keys_out)) | {key.kid for key in one.keys_in}
            assert {each.kid for each in one.moves} <= set(old) & new
            if one.stays is None:  # else hazards keep all but the revoked keys
                body = wanted.get(one.domain, b'{"keys":[]}')
                late = {key.kid for key in (() if one.wanted is None else one.wanted.keys) if key.thumbprint in kept}
                assert one.body == body or kids(one.body) - late <= kids(body) < kids(one.body)
        for domain in wanted.keys() - {one.domain for one in plan.changes} - set(plan.without_keys):
            live = await get_live(store, domain)
            assert live is not None
            late = {kid for kid, thumbprint in live.thumbprints().items() if thumbprint in kept}
            assert live.body == wanted[domain] or kids(live.body) - late <= kids(wanted[domain]) < kids(live.body)

    asyncio.run(go())


@pytest.mark.parametrize(
    ("entries", "found"),
    [
        ([{"revoked": True}, {"revoked": True}], [("empty-set", True)]),
        ([{"revoked": True}, {"until": 1}], []),  # the one that is left goes on
        ([{"revoked": True}, None], [("empty-set", False)]),
        ([{"until": 1}, {"until": 1}], [("empty-set", False)]),
    ],
)
def test_a_revocation_empties_a_set_only_if_no_other_key_is_lost_by_it(
    fleet: Fleet, entries: list[dict[str, object] | None], found: list[tuple[str, bool]]
) -> None:
    """Each entry of two that are live: revoked, past its window, or removed from the files (None)."""
    bounds = days(None, None, -2, 1)
    fleet.publish(0, acme([entry(2, "a", **bounds), entry(3, "b", **bounds)]), checked=LONG_AFTER)
    after: list[Entry] = []
    for number, one in enumerate(entries):
        if one is not None:
            more = {"revoked": {"at": "2025-12-31T00:00:00Z", "reason": "lost"}} if "revoked" in one else {}
            after.append(entry(2 + number, "ab"[number], **more, **(bounds if "until" in one else {})))
    assert hazards(fleet.change(2, acme(after))) == found


def test_the_digest_tells_plans_apart_and_not_the_time(fleet: Fleet) -> None:
    fleet.publish(0, acme())
    commit = fleet.history.commit(acme([*ROTATION, entry(5, "x")]), policy=PLAIN)

    def digest(now: datetime, *allowed: str) -> str:
        return asyncio.run(plan_of(fleet.store, commit, now=now, allowed=allowed)).digest

    assert digest(hour(0)) == digest(hour(0) + timedelta(minutes=7)) == digest(hour(1), "empty-set")
    assert digest(hour(0)) != digest(day(2)), "another document is due"
    other = fleet.plan(0, acme([*ROTATION, entry(5, "x")]))
    assert other.digest != digest(hour(0)), "another commit"
