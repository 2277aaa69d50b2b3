"""Writers in processes of their own, some of which die: `python writers.py MODE ROOT`, one line of JSON for each fact.

It runs beside the tests, and not in them, because a child that is forked from a process with threads may hang.
"""

import asyncio
import itertools
import json
import os
import random
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from publisher.store import Headers, Stored
from publisher.stores.file import FileStore

KEY = "live/login.acme.example/.well-known/jwks.json"
MUTATIONS = ("mkdir", "fsync", "rename", "unlink", "rmdir", "open")


def content(number: int) -> tuple[bytes, Headers]:
    """A body and the headers that belong to it."""
    return b"%d " % number * 2000, Headers(
        content_type=f"text/{number}", cache_control="", metadata=(("n", str(number)),)
    )


def number(stored: Stored | None) -> int | None:
    """Which content the headers belong to; None where there is no object, or generic headers."""
    return int(stored.headers.metadata[0][1]) if stored and stored.headers.metadata else None


def is_whole(stored: Stored) -> bool:
    """Whether body and headers were written together."""
    return (stored.body, stored.headers) == content(
        int(stored.headers.metadata[0][1]) if stored.headers.metadata else -1
    )


def child(work: Callable[[], None]) -> int:
    """The process id of a child that does the work."""
    pid = os.fork()
    if pid == 0:
        work()
        os._exit(0)
    return pid


def put(root: Path, number: int, replaces: str | None, key: str = KEY) -> str | None:
    """Write by a store of its own."""
    return asyncio.run(FileStore(root).put(key, *content(number), replaces=replaces))


def get(root: Path) -> Stored | None:
    """Read by a store of its own."""
    return asyncio.run(FileStore(root).get(KEY))


def delete(root: Path) -> None:
    """Delete by a store of its own."""
    asyncio.run(FileStore(root).delete(KEY))


def die_at(count: int) -> None:
    """From now on, the process kills itself in place of its `count`th call that changes the file system."""
    calls = itertools.count(1)

    def deadly(function: Callable[..., Any]) -> Callable[..., Any]:
        def call(*args: Any, **options: Any) -> Any:
            if next(calls) == count:
                os.kill(os.getpid(), signal.SIGKILL)
            return function(*args, **options)

        return call

    for name in MUTATIONS:
        setattr(os, name, deadly(getattr(os, name)))


def crash(root: Path, mode: str) -> None:
    """Die at every single step of a write or a deletion, one after the other, until one lives to its end."""
    for count in itertools.count(1):
        place = root / str(count)
        old = None if mode == "crash-create" else put(place, 1, None)

        def write(place: Path = place, old: str | None = old, count: int = count) -> None:
            die_at(count)
            if mode == "crash-delete":
                delete(place)
            else:
                put(place, 2, old)

        _, status = os.waitpid(child(write), 0)
        found = get(place)
        again = put(place, 3, found.token if found else None)
        after = get(place)
        print(
            json.dumps(
                {
                    "died": os.WIFSIGNALED(status),
                    "found": number(found),
                    "whole": found is None or is_whole(found),
                    "again": again is not None and after is not None and is_whole(after) and number(after) == 3,
                    "left": [leftover.name for leftover in (place / ".tmp").iterdir()],
                }
            )
        )
        if not os.WIFSIGNALED(status):
            return


def write_for_ever(root: Path) -> None:
    """Write, one number after the other."""
    for number in itertools.count(1):
        found = get(root)
        put(root, number, found.token if found else None)


def kill(root: Path) -> None:
    """Kill a busy writer at any time, again and again."""
    for _ in range(20):
        pid = child(lambda: write_for_ever(root))
        time.sleep(random.uniform(0.005, 0.04))
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
        found = get(root)
        print(json.dumps({"whole": found is None or is_whole(found)}))
    print(json.dumps({"again": put(root, 9, found.token if found else None) is not None}))


def read(root: Path) -> None:
    """Read while another process writes."""
    put(root, 0, None)
    pid = child(lambda: write_for_ever(root))
    seen = [get(root) for _ in range(300)]
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)
    print(json.dumps({"whole": all(found is not None and is_whole(found) for found in seen)}))


def race(root: Path) -> None:
    """Two processes create the same keys; each tells which it got."""

    def create(number: int) -> None:
        keys = [f"documents/{n}" for n in range(40)]
        won = [key for key in keys if put(root, number, None, key) is not None]
        print(json.dumps({"number": number, "won": won}), flush=True)

    for pid in [child(lambda number=number: create(number)) for number in (1, 2)]:  # type: ignore[misc]
        os.waitpid(pid, 0)


if __name__ == "__main__":
    mode, root = sys.argv[1], Path(sys.argv[2])
    match mode:
        case "crash-create" | "crash-replace" | "crash-delete":
            crash(root, mode)
        case "kill":
            kill(root)
        case "read":
            read(root)
        case "race":
            race(root)
        case _:
            raise SystemExit(f"no mode: {mode}")
