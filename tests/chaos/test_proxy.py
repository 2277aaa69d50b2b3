"""The proxy does what the tests beside this one say that it does."""

import http.client
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import urlsplit

import pytest
from botocore.exceptions import ClientError
from s3server import S3Server

from .faults import REFUSALS, Dice, Fault, Request
from .proxy import Proxy

pytestmark = pytest.mark.chaos

BODY = bytes(range(256)) * 8


def test_requests_and_answers_come_through_unchanged(s3_server: S3Server) -> None:
    name = s3_server.make_bucket()
    with Proxy(s3_server) as proxy:
        client = proxy.server.client()
        key = "live/a b+c=d.example/jwks.json"
        stored = {
            "Body": BODY,
            "ContentType": "application/json",
            "CacheControl": "max-age=3",
            "Metadata": {"a-b": "c"},
        }
        client.put_object(Bucket=name, Key=key, IfNoneMatch="*", **stored)
        with pytest.raises(ClientError, match="PreconditionFailed"):
            client.put_object(Bucket=name, Key=key, IfNoneMatch="*", **stored)
        found = s3_server.client().get_object(Bucket=name, Key=key)
        assert {"Body": found["Body"].read(), **{part: found[part] for part in stored if part != "Body"}} == stored
        through = client.get_object(Bucket=name, Key=key)
        assert (through["Body"].read(), through["ETag"]) == (BODY, found["ETag"])
        assert client.head_object(Bucket=name, Key=key)["ContentLength"] == len(BODY)
        assert [one["Key"] for one in client.list_objects_v2(Bucket=name, Prefix="live/")["Contents"]] == [key]
        assert (proxy.count("PUT", "live/"), proxy.count("GET"), proxy.count("HEAD", "live/")) == (2, 2, 1)
        assert proxy.count("PUT", "documents/") == 0


@pytest.mark.parametrize("fault", list(REFUSALS))
def test_errors_have_the_form_of_s3(s3_server: S3Server, fault: Fault) -> None:
    name = s3_server.make_bucket()
    with Proxy(s3_server, Dice(seed=1, rate=1, faults=(fault,))) as proxy:
        client = proxy.server.client()
        with pytest.raises(ClientError) as caught:
            client.put_object(Bucket=name, Key="a", Body=b"x", IfNoneMatch="*")
        answer = caught.value.response
        refusal = REFUSALS[fault]
        assert (answer["Error"]["Code"], answer["Error"]["Message"]) == (refusal.code, refusal.message)
        assert answer["ResponseMetadata"]["HTTPStatusCode"] == refusal.status
    assert "Contents" not in s3_server.client().list_objects_v2(Bucket=name)


@pytest.mark.parametrize(("fault", "carried_out"), [("reset", False), ("lost", True)])
def test_broken_connections(s3_server: S3Server, fault: Fault, carried_out: bool) -> None:
    name = s3_server.make_bucket()
    with Proxy(s3_server, Dice(seed=1, rate=1, faults=(fault,))) as proxy:
        address = urlsplit(proxy.server.endpoint_url)
        connection = http.client.HTTPConnection(address.hostname or "", address.port, timeout=20)
        connection.request("PUT", f"/{name}/a", body=b"x")
        broken = ConnectionResetError if fault == "reset" else http.client.RemoteDisconnected
        with pytest.raises(ConnectionResetError) as caught:
            connection.getresponse()
        assert type(caught.value) is broken
        connection.close()
    assert ("Contents" in s3_server.client().list_objects_v2(Bucket=name)) == carried_out


@pytest.mark.parametrize("side", ["before", "after"])
def test_one_request_is_held_back(s3_server: S3Server, side: str) -> None:
    name = s3_server.make_bucket()
    direct = s3_server.client()
    with Proxy(s3_server) as proxy, ThreadPoolExecutor(1) as pool:
        client = proxy.server.client()
        with proxy.holding("PUT", "live/", "before" if side == "before" else "after") as hold:
            client.put_object(Bucket=name, Key="documents/a", Body=b"x")
            assert not hold.reached(0)
            waiting = pool.submit(client.put_object, Bucket=name, Key="live/a", Body=b"held")
            assert hold.reached(20)
            assert ("Contents" in direct.list_objects_v2(Bucket=name, Prefix="live/")) == (side == "after")
            client.put_object(Bucket=name, Key="live/b", Body=b"passes")
            assert not waiting.done()
            hold.release()
            waiting.result(20)
    assert direct.get_object(Bucket=name, Key="live/a")["Body"].read() == b"held"


def test_the_same_seed_throws_the_same() -> None:
    def thrown(seed: int) -> list[Fault | None]:
        dice = Dice(seed=seed, rate=0.2)
        asked = [
            Request(method="PUT", target=f"/bucket/{n}", key=str(n), headers=(("if-match", "x"),), body=b"")
            for n in range(500)
        ]
        return [dice.throw(one) for one in asked]

    assert thrown(1) == thrown(1) != thrown(2)
    assert 60 < 500 - thrown(1).count(None) < 140
    reading = Request(method="GET", target="/bucket/a", key="a", headers=(), body=b"")
    assert Dice(seed=1, rate=1, faults=("conflict",)).throw(reading) is None
