"""Going back: the release that a rollback names, looked at before anything is planned, and the hold that it makes."""

from datetime import datetime

from publisher.diagnostic import clean
from publisher.record import Hold
from publisher.release import Release
from publisher.releaselog import Log, Tip
from publisher.shard import Damaged, Missing, slot
from publisher.survey import Rollback


class NoTarget(Exception):  # noqa: N818 - a wrong question, and no failure
    """There is no such release or tenant to go back to. The message is one line for people."""


async def rollback_to(
    log: Log, tip: Tip, number: int, tenant: str | None, reason: str, until: datetime | None
) -> Rollback:
    """The wish to go back to a release, whole or for one tenant. Raises NoTarget, StoreError and Damaged."""
    release = await _release(log, tip, number)
    if tenant is not None:
        await _known(log, release, tenant)
    return Rollback(release=release, tenant=tenant, hold=Hold(release=number, reason=reason, until=until))


async def _release(log: Log, tip: Tip, number: int) -> Release:
    if tip.head is None:
        raise NoTarget(f"{log.store.url}: nothing was ever published there to go back to")
    if number > tip.last:
        raise NoTarget(f"there is no release {number}: the last one is {tip.last}; `releases` lists them")
    if number > tip.sequence:
        raise NoTarget(f"release {number} was not finished: go back to {tip.sequence} or an earlier one")
    found = await log.release(number)
    if found is None:
        kept = await log.sequences()
        raise NoTarget(f"release {number} is kept no more: the earliest one that is, is {min(kept, default=0)}")
    return found[0]


async def _known(log: Log, release: Release, tenant: str) -> None:
    place = slot(tenant)
    try:
        shard = None if place not in release.shards else await log.shard(release.shards[place])
    except Missing:
        gone = f"release {release.sequence} is kept no more as a whole: what it says of tenant {clean(tenant)} is gone"
        raise Damaged(f"{gone}; go back to a later release, or revert the commit in Git") from None
    if shard is None or tenant not in shard.tenants:
        raise NoTarget(
            f"release {release.sequence} knows no tenant {clean(tenant)}: see the spelling; to take a tenant away that "
            "came later, remove it in Git"
        )
