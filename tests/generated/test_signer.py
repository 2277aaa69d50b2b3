"""`generated signer`: which key an issuer signs with, by the files and by what was really published."""

import asyncio
from datetime import timedelta

import pytest

from publisher.record import Hold
from publisher.releaselog import Log, Open
from publisher.stores import open_store
from publisher.survey import Rollback, Wish

from .running import DAY, HOUR, LEAD, NOW, POLICY, World, at, entry, generated, kid, run, signing_since

DUE = NOW + 90 * DAY - LEAD
TAKEOVER = DUE + LEAD
QUARTER = timedelta(minutes=15)


@pytest.fixture
def acme(world: World) -> World:
    """A first key, published at once; a rotation is due in three months."""
    world.tenant()
    world.done("rotate", "acme")
    world.publish(NOW)
    return world


def rotated(world: World) -> tuple[str, str]:
    """The old key and the new one, by a rotation that nobody has published yet."""
    world.done("rotate", "--all-due", now=DUE)
    old, new = world.made()
    assert new.window.signs_from == TAKEOVER
    return old.kid, new.kid


# --- by the files


def test_by_the_files_dates_alone(world: World) -> None:
    standby = entry(
        1,
        publish=f"from: {at(NOW - DAY)}",
        signs=f"from: {at(NOW + 30 * DAY)}",
    )
    standby += "    vault: local:next\n"
    world.tenant("acme", generated(signing_since(0, NOW - DAY) + "    vault: local:now\n", standby))
    ran = world.do("signer", "acme")
    assert ran.code == 0
    assert ran.out == (
        f"{kid(0)} signs (ES256) since {at(NOW - DAY)}\n"
        "    private half: local:now\n"
        f"{kid(1)} comes next, not before {at(NOW + 30 * DAY)}\n"
        f"fresh until {at(NOW + LEAD)}; read it again within 900 s, for revocations\n"
    )
    assert ran.err == "by the files' dates; --store goes by what was really published\n"
    assert world.json("signer", "acme") == {
        "tenant": "acme",
        "as_of": at(NOW),
        "key": {"kid": kid(0), "alg": "ES256", "thumbprint": kid(0), "vault": "local:now"},
        "overdue": False,
        "early": False,
        "next": {
            "kid": kid(1),
            "alg": "ES256",
            "thumbprint": kid(1),
            "vault": "local:next",
            "not_before": at(NOW + 30 * DAY),
        },
        "fresh_until": at(NOW + LEAD),
        "read_again_within_seconds": 900,
        "release": None,
        "completed_at": None,
    }
    for moment, number in ((NOW + 30 * DAY - QUARTER, 0), (NOW + 30 * DAY, 1)):
        found = world.json("signer", "acme", "--at", at(moment))
        assert found["key"]["kid"] == kid(number)
        assert found["as_of"] == at(moment)


def test_without_a_key_the_exit_code_is_1(world: World) -> None:
    world.tenant("acme")
    world.tenant("globex", generated(entry(0, publish=f"until: {at(NOW)}")))
    world.tenant("hooli", generated(entry(1) + "    domains: [login.hooli.example]\n"))
    world.tenant("initech", generated(entry(2, revoked=f"at: {at(NOW - DAY)}, reason: lost")))
    for tenant in ("acme", "globex", "hooli", "initech"):
        ran = world.do("signer", tenant)
        assert ran.code == 1
        assert ran.out.startswith(f"no key of {tenant} may sign at {at(NOW)}\nfresh until {at(NOW)};")
        assert world.json("signer", tenant, code=1)["key"] is None
    assert world.do("signer", "nobody").code == 2


def test_a_tenant_or_a_policy_with_mistakes_is_refused(world: World) -> None:
    world.tenant("acme", generated(signing_since(0, NOW - DAY)))
    world.repo.write("keysets/policy.yaml", f"{POLICY}lead: 1h\n")
    ran = world.do("signer", "acme")
    assert (ran.code, "unknown-field" in ran.out) == (1, True)
    world.repo.write("keysets/policy.yaml", POLICY)
    world.tenant("acme", generated(signing_since(0, NOW - DAY)) + "    pubish: {}\n")
    assert world.do("signer", "acme").code == 1


# --- by what was published


def test_before_the_first_publish_nobody_signs(world: World) -> None:
    world.tenant()
    world.done("rotate", "acme")
    (key,) = world.made()
    found = world.signer(NOW, code=1)
    assert found["key"] is None
    assert (found["next"]["kid"], found["next"]["not_before"]) == (key.kid, None)
    assert found["fresh_until"] == at(NOW)
    assert (found["release"], found["completed_at"]) == (0, None)
    said = world.do("signer", "acme", "--store", world.store)
    assert f"{key.kid} comes next, once it has been published for the lead; it is not published yet\n" in said.out


def test_keys_of_the_first_documents_sign_at_once(acme: World) -> None:
    found = acme.signer(NOW)
    assert found["key"]["kid"] == acme.made()[0].kid
    assert (found["release"], found["completed_at"]) == (1, at(NOW))
    assert (found["next"], found["overdue"], found["early"]) == (None, False, False)
    assert found["fresh_until"] == at(NOW + LEAD)


def test_a_handover_that_was_published_in_time_is_a_lead_after_that(acme: World) -> None:
    old, new = rotated(acme)
    found = acme.signer(DUE)
    assert (found["key"]["kid"], found["next"]["kid"], found["next"]["not_before"]) == (old, new, None)
    assert found["fresh_until"] == at(DUE + LEAD)
    acme.publish(DUE + QUARTER)
    found = acme.signer(DUE + QUARTER)
    assert (found["release"], found["completed_at"]) == (2, at(DUE + QUARTER))
    assert found["next"]["not_before"] == found["fresh_until"] == at(TAKEOVER + QUARTER)
    for moment, kid_, overdue in (
        (TAKEOVER - HOUR, old, False),
        (TAKEOVER, old, True),
        (TAKEOVER + QUARTER - timedelta(seconds=1), old, True),
        (TAKEOVER + QUARTER, new, False),
    ):
        found = acme.signer(moment)
        assert (found["key"]["kid"], found["overdue"], found["early"]) == (kid_, overdue, False)
        assert acme.signer(DUE + QUARTER, "--at", at(moment))["key"]["kid"] == kid_


def test_a_late_publish_keeps_the_old_key_and_its_document_until_the_new_one_is_known(acme: World) -> None:
    old, new = rotated(acme)
    late = TAKEOVER - HOUR
    acme.publish(late)
    found = acme.signer(TAKEOVER + 46 * HOUR)
    assert (found["key"]["kid"], found["overdue"], found["next"]["not_before"]) == (old, True, at(late + LEAD))
    said = acme.do("signer", "acme", "--store", acme.store, now=TAKEOVER).out
    assert "past its end, as its successor is not published for long enough\n" in said
    acme.publish(TAKEOVER + 25 * HOUR)  # by the files, the old key is gone
    assert set(acme.served()) == {old, new}
    assert acme.signer(late + LEAD - QUARTER)["key"]["kid"] == old
    found = acme.signer(late + LEAD)
    assert (found["key"]["kid"], found["overdue"]) == (new, False)
    acme.publish(late + LEAD + 24 * HOUR)
    assert set(acme.served()) == {old, new}  # its last tokens live on
    acme.publish(late + LEAD + 25 * HOUR)
    assert acme.served() == [new]


def test_a_rotation_that_was_not_published_in_time_at_all_is_published_late_and_the_old_key_goes_on(
    acme: World,
) -> None:
    old, new = rotated(acme)
    late = TAKEOVER + 10 * DAY
    plan = acme.publish(late).plan
    assert plan is not None
    assert {one.rule.id for change in plan.changes for one in change.hazards} >= {"signs-before-published"}
    assert plan.blocked == ()
    assert sorted(acme.served()) == sorted([old, new])
    found = acme.signer(late)
    assert (found["key"]["kid"], found["overdue"]) == (old, True)
    assert found["next"]["kid"] == new
    assert found["next"]["not_before"] >= at(late + 2 * DAY)


def test_what_the_store_knows_as_revoked_does_not_sign(acme: World) -> None:
    acme.done("revoke", "acme", acme.made()[0].kid, "--reason", "lost", "--emergency", "--replace")
    acme.publish(NOW + HOUR)
    new = acme.made()[1].kid
    acme.repo.git("checkout", "--quiet", "HEAD~1")  # files of before the revocation
    assert acme.json("signer", "acme")["key"]["kid"] == acme.made()[0].kid
    found = acme.signer(NOW + 2 * HOUR, code=1)
    assert found["key"] is None
    acme.repo.git("checkout", "--quiet", "main")
    found = acme.signer(NOW + 2 * HOUR)
    assert (found["key"]["kid"], found["early"]) == (new, True)


def test_the_heir_of_a_revoked_key_signs_before_everybody_has_it(acme: World) -> None:
    first = acme.made()[0].kid
    acme.done("revoke", "acme", first, "--reason", "lost", "--emergency", "--replace", now=NOW + DAY)
    new = acme.made()[1].kid
    assert acme.signer(NOW + DAY, code=1)["key"] is None  # the new one is not published yet
    acme.publish(NOW + DAY)
    assert acme.served() == [new]
    found = acme.signer(NOW + DAY)
    assert (found["key"]["kid"], found["early"], found["overdue"]) == (new, True, False)
    assert (
        "before all verifiers have it, as the key before it was revoked\n"
        in acme.do("signer", "acme", "--store", acme.store, now=NOW + DAY).out
    )
    assert acme.signer(NOW + DAY + LEAD)["early"] is False


def test_a_standby_that_is_published_takes_over_at_its_date(world: World) -> None:
    world.tenant("acme", generated(signing_since(0, NOW - DAY)))
    world.publish(NOW)
    standby = entry(1, publish=f"from: {at(NOW)}", signs="from: 2090-01-01T00:00:00Z")
    world.tenant("acme", generated(signing_since(0, NOW - DAY), standby))
    world.publish(NOW + HOUR)
    assert world.signer(NOW + HOUR)["next"]["not_before"] == "2090-01-01T00:00:00Z"
    world.done("rotate", "acme", "--at", at(NOW + 9 * DAY), now=NOW + 8 * DAY)
    found = world.signer(NOW + 8 * DAY)
    assert (found["next"]["not_before"], found["fresh_until"]) == (at(NOW + 9 * DAY), at(NOW + 9 * DAY))
    assert world.signer(NOW + 9 * DAY)["key"]["kid"] == kid(1)


def test_a_store_that_is_none_is_an_error(acme: World) -> None:
    assert acme.do("signer", "acme", "--store", "ftp://x").code == 2
    assert acme.do("signer", "acme", "--store", "file:///proc/none").code in (1, 3)


def test_a_successor_that_a_rollback_took_out_counts_from_its_return(acme: World) -> None:
    old, new = rotated(acme)
    acme.publish(DUE)
    acme.publish(DUE + HOUR, wish=back_to_the_first(acme))
    assert acme.served() == [old]
    held = acme.signer(TAKEOVER + DAY)
    assert (held["key"]["kid"], held["overdue"], held["next"]["not_before"]) == (old, True, None)
    acme.publish(TAKEOVER + DAY, wish=Wish(lift=None))
    assert sorted(acme.served()) == sorted([old, new])
    safe = TAKEOVER + DAY + LEAD
    waiting = acme.signer(safe - QUARTER)
    assert (waiting["key"]["kid"], waiting["next"]["not_before"]) == (old, at(safe))
    assert acme.signer(safe)["key"]["kid"] == new
    acme.publish(safe + DAY)
    assert sorted(acme.served()) == sorted([old, new])  # until the last token that the old one signed is over


def back_to_the_first(world: World) -> Wish:
    found = asyncio.run(Log(open_store(world.store), Open()).release(1))
    assert found is not None
    return Wish(
        rollback=Rollback(release=found[0], tenant="acme", hold=Hold(release=1, reason="a bad day", until=None))
    )


def test_another_kid_in_the_files_is_refused_and_not_signed_with(acme: World) -> None:
    (key,) = acme.made()
    acme.file().write_text(acme.text().replace(key.kid, "renamed", 1))
    checked = run("check", "--repo", str(acme.repo.path), "--now", at(NOW + DAY))
    assert checked.code == 1
    assert f"kid-changed: the key has the kid `{key.kid}` in the base revision; write `{key.kid}` again" in checked.out
    acme.publish(NOW + DAY)
    assert acme.served() == [key.kid]
    assert acme.signer(NOW + DAY)["key"]["kid"] == key.kid
