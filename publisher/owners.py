"""Which tenant owns which name, domain and key, of all tenants of a commit: kept in a cache, and brought on.

The cache is of one tree of key sets, by its id: the same id is the same files, whatever the commit or the repository,
so that what is found there holds. Another tree is reached by the difference of the two, which reads only folders that
differ; where the old one is not in the clone, everything is read once.
"""

import sqlite3
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Executor
from contextlib import AbstractContextManager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Final

from publisher.against import Against
from publisher.cachefile import CacheFile
from publisher.changed import moved
from publisher.diagnostic import Finding
from publisher.git import open_revision
from publisher.githistory import present
from publisher.keyset import read_keyset
from publisher.rules.fleet import CUT, Conflict, Facts, What, facts
from publisher.source import Folder, Revision, below, inside
from publisher.spread import Task, spread

OWNERS: Final = (
    "CREATE TABLE tree (id TEXT NOT NULL)",
    """CREATE TABLE folder (number INTEGER PRIMARY KEY, path TEXT NOT NULL UNIQUE,
        tenant TEXT, domains TEXT NOT NULL, keys BLOB NOT NULL)""",
    """CREATE TABLE claim (what TEXT NOT NULL, claim NOT NULL, folder INTEGER NOT NULL,
        PRIMARY KEY (what, claim, folder)) WITHOUT ROWID""",
)
"""The tables of the cache. Paths are below the root, so that nothing but the tree decides what they hold."""

_CLAIMANTS: Final = "SELECT path FROM claim JOIN folder ON folder.number = claim.folder WHERE what = ? AND claim = ?"


@dataclass(frozen=True, slots=True, kw_only=True)
class Owners:
    """`start` gives workers for much reading, and `progress` a count of it; `first` is called before all are read."""

    directory: Path
    cache: CacheFile
    start: Callable[[], Executor | None]
    first: Callable[[], object]
    progress: Callable[[], AbstractContextManager[Callable[[], object]]]

    def conflicts(self, base: Revision, against: Against, after: Iterable[tuple[str, Facts]]) -> list[Conflict]:
        """What changed tenants claim of others: the conflicts of all tenants of which one of these is to blame.

        `after` are the tenants, by folder, that a change from `base` leads to, and `against` what it is compared with.
        A conflict is here as well where the base had it already: see `Against.had`. SourceError, CacheError.
        """
        claims: dict[tuple[What, str | bytes], list[str]] = {}
        for folder, held in after:
            for one in _claims(held):
                claims.setdefault(one, []).append(folder)
        others = self._others(base, claims) if claims else {}
        found = []
        for (what, claim), folders in claims.items():
            unchanged = [path for path in others[what, claim] if path not in against.folders]
            owner, *rest = sorted({*folders, *unchanged}, key=_place)
            for folder in rest:
                conflict = against.blamed(Conflict(what=what, folder=folder, owner=owner, claim=claim))
                if conflict.folder in folders:
                    found.append(conflict)
        return found

    def named(self, base: Revision, names: Iterable[str]) -> set[str]:
        """The base's folders of tenants with these names. SourceError, CacheError."""
        wanted: list[tuple[What, str | bytes]] = [("tenant", name) for name in names]
        found = self._others(base, wanted) if wanted else {}
        return {folder for some in found.values() for folder in some}

    def _others(
        self, base: Revision, claims: Iterable[tuple[What, str | bytes]]
    ) -> dict[tuple[What, str | bytes], list[str]]:
        """By claim, the base's folders with it."""

        def known(rows: sqlite3.Connection) -> dict[tuple[What, str | bytes], list[str]] | None:
            if _tree(rows) != base.tree:
                return None
            return {one: [inside(base.root, path) for (path,) in rows.execute(_CLAIMANTS, one)] for one in claims}

        def brought(rows: sqlite3.Connection) -> dict[tuple[What, str | bytes], list[str]]:
            if _tree(rows) != base.tree:
                self._bring(rows, base)
            return known(rows) or {}

        claims = tuple(claims)
        found = self.cache.run(known, write=False)
        return self.cache.run(brought, write=True) if found is None else found

    def _bring(self, rows: sqlite3.Connection, base: Revision) -> None:
        """From the tree that the cache is of to the base's."""
        tree, root = _tree(rows), base.root
        if tree is not None and present(self.directory, [tree]):
            folders, listings = moved(self.directory, tree, base.tree)
            for folder in folders:
                _drop(rows, folder)
            found, root = base.read(listings), "."
        else:
            self.first()
            rows.execute("DELETE FROM folder")
            rows.execute("DELETE FROM claim")
            # The base may be thinned.
            found = open_revision(self.directory, root, base.commit.id, absent=True).folders()
        with self.progress() as step:
            for path, held in spread(found, _task, self.start):
                _add(rows, below(root, path), held)
                step()
        rows.execute("DELETE FROM tree")
        rows.execute("INSERT INTO tree VALUES (?)", (base.tree,))


def _task(chunk: list[Folder | Finding]) -> Task[tuple[str, Facts]]:
    return partial(_facts, chunk)


def _facts(chunk: list[Folder | Finding]) -> list[tuple[str, Facts]]:
    read = ((one.path, read_keyset(one).keyset) for one in chunk if isinstance(one, Folder))
    return [(path, facts(keyset)) for path, keyset in read if keyset is not None]


def _tree(rows: sqlite3.Connection) -> str | None:
    found = rows.execute("SELECT id FROM tree").fetchone()
    return None if found is None else str(found[0])


def _claims(held: Facts) -> Iterator[tuple[What, str | bytes]]:
    if held.tenant is not None:
        yield "tenant", held.tenant
    for domain in held.domains:
        yield "domain", domain
    for start in range(0, len(held.keys), CUT):
        yield "key", held.keys[start : start + CUT]


def _add(rows: sqlite3.Connection, path: str, held: Facts) -> None:
    domains = " ".join(held.domains)  # names, so that they hold no spaces
    told = rows.execute(
        "INSERT INTO folder (path, tenant, domains, keys) VALUES (?, ?, ?, ?)", (path, held.tenant, domains, held.keys)
    )
    some = [(*claim, told.lastrowid) for claim in _claims(held)]
    rows.executemany("INSERT OR IGNORE INTO claim VALUES (?, ?, ?)", some)


def _drop(rows: sqlite3.Connection, path: str) -> None:
    found = rows.execute("SELECT number, tenant, domains, keys FROM folder WHERE path = ?", (path,)).fetchone()
    if found is None:
        return
    number, tenant, domains, keys = found
    held = Facts(tenant=tenant, domains=tuple(domains.split()), keys=keys)
    rows.executemany(
        "DELETE FROM claim WHERE what = ? AND claim = ? AND folder = ?", [(*one, number) for one in _claims(held)]
    )
    rows.execute("DELETE FROM folder WHERE number = ?", (number,))


def _place(folder: str) -> bytes:
    """In the order in which sources yield folders."""
    return folder.encode() + b"/"
