"""Going back to a release: whole or one tenant, held until lifted, revocations passing, at the present instant."""

from datetime import timedelta
from pathlib import Path

import pytest
from repos import Repo
from s3server import S3Server
from signing import Signer, keyset
from worlds import ANNOUNCED, POLICY, REVOKED, World, cli, entries, run

from publisher.gitprogram import Git
from publisher.plan import Plan
from publisher.planreport import hold_text
from publisher.publication import Outcome
from publisher.release import Release, release_key
from publisher.reversal import NoTarget
from publisher.rules.windows import instant
from publisher.shard import Damaged, shard_key, slot
from publisher.source import SourceError
from publisher.stores import open_store
from publisher.survey import Wish

pytestmark = pytest.mark.chaos

ACME, GLOBEX = "id.acme.example", "id.globex.example"


@pytest.fixture(params=["memory", "file"])
def world(request: pytest.FixtureRequest, tmp_path: Path) -> World:
    url = "memory://" if request.param == "memory" else (tmp_path / "store").as_uri()
    repo = Repo(tmp_path / "repo")
    repo.write("keysets/policy.yaml", POLICY)
    return World(repo=repo, store=open_store(url))


def plan_of(outcome: Outcome) -> Plan:
    assert outcome.plan is not None
    return outcome.plan


def latest(world: World) -> Release:
    base = run(world.log.tip()).base
    assert base is not None
    return base


def two_releases(world: World, signers: dict[str, Signer]) -> None:
    """Two tenants with a key each; then a second key for both, which signs nothing yet."""
    world.write("acme", *entries(signers, "own-ec"))
    world.write("globex", *entries(signers, "globex"))
    assert world.publish().done is not None
    world.write("acme", *entries(signers, "own-ec"), *entries(signers, "own-ed", more=ANNOUNCED))
    world.write("globex", *entries(signers, "globex"), *entries(signers, "gen-next", more=ANNOUNCED))
    assert world.publish().done is not None
    assert world.kids(ACME) == ["own-ec", "own-ed"]
    assert world.kids(GLOBEX) == ["globex-key", "gen-next"]


def test_all_tenants_go_back_and_are_held_until_the_hold_is_lifted(world: World, signers: dict[str, Signer]) -> None:
    two_releases(world, signers)
    outcome = world.rollback(1)
    assert outcome.done is not None
    assert (world.kids(ACME), world.kids(GLOBEX)) == (["own-ec"], ["globex-key"])
    made = latest(world)
    assert (made.sequence, made.kind, made.reason) == (3, "rollback", "bad news")
    assert made.commit.id == world.repo.git("rev-parse", "HEAD")
    (hold,) = made.holds
    assert (hold.release, hold.reason, hold.tenants, hold.names) == (1, "bad news", 2, ("acme", "globex"))
    assert world.publish().plan is None  # the same key sets: nothing to look at
    world.write("acme", *entries(signers, "own-ec", "own-ed"))
    held = plan_of(world.publish())
    assert (held.changes, held.held_back) == ((), ("acme",))
    assert "(acme, globex) held at release 1 until `publish --lift-hold`: bad news" in hold_text(held.holds[0])
    assert world.kids(ACME) == ["own-ec"]
    world.lift("globex")
    assert (world.kids(ACME), world.kids(GLOBEX)) == (["own-ec"], ["globex-key", "gen-next"])
    assert [one.names for one in latest(world).holds] == [("acme",)]
    world.lift()
    assert world.kids(ACME) == ["own-ec", "own-ed"]
    assert latest(world).holds == ()
    assert world.publish().plan is None


def test_one_tenant_goes_back_alone(world: World, signers: dict[str, Signer]) -> None:
    two_releases(world, signers)
    outcome = world.rollback(1, "acme")
    assert [one.domain for one in plan_of(outcome).changes] == [ACME]
    assert (world.kids(ACME), world.kids(GLOBEX)) == (["own-ec"], ["globex-key", "gen-next"])
    world.write("globex", *entries(signers, "globex", "gen-next"), *entries(signers, "own-rsa", more=ANNOUNCED))
    world.publish()
    assert (world.kids(ACME), world.kids(GLOBEX)) == (["own-ec"], ["gen-next", "globex-key", "own-rsa"])


def test_a_rollback_can_be_rolled_back(world: World, signers: dict[str, Signer]) -> None:
    two_releases(world, signers)
    world.rollback(1)
    outcome = world.rollback(2, reason="it was good after all")
    assert outcome.done is not None
    assert world.kids(ACME) == ["own-ec", "own-ed"]
    assert [(one.release, one.reason) for one in latest(world).holds] == [(2, "it was good after all")]
    world.rollback(3)  # which is the first one
    assert world.kids(ACME) == ["own-ec"]
    world.lift()
    assert world.kids(ACME) == ["own-ec", "own-ed"]


def test_going_back_over_a_release_whose_publisher_died(world: World, signers: dict[str, Signer]) -> None:
    two_releases(world, signers)
    world.write("acme", *entries(signers, "own-ec"), *entries(signers, "own-ed", "own-rsa", more=ANNOUNCED))
    world.write("globex", *entries(signers, "globex"))
    world.abandon()
    assert (world.kids(ACME), world.kids(GLOBEX)) == (["own-ec", "own-ed", "own-rsa"], ["globex-key"])
    with pytest.raises(NoTarget, match="release 3 was not finished: go back to 2 or an earlier one"):
        world.rollback(3)
    assert world.rollback(2, "acme").done is not None
    # Of the other tenant it is the commit that the dead one had released.
    assert (world.kids(ACME), world.kids(GLOBEX)) == (["own-ec", "own-ed"], ["globex-key"])
    world.rollback(1)
    assert (world.kids(ACME), world.kids(GLOBEX)) == (["own-ec"], ["globex-key"])
    assert latest(world).sequence == 5


def test_going_back_to_what_is_served_holds_it(world: World, signers: dict[str, Signer]) -> None:
    two_releases(world, signers)
    assert plan_of(world.rollback(2)).changes == ()
    world.write("acme", *entries(signers, "own-ec"))
    assert plan_of(world.publish()).held_back == ("acme",)
    assert world.kids(ACME) == ["own-ec", "own-ed"]


def test_a_key_that_signs_is_not_dropped_but_by_name(world: World, signers: dict[str, Signer]) -> None:
    world.write("acme", *entries(signers, "own-ec"))
    world.publish()
    world.write("acme", *entries(signers, "own-ec", "own-ed"))
    world.publish()
    outcome = world.rollback(1)
    (change,) = plan_of(outcome).blocked
    assert [one.rule.id for one in change.hazards] == ["drops-active-key"]
    assert world.kids(ACME) == ["own-ec", "own-ed"]
    assert plan_of(world.rollback(1, allow=["drops-active-key"])).blocked == ()
    assert world.kids(ACME) == ["own-ec"]
    (hold,) = latest(world).holds
    assert hold.hurts is not None
    assert hold.hurts <= world.now
    assert f"what is held back will first be missed at {instant(hold.hurts)}" in hold_text(hold)


def test_a_revoked_key_does_not_come_back_but_by_name(world: World, signers: dict[str, Signer]) -> None:
    world.write("acme", *entries(signers, "own-ec", "own-ed"))
    world.publish()
    world.write("acme", *entries(signers, "own-ec"), *entries(signers, "own-ed", more=REVOKED))
    world.publish()
    assert world.kids(ACME) == ["own-ec"]
    assert world.rollback(1).done is not None
    assert world.kids(ACME) == ["own-ec"]
    outcome = world.rollback(1, allow=["revoked-key-returns"])
    assert [one.rule.id for one in plan_of(outcome).changes[0].hazards] == ["revoked-key-returns"]
    assert world.kids(ACME) == ["own-ec", "own-ed"]


def test_a_key_that_was_allowed_back_stays_once_git_agrees(world: World, signers: dict[str, Signer]) -> None:
    world.write("acme", *entries(signers, "own-ec", "own-ed"))
    world.publish()
    revoked = [*entries(signers, "own-ec"), *entries(signers, "own-ed", more=REVOKED)]
    world.write("acme", *revoked)
    world.publish()
    world.rollback(1, allow=["revoked-key-returns"])
    world.write("acme", *entries(signers, "own-ec", "own-ed"), *entries(signers, "own-rsa", more=ANNOUNCED))
    world.publish()
    assert world.kids(ACME) == ["own-ec", "own-ed"]
    world.lift()
    assert world.kids(ACME) == ["own-ec", "own-ed", "own-rsa"]
    world.write("acme", *entries(signers, "own-ec"))
    outcome = world.publish()
    assert [one.rule.id for one in plan_of(outcome).blocked[0].hazards] == ["drops-active-key"]


def test_a_revocation_that_was_removed_from_the_files_still_holds(world: World, signers: dict[str, Signer]) -> None:
    world.write("acme", *entries(signers, "own-ec", "own-ed"))
    world.publish()
    world.write("acme", *entries(signers, "own-ec"), *entries(signers, "own-ed", more=REVOKED))
    world.publish()
    world.write("acme", *entries(signers, "own-ec"))
    world.publish()
    world.rollback(1)
    assert world.kids(ACME) == ["own-ec"]


def test_revocations_pass_the_hold(world: World, signers: dict[str, Signer]) -> None:
    world.write("acme", *entries(signers, "own-ec", "own-ed"))
    world.publish()
    world.write("acme", *entries(signers, "own-ec", "own-ed"), *entries(signers, "own-rsa", more=ANNOUNCED))
    world.publish()
    world.rollback(1)
    world.write("acme", *entries(signers, "own-ec"), *entries(signers, "own-ed", "own-rsa", more=REVOKED))
    outcome = world.publish()
    assert world.kids(ACME) == ["own-ec"]
    (change,) = plan_of(outcome).changes
    assert change.revokes
    # own-rsa stands in no file that is compiled; its revocation is kept all the same.
    world.write("acme", *entries(signers, "own-ec"))
    world.publish()
    world.rollback(2)
    assert world.kids(ACME) == ["own-ec"]


def test_files_of_then_mean_what_they_mean_now(world: World, signers: dict[str, Signer]) -> None:
    soon = instant(world.now + timedelta(seconds=2))
    old = f"signs: {{until: {instant(world.now - timedelta(days=30))}}}\npublish: {{until: {soon}}}"
    world.write("acme", *entries(signers, "own-ec"), *entries(signers, "own-ed", more=old))
    world.publish()
    assert world.kids(ACME) == ["own-ec", "own-ed"]
    world.write("acme", *entries(signers, "own-ec"), *entries(signers, "own-rsa", more=ANNOUNCED))
    world.publish()
    world.rollback(1)
    assert world.kids(ACME) == ["own-ec"]


def test_a_hold_ends_by_itself(world: World, signers: dict[str, Signer]) -> None:
    two_releases(world, signers)
    world.rollback(1, until=world.now + timedelta(seconds=3))
    assert world.publish(commit=False).plan is None
    assert world.kids(ACME) == ["own-ec"]
    world.now += timedelta(seconds=2)
    world.publish(commit=False)
    assert world.kids(ACME) == ["own-ec", "own-ed"]
    assert latest(world).holds == ()


def test_tenants_that_were_removed_come_back(world: World, signers: dict[str, Signer]) -> None:
    two_releases(world, signers)
    world.repo.git("rm", "-r", "--quiet", "keysets/globex")
    world.publish(allow=["drops-active-key"])
    assert world.kids(GLOBEX) is None
    world.rollback(2, "globex")
    assert world.kids(GLOBEX) == ["globex-key", "gen-next"]
    world.publish()
    assert world.kids(GLOBEX) == ["globex-key", "gen-next"]
    world.publish(Wish(lift=None), allow=["drops-active-key"])
    assert world.kids(GLOBEX) is None


def test_tenants_that_came_later_go_where_nothing_signs(world: World, signers: dict[str, Signer]) -> None:
    world.write("acme", *entries(signers, "own-ec"))
    world.publish()
    world.write("globex", *entries(signers, "globex", more=ANNOUNCED))
    world.write("other", *entries(signers, "own-rsa"))
    world.publish()
    outcome = world.rollback(1, allow=["empty-set"])
    assert [one.domain for one in plan_of(outcome).blocked] == ["id.other.example"]
    assert (world.kids(GLOBEX), world.kids("id.other.example")) == (None, ["own-rsa"])
    world.publish()
    assert world.kids(GLOBEX) is None
    world.lift()
    assert world.kids(GLOBEX) == ["globex-key"]


def test_a_tenant_that_was_moved_goes_back_by_its_name(world: World, signers: dict[str, Signer]) -> None:
    two_releases(world, signers)
    world.repo.git("mv", "keysets/acme", "keysets/eu-acme")
    (world.repo.path / "keysets/eu").mkdir()
    world.repo.git("mv", "keysets/eu-acme", "keysets/eu/acme")
    world.publish()
    assert world.kids(ACME) == ["own-ec", "own-ed"]
    world.rollback(1, "acme")
    assert world.kids(ACME) == ["own-ec"]
    assert plan_of(world.publish(Wish(full=True))).changes == ()
    assert world.kids(ACME) == ["own-ec"]


def test_what_cannot_be_gone_back_to(world: World, signers: dict[str, Signer]) -> None:
    with pytest.raises(NoTarget, match="nothing was ever published"):
        world.rollback(1)
    two_releases(world, signers)
    with pytest.raises(NoTarget, match="there is no release 9: the last one is 2"):
        world.rollback(9)
    with pytest.raises(NoTarget, match="release 1 knows no tenant initech"):
        world.rollback(1, "initech")
    first = run(world.log.release(1))
    assert first is not None
    run(world.store.delete(shard_key(first[0].shards[slot("acme")].digest)))
    for tenant in ("acme", None):
        with pytest.raises(Damaged, match="release 1 is kept no more as a whole"):
            world.rollback(1, tenant)
    run(world.store.delete(release_key(1)))
    with pytest.raises(NoTarget, match="release 1 is kept no more: the earliest one that is, is 2"):
        world.rollback(1)


def test_a_shallow_clone_is_to_fetch_the_trees(world: World, signers: dict[str, Signer], tmp_path: Path) -> None:
    two_releases(world, signers)
    world.repo = world.repo.clone(tmp_path / "clone", "--depth=1")
    with pytest.raises(SourceError, match="which an earlier commit had, is not in this clone") as failed:
        world.rollback(1)
    assert failed.value.usage


def test_many_tenants_take_few_git_processes(
    world: World, signers: dict[str, Signer], monkeypatch: pytest.MonkeyPatch
) -> None:
    for plan in ("enterprise", "enterprise # again"):
        for number in range(100):
            name = f"t{number:03}"
            world.repo.write(f"keysets/{name}/keyset.yaml", keyset(name, [f"id.{name}.example"], plan=plan))
        world.publish()
    started: list[str] = []
    before = Git.started

    def counted(self: Git, *arguments: str, asked: bool = False, memory: int | None = None) -> object:
        started.append(arguments[0])
        return before(self, *arguments, asked=asked, memory=memory)

    monkeypatch.setattr(Git, "started", counted)
    assert len(plan_of(world.rollback(1)).records) == 100
    assert len(started) < 20


# From the command line.


@pytest.mark.chaos
def test_the_command(world: World, signers: dict[str, Signer], tmp_path: Path) -> None:
    if not world.store.url.startswith("file:"):
        pytest.skip("a store that outlives the process")
    two_releases(world, signers)
    store = ("--store", world.store.url)
    # A newer commit that was not published yet: it stays so.
    world.write("globex", *entries(signers, "globex", "gen-next"), *entries(signers, "own-rsa", more=ANNOUNCED))
    world.repo.commit()
    reason = ("--reason", "acme asked for it")
    shown = cli(world.repo, "rollback", "1", "--tenant", "acme", *reason, "--dry-run", *store)
    assert f"~ {ACME} (tenant acme): other keys\n    - own-ed" in shown
    assert "back to release 1 of " in shown
    assert world.kids(ACME) == ["own-ec", "own-ed"]
    done = cli(world.repo, "rollback", "1", "--tenant", "acme", *reason, *store)
    assert "1 tenant (acme) held at release 1 until `publish --lift-hold`: acme asked for it" in done
    assert (world.kids(ACME), world.kids(GLOBEX)) == (["own-ec"], ["globex-key", "gen-next"])
    later = cli(world.repo, "publish", *store)
    assert "1 tenant (acme) held at release 1" in later
    assert (world.kids(ACME), world.kids(GLOBEX)) == (["own-ec"], ["gen-next", "globex-key", "own-rsa"])
    assert "held at release 1" in cli(world.repo, "publish", *store)
    cli(world.repo, "publish", "--lift-hold", "acme", *store)
    assert world.kids(ACME) == ["own-ec", "own-ed"]


@pytest.mark.chaos
def test_the_command_refuses_what_it_cannot_do(world: World, signers: dict[str, Signer]) -> None:
    if not world.store.url.startswith("file:"):
        pytest.skip("a store that outlives the process")
    two_releases(world, signers)
    store = ("--store", world.store.url)
    cases = {
        ("9", "--reason", "x"): "there is no release 9: the last one is 2",
        ("0", "--reason", "x"): "0 is not in the range",
        ("1", "--tenant", "initech", "--reason", "x"): "release 1 knows no tenant initech",
        ("1",): "--reason",
        ("1", "--reason", "two\nlines"): "give one line",
        ("1", "--reason", "x", "--until", "2020-01-01T00:00:00Z"): "2020-01-01T00:00:00Z has passed",
    }
    for arguments, message in cases.items():
        assert message in cli(world.repo, "rollback", *arguments, *store, code=2)
    first = run(world.log.release(1))
    assert first is not None
    run(world.store.delete(shard_key(first[0].shards[slot("acme")].digest)))
    assert "kept no more" in cli(world.repo, "rollback", "1", "--reason", "x", *store, code=3)


@pytest.mark.chaos
def test_over_s3(s3_server: S3Server, tmp_path: Path, signers: dict[str, Signer]) -> None:
    repo = Repo(tmp_path / "repo")
    repo.write("keysets/policy.yaml", POLICY)
    store = ("--store", f"s3://{s3_server.make_bucket()}/jwks")
    settings = s3_server.settings
    for more in ("", signers["own-ed"].entry(ANNOUNCED)):
        repo.write("keysets/acme/keyset.yaml", keyset("acme", [ACME], signers["own-ec"].entry() + more))
        repo.commit()
        cli(repo, "publish", *store, settings=settings)
    done = cli(repo, "rollback", "1", "--reason", "why not", *store, settings=settings)
    assert f"~ {ACME} (tenant acme): other keys\n    - own-ed" in done
    assert "held at release 1" in cli(repo, "publish", *store, settings=settings)
    lifted = cli(repo, "publish", "--lift-hold", *store, settings=settings)
    assert "    + own-ed" in lifted
