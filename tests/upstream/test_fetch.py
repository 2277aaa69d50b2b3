"""The fetcher against a real HTTPS server that behaves and misbehaves, and what it must never connect to."""

import asyncio
import gzip
from pathlib import Path

import pytest

from publisher.vaults.upstream import LIMIT, UpstreamError, fetch, is_public

from .https import HOST, Authority, Names, Server, authority, redirect, reply

BODY = b'{"keys":[]}'
LOOPBACK = ("127.0.0.1",)


@pytest.fixture(scope="module")
def trusted(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture(autouse=True)
def hostile_proxies(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")


def ask(
    server: Server,
    trusted: Authority,
    path: str = "/jwks",
    *,
    host: str = HOST,
    names: Names | None = None,
    allow_private: bool = True,
    ca: Path | None = None,
    seconds: float = 5,
    limit: int = LIMIT,
) -> bytes:
    async def main() -> bytes:
        async with server.running(trusted.tls):
            return await fetch(
                f"https://{host}:{server.port}{path}",
                allow_private=allow_private,
                ca=ca or trusted.ca,
                seconds=seconds,
                limit=limit,
                resolver=names or Names(LOOPBACK),
            )

    return asyncio.run(asyncio.wait_for(main(), 20))


def refusal(server: Server, trusted: Authority, path: str = "/jwks", **options: object) -> str:
    with pytest.raises(UpstreamError) as caught:
        ask(server, trusted, path, **options)  # type: ignore[arg-type]
    message = str(caught.value)
    assert message.isprintable()
    return message.replace(f":{server.port}", ":PORT")


def refused_url(url: str) -> str:
    with pytest.raises(UpstreamError) as caught:
        asyncio.run(fetch(url, allow_private=True, seconds=1, resolver=Names(LOOPBACK)))
    return str(caught.value)


# --- what is asked, and what comes back


def test_one_plain_request_without_cookies_proxies_and_credentials(trusted: Authority) -> None:
    server = Server({"/jwks?p=1": reply(BODY)})
    assert ask(server, trusted, "/jwks?p=1") == BODY
    first, *lines = server.requests[0].rstrip().split("\r\n")
    assert first == "GET /jwks?p=1 HTTP/1.1"
    assert {line.split(":")[0] for line in lines} <= {"Host", "Accept", "Accept-Encoding", "User-Agent", "Connection"}


def test_an_address_in_the_url_can_be_allowed(trusted: Authority) -> None:
    assert ask(Server({"/jwks": reply(BODY)}), trusted, host="127.0.0.1") == BODY


def test_a_compressed_answer_is_unpacked(trusted: Authority) -> None:
    server = Server({"/jwks": reply(gzip.compress(BODY), "Content-Encoding: gzip")})
    assert ask(server, trusted) == BODY


@pytest.mark.parametrize("status", [204, 206, 304, 401, 404, 500, 503])
def test_status_200_alone_is_an_answer(trusted: Authority, status: int) -> None:
    body = b"" if status in (204, 304) else BODY
    server = Server({"/jwks": reply(body, status=f"{status} X")})
    assert refusal(server, trusted) == f"{HOST}:PORT answers with status {status}: expected 200"


# --- redirects


@pytest.mark.parametrize("status", ["301 A", "302 B", "303 C", "307 D", "308 E"])
def test_three_redirects_at_the_same_host_are_followed_without_cookies(trusted: Authority, status: str) -> None:
    server = Server(
        {
            "/jwks": redirect("/1", status),
            "/1": redirect(f"https://{HOST}:PORT/2#part", status),
            "/2": redirect("3", status),
            "/3": reply(BODY),
        }
    )
    assert ask(server, trusted) == BODY
    assert len(server.requests) == 4
    assert not any("cookie" in one.lower() for one in server.requests)


def test_a_fourth_redirect_and_a_loop_are_refused(trusted: Authority) -> None:
    server = Server({"/jwks": redirect("/jwks")})
    assert refusal(server, trusted) == f"{HOST}:PORT redirects more than 3 times; give the address at the end"
    assert len(server.requests) == 4


@pytest.mark.parametrize(
    ("location", "message"),
    [
        (f"http://{HOST}:PORT/jwks", "redirects to something that is not https"),
        ("file:///etc/passwd", "redirects to something that is not https"),
        ("https://[", "redirects to something that is not https"),
        ("https://other.example:PORT/jwks", "redirects to other.example:PORT, another host"),
        ("//other.example/jwks", "redirects to other.example:443, another host"),
        (f"https://{HOST}/jwks", f"redirects to {HOST}:443, another host"),
        ("https://u:secret@other.example/", "redirects to other.example:443, another host"),
        (f"https://u:secret@{HOST}:PORT/jwks", "the URL holds a user name or password"),
        ("https://127.0.0.1:PORT/jwks", "redirects to 127.0.0.1:PORT, another host"),
    ],
)
def test_a_redirect_to_elsewhere_is_refused(trusted: Authority, location: str, message: str) -> None:
    server = Server({"/jwks": redirect(location)})
    told = refusal(server, trusted)
    assert message in told
    assert "secret" not in told
    assert len(server.requests) == 1


# --- size and time


def test_the_limit_is_exact(trusted: Authority) -> None:
    server = Server({"/jwks": reply(b"x" * 1000), "/more": reply(b"x" * 1001)})
    assert len(ask(server, trusted, limit=1000)) == 1000
    assert refusal(server, trusted, "/more", limit=1000) == f"the answer from {HOST}:PORT has more than 1000 bytes"


def test_a_body_without_end_is_given_up(trusted: Authority) -> None:
    async def endless(writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\n\r\n")
        while True:
            writer.write(b"x" * 65_536)
            await writer.drain()

    assert "more than 262144 bytes" in refusal(Server({"/jwks": endless}), trusted)  # type: ignore[dict-item]


def test_a_gzip_bomb_is_counted_unpacked(trusted: Authority) -> None:
    bomb = gzip.compress(bytes(50_000_000))
    assert len(bomb) < LIMIT
    server = Server({"/jwks": reply(bomb, "Content-Encoding: gzip")})
    assert refusal(server, trusted) == f"the answer from {HOST}:PORT has more than {LIMIT} bytes"


@pytest.mark.parametrize("encoding", ["gzip", "deflate"])
def test_what_cannot_be_unpacked_is_refused(trusted: Authority, encoding: str) -> None:
    server = Server({"/jwks": reply(b"\xff" * 30, f"Content-Encoding: {encoding}")})
    assert "breaks off or cannot be decoded" in refusal(server, trusted)


def test_a_slow_drip_ends_at_the_total_time(trusted: Authority) -> None:
    async def drip(writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\n\r\n")
        while True:
            writer.write(b"x")
            await writer.drain()
            await asyncio.sleep(0.05)

    server = Server({"/jwks": drip})  # type: ignore[dict-item]
    assert refusal(server, trusted, seconds=0.5) == f"no whole answer from {HOST}:PORT within 0.5 s"


def test_redirects_share_the_total_time(trusted: Authority) -> None:
    async def slowly(writer: asyncio.StreamWriter) -> None:
        await asyncio.sleep(1)
        writer.write(redirect("/jwks"))
        await writer.drain()

    server = Server({"/jwks": slowly})  # type: ignore[dict-item]
    assert "within 1.6 s" in refusal(server, trusted, seconds=1.6)
    assert len(server.requests) == 2


def test_a_name_server_that_hangs_ends_at_the_total_time(trusted: Authority) -> None:
    class Hangs(Names):
        async def resolve(self, *_: object, **__: object) -> list[object]:  # type: ignore[override]
            await asyncio.Event().wait()
            return []

    server = Server({"/jwks": reply(BODY)})
    assert "within 0.3 s" in refusal(server, trusted, names=Hangs(LOOPBACK), seconds=0.3)


# --- certificates


def test_an_unknown_authority_is_refused(trusted: Authority, tmp_path: Path) -> None:
    other = authority(tmp_path)
    server = Server({"/jwks": reply(BODY)})
    assert "certificate" in refusal(server, trusted, ca=other.ca)
    assert server.requests == []


def test_the_systems_authorities_do_not_know_ours(trusted: Authority) -> None:
    async def main() -> None:
        server = Server({"/jwks": reply(BODY)})
        async with server.running(trusted.tls):
            await fetch(f"https://127.0.0.1:{server.port}/jwks", allow_private=True, seconds=5)

    with pytest.raises(UpstreamError, match=r"the certificate of .* does not hold"):
        asyncio.run(main())


def test_a_certificate_for_another_name_is_refused(trusted: Authority) -> None:
    class Any(Names):
        async def resolve(self, host: str, *rest: object, **more: object) -> list[object]:  # type: ignore[override]
            return list(await super().resolve(HOST, *rest, **more))  # type: ignore[arg-type]

    server = Server({"/jwks": reply(BODY)})
    told = refusal(server, trusted, host="other.example", names=Any(LOOPBACK))
    assert "does not hold for other.example" in told


def test_a_file_without_certificates_is_named(trusted: Authority, tmp_path: Path) -> None:
    (tmp_path / "ca.pem").write_text("none\n")
    for name in ("ca.pem", "missing.pem"):
        assert name in refusal(Server({}), trusted, ca=tmp_path / name)


def test_plain_http_at_the_port_is_refused(trusted: Authority) -> None:
    async def plain(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(reply(BODY))
        writer.close()

    async def main() -> None:
        async with await asyncio.start_server(plain, "127.0.0.1", 0) as server:
            port = server.sockets[0].getsockname()[1]
            await fetch(f"https://127.0.0.1:{port}/jwks", allow_private=True, ca=trusted.ca, seconds=5)

    with pytest.raises(UpstreamError, match="TLS with"):
        asyncio.run(main())


# --- which URLs, and which addresses


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("http://idp.example/jwks", "not an https URL"),
        ("ftp://idp.example/jwks", "not an https URL"),
        ("file:///etc/passwd", "not an https URL"),
        ("idp.example/jwks", "not an https URL"),
        ("https://", "not an https URL"),
        ("https:///jwks", "not an https URL"),
        ("https://[::1/jwks", "not an https URL"),
        ("", "not an https URL"),
        ("https://u:secret@idp.example/jwks", "user name or password"),
        ("https://secret@idp.example/jwks", "user name or password"),
        ("https://idp.example/jwks#secret", "fragment"),
        ("https://idp.example/jwks#", "fragment"),
        ("https://idp.example/a secret", "in ASCII"),
        ("https://idp.example/\nsecret", "in ASCII"),
        ("https://bücher.example/secret", "in ASCII"),
        ("https://idp.example/" + "secret" * 400, "in ASCII"),
    ],
)
def test_a_url_that_is_none_is_refused_and_not_echoed(url: str, message: str) -> None:
    told = refused_url(url)
    assert message in told
    assert "secret" not in told
    assert told.isprintable()


@pytest.mark.parametrize("address", ["127.0.0.1", "10.1.2.3", "169.254.169.254", "::1", "::ffff:8.8.8.8"])
def test_a_name_at_a_private_address_is_not_connected_to(trusted: Authority, address: str) -> None:
    server = Server({"/jwks": reply(BODY)})
    told = refusal(server, trusted, names=Names([address]), allow_private=False)
    assert told.startswith(f"{HOST}:PORT is at {address}, which is not a public address")
    assert server.connections == 0


def test_all_private_addresses_of_a_name_are_refused(trusted: Authority) -> None:
    server = Server({"/jwks": reply(BODY)})
    names = Names(["127.0.0.1", "::1", "10.0.0.1"])
    assert "not a public address" in refusal(server, trusted, names=names, allow_private=False)
    assert server.connections == 0


@pytest.mark.parametrize("host", ["127.0.0.1", "[::1]", "[::ffff:127.0.0.1]", "127.1", "2130706433", "0x7f000001"])
def test_an_address_in_the_url_is_judged_too(trusted: Authority, host: str) -> None:
    server = Server({"/jwks": reply(BODY)})

    async def main() -> None:
        async with server.running(trusted.tls):
            await fetch(f"https://{host}:{server.port}/jwks", ca=trusted.ca, seconds=5)

    with pytest.raises(UpstreamError):
        asyncio.run(main())
    assert server.connections == 0


def test_a_name_that_moves_between_two_requests_is_looked_up_and_judged_again(trusted: Authority) -> None:
    server = Server({"/jwks": redirect("/2"), "/2": reply(BODY)})
    names = Names(LOOPBACK, [])
    assert "no network address is known" in refusal(server, trusted, names=names)
    assert (names.asked, len(server.requests)) == (2, 1)


@pytest.mark.parametrize(
    "address",
    [
        *("0.0.0.0", "10.0.0.1", "100.64.0.1", "127.8.8.8", "169.254.169.254", "172.16.0.1", "192.0.0.8"),
        *("192.0.2.1", "192.88.99.1", "192.168.1.1", "198.18.0.1", "203.0.113.1", "224.0.0.1", "233.252.0.1"),
        *("240.0.0.1", "255.255.255.255"),
        *("::", "::1", "::7f00:1", "::ffff:127.0.0.1", "::ffff:8.8.8.8", "64:ff9b::7f00:1", "64:ff9b::808:808"),
        *(
            "64:ff9b:1::1",
            "100::1",
            "2001::1",
            "2001:db8::1",
            "2001:1::1",
            "2002:7f00:1::1",
            "2002:808:808::1",
            "fc00::1",
        ),
        *("fd00:ec2::254", "fe80::1", "fe80::1%eth0", "fec0::1", "2001:1::1", "3fff::1", "ff02::1", "ff0e::1"),
    ],
)
def test_addresses_that_are_not_public(address: str) -> None:
    assert not is_public(address)


@pytest.mark.parametrize("address", ["1.1.1.1", "8.8.8.8", "93.184.215.14", "2606:4700::1111", "2a00:1450:4001::1"])
def test_addresses_that_are_public(address: str) -> None:
    assert is_public(address)
