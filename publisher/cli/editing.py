"""An edit of a tenant's keyset.yaml in the working tree: checked as a whole, shown, written at once or not at all."""

import contextlib
import difflib
import fcntl
import functools
import os
import shlex
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

import click

from publisher.cli.console import Console
from publisher.cli.load import load
from publisher.cli.options import Asked
from publisher.customkeys import Edited, digest
from publisher.diagnostic import Diagnostic, clean, ticked
from publisher.fleet import source_policy
from publisher.git import toplevel
from publisher.incoming import RefusedError
from publisher.keyset import KeySet, read_keyset
from publisher.overlay import Overlay
from publisher.policy import Policy
from publisher.publickey import PRIVATE
from publisher.report import counted
from publisher.rules.windows import instant
from publisher.source import KEYSET, Folder, Source
from publisher.timeline import phase


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """A tenant whose keyset.yaml could be read, perhaps with mistakes in it."""

    source: Source
    folder: Folder
    keyset: KeySet
    policy: Policy
    diagnostics: tuple[Diagnostic, ...]
    """What its files show to be wrong by themselves."""

    @property
    def path(self) -> str:
        """keyset.yaml, relative to the repository."""
        return f"{self.folder.path}/{KEYSET}"

    @property
    def data(self) -> bytes:
        """keyset.yaml as it is."""
        return self.folder.files[KEYSET].data


def find(console: Console, source: Source, tenant: str) -> Target:
    """The tenant. A usage error where there is none, or two; ends with the mistakes where its file says nothing."""
    wanted = (one for one in source.folders(lambda path: path.rsplit("/", 1)[-1] == tenant))
    folders = [one for one in wanted if isinstance(one, Folder) and one.name == tenant]
    if not folders:
        raise click.UsageError(f"there is no tenant {tenant!r} in {source.label}")
    if len(folders) > 1:
        places = " and ".join(clean(one.path) for one in folders)
        raise click.UsageError(f"there are two tenants {tenant!r}: {places}")
    read = read_keyset(folders[0])
    if read.keyset is None or folders[0].files[KEYSET].kind != "file":
        end_with(console, read.diagnostics, f"{folders[0].path}/{KEYSET} cannot be read")
    return Target(
        source=source,
        folder=folders[0],
        keyset=read.keyset,
        policy=source_policy(source)[0],
        diagnostics=read.diagnostics,
    )


def end_with(console: Console, diagnostics: tuple[Diagnostic, ...] | list[Diagnostic], why: str) -> NoReturn:
    """Tell mistakes, and end with exit code 1."""
    for one in diagnostics:
        console.finding(str(one))
    console.error(f"{why}: nothing was done")
    raise click.exceptions.Exit(1)


@contextlib.contextmanager
def refusals(console: Console) -> Iterator[None]:
    """An edit that cannot be made ends the command with exit code 1."""
    try:
        yield
    except RefusedError as error:
        console.error(f"{error}; nothing was done")
        raise click.exceptions.Exit(1) from None


def guard(console: Console, target: Target, if_match: str | None) -> None:
    """End where keyset.yaml is not the one that `--if-match` names."""
    if if_match is not None and if_match.lower() != digest(target.data):
        console.error(f"{target.path} is not what --if-match names, it has changed since; nothing was done")
        raise click.exceptions.Exit(1)


def carry_out(console: Console, asked: Asked, target: Target, edited: Edited, message: str, *, dry_run: bool) -> None:
    """Check what the edit would give, show it, write it, and say how to go on."""
    if edited.data == target.data:
        console.say(f"{clean(target.path)}: nothing to change")
        return
    found = mistakes(console, asked, target.source, target.folder, KEYSET, edited.data)
    if found:
        end_with(console, found, f"{counted(len(found), 'mistake')} in what {target.path} would become")
    show(console, target, target.path, target.data, edited.data)
    for key in edited.removed:
        state = phase(key, asked.now)
        if state in ("active", "retiring"):
            console.note(f"`{key.kid}` is {state}: a publish holds back what drops it (`explain drops-{state}-key`)")
    for given in edited.added:
        if any(key.kid == given.kid for key in edited.removed):
            console.note(f"`{given.kid}` now names another key, which verifiers cache wrongly (`explain kid-reused`)")
        if given.start is not None:
            console.note(f"sign with {ticked(given.kid)} from {instant(given.start)} on: then every verifier has it")
    if dry_run:
        return
    write(top(asked) / target.path, target.data, edited.data)
    go_on(console, asked, [target.path], message)


@functools.lru_cache(maxsize=1)
def top(asked: Asked) -> Path:
    """Where the files' paths begin: the working tree's top, or the folder that stands for it."""
    return toplevel(asked.repo) or asked.repo.resolve()


def go_on(console: Console, asked: Asked, paths: Sequence[str], message: str) -> None:
    """Print the git commands that come next."""
    git = "git" if Path.cwd() == top(asked) else f"git -C {shlex.quote(str(top(asked)))}"
    console.say("")
    console.say(clean(f"{git} add {shlex.join(paths)}"))
    console.say(clean(f"{git} commit -m {shlex.quote(message)}"))


def mistakes(
    console: Console, asked: Asked, source: Source, folder: Folder, name: str, data: bytes
) -> list[Diagnostic]:
    """What `check` would say with the file `name` of a tenant as `data`; of other tenants, what is new by that."""
    overlay = Overlay(base=source, path=folder.path, name=name, data=data)
    base = asked.against(overlay, more=[f"{folder.path}/{name}"])
    after = load(console, overlay, asked.times, asked.jobs, lambda _: None, base).diagnostics
    policy = {one.path for one in source_policy(source)[1]}
    own = [one for one in after if one.path.startswith(f"{folder.path}/") or one.path in policy]
    others = set(after) - set(own)
    if others:
        others -= set(load(console, source, asked.times, asked.jobs, lambda _: None, base).diagnostics)
    return sorted({*own, *others})


def show(console: Console, target: Target, path: str, before: bytes, after: bytes) -> None:
    """The difference of one of a tenant's files; but not where they hold a private key, which its lines would show."""
    if any(one.rule == PRIVATE.id for one in target.diagnostics):
        console.say(f"{clean(target.folder.path)} holds a private key, so that the difference is not shown")
        return
    show_diff(console, path, before, after)


def show_diff(console: Console, path: str, before: bytes, after: bytes) -> None:
    """The difference, as `git diff` shows it."""
    old, new = (data.decode("utf-8").splitlines() for data in (before, after))
    for line in difflib.unified_diff(old, new, f"a/{path}", f"b/{path}", lineterm=""):
        console.say(clean(line))


def write(path: Path, before: bytes | None, after: bytes) -> None:
    """The whole file or nothing, with its mode; only where it still is what was read, or (None) is not there.

    Of several runs at once, one writes and the others are refused.
    """
    mode = 0o644 if before is None else path.lstat().st_mode & 0o7777
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=".keyset-")
    temporary = Path(name)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(after)
            file.flush()
            os.fchmod(file.fileno(), mode)
            os.fsync(file.fileno())
        with _alone(path.parent):
            there = path.is_symlink() or path.exists()
            if there if before is None else path.is_symlink() or not there or path.read_bytes() != before:
                raise RefusedError(f"{clean(str(path))} was changed by somebody else meanwhile")
            temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


@contextlib.contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """While no other run of the program writes in this folder; some network file systems cannot tell."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        with contextlib.suppress(OSError):
            fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)
