"""Which document a domain served when: for whoever has to know which keys were trusted at an hour.

A period is from the completion of the release that wrote a document until that of the next one. Shards are read only
where a document changed: a domain's record names the release that wrote what it serves, and so where to look on. What
caches went on serving after a change is not in the log.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import orjson

from publisher.chronicle import Reader
from publisher.record import DomainRecord
from publisher.release import Release, digest
from publisher.shard import Missing, damaged, domain_claim, slot
from publisher.state import document_key, thumbprint


@dataclass(frozen=True, slots=True, kw_only=True)
class Period:
    """What a domain served from `since` until `until`. `digest` is None where it was withdrawn.

    `since` None: it cannot be told any more; `until` None: it still does. `commit` is None where the release that wrote
    it was collected. Where not `certain`, that release was not known to be complete: it may have been served, in turn
    with the document of the period around it.
    """

    tenant: str
    since: datetime | None
    until: datetime | None
    release: int
    commit: str | None
    digest: str | None
    keys: int
    certain: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Life:
    """The periods of a domain, the latest first. `from_release`: what was before that release was collected."""

    periods: tuple[Period, ...]
    from_release: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class DocumentKey:
    """A key in a document, by what it says of itself; the thumbprint is reckoned from its members."""

    kid: str
    alg: str
    thumbprint: str


@dataclass(frozen=True, slots=True, kw_only=True)
class _State:
    """Who claims a domain as of a release, and what it serves."""

    tenant: str
    record: DomainRecord | None


async def life(reader: Reader, domain: str) -> Life:
    """The history of a domain, as far as releases and their shards are kept."""
    periods: list[Period] = []
    release, until = reader.tip.base, None
    last, lowest = reader.tip.last, reader.tip.sequence
    try:
        while True:
            periods += await _passing(reader, domain, release, last, until)
            state = None if release is None else await _state(reader, release, domain)
            if release is None or state is None:
                return Life(periods=tuple(periods), from_release=None)
            if state.record is None:
                release, part = await _gap(reader, release, domain, state)
            else:
                part = await _period(reader, domain, state.tenant, state.record)
                release = await reader.release(part.release)
            periods.append(_ended(part, until))
            until, last = part.since, part.release - 1
            lowest = min(lowest, part.release)
            if release is None:
                return Life(periods=tuple(periods), from_release=lowest)
            base = release.base
            release = None if base is None else await reader.release(base.sequence)
            if release is None and base is not None:
                return Life(periods=tuple(periods), from_release=lowest)
    except Missing:
        return Life(periods=tuple(periods), from_release=lowest)


async def served_at(reader: Reader, domain: str, moment: datetime) -> tuple[tuple[Period, ...], bool]:
    """What a domain served at an instant, the certain one first; and whether so much is kept that this is all.

    More than one where the instant lies in the course of a publish. None where it served nothing.
    """
    found = await _release_at(reader, moment)
    if found is None:
        return (), False
    number, release = found
    try:
        state = None if release is None else await _state(reader, release, domain)
        certain: list[Period] = []
        if state is not None and state.record is not None:
            part = await _period(reader, domain, state.tenant, state.record)
            later_on = (await life(reader, domain)).periods
            ends = (one.until for one in later_on if one.digest is not None and one.release == part.release)
            certain = [_ended(part, next(ends, None))]
        passing: list[Period] = []
        for sequence in range(number + 1, reader.tip.last + 1):
            later = await reader.release(sequence)
            if later is None or later.as_of > moment:
                break
            passing += await _wrote(reader, domain, later, await reader.completed(sequence))
    except Missing:
        return (), False
    return (*certain, *passing), True


async def keys_of(reader: Reader, name: str) -> tuple[DocumentKey, ...] | None:
    """The keys of a kept document, by its SHA-256; None where it was collected. Damaged where it is something else."""
    found = await reader.log.store.get(document_key(name))
    if found is None:
        return None
    try:
        if digest(found.body) != name:
            raise ValueError
        return tuple(_key(one) for one in orjson.loads(found.body)["keys"])
    except (ValueError, KeyError, TypeError):
        raise damaged(document_key(name)) from None


def _key(value: Mapping[str, Any]) -> DocumentKey:
    return DocumentKey(kid=str(value["kid"]), alg=str(value["alg"]), thumbprint=thumbprint(value))


async def _state(reader: Reader, release: Release, domain: str) -> _State | None:
    """None where nobody had claimed the domain by then: neither by any earlier release."""
    name = domain_claim(domain)
    claim = (await reader.shard(release.shards.get(slot(name)))).claims.get(name)
    if claim is None:
        return None
    record = (await reader.shard(release.shards.get(slot(claim.tenant)))).record(claim.tenant)
    return _State(tenant=claim.tenant, record=None if record is None else record.domain(domain))


async def _period(reader: Reader, domain: str, tenant: str, record: DomainRecord) -> Period:
    wrote = await reader.release(record.release)
    head = reader.tip.head
    lost = () if head is None or head.sequence != record.release else head.unfinished
    return Period(
        tenant=tenant,
        since=None if wrote is None else await reader.completed(record.release),
        until=None,
        release=record.release,
        commit=None if wrote is None else wrote.commit.id,
        digest=record.digest,
        keys=record.keys,
        certain=all(one.domain != domain for one in lost),
    )


async def _gap(reader: Reader, release: Release, domain: str, state: _State) -> tuple[Release, Period]:
    """The first release since which a domain that was claimed once serves nothing, and that period."""
    earlier: Release | None = release
    while release.base is not None:
        earlier = await reader.release(release.base.sequence)
        before = None if earlier is None else await _state(reader, earlier, domain)
        if earlier is None or before is None or before.record is not None:
            break
        release, state = earlier, before
    since = None if earlier is None else await reader.completed(release.sequence)
    return release, Period(
        tenant=state.tenant,
        since=since,
        until=None,
        release=release.sequence,
        commit=release.commit.id,
        digest=None,
        keys=0,
    )


async def _passing(
    reader: Reader, domain: str, complete: Release | None, last: int, until: datetime | None
) -> list[Period]:
    """What releases up to `last`, after a complete one, may have written without getting to their end."""
    found: list[Period] = []
    for sequence in range(last, 0 if complete is None else complete.sequence, -1):
        release = await reader.release(sequence)
        if release is None:
            break
        if await reader.completed(sequence) is None:
            found += await _wrote(reader, domain, release, until)
    return found


async def _wrote(reader: Reader, domain: str, release: Release, until: datetime | None) -> list[Period]:
    state = await _state(reader, release, domain)
    if state is None or state.record is None or state.record.release != release.sequence:
        return []
    part = await _period(reader, domain, state.tenant, state.record)
    return [_ended(part, until, since=release.as_of, certain=False)]


def _ended(part: Period, until: datetime | None, since: datetime | None = None, certain: bool = True) -> Period:
    return Period(
        tenant=part.tenant,
        since=since or part.since,
        until=until,
        release=part.release,
        commit=part.commit,
        digest=part.digest,
        keys=part.keys,
        certain=part.certain and certain,
    )


async def _release_at(reader: Reader, moment: datetime) -> tuple[int, Release | None] | None:
    """The release that was complete at an instant (0 where none was); None where that is not known any more.

    By binary search: each release says which one was complete when it was planned, and since when.
    """
    head = reader.tip.head
    if head is not None and head.completed_at <= moment:
        return head.sequence, reader.tip.base
    kept = await reader.log.sequences()
    low, high = 0, len(kept)  # those before `low` were planned from a release that was complete by then
    while low < high:
        middle = (low + high) // 2
        release = await reader.release(kept[middle])
        base = None if release is None else release.base
        if base is None or base.completed_at <= moment:
            low = middle + 1
        else:
            high = middle
    if low == 0:
        return (0, None) if not kept else None
    release = await reader.release(kept[low - 1])
    if release is None:
        return None
    if release.base is None:
        return 0, None
    found = await reader.release(release.base.sequence)
    return None if found is None else (found.sequence, found)
