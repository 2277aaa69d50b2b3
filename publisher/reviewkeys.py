"""The sentences of a review about one key: who may mint tokens from when, when to sign, for how long it is accepted."""

from collections.abc import Iterator
from datetime import datetime

from publisher.exposure import Exposure, Safe, spoken
from publisher.keychange import KeyChange, KeyFacts, Mints
from publisher.keyset import ALWAYS, NEVER
from publisher.report import bound
from publisher.reviewwords import Said, Sentence, Value, places, when
from publisher.rules.windows import instant

_WHAT = {"added": "added", "unrevoked": "revoked no more", "removed": "removed", "revoked": "REVOKED"}


def key_title(change: KeyChange) -> Sentence:
    """Which key, and what becomes of it."""
    key = change.shown
    what = _WHAT.get(change.what) or "changed"
    return (f"{what} ", Value(key.kid), f": {key.origin}, ", *form(key), ", thumbprint ", Value(key.thumbprint))


def key_lines(change: KeyChange, now: datetime, most: int) -> Iterator[Sentence]:
    """All else about it, the worst first."""
    for one in change.gains:
        yield ("may now mint tokens for ", *places(one.domains, most), f" {span(one, now)}")
    for one in change.loses:
        yield ("may mint no more for ", *places(one.domains, most), f" {lost(one, now)}")
    if change.exposure is not None:
        yield exposed(change.exposure)
    if change.safe is not None:
        yield safety(change.safe)
    key = change.shown
    if key.revoked is not None:
        yield (f"compromised at {instant(key.revoked.at)}: ", Value(key.revoked.reason))
    if change.before is not None and change.after is not None:
        for name in change.fields:
            if name != "revoked":
                yield (
                    "changes ",
                    Value(name),
                    ": ",
                    *_field(change.before, name, most),
                    " -> ",
                    *_field(change.after, name, most),
                )
    else:
        yield (_windows(key),)
    if change.gains or change.loses:
        return
    if key.revoked is not None or key.phase == "withdrawn":
        yield ("in no document, as before",)
    else:
        yield ("in the documents of ", *places(key.domains, most), ", as before")


def span(mints: Mints, now: datetime) -> str:
    """From when until when, as words."""
    end = "without end" if mints.until is None else f"until {instant(mints.until)}"
    end += ", from when it was to anyway" if mints.meets else ""
    return f"{when(mints.start, now)}, {end}"


def lost(mints: Mints, now: datetime) -> str:
    """From when on it may mint no more, and until when it would have."""
    if mints.until is None:
        return when(mints.start, now)
    if mints.meets:
        return f"{when(mints.start, now)} (it may again from {instant(mints.until)} on)"
    return f"{when(mints.start, now)} (it was to until {instant(mints.until)})"


def _windows(key: KeyFacts) -> str:
    window = key.window
    if (window.publish_from, window.signs_from, window.signs_until, window.publish_until) == (
        ALWAYS,
        ALWAYS,
        NEVER,
        NEVER,
    ):
        return "published and signing without end"
    published = f"published {bound(window.publish_from)} .. {bound(window.publish_until)}"
    return f"{published}, signs {bound(window.signs_from)} .. {bound(window.signs_until)}, {key.phase} now"


def _field(key: KeyFacts, name: str, most: int) -> Sentence:
    window = key.window
    match name:
        case "kid":
            return (Value(key.kid),)
        case "alg":
            return (Value(key.alg),)
        case "origin":
            return (key.origin,)
        case "domains":
            return places(key.domains, most)
        case "publish.from":
            return (bound(window.publish_from),)
        case "signs.from":
            return (bound(window.signs_from),)
        case "signs.until":
            return (bound(window.signs_until),)
        case "publish.until":
            return (bound(window.publish_until),)
        case _:
            return ("other",)


def form(key: KeyFacts) -> Sentence:
    """Its algorithm and kind."""
    return (Value(key.alg), " (", Value(key.kind), ")")


def safety(safe: Safe) -> Sentence:
    """From when the key can be signed with: whoever reads it does not know when the publish will be."""
    wait = safe.everywhere - safe.published
    after = f"{spoken(wait)} after it is published" if wait else "as soon as it is published"
    parts: list[str | Value | Said] = [f"safe to sign with {after}, at the earliest from {instant(safe.everywhere)} on"]
    for name, at in safe.verifiers.items():
        parts += ["; ", Value(name), f" has it {spoken(at - safe.published)} after"] if wait else []
    return tuple(parts)


def exposed(exposure: Exposure) -> Sentence:
    """For how long a revoked key may yet be accepted."""
    purged = f" ({spoken(exposure.purged)} where the CDN is purged)"
    parts: list[str | Value | Said] = [f"caches keep it for up to {spoken(exposure.caches)} after the publish{purged}"]
    for name, time in exposure.verifiers.items():
        more = "until it restarts or meets an unknown kid" if time is None else f"for up to {spoken(time)} more"
        parts += ["; ", Value(name), f" accepts it {more}"]
    return tuple(parts)
