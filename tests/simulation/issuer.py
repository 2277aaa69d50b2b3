"""Who signs when: the spans in which each key signs tokens, by the files' dates and by the signer feed.

The platform's issuer signs with the one generated key that it is told; the tenant's proxy with every custom key that
may sign, by the file's dates where publishes come in time, else from `safe_to_sign` of the recorded publication on.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise

from publisher.exposure import safe_to_sign
from publisher.feed import Feed, feed
from publisher.keyset import KeySet
from publisher.signing import later

from .world import State, World

MOMENT = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """A key signs tokens from `start` until `end`, each valid for `lifetime` at most, for these domains."""

    kid: str
    thumbprint: str
    start: datetime
    end: datetime
    lifetime: timedelta
    domains: tuple[str, ...]
    why: str

    @property
    def used(self) -> tuple[datetime, datetime]:
        """When its tokens are used."""
        return self.start, self.end + self.lifetime


def spans(world: World, end: datetime) -> Iterator[Span]:
    """Every span of the story up to `end`."""
    states = world.states
    for one, after in pairwise([*states, None]):
        until = end if after is None else after.at
        if one is not None and one.at < until:
            if world.late.prompt:
                yield from _generated(one, until, after, recorded=False)
            yield from _generated(one, until, after, recorded=True)
            yield from _custom(one, until, recorded=not world.late.prompt)


def ask(state: State, now: datetime, *, recorded: bool) -> Feed:
    """What the signer feed says at an instant; `recorded`: with the store."""
    if recorded:
        return feed(state.keyset, state.holds, now, state.record, state.known)
    return feed(state.keyset, state.holds, now)


def _generated(state: State, until: datetime, after: State | None, *, recorded: bool) -> Iterator[Span]:
    """An answer is relied on until it is not fresh any more, or (for revocations) has to be read again.

    A shorter token lifetime holds from its merge on, also for who relies on an answer from before.
    """
    life = state.holds.token_lifetime
    for start, end in pairwise(_turns(state, until)):
        said = ask(state, start, recorded=recorded).signing
        key = said.key
        if key is None or said.early:  # `early` says itself that not everybody has it, and that nothing else may sign
            continue
        fresh = ask(state, end - MOMENT, recorded=recorded).fresh_until
        relied = min(fresh, end + state.holds.interval)
        shorter = life if after is None else min(life, after.holds.token_lifetime)
        for first, last, lifetime in ((start, end, life), (end, relied, shorter)):
            if first < last:
                yield Span(
                    kid=key.kid,
                    thumbprint=key.thumbprint,
                    start=first,
                    end=last,
                    lifetime=lifetime,
                    domains=_domains(state),
                    why="feed" if recorded else "dates",
                )


def _turns(state: State, until: datetime) -> list[datetime]:
    """The instants at which an answer can change while the files and the store stay as they are."""
    found = {state.at, until}
    for key in state.keyset.keys:
        window, seen = key.window, state.known.seen.get(key.jwk.thumbprint)
        found |= {window.publish_from, window.signs_from, window.signs_until, window.publish_until}
        if seen is not None:
            found.add(later(seen, state.holds.lead))
            found.add(later(state.known.copies.get(key.jwk.thumbprint, seen), state.holds.uptake))
    return sorted(one for one in found if state.at <= one <= until)


def _custom(state: State, until: datetime, *, recorded: bool) -> Iterator[Span]:
    keyset: KeySet = state.keyset
    for key in keyset.keys:
        if key.origin != "custom" or key.revoked is not None:
            continue
        name, window = key.jwk.thumbprint, key.window
        start = max(state.at, window.signs_from)
        if recorded:
            seen = state.known.seen.get(name)
            limited = state.record is not None and any(
                one.limited for one in state.record.keys if one.thumbprint == name
            )
            if seen is None or (limited and key.domains is None):
                continue
            known, cache = state.known, state.policy.cache
            safe = safe_to_sign(
                seen, state.holds, cache, founding=name in known.founding, copies=known.copies.get(name)
            )
            start = max(start, safe.everywhere)
        end = min(until, window.signs_until)
        if start < end:
            yield Span(
                kid=key.kid,
                thumbprint=name,
                start=start,
                end=end,
                lifetime=state.holds.token_lifetime,
                domains=keyset.domains if key.domains is None else key.domains,
                why="proxy",
            )


def _domains(state: State) -> tuple[str, ...]:
    canonical = state.policy.canonical_domain(state.keyset.tenant)
    return state.keyset.domains if canonical is None else (*state.keyset.domains, canonical)
