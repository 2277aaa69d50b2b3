"""A publish from the end of the log to a new HEAD; over again where another publisher was first.

`Outcome.plan` is None where the release alone shows that there is nothing to do.
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from datetime import datetime

from publisher.apply import Copies, Done, Overtaken, apply
from publisher.draft import Order, Start, draft
from publisher.plan import Plan
from publisher.probe import honours_conditions
from publisher.refusals import off_store
from publisher.releaselog import Log, Tip
from publisher.store import StoreError
from publisher.survey import idle

PATIENCE = 10.0
"""Seconds that whoever lost a race waits for the winner to finish; then it plans over what the winner left."""
_PAUSE = 0.25
_RACES = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """How a publish ended. `done` is None where nothing was to be done, or nothing was allowed to be."""

    tip: Tip
    plan: Plan | None
    done: Done | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Publisher:
    """What a publish needs beside its order. `approve` is shown each plan, and may stop it; `clock` tells the time.

    `copies` tells how CDNs stand to it. `ask_first` probes a new store for conditional writes. `note` takes a line for
    people.
    """

    log: Log
    start: Start
    approve: Callable[[Plan], bool]
    clock: Callable[[], datetime]
    note: Callable[[str], None]
    step: Callable[[], None]
    copies: Copies = "unnamed"
    ask_first: bool = True
    patience: float = PATIENCE

    async def publish(self, order: Order, tip: Tip | None = None) -> Outcome:
        """Publish; `tip` is the end of the log where that was read already. Raises what reading and writing raise."""

        async def make(found: Tip) -> Plan | None:
            if idle(found, order.revision, order.policy_digest, order.times.served, order.wish) and not order.inspect:
                return None
            return await self.plan(found, order)

        return await self.carry_out(make, tip)

    async def carry_out(self, make: Callable[[Tip], Awaitable[Plan | None]], tip: Tip | None = None) -> Outcome:
        """The same for plans that are made otherwise: over each end of the log that is found. None: nothing to do."""
        for _ in range(_RACES):
            found = await self.log.tip() if tip is None else tip
            tip = None
            plan = await make(found)
            if plan is None:
                return Outcome(tip=found, plan=None, done=None)
            if not self.approve(plan) or plan.refused or not plan.needed:
                return Outcome(tip=found, plan=plan, done=None)
            try:
                done = await self._apply(found, plan)
            except Overtaken as race:
                self.note(f"{race}; looking again")
                await self._wait(race.sequence)
                continue
            return Outcome(tip=found, plan=plan, done=done)
        raise StoreError(
            "throttled", f"{self.log.store.url}: other publishers were first {_RACES} times; publish again"
        )

    async def plan(self, tip: Tip, order: Order) -> Plan:
        """The plan over the end of the log, with the store's own clock looked at where it would write."""
        latest, times = tip.latest, order.times
        if latest is not None and times.served < latest.as_of <= times.served + order.policy.clock_skew:
            # Clocks differ a little; no document may go back behind what was compiled for.
            times = replace(times, served=latest.as_of, checked=max(times.checked, latest.as_of))
            order = replace(order, times=times)
        plan = await draft(self.log, tip, order, self.start, self.step)
        if not plan.needed or plan.refused:
            return plan
        theirs = await self.log.store.time()
        found = off_store(theirs, times.served, order.policy, order.allowed)
        return replace(plan, hazards=(*plan.hazards, *found))

    async def _apply(self, tip: Tip, plan: Plan) -> Done:
        head = tip.head
        held = head is not None and head.conditions == "held"
        if self.ask_first and not held:
            await self._probe()
        return await apply(
            self.log,
            plan,
            tip.token,
            conditions="held" if self.ask_first or held else "not-asked",
            clock=self.clock,
            pending=() if head is None else head.purges,
            copies=self.copies,
            step=self.step,
        )

    async def _probe(self) -> None:
        if not await honours_conditions(self.log.store):
            danger = "the store ignores conditional writes: two publishers would overwrite each other"
            remedy = "use one that honours If-Match and If-None-Match, or --store-ignores-conditions for benchmarks"
            raise StoreError("broken", f"{self.log.store.url}: {danger}; {remedy}")

    async def _wait(self, sequence: int) -> None:
        """Until HEAD has reached a release, for a bounded time."""
        clock = asyncio.get_running_loop().time
        end = clock() + self.patience
        while clock() < end:
            found = await self.log.head()
            if found is not None and found[0].sequence >= sequence:
                return
            await asyncio.sleep(_PAUSE)
