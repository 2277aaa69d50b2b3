"""The difference between what domains serve and what they are to serve, as a value. Only a plan can be applied.

A plan always shows, however dangerous; whether it may be applied is a property of each change.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, TypeAlias

from publisher.hazards import Hazard, hazards
from publisher.render import CONTENT_TYPE
from publisher.state import Live
from publisher.store import Headers, StoreError
from publisher.wanted import KeyFact, Wanted

Effect: TypeAlias = Literal["new", "keys", "order", "headers"]
"""What a change does: a first document, other keys, the same keys in other order or form, or other headers alone."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Move:
    """A key's way from one phase to another. `before` is None where the store does not say it."""

    kid: str
    before: str | None
    after: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """What is to happen to one domain's live document."""

    wanted: Wanted
    headers: Headers
    before: Live | None
    effect: Effect
    keys_in: tuple[KeyFact, ...]
    keys_out: tuple[str, ...]
    moves: tuple[Move, ...]
    hazards: tuple[Hazard, ...]

    @property
    def blocked(self) -> bool:
        """Whether a hazard that nobody waived keeps the change from being applied."""
        return any(not hazard.waived for hazard in self.hazards)

    @property
    def revokes(self) -> bool:
        """Whether copies of what is live must not be used any longer: a revoked key leaves it, or its last key does."""
        if self.before is None:
            return False
        emptied = not self.wanted.keys and self.before.body != self.wanted.body
        served, ended = self.before.thumbprints(), self.wanted.ended
        return emptied or any(ended.get(kid) == (served[kid], "revoked") for kid in self.keys_out)


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """All changes of a publish, by domain. `source` says what was read, `store` where it goes, `now` for when."""

    source: str
    store: str
    now: datetime
    changes: tuple[Change, ...]
    unchanged: int
    without_keys: tuple[str, ...]
    """Domains that have no key yet, and so no document."""
    not_in_source: tuple[str, ...]
    """Domains that are live and that the source does not name. They are left as they are."""
    next_change: datetime | None
    """When a document next changes by time alone."""
    unreadable: tuple[tuple[str, str], ...] = ()
    """Domains whose live document cannot be read, and why. They are left as they are."""

    @property
    def first(self) -> bool:
        """Whether no document of ours is known to be live, so that the store is one to be probed yet."""
        return not self.unchanged and not any(change.before and change.before.ours for change in self.changes)

    @property
    def blocked(self) -> tuple[Change, ...]:
        """The changes that hazards keep from being applied."""
        return tuple(change for change in self.changes if change.blocked)


def make_plan(
    wanted: Iterable[Wanted],
    live: Mapping[str, Live | StoreError],
    published: Iterable[str],
    *,
    source: str,
    store: str,
    now: datetime,
    cache_control: str,
    allowed: frozenset[str] = frozenset(),
) -> Plan:
    """Compare what is wanted with what is live. `published` names every domain that is live, also unknown ones."""
    wanted = tuple(wanted)
    changes, unchanged, without = [], 0, []
    unreadable: list[tuple[str, str]] = []
    for one in wanted:
        before = live.get(one.domain)
        if isinstance(before, StoreError):
            unreadable.append((one.domain, str(before)))
            continue
        if before is None and not one.keys:
            without.append(one.domain)
            continue
        change = _change(one, before, live_headers(one, cache_control), allowed)
        if change is None:
            unchanged += 1
        else:
            changes.append(change)
    return Plan(
        source=source,
        store=store,
        now=now,
        changes=tuple(sorted(changes, key=lambda change: change.wanted.domain)),
        unchanged=unchanged,
        without_keys=tuple(sorted(without)),
        not_in_source=tuple(sorted(set(published).difference(one.domain for one in wanted))),
        next_change=min((one.next_change for one in wanted if one.next_change is not None), default=None),
        unreadable=tuple(sorted(unreadable)),
    )


def live_headers(wanted: Wanted, cache_control: str) -> Headers:
    """What a live document is stored with: our mark is the domain, and the digest of the bytes that we wrote."""
    # An empty set has no phases, and not every store takes metadata without a value.
    phases = (("phases", ",".join(key.phase for key in wanted.keys)),) if wanted.keys else ()
    mark = (("domain", wanted.domain), *phases, ("sha256", wanted.digest), ("tenant", wanted.tenant))
    return Headers(content_type=CONTENT_TYPE, cache_control=cache_control, metadata=mark)


def serves(live: Live, wanted: Wanted, headers: Headers) -> bool:
    """Whether a live document is the wanted one, in bytes and in the headers that verifiers and we rely on.

    The recorded phases do not count: they move with time, and nobody but plans reads them.
    """
    mine, theirs = dict(headers.metadata), dict(live.headers.metadata)
    return (
        live.body == wanted.body
        and live.headers.content_type == headers.content_type
        and live.headers.cache_control == headers.cache_control
        and all(mine[name] == theirs.get(name) for name in ("domain", "sha256", "tenant"))
    )


def _change(wanted: Wanted, before: Live | None, headers: Headers, allowed: frozenset[str]) -> Change | None:
    if before is not None and serves(before, wanted, headers):
        return None
    phases, old = ({}, {}) if before is None else (before.phases(), before.thumbprints())
    new = {key.kid: key.thumbprint for key in wanted.keys}
    # Another key under the same kid is one out and one in.
    keys_in = tuple(key for key in wanted.keys if old.get(key.kid) != key.thumbprint)
    keys_out = tuple(kid for kid, thumbprint in old.items() if new.get(kid) != thumbprint)
    effect: Effect = "keys" if keys_in or keys_out else "order"
    if before is None:
        effect = "new"
    elif before.body == wanted.body:
        effect = "headers"
    moves = tuple(
        Move(kid=key.kid, before=phases[key.kid], after=key.phase)
        for key in wanted.keys
        if old.get(key.kid) == key.thumbprint and phases[key.kid] != key.phase
    )
    return Change(
        wanted=wanted,
        headers=headers,
        before=before,
        effect=effect,
        keys_in=keys_in,
        keys_out=keys_out,
        moves=moves,
        hazards=tuple(hazards(before, wanted, allowed)),
    )
