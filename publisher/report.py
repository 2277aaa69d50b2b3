"""What people and programs read: plans and tenants, as text for terminals or as JSON values."""

import shlex
from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Any
from urllib.parse import unquote

from publisher.diagnostic import Diagnostic, clean
from publisher.fleet import Checked
from publisher.keyset import ALWAYS, NEVER, Key
from publisher.plan import Change, Plan
from publisher.rules.domains import unicode_name
from publisher.rules.windows import instant
from publisher.state import live_key
from publisher.timeline import phase

TEXT_LIMIT = 200
"""Domains that a plan names in text; JSON names all."""

_SIGNS = {"new": "+", "keys": "~", "order": "~", "headers": "~"}
_EFFECTS = {
    "new": "new document",
    "keys": "other keys",
    "order": "same keys, other order or form",
    "headers": "same document, other headers",
}


def domain_name(domain: str) -> str:
    """The domain, with its U-labels beside it where it is international."""
    known = unicode_name(domain)
    return clean(domain) if known is None else f"{clean(domain)} ({known})"


def counted(number: int, noun: str, plural: str = "") -> str:
    """`1 key`, `2 keys`."""
    return f"{number} {noun}" if number == 1 else f"{number} {plural or noun + 's'}"


def diagnostics_json(diagnostics: Iterable[Diagnostic]) -> list[dict[str, Any]]:
    """The mistakes as JSON values."""
    return [
        {
            "path": one.path,
            "line": one.line,
            "column": one.column,
            "rule": one.rule,
            "message": one.message,
            "hint": one.hint,
        }
        for one in diagnostics
    ]


def plan_text(plan: Plan) -> Iterator[str]:
    """The plan, a line at a time: the changes by domain, then what stays, then the counts."""
    for change in plan.changes[:TEXT_LIMIT]:
        yield from _change_text(change)
    if len(plan.changes) > TEXT_LIMIT:
        yield f"... and {counted(len(plan.changes) - TEXT_LIMIT, 'more domain')} (--format json names all)"
    for domain, why in plan.unreadable[:TEXT_LIMIT]:
        yield f"! {domain_name(domain)}: left as it is, as it cannot be read: {clean(why)}"
    for domain in plan.not_in_source[:TEXT_LIMIT]:
        yield f"? {domain_name(domain)}: live, and not in {plan.source}; left as it is"


def plan_summary(plan: Plan) -> str:
    """The plan in one line."""
    if not plan.changes and not plan.unreadable:
        return (
            f"Nothing to change: {counted(plan.unchanged, 'document')} live as in {plan.source}{_without_keys(plan)}."
        )
    new = sum(change.effect == "new" for change in plan.changes)
    blocked = len(plan.blocked)
    parts = [f"{new} new", f"{len(plan.changes) - new} changed", f"{plan.unchanged} unchanged"]
    if blocked:
        parts.append(f"{blocked} blocked by hazards")
    if plan.unreadable:
        parts.append(f"{len(plan.unreadable)} not readable")
    place = f"from {plan.source} as of {instant(plan.now)}, for {clean(plan.store)}"
    return f"{', '.join(parts)}, {place}{_without_keys(plan)}."


def _without_keys(plan: Plan) -> str:
    count = len(plan.without_keys)
    return f"; {counted(count, 'domain')} without a key, and so without a document" if count else ""


def _change_text(change: Change) -> Iterator[str]:
    wanted = change.wanted
    effect = _EFFECTS[change.effect]
    yield f"{_SIGNS[change.effect]} {domain_name(wanted.domain)} (tenant {clean(wanted.tenant)}): {effect}"
    for key in change.keys_in:
        yield f"    + {clean(key.kid)}  {key.alg}  {key.origin}  {key.phase}  {key.thumbprint}"
    for kid in change.keys_out:
        yield f"    - {clean(kid)}"
    for move in change.moves:
        yield f"    ~ {clean(move.kid)}  {move.before or 'unknown phase'} -> {move.after}"
    for hazard in change.hazards:
        state = "waived" if hazard.waived else "blocked"
        yield f"    ! {state}: {hazard.rule.id}: {hazard.message}; {hazard.hint}"


def plan_json(plan: Plan) -> dict[str, Any]:
    """The plan as a JSON value; bodies by their digests."""
    return {
        "source": plan.source,
        "store": plan.store,
        "as_of": instant(plan.now),
        "changes": [_change_json(change) for change in plan.changes],
        "unchanged": plan.unchanged,
        "without_keys": list(plan.without_keys),
        "not_in_source": list(plan.not_in_source),
        "unreadable": [{"domain": domain, "why": why} for domain, why in plan.unreadable],
        "next_change": None if plan.next_change is None else instant(plan.next_change),
    }


def _change_json(change: Change) -> dict[str, Any]:
    return {
        "domain": change.wanted.domain,
        "tenant": change.wanted.tenant,
        "effect": change.effect,
        "sha256": change.wanted.digest,
        "bytes": len(change.wanted.body),
        "keys_in": [
            {"kid": key.kid, "alg": key.alg, "origin": key.origin, "phase": key.phase, "thumbprint": key.thumbprint}
            for key in change.keys_in
        ],
        "keys_out": list(change.keys_out),
        "phases_moved": [{"kid": move.kid, "before": move.before, "after": move.after} for move in change.moves],
        "hazards": [
            {"id": one.rule.id, "message": one.message, "hint": one.hint, "waived": one.waived}
            for one in change.hazards
        ],
        "blocked": change.blocked,
    }


def look_command(store: str, domain: str, endpoint_url: str | None = None) -> str:
    """The command that shows a domain's live document, for a shell."""
    scheme, _, rest = store.partition("://")
    key = live_key(domain)
    if scheme == "file":
        return shlex.join(["cat", f"{unquote(rest).rstrip('/')}/{key}"])
    place = f"{store.rstrip('/')}/{key}"
    if scheme == "s3":
        endpoint = [] if endpoint_url is None else ["--endpoint-url", endpoint_url]
        return shlex.join(["aws", *endpoint, "s3", "cp", place, "-"])
    if scheme == "gs":
        return shlex.join(["gcloud", "storage", "cat", place])
    container, _, prefix = rest.partition("/")
    name = f"{prefix.rstrip('/')}/{key}" if prefix else key
    return shlex.join(["az", "storage", "blob", "download", "--container-name", container, "--name", name])


def tenant_text(checked: Checked, now: datetime) -> Iterator[str]:
    """A tenant: its domains, and each key's phase, windows, algorithm and thumbprint."""
    keyset, compiled = checked.keyset, checked.compiled
    if keyset is None or compiled is None:
        return
    yield f"tenant {clean(keyset.tenant)}, plan {clean(keyset.plan)}, as of {instant(now)}"
    for one in compiled.domains:
        document, change = one.at(now), one.next_change(now)
        changes = "does not change" if change is None else f"changes at {instant(change)}"
        kind = "canonical domain" if one.canonical else "domain"
        yield f"{kind} {domain_name(one.domain)}: {counted(len(document.keys), 'key')}, {changes}"
    for key in keyset.keys:
        yield f"{key.origin} key {clean(key.kid)}"
        for name, value in _key_facts(key, now).items():
            yield f"    {name:<11} {value}"


def _key_facts(key: Key, now: datetime) -> dict[str, str]:
    window = key.window
    facts = {
        "phase": phase(key, now),
        "algorithm": key.alg,
        "thumbprint": key.jwk.thumbprint,
        "published": f"{_bound(window.publish_from)} .. {_bound(window.publish_until)}",
        "signs": f"{_bound(window.signs_from)} .. {_bound(window.signs_until)}",
    }
    if key.domains is not None:
        facts["domains"] = ", ".join(clean(domain) for domain in key.domains)
    if key.revoked is not None:
        facts["revoked"] = f"{instant(key.revoked.at)}: {clean(key.revoked.reason)}"
    return facts


def tenant_json(checked: Checked, now: datetime) -> dict[str, Any]:
    """A tenant as a JSON value. Open ends of windows are null."""
    keyset, compiled = checked.keyset, checked.compiled
    if keyset is None or compiled is None:
        return {}
    return {
        "tenant": keyset.tenant,
        "plan": keyset.plan,
        "as_of": instant(now),
        "domains": [
            {
                "domain": one.domain,
                "unicode": unicode_name(one.domain),
                "canonical": one.canonical,
                "sha256": one.at(now).digest,
                "keys": [item.key.kid for item in one.at(now).keys],
                "next_change": _json_instant(one.next_change(now)),
            }
            for one in compiled.domains
        ],
        "keys": [_key_json(key, now) for key in keyset.keys],
    }


def _key_json(key: Key, now: datetime) -> dict[str, Any]:
    window = key.window
    return {
        "kid": key.kid,
        "origin": key.origin,
        "phase": phase(key, now),
        "alg": key.alg,
        "thumbprint": key.jwk.thumbprint,
        "publish": {"from": _json_instant(window.publish_from), "until": _json_instant(window.publish_until)},
        "signs": {"from": _json_instant(window.signs_from), "until": _json_instant(window.signs_until)},
        "domains": None if key.domains is None else list(key.domains),
        "revoked": None if key.revoked is None else {"at": instant(key.revoked.at), "reason": key.revoked.reason},
    }


def _bound(moment: datetime) -> str:
    return "open" if moment in (ALWAYS, NEVER) else instant(moment)


def _json_instant(moment: datetime | None) -> str | None:
    return None if moment is None or moment in (ALWAYS, NEVER) else instant(moment)
