"""What an S3 server can do wrong: what is retried, how often, and the one line that ends it. Over HTTP."""

import asyncio
import socket
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from obstore.store import S3Store

from publisher.store import Headers, StoreError, Trouble
from publisher.stores.aws import s3_config
from publisher.stores.objects import ObjectStore
from publisher.stores.patience import Patience

from .stub import BODY, Answer, Stub

JSON = Headers(content_type="application/json", cache_control="max-age=300")
QUICK = Patience(
    first_pause=timedelta(milliseconds=1),
    longest_pause=timedelta(milliseconds=5),
    total=timedelta(seconds=20),
    retries=3,
)
HASTY = replace(QUICK, request=timedelta(milliseconds=500))
SECRETS = ("hunter", "Signature", "Authorization", "AWS4-HMAC", "Debug", "RetryError")


def _open(endpoint: str, patience: Patience = QUICK) -> ObjectStore:
    """As `open_s3` does it, without the tenth of a second that boto3 needs each time."""
    backend = S3Store(
        "bucket",
        prefix="p",
        config=s3_config("bucket", endpoint, region="us-east-1", style="auto"),
        access_key_id="hunter1",
        secret_access_key="hunter2",
        client_options=patience.client(plain_http=True),
        retry_config=patience.retry(),
    )
    return ObjectStore(backend, dialect="s3", url="s3://bucket/p", at=endpoint, patience=patience)


async def _get(store: ObjectStore) -> object:
    stored = await store.get("a/b")
    return stored and stored.body


async def _create(store: ObjectStore) -> object:
    return await store.put("a/b", b"x", JSON, replaces=None)


async def _swap(store: ObjectStore) -> object:
    return await store.put("a/b", b"x", JSON, replaces="old")


async def _list(store: ObjectStore) -> object:
    return [key async for key in store.keys("a/")]


async def _delete(store: ObjectStore) -> object:
    return await store.delete("a/b")  # type: ignore[func-returns-value]  # None is what it gives


async def _time(store: ObjectStore) -> object:
    return await store.time()


Call = Callable[[ObjectStore], Awaitable[object]]
GIVES: dict[Call, object] = {_get: BODY, _create: "stub", _swap: "stub", _delete: None}
SLOW: Answer = (503, "SlowDown")
BUSY: Answer = (409, "ConditionalRequestConflict")
OK: Answer = (200, "")


@pytest.mark.parametrize("call", GIVES)
@pytest.mark.parametrize(
    "fault", [SLOW, (429, "SlowDown"), (500, "InternalError"), (408, "RequestTimeout"), "drop", "reset"]
)
def test_transient_faults_are_retried(stub: Stub, call: Call, fault: Answer) -> None:
    stub.answers = [fault, fault, OK]
    assert asyncio.run(_run(call, stub)) == GIVES[call]
    assert len(stub.requests) == 3


@pytest.mark.parametrize("call", [_create, _swap, _delete])
def test_a_conflict_with_other_writers_is_retried(stub: Stub, call: Call) -> None:
    stub.answers = [BUSY, BUSY, OK]
    assert asyncio.run(_run(call, stub)) == GIVES[call]
    assert len(stub.requests) == 3


@pytest.mark.parametrize("call", GIVES)
def test_a_request_that_gets_no_answer_is_retried(stub: Stub, call: Call) -> None:
    stub.answers = ["hang", OK]
    assert asyncio.run(_run(call, stub, HASTY)) == GIVES[call]
    assert len(stub.requests) > 1


@pytest.mark.parametrize("call", [_create, _swap])
@pytest.mark.parametrize("lost", ["drop", "reset", "hang", (500, "InternalError")])
def test_a_write_whose_answer_was_lost_meets_itself(stub: Stub, call: Call, lost: Answer) -> None:
    stub.answers = [lost, (412, "PreconditionFailed")]
    assert asyncio.run(_run(call, stub, HASTY)) is None


@pytest.mark.parametrize("answer", [(204, ""), (404, "NoSuchKey")])
def test_one_object_is_deleted_by_itself(stub: Stub, answer: Answer) -> None:
    stub.answers = [answer]
    asyncio.run(_run(_delete, stub))
    assert [(request.method, request.path) for request in stub.requests] == [("DELETE", "/bucket/p/a/b")]


def test_conditions_are_sent_without_quotes(stub: Stub) -> None:
    asyncio.run(_run(_create, stub))
    asyncio.run(_run(_swap, stub))
    create, swap = (request.headers for request in stub.requests)
    assert (create.get("if-none-match"), create.get("if-match")) == ("*", None)
    assert (swap.get("if-none-match"), swap.get("if-match")) == (None, "old")


@pytest.mark.parametrize(
    ("answer", "trouble", "text"),
    [
        ((404, "NoSuchBucket"), "no-store", "s3://bucket/p at {endpoint}: no such bucket"),
        ((403, "AccessDenied"), "denied", "s3://bucket/p/a/{end} at {endpoint}: access denied (403 AccessDenied);"),
        ((403, "InvalidAccessKeyId"), "denied", "access denied (403 InvalidAccessKeyId);"),
        ((400, "ExpiredToken"), "denied", "access denied (400 ExpiredToken);"),
        ((401, "Unauthorized"), "denied", "access denied (401 Unauthorized);"),
        (SLOW, "throttled", "asks for fewer requests (503 SlowDown);"),
        ((429, "TooManyRequests"), "throttled", "asks for fewer requests (429 TooManyRequests);"),
        ((504, "GatewayTimeout"), "timeout", "did not answer in time (504 GatewayTimeout);"),
        ((500, "InternalError"), "broken", "the store failed (500 InternalError);"),
        ((501, "NotImplemented"), "broken", "cannot do this (501 NotImplemented);"),
        ((507, "QuotaExceeded"), "full", "the store is full (507 QuotaExceeded);"),
        ((400, "AuthorizationHeaderMalformed"), "broken", "another region; set AWS_REGION"),
        ((301, "PermanentRedirect"), "broken", "another region; set AWS_REGION"),
        ((400, "EntityTooLarge"), "broken", "the store failed (400 EntityTooLarge);"),
        ("drop", "unreachable", "it broke off;"),
        ("reset", "unreachable", "it broke off;"),
    ],
)
@pytest.mark.parametrize("call", [*GIVES, _list])
def test_faults_that_stay_end_in_one_line(stub: Stub, call: Call, answer: Answer, trouble: Trouble, text: str) -> None:
    stub.answers = [answer]
    message = _failure(_run(call, stub), trouble)
    assert text.format(endpoint=stub.endpoint_url, end="" if call is _list else "b") in message


@pytest.mark.parametrize("call", [_create, _swap, _delete])
def test_a_conflict_that_stays(stub: Stub, call: Call) -> None:
    stub.answers = [BUSY]
    assert "other writers keep it busy" in _failure(_run(call, stub), "throttled")
    assert len(stub.requests) > QUICK.retries


@pytest.mark.parametrize("call", [_get, _create, _delete, _list])
def test_no_answer_at_all(stub: Stub, call: Call) -> None:
    stub.answers = ["hang"]
    patience = replace(QUICK, request=timedelta(milliseconds=200), retries=2)
    assert "did not answer in time" in _failure(_run(call, stub, patience), "timeout")
    assert len(stub.requests) > 1


@pytest.mark.parametrize("call", [*GIVES, _list])
def test_connection_refused(call: Call) -> None:
    with socket.socket() as taken:  # bound and not listening: nobody else can take the port
        taken.bind(("127.0.0.1", 0))
        endpoint = f"http://127.0.0.1:{taken.getsockname()[1]}"

        async def go() -> None:
            await call(_open(endpoint))

        assert f"{endpoint}: connection refused;" in _failure(go(), "unreachable")


@pytest.mark.parametrize("number", [0, 1, 2])
def test_the_clock_fails_as_a_write_does(stub: Stub, number: int) -> None:
    stub.answers = [*[OK] * number, (403, "AccessDenied")]
    assert "s3://bucket/p/probe/clock at" in _failure(_run(_time, stub), "denied")


def test_the_clock_is_retried(stub: Stub) -> None:
    stub.answers = [SLOW, OK, BUSY, OK, SLOW, OK]
    assert asyncio.run(_run(_time, stub)) == datetime(2024, 1, 1, tzinfo=UTC)
    assert [request.method for request in stub.requests] == ["GET", "GET", "PUT", "PUT", "HEAD", "HEAD"]


def test_the_clock_is_asked_though_another_wrote_it(stub: Stub) -> None:
    stub.answers = [OK, (412, "PreconditionFailed"), OK]
    assert asyncio.run(_run(_time, stub)) == datetime(2024, 1, 1, tzinfo=UTC)


def test_a_clock_that_is_deleted_meanwhile(stub: Stub) -> None:
    stub.answers = [OK, OK, (404, "NoSuchKey")]
    assert "probe/clock" in (message := _failure(_run(_time, stub), "broken"))
    assert "see who deletes it" in message


def test_a_clock_in_no_bucket(stub: Stub) -> None:
    stub.answers = [(404, "NoSuchBucket")]
    assert "no such bucket" in _failure(_run(_time, stub), "no-store")


def test_a_host_that_does_not_exist() -> None:
    async def go() -> None:
        await _get(_open("http://host.invalid"))

    assert "the host name is not known;" in _failure(go(), "unreachable")


async def _run(call: Call, stub: Stub, patience: Patience = QUICK) -> object:
    return await call(_open(stub.endpoint_url, patience))


def _failure(running: Awaitable[object], trouble: Trouble) -> str:
    async def go() -> None:
        await running

    with pytest.raises(StoreError) as caught:
        asyncio.run(go())
    error = caught.value
    message = str(error)
    assert error.trouble == trouble
    assert message.startswith("s3://bucket/p")
    assert "\n" not in message
    assert not [secret for secret in SECRETS if secret in message]
    assert error.__cause__ is None
    assert error.__suppress_context__ or error.__context__ is None
    return message
