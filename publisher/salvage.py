"""What can still be read of a log that is damaged: its end as far as it goes, and what is lost, object by object.

`Log.tip` stops at the first damaged object, as who publishes must. Here nothing stops: `audit` names what is lost and
goes on over the rest, `repair` plans over it. A release that HEAD does not vouch for is taken as it is, where it can be
read: the newest one, so that as little as possible of what was recorded is lost.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TypeAlias

from publisher.head import HEAD_KEY, Head, decode_head
from publisher.release import Release, digest, release_key
from publisher.releaselog import Above, Log, Tip
from publisher.seal import SealError, UnknownSignerError
from publisher.shard import Damaged, Shard, Summary, decode, shard_key
from publisher.store import StoreError

OF_ONE_OBJECT = frozenset({"denied", "broken"})
"""Troubles that may be those of one object alone, as in `state`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Loss:
    """An object of the state that is missing or cannot be read, and why.

    `unknown_signer`: it can, and is signed by a key that is not among the trusted ones.
    """

    key: str
    why: str
    unknown_signer: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Salvaged:
    """The end of a log. `sound`: nothing is lost. `vouched`: HEAD itself names the base.

    Otherwise `tip` has the newest release that can be read as its base (none: no release can), HEAD as if it had named
    that one, and a `seen` above every release.
    """

    tip: Tip
    losses: tuple[Loss, ...]
    sound: bool
    vouched: bool


_Release: TypeAlias = tuple[Release, str]


async def salvage(log: Log, now: datetime) -> Salvaged:
    """The end of the log, however damaged. `now` stands for times that are lost. StoreError where the store fails."""
    sequences = await log.sequences()
    try:
        tip = await log.tip()
    except (Damaged, SealError):
        tip = None
    except StoreError as error:
        if error.trouble not in OF_ONE_OBJECT:
            raise
        tip = None
    if tip is not None:
        later = [one for one in sequences if one > tip.last]
        if not later:  # a release that came since the listing is one above HEAD, as any other
            return Salvaged(tip=tip, losses=(), sound=True, vouched=True)
        gaps = tuple(_gaps(tip.last, later))
        return Salvaged(tip=replace(tip, seen=later[-1]), losses=gaps, sound=False, vouched=True)
    return await _salvage(log, sequences, now)


def _gaps(last: int, later: list[int]) -> Iterable[Loss]:
    """Releases that are missing below later ones."""
    why = f"it is missing, though there is {release_key(later[-1])}"
    return (Loss(key=release_key(one), why=why) for one in range(last + 1, later[-1]) if one not in later)


async def _salvage(log: Log, sequences: list[int], now: datetime) -> Salvaged:
    losses: list[Loss] = []
    head, token = await _head(log, losses)
    own = None if head is None else await read_release(log, head.sequence, losses)
    if head is not None and own is not None and own[1] != head.digest:
        losses.append(Loss(key=release_key(head.sequence), why=f"it is not the one that {HEAD_KEY} names"))
        own = None
    seen = max([*sequences, 0 if head is None else head.sequence], default=0)
    if head is not None and own is not None:
        above = await _above(log, head.sequence, sequences, losses)
        tip = Tip(head=head, token=token, base=own[0], above=above, seen=seen)
        return Salvaged(tip=tip, losses=tuple(losses), sound=False, vouched=True)
    skip = None if head is None else head.sequence
    base = await _newest(log, [one for one in sequences if one != skip], losses)
    stand_in = None if base is None else _stand_in(head, base, now)
    tip = Tip(head=stand_in, token=token, base=None if base is None else base[0], above=(), seen=seen)
    return Salvaged(tip=tip, losses=tuple(losses), sound=False, vouched=False)


async def _head(log: Log, losses: list[Loss]) -> tuple[Head | None, str | None]:
    """HEAD where it can be read, and its token where there is one."""
    try:
        found = await log.store.get(HEAD_KEY)
    except StoreError as error:
        if error.trouble not in OF_ONE_OBJECT:
            raise
        losses.append(Loss(key=HEAD_KEY, why=str(error)))
        return None, None
    if found is None:
        losses.append(Loss(key=HEAD_KEY, why="it is missing, though there are releases"))
        return None, None
    try:
        return decode_head(found.body), found.token
    except Damaged:
        losses.append(Loss(key=HEAD_KEY, why="it cannot be read"))
        return None, found.token


async def read_release(log: Log, sequence: int, losses: list[Loss]) -> _Release | None:
    """A release and its digest; None, and a loss more, where it is missing or cannot be read."""
    try:
        found = await log.release(sequence)
    except SealError as error:
        unknown = isinstance(error, UnknownSignerError)
        losses.append(Loss(key=release_key(sequence), why=str(error), unknown_signer=unknown))
    except Damaged:
        losses.append(Loss(key=release_key(sequence), why="it cannot be read"))
    except StoreError as error:
        if error.trouble not in OF_ONE_OBJECT:
            raise
        losses.append(Loss(key=release_key(sequence), why=str(error)))
    else:
        if found is not None:
            return found
        losses.append(Loss(key=release_key(sequence), why="it is missing"))
    return None


async def read_shard(log: Log, summary: Summary, losses: list[Loss]) -> Shard | None:
    """A shard; None, and a loss more, where it is missing, damaged, or holds a record that cannot be read."""
    key = shard_key(summary.digest)
    try:
        found = await log.store.get(key)
        if found is None or digest(found.body) != summary.digest:
            losses.append(Loss(key=key, why="it is missing" if found is None else "it is not what its name says"))
            return None
        shard = decode(found.body, key)
        for _ in shard.records():
            pass
    except Damaged:
        losses.append(Loss(key=key, why="it cannot be read"))
        return None
    except StoreError as error:
        if error.trouble not in OF_ONE_OBJECT:
            raise
        losses.append(Loss(key=key, why=str(error)))
        return None
    return shard


async def _above(log: Log, head: int, sequences: list[int], losses: list[Loss]) -> tuple[Above, ...]:
    """The releases above HEAD up to the first that cannot be read; those after it are lost with it."""
    above: list[Above] = []
    later = [one for one in sequences if one > head]
    for one in range(head + 1, max(later, default=head) + 1):
        found = await read_release(log, one, losses)
        if found is None:
            break
        above.append(Above(release=found[0], digest=found[1]))
    return tuple(above)


async def _newest(log: Log, sequences: list[int], losses: list[Loss]) -> _Release | None:
    for one in reversed(sequences):
        found = await read_release(log, one, losses)
        if found is not None:
            return found
    return None


def _stand_in(head: Head | None, base: _Release, now: datetime) -> Head:
    """HEAD as if it had named another release. When that was complete is not known, so it counts from now."""
    if head is not None:
        return replace(head, sequence=base[0].sequence, digest=base[1])
    return Head(sequence=base[0].sequence, digest=base[1], completed_at=now, conditions="not-asked")
