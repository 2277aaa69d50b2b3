"""What is garbage: which releases are thinned out, and which objects nothing needs. Reads and decides alone.

The rule that is safe beside a publisher at work, which uploads documents and shards before it creates its release:

- A shard that a thinned release names, and no kept one, may go at once; a document that such a release served, when
  documents_kept has passed since. A publisher that needs such an object again finds it there, creates its release,
  and looks once more: what was removed until then it puts back, and what is removed later its remover puts back, who
  reads the log again after removing (`garbage`).
- An object that no release names may be one that a publisher has just uploaded. It is noted in `gc/seen.json`, and goes
  when it has been unneeded at every run of `gc` for ORPHAN_DAYS: no publish takes as long.
- HEAD, the release that it was planned from, all above it, those that holds name, and the last release before the time
  that is kept in full are never garbage; nor is anything that a release needs which cannot be read: then shards and
  documents all stay.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import orjson

from publisher.flow import gather
from publisher.policy import Policy
from publisher.record import read_instant, write_instant
from publisher.release import Release
from publisher.releaselog import Log, Tip, recorded
from publisher.salvage import Loss, read_release
from publisher.shard import decode, domain_claim, shard_key
from publisher.state import document_key, get_live, live_domains
from publisher.store import Headers, Store

PARALLEL = 64
ORPHAN_DAYS = timedelta(days=7)
SEEN_KEY = "gc/seen.json"
_SEEN_HEADERS = Headers(content_type="application/json", cache_control="no-store")


@dataclass(frozen=True, slots=True, kw_only=True)
class Brief:
    """What is remembered of a release."""

    sequence: int
    as_of: datetime
    shards: frozenset[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Garbage:
    """What may go, and what is noted for later. `tombstones` are domains; `kept` are the releases that stay."""

    releases: tuple[int, ...]
    shards: tuple[str, ...]
    documents: tuple[str, ...]
    tombstones: tuple[str, ...]
    kept: tuple[int, ...]
    unreadable: tuple[Loss, ...]
    seen: Mapping[str, datetime]
    token: str | None


@dataclass(slots=True, kw_only=True)
class _Objects:
    """Keys that may go, and those to be noted with the instant since which nothing needs them."""

    gone: list[str] = field(default_factory=list)
    seen: dict[str, datetime] = field(default_factory=dict)


async def garbage(log: Log, tip: Tip, policy: Policy, now: datetime) -> Garbage:
    """What is garbage in a sound log. Raises Damaged where a shard that is needed cannot be read."""
    losses: list[Loss] = []
    briefs = await _briefs(log, losses)
    kept = _kept(briefs, tip, now - policy.releases_kept)
    thinned = [one for one in briefs.values() if one.sequence not in kept]
    noted, token = await _noted(log.store)
    shards, documents = _Objects(), _Objects()
    if not losses:
        shards = await _shards(log, briefs, kept, noted, now)
        if policy.documents_kept is not None:
            documents = await _documents(log, briefs, kept, noted, now, policy.documents_kept)
    return Garbage(
        releases=tuple(sorted(one.sequence for one in thinned)),
        shards=tuple(sorted(shards.gone)),
        documents=tuple(sorted(documents.gone)),
        tombstones=tuple(sorted(await _tombstones(log, tip, now))),
        kept=tuple(sorted(kept)),
        unreadable=tuple(losses),
        seen={**shards.seen, **documents.seen},
        token=token,
    )


async def _briefs(log: Log, losses: list[Loss]) -> dict[int, Brief]:
    async def read(sequence: int) -> Brief | None:
        found = await read_release(log, sequence, losses)
        if found is None:
            return None
        named = frozenset(one.digest for one in found[0].shards.values())
        return Brief(sequence=sequence, as_of=found[0].as_of, shards=named)

    sequences = await log.sequences()
    return {one.sequence: one async for one in gather(read, sequences, PARALLEL) if one is not None}


def _kept(briefs: Mapping[int, Brief], tip: Tip, since: datetime) -> set[int]:
    """The releases that stay: the young, the needed, and of the others the last of each day."""
    base, head = tip.base, tip.sequence
    kept = {one.sequence for one in briefs.values() if one.as_of >= since or one.sequence >= head}
    if base is not None:
        kept |= {hold.release for hold in base.holds}
        kept |= set() if base.base is None else {base.base.sequence}
    older = sorted(one.sequence for one in briefs.values() if one.as_of < since)
    days = {briefs[one].as_of.date(): one for one in older}
    return (kept | set(days.values()) | set(older[-1:])) & briefs.keys()


async def _shards(
    log: Log, briefs: Mapping[int, Brief], kept: set[int], noted: Mapping[str, datetime], now: datetime
) -> _Objects:
    needed = {name for one in kept for name in briefs[one].shards}
    known = {name for one in briefs.values() for name in one.shards}
    found = _Objects()
    async for key in log.store.keys("shards/"):
        name = key.removeprefix("shards/").removesuffix(".json.gz")
        if name in needed or shard_key(name) != key:
            continue
        since = noted.get(key, now)
        if name in known or now - since >= ORPHAN_DAYS:
            found.gone.append(key)
        else:
            found.seen[key] = since
    return found


async def _documents(
    log: Log,
    briefs: Mapping[int, Brief],
    kept: set[int],
    noted: Mapping[str, datetime],
    now: datetime,
    keep: timedelta,
) -> _Objects:
    """Documents that neither a kept release nor a live object serves."""
    needed = await served(log, {name for one in kept for name in briefs[one].shards})
    needed |= await _live(log.store)
    ended: dict[str, datetime] = {}
    for one in sorted(briefs.keys() - kept):
        after = min((briefs[later].as_of for later in kept if later > one), default=now)
        only = briefs[one].shards - {name for later in kept for name in briefs[later].shards}
        for name in await served(log, only):
            ended[name] = max(after, ended.get(name, after))
    found = _Objects()
    async for key in log.store.keys("documents/"):
        name = key.removeprefix("documents/").removesuffix(".json")
        if name in needed or document_key(name) != key:
            continue
        since = ended.get(name, noted.get(key, now))
        if now - since >= max(keep, timedelta(0) if name in ended else ORPHAN_DAYS):
            found.gone.append(key)
        else:
            found.seen[key] = since
    return found


async def served(log: Log, names: Iterable[str]) -> set[str]:
    """The documents that shards name. One that is missing names none: a thinned release may have lost it before."""

    async def read(name: str) -> set[str]:
        stored = await log.store.get(shard_key(name))
        if stored is None:
            return set()
        shard = decode(stored.body, shard_key(name))
        return {one["sha256"] for value in shard.tenants.values() for one in value["domains"].values()}

    return {digest async for found in gather(read, names, PARALLEL) for digest in found}


async def _live(store: Store) -> set[str]:
    async def read(domain: str) -> str:
        live = await get_live(store, domain)
        return "" if live is None else live.digest

    return {one async for one in gather(read, sorted(await live_domains(store)), PARALLEL)}


async def _tombstones(log: Log, tip: Tip, now: datetime) -> list[str]:
    """Domains that were given up, with a tombstone, and whose copies and tokens have run out."""
    given_up: list[str] = []
    for summary in () if tip.base is None else tip.base.shards.values():
        shard = await log.shard(summary)
        given_up += [
            name.removeprefix("domain ")
            for name, claim in shard.claims.items()
            if claim.free_from is not None and claim.free_from <= now and name == domain_claim(name[7:])
        ]
    served = await serving(log, [tip.base, *(one.release for one in tip.above)], given_up)

    async def look(domain: str) -> str | None:
        live = await get_live(log.store, domain)
        return domain if live is not None and live.tombstone and live.release is not None else None

    pending = [one for one in given_up if one not in served]
    return [one async for one in gather(look, pending, PARALLEL) if one is not None]


async def serving(
    log: Log, releases: Iterable[Release | None], domains: Iterable[str]
) -> dict[str, tuple[str, str, str, int]]:
    """Which of these domains releases serve: tenant, digest, Cache-Control, release. The last release's word counts."""
    sought = list(domains)
    found: dict[str, tuple[str, str, str, int]] = {}
    for release in releases:
        for domain, (tenant, known) in (await recorded(log, release, sought)).items():
            found[domain] = (tenant, known.digest, known.cache, known.release)
    return found


async def _noted(store: Store) -> tuple[dict[str, datetime], str | None]:
    stored = await store.get(SEEN_KEY)
    if stored is None:
        return {}, None
    try:
        value = orjson.loads(stored.body)["seen"]
        return {str(key): at for key, text in value.items() if (at := read_instant(text)) is not None}, stored.token
    except (ValueError, KeyError, TypeError, AttributeError):
        return {}, stored.token  # they count from now


async def note(store: Store, found: Garbage) -> bool:
    """Keep what was seen for the next run; False where another `gc` was at work meanwhile."""
    value = {"seen": {key: write_instant(at) for key, at in sorted(found.seen.items())}}
    if not found.seen and found.token is None:
        return True
    return await store.put(SEEN_KEY, orjson.dumps(value), _SEEN_HEADERS, replaces=found.token) is not None
