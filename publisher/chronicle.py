"""The log of releases, read backwards: what each set out to do, whether it got there, and what it wrote.

A release does not say itself that it is complete: HEAD does, and then the first release that was planned from it.
"""

from collections import OrderedDict
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal, TypeAlias

from publisher.release import Release, digest
from publisher.releaselog import Log, Tip
from publisher.seal import unseal
from publisher.shard import Shard, Summary

Status: TypeAlias = Literal["complete", "unfinished", "replaced"]
"""`unfinished`: above HEAD; its publisher is at work, or died. `replaced`: planned over before it was known to be
complete, so that some of its documents may have been served, or all."""
Link: TypeAlias = Literal["first", "verified", "broken", "collected"]
"""What the release names as its predecessor: none; the one that is kept; other bytes; one that is kept no more."""

_KEPT = 16


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """A release in the log. `digest` is that of its object; `signer` the thumbprint that its seal names, if any."""

    release: Release
    digest: str
    signer: str | None
    status: Status
    completed_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Gone:
    """Releases that are kept no more."""

    first: int
    last: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """A document that a release wrote, or (`digest` is None) a domain that it withdrew."""

    domain: str
    tenant: str
    digest: str | None
    keys: int


@dataclass(slots=True, kw_only=True)
class Reader:
    """Reads a log from its tip downwards, and keeps the last few releases and shards that it read."""

    log: Log
    tip: Tip
    _releases: OrderedDict[int, tuple[Release, str, str | None]] = field(default_factory=OrderedDict)
    _shards: OrderedDict[str, Shard] = field(default_factory=OrderedDict)
    _sequences: list[int] | None = None

    async def release(self, sequence: int) -> Release | None:
        """A release; None where there is none, or none any more."""
        found = await self._found(sequence)
        return None if found is None else found[0]

    async def shard(self, summary: Summary | None) -> Shard:
        """A shard; an empty one where a release names none. Raises Missing where it was collected."""
        if summary is None:
            return Shard()
        found = self._shards.pop(summary.digest, None) or await self.log.shard(summary)
        self._shards[summary.digest] = found
        if len(self._shards) > _KEPT:
            self._shards.popitem(last=False)
        return found

    async def completed(self, sequence: int) -> datetime | None:
        """When a release was complete; None where that is not known, or it never was."""
        head = self.tip.head
        if head is not None and sequence == head.sequence:
            return head.completed_at
        for later in range(sequence + 1, self.tip.last + 1):
            found = await self.release(later)
            base = None if found is None else found.base
            if found is None or (base is not None and base.sequence > sequence):
                return None
            if base is not None and base.sequence == sequence:
                return base.completed_at
        return None

    async def completed_by(self, sequence: int) -> datetime | None:
        """When a release was complete, or the first instant by which it was, where the log tells no more.

        None where no later release was complete either.
        """
        found = await self.completed(sequence)
        if found is not None:
            return found
        for later in sorted(one for one in await self._kept() if one > sequence):
            release = await self.release(later)
            if release is not None and release.base is not None and release.base.sequence >= sequence:
                return release.base.completed_at
        head = self.tip.head
        return head.completed_at if head is not None and head.sequence >= sequence else None

    async def entry(self, sequence: int) -> Entry | None:
        """A release in the log."""
        found = await self._found(sequence)
        if found is None:
            return None
        completed = await self.completed(sequence)
        status: Status = "complete"
        if completed is None:
            status = "unfinished" if sequence > self.tip.sequence else "replaced"
        return Entry(release=found[0], digest=found[1], signer=found[2], status=status, completed_at=completed)

    async def entries(self) -> AsyncIterator[Entry | Gone]:
        """The whole log, the newest first."""
        sequence = self.tip.last
        while sequence > 0:
            found = await self.entry(sequence)
            if found is not None:
                yield found
                sequence -= 1
                continue
            lower = max((one for one in await self._kept() if one < sequence), default=0)
            yield Gone(first=lower + 1, last=sequence)
            sequence = lower

    async def link(self, release: Release) -> Link:
        """Whether the predecessor is the one that the release names."""
        named = release.previous
        if named is None:
            return "first"
        data = await self.log.stored(named.sequence)
        if data is None:
            return "collected"
        return "verified" if digest(data) == named.digest else "broken"

    async def written(self, release: Release) -> AsyncIterator[Written]:
        """What a release set out to write, shard by shard. Raises Missing where shards of it were collected."""
        base = None if release.base is None else await self.release(release.base.sequence)
        before = {} if base is None else base.shards
        for place, summary in sorted(release.shards.items()):
            old = before.get(place)
            if old is not None and old.digest == summary.digest:
                continue
            shard = await self.shard(summary)
            for record in shard.records():
                for one in record.domains:
                    if one.release == release.sequence:
                        yield Written(domain=one.domain, tenant=record.tenant, digest=one.digest, keys=one.keys)
            for record in (await self.shard(old)).records():
                now = shard.record(record.tenant)
                for one in record.domains:
                    if now is None or now.domain(one.domain) is None:
                        yield Written(domain=one.domain, tenant=record.tenant, digest=None, keys=0)

    async def _kept(self) -> list[int]:
        if self._sequences is None:
            self._sequences = await self.log.sequences()
        return self._sequences

    async def _found(self, sequence: int) -> tuple[Release, str, str | None] | None:
        known = self._releases.pop(sequence, None)
        if known is None:
            data = await self.log.stored(sequence)
            if data is None:
                return None
            known = (self.log.opened(sequence, data), digest(data), unseal(data, None).signer)
        self._releases[sequence] = known
        if len(self._releases) > _KEPT:
            self._releases.popitem(last=False)
        return known


async def reader(log: Log) -> Reader:
    """A reader of the log as it is now."""
    return Reader(log=log, tip=await log.tip())
