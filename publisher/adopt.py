"""Take over live documents that something else wrote, or that an earlier layout of ours wrote without its mark.

A live document is taken over where it serves the same keys (kid and thumbprint) as Git has for the domain: writing it
anew as ours then takes nothing from anybody. Where the keys differ it is left alone, and the difference is said.
"""

from dataclasses import dataclass, field, replace
from datetime import datetime

from publisher.diagnostic import clean
from publisher.hazardrules import FOREIGN_OBJECT
from publisher.hazards import Hazard
from publisher.plan import Change, Plan
from publisher.record import TenantRecord
from publisher.state import live_domains
from publisher.store import Store

_SHOWN = 8


@dataclass(slots=True, kw_only=True)
class Adoption:
    """One adoption: `Order.waive` and `Order.amend`. `since`: when the adopted keys were first published, as stated.

    `adopted` are the domains whose documents the last plan takes over.
    """

    since: datetime | None
    adopted: set[str] = field(default_factory=set)

    def waive(self, change: Change) -> Change:
        """The change with `foreign-object` waived where the live keys are Git's; else with the difference in words."""
        if change.drift != "foreign" or change.before is None:
            return change
        live = set(change.before.thumbprints().items())
        wanted = {(key.kid, key.thumbprint) for key in (() if change.wanted is None else change.wanted.keys)}
        same = bool(wanted) and live == wanted
        if same:
            self.adopted.add(change.domain)
        else:
            self.adopted.discard(change.domain)
        return replace(change, hazards=tuple(_judged(one, live, wanted, same) for one in change.hazards))

    def amend(self, plan: Plan) -> Plan:
        """The plan with the stated time at the keys that are adopted on every domain that newly serves them."""
        if self.since is None:
            return plan
        taken: dict[str, set[str]] = {}
        new: dict[str, set[str]] = {}
        for change in plan.changes:
            keys = {key.thumbprint for key in (() if change.wanted is None else change.wanted.keys)}
            if change.domain in self.adopted and not change.blocked:
                taken.setdefault(change.tenant, set()).update(keys)
            elif change.blocked:
                new.setdefault(change.tenant, set()).update(keys)
            else:
                new.setdefault(change.tenant, set()).update(key.thumbprint for key in change.keys_in)
        records = tuple(
            self._dated(one, taken.get(one.tenant, set()) - new.get(one.tenant, set()), plan.sequence)
            for one in plan.records
        )
        return replace(plan, records=records)

    def _dated(self, record: TenantRecord, taken: set[str], sequence: int) -> TenantRecord:
        keys = tuple(
            replace(one, since=self.since) if one.thumbprint in taken and one.first in (0, sequence) else one
            for one in record.keys
        )
        return replace(record, keys=keys)


async def strangers(store: Store, plan: Plan, known: set[str]) -> list[str]:
    """Live domains that are neither recorded (`known`) nor in the plan: nobody's, and left alone."""
    return sorted(await live_domains(store, known | {one.domain for one in plan.changes}))


def _judged(hazard: Hazard, live: set[tuple[str, str]], wanted: set[tuple[str, str]], same: bool) -> Hazard:
    if hazard.rule.id != FOREIGN_OBJECT.id:
        return hazard
    if same:
        return replace(hazard, waived=True, waiver=None, hint="it serves the same keys, and is adopted")
    message = f"it serves other keys than Git has: only live: {_named(live - wanted)}; only in Git: "
    return replace(hazard, message=message + _named(wanted - live), hint="bring the two together, then adopt again")


def _named(keys: set[tuple[str, str]]) -> str:
    names = [f"{clean(kid)} ({thumbprint})" for kid, thumbprint in sorted(keys)]
    more = f", and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return ", ".join(names[:_SHOWN]) + more or "none"
