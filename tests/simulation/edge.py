"""A CDN and verifiers, in every phase at once: until when a document can be in use somewhere after the origin left it.

Nothing is drawn here. A copy was fetched at some instant while its version was served; each hop may keep it for as long
as its header says, and the worst instant is the last one. So the copies that anybody can hold at an instant are those
of all phases, and what is asserted of them holds for every offset of every verifier.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from publisher.consumer import FOREVER, Consumer, Keeping
from publisher.keyset import ALWAYS
from publisher.signing import later

ZERO = timedelta(0)

CACHES = Consumer(name="(caches alone)", keeps=Keeping(least=ZERO, most=ZERO), refetch=None)
"""A verifier that keeps nothing beyond what HTTP caches do."""


@dataclass(slots=True, kw_only=True)
class Version:
    """What the origin serves for a domain from `start` to `end` (None: still): thumbprints by kid, and its header."""

    start: datetime
    keys: Mapping[str, str]
    max_age: timedelta
    while_revalidate: timedelta
    if_error: timedelta
    end: datetime | None = None


@dataclass(slots=True, kw_only=True)
class Edge:
    """A CDN before the origin. `outages` are of the origin; `purges` the instants at which a domain was purged."""

    versions: dict[str, list[Version]] = field(default_factory=dict)
    outages: list[tuple[datetime, datetime]] = field(default_factory=list)
    purges: dict[str, list[datetime]] = field(default_factory=dict)

    def serve(self, domain: str, now: datetime, keys: Mapping[str, str], header: str) -> None:
        """The origin serves this from now on."""
        past = self.versions.setdefault(domain, [])
        terms = terms_of(header)
        made = Version(start=now, keys=keys, max_age=terms[0], while_revalidate=terms[1], if_error=terms[2])
        if past:
            last = past[-1]
            if (last.keys, last.max_age, last.while_revalidate, last.if_error) == (keys, *terms):
                return
            last.end = now
        past.append(made)

    def served_until(self, domain: str, version: Version) -> datetime | None:
        """Until when the CDN may serve this version, outages of its origin and purges included; None without end."""
        if version.end is None:
            return None
        until = version.end + version.max_age + version.while_revalidate
        for start, end in self.outages:
            fetched = min(version.end, start)
            stale = min(end, fetched + version.max_age + version.if_error)
            if version.start <= fetched and stale > start:
                until = max(until, stale)
        return min([until, *(at for at in self.purges.get(domain, ()) if at >= version.end)])


def terms_of(header: str) -> tuple[timedelta, timedelta, timedelta]:
    """max-age, stale-while-revalidate and stale-if-error of a Cache-Control header."""
    told = dict(part.strip().split("=") for part in header.split(",") if "=" in part)
    names = ("max-age", "stale-while-revalidate", "stale-if-error")
    age, revalidate, error = (timedelta(seconds=int(told[name])) for name in names)
    return age, revalidate, error


def lacking(
    versions: Sequence[Version], kid: str, thumbprint: str, verifier: Consumer
) -> Iterator[tuple[datetime, datetime | None]]:
    """When this verifier, in some phase, has a document without the key and cannot help it; None: without end.

    Origin outages are left out: stale-if-error is for a day by default, and no lead is to wait for that.
    """
    for one in versions:
        if one.keys.get(kid) != thumbprint:
            keeps = _keeps(verifier, one.max_age)
            stuck = keeps if verifier.refetch is None else min(keeps, verifier.refetch)
            until = None if one.end is None else one.end + one.max_age + one.while_revalidate
            yield one.start, None if until is None else later(until + one.max_age, stuck)


def accepted_until(edge: Edge, domain: str, thumbprint: str, verifier: Consumer) -> datetime | None:
    """Until when this verifier, in some phase, accepts tokens of a key that the origin served; None without end."""
    ends: list[datetime] = []
    for one in edge.versions.get(domain, ()):
        if thumbprint in one.keys.values():
            served = edge.served_until(domain, one)
            keeps = _keeps(verifier, one.max_age)
            if served is None or keeps == FOREVER:
                return None
            ends.append(served + one.max_age + keeps)
    return max(ends, default=ALWAYS)


def _keeps(verifier: Consumer, max_age: timedelta) -> timedelta:
    assert verifier.keeps is not None
    return max(verifier.keeps.least, min(max_age, verifier.keeps.most))


def meets(one: tuple[datetime, datetime], other: tuple[datetime, datetime | None]) -> bool:
    """Whether two spans, their ends not included, have an instant in common."""
    return one[0] < one[1] and other[0] < one[1] and (other[1] is None or one[0] < other[1])
