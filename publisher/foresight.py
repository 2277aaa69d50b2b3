"""The dangers that a publish will meet when a change is merged: its plan, made before the merge, for its tenants alone.

Over a store's log it goes by what was really published. Without one the base counts as published: it is published into
an empty store in memory, as of the same instant, and the change is planned over that.
"""

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime

from publisher.draft import Order, draft
from publisher.plan import Plan
from publisher.publication import Publisher
from publisher.refusals import CLOCK_AHEAD, CLOCK_BEHIND, NOT_A_DESCENDANT
from publisher.releaselog import Log
from publisher.survey import Wish

# Of where and when something is published from, which nobody knows before the merge.
_LATER = frozenset({NOT_A_DESCENDANT.id, CLOCK_AHEAD.id, CLOCK_BEHIND.id})


async def foresee(log: Log, after: Order, tenants: Iterable[str], before: Order | None = None) -> Plan:
    """The plan of `after` for these tenants. `before` is published first, where `log` is of an empty store.

    Raises SourceError, StoreError and Damaged.
    """
    if before is not None:
        await _publish(log, before)
    order = replace(after, allowed=after.allowed | _LATER, wish=Wish(only=frozenset(tenants)))
    return await draft(log, await log.tip(), order, lambda: None)


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
