"""A review as a comment of GitHub or GitLab: what matters first, details folded, never longer than it may be.

GitHub takes 65,536 characters, and refuses a longer comment as a whole. Nothing is cut within: sections show their
worst items, tenants a shorter form or none, and the end says how many were left out.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

from publisher.fitting import fit, prefix, size
from publisher.markdowntenant import VALUE, allowing, pieces, sentence
from publisher.review import Danger, PolicyReview, Review
from publisher.reviewgroups import alike
from publisher.reviewsummary import Point, advice, headline, points, tone
from publisher.reviewwords import (
    Said,
    Sentence,
    Value,
    danger,
    mistake,
    origin,
    policy_change,
    refusal,
    remedy,
    touched,
)

MARKER = "<!-- jwks-publisher review -->"
"""The first line, by which a later review finds the comment to replace."""
LEAST = 2000
"""No review is shorter than this at the worst."""
_END = 400
"""Bytes for the end, which says what was left out."""
_SHARE = 0.35
_HAZARDS = ("hazard", "hazards")
_ICONS = {"bad": "\N{NO ENTRY}", "mild": "\N{KEY}", "good": "\N{WHITE HEAVY CHECK MARK}"}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Section:
    """A folded list: `body` shows its first items, and what goes with them."""

    title: str
    nouns: tuple[str, str]
    count: int
    body: Callable[[int], str]
    unfolded: bool = False

    def text(self, shown: int) -> str:
        more = f"- and {self.count - shown:,} more\n" if shown < self.count else ""
        state = " open" if self.unfolded else ""
        head = f"<details{state}><summary><b>{self.title}</b> ({self.count:,})</summary>"
        return f"{head}\n\n{self.body(shown)}{more}\n</details>\n\n"


def markdown(review: Review, limit: int = 60_000) -> str:
    """The comment, of at most `limit` bytes of UTF-8. Raises ValueError for a limit under `LEAST`."""
    if limit < LEAST:
        raise ValueError(f"a review needs {LEAST} bytes at the least")
    text, shown = _head(review, (limit - _END) // 2)
    room = limit - _END - size(text)
    left: dict[tuple[str, str], int] = {}
    for section in _before(review, shown):
        text, room = _add(section, text, room, int(room * _SHARE), left)
    after = [*_after(review)]
    kept = min(int(room * _SHARE / 2), sum(size(one.text(one.count)) for one in after))
    tenants, lost = _tenants(review, room - kept, told=_HAZARDS not in left)
    text, room = text + tenants, room - size(tenants)
    if lost:
        left["tenant", "tenants"] = lost
    for section in after:
        text, room = _add(section, text, room, room, left)
    return f"{text}{_close(left)}".replace("\n\n\n", "\n\n").rstrip("\n") + "\n"


def _head(review: Review, room: int) -> tuple[str, int]:
    """The summary, with as many items and as long values as there is room for; lists of so many are in it whole."""
    for most, length in ((12, VALUE), (6, 80), (3, 60), (1, 40), (0, 40)):
        made = "".join(_point(one, length) for one in points(review, most))
        text = f"{MARKER}\n## {_ICONS[tone(review)]} {headline(review)}\n\n{advice(review)}\n\n{made}"
        text += f"\n{sentence(origin(review), length)}\n\n"
        if size(text) <= room:
            return text, most + 1 if length == VALUE else 0
    return f"{MARKER}\n## {_ICONS[tone(review)]} {headline(review)}\n\n{advice(review)}\n\n", 0


def _point(one: Point, length: int) -> str:
    lead = f"**{one.lead}**" if one.bad else one.lead
    items = "".join(f"  - {sentence(item, length)}\n" for item in one.items)
    return f"- {lead}{sentence(one.rest, length)}\n{items}"


def _add(section: _Section, text: str, room: int, share: int, left: dict[tuple[str, str], int]) -> tuple[str, int]:
    """The text with as much of the section as its share of the room holds, and the room that is left then."""
    shown = prefix(section.text, section.count, share)
    made = section.text(shown)
    if shown < section.count:
        left[section.nouns] = left.get(section.nouns, 0) + section.count - shown
    if not shown or size(made) > share:
        return text, room
    return text + made, room - size(made)


def _before(review: Review, shown: int) -> Iterator[_Section]:
    """What stands before the tenants: all that stops the change, and the policy. Lists of `shown` stand in the head."""
    refusals, mistakes = review.refusals, review.all_mistakes
    blocking = [one for one in review.all_dangers if not one.waived]
    waived = [one for one in review.all_dangers if one.waived]
    if len(refusals) > shown:
        yield from _list("Refusals", ("refusal", "refusals"), [refusal(one) for one in refusals], unfolded=True)
    if len(mistakes) > shown:
        yield from _list("Mistakes", ("mistake", "mistakes"), [mistake(one) for one in mistakes], unfolded=True)
    if blocking:
        body = _dangers(blocking)
        title = "Hazards that nobody waived"
        yield _Section(title=title, nouns=_HAZARDS, count=len(blocking), body=body, unfolded=True)
    if waived:
        nouns = ("waived hazard", "waived hazards")
        yield _Section(title="Waived hazards", nouns=nouns, count=len(waived), body=_dangers(waived))
    if review.policy is not None:
        yield from _policy(review.policy, shown)


def _dangers(found: Sequence[Danger]) -> Callable[[int], str]:
    lines = [f"- {sentence(danger(one))}\n  - {sentence(remedy(one))}\n" for one in found]
    return lambda shown: "".join(lines[:shown]) + allowing(found[:shown])


def _policy(policy: PolicyReview, shown: int) -> Iterator[_Section]:
    weaker = [policy_change(one) for one in policy.changes if one.weaker]
    others = [policy_change(one) for one in policy.changes if not one.weaker]
    if len(weaker) > shown:
        yield from _list("Weaker policy", ("weaker setting", "weaker settings"), weaker, unfolded=True)
    yield from _list("Other settings of the policy", ("setting of the policy", "settings of the policy"), others)
    nouns = ("touched tenant", "touched tenants")
    yield from _list("Tenants that the policy touches", nouns, [touched(one) for one in policy.touched])


def _after(review: Review) -> Iterator[_Section]:
    """What stands after the tenants: for information."""
    platform: list[Sentence] = [(Value(one),) for one in review.platform]
    others: list[Sentence] = [(Value(one),) for one in review.others]
    yield from _list("Notes: what could not be judged", ("note", "notes"), [(Said(one),) for one in review.notes])
    yield from _list("Files of the platform", ("file", "files"), platform)
    yield from _list("Files of no tenant", ("other file", "other files"), others)
    yield from _list("Warnings", ("warning", "warnings"), [mistake(one) for one in review.warnings])


def _list(
    title: str, nouns: tuple[str, str], sentences: Sequence[Sentence], *, unfolded: bool = False
) -> Iterator[_Section]:
    if sentences:
        lines = [f"- {sentence(one)}\n" for one in sentences]
        body = partial(_first, lines)
        yield _Section(title=title, nouns=nouns, count=len(lines), body=body, unfolded=unfolded)


def _first(lines: Sequence[str], shown: int) -> str:
    return "".join(lines[:shown])


def _tenants(review: Review, room: int, *, told: bool) -> tuple[str, int]:
    """The tenants as far as there is room, and how many are not named."""
    if not review.tenants:
        return "", 0
    heading = "### Tenants\n\n"
    found = [*pieces(alike(review.tenants, review.now), review.now, told=told)]
    chosen = fit(found, room - size(heading) - 2)
    left = sum(piece.weight if form is None else form.left for piece, form in zip(found, chosen, strict=True))
    text = "".join(form.text for form in chosen if form is not None)
    return (f"{heading}{text}\n" if text else ""), left


def _close(left: Mapping[tuple[str, str], int]) -> str:
    if not left:
        return ""
    counts = ", ".join(f"{number:,} {one if number == 1 else many}" for (one, many), number in left.items())
    return f"**Left out: {counts}.** See all with `jwks-publisher review --format html`.\n"
