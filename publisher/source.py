"""Key sets as files: a Git revision or the working tree, seen as one folder a tenant, and the rules about files.

The readers are `git` and `worktree`; what is inside the files is the business of `yamlfile` and what builds on it.
How a stream of files becomes tenants' folders is in `folders`.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import PurePosixPath
from typing import Final, Literal, Protocol, TypeAlias

from publisher.diagnostic import Finding, Rule, quote

LIMIT_FILE_BYTES: Final = 262_144
LIMIT_FILES: Final = 64
"""Files a tenant's folder may hold, those in its subfolders and keyset.yaml included."""
LIMIT_DEPTH: Final = 8
"""Folders from the root down to a tenant's, that one included."""

KEYSET: Final = "keyset.yaml"
GENERATED: Final = "generated.yaml"
POLICY: Final = "policy.yaml"
WAIVERS: Final = "waivers.yaml"

FileKind: TypeAlias = Literal["file", "symlink", "submodule", "special", "too-large", "unreadable"]

TENANT_INSIDE_TENANT: Final = Rule(
    id="tenant-inside-tenant",
    doc="The folder that holds keyset.yaml is one tenant, with all that is below it. A second keyset.yaml further down "
    "would give files two tenants, and whoever may change the one could change the other. Folders that group tenants "
    "hold no keyset.yaml.",
)
TENANT_WITHOUT_FOLDER: Final = Rule(
    id="tenant-without-folder",
    doc="The key sets' top folder holds policy.yaml, waivers.yaml and the tenants' folders. A keyset.yaml there would "
    "make one tenant of everything.",
)
TENANT_TOO_DEEP: Final = Rule(
    id="tenant-too-deep",
    doc=f"Folders may group tenants (`eu/globex/keyset.yaml`), at most {LIMIT_DEPTH} deep with the tenant's own.",
)
GENERATED_WITHOUT_KEYSET: Final = Rule(
    id="generated-without-keyset",
    doc="generated.yaml holds the generated keys of the tenant whose keyset.yaml lies beside it. Alone it is not read, "
    "and its keys would silently not be published.",
)
MISNAMED_FILE: Final = Rule(
    id="misnamed-file",
    doc="keyset.yaml, generated.yaml, policy.yaml and waivers.yaml are read by exactly these names. A file that is "
    "named almost so (keyset.yml, Keyset.yaml, keyset.yaml.txt) would silently not count.",
)
MISPLACED_POLICY: Final = Rule(
    id="misplaced-policy",
    doc="There is one policy.yaml and one waivers.yaml, in the key sets' top folder, and they hold for all tenants. "
    "One in a tenant's or a grouping folder would silently not count.",
)
SUBMODULE: Final = Rule(
    id="submodule",
    doc="No submodules, and no other repositories in the working tree: their content is in no commit of this "
    "repository, so it is not reviewed here and cannot be read from a revision.",
)
SYMLINK: Final = Rule(
    id="symlink",
    doc="Symlinks are never followed: what they point to may lie outside of the repository, and changes without the "
    "folder changing. keyset.yaml, generated.yaml, policy.yaml and waivers.yaml are no symlinks, and nothing beside "
    "the tenants' folders is one, as it could stand for a tenant's folder.",
)
GIT_ATTRIBUTES: Final = Rule(
    id="git-attributes",
    doc="No .gitattributes among the key sets: it can hide a change from `git diff` and from pull requests (`-diff`, "
    "`linguist-generated`), or give a working tree other bytes than the commit has.",
)
FILE_TOO_LARGE: Final = Rule(
    id="file-too-large",
    doc=f"The files of a tenant, policy.yaml and waivers.yaml have at most {LIMIT_FILE_BYTES:,} bytes; larger ones are "
    "not read, nor searched for private keys. 13 keys with a certificate each have less than 50,000.",
)
TOO_MANY_FILES: Final = Rule(
    id="too-many-files",
    doc=f"A tenant's folder holds at most {LIMIT_FILES} files, those in its subfolders included.",
)
FILE_NAME: Final = Rule(
    id="file-name",
    doc="Names of files and folders are UTF-8 without control characters, invisible characters, those that change the "
    "reading direction, and backslashes, so that they mean and show the same everywhere. Others are not read.",
)
NOT_A_FILE: Final = Rule(
    id="not-a-file",
    doc="keyset.yaml, generated.yaml, policy.yaml and waivers.yaml are plain files: no folders, pipes or devices.",
)
UNREADABLE_FILE: Final = Rule(
    id="unreadable-file",
    doc="Every folder in the working tree, and every file by these names in it, can be read: keyset.yaml, "
    "generated.yaml, policy.yaml, waivers.yaml.",
)

RULES: Final[tuple[Rule, ...]] = (
    TENANT_INSIDE_TENANT,
    TENANT_WITHOUT_FOLDER,
    TENANT_TOO_DEEP,
    GENERATED_WITHOUT_KEYSET,
    MISNAMED_FILE,
    MISPLACED_POLICY,
    SUBMODULE,
    SYMLINK,
    GIT_ATTRIBUTES,
    FILE_TOO_LARGE,
    TOO_MANY_FILES,
    FILE_NAME,
    NOT_A_FILE,
    UNREADABLE_FILE,
)


class SourceError(Exception):
    """The key sets cannot be read. The message is one line for people, with what to do.

    `usage` tells whether the caller asked wrongly (an unknown revision, say) or the world failed (a damaged clone).
    """

    def __init__(self, message: str, *, usage: bool) -> None:
        super().__init__(message)
        self.usage = usage


@dataclass(frozen=True, slots=True, kw_only=True)
class File:
    """A file's content, or why there is none: `data` is empty for every kind but `file`."""

    kind: FileKind
    data: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Folder:
    """A tenant's folder: the one that holds keyset.yaml."""

    path: str
    """Relative to the repository, with forward slashes: `keysets/eu/globex`."""
    tree: str | None
    """Git's id of the folder's tree, which stands for all of its content. None in the working tree."""
    files: Mapping[str, File]
    """By path inside the folder (`keyset.yaml`, `keys/partner.pem`); `keyset.yaml` is always among them.

    What has a refused name, what belongs to a tenant inside this one, and files above the limit are left out.
    """

    @property
    def name(self) -> str:
        """The last part of the path."""
        return self.path.rpartition("/")[2]


@dataclass(frozen=True, slots=True, kw_only=True)
class Listing:
    """A tenant's folder before its files are read."""

    path: str
    """Relative to the repository."""
    tree: str | None
    files: tuple[tuple[str, FileKind, bytes | None], ...]
    """Path inside the folder, kind, Git's object id."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Commit:
    """What a revision names."""

    id: str
    time: datetime
    """The committer's time, in UTC."""
    author: str
    """`Name <address>`, as written: to be escaped for where it is shown. So is `subject`."""
    subject: str
    """The message's first paragraph on one line."""


class Source(Protocol):
    """Key sets at one moment. The methods raise `SourceError` when the repository cannot be read (any more)."""

    @property
    def label(self) -> str:
        """For people: `commit 1a2b3c4d5e6f` or `the working tree`."""
        ...

    @property
    def root(self) -> str:
        """The key sets' top folder, relative to the repository: `keysets`, `platform/keysets`, or `.` for all of it."""
        ...

    @property
    def commit(self) -> Commit | None:
        """The commit that is read; None for the working tree."""
        ...

    def policy(self) -> File | None:
        """`policy.yaml` in the root; None where there is none."""
        ...

    def waivers(self) -> File | None:
        """`waivers.yaml` in the root; None where there is none."""
        ...

    def folders(self, wanted: Callable[[str], bool] | None = None) -> Iterator[Folder | Finding]:
        """Every tenant's folder, and what is wrong with the files under the root, as a stream.

        Folders come in Git's order of trees: by the bytes of the path with a `/` at its end. `wanted` takes a folder's
        path; folders that it turns down are not yielded and their files not read, but the findings that need no reading
        come for all. A tenant with findings is still yielded, so that it is known to exist; a finding that stands
        inside of a tenant's folder, before or after it, concerns that tenant.
        """
        ...


class Revision(Source, Protocol):
    """Key sets at a commit, which can be listed without being read. The methods raise `SourceError`."""

    @property
    def commit(self) -> Commit:
        """The commit that is read."""
        ...

    @property
    def tree(self) -> str:
        """Git's id of the root's tree: the same id is the same key sets, policy.yaml and waivers.yaml included."""
        ...

    def listed(self) -> Iterator[Listing | Finding]:
        """Every tenant's folder in the order of `folders`, and the findings that need no reading."""
        ...

    def read(self, items: Iterable[Listing | Finding]) -> Iterator[Folder | Finding]:
        """Listed folders with their files, and what is wrong with those; findings pass."""
        ...

    def at(self, places: Iterable[tuple[str, str]]) -> Iterator[Listing]:
        """Tenants' folders (path, tree id) as earlier commits had them. SourceError where the clone lacks one."""
        ...

    def contains(self, commit_id: str) -> bool:
        """Whether the commit is this one, or this one descends from it. SourceError where the clone lacks it."""
        ...


def normal_root(root: str) -> str:
    """The root in its one form: `keysets`, `platform/keysets` or `.`; SourceError where it is no relative path."""
    path = PurePosixPath(root)
    if not root or path.is_absolute() or ".." in path.parts or not root.isprintable():
        message = (
            f"{quote(root)} is no folder for key sets: give one relative to the top of the repository, as `keysets`"
        )
        raise SourceError(message, usage=True)
    return path.as_posix()


def inside(root: str, path: str) -> str:
    """A path under the root (in its normal form) as one that is relative to the repository."""
    return path if root == "." else f"{root}/{path}"


def below(root: str, path: str) -> str:
    """The same path back: under the root, as `inside` took it."""
    return path if root == "." else path.removeprefix(f"{root}/")


def faults(path: str, file: File) -> Iterator[Finding]:
    """Why a file that has to be read (keyset.yaml, generated.yaml, policy.yaml, waivers.yaml; by path) was not."""
    match file.kind:
        case "file" | "submodule":  # a submodule is reported wherever it is
            return
        case "symlink":
            yield symlink(path)
        case "too-large":
            yield _finding(FILE_TOO_LARGE, path, f"has more than {LIMIT_FILE_BYTES:,} bytes", "take out what is no key")
        case "special":
            yield _finding(NOT_A_FILE, path, "is no plain file", "put a plain file in its place")
        case "unreadable":
            yield _finding(UNREADABLE_FILE, path, "cannot be read", "give yourself permission to read it")


def symlink(path: str) -> Finding:
    """A symlink where none may be."""
    return _finding(SYMLINK, path, "is a symlink, and those are never followed", "put what it points to in its place")


def _finding(rule: Rule, path: str, message: str, hint: str) -> Finding:
    return Finding(rule=rule, file=path, where=(), message=message, hint=hint)
