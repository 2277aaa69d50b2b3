"""How long copies of documents may be used: the cache terms of a policy, and of former ones that still bind."""

from dataclasses import replace
from datetime import datetime, timedelta

from publisher.policy import Cache
from publisher.release import Terms
from publisher.releaselog import Tip


def terms(tip: Tip, cache: Cache, now: datetime) -> tuple[Terms, ...]:
    """The cache terms that copies out there may have, the present ones last.

    Old ones end only when the release that replaced them is complete and its predecessor's last copy has run out.
    """
    own = lifetime(cache)
    base, head = tip.base, tip.head
    known: list[Terms] = []
    if base is not None and head is not None:
        for one in base.terms[:-1]:
            until = head.completed_at + one.lifetime if one.until is None else one.until
            known.append(replace(one, until=until))
        known.append(base.terms[-1])
    kept = [one for one in known if one.lifetime != own and (one.until is None or one.until > now)]
    return (*kept, Terms(lifetime=own, until=None))


def lifetime(cache: Cache) -> timedelta:
    """How long a copy may be used after it was fetched, by a CDN and then by whoever asked that."""
    return cache.max_age * 2 + max(cache.stale_while_revalidate, cache.stale_if_error)


def renewal(cache: Cache) -> timedelta:
    """How long a CDN may go on serving an old document while its origin works (RFC 9111 section 4.2, RFC 5861)."""
    return cache.max_age + cache.stale_while_revalidate
