"""Tenants' folders of earlier commits, by their trees: as those commits list them, and through one process."""

from pathlib import Path

import pytest
from repos import ISOLATED, Repo
from sources import plain

from publisher.git import open_revision
from publisher.gitprogram import Git
from publisher.source import Listing, Revision, SourceError


@pytest.fixture(autouse=True)
def _isolated(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in ISOLATED.items():
        monkeypatch.setenv(name, value)


def listings(revision: Revision) -> list[Listing]:
    return [one for one in revision.listed() if isinstance(one, Listing)]


def places(found: list[Listing]) -> list[tuple[str, str]]:
    return [(one.path, str(one.tree)) for one in found]


@pytest.mark.parametrize("options", [(), ("--object-format=sha256",)])
def test_folders_of_earlier_commits_are_as_those_listed_them(tmp_path: Path, options: tuple[str, ...]) -> None:
    repo = plain(Repo(tmp_path / "repo", *options))
    repo.write("keysets/acme/keys/deep/a.pem", "a")
    repo.write("keysets/acme/keys.pem", "sorts before the folder's files")
    repo.write("keysets/acme/run.sh").chmod(0o755)
    repo.link("keysets/acme/link.pem", "elsewhere")
    before = listings(open_revision(repo.path, "keysets", repo.commit()))
    repo.git("rm", "-r", "--quiet", "keysets/acme")
    repo.write("keysets/other/keyset.yaml", "version: 1\n")
    now = open_revision(repo.path, "keysets", repo.commit())
    assert list(now.at(places(before))) == before
    assert list(now.at([])) == []


def test_one_process_lists_many(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    repo = Repo(tmp_path / "repo")
    for number in range(300):
        repo.write(f"keysets/t{number:03}/keyset.yaml", f"tenant: t{number}\n")
    revision = open_revision(repo.path, "keysets", repo.commit())
    found = listings(revision)
    started: list[tuple[str, ...]] = []
    before = Git.started

    def counted(self: Git, *arguments: str, asked: bool = False) -> object:
        started.append(arguments)
        return before(self, *arguments, asked=asked)

    monkeypatch.setattr(Git, "started", counted)
    assert list(revision.at(places(found))) == found
    assert len(started) == 1


def test_what_a_clone_lacks_is_to_be_fetched(tmp_path: Path) -> None:
    repo = plain(Repo(tmp_path / "repo"))
    before = listings(open_revision(repo.path, "keysets", repo.commit()))
    repo.write("keysets/acme/keyset.yaml", "later")
    repo.commit()
    clone = repo.clone(tmp_path / "clone", "--depth=1")
    revision = open_revision(clone.path, "keysets", "HEAD")
    with pytest.raises(SourceError, match=r"of `keysets/acme`, .* is not in this clone: .*--unshallow") as failed:
        list(revision.at(places(before)))
    assert failed.value.usage
    blob = repo.git("rev-parse", "HEAD:keysets/acme/keyset.yaml")
    for wrong in ("main", blob):
        with pytest.raises(SourceError, match="is no tree"):
            list(open_revision(repo.path, "keysets", "HEAD").at([("keysets/acme", wrong)]))


def test_a_damaged_tree_is_named(tmp_path: Path) -> None:
    repo = plain(Repo(tmp_path / "repo"))
    repo.commit()
    lost = f"100644 keyset.yaml\0{'x' * 20}40000 keys\0{'y' * 20}".encode()
    tree = repo.git("hash-object", "-t", "tree", "-w", "--stdin", "--literally", given=lost)
    short = repo.git("hash-object", "-t", "tree", "-w", "--stdin", "--literally", given=lost[:-1])
    revision = open_revision(repo.path, "keysets", "HEAD")
    for one in (tree, short):
        with pytest.raises(SourceError, match="the repository is damaged"):
            list(revision.at([("keysets/acme", one)]))
