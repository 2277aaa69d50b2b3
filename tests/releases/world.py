"""A small world for tests of the release log: a Git repository with a few tenants, a store, and publishers on both."""

import asyncio
import hashlib
from collections.abc import Callable, Coroutine, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, TypeVar

from publishing import Clocked
from repos import Repo
from signing import Signer, keyset, make_signer

from publisher.checking import Times
from publisher.draft import Order
from publisher.fleet import source_policy
from publisher.git import open_revision
from publisher.plan import Plan
from publisher.publication import Outcome, Publisher
from publisher.releaselog import Log, Open
from publisher.state import get_live, live_domains
from publisher.store import Store
from publisher.survey import Wish

Result = TypeVar("Result")

NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
LOGIN, ID, GLOBEX = "login.acme.example", "id.acme.example", "id.globex.example"


def run(job: Coroutine[Any, Any, Result]) -> Result:
    """Run asynchronous work to its end."""
    return asyncio.run(job)


def between(start: datetime | None, end: datetime | None, *, signs_until: datetime | None = None) -> str:
    """The fields of a window, for an entry."""
    bounds = {"from": start, "until": end}
    publish = ", ".join(f"{name}: {at:%Y-%m-%dT%H:%M:%SZ}" for name, at in bounds.items() if at is not None)
    signs = "" if signs_until is None else f"\nsigns: {{until: {signs_until:%Y-%m-%dT%H:%M:%SZ}}}"
    return f"publish: {{{publish}}}{signs}"


@dataclass
class World:
    """Its store's own clock is at `now`. Each publisher starts from nothing."""

    path: Path
    store: Store
    signers: dict[str, Signer] = field(default_factory=dict)
    now: datetime = NOW
    policy: str = "version: 1\n"

    def __post_init__(self) -> None:
        self.repo = Repo(self.path / "repo")

    def entry(self, name: str, more: str = "") -> str:
        """An entry with the key of that name."""
        if name not in self.signers:
            self.signers[name] = make_signer(name)
        return self.signers[name].entry(more)

    def revoked(self, name: str) -> str:
        """An entry with that key, revoked."""
        return self.entry(name, "revoked: {at: 2026-05-01T00:00:00Z, reason: stolen}")

    def commit(self, tenants: Mapping[str, tuple[list[str], str] | None], message: str = "Change key sets") -> str:
        """Commit these tenants (domains and entries; None removes one); the commit's id."""
        self.repo.write("keysets/policy.yaml", self.policy)
        for name, told in tenants.items():
            file = f"keysets/{name}/keyset.yaml"
            if told is None:
                (self.repo.path / file).unlink()
            else:
                self.repo.write(file, keyset(name, *told))
        return self.repo.commit(message)

    def start(self) -> str:
        """Two tenants, three domains, committed."""
        both = {"acme": ([LOGIN, ID], self.entry("a1")), "globex": ([GLOBEX], self.entry("g1"))}
        return self.commit(both)

    def order(self, rev: str = "HEAD", allow: Iterable[str] = (), wish: Wish | None = None) -> Order:
        """What a publish of a revision is given."""
        revision = open_revision(self.repo.path, "keysets", rev)
        policy, problems = source_policy(revision)
        assert problems == ()
        file = revision.policy()
        assert file is not None
        return Order(
            revision=revision,
            policy=policy,
            policy_digest=hashlib.sha256(file.data).hexdigest(),
            times=Times(served=self.now, checked=self.now),
            wish=wish or Wish(),
            allowed=frozenset(allow),
        )

    def publisher(self, store: Store | None = None, approve: Callable[[Plan], bool] = lambda plan: True) -> Publisher:
        """A publisher that waits for nobody."""
        return Publisher(
            log=Log(Clocked(inner=store or self.store, now=self.now), Open()),
            start=lambda: None,
            approve=approve,
            clock=lambda: self.now,
            note=lambda line: None,
            step=lambda: None,
            patience=0.0,
            ask_first=False,
        )

    def publish(
        self, rev: str = "HEAD", *, store: Store | None = None, allow: Iterable[str] = (), wish: Wish | None = None
    ) -> Outcome:
        """Publish a revision."""
        return run(self.publisher(store).publish(self.order(rev, allow, wish)))

    def live(self) -> dict[str, tuple[list[str], int | None]]:
        """What each domain serves: its kids in order, and the release that wrote it (None where it is not ours)."""

        async def read() -> dict[str, tuple[list[str], int | None]]:
            found = {domain: await get_live(self.store, domain) for domain in await live_domains(self.store)}
            return {
                domain: (list(one.thumbprints()), one.release)
                for domain, one in sorted(found.items())
                if one is not None
            }

        return run(read())

    def served(self) -> dict[str, list[str]]:
        """The kids alone."""
        return {domain: kids for domain, (kids, _) in self.live().items()}
