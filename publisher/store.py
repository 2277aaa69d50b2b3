"""An object store as the publisher sees it: the protocol, its values, its failures.

The implementations are in `stores/`, which only `cli` imports.
"""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, Protocol, TypeAlias

Trouble: TypeAlias = Literal["no-store", "denied", "throttled", "timeout", "unreachable", "full", "broken"]


class StoreError(Exception):
    """The store failed. The message is one line for people, with what to do; `trouble` says what kind it is."""

    def __init__(self, trouble: Trouble, message: str) -> None:
        super().__init__(message)
        self.trouble = trouble


@dataclass(frozen=True, slots=True, kw_only=True)
class Headers:
    """What a store keeps and sends beside an object's bytes."""

    content_type: str
    cache_control: str
    metadata: tuple[tuple[str, str], ...] = ()
    """User metadata (`x-amz-meta-*`), sorted by name. Names: lower-case letters, digits, `-`; values: ASCII."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stored:
    """An object as it was read."""

    body: bytes
    headers: Headers
    token: str
    """What `put` takes as `replaces`. An ETag, say: it tells this write from others, and nothing about the content."""


CLOCK = "probe/clock"
"""The object that `Store.time` writes."""
CLOCK_BODY = b"clock\n"
CLOCK_HEADERS = Headers(content_type="text/plain", cache_control="no-store")


class Store(Protocol):
    """Objects by key. Keys are relative, in ASCII, with `/` between their parts and without `.`, `..` or empty parts.

    They hold no backslash, which Azure takes for `/`.
    Every method raises `StoreError` when the store fails; transient faults have been retried by then.
    """

    @property
    def url(self) -> str:
        """The store's address as people write it, without credentials."""
        ...

    async def get(self, key: str) -> Stored | None:
        """The object, or None where there is none."""
        ...

    async def put(self, key: str, body: bytes, headers: Headers, *, replaces: str | None) -> str | None:
        """Write on a condition: `replaces=None` only where no object is, else only over the object with that token.

        Returns the new object's token, or None where the condition did not hold. That may be so because a retry met
        this very write, whose answer was lost: read back and compare.
        """
        ...

    async def delete(self, key: str) -> None:
        """Remove an object. A missing one is fine.

        There is no condition on it (obstore has none), so it is for objects that nobody writes again, as garbage:
        beside a writer of the same key it may remove what was written a moment ago.
        """
        ...

    def keys(self, prefix: str) -> AsyncIterator[str]:
        """The keys that begin with `prefix` (which ends with `/`), in any order, page by page."""
        ...

    async def time(self) -> datetime:
        """The store's own clock, in UTC, in whole seconds or finer, as the store gives it.

        A small object, CLOCK, is written and asked when it was written, which is not before this call but for the
        fraction of a second that the store leaves out.
        """
        ...
