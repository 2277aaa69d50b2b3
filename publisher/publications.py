"""Since when a tenant's keys are published, by the log of releases: from completion, and not from intent."""

from datetime import datetime

from publisher.chronicle import Reader
from publisher.memory import Publications
from publisher.record import KeyRecord, TenantRecord
from publisher.terms import renewed_by


async def publications(reader: Reader, record: TenantRecord | None) -> Publications:
    """The publications of a tenant's keys as of the last complete release. Reads a release or two for each of them."""
    keys = () if record is None else tuple(one for one in record.keys if one.first)
    base = reader.tip.base
    served = [one for one in keys if base is None or not _is_gone(one, base.as_of)]
    seen = {
        one.thumbprint: one.since if one.since is not None else await reader.completed_by(one.first) for one in served
    }
    founders = 0 if record is None else record.founded or min((one.first for one in keys), default=0)
    known = {thumbprint: moment for thumbprint, moment in seen.items() if moment is not None}
    return Publications(
        seen=known,
        copies={thumbprint: renewed_by(reader.tip, moment) for thumbprint, moment in known.items()},
        founding=frozenset(one.thumbprint for one in keys if one.first == founders),
    )


def _is_gone(key: KeyRecord, as_of: datetime) -> bool:
    """Whether the last release had left the key out, as its time was over or by its files."""
    return key.away or (key.window.publish_until <= as_of and (key.kept is None or key.kept <= as_of))
