"""What Git says of other revisions: which paths differ from one, and what tenants' folders once held."""

from collections.abc import Collection, Iterator
from pathlib import Path
from typing import TypeAlias

from publisher.gitprogram import Git, Running
from publisher.source import GENERATED, KEYSET, normal_root

_CHUNK = 1 << 16
# What users set for themselves changes none of this; a repository's own fsmonitor is a program to run.
_QUIET = ("-c", "core.fsmonitor=false")
_DIFF = ("-z", "--no-renames", "--no-ext-diff", "--no-relative", "--ignore-submodules=none")
_LOG = (
    *("-c", "core.fsmonitor=false", "-c", "log.showRoot=true", "-c", "log.follow=false", "log"),
    *("--format=", "--no-show-signature", "--raw", "-t", "--no-abbrev", *_DIFF),
    # All sides of every merge: by default git leaves out those whose content a merge did not take.
    *("--full-history", "--diff-merges=first-parent"),
)


Row: TypeAlias = tuple[bytes, bytes, bytes, bytes, bytes]
"""What `--raw` prints of a path: modes before and after (six digits), ids before and after, the path itself."""


def differing(git: Git, base: str, rev: str | None) -> Iterator[Row]:
    """The whole repository's paths that differ between the commits, or (None) the working tree. SourceError.

    Between commits the folders around them come as well. In the working tree files that Git ignores count, as its
    reader takes them, and those that Git does not know come with modes and ids of zeros.
    """
    if rev is not None:
        with git.started(*_QUIET, "diff-tree", "-r", "-t", "--raw", *_DIFF, base, rev, "--") as running:
            yield from _rows(running)
            running.finish()
        return
    with git.started(*_QUIET, "diff", "--raw", "--no-abbrev", *_DIFF, base, "--") as running:
        yield from _rows(running)
        running.finish()
    for path in git.tell("-C", _top(git), *_QUIET, "ls-files", "--others", "-z").split(b"\0"):
        if path:
            yield b"000000", b"000000", b"0", b"0", path


def earlier(directory: Path, root: str, base: str, names: Collection[str]) -> Iterator[tuple[str, str]]:
    """Path and tree id of folders in the history of a commit, each once: SourceError.

    Every state of the folders of these names, wherever they lay under the root; and of all others the last state
    before they lost one of a tenant's files.
    """
    told: set[tuple[str, str]] = set()
    before: dict[bytes, bytes] = {}
    wanted = {name.encode() for name in names}
    with Git(directory=directory).started(*_LOG, base, "--", _place(root)) as running:
        for old_mode, new_mode, old, new, path in _rows(running):
            parent, _, name = path.rpartition(b"/")
            if b"040000" in (old_mode, new_mode):
                before[path] = old  # comes before what is in it
                found = (path, new) if name in wanted and new_mode == b"040000" else None
            else:
                lost = name in (KEYSET.encode(), GENERATED.encode()) and not new_mode.startswith(b"100")
                found = (parent, before.get(parent, b"0")) if lost and old_mode.startswith(b"100") else None
            if found is not None and found[1].strip(b"0"):
                told.add((found[0].decode("utf-8", "replace"), found[1].decode()))
        running.finish()
    yield from sorted(told)


def has_parted(directory: Path, base: str, rev: str | None) -> bool:
    """Whether the commit, or (None) HEAD, does not descend from the base, as far as the clone knows. SourceError."""
    return Git(directory=directory).ask("merge-base", "--is-ancestor", base, rev or "HEAD").code == 1


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
