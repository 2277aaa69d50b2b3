"""Rotation of a tenant's generated keys, as an edit of generated.yaml's entries. Pure, but for who makes the key.

A new key is announced, to sign from an instant on; the one that signs now ends then, and stays published until its
tokens have expired everywhere. A standby key (announced, while the present one has no end) takes over instead, and a
new standby comes. Twice is once: while a rotation is under way, or the tenant's first key is younger than the lead,
there is nothing to do.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from publisher.conditions import Conditions
from publisher.generatedfile import Content, moment, window
from publisher.keyset import ALWAYS, NEVER, Key, KeySet
from publisher.signing import later
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

    `standby`: announced without a date for `current` to end at. `others` sign beside `current`, which came later.
    `first`: `current` is the only generated key there is, and younger than the lead.
    """

    current: Key | None
    next: Key | None
    standby: Key | None
    others: tuple[Key, ...] = ()
    first: bool = False

    @property
    def is_under_way(self) -> bool:
        """Whether a rotation was begun, so that another one would be one too many."""
        return self.next is not None or self.first


@dataclass(frozen=True, slots=True, kw_only=True)
class Rotated:
    """The entries after a rotation: `successor` takes over from `ended` at an instant; `made` is the new key."""

    content: Content
    successor: str
    made: str
    ended: str | None
    at: datetime


def succession(keyset: KeySet, now: datetime, lead: timedelta) -> Succession:
    """Who has which role. Keys that are limited to some domains have none."""
    made = (key for key in keyset.keys if key.origin == "generated" and key.revoked is None)
    alive = [key for key in made if key.domains is None and now < key.window.publish_until]
    begun = sorted((key for key in alive if key.window.signs_from <= now < key.window.signs_until), key=_rank)
    current = begun[-1] if begun else None
    coming = sorted((key for key in alive if now < key.window.signs_from < key.window.signs_until), key=_rank)
    heir = coming[0] if coming else None
    # What signs in years only is no successor of a key that is gone.
    ends = later(now, lead * 2) if current is None else current.window.signs_until
    is_next = heir is not None and ends != NEVER and heir.window.signs_from <= ends
    return Succession(
        current=current,
        next=heir if is_next else None,
        standby=heir if not is_next else coming[1] if len(coming) > 1 else None,
        others=tuple(begun[:-1]),
        first=current is not None and len(alive) == 1 and now < later(current.window.publish_from, lead),
    )


def due_at(roles: Succession, conditions: Conditions) -> datetime | None:
    """When the next rotation is to begin, so that the new key signs when the period is over; None under way."""
    if roles.is_under_way:
        return None
    if roles.current is None:
        return ALWAYS
    window = roles.current.window
    period = ALWAYS if window.signs_from == ALWAYS else later(window.signs_from, conditions.every)
    end = min(period, window.signs_until)
    return ALWAYS if end == ALWAYS else end - conditions.lead


def rotate(
    content: Content,
    keyset: KeySet,
    conditions: Conditions,
    now: datetime,
    make: Callable[[], New],
    at: datetime | None = None,
) -> Rotated | None:
    """The entries with a rotation begun; None where one is under way. `content` is what `keyset` was read from."""
    roles = succession(keyset, now, conditions.lead)
    if roles.is_under_way:
        return None
    at = _takeover(roles, keyset, conditions, now) if at is None else at
    start = at
    entries = [dict(one) for one in content.entries]
    made = make()
    if roles.standby is not None:
        window_of = roles.standby.window
        start = max(window_of.signs_from, later(at, conditions.every))
        _set(entries[_place(roles.standby)], "signs", at, window_of.signs_until)
    if roles.current is not None:
        end(entries[_place(roles.current)], roles.current, at, conditions)
    for key in roles.others:
        end(entries[_place(key)], key, min(now, key.window.signs_until), conditions)
    entries.append({**made.fields, "publish": window(now, None), "signs": window(start, None)})
    return Rotated(
        content=Content(entries=tuple(entries), upstream=content.upstream),
        successor=made.kid if roles.standby is None else roles.standby.kid,
        made=made.kid,
        ended=None if roles.current is None else roles.current.kid,
        at=at,
    )


def _takeover(roles: Succession, keyset: KeySet, conditions: Conditions, now: datetime) -> datetime:
    """When the successor signs: once it has been published for the lead. Who has no key at all needs none."""
    standby = None if roles.standby is None else roles.standby.window
    if roles.current is None and any(key.revoked and key.origin == "generated" for key in keyset.keys):
        return now  # nobody signs, as the key that did was revoked
    if roles.current is None and standby is not None:
        return max(now, _whole_minute(later(standby.publish_from, conditions.lead)))
    if roles.current is None and not keyset.keys:
        return now
    at = _whole_minute(later(now, conditions.lead))
    return at if standby is None else min(at, standby.signs_from)


def end(entry: dict[str, Value], key: Key, at: datetime, conditions: Conditions) -> None:
    """Let a key's signing end at an instant, and its publication when its tokens have expired everywhere."""
    stay = conditions.retention + conditions.propagation + conditions.interval
    gone = _whole_minute(later(at, stay))
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
        and later(key.window.publish_until, conditions.lead) <= now
    )


def without(content: Content, keys: Iterable[Key]) -> Content:
    """The entries without these keys'."""
    gone = {_place(key) for key in keys}
    kept = tuple(entry for at, entry in enumerate(content.entries) if at not in gone)
    return Content(entries=kept, upstream=content.upstream)


@dataclass(frozen=True, slots=True, kw_only=True)
class Struck:
    """The entries with a key revoked. `heir` signs from now on; None where the key did not sign.

    `goes_on` was to end when the key took over, and does not any more.
    """

    content: Content
    heir: str | None
    goes_on: str | None = None


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

    Where it is to sign next, and no other is, the one that signs now goes on. NoHeirError where no key would sign and
    `make` is None, unless it may leave a `lone` tenant without any.
    """
    entries = [dict(one) for one in content.entries]
    entries[_place(key)]["revoked"] = {"at": moment(at), "reason": reason}
    signing = succession(keyset, now, timedelta(0)).current
    if signing is None:
        return Struck(content=Content(entries=tuple(entries), upstream=content.upstream), heir=None)
    if signing.kid != key.kid:
        goes_on = signing.kid if _go_on(entries, signing, _others(keyset, key)) else None
        return Struck(content=Content(entries=tuple(entries), upstream=content.upstream), heir=None, goes_on=goes_on)
    heir = _heir(entries, _others(keyset, key), now)
    if heir is None and make is None and not lone:
        raise NoHeirError
    if heir is None and make is not None:
        made = make()
        heir = made.kid
        entries.append({**made.fields, "publish": window(now, None), "signs": window(now, None)})
    return Struck(content=Content(entries=tuple(entries), upstream=content.upstream), heir=heir)


def _heir(entries: list[dict[str, Value]], others: list[Key], now: datetime) -> str | None:
    """Let another key sign from now on, if there is one that is published."""
    rest = [one for one in others if now < one.window.signs_until and now < one.window.publish_until]
    heir = max((one for one in rest if one.window.signs_from <= now), key=_rank, default=None)
    if heir is None:
        # The one that was published first is known to the most verifiers.
        heir = min((one for one in rest if one.window.publish_from <= now), key=_age, default=None)
        if heir is None:
            return None
        _set(entries[_place(heir)], "signs", now, heir.window.signs_until)
    _go_on(entries, heir, others)
    return heir.kid


def _go_on(entries: list[dict[str, Value]], key: Key, others: list[Key]) -> bool:
    """Take a key's end away where no other is to take over then."""
    end = key.window.signs_until
    if end == NEVER or any(one is not key and one.window.signs_from <= end < one.window.signs_until for one in others):
        return False
    entry = entries[_place(key)]
    signs = entry.get("signs")
    start = signs.get("from") if isinstance(signs, dict) else None
    entry["signs"] = {} if start is None else {"from": start}
    _set(entry, "publish", key.window.publish_from, NEVER)
    if start is None:
        del entry["signs"]
    return True


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
    minute = instant.replace(second=0, microsecond=0)
    return instant if instant == minute else later(minute, _MINUTE)
