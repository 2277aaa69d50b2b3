"""Options that several commands share, and the edges that they build: the source, the instant, the store."""

import asyncio
import contextlib
import functools
import multiprocessing
import os
import signal
from collections.abc import Callable, Coroutine, Iterator
from concurrent.futures import Executor, ProcessPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar

import click

from publisher.cli.console import Console
from publisher.fields import INSTANT, Instant, Reading
from publisher.git import open_revision, toplevel, uncommitted
from publisher.source import Source, SourceError
from publisher.store import Store
from publisher.worktree import open_worktree

Result = TypeVar("Result")
Command = TypeVar("Command", bound=Callable[..., Any])

ENV = "JWKS_PUBLISHER_"


class InstantType(click.ParamType[datetime]):
    """An RFC 3339 instant with a time zone."""

    name = "instant"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> datetime:
        """Read as the key-set files are read."""
        if isinstance(value, datetime):
            return value
        moment = Reading(file="").read(Instant(), value, ())
        if moment is None:
            self.fail(f"{value!r} is not an instant with a time zone, as 2026-01-01T00:00:00Z", param, ctx)
        assert isinstance(moment, datetime), INSTANT.id  # noqa: S101
        return moment


def option(*names: str, **settings: Any) -> Callable[[Command], Command]:
    """A click option that also comes from JWKS_PUBLISHER_<NAME>, and says so."""
    name = names[0].lstrip("-").upper().replace("-", "_")
    return click.option(*names, envvar=ENV + name, show_envvar=True, **settings)


repo_option = option(
    "--repo",
    type=click.Path(path_type=Path, exists=True, file_okay=False),
    default=Path(),
    help="The Git repository, or a folder in it.  [default: this folder]",
)
keysets_option = option("--keysets", default="keysets", show_default=True, help="The key sets' folder in it.")
rev_option = option("--rev", help="The Git revision to read.")
now_option = option(
    "--now", type=InstantType(), help="The instant to reckon with, as 2026-01-01T00:00:00Z.  [default: the clock]"
)
jobs_option = option(
    "--jobs",
    type=click.IntRange(1, 64),
    default=min(os.cpu_count() or 1, 8),
    help="Processes for many tenants.  [default: the cores, at most 8]",
)
store_option = option("--store", metavar="URL", help="file:///dir, s3://bucket/prefix, gs://..., az://...")
endpoint_option = option("--endpoint-url", metavar="URL", help="The endpoint of an S3-compatible server.")
format_option = option(
    "--format", "form", type=click.Choice(["text", "json"]), default="text", show_default=True, help="Of the result."
)


def source_options(command: Command) -> Command:
    """--repo, --keysets, --rev, --now and --jobs."""
    for decorate in reversed((repo_option, keysets_option, rev_option, now_option, jobs_option)):
        command = decorate(command)
    return command


def working_tree(repo: Path, keysets: str) -> Source:
    """The key sets as they lie in the working tree, also where that is in no repository."""
    return open_worktree(toplevel(repo) or repo.resolve(), keysets)


def revision(console: Console, repo: Path, keysets: str, rev: str | None) -> Source:
    """The key sets of a revision, HEAD by default; then uncommitted changes are pointed out, as they do not count."""
    source = open_revision(repo, keysets, rev or "HEAD")
    with contextlib.suppress(SourceError):  # a bare repository has no working tree to differ
        if rev is None and uncommitted(repo, keysets):
            console.note(f"{keysets} has changes that are not committed; {source.label} is used without them")
    return source


def clock(now: datetime | None) -> datetime:
    """The instant to reckon with."""
    return now if now is not None else datetime.now(UTC).replace(microsecond=0)


@contextmanager
def workers(jobs: int) -> Iterator[Executor | None]:
    """Processes for the work on tenants; they start when the first work is handed to them."""
    if jobs == 1:
        yield None
        return
    pool = ProcessPoolExecutor(jobs, multiprocessing.get_context("spawn"), initializer=_ignore_interrupts)
    try:
        yield pool
    finally:
        pool.shutdown(cancel_futures=True)


def _ignore_interrupts() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)


def open_store(url: str | None, endpoint_url: str | None) -> Store:
    """The store at a URL; a usage error where it is none."""
    from publisher.stores import open_store as open_url

    if url is None:
        raise click.UsageError("give --store URL (or JWKS_PUBLISHER_STORE), as file:///srv/jwks or s3://bucket/prefix")
    try:
        return open_url(url, endpoint_url=endpoint_url)
    except ValueError as error:
        raise click.UsageError(str(error)) from None


def run(job: Coroutine[Any, Any, Result]) -> Result:
    """Run asynchronous work to its end."""
    return asyncio.run(job)


def pass_console(command: Callable[..., Any]) -> Callable[..., Any]:
    """Give the command its console as first argument."""

    @click.pass_obj
    @functools.wraps(command)
    def wrapper(console: Console, /, *arguments: Any, **settings: Any) -> Any:
        return command(console, *arguments, **settings)

    return wrapper
