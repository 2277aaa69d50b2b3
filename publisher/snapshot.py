"""Key sets in memory as a revision, so that what is in no commit, or only a part of one, can be planned with.

Its ids stand for content as Git's do, and are none of Git's: two snapshots are alike where their files are.
"""

import hashlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace

from publisher.diagnostic import Finding
from publisher.source import Commit, File, Folder, Listing, Revision


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """A `Revision` of these folders, by path. `behind` gives the folders of earlier commits, where one is asked."""

    label: str
    root: str
    commit: Commit
    held: Mapping[str, Folder]
    policy_file: File | None
    findings: tuple[Finding, ...] = ()
    behind: Revision | None = field(default=None, compare=False)

    @property
    def tree(self) -> str:
        """Stands for all of it."""
        parts = [_file_id("", File(kind="file", data=b"") if self.policy_file is None else self.policy_file)]
        return _digest([*parts, *(f"{path} {folder.tree}" for path, folder in sorted(self.held.items()))])

    def policy(self) -> File | None:
        """policy.yaml."""
        return self.policy_file

    def waivers(self) -> File | None:
        """None: whoever plans with a part of a revision says which waivers count."""
        return None

    def folders(self, wanted: Callable[[str], bool] | None = None) -> Iterator[Folder | Finding]:
        """The folders, in Git's order of trees."""
        yield from self.findings
        yield from (self.held[path] for path in self._paths() if wanted is None or wanted(path))

    def listed(self) -> Iterator[Listing | Finding]:
        """The same, before they are read."""
        yield from self.findings
        for path in self._paths():
            files = tuple((name, file.kind, None) for name, file in self.held[path].files.items())
            yield Listing(path=path, tree=self.held[path].tree, files=files)

    def _paths(self) -> list[str]:
        return sorted(self.held, key=lambda path: f"{path}/")

    def read(self, items: Iterable[Listing | Finding]) -> Iterator[Folder | Finding]:
        """Listed folders; what is not of this snapshot is of an earlier commit."""
        for item in items:
            if isinstance(item, Finding):
                yield item
            elif (held := self.held.get(item.path)) is not None and held.tree == item.tree:
                yield held
            elif self.behind is not None:
                yield from self.behind.read([item])

    def at(self, places: Iterable[tuple[str, str]]) -> Iterator[Listing]:
        """As earlier commits had them."""
        return iter(()) if self.behind is None else self.behind.at(places)

    def contains(self, commit_id: str) -> bool:
        """Whether it descends from a commit."""
        return self.behind is not None and self.behind.contains(commit_id)


def snapshot(
    label: str,
    root: str,
    commit: Commit,
    folders: Iterable[Folder | Finding],
    policy_file: File | None,
    behind: Revision | None = None,
) -> Snapshot:
    """A snapshot of folders, and of what is wrong with files. Folders without an id get one by their content."""
    held: dict[str, Folder] = {}
    findings: list[Finding] = []
    for one in folders:
        if isinstance(one, Finding):
            findings.append(one)
        else:
            held[one.path] = one if one.tree is not None else replace(one, tree=_folder_id(one))
    return Snapshot(
        label=label,
        root=root,
        commit=commit,
        held=held,
        policy_file=policy_file,
        findings=tuple(findings),
        behind=behind,
    )


def _folder_id(folder: Folder) -> str:
    return _digest(_file_id(name, file) for name, file in sorted(folder.files.items()))


def _file_id(name: str, file: File) -> str:
    return f"{name}\0{file.kind}\0{hashlib.sha256(file.data).hexdigest()}"


def _digest(parts: Iterable[str]) -> str:
    return hashlib.sha256("\0".join(parts).encode("utf-8", "surrogatepass")).hexdigest()
