"""The folder under several writers and readers: locks, order on disk, and writers that die."""

import asyncio
import fcntl
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from publisher.store import Headers, StoreError
from publisher.stores import tree
from publisher.stores.file import FileStore

from . import writers
from .writers import KEY

JSON = Headers(content_type="application/json", cache_control="max-age=300", metadata=(("sha256", "ab" * 32),))


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return tmp_path / "store"


@pytest.fixture
def store(root: Path) -> FileStore:
    return FileStore(root)


def _put(store: FileStore, key: str, body: bytes, replaces: str | None = None) -> str | None:
    return asyncio.run(store.put(key, body, JSON, replaces=replaces))


def _facts(mode: str, root: Path) -> list[dict[str, Any]]:
    done = subprocess.run(
        [sys.executable, writers.__file__, mode, str(root)], stdout=subprocess.PIPE, text=True, check=True, timeout=120
    )
    return [json.loads(line) for line in done.stdout.splitlines()]


@pytest.mark.parametrize(
    ("mode", "old", "new"), [("crash-create", None, 2), ("crash-replace", 1, 2), ("crash-delete", 1, None)]
)
def test_a_writer_that_dies_at_any_step_leaves_old_or_new(
    root: Path, mode: str, old: int | None, new: int | None
) -> None:
    facts = _facts(mode, root)
    assert [fact["died"] for fact in facts] == [True] * (len(facts) - 1) + [False]
    assert len(facts) > 8  # lock, two temporary files, two renames and an fsync for each
    assert {fact["found"] for fact in facts} == {old, new}
    assert facts[-1]["found"] == new
    assert all(fact["whole"] and fact["again"] for fact in facts)
    assert not any(fact["left"] for fact in facts)


def test_a_writer_that_is_killed_leaves_a_whole_object_and_no_lock(root: Path) -> None:
    facts = _facts("kill", root)
    assert facts == [{"whole": True}] * 20 + [{"again": True}]


def test_a_reader_beside_a_writer_never_sees_a_mix(root: Path) -> None:
    assert _facts("read", root) == [{"whole": True}]


def test_a_reader_that_is_overtaken_reads_again(root: Path, store: FileStore, monkeypatch: pytest.MonkeyPatch) -> None:
    token = asyncio.run(store.put(KEY, b"first", JSON, replaces=None))
    read = tree.read
    overtaken: list[bool] = []

    def slow(descriptor: int, parts: list[str]) -> bytes | None:
        found = read(descriptor, parts)
        if parts == KEY.split("/") and not overtaken:
            overtaken.append(True)
            second = _put(FileStore(root), KEY, b"second", token)
            _put(FileStore(root), KEY, b"third", second)
        return found

    monkeypatch.setattr(tree, "read", slow)
    found = asyncio.run(store.get(KEY))
    assert found is not None
    assert (found.body, found.headers) == (b"third", JSON)


def test_each_file_is_on_disk_before_the_next_step(store: FileStore, monkeypatch: pytest.MonkeyPatch) -> None:
    token = _put(store, KEY, b"first")
    steps: list[str] = []
    fsync, rename = os.fsync, os.rename

    def noting_fsync(descriptor: int) -> None:
        steps.append("fsync")
        fsync(descriptor)

    def noting_rename(source: str, target: str, **folders: int) -> None:
        steps.append(target)
        rename(source, target, **folders)

    monkeypatch.setattr(os, "fsync", noting_fsync)
    monkeypatch.setattr(os, "rename", noting_rename)
    _put(store, KEY, b"second", token)
    assert steps == ["fsync", "jwks.json.json", "fsync", "fsync", "jwks.json", "fsync"]


def test_two_processes_that_create_the_same_keys(root: Path) -> None:
    first, second = sorted(_facts("race", root), key=lambda fact: int(fact["number"]))
    won = [*first["won"], *second["won"]]
    assert sorted(won) == sorted(f"documents/{n}" for n in range(40))
    assert all((root / key).read_bytes() == writers.content(1)[0] for key in first["won"])
    assert all((root / key).read_bytes() == writers.content(2)[0] for key in second["won"])


def test_a_lock_that_is_held_for_too_long(root: Path) -> None:
    root.mkdir()
    with (root / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        with pytest.raises(StoreError, match=r"/\.lock: another process [^\n]*\Z") as caught:
            _put(FileStore(root, lock_tries=3), "a", b"x")
    assert caught.value.trouble == "timeout"
    assert _put(FileStore(root, lock_tries=3), "a", b"x") is not None


def test_leftovers_are_removed_by_the_next_writer(root: Path, store: FileStore) -> None:
    (root / ".tmp").mkdir(parents=True)
    (root / ".tmp" / "new").write_bytes(b"half")
    (root / ".tmp" / "older").write_bytes(b"half")
    assert _put(store, "a", b"x") is not None
    assert list((root / ".tmp").iterdir()) == []
