"""Rotation of a tenant's generated keys, as an edit of generated.yaml's entries. Pure, but for who makes the key.

A new key is announced, to sign from an instant on; the one that signs now ends then, and stays published until its
tokens have expired everywhere. A standby key (announced, while the present one has no end) takes over instead, and a
new standby comes. Twice is once: while a rotation is under way there is nothing to do.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from publisher.conditions import Conditions
from publisher.generatedfile import Content, moment, window
from publisher.keyset import ALWAYS, NEVER, Key, KeySet
from publisher.yamlfile import Value

_MINUTE = timedelta(minutes=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class New:
    """A new key's fields: kid, alg, jwk, perhaps vault."""

    kid: str
    fields: Mapping[str, Value]


@dataclass(frozen=True, slots=True, kw_only=True)
class Succession:
    """A tenant's generated keys in their roles. `next` is what takes over when `current` ends; None: it does not end.

    `standby`: announced without a date for `current` to end at.
    """

    current: Key | None
    next: Key | None
    standby: Key | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Rotated:
    """The entries after a rotation: `successor` takes over from `ended` at an instant; `made` is the new key."""

    content: Content
    successor: str
    made: str
    ended: str | None
    at: datetime


def succession(keyset: KeySet, now: datetime) -> Succession:
    """Who has which role. Keys that are limited to some domains have none."""
    keys = [key for key in keyset.keys if key.origin == "generated" and key.revoked is None and key.domains is None]
    alive = [key for key in keys if now < key.window.publish_until]
    begun = [key for key in alive if key.window.signs_from <= now < key.window.signs_until]
    current = max(begun, key=_rank, default=None)
    coming = sorted((key for key in alive if now < key.window.signs_from < key.window.signs_until), key=_rank)
    if current is None or current.window.signs_until != NEVER:
        return Succession(current=current, next=coming[0] if coming else None, standby=_second(coming))
    return Succession(current=current, next=None, standby=coming[0] if coming else None)


def due_at(roles: Succession, conditions: Conditions) -> datetime | None:
    """When the next rotation is to begin, so that the new key signs when the period is over; None under way."""
    if roles.next is not None:
        return None
    if roles.current is None or roles.current.window.signs_from == ALWAYS:
        return ALWAYS
    return roles.current.window.signs_from + conditions.every - conditions.lead


def rotate(
    content: Content,
    keyset: KeySet,
    conditions: Conditions,
    now: datetime,
    make: Callable[[], New],
    at: datetime | None = None,
) -> Rotated | None:
    """The entries with a rotation begun; None where one is under way. `content` is what `keyset` was read from."""
    roles = succession(keyset, now)
    if roles.next is not None:
        return None
    alone = roles.current is None and not keyset.keys
    at = at if at is not None else now if alone else _whole_minute(now + conditions.lead)
    entries = [dict(one) for one in content.entries]
    made = make()
    start = at if roles.standby is None else roles.standby.window.signs_from
    if roles.standby is not None:
        _set(entries[_place(roles.standby)], "signs", at, roles.standby.window.signs_until)
    if roles.current is not None:
        end(entries[_place(roles.current)], roles.current, at, conditions)
    entries.append({**made.fields, "publish": window(now, None), "signs": window(start, None)})
    return Rotated(
        content=Content(entries=tuple(entries), upstream=content.upstream),
        successor=made.kid if roles.standby is None else roles.standby.kid,
        made=made.kid,
        ended=None if roles.current is None else roles.current.kid,
        at=at,
    )


def end(entry: dict[str, Value], key: Key, at: datetime, conditions: Conditions) -> None:
    """Let a key's signing end at an instant, and its publication when its tokens have expired everywhere."""
    gone = _whole_minute(at + conditions.retention + conditions.propagation + conditions.interval)
    _set(entry, "signs", key.window.signs_from, at)
    if key.window.publish_until != NEVER:
        gone = max(gone, key.window.publish_until)
    _set(entry, "publish", key.window.publish_from, gone)


def over(keyset: KeySet, conditions: Conditions, now: datetime) -> tuple[Key, ...]:
    """Generated keys whose entries may go: withdrawn for a lead, as a late successor may have kept them so long.

    Revoked ones stay, as the ledger.
    """
    return tuple(
        key
        for key in keyset.keys
        if key.origin == "generated"
        and key.revoked is None
        and key.window.publish_until != NEVER
        and key.window.publish_until + conditions.lead <= now
    )


def without(content: Content, keys: Iterable[Key]) -> Content:
    """The entries without these keys'."""
    gone = {_place(key) for key in keys}
    kept = tuple(entry for at, entry in enumerate(content.entries) if at not in gone)
    return Content(entries=kept, upstream=content.upstream)


@dataclass(frozen=True, slots=True, kw_only=True)
class Struck:
    """The entries with a key revoked. `heir` signs from now on; None where the key did not sign."""

    content: Content
    heir: str | None


class NoHeirError(Exception):
    """No key would be left to sign."""


def revoke(
    content: Content,
    keyset: KeySet,
    key: Key,
    at: datetime,
    reason: str,
    now: datetime,
    make: Callable[[], New] | None = None,
    *,
    lone: bool = False,
) -> Struck:
    """The entries with a generated key revoked. Where it signs now, the announced key signs at once, or a new one.

    NoHeirError where there is none, and `make` is None, unless it may leave a `lone` tenant without any.
    """
    entries = [dict(one) for one in content.entries]
    entries[_place(key)]["revoked"] = {"at": moment(at), "reason": reason}
    roles = succession(keyset, now)
    heir: str | None = None
    if roles.current is not None and roles.current.kid == key.kid:
        rest = [one for one in _others(keyset, key) if now < one.window.signs_until and now < one.window.publish_until]
        signing = max((one for one in rest if one.window.signs_from <= now), key=_rank, default=None)
        # The one that was published first is known to the most verifiers.
        coming = min((one for one in rest if one.window.publish_from <= now), key=_age, default=None)
        if signing is not None:
            heir = signing.kid
        elif coming is not None:
            heir = coming.kid
            _set(entries[_place(coming)], "signs", now, coming.window.signs_until)
        elif make is not None:
            made = make()
            heir = made.kid
            entries.append({**made.fields, "publish": window(now, None), "signs": window(now, None)})
        elif not lone:
            raise NoHeirError
    return Struck(content=Content(entries=tuple(entries), upstream=content.upstream), heir=heir)


def _others(keyset: KeySet, key: Key) -> list[Key]:
    return [
        one
        for one in keyset.keys
        if one.origin == "generated" and one.revoked is None and one.domains is None and one.kid != key.kid
    ]


def _rank(key: Key) -> tuple[datetime, str]:
    return key.window.signs_from, key.kid


def _age(key: Key) -> tuple[datetime, datetime, str]:
    return key.window.publish_from, *_rank(key)


def _second(keys: list[Key]) -> Key | None:
    return keys[1] if len(keys) > 1 else None


def _place(key: Key) -> int:
    return int(key.where[1])


def _set(entry: dict[str, Value], name: str, start: datetime, end: datetime) -> None:
    """A window's two ends; one that is open all the time is left out."""
    fields = window(None if start == ALWAYS else start, None if end == NEVER else end)
    if fields:
        entry[name] = fields
    else:
        entry.pop(name, None)


def _whole_minute(instant: datetime) -> datetime:
    return instant if instant == instant.replace(second=0, microsecond=0) else instant.replace(second=0) + _MINUTE
