"""A hundred thousand tenants in a Git repository and in a store, made without compiling each of them.

Their files are real, and so are the shards, the release and HEAD; the documents themselves are not there, as nothing
that is tested here reads one. Every tenant has a key of its own number, which no test looks at before it is changed.
"""

import hashlib
import subprocess
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

from signing import keyset, make_signer

from publisher import __version__
from publisher.diagnostic import Finding
from publisher.git import open_revision
from publisher.head import Head
from publisher.record import DomainRecord, TenantRecord
from publisher.release import Counts, Release, Released, Terms, digest, encode_release
from publisher.releaselog import Log, Open
from publisher.shard import changed_shards, encode
from publisher.store import Headers, Store, Stored

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
DUE = NOW + timedelta(days=1)
"""When the document of tenant-000042 changes by time."""
CACHE = "public, max-age=300, stale-while-revalidate=60, stale-if-error=86400"


@dataclass
class Counted:
    """A store that counts requests and bytes."""

    inner: Store
    requests: list[tuple[str, str]] = field(default_factory=list)
    read: int = 0
    written: int = 0
    now: datetime = NOW

    @property
    def url(self) -> str:
        return self.inner.url

    async def get(self, key: str) -> Stored | None:
        self.requests.append(("get", key))
        found = await self.inner.get(key)
        self.read += 0 if found is None else len(found.body)
        return found

    async def put(self, key: str, body: bytes, headers: Headers, *, replaces: str | None) -> str | None:
        self.requests.append(("put", key))
        self.written += len(body)
        return await self.inner.put(key, body, headers, replaces=replaces)

    async def delete(self, key: str) -> None:
        self.requests.append(("delete", key))
        await self.inner.delete(key)

    async def time(self) -> datetime:
        self.requests.append(("time", ""))
        return self.now

    async def keys(self, prefix: str) -> AsyncIterator[str]:
        self.requests.append(("keys", prefix))
        async for key in self.inner.keys(prefix):
            yield key

    def named(self, what: str, prefix: str) -> int:
        """Requests of a kind for keys that begin so."""
        return sum(one[0] == what and one[1].startswith(prefix) for one in self.requests)


def folder(number: int) -> bytes:
    """A tenant's folder below keysets/: in groups, as git imports 100,000 folders in one slowly."""
    return b"group-%03d/tenant-%06d" % (number // 250, number)


def make_repository(path: Path, tenants: int) -> None:
    """A bare repository of small tenants on branch main."""
    subprocess.run(["git", "init", "--quiet", "--bare", "--initial-branch=main", str(path)], check=True)
    lines = [b"commit refs/heads/main\ncommitter bench <bench@example.org> 1750000000 +0000\ndata 3\nAll\n"]
    policy = b"version: 1\n"
    lines.append(b"M 100644 inline keysets/policy.yaml\ndata %d\n%s\n" % (len(policy), policy))
    entry = make_signer("shared").entry()
    for number in range(tenants):
        name = f"tenant-{number:06}"
        text = keyset(name, [f"login.{name}.example"], entry).encode()
        lines.append(b"M 100644 inline keysets/%s/keyset.yaml\ndata %d\n%s\n" % (folder(number), len(text), text))
    importer = ["git", "-C", str(path), "fast-import", "--quiet"]
    subprocess.run(importer, input=b"".join(lines), check=True, capture_output=True)


async def fill(store: Store, repository: Path) -> None:
    """Publish the repository's main, as far as the state tells."""
    revision = open_revision(repository, "keysets", "main")
    records = [
        TenantRecord(
            tenant=item.path.rpartition("/")[2],
            folder=item.path,
            tree=item.tree,
            seen=item.tree,
            domains=(
                DomainRecord(
                    domain=f"login.{item.path.rpartition('/')[2]}.example",
                    digest=hashlib.sha256(item.path.encode()).hexdigest(),
                    cache=CACHE,
                    release=1,
                    keys=1,
                ),
            ),
            keys=(),
            next_change=DUE if item.path.endswith("tenant-000042") else NOW + timedelta(days=30),
        )
        for item in revision.listed()
        if not isinstance(item, Finding)
    ]
    log = Log(store, Open())
    shards = dict(changed_shards({}, records, {}))
    objects = {slot: encode(shard) for slot, shard in shards.items()}
    await log.keep_shards({digest(data): data for data in objects.values()})
    commit = revision.commit
    release = Release(
        sequence=1,
        kind="publish",
        program=__version__,
        commit=Released(id=commit.id, time=commit.time, author=commit.author, subject=commit.subject),
        root="keysets",
        tree=revision.tree,
        policy=digest(b"version: 1\n"),
        as_of=NOW - timedelta(hours=1),
        previous=None,
        base=None,
        cache=CACHE,
        terms=(Terms(lifetime=timedelta(seconds=87_000), until=None),),
        shards={slot: shard.summary(digest(objects[slot])) for slot, shard in shards.items()},
        counts=Counts(new=len(records)),
    )
    data = encode_release(release)
    assert await log.create(1, data)
    head = Head(sequence=1, digest=digest(data), completed_at=NOW - timedelta(hours=1), conditions="held")
    assert await log.advance(head, None) is not None
