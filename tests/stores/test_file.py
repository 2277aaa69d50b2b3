"""The folder alone: files that people see, links, and what a file system refuses."""

import asyncio
import errno
import os
import tempfile
from collections.abc import Iterator
from contextlib import AbstractContextManager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from publisher.store import CLOCK, Headers, Store, StoreError
from publisher.stores import open_store, tree
from publisher.stores.file import FileStore

JSON = Headers(content_type="application/json", cache_control="max-age=300", metadata=(("sha256", "ab" * 32),))
OTHER = Headers(content_type="application/json", cache_control="max-age=60")
GENERIC = Headers(content_type="application/octet-stream", cache_control="")
KEY = "live/login.acme.example/.well-known/jwks.json"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return tmp_path / "store"


@pytest.fixture
def store(root: Path) -> Store:
    return FileStore(root)


def _put(store: Store, key: str, body: bytes, replaces: str | None = None) -> str | None:
    return asyncio.run(store.put(key, body, JSON, replaces=replaces))


def _keys(store: Store, prefix: str) -> list[str]:
    async def go() -> list[str]:
        return [key async for key in store.keys(prefix)]

    return asyncio.run(go())


def test_a_body_is_a_plain_file(root: Path, store: Store) -> None:
    _put(store, KEY, b'{"keys":[]}')
    assert (root / KEY).read_bytes() == b'{"keys":[]}'
    files = sorted(path.relative_to(root).as_posix() for path in root.rglob("*") if path.is_file())
    assert files == [f".headers/{KEY}.json", ".lock", KEY]
    assert _keys(store, "live/") == [KEY]


def test_a_body_edited_by_hand_has_generic_headers(root: Path, store: Store) -> None:
    token = _put(store, KEY, b"ours")
    (root / KEY).write_bytes(b"edited")
    found = asyncio.run(store.get(KEY))
    assert found is not None
    assert (found.body, found.headers) == (b"edited", GENERIC)
    assert _put(store, KEY, b"next", token) is None
    assert _put(store, KEY, b"next", found.token) is not None
    assert (root / KEY).read_bytes() == b"next"


def test_a_file_put_there_by_hand(root: Path, store: Store) -> None:
    (root / "live").mkdir(parents=True)
    (root / "live" / "x").write_bytes(b"by hand")
    assert _put(store, "live/x", b"ours") is None
    found = asyncio.run(store.get("live/x"))
    assert found is not None
    assert (found.body, found.headers) == (b"by hand", GENERIC)


@pytest.mark.parametrize("spoilt", [b"", b"{", b"[]", b'{"a": 1}', b"\xff", b"null"])
def test_a_spoilt_side_file_describes_nothing(root: Path, store: Store, spoilt: bytes) -> None:
    _put(store, "a", b"body")
    (root / ".headers" / "a.json").write_bytes(spoilt)
    found = asyncio.run(store.get("a"))
    assert found is not None
    assert (found.body, found.headers) == (b"body", GENERIC)
    assert _put(store, "a", b"next", found.token) is not None


def test_a_change_of_headers_leaves_the_body_file_alone(root: Path, store: Store) -> None:
    token = _put(store, "a", b"body")
    before = (root / "a").stat()
    second = asyncio.run(store.put("a", b"body", OTHER, replaces=token))
    assert second not in (None, token)
    assert (root / "a").stat() == before


@pytest.mark.parametrize("key", [".headers/a.json", ".tmp/new", ".lock", ".headers"])
def test_the_stores_own_files_are_no_objects(store: Store, key: str) -> None:
    with pytest.raises(ValueError, match="the store's own"):
        asyncio.run(store.get(key))
    with pytest.raises(ValueError, match="the store's own"):
        _put(store, key, b"x")
    with pytest.raises(ValueError, match="the store's own"):
        _keys(store, f"{key}/")


@pytest.mark.parametrize(
    "link", ["live", "live/a", ".headers", ".tmp", ".headers/live", ".headers/live/a.json", ".lock"]
)
def test_links_lead_nowhere(root: Path, store: Store, tmp_path: Path, link: str) -> None:
    outside = tmp_path / "outside"
    (outside / "a").mkdir(parents=True)
    (outside / "secret").write_bytes(b"secret")
    (root / link).parent.mkdir(parents=True)
    (root / link).symlink_to(outside / "secret" if link.count("/") == 2 or link in ("live/a", ".lock") else outside)
    before = sorted(outside.rglob("*"))
    with pytest.raises(StoreError, match=r"symbolic link[^\n]*\Z") as caught:
        _put(store, "live/a", b"x")
    assert caught.value.trouble == "broken"
    assert sorted(outside.rglob("*")) == before
    assert (outside / "secret").read_bytes() == b"secret"
    if link.startswith("live"):
        with pytest.raises(StoreError, match="symbolic link"):
            asyncio.run(store.get("live/a"))


def test_listing_passes_over_links_and_odd_names(root: Path, store: Store, tmp_path: Path) -> None:
    _put(store, "live/a", b"x")
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside" / "b").write_bytes(b"x")
    (root / "live" / "folder").symlink_to(tmp_path / "outside")
    (root / "live" / "file").symlink_to(tmp_path / "outside" / "b")
    (root / "live" / "cl\u00e9").write_bytes(b"x")
    os.mkfifo(root / "live" / "pipe")
    assert _keys(store, "live/") == ["live/a"]


def test_the_root_itself_may_be_a_link(root: Path, tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    root.symlink_to(tmp_path / "real")
    assert _put(FileStore(root), "a", b"x") is not None
    assert (tmp_path / "real" / "a").read_bytes() == b"x"


def test_a_pipe_in_an_objects_place_does_not_block(root: Path, store: Store) -> None:
    root.mkdir()
    os.mkfifo(root / "a")
    with pytest.raises(StoreError, match="something else than a plain file"):
        asyncio.run(store.get("a"))


def test_a_folder_in_an_objects_place(root: Path, store: Store) -> None:
    _put(store, "a/b", b"x")
    assert asyncio.run(store.get("a")) is None
    assert asyncio.run(store.get("a/b/c")) is None
    with pytest.raises(StoreError, match=r"/a: something else than a plain file"):
        _put(store, "a", b"x")
    with pytest.raises(StoreError, match=r"a part of this path is a file"):
        _put(store, "a/b/c", b"x")


def test_a_root_that_is_a_file(root: Path, store: Store) -> None:
    root.write_bytes(b"")

    async def get() -> None:
        await store.get("a")

    async def put() -> None:
        await store.put("a", b"x", JSON, replaces=None)

    async def listing() -> None:
        assert not [key async for key in store.keys("a/")]

    for call in (get, put, listing):
        with pytest.raises(StoreError, match=rf"\A{root}: [^\n]*\Z") as caught:
            asyncio.run(call())
        assert caught.value.trouble == "no-store"


@pytest.fixture
def locked_folder() -> Iterator[Path]:
    """A folder that this process may read and not write, even where the tests run as root."""
    with tempfile.TemporaryDirectory() as name:
        folder, user = Path(name), os.geteuid()
        folder.chmod(0o555)
        if user == 0:
            os.seteuid(65534)
        try:
            yield folder
        finally:
            os.seteuid(user)
            folder.chmod(0o755)


def test_a_folder_without_the_right_to_write(locked_folder: Path) -> None:
    for store in (FileStore(locked_folder), FileStore(locked_folder / "deeper")):
        assert asyncio.run(store.get("a")) is None
        with pytest.raises(StoreError, match=rf"\A{locked_folder}[^\n]*: permission denied;[^\n]*\Z") as caught:
            _put(store, "a", b"x")
        assert caught.value.trouble == "denied"


@pytest.mark.parametrize(
    ("number", "trouble"),
    [
        (errno.EROFS, "denied"),
        (errno.ENOSPC, "full"),
        (errno.EDQUOT, "full"),
        (errno.EIO, "broken"),
        (errno.ENAMETOOLONG, "broken"),
    ],
)
def test_what_a_file_system_refuses(
    root: Path, store: Store, monkeypatch: pytest.MonkeyPatch, number: int, trouble: str
) -> None:
    token = _put(store, "a", b"old")

    def refuse(*_: object) -> None:
        raise OSError(number, os.strerror(number))

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", refuse)
        with pytest.raises(StoreError, match=rf"\A{root}/a: [^\n]+; [^\n]+\Z") as caught:
            _put(store, "a", b"new", token)
    assert caught.value.trouble == trouble
    assert (root / "a").read_bytes() == b"old"
    assert _put(store, "a", b"new", token) is not None


def test_a_name_that_is_too_long(store: Store) -> None:
    with pytest.raises(StoreError, match="the name is too long"):
        _put(store, "a" * 300, b"x")


def test_a_name_with_escapes_is_shown_harmless(tmp_path: Path) -> None:
    root = tmp_path / "a\x1b[31m\nb"
    root.write_bytes(b"")
    with pytest.raises(ValueError, match="control character"):
        open_store(root.as_uri())
    with pytest.raises(StoreError) as caught:
        _put(FileStore(root), "a", b"x")
    assert "\x1b" not in str(caught.value)
    assert "\n" not in str(caught.value)


def test_an_empty_store_is_no_error(store: Store, root: Path) -> None:
    assert asyncio.run(store.get("a")) is None
    assert _keys(store, "live/") == []
    assert not root.exists()


def test_delete_leaves_nothing_behind(root: Path, store: Store) -> None:
    _put(store, KEY, b"x")
    asyncio.run(store.delete(KEY))
    assert sorted(path.name for path in root.iterdir()) == [".lock", ".tmp"]


def test_delete_leaves_what_lies_beside(root: Path, store: Store) -> None:
    _put(store, KEY, b"x")
    beside = root / KEY.replace("jwks.json", "note.txt")
    beside.write_text("by hand")
    asyncio.run(store.delete(KEY))
    assert beside.read_text() == "by hand"
    assert not (root / KEY).exists()


def test_delete_does_not_make_a_store(root: Path, store: Store) -> None:
    asyncio.run(store.delete(KEY))
    assert not root.exists()


def test_delete_follows_no_link(root: Path, store: Store, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "x").write_text("theirs")
    root.mkdir()
    (root / "link").symlink_to(outside)
    with pytest.raises(StoreError, match="symbolic link"):
        asyncio.run(store.delete("link/x"))
    (root / "file").symlink_to(outside / "x")
    asyncio.run(store.delete("file"))
    assert not (root / "file").is_symlink()
    assert (outside / "x").read_text() == "theirs"


def test_a_listing_beside_a_deletion(root: Path, store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder that is seen, and removed before it is opened."""
    for key in ("live/a/x", "live/b/x"):
        _put(store, key, b"x")
    folder = tree.folder

    def late(above: int, parts: list[str]) -> AbstractContextManager[int]:
        if parts == ["a"]:
            monkeypatch.undo()
            asyncio.run(FileStore(root).delete("live/a/x"))
        return folder(above, parts)

    monkeypatch.setattr(tree, "folder", late)
    assert _keys(store, "live/") == ["live/b/x"]


def test_the_clock_is_the_time_of_the_file(root: Path, store: Store) -> None:
    now = asyncio.run(store.time())
    written = (root / CLOCK).stat().st_mtime_ns
    assert now == datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=written // 1000)


def test_a_clock_in_a_folder_that_cannot_be_written(root: Path, store: Store) -> None:
    root.write_bytes(b"a file")
    with pytest.raises(StoreError, match=r"[^\n]*\Z") as caught:
        asyncio.run(store.time())
    assert caught.value.trouble == "no-store"
