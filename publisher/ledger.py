"""The ledger of a tenant: what a release notes of every key that its files hold, or held once. Pure."""

from collections.abc import Iterable, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace
from datetime import datetime

from publisher.fleet import Tenant
from publisher.hazards import SIGNS_EARLY
from publisher.keyset import Window
from publisher.plan import Change
from publisher.record import KeyRecord
from publisher.survey import Task


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """The release that is made: its number, the one that HEAD names, and the instant that it is of.

    `revoked` are thumbprints of the tenant: keys that files revoke which a hold keeps back.
    """

    head: int
    sequence: int
    now: datetime
    revoked: AbstractSet[str]


def ledger(
    task: Task, made: Tenant | None, changed: Mapping[str, Change], lost: AbstractSet[str], turn: Turn
) -> tuple[KeyRecord, ...]:
    """The keys when the release is complete. `changed` and `lost` are by domain; those are not readable.

    While a domain is stuck, what was released of its keys stays as it was.
    """
    known = {} if task.record is None else {one.thumbprint: one for one in task.record.keys}
    if task.unfinished:  # a first publication by a release that did not get everywhere is none
        known = {name: replace(one, first=0) if one.first == turn.head else one for name, one in known.items()}
    # Also of a key that the held files do not have: it must not return once both are forgotten.
    known |= {name: replace(known[name], revoked=True) for name in turn.revoked & known.keys()}
    if made is None:
        return tuple(known.values())
    stuck = lost | {domain for domain, one in changed.items() if one.hindered}
    served: set[str] = set()
    waiting: set[str] = set()
    for one in made.wanted:
        (waiting if one.domain in stuck else served).update(key.thumbprint for key in one.keys)
    kept, back, early = _kept(changed.values()), _returned(changed.values()) - waiting, _early(made, changed)
    after = dict(known)
    for key in made.keys:
        thumbprint, old = key.thumbprint, known.get(key.thumbprint)
        complete = thumbprint in served and thumbprint not in waiting
        first = old.first if old is not None and old.first else turn.sequence if complete else 0
        if old is None:
            # Noted now, what signs early would pass the next time as a key whose publish came late.
            if thumbprint not in early:
                after[thumbprint] = replace(key, first=first, kept=made.kept.get(thumbprint))
            continue
        # What somebody allowed back is a key like any other: its next loss must not pass as a revocation.
        revoked = key.revoked or (old.revoked and thumbprint not in back)
        stays = bool(stuck) and (bool(lost) or thumbprint in kept)
        source = old if stays or (not first and thumbprint in early) else key
        after[thumbprint] = replace(
            source,
            window=_signed(source.window, old, turn.now),
            revoked=revoked,
            first=first,
            since=old.since,
            kept=made.kept.get(thumbprint, old.kept if stays else None),
        )
    return tuple(after.values())


def _returned(changed: Iterable[Change]) -> frozenset[str]:
    """Thumbprints of revoked keys that a waiver brings back."""
    return frozenset(
        key.thumbprint
        for one in changed
        if not one.blocked and one.wanted is not None and any(h.rule.id == "revoked-key-returns" for h in one.hazards)
        for key in one.wanted.keys
    )


def _kept(changed: Iterable[Change]) -> frozenset[str]:
    """Thumbprints of keys that blocked changes keep in their documents: what was released of them goes on to count."""
    kept: set[str] = set()
    for one in changed:
        if one.stays is not None:
            kept |= one.stays
        elif one.blocked and one.before is not None:
            kept.update(one.before.thumbprints()[kid] for kid in one.keys_out)
    return frozenset(kept)


def _early(made: Tenant, changed: Mapping[str, Change]) -> frozenset[str]:
    """Thumbprints of keys that are kept out of documents for signing early, and stand in none."""
    out: set[str] = set()
    there: set[str] = set()
    for one in made.wanted:
        change = changed.get(one.domain)
        early = change is not None and any(h.rule is SIGNS_EARLY and not h.waived for h in change.hazards)
        (out if early else there).update(key.thumbprint for key in one.keys)
    return frozenset(out - there)


def _signed(window: Window, old: KeyRecord, now: datetime) -> Window:
    """The window of the files, but that what a published key has signed until now cannot be undone by them."""
    signed = min(old.window.signs_until, now)
    if not old.first or window.signs_until >= signed or old.window.signs_from >= signed:
        return window
    return replace(window, signs_until=signed)
