"""Bytes: the JWKS document of published keys, and the headers that it is served with.

RFC 7517 section 5. `application/json` and not `application/jwk-set+json`: clients refuse the latter (canvas-lms#2208,
quarkus#6087). `use` and `alg` always: Envoy needs `alg` for OKP keys.
"""

from collections.abc import Iterable

import orjson

from publisher.jwk import members
from publisher.keyset import Key
from publisher.policy import Cache
from publisher.store import Headers

CONTENT_TYPE = "application/json"
DOCUMENT_CACHE = "public, max-age=31536000, immutable"
"""For objects whose name is their content's digest (RFC 8246), and for nothing else."""


def key_bytes(key: Key) -> bytes:
    """One key of a document, as compact JSON with its members in a fixed order: kid, kty, use, alg, then the key."""
    public = members(key.jwk)
    body = {"kid": key.kid, "kty": public.pop("kty"), "use": "sig", "alg": key.alg, **public, **key.extra}
    return orjson.dumps(body)


def document(keys: Iterable[bytes]) -> bytes:
    """A whole document of keys as `key_bytes` gives them."""
    return b'{"keys":[' + b",".join(keys) + b"]}"


def cache_control(cache: Cache) -> str:
    """Cache-Control of live documents: never `immutable`, always explicit (without it CloudFront keeps 24 h)."""
    return (
        f"public, max-age={cache.max_age.total_seconds():.0f}, "
        f"stale-while-revalidate={cache.stale_while_revalidate.total_seconds():.0f}, "
        f"stale-if-error={cache.stale_if_error.total_seconds():.0f}"
    )


def document_headers(digest: str) -> Headers:
    """Of `documents/<sha256>.json`."""
    return Headers(content_type=CONTENT_TYPE, cache_control=DOCUMENT_CACHE, metadata=(("sha256", digest),))
