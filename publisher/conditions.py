"""What holds for one tenant: the policy's times and verifiers, its plan's, and its own within the platform's bounds.

    propagation = s-maxage + stale-while-revalidate + max-age: when a new document is seen by all who honour caches
    spread      = propagation + the slowest verifier's refresh + clock skew
    least lead  = propagation + 1 h, or publish interval + spread if that is longer

FACTS, section 3. s-maxage is max-age here: a CDN keeps what it says to everybody.
"""

from dataclasses import dataclass, replace
from datetime import timedelta

from publisher.consumer import slowest
from publisher.consumers import named
from publisher.keyset import KeySet
from publisher.policy import Policy, Rotation

_ALLOWANCE = timedelta(hours=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Conditions:
    """The times that a tenant's keys are held to. `lead` is at least `least_lead`; `alg` is for new generated keys."""

    token_lifetime: timedelta
    skew: timedelta
    interval: timedelta
    propagation: timedelta
    spread: timedelta
    lead: timedelta
    every: timedelta
    alg: str
    consumers: frozenset[str] = frozenset()
    followed: bool = False
    """Whether an upstream makes the generated keys, and signs with them when it likes."""

    @property
    def retention(self) -> timedelta:
        """How long a key is published after it signed last."""
        return self.token_lifetime + self.skew

    @property
    def uptake(self) -> timedelta:
        """How long verifiers take to have what caches have let through, clock skew included."""
        return self.spread - self.propagation

    @property
    def least_lead(self) -> timedelta:
        """What no lead may be under."""
        return least_lead(self.propagation, self.interval, self.spread)


def conditions(policy: Policy, plan: str = "", own: KeySet | None = None) -> Conditions:
    """The conditions of a tenant on a plan, with what its own file asks for, as far as it may."""
    cache, asked = policy.cache, Rotation() if own is None else own.rotation
    rotation, lifetime = policy.rotation_of(plan), policy.token_lifetime_of(plan)
    consumers = policy.consumers_of(plan, frozenset() if own is None else own.consumers)
    propagation = cache.max_age * 2 + cache.stale_while_revalidate
    spread = propagation + slowest(named(consumers), cache.max_age) + policy.clock_skew
    least = least_lead(propagation, policy.publish_interval, spread)
    return Conditions(
        token_lifetime=min(lifetime, lifetime if own is None else own.token_lifetime or lifetime),
        skew=policy.clock_skew,
        interval=policy.publish_interval,
        propagation=propagation,
        spread=spread,
        lead=max(*(one for one in (rotation.lead, asked.lead, least) if one is not None), least),
        every=asked.every or rotation.every or policy.rotate_every,
        alg=asked.alg or rotation.alg or policy.generated_alg,
        consumers=consumers,
        followed=own is not None and own.upstream is not None,
    )


def longest(one: Conditions, other: Conditions) -> Conditions:
    """The first, with the longer of the times that keys are held to: what holds while one gives way to the other."""
    return replace(
        one,
        token_lifetime=max(one.token_lifetime, other.token_lifetime),
        skew=max(one.skew, other.skew),
        interval=max(one.interval, other.interval),
        propagation=max(one.propagation, other.propagation),
        spread=max(one.spread, other.spread),
        lead=max(one.lead, other.lead),
    )


def least_lead(propagation: timedelta, interval: timedelta, spread: timedelta) -> timedelta:
    """The shortest lead with which a publish that is one interval late is still in time."""
    return max(propagation + _ALLOWANCE, interval + spread)
