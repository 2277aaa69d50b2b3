"""Holds: what a rollback keeps back of the commit, when that will first be missed, and which revocations pass."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from publisher.fleet import Tenant
from publisher.keyset import KeySet, read_keyset
from publisher.record import Hold, KeyRecord, TenantRecord
from publisher.release import HoldNote
from publisher.releaselog import Tip
from publisher.source import Folder, Listing, Revision
from publisher.survey import Task

_NAMES = 20


@dataclass(slots=True, kw_only=True)
class _Group:
    """The tenants of one hold."""

    tenants: int = 0
    names: tuple[str, ...] = ()
    hurts: datetime | None = None


def revoked_in(revision: Revision, current: Listing | None) -> frozenset[str]:
    """Thumbprints of the keys that a tenant's files, as they are now, call revoked."""
    keyset = _keyset(revision, current)
    return frozenset(key.jwk.thumbprint for key in (() if keyset is None else keyset.keys) if key.revoked is not None)


def hold_notes(
    tip: Tip,
    records: Sequence[tuple[Task, TenantRecord]],
    made: Mapping[str, Tenant],
    revision: Revision,
    now: datetime,
) -> tuple[tuple[HoldNote, ...], tuple[str, ...]]:
    """The holds after the plan, and the tenants looked at in which one keeps back what the commit has.

    `made` are the tenants by folder, as they are compiled for the plan.
    """
    groups: dict[Hold, _Group] = {}
    for note in () if tip.base is None else tip.base.holds:
        hold = Hold(release=note.release, reason=note.reason, until=note.until)
        groups[hold] = _Group(tenants=note.tenants, names=note.names, hurts=note.hurts)
    held_back: list[str] = []
    for task, record in records:
        before = None if task.record is None else task.record.hold
        if before is not None and before in groups and before != record.hold:
            group = groups[before]
            group.tenants -= 1
            group.names = tuple(name for name in group.names if name != task.tenant)
        if record.hold is None:
            continue
        group = groups.setdefault(record.hold, _Group())
        if before != record.hold:
            group.tenants += 1
            group.names = (*group.names, task.tenant)[:_NAMES]
        if record.tree != record.seen:
            held_back.append(task.tenant)
            tenant = None if task.listing is None else made.get(task.listing.path)
            missed = hurts(() if tenant is None else tenant.keys, _keyset(revision, task.current), now)
            times = [one for one in (group.hurts, missed) if one]
            group.hurts = min(times, default=None)
    notes = tuple(
        HoldNote(
            release=hold.release,
            reason=hold.reason,
            until=hold.until,
            tenants=group.tenants,
            names=group.names,
            hurts=group.hurts,
        )
        for hold, group in groups.items()
        if group.tenants
    )
    return notes, tuple(held_back)


def hurts(held: Iterable[KeyRecord], current: KeySet | None, now: datetime) -> datetime | None:
    """When a hold will first be missed: a key of the commit signs and is not served, or the last signing key ends."""
    served = {key.thumbprint: key for key in held if _is_served(key, now)}
    missing = (
        max(key.window.signs_from, now)
        for key in (() if current is None else current.keys)
        if key.revoked is None and key.jwk.thumbprint not in served and key.window.signs_until > now
    )
    ends = [key.window.signs_until for key in served.values() if key.window.signs_from <= now < key.window.signs_until]
    return min([*missing, *_last(ends)], default=None)


def _last(ends: Iterable[datetime]) -> Iterator[datetime]:
    last = max(ends, default=None)
    if last is not None and last.year < 9999:
        yield last


def _is_served(key: KeyRecord, now: datetime) -> bool:
    return not key.revoked and key.window.publish_from <= now < key.window.publish_until


def _keyset(revision: Revision, listing: Listing | None) -> KeySet | None:
    if listing is None:
        return None
    folder = next((one for one in revision.read([listing]) if isinstance(one, Folder)), None)
    return None if folder is None else read_keyset(folder).keyset


def note_text(note: HoldNote) -> str:
    """`2 tenants (acme, globex)`: whom a hold concerns."""
    more = "" if note.tenants <= len(note.names) else ", ..."
    return f"{note.tenants} tenant{'' if note.tenants == 1 else 's'} ({', '.join(note.names)}{more})"
