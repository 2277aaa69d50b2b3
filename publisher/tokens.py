"""How long a tenant's tokens live: the longest lifetime of the present, and former ones that tokens still have. Pure.

A lifetime that was shortened binds only when the last token of the longer one has expired.
"""

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime, timedelta

from publisher.record import Lifetime


def lifetimes(known: Iterable[Lifetime], present: timedelta, now: datetime) -> tuple[Lifetime, ...]:
    """The lifetimes that tokens may have at `now`, the present one last. `known` are those of the last release."""
    ended = (replace(one, until=now + one.lifetime) if one.until is None else one for one in known)
    longer = (one for one in ended if one.lifetime > present and one.until is not None and one.until > now)
    return (*longer, Lifetime(lifetime=present, until=None))


def alive_until(known: Iterable[Lifetime], present: timedelta, signs_until: datetime, skew: timedelta) -> datetime:
    """When the last token of a key has expired that signed until then (OpenID Connect Core 10.1.1), skew included."""
    ends = [signs_until + present]
    for one in known:
        end = signs_until + one.lifetime
        ends.append(end if one.until is None else min(end, one.until))
    return max(ends) + skew
