"""What people and programs read of a plan: text for terminals, or a JSON value."""

from collections.abc import Iterator
from typing import Any

from publisher.diagnostic import clean, ticked
from publisher.hazards import Hazard
from publisher.inert import logged
from publisher.plan import Change, Kept, Plan
from publisher.record import write_instant
from publisher.release import HoldNote
from publisher.report import counted, diagnostics_json, domain_name
from publisher.rules.windows import instant
from publisher.waiver import Waiver

TEXT_LIMIT = 200
"""Domains that a plan names in text; JSON names all."""

_EFFECTS = {
    "new": "new document",
    "keys": "other keys",
    "order": "same keys, other order or form",
    "headers": "same document, other headers",
    "restored": "the document was gone, and is put back",
    "rewritten": "the same document once more, as an unfinished release may have written it",
    "revoked": "revoked keys leave; all else stays as it is",
    "withdrawn": "withdrawn; an empty document stays until `gc` removes it",
}
_SIGNS = {"new": "+", "withdrawn": "-"}


def plan_text(plan: Plan) -> Iterator[str]:
    """The plan, a line at a time: what keeps it from being applied, the changes by domain, what stays."""
    return map(logged, _lines(plan))


def _lines(plan: Plan) -> Iterator[str]:
    for hazard in plan.hazards:
        yield _hazard_text(hazard)
    for mistake in plan.mistakes[:TEXT_LIMIT]:
        yield str(mistake)
    broken = {one.tenant for one in plan.records if one.quarantine is not None and one.quarantine.domains is None}
    for tenant in sorted(broken)[:TEXT_LIMIT]:
        yield f"! tenant {clean(tenant)}: it stays at what it serves, for its mistakes above"
    for change in plan.changes[:TEXT_LIMIT]:
        yield from _change_text(change)
    if len(plan.changes) > TEXT_LIMIT:
        yield f"... and {counted(len(plan.changes) - TEXT_LIMIT, 'more domain')} (--format json names all)"
    for domain, why in plan.unreadable[:TEXT_LIMIT]:
        yield f"! {domain_name(domain)}: left as it is, as it cannot be read: {clean(why)}"


def plan_summary(plan: Plan) -> str:
    """The plan in one line."""
    if plan.refused:
        return f"Refused as a whole: nothing of {plan.source} is published, for the hazards above."
    back = (*plan.quarantined, *plan.held_back)
    if not plan.changes and not plan.unreadable and back:
        names = ", ".join(map(clean, sorted(set(back))[:5])) + (", ..." if len(set(back)) > 5 else "")
        stay = f"{counted(len(set(back)), 'tenant')} ({names}) kept at what was released before"
        return f"Nothing to change for {plan.source}: {counted(plan.total, 'document')}; {stay}."
    if not plan.changes and not plan.unreadable:
        return f"Nothing to change: {counted(plan.total, 'document')} live as in {plan.source}{_without_keys(plan)}."
    moved = [change for change in plan.changes if not change.blocked]
    new = sum(change.effect == "new" for change in moved)
    withdrawn = sum(change.effect == "withdrawn" for change in moved)
    parts = [f"{new} new", f"{len(moved) - new - withdrawn} changed", f"{plan.unchanged} unchanged"]
    if withdrawn:
        parts.append(f"{withdrawn} withdrawn")
    if plan.blocked:
        parts.append(f"{len(plan.blocked)} blocked by hazards")
    if plan.unreadable:
        parts.append(f"{len(plan.unreadable)} not readable")
    seconds = plan.visible_within.total_seconds()
    place = f"from {plan.source} as of {instant(plan.now)}, for {clean(plan.store)}"
    seen = f" A CDN serves what changes within {seconds:.0f} s." if moved else ""
    return f"{', '.join(parts)}, {place}{_without_keys(plan)}.{seen}"


def hold_text(note: HoldNote) -> str:
    """What a hold keeps back, and when that will first hurt."""
    names = f" ({', '.join(map(clean, note.names))}{', ...' if note.tenants > len(note.names) else ''})"
    until = "until `publish --lift-hold`" if note.until is None else f"until {instant(note.until)}"
    hurts = "" if note.hurts is None else f"; what is held back will first be missed at {instant(note.hurts)}"
    who = counted(note.tenants, "tenant")
    return f"{who}{names} held at release {note.release} {until}: {clean(note.reason)}{hurts}"


def kept_text(one: Kept) -> str:
    """Why a key stays that was to go."""
    why = "its tokens may be alive: its successor was published late, or the token lifetime was shortened"
    return f"{ticked(one.kid)} of {clean(one.tenant)} stays until {instant(one.until)}, past its publish.until; {why}"


def unused_text(one: Waiver) -> str:
    """That a waiver waived nothing."""
    return f"waivers.yaml: {clean(one.about)}: it waived nothing here; remove it if what it was for is published"


def plan_json(plan: Plan) -> dict[str, Any]:
    """The plan as a JSON value; bodies by their digests."""
    return {
        "digest": plan.digest,
        "kind": plan.kind,
        "source": plan.source,
        "commit": plan.commit.id,
        "store": plan.store,
        "as_of": instant(plan.now),
        "release": plan.sequence,
        "base": None if plan.base is None else plan.base.sequence,
        "hazards": [_hazard_json(one) for one in plan.hazards],
        "mistakes": diagnostics_json(plan.mistakes),
        "changes": [_change_json(change) for change in plan.changes],
        "unchanged": plan.unchanged,
        "without_keys": list(plan.without_keys),
        "unreadable": [{"domain": domain, "why": why} for domain, why in plan.unreadable],
        "quarantined": list(plan.quarantined),
        "kept": [{"tenant": one.tenant, "kid": one.kid, "until": write_instant(one.until)} for one in plan.kept],
        "unused_waivers": [_waiver_json(one) for one in plan.unused],
        "holds": [
            {
                "release": one.release,
                "reason": one.reason,
                "until": write_instant(one.until),
                "tenants": one.tenants,
                "names": list(one.names),
                "first_missed": write_instant(one.hurts),
            }
            for one in plan.holds
        ],
        "visible_within_seconds": plan.visible_within.total_seconds(),
        "next_change": write_instant(plan.next_change),
    }


def _without_keys(plan: Plan) -> str:
    count = len(plan.without_keys)
    return f"; {counted(count, 'domain')} without a key, and so without a document" if count else ""


def _change_text(change: Change) -> Iterator[str]:
    sign = _SIGNS.get(change.effect, "~")
    yield f"{sign} {domain_name(change.domain)} (tenant {clean(change.tenant)}): {_EFFECTS[change.effect]}"
    for key in change.keys_in:
        yield f"    + {clean(key.kid)}  {key.alg}  {key.origin}  {key.phase}  {key.thumbprint}"
    for kid in change.keys_out:
        yield f"    - {clean(kid)}"
    for move in change.moves:
        yield f"    ~ {clean(move.kid)}  {move.before} -> {move.after}"
    for hazard in change.hazards:
        yield f"    {_hazard_text(hazard)}"


def _hazard_text(hazard: Hazard) -> str:
    state, hint, waiver = "waived" if hazard.waived else "blocked", hazard.hint, hazard.waiver
    if waiver is not None:
        hint = f"waivers.yaml, until {instant(waiver.until)}: {clean(waiver.reason)}"
    return f"! {state}: {hazard.rule.id}: {hazard.message}; {hint}"


def _hazard_json(hazard: Hazard) -> dict[str, Any]:
    waiver = None if hazard.waiver is None else _waiver_json(hazard.waiver)
    told = {"id": hazard.rule.id, "message": hazard.message, "hint": hazard.hint, "waived": hazard.waived}
    return {**told, "tenant": hazard.tenant, "kid": hazard.kid, "waiver": waiver}


def _waiver_json(one: Waiver) -> dict[str, Any]:
    names = {"tenant": one.tenant, "kid": one.kid, "domain": one.domain}
    return {"rule": one.rule, **names, "until": instant(one.until), "reason": one.reason}


def _change_json(change: Change) -> dict[str, Any]:
    return {
        "domain": change.domain,
        "tenant": change.tenant,
        "effect": change.effect,
        "sha256": change.digest,
        "bytes": len(change.body),
        "keys_in": [
            {"kid": key.kid, "alg": key.alg, "origin": key.origin, "phase": key.phase, "thumbprint": key.thumbprint}
            for key in change.keys_in
        ],
        "keys_out": list(change.keys_out),
        "phases_moved": [{"kid": move.kid, "before": move.before, "after": move.after} for move in change.moves],
        "hazards": [_hazard_json(one) for one in change.hazards],
        "blocked": change.blocked,
    }
