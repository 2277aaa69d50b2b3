"""What Git says of other revisions: which paths differ from one, and what tenants' folders once held."""

import os
from collections.abc import Collection, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import TypeAlias

from publisher.gitprogram import FRUGAL, MEMORY, Git, Running
from publisher.source import GENERATED, KEYSET, normal_root
from publisher.trees import CAT, files

_CHUNK = 1 << 16
_REQUESTS = 60
_FOLDER = b"040000"
_TENANTS = (KEYSET.encode(), GENERATED.encode())
# What users set for themselves changes none of this; a repository's own fsmonitor is a program to run.
_QUIET = ("-c", "core.fsmonitor=false")
_DIFF = ("-z", "--no-renames", "--no-ext-diff", "--no-relative", "--ignore-submodules=none")
_LOG = (
    *("-c", "core.fsmonitor=false", "-c", "log.showRoot=true", "-c", "log.follow=false", "log"),
    *("--no-show-signature", "--raw", "-t", "--no-abbrev", *_DIFF),
    # All sides of every merge: by default git leaves out those whose content a merge did not take.
    *("--full-history", "--diff-merges=first-parent"),
)


Row: TypeAlias = tuple[bytes, bytes, bytes, bytes, bytes]
"""What `--raw` prints of a path: modes before and after (six digits), ids before and after, the path itself."""


def differing(git: Git, base: str, rev: str | None, root: str = ".") -> Iterator[Row]:
    """The whole repository's paths that differ between the commits, or (None) the working tree. SourceError.

    Between commits the folders around them come as well. In the working tree files under the root that Git ignores
    count, as its reader takes them; and those that Git does not know come with modes and ids of zeros.
    """
    if rev is not None:
        asked = (*FRUGAL, *_QUIET, "diff-tree", "-r", "-t", "--raw", *_DIFF, base, rev, "--")
        with git.started(*asked, memory=MEMORY) as running:
            yield from _rows(running)
            running.finish()
        return
    # All look through the working tree: at the same time.
    with ExitStack() as stack:
        unknown = [stack.enter_context(git.started(*asked)) for asked in _unknown(git, root)]
        running = stack.enter_context(git.started(*_QUIET, "diff", "--raw", "--no-abbrev", *_DIFF, base, "--"))
        yield from _rows(running)
        running.finish()
        for others in unknown:
            for path in _fields(others):
                yield b"000000", b"000000", b"0", b"0", path
            others.finish()


def _unknown(git: Git, root: str) -> Iterator[tuple[str, ...]]:
    """What tells the files that Git does not know: all under the root, elsewhere those that it does not ignore."""
    asked = ("-C", _top(git), *_QUIET, "ls-files", "--others", "-z")
    yield (*asked, "--", _place(root))
    if normal_root(root) != ".":
        yield (*asked, "--exclude-standard", "--", f":(top,exclude,literal){normal_root(root)}")


def earlier(directory: Path, root: str, base: str, names: Collection[str]) -> Iterator[tuple[str, str]]:
    """Path and tree id of folders in the history of a commit, each once: SourceError.

    Every state of the folders of these names, wherever they lay under the root; and of all others the last state
    before they lost one of a tenant's files.
    """
    told: set[tuple[str, str]] = set()
    before: dict[bytes, bytes] = {}
    wanted = {name.encode() for name in names}
    with Git(directory=directory).started(*_LOG, "--format=", base, "--", _place(root)) as running:
        for old_mode, new_mode, old, new, path in _rows(running):
            parent, _, name = path.rpartition(b"/")
            if _FOLDER in (old_mode, new_mode):
                before[path] = old  # comes before what is in it
                found = (path, new) if name in wanted and new_mode == _FOLDER else None
            else:
                lost = name in _TENANTS and not new_mode.startswith(b"100")
                found = (parent, before.get(parent, b"0")) if lost and old_mode.startswith(b"100") else None
            if found is not None and found[1].strip(b"0"):
                told.add((found[0].decode("utf-8", "replace"), found[1].decode()))
        running.finish()
    yield from sorted(told)


def states(directory: Path, root: str, rev: str, known: Collection[str]) -> Iterator[tuple[str, str, str, str]]:
    """What the history of a commit, without that of the known ones, made of tenants' folders: SourceError.

    Each as commit, path, tree before and tree after; a tree is empty where the folder was none. Merges are compared
    with their first parents.
    """
    git, start = Git(directory=directory), b"" if normal_root(root) == "." else normal_root(root).encode() + b"/"
    limits = ("--format=%H", rev, *(f"^{one}" for one in known), "--", _place(root))
    with git.started(*_LOG, *limits) as running, git.started(*CAT, asked=True) as objects:
        for commit, rows in _commits(running):
            trees = {path: (old, new) for old_mode, new_mode, old, new, path in rows if _FOLDER in (old_mode, new_mode)}
            tenants: dict[bytes, None] = {}
            for *_, path in rows:
                folder, _, name = path.rpartition(b"/")
                if name in _TENANTS:
                    tenants[folder] = None
                elif path not in trees and (found := _tenant(objects, trees, path)) is not None:
                    tenants[found] = None
            for folder in tenants:
                if folder.startswith(start) and folder in trees:
                    old, new = (one.strip(b"0") and one for one in trees[folder])
                    yield commit, folder.decode("utf-8", "replace"), old.decode(), new.decode()
        running.finish()


def _tenant(objects: Running, trees: dict[bytes, tuple[bytes, bytes]], path: bytes) -> bytes | None:
    """The tenant's folder that a file belongs to, which has its keyset.yaml before or after."""
    folder = path.rpartition(b"/")[0]
    while folder in trees:
        for tree in trees[folder]:
            if tree.strip(b"0") and any(name == KEYSET.encode() for _, name, _ in files(objects, tree)):
                return folder
        folder = folder.rpartition(b"/")[0]
    return None


def present(directory: Path, ids: Collection[str]) -> set[str]:
    """Those commits and trees, of full ids, that the clone has. SourceError."""
    wanted, found = sorted(ids), set()
    for start in range(0, len(wanted), _REQUESTS):
        with Git(directory=directory).started("cat-file", "--batch-check=%(objectname)", asked=True) as objects:
            some = wanted[start : start + _REQUESTS]
            objects.write("".join(f"{one}\n" for one in some).encode())
            for one in some:
                # A partial clone may fail to look for it at its remote.
                found |= {one} & {objects.out.readline().decode("utf-8", "replace").strip()}
    return found


def has_parted(directory: Path, base: str, rev: str | None) -> bool:
    """Whether the commit, or (None) HEAD, does not descend from the base, as far as the clone knows. SourceError."""
    return Git(directory=directory).ask("merge-base", "--is-ancestor", base, rev or "HEAD").code == 1


def common_directory(directory: Path) -> Path:
    """The repository's own folder, which its working trees share. SourceError."""
    told = Git(directory=directory).tell("rev-parse", "--path-format=absolute", "--git-common-dir")
    return Path(os.fsdecode(told.removesuffix(b"\n")))


def is_shallow(directory: Path) -> bool:
    """Whether the clone's history ends before the first commit. SourceError."""
    return Git(directory=directory).tell("rev-parse", "--is-shallow-repository").strip() == b"true"


def _rows(running: Running) -> Iterator[Row]:
    """What `--raw -z` prints (git-diff(1), raw output format): modes and ids before and after, and the path."""
    about: bytes | None = None
    for field in _fields(running):
        if about is None:
            about = field.strip() or None  # commits are parted by empty ones
            continue
        old_mode, new_mode, old, new, _ = about.removeprefix(b":").split(b" ")
        yield old_mode, new_mode, old, new, field
        about = None


def _commits(running: Running) -> Iterator[tuple[str, list[Row]]]:
    """What `log --format=%H --raw -z` prints, by commit."""
    commit, rows, about = "", list[Row](), b""
    for field in _fields(running):
        if about:
            old_mode, new_mode, old, new, _ = about.removeprefix(b":").split(b" ")
            rows.append((old_mode, new_mode, old, new, field))
            about = b""
        elif field.strip().startswith(b":"):
            about = field.strip()
        elif field.strip():
            if rows:
                yield commit, rows
            commit, rows = field.strip().decode(), []
    if rows:
        yield commit, rows


def _fields(running: Running) -> Iterator[bytes]:
    rest = b""
    while chunk := running.out.read1(_CHUNK):
        *fields, rest = (rest + chunk).split(b"\0")
        yield from fields


def _place(root: str) -> str:
    root = normal_root(root)
    return ":(top)" if root == "." else f":(top,literal){root}"


def _top(git: Git) -> str:
    return git.tell("rev-parse", "--show-toplevel").decode("utf-8", "surrogateescape").removesuffix("\n")
