"""Which keys any revision up to a commit revoked: found once in the history, and kept in a cache.

Kept is every commit by which a key became a revoked one, so that the answer for any other commit is which of those it
descends from; and how far the history has been gone through. Both hold in every repository that has the commits, as
their ids stand for all of their history. What a shallow clone lacks is looked for anew each time.
"""

import itertools
import sqlite3
from collections.abc import Callable, Iterable, Iterator
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from pathlib import Path
from typing import Final, TypeAlias

from publisher.cachefile import CacheFile
from publisher.githistory import is_shallow, present, states
from publisher.jwk import identity
from publisher.keyset import read_keyset
from publisher.source import Folder, Revision

REVOCATIONS: Final = (
    "CREATE TABLE revoked (key BLOB NOT NULL, commit_id TEXT NOT NULL, PRIMARY KEY (key, commit_id)) WITHOUT ROWID",
    "CREATE TABLE walked (number INTEGER PRIMARY KEY, commit_id TEXT NOT NULL UNIQUE)",
)
"""The tables of the cache."""
_TIPS: Final = 40
"""Commits whose history was gone through that are kept, the latest ones."""
_TOGETHER: Final = 2_000

_Verdicts: TypeAlias = dict[str, frozenset[bytes]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Revocations:
    """`first` is called before all of a history is read."""

    directory: Path
    cache: CacheFile
    first: Callable[[], object]

    def struck(self, base: Revision, keys: AbstractSet[bytes]) -> set[bytes]:
        """Of these keys' identities, those that a revision up to the base revoked. SourceError, CacheError."""
        wanted = tuple(keys)

        def known(rows: sqlite3.Connection) -> list[tuple[bytes, str]] | None:
            walked = rows.execute("SELECT 1 FROM walked WHERE commit_id = ?", (base.commit.id,)).fetchone()
            return None if walked is None else _told(rows, wanted)

        def brought(rows: sqlite3.Connection) -> list[tuple[bytes, str]]:
            self._bring(rows, base)
            return _told(rows, wanted)

        found = self.cache.run(known, write=False)
        if found is None:
            found = self.cache.run(brought, write=True)
        there = present(self.directory, {commit for _, commit in found})
        return {key for key, commit in found if commit in there and base.contains(commit)}

    def _bring(self, rows: sqlite3.Connection, base: Revision) -> None:
        tips = [commit for (commit,) in rows.execute("SELECT commit_id FROM walked")]
        tips = sorted(present(self.directory, tips))
        if not tips:
            self.first()
        verdicts: _Verdicts = {}
        stream = states(self.directory, base.root, base.commit.id, tips)
        while some := list(itertools.islice(stream, _TOGETHER)):
            _judge(base, [(path, tree) for _, path, *both in some for tree in both if tree], verdicts)
            for commit, _, old, new in some:
                came = verdicts.get(new, frozenset()) - verdicts.get(old, frozenset())
                rows.executemany("INSERT OR IGNORE INTO revoked VALUES (?, ?)", [(key, commit) for key in came])
        if not is_shallow(self.directory):
            rows.execute("INSERT OR IGNORE INTO walked (commit_id) VALUES (?)", (base.commit.id,))
            rows.execute(
                "DELETE FROM walked WHERE number <= (SELECT max(number) FROM walked) - ?",
                (_TIPS,),
            )


def _told(rows: sqlite3.Connection, keys: Iterable[bytes]) -> list[tuple[bytes, str]]:
    query = "SELECT key, commit_id FROM revoked WHERE key = ?"
    return [found for key in keys for found in rows.execute(query, (key,))]


def _judge(base: Revision, places: list[tuple[str, str]], verdicts: _Verdicts) -> None:
    """Read folders' states that have not been read yet; `verdicts` are the revoked keys by tree."""
    fresh = {tree: path for path, tree in places if tree not in verdicts}
    folders = (one for one in base.read(base.at((path, tree) for tree, path in fresh.items())))
    read: Iterator[Folder] = (one for one in folders if isinstance(one, Folder))
    for tree, folder in zip(fresh, read, strict=True):
        verdicts[tree] = _revoked(folder)


def _revoked(folder: Folder) -> frozenset[bytes]:
    # Another spelling of the word has a backslash in it.
    if not any(b"revoked" in file.data or b"\\" in file.data for file in folder.files.values()):
        return frozenset()
    keyset = read_keyset(folder).keyset
    return frozenset(identity(key.jwk) for key in (() if keyset is None else keyset.keys) if key.revoked is not None)
