"""Remove garbage, beside publishers that may be at work; see `retention` for what is garbage, and why that is safe.

Deletes have no condition. So the log is read again after them, and what it needs by then is put back: shards and
documents from memory, a domain that came back while its tombstone was removed from its document. Releases go first: who
is killed in the middle leaves shards that no release names, and no release without its shards.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from publisher.flow import gather
from publisher.release import release_key
from publisher.releaselog import Log
from publisher.retention import PARALLEL, Garbage, note, served, serving
from publisher.shard import shard_key
from publisher.state import document_key, get_live, live_headers, live_key
from publisher.store import Store, Stored

BATCH = 256
"""Objects that are removed before the log is read again: what is in memory, and what who is killed may leave undone."""
_TRIES = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Removed:
    """What was removed, and what a publish brought back meanwhile, by its key."""

    count: int
    restored: tuple[str, ...]


async def remove(log: Log, found: Garbage) -> Removed | None:
    """Remove garbage. None where another `gc` is at work, and nothing was removed."""
    if not await note(log.store, found):
        return None
    await _delete(log.store, [release_key(one) for one in found.releases])
    restored: list[str] = []
    objects = [*found.shards, *found.documents]
    for start in range(0, len(objects), BATCH):
        restored += await _objects(log, objects[start : start + BATCH])
    for start in range(0, len(found.tombstones), BATCH):
        restored += await _tombstones(log, found.tombstones[start : start + BATCH])
    count = len(found.releases) + len(objects) + len(found.tombstones)
    return Removed(count=count, restored=tuple(sorted(restored)))


async def _objects(log: Log, keys: list[str]) -> list[str]:
    """Remove shards and documents; those that were put back, as a release needs them now."""
    needed = await _needed(log, keys)
    held: dict[str, Stored] = {}
    for key in keys:
        stored = None if key in needed else await log.store.get(key)
        if stored is not None:
            held[key] = stored
    await _delete(log.store, held)
    restored = sorted(await _needed(log, held))
    for key in restored:
        stored = held[key]
        await log.store.put(key, stored.body, stored.headers, replaces=None)
    return restored


async def _needed(log: Log, keys: Iterable[str]) -> set[str]:
    """Which of these keys HEAD or a release above it needs."""
    sought = set(keys)
    tip = await log.tip()
    needed: set[str] = set()
    documents = {one for one in sought if one.startswith("documents/")}
    for release in [tip.base, *(one.release for one in tip.above)]:
        named = {} if release is None else release.shards
        needed |= {shard_key(one.digest) for one in named.values()} & sought
        if documents:
            needed |= {
                document_key(one) for one in await served(log, [one.digest for one in named.values()])
            } & documents
    return needed


async def _tombstones(log: Log, domains: Iterable[str]) -> list[str]:
    """Remove tombstones; the keys of those that came back meanwhile, which serve their document again."""
    sought = [one for one in domains if await _is_tombstone(log.store, one)]
    sought = [one for one in sought if one not in await _wanted(log, sought)]
    await _delete(log.store, [live_key(one) for one in sought])
    restored: list[str] = []
    for _ in range(_TRIES):
        back = await _wanted(log, sought)
        fresh = [one for one in back if live_key(one) not in restored and await _put_back(log.store, one, back[one])]
        restored += [live_key(one) for one in fresh]
        if not fresh:
            break
    return restored


async def _wanted(log: Log, domains: list[str]) -> Mapping[str, tuple[str, str, str, int]]:
    tip = await log.tip()
    return await serving(log, [tip.base, *(one.release for one in tip.above)], domains)


async def _is_tombstone(store: Store, domain: str) -> bool:
    live = await get_live(store, domain)
    return live is not None and live.tombstone and live.release is not None


async def _put_back(store: Store, domain: str, wanted: tuple[str, str, str, int]) -> bool:
    """Whether the live object was gone, and is back."""
    tenant, digest, cache, release = wanted
    document = await store.get(document_key(digest))
    if document is None or await store.get(live_key(domain)) is not None:
        return False
    headers = live_headers(domain, tenant, document.body, cache, release)
    return await store.put(live_key(domain), document.body, headers, replaces=None) is not None


async def _delete(store: Store, keys: Iterable[str]) -> None:
    async for _ in gather(store.delete, keys, PARALLEL):
        pass
