"""A stream of files and folders in Git's order, grouped into tenants' folders; the rules about names and places.

Works on names alone, and holds no more than the folders on the way from the root to where it is. Memory so does not
grow with the number of tenants, but for the name of each in a grouping folder, until that folder has ended.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Final, Literal, TypeAlias

from publisher.diagnostic import Finding, Rule, clean, quote
from publisher.source import (
    FILE_NAME,
    GENERATED,
    GENERATED_WITHOUT_KEYSET,
    GIT_ATTRIBUTES,
    KEYSET,
    LIMIT_DEPTH,
    LIMIT_FILES,
    MISNAMED_FILE,
    MISPLACED_POLICY,
    NOT_A_FILE,
    POLICY,
    SUBMODULE,
    TENANT_INSIDE_TENANT,
    TENANT_TOO_DEEP,
    TENANT_WITHOUT_FOLDER,
    TOO_MANY_FILES,
    UNREADABLE_FILE,
    WAIVERS,
    FileKind,
    Listing,
    SourceError,
    inside,
    symlink,
)

LIMIT_ENTRIES: Final = 10_000_000
"""Files and folders under the root. A tree that names the same subtree many times over can hold any number."""
_LIMIT_LINKS: Final = 1_000

Entry: TypeAlias = tuple[FileKind | Literal["tree"], bytes, bytes | None]
"""Kind, path below the root, Git's object id (None in the working tree).

Entries come in Git's order of trees: by the bytes of the path, with a `/` at the end of a tree's, each tree before what
is in it. A folder in the working tree that cannot be listed comes as one `unreadable` entry.
"""

_Held: TypeAlias = tuple[FileKind, bytes, bytes | None]

_KEYSET, _GENERATED = KEYSET.encode(), GENERATED.encode()
_TOP = frozenset((POLICY.encode(), WAIVERS.encode()))
"""Read in the root alone."""
_READ = frozenset((_KEYSET, _GENERATED))
_ALMOST = re.compile(
    rb"\s*(?:(?P<keyset>key[-_ ]?sets?)\.(?:ya?ml|json)|generated\.(?:ya?ml|json)|(?P<policy>polic(?:y|ies)\.ya?ml)|"
    rb"(?P<waivers>waivers?\.ya?ml))(?:\.txt)?\s*",
    re.IGNORECASE,
)
_UNSAFE_ASCII = re.compile(rb"[\x00-\x1f\x7f\\]")
_UNSAFE = re.compile(r"[\x00-\x1f\x7f-\x9f\\\u00ad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff]")


@dataclass(slots=True, kw_only=True)
class _Open:
    """A folder whose end has not come yet."""

    path: bytes
    """Below the root, with a `/` at its end; empty for the root itself."""
    tree: bytes | None
    keyset: bool = False
    """Whether keyset.yaml is in it; `meant`: whether a file that was meant as one is."""
    meant: bool = False
    generated: bool = False
    files: list[_Held] = field(default_factory=list)
    """Its files, and those further down that belong to no tenant there: they may belong to this one."""
    more: int = 0
    """Files that are left out of `files`, being too many."""
    links: list[bytes] = field(default_factory=list)
    tenants: list[bytes] = field(default_factory=list)
    misplaced: list[tuple[bytes, str]] = field(default_factory=list)
    """Files that are read in the root alone, each with its right name."""

    def hold(self, entries: Iterable[_Held]) -> None:
        """Take files in, up to the limit."""
        for entry in entries:
            if len(self.files) < LIMIT_FILES:
                self.files.append(entry)
            else:
                self.more += 1

    def take(self, inner: "_Open") -> None:
        """Take over what a folder inside this one held and was no tenant to own."""
        self.hold(inner.files)
        self.more += inner.more
        self.links += inner.links[: _LIMIT_LINKS - len(self.links)]
        self.tenants += inner.tenants


def listings(entries: Iterable[Entry], root: str) -> Iterator[Listing | Finding]:
    """Group the entries below `root`. Raises `SourceError` where they cannot be a tree, or are too many."""
    return _Grouping(root).run(entries)


class _Grouping:
    def __init__(self, root: str) -> None:
        self._root = root
        self._open = [_Open(path=b"", tree=None)]

    def run(self, entries: Iterable[Entry]) -> Iterator[Listing | Finding]:
        refused: bytes | None = None
        for count, (kind, path, ref) in enumerate(entries):
            if refused is not None and path.startswith(refused):
                continue
            while not path.startswith(self._open[-1].path):
                yield from self._close()
            top = self._open[-1]
            name = path[len(top.path) :]
            if b"/" in name or count == LIMIT_ENTRIES:
                raise self._impossible(count)
            if not _safe(name):
                refused = path + b"/"
                yield self._finding(FILE_NAME, path, "has a name that is not read", "rename it, in plain characters")
            elif kind == "tree":
                self._open.append(_Open(path=path + b"/", tree=ref))
                if name in _READ or path in _TOP:
                    yield self._finding(NOT_A_FILE, path, "is a folder", "put a plain file in its place")
            else:
                yield from self._add(top, (kind, path, ref), name)
        while len(self._open) > 1:
            yield from self._close()
        yield from self._lonely(self._open[0])

    def _add(self, top: _Open, entry: _Held, name: bytes) -> Iterator[Finding]:
        """A file in the folder `top`."""
        kind, path, _ = entry
        if name == _KEYSET:
            top.keyset = True
        elif name == _GENERATED:
            top.generated = True
        elif almost := _ALMOST.fullmatch(name):
            yield from self._almost(top, path, almost)
        if name == b".gitattributes" and (top.path or self._root != "."):
            hint = "delete it; attributes that all need stand in the repository's top folder"
            yield self._finding(GIT_ATTRIBUTES, path, "can hide changes from reviewers", hint)
        if kind == "submodule":
            yield self._finding(SUBMODULE, path, "is a repository of its own", "put the files themselves here")
        elif kind == "unreadable":
            yield self._finding(UNREADABLE_FILE, path, "is a folder that cannot be read", "permit yourself to read it")
        elif kind == "symlink" and top.path:
            top.links += (path,) if len(top.links) < _LIMIT_LINKS else ()
        elif kind == "symlink" and path not in _TOP:  # those are read, and reported then
            yield symlink(self._text(path))
        if not top.path:
            if name == _KEYSET:
                yield self._finding(
                    TENANT_WITHOUT_FOLDER,
                    path,
                    "lies in no tenant's folder",
                    "move it into a folder with the tenant's name",
                )
        elif name in _READ:
            top.files.append(entry)  # above any limit
        else:
            top.hold((entry,))

    def _almost(self, top: _Open, path: bytes, almost: re.Match[bytes]) -> Iterator[Finding]:
        """A file with the name, or nearly the name, of one that is read."""
        names = {"keyset": KEYSET, "policy": POLICY, "waivers": WAIVERS}
        right = next((name for group, name in names.items() if almost[group] is not None), GENERATED)
        top.meant |= right == KEYSET
        if right in (POLICY, WAIVERS) and top.path:
            top.misplaced.append((path, right))
            return
        if almost[0] != right.encode():
            yield self._finding(
                MISNAMED_FILE, path, "is not read by this name", f"rename it to `{right}`, or delete it"
            )

    def _close(self) -> Iterator[Listing | Finding]:
        """The last open folder has ended."""
        folder = self._open.pop()
        outer = self._open[-1]
        if folder.keyset or folder.tenants:
            for path, right in folder.misplaced:
                hint = f"move what it says to `{inside(self._root, right)}`, and delete it"
                yield self._finding(MISPLACED_POLICY, path, "is not read in this place", hint)
        if folder.keyset:
            yield from self._tenant(folder)
            if outer.path:
                outer.tenants.append(folder.path)
            return
        yield from self._lonely(folder)
        if outer.path:
            outer.take(folder)
        else:
            yield from map(symlink, map(self._text, folder.links))

    def _lonely(self, folder: _Open) -> Iterator[Finding]:
        if folder.generated and not (folder.keyset or folder.meant):
            message, hint = "has no keyset.yaml beside it", "move it to its tenant's folder, or delete it"
            yield self._finding(GENERATED_WITHOUT_KEYSET, folder.path + _GENERATED, message, hint)

    def _tenant(self, folder: _Open) -> Iterator[Listing | Finding]:
        path = self._text(folder.path[:-1])
        for inner in folder.tenants:
            message = f"lies inside the folder of another tenant, {quote(path)}"
            hint = (
                f"move the inner folder out, or delete `{clean(path)}/keyset.yaml` if that folder only groups tenants"
            )
            yield self._finding(TENANT_INSIDE_TENANT, inner + _KEYSET, message, hint)
        deep, many = folder.path.count(b"/"), len(folder.files) + folder.more
        if deep > LIMIT_DEPTH:
            message, hint = f"lies {deep} folders deep", f"use at most {LIMIT_DEPTH}"
            yield self._finding(TENANT_TOO_DEEP, folder.path + _KEYSET, message, hint)
        if many > LIMIT_FILES:
            message, hint = f"stands in a folder of {many} files", f"keep at most {LIMIT_FILES} there"
            yield self._finding(TOO_MANY_FILES, folder.path + _KEYSET, message, hint)
        start = len(folder.path)
        yield Listing(
            path=path,
            tree=folder.tree.decode() if folder.tree is not None else None,
            files=tuple((name[start:].decode(), kind, ref) for kind, name, ref in folder.files),
        )

    def _finding(self, rule: Rule, path: bytes, message: str, hint: str) -> Finding:
        return Finding(rule=rule, file=self._text(path), where=(), message=message, hint=hint)

    def _text(self, path: bytes) -> str:
        text = path.decode("utf-8", "backslashreplace")
        return inside(self._root, _UNSAFE.sub(_escape, text))

    def _impossible(self, count: int) -> SourceError:
        if count == LIMIT_ENTRIES:
            message = f"there are more than {LIMIT_ENTRIES:,} files and folders in `{self._root}`: split the repository"
        else:
            message = f"the tree of `{self._root}` is damaged: look into it with `git fsck`"
        return SourceError(message, usage=False)


def rules_below(name: bytes) -> bool:
    """Whether a file of this name in a folder lets what lies further down be judged otherwise."""
    almost = _ALMOST.fullmatch(name)
    return name == _KEYSET or (almost is not None and almost["policy"] is not None)


def _safe(name: bytes) -> bool:
    """Whether a name means and shows the same everywhere."""
    if name.isascii():
        return _UNSAFE_ASCII.search(name) is None and name not in (b"", b".", b"..")
    try:
        return _UNSAFE.search(name.decode()) is None
    except UnicodeDecodeError:
        return False


def _escape(match: re.Match[str]) -> str:
    char = match[0]
    return char if char == "\\" else char.encode("unicode_escape").decode()
