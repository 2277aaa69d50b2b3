"""Verifying: what a store or an edge holds against what it is to hold, every difference in words."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from contextlib import aclosing
from dataclasses import replace
from pathlib import Path

import pytest
from history import History
from publishing import publish as publish_commit
from publishing import results
from strategies import BadStore, Tenant, entry, hour, window

from publisher.edge import fetch, session
from publisher.policy import Cache, Policy
from publisher.render import cache_control
from publisher.reply import FetchFault, Reply
from publisher.serve import listening
from publisher.state import live_headers, live_key
from publisher.store import Headers, Store, StoreError
from publisher.stores import open_store
from publisher.verify import verify_edge, verify_store
from publisher.wanted import Wanted

CACHE = cache_control(Cache())
LOGIN, ID, LATER = "login.acme.example", "id.acme.example", "later.acme.example"

Faults = dict[str, tuple[str, ...]]


@pytest.fixture(params=["memory", "file"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Store:
    return open_store("memory://" if request.param == "memory" else tmp_path.as_uri())


def tenant() -> Tenant:
    """Two domains with keys, `new` from hour 2 on, and one that has none before hour 4."""
    domains = [LOGIN, ID]
    keys = [entry(2, "old", domains=domains), entry(3, "new", domains=domains, **window(2, 50, None, None))]
    keys.append(entry(4, "later", domains=[LATER], **window(4, None, None, None)))
    return Tenant(domains=[*domains, LATER], generated=keys)


def fleet(at: float = 0) -> list[Wanted]:
    """What its domains are to serve at an hour."""
    return list(tenant().wanted(hour(at), Policy()))


async def publish(store: Store, at: float = 0) -> None:
    """Into an empty store, as of an hour."""
    done = await publish_commit(store, History().commit(tenant(), policy="version: 1\n"), now=hour(at))
    assert set(results(done).values()) == {"written"}


def headers_of(wanted: Wanted, cache: str = CACHE) -> Headers:
    """What it is stored with by the first release."""
    return live_headers(wanted.domain, wanted.tenant, wanted.body, cache, 1)


async def overwrite(store: Store, domain: str, body: bytes, headers: Headers) -> None:
    there = await store.get(live_key(domain))
    assert await store.put(live_key(domain), body, headers, replaces=there.token if there else None) is not None


async def in_store(store: Store, wanted: Iterable[Wanted], cache: str = CACHE) -> Faults:
    async with aclosing(verify_store(store, wanted, cache, 4)) as results:
        return {one.domain: one.faults async for one in results}


async def at_edge(fetched: Callable[[str], Awaitable[Reply]], wanted: Iterable[Wanted]) -> Faults:
    async with aclosing(verify_edge(fetched, wanted, CACHE, 4)) as results:
        return {one.domain: one.faults async for one in results}


def only(faults: Faults, domain: str) -> tuple[str, ...]:
    """The domain's faults; the others have none."""
    assert [name for name, found in faults.items() if found] == [domain]
    return faults[domain]


def test_what_was_published_is_right(store: Store) -> None:
    asyncio.run(publish(store))
    watched = BadStore(store)
    assert asyncio.run(in_store(watched, fleet())) == {LOGIN: (), ID: (), LATER: ()}
    assert sorted(watched.operations) == sorted(("get", live_key(domain)) for domain in (LOGIN, ID, LATER))


def test_nothing_is_missing_where_no_key_is_wanted(store: Store) -> None:
    assert asyncio.run(in_store(store, fleet())) == {
        LOGIN: ("there is no live document: publish it",),
        ID: ("there is no live document: publish it",),
        LATER: (),
    }


def test_keys_that_are_due_are_missing_by_name(store: Store) -> None:
    asyncio.run(publish(store, 0))
    found = asyncio.run(in_store(store, fleet(2)))
    assert found[LATER] == ()
    for domain in (LOGIN, ID):
        (fault,) = found[domain]
        assert fault.startswith("the body is SHA-256 ")
        assert fault.endswith(": missing keys `new`")


def test_keys_that_are_gone_are_extra_by_name(store: Store) -> None:
    """A domain that is to serve no key, and still does."""
    asyncio.run(publish(store, 4))
    assert only(asyncio.run(in_store(store, fleet(3))), LATER)[0].endswith(": extra keys `later`")


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"content_type": "application/jwk-set+json"}, "content-type is `application/jwk-set+json`: expected"),
        ({"content_type": "application/json; charset=utf-8"}, "content-type is `application/json; charset=utf-8`"),
        ({"cache_control": "public, max-age=60"}, f"cache-control is `public, max-age=60`: expected `{CACHE}`"),
        ({"cache_control": ""}, "no cache-control header"),
        ({"metadata": ()}, "the object does not carry the mark of jwks-publisher"),
        ({"metadata": (("sha256", "0" * 64),)}, "the object does not carry the mark of jwks-publisher"),
    ],
)
def test_other_headers_are_named(store: Store, change: dict[str, str], words: str) -> None:
    asyncio.run(publish(store))
    wanted = fleet()[1]
    headers = replace(headers_of(wanted), **change)  # type: ignore[arg-type]
    asyncio.run(overwrite(store, ID, wanted.body, headers))
    (fault,) = only(asyncio.run(in_store(store, fleet())), ID)
    assert fault.startswith(words)


def test_other_cache_times_are_wrong_everywhere(store: Store) -> None:
    asyncio.run(publish(store))
    found = asyncio.run(in_store(store, fleet(), "public, max-age=60"))
    assert found == dict.fromkeys((LOGIN, ID), (f"cache-control is `{CACHE}`: expected `public, max-age=60`",)) | {
        LATER: ()
    }


def test_what_somebody_else_wrote_is_named_with_all_that_is_wrong(store: Store) -> None:
    asyncio.run(publish(store))
    asyncio.run(overwrite(store, LOGIN, b"<html>", Headers(content_type="text/html", cache_control="")))
    kind, cache, body, mark = only(asyncio.run(in_store(store, fleet())), LOGIN)
    assert kind.startswith("content-type is `text/html`")
    assert cache.startswith("no cache-control header")
    assert body.endswith("not a JWK set")
    assert mark.endswith("something else wrote it")


def test_a_file_that_was_edited_by_hand_is_named(tmp_path: Path) -> None:
    store = open_store(tmp_path.as_uri())
    asyncio.run(publish(store))
    path = tmp_path / live_key(LOGIN)
    path.write_bytes(path.read_bytes() + b"\n")
    faults = only(asyncio.run(in_store(store, fleet())), LOGIN)
    assert any("the same keys, in another order or spelling" in fault for fault in faults)
    assert faults[-1].endswith("something else wrote it")


def test_a_failing_store_is_no_fault_of_a_domain(store: Store) -> None:
    async def fail(number: int, what: str, key: str) -> None:
        raise StoreError("denied", "access denied")

    with pytest.raises(StoreError, match="access denied"):
        asyncio.run(in_store(BadStore(store, before=fail), fleet()))


async def served(store: Store, wanted: Iterable[Wanted]) -> Faults:
    async with listening(store, "127.0.0.1", 0) as url, session(4) as client:
        return await at_edge(lambda domain: fetch(client, url, domain), wanted)


def test_what_is_served_over_http_is_right(store: Store) -> None:
    asyncio.run(publish(store))
    assert asyncio.run(served(store, fleet())) == {LOGIN: (), ID: (), LATER: ()}


def test_differences_over_http_are_named(store: Store) -> None:
    asyncio.run(publish(store, 0))
    wanted = {one.domain: one for one in fleet(4)}
    shorter = headers_of(wanted[ID], "public, max-age=60")
    asyncio.run(overwrite(store, ID, wanted[ID].body, shorter))
    found = asyncio.run(served(store, wanted.values()))
    (behind,), (headers,) = found[LOGIN], found[ID]
    assert behind.endswith(": missing keys `new`")
    assert headers == f"cache-control is `public, max-age=60`: expected `{CACHE}`"
    assert found[LATER] == ("status 404: no document is served for this domain",)


def reply(wanted: Wanted, status: int = 200, **headers: str | None) -> Reply:
    """A right answer but for the status and these headers; None takes one away."""
    right: dict[str, str | None] = {
        "content-type": "application/json",
        "cache-control": CACHE,
        "access-control-allow-origin": "*",
        "x-content-type-options": "nosniff",
        "etag": '"1"',
    }
    named = right | {name.replace("_", "-"): value for name, value in headers.items()}
    kept = {name: value for name, value in named.items() if value is not None}
    return Reply(status=status, headers=kept, body=wanted.body)


@pytest.mark.parametrize(
    ("status", "headers", "words"),
    [
        (200, {"etag": None}, "no etag header"),
        (200, {"access_control_allow_origin": None}, "no access-control-allow-origin header"),
        (200, {"access_control_allow_origin": "https://acme.example"}, "access-control-allow-origin is"),
        (200, {"x_content_type_options": None}, "no x-content-type-options header"),
        (200, {"content_type": None}, "no content-type header"),
        (200, {"cache_control": None}, "no cache-control header"),
        (301, {"location": "https://www.acme.example/"}, "status 301 redirects to `https://www.acme.example/`"),
        (404, {}, "status 404"),
        (503, {}, "status 503"),
    ],
)
def test_what_only_an_edge_can_get_wrong_is_named(status: int, headers: dict[str, str | None], words: str) -> None:
    wanted = {one.domain: one for one in fleet()}

    async def answer(domain: str) -> Reply:
        return reply(wanted[domain], status, **headers) if domain == LOGIN else reply(wanted[domain])

    (fault,) = only(asyncio.run(at_edge(answer, wanted.values())), LOGIN)
    assert fault.startswith(words)


def test_no_answer_is_a_fault_of_its_domain_alone() -> None:
    wanted = {one.domain: one for one in fleet()}

    async def answer(domain: str) -> Reply:
        if domain == ID:
            raise FetchFault("no connection to 192.0.2.1 within 5 s")
        return reply(wanted[domain])

    assert only(asyncio.run(at_edge(answer, wanted.values())), ID) == ("no connection to 192.0.2.1 within 5 s",)


@pytest.mark.parametrize(("status", "right"), [(404, True), (200, True), (500, False), (302, False)])
def test_a_domain_without_keys_is_not_there_or_serves_an_empty_set(status: int, right: bool) -> None:
    (wanted,) = (one for one in fleet() if one.domain == LATER)

    async def answer(domain: str) -> Reply:
        return reply(wanted, status)

    assert (asyncio.run(at_edge(answer, [wanted]))[LATER] == ()) is right


def test_a_fault_of_the_program_is_not_swallowed() -> None:
    async def answer(domain: str) -> Reply:
        raise LookupError(domain)

    with pytest.raises(LookupError):
        asyncio.run(at_edge(answer, fleet()))
