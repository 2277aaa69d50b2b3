"""`generated revoke`: what may go, who signs then, and for how long the key may yet be accepted."""

from datetime import timedelta

import pytest

from .running import DAY, HOUR, LEAD, NOW, POLICY, World, active, at, entry, generated, kid, signing_since

START = NOW - 100 * DAY
LOST = ("--reason", "laptop stolen")


def retiring(number: int) -> str:
    """A key that ended a day ago."""
    return entry(
        number,
        publish=f"from: {at(START)}, until: {at(NOW + DAY)}",
        signs=f"from: {at(START + 2 * DAY)}, until: {at(NOW - DAY)}",
    )


def announced(number: int, since: timedelta = LEAD, signs: str = "2090-01-01T00:00:00Z") -> str:
    return entry(number, publish=f"from: {at(NOW - since)}", signs=f"from: {signs}")


@pytest.fixture
def acme(world: World) -> World:
    """A key that retires, the one after it, and a standby."""
    world.tenant("acme", generated(retiring(0), signing_since(1, NOW - DAY), announced(2)))
    return world


# --- which keys


def test_a_retiring_key_goes_as_at_auth0_and_its_entry_stays_for_ever(acme: World) -> None:
    before = acme.text()
    said = acme.done("revoke", "acme", kid(0), *LOST)
    old, current, _ = acme.made()
    assert old.revoked is not None
    assert (old.revoked.at, old.revoked.reason) == (NOW, "laptop stolen")
    assert active(acme.made(), NOW) == [current.kid]
    assert acme.text() == before.replace(
        f"signs: {{from: {at(START + 2 * DAY)}, until: {at(NOW - DAY)}}}\n",
        f"signs: {{from: {at(START + 2 * DAY)}, until: {at(NOW - DAY)}}}\n"
        f'    revoked: {{at: {at(NOW)}, reason: "laptop stolen"}}\n',
    )
    assert f'+    revoked: {{at: {at(NOW)}, reason: "laptop stolen"}}\n' in said
    assert "signs from now on" not in said
    assert f"commit -m 'Revoke key {kid(0)} of acme'\n" in said
    for days in (1, 400):
        acme.do("rotate", "acme", now=NOW + days * DAY)
        assert acme.made()[0].revoked is not None
    assert acme.mistakes() == []


def test_a_key_that_is_not_retiring_needs_emergency(acme: World) -> None:
    before = acme.text()
    for number, state in ((1, "active"), (2, "announced")):
        ran = acme.do("revoke", "acme", kid(number), *LOST)
        assert ran.code == 1
        assert f"{kid(number)} is {state}: only a retiring key is revoked without --emergency" in ran.err
    assert acme.text() == before
    assert acme.done("revoke", "acme", kid(2), *LOST, "--emergency")
    assert acme.mistakes() == []


def test_twice_is_once(acme: World) -> None:
    acme.done("revoke", "acme", kid(0), *LOST)
    before = acme.text()
    assert acme.done("revoke", "acme", kid(0), "--reason", "other", now=NOW + HOUR) == f"{kid(0)} is revoked already\n"
    assert acme.text() == before


def test_it_was_compromised_before(acme: World) -> None:
    acme.done("revoke", "acme", kid(0), *LOST, "--at", at(NOW - 9 * DAY))
    revoked = acme.made()[0].revoked
    assert revoked is not None
    assert revoked.at == NOW - 9 * DAY
    ran = acme.do("revoke", "acme", kid(1), *LOST, "--emergency", "--at", at(NOW + HOUR))
    assert (ran.code, "revoked-in-future" in ran.out) == (1, True)
    assert acme.made()[1].revoked is None


def test_what_is_no_key_of_the_tenant_is_a_usage_error(acme: World) -> None:
    assert acme.do("revoke", "acme", "unknown", *LOST).code == 2
    assert acme.do("revoke", "acme", kid(0)).code == 2
    assert acme.do("revoke", "globex", kid(0), *LOST).code == 2


@pytest.mark.parametrize("reason", ['"quoted": # no', "two\nlines", "- dash", "{brace", "\u202e", "yes", "x" * 500])
def test_any_reason_is_written_as_it_is_or_refused(acme: World, reason: str) -> None:
    before = acme.text()
    ran = acme.do("revoke", "acme", kid(0), "--reason", reason)
    if ran.code == 0:
        revoked = acme.made()[0].revoked
        assert revoked is not None
        assert revoked.reason == reason
    else:
        assert ran.code == 1
        assert acme.text() == before
    assert "\u202e" not in ran.out + ran.err


@pytest.mark.parametrize("name", ["-h", "-qh", "-Vh8", "--kid"])
def test_a_kid_that_begins_with_a_dash_is_no_option(world: World, name: str) -> None:
    world.tenant("acme", generated(entry(1, name=name), entry(2)))
    said = world.done("revoke", "acme", name, *LOST, "--emergency")
    assert [key.revoked is None for key in world.made()] == [False, True]
    assert "Usage" not in said


# --- who signs then


def test_the_announced_key_that_most_verifiers_have_signs_at_once(world: World) -> None:
    world.tenant("acme", generated(announced(2, HOUR), signing_since(1, START), announced(3, 9 * DAY)))
    said = world.done("revoke", "acme", kid(1), *LOST, "--emergency")
    assert f"{kid(3)} signs from now on\n" in said
    assert active(world.made(), NOW) == [kid(3)]
    assert [key.window.signs_from for key in world.made() if key.kid == kid(3)] == [NOW]
    assert world.mistakes() == []


def test_a_key_that_signs_beside_it_goes_on(world: World) -> None:
    world.tenant("acme", generated(signing_since(0, START), signing_since(1, NOW - DAY), announced(2)))
    said = world.done("revoke", "acme", kid(1), *LOST, "--emergency")
    assert f"{kid(0)} signs from now on\n" in said
    assert active(world.made(), NOW) == [kid(0)]
    assert world.mistakes() == []


def test_one_that_was_to_end_with_it_goes_on_without_end(world: World) -> None:
    ends = entry(
        0, publish=f"from: {at(START)}, until: {at(NOW + 9 * DAY)}", signs=f"from: {at(START)}, until: {at(NOW + HOUR)}"
    )
    world.tenant("acme", generated(ends, signing_since(1, NOW - DAY)))
    world.done("revoke", "acme", kid(1), *LOST, "--emergency")
    assert active(world.made(), NOW + 99 * DAY) == [kid(0)]
    assert world.mistakes() == []


def test_the_next_key_of_a_rotation_can_go_and_the_present_one_goes_on(world: World) -> None:
    world.tenant("acme", generated(signing_since(0, START)))
    before = world.made()[0].window
    world.done("rotate", "acme")
    new = world.made()[1]
    said = world.done("revoke", "acme", new.kid, *LOST, "--emergency", now=NOW + HOUR)
    assert f"{kid(0)} goes on signing, as {new.kid} was to take over from it\n" in said
    assert world.made()[0].window == before
    assert world.mistakes(NOW + HOUR) == []
    world.done("rotate", "acme", now=NOW + 2 * HOUR)
    assert len(world.made()) == 3
    assert world.made()[2].kid != new.kid
    assert world.mistakes(NOW + 2 * HOUR) == []


def test_of_two_next_keys_the_other_takes_over(world: World) -> None:
    standby = announced(2, signs=at(NOW + HOUR))
    ends = entry(
        0, publish=f"from: {at(START)}, until: {at(NOW + 9 * DAY)}", signs=f"from: {at(START)}, until: {at(NOW + HOUR)}"
    )
    world.tenant("acme", generated(ends, announced(1, signs=at(NOW + HOUR)), standby))
    said = world.done("revoke", "acme", kid(1), *LOST, "--emergency")
    assert "goes on" not in said
    assert world.made()[0].window.signs_until == NOW + HOUR
    assert world.mistakes() == []


def test_it_refuses_to_leave_no_key_that_signs(world: World) -> None:
    soon = entry(1, publish=f"from: {at(NOW + HOUR)}", signs=f"from: {at(NOW + 9 * DAY)}")
    world.tenant("acme", generated(retiring(2), signing_since(0, START), soon))
    before = world.text()
    ran = world.do("revoke", "acme", kid(0), *LOST, "--emergency")
    assert ran.code == 1
    assert "no other key of acme is published and could sign; --replace --vault VAULT makes a key" in ran.err
    assert world.text() == before
    assert world.do("revoke", "acme", kid(0), *LOST, "--emergency", "--replace", vault=False).code == 2
    said = world.done("revoke", "acme", kid(0), *LOST, "--emergency", "--replace", "--dry-run")
    assert said == "a new ES256 key would be made, and sign from now on\n"
    assert world.text() == before
    assert not world.vault.exists()


def test_replace_makes_a_key_that_signs_at_once(world: World) -> None:
    world.tenant("acme", generated(signing_since(0, START)))
    said = world.done("revoke", "acme", kid(0), *LOST, "--emergency", "--replace")
    (new,) = active(world.made(), NOW)
    assert f"{new} signs from now on\n" in said
    assert world.private_halves() == [new]
    assert world.mistakes() == []


def test_replace_makes_nothing_where_there_is_an_heir(acme: World) -> None:
    acme.done("revoke", "acme", kid(1), *LOST, "--emergency", "--replace")
    assert active(acme.made(), NOW) == [kid(2)]
    assert len(acme.made()) == 3
    assert not acme.vault.exists()


def test_a_revoked_key_never_returns(world: World) -> None:
    world.tenant()
    world.done("rotate", "acme")
    first = world.made()[0].kid
    world.done("revoke", "acme", first, *LOST, "--emergency", "--replace")
    second = world.made()[1].kid
    for days in range(2, 400, 30):
        world.done("rotate", "acme", now=NOW + days * DAY)
    assert first not in {key.kid for key in world.made()[1:]}
    assert world.made()[0].revoked is not None
    assert second != first


# --- how long it may be accepted (FACTS, section 3): s-maxage + max(swr, sie) + max-age, then the slowest verifier


def test_by_the_default_policy(acme: World) -> None:
    said = acme.done("revoke", "acme", kid(0), *LOST, "--dry-run")
    # 300 s + 86,400 s + 300 s; 300 s at whoever asked the CDN just before it was purged.
    assert (
        "after the publish it may yet be accepted for 24 h 10 min, from caches that are not purged; "
        "5 min where they are\n"
        "verifiers keep sets for hours; the policy names none (`consumers`)\n"
        "to purge: /.well-known/jwks.json of login.acme.example, acme.idp.example (`publish --cdn` does it)\n" in said
    )


def test_by_other_cache_terms_and_named_verifiers(acme: World) -> None:
    terms = "cache: {max_age: 60, stale_while_revalidate: 7200, stale_if_error: 600}\n"
    acme.repo.write("keysets/policy.yaml", f"{POLICY}{terms}consumers: [microsoft-identity, jose, go-oidc]\n")
    said = acme.done("revoke", "acme", kid(0), *LOST, "--dry-run")
    # 60 s + 7,200 s + 60 s; Microsoft.IdentityModel keeps a set for 12 h, jose for 10 min, go-oidc until a kid is new.
    assert (
        "may yet be accepted for 2 h 2 min, from caches that are not purged; 1 min where they are\n"
        "then by microsoft-identity for 12 h, the slowest of the verifiers that the policy names\n"
        "by go-oidc without a known end: sign with a new kid, or restart them\n" in said
    )


def test_max_age_counts_where_a_verifier_goes_by_it(acme: World) -> None:
    terms = "cache: {max_age: 2h, stale_while_revalidate: 0, stale_if_error: 0}\n"
    acme.repo.write("keysets/policy.yaml", f"{POLICY}{terms}consumers: [confluent-cloud]\n")
    said = acme.done("revoke", "acme", kid(0), *LOST, "--dry-run")
    assert "accepted for 4 h, from caches that are not purged; 2 h where they are\n" in said
    assert "then by confluent-cloud for 2 h, the slowest" in said


def test_of_a_key_for_some_domains_those_are_to_be_purged(world: World) -> None:
    limited = retiring(0) + "    domains: [login.acme.example]\n"
    world.tenant("acme", generated(limited, signing_since(1, START)))
    said = world.done("revoke", "acme", kid(0), *LOST)
    assert "to purge: /.well-known/jwks.json of login.acme.example (`" in said


def test_of_a_key_that_has_left_no_publish_purges_anything(world: World) -> None:
    over = entry(
        0,
        publish=f"from: {at(START)}, until: {at(NOW - HOUR)}",
        signs=f"from: {at(START + 2 * DAY)}, until: {at(NOW - 3 * DAY)}",
    )
    world.tenant("acme", generated(over, signing_since(1, START)))
    said = world.done("revoke", "acme", kid(0), *LOST)
    assert "acme.idp.example (not by `publish --cdn`: the key has left already)\n" in said


def test_a_dry_run_shows_the_diff_and_writes_nothing(acme: World) -> None:
    before = acme.text()
    said = acme.done("revoke", "acme", kid(1), *LOST, "--emergency", "--dry-run")
    assert f'+    revoked: {{at: {at(NOW)}, reason: "laptop stolen"}}\n' in said
    assert f"{kid(2)} signs from now on\n" in said
    assert "git " not in said
    assert acme.text() == before


def test_a_tenant_with_mistakes_is_refused(acme: World) -> None:
    acme.file().write_text(acme.text() + "    pubish: {}\n")
    ran = acme.do("revoke", "acme", kid(0), *LOST)
    assert (ran.code, "unknown-field" in ran.out) == (1, True)
