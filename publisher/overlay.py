"""A source with one file replaced: key sets as they would be, to be checked before anything is written."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

from publisher.diagnostic import Finding
from publisher.source import Commit, File, Folder, Source


@dataclass(frozen=True, slots=True, kw_only=True)
class Overlay:
    """A `Source`: `base`, but that the file `name` of the folder `path` holds `data`."""

    base: Source
    path: str
    name: str
    data: bytes

    @property
    def label(self) -> str:
        """For people."""
        return f"{self.base.label} with the edit"

    @property
    def root(self) -> str:
        """As the base's."""
        return self.base.root

    @property
    def commit(self) -> Commit | None:
        """None: this is in no commit."""
        return None

    def policy(self) -> File | None:
        """As the base's."""
        return self.base.policy()

    def waivers(self) -> File | None:
        """As the base's."""
        return self.base.waivers()

    def folders(self, wanted: Callable[[str], bool] | None = None) -> Iterator[Folder | Finding]:
        """As the base's, with the file replaced."""
        for one in self.base.folders(wanted):
            if isinstance(one, Folder) and one.path == self.path:
                files = {**one.files, self.name: File(kind="file", data=self.data)}
                yield replace(one, tree=None, files=files)
            else:
                yield one
