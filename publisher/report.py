"""What people and programs read: mistakes and tenants, as text for terminals or as JSON values. Plans: `planreport`."""

import shlex
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from types import MappingProxyType
from typing import Any
from urllib.parse import unquote

from publisher.checking import Checked
from publisher.diagnostic import Diagnostic, clean, ticked
from publisher.exposure import Safe
from publisher.keyset import ALWAYS, NEVER, Key
from publisher.rules.domains import unicode_name
from publisher.rules.windows import instant
from publisher.timeline import phase

_NOTHING: Mapping[str, "Safe | None"] = MappingProxyType({})


def domain_name(domain: str) -> str:
    """The domain, with its U-labels beside it where it is international."""
    known = unicode_name(domain)
    return clean(domain) if known is None else f"{clean(domain)} ({known})"


_NAMED = 5


def counted(number: int, noun: str, plural: str = "") -> str:
    """`1 key`, `2 keys`."""
    return f"{number} {noun}" if number == 1 else f"{number} {plural or noun + 's'}"


def named(names: Sequence[str]) -> str:
    """Some names in backquotes, and how many more."""
    more = f" and {len(names) - _NAMED:,} more" if len(names) > _NAMED else ""
    return ", ".join(map(ticked, names[:_NAMED])) + more


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


def look_command(store: str, domain: str, endpoint_url: str | None = None) -> str:
    """The command that shows a domain's live document, for a shell."""
    from publisher.state import live_key  # with asyncio, which takes its time

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


def tenant_text(checked: Checked, now: datetime, safe: Mapping[str, Safe | None] = _NOTHING) -> Iterator[str]:
    """A tenant: its domains, and each key's phase, windows, algorithm and thumbprint.

    `safe` is by thumbprint: from when keys are safe to sign with, None for those that are not published.
    """
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
        for name, value in (_key_facts(key, now) | _safety(key, safe)).items():
            yield f"    {name:<11} {value}"


def _key_facts(key: Key, now: datetime) -> dict[str, str]:
    window = key.window
    facts = {
        "phase": phase(key, now),
        "algorithm": key.alg,
        "thumbprint": key.jwk.thumbprint,
        "published": f"{bound(window.publish_from)} .. {bound(window.publish_until)}",
        "signs": f"{bound(window.signs_from)} .. {bound(window.signs_until)}",
    }
    if key.domains is not None:
        facts["domains"] = ", ".join(clean(domain) for domain in key.domains)
    if key.revoked is not None:
        facts["revoked"] = f"{instant(key.revoked.at)}: {clean(key.revoked.reason)}"
    return facts


def _safety(key: Key, safe: Mapping[str, Safe | None]) -> dict[str, str]:
    name = key.jwk.thumbprint
    if name not in safe:
        return {}
    found = safe[name]
    if found is None:
        return {"served": "by none or not all of its domains", "safe to sign": "not yet"}
    facts = {"served": f"since {instant(found.published)}", "safe to sign": f"from {instant(found.everywhere)} on"}
    if found.verifiers:
        facts["by verifier"] = ", ".join(f"{name} {instant(at)}" for name, at in found.verifiers.items())
    return facts


def tenant_json(checked: Checked, now: datetime, safe: Mapping[str, Safe | None] = _NOTHING) -> dict[str, Any]:
    """A tenant as a JSON value. Open ends of windows are null; `safe` as for `tenant_text`."""
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
                "next_change": json_instant(one.next_change(now)),
            }
            for one in compiled.domains
        ],
        "keys": [_key_json(key, now) | _safety_json(key, safe) for key in keyset.keys],
    }


def _safety_json(key: Key, safe: Mapping[str, Safe | None]) -> dict[str, Any]:
    name = key.jwk.thumbprint
    if name not in safe:
        return {}
    found = safe[name]
    if found is None:
        return {"served_since": None, "safe_to_sign": None}
    return {
        "served_since": instant(found.published),
        "safe_to_sign": instant(found.everywhere),
        "safe_by_verifier": {name: instant(at) for name, at in found.verifiers.items()},
    }


def _key_json(key: Key, now: datetime) -> dict[str, Any]:
    window = key.window
    return {
        "kid": key.kid,
        "origin": key.origin,
        "phase": phase(key, now),
        "alg": key.alg,
        "thumbprint": key.jwk.thumbprint,
        "publish": {"from": json_instant(window.publish_from), "until": json_instant(window.publish_until)},
        "signs": {"from": json_instant(window.signs_from), "until": json_instant(window.signs_until)},
        "domains": None if key.domains is None else list(key.domains),
        "revoked": None if key.revoked is None else {"at": instant(key.revoked.at), "reason": key.revoked.reason},
    }


def bound(moment: datetime) -> str:
    """An end of a window."""
    return "open" if moment in (ALWAYS, NEVER) else instant(moment)


def json_instant(moment: datetime | None) -> str | None:
    """An instant, or null for an open end."""
    return None if moment is None or moment in (ALWAYS, NEVER) else instant(moment)
