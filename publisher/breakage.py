"""Verifiers that can read a tenant's documents before a change and not after it, named in the policy or not. Pure."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from publisher.compile import Compiled, Document
from publisher.consumer import entries, faults
from publisher.consumers import CONSUMERS


@dataclass(frozen=True, slots=True, kw_only=True)
class Break:
    """What one verifier (`consumers.CONSUMERS`) cannot do from `start` on with these domains' documents.

    `text` goes on after its name; `kid` is the key to blame, None where it is the whole document. `named`: whether
    `consumers` names it for the tenant on either side of the change; where it still does, `check` refuses the change.
    """

    consumer: str
    text: str
    kid: str | None
    domains: tuple[str, ...]
    start: datetime
    named: bool


def breaks(
    before: Compiled | None, after: Compiled | None, consumers: frozenset[str], now: datetime
) -> tuple[Break, ...]:
    """What breaks with the change, or sooner than it would have, named verifiers first."""
    known: dict[tuple[str, str, str | None], datetime] = {}
    for start, domain, consumer, kid, _ in _faults(before, now):
        known[domain, consumer, kid] = min(start, known.get((domain, consumer, kid), start))
    first: dict[tuple[str, str | None], tuple[datetime, str, list[str]]] = {}
    for start, domain, consumer, kid, text in sorted(_faults(after, now), key=lambda one: one[0]):
        was = known.get((domain, consumer, kid))
        if was is None or start < was:
            domains = first.setdefault((consumer, kid), (start, text, []))[2]
            domains += [] if domain in domains else [domain]
    found = (
        Break(
            consumer=consumer,
            text=text,
            kid=kid,
            domains=tuple(domains),
            start=start,
            named=consumer in consumers,
        )
        for (consumer, kid), (start, text, domains) in first.items()
    )
    return tuple(sorted(found, key=lambda one: (not one.named, one.start, one.consumer, one.kid or "")))


def _faults(compiled: Compiled | None, now: datetime) -> Iterator[tuple[datetime, str, str, str | None, str]]:
    """Since when (`now` at the earliest), domain, verifier, kid and text."""
    seen: dict[int, list[tuple[datetime, str, str | None, str]]] = {}
    for timeline in () if compiled is None else compiled.domains:
        shared = id(timeline.documents)  # domains with the same keys share their documents
        if shared not in seen:
            current = timeline.at(now)
            held = [one for one in timeline.documents if one.start >= current.start and one.keys]
            seen[shared] = [fault for one in held for fault in _of(one, now)]
        yield from ((start, timeline.domain, name, kid, text) for start, name, kid, text in seen[shared])


def _of(document: Document, now: datetime) -> Iterator[tuple[datetime, str, str | None, str]]:
    held = entries(document.body)
    for fault in faults(held, len(document.body), CONSUMERS.values()):
        kid = None if fault.index is None else held[fault.index].kid
        yield max(document.start, now), fault.consumer, kid, fault.text
