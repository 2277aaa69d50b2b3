"""What compiling a plan's tenants has to know of the published state, by folder: see `memory`."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from types import MappingProxyType

from publisher.checking import Tenant
from publisher.chronicle import Reader
from publisher.holding import Present
from publisher.memory import Memory, leaving
from publisher.publications import publications
from publisher.releaselog import Log, Tip
from publisher.survey import Task


async def recall(
    log: Log,
    tip: Tip,
    tasks: Iterable[Task],
    present: Mapping[str, Present],
    now: datetime,
    made: Mapping[str, Tenant] = MappingProxyType({}),
    *,
    forget: bool,
) -> dict[str, Memory]:
    """The memories of the tenants that have some. `forget`: revoked keys may come back, as somebody allowed.

    `made` are tenants by folder that were compiled without one.
    """
    reader = Reader(log=log, tip=tip)
    since = now if tip.base is None else tip.base.as_of
    found: dict[str, Memory] = {}
    for task in tasks:
        record, listing = task.record, task.listing
        if listing is None or record is None:
            continue
        revoked: frozenset[str] = frozenset()
        if task.hold is not None and not forget:
            here = present.get(task.tenant)
            revoked = frozenset(key.thumbprint for key in record.keys if key.revoked)
            revoked |= frozenset() if here is None else here.revoked
        elif listing.tree == record.tree and not forget:
            # Files that are as they were know nothing of a key that was revoked in the store alone since.
            revoked = frozenset(key.thumbprint for key in record.keys if key.struck)
        files = made.get(listing.path)
        going = leaving(record, since, now, () if files is None else files.keys)
        if revoked or going:
            known = await publications(reader, record if going else None)
            found[listing.path] = Memory(
                at=now, revoked=revoked, record=record if going else None, leaving=going, publications=known
            )
    return found


def overdue(tip: Tip, tasks: Iterable[Task], made: Mapping[str, Tenant], now: datetime) -> tuple[Task, ...]:
    """The tasks whose files end keys that are served, in windows that were over before they were ever published."""
    base = tip.base
    found: list[Task] = []
    for task in tasks:
        tenant = None if task.listing is None else made.get(task.listing.path)
        if base is None or tenant is None or task.record is None or tenant.diagnostics:
            continue
        known = {key.thumbprint for key in leaving(task.record, base.as_of, now)}
        gone = leaving(task.record, base.as_of, now, tenant.keys)
        # What a tenant signs with by itself, no issuer goes on with: `hazards` tells of it.
        if any(key.thumbprint not in known and key.origin == "generated" and not key.limited for key in gone):
            found.append(task)
    return tuple(found)
