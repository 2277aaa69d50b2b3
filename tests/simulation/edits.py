"""Edits as people and the program make them, drawn as a few small numbers so that a failing story shrinks well."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, TypeVar

from publisher import rotate
from publisher.conditions import Conditions
from publisher.generatedfile import Content
from publisher.generatedfile import moment as written_moment
from publisher.keyset import NEVER, Key, KeySet

from .files import DAY, HOUR, MINUTE, Files, Terms, fields_of, maker, settled, told

T = TypeVar("T")
SECOND = timedelta(seconds=1)

CACHES = ((300, 60, 86_400), (60, 0, 0), (3_600, 600, 0), (86_400, 3_600, 7_200), (0, 0, 600), (7_200, 86_400, 0))
LIFETIMES = (86_400, 3_600, 7 * 86_400, 600)
LEADS = (172_800, 14 * 86_400, 5 * 3_600, 50 * 3_600)


@dataclass(frozen=True, slots=True, kw_only=True)
class Edit:
    """One edit after a pause. What the numbers stand for depends on `kind`; they are taken modulo what there is."""

    kind: str
    pause: int = 0
    pick: int = 0
    a: int = 0
    b: int = 0
    c: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Made:
    """The files after an edit. `heir`: the kid of a key that is to sign at once in the place of a revoked one."""

    files: Files
    heir: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Desk:
    """What whoever edits has before them. `number` is the next key of the pool."""

    files: Files
    keyset: KeySet
    holds: Conditions
    now: datetime
    number: int


def pauses(holds: Conditions) -> tuple[timedelta, ...]:
    """How long nothing is edited: the times at which something may be due, and a little more or less."""
    return (
        DAY,
        timedelta(0),
        MINUTE,
        holds.interval,
        holds.least_lead,
        holds.lead,
        holds.lead + holds.interval,
        holds.retention,
        holds.lead + holds.retention + HOUR,
        holds.lead - MINUTE,
        30 * DAY,
    )


def instants(holds: Conditions, now: datetime) -> tuple[datetime, ...]:
    """Instants that an edit may name: bounds of the rules, and a little more or less."""
    ahead = (
        holds.lead,
        holds.least_lead,
        holds.least_lead - MINUTE,
        holds.lead + HOUR,
        timedelta(0),
        MINUTE,
        holds.interval,
        holds.spread,
        holds.retention,
        holds.lead + holds.retention,
        DAY,
        10 * DAY,
        40 * DAY,
        -MINUTE,
        -HOUR,
        -DAY,
        -holds.lead,
        -4 * DAY,
    )
    return tuple(now + one for one in ahead)


def made(edit: Edit, desk: Desk) -> Made | None:
    """The files after an edit; None where there is nothing to do it to."""
    return KINDS[edit.kind](edit, desk)


def _at(edit_number: int, desk: Desk) -> datetime:
    return _of(instants(desk.holds, desk.now), edit_number)


def _of(some: Sequence[T], number: int) -> T:
    return some[number % len(some)]


def _add(edit: Edit, desk: Desk) -> Made:
    """A custom key; open, announced or with all of its windows."""
    entry = {**fields_of(desk.number), **_windows(edit, desk, told)}
    if edit.pick % 4 == 3:
        entry["domains"] = [_of(desk.files.domains, edit.c)]
    return Made(files=replace(desk.files, custom=(*desk.files.custom, entry)))


def _announce(edit: Edit, desk: Desk) -> Made:
    """A custom key as the README has it: published now, to sign a lead later."""
    fields = {
        "publish": {"from": told(desk.now)},
        "signs": {"from": told(_of(instants(desk.holds, desk.now), edit.a % 4))},
    }
    entry: dict[str, Any] = {**fields_of(desk.number), **fields}
    if edit.pick % 4 == 3:
        entry["domains"] = [_of(desk.files.domains, edit.c)]
    return Made(files=replace(desk.files, custom=(*desk.files.custom, entry)))


def _limited(edit: Edit, desk: Desk) -> Made:
    """A generated key of one domain, written by hand."""
    entry = {**fields_of(desk.number), **_windows(edit, desk, written_moment)}
    entry["domains"] = [_of(desk.files.domains, edit.c)]
    content = desk.files.generated
    return Made(files=replace(desk.files, generated=replace(content, entries=(*content.entries, entry))))


def _windows(edit: Edit, desk: Desk, write: Callable[[datetime], Any]) -> dict[str, Any]:
    fields: dict[str, Any] = {}
    start = desk.now
    if edit.pick % 3:
        start = desk.now if edit.pick % 3 == 1 else _at(edit.c, desk)
        fields["publish"] = {"from": write(start)}
    if edit.a:
        fields["signs"] = {"from": write(_at(edit.a - 1, desk))}
    if edit.b:
        end = _at(edit.b - 1, desk) + desk.holds.lead
        fields.setdefault("signs", {})["until"] = write(end)
        fields.setdefault("publish", {})["until"] = write(end + desk.holds.retention)
    return fields


def _alter(edit: Edit, desk: Desk) -> Made | None:
    """A window or the domains of an entry, custom or generated."""
    files, custom = desk.files, len(desk.files.custom)
    entries = [*files.custom, *files.generated.entries]
    if not entries:
        return None
    at = edit.pick % len(entries)
    write: Callable[[datetime], Any] = told if at < custom else written_moment
    entry: dict[str, Any] = {name: dict(v) if isinstance(v, Mapping) else v for name, v in entries[at].items()}
    when, holds = _at(edit.b, desk), desk.holds
    match edit.a % 7:
        case 0:
            entry.setdefault("signs", {})["until"] = write(when)
            entry.setdefault("publish", {})["until"] = write(when + holds.retention + _of((timedelta(0), HOUR), edit.c))
        case 1:
            entry.setdefault("signs", {})["from"] = write(when)
        case 2:
            entry.setdefault("publish", {})["until"] = write(when)
        case 3:
            entry.setdefault("signs", {})["until"] = write(when)
        case 4:
            entry.setdefault("publish", {})["from"] = write(when)
        case 5 if "domains" in entry:
            del entry["domains"]
        case 5:
            entry["domains"] = [_of(files.domains, edit.c)]
        case _:
            entry.pop("signs", None)
            entry.pop("publish", None)
    entries[at] = entry
    return Made(files=_with(files, entries, custom))


def _with(files: Files, entries: list[Any], custom: int) -> Files:
    content = Content(entries=tuple(entries[custom:]), upstream=files.generated.upstream)
    return replace(files, custom=tuple(entries[:custom]), generated=content)


def _remove(edit: Edit, desk: Desk) -> Made | None:
    """An entry goes."""
    files, custom = desk.files, len(desk.files.custom)
    entries = [*files.custom, *files.generated.entries]
    if not entries:
        return None
    at = edit.pick % len(entries)
    del entries[at]
    return Made(files=_with(files, entries, custom - (at < custom)))


def _revoke_custom(edit: Edit, desk: Desk) -> Made | None:
    if not desk.files.custom:
        return None
    custom = list(desk.files.custom)
    at = edit.pick % len(custom)
    custom[at] = {**custom[at], "revoked": {"at": told(desk.now), "reason": "lost"}}
    return Made(files=replace(desk.files, custom=tuple(custom)))


def _rotate(edit: Edit, desk: Desk) -> Made | None:
    """`generated rotate`, perhaps with --at; what is over goes, too."""
    at = None if edit.a == 0 else _at(edit.a - 1, desk)
    if at is not None and at < desk.now:
        return None
    gone = rotate.over(desk.keyset, desk.holds, desk.now)
    content = desk.files.generated
    found = rotate.rotate(content, desk.keyset, desk.holds, desk.now, maker(desk.number), at)
    if found is None and not gone:
        return None
    content = rotate.without(content if found is None else found.content, gone)
    return Made(files=replace(desk.files, generated=content))


def _standby(edit: Edit, desk: Desk) -> Made:
    """A generated key that is announced without an end of the present one."""
    start = _of((desk.now + desk.holds.lead, desk.now + 40 * DAY, NEVER - DAY), edit.a)
    windows = {"publish": {"from": written_moment(desk.now)}, "signs": {"from": written_moment(start)}}
    content = desk.files.generated
    entry = {**fields_of(desk.number), **windows}
    return Made(files=replace(desk.files, generated=replace(content, entries=(*content.entries, entry))))


def _revoke(edit: Edit, desk: Desk) -> Made | None:
    """`generated revoke --emergency`: of any key of the tenant's that is not revoked."""
    keys: list[Key] = [key for key in desk.keyset.keys if key.origin == "generated" and key.revoked is None]
    if not keys:
        return None
    key = _of(keys, edit.pick)
    make = maker(desk.number) if edit.a % 2 else None
    try:
        struck = rotate.revoke(desk.files.generated, desk.keyset, key, desk.now, "stolen", desk.now, make)
    except rotate.NoHeirError:
        return None
    return Made(files=replace(desk.files, generated=struck.content), heir=struck.heir)


def _domain(edit: Edit, desk: Desk) -> Made | None:
    """A domain comes or goes."""
    domains = desk.files.domains
    name = ("login", "id", "auth")[edit.pick % 3] + ".acme.example"
    if name not in domains:
        return Made(files=replace(desk.files, domains=(*domains, name)))
    left = tuple(one for one in domains if one != name)
    return Made(files=replace(desk.files, domains=left)) if left else None


def _policy(edit: Edit, desk: Desk) -> Made:
    """Other cache terms, token lifetime or lead."""
    terms: Terms = desk.files.terms
    match edit.a % 3:
        case 0:
            age, revalidate, error = _of(CACHES, edit.b)
            terms = replace(terms, max_age=age, while_revalidate=revalidate, if_error=error)
            terms = settled(replace(terms, lead=0) if edit.c % 2 else terms)
        case 1:
            terms = replace(terms, lifetime=_of(LIFETIMES, edit.b))
        case _:
            terms = replace(terms, lead=_of(LEADS, edit.b))
    return Made(files=replace(desk.files, terms=terms))


KINDS: Mapping[str, Callable[[Edit, Desk], Made | None]] = {
    "rotate": _rotate,
    "announce": _announce,
    "alter": _alter,
    "policy": _policy,
    "revoke": _revoke,
    "add": _add,
    "standby": _standby,
    "remove": _remove,
    "revoke custom": _revoke_custom,
    "domain": _domain,
    "limited": _limited,
}
