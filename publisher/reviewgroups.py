"""What of a review is alike, so that what is not stands out: keys that may mint tokens, and tenants. Pure.

When 1,000 tenants rotate in one change, the reviewer looks for the one that got another key. So the rarest come first,
and alike is what differs in names, thumbprints, domains and instants alone.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from publisher.keychange import KeyChange, Mints
from publisher.review import Review, TenantReview


@dataclass(frozen=True, slots=True, kw_only=True)
class Minting:
    """A key of a tenant that may mint tokens that it could not before, or (of `losses`) no more."""

    tenant: str
    key: KeyChange
    mints: Mints


def gains(review: Review) -> tuple[tuple[Minting, ...], ...]:
    """Who may mint tokens that could not before, those alike together, the rarest first, custom keys before others."""
    return _grouped(
        [Minting(tenant=one.tenant, key=key, mints=mints) for one in review.tenants for key, mints in one.gains],
        review.now,
    )


def losses(review: Review) -> tuple[tuple[Minting, ...], ...]:
    """Keys that may mint no more, those alike together, the rarest first."""
    return _grouped(
        [Minting(tenant=one.tenant, key=key, mints=mints) for one in review.tenants for key, mints in one.losses],
        review.now,
    )


def alike(tenants: Iterable[TenantReview], now: datetime) -> tuple[tuple[TenantReview, ...], ...]:
    """The tenants with like changes together, in the order of `rank`, then the fewest first."""
    groups: dict[Any, list[TenantReview]] = {}
    for one in tenants:
        groups.setdefault(_tenant(one, now), []).append(one)
    found = [tuple(one) for one in groups.values()]
    return tuple(sorted(found, key=lambda group: (group[0].rank, len(group))))  # stable: by name among equals


def _grouped(found: Iterable[Minting], now: datetime) -> tuple[tuple[Minting, ...], ...]:
    groups: dict[Any, list[Minting]] = {}
    for one in found:
        groups.setdefault(_minting(one, now), []).append(one)
    return tuple(tuple(one) for one in sorted(groups.values(), key=lambda group: _rarity(group, now)))


def _rarity(group: Sequence[Minting], now: datetime) -> tuple[Any, ...]:
    first = group[0]
    return len(group), first.key.shown.origin, max(now, min(one.mints.start for one in group)), first.tenant


def _minting(one: Minting, now: datetime) -> Any:
    return (*_key(one.key), *_span(one.mints, now))


def _key(change: KeyChange) -> tuple[Any, ...]:
    key = change.shown
    return change.what, change.fields, key.origin, key.alg, key.kind, key.phase


def _span(mints: Mints, now: datetime) -> tuple[bool, bool]:
    return mints.start <= now, mints.until is None


def _tenant(one: TenantReview, now: datetime) -> Any:
    keys = [
        (*_key(key), tuple(_span(it, now) for it in key.gains), tuple(_span(it, now) for it in key.loses))
        for key in one.keys
    ]
    return (
        (one.before is None, one.after is None, one.before == one.after, one.read),
        one.settings,
        tuple(keys),
        tuple((it.what, it.canonical) for it in one.documents),
        tuple((it.consumer, it.named) for it in one.breaks),
        tuple((it.rule, it.waived) for it in one.dangers),
        tuple(it.rule for it in one.mistakes),
        tuple(it.rule for it in one.warnings),
    )


def same_key(group: Iterable[Minting]) -> Mapping[str, tuple[str, ...]]:
    """Tenants that share a key, by its thumbprint: whoever holds it can mint for all of them."""
    holders: dict[str, dict[str, None]] = {}
    for one in group:
        holders.setdefault(one.key.shown.thumbprint, {})[one.tenant] = None
    return {name: tuple(tenants) for name, tenants in holders.items() if len(tenants) > 1}
