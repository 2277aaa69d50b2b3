"""Wait until an edge serves what was published, for a bounded time. Only the bytes count; `verify` looks at headers.

One edge location answers: that it serves the new document says nothing about the others of a CDN.
"""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterable
from contextlib import aclosing
from dataclasses import dataclass

from publisher.flow import gather
from publisher.reply import FetchFault, Reply, document_fault
from publisher.wanted import Wanted

PAUSES = (0.2, 0.5, 1.0, 2.0)
"""Seconds between two questions for a domain; the last is repeated."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Late:
    """A domain whose new document was not seen in time, and what was seen last."""

    domain: str
    fault: str


async def late(
    fetch: Callable[[str], Awaitable[Reply]], wanted: Iterable[Wanted], *, seconds: float, parallel: int
) -> AsyncGenerator[Late, None]:
    """The domains that do not serve their document within `seconds`, all of them together.

    `fetch(domain)` raises FetchFault. A domain without keys may answer 404.
    """
    end = asyncio.get_running_loop().time() + seconds

    async def one(domain: Wanted) -> Late | None:
        seen = ["it was not asked in time"]
        try:
            async with asyncio.timeout_at(end):
                await _arrived(fetch, domain, seen)
        except TimeoutError:
            return Late(domain=domain.domain, fault=seen[-1])
        return None

    async with aclosing(gather(one, wanted, parallel)) as results:
        async for result in results:
            if result is not None:
                yield result


async def _arrived(fetch: Callable[[str], Awaitable[Reply]], domain: Wanted, seen: list[str]) -> None:
    pauses = iter(PAUSES)
    while True:
        try:
            reply = await fetch(domain.domain)
        except FetchFault as fault:
            seen[:] = [str(fault)]
        else:
            wrong = document_fault(reply, domain.body)
            if wrong is None or (not domain.keys and reply.status == 404):
                return
            seen[:] = [wrong]
        await asyncio.sleep(next(pauses, PAUSES[-1]))
