"""What a publish has to look at: the tenants that differ from the released ones, by Git tree ids, and no others.

The commit is listed, which reads no file; the release names a fingerprint for each shard; so only shards with a
difference, something due, or something pending are read, and in them only the tenants concerned become tasks.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field, replace
from datetime import datetime

from publisher import __version__
from publisher.diagnostic import Finding, clean, ticked
from publisher.record import Hold, TenantRecord
from publisher.release import Release
from publisher.releaselog import Log, Tip
from publisher.rules.fleet import TENANT_TWICE
from publisher.shard import Damaged, Missing, Shard, fingerprint, slot
from publisher.source import KEYSET, Listing, Revision


@dataclass(frozen=True, slots=True, kw_only=True)
class Rollback:
    """Bring one tenant, or all of them, back to what they were in a release, and hold them there."""

    release: Release
    tenant: str | None
    hold: Hold


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What is asked beyond the commit. `full`: look at every tenant. `lift`: tenants whose hold ends; None for all.

    `only`: look at no other tenants, as the revision holds these alone; None for all.
    """

    full: bool = False
    lift: frozenset[str] | None = frozenset()
    rollback: Rollback | None = None
    only: frozenset[str] | None = None

    def lifts(self, tenant: str) -> bool:
        """Whether a tenant's hold ends."""
        return self.lift is None or tenant in self.lift


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """A tenant to look at. `listing` is what to compile, None to withdraw its domains; `current` what the commit has.

    `doubtful`: its live objects may be what releases wrote that were not finished; `touched` are domains of those above
    HEAD. `unfinished`: HEAD's own release did not bring all of its domains to their documents.
    """

    tenant: str
    record: TenantRecord | None
    listing: Listing | None
    current: Listing | None
    hold: Hold | None
    doubtful: bool = False
    unfinished: bool = False
    touched: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Survey:
    """The tasks, the shards that were read for them, and what is wrong with files that belong to no task."""

    tasks: tuple[Task, ...]
    shards: Mapping[int, Shard]
    findings: tuple[Finding, ...]
    full: bool


@dataclass(slots=True)
class _Listed:
    """The commit's tenants by slot, and what is wrong with their files."""

    slots: dict[int, dict[str, Listing]] = field(default_factory=dict)
    findings: list[Finding] = field(default_factory=list)


def idle(tip: Tip, revision: Revision, policy: str, now: datetime, wish: Wish) -> bool:
    """Whether there is nothing to do, as far as the release tells without any shard or file."""
    base, head = tip.base, tip.head
    if base is None or head is None or tip.above or head.unfinished or _is_full(base, revision, policy, wish):
        return False
    pending = any(one.attention for one in base.shards.values())
    change = base.next_change
    asked = wish.lift != frozenset() or wish.rollback is not None
    return base.tree == revision.tree and not pending and not asked and (change is None or change > now)


async def survey(log: Log, tip: Tip, revision: Revision, policy: str, now: datetime, wish: Wish) -> Survey:
    """The tasks of a publish at `now`. `policy` is the SHA-256 of policy.yaml."""
    base = tip.base
    full = _is_full(base, revision, policy, wish)
    listed = _list(revision, base)
    named = {} if base is None else base.shards
    above = [one.release for one in tip.above]
    wanted = set(named) | set(listed.slots) if full else _slots(tip, listed, now, wish)
    wanted = wanted if wish.only is None else {slot(one) for one in wish.only}
    shards = await log.shards(base, wanted)
    unfinished = [await log.shards(one, differing(one, base) & wanted) for one in above]
    target = {} if wish.rollback is None else await _target(log, wish.rollback, wanted)
    sought = _Sought(tip=tip, now=now, wish=wish, full=full)
    tasks = [
        task
        for one in sorted(wanted)
        for task in sought.tasks(
            shards[one], listed.slots.get(one, {}), [some[one] for some in unfinished if one in some], target.get(one)
        )
    ]
    found = tuple(_resolved(revision, tasks))
    return Survey(tasks=found, shards=shards, findings=tuple(listed.findings), full=full)


async def _target(log: Log, rollback: Rollback, wanted: AbstractSet[int]) -> dict[int, Shard]:
    """The shards of the release to go back to. Damaged where they were collected."""
    slots = wanted if rollback.tenant is None else {slot(rollback.tenant)}
    try:
        return await log.shards(rollback.release, slots)
    except Missing as error:
        gone = f"release {rollback.release.sequence} is kept no more as a whole ({error})"
        raise Damaged(
            f"{gone}; if `gc` collected it, go back to a later release, or revert the commit in Git"
        ) from None


def reads_alike(base: Release | None, revision: Revision, policy: str) -> bool:
    """Whether the same files mean the same as for the released commit: by policy, program and folder."""
    return base is not None and (base.policy, base.program, base.root) == (policy, __version__, revision.root)


def _is_full(base: Release | None, revision: Revision, policy: str, wish: Wish) -> bool:
    return wish.full or not reads_alike(base, revision, policy)


def _list(revision: Revision, base: Release | None) -> _Listed:
    listed = _Listed()
    for item in revision.listed():
        if isinstance(item, Finding):
            listed.findings.append(item)
            continue
        tenant = item.path.rpartition("/")[2]
        known = listed.slots.setdefault(slot(tenant), {})
        if tenant in known:
            for here, there in ((item.path, known[tenant].path), (known[tenant].path, item.path)):
                message = f"the tenant {ticked(tenant)} is also in {clean(there)}"
                listed.findings.append(
                    Finding(
                        rule=TENANT_TWICE,
                        file=f"{here}/{KEYSET}",
                        where=("tenant",),
                        message=message,
                        hint="give it another name",
                    )
                )
        else:
            known[tenant] = item
    return listed


def _slots(tip: Tip, listed: _Listed, now: datetime, wish: Wish) -> set[int]:
    """The slots in which some tenant needs a look."""
    base, head = tip.base, tip.head
    named = {} if base is None else base.shards
    wanted = {one for above in tip.above for one in differing(above.release, base)}
    wanted |= {slot(one.tenant) for one in (() if head is None else head.unfinished)}
    if wish.rollback is not None:
        tenant = wish.rollback.tenant
        wanted |= set(named) | set(wish.rollback.release.shards) if tenant is None else {slot(tenant)}
    for one in set(named) | set(listed.slots):
        summary = named.get(one)
        here = fingerprint((item.path, item.tree or "") for item in listed.slots.get(one, {}).values())
        due = summary is not None and summary.next_change is not None and summary.next_change <= now
        lifted = summary is not None and summary.held > 0 and wish.lift != frozenset()
        if summary is None or here != summary.fingerprint or summary.attention or due or lifted:
            wanted.add(one)
    return wanted


def differing(release: Release, base: Release | None) -> set[int]:
    """The slots in which a release has another shard than the base."""
    named = {} if base is None else base.shards
    return {one for one, summary in release.shards.items() if one not in named or named[one].digest != summary.digest}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Sought:
    """Which tenants of a slot need a look, and of what kind."""

    tip: Tip
    now: datetime
    wish: Wish
    full: bool

    def tasks(
        self, shard: Shard, listed: Mapping[str, Listing], above: Iterable[Shard], target: Shard | None
    ) -> Iterator[Task]:
        written = dict(touched(shard, above))
        head = self.tip.head
        left = [one for one in (() if head is None else head.unfinished) if one.tenant in shard.tenants]
        unfinished = {one.tenant for one in left}
        for one in left:
            written[one.tenant] = {*written.get(one.tenant, ()), one.domain}
        doubtful = unfinished | set(written)
        pressing = {one.tenant for one in shard.pressing(self.now)}
        gone = () if target is None or self.wish.rollback is None else target.tenants
        known_here = {*listed, *shard.tenants, *written, *filter(self._rolls, gone)}
        for tenant in sorted(known_here if self.wish.only is None else known_here & self.wish.only):
            item, known = listed.get(tenant), shard.tenants.get(tenant)
            here = (None, None) if item is None else (item.path, item.tree)
            there = (None, None) if known is None or known["seen"] is None else (known["folder"], known["seen"])
            asked = tenant in pressing or tenant in doubtful or self._asked(tenant, known)
            if here == there and not asked and not (self.full and (item is not None or _serves(known))):
                continue
            goal = None if target is None or not self._rolls(tenant) else (target.record(tenant),)
            task = self._task(tenant, shard.record(tenant), item, goal)
            yield replace(
                task,
                doubtful=tenant in doubtful,
                unfinished=tenant in unfinished,
                touched=tuple(sorted(written.get(tenant, ()))),
            )

    def _asked(self, tenant: str, known: Mapping[str, object] | None) -> bool:
        return self._rolls(tenant) or (known is not None and "hold" in known and self.wish.lifts(tenant))

    def _rolls(self, tenant: str) -> bool:
        return self.wish.rollback is not None and self.wish.rollback.tenant in (None, tenant)

    def _task(
        self, tenant: str, record: TenantRecord | None, item: Listing | None, goal: tuple[TenantRecord | None] | None
    ) -> Task:
        hold = None if record is None else record.hold
        if goal is not None and self.wish.rollback is not None:
            hold, then = self.wish.rollback.hold, goal[0]
            listing = self._at(then, item)
        elif hold is not None and not self.wish.lifts(tenant) and (hold.until is None or hold.until > self.now):
            listing = self._at(record, item)
        else:
            hold, listing = None, item
        return Task(
            tenant=tenant,
            record=record,
            listing=listing,
            current=item,
            hold=hold,
        )

    def _at(self, record: TenantRecord | None, item: Listing | None) -> Listing | None:
        """What a record was made from: the commit's own listing where that is the same."""
        if record is None or record.tree is None:
            return None
        if item is not None and (item.path, item.tree) == (record.folder, record.tree):
            return item
        return Listing(path=record.folder, tree=record.tree, files=())  # `_resolved` lists them all at once


def _resolved(revision: Revision, tasks: Sequence[Task]) -> Iterator[Task]:
    """The tasks, with what is to be compiled of earlier trees listed too."""
    earlier = [one.listing for one in tasks if one.listing is not None and one.listing is not one.current]
    listed = iter(list(revision.at((one.path, one.tree or "") for one in earlier)) if earlier else ())
    for task in tasks:
        old = task.listing is not None and task.listing is not task.current
        yield replace(task, listing=next(listed)) if old else task


def touched(shard: Shard, above: Iterable[Shard]) -> Iterator[tuple[str, AbstractSet[str]]]:
    """Tenants whose live objects releases above HEAD may have written, or may yet write, with those domains."""
    found: dict[str, set[str]] = {}
    for one in above:
        for tenant, value in one.tenants.items():
            known = shard.tenants.get(tenant)
            if value != known:
                old, new = {} if known is None else known["domains"], value["domains"]
                differing = {domain for domain in {*old, *new} if old.get(domain) != new.get(domain)}
                found.setdefault(tenant, set()).update(differing)
    yield from found.items()


def _serves(known: Mapping[str, object] | None) -> bool:
    return known is not None and bool(known["domains"])
