"""Applying over real stores: the order of writes, races, lost answers, deaths at every step; bounded parallelism."""

import asyncio
import gc
import subprocess
from collections.abc import AsyncGenerator, Awaitable, Callable, Coroutine, Iterable, Iterator
from contextlib import aclosing, suppress
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar

import pytest
from strategies import BadStore, Killed, Tenant, entry, hour, window

from publisher.apply import Applied, apply
from publisher.flow import gather
from publisher.plan import Change, Plan, live_headers, make_plan
from publisher.policy import Cache, Policy
from publisher.render import cache_control, document_headers
from publisher.report import look_command
from publisher.state import Live, document_key, live_domains, live_key, read_live
from publisher.store import Headers, Store, StoreError, Trouble
from publisher.stores import open_store
from publisher.wanted import Wanted

Result = TypeVar("Result")

CACHE = cache_control(Cache())
OTHER = Headers(content_type="text/plain", cache_control="no-store")
LOGIN, ID, GLOBEX = "login.acme.example", "id.acme.example", "id.globex.example"


@pytest.fixture(params=["memory", "file"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Store:
    return fresh(request.param, tmp_path)


@pytest.fixture(scope="module", autouse=True)
def quick_collections() -> Iterator[None]:
    """What is there before these tests is not looked through at each of their collections."""
    gc.collect()
    gc.freeze()
    yield
    gc.unfreeze()


def fresh(kind: str, path: Path) -> Store:
    return open_store("memory://" if kind == "memory" else (path / "store").as_uri())


def run(job: Coroutine[Any, Any, Result]) -> Result:
    """Run it to its end, and see that it leaves no task behind and no exception that nobody took."""
    complaints: list[Any] = []

    async def main() -> Result:
        asyncio.get_running_loop().set_exception_handler(lambda loop, context: complaints.append(context))
        try:
            return await job
        finally:
            assert asyncio.all_tasks() == {asyncio.current_task()}

    results: list[Result] = []
    failure: BaseException | None = None
    try:
        results.append(asyncio.run(main()))
    except BaseException as error:
        failure = error.with_traceback(None)  # which would keep the tasks alive
    gc.collect()
    assert complaints == []
    if failure is not None:
        raise failure
    return results[0]


def fleet(at: float) -> list[Wanted]:
    """Three domains of two tenants. Two share their document. From hour 2 on there is another key in all of them."""
    numbers = {"acme": (2, 3), "globex": (4, 5)}
    keys = {name: [entry(a, "old"), entry(b, "new", **window(2, 4, None, None))] for name, (a, b) in numbers.items()}
    acme = Tenant(domains=[LOGIN, ID], generated=keys["acme"])
    globex = Tenant(name="globex", domains=[GLOBEX], custom=keys["globex"])
    return [one for tenant in (acme, globex) for one in tenant.wanted(hour(at), Policy())]


def single(at: float) -> list[Wanted]:
    return fleet(at)[:1]


async def planned(store: Store, wanted: list[Wanted], cache: str = CACHE, allowed: Iterable[str] = ()) -> Plan:
    """The plan, made as the command line makes it."""
    published = await live_domains(store)
    live = await read_live(store, [one.domain for one in wanted if one.domain in published], 4)
    return make_plan(
        wanted,
        live,
        published,
        source="commit 1a2b3c4d5e6f",
        store=store.url,
        now=hour(0),
        cache_control=cache,
        allowed=frozenset(allowed),
    )


async def applied(store: Store, changes: Iterable[Change], parallel: int = 4) -> dict[str, str]:
    """What became of each domain."""
    async with aclosing(apply(store, changes, parallel)) as results:
        return {one.change.wanted.domain: one.result async for one in results}


async def publish(store: Store, wanted: list[Wanted], cache: str = CACHE, parallel: int = 4) -> dict[str, str]:
    plan = await planned(store, wanted, cache)
    return await applied(store, plan.changes, parallel)


async def contents(store: Store) -> dict[str, tuple[bytes, Headers]]:
    """Every object."""
    keys = [key for prefix in ("live/", "documents/") async for key in store.keys(prefix)]
    found = {key: await store.get(key) for key in keys}
    return {key: (one.body, one.headers) for key, one in found.items() if one is not None}


def expected(*wanted: Wanted, cache: str = CACHE) -> dict[str, tuple[bytes, Headers]]:
    """The objects of these domains."""
    live = {live_key(one.domain): (one.body, live_headers(one, cache)) for one in wanted}
    return live | {document_key(one.digest): (one.body, document_headers(one.digest)) for one in wanted}


def test_a_first_publish_writes_documents_and_live_objects(store: Store) -> None:
    assert run(publish(store, fleet(0))) == dict.fromkeys((LOGIN, ID, GLOBEX), "written")
    assert run(contents(store)) == expected(*fleet(0))


def test_a_change_replaces_live_objects_and_keeps_old_documents(store: Store) -> None:
    run(publish(store, fleet(0)))
    assert run(publish(store, fleet(2))) == dict.fromkeys((LOGIN, ID, GLOBEX), "written")
    assert run(contents(store)) == expected(*fleet(0)) | expected(*fleet(2))


def test_other_cache_times_rewrite_the_headers_alone(store: Store) -> None:
    run(publish(store, fleet(0)))
    shorter = cache_control(Cache(max_age=Cache().max_age / 5))
    assert run(publish(store, fleet(0), shorter)) == dict.fromkeys((LOGIN, ID, GLOBEX), "written")
    assert run(contents(store)) == expected(*fleet(0), cache=shorter)


@pytest.mark.parametrize("at", [0, 2])
def test_a_second_publish_writes_nothing(store: Store, at: float) -> None:
    run(publish(store, fleet(0)))
    run(publish(store, fleet(at)))
    watched = BadStore(store)
    assert run(publish(watched, fleet(at + 1))) == {}
    assert watched.writes == []


def test_strange_objects_beside_the_live_ones_are_not_looked_at(store: Store) -> None:
    strays = ("live/.well-known/jwks.json", "live/a/b.example/.well-known/jwks.json", "live/x.example/jwks.json")
    for key in (*strays, f"live/{LOGIN}/.well-known/jwks.json.bak"):
        run(store.put(key, b"stray", OTHER, replaces=None))
    run(publish(store, fleet(0)))
    assert run(live_domains(store)) == {LOGIN, ID, GLOBEX}
    assert set(run(read_live(store, [LOGIN, "nobody.example"], 4))) == {LOGIN}


def test_the_command_that_shows_a_document_finds_it(tmp_path: Path) -> None:
    store = fresh("file", tmp_path / "with blanks & ümlauts")
    run(publish(store, fleet(0)))
    shown = subprocess.run(["sh", "-c", look_command(store.url, LOGIN)], capture_output=True, check=True)
    assert shown.stdout == single(0)[0].body


def test_a_document_is_there_before_a_live_object_is_begun(store: Store) -> None:
    missing: list[str] = []

    async def before(number: int, what: str, key: str) -> None:
        wanted = next((one for one in fleet(2) if live_key(one.domain) == key), None)
        if what == "put" and wanted is not None and await store.get(document_key(wanted.digest)) is None:
            missing.append(key)

    run(publish(store, fleet(0)))
    watched = BadStore(store, before=before)
    run(publish(watched, fleet(2)))
    assert {key for key in watched.writes if key.startswith("live/")} == {live_key(one.domain) for one in fleet(2)}
    assert missing == []


def test_a_blocked_change_is_refused_before_anything_is_written(store: Store) -> None:
    run(store.put(live_key(LOGIN), b"theirs", OTHER, replaces=None))
    plan = run(planned(store, single(0)))
    watched = BadStore(store)
    with pytest.raises(ValueError, match=LOGIN):
        run(applied(watched, plan.changes))
    assert watched.operations == []


def test_a_waived_hazard_lets_the_change_through(store: Store) -> None:
    run(store.put(live_key(LOGIN), b"theirs", OTHER, replaces=None))
    plan = run(planned(store, single(0), allowed=["foreign-object"]))
    assert run(applied(store, plan.changes)) == {LOGIN: "written"}
    assert run(contents(store)) == expected(*single(0))


@pytest.mark.parametrize("first", [None, 0])
def test_what_somebody_else_wrote_since_the_plan_stays(store: Store, first: float | None) -> None:
    async def interfere(plan: Plan) -> dict[str, str]:
        there = await store.get(live_key(LOGIN))
        assert await store.put(live_key(LOGIN), b"theirs", OTHER, replaces=there.token if there else None)
        return await applied(store, plan.changes)

    before = [] if first is None else fleet(first)
    run(publish(store, before))
    plan = run(planned(store, fleet(2)))
    assert run(interfere(plan)) == {LOGIN: "conflict", ID: "written", GLOBEX: "written"}
    found = run(contents(store))
    assert found.pop(live_key(LOGIN)) == (b"theirs", OTHER)
    assert found == {key: one for key, one in expected(*before, *fleet(2)).items() if key != live_key(LOGIN)}


def test_an_older_plan_does_not_undo_a_newer_one(store: Store) -> None:
    run(publish(store, fleet(0)))
    older, newer = run(planned(store, fleet(2))), run(planned(store, fleet(4)))
    assert set(run(applied(store, newer.changes)).values()) == {"written"}
    assert set(run(applied(store, older.changes)).values()) == {"conflict"}
    found = run(contents(store))
    assert {key: found[key] for key in expected(*fleet(4))} == expected(*fleet(4))


def test_a_live_object_that_was_removed_since_the_plan_is_not_brought_back(tmp_path: Path) -> None:
    store = fresh("file", tmp_path)
    run(publish(store, fleet(0)))
    plan = run(planned(store, fleet(2)))
    (tmp_path / "store" / live_key(ID)).unlink()
    assert run(applied(store, plan.changes)) == {LOGIN: "written", ID: "conflict", GLOBEX: "written"}
    assert live_key(ID) not in run(contents(store))


class Retrying(BadStore):
    """A store that loses the answer to every write, tries again, and meets its own object (FACTS: the 412 trap)."""

    async def put(self, key: str, body: bytes, headers: Headers, *, replaces: str | None) -> str | None:
        await super().put(key, body, headers, replaces=replaces)
        return await super().put(key, body, headers, replaces=replaces)


def test_a_lost_answer_to_ones_own_write_is_no_conflict(store: Store) -> None:
    assert run(publish(Retrying(store), fleet(0))) == dict.fromkeys((LOGIN, ID, GLOBEX), "already-there")
    assert run(contents(store)) == expected(*fleet(0))
    assert run(publish(Retrying(store), fleet(2))) == dict.fromkeys((LOGIN, ID, GLOBEX), "already-there")
    assert run(contents(store)) == expected(*fleet(0)) | expected(*fleet(2))


@pytest.mark.parametrize("first", [None, 0])
def test_two_publishers_with_one_plan_end_as_one(store: Store, first: float | None) -> None:
    async def both(plan: Plan) -> list[dict[str, str]]:
        return await asyncio.gather(*(applied(store, plan.changes, parallel) for parallel in (1, 4)))

    before = [] if first is None else fleet(first)
    run(publish(store, before))
    results = run(both(run(planned(store, fleet(2)))))
    for domain in (LOGIN, ID, GLOBEX):
        assert sorted(one[domain] for one in results) == ["already-there", "written"]
    assert run(contents(store)) == expected(*before) | expected(*fleet(2))


@pytest.mark.parametrize("spoil", [lambda _: b"", lambda _: b'{"keys":[]}', lambda body: body + b"\n"])
def test_a_tampered_document_is_named_and_nothing_goes_live(store: Store, spoil: Callable[[bytes], bytes]) -> None:
    key = document_key(single(0)[0].digest)
    run(store.put(key, spoil(single(0)[0].body), document_headers("0" * 64), replaces=None))
    assert run(publish(store, single(0))) == {single(0)[0].domain: "damaged-document"}
    assert set(run(contents(store))) == {key}
    assert set(run(publish(store, fleet(0))).values()) == {"damaged-document", "written"}


DEATHS = [
    (moment, parallel, number) for moment in ("before", "after") for parallel in (1, 3) for number in range(1, 12)
]


@pytest.mark.parametrize("kind", ["memory", "file"])
@pytest.mark.parametrize(("moment", "parallel", "number"), DEATHS)
def test_a_publish_that_dies_anywhere_leaves_whole_documents_and_is_made_good(
    kind: str, moment: str, parallel: int, number: int, tmp_path: Path
) -> None:
    """The operations: one listing, two live documents read, then documents and live objects."""

    async def die(count: int, what: str, key: str) -> None:
        if count >= number:
            raise Killed

    store = fresh(kind, tmp_path)
    old, new = fleet(0)[:2], fleet(2)
    run(publish(store, old))
    with suppress(Killed):
        run(publish(BadStore(store, **{moment: die}), new, parallel=parallel))  # type: ignore[arg-type]
    found, before, after = run(contents(store)), expected(*old), expected(*new)
    for key in map(live_key, (LOGIN, ID, GLOBEX)):
        assert found.get(key) in (before.get(key), after[key])
        if key in found:
            body, headers = found[key]
            assert found[document_key(dict(headers.metadata)["sha256"])][0] == body
    assert "conflict" not in run(publish(store, new)).values()
    assert run(contents(store)) == before | after


def test_the_deaths_cover_every_operation(store: Store) -> None:
    run(publish(store, fleet(0)[:2]))
    watched = BadStore(store)
    run(publish(watched, fleet(2)))
    assert len(watched.operations) == 10
    assert {number for _, _, number in DEATHS} == set(range(1, 12))


def wide(count: int) -> list[Wanted]:
    """Many domains with one document."""
    return [replace(single(0)[0], domain=f"d{number}.acme.example") for number in range(count)]


@pytest.mark.parametrize("moment", ["before", "after"])
@pytest.mark.parametrize("number", [1, 2, 7, 12])
def test_a_failing_store_ends_the_rest(store: Store, moment: str, number: int) -> None:
    async def fail(count: int, what: str, key: str) -> None:
        await asyncio.sleep(0)
        if count >= number:
            raise StoreError("unreachable", "no route to the store")

    plan = run(planned(store, wide(20)))
    bad = BadStore(store, **{moment: fail})  # type: ignore[arg-type]
    with pytest.raises(StoreError, match="no route to the store"):
        run(applied(bad, plan.changes, 4))
    assert len(bad.operations) < number + 4 * 2
    run(publish(store, wide(20)))
    assert run(contents(store)) == expected(*wide(20))


@pytest.mark.parametrize("trouble", ["denied", "broken"])
def test_a_fault_of_one_object_leaves_the_others_alone(store: Store, trouble: Trouble) -> None:
    async def fail(count: int, what: str, key: str) -> None:
        if key == live_key("d7.acme.example"):
            raise StoreError(trouble, "not this one")

    plan = run(planned(store, wide(20)))
    results = run(applied(BadStore(store, before=fail), plan.changes, 4))
    assert results == {one.domain: "failed" if one.domain == "d7.acme.example" else "written" for one in wide(20)}
    live = run(read_live(BadStore(store, before=fail), [one.domain for one in wide(20)], 4))
    assert isinstance(live.get("d7.acme.example"), StoreError)
    assert sum(isinstance(one, Live) for one in live.values()) == 19


def test_a_fault_of_every_object_is_the_stores(store: Store) -> None:
    async def fail(count: int, what: str, key: str) -> None:
        raise StoreError("denied", "access denied")

    plan = run(planned(store, wide(60)))
    bad = BadStore(store, before=fail)
    with pytest.raises(StoreError, match="access denied; the same for every object that was tried"):
        run(applied(bad, plan.changes, 4))
    assert len(bad.operations) < 30


def test_stopping_early_awaits_what_is_under_way(store: Store) -> None:
    begun, ended = 0, 0

    async def before(number: int, what: str, key: str) -> None:
        nonlocal begun, ended
        begun += 1
        try:
            if key.startswith("live/") and key != live_key("d0.acme.example"):
                await asyncio.Event().wait()
        finally:
            await asyncio.sleep(0)
            ended += 1

    async def stop() -> Applied:
        async with aclosing(apply(BadStore(store, before=before), plan.changes, 3)) as results:
            return await anext(results)

    plan = run(planned(store, wide(20)))
    assert run(stop()).result == "written"
    assert begun == ended >= 2


def collect(results: AsyncGenerator[Result, None]) -> Coroutine[Any, Any, list[Result]]:
    async def main() -> list[Result]:
        async with aclosing(results):
            return [one async for one in results]

    return main()


@pytest.mark.parametrize("parallel", [1, 2, 7, 30, 100])
def test_no_more_than_so_many_are_at_work_and_none_too_few(parallel: int) -> None:
    at_work = most = pulled = ended = 0

    def items() -> Iterator[int]:
        nonlocal pulled
        for number in range(30):
            pulled += 1
            assert pulled - ended <= parallel
            yield number

    async def job(number: int) -> int:
        nonlocal at_work, most, ended
        at_work += 1
        most = max(most, at_work)
        for _ in range(1 + number % 4):
            await asyncio.sleep(0)
        at_work -= 1
        ended += 1
        return number * 2

    assert sorted(run(collect(gather(job, items(), parallel)))) == [number * 2 for number in range(30)]
    assert most == min(parallel, 30)


def test_of_nothing_comes_nothing() -> None:
    async def job(number: int) -> int:
        return number

    assert run(collect(gather(job, [], 4))) == []


def test_results_come_as_they_are_ready_and_a_slow_job_holds_up_nobody() -> None:
    async def main() -> list[int]:
        last = asyncio.Event()

        async def job(number: int) -> int:
            if number == 0:
                await last.wait()
            return number

        order = []
        async with aclosing(gather(job, range(10), 2)) as results:
            async for one in results:
                order.append(one)
                if one == 9:
                    last.set()
        return order

    order = run(main())
    assert sorted(order) == list(range(10))
    assert order[-1] == 0


class Witness:
    """A job that waits for ever where it is not told to end, and takes a moment to clean up when it is cancelled."""

    def __init__(self, ends: Callable[[int], Awaitable[int]]) -> None:
        self.ends = ends
        self.begun: list[int] = []
        self.fourth = asyncio.Event()
        self.cleaned: list[int] = []

    async def __call__(self, number: int) -> int:
        self.begun.append(number)
        if len(self.begun) == 4:
            self.fourth.set()
        try:
            return await self.ends(number)
        finally:
            await asyncio.sleep(0)
            self.cleaned.append(number)


async def _waits_but_first(number: int) -> int:
    if number > 0:
        await asyncio.Event().wait()
    return number


async def _fails_third(number: int) -> int:
    if number == 2:
        raise LookupError(number)
    return await _waits_but_first(number)


async def _all_fail(number: int) -> int:
    await asyncio.sleep(0)
    raise LookupError(number)


@pytest.mark.parametrize("ends", [_fails_third, _all_fail])
def test_the_first_exception_ends_and_awaits_the_others(ends: Callable[[int], Awaitable[int]]) -> None:
    witness = Witness(ends)
    with pytest.raises(LookupError):
        run(collect(gather(witness, range(9), 4)))
    assert 4 <= len(witness.begun) <= 5
    assert sorted(witness.cleaned) == witness.begun


def test_exceptions_of_the_items_and_of_the_call_end_it_too() -> None:
    def items() -> Iterator[int]:
        yield 1
        yield 2
        raise LookupError("items")

    def refuses(number: int) -> Awaitable[int]:
        if number == 3:
            raise LookupError("call")
        return witness(number)

    witness = Witness(_waits_but_first)
    with pytest.raises(LookupError, match="items"):
        run(collect(gather(witness, items(), 4)))
    with pytest.raises(LookupError, match="call"):
        run(collect(gather(refuses, range(1, 9), 4)))
    assert sorted(witness.cleaned) == sorted(witness.begun)


def test_closing_early_cancels_and_awaits() -> None:
    async def main() -> int:
        async with aclosing(gather(witness, range(9), 3)) as results:
            return await anext(results)

    witness = Witness(_waits_but_first)
    assert run(main()) == 0
    assert witness.begun == [0, 1, 2] == sorted(witness.cleaned)


def test_closing_between_results_that_came_together_leaves_nothing() -> None:
    """Jobs that failed in the same moment as the one whose result was taken are not complained of later."""

    async def job(number: int) -> int:
        if number % 2:
            raise LookupError(number)
        return number

    async def main() -> None:
        for _ in range(20):  # which of them comes first is by chance
            with suppress(LookupError):
                async with aclosing(gather(job, range(6), 6)) as results:
                    await anext(results)

    run(main())


def test_cancelling_the_consumer_cancels_and_awaits() -> None:
    async def main() -> None:
        task = asyncio.create_task(collect(gather(witness, range(9), 3)))
        await witness.fourth.wait()  # the first has ended, the fourth has taken its place
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    witness = Witness(_waits_but_first)
    run(main())
    assert witness.begun == [0, 1, 2, 3] == sorted(witness.cleaned)
