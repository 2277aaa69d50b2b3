"""A content delivery network as the publisher sees it: something that keeps copies, and can be told to drop them.

The implementations are in `cdns/`, which only `cli` imports. A planned rotation never depends on a purge (one was seen
to take ten minutes); a revoked key and a withdrawn document do.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol


class CdnError(Exception):
    """A purge failed, wholly or in part. The message is one line for people, and names the CDN."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stale:
    """A domain whose copies are to be dropped, and its tenant."""

    domain: str
    tenant: str


class Cdn(Protocol):
    """Copies of live documents."""

    @property
    def name(self) -> str:
        """The CDN's address as people write it."""
        ...

    async def purge(self, stale: Sequence[Stale], occasion: str) -> str:
        """Drop the copies of these domains; returns what was done, for people.

        `occasion` is what tells this purge from an earlier one of the same domains: of two purges with the same domains
        and the same occasion, a CDN may take the second for a retry of the first. Transient faults have been retried
        when CdnError is raised; the domains that it does not concern have been purged.
        """
        ...
