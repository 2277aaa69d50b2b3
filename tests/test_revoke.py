"""A key that is stolen: out of the store at once, by the store alone; into the files; never back."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

import orjson
import pytest
from httpcache import http_cache
from repos import Repo
from signing import Signer
from worlds import ANNOUNCED, POLICY, World, cli, entries, run

from publisher.emergency import Strike, UnknownKeyError, strike_plan
from publisher.plan import Plan
from publisher.publication import Outcome, Publisher
from publisher.record import TenantRecord
from publisher.releaselog import Log, Open, Tip
from publisher.rules.windows import instant
from publisher.shard import slot
from publisher.state import live_key
from publisher.store import Headers, Store, Stored, StoreError
from publisher.stores import open_store
from publisher.survey import Wish

ACME, LOGIN, GLOBEX = "id.acme.example", "login.acme.example", "id.globex.example"


@pytest.fixture(params=["memory", "file"])
def world(request: pytest.FixtureRequest, tmp_path: Path) -> World:
    url = "memory://" if request.param == "memory" else (tmp_path / "store").as_uri()
    repo = Repo(tmp_path / "repo")
    repo.write("keysets/policy.yaml", POLICY)
    return World(repo=repo, store=open_store(url))


def two_tenants(world: World, signers: dict[str, Signer]) -> None:
    world.write("acme", *entries(signers, "own-ec", "own-ed"), domains=[ACME, LOGIN])
    world.write("globex", *entries(signers, "globex"))
    assert world.publish().done is not None


def strike(world: World, kid: str = "own-ec", *, store: Store | None = None, now: datetime | None = None) -> Outcome:
    """`revoke --now`, of acme's."""
    log = world.log if store is None else Log(store, Open())
    asked = Strike(tenant="acme", kid=kid, reason="stolen", now=now or world.now)

    async def made(tip: Tip) -> Plan:
        return await strike_plan(log, tip, asked)

    publisher = Publisher(
        log=log,
        start=lambda: None,
        approve=lambda plan: True,
        clock=lambda: world.now,
        note=world.seen.append,
        step=lambda: None,
    )
    outcome = run(publisher.carry_out(made))
    world.now += timedelta(seconds=1)
    return outcome


def record(world: World) -> TenantRecord:
    base = run(world.log.tip()).base
    found = run(world.log.shards(base, {slot("acme")}))[slot("acme")].record("acme")
    assert found is not None
    return found


def gone(world: World) -> bool:
    return all("own-ec" not in (world.kids(domain) or []) for domain in (ACME, LOGIN))


def test_the_key_leaves_every_document_and_nothing_else_changes(world: World, signers: dict[str, Signer]) -> None:
    two_tenants(world, signers)
    before = run(world.store.get(live_key(GLOBEX)))
    outcome = strike(world)
    assert outcome.done is not None
    assert [one.result for one in outcome.done.applied] == ["written", "written"]
    assert (world.kids(ACME), world.kids(LOGIN), world.kids(GLOBEX)) == (["own-ed"], ["own-ed"], ["globex-key"])
    assert before == run(world.store.get(live_key(GLOBEX)))
    base = run(world.log.tip()).base
    assert base is not None
    assert (base.kind, base.reason, base.commit.id) == ("revoke", "stolen", world.repo.git("rev-parse", "HEAD"))
    assert {purge.domain for purge in outcome.done.head.purges} == {ACME, LOGIN}
    assert [one.kid for one in record(world).keys if one.revoked] == ["own-ec"]


def test_twice_is_once(world: World, signers: dict[str, Signer]) -> None:
    two_tenants(world, signers)
    strike(world)
    again = strike(world)
    assert again.done is None
    assert again.plan is not None
    assert not again.plan.needed


def test_no_later_publish_brings_it_back(world: World, signers: dict[str, Signer]) -> None:
    soon = world.now + timedelta(hours=1)
    world.write(
        "acme", *entries(signers, "own-ec", "own-ed"), *entries(signers, "gen-next", more=_from(soon)), domains=[ACME]
    )
    world.write("globex", *entries(signers, "globex"))
    world.publish()
    strike(world)
    assert world.publish(commit=False).plan is None
    world.now = soon  # what time brings is published, from files that do not know of the revocation
    outcome = world.publish(commit=False)
    assert outcome.done is not None
    assert world.kids(ACME) == ["own-ed", "gen-next"]
    world.write("acme", *entries(signers, "own-ec", "own-ed", "gen-next"), domains=[ACME])
    refused = world.publish().plan
    assert refused is not None
    assert {one.rule.id for change in refused.blocked for one in change.hazards} >= {"revoked-key-returns"}
    assert "own-ec" not in (world.kids(ACME) or [])


def _from(moment: datetime) -> str:
    return f"publish: {{from: {instant(moment)}}}\nsigns: {{from: 2090-01-01T00:00:00Z}}"


def test_the_files_follow_and_all_is_well(world: World, signers: dict[str, Signer]) -> None:
    two_tenants(world, signers)
    strike(world)
    mark = f"revoked: {{at: {instant(world.now)}, reason: stolen}}"
    world.write("acme", *entries(signers, "own-ed"), *entries(signers, "own-ec", more=mark), domains=[ACME, LOGIN])
    plan = world.publish().plan
    assert plan is not None
    assert (plan.changes, plan.blocked, plan.mistakes) == ((), (), ())
    assert world.kids(ACME) == ["own-ed"]


def test_it_passes_a_hold_a_mistake_and_a_hazard(world: World, signers: dict[str, Signer]) -> None:
    two_tenants(world, signers)
    world.write("acme", *entries(signers, "own-ec", "own-ed"), *entries(signers, "gen-next", more=ANNOUNCED))
    world.publish()
    world.rollback(1, "acme")
    world.write("acme", "  - kid: bad\n    nonsense: 1\n")
    world.publish()
    assert "own-ec" in (world.kids(ACME) or [])
    strike(world)
    assert gone(world)
    base = run(world.log.tip()).base
    assert base is not None
    assert [hold.names for hold in base.holds] == [("acme",)]


def test_a_clock_that_is_behind_does_not_stop_it(world: World, signers: dict[str, Signer]) -> None:
    two_tenants(world, signers)
    strike(world, now=world.now - timedelta(days=30))
    assert gone(world)
    base = run(world.log.tip()).base
    assert base is not None
    assert base.as_of >= world.now - timedelta(minutes=1)


def test_over_an_abandoned_release_others_converge_later(world: World, signers: dict[str, Signer]) -> None:
    two_tenants(world, signers)
    world.write("globex", *entries(signers, "globex"), *entries(signers, "gen-next", more=ANNOUNCED))
    world.abandon()
    outcome = strike(world)
    assert outcome.done is not None
    assert [(one.tenant, one.domain) for one in outcome.done.head.unfinished] == [("globex", GLOBEX)]
    assert gone(world)
    assert world.publish(commit=False).done is not None
    assert world.kids(GLOBEX) == ["globex-key", "gen-next"]
    head = run(world.log.tip()).head
    assert head is not None
    assert head.unfinished == ()


def test_a_foreign_document_is_left_and_told(world: World, signers: dict[str, Signer]) -> None:
    two_tenants(world, signers)
    live = run(world.store.get(live_key(ACME)))
    assert live is not None
    body = live.body.replace(b'{"keys":[', b'{"keys": [')
    run(
        world.store.put(
            live_key(ACME),
            body,
            Headers(content_type="application/json", cache_control="no-store"),
            replaces=live.token,
        )
    )
    outcome = strike(world)
    assert outcome.plan is not None
    assert outcome.done is not None
    assert [domain for domain, _ in outcome.plan.unreadable] == [ACME]
    assert (ACME in {one.domain for one in outcome.done.head.unfinished}) is True
    assert world.kids(LOGIN) == ["own-ed"]


@pytest.mark.parametrize(("tenant", "kid", "says"), [("nobody", "k", "no tenant"), ("acme", "k", "no key")])
def test_what_the_store_does_not_know(
    world: World, signers: dict[str, Signer], tenant: str, kid: str, says: str
) -> None:
    with pytest.raises(UnknownKeyError, match="nothing was ever published"):
        run(_plan(world, tenant, kid))
    two_tenants(world, signers)
    with pytest.raises(UnknownKeyError, match=says):
        run(_plan(world, tenant, kid))


async def _plan(world: World, tenant: str, kid: str) -> Plan:
    return await strike_plan(
        world.log, await world.log.tip(), Strike(tenant=tenant, kid=kid, reason="r", now=world.now)
    )


@dataclass(slots=True)
class Dying:
    """A store whose publisher dies before its nth write."""

    inner: Store
    left: int
    writes: list[str] = field(default_factory=list)

    @property
    def url(self) -> str:
        return self.inner.url

    async def get(self, key: str) -> Stored | None:
        return await self.inner.get(key)

    async def put(self, key: str, body: bytes, headers: Headers, *, replaces: str | None) -> str | None:
        if self.left == 0:
            raise StoreError("broken", "killed")
        self.left -= 1
        self.writes.append(key)
        return await self.inner.put(key, body, headers, replaces=replaces)

    async def delete(self, key: str) -> None:
        await self.inner.delete(key)

    def keys(self, prefix: str) -> AsyncIterator[str]:
        return self.inner.keys(prefix)

    async def time(self) -> datetime:
        return await self.inner.time()


@pytest.mark.parametrize("writes", range(8))
def test_killed_anywhere_and_run_again(tmp_path: Path, signers: dict[str, Signer], writes: int) -> None:
    repo = Repo(tmp_path / "repo")
    repo.write("keysets/policy.yaml", POLICY)
    world = World(repo=repo, store=open_store("memory://"))
    two_tenants(world, signers)
    dying = Dying(world.store, writes)
    try:
        strike(world, store=dying)
    except StoreError:
        world.publish(commit=False)  # a scheduled publish comes between
    strike(world)
    assert gone(world)
    assert [one.kid for one in record(world).keys if one.revoked] == ["own-ec"]
    assert world.publish(commit=False).plan is None
    assert gone(world)


def test_beside_a_publisher_at_work(tmp_path: Path, signers: dict[str, Signer]) -> None:
    repo = Repo(tmp_path / "repo")
    repo.write("keysets/policy.yaml", POLICY)
    world = World(repo=repo, store=open_store("memory://"))
    two_tenants(world, signers)
    world.write("acme", *entries(signers, "own-ec", "own-ed"), *entries(signers, "gen-next", more=ANNOUNCED))
    world.repo.commit()

    async def both() -> None:
        publisher = Publisher(
            log=world.log,
            start=lambda: None,
            approve=lambda plan: True,
            clock=lambda: world.now,
            note=world.seen.append,
            step=lambda: None,
            patience=1.0,
        )
        asked = Strike(tenant="acme", kid="own-ec", reason="stolen", now=world.now)
        await asyncio.gather(
            publisher.publish(world.order(Wish(), ())),
            publisher.carry_out(lambda tip: strike_plan(world.log, tip, asked)),
        )

    run(both())
    world.publish(commit=False)
    assert "own-ec" not in (world.kids(ACME) or [])
    assert [one.kid for one in record(world).keys if one.revoked] == ["own-ec"]


def test_the_command_does_both_halves_and_the_drill_neither(tmp_path: Path, signers: dict[str, Signer]) -> None:
    repo, store = Repo(tmp_path / "repo"), (tmp_path / "store").as_uri()
    repo.write("keysets/policy.yaml", POLICY)
    world = World(repo=repo, store=open_store(store))
    two_tenants(world, signers)
    file = repo.path / "keysets/acme/keyset.yaml"
    before = file.read_text()
    strike_it = ("revoke", "acme", "own-ec", "--reason", "laptop: stolen", "--now", "--store", store)
    told = cli(repo, *strike_it, "--dry-run")
    assert "revoked keys leave" in told
    assert "+    revoked: {at: " in told
    assert "may yet be accepted for 24 h 10 min" in told
    assert (file.read_text(), world.kids(ACME)) == (before, ["own-ec", "own-ed"])
    told = cli(repo, *strike_it)
    assert gone(world)
    assert 'reason: "laptop: stolen"}' in file.read_text()
    assert "Release 2 is complete." in told
    assert "git commit -m" in told
    assert cli(repo, "check").startswith("2 tenants")
    again = cli(repo, *strike_it)
    assert "is revoked in keysets/acme/keyset.yaml already" in again


def test_one_half_is_done_where_the_other_cannot_be(tmp_path: Path, signers: dict[str, Signer]) -> None:
    repo, store = Repo(tmp_path / "repo"), (tmp_path / "store").as_uri()
    repo.write("keysets/policy.yaml", POLICY)
    world = World(repo=repo, store=open_store(store))
    two_tenants(world, signers)
    file = repo.path / "keysets/acme/keyset.yaml"
    repo.write("keysets/acme/keyset.yaml", "version: 1\ntenant: [\n")
    strike_it = ("revoke", "acme", "own-ec", "--reason", "x", "--now", "--store")
    assert "keysets/acme/keyset.yaml cannot be read" in cli(repo, *strike_it, store, code=1)
    assert gone(world)
    world.write("acme", *entries(signers, "own-ec", "own-ed"), domains=[ACME, LOGIN])
    nowhere = (tmp_path / "nowhere").as_uri()
    assert "nothing was ever published" in cli(repo, *strike_it, nowhere, code=1)
    assert "revoked: {at: " in file.read_text()


@pytest.mark.parametrize("broken", ["HEAD.json", "shards", "releases"])
def test_the_files_get_it_where_the_state_is_damaged(tmp_path: Path, signers: dict[str, Signer], broken: str) -> None:
    repo, store = Repo(tmp_path / "repo"), tmp_path / "store"
    repo.write("keysets/policy.yaml", POLICY)
    world = World(repo=repo, store=open_store(store.as_uri()))
    two_tenants(world, signers)
    file = repo.path / "keysets/acme/keyset.yaml"
    file.write_text(file.read_text() + "consumers: [spring]\n")
    place = store / broken
    for path in [place] if place.is_file() else place.iterdir():
        path.write_bytes(b"{")
    told = cli(repo, "revoke", "acme", "own-ec", "--reason", "x", "--now", "--store", store.as_uri(), code=3)
    assert "revoked: {at: " in file.read_text()
    assert "git commit -m" in told
    assert "may yet be accepted for 24 h 10 min" in told
    assert "spring" in told.partition("may yet be accepted")[2]


def test_a_private_key_beside_it_is_not_shown(tmp_path: Path, signers: dict[str, Signer]) -> None:
    repo = Repo(tmp_path / "repo")
    repo.write("keysets/policy.yaml", POLICY)
    World(repo=repo, store=open_store("memory://")).write("acme", *entries(signers, "own-ec"), domains=[ACME])
    file, secret = repo.path / "keysets/acme/keyset.yaml", "s3cr3t" * 7
    beside = f"  - kid: leaky\n    alg: ES256\n    jwk: {{kty: EC, crv: P-256, x: a, y: b, d: {secret}}}\n"
    file.write_text(file.read_text().rstrip("\n") + "\n" + beside)
    told = cli(repo, "revoke", "acme", "own-ec", "--reason", "x")
    assert "the difference is not shown" in told
    assert secret not in told
    assert "revoked: {at: " in file.read_text()


def test_without_now_the_files_alone(tmp_path: Path, signers: dict[str, Signer]) -> None:
    repo = Repo(tmp_path / "repo")
    repo.write("keysets/policy.yaml", POLICY)
    world = World(repo=repo, store=open_store("memory://"))
    world.write("acme", *entries(signers, "own-ec"), platform=entries(signers, "gen-now", "gen-next"))
    told = cli(repo, "revoke", "acme", signers["gen-now"].kid, "--reason", "leak")
    assert "signs from now on" in told
    assert "revoked" in (repo.path / "keysets/acme/generated.yaml").read_text()
    assert "--now takes --store" in cli(repo, "revoke", "acme", "own-ec", "--reason", "x", "--now", code=2)


def test_it_says_which_of_the_tenants_own_keys_sign_on(tmp_path: Path, signers: dict[str, Signer]) -> None:
    repo = Repo(tmp_path / "repo")
    repo.write("keysets/policy.yaml", POLICY)
    world = World(repo=repo, store=open_store("memory://"))
    later = signers["own-rsa"].entry("publish: {from: 2026-01-01T00:00:00Z}\nsigns: {from: 2090-01-01T00:00:00Z}")
    world.write("acme", *entries(signers, "own-ec", "own-ed"), later)

    def told(kid: str) -> str:
        return cli(repo, "revoke", "acme", kid, "--reason", "leak")

    assert "of the tenant's own keys `own-ed` can go on signing" in told("own-ec")
    assert "`own-rsa` signs next, from 2090-01-01T00:00:00Z on: a key that comes in its place" in told("own-ed")
    assert "none of the tenant's own keys signs any more: a key that comes in its place" in told("own-rsa")


def test_releases_name_it(tmp_path: Path, signers: dict[str, Signer]) -> None:
    repo, store = Repo(tmp_path / "repo"), (tmp_path / "store").as_uri()
    repo.write("keysets/policy.yaml", POLICY)
    world = World(repo=repo, store=open_store(store))
    two_tenants(world, signers)
    strike(world)
    assert "release 2 (revoke)" in cli(repo, "releases", "--store", store)
    assert orjson.loads(cli(repo, "releases", "show", "2", "--store", store, "--format", "json"))["kind"] == "revoke"
    assert "All is as the state says" in cli(repo, "audit", "--store", store)


def test_it_purges_and_looks_through_the_cdn(tmp_path: Path, signers: dict[str, Signer]) -> None:
    repo, store = Repo(tmp_path / "repo"), (tmp_path / "store").as_uri()
    repo.write("keysets/policy.yaml", POLICY)
    world = World(repo=repo, store=open_store(store))
    two_tenants(world, signers)
    with http_cache(tmp_path / "store") as cache:
        behind = ("--cdn", f"purge:{cache.url}", "--via", cache.url, "--wait", "30")
        strike_it = ("revoke", "acme", "own-ec", "--reason", "stolen", "--now", "--store", store)
        cli(repo, *strike_it, *behind, "--dry-run")
        assert cache.purged == []
        told = cli(repo, *strike_it, *behind)
        assert {domain for domain, _ in cache.purged} == {ACME, LOGIN}
        assert f"{cache.url} serves 2 documents as published" in told
    head = run(world.log.tip()).head
    assert head is not None
    assert head.purges == ()


def test_a_repair_of_a_damaged_state_does_not_bring_it_back(tmp_path: Path, signers: dict[str, Signer]) -> None:
    repo, store = Repo(tmp_path / "repo"), (tmp_path / "store").as_uri()
    repo.write("keysets/policy.yaml", POLICY)
    world = World(repo=repo, store=open_store(store))
    two_tenants(world, signers)
    strike(world)
    for shard in (tmp_path / "store/shards").iterdir():
        shard.write_bytes(b"damaged")
    cli(repo, "repair", "--store", store, code=1)
    assert gone(world)
    assert [one.kid for one in record(world).keys if one.revoked] == ["own-ec"]
    world.now += timedelta(minutes=1)
    cli(repo, "publish", "--store", store, code=1)
    assert gone(world)


def test_the_key_goes_first_where_the_cdn_cannot_be_reached(tmp_path: Path, signers: dict[str, Signer]) -> None:
    repo, store = Repo(tmp_path / "repo"), (tmp_path / "store").as_uri()
    repo.write("keysets/policy.yaml", POLICY)
    world = World(repo=repo, store=open_store(store))
    two_tenants(world, signers)
    nobody = {"AWS_EC2_METADATA_DISABLED": "true", "AWS_SHARED_CREDENTIALS_FILE": "/dev/null"}
    strike_it = (
        "revoke",
        "acme",
        "own-ec",
        "--reason",
        "x",
        "--now",
        "--store",
        store,
        "--cdn",
        "cloudfront:E2EXAMPLE",
    )
    told = cli(repo, *strike_it, "--dry-run", code=0, settings=nobody)
    assert "nothing is purged" in told
    assert "revoked keys leave" in told
    told = cli(repo, *strike_it, code=3, settings=nobody)
    assert "nothing is purged" in told
    assert gone(world)
    assert "revoked: {at: " in (repo.path / "keysets/acme/keyset.yaml").read_text()


def test_the_instant_of_other_commands_in_the_environment_is_none_of_its(
    tmp_path: Path, signers: dict[str, Signer]
) -> None:
    repo = Repo(tmp_path / "repo")
    repo.write("keysets/policy.yaml", POLICY)
    World(repo=repo, store=open_store("memory://")).write("acme", *entries(signers, "own-ec", "own-ed"))
    cli(repo, "revoke", "acme", "own-ec", "--reason", "x", settings={"JWKS_PUBLISHER_NOW": "2026-12-01T00:00:00Z"})
