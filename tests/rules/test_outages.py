"""Outages that happened elsewhere (FACTS, section 3), as key sets: each is refused before anybody notices.

What windows say is refused when the files are checked, what is done at once when it is to be published.
"""

import asyncio
from datetime import timedelta

import pytest
from history import History
from keymaker import ec_key, public_jwk
from keymaker import entry as listed
from publishing import contents, plan, publish
from strategies import Entry, Tenant, entry, hour, text, window

from publisher.diagnostic import Diagnostic
from publisher.policy import Cache, Policy
from publisher.policyfile import read_policy
from publisher.rules.settings import check_policy
from publisher.stores import open_store

from .trees import mistakes, rules

SOON, LATER = 24.0, 24.0 * 30
OLD = entry(2, "old", **window(None, None, LATER, LATER + 200))


def found(*keys: Entry, policy: Policy | None = None, at: float = 0) -> list[Diagnostic]:
    """What is said of generated keys at an hour."""
    files = Tenant(generated=keys).files()
    return mistakes(files["keyset.yaml"], files["generated.yaml"], policy=policy, now=hour(at))


def dangers(before: tuple[Entry, ...], after: tuple[Entry, ...]) -> list[str]:
    """The hazards of publishing one set of generated keys an hour after another, which then stays what is served."""

    async def go() -> list[str]:
        store, history = open_store("memory://"), History()
        first = await publish(store, history.commit(Tenant(generated=before), policy="version: 1\n"), now=hour(0))
        assert first.done is not None
        served = await contents(store, "live/")
        commit = history.commit(Tenant(generated=after), policy="version: 1\n")
        made = await plan(store, commit, now=hour(1))
        await publish(store, commit, now=hour(1))
        assert await contents(store, "live/") == served
        return [hazard.rule.id for change in made.changes for hazard in change.hazards if not hazard.waived]

    return asyncio.run(go())


# Logto, January 2026: a CDN kept an old set for an hour while the signing key rotated.


@pytest.mark.parametrize(("lead", "refused"), [("30m", True), ("1h", True), ("180m", True), ("181m", False)])
def test_a_lead_that_a_cdn_outlasts_is_refused(lead: str, refused: bool) -> None:
    written = f"version: 1\ncache: {{max_age: 3600, stale_while_revalidate: 60}}\nrotation: {{lead: {lead}}}\n"
    policy, wrong = read_policy(written.encode(), "policy.yaml")
    assert wrong == ()
    assert [one.rule.id for one in check_policy(policy, "policy.yaml")] == ["lead-under-caches"] * refused


@pytest.mark.parametrize(("announced", "refused"), [(1, True), (3, True), (3.02, False)])
def test_a_rotation_within_a_cdns_time_is_refused(announced: float, refused: bool) -> None:
    """Whatever lead the policy names: none is under what its own cache terms take."""
    policy = Policy(cache=Cache(max_age=timedelta(hours=1)), lead=timedelta(minutes=1))
    new = entry(3, "new", **window(LATER - announced, LATER, None, None))
    assert rules(found(OLD, new, policy=policy)) == ["lead-too-short"] * refused


# Keys that were used before they were published.

EARLY = {
    "ccoctl: the new key is published as it begins to sign": window(LATER, LATER, None, None),
    "Nomad#23577: a new key is active while its set is cached": window(LATER - 0.1, LATER, None, None),
    "toolhive#6464: a day is less than verifiers keep a set": window(LATER - 24, LATER, None, None),
    "hydra#3408: a key signs from its creation on": {"publish": {"from": text(hour(LATER))}},
}


@pytest.mark.parametrize("times", EARLY.values(), ids=EARLY)
def test_a_key_that_is_to_sign_before_it_is_everywhere_is_refused(times: Entry) -> None:
    (one,) = found(OLD, entry(3, "new", **times))
    assert (one.rule, one.path) == ("lead-too-short", "acme/generated.yaml")
    assert found(OLD, entry(3, "new", **window(LATER - 48, LATER, None, None))) == []


@pytest.mark.parametrize("times", [{}, window(0, 0.5, None, None), window(None, 1.1, None, None)])
def test_a_key_that_signs_as_it_is_published_is_kept_back(times: Entry) -> None:
    """The instants are past, or the window says nothing: then it is the publish that tells."""
    old = entry(2, "old")
    assert found(old, entry(3, "new", **times), at=1) == []
    assert dangers((old,), (old, entry(3, "new", **times))) == ["signs-before-published"]


# zitadel#7714: an empty set was published.


def test_keys_that_all_end_are_refused() -> None:
    told = found(entry(2, "old", **window(None, None, -30, SOON)), entry(3, "older", **window(None, None, -40, SOON)))
    assert rules(told) == ["document-empty"]
    ends = entry(2, "old", **window(None, None, SOON, SOON + 48))
    assert sorted(rules(found(ends))) == ["document-empty", "no-active-key"]


def test_a_set_that_files_empty_is_kept_back() -> None:
    never = entry(2, "standby", **window(0, 90, None, None))
    assert dangers((never,), ()) == ["empty-set"]
    assert dangers((entry(2, "old"),), ()) == ["empty-set", "drops-active-key"]


# spiffe/spire#4699: old keys were never removed, until AWS IAM refused the document with more than 100.


def test_keys_that_are_never_removed_are_refused_when_a_verifiers_limit_is_in_sight() -> None:
    def rotations(count: int, kept: float | None) -> list[Diagnostic]:
        keys = []
        for number in range(count):
            start = 100 * number
            last = number + 1 == count
            ends = (None, None) if last else (start + 100, None if kept is None else start + 100 + kept)
            first = (None, None) if number == 0 else (start - 50, start)
            keys.append(listed("ES256", kid=f"k{number}", jwk=public_jwk(ec_key(number)), **window(*first, *ends)))
        policy = Policy(consumers=frozenset({"aws-iam-oidc"}), max_keys=500, max_document_bytes=1_000_000)
        files = Tenant().files()
        generated = f"version: 1\ngenerated_keys:\n{''.join(keys)}"
        return mistakes(files["keyset.yaml"], generated, policy=policy, now=hour(0))

    assert rotations(100, None) == []
    (one,) = rotations(101, None)
    assert one.rule == "consumer-keys"
    assert one.message.startswith("`aws-iam-oidc` takes no more than 100 keys, and there are 101 (in ")
    assert text(hour(100 * 100 - 50)) in one.message, "it is told from when on"
    assert rotations(101, 48) == []


# auth0/jwks-rsa-java#277: other material under the same kid.


def test_other_material_under_a_known_kid_is_kept_back() -> None:
    signs_later = window(None, 100, None, None)
    first = (entry(2, "old"), entry(3, "key", **signs_later))
    assert dangers(first, (entry(2, "old"), entry(4, "key", **signs_later))) == ["kid-reused"]
    assert rules(found(entry(2, "key"), entry(4, "key"))) == ["kid-twice"]
