"""Publishing in a test's own process: a commit to a store at a given instant, as the commands do it.

outcome = await publish(open_store("memory://"), repo, now=hour(0))
plan = await plan(store, repo, now=hour(2), allowed=["empty-set"])
"""

import hashlib
from collections.abc import AsyncIterator, Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from repos import Repo

from publisher.checking import Times
from publisher.draft import Order
from publisher.fleet import source_policy, source_waivers
from publisher.git import open_revision
from publisher.plan import Plan
from publisher.publication import Outcome, Publisher
from publisher.releaselog import Log, Open, Seal, Tip
from publisher.source import Revision
from publisher.store import Headers, Store, Stored
from publisher.survey import Wish


@dataclass(frozen=True, slots=True, kw_only=True)
class Clocked:
    """A store whose own clock tells this instant."""

    inner: Store
    now: datetime

    @property
    def url(self) -> str:
        return self.inner.url

    async def get(self, key: str) -> Stored | None:
        return await self.inner.get(key)

    async def put(self, key: str, body: bytes, headers: Headers, *, replaces: str | None) -> str | None:
        return await self.inner.put(key, body, headers, replaces=replaces)

    async def delete(self, key: str) -> None:
        await self.inner.delete(key)

    def keys(self, prefix: str) -> AsyncIterator[str]:
        return self.inner.keys(prefix)

    async def time(self) -> datetime:
        return self.now


@dataclass(frozen=True, slots=True, kw_only=True)
class How:
    """What is the same for most tests. `theirs` is the store's clock, `done` the one that says when it is complete;
    both tell the publish's own instant where they are None. `notes` takes the lines for people."""

    theirs: datetime | None = None
    done: datetime | None = None
    seal: Seal = field(default_factory=Open)
    approve: Callable[[Plan], bool] = lambda plan: True
    ask_first: bool = False
    patience: float = 0.5
    notes: list[str] = field(default_factory=list)


USUAL = How()


def order(
    source: Repo | Revision | Path,
    *,
    now: datetime,
    checked: datetime | None = None,
    allowed: Iterable[str] = (),
    wish: Wish | None = None,
    **more: Any,
) -> Order:
    """The order to publish HEAD of a repository, or a revision, whose files are checked as of `now`, or of `checked`.

    `more` are further fields of `Order`.
    """
    path = source.path if isinstance(source, Repo) else source
    revision = open_revision(path, "keysets", "HEAD") if isinstance(path, Path) else path
    policy, problems = source_policy(revision)
    assert problems == ()
    waivers, mistakes = source_waivers(revision, now)
    file = revision.policy()
    return Order(
        revision=revision,
        policy=policy,
        policy_digest=hashlib.sha256(b"" if file is None else file.data).hexdigest(),
        times=Times(served=now, checked=checked or now),
        wish=wish or Wish(),
        allowed=frozenset(allowed),
        **{"waivers": waivers, "mistakes": mistakes, **more},
    )


def publisher(store: Store, now: datetime, how: How = USUAL) -> Publisher:
    """What publishes to a store whose clock agrees with `now`."""
    return Publisher(
        log=Log(Clocked(inner=store, now=how.theirs or now), how.seal),
        start=lambda: None,
        approve=how.approve,
        clock=lambda: how.done or now,
        note=how.notes.append,
        step=lambda: None,
        ask_first=how.ask_first,
        patience=how.patience,
    )


async def publish(
    store: Store,
    source: Repo | Revision | Path,
    *,
    now: datetime,
    allowed: Iterable[str] = (),
    wish: Wish | None = None,
    how: How = USUAL,
    **more: Any,
) -> Outcome:
    """Publish HEAD of a repository, or a revision, as of `now`."""
    return await publisher(store, now, how).publish(order(source, now=now, allowed=allowed, wish=wish, **more))


async def plan(
    store: Store,
    source: Repo | Revision | Path,
    *,
    now: datetime,
    allowed: Iterable[str] = (),
    wish: Wish | None = None,
    how: How = USUAL,
    **more: Any,
) -> Plan:
    """The plan of the same; nothing is written."""
    made = order(source, now=now, allowed=allowed, wish=wish, **more)
    return await publisher(store, now, how).plan(await tip(store, how), made)


async def tip(store: Store, how: How = USUAL) -> Tip:
    """The end of the store's log."""
    return await Log(store, how.seal).tip()


def results(outcome: Outcome) -> dict[str, str]:
    """What became of each domain that was to be changed."""
    return {} if outcome.done is None else {one.change.domain: one.result for one in outcome.done.applied}


async def contents(store: Store, *prefixes: str) -> dict[str, Stored]:
    """Every object below the prefixes, by key."""
    keys = [key for prefix in prefixes or ("live/", "documents/") async for key in store.keys(prefix)]
    found = {key: await store.get(key) for key in keys}
    return {key: one for key, one in found.items() if one is not None}
