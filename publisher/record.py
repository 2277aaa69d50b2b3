"""What a release records of a tenant: what its domains serve, every key that it ever had, what holds it back.

Values and their JSON; which tenants stand in which object is in `shard`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from publisher.keyset import ALWAYS, NEVER, Key, Origin, Window


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyRecord:
    """A key that the tenant's files hold, or held once. It stays for ever, so that a revoked key never returns.

    `first` is the release since which every domain of the key serves it (0: not yet), and `since` an instant that
    somebody stated instead. `identity` is `jwk.identity` as lower-case hexadecimal digits. `limited`: to some of the
    domains. `kept`: until then it stays in the documents past its `publish.until`, as tokens need it. `struck`: it was
    revoked in the store alone, and files that are as they were then know nothing of that (see `emergency`). `away`: its
    documents came to be without it before its time, by a rollback say, so that it counts as published no more.
    """

    kid: str
    thumbprint: str
    identity: str
    alg: str
    origin: Origin
    window: Window
    revoked: bool = False
    first: int = 0
    since: datetime | None = None
    limited: bool = False
    kept: datetime | None = None
    struck: bool = False
    away: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Lifetime:
    """A longest lifetime of tokens. `until`: when the last such token has expired; None for the present lifetime."""

    lifetime: timedelta
    until: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class DomainRecord:
    """What a domain serves: the SHA-256 of its document, its Cache-Control, and the release that wrote it last."""

    domain: str
    digest: str
    cache: str
    release: int
    keys: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Hold:
    """A tenant is kept at what it was in `release`, until somebody lifts the hold or `until` has come."""

    release: int
    reason: str
    until: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Quarantine:
    """Why a tenant, or some of its domains, stay at what they serve: ids of rules or hazards, and text for people.

    `domains` is None where all of them do.
    """

    ids: tuple[str, ...]
    why: str
    domains: tuple[str, ...] | None


@dataclass(frozen=True, slots=True, kw_only=True)
class TenantRecord:
    """A tenant as of a release.

    `tree` is the Git tree that its documents were made from, `seen` the one that the released commit has: they differ
    while it is held or quarantined. `seen` is None for a tenant that is in the commit no more. `founded` is the release
    of its first documents, before which nobody had a copy of any; 0: none yet, or not known.
    """

    tenant: str
    folder: str
    tree: str | None
    seen: str | None
    domains: tuple[DomainRecord, ...]
    keys: tuple[KeyRecord, ...]
    next_change: datetime | None = None
    hold: Hold | None = None
    quarantine: Quarantine | None = None
    tokens: tuple[Lifetime, ...] = ()
    founded: int = 0

    def domain(self, name: str) -> DomainRecord | None:
        """What a domain serves."""
        return next((one for one in self.domains if one.domain == name), None)

    def key(self, thumbprint: str) -> KeyRecord | None:
        """The key with this RFC 7638 thumbprint."""
        return next((one for one in self.keys if one.thumbprint == thumbprint), None)


def key_record(key: Key, identity: bytes) -> KeyRecord:
    """A key of the files, before any release."""
    return KeyRecord(
        kid=key.kid,
        thumbprint=key.jwk.thumbprint,
        identity=identity.hex(),
        alg=key.alg,
        origin=key.origin,
        window=key.window,
        revoked=key.revoked is not None,
        limited=key.domains is not None,
    )


def to_json(record: TenantRecord) -> dict[str, Any]:
    """The record as a JSON value. What is None, false or 0 is left out."""
    value: dict[str, Any] = {
        "folder": record.folder,
        "tree": record.tree,
        "seen": record.seen,
        "domains": {
            one.domain: {"sha256": one.digest, "cache": one.cache, "release": one.release, "keys": one.keys}
            for one in record.domains
        },
        "keys": [key_json(one) for one in record.keys],
        "next_change": write_instant(record.next_change),
    }
    if record.hold is not None:
        hold = record.hold
        value["hold"] = {"release": hold.release, "reason": hold.reason, "until": write_instant(hold.until)}
    if record.quarantine is not None:
        held = record.quarantine
        domains = None if held.domains is None else list(held.domains)
        value["quarantine"] = {"ids": list(held.ids), "why": held.why, "domains": domains}
    if record.tokens:
        value["tokens"] = [[int(one.lifetime.total_seconds()), write_instant(one.until)] for one in record.tokens]
    if record.founded:
        value["founded"] = record.founded
    return value


def from_json(tenant: str, value: Mapping[str, Any]) -> TenantRecord:
    """The record of a JSON value. Raises ValueError, KeyError, TypeError or AttributeError where it is none."""
    hold, held = value.get("hold"), value.get("quarantine")
    return TenantRecord(
        tenant=tenant,
        folder=value["folder"],
        tree=value["tree"],
        seen=value["seen"],
        domains=tuple(
            DomainRecord(
                domain=name, digest=one["sha256"], cache=one["cache"], release=int(one["release"]), keys=one["keys"]
            )
            for name, one in value["domains"].items()
        ),
        keys=tuple(key_from(one) for one in value["keys"]),
        next_change=read_instant(value["next_change"]),
        hold=None if hold is None else Hold(**{**hold, "until": read_instant(hold["until"])}),
        quarantine=None
        if held is None
        else Quarantine(
            ids=tuple(held["ids"]),
            why=held["why"],
            domains=None if held["domains"] is None else tuple(held["domains"]),
        ),
        tokens=tuple(
            Lifetime(lifetime=timedelta(seconds=seconds), until=read_instant(until))
            for seconds, until in value.get("tokens", ())
        ),
        founded=int(value.get("founded", 0)),
    )


def write_instant(moment: datetime | None) -> str | None:
    """RFC 3339 in UTC, with microseconds where there are some; None for None, `ALWAYS` and `NEVER`."""
    if moment is None or moment in (ALWAYS, NEVER):
        return None
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")


def read_instant(text: str | None) -> datetime | None:
    """The instant that `write_instant` wrote. Raises ValueError for anything else."""
    if text is None:
        return None
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise ValueError("an instant without a time zone")
    return moment.astimezone(UTC)


def key_json(key: KeyRecord) -> dict[str, Any]:
    """A key as a JSON value."""
    window = key.window
    ends = (window.publish_from, window.signs_from, window.signs_until, window.publish_until)
    value: dict[str, Any] = {
        "kid": key.kid,
        "thumbprint": key.thumbprint,
        "identity": key.identity,
        "alg": key.alg,
        "origin": key.origin,
        "window": [write_instant(end) for end in ends],
    }
    if key.revoked:
        value["revoked"] = True
    if key.first:
        value["first"] = key.first
    if key.since is not None:
        value["since"] = write_instant(key.since)
    if key.limited:
        value["limited"] = True
    if key.kept is not None:
        value["kept"] = write_instant(key.kept)
    if key.struck:
        value["struck"] = True
    if key.away:
        value["away"] = True
    return value


def key_from(value: Mapping[str, Any]) -> KeyRecord:
    """The key of a JSON value. Raises as `from_json`."""
    publish_from, signs_from, signs_until, publish_until = (read_instant(end) for end in value["window"])
    return KeyRecord(
        kid=value["kid"],
        thumbprint=value["thumbprint"],
        identity=value["identity"],
        alg=value["alg"],
        origin="custom" if value["origin"] == "custom" else "generated",
        window=Window(
            publish_from=publish_from or ALWAYS,
            signs_from=signs_from or ALWAYS,
            signs_until=signs_until or NEVER,
            publish_until=publish_until or NEVER,
        ),
        revoked=value.get("revoked", False),
        first=value.get("first", 0),
        since=read_instant(value.get("since")),
        limited=value.get("limited", False),
        kept=read_instant(value.get("kept")),
        struck=value.get("struck", False),
        away=value.get("away", False),
    )
