"""What a store serves now: the keys of its objects, its live documents as they are, and how they differ from the state.

S3's ETag is a hash of the content, so a compare-and-swap cannot tell a document from the same one brought back later.
Therefore each live object carries the release that wrote it, and nobody replaces that of a later one.
"""

import re
from collections.abc import Iterable, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from hashlib import sha256
from typing import Any, Literal, TypeAlias

import orjson

from publisher.flow import gather
from publisher.jwk import MEMBERS, encode
from publisher.record import DomainRecord
from publisher.releaselog import Tip
from publisher.render import CONTENT_TYPE
from publisher.store import Headers, Store, StoreError

Drift: TypeAlias = Literal["none", "missing", "stale", "unfinished", "foreign"]
"""`none`: as the state says. `missing`: there is nothing. `stale`: ours, and not what the state says: a publisher that
was paused wrote late. `unfinished`: of a release above HEAD. `foreign`: not ours, or changed since we wrote it."""

LIVE = "live/"
OF_ONE_OBJECT = frozenset({"denied", "broken"})
"""Troubles that may be those of one object; the others are of the store, and every further request would meet them."""
_LIVE_END = "/.well-known/jwks.json"
EMPTY = b'{"keys":[]}'
"""The document of a domain that was withdrawn."""
_SEQUENCE = re.compile(r"[1-9][0-9]{0,9}", re.ASCII)
_LIVE_KEY = re.compile(f"{LIVE}([^/]+){re.escape(_LIVE_END)}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Live:
    """A domain's live document. `token` is what a write over it needs."""

    domain: str
    body: bytes
    headers: Headers
    token: str

    @property
    def digest(self) -> str:
        """SHA-256 of the bytes."""
        return sha256(self.body).hexdigest()

    @property
    def release(self) -> int | None:
        """The release that wrote it; None where it does not carry our mark, or other bytes than we wrote there."""
        mark = dict(self.headers.metadata)
        sequence = mark.get("release", "")
        ours = mark.get("sha256") == self.digest and mark.get("domain") == self.domain
        return int(sequence) if ours and _SEQUENCE.fullmatch(sequence) else None

    @property
    def tombstone(self) -> bool:
        """Whether it stands for a domain that was withdrawn."""
        return "withdrawn" in dict(self.headers.metadata)

    def thumbprints(self) -> dict[str, str]:
        """The kids that the document holds, each with its key's RFC 7638 thumbprint."""
        try:
            return {str(key["kid"]): thumbprint(key) for key in orjson.loads(self.body)["keys"]}
        except (orjson.JSONDecodeError, KeyError, TypeError):
            return {}


def drift(live: Live | None, recorded: DomainRecord | None, tip: Tip) -> Drift:
    """How what is live differs from what the state says of the domain."""
    if live is None:
        return "none" if recorded is None else "missing"
    if live.release is None or live.release > tip.last:
        return "foreign"
    if live.release > tip.sequence:
        return "unfinished"
    if recorded is not None and live.release == recorded.release:
        return "none" if live.digest == recorded.digest else "foreign"
    if recorded is None and live.tombstone:
        return "none"
    return "stale"


def live_headers(
    domain: str, tenant: str, body: bytes, cache: str, release: int, *, withdrawn: bool = False
) -> Headers:
    """What a live document is stored with. Our mark is the domain, the release, and the digest of the bytes."""
    # Not every store takes metadata without a value.
    mark = {"domain": domain, "release": str(release), "sha256": sha256(body).hexdigest(), "tenant": tenant}
    if withdrawn:
        mark["withdrawn"] = "yes"
    return Headers(content_type=CONTENT_TYPE, cache_control=cache, metadata=tuple(sorted(mark.items())))


def serves(live: Live, body: bytes, headers: Headers) -> bool:
    """Whether a live document has these bytes and headers, the release that wrote it aside."""
    mine, theirs = dict(headers.metadata), dict(live.headers.metadata)
    return (
        live.body == body
        and live.release is not None
        and live.headers.content_type == headers.content_type
        and live.headers.cache_control == headers.cache_control
        and mine["tenant"] == theirs.get("tenant")
        and live.tombstone == ("withdrawn" in mine)
    )


def thumbprint(key: Mapping[str, Any]) -> str:
    """The RFC 7638 thumbprint of a key of a document."""
    required = {name: key.get(name) for name in ("kty", *MEMBERS.get(str(key.get("kty")), ()))}
    return encode(sha256(orjson.dumps(required, option=orjson.OPT_SORT_KEYS)).digest())


def live_key(domain: str) -> str:
    """The object that a CDN serves as `https://{domain}/.well-known/jwks.json`."""
    return f"{LIVE}{domain}{_LIVE_END}"


def document_key(digest: str) -> str:
    """The object that keeps a document for ever, by the SHA-256 of its bytes."""
    return f"documents/{digest}.json"


async def live_domains(store: Store, known: AbstractSet[str] = frozenset()) -> set[str]:
    """Every domain but the known ones that has a live document. Other objects under the prefix are not looked at."""
    return {found[1] async for key in store.keys(LIVE) if (found := _LIVE_KEY.fullmatch(key)) and found[1] not in known}


async def get_live(store: Store, domain: str) -> Live | None:
    """A domain's live document; None where there is none."""
    found = await store.get(live_key(domain))
    if found is None:
        return None
    return Live(domain=domain, body=found.body, headers=found.headers, token=found.token)


async def read_live(store: Store, domains: Iterable[str], parallel: int) -> dict[str, Live | StoreError]:
    """The live documents of domains; those without one are left out.

    A fault of one object alone (denied, or something else in its place) stands in place of the document; of the store
    as a whole it is raised.
    """

    async def read(domain: str) -> tuple[str, Live | StoreError | None]:
        try:
            return domain, await get_live(store, domain)
        except StoreError as error:
            if error.trouble in OF_ONE_OBJECT:
                return domain, error
            raise

    return {domain: found async for domain, found in gather(read, domains, parallel) if found is not None}
