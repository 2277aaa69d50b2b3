"""A review as one HTML page that loads nothing: the summary first, what takes effect when, every tenant in full.

Python gives parts of sentences, and the template escapes each of them.
"""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from typing import Any, TypeAlias

from publisher.diagnostic import clean, quoted
from publisher.documentchange import DocumentChange
from publisher.keychange import KeyChange
from publisher.review import Danger, Review, TenantReview
from publisher.reviewgroups import alike
from publisher.reviewkeys import form, key_lines, key_title, span
from publisher.reviewsummary import Point, advice, headline, points, tone
from publisher.reviewwords import (
    SIGNS,
    Said,
    Sentence,
    Value,
    broken,
    danger,
    differing,
    folder,
    listed,
    mistake,
    origin,
    peak,
    places,
    policy_change,
    refusal,
    remedy,
    setting,
    title,
    touched,
    waivers,
)
from publisher.rules.windows import instant
from publisher.site import template

_POINTS = 12
_ALL = 1_000_000
_UNFOLDED = 20
"""Of the tenants that want to be looked at first so many are unfolded."""
_ALIKE = 50
"""Of more tenants that are alike the first is shown in full, the others by their keys."""
_ROWS = 60
"""Rows of the timeline."""
_TOGETHER = 6
"""Names in one of them."""

_Parts: TypeAlias = list[tuple[str, bool]]
"""A sentence: the text of each part, and whether it is a value."""


def page(review: Review) -> str:
    """The page, to be written as UTF-8."""
    groups = alike(review.tenants, review.now)
    moments = [*_moments((one for group in groups for one in group), review.now)]
    full, alike_ones = [*_shown(groups)], [group for group in groups if len(group) > _ALIKE]
    return template("review.html.j2").render(
        headline=headline(review),
        verdict=review.verdict,
        tone=tone(review),
        advice=advice(review),
        origin=_parts(origin(review)),
        points=[_point(one) for one in points(review, _POINTS)],
        hazards=[_danger(one) for one in review.all_dangers if not one.waived],
        waived=[_danger(one) for one in review.all_dangers if one.waived],
        waivers=[clean(one) for one in waivers(review.all_dangers)],
        moments=moments[:_ROWS],
        more_moments=max(0, len(moments) - _ROWS),
        tenants=[_tenant(one, review.now, at < _UNFOLDED) for at, one in enumerate(full)],
        groups=[[_row(one, review.now) for one in group] for group in alike_ones],
        before=[*_before(review)],
        after=[*_after(review)],
    )


def _shown(groups: Iterable[Sequence[TenantReview]]) -> Iterator[TenantReview]:
    """The tenants in full."""
    for group in groups:
        yield from group if len(group) <= _ALIKE else group[:1]


def _row(one: TenantReview, now: datetime) -> dict[str, Any]:
    """A tenant of many by its keys."""
    lines = [(*key_title(key), *_gains(key, now)) for key in one.keys]
    return {"tenant": clean(one.tenant), "keys": [*map(_parts, lines)]}


def _gains(key: KeyChange, now: datetime) -> Sentence:
    found: list[str | Value | Said] = []
    for mints in key.gains:
        found += [", may now mint tokens for ", *places(mints.domains, _ALL), f" {span(mints, now)}"]
    return tuple(found)


def _parts(sentence: Sentence) -> _Parts:
    found: _Parts = []
    for part in sentence:
        match part:
            case Value(text):
                found.append((clean(text), True))
            case Said(text):
                found += quoted(clean(text))
            case str():
                found.append((part, False))
    return found


def _point(one: Point) -> dict[str, Any]:
    return {"lead": one.lead, "rest": _parts(one.rest), "items": [*map(_parts, one.items)], "bad": one.bad}


def _danger(one: Danger) -> dict[str, Any]:
    return {"what": _parts(danger(one)), "remedy": _parts(remedy(one))}


def _list(name: str, sentences: Iterable[Sentence]) -> Iterator[dict[str, Any]]:
    items = [*map(_parts, sentences)]
    if items:
        yield {"name": name, "items": items}


def _before(review: Review) -> Iterator[dict[str, Any]]:
    """Lists that stand before the tenants; those of few items are whole in the summary."""
    if len(review.refusals) > _POINTS + 1:
        yield from _list("Refusals", map(refusal, review.refusals))
    if len(review.all_mistakes) > _POINTS + 1:
        yield from _list("Mistakes", map(mistake, review.all_mistakes))
    if review.policy is not None:
        yield from _list("Policy", map(policy_change, review.policy.changes))
        yield from _list("Tenants that the policy touches", map(touched, review.policy.touched))


def _after(review: Review) -> Iterator[dict[str, Any]]:
    yield from _list("Notes: what could not be judged", ((Said(one),) for one in review.notes))
    yield from _list("Files of the platform", ((Value(one),) for one in review.platform))
    yield from _list("Files of no tenant", ((Value(one),) for one in review.others))
    yield from _list("Warnings", map(mistake, review.warnings))


def _tenant(one: TenantReview, now: datetime, first: bool) -> dict[str, Any]:
    return {
        "title": _parts(title(one)),
        "folder": _parts(folder(one)),
        "read": one.read,
        "unfolded": first and one.rank <= 1,
        "hazards": [_danger(it) for it in one.dangers],
        "keys": [
            {
                "sign": SIGNS[it.what],
                "what": it.what,
                "kid": clean(it.shown.kid),
                "thumbprint": clean(it.shown.thumbprint),
                "form": _parts(form(it.shown)),
                "origin": it.shown.origin,
                "lines": [*map(_parts, key_lines(it, now, _ALL))],
            }
            for it in one.keys
        ],
        "documents": [_document(it, now) for it in one.documents],
        "lists": [
            *_list("Mistakes", map(mistake, one.mistakes)),
            *_list("Verifiers that it breaks", (broken(it, now, _ALL) for it in one.breaks if it.named)),
            *_list("Other verifiers, for information", (broken(it, now, _ALL) for it in one.breaks if not it.named)),
            *_list("Settings", map(setting, one.settings)),
            *_list("Warnings", map(mistake, one.warnings)),
        ],
    }


def _document(one: DocumentChange, now: datetime) -> dict[str, Any]:
    return {
        "domains": _parts(places(one.domains, _ALL)),
        "kind": f"canonical domain, {one.what}" if one.canonical else one.what,
        "peak": peak(one.before, one.after),
        "differences": [_parts(differing(it, now, _ALL)) for it in one.differences],
    }


def _moments(tenants: Iterable[TenantReview], now: datetime) -> Iterator[dict[str, Any]]:
    """The instants at which something takes effect, and for whom, in time order."""
    rows: dict[tuple[datetime, str], dict[str, None]] = {}
    for start, what, who in (event for one in tenants for event in _events(one, now)):
        rows.setdefault((max(start, now), what), {})[who] = None
    for (start, what), names in sorted(rows.items(), key=lambda row: row[0]):
        at = "next publish" if start <= now else instant(start)
        yield {"at": at, "what": what, "who": _parts(listed(names, _TOGETHER))}


def _events(one: TenantReview, now: datetime) -> Iterator[tuple[datetime, str, str]]:
    for key in one.keys:
        who = f"{one.tenant}: {key.shown.kid}"
        for mints in key.gains:
            yield mints.start, "may mint tokens", who
            if mints.until is not None and not mints.meets:
                yield mints.until, "leaves the documents", who
        yield from ((mints.start, "may mint no more", who) for mints in key.loses)
        if key.safe is not None:
            waits = key.safe.published <= now < key.safe.everywhere
            yield key.safe.everywhere, f"safe to sign with{', were it published now' if waits else ''}", who
    yield from (
        (it.start, "breaks for a named verifier", f"{one.tenant}: {it.consumer}") for it in one.breaks if it.named
    )
