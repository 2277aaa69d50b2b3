"""What is known of a tenant beyond its files, for checking and compiling them: what was published, and their base.

A key leaves the documents by its window. It stays for longer where its tokens may yet be alive: its successor was
published late, so that the issuer went on with it (see `signing`), or the token lifetime was shortened meanwhile.
"""

from collections.abc import Iterable, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from publisher.conditions import Conditions
from publisher.keyset import ALWAYS, KeySet
from publisher.record import KeyRecord, TenantRecord
from publisher.signing import Candidate, ready, signs_until
from publisher.tokens import alive_until


@dataclass(frozen=True, slots=True, kw_only=True)
class Publications:
    """By thumbprint, since when all domains of a key serve it; what none do is left out.

    `founding` are the keys of the tenant's first documents: nobody had a copy without them.
    """

    seen: Mapping[str, datetime] = field(default_factory=dict)
    founding: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class Memory:
    """As of the instant `at`. `revoked` are thumbprints; `leaving` leave by their windows, if nothing keeps them.

    `base` is what a change starts from, `terms` what held there, and `struck` the keys that earlier revisions revoked
    (see `rules.changes`).
    """

    at: datetime
    revoked: AbstractSet[str] = frozenset()
    record: TenantRecord | None = None
    leaving: tuple[KeyRecord, ...] = ()
    publications: Publications = field(default_factory=Publications)
    base: KeySet | None = None
    terms: Conditions | None = None
    struck: AbstractSet[bytes] = frozenset()


NOTHING = Memory(at=ALWAYS)


def leaving(record: TenantRecord, since: datetime, now: datetime) -> tuple[KeyRecord, ...]:
    """The keys that were served at `since`, when the last release was made, and whose windows are over by `now`."""
    return tuple(
        key
        for key in record.keys
        if key.first
        and not key.revoked
        and key.window.publish_until <= now
        and (key.kept is not None or key.window.publish_until > since)
    )


def kept(memory: Memory, conditions: Conditions) -> dict[str, datetime]:
    """Until when keys stay in the documents past their windows, by thumbprint."""
    record, now = memory.record, memory.at
    if record is None:
        return {}
    found: dict[str, datetime] = {}
    for key in memory.leaving:
        end = key.window.signs_until
        if key.origin == "generated" and not key.limited:
            line = candidates(record.keys, memory.publications, conditions.lead)
            own = next(one for one in line if one.thumbprint == key.thumbprint)
            end = signs_until(line, own, now, conditions.lead)
        until = alive_until(record.tokens, conditions.token_lifetime, end, conditions.skew)
        if until > now and key.window.signs_from < key.window.signs_until:
            found[key.thumbprint] = until
    return found


def candidates(keys: Iterable[KeyRecord], known: Publications, lead: timedelta) -> tuple[Candidate, ...]:
    """The generated keys of a record that may come to sign for the whole tenant."""
    return tuple(
        Candidate(
            kid=one.kid,
            thumbprint=one.thumbprint,
            alg=one.alg,
            window=one.window,
            ready=ready(one.window, known.seen.get(one.thumbprint), lead, founding=one.thumbprint in known.founding),
            seen=known.seen.get(one.thumbprint),
        )
        for one in keys
        if one.origin == "generated" and not one.revoked and not one.limited
    )
