"""What a change does to a tenant's documents: the bytes that its domains serve, from now on, before and after. Pure."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Literal, TypeAlias

from publisher.compile import Compiled, Document, DomainTimeline
from publisher.timeline import Phase

What: TypeAlias = Literal["added", "removed", "changed"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Named:
    """A key in a document, by kid and thumbprint, and its phase there."""

    kid: str
    thumbprint: str
    phase: Phase


@dataclass(frozen=True, slots=True, kw_only=True)
class Moved:
    """A key that both documents hold, in different phases."""

    kid: str
    before: Phase
    after: Phase


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """From `start` until `end` (None: for good) a domain serves other bytes than it would have.

    Where no key comes, goes or moves, the same keys have another order or other members. `before` and `after` are the
    SHA-256 of the documents at `start`, in lower-case hexadecimal; None where there is none.
    """

    start: datetime
    end: datetime | None
    keys_in: tuple[Named, ...]
    keys_out: tuple[Named, ...]
    moved: tuple[Moved, ...]
    before: str | None
    after: str | None
    unsigned: bool = False
    """Whether no key of the document signs, though one would have: nobody can be given a new token."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Peak:
    """The most keys and the most bytes of a document from now on. The two need not be of the same one."""

    keys: int = 0
    bytes: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class DocumentChange:
    """What changes alike for these domains of a tenant. `canonical`: it is its canonical domain."""

    what: What
    domains: tuple[str, ...]
    canonical: bool
    differences: tuple[Difference, ...]
    before: Peak
    after: Peak


def document_changes(before: Compiled | None, after: Compiled | None, now: datetime) -> tuple[DocumentChange, ...]:
    """The domains whose bytes differ at some instant from `now` on, those that differ alike together, by name."""
    old, new = _timelines(before), _timelines(after)
    groups: dict[tuple[What, bool, tuple[Difference, ...], Peak, Peak], list[str]] = {}
    for name in sorted(old.keys() | new.keys()):
        was, will = old.get(name), new.get(name)
        found = tuple(_differences(was, will, now))
        what: What = "added" if was is None else "removed" if will is None else "changed"
        if not found:
            continue  # also of a domain that comes or goes without any key
        shown = will or was
        key = (what, shown is not None and shown.canonical, found, _peak(was, now), _peak(will, now))
        groups.setdefault(key, []).append(name)
    return tuple(
        DocumentChange(what=what, domains=tuple(names), canonical=canonical, differences=found, before=was, after=will)
        for (what, canonical, found, was, will), names in groups.items()
    )


def _timelines(compiled: Compiled | None) -> Mapping[str, DomainTimeline]:
    return {} if compiled is None else {one.domain: one for one in compiled.domains}


def _differences(was: DomainTimeline | None, will: DomainTimeline | None, now: datetime) -> Iterator[Difference]:
    """The spans of time in which the documents differ in one way."""
    starts = sorted({now, *_starts(was, now), *_starts(will, now)})
    last: Difference | None = None
    for start in starts:
        found = _difference(_at(was, start), _at(will, start), start)
        if last is not None and found is not None and _alike(last, found):
            continue
        if last is not None:
            yield replace(last, end=start)
        last = found
    if last is not None:
        yield last


def _starts(timeline: DomainTimeline | None, now: datetime) -> Iterator[datetime]:
    return (one.start for one in (() if timeline is None else timeline.documents) if one.start > now)


def _at(timeline: DomainTimeline | None, now: datetime) -> Document | None:
    """The document; None where there is none, or it holds no key: no verifier sees a difference."""
    found = None if timeline is None else timeline.at(now)
    return None if found is None or not found.keys else found


def _difference(was: Document | None, will: Document | None, start: datetime) -> Difference | None:
    if (None if was is None else was.body) == (None if will is None else will.body):
        return None
    old, new = _keys(was), _keys(will)
    return Difference(
        start=start,
        end=None,
        keys_in=tuple(one for name, one in new.items() if name not in old),
        keys_out=tuple(one for name, one in old.items() if name not in new),
        moved=tuple(
            Moved(kid=one.kid, before=old[name].phase, after=one.phase)
            for name, one in new.items()
            if name in old and old[name].phase != one.phase
        ),
        before=None if was is None else was.digest,
        after=None if will is None else will.digest,
        unsigned=bool(new) and not _signs(new) and _signs(old),
    )


def _signs(keys: Mapping[tuple[str, str], Named]) -> bool:
    return any(one.phase == "active" for one in keys.values())


def _keys(document: Document | None) -> dict[tuple[str, str], Named]:
    held = () if document is None else document.keys
    return {
        (one.key.kid, one.key.jwk.thumbprint): Named(
            kid=one.key.kid, thumbprint=one.key.jwk.thumbprint, phase=one.phase
        )
        for one in held
    }


def _alike(one: Difference, other: Difference) -> bool:
    """Whether the same keys come, go and move, and leave the same behind."""
    return _told(one) == _told(other)


def _told(one: Difference) -> tuple[object, ...]:
    return _names(one.keys_in), _names(one.keys_out), one.moved, one.unsigned


def _names(keys: Iterable[Named]) -> tuple[tuple[str, str], ...]:
    return tuple((one.kid, one.thumbprint) for one in keys)


def _peak(timeline: DomainTimeline | None, now: datetime) -> Peak:
    held = [] if timeline is None else [one for one in timeline.documents if one.start > now]
    held += [] if timeline is None else [timeline.at(now)]
    return Peak(
        keys=max((len(one.keys) for one in held), default=0),
        bytes=max((len(one.body) for one in held if one.keys), default=0),
    )
