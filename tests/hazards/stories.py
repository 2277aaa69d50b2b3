"""What happens to a store, publish by publish, and what the last one is to be warned of."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from history import History
from publishing import How, plan, publish
from strategies import Tenant, hour

from publisher.hazards import Hazard
from publisher.plan import Plan
from publisher.publication import Outcome
from publisher.source import Revision
from publisher.state import live_key
from publisher.store import Headers, Store, Stored


@dataclass(frozen=True, slots=True, kw_only=True)
class Moment:
    """A publish of these tenants at an hour.

    `foreign` are domains that somebody else writes to before it, `late` those that get back what release 1 wrote there.
    `aside`: the commit does not descend from those before it. `theirs` is the hour by the store's clock.
    """

    at: float
    tenants: tuple[Tenant, ...]
    policy: str = ""
    allowed: tuple[str, ...] = ()
    foreign: tuple[str, ...] = ()
    late: tuple[str, ...] = ()
    aside: bool = False
    waivers: str = ""
    theirs: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """What was published, a publish that has the hazard, and a neighbour that has none.

    `says` begins its message. `domain` is None where it stops all of the publish. `passes`: it needs no waiver;
    `firm`: none lets it through.
    """

    rule: str
    says: str
    domain: str | None
    past: tuple[Moment, ...]
    bad: Moment
    good: Moment
    passes: bool = False
    firm: bool = False


@dataclass(slots=True, kw_only=True)
class Story:
    """A store with its past."""

    store: Store
    history: History = field(default_factory=History)
    first: Mapping[str, Stored] = field(default_factory=dict)

    async def publish(self, moment: Moment, *allowed: str) -> Outcome:
        """Publish it; `allowed` beside its own."""
        commit, how = self._commit(moment), self._how(moment)
        names = (*moment.allowed, *allowed)
        outcome = await publish(self.store, commit, now=hour(moment.at), allowed=names, how=how)
        if outcome.done is not None and outcome.done.head.sequence == 1:
            domains = [one.change.domain for one in outcome.done.applied]
            found = {domain: await self.store.get(live_key(domain)) for domain in domains}
            self.first = {domain: one for domain, one in found.items() if one is not None}
        return outcome

    async def plan(self, moment: Moment) -> Plan:
        """The plan of it, after what others do to the store."""
        await self._meddle(moment)
        return await plan(
            self.store, self._commit(moment), now=hour(moment.at), allowed=moment.allowed, how=self._how(moment)
        )

    def _commit(self, moment: Moment) -> Revision:
        history = History(trees=self.history.trees, count=99) if moment.aside else self.history
        return history.commit(*moment.tenants, policy=f"version: 1\n{moment.policy}", waivers=moment.waivers)

    def _how(self, moment: Moment) -> How:
        return How(theirs=None if moment.theirs is None else hour(moment.theirs))

    async def _meddle(self, moment: Moment) -> None:
        for domain in moment.foreign:
            await self._overwrite(domain, b"theirs", Headers(content_type="text/plain", cache_control="no-store"))
        for domain in moment.late:
            await self._overwrite(domain, self.first[domain].body, self.first[domain].headers)

    async def _overwrite(self, domain: str, body: bytes, headers: Headers) -> None:
        there = await self.store.get(live_key(domain))
        token = None if there is None else there.token
        assert await self.store.put(live_key(domain), body, headers, replaces=token) is not None


def found(made: Plan) -> list[Hazard]:
    """All hazards of a plan."""
    return [*made.hazards, *(hazard for change in made.changes for hazard in change.hazards)]
