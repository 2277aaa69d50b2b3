"""A tenant's ledger after a release: its keys, present and past, since when each is served, what was revoked. Pure."""

from collections.abc import Iterable, Iterator, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import replace
from datetime import datetime

from publisher.checking import Tenant
from publisher.hazardrules import SIGNS_EARLY
from publisher.memory import signed
from publisher.plan import Change
from publisher.record import KeyRecord
from publisher.setting import Setting
from publisher.survey import Task
from publisher.wanted import Wanted


def ledger(
    task: Task, made: Tenant | None, changed: Mapping[str, Change], lost: AbstractSet[str], setting: Setting
) -> tuple[KeyRecord, ...]:
    """The keys of a tenant whose domains change so; the live documents of `lost` ones cannot be read."""
    stuck = frozenset(lost | {domain for domain, one in changed.items() if one.hindered})
    kept = None if lost else _kept(changed.values()) - _dropped(changed.values())
    keys = _merged(task, made, stuck, setting, _returned(changed.values()), kept)
    before = {} if task.record is None else {one.thumbprint: one for one in task.record.keys}
    return tuple(_taken(keys, before, _early(() if made is None else made.wanted, changed)))


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


def _dropped(changed: Iterable[Change]) -> frozenset[str]:
    """Thumbprints of keys that leave the documents of some domains, whatever others keep."""
    return frozenset(
        one.before.thumbprints()[kid]
        for one in changed
        if not one.hindered and one.before is not None
        for kid in one.keys_out
    )


def _merged(
    task: Task,
    made: Tenant | None,
    stuck: frozenset[str],
    setting: Setting,
    returned: frozenset[str],
    kept: frozenset[str] | None,
) -> tuple[KeyRecord, ...]:
    """Every key that the tenant has or had. While a domain is stuck, what was released of its keys stays as it was."""
    known = _released(task, setting)
    if made is None:
        return tuple(known.values())
    stays = frozenset(known) if kept is None else kept
    known = {
        name: replace(one, kept=made.kept.get(name, one.kept)) if name in stays else _absent(one, made, setting.now)
        for name, one in known.items()
    }
    served: set[str] = set()
    waiting: set[str] = set()
    for one in made.wanted:
        (waiting if one.domain in stuck else served).update(key.thumbprint for key in one.keys)
    ledger = dict(known)
    for key in made.keys:
        name = key.thumbprint
        old, complete = known.get(name), name in served and name not in waiting
        if old is None:
            ledger[name] = replace(key, first=setting.sequence if complete else 0, kept=made.kept.get(name))
            continue
        noted = replace(
            _noted(key, old, setting, complete=complete),
            kept=made.kept.get(name),
            struck=old.struck and task.record is not None and task.record.tree == made.tree,
            # What somebody allowed back is a key like any other: its next loss must not pass as a revocation.
            revoked=key.revoked or (old.revoked and name not in returned - waiting),
        )
        held = stuck and (kept is None or name in kept)
        ledger[name] = _as_it_was(old, noted) if held else noted
    return tuple(ledger.values())


def _noted(key: KeyRecord, old: KeyRecord, setting: Setting, *, complete: bool) -> KeyRecord:
    """A key of the files, and since when it is served. `complete`: all of its domains do, after this release."""
    again = _is_anew(old, key, setting) or (complete and (_is_renamed(old, key) or old.away))
    again = again and not key.revoked
    first = setting.sequence if complete else 0
    return replace(
        key,
        window=signed(key.window, old, setting.now),
        first=first if again else old.first or first,
        since=None if again else old.since,
        away=old.away and not complete,
    )


def _released(task: Task, setting: Setting) -> dict[str, KeyRecord]:
    """What the last release has of the keys, by thumbprint, as far as that came to be."""
    known = {} if task.record is None else {one.thumbprint: one for one in task.record.keys}
    if task.unfinished:  # a first publication by a release that did not get everywhere is none
        current = setting.tip.sequence
        known = {name: replace(one, first=0) if one.first == current else one for name, one in known.items()}
    # Also of a key that the held files do not have: it must not return once both are forgotten.
    late = setting.revoked.get(task.tenant, frozenset()) & known.keys()
    return known | {name: replace(known[name], revoked=True) for name in late}


def _as_it_was(old: KeyRecord, noted: KeyRecord) -> KeyRecord:
    """A key of a domain that is stuck: as it was released, but for what became of it since."""
    return replace(
        old,
        revoked=noted.revoked,
        first=noted.first,
        struck=noted.struck,
        kept=noted.kept or old.kept,
        away=noted.away,
    )


def _is_renamed(old: KeyRecord, key: KeyRecord) -> bool:
    """Whether it has another name: one that nobody has yet."""
    return (old.kid, old.alg) != (key.kid, key.alg)


def _is_anew(old: KeyRecord, key: KeyRecord, setting: Setting) -> bool:
    """Whether a key counts as published anew: it comes from some domains to all, or had left the documents."""
    base = setting.tip.base
    left = base is not None and old.window.publish_until <= base.as_of and (old.kept is None or old.kept <= base.as_of)
    return (old.limited and not key.limited) or (left and key.window.publish_until > setting.now)


def _absent(key: KeyRecord, made: Tenant, now: datetime) -> KeyRecord:
    """The key, as one that is away where it was published, has time left, and stands in no document."""
    gone = key.first > 0 and not key.revoked and now < key.window.publish_until
    there = any(one.thumbprint == key.thumbprint for some in made.wanted for one in some.keys)
    return replace(key, away=True) if gone and not there else key


def _early(wanted: Iterable[Wanted], changed: Mapping[str, Change]) -> frozenset[str]:
    """Thumbprints of keys that are kept out of documents for signing early, and stand in none."""
    out: set[str] = set()
    there: set[str] = set()
    for one in wanted:
        change = changed.get(one.domain)
        early = change is not None and any(h.rule is SIGNS_EARLY and not h.waived for h in change.hazards)
        (out if early else there).update(key.thumbprint for key in one.keys)
    return frozenset(out - there)


def _taken(keys: Iterable[KeyRecord], before: Mapping[str, KeyRecord], early: frozenset[str]) -> Iterator[KeyRecord]:
    """The ledger without what signs early: once noted so, it would pass as a key whose publish came late."""
    for key in keys:
        old = before.get(key.thumbprint)
        if key.first or key.thumbprint not in early:
            yield key
        elif old is not None:
            yield replace(old, revoked=key.revoked)
