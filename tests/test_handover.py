"""A domain that passes from one tenant to another in one publish, where somebody allowed it: one object, one write."""

from pathlib import Path

import pytest
from repos import Repo
from signing import Signer
from worlds import POLICY, World, entries, run

from publisher.chronicle import reader
from publisher.history import life
from publisher.plan import Plan
from publisher.publication import Outcome
from publisher.shard import domain_claim, slot
from publisher.stores import open_store

NAME = "shared.example"
BOTH = ["domain-changes-tenant", "drops-active-key"]


@pytest.fixture
def world(tmp_path: Path, signers: dict[str, Signer], request: pytest.FixtureRequest) -> World:
    """Two tenants; the domain is the one's, and the commit to be published gives it to the other."""
    repo = Repo(tmp_path / "repo")
    repo.write("keysets/policy.yaml", POLICY)
    made = World(repo=repo, store=open_store("memory://"))
    made.write("acme", *entries(signers, "own-ec"), domains=["id.acme.example", NAME])
    made.write("globex", *entries(signers, "globex"))
    made.publish()
    made.write("acme", *entries(signers, "own-ec"))
    made.write("globex", *entries(signers, "globex"), domains=["id.globex.example", NAME])
    return made


def plan_of(outcome: Outcome) -> Plan:
    assert outcome.plan is not None
    return outcome.plan


def holders(world: World) -> list[str]:
    """The tenants whose records have the domain."""
    base = run(world.log.tip()).base
    assert base is not None
    shards = run(world.log.shards(base, base.shards))
    return [one.tenant for shard in shards.values() for one in shard.records() if one.domain(NAME)]


def claimant(world: World) -> str:
    base = run(world.log.tip()).base
    name = domain_claim(NAME)
    return run(world.log.shards(base, [slot(name)]))[slot(name)].claims[name].tenant


def test_the_new_tenant_serves_it_at_once_where_both_steps_are_allowed(world: World) -> None:
    outcome = world.publish(allow=BOTH)
    assert [(one.domain, one.tenant, one.effect) for one in plan_of(outcome).changes] == [(NAME, "globex", "keys")]
    assert world.kids(NAME) == ["globex-key"]
    assert (holders(world), claimant(world)) == (["globex"], "globex")
    assert world.publish().plan is None
    assert [one.tenant for one in run(life(run(reader(world.log)), NAME)).periods] == ["globex", "acme"]


@pytest.mark.parametrize("allowed", [[], BOTH[:1], BOTH[1:]])
def test_half_an_allowance_takes_it_from_nobody_or_from_the_old_tenant_alone(world: World, allowed: list[str]) -> None:
    outcome = world.publish(allow=allowed)
    assert "globex" in plan_of(outcome).quarantined
    if "drops-active-key" in allowed:
        assert world.kids(NAME) is None
        assert (holders(world), claimant(world)) == ([], "acme")
    else:
        assert world.kids(NAME) == ["own-ec"]
        assert (holders(world), claimant(world)) == (["acme"], "acme")
    world.publish(allow=BOTH)
    assert world.kids(NAME) == ["globex-key"]
    assert (holders(world), claimant(world)) == (["globex"], "globex")


def test_an_old_tenant_with_mistakes_keeps_it(world: World, signers: dict[str, Signer]) -> None:
    world.repo.write("keysets/acme/keyset.yaml", "version: 2\n")
    world.publish(allow=BOTH)
    assert world.kids(NAME) == ["own-ec"]
    assert (holders(world), claimant(world)) == (["acme"], "acme")
