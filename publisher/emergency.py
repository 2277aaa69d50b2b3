"""An emergency revocation: one key out of what one tenant serves, now, whatever else is wrong.

It goes by the store alone: no commit is read, nothing is compiled, no hold, quarantine, mistake or hazard stands in
its way, and no other tenant is touched. Each document loses the key and is otherwise as it was. The state records the
key as revoked, so that no later publish brings it back; the files follow by a commit.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from publisher.plan import Change, Plan, sorted_changes, summaries_after
from publisher.policy import Policy
from publisher.record import KeyRecord, TenantRecord
from publisher.release import Base
from publisher.releaselog import Log, Tip
from publisher.rescue import marked, rescued
from publisher.setting import Setting
from publisher.shard import Shard, slot
from publisher.state import Live, drift, read_live
from publisher.store import StoreError
from publisher.survey import Task, differing, touched
from publisher.terms import renewal_by, standing

PARALLEL = 64


class UnknownKeyError(Exception):
    """The store knows no such key. One line for people."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Strike:
    """A key to take out, by the kid that the tenant published it under. `reason` is for the log."""

    tenant: str
    kid: str
    reason: str
    now: datetime


async def known_keys(log: Log, tip: Tip, strike: Strike) -> tuple[TenantRecord, tuple[KeyRecord, ...]]:
    """The tenant's record and the keys that are meant. UnknownKeyError."""
    place = slot(strike.tenant)
    record = (await log.shards(tip.base, {place}))[place].record(strike.tenant)
    if record is None:
        raise UnknownKeyError(f"the store knows no tenant {strike.tenant!r}")
    keys = tuple(one for one in record.keys if one.kid == strike.kid)
    if not keys:
        raise UnknownKeyError(f"the store knows no key {strike.kid!r} of {strike.tenant}")
    return record, keys


async def strike_plan(log: Log, tip: Tip, strike: Strike) -> Plan:
    """The plan over the end of the log. Raises UnknownKeyError, StoreError and Damaged."""
    base, head = tip.base, tip.head
    if base is None or head is None:
        raise UnknownKeyError("nothing was ever published there")
    # Whatever this machine's clock says, no release is of a time before the last one's.
    now = max(strike.now, base.as_of if tip.latest is None else tip.latest.as_of)
    found = await _look(log, tip, strike, now)
    shards = {slot(strike.tenant): found.shard}
    after = summaries_after(base.shards, shards, (found.after,), {})
    return Plan(
        kind="revoke",
        reason=strike.reason,
        source=f"release {base.sequence}",
        store=log.store.url,
        now=now,
        sequence=tip.last + 1,
        previous=tip.link,
        base=Base(sequence=head.sequence, completed_at=head.completed_at),
        commit=base.commit,
        root=base.root,
        tree=base.tree,
        policy=base.policy,
        program=base.program,
        struck=tuple((strike.tenant, one) for one in found.after.keys if one.thumbprint in found.revoked),
        cache=base.cache,
        terms=standing(tip, now),
        visible_within=renewal_by(base.cache),
        changes=found.changes,
        total=sum(one.domains for one in after.values()),
        unreadable=tuple(sorted(found.faults.items())),
        holds=base.holds,
        left=found.left,
        quarantined=head.quarantined,
        records=(found.after,),
        shards=shards,
        base_shards=base.shards,
        next_change=min((one.next_change for one in after.values() if one.next_change is not None), default=None),
        needed=bool(found.changes) or found.after != found.before,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Found:
    """The tenant's shard, its record before and after, and what is to happen. `revoked` are thumbprints.

    `faults` are domains that cannot be changed, and why; `left` is what the next publish is to look at.
    """

    shard: Shard
    before: TenantRecord
    after: TenantRecord
    revoked: frozenset[str]
    changes: tuple[Change, ...]
    faults: Mapping[str, str]
    left: tuple[tuple[str, str], ...]


async def _look(log: Log, tip: Tip, strike: Strike, now: datetime) -> _Found:
    """Read what is recorded and what is live, and take the key out of both."""
    record, keys = await known_keys(log, tip, strike)
    revoked = frozenset(one.thumbprint for one in keys)
    here = slot(strike.tenant)
    unfinished = {one for above in tip.above for one in differing(above.release, tip.base)}
    shards = await log.shards(tip.base, {here} | unfinished)
    left = await _left(log, tip, shards)
    doubtful = any(tenant == strike.tenant for tenant, _ in left)
    task = Task(tenant=strike.tenant, record=record, listing=None, current=None, hold=record.hold, doubtful=doubtful)
    live: Mapping[str, Live | StoreError] = await read_live(
        log.store, sorted(one.domain for one in record.domains), PARALLEL
    )
    setting = Setting(
        tip=tip,
        sequence=tip.last + 1,
        policy=Policy(),
        cache="" if tip.base is None else tip.base.cache,
        now=now,
        allowed=frozenset(),
        copies=now,
        claims={},
    )
    changes = sorted_changes(rescued(task, revoked, live, setting))
    faults = dict(_unreachable(record, live, revoked, tip))
    done = {one.domain for one in changes}
    return _Found(
        shard=shards[here],
        before=record,
        after=_struck(marked(record, revoked, changes, setting.sequence), revoked),
        revoked=revoked,
        changes=changes,
        faults=faults,
        left=tuple(sorted({one for one in left if one[1] not in done} | {(strike.tenant, one) for one in faults})),
    )


def _struck(record: TenantRecord, revoked: frozenset[str]) -> TenantRecord:
    keys = (replace(one, struck=True) if one.thumbprint in revoked else one for one in record.keys)
    return replace(record, keys=tuple(keys))


def _unreachable(
    record: TenantRecord, live: Mapping[str, Live | StoreError], revoked: frozenset[str], tip: Tip
) -> Iterator[tuple[str, str]]:
    """Domains whose document may hold the key and was left, and why."""
    for one in record.domains:
        before = live.get(one.domain)
        if isinstance(before, StoreError):
            yield one.domain, str(before)
        elif (
            before is not None and drift(before, one, tip) == "foreign" and revoked & set(before.thumbprints().values())
        ):
            yield one.domain, "something else wrote its document, and the key is in it: remove it there"


async def _left(log: Log, tip: Tip, shards: Mapping[int, Shard]) -> set[tuple[str, str]]:
    """Tenants and domains that an unfinished release may have written: the next publish looks at them."""
    found = {(one.tenant, one.domain) for one in (() if tip.head is None else tip.head.unfinished)}
    for above in tip.above:
        slots = differing(above.release, tip.base)
        theirs = await log.shards(above.release, slots)
        for one in slots:
            found |= {(tenant, domain) for tenant, some in touched(shards[one], [theirs[one]]) for domain in some}
    return found
