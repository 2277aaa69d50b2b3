"""Commits in memory: what a Git revision gives, without its time. Real ones are in `repos`."""

import hashlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime

from strategies import Tenant

from publisher.diagnostic import Finding
from publisher.source import Commit, File, Folder, Listing, SourceError

ROOT = "keysets"
POLICY_TEXT = 'version: 1\ncanonical_domain: "{tenant}.idp.example"\n'


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """A commit. `trees` are the files of all folders ever, by tree id; `past` its own id and those it descends from."""

    commit: Commit
    listings: tuple[Listing, ...]
    policy_file: File
    tree: str
    trees: Mapping[str, Mapping[str, File]]
    past: frozenset[str]
    root: str = ROOT
    waivers_file: File | None = None

    @property
    def label(self) -> str:
        return f"commit {self.commit.id[:12]}"

    def policy(self) -> File:
        return self.policy_file

    def waivers(self) -> File | None:
        return self.waivers_file

    def folders(self, wanted: Callable[[str], bool] | None = None) -> Iterator[Folder | Finding]:
        return self.read(one for one in self.listings if wanted is None or wanted(one.path))

    def listed(self) -> Iterator[Listing | Finding]:
        return iter(self.listings)

    def read(self, items: Iterable[Listing | Finding]) -> Iterator[Folder | Finding]:
        for one in items:
            if isinstance(one, Finding):
                yield one
            else:
                assert one.tree is not None
                yield Folder(path=one.path, tree=one.tree, files=self.trees[one.tree])

    def at(self, places: Iterable[tuple[str, str]]) -> Iterator[Listing]:
        for path, tree in places:
            if tree not in self.trees:
                raise SourceError(f"this clone lacks {tree}", usage=True)
            yield Listing(path=path, tree=tree, files=())

    def contains(self, commit_id: str) -> bool:
        return commit_id in self.past


@dataclass(slots=True, kw_only=True)
class History:
    """Makes commits, each on top of the one before, or on a given parent."""

    trees: dict[str, Mapping[str, File]] = field(default_factory=dict)
    last: Snapshot | None = None
    count: int = 0

    def commit(
        self,
        *tenants: Tenant | tuple[str, Mapping[str, str]],
        policy: str = POLICY_TEXT,
        on: Snapshot | None = None,
        waivers: str = "",
    ) -> Snapshot:
        """A commit with these tenants, or with these texts of files by tenant."""
        self.count += 1
        parent = on or self.last
        named = [(one.name, one.files()) if isinstance(one, Tenant) else one for one in tenants]
        listings = tuple(sorted((self._listing(*one) for one in named), key=lambda one: one.path))
        whole = "".join(f"{one.path}\0{one.tree}\n" for one in listings) + policy + waivers
        commit_id = _digest(f"{self.count} {whole}")
        self.last = Snapshot(
            commit=Commit(
                id=commit_id,
                time=datetime(2026, 1, 1, tzinfo=UTC),
                author="Ann <ann@acme.example>",
                subject=f"Change number {self.count}",
            ),
            listings=listings,
            policy_file=File(kind="file", data=policy.encode()),
            waivers_file=File(kind="file", data=waivers.encode()) if waivers else None,
            tree=_digest(whole),
            trees=self.trees,
            past=frozenset({commit_id} | (parent.past if parent is not None else frozenset())),
        )
        return self.last

    def _listing(self, name: str, texts: Mapping[str, str]) -> Listing:
        files = {path: File(kind="file", data=text.encode()) for path, text in texts.items()}
        tree = _digest("".join(f"{path}\0{text}\0" for path, text in sorted(texts.items())))
        self.trees[tree] = files
        return Listing(path=f"{ROOT}/{name}", tree=tree, files=tuple((path, "file", None) for path in sorted(files)))


def _digest(text: str) -> str:
    return hashlib.sha1(text.encode(), usedforsecurity=False).hexdigest()
