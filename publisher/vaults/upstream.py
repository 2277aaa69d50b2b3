"""The JWKS of an identity provider that keeps its own private keys, fetched with care for whom it may reach.

Whoever chooses the URL chooses what this machine connects to (OWASP, Server-Side Request Forgery Prevention Cheat
Sheet), so https alone is spoken, redirects stay at the same host and port, and addresses inside of networks are
refused. The address is judged where the socket for it is made: a name cannot resolve to one address for the check and
to another for the connection (DNS rebinding), and addresses that stand in the URL go the same way. Proxies and
passwords of the environment (HTTPS_PROXY, ~/.netrc) are not used: a proxy would connect to what was never looked at.

What the bytes mean is in `offer`.
"""

import asyncio
import errno
import socket
import ssl
from dataclasses import dataclass, field
from ipaddress import IPv6Address, ip_address, ip_network
from pathlib import Path

import aiohttp
from aiohttp.abc import AbstractResolver
from aiohttp.connector import AddrInfoType
from yarl import URL

from publisher.diagnostic import clean
from publisher.edge import explained, limited
from publisher.reply import FetchFault
from publisher.shapes import UPSTREAM_URL

LIMIT = 262_144
"""Bytes, after decompression."""
SECONDS = 10.0
"""For all of it: name look-up, connections, redirects and body."""
MOST_REDIRECTS = 3

_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_URL_LENGTH = 2048
_GLOBAL = ip_network("2000::/3")
# Global to some Python or other by their first bits, but for protocols and documentation (IANA's special-purpose
# registries), or tunnels to an IPv4 address that they carry (Teredo in 2001::/23, 6to4 and its relays).
_SPECIAL = tuple(
    ip_network(one)
    for one in ("192.0.0.0/24", "192.88.99.0/24", "2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20")
)


class UpstreamError(Exception):
    """No key set to look at. The message is one line for people."""


async def fetch(
    url: str,
    *,
    allow_private: bool = False,
    ca: Path | None = None,
    seconds: float = SECONDS,
    limit: int = LIMIT,
    resolver: AbstractResolver | None = None,
) -> bytes:
    """The body of the answer of status 200, decompressed, of at most `limit` bytes.

    At most 3 redirects are followed, to https at the same host and port. Certificates are checked against the system's
    authorities, or those in the PEM file `ca` alone. `allow_private` allows addresses that are not public: those of
    private networks, loopback, link-local, shared (CGNAT), reserved, multicast, and IPv6 ones that stand for an IPv4
    one (mapped, NAT64, 6to4, Teredo). Of a name with several addresses the public ones are tried. `resolver` looks
    names up; the system does where it is None, in a thread, which may outlive `seconds`.

    Raises UpstreamError.
    """
    target = _checked(url)
    gate = _Gate(allow_private=allow_private)
    limits = aiohttp.ClientTimeout(total=seconds, sock_connect=min(seconds, 5))
    try:
        async with asyncio.timeout(seconds), _session(gate, _tls(ca), resolver, limits) as session:
            for _ in range(MOST_REDIRECTS + 1):
                answer = await _ask(session, target, limit)
                if isinstance(answer, bytes):
                    return answer
                target = answer
    except FetchFault as fault:
        raise UpstreamError(str(fault)) from None
    except (aiohttp.ClientError, OSError, ValueError) as error:
        if gate.refused:
            raise UpstreamError(_refusal(target, gate.refused[0])) from None
        raise UpstreamError(explained(error, target, target.host or "", limits)) from None
    raise UpstreamError(f"{target.authority} redirects more than {MOST_REDIRECTS} times; give the address at the end")


def is_public(address: str) -> bool:
    """Whether an IP address is one of the internet, and of no network of one's own and no tunnel to one."""
    ip = ip_address(address)
    if not ip.is_global or ip.is_multicast or ip.is_reserved or any(ip in one for one in _SPECIAL):
        return False
    return not isinstance(ip, IPv6Address) or ip in _GLOBAL  # outside are mapped ones and NAT64


@dataclass(slots=True, kw_only=True)
class _Gate:
    """Makes the socket for an address that is about to be connected to, or refuses to."""

    allow_private: bool
    refused: list[str] = field(default_factory=list)

    def __call__(self, info: AddrInfoType) -> socket.socket:
        family, kind, protocol, _, (address, *_) = info
        if not self.allow_private and not is_public(str(address)):
            self.refused.append(str(address))
            raise PermissionError(errno.EACCES, "not a public address")
        return socket.socket(family, kind, protocol)


def _session(
    gate: _Gate, tls: ssl.SSLContext, resolver: AbstractResolver | None, limits: aiohttp.ClientTimeout
) -> aiohttp.ClientSession:
    connector = aiohttp.TCPConnector(
        ssl=tls, resolver=resolver, use_dns_cache=False, force_close=True, socket_factory=gate
    )
    return aiohttp.ClientSession(
        connector=connector,
        cookie_jar=aiohttp.DummyCookieJar(),
        headers={"Accept": "application/json", "Accept-Encoding": "gzip", "User-Agent": "jwks-publisher"},
        timeout=limits,
        trust_env=False,
    )


def _tls(ca: Path | None) -> ssl.SSLContext:
    try:
        return ssl.create_default_context(cafile=ca)
    except (OSError, ssl.SSLError):
        raise UpstreamError(f"no certificates can be read from {clean(str(ca))}; give a PEM file") from None


async def _ask(session: aiohttp.ClientSession, url: URL, limit: int) -> bytes | URL:
    """The body, or where to ask next."""
    async with session.get(url, allow_redirects=False) as response:
        if response.status in _REDIRECTS:
            return _next(url, response.headers.get("Location", ""))
        if response.status != 200:
            raise UpstreamError(f"{url.authority} answers with status {response.status}: expected 200")
        return await limited(response, limit)


def _next(url: URL, location: str) -> URL:
    try:
        target = url.join(URL(location))
    except ValueError:
        target = URL()
    if target.scheme != "https":
        raise UpstreamError(f"{url.authority} redirects to something that is not https; nothing was taken over")
    if (target.host, target.port) != (url.host, url.port):
        other = clean(f"{target.host}:{target.port}"[:255])
        raise UpstreamError(f"{url.authority} redirects to {other}, another host; give that address if it is right")
    return _checked(str(target.with_fragment(None)))


def _checked(url: str) -> URL:
    """The URL, which is one to ask. The message never echoes it: it may hold a password."""
    try:
        target = URL(url)
    except ValueError:
        target = URL()
    if target.scheme != "https" or not target.host:
        raise UpstreamError("this is not an https URL; write https://HOST/PATH")
    if target.user is not None or target.password is not None or "@" in target.authority:
        raise UpstreamError("the URL holds a user name or password; leave it out, key sets are public")
    if target.fragment or "#" in url:
        raise UpstreamError("the URL holds a fragment; end it before `#`")
    if len(url) > _URL_LENGTH or UPSTREAM_URL.fullmatch(url) is None:
        raise UpstreamError(f"write the URL in ASCII, escaped, with at most {_URL_LENGTH} characters")
    return target


def _refusal(url: URL, address: str) -> str:
    return f"{url.authority} is at {address}, which is not a public address; allow it if this is your own network"
