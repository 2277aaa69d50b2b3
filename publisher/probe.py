"""Whether a store holds the conditions of writes, on which everything rests that two publishers must not undo.

Some servers take If-Match and If-None-Match, ignore them and overwrite: `rclone serve s3` does, and Ceph RGW 16.2
does with If-None-Match in a versioned bucket (FACTS, section 4). So the very bucket is asked, as it is configured.
"""

from contextlib import aclosing, suppress
from uuid import uuid4

from publisher.flow import gather
from publisher.store import Headers, Store, Stored, StoreError

PROBE = "probe/"
"""Where the probe writes. Whatever lies there is garbage."""

_WRITERS = 8
_HEADERS = Headers(content_type="text/plain", cache_control="no-store")


async def honours_conditions(store: Store) -> bool:
    """Try conditional writes on an object of its own below `probe/`, and remove it, also after a failure.

    Eight writers at a time create it, create it though it is there, replace it by the right token, and replace it by
    the token that is stale then: exactly 1, 0, 1 and 0 of them must win. They race, because a store that looks first
    and writes later does hold the conditions of one writer after the other.

    33 writes and 4 reads, more where the store asks for patience. True is no proof: a race can end well by chance.
    Raises StoreError where the store fails. Where deleting is not allowed, the object stays.
    """
    key = f"{PROBE}{uuid4().hex}"
    try:
        return await _hold(store, key)
    finally:
        with suppress(StoreError):
            await store.delete(key)


async def _hold(store: Store, key: str) -> bool:
    created, found = await _race(store, key, "create", None)
    if created != 1 or found is None:
        return False
    late, _ = await _race(store, key, "create late", None)
    replaced, _ = await _race(store, key, "replace", found.token)
    stale, _ = await _race(store, key, "replace late", found.token)
    return (late, replaced, stale) == (0, 1, 0)


async def _race(store: Store, key: str, name: str, replaces: str | None) -> tuple[int, Stored | None]:
    """How many of the writers won, and what is there then. It is one of theirs if the winner's answer was lost."""
    bodies = [f"{name} {number}\n".encode() for number in range(_WRITERS)]

    async def write(body: bytes) -> bytes | None:
        return None if await store.put(key, body, _HEADERS, replaces=replaces) is None else body

    async with aclosing(gather(write, bodies, _WRITERS)) as results:
        won = {body async for body in results if body is not None}
    found = await store.get(key)
    if found is not None and found.body in bodies:
        won.add(found.body)
    return len(won), found
