"""Compile: a tenant's key set and the policy to the whole timeline of each domain's documents.

A pure function: no clock, no network, no store. The same input gives the same bytes on every machine.
"""

import hashlib
from bisect import bisect_right
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from publisher.keyset import Key, KeySet
from publisher.policy import Policy
from publisher.render import document, key_bytes
from publisher.timeline import Published, Step, steps


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """What a domain serves from `start` (included) until the next document's start."""

    start: datetime
    keys: tuple[Published, ...]
    body: bytes

    @property
    def digest(self) -> str:
        """SHA-256 of the bytes, in lower-case hexadecimal."""
        return hashlib.sha256(self.body).hexdigest()


@dataclass(frozen=True, slots=True, kw_only=True)
class DomainTimeline:
    """All documents of a domain, in time order; the first starts at `keyset.ALWAYS`."""

    domain: str
    canonical: bool
    documents: tuple[Document, ...]

    def at(self, now: datetime) -> Document:
        """The document at an instant."""
        return self.documents[bisect_right(self.documents, now, key=lambda one: one.start) - 1]

    def next_change(self, now: datetime) -> datetime | None:
        """The first instant after `now` at which the bytes change."""
        current = self.at(now)
        later = (one.start for one in self.documents if one.start > now and one.body != current.body)
        return next(later, None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Compiled:
    """A tenant's documents over all time. `tree` is the Git tree id that they were made from, if any."""

    keyset: KeySet
    tree: str | None
    domains: tuple[DomainTimeline, ...]


def compile_keyset(keyset: KeySet, policy: Policy, tree: str | None = None) -> Compiled:
    """The timelines of a tenant: its custom domains, and its canonical domain with generated keys alone."""
    rendered = {id(key): key_bytes(key) for key in keyset.keys}
    made: dict[tuple[int, ...], tuple[Document, ...]] = {}

    def timeline(domain: str, keys: Iterable[Key], canonical: bool) -> DomainTimeline:
        held = [key for key in keys if key.domains is None or domain in key.domains]
        identity = tuple(id(key) for key in held)  # domains with the same keys share their documents
        if identity not in made:
            made[identity] = _documents(steps(held), rendered)
        return DomainTimeline(domain=domain, canonical=canonical, documents=made[identity])

    domains = [timeline(domain, keyset.keys, False) for domain in keyset.domains]
    canonical = policy.canonical_domain(keyset.tenant)
    if canonical is not None:
        domains.append(timeline(canonical, [key for key in keyset.keys if key.origin == "generated"], True))
    return Compiled(keyset=keyset, tree=tree, domains=tuple(domains))


def _documents(timeline: tuple[Step, ...], rendered: dict[int, bytes]) -> tuple[Document, ...]:
    return tuple(
        Document(start=step.start, keys=step.keys, body=document(rendered[id(one.key)] for one in step.keys))
        for step in timeline
    )
