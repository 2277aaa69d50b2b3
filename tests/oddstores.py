"""Stores in memory with something odd about each, for what no server here does."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import datetime

from publisher.store import Headers, Store, Stored, StoreError


@dataclass(frozen=True, kw_only=True)
class Odd:
    """A sound store, with all that it does open to change."""

    behind: Store

    @property
    def url(self) -> str:
        return self.behind.url

    async def get(self, key: str) -> Stored | None:
        return await self.behind.get(key)

    async def put(self, key: str, body: bytes, headers: Headers, *, replaces: str | None) -> str | None:
        return await self.behind.put(key, body, headers, replaces=replaces)

    async def delete(self, key: str) -> None:
        await self.behind.delete(key)

    def keys(self, prefix: str) -> AsyncIterator[str]:
        return self.behind.keys(prefix)

    async def time(self) -> datetime:
        return await self.behind.time()

    async def overwrite(self, key: str, body: bytes, headers: Headers) -> str | None:
        while True:
            found = await self.behind.get(key)
            token = await self.behind.put(key, body, headers, replaces=found.token if found else None)
            if token is not None:
                return token


class OverwritesOnCreate(Odd):
    async def put(self, key: str, body: bytes, headers: Headers, *, replaces: str | None) -> str | None:
        if replaces is None:
            return await self.overwrite(key, body, headers)
        return await super().put(key, body, headers, replaces=replaces)


class OverwritesByAnyToken(Odd):
    async def put(self, key: str, body: bytes, headers: Headers, *, replaces: str | None) -> str | None:
        if replaces is not None:
            return await self.overwrite(key, body, headers)
        return await super().put(key, body, headers, replaces=replaces)


class RefusesTheRightToken(Odd):
    async def put(self, key: str, body: bytes, headers: Headers, *, replaces: str | None) -> str | None:
        if replaces is not None:
            return None
        return await super().put(key, body, headers, replaces=replaces)


@dataclass(frozen=True, kw_only=True)
class LooksFirst(Odd):
    """It looks, and writes later without a look. Here no writer goes on before a second one has looked, too."""

    lookers: list[bytes] = field(default_factory=list)
    together: asyncio.Event = field(default_factory=asyncio.Event)

    async def put(self, key: str, body: bytes, headers: Headers, *, replaces: str | None) -> str | None:
        found = await self.behind.get(key)
        if not self.racy(replaces) or (found.token if found else None) != replaces:
            return await super().put(key, body, headers, replaces=replaces)
        self.lookers.append(body)
        if len(self.lookers) > 1:
            self.together.set()
        await asyncio.wait_for(self.together.wait(), 10)
        return await self.overwrite(key, body, headers)

    def racy(self, replaces: str | None) -> bool:
        raise NotImplementedError


class LooksBeforeItCreates(LooksFirst):
    def racy(self, replaces: str | None) -> bool:
        return replaces is None


class LooksBeforeItReplaces(LooksFirst):
    def racy(self, replaces: str | None) -> bool:
        return replaces is not None


@dataclass(frozen=True, kw_only=True)
class LetsOneOverwrite(Odd):
    """Of those that write at the same time one wins, on whatever condition."""

    won: list[bytes] = field(default_factory=list)

    async def get(self, key: str) -> Stored | None:
        self.won.clear()
        return await super().get(key)

    async def put(self, key: str, body: bytes, headers: Headers, *, replaces: str | None) -> str | None:
        if not self.lax(replaces):
            return await super().put(key, body, headers, replaces=replaces)
        if self.won:
            return None
        self.won.append(body)
        return await self.overwrite(key, body, headers)

    def lax(self, replaces: str | None) -> bool:
        raise NotImplementedError


class LetsOneCreate(LetsOneOverwrite):
    def lax(self, replaces: str | None) -> bool:
        return replaces is None


class LetsOneReplace(LetsOneOverwrite):
    def lax(self, replaces: str | None) -> bool:
        return replaces is not None


class LosesWrites(Odd):
    async def put(self, key: str, body: bytes, headers: Headers, *, replaces: str | None) -> str | None:
        return "token"


class LosesAnswers(Odd):
    """Each write is made, and its writer retries it, which fails the condition."""

    async def put(self, key: str, body: bytes, headers: Headers, *, replaces: str | None) -> str | None:
        await super().put(key, body, headers, replaces=replaces)
        return None


class KeepsEverything(Odd):
    async def delete(self, key: str) -> None:
        raise StoreError("denied", f"{key}: access denied")


class Fails(Odd):
    """The first token that is used finds a store that is full."""

    async def put(self, key: str, body: bytes, headers: Headers, *, replaces: str | None) -> str | None:
        if replaces is not None:
            raise StoreError("full", f"{key}: the store is full")
        return await super().put(key, body, headers, replaces=replaces)


@dataclass(frozen=True, kw_only=True)
class Hangs(Odd):
    """Whoever uses a token gets no answer."""

    reached: asyncio.Event = field(default_factory=asyncio.Event)

    async def put(self, key: str, body: bytes, headers: Headers, *, replaces: str | None) -> str | None:
        if replaces is not None:
            self.reached.set()
            await asyncio.Event().wait()
        return await super().put(key, body, headers, replaces=replaces)
