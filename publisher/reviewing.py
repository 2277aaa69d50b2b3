"""Put a review together from what was read, compared, foreseen and objected to."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from publisher.diagnostic import Diagnostic
from publisher.examining import Examined, Grounds, compare
from publisher.hazards import Hazard
from publisher.objection import Objection
from publisher.plan import Plan
from publisher.review import Danger, PolicyReview, Refusal, Review, Side, ordered
from publisher.source import POLICY, WAIVERS, inside
from publisher.waiver import Waiver

_FOR = timedelta(days=7)
"""How long a proposed waiver holds: as long as any of them may."""
_REASON = "say why"
_PLATFORM = frozenset({WAIVERS, "allowed_signers", "allowed_signers.asc"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Matter:
    """All that a review is made of.

    `paths` are all that differ in the repository, `root` is the key sets' folder. `mistakes` are no one tenant's.
    `plan` is what a publish would do with the changed tenants; None where it is not foreseen.
    """

    base: Side
    head: Side
    store: str | None
    paths: tuple[str, ...]
    root: str
    grounds: Grounds
    examined: tuple[Examined, ...]
    plan: Plan | None
    policy: PolicyReview | None = None
    mistakes: tuple[Diagnostic, ...] = ()
    warnings: tuple[Diagnostic, ...] = ()
    objections: tuple[Objection, ...] = ()
    notes: tuple[str, ...] = ()
    folders: frozenset[str] = field(default_factory=frozenset)
    """Tenants' folders of both sides."""


def review(matter: Matter) -> Review:
    """The review."""
    now = matter.grounds.now
    by_tenant, general = _dangers(matter.plan, now)
    made = (compare(examined, matter.grounds) for examined in matter.examined)
    within = [path for path in matter.paths if path.startswith(inside(matter.root, "")) or matter.root == "."]
    theirs = {path for path in within if any(path.startswith(f"{folder}/") for folder in _above(path, matter.folders))}
    platform = {inside(matter.root, name) for name in (*_PLATFORM, POLICY)}
    return Review(
        base=matter.base,
        head=matter.head,
        now=now,
        store=matter.store,
        tenants=ordered(replace(one, dangers=by_tenant.get(one.tenant, ())) for one in made),
        policy=matter.policy,
        platform=tuple(path for path in within if path in platform),
        others=tuple(path for path in matter.paths if path not in theirs and path not in platform),
        mistakes=matter.mistakes,
        warnings=matter.warnings,
        refusals=tuple(
            Refusal(rule=one.rule.id, subject=one.about, message=one.message, hint=one.hint)
            for one in matter.objections
        ),
        dangers=general,
        notes=matter.notes,
    )


def _above(path: str, folders: frozenset[str]) -> list[str]:
    parts = path.split("/")
    return [folder for cut in range(1, len(parts)) if (folder := "/".join(parts[:cut])) in folders]


def _dangers(plan: Plan | None, now: datetime) -> tuple[dict[str, tuple[Danger, ...]], tuple[Danger, ...]]:
    """The hazards of tenants by their names, and those of the publish as a whole."""
    if plan is None:
        return {}, ()
    found: dict[str, list[Danger]] = {}
    for change in plan.changes:
        for hazard in change.hazards:
            if (danger := _danger(hazard, now)) is not None:
                found.setdefault(change.tenant, []).append(danger)
    general = (one for hazard in plan.hazards if (one := _danger(hazard, now)) is not None)
    return {name: tuple(some) for name, some in found.items()}, tuple(general)


def _danger(hazard: Hazard, now: datetime) -> Danger | None:
    """The hazard for people; None for one that passes by itself, or by hand."""
    if hazard.waived and hazard.waiver is None:
        return None
    until = (now + _FOR).replace(microsecond=0)
    return Danger(
        rule=hazard.rule.id,
        tenant=hazard.tenant,
        domain=hazard.domain,
        kid=hazard.kid,
        message=hazard.message,
        hint=hazard.hint,
        waived=hazard.waived,
        why="" if hazard.waiver is None else _why(hazard.waiver),
        waiver=None if hazard.waived else hazard.line(until, _REASON),
    )


def _why(waiver: Waiver) -> str:
    return f"waived until {waiver.until:%Y-%m-%dT%H:%M:%SZ}: {waiver.reason}"


def sides_of(findings: Mapping[str, Iterable[Diagnostic]]) -> Mapping[str, tuple[Diagnostic, ...]]:
    """Mistakes by folder, sorted, each once."""
    return {folder: tuple(sorted(set(some))) for folder, some in findings.items()}
