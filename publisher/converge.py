"""Bring live objects to what HEAD says: what a publisher does that finds itself overtaken, after it has written some.

A live object of a release later than the recorded one is left alone: its publisher is at work.
"""

from collections.abc import Iterable

from publisher.plan import Change
from publisher.record import DomainRecord
from publisher.releaselog import Log, recorded
from publisher.state import EMPTY, document_key, get_live, live_headers, live_key
from publisher.store import Store

_TRIES = 10


async def converge(log: Log, written: Iterable[Change], own: int) -> None:
    """Bring the domains of these changes to what HEAD says, until HEAD stays where it is.

    `own` is the release of whoever wrote them, which HEAD has passed over.
    """
    changes = list(written)
    for _ in range(_TRIES):
        found = await log.head()
        loaded = None if found is None else await log.release(found[0].sequence)
        if found is None or loaded is None:
            return
        known = await recorded(log, loaded[0], [one.domain for one in changes])
        for change in changes:
            await _restore(log.store, change, known.get(change.domain), loaded[0].sequence, own)
        again = await log.head()
        if again is not None and again[0].sequence == found[0].sequence:
            return


async def _restore(store: Store, change: Change, kept: tuple[str, DomainRecord] | None, head: int, own: int) -> None:
    tenant, body, cache, release = change.tenant, EMPTY, change.cache, head
    if kept is not None:
        tenant, known = kept
        document = await store.get(document_key(known.digest))
        if document is None:
            return  # `audit` names it
        body, cache, release = document.body, known.cache, known.release
    headers = live_headers(change.domain, tenant, body, cache, release, withdrawn=kept is None)
    for _ in range(_TRIES):
        live = await get_live(store, change.domain)
        # Only this publisher's own late write, or what is of an earlier release than the state's.
        if live is None or live.release is None or (live.release >= release and live.release != own):
            return
        if await store.put(live_key(change.domain), body, headers, replaces=live.token) is not None:
            return
