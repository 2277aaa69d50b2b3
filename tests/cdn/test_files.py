"""nginx on a store that is a folder: no origin, no copies."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from program import run
from repos import Repo
from signing import Signer, keyset, make_signer

from .edges import PATH, Edge, free_port, running
from .test_edges import REFUSED_HOSTS, REFUSED_TARGETS
from .world import GLOBEX, made_config, policy

pytestmark = pytest.mark.cdn


@pytest.fixture
def served(tmp_path: Path, signers: dict[str, Signer]) -> Iterator[tuple[Repo, Edge]]:
    """A published repository (store: `tmp_path`/store), and the edge."""
    repo = Repo(tmp_path / "repo")
    repo.write("keysets/policy.yaml", policy(300, 60, 86_400))
    repo.write("keysets/globex/keyset.yaml", keyset("globex", [GLOBEX], signers["globex"].entry()))
    repo.commit("Add globex")
    assert run("publish", "--store", f"file://{tmp_path}/store", cwd=repo.path).code == 0
    port = free_port()
    config = made_config("nginx", repo, f"file://{tmp_path}/store", port, tmp_path)
    with running("nginx", port, tmp_path / "nginx", config) as edge:
        yield repo, edge


def test_documents_are_served_as_they_are_to_be(served: tuple[Repo, Edge], tmp_path: Path) -> None:
    repo, edge = served
    verified = run("verify", "--via", edge.url, cwd=repo.path)
    assert verified.code == 0, verified
    repo.write("keysets/globex/keyset.yaml", keyset("globex", [GLOBEX], make_signer("globex-2").entry()))
    repo.commit("Replace globex's key")
    wait = ("--via", edge.url, "--wait", "20", "--allow", "drops-active-key")
    assert run("publish", "--store", f"file://{tmp_path}/store", *wait, cwd=repo.path).code == 0
    assert b"globex-2" in edge.get(GLOBEX).body


def test_nothing_else_is_reached(served: tuple[Repo, Edge], tmp_path: Path) -> None:
    _, edge = served
    (document,) = (tmp_path / "store/documents").iterdir()
    (tmp_path / "store/HEAD.json").write_text("private")
    targets = [*REFUSED_TARGETS, "/.headers/live/id.globex.example/.well-known/jwks.json.json", "/.lock"]
    for target in targets:
        head = f"GET {target.format(digest=document.stem)} HTTP/1.1\r\nHost: {GLOBEX}\r\nConnection: close\r\n\r\n"
        received = edge.raw(head.encode())
        assert re.match(rb"HTTP/1\.1 (404|400) ", received), (target, received)
        assert b'"keys"' not in received
    for host in REFUSED_HOSTS:
        head = f"GET {PATH} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n"
        assert re.match(rb"HTTP/1\.1 (404|400) ", edge.raw(head.encode("latin-1"))), host


def test_a_link_in_the_store_leads_nowhere(served: tuple[Repo, Edge], tmp_path: Path) -> None:
    _, edge = served
    (tmp_path / "secret").mkdir()
    (tmp_path / "secret/jwks.json").write_text("private")
    folder = tmp_path / "store/live/link.globex.example"
    folder.mkdir()
    (folder / ".well-known").symlink_to(tmp_path / "secret")
    answer = edge.get("link.globex.example")
    assert (answer.status, answer.body) == (404, b"404 Not Found\n")


def test_missing_documents_are_short(served: tuple[Repo, Edge]) -> None:
    _, edge = served
    answer = edge.get("unknown.example")
    assert (answer.status, answer.headers["cache-control"]) == (404, "public, max-age=10")
    known = edge.get(GLOBEX)
    assert edge.get(GLOBEX, If_None_Match=known.headers["etag"]).status == 304
