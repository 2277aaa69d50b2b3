"""Which waivers a plan made no use of: what can be said of them by what the plan looked at, and no more."""

from collections.abc import Iterable
from datetime import datetime

from publisher.hazards import Hazard
from publisher.plan import Change
from publisher.record import TenantRecord
from publisher.waiver import Waiver, Waivers


def unused(
    waivers: Waivers,
    changes: Iterable[Change],
    records: Iterable[TenantRecord],
    general: Iterable[Hazard],
    now: datetime,
) -> tuple[Waiver, ...]:
    """The waivers that hold and waived nothing, of tenants that were looked at as a whole.

    `records` are theirs as they will be, `general` the hazards of the whole publish. A tenant that is kept back by a
    mistake or a hazard may need its waiver yet. Of a waiver of a whole publish nothing is said.
    """
    held = [one for one in waivers if one.tenant is not None and one.holds(now)]
    if not held:
        return ()
    hazards = [*general, *(hazard for change in changes for hazard in change.hazards)]
    used = {hazard.waiver.target for hazard in hazards if hazard.waiver is not None}
    looked = {one.tenant for one in records if one.quarantine is None}
    return tuple(one for one in held if one.tenant in looked and one.target not in used)
