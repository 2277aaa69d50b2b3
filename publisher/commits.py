"""Commits: what a revision names, and which commit descends from which."""

import re
from datetime import UTC, datetime
from typing import Final

from publisher.diagnostic import quote, ticked
from publisher.gitprogram import Git
from publisher.source import Commit, SourceError

_SHORT_ID: Final = re.compile(r"[0-9a-f]{4,63}")
_WARNED: Final = ("-c", "core.warnAmbiguousRefs=true")
_COMMIT_ID: Final = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")


def find_commit(git: Git, rev: str) -> Commit:
    """The commit that a revision names; SourceError where it names none."""
    if not rev or rev[0] in "-^" or not rev.isprintable():
        raise SourceError(f"{quote(rev)} is no revision: give a branch, a tag or a commit id", usage=True)
    answer = git.ask(*_WARNED, "rev-parse", "--verify", "--end-of-options", rev + "^{commit}")
    if answer.code != 0:
        raise _unknown(git, rev)
    if b"is ambiguous" in answer.errors:
        # Git prefers tags (gitrevisions(7)), which more people may push than the branch that is meant.
        hint = "name it in full (`refs/remotes/origin/main`, `refs/heads/main`), or delete the tag"
        raise SourceError(f"{ticked(rev)} names several branches or tags: {hint}", usage=True)
    commit_id = answer.out.decode().strip()
    told = git.tell(
        "log", "-1", "--no-show-signature", "--encoding=UTF-8", "--format=%ct%x00%an <%ae>%x00%s", commit_id, "--"
    )
    seconds, author, subject = told.decode("utf-8", "replace").removesuffix("\n").split("\0", 2)
    try:
        time = datetime.fromtimestamp(int(seconds), UTC)
    except (ValueError, OverflowError, OSError):
        raise SourceError(f"commit {commit_id} has no sensible time: make it anew", usage=False) from None
    return Commit(id=commit_id, time=time, author=author, subject=subject)


def is_ancestor(git: Git, older: str, newer: str) -> bool:
    """Whether `newer` is `older`, or descends from it; both are full ids. SourceError where the clone lacks `older`."""
    if older == newer:
        return True
    if _COMMIT_ID.fullmatch(older) is None:
        raise SourceError(f"{quote(older)} is no commit's id", usage=False)
    if git.ask("cat-file", "-e", older + "^{commit}").code != 0:
        raise _unknown(git, older)
    answer = git.ask("merge-base", "--is-ancestor", older, newer)
    if answer.code not in (0, 1):
        raise git.failure(answer.errors)
    if answer.code == 1 and git.tell("rev-parse", "--is-shallow-repository").strip() == b"true":
        message = f"whether {newer[:12]} descends from {older[:12]} cannot be told in a shallow clone"
        raise SourceError(f"{message}: fetch the rest with `git fetch --unshallow`", usage=True)
    return answer.code == 0


def merge_base(git: Git, one: str, other: str) -> str:
    """The id of the commit that two have in common last; SourceError where there is none, or the clone lacks it.

    SourceError also where there are several (criss-cross merges, git-merge-base(1)): what only one of them has, and a
    merge brings back, would be no difference to that one.
    """
    answer = git.ask("merge-base", "--all", one, other)
    found = answer.out.decode().split()
    if answer.code == 0 and len(found) == 1:
        return found[0]
    if answer.code == 0:
        names = " and ".join(name[:12] for name in sorted(found)[:2])
        message = f"{other[:12]} parted from {one[:12]} at several commits ({names})"
        raise SourceError(f"{message}, and differs from each in other ways: merge {one[:12]} into it", usage=True)
    if answer.code != 1:
        raise git.failure(answer.errors)
    if git.tell("rev-parse", "--is-shallow-repository").strip() == b"true":
        message = f"where {other[:12]} parted from {one[:12]} cannot be told in a shallow clone"
        raise SourceError(f"{message}: fetch the rest with `git fetch --unshallow`", usage=True)
    raise SourceError(f"{other[:12]} and {one[:12]} have no commit in common: name another base", usage=True)


def _unknown(git: Git, rev: str) -> SourceError:
    """Why `rev` names no commit. Raises `SourceError` where the repository itself cannot be read."""
    git.tell("rev-parse", "--git-dir")
    if not git.tell("rev-list", "--all", "-n", "1"):
        return SourceError("this repository has no commits yet: commit the key sets first", usage=True)
    name = ticked(rev)
    if _SHORT_ID.fullmatch(rev) and len(git.tell("rev-parse", f"--disambiguate={rev}").split()) > 1:
        return SourceError(f"{name} begins the ids of several objects: give more of it", usage=True)
    named = git.ask("cat-file", "-t", rev)
    if named.code == 0:
        return SourceError(f"{name} names a {named.out.decode().strip()}, and no commit: give a commit", usage=True)
    if git.tell("rev-parse", "--is-shallow-repository").strip() == b"true":
        message = f"{name} is not in this clone, which is shallow: fetch the rest with `git fetch --unshallow`"
        return SourceError(message, usage=True)
    return SourceError(f"{name} names no commit in this clone: fetch it first (`git fetch --tags origin`)", usage=True)
