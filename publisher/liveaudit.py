"""One domain under audit: its live object, its kept document, and what a CDN serves, against what is recorded."""

import re
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import assert_never

from publisher.auditrules import (
    DOCUMENT_LOST,
    EDGE_DIFFERS,
    LIVE_HEADERS,
    LIVE_MISSING,
    LIVE_UNFINISHED,
    LIVE_UNREADABLE,
    UNCLAIMED_OBJECT,
    Fault,
)
from publisher.diagnostic import Rule
from publisher.hazardrules import FOREIGN_OBJECT, STALE_WRITE
from publisher.head import Head
from publisher.record import DomainRecord
from publisher.release import digest, release_key
from publisher.releaselog import Tip
from publisher.render import CONTENT_TYPE
from publisher.reply import FetchFault, Reply, faults
from publisher.state import OF_ONE_OBJECT, Live, document_key, drift, get_live, live_key
from publisher.store import Store, StoreError

_REPAIR = "`jwks-publisher repair`"
_SECONDS = re.compile(r"(?:^|[ ,])(max-age|stale-while-revalidate)=([0-9]{1,9})")


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """What all domains are seen against. `stuck`: releases above HEAD are old, so that nobody is at work on them."""

    store: Store
    tip: Tip
    now: datetime
    stuck: bool
    fetch: Callable[[str], Awaitable[Reply]] | None


async def recorded_domain(scene: Scene, recorded: DomainRecord) -> list[Fault]:
    """What is wrong with a domain that the state knows."""
    found: list[Fault] = []
    live: Live | None = None
    body: bytes | None = None
    try:
        live = await get_live(scene.store, recorded.domain)
    except StoreError as error:
        found.append(_unreadable(recorded.domain, error))
    else:
        found += [one async for one in _live(scene, recorded, live)]
        if live is not None and live.digest == recorded.digest:
            body = live.body
    kept = await _document(scene.store, recorded, found)
    expected = body if kept is None else kept
    if scene.fetch is not None and expected is not None:
        found += await _edge(scene.fetch, scene, recorded, expected)
    return found


async def unclaimed_domain(scene: Scene, domain: str) -> list[Fault]:
    """What is wrong with a live object of a domain that the state does not know."""
    try:
        live = await get_live(scene.store, domain)
    except StoreError as error:
        return [_unreadable(domain, error)]
    if live is None or (live.tombstone and live.release is not None) or await _at_work(scene, live):
        return []
    if live.release is not None and live.release > scene.tip.sequence:
        return [_unfinished(domain, live)]
    whose = "something else wrote it" if live.release is None else f"release {live.release} wrote it"
    return [
        _fault(UNCLAIMED_OBJECT, domain, f"no tenant has the domain, and there is a live object; {whose}", "remove it")
    ]


async def _live(scene: Scene, recorded: DomainRecord, live: Live | None) -> AsyncIterator[Fault]:
    domain = recorded.domain
    kind = drift(live, recorded, scene.tip)
    if live is None:
        yield _fault(LIVE_MISSING, domain, "there is no live document", _REPAIR)
        return
    if kind in ("foreign", "unfinished") and await _at_work(scene, live):
        return
    match kind:
        case "none" | "missing":
            kept = (live.headers.content_type, live.headers.cache_control)
            if kept != (CONTENT_TYPE, recorded.cache):
                message = f"it is served with `{kept[0]}` and `{kept[1]}`, and not `{CONTENT_TYPE}`, `{recorded.cache}`"
                yield _fault(LIVE_HEADERS, domain, message, _REPAIR)
        case "stale":
            message = f"release {live.release} wrote the live document, and release {recorded.release} is recorded"
            yield _fault(STALE_WRITE, domain, message, _REPAIR)
        case "unfinished":
            yield _unfinished(domain, live)
        case "foreign":
            message = "the live document was not written by jwks-publisher, or was changed since"
            yield _fault(FOREIGN_OBJECT, domain, message, "find out who wrote it; then `adopt`, or remove it")
        case _:
            assert_never(kind)


async def _at_work(scene: Scene, live: Live) -> bool:
    """Whether a publisher that is at work has written it: of a release that is new, or came while this looks."""
    if live.release is None or live.release <= scene.tip.sequence:
        return False
    if live.release > scene.tip.last:
        return await scene.store.get(release_key(live.release)) is not None
    return not scene.stuck


async def _document(store: Store, recorded: DomainRecord, found: list[Fault]) -> bytes | None:
    key = document_key(recorded.digest)
    try:
        kept = await store.get(key)
    except StoreError as error:
        if error.trouble not in OF_ONE_OBJECT:
            raise
        found.append(_fault(DOCUMENT_LOST, key, f"it cannot be read: {error}", "give the right to read it"))
        return None
    if kept is not None and digest(kept.body) == recorded.digest:
        return kept.body
    why = "it is missing" if kept is None else "it is not what its name says"
    found.append(_fault(DOCUMENT_LOST, key, f"{why}; {recorded.domain} serves it", _REPAIR))
    return None


async def _edge(
    fetch: Callable[[str], Awaitable[Reply]], scene: Scene, recorded: DomainRecord, expected: bytes
) -> list[Fault]:
    hint = "purge it, or wait for the copies to run out; see how the CDN keeps documents"
    try:
        reply = await fetch(recorded.domain)
    except FetchFault as error:
        return [_fault(EDGE_DIFFERS, recorded.domain, str(error), "see that the CDN serves the domain")]
    if reply.status == 200 and reply.body != expected and arriving(recorded, scene.tip.head, scene.now):
        return []
    wrong = faults(reply, expected_body=expected, cache_control=recorded.cache)
    return [_fault(EDGE_DIFFERS, recorded.domain, one, hint) for one in wrong]


def arriving(recorded: DomainRecord, head: Head | None, now: datetime) -> bool:
    """Whether copies of the document before may still be used: only the last release can be as young as that."""
    if head is None or recorded.release < head.sequence:
        return False
    seconds = sum(int(value) for _, value in _SECONDS.findall(recorded.cache))
    return now < head.completed_at + timedelta(seconds=seconds)


def _unfinished(domain: str, live: Live) -> Fault:
    message = f"release {live.release} wrote the live document, and was never finished"
    return _fault(LIVE_UNFINISHED, domain, message, "publish again")


def _unreadable(domain: str, error: StoreError) -> Fault:
    if error.trouble not in OF_ONE_OBJECT:
        raise error
    return _fault(LIVE_UNREADABLE, domain, f"{live_key(domain)}: {error}", "give the right to read it")


def _fault(rule: Rule, about: str, message: str, hint: str) -> Fault:
    return Fault(rule=rule, about=about, message=message, hint=hint)
