"""Publishers that meet: each test is one interleaving, and what keeps it from doing harm."""

import asyncio
from dataclasses import dataclass, field, replace
from hashlib import sha256
from pathlib import Path

import pytest
from strategies import BadStore, Killed

from publisher.releaselog import Log, Open
from publisher.reversal import rollback_to
from publisher.state import get_live, live_headers, live_key
from publisher.store import Headers, Store, Stored
from publisher.stores import open_store
from publisher.survey import Wish
from releases.world import GLOBEX, HOUR, ID, LOGIN, World, run


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(path=tmp_path, store=open_store("memory://"))


@dataclass
class Pause:
    """Holds one request back until it is let go."""

    what: str
    key: str
    reached: asyncio.Event = field(default_factory=asyncio.Event)
    go: asyncio.Event = field(default_factory=asyncio.Event)

    async def __call__(self, number: int, what: str, key: str) -> None:
        if (what, key) == (self.what, self.key) and not self.reached.is_set():
            self.reached.set()
            await self.go.wait()


def dying(inner: Store, what: str, key: str) -> BadStore:
    """A store that is gone before a request."""

    async def before(number: int, did: str, name: str) -> None:
        if (did, name) == (what, key):
            raise Killed

    return BadStore(inner, before=before)


def head(world: World) -> int:
    return run(Log(world.store, Open()).tip()).sequence


async def overlap(world: World, pause: Pause, rev: str, *then: str) -> object:
    """A publisher of `rev` is paused; publishers of `then` go on to their ends; it wakes. Its outcome, or its error."""
    slow = asyncio.ensure_future(world.publisher(BadStore(world.store, before=pause)).publish(world.order(rev)))
    await asyncio.wait_for(pause.reached.wait(), 20)
    for one in then:
        outcome = await world.publisher().publish(world.order(one))
        assert outcome.done is not None
    pause.go.set()
    return await asyncio.gather(slow, return_exceptions=True)


@pytest.mark.parametrize(
    ("what", "key"),
    [("put", live_key(LOGIN)), ("put", "HEAD.json"), ("put", "releases/0000000002.json"), ("get", "HEAD.json")],
)
def test_wherever_it_sleeps_the_end_is_the_newest_commit(world: World, what: str, key: str) -> None:
    world.start()
    world.publish()
    older = world.commit({"acme": ([LOGIN, ID], world.entry("a1") + world.entry("a2"))})
    newer = world.commit({"acme": ([LOGIN, ID], world.entry("a1") + world.entry("a3"))})
    run(overlap(world, Pause(what, key), older, newer))
    final = world.publish(newer)
    assert final.done is None
    assert sorted(world.served()[LOGIN]) == sorted(world.served()[ID]) == ["a1", "a3"]


def test_old_bytes_brought_back_do_not_let_a_sleeper_write(world: World) -> None:
    """S3's ETag is a hash of the content: after A, C, A the token that the sleeper holds is right again."""
    first = world.start()
    world.publish()
    sleeper = world.commit({"acme": ([LOGIN, ID], world.entry("a1") + world.entry("b"))})
    change = world.commit({"acme": ([LOGIN, ID], world.entry("a1") + world.entry("c"))})
    back = world.commit({"acme": ([LOGIN, ID], world.entry("a1"))})
    assert first != back
    pause = Pause("put", live_key(LOGIN))
    store = Hashing(world.store)

    async def race() -> None:
        slow = asyncio.ensure_future(world.publisher(BadStore(store, before=pause)).publish(world.order(sleeper)))
        await asyncio.wait_for(pause.reached.wait(), 20)
        for rev in (change, back):
            order = world.order(rev, allow=["drops-active-key"])
            assert (await world.publisher(store).publish(order)).done is not None
        pause.go.set()
        await asyncio.gather(slow, return_exceptions=True)

    run(race())
    # The sleeper's write did get through, and it was the sleeper that mended it.
    assert [b'"kid":"b"' in body for body in store.written[-3:]].count(True) == 1
    assert world.served()[LOGIN] == ["a1"]
    assert world.live()[LOGIN][1] == head(world)


def test_a_sleeper_that_dies_after_a_late_write_leaves_a_stale_one_that_is_repaired(world: World) -> None:
    world.start()
    world.publish()
    world.commit({"acme": ([LOGIN, ID], world.entry("a1") + world.entry("a2"))})
    world.publish()

    async def late() -> None:
        live = await get_live(world.store, LOGIN)
        assert live is not None
        body = b'{"keys":[]}'
        headers = live_headers(LOGIN, "acme", body, live.headers.cache_control, 1)
        assert await world.store.put(live_key(LOGIN), body, headers, replaces=live.token) is not None

    run(late())
    world.commit({"acme": ([LOGIN, ID], world.entry("a1") + world.entry("a2") + world.entry("a3"))})
    outcome = world.publish()
    assert outcome.plan is not None
    change = next(one for one in outcome.plan.changes if one.domain == LOGIN)
    assert [(one.rule.id, one.waived) for one in change.hazards] == [("stale-write", True)]
    assert sorted(world.served()[LOGIN]) == ["a1", "a2", "a3"]


def test_an_abandoned_release_is_planned_over_and_never_published_first(world: World) -> None:
    world.start()
    world.publish()
    abandoned = world.commit({"acme": ([LOGIN, ID], world.entry("a1") + world.entry("a2"))})
    with pytest.raises(Killed):
        world.publish(abandoned, store=dying(world.store, "put", live_key(LOGIN)))
    assert head(world) == 1
    world.commit({"acme": ([LOGIN, ID], world.entry("a1") + world.entry("a3"))})
    seen: list[list[str]] = []

    async def watch(number: int, what: str, key: str) -> None:
        if what == "put" and key.startswith("live/"):
            live = await get_live(world.store, LOGIN)
            seen.append([] if live is None else sorted(live.thumbprints()))

    outcome = world.publish(store=BadStore(world.store, after=watch))
    assert outcome.plan is not None
    assert outcome.plan.sequence == 3
    assert ["a1", "a2"] not in seen
    assert sorted(world.served()[LOGIN]) == sorted(world.served()[ID]) == ["a1", "a3"]
    assert head(world) == 3


def test_an_older_commit_does_not_overtake_an_abandoned_newer_one(world: World) -> None:
    world.start()
    world.publish()
    older = world.commit({"acme": ([LOGIN, ID], world.entry("a1") + world.entry("a2"))})
    newer = world.commit({"acme": ([LOGIN, ID], world.entry("a1") + world.entry("a3"))})
    with pytest.raises(Killed):
        world.publish(newer, store=dying(world.store, "put", live_key(ID)))
    outcome = world.publish(older)
    assert outcome.done is None
    assert outcome.plan is not None
    assert [one.rule.id for one in outcome.plan.hazards] == ["not-a-descendant"]
    assert world.publish(newer).done is not None


def test_a_domain_of_an_abandoned_release_that_nobody_wants_any_more_is_withdrawn(world: World) -> None:
    world.start()
    world.publish()
    extra = "extra.acme.example"
    added = world.commit({"acme": ([LOGIN, ID, extra], world.entry("a1"))})
    with pytest.raises(Killed):
        world.publish(added, store=dying(world.store, "put", "HEAD.json"))
    assert world.served()[extra] == ["a1"]
    world.commit({"acme": ([LOGIN, ID], world.entry("a1"))})
    world.publish()
    assert world.served()[extra] == []


def test_a_paused_create_cannot_undo_a_withdrawal(world: World) -> None:
    world.start()
    world.publish()
    extra = "extra.acme.example"
    added = world.commit({"acme": ([LOGIN, ID, extra], world.entry("a1"))})
    removed = world.commit({"acme": ([LOGIN, ID], world.entry("a1"))})
    run(overlap(world, Pause("put", live_key(extra)), added, removed))
    assert world.served().get(extra, []) == []


def test_first_publications_count_from_completion(world: World) -> None:
    world.start()
    world.publish()
    two = world.commit({"acme": ([LOGIN, ID], world.entry("a1") + world.entry("a2"))})
    with pytest.raises(Killed):
        world.publish(two, store=dying(world.store, "put", live_key(LOGIN)))
    world.now += 3 * HOUR
    outcome = world.publish(two)
    assert outcome.done is not None
    log = Log(world.store, Open())
    tip = run(log.tip())
    assert tip.base is not None
    shards = run(log.shards(tip.base, tip.base.shards))
    record = next(found for shard in shards.values() if (found := shard.record("acme")) is not None)
    firsts = {key.kid: key.first for key in record.keys}
    assert firsts == {"a1": 1, "a2": 3}
    assert tip.head is not None
    assert tip.head.completed_at == world.now


def test_who_finds_head_moved_by_an_earlier_release_moves_it_on(world: World) -> None:
    world.start()
    world.publish()
    older = world.commit({"globex": ([GLOBEX], world.entry("g1") + world.entry("g2"))})
    newer = world.commit({"acme": ([LOGIN, ID], world.entry("a1") + world.entry("a2"))})
    first, second = Pause("put", "HEAD.json"), Pause("put", "HEAD.json")

    async def race() -> None:
        one = asyncio.ensure_future(world.publisher(BadStore(world.store, before=first)).publish(world.order(older)))
        await asyncio.wait_for(first.reached.wait(), 20)
        two = asyncio.ensure_future(world.publisher(BadStore(world.store, before=second)).publish(world.order(newer)))
        await asyncio.wait_for(second.reached.wait(), 20)
        first.go.set()
        await one
        assert (await Log(world.store, Open()).tip()).sequence == 2
        second.go.set()
        await two

    run(race())
    assert head(world) == 3
    assert sorted(world.served()[LOGIN]) == ["a1", "a2"]
    assert sorted(world.served()[GLOBEX]) == ["g1", "g2"]


class Hashing:
    """A store whose tokens are hashes of the content alone, as S3's are. `written` are the bodies of live objects."""

    def __init__(self, inner: Store) -> None:
        self.inner = inner
        self.url, self.delete, self.keys, self.time = inner.url, inner.delete, inner.keys, inner.time
        self.written: list[bytes] = []

    async def get(self, key: str) -> Stored | None:
        found = await self.inner.get(key)
        return None if found is None else replace(found, token=sha256(found.body).hexdigest())

    async def put(self, key: str, body: bytes, headers: Headers, *, replaces: str | None) -> str | None:
        found = await self.inner.get(key)
        if (None if found is None else sha256(found.body).hexdigest()) != replaces:
            return None
        token = None if found is None else found.token
        if await self.inner.put(key, body, headers, replaces=token) is None:
            return None
        if key.startswith("live/"):
            self.written.append(body)
        return sha256(body).hexdigest()


@pytest.mark.parametrize("key", [live_key(LOGIN), live_key(ID), live_key("extra.acme.example")])
def test_a_release_that_only_sleeps_is_fenced_off_where_the_newer_commit_changes_nothing(
    world: World, key: str
) -> None:
    """The newer commit brings back what was live before the sleeper's: its objects are written all the same."""
    world.start()
    world.publish()
    extra = "extra.acme.example"
    sleeper = world.commit({"acme": ([LOGIN, extra], world.entry("a1") + world.entry("a2"))})
    back = world.commit({"acme": ([LOGIN, ID], world.entry("a1"))})
    pause = Pause("put", key)

    async def race() -> None:
        order = world.order(sleeper, allow=["drops-active-key"])
        slow = asyncio.ensure_future(world.publisher(BadStore(world.store, before=pause)).publish(order))
        await asyncio.wait_for(pause.reached.wait(), 20)
        other = world.order(back, allow=["drops-active-key"])
        assert (await world.publisher().publish(other)).done is not None
        pause.go.set()
        await asyncio.gather(slow, return_exceptions=True)

    run(race())
    assert {domain: kids for domain, kids in world.served().items() if kids} == {
        ID: ["a1"],
        LOGIN: ["a1"],
        GLOBEX: ["g1"],
    }
    assert all(world.live()[domain][1] == head(world) for domain in (LOGIN, ID, extra))


def test_what_an_unfinished_release_wrote_is_not_forgotten_over_a_mistake(world: World) -> None:
    """A publisher dies after its flips; the next commit has a mistake; the one after mends it and drops the domain."""
    world.start()
    world.publish()
    extra = "extra.acme.example"
    added = world.commit({"acme": ([LOGIN, ID, extra], world.entry("a1"))})
    with pytest.raises(Killed):
        world.publish(added, store=dying(world.store, "put", "HEAD.json"))
    world.commit({"acme": ([LOGIN, ID, extra], world.entry("a1") + "  - nonsense: yes\n")})
    outcome = world.publish()
    assert outcome.done is not None
    assert [one.domain for one in outcome.done.head.unfinished] == [extra]
    world.commit({"acme": ([LOGIN, ID], world.entry("a1"))})
    world.publish()
    assert world.served()[extra] == []
    assert world.publish().plan is None


@pytest.mark.parametrize("key", [live_key(LOGIN), live_key(ID), "HEAD.json"])
def test_a_publisher_that_wakes_after_a_rollback_does_not_undo_it(world: World, key: str) -> None:
    world.start()
    world.publish()
    two = world.commit({"acme": ([LOGIN, ID], world.entry("a1") + world.entry("a2"))})
    world.publish(two)
    three = world.commit({"acme": ([LOGIN, ID], world.entry("a1") + world.entry("a2") + world.entry("a3"))})
    pause = Pause("put", key)

    async def race() -> object:
        slow = asyncio.ensure_future(world.publisher(BadStore(world.store, before=pause)).publish(world.order(three)))
        await asyncio.wait_for(pause.reached.wait(), 20)
        publisher = world.publisher()
        back = await rollback_to(publisher.log, await publisher.log.tip(), 1, None, "a2 was a mistake", None)
        order = world.order(three, allow=["drops-active-key"], wish=Wish(rollback=back))
        assert (await publisher.publish(replace(order, kind="rollback"))).done is not None
        pause.go.set()
        return await slow

    run(race())
    assert world.served() == {LOGIN: ["a1"], ID: ["a1"], GLOBEX: ["g1"]}
    held = world.publish(three)
    assert held.done is None
    assert world.served()[LOGIN] == ["a1"]
