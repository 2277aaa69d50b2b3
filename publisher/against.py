"""The key sets that a change starts from: the tenants of a base revision whose files differ, and their old ledgers."""

from collections.abc import Callable, Iterable, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TypeAlias

from publisher.changed import Change, open_change
from publisher.diagnostic import Finding
from publisher.git import open_revision
from publisher.githistory import earlier, has_parted, is_shallow
from publisher.jwk import identity
from publisher.keyset import KeySet, read_keyset
from publisher.overlay import Overlay
from publisher.policy import Policy
from publisher.policyfile import read_policy
from publisher.rules.fleet import CUT, Conflict, What
from publisher.source import POLICY, Folder, Revision, Source, inside

Struck: TypeAlias = Callable[[Revision, AbstractSet[bytes]], AbstractSet[bytes]]
"""Of some keys (their identities), those that a revision up to the commit revoked."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Against:
    """What the base has of the tenants that differ, by tenant. `folders` are all folders with a difference inside.

    `policy` is the base's, None where it has mistakes or nothing differs. `struck` are the identities of those keys
    that come with the change, though a revision up to the base revoked them.
    """

    label: str
    folders: frozenset[str] = frozenset()
    keysets: Mapping[str, KeySet] = field(default_factory=dict)
    policy: Policy | None = None
    struck: frozenset[bytes] = frozenset()
    shallow: bool = False
    """Whether keys come of which earlier revisions are not there to be asked."""
    removed: tuple[KeySet, ...] = ()
    """What the base has of tenants of which no folder is left."""
    parted: bool = False
    """Whether the base is no ancestor of what is compared: what it has since looks taken back."""

    def blamed(self, conflict: Conflict) -> Conflict:
        """The conflict with the side to blame as its `folder`: the one that the base did not have."""
        if self.had(conflict.owner, conflict.what, conflict.claim):
            return conflict
        if not self.had(conflict.folder, conflict.what, conflict.claim):
            return conflict
        return replace(conflict, folder=conflict.owner, owner=conflict.folder)

    def had(self, folder: str, what: What, claim: str | bytes) -> bool:
        """Whether the base's tenant of this folder claims a name, a domain or a key (see `rules.fleet`)."""
        if folder not in self.folders:
            return True
        keyset = self.keysets.get(_name(folder))
        if keyset is None:
            return False
        if what == "key":
            return any(identity(key.jwk)[:CUT] == claim for key in keyset.keys)
        return claim in keyset.domains if what == "domain" else keyset.folder == folder


def against(directory: Path, base: Revision, source: Source, more: Iterable[str] = ()) -> Against:
    """Compare `source`, which is a commit or the working tree of the repository, with a base. SourceError.

    `more` are paths that are going to differ.
    """
    head = None if source.commit is None else open_revision(directory, base.root, source.commit.id, absent=True)
    change = open_change(directory, base.root, base, head, more)
    if isinstance(source, Overlay):
        change = replace(change, after=replace(source, base=change.after))
    return compared(directory, change)


def compared(directory: Path, change: Change, struck: Struck | None = None) -> Against:
    """The base's side of a change. `struck` tells which keys the base's history revoked; None: git is asked for it."""
    base, head = change.before, change.after.commit
    paths = [path for path in change.paths if base.root == "." or path.startswith(f"{base.root}/")]
    if not paths:
        return Against(label=base.label)
    before, left = _keysets(base.folders()), list(change.after.folders())
    after, names = _keysets(left), {one.name for one in left if isinstance(one, Folder)}
    coming = _coming(before, after)
    fresh = frozenset().union(*coming.values())
    gone = {identity(key.jwk) for one in before.values() for key in one.keys if key.revoked is not None}
    if fresh and struck is not None:
        gone |= struck(base, fresh)
    elif fresh:
        gone |= _struck(directory, base, coming.keys() | before.keys() - after.keys())
    return Against(
        label=base.label,
        folders=frozenset(parent for path in paths for parent in _parents(path)),
        keysets=before,
        policy=_policy(base),
        struck=fresh & gone,
        removed=tuple(one for name, one in before.items() if name not in names),
        shallow=bool(fresh) and is_shallow(directory),
        parted=has_parted(directory, base.commit.id, None if head is None else head.id),
    )


def _coming(before: Mapping[str, KeySet], after: Mapping[str, KeySet]) -> dict[str, frozenset[bytes]]:
    """By tenant, its keys that are not revoked, and of which the base has none in its place nor a live one elsewhere.

    The live ones elsewhere are those of tenants with another name now.
    """
    live = {identity(key.jwk) for one in before.values() for key in one.keys if key.revoked is None}
    found = {}
    for name, keyset in after.items():
        old = {identity(key.jwk) for key in before[name].keys} if name in before else set()
        fresh = frozenset(identity(key.jwk) for key in keyset.keys if key.revoked is None) - old - live
        if fresh:
            found[name] = fresh
    return found


def _struck(directory: Path, base: Revision, names: Iterable[str]) -> set[bytes]:
    """The keys that earlier states of these tenants revoked, and those of tenants that are there no more."""
    found: set[bytes] = set()
    for one in base.read(base.at(earlier(directory, base.root, base.commit.id, set(names)))):
        # Another spelling of the word has a backslash in it.
        if isinstance(one, Finding) or not any(
            b"revoked" in file.data or b"\\" in file.data for file in one.files.values()
        ):
            continue
        keyset = read_keyset(one).keyset
        keys = () if keyset is None else keyset.keys
        found |= {identity(key.jwk) for key in keys if key.revoked is not None}
    return found


def _keysets(folders: Iterable[Folder | Finding]) -> dict[str, KeySet]:
    read = ((one.name, read_keyset(one).keyset) for one in folders if isinstance(one, Folder))
    return {name: keyset for name, keyset in read if keyset is not None}


def _policy(base: Revision) -> Policy | None:
    file = base.policy()
    if file is None or file.kind != "file":
        return None
    policy, diagnostics = read_policy(file.data, inside(base.root, POLICY))
    return None if diagnostics else policy


def _parents(path: str) -> list[str]:
    parts = path.split("/")[:-1]
    return ["/".join(parts[:cut]) for cut in range(1, len(parts) + 1)]


def _name(folder: str) -> str:
    return folder.rpartition("/")[2]
