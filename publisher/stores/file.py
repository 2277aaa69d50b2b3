"""Objects as plain files in a folder. obstore's local store has neither compare-and-swap nor headers, so this is ours.

    <root>/<key>                  the object's bytes, for people to look at and any web server to serve
    <root>/.headers/<key>.json    SHA-256 of a body -> the headers that belong to it
    <root>/.tmp/                  one file that is being written
    <root>/.lock                  one writer at a time (flock, which ends with its process, however that ends)

A write first puts the side file, with the headers of the old body and of the new one, then the body; each in one
rename, and each on disk before the next begins. So whatever body a reader finds, the side file describes it, and a
writer that dies leaves the old object or the new one. Where body and headers stay, or the headers alone change, the
one rename of the side file is the write. A body that is not described (edited by hand) has generic headers.
"""

import asyncio
import errno
import fcntl
import hashlib
import os
import threading
import time
from collections.abc import AsyncIterator, Generator, Iterator
from contextlib import ExitStack, contextmanager, suppress
from datetime import UTC, datetime, timedelta
from itertools import islice
from pathlib import Path
from typing import Any

import orjson

from publisher.diagnostic import clean
from publisher.store import CLOCK, CLOCK_BODY, Headers, Stored, StoreError, Trouble
from publisher.stores import tree
from publisher.stores.key import check_key, check_prefix, is_key

_HEADERS, _SCRATCH, _LOCK = ".headers", ".tmp", ".lock"
_GENERIC = Headers(content_type="application/octet-stream", cache_control="")
_PAGE = 1000
_READS = 1000
_LOCK_PAUSE = 0.01
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

_TROUBLES: dict[int, tuple[Trouble, str]] = {
    errno.EROFS: ("denied", "the file system is read-only; give a folder that can be written"),
    errno.EACCES: ("denied", "permission denied; give this user the right to read and write there"),
    errno.EPERM: ("denied", "permission denied; give this user the right to read and write there"),
    errno.ENOSPC: ("full", "no space is left on the device; make room"),
    errno.EDQUOT: ("full", "the disk quota is used up; make room"),
    errno.EFBIG: ("full", "the file is larger than this process may write; raise the limit"),
    errno.ENOTDIR: ("no-store", "a part of this path is a file and no folder; move it away, or give another folder"),
    errno.EEXIST: ("no-store", "a file is in the folder's place; move it away, or give another folder"),
    errno.ELOOP: ("broken", "a part of this path is a symbolic link, which is not followed; put the real one there"),
    errno.EISDIR: ("broken", "something else than a plain file is in this place; move it away"),
    errno.ENOTEMPTY: ("broken", "something else than a plain file is in this place; move it away"),
    errno.EBUSY: ("throttled", "the object changes faster than it can be read; try again"),
    errno.ENAMETOOLONG: ("broken", "the name is too long for this file system; use another"),
}


class FileStore:
    """A `Store` in a folder, which the first write makes. A folder that is not there yet is an empty store."""

    def __init__(self, root: Path, *, lock_tries: int = 3000) -> None:
        """`lock_tries`: how often to ask for the lock, 10 ms apart, while another process writes."""
        self._root = root
        self._lock_tries = lock_tries
        self._turn = threading.Lock()

    @property
    def url(self) -> str:
        """The store's address."""
        return self._root.as_uri()

    async def get(self, key: str) -> Stored | None:
        """The object, or None where there is none."""
        return await asyncio.to_thread(self._get, _parts(key))

    async def put(self, key: str, body: bytes, headers: Headers, *, replaces: str | None) -> str | None:
        """Write on a condition; see the protocol. On disk when it returns."""
        return await asyncio.to_thread(self._put, _parts(key), body, headers, replaces)

    async def delete(self, key: str) -> None:
        """Remove the object, if there is one, and the folders that this leaves empty."""
        await asyncio.to_thread(self._delete, _parts(key))

    async def keys(self, prefix: str) -> AsyncIterator[str]:
        """The keys under a prefix. Files whose names are no keys, and symbolic links, are left out."""
        check_prefix(prefix)
        files = self._files(_parts(prefix[:-1]))
        try:
            while page := await asyncio.to_thread(lambda: list(islice(files, _PAGE))):
                for key in page:
                    yield key
        finally:
            files.close()

    async def time(self) -> datetime:
        """The file system's clock, which is the server's where a network holds the folder."""
        return await asyncio.to_thread(self._time, _parts(CLOCK))

    def _get(self, parts: list[str]) -> Stored | None:
        with self._naming(parts):
            try:
                with tree.opened(self._root) as root:
                    return _read(root, parts)
            except FileNotFoundError:
                return None

    def _put(self, parts: list[str], body: bytes, headers: Headers, replaces: str | None) -> str | None:
        with self._naming(parts), self._writing() as root:
            current = _read(root, parts)
            if (current.token if current else None) != replaces:
                return None
            described = {_digest(body): headers}
            if current and current.body != body:
                described[_digest(current.body)] = current.headers
            tree.replace(root, _side(parts), _encode(described), scratch=_SCRATCH)
            if current is None or current.body != body:
                tree.replace(root, parts, body, scratch=_SCRATCH)
            return _token(body, headers)

    def _delete(self, parts: list[str]) -> None:
        with self._naming(parts):
            if not self._root.exists():
                return
            with self._writing() as root:
                # The body first: a side file alone is no object.
                tree.remove(root, parts)
                tree.remove(root, _side(parts))

    def _time(self, parts: list[str]) -> datetime:
        # Without a side file: nobody reads it, and the same bytes again would change nothing else.
        with self._naming(parts), self._writing() as root:
            written = tree.replace(root, parts, CLOCK_BODY, scratch=_SCRATCH)
        return _EPOCH + timedelta(microseconds=written // 1000)

    def _files(self, parts: list[str]) -> Generator[str, None, None]:
        with self._naming(parts), ExitStack() as stack:
            try:
                root = stack.enter_context(tree.opened(self._root))
            except FileNotFoundError:
                return
            try:
                start = stack.enter_context(tree.folder(root, parts))
            except (FileNotFoundError, NotADirectoryError):
                return
            yield from filter(is_key, tree.names(start, "/".join(parts) + "/"))

    @contextmanager
    def _writing(self) -> Iterator[int]:
        """The root's descriptor, while no other writer has it. What a dead writer left half-written is removed."""
        self._root.mkdir(parents=True, exist_ok=True)
        with self._turn, tree.opened(self._root) as root:
            flags = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC
            lock = os.open(_LOCK, flags, 0o666, dir_fd=root)
            try:
                self._take(lock)
                tree.clear(root, _SCRATCH)
                yield root
            finally:
                # Closing alone would leave it locked in a child process that has inherited the descriptor.
                with suppress(OSError):
                    fcntl.flock(lock, fcntl.LOCK_UN)
                os.close(lock)

    def _take(self, lock: int) -> None:
        for _ in range(self._lock_tries):
            with suppress(BlockingIOError):
                return fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            time.sleep(_LOCK_PAUSE)
        place = clean(str(self._root / _LOCK))
        raise StoreError("timeout", f"{place}: another process has been writing for too long; end it and try again")

    @contextmanager
    def _naming(self, parts: list[str]) -> Iterator[None]:
        """Turn an OSError into a line that names the path."""
        try:
            yield
        except OSError as error:
            trouble, text = _TROUBLES.get(
                error.errno or 0, ("broken", f"{error.strerror or type(error).__name__}; look at the disk")
            )
            raise StoreError(trouble, f"{clean(self._place(parts, error))}: {text}") from None

    def _place(self, parts: list[str], error: OSError) -> str:
        """The path in question: the one the system names, or the object's, with the part of it that is named."""
        place = self._root.joinpath(*parts)
        named = os.fspath(error.filename2 or error.filename or place)
        if named.startswith("/"):
            return named
        return str(place) if named == place.name else f"{place} (at `{named}`)"


def _parts(key: str) -> list[str]:
    check_key(key)
    parts = key.split("/")
    if parts[0] in (_HEADERS, _SCRATCH, _LOCK):
        raise ValueError(f"keys below {parts[0]} are the store's own")
    return parts


def _side(parts: list[str]) -> list[str]:
    return [_HEADERS, *parts[:-1], f"{parts[-1]}.json"]


def _read(root: int, parts: list[str]) -> Stored | None:
    """The object, whole. The side file is read before and after the body: equal, and no write came between."""
    before = tree.read(root, _side(parts))
    for _ in range(_READS):
        body = tree.read(root, parts)
        if body is None:
            return None
        after = tree.read(root, _side(parts))
        if after == before:
            headers = _decode(after).get(_digest(body), _GENERIC)
            return Stored(body=body, headers=headers, token=_token(body, headers))
        before = after
    raise OSError(errno.EBUSY, os.strerror(errno.EBUSY))


def _digest(body: bytes) -> str:
    return hashlib.sha256(body).hexdigest()


def _token(body: bytes, headers: Headers) -> str:
    return _digest(_encode({_digest(body): headers}))


def _encode(described: dict[str, Headers]) -> bytes:
    return orjson.dumps(
        {
            digest: {
                "content_type": headers.content_type,
                "cache_control": headers.cache_control,
                "metadata": dict(headers.metadata),
            }
            for digest, headers in described.items()
        },
        option=orjson.OPT_INDENT_2 | orjson.OPT_SORT_KEYS,
    )


def _decode(side: bytes | None) -> dict[str, Headers]:
    """What the side file describes: nothing, where it is missing or somebody has spoilt it."""
    try:
        found: Any = orjson.loads(side or b"{}")
        return {
            str(digest): Headers(
                content_type=str(headers["content_type"]),
                cache_control=str(headers["cache_control"]),
                metadata=tuple(sorted((str(name), str(value)) for name, value in headers["metadata"].items())),
            )
            for digest, headers in found.items()
        }
    except (orjson.JSONDecodeError, AttributeError, KeyError, TypeError):
        return {}
