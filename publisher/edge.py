"""Asks an edge (a CDN, or `serve`) as a stranger does: what it answers is in `reply`.

`fetch` asks as a verifier does: one GET, no cookies, no credentials, no redirects, at most 1 MiB. Which documents to
expect, and how many to ask for at once, is the caller's.

Proxies: those of the environment (HTTPS_PROXY, NO_PROXY) are used for https, where they only tunnel. For http they
are not: a proxy may answer from a cache of its own, or by the URL's host and not by the Host header. aiohttp's
`trust_env` would do both, and send passwords from ~/.netrc.
"""

import os
import ssl
from types import MappingProxyType
from urllib.request import getproxies, proxy_bypass

import aiohttp
from yarl import URL

from publisher.diagnostic import clean
from publisher.reply import PATH, FetchFault, Reply, shown

BODY_LIMIT = 1024 * 1024
"""Bytes, after decompression."""
LIMITS = aiohttp.ClientTimeout(total=30, sock_connect=5)


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
            proxy=proxy_for(url),
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


def proxy_for(url: URL) -> str | None:
    """The proxy that the environment names for https; None for none."""
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
            return f"the certificate of {place} does not hold for {clean(domain)}: {shown(reason)}"
        case aiohttp.ClientSSLError():
            reason = getattr(error.os_error, "reason", None) or str(error.os_error)
            return f"TLS with {place} failed: {shown(reason.replace('_', ' ').lower())}"
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
            return f"no answer from {place}: {type(error).__name__}: {shown(str(error))}"


def _reason(error: OSError) -> str:
    return os.strerror(error.errno).lower() if error.errno and error.errno > 0 else shown(str(error))
