"""The program with one of its safeguards taken away, to show that the simulation notices each."""

import sys
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import timedelta

import pytest

from publisher import (
    apply,
    conditions,
    consumer,
    exposure,
    feed,
    hazards,
    memory,
    publications,
    recall,
    signing,
    terms,
    tokens,
)
from publisher.conditions import Conditions
from publisher.rules import changes

ZERO = timedelta(0)
Patch = Callable[[pytest.MonkeyPatch], None]


def everywhere(patch: pytest.MonkeyPatch, old: object, new: object) -> None:
    """Replace what modules of the program and the simulation have imported by name."""
    for name, module in list(sys.modules.items()):
        if name.startswith(("publisher", "simulation", "tests.simulation")):
            for field, value in list(vars(module).items()):
                if value is old:
                    patch.setattr(module, field, new)


def no_lead(patch: pytest.MonkeyPatch) -> None:
    """A key may sign as soon as it is published."""
    _conditions(patch, lambda holds: replace(holds, lead=ZERO, spread=ZERO, interval=ZERO, propagation=ZERO))
    everywhere(patch, conditions.least_lead, lambda propagation, interval, spread: ZERO)
    former_terms_forgotten(patch)


def no_max_age(patch: pytest.MonkeyPatch) -> None:
    """Propagation is reckoned without what clients keep."""

    def without(holds: Conditions) -> Conditions:
        return replace(holds, propagation=ZERO, spread=holds.spread - holds.propagation, lead=timedelta(hours=2))

    _conditions(patch, without)
    former_terms_forgotten(patch)


def no_verifiers(patch: pytest.MonkeyPatch) -> None:
    """The lead does not take the slowest of the named verifiers."""
    everywhere(patch, consumer.learns_within, lambda one, max_age: ZERO)
    everywhere(patch, consumer.slowest, lambda some, max_age: ZERO)

    def least(holds: Conditions) -> Conditions:
        return replace(holds, lead=holds.least_lead)

    _conditions(patch, least)


def half_retention(patch: pytest.MonkeyPatch) -> None:
    """Keys stay for half of their tokens' lifetime, by the rules and by what keeps them longer."""
    real = tokens.alive_until
    patch.setattr(Conditions, "retention", property(lambda self: (self.token_lifetime + self.skew) / 2))
    everywhere(patch, real, lambda known, present, end, skew: real((), present / 2, end, skew / 2))


def never_kept(patch: pytest.MonkeyPatch) -> None:
    """A key leaves by its window, whether its successor was late or not."""
    everywhere(patch, memory.kept, lambda known, holds, files=(): {})


def lifetimes_forgotten(patch: pytest.MonkeyPatch) -> None:
    """A token lifetime that was shortened binds at once."""
    real = tokens.lifetimes
    everywhere(patch, real, lambda known, present, now: real((), present, now))


def feed_by_dates(patch: pytest.MonkeyPatch) -> None:
    """The signer feed goes by the dates of the files, and not by what is recorded as published."""
    real = feed.feed
    everywhere(patch, real, lambda keyset, holds, now, record=None, known=None: real(keyset, holds, now))


def gone_counts(patch: pytest.MonkeyPatch) -> None:
    """A key that has left the documents counts as published."""
    everywhere(patch, publications._is_gone, lambda key, as_of: False)


def never_overdue(patch: pytest.MonkeyPatch) -> None:
    """A successor is ready when it is published, without waiting for the lead and for copies."""
    former_terms_forgotten(patch)
    real = signing.ready
    everywhere(patch, real, lambda window, seen, lead, *, founding: real(window, seen, ZERO, founding=founding))


def former_terms_forgotten(patch: pytest.MonkeyPatch) -> None:
    """Cache terms that were shortened bind at once."""
    everywhere(patch, terms.renewed_by, lambda tip, seen: seen)
    everywhere(patch, terms.renewed_under, lambda header, seen: seen)


def no_purge(patch: pytest.MonkeyPatch) -> None:
    """A revocation purges nothing."""
    patch.setattr(apply, "_purges", lambda plan, changes, pending, copies, completed: ())


def no_stale_if_error(patch: pytest.MonkeyPatch) -> None:
    """The printed exposure leaves out what a CDN serves while its origin fails."""
    real = exposure.exposure
    everywhere(patch, real, lambda cache, consumers: real(replace(cache, stale_if_error=ZERO), consumers))


def no_forgetting(patch: pytest.MonkeyPatch) -> None:
    """The printed exposure leaves out how long verifiers keep sets."""
    everywhere(patch, consumer.forgets_within, lambda one, max_age: ZERO)


def base_unseen(patch: pytest.MonkeyPatch) -> None:
    """A review does not compare with the base revision."""
    patch.setattr(changes, "check", lambda old, new, holds, now, struck=frozenset(): ())


def late_ends_unseen(patch: pytest.MonkeyPatch) -> None:
    """A key is not kept whose end was over before it was published."""
    everywhere(patch, recall.overdue, lambda tip, tasks, made, now: ())
    newcomers_unguarded(patch)  # which keeps back a new domain without it


def newcomers_unguarded(patch: pytest.MonkeyPatch) -> None:
    """A new domain begins without keys that sign for all of the tenant's."""
    real = hazards._relied_on
    patch.setattr(hazards, "_relied_on", lambda step, record: {} if step.before is None else real(step, record))


def _conditions(patch: pytest.MonkeyPatch, change: Callable[[Conditions], Conditions]) -> None:
    real = conditions.conditions
    everywhere(patch, real, lambda *arguments, **named: change(real(*arguments, **named)))


MUTANTS: Mapping[str, Patch] = {
    one.__name__: one
    for one in (
        *(no_lead, no_max_age, no_verifiers, half_retention, never_kept, lifetimes_forgotten, feed_by_dates),
        *(gone_counts, never_overdue, former_terms_forgotten, no_purge, no_stale_if_error, no_forgetting),
        *(base_unseen, late_ends_unseen, newcomers_unguarded),
    )
}
