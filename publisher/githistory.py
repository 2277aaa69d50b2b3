"""What Git says of other revisions: which paths differ from one, and what files once held."""

from collections.abc import Iterable, Iterator
from pathlib import Path

from publisher.git import files_of
from publisher.gitprogram import Git
from publisher.source import File, normal_root
from publisher.trees import CAT

_MOST_PATHS = 500
"""More are not named on a command line; then the whole root's history is read."""


def differing(directory: Path, root: str, base: str, rev: str | None) -> frozenset[str]:
    """Paths under the root (relative to the repository) that differ between the commits, or (None) the working tree.

    Files that Git ignores count, as the working tree's reader takes them. SourceError.
    """
    git, place = Git(directory=directory), _place(root)
    settings = ("-c", "core.fsmonitor=false", "diff", "--name-only", "-z", "--no-renames", "--no-ext-diff")
    named = git.tell(*settings, base, *([] if rev is None else [rev]), "--", place)
    if rev is None:
        named += git.tell("-C", _top(git), "ls-files", "--others", "-z", "--", place)
    return frozenset(path.decode("utf-8", "replace") for path in named.split(b"\0") if path)


def versions(directory: Path, root: str, base: str, paths: Iterable[str]) -> Iterator[tuple[str, bytes]]:
    """Every content that these files have had in the history of a commit, with its path; in no order. SourceError."""
    git, wanted = Git(directory=directory), sorted(set(paths))
    if not wanted:
        return
    places = [f":(top,literal){path}" for path in wanted] if len(wanted) <= _MOST_PATHS else [_place(root)]
    form = ("--format=", "--raw", "-z", "--no-abbrev", "--no-renames", "--diff-filter=AMT", "--no-ext-diff", "-m")
    fields = git.tell("log", *form, base, "--", *places).split(b"\0")
    known = set(wanted)
    found: dict[bytes, str] = {}
    for about, path in zip(fields[::2], fields[1::2], strict=False):
        name = path.decode("utf-8", "replace")
        if name in known:
            found[about.strip().split(b" ")[3]] = name
    with git.started(*CAT, asked=True) as objects:
        for (_, name), file in zip(found.items(), files_of(objects, list(found)), strict=True):
            if isinstance(file, File) and file.kind == "file":
                yield name, file.data


def _place(root: str) -> str:
    root = normal_root(root)
    return ":(top)" if root == "." else f":(top,literal){root}"


def _top(git: Git) -> str:
    return git.tell("rev-parse", "--show-toplevel").decode("utf-8", "surrogateescape").removesuffix("\n")
