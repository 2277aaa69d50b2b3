"""The preview edge: serves a store's live documents by Host header, as a CDN in front of the bucket would.

What may be reached is one raw path on strict host names; all else is refused before the store is asked:

- The target is `/.well-known/jwks.json`, byte for byte. Encoded spellings of it (`%2e`) are another path, as they are
  another cache key on a CDN. A query string is ignored, as with the cache policies that leave it out of the key.
- The domain is the Host header without its port and one trailing dot (the same name in the DNS; nginx drops it too),
  in lower case. An absolute-form target (RFC 9112 section 3.2.2) counts when it names the same host.
- No Host in HTTP/1.1 and several of them are 400 (RFC 9112 section 3.2; aiohttp's parser sees to it); methods other
  than GET and HEAD are 405.

Compression takes no part in the SHA-256 of an ETag, so a compressed answer carries it as a weak one (`W/`), as
CloudFront does. Range and If-Modified-Since are ignored (RFC 9110 sections 13.1.3 and 14.2 allow it).
This is a server to look with, not one for the internet: it has no TLS and no limit on slow clients.
"""

import asyncio
import gzip
import hashlib
import logging
import re
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from http import HTTPStatus
from typing import assert_never

from aiohttp import web

from publisher.diagnostic import clean
from publisher.reply import PATH
from publisher.store import Store, Stored, StoreError, Trouble

_log = logging.getLogger(__name__)
_HOST = re.compile(r"([A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)+)\.?(?::[0-9]{0,5})?")
_HOST_LIMIT = 253
_ABSOLUTE = re.compile(r"https?://([^/?#]*)(.*)", re.IGNORECASE | re.DOTALL)
_CODING = re.compile(r"(gzip|x-gzip|\*)\s*(?:;\s*q\s*=\s*([01](?:\.[0-9]{0,3})?))?", re.IGNORECASE)
_ENTITY_TAG = re.compile(r'(?:W/)?("[^"]*")')
_NO_ACCESS_LOG = logging.Logger("silent", logging.CRITICAL)
_KEEP_ALIVE = 60.0
_GRACE = 1.0
"""Seconds that answers under way get when the server stops."""


async def serve(store: Store, host: str, port: int, *, started: Callable[[str], None]) -> None:
    """Serve until cancelled; `started` is called once with the base URL as soon as connections are accepted.

    Port 0 takes any free port. Raises OSError when the address cannot be listened on.
    """
    async with listening(store, host, port) as url:
        started(url)
        await asyncio.Event().wait()


@asynccontextmanager
async def listening(store: Store, host: str, port: int) -> AsyncIterator[str]:
    """The running edge; yields its base URL, such as `http://127.0.0.1:8080`, of the first address that it has."""
    runner = web.ServerRunner(_Edge(handler(store)), shutdown_timeout=_GRACE)
    await runner.setup()
    try:
        await web.TCPSite(runner, host, port).start()
        address, bound, *_ = runner.addresses[0]
        yield f"http://[{address}]:{bound}" if ":" in address else f"http://{address}:{bound}"
    finally:
        await runner.cleanup()


def handler(store: Store) -> Callable[[web.BaseRequest], Awaitable[web.Response]]:
    """The edge as a request handler for `aiohttp.web.Server` or `aiohttp.test_utils.RawTestServer`."""

    async def handle(request: web.BaseRequest) -> web.Response:
        return _finished(await _answer(store, request))

    return handle


async def _answer(store: Store, request: web.BaseRequest) -> web.Response:
    if request.method not in {"GET", "HEAD"}:
        answer = _refusal(HTTPStatus.METHOD_NOT_ALLOWED)
        answer.headers["Allow"] = "GET, HEAD"
        return answer
    domain = _domain(request.raw_path, request.headers.get("Host"))
    if domain is None:
        return _refusal(HTTPStatus.NOT_FOUND)
    try:
        stored = await store.get(f"live/{domain}{PATH}")
    except StoreError as error:
        _log.error("%s: the store failed: %s", domain, clean(str(error)))
        return _refusal(_status(error.trouble))
    return _refusal(HTTPStatus.NOT_FOUND) if stored is None else _document(request, stored)


def _domain(target: str, host: str | None) -> str | None:
    """The domain that a request asks the document of; None where it asks for anything else."""
    name = _name(host) if host is not None else None
    if absolute := _ABSOLUTE.fullmatch(target):
        authority = _name(absolute[1])
        if host is not None and authority != name:
            return None
        name, target = authority, absolute[2]
    return name if target.partition("?")[0] == PATH else None


def _name(host: str) -> str | None:
    # ASCII letters alone, before lower(): U+212A lowers to a plain k.
    match = _HOST.fullmatch(host)
    return match[1].lower() if match and len(match[1]) <= _HOST_LIMIT else None


def _document(request: web.BaseRequest, stored: Stored) -> web.Response:
    tag = f'"{hashlib.sha256(stored.body).hexdigest()[:32]}"'
    compressed = _takes_gzip(", ".join(request.headers.getall("Accept-Encoding", [])))
    headers = {"ETag": f"W/{tag}" if compressed else tag, "Vary": "Accept-Encoding"}
    if stored.headers.cache_control:
        headers["Cache-Control"] = stored.headers.cache_control
    if _is_known(tag, ", ".join(request.headers.getall("If-None-Match", []))):
        return web.Response(status=HTTPStatus.NOT_MODIFIED, headers=headers)
    headers["Content-Type"] = "application/json"
    if compressed:
        headers["Content-Encoding"] = "gzip"
    return web.Response(body=gzip.compress(stored.body, mtime=0) if compressed else stored.body, headers=headers)


def _takes_gzip(accepted: str) -> bool:
    """Whether an Accept-Encoding value lets gzip through (RFC 9110 section 12.5.3)."""
    weights: dict[str, float] = {}
    for item in accepted.split(","):
        if match := _CODING.fullmatch(item.strip()):
            weights[match[1].lower().removeprefix("x-")] = float(match[2] or 1)
    return weights.get("gzip", weights.get("*", 0.0)) > 0


def _is_known(tag: str, condition: str) -> bool:
    """Whether an If-None-Match value holds `tag`, by the weak comparison (RFC 9110 section 13.1.2)."""
    return condition.strip() == "*" or tag in _ENTITY_TAG.findall(condition)


def _status(trouble: Trouble) -> HTTPStatus:
    match trouble:
        case "throttled" | "timeout":
            return HTTPStatus.SERVICE_UNAVAILABLE
        case "no-store" | "denied" | "unreachable" | "full" | "broken":
            return HTTPStatus.BAD_GATEWAY
        case _:
            assert_never(trouble)


def _refusal(status: HTTPStatus) -> web.Response:
    # CloudFront keeps errors for 10 s unless told otherwise; a domain that is published next must not wait for more.
    cache = "public, max-age=10" if status is HTTPStatus.NOT_FOUND else "no-store"
    headers = {"Content-Type": "text/plain; charset=utf-8", "Cache-Control": cache}
    return web.Response(status=status, body=f"{status.value} {status.phrase}\n".encode(), headers=headers)


def _finished(answer: web.Response) -> web.Response:
    """With the headers of every answer. Scripts in a browser see the status of an error only with CORS on it too."""
    answer.headers["Access-Control-Allow-Origin"] = "*"
    answer.headers["X-Content-Type-Options"] = "nosniff"
    answer.headers["Server"] = "jwks-publisher"
    return answer


class _Connection(web.RequestHandler):
    """Refuses what is no HTTP in the same form as the rest, and without the traceback that aiohttp would log."""

    __slots__ = ()

    def handle_error(
        self,
        request: web.BaseRequest,
        status: int = 500,
        exc: BaseException | None = None,
        message: str | None = None,
    ) -> web.StreamResponse:
        if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
            return super().handle_error(request, status, exc, message)
        answer = _finished(_refusal(HTTPStatus(status)))
        answer.force_close()
        return answer


class _Edge(web.Server):
    def __call__(self) -> web.RequestHandler:
        return _Connection(
            self,
            loop=asyncio.get_running_loop(),
            access_log=_NO_ACCESS_LOG,
            keepalive_timeout=_KEEP_ALIVE,
            lingering_time=_GRACE,
            auto_decompress=False,
        )
