"""What a change does to a tenant's keys: each key before and after, and who may mint tokens from when on. Pure.

A key is known by its identity (`jwk.identity`), so that another kid or algorithm is a change of one key. Whoever holds
the private half of a published key can mint tokens, whether the files say that it signs or not.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Literal, TypeAlias

from publisher.conditions import Conditions, longest
from publisher.exposure import Exposure, Safe, exposure, safe_to_sign
from publisher.jwk import RsaJwk, identity, kind
from publisher.keyset import NEVER, Key, KeySet, Origin, Revoked, Window
from publisher.policy import Cache
from publisher.rules.domains import name_fault
from publisher.timeline import Phase, phase

What: TypeAlias = Literal["added", "removed", "revoked", "unrevoked", "changed"]
_Times: TypeAlias = tuple[datetime, datetime]


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyFacts:
    """A key of the files. `kind` is `RSA 2048` or the curve; `domains` are those that its document set holds it for.

    The canonical domain, where the policy has one, is among them for a generated key.
    """

    kid: str
    thumbprint: str
    alg: str
    kind: str
    origin: Origin
    window: Window
    domains: tuple[str, ...]
    revoked: Revoked | None
    phase: Phase


@dataclass(frozen=True, slots=True, kw_only=True)
class Mints:
    """From `start` on whoever holds the private half can mint tokens that these domains' verifiers accept.

    `until` is when the key leaves the documents; None for never. `meets`: not so, as from then on both sides of the
    change have the key in the documents.
    """

    domains: tuple[str, ...]
    start: datetime
    until: datetime | None
    meets: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyChange:
    """One key before and after the change; None where the files do not have it.

    `fields` are the names of what differs, as keyset.yaml calls it. `gains` are publications that were not to be, and
    `loses` those that are to be no more, both from now on. `safe`: from when a key that comes, and is to sign, can be
    signed with, if it is published in time; `exposure`: for how long one that is revoked may yet be accepted.
    """

    what: What
    before: KeyFacts | None
    after: KeyFacts | None
    fields: tuple[str, ...]
    gains: tuple[Mints, ...]
    loses: tuple[Mints, ...]
    safe: Safe | None = None
    exposure: Exposure | None = None

    @property
    def shown(self) -> KeyFacts:
        """The key as it will be, or as it was."""
        if (found := self.after or self.before) is None:
            raise ValueError("a change of no key")
        return found


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """What the times of a tenant's keys are reckoned with. `canonical` is its canonical domain, if it has one."""

    conditions: Conditions
    cache: Cache
    canonical: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Copies:
    """What a store's releases tell of copies, whose cache terms may be longer than those of both sides.

    `until` gives until when copies that were fetched by an instant are used; `usable` is for how long any may be.
    """

    until: Callable[[datetime], datetime]
    usable: timedelta


def key_changes(
    before: KeySet | None,
    after: KeySet | None,
    terms: tuple[Terms, Terms],
    now: datetime,
    copies: Copies | None = None,
) -> tuple[KeyChange, ...]:
    """The keys that differ, custom ones first, by kid. `terms` are those before and after."""
    old, new = _facts(before, terms[0], now), _facts(after, terms[1], now)
    changes = (_change(old.get(name), new.get(name), terms, now, copies, served=bool(old)) for name in {**old, **new})
    found = [one for one in changes if one is not None]
    return tuple(sorted(found, key=lambda one: (one.shown.origin, one.shown.kid, one.shown.thumbprint)))


def _facts(keyset: KeySet | None, terms: Terms, now: datetime) -> Mapping[bytes, KeyFacts]:
    if keyset is None:
        return {}
    return {identity(key.jwk): _fact(key, tuple(_places(keyset, key, terms.canonical)), now) for key in keyset.keys}


def _places(keyset: KeySet, key: Key, canonical: str | None) -> Iterator[str]:
    # What is no name is refused, and may be anything, a private key too.
    names = (domain for domain in keyset.domains if name_fault(domain) is None)
    yield from (domain for domain in names if key.domains is None or domain in key.domains)
    if canonical is not None and key.origin == "generated" and (key.domains is None or canonical in key.domains):
        yield canonical


def _fact(key: Key, domains: tuple[str, ...], now: datetime) -> KeyFacts:
    jwk = key.jwk
    return KeyFacts(
        kid=key.kid,
        thumbprint=jwk.thumbprint,
        alg=key.alg,
        kind=f"RSA {jwk.modulus.bit_length()}" if isinstance(jwk, RsaJwk) else kind(jwk),
        origin=key.origin,
        window=key.window,
        domains=domains,
        revoked=key.revoked,
        phase=phase(key, now),
    )


def _change(
    before: KeyFacts | None,
    after: KeyFacts | None,
    terms: tuple[Terms, Terms],
    now: datetime,
    copies: Copies | None,
    *,
    served: bool,
) -> KeyChange | None:
    fields = _fields(before, after)
    if not fields:
        return None
    old, new = _published(before, now), _published(after, now)
    gains, loses = tuple(_grouped(_more(new, old), old)), tuple(_grouped(_more(old, new), new))
    what = _what(before, after)
    # What is published already, and only stays for longer, is safe to sign with.
    comes = [one.start for one in gains if not any(_ends(old, domain, one.start) for domain in one.domains)]
    safe = None
    holds, cache = longest(terms[1].conditions, terms[0].conditions), _longer(terms[1].cache, terms[0].cache)
    if comes and after is not None and after.window.signs_until > min(comes):
        until = None if copies is None else copies.until(min(comes))
        safe = safe_to_sign(min(comes), holds, cache, founding=not served, copies=until)
    return KeyChange(
        what=what,
        before=before,
        after=after,
        fields=fields,
        gains=gains,
        loses=loses,
        safe=safe,
        exposure=_exposure(cache, holds, copies) if what == "revoked" and loses else None,
    )


def _exposure(cache: Cache, holds: Conditions, copies: Copies | None) -> Exposure:
    found = exposure(cache, holds.consumers)
    return found if copies is None else replace(found, caches=max(found.caches, copies.usable))


def _ends(times: Mapping[str, _Times], domain: str, at: datetime) -> bool:
    return domain in times and times[domain][1] == at


def _longer(one: Cache, other: Cache) -> Cache:
    """The longer terms of the two: copies from before the change have the old ones."""
    return Cache(
        max_age=max(one.max_age, other.max_age),
        stale_while_revalidate=max(one.stale_while_revalidate, other.stale_while_revalidate),
        stale_if_error=max(one.stale_if_error, other.stale_if_error),
    )


def _what(before: KeyFacts | None, after: KeyFacts | None) -> What:
    if before is None:
        return "added"
    if after is None:
        return "removed"
    if before.revoked is None and after.revoked is not None:
        return "revoked"
    return "unrevoked" if before.revoked is not None and after.revoked is None else "changed"


def _fields(before: KeyFacts | None, after: KeyFacts | None) -> tuple[str, ...]:
    if before is None or after is None:
        return () if before is after else ("entry",)
    pairs = (
        ("kid", before.kid, after.kid),
        ("alg", before.alg, after.alg),
        ("origin", before.origin, after.origin),
        ("publish.from", before.window.publish_from, after.window.publish_from),
        ("signs.from", before.window.signs_from, after.window.signs_from),
        ("signs.until", before.window.signs_until, after.window.signs_until),
        ("publish.until", before.window.publish_until, after.window.publish_until),
        ("domains", before.domains, after.domains),
        ("revoked", before.revoked, after.revoked),
    )
    return tuple(name for name, one, other in pairs if one != other)


def _published(key: KeyFacts | None, now: datetime) -> dict[str, _Times]:
    """From when until when each domain serves the key, from now on."""
    if key is None or key.revoked is not None or key.window.publish_until <= now:
        return {}
    times = (max(now, key.window.publish_from), key.window.publish_until)
    return dict.fromkeys(key.domains, times) if times[0] < times[1] else {}


def _more(these: Mapping[str, _Times], those: Mapping[str, _Times]) -> Iterator[tuple[str, _Times]]:
    """The times of `these` that are not among those of the others."""
    for domain, (start, end) in these.items():
        known = those.get(domain)
        if known is None or known[1] <= start or known[0] >= end:
            yield domain, (start, end)
            continue
        if start < known[0]:
            yield domain, (start, known[0])
        if end > known[1]:
            yield domain, (known[1], end)


def _grouped(times: Iterable[tuple[str, _Times]], others: Mapping[str, _Times]) -> Iterator[Mints]:
    """Those at the same times together. `others` are the other side's."""
    groups: dict[tuple[_Times, bool], list[str]] = {}
    for domain, span in times:
        meets = domain in others and others[domain][0] == span[1]
        groups.setdefault((span, meets), []).append(domain)
    for ((start, end), meets), domains in sorted(groups.items()):
        yield Mints(domains=tuple(domains), start=start, until=None if end == NEVER else end, meets=meets)
