"""Files below one directory, by descriptors: no name is looked up through a symbolic link, and writes are atomic.

Every folder on the way is opened with O_NOFOLLOW, relative to the one before it, so that a link that somebody puts
inside the tree leads nowhere, whenever it is put there. (Path.resolve and a check leave a gap between the two.)
"""

import os
import stat
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from errno import EEXIST, EISDIR, ELOOP, ENOTEMPTY
from pathlib import Path

_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC


@contextmanager
def opened(root: Path) -> Iterator[int]:
    """A descriptor of the tree's root, which may itself be a symbolic link."""
    descriptor = os.open(root, _FOLDER)
    try:
        yield descriptor
    finally:
        os.close(descriptor)


@contextmanager
def folder(root: int, parts: Sequence[str], *, make: bool = False) -> Iterator[int]:
    """A descriptor of the folder at `parts`. `make` creates what is missing, durably.

    Raises FileNotFoundError, NotADirectoryError, and OSError(ELOOP) for a symbolic link on the way.
    """
    current = os.dup(root)
    try:
        for part in parts:
            deeper = _step(current, part, make=make)
            os.close(current)
            current = deeper
        yield current
    finally:
        os.close(current)


def read(root: int, parts: Sequence[str]) -> bytes | None:
    """The bytes of the file at `parts`, or None where there is no file.

    Raises OSError(ELOOP) for a symbolic link, OSError(EISDIR) for a device, a pipe or a socket.
    """
    try:
        with folder(root, parts[:-1]) as parent:
            # Without O_NONBLOCK, opening a named pipe waits for a writer.
            descriptor = os.open(parts[-1], os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, dir_fd=parent)
    except (FileNotFoundError, NotADirectoryError):
        return None
    try:
        mode = os.fstat(descriptor).st_mode
        if stat.S_ISDIR(mode):
            return None
        if not stat.S_ISREG(mode):
            raise OSError(EISDIR, os.strerror(EISDIR))
        with os.fdopen(descriptor, "rb", closefd=False) as file:
            return file.read()
    finally:
        os.close(descriptor)


def replace(root: int, parts: Sequence[str], data: bytes, *, scratch: str) -> int:
    """Put the bytes at `parts` in one step that lasts: a file in the folder `scratch`, fsync, rename, fsync.

    Returns when they were written by the file system's clock, in nanoseconds since 1970. The caller holds a lock: the
    name in `scratch` is always the same.
    """
    with folder(root, [scratch], make=True) as spare, folder(root, parts[:-1], make=True) as parent:
        descriptor = os.open("new", os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o666, dir_fd=spare)
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
            written = os.fstat(file.fileno()).st_mtime_ns
        os.rename("new", parts[-1], src_dir_fd=spare, dst_dir_fd=parent)
        os.fsync(parent)
    return written


def remove(root: int, parts: Sequence[str]) -> None:
    """Remove the file at `parts`, if there is one, and each folder above it that is empty then; on disk on return.

    A symbolic link in the file's place is removed itself. The caller holds a lock.
    """
    with suppress(FileNotFoundError, NotADirectoryError), folder(root, parts[:-1]) as parent:
        with suppress(IsADirectoryError):
            os.unlink(parts[-1], dir_fd=parent)
            os.fsync(parent)
        for depth in reversed(range(len(parts) - 1)):
            with folder(root, parts[:depth]) as above:
                try:
                    os.rmdir(parts[depth], dir_fd=above)
                except OSError as error:
                    if error.errno in (ENOTEMPTY, EEXIST):
                        return
                    raise
                os.fsync(above)


def clear(root: int, name: str) -> None:
    """Remove the files in a folder, which need not be there."""
    with suppress(FileNotFoundError), folder(root, [name]) as spare, os.scandir(spare) as leftovers:
        for leftover in list(leftovers):
            os.unlink(leftover.name, dir_fd=spare)


def names(descriptor: int, above: str) -> Iterator[str]:
    """`above` and the path of each plain file below a folder, as they come. Links are passed over."""
    with os.scandir(descriptor) as entries:
        for entry in entries:
            if entry.is_file(follow_symlinks=False):
                yield above + entry.name
            elif entry.is_dir(follow_symlinks=False):
                # One that has been removed meanwhile holds nothing.
                with suppress(FileNotFoundError), folder(descriptor, [entry.name]) as deeper:
                    yield from names(deeper, f"{above}{entry.name}/")


def _step(parent: int, name: str, *, make: bool) -> int:
    if make:
        with suppress(FileExistsError):
            os.mkdir(name, dir_fd=parent)
            os.fsync(parent)
    try:
        return os.open(name, _FOLDER | os.O_NOFOLLOW, dir_fd=parent)
    except NotADirectoryError:
        # Linux says so for a link too (open(2), O_DIRECTORY with O_NOFOLLOW).
        if stat.S_ISLNK(os.stat(name, dir_fd=parent, follow_symlinks=False).st_mode):
            raise OSError(ELOOP, os.strerror(ELOOP), name) from None
        raise
