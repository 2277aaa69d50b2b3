"""Times that policy.yaml, its plans and the tenants set for rotation: within what is safe and what is allowed."""

from collections.abc import Iterator
from datetime import datetime, timedelta

from publisher.conditions import conditions
from publisher.diagnostic import Finding, Rule, Where
from publisher.keyset import KeySet
from publisher.policy import Policy, Rotation

LEAD_FLOOR = Rule(
    id="lead-under-caches",
    doc="A lead is no shorter than the cache terms and an hour, nor than the publish interval, the cache terms, the "
    "refresh of the slowest verifier in `consumers` and the clock skew together: with less, a key signs that is not "
    "everywhere (a CDN kept an old set while the signing key rotated: Logto, January 2026).",
)
SHORT_LEAD = Rule(
    id="lead-under-a-day",
    doc="A warning: a lead under 24 hours leaves little time to notice that publishes fail, and verifiers that "
    "`consumers` does not name keep a set for a day (Confluent Cloud, Microsoft's guidance).",
)
BOUNDS = Rule(
    id="rotation-bounds",
    doc="Plans and tenants keep to the platform's bounds: `every` at most `at_most` and longer than the lead, a lead "
    "no shorter than the next level's up, a token lifetime no longer than that, an allowed algorithm.",
)
RULES = (LEAD_FLOOR, BOUNDS)
WARNINGS = (SHORT_LEAD,)
_DAY = timedelta(days=1)


def check_policy(policy: Policy, file: str) -> Iterator[Finding]:
    """Findings on policy.yaml and its plans. What a plan only has from the policy is told of the policy alone."""
    told: set[str] = set()
    for where, plan in _levels(policy):
        stated = Rotation() if policy.plans is None or not plan else policy.plans[plan].rotation
        for rule, path, message, hint in _policy_faults(policy, plan):
            inherited = path[0] == "rotation" and getattr(stated, path[1]) is None
            if not plan or not inherited or message + hint not in told:
                yield _finding(rule, file, (*where, *path), message, hint)
            if not plan:
                told.add(message + hint)


def _policy_faults(policy: Policy, plan: str) -> Iterator[tuple[Rule, tuple[str, ...], str, str]]:
    holds, asked = conditions(policy, plan), policy.rotation_of(plan)
    if asked.lead is not None and asked.lead < holds.least_lead:
        message = f"the lead of {text(asked.lead)} is under the caches, verifiers and clocks that it has to outlast"
        yield LEAD_FLOOR, ("rotation", "lead"), message, f"write {text(holds.least_lead)} or more"
    elif asked.lead is not None and asked.lead < policy.lead:
        message = f"the lead of {text(asked.lead)} is under the policy's {text(policy.lead)}"
        yield BOUNDS, ("rotation", "lead"), message, "a plan may only lengthen it"
    for path, message, hint in _outside(Rotation(every=asked.every, alg=asked.alg), policy, holds.lead):
        yield BOUNDS, ("rotation", *path), message, hint
    lifetime = policy.token_lifetime_of(plan)
    if lifetime > policy.token_lifetime:
        message = f"the token lifetime of {text(lifetime)} is over the policy's {text(policy.token_lifetime)}"
        yield BOUNDS, ("token_lifetime",), message, "shorten it, or raise the policy's"


def warn_policy(policy: Policy, file: str) -> Iterator[Finding]:
    """Warnings on policy.yaml and its plans."""
    for where, plan in _levels(policy):
        lead = policy.rotation_of(plan).lead
        if lead is not None and lead < _DAY and (not plan or lead != policy.lead):
            yield _finding(
                SHORT_LEAD,
                file,
                (*where, "rotation", "lead"),
                f"the lead of {text(lead)} is short",
                "48h is the default",
            )


def check(keyset: KeySet, policy: Policy, now: datetime) -> Iterator[Finding]:
    """Findings on what a tenant asks for."""
    own, plan = keyset.rotation, policy.rotation_of(keyset.plan)
    if own.lead is not None and plan.lead is not None and own.lead < plan.lead:
        message = f"the lead of {text(own.lead)} is under the plan's {text(plan.lead)}"
        yield keyset.finding(BOUNDS, message, "a tenant may only lengthen it", "rotation", "lead")
    for path, message, hint in _outside(own, policy, conditions(policy, keyset.plan, keyset).lead):
        yield keyset.finding(BOUNDS, message, hint, "rotation", *path)
    most = policy.token_lifetime_of(keyset.plan)
    if keyset.token_lifetime is not None and keyset.token_lifetime > most:
        message = f"the token lifetime of {text(keyset.token_lifetime)} is over the plan's {text(most)}"
        yield keyset.finding(BOUNDS, message, "shorten it, or choose another plan", "token_lifetime")


def text(time: timedelta) -> str:
    """A duration as the files write it: `48h`, `71m`."""
    seconds = int(time.total_seconds())
    units = ((86_400, "d"), (3600, "h"), (60, "m"), (1, "s"))
    long = seconds >= 14 * 86_400
    size, unit = next((size, unit) for size, unit in units if seconds % size == 0 and (long or size < 86_400))
    return f"{seconds // size}{unit}" if seconds else "0s"


def _levels(policy: Policy) -> Iterator[tuple[Where, str]]:
    yield (), ""
    yield from ((("plans", name), name) for name in policy.plans or ())


def _outside(asked: Rotation, policy: Policy, lead: timedelta) -> Iterator[tuple[tuple[str, ...], str, str]]:
    if asked.every is not None and asked.every > policy.rotate_at_most:
        most = text(policy.rotate_at_most)
        yield ("every",), f"rotation every {text(asked.every)} is over the policy's {most}", "rotate more often"
    if asked.every is not None and asked.every <= lead:
        yield (
            ("every",),
            f"rotation every {text(asked.every)} leaves no time for the lead of {text(lead)}",
            "write more",
        )
    if asked.alg is not None and asked.alg not in policy.algorithms:
        yield ("alg",), "new keys would have an algorithm that the policy does not allow", "name one of `algorithms`"


def _finding(rule: Rule, file: str, where: Where, message: str, hint: str) -> Finding:
    return Finding(rule=rule, file=file, where=where, message=message, hint=hint)
