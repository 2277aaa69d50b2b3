"""Which generated key signs a tenant's tokens, and from when the next one will: what the issuer goes by.

A tenant's generated keys follow one another: of those that may sign, the one whose `signs.from` is the latest does. A
key may sign from its `signs.from` on, but not before it has been published for the lead: from the recorded publication
where there is one to go by. Until its successor may, a key goes on signing past its `signs.until`, so that a publish
that came late never makes an issuer sign with a key that verifiers do not have (Nomad#23577, hydra#3408).

Pure. Keys that are limited to some of the domains are not among the candidates: they cannot sign for the others.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from publisher.keyset import Window


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """A generated key that is not revoked. `ready` is from when it may sign; None while it is not published.

    `seen` is since when it is published, for choosing where none is ready; None as above.
    """

    kid: str
    thumbprint: str
    alg: str
    window: Window
    ready: datetime | None
    seen: datetime | None
    vault: str | None = None
    served: bool = True
    """Whether documents still hold it: one that has left them signs no more, whatever it waits for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Signing:
    """Who signs. `key` is None where none may; `early`: it signs though not everybody has it, as nothing else may.

    `overdue`: it signs past its end, waiting for `following`. `not_before` is when that one takes over, as far as it is
    published: None until it is.
    """

    key: Candidate | None
    early: bool = False
    overdue: bool = False
    following: Candidate | None = None
    not_before: datetime | None = None


def ready(window: Window, seen: datetime | None, lead: timedelta, *, founding: bool) -> datetime | None:
    """From when a key may sign. `founding`: it stood in the tenant's first documents, which nobody had a copy of."""
    if seen is None:
        return None
    return window.signs_from if founding else max(window.signs_from, later(seen, lead))


def later(instant: datetime, delta: timedelta) -> datetime:
    """The sum, which stays within what a datetime holds: `keyset.ALWAYS` and `NEVER` are its ends."""
    try:
        return instant + delta
    except OverflowError:
        return datetime.max.replace(tzinfo=instant.tzinfo)


def signing(candidates: Sequence[Candidate], now: datetime, *, bereft: bool = False) -> Signing:
    """Who signs at `now`. `bereft`: a key was revoked, so that one which is not ready is better than none."""
    able = [one for one in candidates if one.ready is not None and one.ready <= now]
    key = max((one for one in able if now < one.window.signs_until), key=_rank, default=None)
    overdue = early = False
    if key is None:
        last = max((one for one in able if one.served), key=_rank, default=None)
        awaited = last is not None and any(_is_awaited(one, last, now) for one in candidates)
        # Where its successor was revoked, nobody is to come, and it goes on if there is no other.
        alone = bereft and last is not None and not any(_is_there(one, now) for one in candidates)
        if awaited or alone:
            key, overdue = last, True
    if key is None and bereft:
        key = min((one for one in candidates if _is_there(one, now)), key=_by_publication, default=None)
        early = key is not None
    following = _following(candidates, key, now)
    return Signing(
        key=key,
        early=early,
        overdue=overdue,
        following=following,
        not_before=None if following is None else following.ready,
    )


def signs_until(
    candidates: Sequence[Candidate], key: Candidate, now: datetime, lead: timedelta, *, bereft: bool = False
) -> datetime:
    """When a key's last token is signed, as far as is known: what is not published yet is ready a lead from now."""
    end = key.window.signs_until
    if signing(candidates, now, bereft=bereft).key == key:
        end = max(end, now)
    rank = _rank(key)
    heirs = [one for one in candidates if _rank(one) > rank and one.window.signs_from <= max(end, now)]
    if not heirs:
        return end
    expected = (max(one.window.signs_from, later(now, lead)) if one.ready is None else one.ready for one in heirs)
    return max(end, min(expected))


def _rank(one: Candidate) -> tuple[datetime, str]:
    return one.window.signs_from, one.kid


def _is_awaited(one: Candidate, last: Candidate, now: datetime) -> bool:
    """Whether a key was to have taken over by now, and may not yet."""
    late = one.ready is None or one.ready > now
    return late and _rank(one) > _rank(last) and one.window.signs_from <= now < one.window.publish_until


def _is_there(one: Candidate, now: datetime) -> bool:
    return one.seen is not None and now < one.window.signs_until and now < one.window.publish_until


def _by_publication(one: Candidate) -> tuple[datetime, datetime, str]:
    """Those that are to sign by now first, then those that most verifiers have."""
    return one.window.signs_from, one.seen or one.window.signs_from, one.kid


def _following(candidates: Iterable[Candidate], key: Candidate | None, now: datetime) -> Candidate | None:
    """The next to sign: the first to be ready of those that come after the present one."""
    coming = [
        one
        for one in candidates
        if (key is None or _rank(one) > _rank(key)) and now < one.window.signs_until and one is not key
    ]
    return min(
        coming, key=lambda one: (one.ready or one.window.signs_from, one.window.signs_from, one.kid), default=None
    )
