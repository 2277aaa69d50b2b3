"""The working tree as key sets, from the file system alone. Symlinks are not followed, pipes and devices not opened.

What is ignored by Git is read as well: it would be read if it were committed.
"""

import errno
import os
import stat
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Literal

from publisher.diagnostic import Finding, ticked
from publisher.folders import Entry, listings
from publisher.source import (
    GENERATED,
    KEYSET,
    LIMIT_FILE_BYTES,
    POLICY,
    WAIVERS,
    Commit,
    File,
    FileKind,
    Folder,
    Listing,
    SourceError,
    below,
    faults,
    inside,
    normal_root,
)


def open_worktree(directory: Path, root: str) -> "Worktree":
    """The key sets in `root`, relative to `directory`, the top of the working tree. SourceError where it is none."""
    root = normal_root(root)
    path = directory
    for part in PurePosixPath(root).parts:
        path /= part
        try:
            mode = path.lstat().st_mode
        except OSError as error:
            message = f"there is no folder {ticked(str(path))} ({error.strerror}): name the one that holds the key sets"
            raise SourceError(message, usage=True) from None
        if not stat.S_ISDIR(mode):
            message = f"{ticked(str(path))} is a {_kind(mode)}, and no folder: name the one that holds the key sets"
            raise SourceError(message, usage=True)
    if root != "." and os.path.lexists(path / ".git"):
        raise SourceError(f"{ticked(str(path))} is a submodule: read the key sets in its own repository", usage=True)
    return Worktree(top=os.fsencode(path), root=root)


@dataclass(frozen=True, slots=True, kw_only=True)
class Worktree:
    """A `Source`: the key sets below `top`, as they lie in the file system now."""

    top: bytes
    """The root's own path in the file system."""
    root: str

    @property
    def label(self) -> str:
        return "the working tree"

    @property
    def commit(self) -> Commit | None:
        return None

    def policy(self) -> File | None:
        return self._top(POLICY)

    def waivers(self) -> File | None:
        return self._top(WAIVERS)

    def _top(self, name: str) -> File | None:
        """The file of this name in the root itself."""
        path = _join(self.top, name.encode())
        try:
            mode = os.lstat(path).st_mode
        except FileNotFoundError:
            return None
        except OSError:
            return File(kind="unreadable", data=b"")
        if stat.S_ISDIR(mode):
            return None
        kind = _kind(mode)
        return _file(path) if kind == "file" else File(kind=kind, data=b"")

    def folders(self, wanted: Callable[[str], bool] | None = None) -> Iterator[Folder | Finding]:
        for name in (POLICY, WAIVERS):
            if (file := self._top(name)) is not None:
                yield from faults(inside(self.root, name), file)
        items = listings(self.below(b""), self.root)
        yield from self.read(one for one in items if isinstance(one, Finding) or wanted is None or wanted(one.path))

    def read(self, items: Iterable[Listing | Finding]) -> Iterator[Folder | Finding]:
        """Listed folders with their files, and what is wrong with those; findings pass."""
        for item in items:
            if isinstance(item, Finding):
                yield item
            else:
                yield from self._read(item)

    def kind(self, path: bytes) -> FileKind | Literal["tree"] | None:
        """What lies at a path below the root; None where nothing does, or its way leads not through folders alone."""
        parent = path.rpartition(b"/")[0]
        if parent and self.kind(parent) != "tree":
            return None
        try:
            mode = os.lstat(_join(self.top, path)).st_mode
        except OSError:
            return None
        if not stat.S_ISDIR(mode):
            return _kind(mode)
        found = scan(self.top, path)
        return "tree" if isinstance(found, list) else found

    def below(self, folder: bytes) -> Iterator[Entry]:
        """All that lies below a folder, in Git's order."""
        entries = scan(self.top, folder)
        if not isinstance(entries, list):
            raise SourceError(f"{ticked(os.fsdecode(self.top))} cannot be read: give yourself permission", usage=False)
        ways = [iter(entries)]
        while ways:
            for kind, path, _ in ways[-1]:
                found = scan(self.top, path) if kind == "tree" else kind
                if isinstance(found, list):
                    yield "tree", path, None
                    ways.append(iter(found))
                    break
                yield found, path, None
            else:
                ways.pop()

    def _read(self, listing: Listing) -> Iterator[Folder | Finding]:
        folder = _join(self.top, below(self.root, listing.path).encode())
        read = {
            name: _file(_join(folder, name.encode())) if kind == "file" else File(kind=kind, data=b"")
            for name, kind, _ in listing.files
        }
        for name, file in read.items():
            if name in (KEYSET, GENERATED) or file.kind == "too-large":
                yield from faults(f"{listing.path}/{name}", file)
        yield Folder(path=listing.path, tree=None, files=read)


def scan(top: bytes, path: bytes) -> list[Entry] | Literal["submodule", "unreadable"]:
    """What a folder holds, sorted; or what it is instead of a folder to look into. The top's own `.git` is left out."""
    found: list[tuple[bytes, Entry]] = []
    try:
        with os.scandir(_join(top, path)) as entries:
            for entry in entries:
                if entry.name == b".git":
                    if path:
                        return "submodule"
                    continue
                place = _join(path, entry.name)
                if entry.is_dir(follow_symlinks=False):
                    found.append((entry.name + b"/", ("tree", place, None)))
                elif entry.is_file(follow_symlinks=False):
                    found.append((entry.name, ("file", place, None)))
                else:
                    found.append((entry.name, ("symlink" if entry.is_symlink() else "special", place, None)))
    except OSError:
        return "unreadable"
    found.sort()
    return [entry for _, entry in found]


def _file(path: bytes) -> File:
    """A file's content. It may have become anything since its kind was looked up, so that nothing here waits."""
    try:
        handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC)
    except OSError as error:
        return File(kind="symlink" if error.errno == errno.ELOOP else "unreadable", data=b"")
    try:
        status = os.fstat(handle)
        if not stat.S_ISREG(status.st_mode):
            return File(kind="special", data=b"")
        if status.st_size > LIMIT_FILE_BYTES:
            return File(kind="too-large", data=b"")
        data = b""
        while len(data) <= LIMIT_FILE_BYTES and (chunk := os.read(handle, status.st_size + 1)):
            data += chunk
    except OSError:
        return File(kind="unreadable", data=b"")
    finally:
        os.close(handle)
    return File(kind="file", data=data) if len(data) <= LIMIT_FILE_BYTES else File(kind="too-large", data=b"")


def _kind(mode: int) -> FileKind:
    if stat.S_ISLNK(mode):
        return "symlink"
    return "file" if stat.S_ISREG(mode) else "special"


def _join(folder: bytes, name: bytes) -> bytes:
    """Joined paths; pathlib knows no bytes."""
    return folder + b"/" + name if folder and name else folder or name
