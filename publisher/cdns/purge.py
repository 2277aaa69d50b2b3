"""Caches that take the HTTP method PURGE: Varnish, Fastly, nginx with a purge module. One request a domain.

Answers: 2xx is done. 404 and 412 are what nginx's purge modules say of a URL that they have no copy of (FRiCKLE's and
nginx-modules' ngx_cache_purge); they count as done, and are told apart, because a purge by another key than the cache's
looks the same. Everything else is a failure: 403 and 405 are how a cache refuses. Redirects are not followed. No
credentials are sent: with `{domain}` in the URL they would go wherever a tenant points its domain.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

import aiohttp

from publisher.cdn import CdnError, Stale
from publisher.diagnostic import clean
from publisher.edge import address, request, session
from publisher.flow import gather
from publisher.reply import FetchFault, Reply

PAUSES = (0.5, 1.0, 2.0)
"""Seconds between tries, after faults that may pass: no connection, time-outs, 429 and 5xx."""
LIMITS = aiohttp.ClientTimeout(total=10, sock_connect=5)
_PARALLEL = 32
_NOT_CACHED = frozenset({404, 412})


@dataclass(frozen=True, slots=True, kw_only=True)
class Purge:
    """A `Cdn`. `base_url` as `publisher.edge.address` takes it."""

    base_url: str
    pauses: tuple[float, ...] = PAUSES

    @property
    def name(self) -> str:
        """The address as `open_cdn` takes it."""
        return f"purge:{self.base_url}"

    async def purge(self, stale: Sequence[Stale], occasion: str) -> str:
        """See the protocol. The occasion does not matter: a PURGE can be repeated."""
        domains = sorted({one.domain for one in stale})
        async with session(_PARALLEL) as client:
            results = [one async for one in gather(lambda domain: self._purge(client, domain), domains, _PARALLEL)]
        failed = sorted((domain, result) for domain, result in results if isinstance(result, str))
        if failed:
            domain, reason = failed[0]
            text = f"{len(failed)} of {len(domains)} domains were not purged; {clean(domain)}: {reason}"
            raise CdnError(f"{self.name}: {text}")
        absent = sum(result is False for _, result in results)
        done = f"PURGE of {len(domains)} {'domain' if len(domains) == 1 else 'domains'}"
        return f"{done}, {absent} of them not in the cache" if absent else done

    async def _purge(self, client: aiohttp.ClientSession, domain: str) -> tuple[str, bool | str]:
        """Whether there was a copy; or why it is not known to be gone."""
        reason = ""
        for pause in (*self.pauses, None):
            try:
                reply = await request(client, "PURGE", self.base_url, domain, limits=LIMITS)
            except FetchFault as fault:
                reason = str(fault)
            else:
                if 200 <= reply.status < 300 or reply.status in _NOT_CACHED:
                    return domain, reply.status not in _NOT_CACHED
                reason = _refusal(reply)
                if reply.status < 500 and reply.status != 429:
                    return domain, reason
            if pause is not None:
                await asyncio.sleep(pause)
        return domain, reason


def open_purge(base_url: str) -> Purge:
    """See `publisher.cdns.open_cdn`."""
    try:
        address(base_url, "domain.example")
    except FetchFault as fault:
        raise ValueError(f"purge: {fault}") from None
    return Purge(base_url=base_url.rstrip("/"))


def _refusal(reply: Reply) -> str:
    if reply.status in (403, 405):
        return f"status {reply.status}: the cache does not take PURGE from this address"
    return f"status {reply.status}"
