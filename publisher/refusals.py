"""Dangers of a whole publish: its commit, its clock, its size. They stop all of it, each waived by its id alone."""

from collections.abc import Iterator, Mapping
from datetime import datetime
from types import MappingProxyType

from publisher.diagnostic import Rule, clean
from publisher.hazardrules import STEP_HAZARDS
from publisher.hazards import Hazard
from publisher.policy import Policy
from publisher.record import write_instant
from publisher.releaselog import Tip
from publisher.source import Revision
from publisher.waiver import Waiver, Waivers

NOT_A_DESCENDANT = Rule(
    id="not-a-descendant",
    doc="The commit does not descend from the one that was released last: an older commit would overtake a newer one, "
    "or a rewritten history the reviewed one. Publish a commit that holds the released one, or use `rollback`.",
)
CLOCK_BEHIND = Rule(
    id="clock-behind",
    doc="This machine's clock is behind the last release, or behind the store's clock, by more than the policy's "
    "clock_skew: documents of the past would be published, with keys that have ended.",
)
CLOCK_AHEAD = Rule(
    id="clock-ahead",
    doc="This machine's clock is ahead of the store's by more than the policy's clock_skew: keys would be dropped and "
    "announced before their time.",
)
TOO_MANY_CHANGES = Rule(
    id="too-many-changes",
    doc="Edited files or a new policy take keys or documents away from more domains at once than the policy's "
    "limits.removals. What a key's own window or a revocation takes away does not count.",
)
PLAN_HAZARDS = (NOT_A_DESCENDANT, CLOCK_BEHIND, CLOCK_AHEAD, TOO_MANY_CHANGES)
HAZARDS: Mapping[str, Rule] = MappingProxyType({rule.id: rule for rule in (*STEP_HAZARDS, *PLAN_HAZARDS)})
"""Every hazard, by its id."""


def lineage(tip: Tip, revision: Revision, allowed: frozenset[str]) -> Iterator[Hazard]:
    """Whether the commit descends from the last release's, complete or not. SourceError where the clone cannot tell."""
    latest = tip.latest
    if latest is None or latest.commit.id == revision.commit.id or NOT_A_DESCENDANT.id in allowed:
        return
    if not revision.contains(latest.commit.id):
        older = f"release {latest.sequence} is commit {latest.commit.id[:12]} ({clean(latest.commit.subject)[:60]})"
        message = f"commit {revision.commit.id[:12]} does not descend from what was published: {older}"
        yield _hazard(NOT_A_DESCENDANT, message, "publish a commit that holds it; to go back, use `rollback`", allowed)


def behind_log(tip: Tip, now: datetime, policy: Policy, allowed: frozenset[str]) -> Iterator[Hazard]:
    """Whether the clock is behind the last release."""
    latest = tip.latest
    if latest is not None and now + policy.clock_skew < latest.as_of:
        message = f"the time is {write_instant(now)}, and release {latest.sequence} is of {write_instant(latest.as_of)}"
        yield _hazard(CLOCK_BEHIND, message, "set this machine's clock", allowed)


def off_store(theirs: datetime, now: datetime, policy: Policy, allowed: frozenset[str]) -> Iterator[Hazard]:
    """Whether the clock is away from the store's."""
    if abs(theirs - now) <= policy.clock_skew:
        return
    rule = CLOCK_AHEAD if now > theirs else CLOCK_BEHIND
    message = f"the time here is {write_instant(now)}, and the store's {write_instant(theirs.replace(microsecond=0))}"
    yield _hazard(rule, message, "set this machine's clock", allowed)


def too_many(
    removals: int, policy: Policy, allowed: frozenset[str], waivers: Waivers, now: datetime
) -> Iterator[Hazard]:
    """Whether files take keys or documents away from too many domains."""
    if removals > policy.max_removals:
        message = (
            f"{removals} domains would lose keys or their document; the policy takes {policy.max_removals} at once"
        )
        hint = "look at the plan; if it is meant, --allow too-many-changes or waivers.yaml, or raise limits.removals"
        waiver = waivers.covering(TOO_MANY_CHANGES.id, None, None, None, now)
        yield _hazard(TOO_MANY_CHANGES, message, hint, allowed, waiver)


def _hazard(rule: Rule, message: str, hint: str, allowed: frozenset[str], waiver: Waiver | None = None) -> Hazard:
    waived = waiver is not None or rule.id in allowed
    return Hazard(
        rule=rule, domain=None, tenant=None, kid=None, message=message, hint=hint, waived=waived, waiver=waiver
    )
