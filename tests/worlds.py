"""A repository, a store and a clock: publishing and going back in this process, as the command line does it."""

import asyncio
import hashlib
from collections.abc import Coroutine, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from types import MappingProxyType
from typing import Any, TypeVar

import orjson
from program import run as program
from publishing import Clocked
from repos import Repo
from signing import Signer, generated, keyset

from publisher.checking import Times
from publisher.draft import Order
from publisher.fleet import source_policy, source_waivers
from publisher.git import open_revision
from publisher.head import HEAD_KEY
from publisher.publication import Outcome, Publisher
from publisher.releaselog import Log, Open
from publisher.reversal import rollback_to
from publisher.state import get_live
from publisher.store import Store
from publisher.survey import Wish

Result = TypeVar("Result")

POLICY = "version: 1\n"
START = datetime.now(UTC).replace(microsecond=0)
ANNOUNCED = "publish: {from: 2026-01-01T00:00:00Z}\nsigns: {from: 2090-01-01T00:00:00Z}"
REVOKED = "revoked: {at: 2026-01-01T00:00:00Z, reason: laptop stolen}"


def run(job: Coroutine[Any, Any, Result]) -> Result:
    return asyncio.run(job)


@dataclass(kw_only=True)
class World:
    """`now` goes on by a second with each publish, so that instants differ; the clock skew covers it."""

    repo: Repo
    store: Store
    now: datetime = START
    seen: list[Any] = field(default_factory=list)

    @property
    def log(self) -> Log:
        return Log(Clocked(inner=self.store, now=self.now), Open())

    def write(self, tenant: str, *entries: str, domains: Iterable[str] = (), platform: Iterable[str] = ()) -> None:
        """A tenant's files: one domain `id.{tenant}.example` where none are given."""
        names = list(domains) or [f"id.{tenant}.example"]
        self.repo.write(f"keysets/{tenant}/keyset.yaml", keyset(tenant, names, "".join(entries)))
        if platform:
            self.repo.write(f"keysets/{tenant}/generated.yaml", generated("".join(platform)))

    def order(self, wish: Wish, allow: Iterable[str], rev: str = "HEAD") -> Order:
        revision = open_revision(self.repo.path, "keysets", rev)
        policy, mistakes = source_policy(revision)
        assert not mistakes
        file = revision.policy()
        return Order(
            revision=revision,
            policy=policy,
            policy_digest=hashlib.sha256(b"" if file is None else file.data).hexdigest(),
            times=Times(served=self.now, checked=self.now),
            wish=wish,
            allowed=frozenset(allow),
            waivers=source_waivers(revision, self.now)[0],
        )

    def publish(self, wish: Wish | None = None, allow: Iterable[str] = (), *, commit: bool = True) -> Outcome:
        """Commit all, and publish it."""
        if commit:
            self.repo.commit()
        return self._run(self.order(wish or Wish(), allow))

    def abandon(self) -> None:
        """Publish as one does whose publisher dies before HEAD is moved."""
        before = run(self.store.get(HEAD_KEY))
        self.publish()
        after = run(self.store.get(HEAD_KEY))
        assert before is not None
        assert after is not None
        run(self.store.put(HEAD_KEY, before.body, before.headers, replaces=after.token))

    def lift(self, *tenants: str) -> Outcome:
        return self.publish(Wish(lift=frozenset(tenants) if tenants else None))

    def rollback(
        self,
        number: int,
        tenant: str | None = None,
        *,
        allow: Iterable[str] = (),
        reason: str = "bad news",
        until: datetime | None = None,
    ) -> Outcome:
        tip = run(self.log.tip())
        back = run(rollback_to(self.log, tip, number, tenant, reason, until))
        assert tip.latest is not None
        order = self.order(Wish(rollback=back), allow, tip.latest.commit.id)
        return self._run(replace(order, kind="rollback", reason=reason))

    def kids(self, domain: str) -> list[str] | None:
        """The kids that a domain serves; None where there is nothing, or a tombstone."""
        live = run(get_live(self.store, domain))
        if live is None or live.tombstone:
            return None
        return [key["kid"] for key in orjson.loads(live.body)["keys"]]

    def _run(self, order: Order) -> Outcome:
        publisher = Publisher(
            log=self.log,
            start=lambda: None,
            approve=lambda plan: True,
            clock=lambda: self.now + timedelta(milliseconds=500),
            note=self.seen.append,
            step=lambda: None,
        )
        outcome = run(publisher.publish(order))
        self.now += timedelta(seconds=1)
        return outcome


def cli(repo: Repo, *arguments: str, code: int = 0, settings: Mapping[str, str] = MappingProxyType({})) -> str:
    """What a command prints, on both streams; it must end with that code."""
    ran = program(*arguments, cwd=repo.path, **settings)
    assert ran.code == code, (ran.out, ran.err)
    return ran.out + ran.err


def entries(signers: dict[str, Signer], *names: str, more: str = "") -> list[str]:
    """The entries of signers, each with the same further fields."""
    return [signers[name].entry(more) for name in names]
