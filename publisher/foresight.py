"""The dangers that a publish will meet when a change is merged: its plan, made before the merge, for its tenants alone.

Over a store's log it goes by what was really published. Without one the base counts as published: it is published into
an empty store in memory, as of the same instant, and the change is planned over that.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial

from publisher.draft import Order, draft
from publisher.keychange import Copies
from publisher.plan import Plan
from publisher.publication import Publisher
from publisher.refusals import CLOCK_AHEAD, CLOCK_BEHIND, NOT_A_DESCENDANT
from publisher.releaselog import Log
from publisher.survey import Wish
from publisher.terms import renewed_by, standing

# Of where and when something is published from, which nobody knows before the merge.
_LATER = frozenset({NOT_A_DESCENDANT.id, CLOCK_AHEAD.id, CLOCK_BEHIND.id})


@dataclass(frozen=True, slots=True, kw_only=True)
class Foreseen:
    """The plan of a change, and what the log tells of copies; None where that is of what was published for it alone."""

    plan: Plan
    copies: Copies | None


async def foresee(log: Log, after: Order, tenants: Iterable[str], before: Order | None = None) -> Foreseen:
    """The plan of `after` for these tenants. `before` is published first, where `log` is of an empty store.

    Raises SourceError, StoreError and Damaged.
    """
    if before is not None:
        await _publish(log, before)
    order = replace(after, allowed=after.allowed | _LATER, wish=Wish(only=frozenset(tenants)))
    tip = await log.tip()
    plan = await draft(log, tip, order, lambda: None)
    usable = max((one.lifetime for one in standing(tip, order.times.served)), default=timedelta(0))
    copies = Copies(until=partial(renewed_by, tip), usable=usable)
    return Foreseen(plan=plan, copies=copies if before is None else None)


async def _publish(log: Log, order: Order) -> None:
    now: datetime = order.times.served
    publisher = Publisher(
        log=log,
        start=lambda: None,
        approve=lambda plan: True,
        clock=lambda: now,
        note=lambda line: None,
        step=lambda: None,
        ask_first=False,
    )
    await publisher.publish(replace(order, allowed=order.allowed | _LATER))
