"""A Git revision as key sets; what Git says of a working tree.

A libgit2 binding was passed over: it costs more than twice the CPU a blob. Two children stream a revision: `ls-tree`
names everything, `cat-file --batch` gives the files. Objects' hashes are not checked: that is `git fsck`.
"""

import functools
import itertools
import os
import shutil
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from publisher.commits import find_commit, is_ancestor
from publisher.diagnostic import Finding, clean, ticked
from publisher.folders import Entry, listings
from publisher.gitprogram import Git, Running
from publisher.source import (
    GENERATED,
    KEYSET,
    LIMIT_FILE_BYTES,
    POLICY,
    WAIVERS,
    Commit,
    File,
    Folder,
    Listing,
    Revision,
    SourceError,
    faults,
    inside,
    normal_root,
)
from publisher.trees import CAT, KINDS, LIMIT_PATH, listed_at

_LIST: Final = ("ls-tree", "-r", "-t", "-z", "--full-tree")
_CHUNK: Final = 1 << 16
# The smallest pipe that POSIX allows holds 4,096 bytes, and a SHA-256 id has 64: so many requests never block.
_REQUESTS: Final = 60
_AHEAD: Final = 60


def open_revision(directory: Path, root: str, rev: str, *, absent: bool = False) -> Revision:
    """The key sets in `root` (relative to the repository) at the commit that `rev` names.

    `directory` is anywhere in the repository, bare ones included. SourceError when there is no such thing; with
    `absent` a folder that is not there counts as one in which there is nothing.
    """
    git, root = Git(directory=directory), normal_root(root)
    commit = find_commit(git, rev)
    tree = _root_tree(git, commit, root)
    if tree is None and not absent:
        raise _missing(git, commit, root)
    return _Revision(git=git, root=root, commit=commit, tree=tree or _empty_tree(git))


def toplevel(directory: Path) -> Path | None:
    """The top of the working tree that `directory` is in; None outside of one, or where git is not installed.

    SourceError in a bare repository, and where git does not trust the repository's owner.
    """
    if shutil.which("git") is None:
        return None
    git = Git(directory=directory)
    answer = git.ask("rev-parse", "--show-toplevel")
    if answer.code == 0:
        return Path(os.fsdecode(answer.out.removesuffix(b"\n")))
    if b"not a git repository" in answer.errors:
        return None
    raise git.failure(answer.errors)


def uncommitted(directory: Path, root: str) -> bool:
    """Whether files under the root differ from HEAD or are untracked; ignored ones do not count."""
    root = normal_root(root)
    place = ":(top)" if root == "." else f":(top,literal){root}"
    # A repository's own fsmonitor is a program to run; the index tells as much.
    settings = ("-c", "core.fsmonitor=false")
    status = ("status", "--porcelain", "-z", "--untracked-files=normal", "--ignore-submodules=none", "--", place)
    return bool(Git(directory=directory).tell(*settings, *status))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Revision:
    git: Git
    root: str
    commit: Commit
    tree: str

    @property
    def label(self) -> str:
        return f"commit {self.commit.id[:12]}"

    def policy(self) -> File | None:
        return _top(self.git.directory, self.tree).get(POLICY)

    def waivers(self) -> File | None:
        return _top(self.git.directory, self.tree).get(WAIVERS)

    def folders(self, wanted: Callable[[str], bool] | None = None) -> Iterator[Folder | Finding]:
        # Closed here and not by the garbage collector, in which an interrupt that its git met would be lost.
        with closing(self.listed()) as listed:
            yield from self.read(
                item for item in listed if isinstance(item, Finding) or wanted is None or wanted(item.path)
            )

    def listed(self) -> Generator[Listing | Finding, None, None]:
        for name, file in _top(self.git.directory, self.tree).items():
            yield from faults(inside(self.root, name), file)
        with self.git.started(*_LIST, self.tree) as names:
            yield from listings(_entries(names), self.root)

    def read(self, items: Iterable[Listing | Finding]) -> Iterator[Folder | Finding]:
        with self.git.started(*CAT, asked=True) as objects:
            stream = iter(items)
            while pending := list(itertools.islice(stream, _AHEAD)):
                yield from _read(objects, pending)

    def at(self, places: Iterable[tuple[str, str]]) -> Iterator[Listing]:
        return listed_at(self.git, places)

    def contains(self, commit_id: str) -> bool:
        return is_ancestor(self.git, commit_id, self.commit.id)


# A tree's id stands for what is in it, and reading one of 100,000 folders takes time: several look at the same.
@functools.lru_cache(maxsize=8)
def _top(directory: Path, tree: str) -> Mapping[str, File]:
    """policy.yaml and waivers.yaml, as far as they are there, in the root itself."""
    git = Git(directory=directory)
    with git.started("ls-tree", "-z", "--full-tree", tree, "--", POLICY, WAIVERS) as listed:
        entries = list(_entries(listed))
    found = {path.decode(): File(kind=kind, data=b"") for kind, path, _ in entries if kind != "tree"}
    ids = {path.decode(): object_id or b"" for kind, path, object_id in entries if kind == "file"}
    if ids:
        with git.started(*CAT, asked=True) as objects:
            found.update(zip(ids, _files(objects, list(ids.values())), strict=True))
    return found


def _entries(names: Running) -> Iterator[Entry]:
    """What `ls-tree -z` prints, as it comes."""
    rest, last = b"", b""
    while chunk := names.out.read1(_CHUNK):
        *lines, rest = (rest + chunk).split(b"\0")
        for line in lines:
            about, _, path = line.partition(b"\t")
            mode, _, object_id = about.split(b" ")
            kind = KINDS.get(mode, "special")
            place = path + b"/" if kind == "tree" else path
            if place <= last:
                raise names.git.lost(f"a tree is out of order at {clean(path.decode('utf-8', 'replace'))}")
            last = place
            yield kind, path, object_id
        if len(rest) > LIMIT_PATH:
            raise names.git.lost(f"a path has more than {LIMIT_PATH:,} bytes")
    names.finish()


def _read(objects: Running, items: list[Listing | Finding]) -> Iterator[Folder | Finding]:
    """The same with the folders' files."""
    listed = (file for item in items if isinstance(item, Listing) for file in item.files)
    files = _files(objects, [object_id or b"" for _, kind, object_id in listed if kind == "file"])
    for item in items:
        if isinstance(item, Finding):
            yield item
            continue
        read = {name: next(files) if kind == "file" else File(kind=kind, data=b"") for name, kind, _ in item.files}
        for name, file in read.items():
            if name in (KEYSET, GENERATED) or file.kind == "too-large":
                yield from faults(f"{item.path}/{name}", file)
        yield Folder(path=item.path, tree=item.tree, files=read)


def _files(objects: Running, object_ids: list[bytes]) -> Iterator[File]:
    """The blobs with these ids, each read when it is asked for."""
    for start in range(0, len(object_ids), _REQUESTS):
        requests = object_ids[start : start + _REQUESTS]
        objects.write(b"\n".join(requests) + b"\n")
        for _ in requests:
            yield _file(objects)


def _file(objects: Running) -> File:
    """The next answer of `cat-file --batch`: `<id> <type> <size>`, the content, a line's end."""
    header = objects.out.readline().split()
    if not header:
        raise objects.failure()
    if len(header) != 3:
        raise objects.git.lost(b" ".join(header).decode())
    size = int(header[2])
    if header[1] != b"blob" or size > LIMIT_FILE_BYTES:
        _skip(objects, size + 1)
        return File(kind="too-large" if header[1] == b"blob" else "special", data=b"")
    data = objects.out.read(size)
    if len(data) < size or objects.out.read(1) != b"\n":
        raise objects.failure()
    return File(kind="file", data=data)


def _skip(objects: Running, size: int) -> None:
    while size:
        chunk = objects.out.read(min(size, _CHUNK))
        if not chunk:
            raise objects.failure()
        size -= len(chunk)


def _empty_tree(git: Git) -> str:
    """The id of the tree without entries, which git knows without an object."""
    return git.tell("hash-object", "-t", "tree", os.devnull).decode().strip()


def _root_tree(git: Git, commit: Commit, root: str) -> str | None:
    """The id of the root's tree; None where it is not there."""
    if root == ".":
        return git.tell("rev-parse", "--verify", commit.id + "^{tree}").decode().strip()
    short = commit.id[:12]
    with git.started("--literal-pathspecs", "ls-tree", "-z", "--full-tree", commit.id, "--", root) as names:
        match next(_entries(names), None):
            case ("tree", _, bytes(tree)):
                return tree.decode()
            case None:
                return None
            case (kind, _, _):
                raise SourceError(f"{ticked(root)} is a {kind} in commit {short}, and no folder", usage=True)


def _missing(git: Git, commit: Commit, root: str) -> SourceError:
    short = commit.id[:12]
    top = git.ask("rev-parse", "--show-toplevel")
    place = Path(os.fsdecode(top.out.removesuffix(b"\n"))).resolve() / root
    if top.code == 0 and place.is_dir() and place.resolve() == place:
        message = f"{ticked(root)} is in the working tree, but not in commit {short}: commit it first"
    else:
        message = f"there is no folder {ticked(root)} in commit {short}: name another one, or another revision"
    return SourceError(message, usage=True)
