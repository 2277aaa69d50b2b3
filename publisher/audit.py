"""Everything that is published against the state, and the state against itself, as a stream of findings.

Nothing stops it but a store that fails as a whole: what is damaged is named, and the rest is looked at. Shards are read
in groups, a bounded number of domains at a time; of all domains only the names are kept, to see at the end which live
objects nobody has. A publisher may be at work meanwhile: what it has written is no finding.
"""

from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Iterator, Mapping
from contextlib import aclosing
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TypeAlias

from publisher.auditrules import (
    BEHIND_COMMIT,
    CHAIN_BROKEN,
    HEAD_DAMAGED,
    NO_HEAD,
    PURGE_PENDING,
    QUARANTINED,
    RELEASE_LOST,
    SCHEDULE_MISSED,
    SHARD_LOST,
    SUMMARY_WRONG,
    UNFINISHED_DOMAIN,
    UNFINISHED_PUBLISH,
    Fault,
    Remark,
)
from publisher.diagnostic import Finding, Rule, clean
from publisher.flow import gather
from publisher.head import HEAD_KEY, Head
from publisher.liveaudit import Scene, recorded_domain, unclaimed_domain
from publisher.record import DomainRecord, TenantRecord, write_instant
from publisher.release import Previous, Release, release_key
from publisher.releaselog import Log
from publisher.reply import Reply
from publisher.salvage import Loss, Salvaged, read_release, read_shard, salvage
from publisher.shard import Shard, Summary, shard_key, slot
from publisher.source import Revision
from publisher.state import live_domains

PARALLEL = 64
_GROUP_DOMAINS = 4000
_GROUP_SHARDS = 32
_YOUNG = timedelta(minutes=10)
"""A release above HEAD that is older than this is taken for one of a publish that was killed."""

Seen: TypeAlias = Fault | Remark
Commit: TypeAlias = Mapping[int, Mapping[str, tuple[str, str | None]]]
"""Folder and tree id of a commit's tenants, by slot and tenant."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """What to audit. `late`: after how long a change that was due is missed. `commit` and `policy`, the SHA-256 of
    policy.yaml: what HEAD is to be, where that is asked."""

    now: datetime
    late: timedelta
    commit: Commit | None = None
    policy: str | None = None


@dataclass(slots=True, kw_only=True)
class Tally:
    """What was looked at. `domains` are the names that the state knows."""

    tenants: int = 0
    domains: set[str] = field(default_factory=set)
    whole: bool = True
    """Whether every shard could be read, so that a domain that is not in `domains` is nobody's."""


def commit_tenants(revision: Revision) -> Commit:
    """The tenants of a commit, as `Question` takes them."""
    found: dict[int, dict[str, tuple[str, str | None]]] = {}
    for item in revision.listed():
        if not isinstance(item, Finding):
            tenant = item.path.rpartition("/")[2]
            found.setdefault(slot(tenant), {}).setdefault(tenant, (item.path, item.tree))
    return found


async def audit(
    log: Log, question: Question, tally: Tally, fetch: Callable[[str], Awaitable[Reply]] | None = None
) -> AsyncIterator[Seen]:
    """All findings, as they come; `fetch` asks a CDN for a domain. StoreError where the store fails as a whole."""
    known = await salvage(log, question.now)
    tip = known.tip
    for fault in _state(known):
        yield fault
    stuck = any(one.release.as_of + _YOUNG < question.now for one in tip.above)
    if tip.head is not None:
        for fault in _head(tip.head):
            yield fault
    for above in tip.above if stuck else ():
        message = f"release {above.release.sequence} of {write_instant(above.release.as_of)} was never finished"
        yield _fault(UNFINISHED_PUBLISH, release_key(above.release.sequence), message, "publish again")
    if tip.head is not None and tip.base is not None:
        async for one in _chain(log, tip.base):
            yield one
    scene = Scene(store=log.store, tip=tip, now=question.now, stuck=stuck, fetch=fetch)
    async for one in _shards(log, tip.base, scene, question, tally):
        yield one
    async for one in _unclaimed(scene, tally):
        yield one
    if tip.base is not None:
        for fault in _policy(tip.base, question):
            yield fault


def _state(known: Salvaged) -> Iterator[Fault]:
    tip = known.tip
    if known.sound and tip.head is None:
        message = "there is no HEAD: nothing was published there, or the store was emptied"
        yield _fault(NO_HEAD, HEAD_KEY, message, "publish, or `repair` where something was")
    for one in known.losses:
        rule = RELEASE_LOST
        if one.key == HEAD_KEY:
            rule = NO_HEAD if tip.token is None else HEAD_DAMAGED
        yield _fault(rule, one.key, one.why, "`jwks-publisher repair`")


def _head(head: Head) -> Iterator[Fault]:
    for one in head.unfinished:
        yield _fault(UNFINISHED_DOMAIN, one.domain, f"the last publish could not write it: {one.why}", "publish again")
    for purge in head.purges:
        if purge.named:
            message = f"copies of its old document may be used until {write_instant(purge.until)}: their purge failed"
            yield _fault(PURGE_PENDING, purge.domain, message, "publish again with --cdn")


async def _chain(log: Log, base: Release) -> AsyncIterator[Seen]:
    """The releases from HEAD's back. `gc` leaves gaps; one that the next link passes over was given up by `repair`."""
    link, first, gaps = base.previous, base.sequence, 0
    async for sequence, found in _links(log, [one for one in await log.sequences() if one < base.sequence]):
        if link is None:
            break
        if sequence > link.sequence:
            continue
        gaps += sequence < link.sequence
        if isinstance(found, Loss):
            yield _fault(RELEASE_LOST, found.key, found.why, "see who wrote there; what it said is lost")
            link = None if sequence == 1 else Previous(sequence=sequence - 1, digest="")
            continue
        previous, digest = found
        if sequence == link.sequence and link.digest not in ("", digest):
            message = f"it is not the one that release {first} names as the one before it"
            yield _fault(CHAIN_BROKEN, release_key(sequence), message, "see who wrote there, and when")
        link, first = previous, sequence
    if gaps or link is not None:
        text = f"the history is kept from release {first} on"
        yield Remark(text=f"{text}, with gaps, as `gc` leaves them" if gaps else text)


async def _links(log: Log, kept: list[int]) -> AsyncIterator[tuple[int, tuple[Previous | None, str] | Loss]]:
    """Releases from the last to the first: the link to the one before, and the digest; or why there is neither."""

    async def read(sequence: int) -> tuple[int, tuple[Previous | None, str] | Loss]:
        losses: list[Loss] = []
        found = await read_release(log, sequence, losses)
        return sequence, losses[0] if found is None else (found[0].previous, found[1])

    for start in range(len(kept), 0, -PARALLEL):
        some = {one: found async for one, found in gather(read, kept[max(0, start - PARALLEL) : start], PARALLEL)}
        for one in sorted(some, reverse=True):
            yield one, some[one]


async def _shards(
    log: Log, base: Release | None, scene: Scene, question: Question, tally: Tally
) -> AsyncIterator[Seen]:
    named = {} if base is None else base.shards
    commit = question.commit or {}
    held = 0
    for group in _groups(named):
        losses: list[Loss] = []

        async def read(one: int, losses: list[Loss] = losses) -> tuple[int, Shard | None]:
            return one, await read_shard(log, named[one], losses)

        shards = {one: shard async for one, shard in gather(read, group, PARALLEL)}
        for loss in losses:
            tally.whole = False
            yield _fault(SHARD_LOST, loss.key, loss.why, "`jwks-publisher repair`")
        readable = {one: shard for one, shard in sorted(shards.items()) if shard is not None}
        for one, shard in readable.items():
            for fault in _shard(one, named[one], shard, question, commit.get(one, {})):
                yield fault
            held += sum(1 for _ in shard.held())
        async for fault in _domains(readable.values(), scene, tally):
            yield fault
    if question.commit is not None:
        for one in sorted(commit.keys() - named.keys()):
            for fault in _behind({}, commit[one]):
                yield fault
    if held:
        yield Remark(text=f"held by a rollback: {held} {'tenant' if held == 1 else 'tenants'}; `releases` names them")


def _groups(named: Mapping[int, Summary]) -> Iterator[list[int]]:
    group: list[int] = []
    domains = 0
    for one, summary in sorted(named.items()):
        group.append(one)
        domains += summary.domains
        if domains >= _GROUP_DOMAINS or len(group) >= _GROUP_SHARDS:
            yield group
            group, domains = [], 0
    if group:
        yield group


def _shard(
    number: int, summary: Summary, shard: Shard, question: Question, commit: Mapping[str, tuple[str, str | None]]
) -> Iterator[Fault]:
    if shard.summary(summary.digest) != summary:
        key = shard_key(summary.digest)
        yield _fault(SUMMARY_WRONG, key, f"the release says something else of slot {number:02x}", "`repair`")
    for record in shard.records():
        yield from _tenant(record, question)
    if question.commit is not None:
        yield from _behind({one.tenant: one for one in shard.records()}, commit)


def _tenant(record: TenantRecord, question: Question) -> Iterator[Fault]:
    if record.quarantine is not None:
        held = record.quarantine
        where, hint = "the tenant stays", "correct it, and publish"
        if held.domains is not None:
            where, hint = f"{', '.join(held.domains)}: it stays", "see `explain`: mend it, or waive it, and publish"
        ids = ", ".join(held.ids) or "unreadable"
        message = f"{where} at what is served ({ids}): {held.why}"
        yield _fault(QUARANTINED, record.tenant, message, hint)
    due = record.next_change
    if due is not None and due + question.late < question.now:
        message = f"a document was to change at {write_instant(due)}, and did not"
        yield _fault(SCHEDULE_MISSED, record.tenant, message, "see that `publish` runs on its schedule")


def _behind(records: Mapping[str, TenantRecord], commit: Mapping[str, tuple[str, str | None]]) -> Iterator[Fault]:
    for tenant in sorted({*records, *commit}):
        record, wanted = records.get(tenant), commit.get(tenant)
        here = None if record is None or record.seen is None else (record.folder, record.seen)
        if here == wanted:
            continue
        if wanted is None:
            message = "it is released, and not in the commit"
        elif here is None:
            message = "it is in the commit, and not released"
        else:
            message = f"tree {here[1][:12]} of {clean(here[0])} is released, the commit has {(wanted[1] or '')[:12]}"
        yield _fault(BEHIND_COMMIT, tenant, message, "publish the commit")


def _policy(base: Release, question: Question) -> Iterator[Fault]:
    if question.policy is not None and question.policy != base.policy:
        yield _fault(BEHIND_COMMIT, "policy.yaml", "another policy is released than the commit has", "publish it")


async def _domains(shards: Iterable[Shard], scene: Scene, tally: Tally) -> AsyncIterator[Fault]:
    def records() -> Iterator[DomainRecord]:
        for shard in shards:
            for record in shard.records():
                tally.tenants += 1
                if record.quarantine is not None:  # its finding names them
                    tally.domains.update(record.quarantine.domains or ())
                for one in record.domains:
                    tally.domains.add(one.domain)
                    yield one

    async def look(one: DomainRecord) -> list[Fault]:
        return await recorded_domain(scene, one)

    async with aclosing(gather(look, records(), PARALLEL)) as results:
        async for found in results:
            for fault in found:
                yield fault


async def _unclaimed(scene: Scene, tally: Tally) -> AsyncIterator[Seen]:
    """Live objects of domains that the state does not have."""
    if not tally.whole:
        yield Remark(text="live objects of domains that nobody has were not sought, as shards are lost")
        return
    others = sorted(await live_domains(scene.store, tally.domains))

    async def look(domain: str) -> list[Fault]:
        return await unclaimed_domain(scene, domain)

    async with aclosing(gather(look, others, PARALLEL)) as results:
        async for found in results:
            for fault in found:
                yield fault


def _fault(rule: Rule, about: str, message: str, hint: str) -> Fault:
    return Fault(rule=rule, about=about, message=message, hint=hint)
