"""What a publish costs among 100,000 tenants, in requests, bytes and files read; nothing here is timed."""

import asyncio
import hashlib
import os
import subprocess
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

import pytest
from repos import ISOLATED
from signing import keyset, make_signer

from publisher.checking import Times
from publisher.diagnostic import Finding
from publisher.draft import Order
from publisher.git import open_revision
from publisher.policy import Policy
from publisher.publication import Outcome, Publisher
from publisher.releaselog import Log, Open
from publisher.source import Commit, File, Folder, Listing, Revision
from publisher.stores import open_store
from publisher.survey import Wish
from releases.fleet import DUE, NOW, Counted, fill, folder, make_repository

TENANTS = 100_000


@dataclass
class Reading:
    """A revision that notes which tenants' files are read."""

    inner: Revision
    read_folders: list[str] = field(default_factory=list)

    @property
    def label(self) -> str:
        return self.inner.label

    @property
    def root(self) -> str:
        return self.inner.root

    @property
    def commit(self) -> Commit:
        return self.inner.commit

    @property
    def tree(self) -> str:
        return self.inner.tree

    def policy(self) -> File | None:
        return self.inner.policy()

    def waivers(self) -> File | None:
        return self.inner.waivers()

    def folders(self, wanted: Callable[[str], bool] | None = None) -> Iterator[Folder | Finding]:
        raise AssertionError("nobody reads all of them")

    def listed(self) -> Iterator[Listing | Finding]:
        return self.inner.listed()

    def read(self, items: Iterable[Listing | Finding]) -> Iterator[Folder | Finding]:
        for one in self.inner.read(items):
            self.read_folders.append(one.path if isinstance(one, Folder) else "")
            yield one

    def at(self, places: Iterable[tuple[str, str]]) -> Iterator[Listing]:
        return self.inner.at(places)

    def contains(self, commit_id: str) -> bool:
        return self.inner.contains(commit_id)


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Counted]:
    """A repository and a store in which it is published."""
    repository = tmp_path_factory.mktemp("large") / "repo"
    make_repository(repository, TENANTS)
    store = Counted(open_store("memory://"))
    asyncio.run(fill(store, repository))
    return repository, store


def publish(repository: Path, store: Counted, rev: str = "main", now: datetime = NOW) -> tuple[Outcome, Reading]:
    """Publish as on a machine that has nothing but the clone; the requests are counted anew."""
    store.requests.clear()
    store.read = store.written = 0
    reading = Reading(open_revision(repository, "keysets", rev))
    file = reading.policy()
    order = Order(
        revision=reading,
        policy=Policy(),
        policy_digest=hashlib.sha256(b"" if file is None else file.data).hexdigest(),
        times=Times(served=now, checked=now),
        wish=Wish(),
        allowed=frozenset(),
    )
    publisher = Publisher(
        log=Log(store, Open()),
        start=lambda: None,
        approve=lambda plan: True,
        clock=lambda: now,
        note=lambda line: None,
        step=lambda: None,
    )
    return asyncio.run(publisher.publish(order)), reading


def edit(repository: Path, branch: str, numbers: Iterable[int]) -> None:
    """A commit on a branch after main, with a new key and a new domain for some tenants."""
    lines = [
        f"commit refs/heads/{branch}\ncommitter bench <bench@example.org> 1760000000 +0000\ndata 4\nEdit\n".encode(),
        b"from refs/heads/main^0\n",
    ]
    for number in numbers:
        name = f"tenant-{number:06}"
        domains = [f"login.{name}.example", f"id.{name}.example"]
        text = keyset(name, domains, make_signer(f"key-of-{number}").entry()).encode()
        lines.append(b"M 100644 inline keysets/%s/keyset.yaml\ndata %d\n%s\n" % (folder(number), len(text), text))
    importer = ["git", "-C", str(repository), "fast-import", "--quiet", "--force"]
    subprocess.run(importer, input=b"".join(lines), check=True, env={**os.environ, **ISOLATED}, capture_output=True)


def test_nothing_to_do_costs_three_requests_and_reads_no_tenant(large: tuple[Path, Counted]) -> None:
    repository, store = large
    outcome, reading = publish(repository, store)
    assert (outcome.plan, outcome.done) == (None, None)
    assert store.requests == [
        ("get", "HEAD.json"),
        ("get", "releases/0000000001.json"),
        ("get", "releases/0000000002.json"),
    ]
    assert reading.read_folders == []
    assert store.read < 150_000


def test_changed_tenants_alone_are_read_and_touch_a_shard_each(large: tuple[Path, Counted]) -> None:
    repository, store = large
    changed = [7, 4_711, 99_999]
    edit(repository, "three", changed)
    outcome, reading = publish(repository, store, "three")
    assert outcome.plan is not None
    assert sorted(reading.read_folders) == sorted(f"keysets/{folder(one).decode()}" for one in changed)
    # The documents that the synthetic state names are not live: they are put back, and the new domains are new.
    assert {one.tenant for one in outcome.plan.changes} == {f"tenant-{one:06}" for one in changed}
    assert outcome.done is not None
    assert [one.result for one in outcome.done.applied] == ["written"] * 6
    claims = 2 * len(changed)  # a new domain and a new key each
    assert store.named("get", "shards/") <= len(changed) + claims
    assert store.named("put", "shards/") <= len(changed) + claims
    assert store.named("get", "live/") == 6
    assert store.named("put", "live/") == 6
    assert store.named("put", "releases/") == store.named("put", "HEAD.json") == 1
    again, reading = publish(repository, store, "three")
    assert again.plan is None
    assert reading.read_folders == []
    assert len(store.requests) == 3


def test_a_tenant_that_is_due_is_read_and_no_other(large: tuple[Path, Counted]) -> None:
    repository, store = large
    store.now = DUE
    outcome, reading = publish(repository, store, "three", DUE)
    assert outcome.done is not None
    assert reading.read_folders == [f"keysets/{folder(42).decode()}"]
    assert [one.change.tenant for one in outcome.done.applied] == ["tenant-000042"]
    assert store.named("get", "shards/") == 2  # its own, and the one that tells whose its key is
