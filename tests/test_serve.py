"""The preview edge over real sockets: what it serves, what it refuses, and that a verifier can use it."""

import asyncio
import gzip
import hashlib
import json
import logging
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, TypeVar

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from jwt.algorithms import ECAlgorithm, OKPAlgorithm, RSAAlgorithm

from publisher import edge, reply
from publisher.serve import listening, serve
from publisher.store import Headers, Stored, StoreError, Trouble

DOMAIN = "login.acme.example"
KEY = f"live/{DOMAIN}/.well-known/jwks.json"
BODY = b'{"keys":[]}'
CACHE = "public, max-age=300, stale-while-revalidate=60, stale-if-error=86400"
TAG = f'"{hashlib.sha256(BODY).hexdigest()[:32]}"'
GET = b"GET /.well-known/jwks.json HTTP/1.1\r\n"
HOST = f"Host: {DOMAIN}\r\n".encode()
CLOSE = b"Connection: close\r\n\r\n"

Result = TypeVar("Result")


@dataclass
class MemoryStore:
    """A store in memory that remembers what it was asked."""

    objects: dict[str, Stored] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    url: str = "memory:"

    async def get(self, key: str) -> Stored | None:
        self.asked.append(key)
        return self.objects.get(key)

    async def put(self, key: str, body: bytes, headers: Headers, *, replaces: str | None) -> str | None:
        old = self.objects.get(key)
        if (old.token if old else None) != replaces:
            return None
        token = f"{len(self.asked)}-{hashlib.sha256(body).hexdigest()}"
        self.objects[key] = Stored(body=body, headers=headers, token=token)
        return token

    async def delete(self, key: str) -> None:
        self.objects.pop(key, None)

    async def keys(self, prefix: str) -> AsyncIterator[str]:
        for key in self.objects:
            if key.startswith(prefix):
                yield key

    async def time(self) -> datetime:
        return datetime.now(UTC)


class FailingStore(MemoryStore):
    trouble: Trouble = "broken"

    async def get(self, key: str) -> Stored | None:
        raise StoreError(self.trouble, "bucket\x1b[2J\nis gone")


class StuckStore(MemoryStore):
    def __init__(self) -> None:
        super().__init__()
        self.reached = asyncio.Event()

    async def get(self, key: str) -> Stored | None:
        self.reached.set()
        await asyncio.Event().wait()
        return None


@dataclass
class Answer:
    status: int
    headers: dict[str, str]
    body: bytes


def filled(body: bytes = BODY) -> MemoryStore:
    headers = Headers(content_type="application/json", cache_control=CACHE)
    return MemoryStore({KEY: Stored(body=body, headers=headers, token="t")})


def run(store: MemoryStore, visit: Callable[[str], Awaitable[Result]]) -> Result:
    async def main() -> Result:
        async with listening(store, "127.0.0.1", 0) as url:
            return await asyncio.wait_for(visit(url), 20)

    return asyncio.run(main())


async def exchange(url: str, request: bytes) -> Answer:
    """The answer to raw bytes. They must make the server close the connection."""
    reader, writer = await asyncio.open_connection("127.0.0.1", int(url.rpartition(":")[2]))
    writer.write(request)
    received = await reader.read()
    writer.close()
    await writer.wait_closed()
    head, _, body = received.partition(b"\r\n\r\n")
    first, *lines = head.decode().split("\r\n")
    pairs = [line.split(": ", 1) for line in lines]
    assert len({name for name, _ in pairs}) == len(pairs), "a header is sent twice"
    return Answer(int(first.split()[1]), {name.lower(): value for name, value in pairs}, body)


def ask(request: bytes, store: MemoryStore | None = None) -> Answer:
    return run(store or filled(), lambda url: exchange(url, request))


def test_document_comes_with_exactly_these_headers() -> None:
    answer = ask(GET + HOST + CLOSE)
    assert (answer.status, answer.body) == (200, BODY)
    assert answer.headers.pop("date")
    assert answer.headers == {
        "content-type": "application/json",
        "content-length": str(len(BODY)),
        "cache-control": CACHE,
        "etag": TAG,
        "vary": "Accept-Encoding",
        "access-control-allow-origin": "*",
        "x-content-type-options": "nosniff",
        "server": "jwks-publisher",
        "connection": "close",
    }


@pytest.mark.parametrize("extra", [b"", b"Accept-Encoding: gzip\r\n", b"If-None-Match: *\r\n"])
@pytest.mark.parametrize("host", [HOST, b"Host: nobody.example\r\n"])
def test_head_is_get_without_body(extra: bytes, host: bytes) -> None:
    get, head = (ask(method + GET[3:] + host + extra + CLOSE) for method in (b"GET", b"HEAD"))
    for answer in (get, head):
        answer.headers.pop("date")
    assert (head.status, head.headers, head.body) == (get.status, get.headers, b"")


@pytest.mark.parametrize(
    "host", ["LOGIN.Acme.Example", f"{DOMAIN}:8080", f"{DOMAIN}.", f"{DOMAIN}.:443", f"{DOMAIN}:", f"  {DOMAIN}  "]
)
def test_spellings_of_a_host_are_one_domain(host: str) -> None:
    assert ask(GET + f"Host: {host}\r\n".encode() + CLOSE).status == 200


@pytest.mark.parametrize(
    "host",
    [
        "",
        "localhost",
        "login",
        ".",
        "..",
        f"{DOMAIN}..",
        f".{DOMAIN}",
        "login..example",
        f"../live/{DOMAIN}",
        f"{DOMAIN}/",
        f"{DOMAIN}/.well-known/jwks.json?",
        f"{DOMAIN}%2f",
        "login%2eacme.example",
        f"user@{DOMAIN}",
        f"{DOMAIN}, {DOMAIN}",
        f"{DOMAIN}:80:80",
        f"{DOMAIN}:x",
        "log_in.acme.example",
        "*.acme.example",
        "[::1]:80",
        "login.acme.exam\u212ale",
        "\uff4cogin.acme.example",
        "a." * 130 + "example",
    ],
)
def test_other_hosts_never_reach_the_store(host: str) -> None:
    store = filled()
    answer = ask(GET + f"Host: {host}\r\n".encode() + CLOSE, store)
    assert answer.status in {400, 404}
    assert store.asked == []


@pytest.mark.parametrize("query", ["?", "?v=1", "?a/../b", "?%00"])
def test_query_is_ignored(query: str) -> None:
    assert ask(f"GET /.well-known/jwks.json{query} HTTP/1.1\r\n".encode() + HOST + CLOSE).status == 200


@pytest.mark.parametrize(
    "target",
    [
        "/",
        "//",
        "/.well-known/",
        "/.well-known/jwks.json/",
        "//.well-known/jwks.json",
        "/.well-known//jwks.json",
        "/./.well-known/jwks.json",
        "/x/../.well-known/jwks.json",
        "/../.well-known/jwks.json",
        "/..%2f.well-known/jwks.json",
        "/%2e%2e/.well-known/jwks.json",
        "/%2ewell-known/jwks.json",
        "/.well-known%2fjwks.json",
        "/.well-known/jwks%2ejson",
        "/.well-known\\jwks.json",
        "/.well-known/jwks.json;a",
        "/.well-known/jwks.json%00",
        "/.well-known/jwks.json#x",
        "/.well-known/JWKS.json",
        "/.Well-Known/jwks.json",
        f"/live/{DOMAIN}/.well-known/jwks.json",
        "/documents/0.json",
        f"//{DOMAIN}/.well-known/jwks.json",
        ".well-known/jwks.json",
        "/.well-known/openid-configuration",
        "/.well-known/jwks.json/../jwks.json",
    ],
)
def test_other_paths_never_reach_the_store(target: str) -> None:
    store = filled()
    answer = ask(f"GET {target} HTTP/1.1\r\n".encode() + HOST + CLOSE, store)
    assert answer.status in {400, 404}
    assert store.asked == []


@pytest.mark.parametrize(
    ("target", "host", "status"),
    [
        (f"http://{DOMAIN}/.well-known/jwks.json", DOMAIN, 200),
        (f"HTTPS://{DOMAIN.upper()}:443/.well-known/jwks.json?x", DOMAIN, 200),
        (f"http://{DOMAIN}/.well-known/jwks.json", "other.acme.example", 404),
        ("http://other.acme.example/.well-known/jwks.json", DOMAIN, 404),
        (f"http://{DOMAIN}/.well-known/jwks.json", "not_a_host", 404),
        (f"http://{DOMAIN}@other.example/.well-known/jwks.json", DOMAIN, 404),
        (f"http://{DOMAIN}//.well-known/jwks.json", DOMAIN, 404),
        (f"http://{DOMAIN}", DOMAIN, 404),
        (f"ftp://{DOMAIN}/.well-known/jwks.json", DOMAIN, 404),
        ("http:///.well-known/jwks.json", DOMAIN, 404),
    ],
)
def test_absolute_form_must_name_the_same_host(target: str, host: str, status: int) -> None:
    store = filled()
    answer = ask(f"GET {target} HTTP/1.1\r\nHost: {host}\r\n".encode() + CLOSE, store)
    assert answer.status == status or (status, answer.status) == (404, 400)
    assert store.asked == ([KEY] if status == 200 else [])


@pytest.mark.parametrize(
    ("head", "status"),
    [
        (GET + HOST + b"Host: other.acme.example\r\n", 400),
        (GET + HOST + HOST, 400),
        (GET, 400),
        (b"GET /.well-known/jwks.json HTTP/1.0\r\n", 404),
        (b"GET /.well-known/jwks.json HTTP/1.0\r\n" + HOST + HOST, 400),
        (b"GET /.well-known/jwks.json HTTP/1.0\r\n" + HOST, 200),
        (f"GET http://{DOMAIN}/.well-known/jwks.json HTTP/1.0\r\n".encode(), 200),
    ],
)
def test_exactly_one_host(head: bytes, status: int) -> None:
    store = filled()
    answer = ask(head + CLOSE, store)
    assert answer.status == status
    assert store.asked == ([KEY] if status == 200 else [])
    assert answer.headers["access-control-allow-origin"] == "*"


@pytest.mark.parametrize("request_line", ["POST /", "PUT /.well-known/jwks.json", "DELETE /", "OPTIONS *", "TRACE /"])
def test_other_methods_are_refused(request_line: str) -> None:
    answer = ask(f"{request_line} HTTP/1.1\r\n".encode() + HOST + b"Content-Length: 2\r\nConnection: close\r\n\r\nhi")
    assert (answer.status, answer.headers["allow"]) == (405, "GET, HEAD")
    assert answer.headers["cache-control"] == "no-store"


@pytest.mark.parametrize("noise", [b"\x16\x03\x01\x02\x00\x01\x00\r\n\r\n", b"GET\r\n\r\n", b"get / HTTP/9\r\n\r\n"])
def test_what_is_no_http_is_refused_without_a_traceback(noise: bytes, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO):
        answer = ask(noise)
    assert (answer.status, answer.body) == (400, b"400 Bad Request\n")
    assert answer.headers["server"] == "jwks-publisher"
    assert [record for record in caplog.records if record.name != "asyncio"] == []


def test_unknown_domain_is_a_short_404() -> None:
    answer = ask(GET + b"Host: nobody.acme.example\r\n" + CLOSE)
    assert (answer.status, answer.body) == (404, b"404 Not Found\n")
    assert answer.headers["cache-control"] == "public, max-age=10"
    assert answer.headers["content-type"] == "text/plain; charset=utf-8"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["access-control-allow-origin"] == "*"
    assert "etag" not in answer.headers


@pytest.mark.parametrize(
    ("condition", "status"),
    [
        (TAG, 304),
        (f"W/{TAG}", 304),
        (f'"a", W/"b,c" , {TAG}', 304),
        (f'"a"\r\nIf-None-Match: {TAG}', 304),
        ("*", 304),
        ('"a"', 200),
        (TAG.strip('"'), 200),
        (TAG[:-2] + '"', 200),
        ("", 200),
        (",,", 200),
    ],
)
@pytest.mark.parametrize("coding", ["identity", "gzip"])
def test_conditional_requests(condition: str, status: int, coding: str) -> None:
    extra = f"If-None-Match: {condition}\r\nAccept-Encoding: {coding}\r\n".encode()
    answer = ask(GET + HOST + extra + CLOSE)
    assert answer.status == status
    assert answer.headers["etag"] == (TAG if coding == "identity" else f"W/{TAG}")
    assert answer.headers["cache-control"] == CACHE
    assert answer.headers["vary"] == "Accept-Encoding"
    assert answer.headers["access-control-allow-origin"] == "*"
    if status == 304:
        assert answer.body == b""
        assert not {"content-type", "content-encoding", "content-length"} & answer.headers.keys()


@pytest.mark.parametrize(
    ("accepted", "compressed"),
    [
        ("gzip", True),
        ("GZIP", True),
        ("x-gzip", True),
        ("br, gzip;q=0.5", True),
        ("br\r\nAccept-Encoding: gzip", True),
        ("*", True),
        ("gzip ; q=0.001", True),
        ("gzip;q=0", False),
        ("gzip;q=0.000", False),
        ("*, gzip;q=0", False),
        ("*;q=0", False),
        ("*;q=0, gzip", True),
        ("gzip;q=x", False),
        ("identity", False),
        ("br", False),
        ("gzipped", False),
        ("", False),
    ],
)
def test_compression_is_negotiated(accepted: str, compressed: bool) -> None:
    body = b'{"keys":[' + b" " * 5000 + b"]}"
    answer = ask(GET + HOST + f"Accept-Encoding: {accepted}\r\n".encode() + CLOSE, filled(body))
    assert answer.headers["etag"].startswith("W/") == compressed
    assert answer.headers.get("content-encoding") == ("gzip" if compressed else None)
    assert answer.headers["content-length"] == str(len(answer.body))
    assert answer.headers["content-type"] == "application/json"
    if compressed:
        assert answer.body[4:8] == b"\0\0\0\0", "the time of compression is in the bytes"
        assert len(answer.body) < len(body)
    assert (gzip.decompress(answer.body) if compressed else answer.body) == body


@pytest.mark.parametrize(
    ("trouble", "status"), [("broken", 502), ("denied", 502), ("no-store", 502), ("throttled", 503), ("timeout", 503)]
)
def test_failing_store_is_one_log_line(trouble: Trouble, status: int, caplog: pytest.LogCaptureFixture) -> None:
    store = FailingStore()
    store.trouble = trouble
    with caplog.at_level(logging.INFO):
        answer = ask(GET + HOST + CLOSE, store)
    assert (answer.status, answer.headers["cache-control"]) == (status, "no-store")
    assert b"bucket" not in answer.body
    assert answer.headers["access-control-allow-origin"] == "*"
    (line,) = [record.getMessage() for record in caplog.records if record.name == "publisher.serve"]
    assert line == f"{DOMAIN}: the store failed: bucket\\x1b[2J\\x0ais gone"


def test_connection_is_kept_for_the_next_request() -> None:
    async def visit(url: str) -> bytes:
        reader, writer = await asyncio.open_connection("127.0.0.1", int(url.rpartition(":")[2]))
        writer.write(GET + HOST + b"\r\n" + GET + b"Host: nobody.example\r\n\r\n" + GET + HOST + CLOSE)
        received = await reader.read()
        writer.close()
        await writer.wait_closed()
        return received

    received = run(filled(), visit)
    assert (received.count(b"HTTP/1.1 200 "), received.count(b"HTTP/1.1 404 ")) == (2, 1)


def test_serve_ends_when_cancelled_whatever_is_open() -> None:
    store = StuckStore()

    async def main() -> tuple[str, bytes]:
        started: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        task = asyncio.create_task(serve(store, "127.0.0.1", 0, started=started.set_result))
        port = int((await started).rpartition(":")[2])
        idle = await asyncio.open_connection("127.0.0.1", port)
        busy = await asyncio.open_connection("127.0.0.1", port)
        busy[1].write(GET + HOST + b"\r\n")
        await asyncio.wait_for(store.reached.wait(), 20)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await asyncio.wait_for(task, 20)
        received = await idle[0].read() + await busy[0].read()
        for _, writer in (idle, busy):
            writer.close()
            await writer.wait_closed()
        with pytest.raises(ConnectionRefusedError):
            await asyncio.open_connection("127.0.0.1", port)
        return started.result(), received

    url, received = asyncio.run(main())
    assert url.startswith("http://127.0.0.1:")
    assert received == b""


def test_taken_port_is_an_os_error() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken, pytest.raises(OSError, match=r"address already in use"):
        asyncio.run(serve(filled(), "127.0.0.1", taken.getsockname()[1], started=lambda _: None))


def test_fetch_finds_no_fault_with_what_is_served() -> None:
    async def visit(url: str) -> list[str]:
        async with edge.session(4) as session:
            replies = await asyncio.gather(*(edge.fetch(session, url, DOMAIN) for _ in range(40)))
        assert {one.headers["content-encoding"] for one in replies} == {"gzip"}
        return [fault for one in replies for fault in reply.faults(one, expected_body=BODY, cache_control=CACHE)]

    store = filled()
    assert run(store, visit) == []
    assert store.asked == [KEY] * 40


def test_fetch_names_what_is_not_served() -> None:
    async def visit(url: str) -> list[str]:
        async with edge.session(1) as session:
            found = await edge.fetch(session, url, "nobody.acme.example")
        return reply.faults(found, expected_body=BODY, cache_control=CACHE)

    assert run(filled(), visit) == ["status 404: no document is served for this domain"]


def signed_tokens() -> tuple[bytes, dict[str, str]]:
    """A document of three public keys, and a token by each, by algorithm."""
    private: dict[str, Any] = {
        "RS256": rsa.generate_private_key(public_exponent=65537, key_size=2048),
        "ES256": ec.generate_private_key(ec.SECP256R1()),
        "EdDSA": ed25519.Ed25519PrivateKey.generate(),
    }
    forms: dict[str, Any] = {"RS256": RSAAlgorithm, "ES256": ECAlgorithm, "EdDSA": OKPAlgorithm}
    keys = [
        {**json.loads(forms[alg].to_jwk(key.public_key())), "kid": f"kid-{alg}", "use": "sig", "alg": alg}
        for alg, key in private.items()
    ]
    assert not any("d" in key for key in keys)
    tokens = {alg: jwt.encode({"sub": alg}, key, alg, {"kid": f"kid-{alg}"}) for alg, key in private.items()}
    return json.dumps({"keys": keys}).encode(), tokens


def test_pyjwt_verifies_tokens_by_the_served_keys(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    document, tokens = signed_tokens()
    _, strangers = signed_tokens()

    def verify(url: str) -> list[str]:
        client = jwt.PyJWKClient(f"{url}/.well-known/jwks.json", headers={"Host": DOMAIN})
        for token in strangers.values():
            with pytest.raises(jwt.InvalidSignatureError):
                jwt.decode(token, client.get_signing_key_from_jwt(token), ["RS256", "ES256", "EdDSA"])
        return [
            jwt.decode(token, client.get_signing_key_from_jwt(token), [alg])["sub"] for alg, token in tokens.items()
        ]

    assert run(filled(document), lambda url: asyncio.to_thread(verify, url)) == ["RS256", "ES256", "EdDSA"]
