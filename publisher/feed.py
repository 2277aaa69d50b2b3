"""The signer feed: which key an issuer signs with, for how long it may rely on that, and which key comes next."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from publisher.conditions import Conditions
from publisher.diagnostic import clean
from publisher.keyset import ALWAYS, NEVER, Key, KeySet
from publisher.memory import Publications
from publisher.record import KeyRecord, TenantRecord
from publisher.rules.windows import instant
from publisher.signing import Candidate, Signing, later, signing


@dataclass(frozen=True, slots=True, kw_only=True)
class Feed:
    """What an issuer is told. `fresh_until`: what is said of `signing.key` holds so long, but for a revocation.

    Where none signs, it is `now`.

    `release` and `completed_at` are those of the store's last complete release; None where the dates of the files alone
    were asked for.
    """

    tenant: str
    now: datetime
    signing: Signing
    fresh_until: datetime
    interval: int
    release: int | None = None
    completed_at: datetime | None = None

    def of(self, release: int, completed_at: datetime | None) -> "Feed":
        """The feed as of a release."""
        return replace(self, release=release, completed_at=completed_at)


def feed(
    keyset: KeySet,
    holds: Conditions,
    now: datetime,
    record: TenantRecord | None = None,
    known: Publications | None = None,
    as_of: datetime | None = None,
) -> Feed:
    """The feed by the files and, with `known`, by what is recorded as published. Revoked is what either says.

    `as_of` is that of the release which the record is of.
    """
    gone = set() if record is None else {key.thumbprint for key in record.keys if key.revoked}
    keys = [key for key in keyset.keys if key.origin == "generated" and key.domains is None]
    dead = [key for key in keys if key.revoked is not None or key.jwk.thumbprint in gone]
    # What some of the domains served is not published in all of them.
    partly = set() if record is None or known is None else {key.thumbprint for key in record.keys if key.limited}
    line: list[Candidate] = []
    for key in keys:
        name = key.jwk.thumbprint
        if key in dead or name in partly:
            continue
        named = _named(record, key)
        line.append(
            Candidate(
                kid=named.kid,
                thumbprint=name,
                alg=named.alg,
                window=key.window,
                ready=key.window.signs_from if known is None else known.ready(name, key.window, holds),
                seen=key.window.publish_from if known is None else known.seen.get(name),
                vault=key.vault,
                served=as_of is None or _is_served(record, name, as_of),
            )
        )
    found = signing(line, now, bereft=bool(dead))
    return Feed(
        tenant=keyset.tenant,
        now=now,
        signing=found,
        fresh_until=_fresh_until(found, holds, now),
        interval=int(holds.interval.total_seconds()),
    )


def _named(record: TenantRecord | None, key: Key) -> Key | KeyRecord:
    """The key as the documents name it, whatever the files call it by now."""
    there = None if record is None else record.key(key.jwk.thumbprint)
    return key if there is None or not there.first else there


def _is_served(record: TenantRecord | None, thumbprint: str, as_of: datetime) -> bool:
    key = None if record is None else record.key(thumbprint)
    return key is not None and (as_of < key.window.publish_until or key.kept is not None)


def _fresh_until(found: Signing, holds: Conditions, now: datetime) -> datetime:
    """No key that is not published yet can take over before a lead has passed."""
    if found.key is None:
        return now  # the first publish makes a key sign at once
    ends = [later(now, holds.lead)]
    if found.not_before is not None:
        ends.append(found.not_before)
    if found.following is None and found.key.window.signs_until > now:
        ends.append(found.key.window.signs_until)
    return max(now, min(ends))


def feed_json(value: Feed) -> dict[str, Any]:
    """For programs. `key` is null where no key may sign; instants are RFC 3339 in UTC."""
    found = value.signing
    return {
        "tenant": value.tenant,
        "as_of": instant(value.now),
        "key": None if found.key is None else _key(found.key),
        "overdue": found.overdue,
        "early": found.early,
        "next": None
        if found.following is None
        else {**_key(found.following), "not_before": None if found.not_before is None else instant(found.not_before)},
        "fresh_until": instant(value.fresh_until),
        "read_again_within_seconds": value.interval,
        "release": value.release,
        "completed_at": None if value.completed_at is None else instant(value.completed_at),
    }


def feed_text(value: Feed) -> Iterator[str]:
    """For people."""
    found, key = value.signing, value.signing.key
    if key is None:
        yield f"no key of {clean(value.tenant)} may sign at {instant(value.now)}"
    else:
        yield f"{clean(key.kid)} signs ({key.alg}){_since(key.window.signs_from)}"
        if found.overdue:
            yield "    past its end, as its successor is not published for long enough"
        if found.early:
            yield "    before all verifiers have it, as the key before it was revoked"
        if key.vault is not None:
            yield f"    private half: {clean(key.vault)}"
    following = found.following
    if following is not None and found.not_before is None:
        yield f"{clean(following.kid)} comes next, once it has been published for the lead; it is not published yet"
    elif following is not None and found.not_before is not None and found.not_before < NEVER:
        yield f"{clean(following.kid)} comes next, not before {instant(found.not_before)}"
    yield f"fresh until {instant(value.fresh_until)}; read it again within {value.interval} s, for revocations"


def _since(moment: datetime) -> str:
    return "" if moment == ALWAYS else f" since {instant(moment)}"


def _key(one: Candidate) -> dict[str, Any]:
    return {"kid": one.kid, "alg": one.alg, "thumbprint": one.thumbprint, "vault": one.vault}
