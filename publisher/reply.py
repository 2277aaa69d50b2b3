"""What an edge (a CDN, or `serve`) answered, and how it differs from what it should answer. Knows no network."""

import hashlib
import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

import orjson

from publisher.diagnostic import clean

PATH = "/.well-known/jwks.json"

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
        target = shown(reply.headers.get("location", ""))
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
        found.append(f"cache-control is `{shown(kept)}`: expected `{shown(cache_control)}`")
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
    return None if value.strip().lower() == expected else f"{name} is `{shown(value)}`: expected `{expected}`"


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
    return [(f"`{shown(key['kid'])}`" if "kid" in key else "(no kid)", key) for key in texts]


def _listed(kids: list[str]) -> str:
    rest = len(kids) - _KIDS_LIMIT
    return ", ".join(kids[:_KIDS_LIMIT]) + (f" and {rest} more" if rest > 0 else "")


def shown(text: str) -> str:
    """Foreign text for a message: escaped, and cut where it is long."""
    return clean(text[:_SHOWN_LIMIT]) + ("..." if len(text) > _SHOWN_LIMIT else "")
