"""Commits, each with the documents that it renders, and a store that they are published to by the real command."""

import asyncio
import json
import subprocess
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

import pytest
from program import Ran, command, environment, run
from repos import Repo
from s3server import S3Server, use_settings
from signing import Signer, generated, keyset, make_signer

from publisher.store import Store, Stored
from publisher.stores import open_store

from .proxy import Proxy

Documents = Mapping[str, bytes]
"""Bodies by domain."""

_LIVE, _END = "live/", "/.well-known/jwks.json"
ANNOUNCED = "publish: {from: 2026-01-01T00:00:00Z}\nsigns: {from: 2090-01-01T00:00:00Z}"
"""Such a key is published long before it signs, so that no hazard is in it."""
REVOKED = "revoked: {at: 2026-05-01T00:00:00Z, reason: stolen}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Commit:
    """A commit, and what `build` makes of it."""

    id: str
    documents: Documents


@dataclass(frozen=True, slots=True, kw_only=True)
class Chain:
    """Commits of one repository, each the parent of the next."""

    repo: Repo
    commits: tuple[Commit, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """A store: how the program is led to it, and the same one opened here, to look."""

    url: str
    settings: Mapping[str, str]
    store: Store
    writes: Callable[[], int]
    """A number that another write makes another one."""

    def publish(self, chain: Chain, number: int, *more: str) -> Ran:
        """Publish a commit, to the end."""
        return run(*self._publish(chain, number, *more), cwd=chain.repo.path, **self.settings)

    def start(self, chain: Chain, number: int, *more: str) -> "Running":
        """Begin to publish a commit."""
        return start(self._publish(chain, number, *more), chain.repo.path, self.settings)

    def verify(self, chain: Chain, number: int) -> Ran:
        """Verify that a commit is published."""
        arguments = ("verify", "--store", self.url, "--rev", chain.commits[number].id)
        return run(*arguments, cwd=chain.repo.path, **self.settings)

    def live(self) -> dict[str, Stored]:
        """What each domain serves."""
        return asyncio.run(self._live())

    def kept(self, body: bytes) -> bool:
        """Whether a document is kept under `documents/`."""
        found = asyncio.run(self.store.get(f"documents/{sha256(body).hexdigest()}.json"))
        return found is not None and found.body == body

    async def _live(self) -> dict[str, Stored]:
        keys = [key async for key in self.store.keys(_LIVE)]
        found = await asyncio.gather(*(self.store.get(key) for key in keys))
        pairs = zip(keys, found, strict=True)
        return {key.removeprefix(_LIVE).removesuffix(_END): one for key, one in pairs if one is not None}

    def _publish(self, chain: Chain, number: int, *more: str) -> tuple[str, ...]:
        # Every third commit takes a domain away whose key signs.
        allow = ("--allow", "drops-active-key")
        return ("publish", "--store", self.url, "--rev", chain.commits[number].id, *allow, *more)


@dataclass(frozen=True, slots=True, kw_only=True)
class Running:
    """The program at work."""

    process: subprocess.Popen[bytes]

    def ended(self, seconds: float = 120) -> Ran:
        """Wait for its end."""
        try:
            out, err = self.process.communicate(timeout=seconds)
        except subprocess.TimeoutExpired:
            self.process.kill()
            out, err = self.process.communicate()
            pytest.fail(f"no end after {seconds} s: {out!r} {err!r}")
        return Ran(code=self.process.returncode, out=out.decode(), err=err.decode())


def start(arguments: Iterable[str], cwd: Path, settings: Mapping[str, str]) -> Running:
    """Start the program."""
    process = subprocess.Popen(
        command(*arguments),
        cwd=cwd,
        env=environment(**settings),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    return Running(process=process)


@contextmanager
def place(kind: str, root: Path, server: S3Server, monkeypatch: pytest.MonkeyPatch) -> Iterator[Place]:
    """A new, empty store: `file` or `s3`. For S3 the AWS variables of this process lead to the server, too."""
    if kind == "file":
        yield folder(root / "store")
        return
    with Proxy(server) as proxy:
        yield bucket(server, proxy, monkeypatch)


def folder(path: Path) -> Place:
    """A folder, which need not be there."""
    scratch = path / ".tmp"  # each write begins with a file in it
    return Place(
        url=path.as_uri(),
        settings={},
        store=open_store(path.as_uri()),
        writes=lambda: scratch.stat().st_mtime_ns if scratch.exists() else 0,
    )


def bucket(server: S3Server, proxy: Proxy, monkeypatch: pytest.MonkeyPatch) -> Place:
    """A new bucket. The program comes to it by the proxy, and we without."""
    use_settings(monkeypatch, server.settings)
    url = f"s3://{server.make_bucket()}"
    settings = proxy.server.settings
    return Place(url=url, settings=settings, store=open_store(url), writes=lambda: proxy.count("PUT"))


def make_chain(path: Path, length: int) -> Chain:
    """A repository of three tenants, in which each commit adds keys, revokes them, or changes a list of domains.

    Number 0 is the beginning. 1, 4, 7, ... add a key to two tenants; 2, 5, 8, ... revoke these, so that bytes come back
    that were served before; 3, 6, 9, ... put one domain in another's place.
    """
    repo = Repo(path / "repo")
    repo.write("keysets/policy.yaml", 'version: 1\ncanonical_domain: "{tenant}.idp.example"\n')
    tenants = {name: [make_signer(f"{name}-0", alg)] for name, alg in (("acme", "RS256"), ("globex", "ES256"))}
    initech = make_signer("initech-0", "EdDSA")
    platform = make_signer("acme-generated", "RS256")
    repo.write("keysets/acme/generated.yaml", generated(platform.entry()))
    ids = []
    for number in range(length):
        for tenant, signers in tenants.items():
            if number % 3 == 1:
                signers.append(make_signer(f"{tenant}-{number}"))
            entries = _entries(signers, revoked=(number + 1) // 3)
            domains = [f"{label}.{tenant}.example" for label in ("login", "auth")]
            repo.write(f"keysets/{tenant}/keyset.yaml", keyset(tenant, domains, entries))
        # A domain comes, and goes with the next that comes.
        domains = ["id.initech.example", f"login-{number // 3}.initech.example"]
        repo.write("keysets/initech/keyset.yaml", keyset("initech", domains, initech.entry()))
        ids.append(repo.commit(f"Change {number}"))
    with ThreadPoolExecutor(2) as pool:
        built = list(pool.map(lambda one: build(repo, one, path / "built" / one), ids))
    commits = tuple(Commit(id=one, documents=documents) for one, documents in zip(ids, built, strict=True))
    return Chain(repo=repo, commits=commits)


def _entries(signers: list[Signer], revoked: int) -> str:
    """The first key signs, and stays; the others are announced, and revoked in the order in which they came."""
    first, *others = signers
    more = "".join(
        one.entry(f"{ANNOUNCED}\n{REVOKED}" if place < revoked else ANNOUNCED) for place, one in enumerate(others)
    )
    return first.entry() + more


def build(repo: Repo, rev: str, out: Path) -> Documents:
    """The documents that a commit renders."""
    ran = run("build", "--rev", rev, "--out", str(out), cwd=repo.path)
    assert ran.code == 0, ran
    return {path.parent.parent.name: path.read_bytes() for path in out.glob(f"*{_END}")}


def check_whole(live: Mapping[str, Stored], before: Documents, after: Documents) -> None:
    """Every domain that served something serves one whole document: that of the one commit, or that of the other."""
    assert set(before) <= set(live), set(before) - set(live)
    for domain, stored in live.items():
        known = {documents[domain] for documents in (before, after) if domain in documents}
        # A domain that neither has is one of former commits.
        if known and not (is_empty(stored.body) and domain not in after):
            assert stored.body in known, (domain, stored)
        check_headers(domain, stored)


def check_serves(live: Mapping[str, Stored], documents: Documents) -> None:
    """Every domain of a commit serves what it is to serve. Domains of former commits may be left there."""
    assert {domain: live[domain].body for domain in documents if domain in live} == documents
    for domain, stored in live.items():
        check_headers(domain, stored)


def check_headers(domain: str, stored: Stored) -> None:
    """The headers of a live object are those of its body."""
    metadata = dict(stored.headers.metadata)
    assert metadata["sha256"] == sha256(stored.body).hexdigest(), (domain, stored)
    assert metadata["domain"] == domain
    assert stored.headers.content_type == "application/json"
    assert stored.headers.cache_control.startswith("public, max-age=300, ")


def served(live: Mapping[str, Stored]) -> dict[str, object]:
    """All that readers see of each domain: without the number of the release, which says how it came to be."""
    return {
        domain: (
            stored.body,
            stored.headers.content_type,
            stored.headers.cache_control,
            tuple(pair for pair in stored.headers.metadata if pair[0] != "release"),
        )
        for domain, stored in live.items()
    }


def is_empty(body: bytes) -> bool:
    """Whether a document holds no key, as that of a withdrawn domain."""
    keys: list[object] = json.loads(body)["keys"]
    return not keys


def check_clear(ran: Ran) -> None:
    """The program came to an end of its own, and what it says is for people."""
    assert ran.code in (0, 1, 3), ran
    for text in (ran.out, ran.err):
        assert "Traceback" not in text, ran
        assert "internal error" not in text, ran
    if ran.code == 3:
        assert sum(line.startswith("error: ") for line in ran.err.splitlines()) <= 1, ran
    if ran.code != 0:
        assert (ran.out + ran.err).strip(), ran
