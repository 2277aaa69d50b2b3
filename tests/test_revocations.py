"""The keys that a history revoked: found once, brought on by what is new, and told of a commit by its own history."""

from pathlib import Path

import pytest
from keymaker import ec_key, entry, public_jwk, public_pem
from repos import ISOLATED, Repo

from publisher import revocations
from publisher.cachefile import CacheFile
from publisher.git import open_revision
from publisher.jwk import EcJwk, identity
from publisher.keyset import read_keyset
from publisher.revocations import REVOCATIONS, Revocations
from publisher.source import Folder

REVOKED = "    revoked: {at: 2026-01-01T00:00:00Z, reason: lost}\n"
KEYS = range(6)


@pytest.fixture(autouse=True)
def _isolated(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in ISOLATED.items():
        monkeypatch.setenv(name, value)


@pytest.fixture
def repo(tmp_path: Path) -> Repo:
    made = Repo(tmp_path / "repo")
    made.write("keysets/policy.yaml", "version: 1\n")
    made.write("keysets/a/keyset.yaml", keyset("a"))
    made.commit()
    return made


def keyset(name: str, *entries: str) -> str:
    keys = f"custom_keys:\n{''.join(entries)}" if entries else ""
    return f"version: 1\ntenant: {name}\nplan: enterprise\ndomains: [{name}.example]\n{keys}"


def key(number: int, more: str = "") -> str:
    return entry("ES256", kid=f"k{number}", jwk=public_jwk(ec_key(number))) + more


def identity_of(number: int) -> bytes:
    members = public_jwk(ec_key(number))
    return identity(EcJwk(crv="P-256", x=members["x"], y=members["y"], thumbprint=""))


def struck(repo: Repo, rev: str, cache: Path, said: list[str] | None = None) -> set[int]:
    """The numbers of the keys that the history of a revision revoked."""
    notes = [] if said is None else said
    file = CacheFile(cache / "x.sqlite", REVOCATIONS, "test", notes.append)
    asked = Revocations(directory=repo.path, cache=file, first=lambda: notes.append("all"))
    found = asked.struck(open_revision(repo.path, "keysets", rev), {identity_of(number) for number in KEYS})
    file.close()
    return {number for number in KEYS if identity_of(number) in found}


def test_every_way_to_revoke_a_key_is_found(repo: Repo, tmp_path: Path) -> None:
    repo.write("keysets/a/keyset.yaml", keyset("a", key(0, REVOKED)))
    repo.commit()
    repo.write("keysets/a/keyset.yaml", keyset("a"))
    repo.write("keysets/a/generated.yaml", "version: 1\ngenerated_keys:\n" + key(1, REVOKED))
    repo.commit()
    by_file = entry("ES256", kid="f", pem="partner.pem") + REVOKED
    repo.write("keysets/eu/b/keyset.yaml", keyset("b", by_file))
    repo.write("keysets/eu/b/partner.pem", public_pem(ec_key(2)))
    repo.commit()
    repo.write("keysets/eu/b/partner.pem", public_pem(ec_key(3)))
    repo.commit()
    repo.git("rm", "-r", "--quiet", "keysets/eu")
    repo.write("keysets/a/keyset.yaml", keyset("a", key(4)))
    tip = repo.commit()
    assert struck(repo, tip, tmp_path) == {0, 1, 2, 3}
    for back, found in enumerate(({0, 1, 2, 3}, {0, 1, 2, 3}, {0, 1, 2}, {0, 1}, {0}, set())):
        assert struck(repo, f"HEAD~{back}", tmp_path) == found
        assert struck(repo, f"HEAD~{back}", tmp_path / f"fresh{back}") == found


def test_the_history_of_a_branch_is_its_own_and_a_merge_has_both(repo: Repo, tmp_path: Path) -> None:
    repo.git("switch", "--quiet", "--create", "side")
    repo.write("keysets/b/keyset.yaml", keyset("b", key(0, REVOKED)))
    repo.commit()
    repo.write("keysets/b/keyset.yaml", keyset("b"))
    repo.commit()
    repo.git("switch", "--quiet", "main")
    repo.write("keysets/a/keyset.yaml", keyset("a", key(1, REVOKED)))
    repo.commit()
    assert struck(repo, "side", tmp_path) == {0}
    assert struck(repo, "main", tmp_path) == {1}
    repo.git("merge", "--quiet", "--strategy=ours", "--message=x", "side")
    assert struck(repo, "main", tmp_path) == {0, 1}
    assert struck(repo, "main", tmp_path / "fresh") == {0, 1}
    assert struck(repo, "main~1", tmp_path) == {1}


def test_only_what_is_new_is_walked(repo: Repo, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    said: list[str] = []
    repo.write("keysets/a/keyset.yaml", keyset("a", key(0, REVOKED)))
    assert struck(repo, repo.commit(), tmp_path, said) == {0}
    assert said == ["all"]
    repo.write("keysets/a/keyset.yaml", keyset("a", key(0, REVOKED), key(1, REVOKED)))
    tip = repo.commit()
    trace = tmp_path / "trace"
    monkeypatch.setenv("GIT_TRACE2_EVENT", str(trace))
    assert struck(repo, tip, tmp_path, said) == {0, 1}
    walks = [line for line in trace.read_text().splitlines() if '"event":"start"' in line and "--full-history" in line]
    assert len(walks) == 1
    assert f'"^{repo.git("rev-parse", "HEAD~1")}"' in walks[0]
    trace.unlink()
    assert struck(repo, tip, tmp_path, said) == {0, 1}
    assert "--full-history" not in trace.read_text()
    assert said == ["all"]


def test_a_shallow_clone_spoils_no_cache(repo: Repo, tmp_path: Path) -> None:
    repo.write("keysets/a/keyset.yaml", keyset("a", key(0, REVOKED)))
    repo.commit()
    repo.write("keysets/a/keyset.yaml", keyset("a", key(1, REVOKED)))
    repo.commit()
    clone = repo.clone(tmp_path / "clone", "--depth=1")
    assert struck(clone, "HEAD", tmp_path) == {1}
    assert struck(repo, "main", tmp_path) == {0, 1}
    assert struck(clone, "HEAD", tmp_path) == {1}


def test_tips_that_a_repository_lacks_are_passed_over(
    repo: Repo, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(revocations, "_TIPS", 3)
    repo.write("keysets/a/keyset.yaml", keyset("a", key(0, REVOKED)))
    repo.commit()
    other = Repo(tmp_path / "other")
    other.write("keysets/a/keyset.yaml", keyset("a", key(1, REVOKED)))
    other.commit()
    for _ in range(2):
        assert struck(repo, "HEAD", tmp_path) == {0}
        assert struck(other, "HEAD", tmp_path) == {1}
    for number in range(5):
        other.write("keysets/x", str(number))
        other.commit()
        assert struck(other, "HEAD", tmp_path) == {1}
    assert struck(repo, "HEAD", tmp_path) == {0}


def test_what_is_named_here_is_what_key_sets_have(repo: Repo) -> None:
    repo.write("keysets/a/keyset.yaml", keyset("a", key(0)))
    (folder,) = open_revision(repo.path, "keysets", repo.commit()).folders()
    assert isinstance(folder, Folder)
    found = read_keyset(folder).keyset
    assert found is not None
    assert identity(found.keys[0].jwk) == identity_of(0)
