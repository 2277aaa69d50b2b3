"""What a store's last release records of one tenant: for `show` and `generated signer`."""

from dataclasses import dataclass

from publisher.chronicle import Reader
from publisher.memory import Publications
from publisher.publications import publications
from publisher.record import TenantRecord
from publisher.releaselog import Log, Tip
from publisher.shard import slot


@dataclass(frozen=True, slots=True, kw_only=True)
class Published:
    """The end of the log, the tenant's record there, and since when its keys are published."""

    tip: Tip
    record: TenantRecord | None
    known: Publications


async def published(log: Log, tenant: str) -> Published:
    """Read it. Raises StoreError and Damaged."""
    tip = await log.tip()
    record = (await log.shards(tip.base, {slot(tenant)}))[slot(tenant)].record(tenant)
    return Published(tip=tip, record=record, known=await publications(Reader(log=log, tip=tip), record))
