"""A store in memory, without any I/O, whose clock is set: a story makes hundreds of requests."""

import itertools
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import datetime

from publisher.store import Headers, Stored


@dataclass(slots=True, kw_only=True)
class MemoryStore:
    """It honours conditions."""

    now: datetime
    objects: dict[str, Stored] = field(default_factory=dict)
    count: "itertools.count[int]" = field(default_factory=itertools.count)

    @property
    def url(self) -> str:
        return "memory://"

    async def get(self, key: str) -> Stored | None:
        return self.objects.get(key)

    async def put(self, key: str, body: bytes, headers: Headers, *, replaces: str | None) -> str | None:
        held = self.objects.get(key)
        if (None if held is None else held.token) != replaces:
            return None
        token = str(next(self.count))
        self.objects[key] = Stored(body=body, headers=headers, token=token)
        return token

    async def delete(self, key: str) -> None:
        self.objects.pop(key, None)

    async def keys(self, prefix: str) -> AsyncIterator[str]:
        for key in [one for one in self.objects if one.startswith(prefix)]:
            yield key

    async def time(self) -> datetime:
        return self.now
