"""When every verifier has a new key, and for how long a revoked one may yet be accepted. Pure.

    safe to sign = recorded publication + cache terms + the verifier's refresh + clock skew
    exposure     = s-maxage + max(stale-while-revalidate, stale-if-error) + max-age + the slowest verifier's keeping

FACTS, section 3. A verifier that keeps a set until a kid is unknown to it may accept a revoked key for ever.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from publisher.conditions import Conditions
from publisher.consumer import forgets_within, learns_within
from publisher.consumers import named
from publisher.policy import Cache
from publisher.signing import later


@dataclass(frozen=True, slots=True, kw_only=True)
class Exposure:
    """How long copies of a document can be used after it changed.

    `caches`: by a CDN that nobody purges and whoever asks it; `purged`: where it is purged. `verifiers`: how long each
    named one goes on for after that; None: for ever, until it is restarted or meets a kid that it does not know.
    """

    caches: timedelta
    purged: timedelta
    verifiers: Mapping[str, timedelta | None]

    @property
    def slowest(self) -> timedelta | None:
        """The longest time of a named verifier; None where one has no bound."""
        times = list(self.verifiers.values())
        return None if None in times else max((one for one in times if one is not None), default=timedelta(0))


def exposure(cache: Cache, consumers: frozenset[str]) -> Exposure:
    """The exposure under these cache terms, for these verifiers."""
    return Exposure(
        caches=cache.max_age * 2 + max(cache.stale_while_revalidate, cache.stale_if_error),
        purged=cache.max_age,
        verifiers={one.name: forgets_within(one, cache.max_age) for one in named(consumers)},
    )


def spoken(time: timedelta) -> str:
    """A duration for people: `24 h 10 min`, `30 s`."""
    seconds = int(time.total_seconds())
    parts = [(seconds // 3600, "h"), (seconds % 3600 // 60, "min"), (seconds % 60, "s")]
    return " ".join(f"{count} {unit}" for count, unit in parts if count) or "0 s"


@dataclass(frozen=True, slots=True, kw_only=True)
class Safe:
    """Since when a key is published, and from when it is safe to sign with.

    `everywhere`: with all of them; `verifiers`: with each named one, by name, the slowest last.
    """

    published: datetime
    everywhere: datetime
    verifiers: Mapping[str, datetime]


def safe_to_sign(
    published: datetime, holds: Conditions, cache: Cache, *, founding: bool, copies: datetime | None = None
) -> Safe:
    """From the recorded publication on; a key of the first documents at once, as nobody has older copies.

    `copies`: until when copies can be used under former, longer cache terms.
    """
    seen = published if founding else later(published, holds.propagation + holds.skew)
    if copies is not None and not founding:
        seen = max(seen, copies)
    wait = {one.name: learns_within(one, cache.max_age) for one in named(holds.consumers)}
    slowest = timedelta(0) if founding else max(wait.values(), default=timedelta(0))
    return Safe(
        published=published,
        everywhere=later(seen, slowest),
        verifiers={
            name: later(seen, timedelta(0) if founding else wait[name])
            for name in sorted(wait, key=lambda name: (wait[name], name))
        },
    )
