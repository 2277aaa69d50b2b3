"""Revisions of real repositories of every kind, what can be wrong with them, and git's own processes."""

import gc
import os
import signal
import stat
import subprocess
import sys
import warnings
from pathlib import Path

import pytest
from repos import ISOLATED, Repo
from sources import PLAIN, assert_refused, odd, plain, read, text

from publisher import folders as grouping
from publisher.git import open_revision, toplevel, uncommitted
from publisher.gitprogram import _OBJECTS, _OTHER_REPOSITORY
from publisher.source import (
    LIMIT_DEPTH,
    Folder,
    Source,
)
from publisher.worktree import open_worktree


@pytest.fixture(autouse=True)
def _isolated(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in ISOLATED.items():
        monkeypatch.setenv(name, value)


@pytest.fixture
def repo(tmp_path: Path) -> Repo:
    return Repo(tmp_path / "repo")


# Kinds of repositories.


@pytest.mark.parametrize("options", [("--object-format=sha256",), ("--bare",), ()])
def test_kinds_of_repositories(tmp_path: Path, repo: Repo, options: tuple[str, ...]) -> None:
    if options == ("--bare",):
        plain(repo).commit()
        made = repo.clone(tmp_path / "made", "--bare")
    else:
        made = plain(Repo(tmp_path / "made", *options))
        made.commit()
    source = open_revision(made.path, "keysets", "main")
    assert read(source) == (PLAIN, [])
    assert source.commit is not None
    assert len(source.commit.id) == (64 if "--object-format=sha256" in options else 40)


def test_a_shallow_clone(repo: Repo, tmp_path: Path) -> None:
    first = plain(repo).commit()
    repo.commit()
    clone = repo.clone(tmp_path / "shallow", "--depth=1")
    assert read(open_revision(clone.path, "keysets", "HEAD")) == (PLAIN, [])
    for rev in ("HEAD~1", first):
        unknown = f"`{rev}` is not in this clone, which is shallow: fetch the rest with `git fetch --unshallow`"
        assert_refused(lambda rev=rev: open_revision(clone.path, "keysets", rev), unknown, usage=True)  # type: ignore[misc]


def test_a_partial_clone_with_and_without_its_remote(repo: Repo, tmp_path: Path) -> None:
    plain(repo).commit()
    repo.git("config", "uploadpack.allowFilter", "true")
    clones = [repo.clone(tmp_path / name, "--filter=blob:none", "--no-checkout") for name in ("one", "two")]
    assert read(open_revision(clones[0].path, "keysets", "HEAD")) == (PLAIN, [])
    repo.path.rename(tmp_path / "gone")
    assert read(open_revision(clones[0].path, "keysets", "HEAD")) == (PLAIN, [])
    source = open_revision(clones[1].path, "keysets", "HEAD")
    assert_refused(lambda: list(source.folders()), "this clone is partial and lacks an object", usage=False)


def test_linked_worktrees_subfolders_packed_refs_and_tags(repo: Repo, tmp_path: Path) -> None:
    commit = plain(repo).commit()
    repo.git("config", "core.quotepath", "true")
    repo.git("tag", "--annotate", "--message=x", "v1")
    repo.git("worktree", "add", "--quiet", "--detach", str(tmp_path / "linked"), "v1")
    repo.git("pack-refs", "--all")
    repo.git("gc", "--quiet")
    for directory in (repo.path, repo.path / "keysets/eu", repo.path / ".git", tmp_path / "linked/keysets"):
        for rev in ("v1", "main", "HEAD", commit[:10]):
            source = open_revision(directory, "keysets", rev)
            assert source.commit is not None
            assert source.commit.id == commit
        assert read(source) == (PLAIN, [])
    assert toplevel(repo.path / "keysets/eu") == repo.path
    assert toplevel(tmp_path / "linked/keysets") == tmp_path / "linked"


def test_grafts_do_not_count(repo: Repo) -> None:
    older, newer = plain(repo).commit(), repo.commit("Change more")
    apart = repo.git("commit-tree", "-m", "Apart", f"{newer}^{{tree}}")
    repo.write(".git/info/grafts", f"{apart} {older}\n")
    assert not open_revision(repo.path, "keysets", apart).contains(older)
    assert open_revision(repo.path, "keysets", newer).contains(older)


def test_replaced_objects_do_not_count(repo: Repo) -> None:
    plain(repo).commit()
    other = repo.git("hash-object", "-w", "--stdin", given=b"tenant: mallory\n")
    repo.git("replace", "HEAD:keysets/acme/keyset.yaml", other)
    assert repo.git("show", "HEAD:keysets/acme/keyset.yaml") == "tenant: mallory"
    assert read(open_revision(repo.path, "keysets", "HEAD")) == (PLAIN, [])


def test_another_repositorys_environment_does_not_count(
    repo: Repo, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = Repo(tmp_path / "other")
    other.write("keysets/other/keyset.yaml")
    other.commit()
    plain(repo).commit()
    monkeypatch.setenv("GIT_DIR", str(other.path / ".git"))
    monkeypatch.setenv("GIT_WORK_TREE", str(other.path))
    monkeypatch.setenv("GIT_INDEX_FILE", str(other.path / ".git/index"))
    monkeypatch.setenv("GIT_OBJECT_DIRECTORY", str(other.path / ".git/objects"))
    monkeypatch.setenv("GIT_ICASE_PATHSPECS", "1")
    assert read(open_revision(repo.path, "keysets", "HEAD")) == (PLAIN, [])
    assert toplevel(repo.path) == repo.path
    assert not uncommitted(repo.path, "keysets")


def test_the_environment_of_a_repository_is_known(repo: Repo) -> None:
    users = {"GIT_CONFIG_PARAMETERS", "GIT_CONFIG_COUNT"}
    assert set(repo.git("rev-parse", "--local-env-vars").split()) <= _OTHER_REPOSITORY | _OBJECTS | users


def test_what_is_pushed_can_be_read_in_a_pre_receive_hook(repo: Repo, tmp_path: Path) -> None:
    server = Repo(tmp_path / "server", "--bare")
    hook = server.path / "hooks/pre-receive"
    hook.parent.mkdir(exist_ok=True)
    program = (
        "import sys, pathlib; from publisher.git import open_revision; "
        "print(*[f.path for f in open_revision(pathlib.Path('.'), 'keysets', sys.argv[1]).folders()])"
    )
    hook.write_text(f'#!/bin/sh\nread old new ref\n"{sys.executable}" -c "{program}" $new > "{tmp_path}/said"\n')
    hook.chmod(hook.stat().st_mode | stat.S_IXUSR)
    plain(repo).commit()
    package = Path(grouping.__file__).parents[1]
    repo.git("push", "--quiet", str(server.path), "main", env={"PYTHONPATH": str(package)})
    assert (tmp_path / "said").read_text() == "keysets/acme keysets/eu/globex\n"


# What can be wrong with the whole.


def test_git_is_not_installed(repo: Repo, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    plain(repo).commit()
    monkeypatch.setenv("PATH", str(tmp_path))
    assert_refused(lambda: open_revision(repo.path, "keysets", "HEAD"), "the git program cannot be run", usage=False)
    assert toplevel(repo.path) is None
    assert read(open_worktree(repo.path, "keysets")) == (PLAIN, [])


def test_no_repository(tmp_path: Path) -> None:
    (tmp_path / "keysets").mkdir()
    assert toplevel(tmp_path) is None
    assert_refused(lambda: open_revision(tmp_path, "keysets", "HEAD"), "is in no Git repository", usage=True)
    assert_refused(lambda: uncommitted(tmp_path, "keysets"), "is in no Git repository", usage=True)
    assert_refused(lambda: open_revision(tmp_path / "none", "keysets", "HEAD"), "there is no folder", usage=True)
    assert read(open_worktree(tmp_path, "keysets")) == ({}, [])


def test_no_commits_yet(repo: Repo) -> None:
    plain(repo)
    assert_refused(lambda: open_revision(repo.path, "keysets", "HEAD"), "has no commits yet", usage=True)
    assert toplevel(repo.path) == repo.path
    assert uncommitted(repo.path, "keysets")


@pytest.mark.parametrize(
    ("rev", "message"),
    [
        ("", "is no revision"),
        ("-n", "is no revision"),
        ("--output=x", "is no revision"),
        ("^HEAD", "is no revision"),
        ("HEAD\n", "is no revision"),
        ("a\0b", "is no revision"),
        ("nowhere", "`nowhere` names no commit in this clone: fetch it first"),
        ("HEAD~1", "`HEAD~1` names no commit"),
        ("HEAD..main", "names no commit"),
        ("HEAD@{9}", "names no commit"),
        ("@{u}", "names no commit"),
        ("a" * 40, "names no commit in this clone"),
        ("HEAD:keysets", "`HEAD:keysets` names a tree, and no commit"),
    ],
)
def test_unknown_revisions(repo: Repo, rev: str, message: str) -> None:
    plain(repo).commit()
    assert_refused(lambda: open_revision(repo.path, "keysets", rev), message, usage=True)


def test_an_ambiguous_revision(repo: Repo) -> None:
    plain(repo).commit()
    empty = repo.git("hash-object", "-t", "tree", "-w", "--stdin")
    first, second = (repo.git("commit-tree", "-m", message, empty) for message in ("146", "474"))
    assert first[:4] == second[:4]
    assert_refused(lambda: open_revision(repo.path, "keysets", first[:4]), "begins the ids of several", usage=True)


def test_a_tag_with_the_name_of_a_branch_does_not_take_its_place(repo: Repo) -> None:
    plain(repo).commit()
    repo.git("update-ref", "refs/remotes/origin/main", "HEAD")
    repo.git("config", "core.warnAmbiguousRefs", "false")
    first = repo.git("rev-parse", "HEAD")
    repo.commit("Change more")
    repo.git("tag", "origin/main")
    assert_refused(
        lambda: open_revision(repo.path, "keysets", "origin/main"), "names several branches or tags", usage=True
    )
    assert open_revision(repo.path, "keysets", "refs/remotes/origin/main").commit.id == first


def test_the_root_is_missing(repo: Repo) -> None:
    repo.write("keysets/../README", "x")
    repo.write("file", "x")
    repo.link("link", "keysets")
    repo.commit()
    plain(repo)
    messages = {
        "keysets": "`keysets` is in the working tree, but not in commit",
        "keyset": "there is no folder `keyset` in commit",
        "platform/keysets": "there is no folder `platform/keysets` in commit",
        "file": "`file` is a file in commit",
        "link": "`link` is a symlink in commit",
        "link/acme": "there is no folder `link/acme` in commit",
    }
    for root, message in messages.items():
        assert_refused(lambda root=root: open_revision(repo.path, root, "HEAD"), message, usage=True)  # type: ignore[misc]
    assert_refused(lambda: open_worktree(repo.path, "keyset"), "there is no folder", usage=True)
    assert_refused(lambda: open_worktree(repo.path, "file"), "is a file, and no folder", usage=True)
    assert_refused(lambda: open_worktree(repo.path, "link"), "is a symlink, and no folder", usage=True)
    assert_refused(lambda: open_worktree(repo.path, "link/acme"), "is a symlink, and no folder", usage=True)


def test_a_bare_repository_has_no_working_tree(tmp_path: Path) -> None:
    bare = Repo(tmp_path / "bare", "--bare")
    assert_refused(
        lambda: toplevel(bare.path), "is in a bare repository: say which revision to read with --rev", usage=True
    )
    assert_refused(lambda: uncommitted(bare.path, "keysets"), "is in a bare repository", usage=True)


def test_somebody_elses_repository(repo: Repo, monkeypatch: pytest.MonkeyPatch) -> None:
    plain(repo).commit()
    monkeypatch.setenv("GIT_TEST_ASSUME_DIFFERENT_OWNER", "1")
    message = f"git config --global --add safe.directory {repo.path}"
    assert_refused(lambda: toplevel(repo.path), message, usage=False)
    assert_refused(lambda: open_revision(repo.path, "keysets", "HEAD"), message, usage=False)
    assert_refused(lambda: uncommitted(repo.path, "keysets"), message, usage=False)


@pytest.mark.parametrize(
    "lost", ["HEAD:keysets/acme/keyset.yaml", "HEAD:keysets/acme", "HEAD:keysets", "HEAD", "HEAD^{tree}"]
)
@pytest.mark.parametrize("how", ["missing", "corrupt"])
def test_a_damaged_repository(repo: Repo, lost: str, how: str) -> None:
    plain(repo).commit()
    object_id = repo.git("rev-parse", lost)
    path = repo.path / ".git/objects" / object_id[:2] / object_id[2:]
    path.chmod(0o600)
    path.unlink() if how == "missing" else path.write_bytes(b"junk")

    def attempt() -> None:
        list(open_revision(repo.path, "keysets", "HEAD").folders())

    assert_refused(attempt, "the repository is damaged (", usage=False)


def tree(repo: Repo, *entries: tuple[str, str, str]) -> str:
    """Write a tree as it is given, which Git would not make."""
    data = b"".join(f"{mode} {name}".encode() + b"\0" + bytes.fromhex(object_id) for mode, name, object_id in entries)
    return repo.git("hash-object", "-t", "tree", "-w", "--stdin", "--literally", given=data)


def keysets_of(repo: Repo, keysets: str) -> Source:
    """A commit with this tree as `keysets`."""
    commit = repo.git("commit-tree", "-m", "x", tree(repo, ("40000", "keysets", keysets)))
    return open_revision(repo.path, "keysets", commit)


@pytest.mark.parametrize(
    "names",
    [("b", "a"), ("keyset.yaml", "keyset.yaml"), ("a", "b/keyset.yaml"), ("../x/keyset.yaml",)],
)
def test_trees_that_git_would_not_make(repo: Repo, names: tuple[str, ...]) -> None:
    blob = repo.git("hash-object", "-w", "--stdin", given=b"x")
    source = keysets_of(repo, tree(repo, ("40000", "t", tree(repo, *(("100644", name, blob) for name in names)))))
    assert_refused(lambda: list(source.folders()), "damaged", usage=False)


def test_names_and_modes_that_git_would_not_make(repo: Repo) -> None:
    blob = repo.git("hash-object", "-w", "--stdin", given=b"x")
    tenant = tree(repo, ("100664", "keyset.yaml", blob))
    other = tree(repo, ("100644", "a", tenant), ("100644", "generated.yaml", tenant), ("100755", "keyset.yaml", blob))
    found, findings = read(
        keysets_of(repo, tree(repo, ("40000", "..", tenant), ("40000", "a", tenant), ("40000", "b", other)))
    )
    assert found == {
        "keysets/a": {"keyset.yaml": text("x")},
        "keysets/b": {"a": odd("special"), "generated.yaml": odd("special"), "keyset.yaml": text("x")},
    }
    assert [(item.rule.id, item.file) for item in findings] == [
        ("file-name", "keysets/.."),
        ("not-a-file", "keysets/b/generated.yaml"),
    ]


def test_a_tree_that_names_itself_many_times_over_ends(repo: Repo, monkeypatch: pytest.MonkeyPatch) -> None:
    bomb = tree(repo, ("100644", "keyset.yaml", repo.git("hash-object", "-w", "--stdin", given=b"x")))
    for _ in range(LIMIT_DEPTH):
        bomb = tree(repo, *(("40000", name, bomb) for name in "abcdefghij"))
    monkeypatch.setattr(grouping, "LIMIT_ENTRIES", 20_000)
    source = keysets_of(repo, bomb)
    assert_refused(lambda: list(source.folders()), "more than 20,000 files and folders", usage=False)


def test_what_is_uncommitted(repo: Repo) -> None:
    plain(repo).commit()
    repo.write("elsewhere", "x")
    assert not uncommitted(repo.path, "keysets")
    assert uncommitted(repo.path, ".")
    repo.write("keysets/acme/new.pem", "x")
    assert uncommitted(repo.path, "keysets")
    assert uncommitted(repo.path / "keysets/eu", "keysets")
    repo.git("add", "--all")
    assert uncommitted(repo.path, "keysets")
    repo.commit()
    assert not uncommitted(repo.path, "keysets")
    (repo.path / "keysets/acme/new.pem").unlink()
    assert uncommitted(repo.path, "keysets")


# Children.


def children() -> set[str]:
    """The ids of this process's children, the dead ones that nobody waited for included."""
    tasks = Path("/proc/self/task").iterdir()
    return {child for task in tasks for child in (task / "children").read_text().split()}


@pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="reads Linux's list of children")
def test_no_child_is_left_when_reading_stops_early(repo: Repo) -> None:
    for number in range(300):
        repo.write(f"keysets/t{number}/keyset.yaml", "x" * 5000)
    repo.commit()
    before = children()
    stream = open_revision(repo.path, "keysets", "HEAD").folders()
    assert isinstance(next(stream), Folder)
    assert len(children() - before) == 2
    stream.close()  # type: ignore[attr-defined]
    assert children() == before


@pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="reads Linux's list of children")
def test_an_interrupt_that_only_git_has_noticed_yet_is_no_failure(repo: Repo) -> None:
    for number in range(300):
        repo.write(f"keysets/t{number}/keyset.yaml", "x" * 5000)
    repo.commit()
    before = children()
    stream = open_revision(repo.path, "keysets", "HEAD").folders()
    next(stream)
    for child in children() - before:
        os.kill(int(child), signal.SIGINT)
    with pytest.raises(KeyboardInterrupt):
        list(stream)


def test_reading_that_ends_early_leaves_no_git_behind(repo: Repo) -> None:
    for number in range(300):
        repo.write(f"keysets/t{number}/keyset.yaml", "x" * 5000)
    repo.commit()
    before = children()
    stream = open_revision(repo.path, "keysets", "HEAD").folders()
    held = [next(stream)]
    gc.disable()
    try:
        stream.close()  # type: ignore[attr-defined]
        assert children() == before
    finally:
        gc.enable()
    assert len(held) == 1


def test_workers_forked_meanwhile_keep_nothing_waiting(repo: Repo) -> None:
    """A forked process holds the pipes to git as well, so that closing them tells git nothing."""
    plain(repo).commit()
    stream = open_revision(repo.path, "keysets", "HEAD").folders()
    next(stream)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # Python 3.12 and later, where there are threads
        worker = os.fork()
    if worker == 0:
        signal.alarm(20)  # so that the parent cannot wait for ever
        signal.pause()
        os._exit(1)
    try:
        assert len(list(stream)) == 1
        assert os.waitpid(worker, os.WNOHANG) == (0, 0)
    finally:
        os.kill(worker, signal.SIGKILL)
        os.waitpid(worker, 0)


def test_an_interrupt_leaves_no_child(repo: Repo) -> None:
    for number in range(300):
        repo.write(f"keysets/t{number}/keyset.yaml", "x" * 5000)
    repo.commit()
    program = (
        "import pathlib, time\n"
        "from publisher.git import open_revision\n"
        "for folder in open_revision(pathlib.Path('.'), 'keysets', 'HEAD').folders():\n"
        "    print('reading', flush=True)\n"
        "    time.sleep(0.01)\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", program],
        cwd=repo.path,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=True,
        env={**os.environ, "PYTHONPATH": str(Path(grouping.__file__).parents[1])},
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"reading\n"
        os.killpg(process.pid, signal.SIGINT)
        _, errors = process.communicate(timeout=20)
    assert process.returncode == -signal.SIGINT
    assert errors.endswith(b"KeyboardInterrupt\n")
    with pytest.raises(ProcessLookupError):
        os.killpg(process.pid, 0)
