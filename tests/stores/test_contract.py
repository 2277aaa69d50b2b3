"""What every store promises: a folder, memory, and over HTTP S3 (moto's server) and Azure Blob (azurite)."""

import asyncio
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from publisher.store import CLOCK, Headers, Store
from publisher.stores import open_store

JSON = Headers(
    content_type="application/json",
    cache_control="max-age=300, stale-while-revalidate=60",
    metadata=(("cache-tag", "tenant-acme,kid-1"), ("sha256", "ab" * 32)),
)
OTHER = Headers(content_type="application/json", cache_control="max-age=60", metadata=(("sha256", "cd" * 32),))
PLAIN = Headers(content_type="text/plain", cache_control="")
KEY = "live/login.acme.example/.well-known/jwks.json"


@pytest.fixture(params=["file", "memory", "s3", pytest.param("az", marks=pytest.mark.stores)])
def open_again(request: pytest.FixtureRequest, tmp_path: Path) -> Callable[[], Store]:
    """Opens the same empty store each time."""
    if request.param == "s3":
        bucket = request.getfixturevalue("s3_bucket")
        return lambda: open_store(f"s3://{bucket}/some/prefix")
    if request.param == "az":
        container = request.getfixturevalue("container")
        return lambda: open_store(f"az://{container}/some/prefix")
    if request.param == "file":
        return lambda: open_store((tmp_path / "a store").as_uri())
    store = open_store("memory://")
    return lambda: store


@pytest.fixture
def store(open_again: Callable[[], Store]) -> Store:
    return open_again()


async def _collect(keys: AsyncIterator[str]) -> list[str]:
    return [key async for key in keys]


def test_a_missing_object_is_none(store: Store) -> None:
    assert asyncio.run(store.get(KEY)) is None


@pytest.mark.parametrize("body", [b"", b'{"keys":[]}', bytes(range(256)) * 300], ids=["empty", "json", "binary"])
def test_body_headers_and_token_are_kept(open_again: Callable[[], Store], body: bytes) -> None:
    token = asyncio.run(open_again().put(KEY, body, JSON, replaces=None))
    stored = asyncio.run(open_again().get(KEY))
    assert stored is not None
    assert (stored.body, stored.headers, stored.token) == (body, JSON, token)


def test_no_cache_control_and_no_metadata(store: Store) -> None:
    async def go() -> None:
        await store.put(KEY, b"text", PLAIN, replaces=None)
        stored = await store.get(KEY)
        assert stored is not None
        assert stored.headers == PLAIN

    asyncio.run(go())


def test_create_only(store: Store) -> None:
    async def go() -> None:
        assert await store.put(KEY, b"first", JSON, replaces=None) is not None
        assert await store.put(KEY, b"second", OTHER, replaces=None) is None
        stored = await store.get(KEY)
        assert stored is not None
        assert (stored.body, stored.headers) == (b"first", JSON)

    asyncio.run(go())


def test_compare_and_swap(store: Store) -> None:
    async def go() -> None:
        first = await store.put(KEY, b"first", JSON, replaces=None)
        second = await store.put(KEY, b"second", OTHER, replaces=first)
        assert second not in (None, first)
        assert await store.put(KEY, b"third", PLAIN, replaces=first) is None
        stored = await store.get(KEY)
        assert stored is not None
        assert (stored.body, stored.headers, stored.token) == (b"second", OTHER, second)
        assert await store.put(KEY, b"third", PLAIN, replaces=second) is not None

    asyncio.run(go())


def test_swap_of_a_missing_object_is_refused(store: Store) -> None:
    async def go() -> None:
        token = await store.put("other/key", b"x", JSON, replaces=None)
        assert await store.put(KEY, b"x", JSON, replaces=token) is None
        assert await store.put(KEY, b"x", JSON, replaces="nonsense") is None
        assert await store.get(KEY) is None

    asyncio.run(go())


def test_headers_alone_are_rewritten(store: Store) -> None:
    async def go() -> None:
        first = await store.put(KEY, b"same", JSON, replaces=None)
        second = await store.put(KEY, b"same", OTHER, replaces=first)
        assert second is not None
        stored = await store.get(KEY)
        assert stored is not None
        assert (stored.body, stored.headers, stored.token) == (b"same", OTHER, second)

    asyncio.run(go())


def test_old_content_comes_back_with_new_headers(store: Store) -> None:
    async def go() -> None:
        first = await store.put(KEY, b"old", JSON, replaces=None)
        second = await store.put(KEY, b"new", OTHER, replaces=first)
        third = await store.put(KEY, b"old", PLAIN, replaces=second)
        stored = await store.get(KEY)
        assert stored is not None
        assert (stored.body, stored.headers, stored.token) == (b"old", PLAIN, third)

    asyncio.run(go())


def test_of_fifty_creates_one_wins(store: Store) -> None:
    async def go() -> None:
        tokens = await asyncio.gather(*(store.put(KEY, b"%d" % n, JSON, replaces=None) for n in range(50)))
        winners = [n for n, token in enumerate(tokens) if token is not None]
        assert len(winners) == 1
        stored = await store.get(KEY)
        assert stored is not None
        assert (stored.body, stored.token) == (b"%d" % winners[0], tokens[winners[0]])

    asyncio.run(go())


def test_of_fifty_swaps_one_wins(store: Store) -> None:
    async def go() -> None:
        first = await store.put(KEY, b"first", JSON, replaces=None)
        tokens = await asyncio.gather(*(store.put(KEY, b"%d" % n, OTHER, replaces=first) for n in range(50)))
        winners = [n for n, token in enumerate(tokens) if token is not None]
        assert len(winners) == 1
        stored = await store.get(KEY)
        assert stored is not None
        assert (stored.body, stored.headers) == (b"%d" % winners[0], OTHER)

    asyncio.run(go())


def test_many_keys_at_once(store: Store) -> None:
    async def go() -> None:
        keys = [f"documents/{n:03}.json" for n in range(60)]
        tokens = await asyncio.gather(*(store.put(key, key.encode(), JSON, replaces=None) for key in keys))
        assert None not in tokens
        found = await asyncio.gather(*(store.get(key) for key in keys))
        assert [stored.body if stored else None for stored in found] == [key.encode() for key in keys]

    asyncio.run(go())


def test_delete(store: Store) -> None:
    async def go() -> None:
        await store.delete(KEY)
        first = await store.put(KEY, b"first", JSON, replaces=None)
        await store.put("live/b", b"other", OTHER, replaces=None)
        await store.delete(KEY)
        assert await store.get(KEY) is None
        assert await _collect(store.keys("live/")) == ["live/b"]
        await store.delete(KEY)
        await store.delete("live")
        assert await store.put(KEY, b"second", OTHER, replaces=first) is None
        assert await store.put(KEY, b"third", PLAIN, replaces=None) is not None
        stored = await store.get(KEY)
        assert stored is not None
        assert (stored.body, stored.headers) == (b"third", PLAIN)
        assert await store.get("live/b") is not None

    asyncio.run(go())


def test_keys_are_those_below_the_prefix(store: Store) -> None:
    async def go() -> None:
        for key in ("live/a", "live/b/c", "live/b/d/e", "liver/x", "live.x/y", "other/live/z"):
            await store.put(key, b"x", JSON, replaces=None)
        assert sorted(await _collect(store.keys("live/"))) == ["live/a", "live/b/c", "live/b/d/e"]
        assert sorted(await _collect(store.keys("live/b/"))) == ["live/b/c", "live/b/d/e"]
        assert await _collect(store.keys("live/a/")) == []
        assert await _collect(store.keys("nothing/")) == []

    asyncio.run(go())


def test_keys_come_page_by_page(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MOTO_S3_DEFAULT_MAX_KEYS", "7")
    monkeypatch.setattr("publisher.stores.file._PAGE", 7)

    async def go() -> None:
        wanted = [f"documents/{n:03}" for n in range(40)]
        await asyncio.gather(*(store.put(key, b"x", JSON, replaces=None) for key in wanted))
        assert sorted(await _collect(store.keys("documents/"))) == wanted

    asyncio.run(go())


def test_the_clock_is_in_utc_and_goes_forward(open_again: Callable[[], Store]) -> None:
    async def go() -> None:
        times = [await open_again().time() for _ in range(3)]
        assert times == sorted(times)
        for found in times:
            assert found.utcoffset() == timedelta(0)
            assert abs(found - datetime.now(UTC)) < timedelta(minutes=1)

    asyncio.run(go())


def test_the_clock_does_not_stand_still(store: Store) -> None:
    async def go() -> None:
        first = await store.time()
        await asyncio.sleep(1.1)  # S3 gives whole seconds
        assert await store.time() > first

    asyncio.run(go())


def test_the_clock_leaves_one_small_object(store: Store) -> None:
    async def go() -> None:
        await store.time()
        await store.time()
        assert await _collect(store.keys("probe/")) == [CLOCK]
        stored = await store.get(CLOCK)
        assert stored is not None
        assert len(stored.body) < 100

    asyncio.run(go())


def test_many_ask_for_the_time_at_once(store: Store) -> None:
    async def go() -> None:
        before = await store.time()
        times = await asyncio.gather(*(store.time() for _ in range(20)))
        assert all(before <= found < before + timedelta(minutes=1) for found in times)

    asyncio.run(go())


def test_the_clock_writes_over_whatever_is_there(store: Store) -> None:
    async def go() -> None:
        await store.put(CLOCK, b"somebody's", JSON, replaces=None)
        assert abs(await store.time() - datetime.now(UTC)) < timedelta(minutes=1)
        stored = await store.get(CLOCK)
        assert stored is not None
        assert stored.body != b"somebody's"

    asyncio.run(go())


def test_a_listing_may_be_left_early(store: Store) -> None:
    async def go() -> None:
        for key in ("a/1", "a/2", "a/3"):
            await store.put(key, b"x", JSON, replaces=None)
        async for key in store.keys("a/"):
            assert key.startswith("a/")
            break

    asyncio.run(go())


@pytest.mark.parametrize("key", ["a b/c", "a/%41", "a/#?&+", "a/~'(x)y", "a/-", ".hidden/..x"])
def test_odd_keys_are_kept_as_they_are(store: Store, key: str) -> None:
    async def go() -> None:
        assert await store.put(key, b"x", JSON, replaces=None) is not None
        assert await store.get(key) is not None
        assert await _collect(store.keys(key.rpartition("/")[0] + "/")) == [key]

    asyncio.run(go())


@pytest.mark.parametrize("key", ["", "/a", "a/", "a//b", "../a", "a/../b", "a/.", "a\nb", "a\0b", "a\\b", "clé"])
def test_what_is_no_key_is_refused(store: Store, key: str) -> None:
    with pytest.raises(ValueError, match="is no key"):
        asyncio.run(store.get(key))
    with pytest.raises(ValueError, match="is no key"):
        asyncio.run(store.put(key, b"x", JSON, replaces=None))
    with pytest.raises(ValueError, match="is no key"):
        asyncio.run(store.delete(key))


@pytest.mark.parametrize("prefix", ["", "/", "a", "../", "a//"])
def test_what_is_no_prefix_is_refused(store: Store, prefix: str) -> None:
    with pytest.raises(ValueError, match="is no prefix"):
        asyncio.run(_collect(store.keys(prefix)))
