"""A review as a value: what a change does to the keys of each tenant, over time, and whether it may be merged.

How one comes to be is in `reviewing`; what people and programs read of it in `reviewtext`, `reviewmarkdown`,
`reviewhtml` and `reviewjson`.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, TypeAlias

from publisher.breakage import Break
from publisher.diagnostic import Diagnostic, worst_first
from publisher.documentchange import DocumentChange
from publisher.keychange import KeyChange, Mints
from publisher.policychange import PolicyChange

Verdict: TypeAlias = Literal["refused", "blocked", "fine"]
"""`refused`: mistakes, or changes that whoever made them may not make. `blocked`: a publish would meet hazards that
nobody waived, and keep what it has."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Side:
    """One of the two that are compared. `commit` is its id; None for the working tree."""

    label: str
    commit: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Danger:
    """A hazard that a publish would meet. `waiver` is the line of waivers.yaml that would allow it; None: none can.

    `waived`: it stops nothing; `why` says by what waiver, and is empty where it needs none.
    """

    rule: str
    tenant: str | None
    domain: str | None
    kid: str | None
    message: str
    hint: str
    waived: bool
    why: str = ""
    waiver: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """What the change may not do, whatever it does to keys. `subject` is a path, a domain, a tenant or a commit."""

    rule: str
    subject: str
    message: str
    hint: str


@dataclass(frozen=True, slots=True, kw_only=True)
class WaiverChange:
    """A waiver of waivers.yaml that comes or goes. `about` is what it accepts, `reason` why: both a stranger's text."""

    what: Literal["added", "removed"]
    about: str
    until: datetime
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """A field of keyset.yaml or generated.yaml that is no key and no domain, as text: `plan`, `consumers`, ..."""

    name: str
    before: str
    after: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TenantReview:
    """One tenant's folder before and after; None where it is not there.

    `read`: both sides have no mistake, so that their documents could be compared. `mistakes` and `warnings` are those
    of the changed side.
    """

    tenant: str
    before: str | None
    after: str | None
    read: bool = True
    settings: tuple[Setting, ...] = ()
    keys: tuple[KeyChange, ...] = ()
    documents: tuple[DocumentChange, ...] = ()
    breaks: tuple[Break, ...] = ()
    dangers: tuple[Danger, ...] = ()
    mistakes: tuple[Diagnostic, ...] = ()
    warnings: tuple[Diagnostic, ...] = ()

    @property
    def moved(self) -> bool:
        """Whether its folder is another one, and so perhaps who reviews it."""
        return None not in (self.before, self.after) and self.before != self.after

    @property
    def gains(self) -> tuple[tuple[KeyChange, Mints], ...]:
        """Who may mint tokens that could not before."""
        return tuple((key, one) for key in self.keys for one in key.gains)

    @property
    def losses(self) -> tuple[tuple[KeyChange, Mints], ...]:
        """Keys whose tokens will be refused that would not have been."""
        return tuple((key, one) for key in self.keys for one in key.loses)

    @property
    def rank(self) -> int:
        """How much it wants to be looked at: 0 the most."""
        if self.mistakes or not all(one.waived for one in self.dangers):
            return 0
        if self.dangers or any(one.named for one in self.breaks) or self.before is None or self.after is None:
            return 1
        return 2 if self.gains or self.losses else 3 if self.warnings or self.documents else 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Touched:
    """A tenant whose files stay, and that a new policy touches: in its documents, its mistakes, its times, its cache.

    `mistakes` are those that the new policy finds and the old one did not.
    """

    tenant: str
    documents: bool
    times: tuple[Setting, ...]
    mistakes: tuple[Diagnostic, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class PolicyReview:
    """What changes in policy.yaml, and the tenants beside the changed ones that it touches.

    `all_cached`: every live document gets other cache terms.
    """

    changes: tuple[PolicyChange, ...]
    touched: tuple[Touched, ...]
    all_cached: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Review:
    """A change from `base` to `head` as of `now`, its tenants in the order of `rank`, then by name.

    `store` is what the hazards were foreseen with; None where the base counts as published, or no tenant changes.
    `platform` are changed files of the platform among the key sets, `others` all other changed paths that are in no
    tenant's folder. `mistakes` are those that are no one tenant's, `dangers` those of a publish as a whole. `notes` say
    what could not be judged.
    """

    base: Side
    head: Side
    now: datetime
    store: str | None
    tenants: tuple[TenantReview, ...]
    policy: PolicyReview | None = None
    waivers: tuple[WaiverChange, ...] = ()
    platform: tuple[str, ...] = ()
    others: tuple[str, ...] = ()
    mistakes: tuple[Diagnostic, ...] = ()
    warnings: tuple[Diagnostic, ...] = ()
    refusals: tuple[Refusal, ...] = ()
    dangers: tuple[Danger, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def all_mistakes(self) -> tuple[Diagnostic, ...]:
        """Those of tenants as well, each once: exposed secrets first, then by place."""
        touched = () if self.policy is None else self.policy.touched
        theirs = [one for tenant in self.tenants for one in tenant.mistakes]
        theirs += [one for tenant in touched for one in tenant.mistakes]
        return tuple(worst_first(sorted({*self.mistakes, *theirs})))

    @property
    def all_dangers(self) -> tuple[Danger, ...]:
        """Those of tenants as well."""
        return (*self.dangers, *(one for tenant in self.tenants for one in tenant.dangers))

    @property
    def verdict(self) -> Verdict:
        """Whether the change may be merged as it is."""
        if self.all_mistakes or self.refusals:
            return "refused"
        return "fine" if all(one.waived for one in self.all_dangers) else "blocked"

    @property
    def is_empty(self) -> bool:
        """Whether nothing that is reviewed here differs."""
        return not (self.tenants or self.policy or self.platform or self.refusals or self.mistakes)


def ordered(tenants: Iterable[TenantReview]) -> tuple[TenantReview, ...]:
    """Those that want to be looked at first, first."""
    return tuple(sorted(tenants, key=lambda one: (one.rank, one.tenant, one.after or "", one.before or "")))
