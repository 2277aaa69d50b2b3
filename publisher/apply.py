"""Carry out a plan: every document first, then the live object, each on the condition that the plan saw.

Whoever is killed in between has left whole documents, old or new, and runs again. Whoever lost a race is told so and
has overwritten nothing.
"""

from collections.abc import AsyncGenerator, Iterable
from contextlib import aclosing
from dataclasses import dataclass
from typing import Literal, TypeAlias

from publisher.flow import gather
from publisher.plan import Change, serves
from publisher.render import document_headers
from publisher.state import OF_ONE_OBJECT, document_key, get_live, live_key
from publisher.store import Store, StoreError

Result: TypeAlias = Literal["written", "already-there", "conflict", "damaged-document", "failed"]
_HOPELESS = 20
"""Faults without any success after which the fault is taken for the store's."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Applied:
    """What became of one change. But for the first two results the domain serves what it served.

    `conflict`: somebody else changed the live object since the plan was made. `damaged-document`: the object that the
    document's digest names holds something else, so that something else writes there. `failed`: the store refused this
    object, for the reason in `why`.
    """

    change: Change
    result: Result
    why: str = ""


async def apply(store: Store, changes: Iterable[Change], parallel: int) -> AsyncGenerator[Applied, None]:
    """Apply changes, as they come to an end. Raises StoreError where the store fails as a whole."""
    failed, done = 0, 0
    async with aclosing(gather(lambda change: _apply(store, change), changes, parallel)) as results:
        async for applied in results:
            yield applied
            failed, done = failed + (applied.result == "failed"), done + (applied.result != "failed")
            if failed >= _HOPELESS and not done:
                raise StoreError("denied", f"{applied.why}; the same for every object that was tried")


async def _apply(store: Store, change: Change) -> Applied:
    if change.blocked:
        raise ValueError(f"a blocked change was given to apply: {change.wanted.domain}")
    try:
        return Applied(change=change, result=await _write(store, change))
    except StoreError as error:
        if error.trouble in OF_ONE_OBJECT:
            return Applied(change=change, result="failed", why=str(error))
        raise


async def _write(store: Store, change: Change) -> Result:
    wanted = change.wanted
    if not await _keep_document(store, wanted.digest, wanted.body):
        return "damaged-document"
    token = None if change.before is None else change.before.token
    if await store.put(live_key(wanted.domain), wanted.body, change.headers, replaces=token) is not None:
        return "written"
    # A refused condition is no conflict where it was our own write that got there: retried after its answer was
    # lost, or made by another run of the same commit.
    live = await get_live(store, wanted.domain)
    return "already-there" if live is not None and serves(live, wanted, change.headers) else "conflict"


async def _keep_document(store: Store, digest: str, body: bytes) -> bool:
    """Keep a document for ever; whether what is kept by its name is the document."""
    key = document_key(digest)
    if await store.put(key, body, document_headers(digest), replaces=None) is not None:
        return True
    found = await store.get(key)
    return found is not None and found.body == body
