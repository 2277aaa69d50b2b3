"""Folders as earlier commits had them, by the ids of their trees: any number of them through one git process.

`ls-tree` takes one tree a process, and a rollback may want those of 100,000 tenants. So `cat-file --batch` gives the
trees as Git keeps them (gitformat-pack(5) leaves their form to git-mktree(1): mode, space, name, NUL, id).
"""

import re
from collections.abc import Iterable, Iterator
from typing import Final, Literal, TypeVar

from publisher.diagnostic import clean, quote, ticked
from publisher.folders import Entry, listings
from publisher.gitprogram import Git, Running
from publisher.source import FileKind, Listing, SourceError

# Without bounds git maps and caches as much of a large repository as it reads; these cost no time [measured].
Found = TypeVar("Found", bytes, list[Entry])

CAT: Final = (
    *("-c", "core.deltaBaseCacheLimit=8m", "-c", "core.packedGitWindowSize=8m", "-c", "core.packedGitLimit=32m"),
    *("cat-file", "--batch"),
)
KINDS: Final[dict[bytes, FileKind | Literal["tree"]]] = {
    b"040000": "tree",
    b"100644": "file",
    b"100755": "file",
    b"100664": "file",  # early versions of git wrote it
    b"120000": "symlink",
    b"160000": "submodule",
}
"""What a mode of six digits stands for; `special` where it is none of these."""
# By the length of an id in hexadecimal, what a tree holds that holds trees alone.
_TREES: Final = {2 * width: re.compile(rb"(?s:0?40000 [^\0]++\0.{%d})*+" % width) for width in (20, 32)}
LIMIT_PATH: Final = 1 << 20
_LIMIT_TREE: Final = 1 << 28
_TREE_ID: Final = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")


def listed_at(git: Git, places: Iterable[tuple[str, str]]) -> Iterator[Listing]:
    """The tenants' folders of these paths and tree ids, in their order. SourceError where the clone lacks one."""
    with git.started(*CAT, asked=True) as objects:
        for path, tree in places:
            if _TREE_ID.fullmatch(tree) is None:
                raise git.lost(f"{quote(tree)} is no tree")
            yield _listing(objects, path, tree)


def _listing(objects: Running, path: str, tree: str) -> Listing:
    # As if it stood in a grouping folder of its own: its names are judged as they were in the whole.
    name = path.rpartition("/")[2]
    first = _members(objects, tree.encode())
    if first is None:
        place = f"the tree {tree[:12]} of {ticked(path)}, which an earlier commit had, is not in this clone"
        raise SourceError(f"{place}: fetch the whole history (`git fetch --unshallow`)", usage=True)
    entries = _all(objects, ("tree", name.encode(), tree.encode()), first)
    found = [one for one in listings(entries, ".") if isinstance(one, Listing)]
    files = next((one.files for one in found if one.path == name), ())
    return Listing(path=path, tree=tree, files=files)


def members(objects: Running, tree: bytes) -> list[Entry]:
    """What a tree holds, by names."""
    return _there(objects, tree, _members(objects, tree))


def files(objects: Running, tree: bytes) -> list[Entry]:
    """The same without trees; at no cost for each tree where it holds nothing else."""
    data = _there(objects, tree, _content(objects, tree))
    if _TREES[len(tree)].fullmatch(data):
        return []
    return [one for one in _entries(objects, tree, data) if one[0] != "tree"]


def below(objects: Running, top: Entry) -> Iterator[Entry]:
    """A tree (its place is not empty) and all that is in it, in the order of `ls-tree -r -t`."""
    return _all(objects, top, members(objects, top[2] or b""))


def _all(objects: Running, top: Entry, members: list[Entry]) -> Iterator[Entry]:
    """A tree and all that is in it, in the order of `ls-tree -r -t`."""
    yield top
    last = b""
    waiting = _placed(top, members)
    while waiting:
        entry = waiting.pop()
        kind, path, ref = entry
        place = path + b"/" if kind == "tree" else path
        if place <= last or len(path) > LIMIT_PATH:
            raise objects.git.lost(f"a tree is out of order at {clean(path[:100].decode('utf-8', 'replace'))}")
        last = place
        yield entry
        if kind == "tree" and ref is not None:
            waiting += _placed(entry, _there(objects, ref, _members(objects, ref)))


def _placed(tree: Entry, members: list[Entry]) -> list[Entry]:
    """What is in a tree, with whole paths, the last first."""
    return [(kind, tree[1] + b"/" + name, ref) for kind, name, ref in reversed(members)]


def _members(objects: Running, tree: bytes) -> list[Entry] | None:
    """What a tree holds, by names; None where it is missing."""
    data = _content(objects, tree)
    return None if data is None else _entries(objects, tree, data)


def _content(objects: Running, tree: bytes) -> bytes | None:
    """A tree's own bytes; None where it is missing."""
    objects.write(tree + b"\n")
    header = objects.out.readline().split()
    if not header:
        raise objects.failure()
    if len(header) != 3:
        return None
    size = int(header[2])
    if header[1] != b"tree" or size > _LIMIT_TREE:
        raise objects.git.lost(f"{tree.decode()} is no tree")
    data = objects.out.read(size)
    if len(data) < size or objects.out.read(1) != b"\n":
        raise objects.failure()
    return data


def _there(objects: Running, tree: bytes, found: Found | None) -> Found:
    if found is None:
        raise objects.git.lost(f"{tree.decode()} is missing")
    return found


def _entries(objects: Running, tree: bytes, data: bytes) -> list[Entry]:
    try:
        return list(_parsed(data, len(tree) // 2))
    except ValueError:
        raise objects.git.lost(f"{tree.decode()} is a malformed tree") from None


def _parsed(data: bytes, width: int) -> Iterator[Entry]:
    start = 0
    while start < len(data):
        space = data.index(b" ", start)
        name = data.index(b"\0", space) + 1
        end = name + width
        if end > len(data):
            raise ValueError("a tree that is cut short")
        kind = KINDS.get(data[start:space].zfill(6), "special")
        yield kind, data[space + 1 : name - 1], data[name:end].hex().encode()
        start = end
