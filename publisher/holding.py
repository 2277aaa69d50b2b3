"""Holds: what a rollback keeps back of the commit, when that will first be missed, and which revocations pass."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from publisher.checking import Tenant
from publisher.keyset import KeySet, Window, read_keyset
from publisher.record import Hold, KeyRecord, TenantRecord
from publisher.release import HoldNote
from publisher.releaselog import Tip
from publisher.source import Folder, Revision
from publisher.survey import Task

_NAMES = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Present:
    """What the commit's files say of a held tenant's keys, by thumbprint: the revoked ones, the others' windows."""

    revoked: frozenset[str] = frozenset()
    windows: tuple[tuple[str, Window], ...] = ()


_NOTHING = Present()


@dataclass(slots=True, kw_only=True)
class _Group:
    """The tenants of one hold. `looked`: how many of them this plan looks at, and `missed` what that found."""

    tenants: int = 0
    names: tuple[str, ...] = ()
    hurts: datetime | None = None
    looked: int = 0
    missed: datetime | None = None


def presents(revision: Revision, tasks: Iterable[Task]) -> dict[str, Present]:
    """What the commit has of held tenants that are compiled from other files, by tenant; all through one git process.

    A tenant whose files cannot be read is left out: nothing is known of its keys.
    """
    held = [one for one in tasks if one.hold is not None and one.listing is not one.current]
    listed = [one.current for one in held if one.current is not None]
    found: dict[str, Present] = {}
    for folder in revision.read(listed) if listed else ():
        keyset = read_keyset(folder).keyset if isinstance(folder, Folder) else None
        if keyset is not None:
            found[keyset.folder.rpartition("/")[2]] = _present(keyset)
    return found


def _present(keyset: KeySet) -> Present:
    return Present(
        revoked=frozenset(key.jwk.thumbprint for key in keyset.keys if key.revoked is not None),
        windows=tuple((key.jwk.thumbprint, key.window) for key in keyset.keys if key.revoked is None),
    )


def hold_notes(
    tip: Tip,
    records: Sequence[tuple[Task, TenantRecord]],
    made: Mapping[str, Tenant],
    present: Mapping[str, Present],
    now: datetime,
    *,
    full: bool,
) -> tuple[tuple[HoldNote, ...], tuple[str, ...]]:
    """The holds after the plan, and the tenants looked at in which one keeps back what the commit has.

    `made` are the tenants by folder, as they are compiled for the plan; `present` is what `presents` found.
    """
    groups: dict[Hold, _Group] = {}
    # Where every tenant is looked at, the records alone count: a repair may have lost some.
    for note in () if tip.base is None or full else tip.base.holds:
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
        group.looked += 1
        if full or before != record.hold:
            group.tenants += 1
            group.names = tuple(sorted({*group.names, task.tenant}))[:_NAMES]
        if record.tree != record.seen:
            held_back.append(task.tenant)
            tenant = None if task.listing is None else made.get(task.listing.path)
            keys = () if tenant is None else tenant.keys
            group.missed = _first(group.missed, hurts(keys, present.get(task.tenant, _NOTHING), now))
    return tuple(_note(hold, group) for hold, group in groups.items() if group.tenants > 0), tuple(held_back)


def _note(hold: Hold, group: _Group) -> HoldNote:
    return HoldNote(
        release=hold.release,
        reason=hold.reason,
        until=hold.until,
        tenants=group.tenants,
        names=group.names,
        hurts=group.missed if group.looked >= group.tenants else _first(group.hurts, group.missed),
    )


def hurts(held: Iterable[KeyRecord], present: Present, now: datetime) -> datetime | None:
    """When a hold will first be missed: a key of the commit signs and is not served, or the last signing key ends."""
    served = {key.thumbprint: key for key in held if _is_served(key, now)}
    missing = (
        max(window.signs_from, now)
        for thumbprint, window in present.windows
        if thumbprint not in served and window.signs_until > now
    )
    ends = [key.window.signs_until for key in served.values() if key.window.signs_from <= now < key.window.signs_until]
    return min([*missing, *_last(ends)], default=None)


def _first(*moments: datetime | None) -> datetime | None:
    return min((one for one in moments if one is not None), default=None)


def _last(ends: Iterable[datetime]) -> Iterator[datetime]:
    last = max(ends, default=None)
    if last is not None and last.year < 9999:
        yield last


def _is_served(key: KeyRecord, now: datetime) -> bool:
    return not key.revoked and key.window.publish_from <= now < key.window.publish_until
