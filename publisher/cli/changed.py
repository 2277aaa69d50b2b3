"""`check --changed`: the tenants that differ from a base alone, with an index for what they claim from all others."""

import contextlib
import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import click

from publisher import __version__
from publisher.against import Against, compared
from publisher.cachefile import CacheFile
from publisher.changed import Change, open_change
from publisher.checking import Times
from publisher.cli.console import Console
from publisher.cli.load import Loaded, load
from publisher.cli.options import Asked, option, workers
from publisher.git import open_revision
from publisher.githistory import common_directory
from publisher.owners import OWNERS, Owners
from publisher.revocations import REVOCATIONS, Revocations
from publisher.source import Revision

cache_option = option(
    "--cache",
    type=click.Path(path_type=Path, file_okay=False),
    help="Where the index of all tenants is kept.  [default: jwks-publisher in the Git directory]",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Indexed:
    """What is known of all tenants of a commit, and of its history, without reading them."""

    owners: Owners
    revocations: Revocations


@dataclass(frozen=True, slots=True, kw_only=True)
class Checked:
    """The changed tenants, and what they were compared with."""

    change: Change
    against: Against
    loaded: Loaded


@contextmanager
def indexed(console: Console, asked: Asked, cache: Path | None) -> Iterator[Indexed]:
    """The index; nothing is read or made before it is asked.

    By default it lies in the repository's own folder: it goes with the clone, all working trees share it, and whoever
    may write there may change the history as well.
    """
    folder = cache or common_directory(asked.repo) / "jwks-publisher"
    name = hashlib.sha256(asked.keysets.encode()).hexdigest()[:16]
    file = CacheFile(
        folder / f"{name}.sqlite", (*OWNERS, *REVOCATIONS), f"{__version__} 1 {asked.keysets}", console.note
    )
    with contextlib.closing(file), workers(asked.jobs) as start:
        yield Indexed(
            owners=Owners(
                directory=asked.repo,
                cache=file,
                start=start,
                first=lambda: console.note("reading all tenants of the base into an index, once"),
                progress=lambda: console.progress("tenants of the base"),
            ),
            revocations=Revocations(
                directory=asked.repo,
                cache=file,
                first=lambda: console.note("reading the history's revocations into the index, once"),
            ),
        )


def check_changed(console: Console, asked: Asked, base: Revision, cache: Path | None) -> Checked | None:
    """Read and check the tenants that differ from the base; None where policy.yaml differs, which is for all."""
    head = None if asked.rev is None else open_revision(asked.repo, asked.keysets, asked.rev)
    change = open_change(asked.repo, asked.keysets, base, head)
    if change.policy:
        return None
    with indexed(console, asked, cache) as index:
        against = compared(asked.repo, change, index.revocations.struck)
        loaded = load(
            console,
            change.after,
            Times(served=asked.now, checked=asked.now),
            asked.jobs,
            lambda _: None,
            against,
            lambda held: index.owners.conflicts(base, against, held),
        )
    return Checked(change=change, against=against, loaded=loaded)
