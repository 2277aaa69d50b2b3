"""What differs between two commits, or a commit and the working tree, read without listing the repository.

The time grows with the change, as that of `git diff --stat` does: git skips equal trees, and nothing here reads one.
Told of the working tree is what Git sees of it: empty folders and pipes, which no commit can hold, are told by a
reading of the whole.
"""

import functools
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from publisher.diagnostic import Finding
from publisher.folders import Entry, listings
from publisher.git import toplevel
from publisher.githistory import Row, differing
from publisher.gitprogram import Git
from publisher.source import (
    POLICY,
    WAIVERS,
    Commit,
    File,
    Folder,
    Listing,
    Revision,
    Source,
    faults,
    inside,
    normal_root,
)
from publisher.thinning import Lying, Told, Walked, parents, thinned
from publisher.trees import CAT, KINDS
from publisher.worktree import Worktree, open_worktree

_NOTHING, _TREE = b"000000", b"040000"


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """`paths` are all of the repository that differ, relative to it, sorted; bytes that are not UTF-8 are replaced.

    `before` and `after` are thinned: tenants' folders that are the same on both sides are left out, and findings that
    both sides have may be. A folder differs where anything inside of it does.
    """

    paths: tuple[str, ...]
    before: Revision
    after: Source

    @property
    def policy(self) -> bool:
        """Whether policy.yaml differs."""
        return inside(self.before.root, POLICY) in self.paths


def open_change(directory: Path, root: str, base: Revision, head: Revision | None, more: Iterable[str] = ()) -> Change:
    """What differs between `base` and `head` (None: the working tree) of the repository; SourceError.

    `more` are paths that are going to differ.
    """
    root, git = normal_root(root), Git(directory=directory)
    with ThreadPoolExecutor(1) as beside:
        # It takes a second reading of the root's tree, and no more time beside git's own.
        asked = beside.submit(base.policy)
        rows = list(differing(git, base.commit.id, None if head is None else head.commit.id, root))
    policy = asked.result
    changed = {row[4].rstrip(b"/") for row in rows if not _is_folder(row)} | {path.encode() for path in more}
    start = b"" if root == "." else root.encode() + b"/"
    below = sorted(path.removeprefix(start) for path in changed if path.startswith(start))
    if head is None:
        worktree = open_worktree(toplevel(directory) or directory.resolve(), root)
        old, new = _lying(git, base, worktree, below)
    else:
        old, new = _told(git, (base.tree, head.tree), below, rows, start)
    folders = frozenset(inside(root, _text(folder)) for path in below for folder in parents(path))
    differs = POLICY.encode() in below
    told = frozenset(name for name in (POLICY, WAIVERS) if name.encode() in below)
    before = _ThinRevision(base=base, source=base, items=_items(old, root, folders), told=told, read_policy=policy)
    after: Source
    if head is None:
        items = _items(new, root, folders)
        after = _Thin(base=base, source=worktree, items=items, told=told, read_policy=functools.cache(worktree.policy))
    else:
        kept = functools.cache(head.policy) if differs else policy
        after = _ThinRevision(base=base, source=head, items=_items(new, root, folders), told=told, read_policy=kept)
    return Change(paths=tuple(sorted({_text(path) for path in changed})), before=before, after=after)


def moved(directory: Path, old: str, new: str) -> tuple[frozenset[str], tuple[Listing, ...]]:
    """Between two trees of key sets: the folders inside of which something differs, and the tenants' of the new one.

    Paths are below the trees. SourceError.
    """
    git = Git(directory=directory)
    rows = list(differing(git, old, new))
    below = sorted({row[4] for row in rows if not _is_folder(row)})
    folders = frozenset(_text(folder) for path in below for folder in parents(path))
    items = _items(_told(git, (old, new), below, rows, b"")[1], ".", folders)
    return folders, tuple(one for one in items if isinstance(one, Listing))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Thin:
    """A `Source` of some items of another one. `told`: which of policy.yaml and waivers.yaml differ from the base's:
    what is wrong with those files is among the findings."""

    base: Revision
    source: Revision | Worktree
    items: tuple[Listing | Finding, ...]
    told: frozenset[str]
    read_policy: Callable[[], File | None]

    @property
    def label(self) -> str:
        return self.source.label

    @property
    def root(self) -> str:
        return self.source.root

    @property
    def commit(self) -> Commit | None:
        return self.source.commit

    def policy(self) -> File | None:
        return self.read_policy()

    def waivers(self) -> File | None:
        return (self.source if WAIVERS in self.told else self.base).waivers()

    def folders(self, wanted: Callable[[str], bool] | None = None) -> Iterator[Folder | Finding]:
        return self.read(one for one in self.listed() if isinstance(one, Finding) or wanted is None or wanted(one.path))

    def listed(self) -> Iterator[Listing | Finding]:
        for name, read in ((POLICY, self.policy), (WAIVERS, self.waivers)):
            if name in self.told and (file := read()) is not None:
                yield from faults(inside(self.root, name), file)
        yield from self.items

    def read(self, items: Iterable[Listing | Finding]) -> Iterator[Folder | Finding]:
        return self.source.read(items)


@dataclass(frozen=True, slots=True, kw_only=True)
class _ThinRevision(_Thin):
    source: Revision

    @property
    def commit(self) -> Commit:
        return self.source.commit

    @property
    def tree(self) -> str:
        return self.source.tree

    def at(self, places: Iterable[tuple[str, str]]) -> Iterator[Listing]:
        return self.source.at(places)

    def contains(self, commit_id: str) -> bool:
        return self.source.contains(commit_id)


def _items(entries: Iterable[Entry], root: str, folders: frozenset[str]) -> tuple[Listing | Finding, ...]:
    """The entries' findings, and their tenants' folders in which something differs."""
    return tuple(one for one in listings(entries, root) if isinstance(one, Finding) or one.path in folders)


def _told(
    git: Git, trees: tuple[str, str], below: list[bytes], rows: Iterable[Row], start: bytes
) -> tuple[list[Entry], list[Entry]]:
    found: tuple[dict[bytes, Entry], dict[bytes, Entry]] = ({}, {})
    for old_mode, new_mode, old, new, whole in rows:
        path = whole.removeprefix(start)
        for entries, mode, ref in ((found[0], old_mode, old), (found[1], new_mode, new)):
            if whole.startswith(start) and mode != _NOTHING:
                entries[path] = (KINDS.get(mode, "special"), path, ref)
    with git.started(*CAT, asked=True) as objects:
        before, after = (
            Told(objects=objects, tree=tree.encode(), entries=entries)
            for tree, entries in zip(trees, found, strict=True)
        )
        return thinned(below, before, after)


def _lying(git: Git, base: Revision, worktree: Worktree, below: list[bytes]) -> tuple[list[Entry], list[Entry]]:
    with git.started(*CAT, asked=True) as objects:
        return thinned(below, Walked(objects=objects, tree=base.tree.encode()), Lying(worktree=worktree))


def _is_folder(row: Row) -> bool:
    """Whether no side has a file there."""
    return _TREE in row[:2] and set(row[:2]) <= {_TREE, _NOTHING}


def _text(path: bytes) -> str:
    return path.decode("utf-8", "replace")
