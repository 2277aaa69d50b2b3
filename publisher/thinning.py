"""Of two trees, the entries that what differs between them is judged by: all that `folders` needs, and little more.

These are the paths that differ and the folders around them, with the files right in those; and folders that hold
keyset.yaml, or a policy of their own, on either side as a whole. What is told of the thinned entries is told of all
entries, too; and what only one side has is told of that side.
"""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Protocol, TypeAlias

from publisher.folders import Entry, rules_below
from publisher.gitprogram import Running
from publisher.source import POLICY
from publisher.trees import below, files, members
from publisher.worktree import Worktree, scan


class Side(Protocol):
    """One of the trees. Paths are below the root, that itself is empty."""

    def at(self, path: bytes) -> Entry | None:
        """What is at a path that differs, or at a folder around one."""
        ...

    def files(self, folder: bytes) -> list[Entry]:
        """What is right in a folder, but for folders."""
        ...

    def below(self, folder: bytes) -> Iterator[Entry]:
        """All that is in a folder, which is not the root."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """A commit's side, of which git has told every entry that differs, folders included."""

    objects: Running
    tree: bytes
    entries: Mapping[bytes, Entry]

    def at(self, path: bytes) -> Entry | None:
        """As git told."""
        return self.entries.get(path)

    def files(self, folder: bytes) -> list[Entry]:
        """From the folder's tree."""
        at = self.entries[folder] if folder else ("tree", b"", self.tree)
        return [(kind, _join(folder, name), ref) for kind, name, ref in files(self.objects, at[2] or b"")]

    def below(self, folder: bytes) -> Iterator[Entry]:
        """From the trees, all the way down."""
        entries = below(self.objects, self.entries[folder])
        next(entries)
        return entries


@dataclass(frozen=True, slots=True, kw_only=True)
class Walked:
    """A commit's side whose trees are looked up from the root on, as git compares the working tree without them."""

    objects: Running
    tree: bytes
    known: dict[bytes, dict[bytes, Entry]] = field(default_factory=dict)

    def at(self, path: bytes) -> Entry | None:
        """From the tree around it."""
        if not path:
            return "tree", b"", self.tree
        folder, _, _ = path.rpartition(b"/")
        return self._members(folder).get(path)

    def files(self, folder: bytes) -> list[Entry]:
        """From the folder's tree."""
        return [one for one in self._members(folder).values() if one[0] != "tree"]

    def below(self, folder: bytes) -> Iterator[Entry]:
        """From the trees, all the way down."""
        entries = below(self.objects, self.at(folder) or ("tree", folder, None))
        next(entries)
        return entries

    def _members(self, folder: bytes) -> dict[bytes, Entry]:
        if folder not in self.known:
            at = self.at(folder)
            found = [] if at is None or at[0] != "tree" else members(self.objects, at[2] or b"")
            self.known[folder] = {_join(folder, name): (kind, _join(folder, name), ref) for kind, name, ref in found}
        return self.known[folder]


@dataclass(frozen=True, slots=True, kw_only=True)
class Lying:
    """The working tree's side."""

    worktree: Worktree

    def at(self, path: bytes) -> Entry | None:
        """What lies there now."""
        kind = self.worktree.kind(path)
        return None if kind is None else (kind, path, None)

    def files(self, folder: bytes) -> list[Entry]:
        """What lies in it now. A repository of its own is none of the files; it differs itself."""
        found = scan(self.worktree.top, folder)
        return [one for one in found if one[0] != "tree"] if isinstance(found, list) else []

    def below(self, folder: bytes) -> Iterator[Entry]:
        """What lies there now."""
        return self.worktree.below(folder)


_Found: TypeAlias = dict[bytes, Entry]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Both:
    """The sides, the paths that differ by the folder right around them, and what was taken of each side."""

    sides: tuple[Side, Side]
    changed: Mapping[bytes, list[bytes]]
    found: tuple[_Found, _Found] = field(default_factory=lambda: ({}, {}))

    def take_folder(self, folder: bytes) -> bool:
        """Take a folder that holds a difference; whether it was taken as a whole."""
        there = [side.at(folder) for side in self.sides]
        whole = any(rules_below(path.rpartition(b"/")[2]) for _, path, _ in self.take_files(folder))
        for side, entries, at in zip(self.sides, self.found, there, strict=True):
            _take(entries, at)
            if whole and at is not None and at[0] == "tree":
                _take(entries, *side.below(folder))
        return whole

    def take_files(self, folder: bytes) -> list[Entry]:
        """Take what is right in a folder, but for folders."""
        before, after = (self._files(side, folder) for side in self.sides)
        if before is not None and after is not None and isinstance(self.sides[1], Told):
            # The tree of one side, which may be a large one, tells of the other as well.
            new = after()
            changed = self.changed.get(folder, ())
            old = [one for one in new if one[1] not in changed] + [
                one for path in changed if (one := self.sides[0].at(path)) is not None
            ]
        else:
            old, new = ([] if read is None else read() for read in (before, after))
        _take(self.found[0], *old)
        _take(self.found[1], *new)
        return [*old, *new]

    def take_paths(self, paths: Iterable[bytes]) -> None:
        """Take paths that differ."""
        for side, entries in zip(self.sides, self.found, strict=True):
            _take(entries, *(side.at(path) for path in paths))

    def _files(self, side: Side, folder: bytes) -> Callable[[], list[Entry]] | None:
        """What reads the folder's files; None where there is no folder."""
        at = side.at(folder) if folder else ("tree", folder, None)
        return None if at is None or at[0] != "tree" else partial(side.files, folder)


def thinned(paths: Collection[bytes], before: Side, after: Side) -> tuple[list[Entry], list[Entry]]:
    """The entries of both sides, in Git's order. `paths` are those that differ, without folders."""
    changed: dict[bytes, list[bytes]] = {}
    for path in paths:
        changed.setdefault(path.rpartition(b"/")[0], []).append(path)
    both = _Both(sides=(before, after), changed=changed)
    last: bytes | None = None
    for folder in sorted({parent for path in paths for parent in parents(path)}, key=lambda path: path + b"/"):
        if last is not None and (folder + b"/").startswith(last):
            changed.pop(folder, None)  # taken with what is around it
        elif both.take_folder(folder):
            changed.pop(folder, None)
            last = folder + b"/"
    for some in changed.values():
        both.take_paths(some)
    if any(path != POLICY.encode() for path in changed.get(b"", ())):
        both.take_files(b"")
    old, new = ([entries[place] for place in sorted(entries)] for entries in both.found)
    return old, new


def parents(path: bytes) -> Iterator[bytes]:
    """The folders around a path, the outer ones first, without the root."""
    end = path.find(b"/")
    while end >= 0:
        yield path[:end]
        end = path.find(b"/", end + 1)


def _take(entries: _Found, *some: Entry | None) -> None:
    for one in some:
        if one is not None:
            entries[one[1] + b"/" if one[0] == "tree" else one[1]] = one


def _join(folder: bytes, name: bytes) -> bytes:
    return folder + b"/" + name if folder else name
