"""One tenant's part of a plan: the changes of its domains, and its record after them. Pure."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from datetime import datetime

from publisher.checking import Tenant
from publisher.conditions import conditions
from publisher.hazards import Step, hazards
from publisher.ledger import ledger
from publisher.memory import leaving
from publisher.plan import Change, Move, effect_of, revised
from publisher.record import Quarantine, TenantRecord
from publisher.setting import Setting
from publisher.state import Live, drift
from publisher.store import StoreError
from publisher.survey import Task
from publisher.terms import renewed_under
from publisher.timeline import phase_in
from publisher.tokens import lifetimes
from publisher.wanted import Wanted


def suspects(task: Task, made: Tenant | None, cache: str, inspect: bool) -> Iterator[str]:
    """The domains whose live document has to be looked at: those that may change."""
    recorded = {} if task.record is None else {one.domain: one for one in task.record.domains}
    held = None if task.record is None else task.record.quarantine
    pending = set() if held is None else set(held.domains or recorded)
    wanted = {} if made is None else {one.domain: one for one in made.wanted}
    for domain in sorted({*recorded, *wanted, *task.touched, *pending}):
        known, one = recorded.get(domain), wanted.get(domain)
        same = known is not None and one is not None and (known.digest, known.cache) == (one.digest, cache)
        if not same or task.doubtful or inspect or domain in pending:
            yield domain


def changes(
    task: Task, made: Tenant | None, live: Mapping[str, Live | StoreError | None], setting: Setting
) -> Iterator[Change]:
    """What is to happen to the domains that were looked at; those that could not be read are left out."""
    wanted = {} if made is None else {one.domain: one for one in made.wanted}
    own = None if made is None else made.conditions
    holds = own or conditions(setting.policy)
    names = frozenset(key.thumbprint for key in (() if made is None else made.keys))
    for domain, before in live.items():
        if isinstance(before, StoreError):
            continue
        recorded = None if task.record is None else task.record.domain(domain)
        step = Step(
            domain=domain,
            tenant=task.tenant,
            before=before,
            drift=drift(before, recorded, setting.tip),
            wanted=wanted.get(domain),
            record=task.record,
            claim=setting.claims.get(domain),
            conditions=holds,
            # A document that a hazard kept back has the cache terms of its own release.
            copies=setting.copies
            if before is None
            else max(setting.copies, renewed_under(before.headers.cache_control, setting.now)),
            kept={} if made is None else made.kept,
            named=names,
        )
        if (change := _change(step, task, setting)) is not None:
            yield change


def kept_back(task: Task, ids: Iterable[str], why: str, setting: Setting) -> TenantRecord:
    """The record of a tenant that stays at what it serves, for mistakes in its files: with keys past their windows."""
    quarantine = Quarantine(ids=tuple(sorted(set(ids))), why=why, domains=None)
    if task.record is None:
        folder, seen = ("", None) if task.current is None else (task.current.path, task.current.tree)
        return TenantRecord(
            tenant=task.tenant, folder=folder, tree=None, seen=seen, domains=(), keys=(), quarantine=quarantine
        )
    base, now = setting.tip.base, setting.now
    late = {one.thumbprint for one in leaving(task.record, now if base is None else base.as_of, now)}
    keys = (replace(one, kept=one.kept or now) if one.thumbprint in late else one for one in task.record.keys)
    return replace(_seen(task, task.record), keys=tuple(keys), next_change=None, quarantine=quarantine)


def record_after(
    task: Task, made: Tenant | None, stepped: Iterable[Change], unreadable: Iterable[str], setting: Setting
) -> TenantRecord:
    """The tenant's record when the release is complete."""
    before = task.record or TenantRecord(tenant=task.tenant, folder="", tree=None, seen=None, domains=(), keys=())
    changed = {one.domain: one for one in stepped}
    lost = frozenset(unreadable)
    stuck = lost | {domain for domain, one in changed.items() if one.hindered}
    recorded = {one.domain: one for one in before.domains}
    names = sorted({*recorded, *changed})
    domains = (revised(changed[name], setting.sequence) if name in changed else recorded[name] for name in names)
    wanted = () if made is None else made.wanted
    waits = [one.next_change for one in wanted if one.next_change is not None and one.domain not in stuck]
    waits += [
        claim.free_from
        for domain in stuck
        if (claim := setting.claims.get(domain)) is not None and claim.free_from is not None
    ]
    if task.hold is not None and task.hold.until is not None:
        waits.append(task.hold.until)
    left = tuple(one for one in domains if one is not None)
    keys = ledger(task, made, changed, lost, setting)
    own = None if made is None else made.conditions
    present = setting.policy.token_lifetime if own is None else own.token_lifetime
    return replace(
        _seen(task, before),
        tokens=lifetimes(before.tokens, present, setting.now),
        tree=made.tree if made is not None else before.tree if left else None,
        domains=left,
        keys=keys,
        founded=before.founded or min((one.first for one in (*before.keys, *keys) if one.first), default=0),
        next_change=min((one for one in waits if one > setting.now), default=None),
        hold=task.hold,
        quarantine=_quarantine(changed.values(), lost),
    )


def _seen(task: Task, record: TenantRecord) -> TenantRecord:
    current = task.current
    return replace(
        record,
        folder=record.folder if current is None else current.path,
        seen=None if current is None else current.tree,
    )


def _quarantine(changed: Iterable[Change], lost: frozenset[str]) -> Quarantine | None:
    blocked = [one for one in changed if one.hindered]
    if not blocked and not lost:
        return None
    open_hazards = [hazard for one in blocked for hazard in one.hazards if not hazard.waived]
    first = [f"{open_hazards[0].domain}: {open_hazards[0].message}"] if open_hazards else []
    first += [f"{domain}: its live document cannot be read" for domain in sorted(lost)]
    return Quarantine(
        ids=tuple(sorted({one.rule.id for one in open_hazards})),
        why=first[0],
        domains=tuple(sorted(lost | {one.domain for one in blocked})),
    )


def _change(step: Step, task: Task, setting: Setting) -> Change | None:
    domain, record, before, wanted = step.domain, step.record, step.before, step.wanted
    recorded = None if record is None else record.domain(domain)
    effect = effect_of(wanted, before, recorded, step.drift, setting.cache, fenced=domain in task.touched)
    if effect is None:
        return None
    if effect == "withdrawn":
        wanted = None
    old = {} if before is None else before.thumbprints()
    new = {} if wanted is None else {key.kid: key.thumbprint for key in wanted.keys}
    # Another key under the same kid is one out and one in.
    keys_in = tuple(key for key in (() if wanted is None else wanted.keys) if old.get(key.kid) != key.thumbprint)
    keys_out = tuple(kid for kid, thumbprint in old.items() if new.get(kid) != thumbprint)
    found = hazards(replace(step, wanted=wanted), setting.now, setting.allowed, setting.waivers)
    return Change(
        domain=domain,
        tenant=task.tenant,
        wanted=wanted,
        cache=setting.cache,
        recorded=recorded,
        before=before,
        drift=step.drift,
        effect=effect,
        keys_in=keys_in,
        keys_out=keys_out,
        moves=() if wanted is None else tuple(_moves(wanted, old, record, setting)),
        hazards=tuple(found),
        revokes=_revokes(task, wanted, before),
        removes=_removes(wanted, old, keys_out, record, setting.now),
    )


def _moves(wanted: Wanted, old: Mapping[str, str], record: TenantRecord | None, setting: Setting) -> Iterator[Move]:
    base = setting.tip.base
    if record is None or base is None:
        return
    for key in wanted.keys:
        known = record.key(key.thumbprint)
        if known is not None and old.get(key.kid) == key.thumbprint:
            before = phase_in(known.window, base.as_of)
            if before != key.phase:
                yield Move(kid=key.kid, before=before, after=key.phase)


def _revokes(task: Task, wanted: Wanted | None, before: Live | None) -> bool:
    """Whether a key was revoked since the last complete release, or the domain serves nothing any more.

    By the release and not by what is live: a publish that died may have written it, and not purged.
    """
    if before is None:
        return False
    if wanted is None or (not wanted.keys and before.body != wanted.body):
        return True
    released = () if task.record is None else task.record.keys
    valid = {key.thumbprint for key in released if not key.revoked}
    served = set(before.thumbprints().values()) if not task.doubtful else valid
    ended = {thumbprint for thumbprint, at in wanted.ended.values() if at == "revoked"}
    return bool(ended & served)


def _removes(
    wanted: Wanted | None, old: Mapping[str, str], out: Iterable[str], record: TenantRecord | None, now: datetime
) -> bool:
    """Whether files take a key or the document away, and not a window or a revocation."""
    ended = {} if wanted is None else wanted.ended
    for kid in out:
        known = None if record is None else record.key(old[kid])
        revoked = ended.get(kid) == (old[kid], "revoked") or (known is not None and known.revoked)
        if not revoked and (known is None or now < known.window.publish_until):
            return True
    return False
