"""What `plan`, `publish`, `rollback`, `adopt` and `repair` share: the order, the run, what is shown, the exit code."""

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import click

from publisher.apply import DONE, Applied, Copies
from publisher.cdn import Stale
from publisher.cli.cdn import Behind, Flipped
from publisher.cli.console import Console
from publisher.cli.options import Asked, Place, run, workers
from publisher.cli.ordering import order_of
from publisher.cli.sealing import Sealing
from publisher.diagnostic import clean
from publisher.draft import PARALLEL, Order, Start
from publisher.emergency import Strike, strike_plan
from publisher.plan import Change, Plan
from publisher.planreport import TEXT_LIMIT, hold_text, kept_text, plan_json, plan_summary, plan_text, unused_text
from publisher.publication import Outcome, Publisher
from publisher.releaselog import Log, Tip
from publisher.report import counted, domain_name, look_command
from publisher.rules.windows import instant
from publisher.shard import slot
from publisher.state import EMPTY
from publisher.survey import Wish
from publisher.verify import Verified, verify_store
from publisher.wanted import Wanted

LOST = {
    "conflict": "changed by something else meanwhile, and left so; publish again",
    "overtaken": "written by a later release meanwhile",
    "damaged-document": "left as it is: documents/ holds other bytes by the name of its document; find out who writes "
    "there, remove that object, and publish again",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Engine:
    """One command's run."""

    console: Console
    asked: Asked
    place: Place
    log: Log
    form: str = "text"
    strict: bool = False
    ask_first: bool = True

    def order(self, allow: Iterable[str], wish: Wish | None = None) -> Order:
        """What the commit asks for; ends with the mistakes where policy.yaml has some."""
        return order_of(self.console, self.asked, allow, wish or Wish())

    def check_lift(self, names: Iterable[str]) -> None:
        """A usage error where a tenant whose hold is to end has none."""

        async def unheld() -> list[str]:
            tip = await self.log.tip()
            wanted = [one for one in names if one != "all"]
            shards = await self.log.shards(tip.base, {slot(one) for one in wanted})
            records = {one: shards[slot(one)].record(one) for one in wanted}
            return [name for name, record in records.items() if record is None or record.hold is None]

        for name in run(unheld()) if any(one != "all" for one in names) else ():
            raise click.UsageError(f"--lift-hold: the tenant {name!r} is not held; `releases` shows the holds")

    def plan(self, order: Order, *, shown: bool = True) -> tuple[Tip, Plan]:
        """The plan, shown unless that is for later."""
        with workers(self.asked.jobs) as start, self.console.progress("tenants") as step:
            publisher = self._publisher(start, step, lambda plan: False)

            async def made() -> tuple[Tip, Plan]:
                tip = await self.log.tip()
                return tip, await publisher.plan(tip, order)

            tip, plan = run(made())
        if shown:
            self.show(plan)
        return tip, plan

    def publish(self, order: Order, behind: Behind, accept: Callable[[Plan], bool] = lambda plan: True) -> None:
        """Publish, show, purge, wait, and end with the exit code."""

        turned_down: list[Plan] = []

        def approve(plan: Plan) -> bool:
            if self.form == "text":
                self.show(plan)
            partial = self.strict and bool(plan.mistakes or plan.blocked or plan.unreadable)
            if partial:
                self.console.error("nothing was published: with --strict, all can be published or nothing is")
            accepted = accept(plan) and not partial
            turned_down[:] = [] if accepted else [plan]
            return accepted

        with workers(self.asked.jobs) as start, self.console.progress("documents") as step:
            publisher = self._publisher(start, step, approve, behind.copies)
            outcome = run(publisher.publish(order))
        self._finish(order.revision.label, outcome, behind)
        if turned_down:
            raise click.exceptions.Exit(1)

    def strike(self, strike: Strike, behind: Behind) -> None:
        """Take one key out of what one tenant serves, now; show, purge, wait, and end with the exit code."""

        def approve(plan: Plan) -> bool:
            self.show(plan)
            return True

        async def made(tip: Tip) -> Plan | None:
            return await strike_plan(self.log, tip, strike)

        publisher = self._publisher(lambda: None, lambda: None, approve, behind.copies)
        self._finish("what is recorded", run(publisher.carry_out(made)), behind)

    def show(self, plan: Plan) -> None:
        """The plan, in the form that was asked for."""
        if self.form == "json":
            self.console.data(plan_json(plan))
            return
        wrong = plan.blocked or plan.unreadable or plan.refused or plan.mistakes
        speak: Callable[[str], None] = self.console.finding if wrong else self.console.say
        for line in plan_text(plan):
            speak(line)
        speak(plan_summary(plan))
        for note in plan.holds:
            self.console.note(hold_text(note))
        for one in plan.kept[:TEXT_LIMIT]:
            self.console.note(kept_text(one))
        for waiver in plan.unused[:TEXT_LIMIT]:
            self.console.note(unused_text(waiver))

    def _publisher(
        self,
        start: Start,
        step: Callable[[], None],
        approve: Callable[[Plan], bool],
        copies: Copies = "unnamed",
    ) -> Publisher:
        began, now = time.monotonic(), self.asked.now

        def clock() -> datetime:
            return now + timedelta(seconds=round(time.monotonic() - began))

        return Publisher(
            log=self.log,
            start=start,
            approve=approve,
            clock=clock,
            copies=copies,
            note=self.console.note,
            step=step,
            ask_first=self.ask_first,
        )

    def _finish(self, label: str, outcome: Outcome, behind: Behind) -> None:
        plan, done = outcome.plan, outcome.done
        if plan is None:
            self._nothing(label, outcome.tip)
        applied = () if done is None else done.applied
        lost = {one.change.domain: LOST.get(one.result, one.why) for one in applied if one.result not in DONE}
        if self.form == "json":
            self._json(plan, outcome, applied, lost)
        else:
            self._published(applied)
            if done is not None:
                self.console.say(f"Release {done.head.sequence} is complete.")
        for domain in sorted(lost) if self.form == "text" else ():
            self.console.finding(f"{domain_name(domain)}: {clean(lost[domain])}")
        forgotten = run(_read_back(self.log, applied))
        for one in forgotten:
            self.console.finding(
                f"{domain_name(one.domain)}: the store took it, and then did not have it: {one.faults[0]}"
            )
        code = self._copies(outcome, behind, applied)
        failed = forgotten or (plan and plan.unreadable) or any(one.result == "failed" for one in applied)
        if code == 3 or failed:
            raise click.exceptions.Exit(3)
        if code or lost or (plan and (plan.blocked or plan.mistakes or plan.refused)):
            raise click.exceptions.Exit(1)

    def _nothing(self, label: str, tip: Tip) -> None:
        base = tip.base
        total = 0 if base is None else sum(one.domains for one in base.shards.values())
        if self.form == "json":
            return
        documents = counted(total, "document")
        if base is not None and base.holds:
            self.console.say(f"Nothing to change for {label}: {documents}; some tenants are held:")
        else:
            self.console.say(f"Nothing to change: {documents} live as in {label}.")
        for note in () if base is None else base.holds:
            self.console.note(hold_text(note))

    def _json(self, plan: Plan | None, outcome: Outcome, applied: Iterable[Applied], lost: dict[str, str]) -> None:
        results = {one.change.domain: one.result for one in applied}
        release = outcome.tip.sequence if outcome.done is None else outcome.done.head.sequence
        value = {"changes": []} if plan is None else plan_json(plan)
        self.console.data({**value, "head": release, "results": results, "lost": lost})

    def _published(self, applied: Iterable[Applied]) -> None:
        done = sorted(one.change.domain for one in applied if one.result in DONE and one.change.wanted is not None)
        gone = sum(one.result in DONE and one.change.wanted is None for one in applied)
        if gone:
            self.console.say(f"Withdrew {counted(gone, 'document')}.")
        if done:
            self.console.say(f"Published {counted(len(done), 'document')}. Look at them:")
        for domain in done[:TEXT_LIMIT]:
            self.console.say(f"    {look_command(self.log.store.url, domain, self.place.endpoint_url)}")

    def _copies(self, outcome: Outcome, behind: Behind, applied: Iterable[Applied]) -> int:
        """Purge and wait; HEAD forgets the purges that are done."""
        done = outcome.done
        head, token = (outcome.tip.head, outcome.tip.token) if done is None else (done.head, done.token)
        flipped = [_flipped(one.change) for one in applied if one.result in DONE]
        now = self.asked.now
        usable = [] if head is None or behind.when == "never" else [one for one in head.purges if one.until > now]
        pending = [Stale(domain=one.domain, tenant=one.tenant) for one in usable]
        everything = run(_everything(self.log, head.sequence)) if behind.when == "always" and head is not None else []
        stale = list(dict.fromkeys([*pending, *behind.concerned(flipped, everything)]))
        if pending and not behind.cdns:
            until = instant(max(one.until for one in usable))
            documents = counted(len(pending), "document")
            self.console.note(
                f"caches may serve {documents} with revoked keys, or withdrawn, until {until}; --cdn purges them"
            )
            stale = []
        occasion = "" if head is None else head.digest
        if behind.when == "always" and done is None:
            occasion += self.asked.now.isoformat()
        if not behind.purge(self.console, stale, occasion):
            return 3
        if pending and behind.cdns and head is not None:
            run(self.log.advance(replace(head, purges=()), token))
        return behind.wait(self.console, flipped)


def _flipped(change: Change) -> Flipped:
    wanted = change.wanted
    if wanted is None:
        wanted = Wanted(
            domain=change.domain, tenant=change.tenant, body=EMPTY, digest=change.digest, keys=(), next_change=None
        )
    return Flipped(wanted=wanted, revokes=change.revokes)


async def _everything(log: Log, sequence: int) -> list[Stale]:
    """Every domain that a release serves."""
    found = await log.release(sequence)
    shards = {} if found is None else await log.shards(found[0], found[0].shards)
    return [
        Stale(domain=domain, tenant=tenant)
        for shard in shards.values()
        for tenant, value in shard.tenants.items()
        for domain in value["domains"]
    ]


async def _read_back(log: Log, applied: Iterable[Applied]) -> list[Verified]:
    """What the store does not serve though it said that it was written: some stores lie, or lose."""
    changes = [one.change for one in applied if one.result in DONE]
    if not changes:
        return []
    wanted = (_flipped(one).wanted for one in changes)
    results = verify_store(log.store, wanted, changes[0].cache, PARALLEL)
    return sorted([one async for one in results if one.faults], key=lambda one: one.domain)


def engine(
    console: Console,
    asked: Asked,
    place: Place,
    sealing: Sealing,
    *,
    form: str = "text",
    strict: bool = False,
    ask_first: bool = True,
) -> Engine:
    """The engine of a command's options."""
    log = Log(place.open(), sealing)
    return Engine(console=console, asked=asked, place=place, log=log, form=form, strict=strict, ask_first=ask_first)
