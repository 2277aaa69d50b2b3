"""The key sets that a change starts from: the tenants of a base revision whose files differ, and their old ledgers."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from publisher.githistory import differing, versions
from publisher.jwk import identity
from publisher.keyset import KeySet, read_keyset
from publisher.rules.fleet import CUT, What
from publisher.source import GENERATED, KEYSET, File, Folder, Revision


@dataclass(frozen=True, slots=True, kw_only=True)
class Against:
    """What the base has of the tenants that differ, by tenant. `folders` are all folders with a difference inside.

    `struck` are the identities of keys that any earlier revision of the tenant's files revoked.
    """

    label: str
    folders: frozenset[str] = frozenset()
    keysets: Mapping[str, KeySet] = field(default_factory=dict)
    struck: Mapping[str, frozenset[bytes]] = field(default_factory=dict)

    def had(self, folder: str, what: What, claim: str | bytes) -> bool:
        """Whether the base's tenant of this folder claims a name, a domain or a key (see `rules.fleet`)."""
        if folder not in self.folders:
            return True
        keyset = self.keysets.get(folder.rpartition("/")[2])
        if keyset is None:
            return False
        if what == "key":
            return any(identity(key.jwk)[:CUT] == claim for key in keyset.keys)
        return claim in keyset.domains if what == "domain" else keyset.folder == folder


def against(directory: Path, base: Revision, rev: str | None, more: Iterable[str] = ()) -> Against:
    """Compare with a base; `rev` is the other commit, or None for the working tree. SourceError.

    `more` are paths that are going to differ.
    """
    paths = differing(directory, base.root, base.commit.id, rev) | set(more)
    if not paths:
        return Against(label=base.label)
    parents = {parent for path in paths for parent in _parents(path)}
    before = {
        one.name: keyset
        for one in base.folders(parents.__contains__)
        if isinstance(one, Folder) and (keyset := read_keyset(one).keyset) is not None
    }
    files = [f"{keyset.folder}/{name}" for keyset in before.values() for name in (KEYSET, GENERATED)]
    struck: dict[str, set[bytes]] = {}
    for path, data in versions(directory, base.root, base.commit.id, files):
        if b"revoked" in data:
            folder = path.rpartition("/")[0]
            struck.setdefault(folder.rpartition("/")[2], set()).update(_revoked(folder, path, data))
    return Against(
        label=base.label,
        folders=frozenset(parents),
        keysets=before,
        struck={name: frozenset(found) for name, found in struck.items()},
    )


def _parents(path: str) -> list[str]:
    parts = path.split("/")[:-1]
    return ["/".join(parts[:cut]) for cut in range(1, len(parts) + 1)]


def _revoked(folder: str, path: str, data: bytes) -> set[bytes]:
    """The revoked keys of one old file, as far as it can be read by itself."""
    name = path.rpartition("/")[2]
    files = {name: File(kind="file", data=data)}
    if name == GENERATED:
        files[KEYSET] = File(kind="file", data=b"version: 1\ntenant: t\nplan: p\ndomains: []\n")
    keyset = read_keyset(Folder(path=folder, tree=None, files=files)).keyset
    keys = () if keyset is None else keyset.keys
    return {identity(key.jwk) for key in keys if key.revoked is not None}
