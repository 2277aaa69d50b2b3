"""Domains and tenants that go, and domains that pass from one tenant to another."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from signing import keyset
from strategies import BadStore, Killed

from publisher import checking
from publisher.head import Purge
from publisher.plan import Plan
from publisher.publication import Outcome
from publisher.source import Folder
from publisher.state import EMPTY, get_live, live_key
from publisher.store import StoreError
from publisher.stores import open_store
from releases.world import GLOBEX, ID, LOGIN, World, between, run

WAIT = timedelta(seconds=2 * 300 + 86_400) + timedelta(hours=24) + timedelta(minutes=5)
"""By the default policy: copies of copies, stale on errors; the longest token; the skew."""


@pytest.fixture
def world(tmp_path: Path) -> World:
    made = World(path=tmp_path, store=open_store("memory://"))
    made.start()
    made.publish()
    return made


def hazards(outcome: Outcome) -> list[tuple[str | None, str, bool]]:
    assert outcome.plan is not None
    found = [(one.domain, one.rule.id, one.waived) for change in outcome.plan.changes for one in change.hazards]
    return [*((one.domain, one.rule.id, one.waived) for one in outcome.plan.hazards), *found]


def test_a_domain_is_withdrawn_through_the_hazards(world: World) -> None:
    world.commit({"acme": ([LOGIN], world.entry("a1"))})
    blocked = world.publish()
    assert hazards(blocked) == [(ID, "drops-active-key", False)]
    assert world.served()[ID] == ["a1"]
    again = world.publish()
    assert hazards(again) == [(ID, "drops-active-key", False)]
    assert again.done is None  # nothing new to record
    allowed = world.publish(allow=["drops-active-key"])
    assert allowed.done is not None
    live = run(get_live(world.store, ID))
    assert live is not None
    assert (live.body, live.tombstone) == (EMPTY, True)
    assert world.publish().plan is None


def test_a_removed_tenant_stays_until_its_tokens_are_gone(world: World) -> None:
    world.commit({"globex": ([GLOBEX], world.entry("g1"))})
    world.publish()
    world.commit({"globex": None}, "Remove globex")
    assert hazards(world.publish()) == [(GLOBEX, "drops-active-key", False)]
    ends = world.now
    windowed = between(None, None, signs_until=ends)
    world.commit({"globex": ([GLOBEX], world.entry("g1", windowed))}, "End its signing")
    assert hazards(world.publish()) == []
    world.commit({"globex": None}, "Remove globex")
    world.now = ends + timedelta(hours=24, minutes=4)
    assert hazards(world.publish()) == [(GLOBEX, "drops-retiring-key", False)]
    world.now = ends + timedelta(hours=24, minutes=5)
    assert world.publish().done is not None
    assert world.served()[GLOBEX] == []


def test_a_tenant_that_comes_back_is_remembered(world: World) -> None:
    world.commit({"globex": ([GLOBEX], world.revoked("g1") + world.entry("g2"))})
    world.publish()
    world.commit({"globex": None})
    world.publish(allow=["drops-active-key"])
    world.commit({"globex": ([GLOBEX], world.entry("g1") + world.entry("g2"))})
    assert (GLOBEX, "revoked-key-returns", False) in hazards(world.publish())
    assert world.served()[GLOBEX] == []


def test_a_domain_that_moves_waits_and_the_plan_says_when(world: World) -> None:
    entries = world.entry("g1")
    world.commit({"acme": ([LOGIN], world.entry("a1")), "globex": ([GLOBEX, ID], entries)})
    moved = world.publish(allow=["drops-active-key"])
    assert (ID, "domain-changes-tenant", False) in hazards(moved)
    plan = moved.plan
    assert isinstance(plan, Plan)
    messages = [one.message for change in plan.changes for one in change.hazards]
    free = world.now + WAIT
    assert any(f"it may be claimed from {free:%Y-%m-%dT%H:%M:%SZ} on" in one for one in messages)
    assert world.served()[ID] == []
    world.now = free - timedelta(seconds=1)
    assert (ID, "domain-changes-tenant", False) in hazards(world.publish())
    world.now = free
    assert world.publish().done is not None
    assert world.served()[ID] == ["g1"]
    live = run(get_live(world.store, ID))
    assert live is not None
    assert dict(live.headers.metadata)["tenant"] == "globex"


def test_a_waiver_moves_a_domain_in_one_write(world: World) -> None:
    world.commit({"acme": ([LOGIN], world.entry("a1")), "globex": ([GLOBEX, ID], world.entry("g1"))})
    moved = world.publish(allow=["domain-changes-tenant", "drops-active-key"])
    assert moved.done is not None
    assert [one.change.domain for one in moved.done.applied] == [ID]
    assert world.served()[ID] == ["g1"]
    assert world.publish().plan is None


def test_a_domain_of_another_tenant_is_not_taken_while_that_one_has_it(world: World) -> None:
    world.commit({"globex": ([GLOBEX, LOGIN], world.entry("g1"))})
    outcome = world.publish()
    assert (LOGIN, "domain-changes-tenant", False) in hazards(outcome)
    assert world.served()[LOGIN] == ["a1"]


def test_a_key_of_another_tenant_quarantines_the_newcomer(world: World) -> None:
    world.commit({"globex": ([GLOBEX], world.entry("g1") + world.entry("a1"))})
    outcome = world.publish()
    assert outcome.plan is not None
    assert [(one.rule, one.path) for one in outcome.plan.mistakes] == [("key-shared", "keysets/globex/keyset.yaml")]
    assert outcome.plan.quarantined == ("globex",)
    assert world.served()[GLOBEX] == ["g1"]


def test_a_broken_tenant_stays_as_it_is_and_the_rest_goes_on(world: World) -> None:
    world.repo.write("keysets/globex/keyset.yaml", "version: 1\ntenant: globex\nplan: nonsense\n")
    world.commit({"acme": ([LOGIN, ID], world.entry("a1") + world.entry("a2"))})
    outcome = world.publish()
    assert outcome.plan is not None
    assert outcome.done is not None
    assert outcome.done.head.quarantined == ("globex",)
    assert world.served() == {LOGIN: ["a1", "a2"], ID: ["a1", "a2"], GLOBEX: ["g1"]}
    again = world.publish()
    assert again.done is None
    assert again.plan is not None
    assert again.plan.quarantined == ("globex",)
    assert again.plan.mistakes != ()
    world.commit({"acme": ([LOGIN, ID], world.entry("a1") + world.entry("a2") + world.entry("a3"))})
    third = world.publish()
    assert third.done is not None
    assert third.done.head.quarantined == ("globex",)
    world.commit({"globex": ([GLOBEX], world.entry("g1") + world.entry("g2"))})
    mended = world.publish()
    assert mended.done is not None
    assert mended.done.head.quarantined == ()
    assert world.served()[GLOBEX] == ["g1", "g2"]


def test_a_new_version_recompiles_everything_and_writes_nothing_that_is_the_same(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("publisher.survey.__version__", "99.0")
    monkeypatch.setattr("publisher.draft.__version__", "99.0")
    read: list[str] = []
    real = checking.check_folder

    def noted(folder: Folder, *arguments: Any) -> checking.Checked:
        read.append(folder.name)
        return real(folder, *arguments)

    monkeypatch.setattr(checking, "check_folder", noted)
    newer = world.publish()
    assert sorted(read) == ["acme", "globex"]
    assert newer.done is not None
    assert newer.done.applied == ()
    read.clear()
    assert world.publish().plan is None
    assert read == []


def test_a_new_policy_recompiles_everything_and_writes_what_changed_alone(world: World) -> None:
    world.policy = "version: 1\nlimits: {keys: 19}\n"
    world.commit({})
    same = world.publish()
    assert same.done is not None
    assert same.done.applied == ()
    world.policy = "version: 1\ncache: {max_age: 10m}\n"
    world.commit({})
    longer = world.publish()
    assert longer.done is not None
    assert {one.change.effect for one in longer.done.applied} == {"headers"}
    assert len(longer.done.applied) == 3
    world.policy = "version: 1\n"
    world.commit({})
    shorter = world.publish()
    assert shorter.plan is not None
    # The longer terms bind until the last copy that was fetched under them is unusable.
    assert [one.lifetime.total_seconds() for one in shorter.plan.terms] == [87_600, 87_000]
    assert [one.until for one in shorter.plan.terms] == [None, None]
    world.now += timedelta(hours=1)
    completed = world.now - timedelta(hours=1)
    world.commit({"acme": ([LOGIN, ID], world.entry("a1") + world.entry("a2"))})
    later = world.publish()
    assert later.plan is not None
    assert [one.until for one in later.plan.terms] == [completed + timedelta(seconds=87_600), None]
    world.now += timedelta(days=3)
    world.commit({"acme": ([LOGIN, ID], world.entry("a1") + world.entry("a2") + world.entry("a3"))})
    last = world.publish()
    assert last.plan is not None
    assert [one.until for one in last.plan.terms] == [None]


def test_a_domain_is_not_taken_from_a_tenant_that_a_mistake_keeps(world: World) -> None:
    """Its key is another's, so that it stays at what it serves: its domain is none to be handed over, waiver or not."""
    globex = ([GLOBEX, ID], world.entry("g1"))
    world.commit({"acme": ([LOGIN], world.entry("a1") + world.entry("g1")), "globex": globex})
    outcome = world.publish(allow=["domain-changes-tenant", "drops-active-key"])
    assert (ID, "domain-changes-tenant", False) in hazards(outcome)
    assert world.served() == {LOGIN: ["a1"], ID: ["a1"], GLOBEX: ["g1"]}


def test_a_folder_of_the_same_name_takes_nothing_over(world: World) -> None:
    evil = keyset("acme", [LOGIN, ID], world.entry("a1") + world.entry("evil"))
    world.repo.write("keysets/aaa/acme/keyset.yaml", evil)
    world.commit({})
    outcome = world.publish()
    assert outcome.plan is not None
    assert {one.rule for one in outcome.plan.mistakes} == {"tenant-twice"}
    assert {one.path for one in outcome.plan.mistakes} == {
        "keysets/aaa/acme/keyset.yaml",
        "keysets/acme/keyset.yaml",
    }
    assert world.served()[LOGIN] == ["a1"]


def test_a_revocation_is_remembered_over_a_domain_that_was_blocked(world: World) -> None:
    both = world.entry("a1") + world.entry("k2")
    world.commit({"acme": ([LOGIN, ID], both + world.entry("k3", f"domains: [{ID}]"))})
    world.publish()
    world.commit({"acme": ([LOGIN, ID], world.revoked("a1") + world.entry("k2"))})
    assert (ID, "drops-active-key", False) in hazards(world.publish())
    world.commit({"acme": ([LOGIN, ID], both + world.entry("k3", f"domains: [{ID}]"))}, "Revert")
    for _ in range(3):
        assert (LOGIN, "revoked-key-returns", False) in hazards(world.publish())
        assert world.served()[LOGIN] == ["k2"]


def test_a_revocation_passes_a_hazard_of_another_key(world: World) -> None:
    world.commit({"acme": ([LOGIN, ID], world.entry("a1") + world.entry("k2") + world.entry("k3"))})
    world.publish()
    world.commit({"acme": ([LOGIN, ID], world.revoked("a1") + world.entry("k2"))})
    outcome = world.publish()
    assert outcome.done is not None
    assert (ID, "drops-active-key", False) in hazards(outcome)
    assert world.served() == {LOGIN: ["k2", "k3"], ID: ["k2", "k3"], GLOBEX: ["g1"]}
    assert all(one.change.revokes for one in outcome.done.applied)
    assert outcome.done.head.quarantined == ("acme",)
    again = world.publish()
    assert again.done is None
    assert (ID, "drops-active-key", False) in hazards(again)
    world.publish(allow=["drops-active-key"])
    assert world.served()[ID] == ["k2"]
    assert world.publish().plan is None


def test_a_revocation_passes_a_mistake_in_the_same_files(world: World) -> None:
    world.commit({"acme": ([LOGIN, ID], world.entry("a1") + world.entry("k2"))})
    world.publish()
    broken = world.revoked("a1") + world.entry("k2") + world.entry("k3", "nonsense: yes")
    world.commit({"acme": ([LOGIN, ID], broken)})
    outcome = world.publish()
    assert outcome.plan is not None
    assert outcome.done is not None
    assert outcome.plan.mistakes != ()
    assert world.served() == {LOGIN: ["k2"], ID: ["k2"], GLOBEX: ["g1"]}
    assert world.publish().done is None
    world.commit({"acme": ([LOGIN, ID], world.entry("a1") + world.entry("k2"))}, "Take it back")
    assert (LOGIN, "revoked-key-returns", False) in hazards(world.publish())
    assert world.served()[LOGIN] == ["k2"]


def test_a_revocation_that_did_not_reach_a_domain_is_tried_again(world: World) -> None:
    """The first publish of it could not read one live object, and the tenant's files have a mistake throughout."""
    world.commit({"acme": ([LOGIN, ID], world.entry("a1") + world.entry("k2"))})
    world.publish()
    broken = world.revoked("a1") + world.entry("k2") + world.entry("k3", "nonsense: yes")
    world.commit({"acme": ([LOGIN, ID], broken)})

    async def deny(number: int, what: str, key: str) -> None:
        if (what, key) == ("get", live_key(ID)):
            raise StoreError("denied", f"{key}: access denied")

    world.publish(store=BadStore(world.store, before=deny))
    assert world.served() == {LOGIN: ["k2"], ID: ["a1", "k2"], GLOBEX: ["g1"]}
    world.publish()
    assert world.served()[ID] == ["k2"]
    assert world.publish().done is None


def test_who_overwrites_a_foreign_object_is_told_of_the_keys_that_go(world: World) -> None:
    live = run(get_live(world.store, LOGIN))
    assert live is not None
    body = live.body + b"\n"
    assert run(world.store.put(live_key(LOGIN), body, live.headers, replaces=live.token)) is not None
    world.commit({"acme": ([LOGIN, ID], world.entry("b1"))})
    outcome = world.publish(allow=["foreign-object"])
    assert (LOGIN, "drops-active-key", False) in hazards(outcome)
    assert world.served()[LOGIN] == ["a1"]


def test_a_domain_that_was_handed_over_is_purged(world: World) -> None:
    world.commit({"acme": ([LOGIN], world.entry("a1")), "globex": ([GLOBEX, ID], world.entry("g1"))})
    moved = world.publish(allow=["domain-changes-tenant", "drops-active-key"])
    assert moved.done is not None
    assert [(one.change.domain, one.change.revokes) for one in moved.done.applied] == [(ID, True)]


def test_purges_are_remembered_until_the_last_copy_has_run_out(world: World) -> None:
    world.commit({"globex": ([GLOBEX], world.revoked("g1") + world.entry("g2"))})
    revoked = world.publish()
    assert revoked.done is not None
    until = world.now + timedelta(seconds=2 * 300 + 86_400)
    assert revoked.done.head.purges == (Purge(domain=GLOBEX, tenant="globex", until=until, named=False),)
    world.commit({"acme": ([LOGIN, ID], world.entry("a1") + world.entry("a2"))})
    later = world.publish()
    assert later.done is not None
    assert later.done.head.purges == revoked.done.head.purges
    world.now = until
    world.commit({"acme": ([LOGIN, ID], world.entry("a1") + world.entry("a2") + world.entry("a3"))})
    last = world.publish()
    assert last.done is not None
    assert last.done.head.purges == ()


def test_a_publisher_that_died_before_its_purge_leaves_it_to_the_next(world: World) -> None:
    world.commit({"globex": ([GLOBEX], world.revoked("g1") + world.entry("g2"))})

    async def die(number: int, what: str, key: str) -> None:
        if (what, key) == ("put", "HEAD.json"):
            raise Killed

    with pytest.raises(Killed):
        world.publish(store=BadStore(world.store, before=die))
    assert world.served()[GLOBEX] == ["g2"]
    outcome = world.publish()
    assert outcome.done is not None
    assert [one.domain for one in outcome.done.head.purges] == [GLOBEX]
