"""Of two trees, the entries that what differs between them is judged by: all that `folders` needs, and little more.

These are the paths that differ and the folders around them, with the files right in those; and folders that hold
keyset.yaml, or a policy of their own, on either side as a whole. What is told of the thinned entries is told of all
entries, too; and what only one side has is told of that side.
"""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
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


def thinned(paths: Collection[bytes], before: Side, after: Side) -> tuple[list[Entry], list[Entry]]:
    """The entries of both sides, in Git's order. `paths` are those that differ, without folders."""
    sides = (before, after)
    found: tuple[_Found, _Found] = ({}, {})
    wholes: set[bytes] = set()
    last: bytes | None = None
    for folder in sorted({parent for path in paths for parent in parents(path)}, key=lambda path: path + b"/"):
        if last is not None and (folder + b"/").startswith(last):
            wholes.add(folder)
            continue
        if _folder(folder, sides, found):
            last = folder + b"/"
            wholes.add(folder)
    for path in paths:
        if path.rpartition(b"/")[0] not in wholes:
            for side, entries in zip(sides, found, strict=True):
                _take(entries, side.at(path))
    if any(b"/" not in path and path != POLICY.encode() for path in paths):
        for side, entries in zip(sides, found, strict=True):
            _take(entries, *side.files(b""))
    old, new = ([entries[place] for place in sorted(entries)] for entries in found)
    return old, new


def parents(path: bytes) -> Iterator[bytes]:
    """The folders around a path, the outer ones first, without the root."""
    end = path.find(b"/")
    while end >= 0:
        yield path[:end]
        end = path.find(b"/", end + 1)


def _folder(folder: bytes, sides: tuple[Side, Side], found: tuple[_Found, _Found]) -> bool:
    """Take a folder that holds a difference; whether it was taken as a whole."""
    there = [(side, entries, side.at(folder)) for side, entries in zip(sides, found, strict=True)]
    files = [side.files(folder) if at is not None and at[0] == "tree" else [] for side, _, at in there]
    whole = any(rules_below(path.rpartition(b"/")[2]) for some in files for _, path, _ in some)
    for (side, entries, at), some in zip(there, files, strict=True):
        _take(entries, at, *some)
        if whole and at is not None and at[0] == "tree":
            _take(entries, *side.below(folder))
    return whole


def _take(entries: _Found, *some: Entry | None) -> None:
    for one in some:
        if one is not None:
            entries[one[1] + b"/" if one[0] == "tree" else one[1]] = one


def _join(folder: bytes, name: bytes) -> bytes:
    return folder + b"/" + name if folder else name
