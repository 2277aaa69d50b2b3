"""Domains that pass from one tenant to another in one plan, where somebody allowed that: one object, one write.

Without this the old tenant's withdrawal and the new tenant's document would overwrite each other, or two records would
have the domain for good.
"""

from collections.abc import Iterable, Sequence
from dataclasses import replace

from publisher.diagnostic import ticked
from publisher.hazardrules import CHANGES_TENANT
from publisher.hazards import Hazard
from publisher.plan import Change


def guarded(changes: Sequence[Change]) -> list[Change]:
    """The changes; who would take a domain over waits where the old tenant's withdrawal is blocked."""
    stuck = {one.domain: one.tenant for one in changes if one.effect == "withdrawn" and one.blocked}
    return [_waiting(one, stuck.get(one.domain)) for one in changes]


def written_once(changes: Iterable[Change]) -> list[Change]:
    """Without the withdrawals of domains that another tenant's document replaces at once; that one purges for both."""
    every = list(changes)
    taken = {one.domain for one in every if one.effect != "withdrawn" and not one.blocked}
    given = {one.domain for one in every if one.effect == "withdrawn" and not one.blocked}
    left = (one for one in every if one.effect != "withdrawn" or one.domain not in taken)
    return [replace(one, revokes=True) if one.domain in given else one for one in left]


def _waiting(change: Change, owner: str | None) -> Change:
    if owner is None or owner == change.tenant:
        return change
    message = f"the tenant {ticked(owner)} keeps it, as a hazard blocks its withdrawal there"
    hint = "see that one first"
    hazard = Hazard(
        rule=CHANGES_TENANT,
        domain=change.domain,
        tenant=change.tenant,
        kid=None,
        message=message,
        hint=hint,
        waived=False,
        firm=True,
    )
    return replace(change, hazards=(*change.hazards, hazard))
