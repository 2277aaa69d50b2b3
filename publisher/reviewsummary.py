"""What a reviewer sees first: the verdict, what to do, who may mint tokens, what breaks and when. Pure."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from publisher.documentchange import Difference
from publisher.keychange import Mints
from publisher.report import counted
from publisher.review import Danger, Review
from publisher.reviewgroups import Minting, gains, losses, same_key
from publisher.reviewkeys import form, lost, span
from publisher.reviewwords import (
    SIGNS,
    Sentence,
    Value,
    broken,
    listed,
    mistake,
    places,
    policy_change,
    refusal,
    waiver_change,
    when,
)
from publisher.rules.windows import instant

_DOMAINS = 3
_NAMES = 3
_TOGETHER = 3
"""So many keys that are alike are named one by one; of more, some tenants."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Point:
    """A line of the summary, and what is under it. `bad`: it stops the change, or wants a reason."""

    lead: str
    rest: Sentence = ()
    items: tuple[Sentence, ...] = ()
    bad: bool = False


def tone(review: Review) -> Literal["bad", "mild", "good"]:
    """Whether something stops it, it wants to be read with care, or neither."""
    if review.verdict != "fine":
        return "bad"
    return "mild" if _meant(review) else "good"


def headline(review: Review) -> str:
    """The verdict in words."""
    blocking = sum(not one.waived for one in review.all_dangers)
    hazards = counted(blocking, "hazard that nobody waived", "hazards that nobody waived")
    match review.verdict:
        case "refused":
            mistakes, refusals = counted(len(review.all_mistakes), "mistake"), counted(len(review.refusals), "refusal")
            pairs = ((review.refusals, refusals), (review.all_mistakes, mistakes), (blocking, hazards))
            return f"Refused: {', '.join(text for found, text in pairs if found)}"
        case "blocked":
            return f"Blocked: {hazards}"
        case "fine":
            if found := _meant(review):
                return f"Fine if meant: {', '.join(found)}"
            return (
                "Fine: no key set changes" if review.is_empty else "Fine: no key may mint tokens that could not before"
            )


def _meant(review: Review) -> tuple[str, ...]:
    """What stops nothing, and does harm where it is not meant; the worst first."""
    new = [one for group in gains(review) for one in group]
    numbers = (
        (len(_revocations(review)), "key revoked", "keys revoked"),
        (
            sum(one.moved for one in review.tenants),
            "tenant moved to another folder",
            "tenants moved to other folders",
        ),
        (len(_emptied(review)), "domain left without a key", "domains left without a key"),
        (len(_unsigned(review)), "domain without a key that signs", "domains without a key that signs"),
        (sum(bool(one.why) for one in review.all_dangers), "waived hazard", ""),
        (len(_weaker(review)), "weaker setting of the policy", "weaker settings of the policy"),
        (len(review.waivers), "changed waiver", ""),
        (len(review.platform), "changed file of the platform", "changed files of the platform"),
    )
    found = [counted(number, one, many) for number, one, many in numbers if number]
    return (*([f"{_holders(new)} may now mint tokens"] if new else []), *found)


def advice(review: Review) -> str:
    """What to do."""
    match review.verdict:
        case "refused":
            return "Correct it as is told here, and look again."
        case "blocked":
            waivers = any(one.waiver and not one.waived for one in review.all_dangers)
            first = "Correct it as is told here, or let the platform merge the waivers first."
            first = first if waivers else "Correct it as is told here."
            return f"{first} Merged as it is, a publish keeps what is served now."
        case "fine" if gains(review):
            return "Whoever holds a key's private half can mint tokens. Merge it if each of these keys is meant to."
        case "fine" if tone(review) == "mild":
            return "No check stops this. Merge it if it is meant."
        case "fine":
            return "Nothing stops this change."


def points(review: Review, most: int) -> Iterator[Point]:
    """What matters, the worst first; at most so many items under each."""
    yield from _listed("refusal", map(refusal, review.refusals), most, bad=True)
    yield from _listed("mistake", map(mistake, review.all_mistakes), most, bad=True)
    yield from _minting(review, most)
    yield from _hazards(review, most, waived=False)
    yield from _breaks(review, most)
    yield from _policy(review, most)
    yield from _listed_as("Waivers", "change", [waiver_change(one) for one in review.waivers], most, bad=True)
    yield from _listed_as("Revoked", "key", _revocations(review), most)
    yield from _listed_as("Left without a key", "domain", _emptied(review), most, bad=True)
    yield from _listed_as("Without a key that signs", "domain", _unsigned(review), most, bad=True)
    yield from _losses(review, most)
    yield from _hazards(review, most, waived=True)
    yield from _counts(review)


def _listed(noun: str, sentences: Iterable[Sentence], most: int, *, bad: bool) -> Iterator[Point]:
    found = list(sentences)
    if found:
        yield Point(lead=counted(len(found), noun), items=_some(found, most), bad=bad)


def _some(found: Sequence[Sentence], most: int) -> tuple[Sentence, ...]:
    shown = found if len(found) <= most + 1 else found[:most]
    left = len(found) - len(shown)
    return (*shown, (f"and {left} more",)) if left else tuple(shown)


def _minting(review: Review, most: int) -> Iterator[Point]:
    groups = gains(review)
    if not groups:
        return
    everyone = [one for group in groups for one in group]
    lead = f"May now mint tokens: {_holders(everyone)}"
    shared = [
        ("The same key ", Value(name), " is that of ", *listed(tenants, _NAMES))
        for name, tenants in same_key(everyone).items()
    ]
    items = [sentence for group in groups for sentence in _group(group, review, span)]
    yield Point(lead=lead, items=_some([*shared, *items], most), bad=True)


def _losses(review: Review, most: int) -> Iterator[Point]:
    groups = losses(review)
    if groups:
        everyone = [one for group in groups for one in group]
        items = [sentence for group in groups for sentence in _group(group, review, lost)]
        yield Point(lead=f"May mint no more: {_holders(everyone)}", items=_some(items, most))


def _holders(found: Iterable[Minting]) -> str:
    keys = {(one.tenant, one.key.shown.thumbprint) for one in found}
    tenants = {tenant for tenant, _ in keys}
    return f"{counted(len(keys), 'key')} of {counted(len(tenants), 'tenant')}"


def _group(group: Sequence[Minting], review: Review, tell: Callable[[Mints, datetime], str]) -> Iterator[Sentence]:
    if len(group) <= _TOGETHER:
        for one in group:
            key = one.key.shown
            about: Sentence = (Value(one.tenant), ": ", Value(key.kid), f" ({key.origin}, ", Value(key.alg), ")")
            yield (*about, " for ", *places(one.mints.domains, _DOMAINS), f", {tell(one.mints, review.now)}")
        return
    key, starts = group[0].key.shown, sorted(one.mints.start for one in group)
    names = listed(dict.fromkeys(one.tenant for one in group), _NAMES)
    last = "" if starts[-1] == starts[0] else f", the last {when(starts[-1], review.now)}"
    if tell is lost:
        yield (
            f"{_holders(group)} alike ({key.origin}, ",
            *form(key),
            f"), {when(starts[0], review.now)}{last}: ",
            *names,
        )
        return
    ends = sorted({one.mints.until for one in group if one.mints.until is not None})
    end = "without end" if not ends else f"until {instant(ends[0])}"
    end += f" to {instant(ends[-1])}" if len(ends) > 1 else ""
    yield (
        f"{_holders(group)} alike ({key.origin}, ",
        *form(key),
        f"), {when(starts[0], review.now)}{last}, {end}: ",
        *names,
        "; for ",
        *listed(dict.fromkeys(name for one in group for name in one.mints.domains), _NAMES),
    )


def _hazards(review: Review, most: int, *, waived: bool) -> Iterator[Point]:
    found = [one for one in review.all_dangers if one.waived == waived]
    noun = (
        ("waived hazard", "waived hazards") if waived else ("hazard that nobody waived", "hazards that nobody waived")
    )
    if found:
        yield Point(lead=counted(len(found), *noun), items=_some([*map(_where, found)], most), bad=not waived)


def _where(one: Danger) -> Sentence:
    where = [name for name in (one.tenant, one.domain, one.kid) if name is not None]
    return (Value(one.rule), ": " if where else "", *listed(where, 3))


def _weaker(review: Review) -> tuple[Sentence, ...]:
    changes = () if review.policy is None else review.policy.changes
    return tuple(policy_change(one) for one in changes if one.weaker)


def _policy(review: Review, most: int) -> Iterator[Point]:
    if review.policy is None:
        return
    weaker = _weaker(review)
    yield from _listed_as("Weaker policy", "setting", weaker, most, bad=True)
    others = len(review.policy.changes) - len(weaker)
    rest = [counted(others, "other setting")] if others else []
    rest += [f"touches {counted(len(review.policy.touched), 'more tenant')}"] if review.policy.touched else []
    rest += ["every live document gets other cache terms"] if review.policy.all_cached else []
    if rest:
        yield Point(lead="Policy", rest=(": ", ", ".join(rest)))


def _revocations(review: Review) -> tuple[Sentence, ...]:
    return tuple(
        (Value(tenant.tenant), ": ", Value(key.shown.kid))
        for tenant in review.tenants
        for key in tenant.keys
        if key.what == "revoked"
    )


def _emptied(review: Review) -> tuple[Sentence, ...]:
    """Domains that served keys, and will serve none: every token of theirs is refused."""
    return tuple(
        (Value(tenant.tenant), ": ", *places((domain,), 1))
        for tenant in review.tenants
        for one in tenant.documents
        for domain in one.domains
        if one.before.keys and not one.after.keys
    )


def _unsigned(review: Review) -> tuple[Sentence, ...]:
    """Domains that keep keys of which none signs for a while, though one would have."""
    return tuple(
        (Value(tenant.tenant), ": ", *places((domain,), 1), f", {when(it.start, review.now)}{_until(it)}")
        for tenant in review.tenants
        for one in tenant.documents
        for it in one.differences
        for domain in one.domains
        if it.unsigned
    )


def _until(one: Difference) -> str:
    return "" if one.end is None else f" until {instant(one.end)}"


def _listed_as(lead: str, noun: str, found: Sequence[Sentence], most: int, *, bad: bool = False) -> Iterator[Point]:
    if found:
        yield Point(lead=f"{lead}: {counted(len(found), noun)}", items=_some(found, most), bad=bad)


def _breaks(review: Review, most: int) -> Iterator[Point]:
    named = [
        (Value(tenant.tenant), ": ", *broken(one, review.now, _DOMAINS))
        for tenant in review.tenants
        for one in tenant.breaks
        if one.named
    ]
    if named:
        yield Point(lead=f"Breaks for {counted(len(named), 'named verifier')}", items=_some(named, most), bad=True)


def _counts(review: Review) -> Iterator[Point]:
    tenants = review.tenants
    signs = [SIGNS[key.what] for tenant in tenants for key in tenant.keys]
    came = sum(one.before is None for one in tenants)
    went = sum(one.after is None for one in tenants)
    parts = (
        [f"{len(tenants) - came - went:,} changed"]
        + [f"{came:,} new"] * bool(came)
        + [f"{went:,} removed"] * bool(went)
    )
    keys = [f"{signs.count('+'):,} in", f"{signs.count('-'):,} out", f"{signs.count('~'):,} changed"]
    yield Point(lead="Tenants", rest=(f": {', '.join(parts)}. Keys: {', '.join(keys)}.",))
    for noun, found in (("file of the platform", review.platform), ("file of no tenant", review.others)):
        if found:
            head, _, tail = noun.partition(" ")
            yield Point(lead=counted(len(found), noun, f"{head}s {tail}"), rest=(": ", *listed(found, _NAMES)))
    if review.notes:
        yield Point(lead=counted(len(review.notes), "note"), rest=(", below: what could not be judged",))
