"""Carry out a plan: documents and shards, the release, the live objects, HEAD. Each write on a condition.

Killed at any point and run again it converges: before the release is created nothing that is served has changed; after
it, whoever comes next sees a release above HEAD and plans over it. A live object is replaced where it is what the plan
saw, or is of an earlier release; never that of a later one. Whoever finds at the end that HEAD has moved on brings the
objects that it wrote to what HEAD says, as it may have been asleep while others finished.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import aclosing
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, TypeAlias

from publisher.converge import converge
from publisher.flow import gather
from publisher.head import Head, Purge, Unfinished
from publisher.plan import Change, Plan
from publisher.release import Counts, Release, digest, encode_release
from publisher.releaselog import Log
from publisher.render import document_headers
from publisher.shard import changed_shards, encode
from publisher.state import OF_ONE_OBJECT, document_key, get_live, live_headers, live_key, serves
from publisher.store import Store, StoreError

PARALLEL = 64
_HOPELESS = 20
"""Faults without any success after which the fault is taken for the store's."""
_TRIES = 10

Copies: TypeAlias = Literal["named", "unnamed", "never"]
"""How CDNs stand to a publish: it names some to purge, it names none, or it says that nothing is to be purged."""
Result: TypeAlias = Literal["written", "already-there", "overtaken", "conflict", "damaged-document", "failed"]
DONE: tuple[Result, ...] = ("written", "already-there")


class Overtaken(Exception):  # noqa: N818 - not an error of this program, but the end of this attempt
    """Another publisher created the next release first, or moved HEAD on. `sequence` is that release."""

    def __init__(self, sequence: int) -> None:
        super().__init__(f"release {sequence} was created by another publisher meanwhile")
        self.sequence = sequence


@dataclass(frozen=True, slots=True, kw_only=True)
class Applied:
    """What became of one change. But for the first two results the domain serves what it served.

    `overtaken`: a later release has written it. `conflict`: something else changed it since the plan was made.
    `damaged-document`: the object that the document's digest names holds something else, so that something else writes
    there. `failed`: the store refused this object, for the reason in `why`.
    """

    change: Change
    result: Result
    why: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Done:
    """A finished publish: HEAD as it is now and its token; the changes, as they ended."""

    head: Head
    token: str
    applied: tuple[Applied, ...]


async def apply(
    log: Log,
    plan: Plan,
    token: str | None,
    *,
    conditions: Literal["held", "not-asked"],
    clock: Callable[[], datetime],
    pending: Iterable[Purge] = (),
    copies: Copies = "unnamed",
    step: Callable[[], None] = lambda: None,
) -> Done:
    """Carry out a plan whose HEAD had `token`. `clock` tells when it is complete, `pending` what is to be purged yet.

    Raises Overtaken where another publisher was first, StoreError where the store fails as a whole.
    """
    if plan.refused:
        raise ValueError("a refused plan was given to apply")
    changes = [change for change in plan.changes if not change.blocked]
    damaged, old = await _keep_documents(log.store, {one.digest: one.body for one in changes})
    release, shards = release_of(plan)
    again = await log.keep_shards(shards)
    data = log.sealed(encode_release(release))
    if not await log.create(plan.sequence, data):
        raise Overtaken(plan.sequence)
    await _keep_again(log, {one: shards[one] for one in again}, [one for one in changes if one.digest in old])
    applied = [Applied(change=one, result="damaged-document") for one in changes if one.digest in damaged]
    applied += await _flip_all(log.store, plan, [one for one in changes if one.digest not in damaged], step)
    completed = clock()
    head = Head(
        sequence=plan.sequence,
        digest=digest(data),
        completed_at=completed,
        conditions=conditions,
        unfinished=tuple(_unfinished(plan, applied)),
        quarantined=plan.quarantined[:1000],
        purges=tuple(_purges(plan, changes, pending, copies, completed)),
    )
    return Done(head=head, token=await _advance(log, plan, head, token, applied), applied=tuple(applied))


def _unfinished(plan: Plan, applied: Iterable[Applied]) -> Iterator[Unfinished]:
    for one in applied:
        if one.result not in DONE:
            yield Unfinished(tenant=one.change.tenant, domain=one.change.domain, why=one.why or one.result)
    for tenant, domain in plan.left:
        why = "an unfinished release may have written it; mistakes keep it"
        yield Unfinished(tenant=tenant, domain=domain, why=why)


def _purges(
    plan: Plan, changes: Iterable[Change], pending: Iterable[Purge], copies: Copies, completed: datetime
) -> Iterable[Purge]:
    """What is to be purged after this release: of earlier ones what is still usable, and what is revoked now."""
    until = completed + max(one.lifetime for one in plan.terms)
    found = {one.domain: one for one in pending if one.until > completed}
    for one in changes if copies != "never" else ():
        if one.revokes:
            found[one.domain] = Purge(domain=one.domain, tenant=one.tenant, until=until, named=copies == "named")
    return found.values()


def release_of(plan: Plan) -> tuple[Release, dict[str, bytes]]:
    """The release that a plan makes, and its new shards' objects by the SHA-256 of their bytes."""
    objects: dict[str, bytes] = {}
    summaries = dict(plan.base_shards)
    for one, shard in changed_shards(plan.shards, plan.records, plan.claims):
        data = encode(shard)
        summaries[one] = shard.summary(digest(data))
        objects[digest(data)] = data
    open_changes = [change for change in plan.changes if not change.blocked]
    release = Release(
        sequence=plan.sequence,
        kind=plan.kind,
        reason=plan.reason,
        program=plan.program,
        commit=plan.commit,
        root=plan.root,
        tree=plan.tree,
        policy=plan.policy,
        as_of=plan.now,
        previous=plan.previous,
        base=plan.base,
        cache=plan.cache,
        terms=plan.terms,
        shards=summaries,
        counts=Counts(
            new=sum(one.effect == "new" for one in open_changes),
            changed=sum(one.effect not in ("new", "withdrawn") for one in open_changes),
            withdrawn=sum(one.effect == "withdrawn" for one in open_changes),
            blocked=len(plan.blocked),
            kept_back=len(plan.quarantined),
        ),
        holds=plan.holds,
        struck=plan.struck,
    )
    return release, objects


async def _keep_documents(store: Store, bodies: Mapping[str, bytes]) -> tuple[set[str], set[str]]:
    """Keep documents for ever, by digest. Those whose objects hold something else, and those that were there before."""

    async def keep(item: tuple[str, bytes]) -> tuple[str, bool, bool]:
        key = document_key(item[0])
        for _ in range(_TRIES):
            if await store.put(key, item[1], document_headers(item[0]), replaces=None) is not None:
                return item[0], True, False
            found = await store.get(key)
            if found is not None:  # else `gc` has removed it meanwhile
                return item[0], found.body == item[1], found.body == item[1]
        return item[0], False, False

    async with aclosing(gather(keep, bodies.items(), PARALLEL)) as results:
        kept = [one async for one in results]
    return {name for name, whole, _ in kept if not whole}, {name for name, _, old in kept if old}


async def _keep_again(log: Log, shards: Mapping[str, bytes], changes: Iterable[Change]) -> None:
    """Keep what was there before the release: `gc` may have been about to remove it, and sees from now on not to."""
    await log.keep_shards(shards)
    await _keep_documents(log.store, {one.digest: one.body for one in changes})


async def _flip_all(store: Store, plan: Plan, changes: list[Change], step: Callable[[], None]) -> list[Applied]:
    applied: list[Applied] = []

    async def flip(change: Change) -> Applied:
        try:
            return Applied(change=change, result=await _flip(store, change, plan.sequence))
        except StoreError as error:
            if error.trouble in OF_ONE_OBJECT:
                return Applied(change=change, result="failed", why=str(error))
            raise

    async with aclosing(gather(flip, changes, PARALLEL)) as results:
        async for one in results:
            applied.append(one)
            step()
            if len(applied) >= _HOPELESS and all(known.result == "failed" for known in applied):
                raise StoreError("denied", f"{one.why}; the same for every object that was tried")
    return applied


async def _flip(store: Store, change: Change, sequence: int) -> Result:
    headers = live_headers(
        change.domain, change.tenant, change.body, change.cache, sequence, withdrawn=change.effect == "withdrawn"
    )
    token = None if change.before is None else change.before.token
    for _ in range(_TRIES):
        if await store.put(live_key(change.domain), change.body, headers, replaces=token) is not None:
            return "written"
        # A refused condition may be our own write, retried after its answer was lost; or that of a publisher whose
        # release came before this one, and which is at work or was killed with its write under way.
        live = await get_live(store, change.domain)
        if live is not None and live.release == sequence and serves(live, change.body, headers):
            return "already-there"
        if live is not None and live.release is not None and live.release > sequence:
            return "overtaken"
        if live is not None and live.release in (None, sequence):
            return "conflict"
        token = None if live is None else live.token
    return "conflict"


async def _advance(log: Log, plan: Plan, head: Head, token: str | None, applied: list[Applied]) -> str:
    """Move HEAD to the release; over those of earlier releases whose publishers finished meanwhile."""
    while True:
        written = await log.advance(head, token)
        if written is not None:
            return written
        found = await log.head()
        if found is not None and found[0].sequence < plan.sequence:
            token = found[1]
            continue
        await converge(log, [one.change for one in applied if one.result in DONE], plan.sequence)
        raise Overtaken(plan.sequence if found is None else found[0].sequence)
