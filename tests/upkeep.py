"""A published store for tests of what looks after it: a real repository, a store, and a clock that stands still."""

import asyncio
import hashlib
from collections.abc import AsyncIterator, Callable, Coroutine, Iterable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, TypeVar

from oddstores import Odd
from repos import Repo

from publisher.audit import Question, Tally, audit
from publisher.auditrules import Fault
from publisher.checking import Times
from publisher.draft import Order
from publisher.fleet import source_policy
from publisher.git import open_revision
from publisher.plan import Plan
from publisher.publication import Outcome, Publisher
from publisher.releaselog import Log, Open
from publisher.store import Headers, Store, Stored
from publisher.stores import open_store
from publisher.survey import Wish

Result = TypeVar("Result")
NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)


def run(job: Coroutine[Any, Any, Result]) -> Result:
    return asyncio.run(job)


@dataclass(frozen=True, kw_only=True)
class AsOf(Odd):
    """A store whose clock stands where it is put."""

    at: list[datetime] = field(default_factory=lambda: [NOW])

    async def time(self) -> datetime:
        return self.at[0]


@dataclass(slots=True, kw_only=True)
class Shop:
    """A repository and a store."""

    repo: Repo
    store: AsOf
    allowed: frozenset[str] = frozenset()
    plans: list[Plan] = field(default_factory=list)

    @property
    def now(self) -> datetime:
        return self.store.at[0]

    def later(self, **times: float) -> None:
        self.store.at[0] += timedelta(**times)

    def order(self, **settings: Any) -> Order:
        revision = open_revision(self.repo.path, "keysets", "HEAD")
        policy, problems = source_policy(revision)
        assert not problems
        file = revision.policy()
        assert file is not None
        made = Order(
            revision=revision,
            policy=policy,
            policy_digest=hashlib.sha256(file.data).hexdigest(),
            times=Times(served=self.now, checked=self.now),
            wish=Wish(),
            allowed=self.allowed,
        )
        return replace(made, **settings)

    def publisher(self, log: Log) -> Publisher:
        def approve(plan: Plan) -> bool:
            self.plans.append(plan)
            return True

        return Publisher(
            log=log,
            start=lambda: None,
            approve=approve,
            clock=lambda: self.now,
            note=lambda line: None,
            step=lambda: None,
            patience=0,
        )

    def log(self, store: Store | None = None) -> Log:
        return Log(store or self.store, Open())

    async def publish_in(self, store: Store, **settings: Any) -> Outcome:
        return await self.publisher(self.log(store)).publish(self.order(**settings))

    def publish(self, **settings: Any) -> Outcome:
        return run(self.publish_in(self.store, **settings))

    def audit(self, store: Store | None = None, **settings: Any) -> list[Fault]:
        async def ask() -> list[Fault]:
            question = Question(now=self.now, late=timedelta(minutes=20), **settings)
            return [one async for one in audit(self.log(store), question, Tally()) if isinstance(one, Fault)]

        return run(ask())

    def ids(self, store: Store | None = None, **settings: Any) -> list[str]:
        return sorted(one.rule.id for one in self.audit(store, **settings))

    def get(self, key: str) -> Stored | None:
        return run(self.store.get(key))

    def have(self, prefix: str) -> list[str]:
        async def listed() -> list[str]:
            return sorted([key async for key in self.store.keys(prefix)])

        return run(listed())

    def write(self, key: str, body: bytes, headers: Headers | None = None) -> None:
        """Overwrite an object, as somebody else would, with the headers that it has."""
        found = self.get(key)
        kept = found.headers if found is not None else Headers(content_type="application/json", cache_control="")
        run(self.store.overwrite(key, body, headers or kept))

    def delete(self, *keys: str) -> None:
        for key in keys:
            run(self.store.delete(key))


def shop(repo: Repo, url: str) -> Shop:
    """A shop over a store's URL. A memory store lives as long as this value."""
    return Shop(repo=repo, store=AsOf(behind=open_store(url), at=[NOW]))


def folder_url(path: Path) -> str:
    return path.as_uri()


@dataclass(frozen=True, kw_only=True)
class Counting(Odd):
    """Counts requests, and how many are under way."""

    gets: list[str] = field(default_factory=list)
    busy: list[int] = field(default_factory=lambda: [0])
    most: list[int] = field(default_factory=lambda: [0])

    async def get(self, key: str) -> Stored | None:
        self.gets.append(key)
        self.busy[0] += 1
        self.most[0] = max(self.most[0], self.busy[0])
        try:
            await asyncio.sleep(0)
            return await self.behind.get(key)
        finally:
            self.busy[0] -= 1


@dataclass(frozen=True, kw_only=True)
class Interrupts(Odd):
    """Runs something before the n-th request."""

    at: int
    what: Callable[[], Coroutine[Any, Any, object]]
    count: list[int] = field(default_factory=lambda: [0])

    async def _tick(self) -> None:
        self.count[0] += 1
        if self.count[0] == self.at:
            await self.what()

    async def get(self, key: str) -> Stored | None:
        await self._tick()
        return await self.behind.get(key)

    async def put(self, key: str, body: bytes, headers: Headers, *, replaces: str | None) -> str | None:
        await self._tick()
        return await self.behind.put(key, body, headers, replaces=replaces)

    async def delete(self, key: str) -> None:
        await self._tick()
        await self.behind.delete(key)

    async def keys(self, prefix: str) -> AsyncIterator[str]:
        await self._tick()
        async for key in self.behind.keys(prefix):
            yield key


def names(faults: Iterable[Fault]) -> set[tuple[str, str]]:
    return {(one.rule.id, one.about) for one in faults}
