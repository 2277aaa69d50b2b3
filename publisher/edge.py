"""What an edge (a CDN, or `serve`) answers to a stranger, and how it differs from what it should answer.

`fetch` asks as a verifier does: one GET, no cookies, no credentials, no redirects, at most 1 MiB. `faults` compares,
and knows no network. Which documents to expect, and how many to ask for at once, is the caller's.

Proxies: those of the environment (HTTPS_PROXY, NO_PROXY) are used for https, where they only tunnel. For http they
are not: a proxy may answer from a cache of its own, or by the URL's host and not by the Host header. aiohttp's
`trust_env` would do both, and send passwords from ~/.netrc.
"""

import hashlib
import os
import re
import ssl
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from urllib.request import getproxies, proxy_bypass

import aiohttp
import orjson
from yarl import URL

from publisher.diagnostic import clean

PATH = "/.well-known/jwks.json"
BODY_LIMIT = 1024 * 1024
"""Bytes, after decompression."""
LIMITS = aiohttp.ClientTimeout(total=30, sock_connect=5)

_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_SHOWN_LIMIT = 120
_KIDS_LIMIT = 5
_DIRECTIVE = re.compile(r'(?:[^,"]|"(?:[^"\\]|\\.)*"?)+')


class FetchFault(Exception):  # noqa: N818 - a fault of the world that is reported, one domain among many
    """No answer to look at. The message is one line for people; it names the address, not the domain."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """An HTTP answer: header names in lower case, repeated headers joined by `, `, the body decompressed."""

    status: int
    headers: Mapping[str, str]
    body: bytes


def session(connections: int) -> aiohttp.ClientSession:
    """A session for at most `connections` fetches at once. Made inside a running loop, closed by the caller.

    Further fetches wait, and waiting counts into the 30 s. Certificates are checked against the system's
    authorities, or those in SSL_CERT_FILE.
    """
    return aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(limit=connections, ssl=ssl.create_default_context()),
        cookie_jar=aiohttp.DummyCookieJar(),
        headers={"Accept": "application/json", "Accept-Encoding": "gzip", "User-Agent": "jwks-publisher"},
        auto_decompress=True,
        trust_env=False,
    )


def address(base_url: str, domain: str) -> URL:
    """The URL that is asked for a domain's document. Raises FetchFault where the base URL is none.

    `{domain}` in the base URL stands for the domain; a path is kept. The message never echoes the base URL, which
    may hold a password.
    """
    try:
        url = URL(base_url.replace("{domain}", domain).rstrip("/") + PATH)
    except ValueError:
        url = URL()
    if url.scheme not in {"http", "https"} or not url.host or "{" in url.host:
        raise FetchFault("the base URL is not one; write http://HOST:PORT, https://HOST or https://{domain}")
    if url.user is not None or url.password is not None:
        raise FetchFault("the base URL holds a user name or password; leave it out, verifiers have none")
    if url.query_string or url.fragment:
        raise FetchFault("the base URL holds a query or fragment; end it before `?` and `#`")
    return url


async def fetch(
    session: aiohttp.ClientSession, base_url: str, domain: str, *, limits: aiohttp.ClientTimeout = LIMITS
) -> Reply:
    """The answer for a domain's document, of whatever status. Raises FetchFault; see `request`."""
    return await request(session, "GET", base_url, domain, limits=limits)


async def request(
    session: aiohttp.ClientSession,
    method: str,
    base_url: str,
    domain: str,
    *,
    limits: aiohttp.ClientTimeout = LIMITS,
) -> Reply:
    """The answer to a request, without a body, for the URL of a domain's document.

    With `{domain}` in it, the base URL says all: `https://{domain}` is what the world asks. Without, it names the
    edge to ask, and the Host header names the domain. Over https the TLS server name (SNI) is then the domain too,
    and the certificate must hold for it: a CDN chooses the certificate by SNI, and CloudFront answers 421 where the
    certificate and the Host header belong to two accounts (AWS Networking blog, "Continually Enhancing Domain
    Security on Amazon CloudFront").

    Raises FetchFault: timeout (connect 5 s, whole 30 s), no connection, TLS, a broken answer, more than 1 MiB.
    """
    url = address(base_url, domain)
    shared = "{domain}" not in base_url
    headers = {"Host": domain} if shared else {}
    if url.scheme == "https" or not shared:
        # Each domain has a connection of its own: kept alive, they would pile up beyond the session's limit.
        headers["Connection"] = "close"
    try:
        async with session.request(
            method,
            url,
            headers=headers,
            server_hostname=domain if shared and url.scheme == "https" else None,
            proxy=_proxy(url),
            allow_redirects=False,
            raise_for_status=False,
            timeout=limits,
        ) as response:
            joined = {name.lower(): ", ".join(response.headers.getall(name)) for name in response.headers}
            body = await limited(response, BODY_LIMIT)
            return Reply(status=response.status, headers=MappingProxyType(joined), body=body)
    except (aiohttp.ClientError, OSError, ValueError) as error:
        raise FetchFault(explained(error, url, domain, limits)) from None


async def limited(response: aiohttp.ClientResponse, most: int) -> bytes:
    """The body, decompressed. Raises FetchFault as soon as it has more than `most` bytes."""
    body = bytearray()
    async for chunk in response.content.iter_any():
        body += chunk
        if len(body) > most:
            response.close()
            raise FetchFault(f"the answer from {response.url.authority} has more than {most} bytes")
    return bytes(body)


def _proxy(url: URL) -> str | None:
    if url.scheme != "https" or proxy_bypass(url.host or ""):
        return None
    proxy = getproxies().get("https")
    return f"http://{proxy}" if proxy and "://" not in proxy else proxy


def explained(error: Exception, url: URL, domain: str, limits: aiohttp.ClientTimeout) -> str:
    """A failed request in words, on one line. `domain` is the name that the certificate is to hold for."""
    place = url.authority
    match error:
        case aiohttp.ConnectionTimeoutError():
            return f"no connection to {place} within {limits.sock_connect:g} s"
        case TimeoutError():
            return f"no whole answer from {place} within {limits.total:g} s"
        case aiohttp.ClientConnectorCertificateError():
            reason = getattr(error.certificate_error, "verify_message", "")
            return f"the certificate of {place} does not hold for {clean(domain)}: {_shown(reason)}"
        case aiohttp.ClientSSLError():
            reason = getattr(error.os_error, "reason", None) or str(error.os_error)
            return f"TLS with {place} failed: {_shown(reason.replace('_', ' ').lower())}"
        case aiohttp.ClientProxyConnectionError():
            return f"no connection to the proxy that HTTPS_PROXY names: {_reason(error.os_error)}"
        case aiohttp.ClientHttpProxyError():
            return f"the proxy that HTTPS_PROXY names refuses {place}: status {error.status}"
        case aiohttp.ClientConnectorDNSError():
            return f"no network address is known for {clean(url.host or '')}"
        case aiohttp.ClientConnectorError():
            return f"no connection to {place}: {_reason(error.os_error)}"
        case aiohttp.ServerDisconnectedError():
            return f"{place} closed the connection without an answer"
        case aiohttp.ClientPayloadError():
            return f"the answer from {place} breaks off or cannot be decoded"
        case aiohttp.ClientResponseError():
            return f"{place} answers with something that is no HTTP"
        case _:
            return f"no answer from {place}: {type(error).__name__}: {_shown(str(error))}"


def _reason(error: OSError) -> str:
    return os.strerror(error.errno).lower() if error.errno and error.errno > 0 else _shown(str(error))


def faults(reply: Reply, *, expected_body: bytes, cache_control: str) -> list[str]:
    """What a verifier would trip over, one line each; an answer of another status than 200 is one fault alone."""
    if reply.status != 200:
        return [_status_fault(reply)]
    found = [*_header_faults(reply.headers, cache_control)]
    if reply.body != expected_body:
        found.append(_body_fault(reply, expected_body))
    return found


def document_fault(reply: Reply, expected_body: bytes) -> str | None:
    """What is wrong with the document itself, whatever the headers say."""
    if reply.status != 200:
        return _status_fault(reply)
    return None if reply.body == expected_body else _body_fault(reply, expected_body)


def _status_fault(reply: Reply) -> str:
    if reply.status in _REDIRECTS:
        target = _shown(reply.headers.get("location", ""))
        return (
            f"status {reply.status} redirects to `{target}`: serve the document itself at this URL, since jose and"
            " jwks-rsa refuse redirects"
        )
    if reply.status == 404:
        return "status 404: no document is served for this domain"
    return f"status {reply.status}: expected 200"


def _header_faults(headers: Mapping[str, str], cache_control: str) -> list[str]:
    """Why `application/json` and nothing else: canvas-lms#2208, quarkus#6087 (clients that refuse other types)."""
    found: list[str] = []
    wrong = _wrong(headers, "content-type", "application/json")
    if wrong:
        found.append(f"{wrong}, without charset: some verifiers refuse any other")
    kept = headers.get("cache-control")
    if kept is None:
        found.append("no cache-control header, so a CDN keeps the document as long as it likes (CloudFront: 24 h)")
    elif _directives(kept) != _directives(cache_control):
        found.append(f"cache-control is `{_shown(kept)}`: expected `{_shown(cache_control)}`")
    wrong = _wrong(headers, "access-control-allow-origin", "*")
    if wrong:
        found.append(f"{wrong}: verifiers in a browser cannot read the document")
    wrong = _wrong(headers, "x-content-type-options", "nosniff")
    if wrong:
        found.append(wrong)
    if not headers.get("etag", "").strip():
        found.append("no etag header, so caches cannot ask whether the document has changed")
    return found


def _wrong(headers: Mapping[str, str], name: str, expected: str) -> str | None:
    value = headers.get(name)
    if value is None:
        return f"no {name} header: expected `{expected}`"
    return None if value.strip().lower() == expected else f"{name} is `{_shown(value)}`: expected `{expected}`"


def _directives(cache_control: str) -> frozenset[str]:
    """The directives in one spelling: their order, the space around them and the case of their names mean nothing."""
    spelled: set[str] = set()
    for directive in _DIRECTIVE.findall(cache_control):
        name, equals, value = directive.partition("=")
        spelled.add(f"{name.strip().lower()}{equals}{value.strip()}")
    return frozenset(spelled - {""})


def _body_fault(reply: Reply, expected: bytes) -> str:
    sizes = f"the body is {_digest(reply.body)}, expected {_digest(expected)}"
    age = reply.headers.get("age", "")
    cached = f"; a cache has kept it for {age} s" if re.fullmatch(r"[0-9]{1,10}", age) else ""
    return f"{sizes}: {_kids_fault(reply.body, expected)}{cached}"


def _digest(body: bytes) -> str:
    return f"SHA-256 {hashlib.sha256(body).hexdigest()[:12]} ({len(body)} bytes)"


def _kids_fault(body: bytes, expected: bytes) -> str:
    here, there = _keys(body), _keys(expected)
    if here is None or there is None:
        return "not a JWK set" if here is None else "other bytes"
    missing = Counter(kid for kid, _ in there) - Counter(kid for kid, _ in here)
    extra = Counter(kid for kid, _ in here) - Counter(kid for kid, _ in there)
    known = dict(there)
    changed = {kid for kid, members in here if known.get(kid, members) != members}
    named = {"missing keys": missing, "extra keys": extra, "keys with other members": changed}
    parts = [f"{what} {_listed(list(kids))}" for what, kids in named.items() if kids]
    return "; ".join(parts) or "the same keys, in another order or spelling"


def _keys(body: bytes) -> list[tuple[str, dict[str, str]]] | None:
    """The kid and the text members of each key of a JWK set; None for anything else."""
    try:
        document = orjson.loads(body)
    except orjson.JSONDecodeError:
        return None
    keys = document.get("keys") if isinstance(document, dict) else None
    if not isinstance(keys, list) or not all(isinstance(key, dict) for key in keys):
        return None
    texts = [{name: value for name, value in key.items() if isinstance(value, str)} for key in keys]
    return [(f"`{_shown(key['kid'])}`" if "kid" in key else "(no kid)", key) for key in texts]


def _listed(kids: list[str]) -> str:
    rest = len(kids) - _KIDS_LIMIT
    return ", ".join(kids[:_KIDS_LIMIT]) + (f" and {rest} more" if rest > 0 else "")


def _shown(text: str) -> str:
    return clean(text[:_SHOWN_LIMIT]) + ("..." if len(text) > _SHOWN_LIMIT else "")
