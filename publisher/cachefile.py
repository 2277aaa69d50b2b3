"""A SQLite file that holds what could be read again: thrown away when it is damaged, and never needed.

Every change is one transaction, so that a killed process leaves what was there before, and others wait for their turn.
What is in it is taken for true: where a cache is restored on other machines (`actions/cache`, say), runs for strangers'
pull requests must not be able to write it.
"""

import contextlib
import errno
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Final, TypeVar

Result = TypeVar("Result")

_APPLICATION: Final = 0x6A776B73
_NOTICE, _PATIENCE = 2, 900
"""Seconds to wait for another run before that is said, and at the most. SQLite waits for the first alone, time and
again: while it waits, no signal is heard."""
_TRIES: Final = 4
_BUSY: Final = frozenset({sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED})
_OUT_OF_REACH: Final = frozenset(
    {
        sqlite3.SQLITE_READONLY,
        sqlite3.SQLITE_CANTOPEN,
        sqlite3.SQLITE_FULL,
        sqlite3.SQLITE_IOERR,
        sqlite3.SQLITE_PERM,
        sqlite3.SQLITE_AUTH,
    }
)


class CacheError(OSError):
    """Another run holds the file for too long, or it cannot be worked with, however often it is made anew."""


class CacheFile:
    """The file at `path`, made with `schema` when it is first used. `mark` is what it is made from and for.

    A file with another schema or mark is thrown away. Where it cannot be written it is held in memory. `note` takes
    what is to be told of all that.
    """

    def __init__(self, path: Path, schema: tuple[str, ...], mark: str, note: Callable[[str], None]) -> None:
        self._path, self._note = path, note
        self._schema, self._mark = (*schema, "CREATE TABLE mark (text TEXT NOT NULL)"), mark
        self._open: sqlite3.Connection | None = None
        self._waits = 0

    def run(self, job: Callable[[sqlite3.Connection], Result], *, write: bool) -> Result:
        """One transaction; a `job` may be run again, on a new file. CacheError."""
        tries = 0
        while True:
            try:
                return self._run(job, write=write)
            except sqlite3.Error as error:
                self.close()
                tries += _code(error) not in _BUSY
                if tries > _TRIES:
                    raise CacheError(errno.EIO, f"the index does not work: {error}", str(self._path)) from error
                self._recover(error)

    def close(self) -> None:
        """Let go of the file."""
        if self._open is not None:
            self._open.close()
            self._open = None

    def _run(self, job: Callable[[sqlite3.Connection], Result], *, write: bool) -> Result:
        connection = self._connection()
        connection.execute("BEGIN IMMEDIATE" if write else "BEGIN")
        try:
            result = job(connection)
            connection.execute("COMMIT")
        except BaseException:
            with contextlib.suppress(sqlite3.Error):
                connection.execute("ROLLBACK")
            raise
        return result

    def _recover(self, error: sqlite3.Error) -> None:
        """Make the next try another one."""
        code = _code(error)
        if code in _BUSY:
            self._waits += 1
            if self._waits == 1:
                self._note("another run is at work on the index: waiting for it")
            elif self._waits * _NOTICE >= _PATIENCE:
                message = "another run has held the index for too long"
                raise CacheError(errno.EBUSY, message, str(self._path)) from error
        elif code in _OUT_OF_REACH:
            self._keep_in_memory(str(error))
        else:
            self._note(f"{self._path} is damaged, or another version's: it is made anew")
            for end in ("", "-journal", "-wal", "-shm"):
                Path(f"{self._path}{end}").unlink(missing_ok=True)

    def _connection(self) -> sqlite3.Connection:
        if self._open is None:
            with contextlib.suppress(OSError):  # then SQLite says so
                self._path.parent.mkdir(parents=True, exist_ok=True)
            self._open = self._connected(str(self._path))
        return self._open

    def _connected(self, place: str) -> sqlite3.Connection:
        connection = sqlite3.connect(place, timeout=_NOTICE, isolation_level=None)
        try:
            # A file that somebody else made can hold triggers and views.
            connection.execute("PRAGMA trusted_schema = OFF")
            if self._is_ours(connection):
                return connection
            connection.execute("BEGIN IMMEDIATE")
            self._make(connection)
            connection.execute("COMMIT")
        except BaseException:
            connection.close()
            raise
        return connection

    def _is_ours(self, connection: sqlite3.Connection) -> bool:
        """Whether the file is what this program made; False where it is empty. sqlite3.DatabaseError otherwise."""
        found = tuple(
            sql for (sql,) in connection.execute("SELECT sql FROM sqlite_master WHERE sql NOTNULL ORDER BY rowid")
        )
        if not found:
            return False
        (application,) = connection.execute("PRAGMA application_id").fetchone()
        if application != _APPLICATION or found != self._schema:
            raise sqlite3.DatabaseError("another program's")
        if connection.execute("SELECT text FROM mark").fetchall() != [(self._mark,)]:
            raise sqlite3.DatabaseError("another version's")
        return True

    def _make(self, connection: sqlite3.Connection) -> None:
        if self._is_ours(connection):
            return  # another run was first
        for sql in self._schema:
            connection.execute(sql)
        connection.execute("INSERT INTO mark VALUES (?)", (self._mark,))
        connection.execute(f"PRAGMA application_id = {_APPLICATION}")

    def _keep_in_memory(self, reason: str) -> None:
        self._note(
            f"{self._path} cannot be kept ({reason}): the index is made for this run alone; give another --cache"
        )
        self._open = self._connected(":memory:")


def _code(error: sqlite3.Error) -> int:
    """SQLite's primary result code."""
    return int(getattr(error, "sqlite_errorcode", sqlite3.SQLITE_CORRUPT)) & 0xFF
