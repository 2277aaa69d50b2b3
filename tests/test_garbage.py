"""`gc`: what it thins out and removes, what it never does, and a publish interleaved with it at every point."""

import asyncio
import json
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from program import run as program
from repos import Repo
from s3server import S3Server
from signing import keyset, make_signer
from upkeep import NOW, AsOf, Interrupts, Shop, run, shop

from publisher.garbage import Removed, remove
from publisher.head import HEAD_KEY
from publisher.policy import Policy
from publisher.release import release_key
from publisher.retention import SEEN_KEY, Garbage, garbage
from publisher.state import document_key, live_key
from publisher.store import Headers, Store
from publisher.stores import open_store

ID, OLD = "id.globex.example", "old.globex.example"
POLICY = "version: 1\nretention: {documents: 30d}\n"
ALLOWED = frozenset({"empty-set", "drops-active-key", "drops-retiring-key", "kid-reused"})


@pytest.fixture(scope="module")
def past(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    """A release with a domain more, others an hour later without it and with another key, and 100 days. Git is back
    at the first of them, whose shards and document no other release has."""
    repo = Repo(tmp_path_factory.mktemp("past") / "repo")
    first, second = make_signer("first"), make_signer("second")
    repo.write("keysets/policy.yaml", POLICY)
    repo.write("keysets/acme/keyset.yaml", keyset("acme", ["login.acme.example"], make_signer("acme").entry()))
    before = keyset("globex", [ID, OLD], first.entry())
    made = shop(repo, "memory://")
    made.allowed = ALLOWED
    repo.write("keysets/eu/globex/keyset.yaml", before)
    repo.commit("One")
    made.publish()
    made.later(hours=1)
    repo.write("keysets/acme/note.txt", "x")
    repo.write("keysets/eu/globex/keyset.yaml", keyset("globex", [ID], second.entry()))
    repo.commit("Two")
    made.publish()
    made.later(hours=1)
    repo.write("keysets/acme/note.txt", "y")
    repo.commit("Three")
    made.publish()
    made.later(days=100)
    (repo.path / "keysets/acme/note.txt").unlink()
    repo.write("keysets/eu/globex/keyset.yaml", before)
    repo.commit("One again")
    assert made.audit() == []
    yield made


def copy(made: Shop) -> Shop:
    """The same store once more."""
    store = open_store("memory://")

    async def job() -> None:
        for prefix in ("live/", "documents/", "shards/", "releases/", "gc/"):
            async for key in made.store.keys(prefix):
                await one(key)
        await one(HEAD_KEY)

    async def one(key: str) -> None:
        found = await made.store.get(key)
        assert found is not None
        await store.put(key, found.body, found.headers, replaces=None)

    run(job())
    return Shop(repo=made.repo, store=AsOf(behind=store, at=[made.now]), allowed=made.allowed)


async def collect(made: Shop, store: Store) -> tuple[Garbage, Removed | None]:
    log = made.log(store)
    found = await garbage(log, await log.tip(), made.order().policy, made.now)
    return found, await remove(log, found)


def gc(made: Shop) -> tuple[Garbage, Removed | None]:
    return run(collect(made, made.store))


def test_what_nothing_needs_goes(past: Shop) -> None:
    made = copy(past)
    documents = len(made.have("documents/"))
    found, removed = gc(made)
    assert found.releases == (1,)
    assert found.tombstones == (OLD,)
    assert found.shards
    assert len(found.documents) == 1
    assert removed is not None
    assert removed.restored == ()
    assert made.have("releases/") == [release_key(2), release_key(3)]
    assert made.get(live_key(OLD)) is None
    assert len(made.have("documents/")) == documents - 1
    assert made.audit() == []
    again, _ = gc(made)
    assert (again.releases, again.shards, again.documents, again.tombstones) == ((), (), (), ())
    made.publish()
    assert made.audit() == []
    assert made.get(live_key(OLD)) is not None


def test_tombstones_stay_until_copies_and_tokens_have_run_out(past: Shop) -> None:
    made = copy(past)
    made.store.at[0] = NOW + timedelta(hours=2)
    assert run(collect(made, made.store))[0].tombstones == ()


def test_documents_are_kept_for_ever_unless_the_policy_says_else(past: Shop) -> None:
    made = copy(past)
    log = made.log()

    async def look() -> Garbage:
        return await garbage(log, await log.tip(), Policy(), made.now)

    assert run(look()).documents == ()


def test_an_orphan_is_noted_first_and_goes_when_it_stayed_one(past: Shop) -> None:
    made = copy(past)
    headers = Headers(content_type="application/json", cache_control="")
    orphan, shard = document_key("0" * 64), f"shards/{'1' * 64}.json.gz"
    made.write(orphan, b"{}", headers)
    made.write(shard, b"x", headers)
    found, _ = gc(made)
    assert {orphan, shard} <= found.seen.keys()
    made.later(days=6, hours=23)
    gc(made)
    assert made.get(shard) is not None
    made.later(hours=2)
    gc(made)
    assert made.get(shard) is None
    assert made.get(orphan) is not None
    made.later(days=30)
    gc(made)
    assert made.get(orphan) is None


def test_releases_are_thinned_to_one_a_day(repo: Repo) -> None:
    made = shop(repo, "memory://")
    made.publish()
    for number in range(7):
        made.later(hours=8)
        repo.write("keysets/acme/note.txt", str(number))
        repo.commit(f"Change {number}")
        made.publish()
    made.later(days=200)
    found, _ = gc(made)  # 12, 20 | 04, 12, 20 | 04, 12, 20
    assert found.kept == (2, 5, 7, 8)
    assert made.audit() == []


def test_nothing_that_an_unreadable_release_may_need_is_removed(past: Shop) -> None:
    made = copy(past)
    made.write(release_key(1), b"{")
    found, _ = gc(made)
    assert [one.key for one in found.unreadable] == [release_key(1)]
    assert (found.shards, found.documents) == ((), ())


def test_two_at_once_do_not_undo_each_other(past: Shop) -> None:
    made = copy(past)
    headers = Headers(content_type="application/json", cache_control="")
    made.write(f"shards/{'1' * 64}.json.gz", b"x", headers)

    async def job() -> Removed | None:
        log = made.log()
        found = await garbage(log, await log.tip(), made.order().policy, made.now)
        await collect(made, made.store)
        return await remove(log, found)

    assert run(job()) is None
    assert made.get(SEEN_KEY) is not None


def _whole(made: Shop) -> None:
    assert made.audit() == []
    assert made.publish().plan is None
    found = made.get(live_key(OLD))
    assert found is not None
    assert "withdrawn" not in dict(found.headers.metadata)


@pytest.mark.chaos
def test_a_publish_at_every_point_of_a_gc(past: Shop) -> None:
    """The publish needs again all that goes: the shards, the document, and the domain of the tombstone."""
    restored, at = 0, 0
    while True:
        at += 1
        made = copy(past)

        async def publish(made: Shop = made) -> None:
            await made.publish_in(made.store)

        store = Interrupts(behind=made.store, at=at, what=publish)
        _, removed = run(collect(made, store))
        if store.count[0] < at:
            break
        assert removed is not None
        restored += len(removed.restored)
        _whole(made)
    assert at > 20
    assert restored > 0


@pytest.mark.chaos
def test_a_gc_at_every_point_of_a_publish(past: Shop) -> None:
    at = 0
    while True:
        at += 1
        made = copy(past)

        async def clean(made: Shop = made) -> None:
            await collect(made, made.store)

        store = Interrupts(behind=made.store, at=at, what=clean)
        run(made.publish_in(store))
        if store.count[0] < at:
            break
        _whole(made)
    assert at > 20


def test_a_publish_that_waits_at_each_point_of_a_gc_that_waits(past: Shop) -> None:
    """Both in small steps: a publish that starts at each point of a gc, and stands still while the gc ends."""
    at = 0
    while True:
        at += 3
        made = copy(past)

        async def job(made: Shop = made, at: int = at) -> bool:
            halfway, go_on = asyncio.Event(), asyncio.Event()

            async def halt() -> None:
                halfway.set()
                await go_on.wait()

            async def start() -> None:
                tasks.append(asyncio.create_task(made.publish_in(halting)))
                await halfway.wait()

            tasks: list[asyncio.Task[Any]] = []
            halting = Interrupts(behind=made.store, at=8 + at % 7, what=halt)
            store = Interrupts(behind=made.store, at=at, what=start)
            await collect(made, store)
            go_on.set()
            for task in tasks:
                await task
            return store.count[0] >= at

        if not run(job()):
            break
        _whole(made)


@pytest.mark.chaos
def test_the_command_line(repo: Repo, s3_server: S3Server, tmp_path: Path) -> None:
    url, settings = f"s3://{s3_server.make_bucket()}/jwks", s3_server.settings
    early = ("--allow", "clock-behind", "--allow", "clock-ahead")
    for number in range(3):
        repo.write("keysets/acme/note.txt", str(number))
        repo.commit(f"Change {number}")
        when = f"2026-01-03T0{number}:00:00Z"
        ran = program("publish", "--store", url, "--now", when, *early, cwd=repo.path, **settings)
        assert ran.code == 0, ran
    dry = program("gc", "--store", url, "--format", "json", cwd=repo.path, **settings)
    assert dry.code == 0, dry
    assert (json.loads(dry.out)["releases"], json.loads(dry.out)["applied"]) == ([1], False)
    done = program("gc", "--apply", "--store", url, cwd=repo.path, **settings)
    assert (done.code, done.out.split(",")[0]) == (0, "1 release"), done
    audit = program("audit", "--store", url, cwd=repo.path, **settings)
    assert audit.code == 0, audit
    assert "the history is kept from release 2 on" in audit.err
