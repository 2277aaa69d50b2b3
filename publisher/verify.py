"""Check what is served, as a stranger: every domain's document against what it is to be, in bytes and headers."""

from collections.abc import AsyncGenerator, Awaitable, Callable, Iterable
from contextlib import aclosing
from dataclasses import dataclass

from publisher.flow import gather
from publisher.reply import FetchFault, Reply, faults
from publisher.state import get_live
from publisher.store import Store
from publisher.wanted import Wanted

_EDGE_ADDS = {"access-control-allow-origin": "*", "x-content-type-options": "nosniff", "etag": '"-"'}
"""Headers that no object store keeps: the CDN sets them, and `verify_edge` looks at them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Verified:
    """One domain, and what is wrong with what it serves: a line each, none if all is right."""

    domain: str
    faults: tuple[str, ...]


async def verify_store(
    store: Store, wanted: Iterable[Wanted], cache_control: str, parallel: int
) -> AsyncGenerator[Verified, None]:
    """Read each live object from the store. What only a CDN adds (CORS, nosniff, ETag, redirects) is not seen here."""

    async def one(domain: Wanted) -> Verified:
        live = await get_live(store, domain.domain)
        if live is None:
            missing = ("there is no live document: publish it",) if domain.keys else ()
            return Verified(domain=domain.domain, faults=missing)
        kept = {"content-type": live.headers.content_type, "cache-control": live.headers.cache_control}
        sent = {name: value for name, value in kept.items() if value}
        reply = Reply(status=200, headers={**_EDGE_ADDS, **sent}, body=live.body)
        wrong = faults(reply, expected_body=domain.body, cache_control=cache_control)
        if live.release is None:
            wrong.append("the object does not carry the mark of jwks-publisher: something else wrote it")
        return Verified(domain=domain.domain, faults=tuple(wrong))

    async with aclosing(gather(one, wanted, parallel)) as results:
        async for result in results:
            yield result


async def verify_edge(
    fetch: Callable[[str], Awaitable[Reply]], wanted: Iterable[Wanted], cache_control: str, parallel: int
) -> AsyncGenerator[Verified, None]:
    """Fetch each domain's document over HTTP with `fetch(domain)`, which raises FetchFault."""

    async def one(domain: Wanted) -> Verified:
        try:
            reply = await fetch(domain.domain)
        except FetchFault as fault:
            return Verified(domain=domain.domain, faults=(str(fault),))
        if not domain.keys and reply.status in {403, 404}:
            return Verified(domain=domain.domain, faults=())
        wrong = faults(reply, expected_body=domain.body, cache_control=cache_control)
        return Verified(domain=domain.domain, faults=tuple(wrong))

    async with aclosing(gather(one, wanted, parallel)) as results:
        async for result in results:
            yield result
