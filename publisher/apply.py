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
from publisher.state import Live, document_key, live_key
from publisher.store import Store

Result: TypeAlias = Literal["written", "already-there", "conflict", "damaged-document"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Applied:
    """What became of one change. The last two have changed nothing.

    `conflict`: somebody else changed the live object since the plan was made. `damaged-document`: the object that the
    document's digest names holds something else, so that something else writes there.
    """

    change: Change
    result: Result


async def apply(store: Store, changes: Iterable[Change], parallel: int) -> AsyncGenerator[Applied, None]:
    """Apply changes, as they come to an end. Raises StoreError at the first failure of the store."""
    async with aclosing(gather(lambda change: _apply(store, change), changes, parallel)) as results:
        async for applied in results:
            yield applied


async def _apply(store: Store, change: Change) -> Applied:
    if change.blocked:
        raise ValueError(f"a blocked change was given to apply: {change.wanted.domain}")
    wanted = change.wanted
    if not await _keep_document(store, wanted.digest, wanted.body):
        return Applied(change=change, result="damaged-document")
    key = live_key(wanted.domain)
    token = None if change.before is None else change.before.token
    if await store.put(key, wanted.body, change.headers, replaces=token) is not None:
        return Applied(change=change, result="written")
    # A refused condition is no conflict where it was our own write that got there: retried after its answer was
    # lost, or made by another run of the same commit.
    found = await store.get(key)
    same = found is not None and serves(
        Live(body=found.body, headers=found.headers, token=found.token), wanted, change.headers
    )
    return Applied(change=change, result="already-there" if same else "conflict")


async def _keep_document(store: Store, digest: str, body: bytes) -> bool:
    """Keep a document for ever; whether what is kept by its name is the document."""
    key = document_key(digest)
    if await store.put(key, body, document_headers(digest), replaces=None) is not None:
        return True
    found = await store.get(key)
    return found is not None and found.body == body
