"""Make a plan: survey what differs, compile it, ask who claims what, look at the live documents concerned, compare."""

from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import Executor
from dataclasses import dataclass, field, replace
from typing import TypeAlias

from publisher import __version__
from publisher.checking import Tenant, Times
from publisher.claims import Claims
from publisher.diagnostic import Diagnostic, Finding
from publisher.fleet import owner_of, tenants
from publisher.handover import guarded, written_once
from publisher.hazards import Hazard
from publisher.holding import Present, hold_notes, presents
from publisher.memory import Memory
from publisher.plan import Change, Plan, kept_keys, sorted_changes, summaries_after
from publisher.policy import Policy
from publisher.recall import overdue, recall
from publisher.record import TenantRecord
from publisher.refusals import behind_log, lineage, too_many
from publisher.release import Base, Kind, Released
from publisher.releaselog import Log, Tip
from publisher.render import cache_control
from publisher.rescue import marked, passing, rescued, to_rescue
from publisher.setting import Setting
from publisher.source import Revision
from publisher.state import Live, read_live
from publisher.stepping import changes, kept_back, record_after, suspects
from publisher.store import StoreError
from publisher.survey import Survey, Task, Wish, reads_alike, survey
from publisher.terms import renewal, renewed_by, terms
from publisher.waiver import Waivers
from publisher.waiving import unused
from publisher.yamlfile import locate

PARALLEL = 64
"""Requests under way at once (FACTS: obstore's CPU per PUT was measured with 64 in flight)."""

Start: TypeAlias = Callable[[], Executor | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """What is to be published, and how. `policy_digest` is the SHA-256 of policy.yaml; `allowed` are waived by hand.

    `inspect`: look at the live objects of all tenants that are looked at. `waive` judges each change once more, and
    `amend` the plan. `mistakes` are of files that are no tenant's: told, and stopping nothing.
    """

    revision: Revision
    policy: Policy
    policy_digest: str
    times: Times
    wish: Wish
    allowed: frozenset[str]
    kind: Kind = "publish"
    reason: str = ""
    inspect: bool = False
    waive: Callable[[Change], Change] | None = None
    amend: Callable[[Plan], Plan] | None = None
    waivers: Waivers = field(default_factory=Waivers)
    mistakes: tuple[Diagnostic, ...] = ()


async def draft(log: Log, tip: Tip, order: Order, start: Start, step: Callable[[], None] = lambda: None) -> Plan:
    """The plan of an order over the end of the log. Raises SourceError, StoreError and Damaged."""
    now = order.times.served
    hazards = [*lineage(tip, order.revision, order.allowed), *behind_log(tip, now, order.policy, order.allowed)]
    seen = await survey(log, tip, order.revision, order.policy_digest, now, order.wish)
    present = presents(order.revision, seen.tasks)
    forget = "revoked-key-returns" in order.allowed
    memories = await recall(log, tip, seen.tasks, present, now, forget=forget)
    made, mistakes, general = _compiled(seen, order, memories, start, step)
    if late := overdue(tip, seen.tasks, made, now):
        memories |= await recall(log, tip, late, present, now, made, forget=forget)
        made |= _compiled(replace(seen, tasks=late, findings=()), order, memories, start, step)[0]
    claims = Claims(log=log, tip=tip, shards=dict(seen.shards))
    sound = {path: one for path, one in made.items() if path not in mistakes}
    bad = await claims.take(seen.tasks, sound, order.revision, order.policy, terms(tip, order.policy.cache, now), now)
    for path, some in bad.items():
        mistakes.setdefault(path, []).extend(some)
    setting = Setting(
        tip=tip,
        sequence=tip.last + 1,
        policy=order.policy,
        cache=cache_control(order.policy.cache),
        now=now,
        allowed=order.allowed,
        copies=renewed_by(tip, now),
        claims=claims.domains,
        revoked={tenant: one.revoked for tenant, one in present.items()},
        waivers=order.waivers,
    )
    stepped = await _stepped(log, seen, made, mistakes, order, setting)
    claims.settle(stepped.records)
    removals = sum(change.removes and not change.blocked for change in stepped.changes)
    hazards += too_many(removals, order.policy, order.allowed, order.waivers, now) if tip.base is not None else ()
    general += [*order.mistakes, *(one for some in mistakes.values() for one in some)]
    plan = _plan(log, tip, order, made, stepped, claims, present, hazards, general, full=seen.full)
    return plan if order.amend is None else order.amend(plan)


@dataclass(slots=True, kw_only=True)
class _Stepped:
    changes: list[Change]
    records: list[tuple[Task, TenantRecord]]
    without_keys: list[str]
    unreadable: list[tuple[str, str]]
    left: list[tuple[str, str]]


def _compiled(
    seen: Survey, order: Order, memories: Mapping[str, Memory], start: Start, step: Callable[[], None]
) -> tuple[dict[str, Tenant], dict[str, list[Diagnostic]], list[Diagnostic]]:
    """The tenants by folder, their mistakes by folder, and the mistakes that are no tenant's."""
    work = [task for task in seen.tasks if task.listing is not None]
    folders = {task.listing.path for task in work if task.listing is not None}
    made: dict[str, Tenant] = {}
    findings: list[Finding] = list(seen.findings)
    stream = order.revision.read(task.listing for task in work if task.listing is not None)
    for one in tenants(stream, order.policy, order.times, start, memories):
        if isinstance(one, Finding):
            findings.append(one)
            continue
        made[one.folder] = one
        step()
    mistakes = {path: list(one.diagnostics) for path, one in made.items() if one.diagnostics}
    general: list[Diagnostic] = []
    for finding in findings:
        owner = owner_of(finding.file, folders)
        (general if owner is None else mistakes.setdefault(owner, [])).extend(locate(b"", [finding]))
    return made, mistakes, general


async def _stepped(
    log: Log,
    seen: Survey,
    made: Mapping[str, Tenant],
    mistakes: Mapping[str, list[Diagnostic]],
    order: Order,
    setting: Setting,
) -> _Stepped:
    result = _Stepped(changes=[], records=[], without_keys=[], unreadable=[], left=[])
    looked: list[tuple[Task, Tenant | None, list[str]]] = []
    broken: list[tuple[Task, Tenant | None, list[Diagnostic]]] = []
    for task in seen.tasks:
        path = None if task.listing is None else task.listing.path
        tenant = None if path is None else made.get(path)
        if wrong := mistakes.get(path or "", []):
            broken.append((task, tenant, wrong))
        else:
            looked.append((task, tenant, list(suspects(task, tenant, setting.cache, order.inspect))))
    names = {domain for _, _, domains in looked for domain in domains}
    names |= {domain for task, tenant, _ in broken for domain in to_rescue(task, _revoked(tenant))}
    live: Mapping[str, Live | StoreError] = await read_live(log.store, sorted(names), PARALLEL)
    _keep_back(broken, live, setting, result)
    found = guarded(
        [one for task, tenant, domains in looked for one in _moved(task, tenant, domains, live, order, setting)]
    )
    sources = {task.tenant: (task, tenant) for task, tenant, _ in looked}
    found = [passing(one, _revoked(sources[one.tenant][1]), sources[one.tenant][0].record, setting) for one in found]
    by_tenant: dict[str, list[Change]] = {}
    for one in found:
        by_tenant.setdefault(one.tenant, []).append(one)
    for task, tenant, domains in looked:
        lost = {domain: str(fault) for domain in domains if isinstance(fault := live.get(domain), StoreError)}
        result.unreadable += lost.items()
        record = record_after(task, tenant, by_tenant.get(task.tenant, ()), lost, setting)
        result.records.append((task, record))
        result.without_keys += _without_keys(task, tenant)
    result.changes += written_once(found)
    return result


def _keep_back(
    broken: Iterable[tuple[Task, Tenant | None, list[Diagnostic]]],
    live: Mapping[str, Live | StoreError],
    setting: Setting,
    result: _Stepped,
) -> None:
    """Tenants with mistakes: they stay at what they serve, less the keys that their files revoke."""
    for task, tenant, wrong in broken:
        revoked = _revoked(tenant)
        stepped = list(rescued(task, revoked, live, setting))
        record = kept_back(task, (one.rule for one in wrong), str(wrong[0]), setting)
        result.changes += stepped
        result.left += [(task.tenant, domain) for domain in task.touched]
        faults = {domain: live.get(domain) for domain in to_rescue(task, revoked)}
        result.unreadable += [(domain, str(one)) for domain, one in faults.items() if isinstance(one, StoreError)]
        result.records.append((task, marked(record, revoked, stepped, setting.sequence)))


def _revoked(tenant: Tenant | None) -> frozenset[str]:
    return frozenset() if tenant is None else tenant.revoked


def _moved(
    task: Task,
    tenant: Tenant | None,
    domains: Iterable[str],
    live: Mapping[str, Live | StoreError],
    order: Order,
    setting: Setting,
) -> Iterable[Change]:
    found = changes(task, tenant, {domain: live.get(domain) for domain in domains}, setting)
    return found if order.waive is None else map(order.waive, found)


def _without_keys(task: Task, tenant: Tenant | None) -> Iterable[str]:
    record = task.record
    return (
        one.domain
        for one in (() if tenant is None else tenant.wanted)
        if not one.keys and (record is None or record.domain(one.domain) is None)
    )


def _plan(
    log: Log,
    tip: Tip,
    order: Order,
    made: Mapping[str, Tenant],
    stepped: _Stepped,
    claims: Claims,
    present: Mapping[str, Present],
    hazards: list[Hazard],
    mistakes: list[Diagnostic],
    *,
    full: bool,
) -> Plan:
    records = tuple(record for task, record in stepped.records if record != task.record)
    head, commit, now = tip.head, order.revision.commit, order.times.served
    summaries = {} if tip.base is None else dict(tip.base.shards)
    after = summaries_after(summaries, claims.shards, records, claims.new)
    holds, held_back = hold_notes(tip, stepped.records, made, present, now, full=full)
    return Plan(
        kind=order.kind,
        reason=order.reason,
        source=order.revision.label,
        store=log.store.url,
        now=now,
        sequence=tip.last + 1,
        previous=tip.link,
        base=None if head is None else Base(sequence=head.sequence, completed_at=head.completed_at),
        commit=Released(id=commit.id, time=commit.time, author=commit.author, subject=commit.subject),
        root=order.revision.root,
        tree=order.revision.tree,
        policy=order.policy_digest,
        program=__version__,
        cache=cache_control(order.policy.cache),
        terms=terms(tip, order.policy.cache, now),
        visible_within=renewal(order.policy.cache),
        changes=sorted_changes(stepped.changes),
        total=sum(one.domains for one in after.values()),
        without_keys=tuple(sorted(stepped.without_keys)),
        unreadable=tuple(sorted(stepped.unreadable)),
        mistakes=tuple(sorted(set(mistakes))),
        hazards=tuple(hazards),
        holds=holds,
        left=tuple(stepped.left),
        held_back=held_back,
        kept=tuple(kept_keys(made.values())),
        unused=unused(order.waivers, stepped.changes, (record for _, record in stepped.records), hazards, now),
        quarantined=tuple(sorted(one.tenant for _, one in stepped.records if one.quarantine is not None)),
        records=records,
        claims=claims.new,
        shards=claims.shards,
        base_shards=summaries,
        next_change=min((one.next_change for one in after.values() if one.next_change is not None), default=None),
        needed=bool(records or claims.new) or _is_needed(tip, order, stepped),
    )


def _is_needed(tip: Tip, order: Order, stepped: _Stepped) -> bool:
    """Whether there is something to release though no record changes."""
    base, head, revision = tip.base, tip.head, order.revision
    same = base is not None and base.tree == revision.tree and reads_alike(base, revision, order.policy_digest)
    unfinished = bool(tip.above) or (head is not None and bool(head.unfinished))
    return not same or unfinished or any(not change.blocked for change in stepped.changes)
