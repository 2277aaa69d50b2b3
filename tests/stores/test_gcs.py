"""Google Cloud Storage: the requests that are sent, and what is made of the answers, over HTTP to a stub.

Requests, headers and answers are those of Google's documentation of the XML API
(https://cloud.google.com/storage/docs/xml-api/reference-headers,
https://cloud.google.com/storage/docs/request-preconditions). No server that speaks it runs here.
"""

import asyncio
import json
from datetime import UTC, datetime

import pytest

from publisher.store import Headers, Store, StoreError
from publisher.stores import open_store

from .stub import BODY, Answer, Reply, Request, Stub

JSON = Headers(
    content_type="application/json",
    cache_control="max-age=60",
    metadata=(("cache-tag", "tenant-acme"), ("sha256", "ab")),
)
PATH = "/bucket/p%2Fa%2Fb"
UNMET: Answer = (412, "PreconditionFailed")
NO_BUCKET: Answer = (404, "NoSuchBucket")


@pytest.fixture
def store(stub: Stub, monkeypatch: pytest.MonkeyPatch) -> Store:
    account = {"gcs_base_url": stub.endpoint_url, "disable_oauth": True}
    secrets = dict.fromkeys(("client_email", "private_key", "private_key_id"), "")
    monkeypatch.setenv("GOOGLE_SERVICE_ACCOUNT_KEY", json.dumps(account | secrets))
    monkeypatch.setenv("GOOGLE_BASE_URL", stub.endpoint_url)
    return open_store("gs://bucket/p")


async def _list(store: Store) -> list[str]:
    return [key async for key in store.keys("a/")]


def _only(stub: Stub) -> Request:
    (request,) = stub.requests
    return request


@pytest.mark.parametrize(("replaces", "generation"), [(None, "0"), ("6", "6")])
def test_a_write_is_conditional_on_the_generation(
    store: Store, stub: Stub, replaces: str | None, generation: str
) -> None:
    assert asyncio.run(store.put("a/b", b"x", JSON, replaces=replaces)) == "7"
    sent = _only(stub)
    assert (sent.method, sent.path, sent.body) == ("PUT", PATH, b"x")
    assert sent.headers["x-goog-if-generation-match"] == generation
    assert {"if-match", "if-none-match"}.isdisjoint(sent.headers)


def test_headers_are_sent_as_google_names_them(store: Store, stub: Stub) -> None:
    asyncio.run(store.put("a/b", b"x", JSON, replaces=None))
    sent = _only(stub).headers
    assert (sent["content-type"], sent["cache-control"]) == ("application/json", "max-age=60")
    assert (sent["x-goog-meta-cache-tag"], sent["x-goog-meta-sha256"]) == ("tenant-acme", "ab")


def test_the_token_is_the_generation_and_headers_come_back(store: Store, stub: Stub) -> None:
    headers = {"Content-Type": "application/json", "Cache-Control": "max-age=60"}
    meta = {"x-goog-meta-cache-tag": "tenant-acme", "x-goog-meta-sha256": "ab", "x-goog-hash": "crc32c=AAAAAA=="}
    stub.answers = [Reply(status=200, body=BODY, headers=headers | meta)]
    stored = asyncio.run(store.get("a/b"))
    assert stored is not None
    assert (stored.body, stored.headers, stored.token) == (BODY, JSON, "7")
    assert (_only(stub).method, _only(stub).path) == ("GET", PATH)


@pytest.mark.parametrize("replaces", [None, "6"])
def test_a_condition_that_does_not_hold(store: Store, stub: Stub, replaces: str | None) -> None:
    stub.answers = [UNMET]
    assert asyncio.run(store.put("a/b", b"x", JSON, replaces=replaces)) is None
    assert len(stub.requests) == 1


def test_writing_one_object_too_often_is_retried(store: Store, stub: Stub) -> None:
    # One write a second to the same name: https://cloud.google.com/storage/quotas#objects
    stub.answers = [(429, "SlowDown"), (200, "")]
    assert asyncio.run(store.put("a/b", b"x", JSON, replaces=None)) == "7"
    assert [request.headers["x-goog-if-generation-match"] for request in stub.requests] == ["0", "0"]


@pytest.mark.parametrize("answer", [(204, ""), (404, "NoSuchKey")])
def test_delete(store: Store, stub: Stub, answer: Answer) -> None:
    stub.answers = [answer]
    asyncio.run(store.delete("a/b"))
    assert (_only(stub).method, _only(stub).path) == ("DELETE", PATH)


def test_a_missing_object(store: Store, stub: Stub) -> None:
    stub.answers = [(404, "NoSuchKey")]
    assert asyncio.run(store.get("a/b")) is None


def test_a_missing_bucket_is_no_missing_object(store: Store, stub: Stub) -> None:
    stub.answers = [NO_BUCKET]

    async def go() -> None:
        for call in (
            store.get("a/b"),
            store.put("a/b", b"x", JSON, replaces=None),
            store.put("a/b", b"x", JSON, replaces="7"),
            store.delete("a/b"),
            _list(store),
        ):
            with pytest.raises(StoreError, match=r"\Ags://bucket/p: no such bucket[^\n]*\Z") as caught:
                await call
            assert caught.value.trouble == "no-store"

    asyncio.run(go())


def test_a_listing_goes_on_where_the_page_ends(store: Store, stub: Stub) -> None:
    stub.answers = [_page("p/a/b", token="next"), _page("p/a/c/d")]
    assert asyncio.run(_list(store)) == ["a/b", "a/c/d"]
    first, second = stub.requests
    assert first.path.startswith("/bucket?")
    assert "list-type=2" in first.path
    assert "prefix=p%2Fa%2F" in first.path
    assert "continuation-token=next" in second.path


def test_the_clock_is_the_last_modified_of_what_was_written(store: Store, stub: Stub) -> None:
    stub.answers = [(404, "NoSuchKey"), (200, "")]
    assert asyncio.run(store.time()) == datetime(2024, 1, 1, tzinfo=UTC)
    assert [request.method for request in stub.requests] == ["GET", "PUT", "HEAD"]
    assert {request.path for request in stub.requests} == {"/bucket/p%2Fprobe%2Fclock"}
    assert stub.requests[1].headers["x-goog-if-generation-match"] == "0"


def _page(key: str, token: str = "") -> Reply:
    more = f"<NextContinuationToken>{token}</NextContinuationToken>" if token else ""
    entry = (
        f"<Contents><Key>{key}</Key><Generation>7</Generation><Size>1</Size>"
        '<LastModified>2026-01-01T00:00:00.000Z</LastModified><ETag>"x"</ETag></Contents>'
    )
    head = f"<Name>bucket</Name><IsTruncated>{'true' if token else 'false'}</IsTruncated>"
    page = f"<ListBucketResult xmlns='http://doc.s3.amazonaws.com/2006-03-01'>{head}{more}{entry}</ListBucketResult>"
    return Reply(status=200, body=page.encode(), headers={"Content-Type": "application/xml"})
