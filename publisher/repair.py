"""A log that can be planned over though it is damaged, and documents that are put back.

`Mending` is a `Log` whose end is what `salvage` can still read, with the lost shards made anew by `rebuild`. A publish
over it makes a release with a sequence above all that is seen, in the log or on live objects, that says everything
again which was lost. See `rebuild` for what stays lost.
"""

from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import aclosing
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from publisher.flow import gather
from publisher.plan import Change, Plan
from publisher.rebuild import PARALLEL, Remains, glimpses, rebuilt
from publisher.record import DomainRecord, KeyRecord
from publisher.release import Counts, Release, Released, digest, release_key
from publisher.releaselog import Log, Seal, Tip
from publisher.render import CONTENT_TYPE, DOCUMENT_CACHE, document_headers
from publisher.salvage import Loss, read_shard, salvage
from publisher.seal import SealError
from publisher.shard import SLOTS, Damaged, Shard, Summary, shard_key, slot
from publisher.source import Revision
from publisher.state import document_key, get_live
from publisher.store import Headers, Store, StoreError

_GZIP = Headers(content_type="application/gzip", cache_control=DOCUMENT_CACHE)


@dataclass(slots=True, kw_only=True)
class Damage:
    """What a look at the log has found. `unsure`: whether the base was ever complete is not known."""

    losses: list[Loss] = field(default_factory=list)
    base: Release | None = None
    made: dict[int, Shard] = field(default_factory=dict)
    unsure: bool = False


class Mending(Log):
    """See the module. `free`: how long a domain that was given up stays its tenant's, if nothing tells since when."""

    def __init__(self, store: Store, seal: Seal, revision: Revision, now: datetime, free: timedelta) -> None:
        super().__init__(store, seal)
        self._plain, self._revision, self._now, self._free = Log(store, seal), revision, now, free
        self.damage = Damage()

    async def tip(self) -> Tip:
        """The end of the log, as far as it can be read or made anew."""
        known = await salvage(self._plain, self._now)
        self.damage = damage = Damage(losses=list(known.losses))
        tip, base = known.tip, known.tip.base
        lost, remains = await self._left(base, damage)
        nothing = base is None
        seen = [one async for one in glimpses(self.store, lambda tenant: nothing or slot(tenant) in lost)]
        highest = max((one.record.release for one in seen), default=0)
        if highest > tip.last:
            key = release_key(highest)
            damage.losses.append(Loss(key=key, why="live objects say that it wrote them, and it is missing"))
        if base is None and (seen or damage.losses):
            base, remains = self._stand_in(), Remains(lost=frozenset(range(SLOTS)))
        if base is None:
            return tip
        damage.unsure = not known.vouched
        struck = [one async for one in self._struck()] if remains.lost else []
        damage.made = rebuilt(remains, seen, self._revision, self._now + self._free, struck) if remains.lost else {}
        left = {one: some for one, some in base.shards.items() if one not in lost}
        # Without digests: `amend` sees to it that each of those is written.
        anew = {one: shard.summary("") for one, shard in damage.made.items()}
        damage.base = replace(base, shards={**left, **anew})
        return replace(tip, base=damage.base, seen=max(tip.last, highest))

    async def shards(self, release: Release | None, slots: Iterable[int]) -> dict[int, Shard]:
        """As of `Log`, with lost shards made anew; those that only a release above HEAD names may be missing."""
        wanted, damage = set(slots), self.damage
        if damage.base is None:
            return await super().shards(release, wanted)
        if release is not damage.base:
            return await self._tolerated(release, wanted)
        found = await super().shards(release, wanted - damage.made.keys())
        if damage.unsure:
            found = {one: _never_first(shard, release.sequence) for one, shard in found.items()}
        return {**found, **{one: damage.made[one] for one in wanted & damage.made.keys()}}

    async def keep_shards(self, shards: Mapping[str, bytes]) -> set[str]:
        """As of `Log`; an object that holds something else is replaced, as its name says what it has to be."""

        async def mend(one: tuple[str, bytes]) -> str | None:
            return None if await _mend(self.store, shard_key(one[0]), one[1], _GZIP) else one[0]

        return {one async for one in gather(mend, shards.items(), PARALLEL) if one is not None}

    def amend(self, plan: Plan) -> Plan:
        """The plan with all that was lost in it, whether it changes or not; as `Order.amend`."""
        made = self.damage.made
        if not made and not self.damage.losses:
            return plan
        known = {one.tenant for one in plan.records}
        anew = (record for shard in made.values() for record in shard.records() if record.tenant not in known)
        claims = {name: claim for shard in made.values() for name, claim in shard.claims.items()}
        return replace(
            plan,
            records=(*plan.records, *anew),
            claims={**claims, **plan.claims},
            shards={**made, **plan.shards},
            needed=True,
        )

    async def _left(self, base: Release | None, damage: Damage) -> tuple[set[int], Remains]:
        """The slots whose shard is lost, and what the others tell of them."""
        named = {} if base is None else base.shards
        lost = {one for one, some in named.items() if await read_shard(self, some, damage.losses) is None}
        remains = Remains(lost=lost)
        for one, some in named.items() if lost else ():
            if one not in lost:
                shard = await self.shard(some)
                remains.keep(shard.records())
        return lost, remains

    async def _struck(self) -> AsyncIterator[tuple[str, KeyRecord]]:
        """Keys that any release which can be read has revoked by the store alone."""

        async def read(sequence: int) -> tuple[tuple[str, KeyRecord], ...]:
            try:
                found = await self._plain.release(sequence)
            except (Damaged, SealError, StoreError):
                return ()
            return () if found is None else found[0].struck

        async with aclosing(gather(read, await self._plain.sequences(), PARALLEL)) as results:
            async for some in results:
                for one in some:
                    yield one

    async def _tolerated(self, release: Release | None, wanted: set[int]) -> dict[int, Shard]:
        named: Mapping[int, Summary] = {} if release is None else release.shards
        ignored: list[Loss] = []
        found = {one: await read_shard(self, named[one], ignored) if one in named else Shard() for one in wanted}
        return {one: shard or Shard() for one, shard in found.items()}

    def _stand_in(self) -> Release:
        """A base where no release can be read: nothing is known, and nothing is older than the commit."""
        commit = self._revision.commit
        return Release(
            sequence=0,
            kind="repair",
            program="",
            commit=Released(id=commit.id, time=commit.time, author=commit.author, subject=commit.subject),
            root="",
            tree="",
            policy="",
            as_of=self._now,
            previous=None,
            base=None,
            cache="",
            terms=(),
            shards={},
            counts=Counts(),
        )


def is_wrong(change: Change) -> bool:
    """Whether a change mends what is live, and does not only bring what is new in Git or due."""
    recorded, before = change.recorded, change.before
    if change.drift != "none":
        return True
    if recorded is None or before is None:
        return False
    return (before.headers.content_type, before.headers.cache_control) != (CONTENT_TYPE, recorded.cache)


async def mend_documents(store: Store, bodies: Mapping[str, bytes]) -> list[str]:
    """Put documents in their places, by their SHA-256, also over other bytes. Returns those that were not there."""

    async def mend(one: tuple[str, bytes]) -> str | None:
        key = document_key(one[0])
        return key if await _mend(store, key, one[1], document_headers(one[0])) else None

    async with aclosing(gather(mend, bodies.items(), PARALLEL)) as results:
        return sorted([key async for key in results if key is not None])


async def lost_documents(log: Log, release: Release, *, put_back: bool) -> tuple[list[str], list[str]]:
    """The documents of a release that are missing or hold other bytes: those that live objects have, and the others."""
    back: list[str] = []
    gone: list[str] = []

    async def look(one: DomainRecord) -> tuple[str, bool] | None:
        found = await log.store.get(document_key(one.digest))
        if found is not None and digest(found.body) == one.digest:
            return None
        live = await get_live(log.store, one.domain)
        if live is None or live.digest != one.digest:
            return document_key(one.digest), False
        if put_back:
            await mend_documents(log.store, {one.digest: live.body})
        return document_key(one.digest), True

    for summary in release.shards.values():
        shard = await log.shard(summary)
        domains = [domain for record in shard.records() for domain in record.domains]
        async for found in gather(look, domains, PARALLEL):
            if found is not None:
                (back if found[1] else gone).append(found[0])
    return sorted(set(back)), sorted(set(gone))


async def _mend(store: Store, key: str, body: bytes, headers: Headers) -> bool:
    """Whether the object was not as it has to be; it is now."""
    if await store.put(key, body, headers, replaces=None) is not None:
        return True
    found = await store.get(key)
    if found is not None and found.body == body:
        return False
    await store.put(key, body, headers, replaces=None if found is None else found.token)
    return True


def _never_first(shard: Shard, sequence: int) -> Shard:
    """The shard without first publications by a release that may never have been complete."""
    tenants = {
        tenant: {**value, "keys": [_without_first(key, sequence) for key in value["keys"]]}
        for tenant, value in shard.tenants.items()
    }
    return replace(shard, tenants=tenants)


def _without_first(key: Mapping[str, object], sequence: int) -> dict[str, object]:
    return {name: one for name, one in key.items() if name != "first" or one != sequence}
