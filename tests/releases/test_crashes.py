"""Death at every step: the store is gone before each operation of a publish, or right after it, answer lost.

Then a plain publish runs. It converges to exactly the expected objects; and at every moment every domain served one
whole document, old or new, of which documents/ held a copy.
"""

from collections.abc import Awaitable, Callable
from hashlib import sha256
from pathlib import Path

import pytest
from strategies import BadStore, Killed

from publisher.releaselog import Log, Open
from publisher.state import EMPTY, document_key, get_live
from publisher.store import Store
from publisher.stores import open_store
from releases.world import GLOBEX, ID, LOGIN, World, run

pytestmark = pytest.mark.chaos

EXTRA = "extra.acme.example"
DOMAINS = (LOGIN, ID, GLOBEX, EXTRA)


async def copied(store: Store) -> Store:
    """A store with the same objects."""
    made = open_store("memory://")
    for prefix in ("live/", "documents/", "shards/", "releases/", "probe/"):
        async for key in store.keys(prefix):
            await _copy(store, made, key)
    await _copy(store, made, "HEAD.json")
    return made


async def _copy(store: Store, made: Store, key: str) -> None:
    found = await store.get(key)
    if found is not None:
        await made.put(key, found.body, found.headers, replaces=None)


async def bodies(store: Store) -> dict[str, bytes | None]:
    """What each domain serves."""
    live = {domain: await get_live(store, domain) for domain in DOMAINS}
    return {domain: None if one is None else one.body for domain, one in live.items()}


def watching(store: Store, allowed: dict[str, set[bytes | None]]) -> Callable[[int, str, str], Awaitable[None]]:
    """After every operation: whole documents alone, and a copy of each for ever."""

    async def look(number: int, what: str, key: str) -> None:
        if what != "put" or not key.startswith("live/"):
            return
        for domain, body in (await bodies(store)).items():
            assert body in allowed[domain]
            if body not in (None, EMPTY):
                assert await store.get(document_key(sha256(body or b"").hexdigest())) is not None

    return look


async def consistent(store: Store) -> None:
    """The state and the live objects say the same, and nothing is above HEAD."""
    log = Log(store, Open())
    tip = await log.tip()
    assert tip.base is not None
    assert tip.head is not None
    assert (tip.above, tip.head.unfinished) == ((), ())
    for shard in (await log.shards(tip.base, tip.base.shards)).values():
        for record in shard.records():
            for known in record.domains:
                live = await get_live(store, known.domain)
                assert live is not None
                assert (live.digest, live.release) == (known.digest, known.release)
                assert await store.get(document_key(known.digest)) is not None


def prepared(world: World) -> tuple[str, str]:
    """Two commits: from the first to the second a key comes, one is revoked, a domain comes and one goes."""
    first = world.start()
    acme = ([LOGIN, EXTRA], world.entry("a1") + world.entry("a2"))
    globex = ([GLOBEX], world.revoked("g1") + world.entry("g2"))
    return first, world.commit({"acme": acme, "globex": globex})


def rehearsed(world: World, start: Store, rev: str, allow: list[str]) -> tuple[int, dict[str, bytes | None]]:
    """How many operations an undisturbed publish takes, and what is served then."""
    store = run(copied(start))
    counting = BadStore(store)
    assert world.publish(rev, store=counting, allow=allow).done is not None
    return len(counting.operations), run(bodies(store))


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("publish", ["first", "second"])
def test_death_at_every_operation(tmp_path: Path, publish: str, when: str) -> None:
    world = World(path=tmp_path, store=open_store("memory://"))
    first, second = prepared(world)
    allow = ["drops-active-key"]
    if publish == "second":
        world.publish(first)
    rev = first if publish == "first" else second
    operations, wanted = rehearsed(world, world.store, rev, allow)
    old = run(bodies(world.store))
    allowed = {domain: {old[domain], wanted[domain]} for domain in DOMAINS}
    assert operations > 15
    for number in range(1, operations + 1):
        store = run(copied(world.store))
        look = watching(store, allowed)

        async def die(at: int, what: str, key: str, number: int = number) -> None:
            if at >= number:
                raise Killed

        async def look_and_die(at: int, what: str, key: str, number: int = number, look: object = look) -> None:
            await look(at, what, key)  # type: ignore[operator]  # as `watching` gives it
            if at >= number:
                raise Killed

        dying = BadStore(
            store, before=die if when == "before" else None, after=look if when == "before" else look_and_die
        )
        with pytest.raises(Killed):
            world.publish(rev, store=dying, allow=allow)
        assert all(body in allowed[domain] for domain, body in run(bodies(store)).items())
        world.publish(rev, store=BadStore(store, after=look), allow=allow)
        assert run(bodies(store)) == wanted, number
        run(consistent(store))
        assert world.publish(rev, store=store, allow=allow).plan is None


def test_two_deaths_in_a_row_converge(tmp_path: Path) -> None:
    world = World(path=tmp_path, store=open_store("memory://"))
    first, second = prepared(world)
    world.publish(first)
    allow = ["drops-active-key"]
    operations, wanted = rehearsed(world, world.store, second, allow)
    for number in range(4, operations, 3):
        store = run(copied(world.store))
        for _ in range(2):

            async def die(at: int, what: str, key: str, number: int = number) -> None:
                if at >= number:
                    raise Killed

            with pytest.raises(Killed):
                world.publish(second, store=BadStore(store, before=die), allow=allow)
        world.publish(second, store=store, allow=allow)
        assert run(bodies(store)) == wanted
        run(consistent(store))
