"""The log of releases in a store: HEAD, the releases after it, and the shards that a release names.

A release is created once, by whoever comes first; HEAD moves by compare and swap. Releases above HEAD are those of
publishers that are at work, or died: who plans next plans over them. Reading costs three requests where nothing is
above HEAD: HEAD, its release, and the proof that no later one exists.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Protocol

from publisher.flow import gather
from publisher.head import HEAD_KEY, Head, decode_head, encode_head
from publisher.record import DomainRecord
from publisher.release import RELEASES, Previous, Release, decode_release, digest, release_key, sequence_of
from publisher.render import CONTENT_TYPE, DOCUMENT_CACHE
from publisher.shard import Damaged, Missing, Shard, Summary, damaged, decode, domain_claim, shard_key, slot
from publisher.store import Headers, Store

PARALLEL = 32
_TRIES = 10
_MUTABLE = Headers(content_type=CONTENT_TYPE, cache_control="no-store")
_KEPT = Headers(content_type=CONTENT_TYPE, cache_control=DOCUMENT_CACHE)
_KEPT_GZIP = Headers(content_type="application/gzip", cache_control=DOCUMENT_CACHE)


class Seal(Protocol):
    """Signing of releases. Both raise an exception with one line for people."""

    def close(self, payload: bytes) -> bytes:
        """What is stored for a release's JSON."""
        ...

    def open(self, data: bytes) -> bytes:
        """The JSON of what is stored, verified where keys are trusted."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Above:
    """A release above HEAD."""

    release: Release
    digest: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Tip:
    """The end of the log. Without a HEAD there is nothing complete yet: `head`, `token` and `base` are None.

    `seen` is the highest sequence that is known otherwise, where the log itself is damaged (see `salvage`).
    """

    head: Head | None
    token: str | None
    base: Release | None
    above: tuple[Above, ...]
    seen: int = 0

    @property
    def link(self) -> Previous | None:
        """The last release that was created, for the one after it."""
        if self.above:
            return Previous(sequence=self.above[-1].release.sequence, digest=self.above[-1].digest)
        return None if self.head is None else Previous(sequence=self.head.sequence, digest=self.head.digest)

    @property
    def latest(self) -> Release | None:
        """The last release that was created, complete or not."""
        return self.above[-1].release if self.above else self.base

    @property
    def sequence(self) -> int:
        """Of HEAD; 0 without one."""
        return 0 if self.head is None else self.head.sequence

    @property
    def last(self) -> int:
        """The highest sequence that was created."""
        return max(self.above[-1].release.sequence if self.above else self.sequence, self.seen)


class Log:
    """Reads and writes one store's log. `seal` opens and closes releases."""

    def __init__(self, store: Store, seal: Seal) -> None:
        self.store, self._seal = store, seal

    async def tip(self) -> Tip:
        """The end of the log. Raises Damaged where HEAD is missing or does not fit the releases."""
        found = await self.store.get(HEAD_KEY)
        if found is None:
            return await self._without_head()
        head = decode_head(found.body)
        base = await self.release(head.sequence)
        if base is None:
            raise damaged(f"{HEAD_KEY} names {release_key(head.sequence)}, which is missing: the state")
        if base[1] != head.digest:
            raise damaged(release_key(head.sequence))
        above = await self._above(head.sequence)
        return Tip(head=head, token=found.token, base=base[0], above=above)

    async def head(self) -> tuple[Head, str] | None:
        """HEAD and its token."""
        found = await self.store.get(HEAD_KEY)
        return None if found is None else (decode_head(found.body), found.token)

    async def release(self, sequence: int) -> tuple[Release, str] | None:
        """A release and the SHA-256 of its object; None where there is none. Raises Damaged."""
        data = await self.stored(sequence)
        return None if data is None else (self.opened(sequence, data), digest(data))

    async def stored(self, sequence: int) -> bytes | None:
        """A release's object as it is stored, sealed or not."""
        found = await self.store.get(release_key(sequence))
        return None if found is None else found.body

    def opened(self, sequence: int, data: bytes) -> Release:
        """The release of its object, verified where keys are trusted. Raises Damaged."""
        return decode_release(self._seal.open(data), sequence)

    async def sequences(self) -> list[int]:
        """Every release that is kept, in order."""
        found = [sequence_of(key) async for key in self.store.keys(RELEASES)]
        return sorted(one for one in found if one is not None)

    async def shard(self, summary: Summary) -> Shard:
        """A shard. Raises Damaged where it is missing or is not what the release names."""
        key = shard_key(summary.digest)
        found = await self.store.get(key)
        if found is None:
            raise Missing(str(damaged(f"{key} is missing: the state")))
        if digest(found.body) != summary.digest:
            raise damaged(key)
        return decode(found.body, key)

    async def shards(self, release: Release | None, slots: Iterable[int]) -> dict[int, Shard]:
        """The shards of a release in these slots; empty ones where it has none."""
        wanted = sorted(set(slots))
        named = {} if release is None else release.shards

        async def read(slot: int) -> tuple[int, Shard]:
            return slot, Shard() if slot not in named else await self.shard(named[slot])

        return {slot: shard async for slot, shard in gather(read, wanted, PARALLEL)}

    async def keep_shards(self, shards: Mapping[str, bytes]) -> set[str]:
        """Keep shards, by the SHA-256 of their bytes. Returns those that were there before."""

        async def keep(one: tuple[str, bytes]) -> str | None:
            key = shard_key(one[0])
            for _ in range(_TRIES):
                if await self.store.put(key, one[1], _KEPT_GZIP, replaces=None) is not None:
                    return None
                found = await self.store.get(key)
                if found is not None and found.body == one[1]:
                    return one[0]
                if found is not None:  # else `gc` has removed it meanwhile
                    break
            raise damaged(key)

        return {one async for one in gather(keep, shards.items(), PARALLEL) if one is not None}

    def sealed(self, payload: bytes) -> bytes:
        """A release's object of its JSON."""
        return self._seal.close(payload)

    async def create(self, sequence: int, data: bytes) -> bool:
        """Create a release; False where somebody else was first. A lost answer to this very write is no loss."""
        key = release_key(sequence)
        if await self.store.put(key, data, _KEPT, replaces=None) is not None:
            return True
        found = await self.store.get(key)
        return found is not None and found.body == data

    async def advance(self, head: Head, token: str | None) -> str | None:
        """Move HEAD, from the one with `token`; its new token, or None where it has moved meanwhile."""
        body = encode_head(head)
        written = await self.store.put(HEAD_KEY, body, _MUTABLE, replaces=token)
        if written is not None:
            return written
        found = await self.store.get(HEAD_KEY)
        return found.token if found is not None and found.body == body else None

    async def _above(self, sequence: int) -> tuple[Above, ...]:
        above: list[Above] = []
        while (found := await self.release(sequence + 1 + len(above))) is not None:
            above.append(Above(release=found[0], digest=found[1]))
        return tuple(above)

    async def _without_head(self) -> Tip:
        """A new store, or one whose first publish died. A release that was planned from a HEAD tells of a lost one."""
        sequences = await self.sequences()
        above = await self._above(0) if sequences else ()
        whole = [one.release.sequence for one in above] == sequences
        if not whole or any(one.release.base is not None for one in above):
            raise Damaged(f"{HEAD_KEY} is missing, though there are releases: `jwks-publisher repair` makes it anew")
        return Tip(head=None, token=None, base=None, above=above)


async def recorded(log: Log, release: Release | None, domains: Iterable[str]) -> dict[str, tuple[str, DomainRecord]]:
    """What a release says of domains, each with its tenant: the claims tell whose they are. Others are left out."""
    names = {one: domain_claim(one) for one in domains}
    shards = await log.shards(release, {slot(name) for name in names.values()})
    claims = {one: shards[slot(name)].claims.get(name) for one, name in names.items()}
    owners = {domain: claim.tenant for domain, claim in claims.items() if claim is not None}
    homes = await log.shards(release, {slot(tenant) for tenant in owners.values()})
    found = {}
    for domain, tenant in owners.items():
        record = homes[slot(tenant)].record(tenant)
        known = None if record is None else record.domain(domain)
        if known is not None:
            found[domain] = (tenant, known)
    return found


class Open:
    """Releases that are neither signed nor verified."""

    def close(self, payload: bytes) -> bytes:
        """As it is."""
        return payload

    def open(self, data: bytes) -> bytes:
        """As it is."""
        return data
