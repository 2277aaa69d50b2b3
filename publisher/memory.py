"""What is known of a tenant beyond its files, for checking and compiling them: what was published, and their base.

A key leaves the documents by its window. It stays for longer where its tokens may yet be alive: its successor was
published late, so that the issuer went on with it (see `signing`), or the token lifetime was shortened meanwhile.
"""

from collections.abc import Iterable, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field, replace
from datetime import datetime

from publisher.conditions import Conditions
from publisher.keyset import ALWAYS, KeySet, Window
from publisher.record import KeyRecord, TenantRecord
from publisher.signing import Candidate, later, ready, signs_until
from publisher.tokens import alive_until


@dataclass(frozen=True, slots=True, kw_only=True)
class Publications:
    """By thumbprint, since when all domains of a key serve it; what none do is left out.

    `founding` are the keys of the tenant's first documents: nobody had a copy without them. `copies`: until when copies
    without the key can be used under cache terms that were longer than the present ones.
    """

    seen: Mapping[str, datetime] = field(default_factory=dict)
    founding: frozenset[str] = frozenset()
    copies: Mapping[str, datetime] = field(default_factory=dict)

    def ready(self, thumbprint: str, window: Window, holds: Conditions) -> datetime | None:
        """From when a key may sign; None while it is not published."""
        found = ready(window, self.seen.get(thumbprint), holds.lead, founding=thumbprint in self.founding)
        if found is None or thumbprint in self.founding:
            return found
        copies = self.copies.get(thumbprint)
        return found if copies is None else max(found, later(copies, holds.uptake))


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


def leaving(
    record: TenantRecord, since: datetime, now: datetime, files: Iterable[KeyRecord] = ()
) -> tuple[KeyRecord, ...]:
    """The keys that were served at `since`, when the last release was made, and whose windows are over by `now`.

    `files` are the keys of the files, where those are read: their windows count, which may have come and gone since.
    """
    return tuple(
        key
        for key in _present(record, files, now)
        if key.first
        and not key.revoked
        and key.window.publish_until <= now
        and (key.kept is not None or _published_until(record, key) > since)
    )


def signed(window: Window, old: KeyRecord, now: datetime) -> Window:
    """The window of the files, but that what a published key has signed until now cannot be undone by them."""
    until = min(old.window.signs_until, now)
    if not old.first or window.signs_until >= until or old.window.signs_from >= until:
        return window
    return replace(window, signs_until=until)


def _present(record: TenantRecord, files: Iterable[KeyRecord], now: datetime) -> tuple[KeyRecord, ...]:
    """The keys of a record, as the files have them where they do."""
    known = {key.thumbprint: key for key in record.keys}
    for key in files:
        old = known.get(key.thumbprint)
        if old is None:
            known[key.thumbprint] = key
        elif not old.revoked:
            window = signed(key.window, old, now)
            known[key.thumbprint] = replace(key, window=window, first=old.first, since=old.since, kept=old.kept)
    return tuple(known.values())


def _published_until(record: TenantRecord, key: KeyRecord) -> datetime:
    old = record.key(key.thumbprint)
    return (key if old is None else old).window.publish_until


def kept(memory: Memory, conditions: Conditions, files: Iterable[KeyRecord] = ()) -> dict[str, datetime]:
    """Until when keys stay in the documents past their windows, by thumbprint. `files` are the keys of the files.

    What they do not name any more is judged by what was released alone: no new file has it sign again.
    """
    record, files = memory.record, tuple(files)
    if record is None:
        return {}
    named = {key.thumbprint for key in files}
    unnamed = {name: until for name, until in _kept(memory, record, conditions, ()).items() if name not in named}
    return unnamed | {name: until for name, until in _kept(memory, record, conditions, files).items() if name in named}


def _kept(
    memory: Memory, record: TenantRecord, conditions: Conditions, files: tuple[KeyRecord, ...]
) -> dict[str, datetime]:
    now = memory.at
    present = _present(record, files, now)
    bereft = any(key.revoked and key.origin == "generated" for key in present)
    going = {key.thumbprint for key in memory.leaving}
    served = going | {key.thumbprint for key in present if now < key.window.publish_until}
    line = _line(present, memory.publications, conditions, served)
    found: dict[str, datetime] = {}
    for key in present:
        if key.thumbprint not in going or key.revoked or key.window.publish_until > now:
            continue
        end = key.window.signs_until
        if key.origin == "generated" and not key.limited:
            own = next(one for one in line if one.thumbprint == key.thumbprint)
            end = signs_until(line, own, now, conditions.lead, bereft=bereft)
        until = alive_until(record.tokens, conditions.token_lifetime, end, conditions.skew)
        if until > now and key.window.signs_from < key.window.signs_until:
            found[key.thumbprint] = until
    return found


def _line(
    keys: Iterable[KeyRecord], known: Publications, holds: Conditions, served: AbstractSet[str]
) -> tuple[Candidate, ...]:
    """The generated keys of a record that may come to sign for the whole tenant."""
    return tuple(
        Candidate(
            kid=one.kid,
            thumbprint=one.thumbprint,
            alg=one.alg,
            window=one.window,
            ready=known.ready(one.thumbprint, one.window, holds),
            seen=known.seen.get(one.thumbprint),
            served=one.thumbprint in served,
        )
        for one in keys
        if one.origin == "generated" and not one.revoked and not one.limited
    )
