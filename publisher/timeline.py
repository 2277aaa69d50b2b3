"""Phases, and the order and the instants of change of one domain's keys. Nothing stores a phase: time gives it."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, TypeAlias

from publisher.keyset import ALWAYS, NEVER, Key, Origin, Window

Phase: TypeAlias = Literal["pending", "announced", "active", "retiring", "withdrawn", "revoked"]

# The document's order: custom keys before generated ones, and in each group those that sign now first, because some
# verifiers try the keys in turn.
_RANKED: tuple[Phase, ...] = ("active", "announced", "retiring")
_ORIGINS: tuple[Origin, ...] = ("custom", "generated")
_GROUPS = tuple((origin, rank) for origin in _ORIGINS for rank in _RANKED)


@dataclass(frozen=True, slots=True, kw_only=True)
class Published:
    """A key in a document, and its phase there."""

    key: Key
    phase: Phase


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """What a domain publishes from `start` on, until the next step."""

    start: datetime
    keys: tuple[Published, ...]


def phase(key: Key, now: datetime) -> Phase:
    """The key's phase at an instant. Each phase includes its first instant and not its last."""
    return "revoked" if key.revoked is not None else phase_in(key.window, now)


def phase_in(window: Window, now: datetime) -> Phase:
    """The phase of a key with this window that is not revoked."""
    if now < window.publish_from:
        return "pending"
    if now >= window.publish_until:
        return "withdrawn"
    if now < window.signs_from:
        return "announced"
    return "active" if now < window.signs_until else "retiring"


def published(keys: Iterable[Key], now: datetime) -> tuple[Published, ...]:
    """The keys that a document holds at an instant, in its order, which does not depend on the files' order."""
    return _held(_prepare(keys), now)


def steps(keys: Iterable[Key]) -> tuple[Step, ...]:
    """Every step of the keys of one domain, in time order; the first starts at `ALWAYS`."""
    prepared = _prepare(keys)
    instants = {ALWAYS}
    for key, _ in prepared:
        window = key.window
        instants.update((window.publish_from, window.signs_from, window.signs_until, window.publish_until))
    instants.discard(NEVER)
    return tuple(Step(start=start, keys=_held(prepared, start)) for start in sorted(instants))


def _prepare(keys: Iterable[Key]) -> list[tuple[Key, dict[Phase, Published]]]:
    """The keys in their order within a phase, each with the values that the steps share."""
    ordered = sorted((key for key in keys if key.revoked is None), key=lambda key: (key.origin, key.kid))
    return [(key, {rank: Published(key=key, phase=rank) for rank in _RANKED}) for key in ordered]


def _held(prepared: list[tuple[Key, dict[Phase, Published]]], now: datetime) -> tuple[Published, ...]:
    found: dict[tuple[Origin, Phase], list[Published]] = {}
    for key, values in prepared:
        window = key.window
        if window.publish_from <= now < window.publish_until:  # `phase` would say the same at four times the cost
            at: Phase = "announced" if now < window.signs_from else "active" if now < window.signs_until else "retiring"
            found.setdefault((key.origin, at), []).append(values[at])
    return tuple(one for group in _GROUPS if group in found for one in found[group])
