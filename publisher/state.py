"""What a store serves now: the keys of its objects, and its live documents as they are."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

import orjson

from publisher.flow import gather
from publisher.jwk import MEMBERS, encode
from publisher.store import Headers, Store

LIVE = "live/"
_LIVE_END = "/.well-known/jwks.json"
_LIVE_KEY = re.compile(f"{LIVE}([^/]+){re.escape(_LIVE_END)}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Live:
    """A domain's live document. `token` is what a write over it needs."""

    body: bytes
    headers: Headers
    token: str

    @property
    def ours(self) -> bool:
        """Whether the object carries our mark, and its bytes are the ones that we wrote."""
        return dict(self.headers.metadata).get("sha256") == sha256(self.body).hexdigest()

    def thumbprints(self) -> dict[str, str]:
        """The kids that the document holds, each with its key's RFC 7638 thumbprint."""
        return dict(self._keys())

    def phases(self) -> dict[str, str | None]:
        """The kids that the document holds, each with the phase that was recorded for it when it was written."""
        kids = [kid for kid, _ in self._keys()]
        recorded = [phase for phase in dict(self.headers.metadata).get("phases", "").split(",") if phase]
        return dict(zip(kids, recorded, strict=True)) if len(recorded) == len(kids) else dict.fromkeys(kids)

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


async def read_live(store: Store, domains: Iterable[str], parallel: int) -> dict[str, Live]:
    """The live documents of domains; those without one are left out."""

    async def read(domain: str) -> tuple[str, Live] | None:
        found = await store.get(live_key(domain))
        return None if found is None else (domain, Live(body=found.body, headers=found.headers, token=found.token))

    return dict([one async for one in gather(read, domains, parallel) if one is not None])
