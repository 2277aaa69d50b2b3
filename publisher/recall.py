"""What compiling a plan's tenants has to know of the published state, by folder: see `memory`."""

from collections.abc import Iterable, Mapping
from datetime import datetime

from publisher.chronicle import Reader
from publisher.holding import Present
from publisher.memory import Memory, leaving
from publisher.publications import publications
from publisher.releaselog import Log, Tip
from publisher.survey import Task


async def recall(
    log: Log, tip: Tip, tasks: Iterable[Task], present: Mapping[str, Present], now: datetime, *, forget: bool
) -> dict[str, Memory]:
    """The memories of the tenants that have some. `forget`: revoked keys may come back, as somebody allowed."""
    reader = Reader(log=log, tip=tip)
    since = now if tip.base is None else tip.base.as_of
    found: dict[str, Memory] = {}
    for task in tasks:
        record, listing = task.record, task.listing
        if listing is None or record is None:
            continue
        revoked: frozenset[str] = frozenset()
        # Files that are as released know nothing of a key that was revoked in the store alone since (`emergency`).
        if (task.hold is not None or listing.tree == record.tree) and not forget:
            files = present.get(task.tenant)
            revoked = frozenset(key.thumbprint for key in record.keys if key.revoked)
            revoked |= frozenset() if files is None else files.revoked
        going = leaving(record, since, now)
        if revoked or going:
            known = await publications(reader, record if going else None)
            found[listing.path] = Memory(
                at=now, revoked=revoked, record=record if going else None, leaving=going, publications=known
            )
    return found
