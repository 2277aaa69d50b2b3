"""Folders and files for one user alone: nobody else may read them, whatever the umask, and Git never sees them.

Folders are opened one in the other by descriptor and without following links, apart from the vault's own, which may be
named through one. Nothing here knows what the files hold.
"""

import errno
import fcntl
import os
import stat
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from publisher.diagnostic import clean
from publisher.vault import VaultError

_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC
_SCRATCH = ".new"
LOCK = ".lock"
"""The file in each folder that tells whose turn it is."""

_LOCK_TRIES, _LOCK_PAUSE = 3000, 0.01
_MEANINGS = {
    errno.EACCES: "permission denied; give this user the right to read and write there",
    errno.EPERM: "permission denied; give this user the right to read and write there",
    errno.EROFS: "the file system is read-only; give a folder that can be written",
    errno.ENOSPC: "no space is left on the device; make room",
    errno.EDQUOT: "the disk quota is used up; make room",
    errno.ENOTDIR: "something else than a folder, or a symbolic link, is in this place; move it away",
    errno.ELOOP: "a symbolic link is in this place, which is not followed; put the real one there",
    errno.ENOENT: "there is no such folder; make it, or correct the path",
}


def refuse_git(place: Path) -> None:
    """Raise VaultError where the path, with its links followed, is in a Git working tree or a bare repository."""
    real = place.resolve()
    for folder in (real, *real.parents):
        bare = (folder / "HEAD").is_file() and (folder / "objects").is_dir() and (folder / "refs").is_dir()
        if bare or os.path.lexists(folder / ".git"):
            where = f"{clean(str(place))}: this is in the Git repository {clean(str(folder))}"
            raise VaultError(f"{where}, where private keys have no place; give a folder outside of it")


@contextmanager
def naming(place: Path) -> Iterator[None]:
    """Turn an OSError into a line that names the path."""
    try:
        yield
    except OSError as error:
        text = _MEANINGS.get(error.errno or 0, f"{error.strerror or type(error).__name__}; look at the disk")
        raise VaultError(f"{clean(str(place))}: {text}") from None


@contextmanager
def root(place: Path, *, make: bool) -> Iterator[int]:
    """A descriptor of the vault's own folder. `make` makes it where the folder above is there."""
    if make and _made(None, str(place)):
        with _closing(os.open(place.parent, _FOLDER)) as parent:
            os.fsync(parent)
    with _closing(os.open(place, _FOLDER)) as descriptor:
        _refuse_others(os.fstat(descriptor), place)
        yield descriptor


@contextmanager
def inner(above: int, name: str, place: Path, *, make: bool) -> Iterator[int]:
    """A descriptor of a folder in another one. `place` is its path, for people."""
    if make:
        _made(above, name)
        os.fsync(above)  # also where a run that was killed has made it
    with _closing(os.open(name, _FOLDER | os.O_NOFOLLOW, dir_fd=above)) as descriptor:
        _refuse_others(os.fstat(descriptor), place)
        yield descriptor


@contextmanager
def locked(folder: int, place: Path) -> Iterator[None]:
    """While no other process has this folder. What one that died has left half-written is removed."""
    with _closing(_created(folder, LOCK, os.O_RDWR | os.O_CREAT)) as lock:
        for _ in range(_LOCK_TRIES):
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                time.sleep(_LOCK_PAUSE)
        else:
            raise VaultError(f"{clean(str(place))}: another process has been at work there for too long; end it")
        with suppress(FileNotFoundError):
            os.unlink(_SCRATCH, dir_fd=folder)
        yield


def read(folder: int, name: str, place: Path) -> bytes | None:
    """The bytes of a file, or None where there is none. VaultError where others can read it, or it is no plain file."""
    try:
        # Without O_NONBLOCK, opening a named pipe waits for a writer.
        descriptor = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, dir_fd=folder)
    except FileNotFoundError:
        return None
    with _closing(descriptor):
        _refuse_file(os.fstat(descriptor), place)
        with os.fdopen(descriptor, "rb", closefd=False) as file:
            return file.read()


def check(folder: int, name: str, place: Path) -> None:
    """Raise VaultError where others than this user can read a file, or it is no plain file."""
    _refuse_file(os.stat(name, dir_fd=folder, follow_symlinks=False), place)


def write(folder: int, name: str, data: bytes) -> None:
    """Put a file there in one step, and on disk on return. The caller holds the lock."""
    with _closing(_created(folder, _SCRATCH, os.O_WRONLY | os.O_CREAT | os.O_EXCL)) as descriptor:
        with os.fdopen(descriptor, "wb", closefd=False) as file:
            file.write(data)
        os.fsync(descriptor)
    os.rename(_SCRATCH, name, src_dir_fd=folder, dst_dir_fd=folder)
    os.fsync(folder)


def mark(folder: int, name: str) -> None:
    """Put an empty file there."""
    os.close(_created(folder, name, os.O_WRONLY | os.O_CREAT))


def _created(folder: int, name: str, flags: int) -> int:
    descriptor = os.open(name, flags | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600, dir_fd=folder)
    os.fchmod(descriptor, 0o600)  # whatever the umask took away
    return descriptor


def _made(above: int | None, name: str) -> bool:
    try:
        os.mkdir(name, 0o700, dir_fd=above)
    except FileExistsError:
        return False
    os.chmod(name, 0o700, dir_fd=above)
    return True


def _refuse_file(state: os.stat_result, place: Path) -> None:
    if not stat.S_ISREG(state.st_mode):
        raise VaultError(f"{clean(str(place))}: this is no plain file; move it away")
    _refuse_others(state, place)


def _refuse_others(state: os.stat_result, place: Path) -> None:
    if state.st_uid != os.geteuid():
        raise VaultError(f"{clean(str(place))}: this belongs to another user; run as its owner, or change the owner")
    if state.st_mode & 0o077:
        wanted = f"chmod {'700' if stat.S_ISDIR(state.st_mode) else '600'}"
        raise VaultError(f"{clean(str(place))}: others than its owner have rights there; `{wanted}` takes them away")


@contextmanager
def _closing(descriptor: int) -> Iterator[int]:
    try:
        yield descriptor
    finally:
        os.close(descriptor)
