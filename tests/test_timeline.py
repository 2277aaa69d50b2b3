"""Phases and steps: the table of a key's life, and every boundary of it."""

from datetime import datetime, timedelta

import pytest
from hypothesis import given
from strategies import BASE, BOUNDED, MOMENTS, Entry, Tenant, entry, hour, tenants, text, window

from publisher.keyset import ALWAYS, NEVER, Key
from publisher.timeline import Published, phase, published, steps

TICK = timedelta(microseconds=1)
REVOKED = {"revoked": {"at": text(BASE), "reason": "lost"}}


def key(**fields: object) -> Key:
    return Tenant(generated=[entry(2, "k", **fields)]).read().keys[0]


def kids(found: tuple[Published, ...]) -> list[tuple[str, str]]:
    return [(one.key.kid, one.phase) for one in found]


@pytest.mark.parametrize(
    ("hours", "at", "before", "since"),
    [
        ((1, 2, 3, 4), 1, "pending", "announced"),
        ((1, 2, 3, 4), 2, "announced", "active"),
        ((1, 2, 3, 4), 3, "active", "retiring"),
        ((1, 2, 3, 4), 4, "retiring", "withdrawn"),
        ((1, None, None, 4), 1, "pending", "active"),
        ((1, None, None, 4), 4, "active", "withdrawn"),
        ((1, 2, 2, 4), 2, "announced", "retiring"),
        ((1, 1, 4, 4), 1, "pending", "active"),
        ((1, 1, 4, 4), 4, "active", "withdrawn"),
        ((1, 1, 1, 4), 1, "pending", "retiring"),
        ((1, 4, 4, 4), 4, "announced", "withdrawn"),
        ((None, 2, None, None), 2, "announced", "active"),
        ((None, None, 3, None), 3, "active", "retiring"),
        ((None, None, None, 4), 4, "active", "withdrawn"),
        ((1, None, None, None), 1, "pending", "active"),
    ],
)
def test_a_phase_includes_its_first_instant_and_not_its_last(
    hours: tuple[float | None, ...], at: int, before: str, since: str
) -> None:
    one = key(**window(*hours))
    assert phase(one, hour(at) - TICK) == before
    assert phase(one, hour(at)) == since
    assert phase(one, hour(at) + TICK) == since


@pytest.mark.parametrize("at", [ALWAYS, BASE, NEVER - TICK])
def test_a_key_without_windows_is_always_active(at: datetime) -> None:
    assert phase(key(), at) == "active"
    assert kids(published([key()], at)) == [("k", "active")]


@pytest.mark.parametrize("at", [-1, 0, 1.5, 2.5, 3.5, 99])
def test_a_revoked_key_is_gone_at_every_instant(at: float) -> None:
    one = key(**window(1, 2, 3, 4), **REVOKED)
    assert phase(one, hour(at)) == "revoked"
    assert published([one], hour(at)) == ()
    assert steps([one]) == (steps([])[0],)


def test_instants_in_other_time_zones_are_the_same_instants() -> None:
    east = key(publish={"from": "2026-01-01T07:30:00+05:30"})
    assert east.window == key(publish={"from": text(hour(2))}).window


def test_custom_keys_come_first_and_in_each_group_those_that_sign_now() -> None:
    active, announced, retiring = window(0, 1, 9, 9), window(0, 8, 9, 9), window(0, 0, 1, 9)
    generated = [entry(0, "a", **retiring), entry(1, "b", **announced), entry(2, "d", **active)]
    generated.append(entry(3, "c", **active))
    custom = [entry(4, "y", **announced), entry(5, "z", **active), entry(6, "x", **retiring)]
    keyset = Tenant(custom=custom, generated=generated).read()
    ordered = [("z", "active"), ("y", "announced"), ("x", "retiring")]
    ordered += [("c", "active"), ("d", "active"), ("b", "announced"), ("a", "retiring")]
    assert kids(published(keyset.keys, hour(2))) == ordered
    assert kids(published(keyset.keys[::-1], hour(2))) == ordered


def test_kids_are_ordered_by_their_characters() -> None:
    names = ["~", "a", "_", "Z", "9", "10", "!"]
    keyset = Tenant(generated=[entry(number, kid) for number, kid in enumerate(names)]).read()
    assert [one.key.kid for one in published(keyset.keys, BASE)] == sorted(names, key=lambda name: name.encode())


def test_steps_begin_at_always_and_never_at_never() -> None:
    keyset = Tenant(generated=[entry(2, "a"), entry(3, "b", **window(1, None, None, 2))]).read()
    assert [one.start for one in steps(keyset.keys)] == [ALWAYS, hour(1), hour(2)]
    assert [kids(one.keys) for one in steps(keyset.keys)] == [
        [("a", "active")],
        [("a", "active"), ("b", "active")],
        [("a", "active")],
    ]


def test_instants_that_meet_make_one_step() -> None:
    rotation: list[Entry] = [entry(2, "a", **window(0, 0, 4, 6)), entry(3, "b", **window(2, 4, 6, 6))]
    keyset = Tenant(generated=rotation).read()
    assert [one.start for one in steps(keyset.keys)] == [ALWAYS, *map(hour, (0, 2, 4, 6))]
    assert [kids(one.keys) for one in steps(keyset.keys)] == [
        [],
        [("a", "active")],
        [("a", "active"), ("b", "announced")],
        [("b", "active"), ("a", "retiring")],
        [],
    ]


@BOUNDED
@given(tenant=tenants(), now=MOMENTS)
def test_what_is_published_at_an_instant_is_the_step_that_it_is_in(tenant: Tenant, now: datetime) -> None:
    keys = tenant.read().keys
    current = [one for one in steps(keys) if one.start <= now][-1]
    assert published(keys, now) == current.keys
    assert all(phase(one.key, now) == one.phase for one in current.keys)
    assert {one.key.kid for one in current.keys} == {
        one.kid for one in keys if phase(one, now) in {"announced", "active", "retiring"}
    }


@BOUNDED
@given(tenant=tenants())
def test_starts_rise(tenant: Tenant) -> None:
    starts = [one.start for one in steps(tenant.read().keys)]
    assert starts == sorted(set(starts))
    assert starts[0] == ALWAYS
    assert NEVER not in starts
