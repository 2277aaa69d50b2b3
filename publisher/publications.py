"""Since when a tenant's keys are published, by the log of releases: from completion, and not from intent."""

from publisher.chronicle import Reader
from publisher.memory import Publications
from publisher.record import TenantRecord


async def publications(reader: Reader, record: TenantRecord | None) -> Publications:
    """The publications of a tenant's keys as of the last complete release. Reads a release or two for each of them."""
    keys = () if record is None else tuple(one for one in record.keys if one.first)
    seen = {
        one.thumbprint: one.since if one.since is not None else await reader.completed_by(one.first) for one in keys
    }
    founders = min((one.first for one in keys), default=0)
    return Publications(
        seen={thumbprint: moment for thumbprint, moment in seen.items() if moment is not None},
        founding=frozenset(one.thumbprint for one in keys if one.first == founders),
    )
