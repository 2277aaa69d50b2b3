"""The verifier's client against real sockets that behave and misbehave, and the comparison as a table."""

import asyncio
import datetime
import gzip
import hashlib
import ipaddress
import socket
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import NoReturn, TypeVar

import aiohttp
import orjson
import pytest
from aiohttp.abc import AbstractResolver
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from publisher.edge import BODY_LIMIT, address, fetch, session
from publisher.reply import FetchFault, Reply, faults

DOMAIN = "login.acme.example"
OTHER = "id.globex.example"
BODY = b'{"keys":[]}'
CACHE = "public, max-age=300, stale-while-revalidate=60"
SOON = aiohttp.ClientTimeout(total=0.3, sock_connect=0.3)

Result = TypeVar("Result")


@pytest.fixture(autouse=True)
def no_proxies(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)


def answer(body: bytes = BODY, *headers: str, status: str = "200 OK") -> bytes:
    lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", *headers]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


@dataclass
class Peer:
    """A server on a real socket that sends the same bytes to every request (None: hangs) or to every connection."""

    sends: bytes | None = b""
    closes: bool = True
    waits: bool = True
    requests: list[bytes] = field(default_factory=list)
    connections: int = 0
    port: int = 0

    @asynccontextmanager
    async def running(self, tls: ssl.SSLContext | None = None) -> AsyncIterator[None]:
        tasks: set[asyncio.Task[None]] = set()

        def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            tasks.add(asyncio.create_task(self._talk(reader, writer)))

        server = await asyncio.start_server(connected, "127.0.0.1", 0, ssl=tls)
        self.port = server.sockets[0].getsockname()[1]
        try:
            yield
        finally:
            server.close()
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            await server.wait_closed()

    async def _talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        try:
            while True:
                if self.waits:
                    self.requests.append(await reader.readuntil(b"\r\n\r\n"))
                if self.sends is None:
                    await asyncio.Event().wait()
                writer.write(self.sends or b"")
                await writer.drain()
                if self.closes:
                    return
        except (asyncio.IncompleteReadError, ConnectionError):
            return
        finally:
            if self.closes:
                writer.close()
            else:
                writer.transport.abort()


def run(peer: Peer, visit: Callable[[str], Awaitable[Result]]) -> Result:
    async def main() -> Result:
        async with peer.running():
            return await asyncio.wait_for(visit(f"http://127.0.0.1:{peer.port}"), 20)

    return asyncio.run(main())


def get(peer: Peer, limits: aiohttp.ClientTimeout | None = None) -> Reply:
    async def visit(url: str) -> Reply:
        async with session(1) as client:
            if limits:
                return await fetch(client, url, DOMAIN, limits=limits)
            return await fetch(client, url, DOMAIN)

    return run(peer, visit)


def fault(peer: Peer, limits: aiohttp.ClientTimeout | None = None) -> str:
    with pytest.raises(FetchFault) as caught:
        get(peer, limits)
    message = str(caught.value)
    assert message.isprintable()
    return message.replace(f":{peer.port}", ":PORT")


# --- what is asked, and what comes back


def test_asks_as_a_verifier_does() -> None:
    peer = Peer(answer(BODY, "Set-Cookie: a=b", "X-Two: 1", "x-two: 2"))
    reply = get(peer)
    assert (reply.status, reply.body) == (200, BODY)
    assert reply.headers["x-two"] == "1, 2"
    first, *lines = peer.requests[0].decode().rstrip().split("\r\n")
    assert first == "GET /.well-known/jwks.json HTTP/1.1"
    assert dict(line.split(": ", 1) for line in lines) == {
        "Host": DOMAIN,
        "Accept": "application/json",
        "Accept-Encoding": "gzip",
        "User-Agent": "jwks-publisher",
    }


def test_one_edge_is_asked_over_one_connection_without_cookies() -> None:
    peer = Peer(answer(BODY, "Set-Cookie: a=b"), closes=False)

    async def visit(url: str) -> None:
        async with session(1) as client:
            for domain in (DOMAIN, OTHER, DOMAIN):
                # By name, since a cookie jar would drop the cookies of bare addresses anyway.
                await fetch(client, url.replace("127.0.0.1", "localhost"), domain)

    run(peer, visit)
    assert peer.connections == 1
    assert [request.partition(b"Host: ")[2].split()[0].decode() for request in peer.requests] == [DOMAIN, OTHER, DOMAIN]
    assert not any(b"cookie" in request.lower() for request in peer.requests)


def test_domain_may_be_part_of_the_base_url() -> None:
    peer = Peer(answer())

    async def visit(url: str) -> Reply:
        async with session(1) as client:
            return await fetch(client, f"{url}/bucket/live/{{domain}}/", DOMAIN)

    assert run(peer, visit).status == 200
    head = peer.requests[0].decode()
    assert "\r\nConnection: close\r\n" in head
    assert head.startswith(
        f"GET /bucket/live/{DOMAIN}/.well-known/jwks.json HTTP/1.1\r\nHost: 127.0.0.1:{peer.port}\r\n"
    )


def test_gzip_is_decoded() -> None:
    reply = get(Peer(answer(gzip.compress(BODY), "Content-Encoding: gzip", 'ETag: W/"x"')))
    assert (reply.body, reply.headers["content-encoding"], reply.headers["etag"]) == (BODY, "gzip", 'W/"x"')


@pytest.mark.parametrize("status", ["301 Moved", "302 Found", "304 Not Modified", "404 Not Found", "503 Busy"])
def test_any_status_is_a_reply(status: str) -> None:
    peer = Peer(answer(b"", "Location: /.well-known/jwks.json?again", status=status))
    assert get(peer).status == int(status[:3])
    assert len(peer.requests) == 1


def test_body_of_the_limit_is_read() -> None:
    assert len(get(Peer(answer(b"x" * BODY_LIMIT))).body) == BODY_LIMIT


# --- what is no reply


@pytest.mark.parametrize(
    "sends",
    [
        answer(b"x" * (BODY_LIMIT + 1)),
        answer(gzip.compress(b"\0" * 50_000_000), "Content-Encoding: gzip"),
        b"HTTP/1.1 200 OK\r\n\r\n" + b"x" * (BODY_LIMIT + 1),
    ],
)
def test_large_bodies_are_given_up(sends: bytes) -> None:
    assert fault(Peer(sends)) == "the answer from 127.0.0.1:PORT has more than 1048576 bytes"


@pytest.mark.parametrize(
    ("sends", "message"),
    [
        (b"", "127.0.0.1:PORT closed the connection without an answer"),
        (answer(BODY)[:-1], "the answer from 127.0.0.1:PORT breaks off or cannot be decoded"),
        (answer(b"text", "Content-Encoding: gzip"), "the answer from 127.0.0.1:PORT breaks off or cannot be decoded"),
        (b"SSH-2.0-\x1b[2J\r\n\r\n", "127.0.0.1:PORT answers with something that is no HTTP"),
        (
            b"HTTP/1.1 200 OK\r\nA: " + b"x" * 20_000 + b"\r\n\r\n",
            "127.0.0.1:PORT answers with something that is no HTTP",
        ),
    ],
)
def test_broken_answers_are_faults(sends: bytes, message: str) -> None:
    assert fault(Peer(sends)) == message


@pytest.mark.parametrize("sends", [None, answer(BODY)[:-1]])
def test_slow_answers_are_faults(sends: bytes | None) -> None:
    assert fault(Peer(sends, closes=False), SOON) == "no whole answer from 127.0.0.1:PORT within 0.3 s"


def closed() -> str:
    async def visit(_: str) -> None:
        return

    peer = Peer()
    run(peer, visit)
    return f"127.0.0.1:{peer.port}"


def lonely(base_url: str) -> str:
    async def visit() -> Reply:
        async with session(1) as client:
            return await fetch(client, base_url, DOMAIN)

    with pytest.raises(FetchFault) as caught:
        asyncio.run(visit())
    return str(caught.value)


def test_refused_connections_are_faults() -> None:
    place = closed()
    assert lonely(f"http://{place}") == f"no connection to {place}: connection refused"


class NoNames(AbstractResolver):
    """Knows no name; the network's resolver is not for tests."""

    async def resolve(self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET) -> NoReturn:
        raise socket.gaierror(socket.EAI_NONAME, f"no {host}")

    async def close(self) -> None:
        pass


def test_unknown_names_are_faults() -> None:
    async def visit() -> None:
        connector = aiohttp.TCPConnector(resolver=NoNames())
        async with aiohttp.ClientSession(connector=connector) as client:
            with pytest.raises(FetchFault, match=r"^no network address is known for login\.acme\.example$"):
                await fetch(client, "http://{domain}", DOMAIN)

    asyncio.run(visit())


@pytest.mark.parametrize(
    "base", ["", "edge.example", "ftp://e.example", "http://", "https://{tenant}", "http://[", "http://h:x"]
)
def test_base_url_must_be_one(base: str) -> None:
    with pytest.raises(FetchFault, match=r"^the base URL is not one; write http://HOST:PORT"):
        address(base, DOMAIN)


def test_base_url_must_not_hold_credentials_and_they_are_not_echoed() -> None:
    with pytest.raises(FetchFault, match="leave it out") as caught:
        address("https://me:secret@edge.example", DOMAIN)
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize("base", ["https://edge.example?a=b", "https://edge.example/#x"])
def test_base_url_must_end_before_the_query(base: str) -> None:
    with pytest.raises(FetchFault, match="query or fragment"):
        address(base, DOMAIN)


@pytest.mark.parametrize(
    ("base", "url"),
    [
        ("https://{domain}", f"https://{DOMAIN}/.well-known/jwks.json"),
        ("https://{domain}:8443/", f"https://{DOMAIN}:8443/.well-known/jwks.json"),
        ("http://[::1]:81", "http://[::1]:81/.well-known/jwks.json"),
    ],
)
def test_address(base: str, url: str) -> None:
    assert str(address(base, DOMAIN)) == url


# --- TLS


@dataclass
class Certificates:
    """An authority that SSL_CERT_FILE names, and server contexts with certificates by it."""

    folder: Path
    key: ec.EllipticCurvePrivateKey = field(default_factory=lambda: ec.generate_private_key(ec.SECP256R1()))
    seen: list[str | None] = field(default_factory=list)

    def authority(self) -> Path:
        path = self.folder / "authority.pem"
        path.write_bytes(self._issue("authority", self.key, ca=True).public_bytes(serialization.Encoding.PEM))
        return path

    def server(self, *domains: str) -> ssl.SSLContext:
        """A server that picks its certificate by SNI, as a CDN does; the first is for those who send another."""
        contexts = {domain: self._context(domain) for domain in domains}
        first = contexts[domains[0]]

        def chosen(connection: ssl.SSLObject, name: str | None, _: ssl.SSLContext) -> None:
            self.seen.append(name)
            connection.context = contexts.get(name or "", first)

        first.sni_callback = chosen
        return first

    def _context(self, domain: str) -> ssl.SSLContext:
        key = ec.generate_private_key(ec.SECP256R1())
        path = self.folder / f"{domain}.pem"
        path.write_bytes(
            key.private_bytes(
                serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
            )
            + self._issue(domain, key, ca=False).public_bytes(serialization.Encoding.PEM)
        )
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(path)
        return context

    def _issue(self, name: str, key: ec.EllipticCurvePrivateKey, *, ca: bool) -> x509.Certificate:
        now = datetime.datetime.now(datetime.UTC)
        authority = self.key.public_key()
        builder = (
            x509.CertificateBuilder()
            .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)]))
            .issuer_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "authority")]))
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - datetime.timedelta(days=1))
            .not_valid_after(now + datetime.timedelta(days=1))
            .add_extension(x509.BasicConstraints(ca=ca, path_length=None), critical=True)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
            .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(authority), critical=False)
        )
        if ca:  # Python 3.13 checks strictly: an authority must say that it signs certificates.
            uses = dict.fromkeys(
                ("digital_signature", "content_commitment", "key_encipherment", "data_encipherment", "key_agreement"),
                False,
            )
            usage = x509.KeyUsage(key_cert_sign=True, crl_sign=True, encipher_only=False, decipher_only=False, **uses)
            builder = builder.add_extension(usage, critical=True)
        else:
            place: x509.GeneralName = (
                x509.IPAddress(ipaddress.ip_address(name)) if name[0].isdigit() else x509.DNSName(name)
            )
            builder = builder.add_extension(x509.SubjectAlternativeName([place]), critical=False)
        return builder.sign(self.key, hashes.SHA256())


@pytest.fixture
def certificates(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Certificates:
    made = Certificates(tmp_path)
    monkeypatch.setenv("SSL_CERT_FILE", str(made.authority()))
    return made


def over_tls(
    context: ssl.SSLContext | None, visit: Callable[[aiohttp.ClientSession, str], Awaitable[Result]]
) -> Result:
    async def main() -> Result:
        peer = Peer(answer(), waits=context is not None)
        async with peer.running(context), session(2) as client:
            return await asyncio.wait_for(visit(client, f"https://127.0.0.1:{peer.port}"), 20)

    return asyncio.run(main())


def test_https_edge_is_asked_by_the_domain_as_server_name(certificates: Certificates) -> None:
    async def visit(client: aiohttp.ClientSession, url: str) -> list[int]:
        return [(await fetch(client, url, domain)).status for domain in (DOMAIN, OTHER, DOMAIN)]

    assert over_tls(certificates.server(DOMAIN, OTHER), visit) == [200, 200, 200]
    assert certificates.seen == [DOMAIN, OTHER, DOMAIN]


def test_connection_is_never_shared_by_two_server_names(certificates: Certificates) -> None:
    """Even where the edge keeps connections open against our wish; aiohttp before 3.14.1 would reuse them."""

    async def main() -> None:
        peer = Peer(answer(), closes=False)
        async with peer.running(certificates.server(DOMAIN)), session(1) as client:
            url = f"https://127.0.0.1:{peer.port}"
            await fetch(client, url, DOMAIN)
            with pytest.raises(FetchFault, match=rf"does not hold for {OTHER}: Hostname mismatch"):
                await fetch(client, url, OTHER)
        assert b"\r\nConnection: close\r\n" in peer.requests[0]

    asyncio.run(main())
    assert certificates.seen == [DOMAIN, OTHER]


def test_template_takes_the_server_name_from_the_url(certificates: Certificates) -> None:
    async def visit(client: aiohttp.ClientSession, url: str) -> int:
        return (await fetch(client, url + "/{domain}", DOMAIN)).status

    assert over_tls(certificates.server("127.0.0.1"), visit) == 200
    assert certificates.seen == [None]


def test_certificates_of_strangers_are_faults(tmp_path: Path, certificates: Certificates) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()

    async def visit(client: aiohttp.ClientSession, url: str) -> None:
        with pytest.raises(FetchFault, match=rf"does not hold for {DOMAIN}: unable to get local issuer|self.signed"):
            await fetch(client, url, DOMAIN)

    over_tls(Certificates(elsewhere).server(DOMAIN), visit)


def test_plain_http_behind_https_is_a_fault(certificates: Certificates) -> None:
    async def visit(client: aiohttp.ClientSession, url: str) -> None:
        with pytest.raises(FetchFault, match=r"^TLS with 127\.0\.0\.1:[0-9]+ failed: wrong version number$"):
            await fetch(client, url, DOMAIN)

    over_tls(None, visit)


# --- proxies


@asynccontextmanager
async def tunnel(asked: list[str], status: str = "200 OK") -> AsyncIterator[str]:
    """A proxy that knows CONNECT alone; yields its host and port."""
    tasks: set[asyncio.Task[None]] = set()

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        asked.append(head.split("\r\n")[0])
        writer.write(f"HTTP/1.1 {status}\r\n\r\n".encode())
        if status.startswith("200"):
            host, _, port = head.split()[1].rpartition(":")
            far_reader, far_writer = await asyncio.open_connection(host, int(port))
            await asyncio.gather(pour(reader, far_writer), pour(far_reader, writer))
        writer.close()

    async def pour(source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
        while data := await source.read(65536):
            sink.write(data)
        sink.close()

    def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        tasks.add(asyncio.create_task(talk(reader, writer)))

    server = await asyncio.start_server(connected, "127.0.0.1", 0)
    try:
        yield f"127.0.0.1:{server.sockets[0].getsockname()[1]}"
    finally:
        server.close()
        await asyncio.gather(*tasks, return_exceptions=True)
        await server.wait_closed()


@pytest.mark.parametrize("scheme", ["http://", ""])
def test_https_goes_through_the_proxy_of_the_environment(
    scheme: str, certificates: Certificates, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []

    async def visit(client: aiohttp.ClientSession, url: str) -> str:
        async with tunnel(asked) as proxy:
            monkeypatch.setenv("HTTPS_PROXY", scheme + proxy)
            assert (await fetch(client, url, DOMAIN)).status == 200
            monkeypatch.setenv("NO_PROXY", "127.0.0.1")
            assert (await fetch(client, url, OTHER)).status == 200
        return url.removeprefix("https://")

    place = over_tls(certificates.server(DOMAIN, OTHER), visit)
    assert asked == [f"CONNECT {place} HTTP/1.1"]
    assert certificates.seen == [DOMAIN, OTHER]


def test_refusing_proxies_are_faults(certificates: Certificates, monkeypatch: pytest.MonkeyPatch) -> None:
    async def visit(client: aiohttp.ClientSession, url: str) -> None:
        async with tunnel([], "403 Forbidden") as proxy:
            monkeypatch.setenv("HTTPS_PROXY", f"http://me:secret@{proxy}")
            with pytest.raises(FetchFault, match=r"^the proxy that HTTPS_PROXY names refuses 127.+: status 403$"):
                await fetch(client, url, DOMAIN)

    over_tls(certificates.server(DOMAIN), visit)


@pytest.mark.parametrize("scheme", ["http", "socks5"])
def test_proxies_that_are_none_are_faults(scheme: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", f"{scheme}://me:secret@{closed()}")
    message = lonely("https://edge.example")
    assert "secret" not in message
    if scheme == "http":
        assert message == "no connection to the proxy that HTTPS_PROXY names: connection refused"


def test_http_never_goes_through_a_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", f"http://{closed()}")
    assert get(Peer(answer())).status == 200


# --- the comparison


def reply(status: int = 200, body: bytes = BODY, **headers: str | None) -> Reply:
    given = {
        "content-type": "application/json",
        "cache-control": CACHE,
        "access-control-allow-origin": "*",
        "x-content-type-options": "nosniff",
        "etag": '"x"',
    } | {name.replace("_", "-"): value for name, value in headers.items()}
    return Reply(status=status, body=body, headers={name: value for name, value in given.items() if value is not None})


def compare(given: Reply, expected: bytes = BODY) -> list[str]:
    return faults(given, expected_body=expected, cache_control=CACHE)


def key(kid: object, x: str = "AA") -> dict[str, object]:
    return {"kty": "OKP", "crv": "Ed25519", "kid": kid, "x": x}


def jwks(*keys: object) -> bytes:
    return orjson.dumps({"keys": keys})


def test_right_reply_has_no_fault() -> None:
    assert compare(reply()) == []


@pytest.mark.parametrize(
    "given",
    [
        "stale-while-revalidate=60,max-age=300 ,  Public",
        "public,, max-age = 300, stale-while-revalidate=60",
        "public, max-age=300, max-age=300, STALE-while-revalidate=60,",
    ],
)
def test_cache_control_is_compared_by_directive(given: str) -> None:
    assert compare(reply(cache_control=given)) == []


@pytest.mark.parametrize(
    "given",
    [
        "",
        "public, max-age=300",
        CACHE + ", immutable",
        CACHE + ", max-age=60",
        CACHE.replace("300", "3000"),
        f'private="{CACHE}"',
    ],
)
def test_other_cache_control_is_a_fault(given: str) -> None:
    assert compare(reply(cache_control=given)) == [f"cache-control is `{given}`: expected `{CACHE}`"]


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (
            reply(content_type="application/json; charset=utf-8"),
            (
                "content-type is `application/json; charset=utf-8`: expected `application/json`, without charset: some"
                " verifiers refuse any other"
            ),
        ),
        (
            reply(content_type=None),
            "no content-type header: expected `application/json`, without charset: some verifiers refuse any other",
        ),
        (
            reply(cache_control=None),
            "no cache-control header, so a CDN keeps the document as long as it likes (CloudFront: 24 h)",
        ),
        (
            reply(access_control_allow_origin="*, *"),
            "access-control-allow-origin is `*, *`: expected `*`: verifiers in a browser cannot read the document",
        ),
        (
            reply(access_control_allow_origin=None),
            "no access-control-allow-origin header: expected `*`: verifiers in a browser cannot read the document",
        ),
        (reply(x_content_type_options=None), "no x-content-type-options header: expected `nosniff`"),
        (reply(etag=" "), "no etag header, so caches cannot ask whether the document has changed"),
        (reply(404), "status 404: no document is served for this domain"),
        (reply(503, b"<html>"), "status 503: expected 200"),
        (reply(204), "status 204: expected 200"),
        (reply(304), "status 304: expected 200"),
        (
            reply(307, location="/\x1b[31mx\n"),
            (
                "status 307 redirects to `/\\x1b[31mx\\x0a`: serve the document itself at this URL, since jose and"
                " jwks-rsa refuse redirects"
            ),
        ),
    ],
)
def test_fault_in_status_or_header(given: Reply, message: str) -> None:
    assert compare(given) == [message]


def test_every_fault_is_named_at_once() -> None:
    nothing = Reply(status=200, headers={}, body=b"")
    assert len(compare(nothing)) == 6


def described(body: bytes, expected: bytes, age: str | None = None) -> str:
    (found,) = compare(reply(body=body, age=age), expected)
    sizes, _, rest = found.partition(": ")
    ours, theirs = (f"SHA-256 {hashlib.sha256(data).hexdigest()[:12]} ({len(data)} bytes)" for data in (body, expected))
    assert sizes == f"the body is {ours}, expected {theirs}"
    return rest


@pytest.mark.parametrize(
    ("body", "expected", "message"),
    [
        (jwks(key("a"), key("c")), jwks(key("a"), key("b")), "missing keys `b`; extra keys `c`"),
        (jwks(key("a"), key("a")), jwks(key("a")), "extra keys `a`"),
        (jwks(key("a", "BB")), jwks(key("a")), "keys with other members `a`"),
        (jwks(key("b"), key("a")), jwks(key("a"), key("b")), "the same keys, in another order or spelling"),
        (jwks(key("a")) + b"\n", jwks(key("a")), "the same keys, in another order or spelling"),
        (jwks(key(7)), jwks(), "extra keys (no kid)"),
        (jwks(*map(key, "abcdefg")), jwks(), "extra keys `a`, `b`, `c`, `d`, `e` and 2 more"),
        (jwks(key("\x1b]0;\u202e\n")), jwks(), "extra keys `\\x1b]0;\\u202e\\x0a`"),
        (jwks(key("k" * 1000)), jwks(), f"extra keys `{'k' * 120}...`"),
        (b"", jwks(), "not a JWK set"),
        (b"<html>secret</html>", jwks(), "not a JWK set"),
        (b"[]", jwks(), "not a JWK set"),
        (b'{"keys":{}}', jwks(), "not a JWK set"),
        (b'{"keys":[1]}', jwks(), "not a JWK set"),
        (b"[" * 100_000, jwks(), "not a JWK set"),
        (b'{"keys":[' + b"[" * 900 + b"]" * 900 + b"]}", jwks(), "not a JWK set"),
        (b'{"keys":[{"kid":"a","x":' + b"[" * 900 + b"]" * 900 + b"}]}", jwks(), "extra keys `a`"),
        (b"\xff\xfe", jwks(), "not a JWK set"),
        (jwks(), b"", "other bytes"),
    ],
)
def test_fault_in_the_body(body: bytes, expected: bytes, message: str) -> None:
    assert described(body, expected) == message


def test_age_says_that_a_cache_answered() -> None:
    assert described(b"x", BODY, age="250") == "not a JWK set; a cache has kept it for 250 s"
    assert described(b"x", BODY, age="\x1b[2J") == "not a JWK set"
