"""What a change does to documents and keys: against the bytes that both sides serve at every instant."""

import json
from dataclasses import replace
from datetime import datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st
from strategies import BOUNDED, GRID, POLICY, Tenant, hour, tenants

from publisher.breakage import breaks
from publisher.compile import Compiled
from publisher.conditions import conditions
from publisher.consumer import entries, faults
from publisher.consumers import CONSUMERS
from publisher.documentchange import document_changes
from publisher.keychange import KeyChange, Terms, key_changes
from publisher.keyset import NEVER, KeySet, Revoked
from publisher.policy import Policy

NOWS = st.integers(-1, GRID + 1).map(hour)
INSTANTS = [hour(0) + timedelta(minutes=30 * count) for count in range(-4, 2 * GRID + 6)]
"""Every half hour of the grid: each window's ends, and between them."""


def body(compiled: Compiled | None, domain: str, now: datetime) -> bytes:
    """What a domain serves: nothing and a set without keys are the same to verifiers."""
    found = [] if compiled is None else [one for one in compiled.domains if one.domain == domain]
    data = found[0].at(now).body if found else b""
    return b"" if data == b'{"keys":[]}' else data


def names(compiled: Compiled | None) -> set[str]:
    return set() if compiled is None else {one.domain for one in compiled.domains}


def kids(data: bytes) -> set[str]:
    return {key["kid"] for key in json.loads(data)["keys"]} if data else set()


@given(st.none() | tenants(), st.none() | tenants(), NOWS)
@BOUNDED
def test_differences_are_told_at_just_the_instants_at_which_the_bytes_differ(
    before: Tenant | None, after: Tenant | None, now: datetime
) -> None:
    old, new = (None if one is None else one.compiled() for one in (before, after))
    told = document_changes(old, new, now)
    by_domain = {domain: change for change in told for domain in change.domains}
    assert len(by_domain) == sum(len(change.domains) for change in told)
    for domain in names(old) | names(new):
        change = by_domain.get(domain)
        for at in (one for one in [*INSTANTS, now] if one >= now):
            was, will = body(old, domain, at), body(new, domain, at)
            spans = () if change is None else change.differences
            here = [one for one in spans if one.start <= at and (one.end is None or at < one.end)]
            assert len(here) == (was != will)
            if here and at == here[0].start:
                assert {one.kid for one in here[0].keys_in} >= kids(will) - kids(was)
                assert {one.kid for one in here[0].keys_out} >= kids(was) - kids(will)
        if change is not None and change.what == "changed":
            sizes = [body(new, domain, at) for at in [*INSTANTS, now] if at >= now]
            assert change.after.bytes == max(map(len, sizes))
            assert change.after.keys == max(len(kids(one)) for one in sizes)


def first_faults(compiled: Compiled | None, domain: str, now: datetime) -> dict[tuple[str, str | None], datetime]:
    """By verifier and kid, from when on it cannot do with what the domain serves."""
    found: dict[tuple[str, str | None], datetime] = {}
    for at in sorted({now, *(one for one in INSTANTS if one >= now)}):
        held = entries(data) if (data := body(compiled, domain, at)) else ()
        for fault in faults(held, len(data), CONSUMERS.values()):
            found.setdefault((fault.consumer, None if fault.index is None else held[fault.index].kid), at)
    return found


@given(st.none() | tenants(), st.none() | tenants(), NOWS)
@BOUNDED
def test_a_verifier_breaks_at_each_domain_that_it_cannot_read_any_more_or_sooner_than_it_would(
    before: Tenant | None, after: Tenant | None, now: datetime
) -> None:
    old, new = (None if one is None else one.compiled() for one in (before, after))
    told = {(one.consumer, one.kid): set(one.domains) for one in breaks(old, new, frozenset(), now)}
    expected: dict[tuple[str, str | None], set[str]] = {}
    for domain in names(new):
        was = first_faults(old, domain, now)
        for fault, start in first_faults(new, domain, now).items():
            if fault not in was or start < was[fault]:
                expected.setdefault(fault, set()).add(domain)
    assert told == expected


@given(tenants(), NOWS)
@BOUNDED
def test_nothing_is_told_of_what_is_alike(tenant: Tenant, now: datetime) -> None:
    keyset = tenant.read()
    assert document_changes(tenant.compiled(), tenant.compiled(), now) == ()
    assert changes(keyset, keyset, now) == ()
    assert breaks(tenant.compiled(), tenant.compiled(), frozenset(), now) == ()


@given(st.none() | tenants(), st.none() | tenants(), NOWS)
@BOUNDED
def test_who_may_mint_tokens_is_whoever_gets_into_a_document_and_was_not_to(
    before: Tenant | None, after: Tenant | None, now: datetime
) -> None:
    old, new = (None if one is None else one.read() for one in (before, after))
    told = changes(old, new, now)
    sides = [None if one is None else one.compiled() for one in (before, after)]
    for at in (one for one in [*INSTANTS, now] if one >= now):
        was, will = (served(one, at) for one in sides)
        gained = {(change.shown.thumbprint, domain) for change, domain in spans(told, "gains", at)}
        lost = {(change.shown.thumbprint, domain) for change, domain in spans(told, "loses", at)}
        assert gained == will - was
        assert lost == was - will


def changes(old: KeySet | None, new: KeySet | None, now: datetime) -> tuple[KeyChange, ...]:
    return key_changes(old, new, (terms(old), terms(new)), now)


def terms(keyset: KeySet | None, policy: Policy = POLICY) -> Terms:
    canonical = None if keyset is None else policy.canonical_domain(keyset.tenant)
    return Terms(conditions=conditions(policy), cache=policy.cache, canonical=canonical)


def served(compiled: Compiled | None, at: datetime) -> set[tuple[str, str]]:
    held = [] if compiled is None else [(one.domain, one.at(at)) for one in compiled.domains]
    return {(key.key.jwk.thumbprint, domain) for domain, document in held for key in document.keys}


def spans(told: tuple[KeyChange, ...], what: str, at: datetime) -> list[tuple[KeyChange, str]]:
    return [
        (change, domain)
        for change in told
        for one in getattr(change, what)
        if one.start <= at and (one.until is None or at < one.until)
        for domain in one.domains
    ]


@given(tenants(least=1), NOWS)
@BOUNDED
def test_a_key_that_changed_is_one_change_with_the_names_of_what_differs(tenant: Tenant, now: datetime) -> None:
    keyset = tenant.read()
    key, others = keyset.keys[0], keyset.keys[1:]
    other = replace(key, kid=f"{key.kid}x", window=replace(key.window, publish_until=NEVER))
    (told,) = changes(keyset, replace(keyset, keys=(other, *others)), now)
    assert told.what == "changed"
    assert set(told.fields) == {"kid"} | ({"publish.until"} if key.window.publish_until != NEVER else set())
    assert [one.what for one in changes(keyset, replace(keyset, keys=others), now)] == ["removed"]


@given(tenants(least=1), NOWS)
@BOUNDED
def test_a_revocation_brings_its_exposure_where_the_key_was_published(tenant: Tenant, now: datetime) -> None:
    keyset = tenant.read()
    key = keyset.keys[0]
    struck = replace(key, revoked=Revoked(at=hour(0), reason="lost"))
    told = changes(keyset, replace(keyset, keys=(struck, *keyset.keys[1:])), now)
    assert [one.what for one in told] == ["revoked"] * (key.revoked is None) + ["changed"] * (
        key.revoked not in (None, struck.revoked)
    )
    window = key.window
    coming = max(window.publish_from, now) < window.publish_until
    published = key.revoked is None and coming and bool(told[0].before and told[0].before.domains)
    assert bool(told and told[0].exposure) == published
    assert all(one.safe is None for one in told)
