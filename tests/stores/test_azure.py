"""Azure Blob alone: names, what other readers see, and a container that is not there. Over HTTP."""

import asyncio

import pytest
from azurite import Azurite

from publisher.store import Headers, Store, StoreError, Trouble
from publisher.stores import open_store

from .stub import Reply, Stub

JSON = Headers(
    content_type="application/json",
    cache_control="max-age=300",
    metadata=(("cache-tag", "tenant-acme,kid-1"), ("sha256", "ab" * 32)),
)


async def _list(store: Store) -> list[str]:
    return [key async for key in store.keys("live/")]


@pytest.mark.stores
def test_readers_are_sent_the_headers_and_metadata_by_names_that_azure_allows(azurite: Azurite, container: str) -> None:
    token = asyncio.run(open_store(f"az://{container}/some/prefix").put("live/x", b"body", JSON, replaces=None))
    sent = azurite.headers(container, "some/prefix/live/x")
    assert (sent["content-type"], sent["cache-control"]) == ("application/json", "max-age=300")
    meta = {name: value for name, value in sent.items() if name.startswith("x-ms-meta-")}
    assert meta == {"x-ms-meta-cache_tag": "tenant-acme,kid-1", "x-ms-meta-sha256": "ab" * 32}
    assert sent["etag"] == token


@pytest.mark.stores
def test_the_same_bytes_again_are_another_write(container: str) -> None:
    """Azure's ETag tells writes apart, where S3's tells contents: an old one is refused also after an ABA."""

    async def go() -> None:
        store = open_store(f"az://{container}")
        first = await store.put("live/x", b"a", JSON, replaces=None)
        second = await store.put("live/x", b"b", JSON, replaces=first)
        assert await store.put("live/x", b"a", JSON, replaces=second) is not None
        assert await store.put("live/x", b"c", JSON, replaces=first) is None

    asyncio.run(go())


@pytest.mark.stores
def test_no_container_is_no_missing_object(container: str) -> None:
    async def go() -> None:
        store = open_store("az://there-is-no-such-container/p")
        for call in (
            store.get("live/x"),
            store.put("live/x", b"x", JSON, replaces=None),
            store.put("live/x", b"x", JSON, replaces='"0x1"'),
            _list(store),
        ):
            with pytest.raises(StoreError, match=r"\Aaz://there-is-no-such-container/p: no such [^\n]*\Z") as caught:
                await call
            assert caught.value.trouble == "no-store"

    asyncio.run(go())


@pytest.mark.stores
def test_a_wrong_key_is_denied(container: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AZURE_STORAGE_ACCOUNT_KEY", "d3Jvbmc=")

    async def go() -> None:
        store = open_store(f"az://{container}")
        for call in (store.put("live/x", b"x", JSON, replaces=None), store.delete("live/x")):
            with pytest.raises(StoreError, match=rf"\Aaz://{container}/live/x: access denied \(403[^\n]*\Z") as caught:
                await call
            assert caught.value.trouble == "denied"

    asyncio.run(go())


def _part(status: str) -> Reply:
    """The answer to a batch of one deletion: https://learn.microsoft.com/rest/api/storageservices/blob-batch."""
    part = (
        f"Content-Type: application/http\r\nContent-ID: 0\r\n\r\nHTTP/1.1 {status}\r\nx-ms-version: 2023-11-03\r\n\r\n"
    )
    return Reply(
        status=202,
        body=f"--edge\r\n{part}--edge--\r\n".encode(),
        headers={"Content-Type": "multipart/mixed; boundary=edge"},
    )


@pytest.fixture
def stubbed(stub: Stub, monkeypatch: pytest.MonkeyPatch) -> Store:
    monkeypatch.setenv("AZURE_STORAGE_ACCOUNT_NAME", "account")
    monkeypatch.setenv("AZURE_STORAGE_ACCOUNT_KEY", "d3Jvbmc=")
    monkeypatch.setenv("AZURE_STORAGE_ENDPOINT", stub.endpoint_url)
    return open_store("az://container/p")


def test_the_part_of_a_batch_decides(stub: Stub, stubbed: Store) -> None:
    stub.answers = [_part("503 The server is busy."), _part("202 Accepted")]
    asyncio.run(stubbed.delete("live/x"))
    assert [request.path for request in stub.requests] == ["/container?restype=container&comp=batch"] * 2
    assert all(b"DELETE /container/p/live/x HTTP/1.1" in request.body for request in stub.requests)


@pytest.mark.parametrize(
    ("status", "trouble", "text"),
    [
        ("403 This request is not authorized.", "denied", "access denied (403)"),
        ("500 Server encountered an internal error.", "broken", "the store failed (500)"),
    ],
)
def test_a_part_that_fails(stub: Stub, stubbed: Store, status: str, trouble: Trouble, text: str) -> None:
    stub.answers = [_part(status)]
    with pytest.raises(StoreError, match=r"\Aaz://container/p/live/x: [^\n]*\Z") as caught:
        asyncio.run(stubbed.delete("live/x"))
    assert caught.value.trouble == trouble
    assert text in str(caught.value)


def test_a_part_that_is_not_there(stub: Stub, stubbed: Store) -> None:
    stub.answers = [_part("404 The specified blob does not exist.")]
    asyncio.run(stubbed.delete("live/x"))
    assert len(stub.requests) == 1
