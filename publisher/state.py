"""What a store serves now: the keys of its objects, and its live documents as they are."""

from collections.abc import Iterable
from dataclasses import dataclass
from hashlib import sha256

import orjson

from publisher.flow import gather
from publisher.store import Headers, Store

LIVE = "live/"
_LIVE_END = "/.well-known/jwks.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class Live:
    """A domain's live document. `kids` is empty, and `ours` false, for what this program did not write."""

    body: bytes
    headers: Headers
    token: str

    @property
    def ours(self) -> bool:
        """Whether the object carries our mark, and its bytes are the ones that we wrote."""
        return dict(self.headers.metadata).get("sha256") == sha256(self.body).hexdigest()

    def phases(self) -> dict[str, str | None]:
        """The kids that the document holds, each with the phase that was recorded for it when it was written."""
        try:
            kids = [str(key["kid"]) for key in orjson.loads(self.body)["keys"]]
        except (orjson.JSONDecodeError, KeyError, TypeError):
            return {}
        recorded = [phase for phase in dict(self.headers.metadata).get("phases", "").split(",") if phase]
        return dict(zip(kids, recorded, strict=True)) if len(recorded) == len(kids) else dict.fromkeys(kids)


def live_key(domain: str) -> str:
    """The object that a CDN serves as `https://{domain}/.well-known/jwks.json`."""
    return f"{LIVE}{domain}{_LIVE_END}"


def document_key(digest: str) -> str:
    """The object that keeps a document for ever, by the SHA-256 of its bytes."""
    return f"documents/{digest}.json"


async def live_domains(store: Store) -> set[str]:
    """Every domain that has a live document."""
    return {key[len(LIVE) : -len(_LIVE_END)] async for key in store.keys(LIVE) if key.endswith(_LIVE_END)}


async def read_live(store: Store, domains: Iterable[str], parallel: int) -> dict[str, Live]:
    """The live documents of domains; those without one are left out."""

    async def read(domain: str) -> tuple[str, Live] | None:
        found = await store.get(live_key(domain))
        return None if found is None else (domain, Live(body=found.body, headers=found.headers, token=found.token))

    return dict([one async for one in gather(read, domains, parallel) if one is not None])
