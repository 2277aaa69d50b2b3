"""Applying over real stores: the order of writes, races, lost answers, deaths at every step, faults."""

import asyncio
import subprocess
from collections.abc import Awaitable, Callable
from contextlib import suppress
from datetime import timedelta
from pathlib import Path

import pytest
from history import History
from loops import quick_collections, run
from publishing import USUAL, How, contents, plan, publish, results, tip
from strategies import BadStore, Killed, Tenant, entry, hour, window

from publisher.apply import Overtaken, apply
from publisher.head import HEAD_KEY
from publisher.plan import Plan
from publisher.policy import Cache, Policy
from publisher.publication import Outcome
from publisher.release import release_key
from publisher.releaselog import Log, Open
from publisher.render import cache_control, document_headers
from publisher.report import look_command
from publisher.source import Revision
from publisher.state import document_key, live_domains, live_headers, live_key, read_live
from publisher.store import Headers, Store, StoreError, Trouble
from publisher.stores import open_store
from publisher.wanted import Wanted

__all__ = ["quick_collections"]

CACHE = cache_control(Cache())
OTHER = Headers(content_type="text/plain", cache_control="no-store")
LOGIN, ID, GLOBEX = "login.acme.example", "id.acme.example", "id.globex.example"
ALL = (LOGIN, ID, GLOBEX)
PLAIN = "version: 1\n"
Hook = Callable[[int, str, str], Awaitable[None]]


@pytest.fixture(params=["memory", "file"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Store:
    return fresh(request.param, tmp_path)


def fresh(kind: str, path: Path) -> Store:
    return open_store("memory://" if kind == "memory" else (path / "store").as_uri())


def tenants() -> tuple[Tenant, Tenant]:
    """Three domains of two tenants. Two share their document. From hour 2 on there is another key in all of them."""
    numbers = {"acme": (2, 3), "globex": (4, 5)}
    keys = {name: [entry(a, "old"), entry(b, "new", **window(2, 50, None, None))] for name, (a, b) in numbers.items()}
    return (
        Tenant(domains=[LOGIN, ID], generated=keys["acme"]),
        Tenant(name="globex", domains=[GLOBEX], custom=keys["globex"]),
    )


COMMIT = History().commit(*tenants(), policy=PLAIN)


def fleet(at: float) -> list[Wanted]:
    """What they are to serve at an hour."""
    return [one for tenant in tenants() for one in tenant.wanted(hour(at), Policy())]


def published(store: Store, at: float, commit: Revision = COMMIT, how: How = USUAL, *allowed: str) -> Outcome:
    return run(publish(store, commit, now=hour(at), how=how, allowed=allowed))


def served(*wanted: Wanted, release: int, cache: str = CACHE) -> dict[str, tuple[bytes, Headers]]:
    """The objects of these domains, as a release writes them."""
    live = {
        live_key(one.domain): (one.body, live_headers(one.domain, one.tenant, one.body, cache, release))
        for one in wanted
    }
    return live | {document_key(one.digest): (one.body, document_headers(one.digest)) for one in wanted}


def there(store: Store) -> dict[str, tuple[bytes, Headers]]:
    """Every live object and document."""
    return {key: (one.body, one.headers) for key, one in run(contents(store)).items()}


async def overwrite(store: Store, domain: str, body: bytes = b"theirs", headers: Headers = OTHER) -> None:
    known = await store.get(live_key(domain))
    assert await store.put(live_key(domain), body, headers, replaces=known.token if known else None)


def test_a_first_publish_writes_documents_and_live_objects(store: Store) -> None:
    assert results(published(store, 0)) == dict.fromkeys(ALL, "written")
    assert there(store) == served(*fleet(0), release=1)


def test_a_change_replaces_live_objects_and_keeps_old_documents(store: Store) -> None:
    published(store, 0)
    assert results(published(store, 2)) == dict.fromkeys(ALL, "written")
    assert there(store) == served(*fleet(0), release=1) | served(*fleet(2), release=2)


def test_other_cache_times_rewrite_the_headers_alone(store: Store) -> None:
    history = History()
    published(store, 0, history.commit(*tenants(), policy=PLAIN))
    shorter = history.commit(*tenants(), policy=f"{PLAIN}cache: {{max_age: 60}}\n")
    assert results(published(store, 0, shorter)) == dict.fromkeys(ALL, "written")
    cache = cache_control(Cache(max_age=Cache().max_age / 5))
    assert there(store) == served(*fleet(0), release=2, cache=cache)


@pytest.mark.parametrize("at", [0, 2])
def test_a_second_publish_reads_three_objects_and_writes_nothing(store: Store, at: float) -> None:
    published(store, 0)
    published(store, at)
    last = run(tip(store)).sequence
    watched = BadStore(store)
    assert published(watched, at + 1).done is None
    assert watched.operations == [("get", HEAD_KEY), ("get", release_key(last)), ("get", release_key(last + 1))]


def test_strange_objects_beside_the_live_ones_are_not_looked_at(store: Store) -> None:
    strays = ("live/.well-known/jwks.json", "live/a/b.example/.well-known/jwks.json", "live/x.example/jwks.json")
    for key in (*strays, f"live/{LOGIN}/.well-known/jwks.json.bak"):
        run(store.put(key, b"stray", OTHER, replaces=None))
    published(store, 0)
    assert run(live_domains(store)) == set(ALL)
    assert set(run(read_live(store, [LOGIN, "nobody.example"], 4))) == {LOGIN}


def test_the_command_that_shows_a_document_finds_it(tmp_path: Path) -> None:
    store = fresh("file", tmp_path / "with blanks & ümlauts")
    published(store, 0)
    shown = subprocess.run(["sh", "-c", look_command(store.url, LOGIN)], capture_output=True, check=True)
    assert shown.stdout == fleet(0)[0].body


def test_documents_and_the_release_are_there_before_a_live_object_and_head_comes_last(store: Store) -> None:
    published(store, 0)
    watched = BadStore(store)
    published(watched, 2)
    order = [key.partition("/")[0] for key in watched.writes if key != "probe/clock"]
    assert order == ["documents"] * 2 + ["shards"] * 2 + ["releases"] + ["live"] * 3 + [HEAD_KEY]


async def _apply(store: Store, made: Plan) -> dict[str, str]:
    end = await tip(store)
    done = await apply(Log(store, Open()), made, end.token, conditions="not-asked", clock=lambda: made.now)
    return {one.change.domain: one.result for one in done.applied}


def test_a_refused_plan_is_not_applied(store: Store) -> None:
    published(store, 3)
    made = run(plan(store, COMMIT, now=hour(2)))
    assert made.refused
    watched = BadStore(store)
    with pytest.raises(ValueError, match="refused"):
        run(apply(Log(watched, Open()), made, "x", conditions="not-asked", clock=lambda: hour(2)))
    assert watched.operations == []


def test_a_blocked_change_is_left_alone_until_it_is_waived(store: Store) -> None:
    run(overwrite(store, LOGIN))
    assert results(published(store, 0)) == dict.fromkeys((ID, GLOBEX), "written")
    assert there(store)[live_key(LOGIN)] == (b"theirs", OTHER)
    assert results(published(store, 0, COMMIT, USUAL, "foreign-object")) == {LOGIN: "written"}
    assert there(store) == served(*fleet(0), release=1) | served(fleet(0)[0], release=2)


def at_release(sequence: int, store: Store, action: Callable[[], Awaitable[None]]) -> BadStore:
    """The store, in which something happens when that release has been created: after the plan was made."""

    async def after(number: int, what: str, key: str) -> None:
        if (what, key) == ("put", release_key(sequence)):
            await action()

    return BadStore(store, after=after)


@pytest.mark.parametrize("first", [None, 0])
def test_what_somebody_else_wrote_since_the_plan_stays(store: Store, first: float | None) -> None:
    if first is not None:
        published(store, first)
    sequence = 1 if first is None else 2
    outcome = published(at_release(sequence, store, lambda: overwrite(store, LOGIN)), 2)
    assert results(outcome) == {LOGIN: "conflict", ID: "written", GLOBEX: "written"}
    assert there(store)[live_key(LOGIN)] == (b"theirs", OTHER)
    end = run(tip(store))
    assert end.head is not None
    assert [(one.domain, one.why) for one in end.head.unfinished] == [(LOGIN, "conflict")]
    again = published(store, 2)
    assert again.plan is not None
    assert [one.domain for one in again.plan.blocked] == [LOGIN]


def test_an_older_plan_does_not_undo_a_newer_one(store: Store) -> None:
    published(store, 0)
    older, newer = (run(plan(store, COMMIT, now=hour(at))) for at in (2, 4))
    assert set(run(_apply(store, newer)).values()) == {"written"}
    before = there(store)
    with pytest.raises(Overtaken):
        run(_apply(store, older))
    assert {key: there(store)[key] for key in before} == before


def test_a_live_object_that_was_removed_since_the_plan_is_written(tmp_path: Path) -> None:
    store = fresh("file", tmp_path)
    published(store, 0)

    async def remove() -> None:
        (tmp_path / "store" / live_key(ID)).unlink()

    assert results(published(at_release(2, store, remove), 2)) == dict.fromkeys(ALL, "written")
    assert there(store)[live_key(ID)] == served(*fleet(2), release=2)[live_key(ID)]


class Retrying(BadStore):
    """A store that loses the answer to every write, tries again, and meets its own object (FACTS: the 412 trap)."""

    async def put(self, key: str, body: bytes, headers: Headers, *, replaces: str | None) -> str | None:
        await super().put(key, body, headers, replaces=replaces)
        return await super().put(key, body, headers, replaces=replaces)


def test_a_lost_answer_to_ones_own_write_is_no_conflict(store: Store) -> None:
    assert results(published(Retrying(store), 0)) == dict.fromkeys(ALL, "already-there")
    assert there(store) == served(*fleet(0), release=1)
    assert results(published(Retrying(store), 2)) == dict.fromkeys(ALL, "already-there")
    assert there(store) == served(*fleet(0), release=1) | served(*fleet(2), release=2)
    assert run(tip(store)).sequence == 2


@pytest.mark.parametrize("first", [None, 0])
@pytest.mark.parametrize("apart", [0, 1])
def test_two_publishers_of_one_commit_end_as_one(store: Store, first: float | None, apart: int) -> None:
    """In the same second their releases are the same bytes, and they finish it together; else one of them wins."""

    async def both() -> list[Outcome]:
        times = [hour(2), hour(2) + timedelta(seconds=apart)]
        return list(await asyncio.gather(*(publish(store, COMMIT, now=now, how=How(patience=30)) for now in times)))

    if first is not None:
        published(store, first)
    ended = run(both())
    for domain in ALL:
        got = sorted(results(one).get(domain, "") for one in ended)
        assert got == (["", "written"] if apart else ["already-there", "written"])
    last = 1 if first is None else 2
    assert (run(tip(store)).sequence, run(tip(store)).above) == (last, ())
    before = {} if first is None else served(*fleet(first), release=1)
    assert there(store) == before | served(*fleet(2), release=last)


@pytest.mark.parametrize("spoil", [lambda _: b"", lambda _: b'{"keys":[]}', lambda body: body + b"\n"])
def test_a_tampered_document_is_named_and_does_not_go_live(store: Store, spoil: Callable[[bytes], bytes]) -> None:
    wanted = fleet(0)[0]
    key = document_key(wanted.digest)
    run(store.put(key, spoil(wanted.body), document_headers("0" * 64), replaces=None))
    damaged = dict.fromkeys((LOGIN, ID), "damaged-document")
    assert results(published(store, 0)) == {**damaged, GLOBEX: "written"}
    assert not {live_key(LOGIN), live_key(ID)} & there(store).keys()
    assert results(published(store, 0)) == damaged, "the next publish tries again"
    run(store.delete(key))
    assert results(published(store, 0)) == dict.fromkeys((LOGIN, ID), "written")
    assert published(store, 0).done is None


LAST = 26
DEATHS = [(moment, number) for moment in ("before", "after") for number in range(1, LAST + 1)]


@pytest.mark.parametrize("kind", ["memory", "file"])
@pytest.mark.parametrize(("moment", "number"), DEATHS)
def test_a_publish_that_dies_anywhere_leaves_whole_documents_and_is_made_good(
    kind: str, moment: str, number: int, tmp_path: Path
) -> None:
    async def die(count: int, what: str, key: str) -> None:
        if count >= number:
            raise Killed

    store = fresh(kind, tmp_path)
    history = History()
    published(store, 0, history.commit(tenants()[0], policy=PLAIN))
    commit = history.commit(*tenants(), policy=PLAIN)
    bad = BadStore(store, before=die) if moment == "before" else BadStore(store, after=die)
    with suppress(Killed):
        published(bad, 2, commit)
    found, old, new = there(store), served(*fleet(0)[:2], release=1), served(*fleet(2), release=2)
    for key in map(live_key, ALL):
        assert found.get(key) in (old.get(key), new[key])
        if key in found:
            body, headers = found[key]
            assert found[document_key(dict(headers.metadata)["sha256"])][0] == body
    assert set(results(published(store, 2, commit)).values()) <= {"written"}
    end = run(tip(store))
    assert (end.above, end.head is not None and end.head.unfinished) == ((), ())
    assert {key: one[0] for key, one in there(store).items()} == {key: one[0] for key, one in (old | new).items()}
    assert published(store, 2, commit).done is None


def test_the_deaths_cover_every_operation(store: Store) -> None:
    history = History()
    published(store, 0, history.commit(tenants()[0], policy=PLAIN))
    watched = BadStore(store)
    published(watched, 2, history.commit(*tenants(), policy=PLAIN))
    assert len(watched.operations) < LAST


def wide(count: int) -> Revision:
    """Many domains with one document."""
    domains = [f"d{number}.acme.example" for number in range(count)]
    return History().commit(Tenant(domains=domains, generated=[entry(2, "old")]), policy=PLAIN)


@pytest.mark.parametrize("number", [1, 2, 7, 12])
@pytest.mark.parametrize("moment", ["before", "after"])
def test_a_failing_store_ends_the_rest(store: Store, moment: str, number: int) -> None:
    writes = 0

    async def fail(count: int, what: str, key: str) -> None:
        nonlocal writes
        await asyncio.sleep(0)
        writes += what == "put" and key.startswith("live/")
        if writes >= number:
            raise StoreError("unreachable", "no route to the store")

    commit = wide(20)
    bad = BadStore(store, before=fail) if moment == "before" else BadStore(store, after=fail)
    with pytest.raises(StoreError, match="no route to the store"):
        published(bad, 0, commit)
    assert HEAD_KEY not in bad.writes
    published(store, 0, commit)
    assert len([key for key in there(store) if key.startswith("live/")]) == 20
    assert published(store, 0, commit).done is None


@pytest.mark.parametrize("trouble", ["denied", "broken"])
def test_a_fault_of_one_object_leaves_the_others_alone(store: Store, trouble: Trouble) -> None:
    async def fail(count: int, what: str, key: str) -> None:
        if key == live_key("d7.acme.example") and what == "put":
            raise StoreError(trouble, "not this one")

    async def blind(count: int, what: str, key: str) -> None:
        if key == live_key("d7.acme.example"):
            raise StoreError(trouble, "not this one")

    commit = wide(20)
    ended = published(BadStore(store, before=fail), 0, commit)
    names = [f"d{number}.acme.example" for number in range(20)]
    assert results(ended) == {name: "failed" if name == names[7] else "written" for name in names}
    unread = published(BadStore(store, before=blind), 0, commit)
    assert unread.plan is not None
    assert unread.plan.unreadable == ((names[7], "not this one"),)
    assert results(published(store, 0, commit)) == {names[7]: "written"}
    assert published(store, 0, commit).done is None


def test_a_fault_of_every_object_is_the_stores(store: Store) -> None:
    async def fail(count: int, what: str, key: str) -> None:
        if what == "put" and key.startswith("live/"):
            raise StoreError("denied", "access denied")

    with pytest.raises(StoreError, match="access denied; the same for every object that was tried"):
        published(BadStore(store, before=fail), 0, wide(200))
    assert run(tip(store)).sequence == 0
