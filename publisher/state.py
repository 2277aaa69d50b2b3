"""What a store serves now: the keys of its objects, and its live documents as they are."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

import orjson

from publisher.flow import gather
from publisher.jwk import MEMBERS, encode
from publisher.store import Headers, Store, StoreError

LIVE = "live/"
OF_ONE_OBJECT = frozenset({"denied", "broken"})
"""Troubles that may be those of one object; the others are of the store, and every further request would meet them."""
_LIVE_END = "/.well-known/jwks.json"
_LIVE_KEY = re.compile(f"{LIVE}([^/]+){re.escape(_LIVE_END)}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Live:
    """A domain's live document. `token` is what a write over it needs."""

    domain: str
    body: bytes
    headers: Headers
    token: str

    @property
    def ours(self) -> bool:
        """Whether the object carries our mark, and its bytes are the ones that we wrote there."""
        mark = dict(self.headers.metadata)
        return mark.get("sha256") == sha256(self.body).hexdigest() and mark.get("domain") == self.domain

    def thumbprints(self) -> dict[str, str]:
        """The kids that the document holds, each with its key's RFC 7638 thumbprint."""
        return dict(self._keys())

    def phases(self) -> dict[str, str | None]:
        """The kids that the document holds, each with the phase that was recorded for it when it was written."""
        kids = [kid for kid, _ in self._keys()]
        recorded = dict(self.headers.metadata).get("phases", "").split(",")
        known = len(recorded) == len(kids) and {"announced", "active", "retiring"}.issuperset(recorded)
        return dict(zip(kids, recorded, strict=True)) if known else dict.fromkeys(kids)

    def _keys(self) -> list[tuple[str, str]]:
        try:
            return [(str(key["kid"]), _thumbprint(key)) for key in orjson.loads(self.body)["keys"]]
        except (orjson.JSONDecodeError, KeyError, TypeError):
            return []


def _thumbprint(key: Mapping[str, Any]) -> str:
    required = {name: key.get(name) for name in ("kty", *MEMBERS.get(str(key.get("kty")), ()))}
    return encode(sha256(orjson.dumps(required, option=orjson.OPT_SORT_KEYS)).digest())


def live_key(domain: str) -> str:
    """The object that a CDN serves as `https://{domain}/.well-known/jwks.json`."""
    return f"{LIVE}{domain}{_LIVE_END}"


def document_key(digest: str) -> str:
    """The object that keeps a document for ever, by the SHA-256 of its bytes."""
    return f"documents/{digest}.json"


async def live_domains(store: Store) -> set[str]:
    """Every domain that has a live document. Other objects under the same prefix are not looked at."""
    return {found[1] async for key in store.keys(LIVE) if (found := _LIVE_KEY.fullmatch(key))}


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
