"""How long copies of documents may be used: the cache terms of a policy, and of former ones that still bind."""

import re
from collections.abc import Iterable
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
    kept = [one for one in standing(tip, now) if one.lifetime != own]
    return (*kept, Terms(lifetime=own, until=None))


def standing(tip: Tip, now: datetime) -> tuple[Terms, ...]:
    """The cache terms that copies out there may have as of the last release, whose own come last."""
    base, head = tip.base, tip.head
    if base is None or head is None:
        return ()
    ended = (
        replace(one, until=head.completed_at + one.lifetime if one.until is None else one.until)
        for one in base.terms[:-1]
    )
    return (*(one for one in ended if one.until is not None and one.until > now), base.terms[-1])


def copies_until(terms: Iterable[Terms], seen: datetime) -> datetime:
    """Until when copies that were fetched by `seen` can be used under former, longer terms; `seen` without any.

    The present terms, which have no end, do not count: whoever asks reckons with them.
    """
    former = (min(seen + one.lifetime, one.until) for one in terms if one.until is not None)
    return max(former, default=seen)


def renewed_by(tip: Tip, seen: datetime) -> datetime:
    """Until when copies that were fetched by `seen` are used while origins work, under any terms but the policy's own.

    The last release's terms count by their header, as the policy may be shorter by now; former ones as a whole.
    """
    if tip.base is None:
        return seen
    return max(copies_until(standing(tip, seen), seen), renewed_under(tip.base.cache, seen))


def renewed_under(header: str, seen: datetime) -> datetime:
    """The same of copies that have this Cache-Control header of ours."""
    age = re.search(r"max-age=([0-9]+)", header)
    twice = timedelta(seconds=int(age[1])) if age else timedelta(0)
    return seen + renewal_by(header) + twice


def lifetime(cache: Cache) -> timedelta:
    """How long a copy may be used after it was fetched, by a CDN and then by whoever asked that."""
    return cache.max_age * 2 + max(cache.stale_while_revalidate, cache.stale_if_error)


def renewal_by(header: str) -> timedelta:
    """The same by a Cache-Control header of ours."""
    seconds = [int(one) for one in re.findall(r"(?:max-age|stale-while-revalidate)=([0-9]+)", header)]
    return timedelta(seconds=sum(seconds))


def renewal(cache: Cache) -> timedelta:
    """How long a CDN may go on serving an old document while its origin works (RFC 9111 section 4.2, RFC 5861)."""
    return cache.max_age + cache.stale_while_revalidate
