"""What differs between two commits, or from the working tree: told as two readings of the whole would tell it."""

import os
import random
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from repos import ISOLATED, Repo
from sources import assert_refused, plain

from publisher.changed import Change, open_change
from publisher.diagnostic import Finding
from publisher.git import open_revision
from publisher.gitprogram import Git, Running
from publisher.merging import merged
from publisher.source import Folder, Listing, Revision, Source, SourceError
from publisher.worktree import open_worktree


@pytest.fixture(autouse=True)
def _isolated(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in ISOLATED.items():
        monkeypatch.setenv(name, value)


# A tree is path -> (mode, content); the names are those that the rules about files know, and plain ones.
Tree = Mapping[bytes, tuple[bytes, bytes]]
FOLDERS = (b"a", b"b", b"eu", b"keyset.yaml", b"Policy.yaml", b"\xff", b"a b", b"z.yaml")
FILES = (
    *(b"keyset.yaml", b"keyset.yaml", b"keyset.yaml", b"generated.yaml", b"keyset.yml", b"policy.yaml", b"policy.yml"),
    *(b".gitattributes", b"x.pem", b"a", b"\xfe.pem", b"Generated.yaml"),
)
MODES = (b"100644", b"100644", b"100644", b"100755", b"120000", b"160000")


def some_path(chance: random.Random) -> bytes:
    depth = chance.choice((0, 1, 1, 1, 2, 2, 3, 4))
    return b"/".join([*(chance.choice(FOLDERS) for _ in range(depth)), chance.choice(FILES)])


def put(tree: dict[bytes, tuple[bytes, bytes]], path: bytes, what: tuple[bytes, bytes]) -> None:
    """A file, in whose way nothing is."""
    for other in list(tree):
        if path.startswith(other + b"/") or other.startswith(path + b"/"):
            del tree[other]
    tree[path] = what


def some_tree(chance: random.Random, modes: tuple[bytes, ...]) -> dict[bytes, tuple[bytes, bytes]]:
    tree: dict[bytes, tuple[bytes, bytes]] = {}
    for _ in range(chance.randrange(3, 30)):
        put(tree, some_path(chance), (chance.choice(modes), chance.choice((b"1", b"2"))))
    put(tree, b"stays/keyset.yaml", (b"100644", b"stays"))
    return tree


def edited(chance: random.Random, before: Tree, modes: tuple[bytes, ...]) -> dict[bytes, tuple[bytes, bytes]]:
    """The tree with few edits: files written and deleted, folders moved and deleted."""
    tree = dict(before)
    for _ in range(chance.randrange(1, 4)):
        kind, path = chance.randrange(4), chance.choice([*tree, b"x"])
        folder = path.rpartition(b"/")[0] + b"/"
        if kind == 0:
            put(tree, some_path(chance), (chance.choice(modes), chance.choice((b"1", b"3"))))
        elif kind == 1:
            tree.pop(path, None)
        elif folder != b"/":
            moved = {name: tree.pop(name) for name in list(tree) if name.startswith(folder)}
            target = b"/".join(chance.choice(FOLDERS) for _ in range(chance.randrange(1, 3))) + b"/"
            for name, what in moved.items() if kind == 2 else ():
                put(tree, target + name.removeprefix(folder), what)
    put(tree, b"stays/keyset.yaml", (b"100644", b"stays"))
    return tree


def committed(repo: Repo, *trees: Tree, root: str) -> list[str]:
    """Commits of these trees, each on the one before."""
    prefix = b"" if root == "." else root.encode() + b"/"
    stream = b""
    for number, tree in enumerate(trees):
        stream += b"commit refs/heads/main\nmark :%d\ncommitter x <x@x.example> %d +0000\ndata 0\n" % (
            number + 1,
            number,
        )
        stream += b"from :%d\n" % number if number else b""
        stream += b"deleteall\nM 100644 inline README\ndata 1\n%d\n" % (number % 10)
        for path, (mode, data) in tree.items():
            name = b'"' + b"".join(b"\\%03o" % byte for byte in prefix + path) + b'"'
            if mode == b"160000":
                stream += b"M 160000 %s %s\n" % (b"1" * 40, name)
            else:
                stream += b"M %s inline %s\ndata %d\n%s\n" % (mode, name, len(data), data)
    marks = repo.path / "marks"
    repo.git("fast-import", "--quiet", "--force", f"--export-marks={marks}", given=stream)
    found = dict(line.split() for line in marks.read_text().splitlines())
    marks.unlink()
    return [found[f":{number + 1}"] for number in range(len(trees))]


def whole(source: Source) -> tuple[dict[str, Folder], set[Finding]]:
    items = list(source.folders())
    return {one.path: one for one in items if isinstance(one, Folder)}, {
        one for one in items if isinstance(one, Finding)
    }


def compare(change: Change, before: Source, after: Source) -> None:
    """The thinned sources against the whole ones."""
    (old, old_findings), (new, new_findings) = whole(before), whole(after)
    inside = {path for path in old.keys() | new.keys() if any(one.startswith(f"{path}/") for one in change.paths)}
    for source, folders, findings, others in (
        (change.before, old, old_findings, new_findings),
        (change.after, new, new_findings, old_findings),
    ):
        told_folders, told = whole(source)
        assert list(told_folders) == [path for path in folders if path in inside]
        assert told_folders == {path: folder for path, folder in folders.items() if path in inside}
        assert told <= findings
        assert findings - told <= others
        assert {one for one in findings if one.file in change.paths} <= told
        assert source.policy() == (before if source is change.before else after).policy()
    assert {path for path in old.keys() & new.keys() if old[path].files != new[path].files} <= inside


FEW_AND_MANY = pytest.mark.parametrize("examples", [5, pytest.param(150, marks=pytest.mark.chaos)])


@FEW_AND_MANY
@pytest.mark.parametrize("root", ["keysets", ".", "platform/key sets"])
def test_two_commits_are_told_as_two_whole_readings(tmp_path: Path, root: str, examples: int) -> None:
    repo, chance = Repo(tmp_path / "repo", "--bare"), random.Random(f"{root} {examples}")
    for _ in range(examples):
        first = some_tree(chance, MODES)
        ids = committed(repo, first, edited(chance, first, MODES), some_tree(chance, MODES), root=root)
        revisions = [open_revision(repo.path, root, one) for one in ids]
        for one, other in ((0, 1), (1, 2), (2, 1)):
            change = open_change(repo.path, root, revisions[one], revisions[other])
            compare(change, revisions[one], revisions[other])
            named = repo.git("diff", "--name-only", "-z", "--no-renames", ids[one], ids[other]).split("\0")
            assert len(change.paths) == len(named) - 1


def lay(repo: Repo, tree: Tree, root: str) -> None:
    """Write the tree into the working tree, in place of what is under the root."""
    top = os.fsencode(repo.path / root)
    for name in os.listdir(top) if os.path.isdir(top) else ():  # noqa: PTH208, PTH112 - names are bytes
        path = os.path.join(top, name)  # noqa: PTH118
        if name not in (b".git", b"README"):
            shutil.rmtree(path) if os.path.isdir(path) and not os.path.islink(path) else os.unlink(path)  # noqa: PTH112, PTH114, PTH108
    for path, (mode, data) in tree.items():
        place = os.path.join(top, path)  # noqa: PTH118
        os.makedirs(os.path.dirname(place), exist_ok=True)  # noqa: PTH103, PTH120
        if mode == b"120000":
            os.symlink(data, place)  # noqa: PTH211
        else:
            with open(place, "wb") as file:
                file.write(data)


@FEW_AND_MANY
@pytest.mark.parametrize("root", ["keysets", "."])
def test_the_working_tree_is_told_as_two_whole_readings(tmp_path: Path, root: str, examples: int) -> None:
    chance, modes = random.Random(f"{root} {examples}"), (b"100644", b"100644", b"120000")
    repo = Repo(tmp_path / "repo")
    for number in range(examples):
        first = some_tree(chance, modes)
        committed(repo, first, root=root)
        repo.git("read-tree", "--reset", "-u", "HEAD") if number % 2 else repo.git("read-tree", "--empty")
        lay(repo, edited(chance, first, modes), root)
        base = open_revision(repo.path, root, "HEAD")
        compare(open_change(repo.path, root, base, None), base, open_worktree(repo.path, root))


CASES = {
    "a policy of a grouping folder, with tenants that are the same": ("eu/a/keyset.yaml", "", "eu/policy.yaml"),
    "a first tenant beside a policy": ("eu/policy.yaml", "", "eu/b/keyset.yaml"),
    "generated.yaml beside a misnamed file": ("eu/keyset.yml", "", "eu/generated.yaml"),
    "the same in the root": ("keyset.yml", "", "generated.yaml"),
    "a misnamed file that went": ("eu/generated.yaml", "eu/keyset.yml", ""),
    "the same as it was in the root": ("generated.yaml", "keyset.yml", ""),
    "an outer tenant that comes": ("eu/a/keyset.yaml eu/x.pem", "", "eu/keyset.yaml"),
    "an outer tenant that goes": ("eu/a/keyset.yaml eu/b/generated.yaml", "eu/keyset.yaml", ""),
    "a folder that is a tenant's by the inner one": ("eu/a/keyset.yaml", "eu/a/b/keyset.yaml", "eu/a/c"),
    "a file in the place of a folder": ("x", "eu/a/keyset.yaml", "eu"),
    "the policy": ("a/keyset.yaml", "", "policy.yaml"),
    "a folder in the place of the policy": ("a/keyset.yaml", "policy.yaml", "policy.yaml/keyset.yaml"),
    "attributes above a tenant": ("eu/a/keyset.yaml", "", "eu/.gitattributes"),
}


@pytest.mark.parametrize("case", CASES)
def test_what_the_rest_decides_is_told(tmp_path: Path, case: str) -> None:
    stays, goes, comes = ({path.encode(): (b"100644", b"x") for path in paths.split()} for paths in CASES[case])
    repo = Repo(tmp_path / "repo")
    ids = committed(repo, stays | goes, stays | comes, root="keysets")
    first, second = (open_revision(repo.path, "keysets", one) for one in ids)
    compare(open_change(repo.path, "keysets", first, second), first, second)
    repo.git("read-tree", "--reset", "-u", ids[1])
    lay(repo, stays | comes, "keysets")
    compare(open_change(repo.path, "keysets", first, None), first, open_worktree(repo.path, "keysets"))


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, ...]]:
    """What git is asked, as it comes."""
    asked: list[tuple[str, ...]] = []
    before = Git.started

    def counted(self: Git, *arguments: str, **how: Any) -> object:
        calls.append(arguments)
        return before(self, *arguments, **how)

    calls = asked
    monkeypatch.setattr(Git, "started", counted)
    return asked


def thousand(repo: Repo) -> Repo:
    tree = {b"t%04d/keyset.yaml" % number: (b"100644", b"tenant: t%d\n" % number) for number in range(1000)}
    tree[b"policy.yaml"] = (b"100644", b"version: 1\n")
    committed(repo, tree, {**tree, b"t0500/keyset.yaml": (b"100644", b"tenant: other\n")}, root="keysets")
    return repo


def test_one_tenant_of_many_costs_six_processes_and_ten_objects(
    tmp_path: Path, started: list[tuple[str, ...]], monkeypatch: pytest.MonkeyPatch
) -> None:
    repo = thousand(Repo(tmp_path / "repo", "--bare"))
    base, head = (open_revision(repo.path, "keysets", rev) for rev in ("HEAD~1", "HEAD"))
    started.clear()
    objects, before = list[bytes](), Running.write

    def counted(self: Running, data: bytes) -> None:
        objects.extend(data.split())
        before(self, data)

    monkeypatch.setattr(Running, "write", counted)
    change = open_change(repo.path, "keysets", base, head)
    assert [one.path for one in change.before.folders() if isinstance(one, Folder)] == ["keysets/t0500"]
    assert [one.path for one in change.after.folders() if isinstance(one, Folder)] == ["keysets/t0500"]
    assert change.before.policy() == change.after.policy()
    assert not change.policy
    # The policy's place and content, the difference, the trees, and the files of both sides.
    assert len(started) == 6
    assert len(objects) <= 10
    assert not any("-r" in one and "ls-tree" in one for one in started)


def test_the_thinned_base_is_a_revision(tmp_path: Path) -> None:
    repo = thousand(Repo(tmp_path / "repo", "--bare"))
    base, head = (open_revision(repo.path, "keysets", rev) for rev in ("HEAD~1", "HEAD"))
    change = open_change(repo.path, "keysets", base, head)
    before: Revision = change.before
    assert (before.label, before.root, before.commit, before.tree) == (base.label, "keysets", base.commit, base.tree)
    listed = [one for one in before.listed() if isinstance(one, Listing)]
    assert listed == [one for one in base.listed() if isinstance(one, Listing) and one.path == "keysets/t0500"]
    assert list(before.at([(listed[0].path, str(listed[0].tree))])) == listed
    assert before.contains(base.commit.id)
    assert change.after.commit == head.commit
    assert list(before.folders(lambda _: False)) == []


@pytest.mark.parametrize("options", [(), ("--object-format=sha256",)])
def test_nothing_differs_and_only_what_is_elsewhere(tmp_path: Path, options: tuple[str, ...]) -> None:
    repo = plain(Repo(tmp_path / "repo", *options))
    repo.commit()
    repo.write("docs/x", "x")
    repo.commit()
    base, head = (open_revision(repo.path, "keysets", rev) for rev in ("HEAD~1", "HEAD"))
    for change, paths in (
        (open_change(repo.path, "keysets", base, head), ("docs/x",)),
        (open_change(repo.path, "keysets", head, None), ()),
    ):
        assert change.paths == paths
        assert list(change.before.folders()) == list(change.after.folders()) == []
    repo.write("keysets/acme/new.pem", "x")
    repo.write("keysets/eu/globex/keyset.yaml", "other")
    change = open_change(repo.path / "keysets/eu", "keysets", head, None)
    assert change.paths == ("keysets/acme/new.pem", "keysets/eu/globex/keyset.yaml")
    compare(change, head, open_worktree(repo.path, "keysets"))
    repo.commit()
    last = open_revision(repo.path, "keysets", "HEAD")
    compare(open_change(repo.path, "keysets", head, last), head, last)


def test_a_file_that_is_named_as_the_base_is_no_revision(tmp_path: Path) -> None:
    repo = Repo(tmp_path / "repo")
    repo.write("keysets/a/keyset.yaml", "x")
    first = repo.commit()
    repo.write(first)
    base = open_revision(repo.path, "keysets", first)
    assert open_change(repo.path, "keysets", base, None).paths == (first,)


def test_a_partial_clone_says_what_it_lacks(tmp_path: Path) -> None:
    repo = plain(Repo(tmp_path / "repo"))
    repo.commit()
    repo.write("keysets/acme/keyset.yaml", "other")
    repo.commit()
    repo.git("config", "uploadpack.allowFilter", "true")
    clone = repo.clone(tmp_path / "clone", "--filter=blob:none", "--no-checkout")
    base, head = (open_revision(clone.path, "keysets", rev) for rev in ("HEAD~1", "HEAD"))
    change = open_change(clone.path, "keysets", base, head)
    repo.path.rename(tmp_path / "gone")
    assert_refused(lambda: list(change.after.folders()), "this clone is partial and lacks an object", usage=False)


def bomb(repo: Repo, base: str) -> str:
    """A commit with thirty trees of ten entries each: more paths than there are atoms to keep them in."""
    blob = repo.git("hash-object", "-w", "--stdin", given=b"version: 1\n")
    tree = repo.git("mktree", given=f"100644 blob {blob}\tkeyset.yaml\n".encode())
    for _ in range(30):
        rows = "".join(f"040000 tree {tree}\t{name}\n" for name in "abcdefghij")
        tree = repo.git("mktree", given=rows.encode())
    policy = repo.git("rev-parse", f"{base}:keysets/policy.yaml")
    keysets = repo.git("mktree", given=f"040000 tree {tree}\tbomb\n100644 blob {policy}\tpolicy.yaml\n".encode())
    top = repo.git("mktree", given=f"040000 tree {keysets}\tkeysets\n".encode())
    return repo.git("commit-tree", "-p", base, "-m", "Bomb", top)


@pytest.mark.chaos
def test_trees_that_name_each_other_over_and_over_do_not_take_all_memory(tmp_path: Path) -> None:
    repo = Repo(tmp_path / "repo")
    repo.write("keysets/policy.yaml", "version: 1\n")
    base = repo.commit()
    head = bomb(repo, base)
    with pytest.raises(SourceError, match="git has too little memory"):
        open_change(
            repo.path, "keysets", open_revision(repo.path, "keysets", base), open_revision(repo.path, "keysets", head)
        )


@pytest.mark.chaos
def test_nor_where_git_merges_them_and_looks_for_a_renamed_file_in_them(tmp_path: Path) -> None:
    """The change removes what its base has edited since: git asks whether something in the trees is that file."""
    repo = Repo(tmp_path / "repo")
    repo.write("keysets/policy.yaml", "version: 1\n")
    repo.write("keysets/acme/keyset.yaml", "version: 1\n" * 20)
    start = repo.commit()
    head = bomb(repo, start)
    repo.write("keysets/acme/keyset.yaml", "version: 1\n" * 21)
    base = repo.commit()
    commits = (open_revision(repo.path, "keysets", rev).commit for rev in (base, head))
    with pytest.raises(SourceError, match="git has too little memory"):
        merged(Git(directory=repo.path), *commits)
