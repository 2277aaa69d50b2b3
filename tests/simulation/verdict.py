"""What no verifier may see: a valid token refused, or a revoked key accepted past the printed exposure."""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta

from publisher.consumer import Consumer
from publisher.consumers import CONSUMERS, named
from publisher.exposure import Exposure, exposure

from .edge import CACHES, accepted_until, lacking, meets
from .issuer import Span, spans
from .world import Revocation, World

AFTER = timedelta(days=60)
"""How long a story goes on after its last edit."""


def refused(world: World) -> Iterator[str]:
    """Tokens that are valid and refused somewhere, for people.

    Left out: verifiers that keep a set for longer than caches do, do not ask again at once for a kid that they do not
    know, and are not in the policy's `consumers` (no lead can cover what nobody named); tokens of a key that took the
    place of a revoked one at once, until it has been announced for the lead (better than no key at all); tokens of a
    revoked key; tokens in a domain to which their key came while it signed, before the instant of which `key-widened`
    warns, where who signs goes by the files; tokens used where no document was served yet (DNS points nowhere before);
    and, where the policy's max-age changed, verifiers that keep sets for a time which depends on it (lestrrat-jwx,
    confluent-cloud): the releases do not record for how long those hold to former terms.
    """
    struck = {one.thumbprint: one.committed for one in world.revocations}
    known = frozenset(world.files.terms.consumers)
    if len({state.policy.cache.max_age for state in world.states}) > 1:
        known = frozenset(name for name in known if not _goes_by_age(CONSUMERS[name]))
    for span in spans(world, world.now):
        start, end = span.used
        start = max(start, world.spared.get(span.thumbprint, start))
        end = min(end, struck.get(span.thumbprint, end), world.now)
        for domain in span.domains:
            key = (span.thumbprint, domain)
            since = max(start, world.warned.get(key, start))
            since = since if span.why == "feed" else max(since, world.widened.get(key, since))
            for verifier in _verifiers(known):
                for bad in lacking(world.edge.versions.get(domain, ()), span.kid, span.thumbprint, verifier):
                    if meets((since, end), bad):
                        yield f"{verifier.name} at {domain} without {span.kid} {_text(bad)}; {_of(span)}"


def accepted(world: World) -> Iterator[str]:
    """Revoked keys that are accepted past what was printed at their revocation, for people.

    Left out: verifiers that keep a set for ever, and those that the policy does not name, as the program says. Where
    the cache terms were changed in the days before, the longest of them count: who revokes in the files alone is told
    what the present ones give.
    """
    for one in world.revocations:
        if one.published is None:
            continue
        said = [exposure(cache, one.consumers) for cache in one.caches]
        caches = max(it.purged if one.purged else it.caches for it in said)
        bounds: list[tuple[Consumer, timedelta | None]] = [(CACHES, timedelta(0))]
        bounds += [(CONSUMERS[name], _longest(said, name)) for name in one.consumers]
        for domain in world.edge.versions:
            for verifier, time in bounds:
                if time is not None:
                    yield from _beyond(world, domain, verifier, one, one.published + caches + time)


def _longest(said: Sequence[Exposure], name: str) -> timedelta | None:
    times = [one.verifiers[name] for one in said]
    return None if None in times else max(time for time in times if time is not None)


def _beyond(world: World, domain: str, verifier: Consumer, one: Revocation, bound: datetime) -> Iterator[str]:
    until = accepted_until(world.edge, domain, one.thumbprint, verifier)
    if until is None or until > bound:
        yield f"{verifier.name} at {domain} accepts {one.kid} until {until}, and not until {bound}"


def _verifiers(known: frozenset[str]) -> tuple[Consumer, ...]:
    prompt = [one.name for one in CONSUMERS.values() if one.refetch == timedelta(0) and one.keeps is not None]
    return (CACHES, *named({*known, *prompt[:1]}))


def _goes_by_age(verifier: Consumer) -> bool:
    return verifier.keeps is not None and verifier.keeps.least != verifier.keeps.most


def _of(span: Span) -> str:
    return f"signed {span.start:%m-%d %H:%M:%S} to {span.end:%m-%d %H:%M:%S} for {span.lifetime} ({span.why})"


def _text(bad: tuple[datetime, datetime | None]) -> str:
    until = "ever" if bad[1] is None else f"{bad[1]:%m-%d %H:%M:%S}"
    return f"from {bad[0]:%m-%d %H:%M:%S} to {until}"
