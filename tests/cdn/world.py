"""Key sets, a bucket, a gateway to it and an edge in front: published and asked by the real commands."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from program import Ran, run
from repos import Repo
from s3server import S3Server
from signing import Signer, keyset

from .edges import Edge, Kind, free_port, running
from .gateway import Gateway

PREFIX = "some/prefix"
ACME = ("login.acme.example", "auth.acme.example")
GLOBEX = "id.globex.example"


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """`tmp_path` is its own; `signers` are acme's and globex's keys."""

    tmp_path: Path
    repo: Repo
    gateway: Gateway
    edge: Edge
    store: str
    settings: dict[str, str]
    signers: dict[str, Signer]

    def publish(self, *more: str) -> Ran:
        """Publish HEAD to the store. It is not probed: under load moto now and then lets two of eight writers win."""
        return run(
            "publish", "--store", self.store, "--store-ignores-conditions", *more, cwd=self.repo.path, **self.settings
        )

    def verify(self) -> Ran:
        """Verify HEAD through the edge."""
        return run("verify", "--via", self.edge.url, cwd=self.repo.path, **self.settings)

    def change(self, entries: str, domains: tuple[str, ...] = (GLOBEX,)) -> None:
        """Give globex these keys and domains."""
        self.repo.write("keysets/globex/keyset.yaml", keyset("globex", list(domains), entries))
        self.repo.commit("Change globex")

    def kids(self, domain: str) -> list[str]:
        """The kids that the edge serves for a domain."""
        answer = self.edge.get(domain)
        assert answer.status == 200, answer
        return [key["kid"] for key in json.loads(answer.body)["keys"]]


def policy(max_age: int, revalidate: int, error: int) -> str:
    """policy.yaml with these cache times, in seconds."""
    times = f"max_age: {max_age}, stale_while_revalidate: {revalidate}, stale_if_error: {error}"
    return f"version: 1\ncache: {{{times}}}\n"


@contextmanager
def world(
    kind: Kind,
    tmp_path: Path,
    server: S3Server,
    signers: dict[str, Signer],
    times: tuple[int, int, int] = (300, 60, 86_400),
    options: tuple[str, ...] = (),
) -> Iterator[World]:
    """Everything is published, and nothing has been asked for."""
    repo = Repo(tmp_path / "repo")
    repo.write("keysets/policy.yaml", policy(*times))
    repo.write("keysets/acme/keyset.yaml", keyset("acme", list(ACME), signers["own-ec"].entry()))
    repo.write("keysets/globex/keyset.yaml", keyset("globex", [GLOBEX], signers["globex"].entry()))
    repo.commit("Add tenants")
    bucket = server.make_bucket()
    with Gateway(server.endpoint_url) as gateway:
        port = free_port()
        config = made_config(kind, repo, f"{gateway.url}/{bucket}/{PREFIX}", port, tmp_path, options)
        with running(kind, port, tmp_path / kind, config) as edge:
            made = World(
                tmp_path=tmp_path,
                repo=repo,
                gateway=gateway,
                edge=edge,
                store=f"s3://{bucket}/{PREFIX}",
                settings=server.settings,
                signers=signers,
            )
            published = made.publish()
            assert published.code == 0, published
            yield made


def made_config(kind: Kind, repo: Repo, origin: str, port: int, tmp_path: Path, options: tuple[str, ...] = ()) -> str:
    """What `cdn-config` prints."""
    own = ("--listen", f"127.0.0.1:{port}", "--cache-dir", f"{tmp_path}/cache") if kind == "nginx" else ()
    ran = run("cdn-config", kind, "--origin", origin, *own, *options, cwd=repo.path)
    assert ran.code == 0, ran
    return ran.out
