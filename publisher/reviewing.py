"""Put a review together from what was read, compared, foreseen and objected to."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime

from publisher.allowedsigners import OPENPGP, SSH
from publisher.diagnostic import Diagnostic
from publisher.examining import Examined, Grounds, blamed, compare
from publisher.foresight import Foreseen
from publisher.hazardrules import EMPTY_SET
from publisher.hazards import Hazard
from publisher.objection import Objection
from publisher.plan import Plan
from publisher.report import named
from publisher.review import Danger, PolicyReview, Refusal, Review, Side, WaiverChange, ordered
from publisher.source import POLICY, WAIVERS, inside
from publisher.waiver import LONGEST_WHOLE, Waiver

_FOR = LONGEST_WHOLE
"""How long a proposed waiver holds: as long as any of them may."""
_REASON = "say why"
_BY_HAND = re.compile(r"--allow [a-z-]+(?: or waivers\.yaml)?")
"""What hints say of a publish: nobody allows by hand what is not merged yet."""

_PLATFORM = frozenset({WAIVERS, SSH, OPENPGP})


@dataclass(frozen=True, slots=True, kw_only=True)
class Matter:
    """All that a review is made of.

    `paths` are all that differ in the repository, `root` is the key sets' folder. `mistakes` are no one tenant's.
    `foreseen` is what a publish would do with the changed tenants.
    """

    base: Side
    head: Side
    store: str | None
    paths: tuple[str, ...]
    root: str
    grounds: Grounds
    examined: tuple[Examined, ...]
    foreseen: Foreseen | None
    policy: PolicyReview | None = None
    waived: tuple[WaiverChange, ...] = ()
    mistakes: tuple[Diagnostic, ...] = ()
    warnings: tuple[Diagnostic, ...] = ()
    objections: tuple[Objection, ...] = ()
    notes: tuple[str, ...] = ()
    folders: frozenset[str] = field(default_factory=frozenset)
    """Tenants' folders of both sides."""

    @property
    def plan(self) -> Plan | None:
        """The plan that is foreseen."""
        return None if self.foreseen is None else self.foreseen.plan


def review(matter: Matter) -> Review:
    """The review."""
    now = matter.grounds.now
    by_tenant, general = _dangers(matter, now)
    copies = None if matter.foreseen is None else matter.foreseen.copies
    made = (compare(one, matter.grounds, copies) for one in blamed(matter.examined, _foreseen(matter)))
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
        waivers=matter.waived,
        platform=tuple(path for path in within if path in platform),
        others=tuple(path for path in matter.paths if path not in theirs and path not in platform),
        mistakes=matter.mistakes,
        warnings=matter.warnings,
        refusals=tuple(
            Refusal(rule=one.rule.id, subject=one.about, message=one.message, hint=one.hint)
            for one in matter.objections
        ),
        dangers=general,
        notes=(*matter.notes, *_kept_back(matter.plan)),
    )


def _foreseen(matter: Matter) -> dict[str, list[Diagnostic]]:
    """By folder, the mistakes that the published state shows: keys that another tenant had, say.

    Where no file has any: with those, the plan may blame the other one of two tenants.
    """
    folders = {one.pair.after.path for one in matter.examined if one.pair.after is not None}
    found: dict[str, list[Diagnostic]] = {}
    if matter.plan is None or any(one.mistakes for one in matter.examined):
        return found
    for one in matter.plan.mistakes:
        if (folder := one.path.rpartition("/")[0]) in folders:
            found.setdefault(folder, []).append(one)
    return found


def _kept_back(plan: Plan | None) -> Iterator[str]:
    """What a publish will not do, for other reasons than the change."""
    if plan is not None and plan.held_back:
        yield f"a hold keeps back what the change does, until `publish --lift-hold`: {named(plan.held_back)}"
    if plan is not None and plan.unreadable:
        names = named([domain for domain, _ in plan.unreadable])
        yield f"live documents that cannot be read, so that their hazards are not known: {names}"


def _above(path: str, folders: frozenset[str]) -> list[str]:
    parts = path.split("/")
    return [folder for cut in range(1, len(parts)) if (folder := "/".join(parts[:cut])) in folders]


def _dangers(matter: Matter, now: datetime) -> tuple[dict[str, tuple[Danger, ...]], tuple[Danger, ...]]:
    """The hazards of tenants by their names, and those of the publish as a whole."""
    plan = matter.plan
    if plan is None:
        return {}, ()
    found: dict[str, list[Danger]] = {}
    refused = {one.about for one in matter.objections}
    for change in plan.changes:
        for hazard in change.hazards:
            if (danger := _danger(hazard, now)) is not None:
                # No waiver helps where the change may not be made at all.
                danger = replace(danger, waiver=None) if change.domain in refused else danger
                found.setdefault(change.tenant, []).append(danger)
    general = (one for hazard in plan.hazards if (one := _danger(hazard, now)) is not None)
    return {name: tuple(some) for name, some in found.items()}, tuple(general)


def _danger(hazard: Hazard, now: datetime) -> Danger | None:
    """The hazard for people; None for one that passes by itself, or by hand, and leaves something to verify with."""
    if hazard.waived and hazard.waiver is None and hazard.rule != EMPTY_SET:
        return None
    until = (now + _FOR).replace(microsecond=0)
    return Danger(
        rule=hazard.rule.id,
        tenant=hazard.tenant,
        domain=hazard.domain,
        kid=hazard.kid,
        message=hazard.message,
        hint=_BY_HAND.sub("waive it", hazard.hint),
        waived=hazard.waived,
        why="" if hazard.waiver is None else _why(hazard.waiver),
        waiver=None if hazard.waived else hazard.line(until, _REASON),
    )


def _why(waiver: Waiver) -> str:
    return f"waived until {waiver.until:%Y-%m-%dT%H:%M:%SZ}: {waiver.reason}"
