"""Options that several commands share, and the edges that they build: the source, the instant, the store."""

import contextlib
import functools
import os
import signal
import threading
from collections.abc import Callable, Coroutine, Iterable, Iterator
from concurrent.futures import Executor
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar

import click

from publisher.against import Against, against
from publisher.checking import Times
from publisher.cli.console import Console
from publisher.fields import Instant, Reading
from publisher.git import open_revision, toplevel, uncommitted
from publisher.source import Revision, Source, SourceError
from publisher.store import Store
from publisher.worktree import open_worktree

Result = TypeVar("Result")
Command = TypeVar("Command", bound=Callable[..., Any])

ENV = "JWKS_PUBLISHER_"


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What a command is to read, as of when, and with how many processes. `clock` is the only reading of the clock."""

    repo: Path
    keysets: str
    rev: str | None
    now: datetime
    clock: datetime
    jobs: int

    @property
    def times(self) -> Times:
        """For documents as of `now`, from files that are valid today."""
        return Times(served=self.now, checked=max(self.now, self.clock))

    def working_tree(self) -> Source:
        """The key sets as they lie in the working tree, also where that is in no repository."""
        return open_worktree(toplevel(self.repo) or self.repo.resolve(), self.keysets)

    def revision(self, console: Console) -> Revision:
        """The key sets of a revision, HEAD by default; then changes that are not committed are pointed out."""
        source = open_revision(self.repo, self.keysets, self.rev or "HEAD")
        with contextlib.suppress(SourceError):  # a bare repository has no working tree to differ
            if self.rev is None and uncommitted(self.repo, self.keysets):
                console.note(f"{self.keysets} has changes that are not committed; {source.label} is used without them")
        return source

    def start(self, base: str | None) -> Revision | None:
        """What a check compares with: the named revision, which may be from before there was such a folder; by default
        HEAD, for the working tree alone.

        None where there is nothing to compare with: no repository, no commit, no such folder in it yet.
        """
        if base is not None:
            return open_revision(self.repo, self.keysets, base, absent=True)
        if self.rev is not None or toplevel(self.repo) is None:
            return None
        try:
            return open_revision(self.repo, self.keysets, "HEAD")
        except SourceError as error:
            if error.usage:  # there is none yet; a repository that cannot be read is another matter
                return None
            raise

    def against(self, source: Source, base: str | None = None, more: Iterable[str] = ()) -> Against | None:
        """`source` compared with what `start` tells."""
        start = self.start(base)
        return None if start is None else against(self.repo, start, source, more)

    def tree_or_revision(self, console: Console) -> Source:
        """The working tree, or the revision where one is named."""
        return self.working_tree() if self.rev is None else self.revision(console)


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where a store is. `url` is None where none is named."""

    url: str | None
    endpoint_url: str | None

    def open(self) -> Store:
        """The store; a usage error where the URL is none."""
        from publisher.stores import open_store

        if self.url is None:
            message = "give --store URL (or JWKS_PUBLISHER_STORE), as file:///srv/jwks or s3://bucket/prefix"
            raise click.UsageError(message)
        try:
            return open_store(self.url, endpoint_url=self.endpoint_url)
        except ValueError as error:
            raise click.UsageError(str(error)) from None


class InstantType(click.ParamType[datetime]):
    """An RFC 3339 instant with a time zone, as in the key-set files."""

    name = "instant"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> datetime:
        """The instant in UTC."""
        moment = value if isinstance(value, datetime) else Reading(file="").read(Instant(), value, ())
        if not isinstance(moment, datetime):
            self.fail(f"{value!r} is not an instant with a time zone, as 2026-01-01T00:00:00Z", param, ctx)
        return moment


_LAST_YEAR = 9000
"""Of the present: times are added to it, and a datetime ends with the year 9999."""


class NowType(InstantType):
    """An instant that is taken for the present."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> datetime:
        """The instant in UTC."""
        moment = super().convert(value, param, ctx)
        if moment.year > _LAST_YEAR:
            self.fail(f"{value!r} is too far ahead: no later year than {_LAST_YEAR}", param, ctx)
        return moment


def option(*names: str, **settings: Any) -> Callable[[Command], Command]:
    """A click option that also comes from JWKS_PUBLISHER_<NAME>, and says so."""
    name = names[0].lstrip("-").upper().replace("-", "_")
    return click.option(*names, envvar=ENV + name, show_envvar=True, **settings)


_REPOSITORY = (
    option(
        "--repo",
        type=click.Path(path_type=Path, exists=True, file_okay=False),
        default=Path(),
        help="The Git repository, or a folder in it.  [default: this folder]",
    ),
    option("--keysets", default="keysets", show_default=True, help="The key sets' folder in it."),
    option("--rev", help="The Git revision to read."),
)
_TIMES = (
    option("--now", type=NowType(), help="Time to reckon with, as 2026-01-01T00:00:00Z.  [default: the clock]"),
    option(
        "--jobs",
        type=click.IntRange(1, 64),
        default=min(os.cpu_count() or 1, 8),
        help="Parallel processes for many tenants.  [default: the cores, at most 8]",
    ),
)
_SOURCE = (*_REPOSITORY, *_TIMES)
_STORE = (
    option("--store", metavar="URL", help="file:///dir, s3://bucket/prefix, gs://..., az://..."),
    option("--endpoint-url", metavar="URL", help="The endpoint of an S3-compatible server."),
)
format_option = option(
    "--format",
    "form",
    type=click.Choice(["text", "json"]),
    default="text",
    show_default=True,
    help="Format of the result.",
)


def source_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """--repo, --keysets, --rev, --now and --jobs; the command takes them as `asked`."""

    @functools.wraps(command)
    def wrapper(
        *arguments: Any, repo: Path, keysets: str, rev: str | None, now: datetime | None, jobs: int, **others: Any
    ) -> Any:
        clock = datetime.now(UTC).replace(microsecond=0)
        asked = Asked(repo=repo, keysets=keysets, rev=rev, now=now or clock, clock=clock, jobs=jobs)
        return command(*arguments, asked=asked, **others)

    return _decorated(wrapper, _SOURCE)


def repository_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """--repo, --keysets and --rev, for commands that no instant matters to; the command takes them as `asked`."""

    @functools.wraps(command)
    def wrapper(*arguments: Any, repo: Path, keysets: str, rev: str | None, **others: Any) -> Any:
        clock = datetime.now(UTC).replace(microsecond=0)
        asked = Asked(repo=repo, keysets=keysets, rev=rev, now=clock, clock=clock, jobs=1)
        return command(*arguments, asked=asked, **others)

    return _decorated(wrapper, _REPOSITORY)


def released_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """--repo, --keysets, --now and --jobs, where the store says which revision is read; the command takes `asked`."""

    @functools.wraps(command)
    def wrapper(*arguments: Any, repo: Path, keysets: str, now: datetime | None, jobs: int, **others: Any) -> Any:
        clock = datetime.now(UTC).replace(microsecond=0)
        asked = Asked(repo=repo, keysets=keysets, rev=None, now=now or clock, clock=clock, jobs=jobs)
        return command(*arguments, asked=asked, **others)

    return _decorated(wrapper, (*_REPOSITORY[:2], *_TIMES))


def store_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """--store and --endpoint-url; the command takes them as `place`."""

    @functools.wraps(command)
    def wrapper(*arguments: Any, store: str | None, endpoint_url: str | None, **others: Any) -> Any:
        return command(*arguments, place=Place(url=store, endpoint_url=endpoint_url), **others)

    return _decorated(wrapper, _STORE)


def _decorated(command: Callable[..., Any], options: tuple[Callable[..., Any], ...]) -> Callable[..., Any]:
    for decorate in reversed(options):
        command = decorate(command)
    return command


def refuse_bad_address(via: str) -> None:
    """A usage error where `--via` is no base URL."""
    from publisher.edge import address  # aiohttp takes its time, and most commands need none of it
    from publisher.reply import FetchFault

    try:
        address(via, "domain.example")
    except FetchFault as fault:
        raise click.UsageError(f"--via: {fault}") from None


def pass_console(command: Callable[..., Any]) -> Callable[..., Any]:
    """Give the command its console as first argument."""

    @click.pass_obj
    @functools.wraps(command)
    def wrapper(console: Console, /, *arguments: Any, **settings: Any) -> Any:
        return command(console, *arguments, **settings)

    return wrapper


@contextmanager
def workers(jobs: int) -> Iterator[Callable[[], Executor | None]]:
    """What starts processes for the work on tenants, when there is enough of it; they end with the context."""
    with contextlib.ExitStack() as stack:

        def start() -> Executor | None:
            if jobs == 1:
                return None
            import multiprocessing  # with asyncio the slowest of all that few commands need
            from concurrent.futures import ProcessPoolExecutor

            try:
                pool = ProcessPoolExecutor(jobs, multiprocessing.get_context("spawn"), initializer=_follow_parent)
            except OSError:  # no shared memory for semaphores, as in some containers: one process does it all
                return None
            stack.callback(pool.shutdown, cancel_futures=True)
            # Ctrl-C reaches every process of the terminal; it is for this one alone, also while the others start. And
            # nothing may end this one in the middle of a start, which the other would complain of.
            before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT, signal.SIGTERM})
            try:
                for _ in range(jobs):
                    pool.submit(os.getpid)
            finally:
                signal.pthread_sigmask(signal.SIG_SETMASK, before)
            return pool

        yield start


def _follow_parent() -> None:
    """End with the parent process, however that ended: an orphan would hold its streams open for ever."""
    import multiprocessing

    parent = multiprocessing.parent_process()
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGTERM})

    def wait() -> None:
        if parent is not None:
            parent.join()
        os._exit(1)

    threading.Thread(target=wait, daemon=True).start()


def run(job: Coroutine[Any, Any, Result]) -> Result:
    """Run asynchronous work to its end."""
    import asyncio

    return asyncio.run(job)
