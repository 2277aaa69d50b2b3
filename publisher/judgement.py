"""What a change is judged by: policy and waivers of the base as it is now, and what the change makes of them."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from publisher.changed import Change
from publisher.diagnostic import Diagnostic
from publisher.examining import Grounds
from publisher.fleet import policy_warnings, source_policy, source_waivers, waiver_warnings
from publisher.githistory import differing
from publisher.gitprogram import Git
from publisher.policy import Policy
from publisher.policychange import policy_changes
from publisher.report import named
from publisher.review import PolicyReview, WaiverChange
from publisher.source import WAIVERS, Commit, File, Revision, inside
from publisher.thinning import parents
from publisher.waiver import Waivers


@dataclass(frozen=True, slots=True, kw_only=True)
class Sides:
    """`base` is the revision as it is named, whose policy, waivers and signers count. `start` is compared with `head`:
    the base with what it becomes when `change` is merged; or, where that cannot be made, what the base and the change
    have in common with the change itself (None: the working tree)."""

    base: Revision
    start: Revision
    head: Revision | None
    change: Commit | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Judgement:
    """What counts: `grounds`, the base's waivers, the files of both policies, and what is wrong with the new ones, or
    warned of."""

    grounds: Grounds
    waivers: Waivers
    files: tuple[File | None, File | None]
    policy: PolicyReview | None
    waived: tuple[WaiverChange, ...]
    """The waivers that come and go; those that come do not count yet."""
    mistakes: tuple[Diagnostic, ...]
    warnings: tuple[Diagnostic, ...]
    notes: tuple[str, ...]


def judgement(sides: Sides, change: Change, now: datetime) -> Judgement:
    """Read what counts. SourceError."""
    old, wrong = source_policy(sides.base)
    differs = change.policy
    new, problems = source_policy(change.after) if differs else (old, ())
    notes = ["policy.yaml of the base has mistakes: what it allows cannot be judged by it"] if wrong else []
    was = source_policy(sides.start)[0] if differs else old
    if was != old and not wrong:
        notes.append("policy.yaml differs in the base, too, since the change parted from it: rebase to see both")
    waivers, _ = source_waivers(sides.base, now)
    mistakes, waived = [*problems], tuple[WaiverChange, ...]()
    warnings = policy_warnings(change.after, new) if differs and not problems else ()
    if inside(change.before.root, WAIVERS) in change.paths:
        brought, faults = source_waivers(change.after, now)
        mistakes += faults
        warnings += waiver_warnings(change.after, brought, now)
        start = source_waivers(sides.start, now)[0]
        waivers = waivers.without(start, brought)
        waived = tuple(_waived(start, brought))
        if any(one.what == "added" for one in waived):
            notes.append("waivers that this change brings do not count for it: they are merged first")
    merged = old if problems else new
    judged = merged if wrong else old
    return Judgement(
        grounds=Grounds(policy=judged, merged=merged, now=now),
        waivers=waivers,
        files=(sides.base.policy(), change.after.policy() if differs else sides.base.policy()),
        policy=_policy_review(was, merged) if differs else None,
        waived=waived,
        mistakes=tuple(mistakes),
        warnings=warnings,
        notes=tuple(notes),
    )


def _waived(before: Waivers, after: Waivers) -> Iterator[WaiverChange]:
    old, new = set(before), set(after)
    for what, found in (("added", new - old), ("removed", old - new)):
        for one in sorted(found, key=lambda one: (one.about, one.until)):
            yield WaiverChange(
                what="added" if what == "added" else "removed", about=one.about, until=one.until, reason=one.reason
            )


def _policy_review(old: Policy, new: Policy) -> PolicyReview:
    return PolicyReview(changes=policy_changes(old, new), touched=(), all_cached=old.cache != new.cache)


def meanwhile(directory: Path, sides: Sides, folders: frozenset[str]) -> Iterator[str]:
    """Tenants that the base changed as well since the change parted from it: nobody has seen the two together."""
    start, base = sides.start.commit.id, sides.base.commit.id
    if start == base:
        return
    if sides.change is not None:
        yield "the change could not be merged here (it conflicts, or git is before 2.38): compared with where it parted"
    paths = (row[4] for row in differing(Git(directory=directory), start, base))
    both = sorted({one.decode("utf-8", "replace") for path in paths for one in parents(path)} & folders)
    if both:
        some = "differs" if len(both) == 1 else "differ"
        yield (
            f"{named(both)} {some} in the base, too, since the change parted from it: what the two make together is "
            "not reviewed; rebase to see it"
        )
