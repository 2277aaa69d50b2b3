"""The merge of two commits, made by git as a forge would make it: it moves no branch and touches no working tree.

So a review sees what a change makes together with what came to its base meanwhile. The objects are written into the
repository, where `git gc` removes them in time; the same two commits make the same ones.
"""

from publisher.gitprogram import FRUGAL, MEMORY, Git
from publisher.source import Commit

_QUIET = ("-c", "core.fsmonitor=false", "-c", "merge.renames=true", "-c", "merge.directoryRenames=conflict")


def merged(git: Git, base: Commit, head: Commit) -> str | None:
    """The id of a commit with both as its parents. None where they conflict, or it cannot be made here.

    It takes git 2.38, and a repository that can be written to. SourceError where the trees outgrow `MEMORY`.
    """
    asked = (*FRUGAL, *_QUIET, "merge-tree", "--write-tree", "--no-messages", base.id, head.id)
    answer = git.ask(*asked, memory=MEMORY)
    if git.is_full(answer.errors):
        raise git.failure(answer.errors)
    tree = answer.out.decode("ascii", "replace").strip()
    if answer.code != 0 or not tree.isalnum():
        return None
    who = f"jwks-publisher <jwks-publisher@localhost> {int(head.time.timestamp())} +0000"
    told = [f"tree {tree}", f"parent {base.id}", f"parent {head.id}", f"author {who}", f"committer {who}"]
    with git.started("hash-object", "-t", "commit", "-w", "--stdin", asked=True) as made:
        made.write("\n".join([*told, "", "merge", ""]).encode())
        made.written()
        name = made.out.read().decode("ascii", "replace").strip()
        return name if made.wait() == 0 else None
