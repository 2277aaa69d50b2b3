"""A review for people at the shell: a line at a time, each with its sign, complete without colours.

Colours are the terminal's business, so a line carries a sign, and `STYLES` says how to colour it.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType
from typing import Literal, TypeAlias

from publisher.documentchange import DocumentChange
from publisher.inert import logged
from publisher.report import counted
from publisher.review import Danger, PolicyReview, Review, TenantReview
from publisher.reviewgroups import alike
from publisher.reviewkeys import key_lines, key_title
from publisher.reviewsummary import advice, headline, tone
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
    waiver_change,
    waivers,
)

Sign: TypeAlias = Literal["=", "+", "-", "~", "!", "?", " "]
"""`=` heads what follows, `!` stops the change, `?` wants to be read; the others are those of a diff."""

STYLES: Mapping[Sign, str] = MappingProxyType(
    {"=": "bold", "+": "green", "-": "red", "~": "yellow", "!": "bold red", "?": "yellow", " ": ""}
)
"""Styles as rich knows them."""
_ALL = 1_000_000
_ALLOWING = (
    "To allow these hazards, the platform first merges, below `waivers:` in waivers.yaml (in the place of `[]`):"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """A line of printable characters. `depth` is how far it is in."""

    sign: Sign
    text: str
    depth: int = 0

    def __str__(self) -> str:
        mark = "" if self.sign == "=" else f"{self.sign} "
        return f"{'    ' * self.depth}{mark}{self.text}".rstrip()


def lines(review: Review) -> Iterator[Line]:
    """Everything, tenant by tenant, what is rare first; the verdict at the end, where people at a shell look."""
    yield Line(sign="=", text=_plain(origin(review)))
    yield from _listed("!", (refusal(one) for one in review.refusals))
    known = {one for tenant in review.tenants for one in tenant.mistakes}
    yield from _listed("!", (mistake(one) for one in review.all_mistakes if one not in known))
    yield from _dangers(review.dangers, 0)
    if review.policy is not None:
        yield from _policy(review.policy)
    for tenant in (one for group in alike(review.tenants, review.now) for one in group):
        yield Line(sign=" ", text="")
        yield from _tenant(tenant, review.now)
    yield Line(sign=" ", text="")
    yield from (
        Line(sign="+" if one.what == "added" else "-", text=f"waiver {_plain(waiver_change(one))}")
        for one in review.waivers
    )
    yield from _listed("?", (("file of the platform: ", Value(one)) for one in review.platform))
    yield from _listed(" ", (("file of no tenant: ", Value(one)) for one in review.others))
    yield from _listed("?", (("warning: ", *mistake(one)) for one in review.warnings))
    yield from _listed("?", ((Said(one),) for one in review.notes))
    yield from _waivers(review)
    ends: Mapping[str, Sign] = {"bad": "!", "mild": "?", "good": "+"}
    yield Line(sign=ends[tone(review)], text=f"{headline(review)}. {advice(review)}")


def _tenant(tenant: TenantReview, now: datetime) -> Iterator[Line]:
    yield Line(sign="=", text=f"tenant {_plain(title(tenant))}")
    if tenant.before != tenant.after:
        yield Line(sign="~", text=_plain(folder(tenant)))
    if not tenant.read:
        yield Line(sign="?", text="mistakes keep its documents from being compared")
    for key in tenant.keys:
        sign: Sign = "+" if SIGNS[key.what] == "+" else "-" if SIGNS[key.what] == "-" else "~"
        yield Line(sign=sign, text=_plain(key_title(key)))
        yield from _listed(" ", key_lines(key, now, _ALL), 1)
    for one in tenant.documents:
        yield from _document(one, now)
    yield from _listed("~", map(setting, tenant.settings))
    yield from _dangers(tenant.dangers, 0)
    yield from _listed("!", (broken(one, now, _ALL) for one in tenant.breaks if one.named))
    others = sorted({one.consumer for one in tenant.breaks if not one.named})
    if others:  # nobody named them: no more than a line
        text = _plain(("verifiers that `consumers` does not name cannot use all of it: ", *listed(others, _ALL)))
        yield Line(sign=" ", text=text)
    yield from _listed("!", map(mistake, tenant.mistakes))
    yield from _listed("?", (("warning: ", *mistake(one)) for one in tenant.warnings))


def _document(one: DocumentChange, now: datetime) -> Iterator[Line]:
    sign: Sign = "+" if one.what == "added" else "-" if one.what == "removed" else "~"
    kind = "canonical domain " if one.canonical else ""
    yield Line(sign=sign, text=f"{kind}{_plain(places(one.domains, _ALL))}: {one.what}; {peak(one.before, one.after)}")
    for change in one.differences:
        yield Line(sign=" ", text=_plain(differing(change, now, _ALL)), depth=1)


def _dangers(found: Iterable[Danger], depth: int) -> Iterator[Line]:
    for one in found:
        yield Line(sign="?" if one.waived else "!", text=_plain(danger(one)), depth=depth)
        yield Line(sign=" ", text=_plain(remedy(one)), depth=depth + 1)


def _policy(policy: PolicyReview) -> Iterator[Line]:
    yield Line(sign=" ", text="")
    yield Line(sign="=", text=f"policy: {counted(len(policy.changes), 'setting')}")
    for change in policy.changes:
        yield Line(sign="!" if change.weaker else "~", text=_plain(policy_change(change)))
    yield from _listed("~", (("touches ", *touched(one)) for one in policy.touched))
    if policy.all_cached:
        yield Line(sign="~", text="every live document gets other cache terms")


def _waivers(review: Review) -> Iterator[Line]:
    found = waivers(review.all_dangers)
    if found:
        yield Line(sign="=", text=_ALLOWING)
        yield from (Line(sign="=", text=logged(one)) for one in found)
        yield Line(sign=" ", text="")


def _listed(sign: Sign, sentences: Iterable[Sentence], depth: int = 0) -> Iterator[Line]:
    return (Line(sign=sign, text=_plain(one), depth=depth) for one in sentences)


def _plain(parts: Sentence) -> str:
    return "".join(part if isinstance(part, str) else logged(part.text) for part in parts)
