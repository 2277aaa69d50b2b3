"""The difference between what domains serve and what they are to serve, as a value. Only a plan can be applied.

A plan always shows, however dangerous; whether it may be applied is a property of it and of each change. How one comes
to be is in `draft`.
"""

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Literal, TypeAlias

import orjson

from publisher.checking import Tenant
from publisher.diagnostic import Diagnostic
from publisher.hazards import Hazard
from publisher.record import DomainRecord, KeyRecord, TenantRecord
from publisher.release import Base, HoldNote, Kind, Previous, Released, Terms
from publisher.shard import Claim, Shard, Summary, changed_shards
from publisher.state import EMPTY, Drift, Live, live_headers, serves
from publisher.timeline import Phase
from publisher.waiver import Waiver
from publisher.wanted import KeyFact, Wanted

Effect: TypeAlias = Literal["new", "keys", "order", "headers", "restored", "rewritten", "withdrawn", "revoked"]
"""What a change does: a first document, other keys, the same keys in other order or form, other headers alone, a
document that was gone put back, the same once more (as it cannot be told who wrote it last), a domain taken away, or
revoked keys alone taken out of a document that otherwise stays (see `rescue`)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Move:
    """A key's way from one phase to another, by the windows that were released last."""

    kid: str
    before: Phase
    after: Phase


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """What is to happen to one domain's live document. `wanted` is None where the domain is withdrawn.

    `revokes`: copies of what was live must not be used any longer. `removes`: files take away what time would not.
    """

    domain: str
    tenant: str
    wanted: Wanted | None
    cache: str
    recorded: DomainRecord | None
    before: Live | None
    drift: Drift
    effect: Effect
    keys_in: tuple[KeyFact, ...]
    keys_out: tuple[str, ...]
    moves: tuple[Move, ...]
    hazards: tuple[Hazard, ...]
    revokes: bool
    removes: bool
    stays: frozenset[str] | None = None
    """Where hazards block all but a revocation: thumbprints of the keys that they keep in the document."""

    @property
    def body(self) -> bytes:
        """The document to serve."""
        return EMPTY if self.wanted is None else self.wanted.body

    @property
    def digest(self) -> str:
        """SHA-256 of `body`."""
        return hashlib.sha256(self.body).hexdigest()

    @property
    def blocked(self) -> bool:
        """Whether a hazard that nobody waived keeps the change from being applied."""
        return self.stays is None and self.hindered

    @property
    def hindered(self) -> bool:
        """Whether a hazard that nobody waived keeps the domain from what the files want."""
        return any(not hazard.waived for hazard in self.hazards)


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """A key that stays in the documents until an instant, past its window, as its tokens may be alive."""

    tenant: str
    kid: str
    until: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """All changes of a publish, by domain, and the release that says so.

    `records`, `claims` and `shards` (those that were read) are what the release's shards are made of. `mistakes` keep
    their tenants at what they serve; `unreadable` are domains whose live document cannot be read, and why.
    """

    kind: Kind
    reason: str
    source: str
    store: str
    now: datetime
    sequence: int
    previous: Previous | None
    base: Base | None
    commit: Released
    root: str
    tree: str
    policy: str
    cache: str
    terms: tuple[Terms, ...]
    visible_within: timedelta
    """How long a CDN in front of the store may go on serving what changes, without a purge."""
    changes: tuple[Change, ...]
    total: int
    without_keys: tuple[str, ...] = ()
    unreadable: tuple[tuple[str, str], ...]
    mistakes: tuple[Diagnostic, ...] = ()
    hazards: tuple[Hazard, ...] = ()
    holds: tuple[HoldNote, ...]
    left: tuple[tuple[str, str], ...]
    """Tenants and domains that a release above HEAD may have written, and that mistakes keep from being written now."""
    held_back: tuple[str, ...] = ()
    """Tenants that were looked at, and in which a hold keeps back what the commit has."""
    quarantined: tuple[str, ...]
    """Tenants that stay, wholly or in part, at what they serve."""
    kept: tuple[Kept, ...] = ()
    """Keys that stay past their windows."""
    unused: tuple[Waiver, ...] = ()
    """Waivers that waived nothing of tenants that were looked at, and are not kept back."""
    records: tuple[TenantRecord, ...]
    claims: Mapping[str, Claim] = field(default_factory=dict)
    shards: Mapping[int, Shard]
    base_shards: Mapping[int, Summary]
    next_change: datetime | None
    needed: bool
    """Whether there is anything to release; without it the store is as the commit wants it."""
    program: str
    """The version that compiled what the records hold."""
    struck: tuple[tuple[str, KeyRecord], ...] = ()
    """Keys that are revoked by the store alone, by tenant."""

    @property
    def blocked(self) -> tuple[Change, ...]:
        """The changes that hazards keep from being applied, wholly or but for a revocation."""
        return tuple(change for change in self.changes if change.hindered)

    @property
    def refused(self) -> bool:
        """Whether a hazard of the whole publish keeps all of it from being applied."""
        return any(not hazard.waived for hazard in self.hazards)

    @property
    def unchanged(self) -> int:
        """Documents that stay as they are."""
        touched = sum(
            change.recorded is not None if change.blocked else change.effect != "withdrawn" for change in self.changes
        )
        return self.total - touched

    @property
    def digest(self) -> str:
        """SHA-256 of all that the plan would do and of what it starts from; not of the time it was made at."""
        value = {
            "kind": self.kind,
            "sequence": self.sequence,
            "previous": None if self.previous is None else [self.previous.sequence, self.previous.digest],
            "base": None if self.base is None else self.base.sequence,
            "commit": self.commit.id,
            "root": self.root,
            "policy": self.policy,
            "changes": [_essence(change) for change in self.changes],
            "hazards": [[one.rule.id, one.waived] for one in self.hazards],
            "mistakes": [str(one) for one in self.mistakes],
            "unreadable": [domain for domain, _ in self.unreadable],
            "records": sorted([one.tenant, one.tree, one.seen] for one in self.records),
        }
        return hashlib.sha256(orjson.dumps(value)).hexdigest()


def summaries_after(
    base: Mapping[int, Summary],
    shards: Mapping[int, Shard],
    records: Iterable[TenantRecord],
    claims: Mapping[str, Claim],
) -> dict[int, Summary]:
    """The summaries of all shards when these records and claims are in; changed ones have no digest yet."""
    changed = changed_shards(shards, records, claims)
    return {**base, **{one: shard.summary("") for one, shard in changed}}


def effect_of(
    wanted: Wanted | None, before: Live | None, recorded: DomainRecord | None, drift: Drift, cache: str, *, fenced: bool
) -> Effect | None:
    """What has to be done to a domain; None for nothing.

    `fenced`: a release above HEAD set out to write it, whose publisher may be asleep: something is written in any case,
    so that the object is of a later release when it wakes.
    """
    if drift == "foreign" and recorded is None and (wanted is None or not wanted.keys):
        return None
    if wanted is None or (not wanted.keys and recorded is None and before is not None):
        gone = before is None or before.tombstone
        return None if gone and recorded is None and drift == "none" and not fenced else "withdrawn"
    if before is None or before.tombstone:
        if recorded is None:
            return "new" if wanted.keys else "withdrawn" if fenced else None
        return "restored"
    headers = live_headers(wanted.domain, wanted.tenant, wanted.body, cache, 0)
    same = serves(before, wanted.body, headers)
    if same and drift == "none" and recorded is not None and not fenced:
        return None
    if before.body == wanted.body:
        return "rewritten" if same else "headers"
    old = before.thumbprints()
    return "order" if old == {key.kid: key.thumbprint for key in wanted.keys} else "keys"


def revised(change: Change, sequence: int) -> DomainRecord | None:
    """What a domain's record is after a change was applied, or was blocked."""
    if change.blocked:
        return change.recorded
    if change.wanted is None or change.effect == "withdrawn":
        return None
    return DomainRecord(
        domain=change.domain,
        digest=change.digest,
        cache=change.cache,
        release=sequence,
        keys=len(change.wanted.keys),
    )


def kept_keys(made: Iterable[Tenant]) -> Iterator[Kept]:
    """The keys of compiled tenants that stay past their windows."""
    for one in made:
        kids = {key.thumbprint: key.kid for key in one.keys}
        tenant = one.folder.rpartition("/")[2]
        yield from (Kept(tenant=tenant, kid=kids[key], until=at) for key, at in one.kept.items() if key in kids)


def sorted_changes(changes: Iterable[Change]) -> tuple[Change, ...]:
    """The changes in the order of their domains."""
    return tuple(sorted(changes, key=lambda change: change.domain))


def _essence(change: Change) -> list[object]:
    before = None if change.before is None else change.before.digest
    hazards = [[one.rule.id, one.waived] for one in change.hazards]
    return [change.domain, change.tenant, change.effect, before, change.digest, change.cache, hazards]
