"""Publishes with waivers over time, on a real repository: blocked, waived, ended; and the commands."""

import json
from datetime import timedelta
from pathlib import Path

import pytest
from program import Ran, run
from publishing import plan
from repos import Repo
from signing import Signer, keyset, make_signer
from worlds import ANNOUNCED, POLICY, World, entries
from worlds import run as wait

from publisher.plan import Plan
from publisher.planreport import unused_text
from publisher.publication import Outcome
from publisher.state import get_live
from publisher.stores import open_store

ACME, GLOBEX = "id.acme.example", "id.globex.example"


@pytest.fixture
def world(tmp_path: Path, signers: dict[str, Signer]) -> World:
    """Two tenants, published: acme with two keys that sign."""
    made = World(repo=Repo(tmp_path / "repo"), store=open_store("memory://"))
    made.repo.write("keysets/policy.yaml", POLICY)
    made.write("acme", *entries(signers, "own-ec", "own-ed"))
    made.write("globex", *entries(signers, "globex"))
    made.publish()
    return made


def waive(world: World, *, kid: str = "own-ed", days: float = 5, more: str = "") -> None:
    until = world.now + timedelta(days=days)
    world.repo.write(
        "keysets/waivers.yaml",
        f"version: 1\nwaivers:\n  - {{rule: drops-active-key, tenant: acme, kid: {kid}, "
        f"until: {until:%Y-%m-%dT%H:%M:%SZ}, reason: their service is gone}}\n{more}",
    )


def plan_of(outcome: Outcome) -> Plan:
    assert outcome.plan is not None
    return outcome.plan


def wrote(world: World, domain: str) -> int | None:
    live = wait(get_live(world.store, domain))
    assert live is not None
    return live.release


def test_a_blocked_change_passes_when_its_waiver_is_committed(world: World, signers: dict[str, Signer]) -> None:
    world.write("acme", *entries(signers, "own-ec"))
    (blocked,) = plan_of(world.publish()).blocked
    assert (blocked.domain, world.kids(ACME)) == (ACME, ["own-ec", "own-ed"])
    waive(world, kid="own-ec")
    assert plan_of(world.publish()).blocked != ()
    waive(world)
    outcome = world.publish()
    assert [one.domain for one in plan_of(outcome).changes] == [ACME]
    assert [one.tenant for one in plan_of(outcome).records] == ["acme"]
    assert world.kids(ACME) == ["own-ec"]
    assert (wrote(world, ACME), wrote(world, GLOBEX)) == (4, 1)
    again = world.publish(commit=False)
    assert (again.plan, again.done) == (None, None)


def test_a_waiver_alone_has_no_tenant_looked_at(world: World) -> None:
    waive(world)
    outcome = world.publish()
    assert (plan_of(outcome).records, plan_of(outcome).changes, plan_of(outcome).unused) == ((), (), ())
    assert outcome.done is not None
    assert world.publish(commit=False).plan is None


def test_when_it_has_ended_the_hazard_blocks_again(world: World, signers: dict[str, Signer]) -> None:
    waive(world)
    world.write("acme", *entries(signers, "own-ec"))
    world.publish()
    world.write("acme", *entries(signers, "own-ec", "own-ed"))
    world.publish()
    assert world.kids(ACME) == ["own-ec", "own-ed"]
    world.now += timedelta(days=5)
    world.write("acme", *entries(signers, "own-ec"))
    (blocked,) = plan_of(world.publish()).blocked
    (hazard,) = blocked.hazards
    assert (hazard.rule.id, hazard.kid, hazard.waived) == ("drops-active-key", "own-ed", False)
    assert "; its waiver ended at " in hazard.hint
    assert world.kids(ACME) == ["own-ec", "own-ed"]


def test_what_waived_nothing_is_told_of_tenants_that_were_looked_at(world: World, signers: dict[str, Signer]) -> None:
    waive(world)
    world.write("globex", *entries(signers, "globex"), *entries(signers, "own-rsa", more=ANNOUNCED))
    assert plan_of(world.publish()).unused == ()
    world.write("acme", *entries(signers, "own-ec", "own-ed"), *entries(signers, "gen-next", more=ANNOUNCED))
    (one,) = plan_of(world.publish()).unused
    assert unused_text(one).startswith("waivers.yaml: drops-active-key of acme, kid own-ed: it waived nothing here; ")
    world.write("acme", *entries(signers, "own-ed"))
    assert plan_of(world.publish()).unused == (), "kept back for another hazard, it may be of use yet"


def test_a_waiver_that_ended_or_is_wrong_stops_no_other_tenant(world: World, signers: dict[str, Signer]) -> None:
    waive(world, days=-1)
    world.write("globex", *entries(signers, "globex"), *entries(signers, "own-rsa", more=ANNOUNCED))
    assert plan_of(world.publish()).mistakes == ()
    assert world.kids(GLOBEX) == ["globex-key", "own-rsa"]


def test_going_back_goes_by_the_waivers_of_the_released_commit(world: World, signers: dict[str, Signer]) -> None:
    world.write("acme", *entries(signers, "own-ec", "own-ed", "gen-next"))
    world.publish()
    assert plan_of(world.rollback(1)).blocked != ()
    waive(world, kid="gen-next")
    world.repo.commit()
    assert plan_of(world.rollback(1)).blocked != (), "that commit is not released"
    world.publish()
    assert plan_of(world.rollback(1)).blocked == ()
    assert world.kids(ACME) == ["own-ec", "own-ed"]


def test_a_plan_is_another_one_when_its_waiver_has_ended(world: World, signers: dict[str, Signer]) -> None:
    waive(world)
    world.write("acme", *entries(signers, "own-ec"))
    world.repo.commit()

    def made(days: float) -> Plan:
        return wait(plan(world.store, world.repo, now=world.now + timedelta(days=days)))

    assert made(0).digest == made(4.9).digest != made(5.1).digest


class Place:
    """The commands on a store in a folder."""

    def __init__(self, repo: Repo, folder: Path) -> None:
        self.repo, self.root, self.file = repo, folder / "store", folder / "plan.json"

    def run(self, command: str, *more: str, code: int = 0) -> Ran:
        ran = run(command, "--store", f"file://{self.root}", *more, cwd=self.repo.path)
        assert ran.code == code, ran
        return ran

    def kids(self) -> list[str]:
        live = (self.root / f"live/{GLOBEX}/.well-known/jwks.json").read_bytes()
        return [key["kid"] for key in json.loads(live)["keys"]]


def test_the_commands(repo: Repo, tmp_path: Path) -> None:
    place = Place(repo, tmp_path)
    place.run("publish")
    repo.write("keysets/eu/globex/keyset.yaml", keyset("globex", [GLOBEX], make_signer("other").entry()))
    repo.commit()
    blocked = place.run("publish", code=1)
    assert "blocked: drops-active-key: the key `globex-key` signs without end" in blocked.out + blocked.err
    text = '  - {rule: drops-active-key, tenant: globex, kid: globex-key, until: %s, reason: "x\\n::error::y"}\n'
    world = World(repo=repo, store=open_store("memory://"))
    soon = text % f"{world.now + timedelta(days=2):%Y-%m-%dT%H:%M:%SZ}"
    past = text.replace("globex-key", "gone") % "2026-01-01T00:00:00Z"
    broken = text.replace("drops-active-key", "drops") % "2026-01-01T00:00:00Z"
    repo.write("keysets/waivers.yaml", f"version: 1\nwaivers:\n{soon}{past}{broken}")
    repo.commit()
    planned = place.run("plan", "--out", str(place.file), code=1)
    assert "keysets/waivers.yaml:5:12: waiver-hazard: `drops` is no hazard" in planned.err + planned.out
    (change,) = json.loads(place.file.read_bytes())["changes"]
    (hazard,) = change["hazards"]
    assert (hazard["waived"], hazard["tenant"], hazard["kid"]) == (True, "globex", "globex-key")
    assert hazard["waiver"]["reason"] == "x\n::error::y"
    place.run("publish", "--strict", code=1)
    assert place.kids() == ["globex-key"]
    done = place.run("publish", "--plan", str(place.file), code=1)
    assert place.kids() == ["other"]
    told = done.out + done.err
    assert "waived: drops-active-key: the key `globex-key` signs without end, and would be gone; waivers.yaml, " in told
    assert ": x\\x0a::error::y" in told
    assert "warning: keysets/waivers.yaml:4:" in told
    assert "waiver-expired: it ended at 2026-01-01T00:00:00Z, and waives nothing; remove it" in told
