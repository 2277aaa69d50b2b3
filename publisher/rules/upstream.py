"""How long ago a followed key set was last read. For warnings: what a merge accepted becomes stale by waiting alone."""

from collections.abc import Iterator
from datetime import datetime, timedelta

from publisher.diagnostic import Finding, Rule
from publisher.keyset import ALWAYS, NEVER, KeySet, Upstream
from publisher.rules.windows import instant
from publisher.source import GENERATED

STALE = Rule(
    id="upstream-stale",
    doc="Keys that follow an upstream's JWKS are as fresh as the last sync: what the upstream has announced since is "
    "not published here, and once it signs with it, every token fails. `upstream.synced` is at most as old as the "
    "policy says.",
)
WARNINGS = (STALE,)


def stale_since(upstream: Upstream, limit: timedelta) -> datetime:
    """From when on the last sync is too old: not included in what is fresh. `ALWAYS` where there was none."""
    if upstream.synced is None:
        return ALWAYS
    return upstream.synced + limit if limit < NEVER - upstream.synced else NEVER


def check(keyset: KeySet, limit: timedelta, now: datetime) -> Iterator[Finding]:
    """A finding where the generated keys follow an upstream that was last read `limit` ago, or longer."""
    upstream = keyset.upstream
    if upstream is None or now < stale_since(upstream, limit):
        return
    if upstream.synced is None:
        message = "the upstream was never read"
    else:
        message = f"the upstream was last read at {instant(upstream.synced)}, {_length(now - upstream.synced)} ago"
    yield Finding(
        rule=STALE,
        file=f"{keyset.folder}/{GENERATED}",
        where=("upstream", "synced"),
        message=message,
        hint=f"sync it at least every {_length(limit)}; if it fails, see why before the upstream rotates",
    )


def _length(length: timedelta) -> str:
    """In whole units, rounded down."""
    for seconds, unit in ((86_400, "d"), (3600, "h"), (60, "m")):
        if length.total_seconds() >= 2 * seconds:
            return f"{int(length.total_seconds()) // seconds} {unit}"
    return f"{int(length.total_seconds())} s"
