"""Waivers of hazards: what the platform accepts by name, for one tenant's key or domain, with a reason and an end.

Values, what they cover, and the line that grants one. How waivers.yaml is read is in `waiverfile`. What each hazard is
stands in `hazards` and `refusals`; here is how it may be waived in a file, by its id.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from types import MappingProxyType
from typing import Final, Literal, TypeAlias

from publisher.yamlfile import Plain
from publisher.yamltext import flow

LONGEST: Final = timedelta(days=90)
"""How far ahead a waiver may end: the default time between rotations, after which its key has a successor anyway."""
LONGEST_WHOLE: Final = timedelta(days=7)
"""The same of one that concerns a whole publish: nobody can say so long ahead what it will let through."""

Scope: TypeAlias = Literal["key or domain", "domain", "publish", "hand", "none"]
"""What a waiver of a hazard names: a kid or a domain of a tenant, a domain, or nothing (a whole publish).
`hand`: no file waives it, only --allow. `none`: it needs no waiver."""

SCOPES: Final[Mapping[str, Scope]] = MappingProxyType(
    {
        "empty-set": "domain",
        "foreign-object": "domain",
        "stale-write": "none",
        "drops-active-key": "key or domain",
        "drops-retiring-key": "key or domain",
        "kid-reused": "key or domain",
        # A standing waiver would undo the key's next revocation, too, which may have been made by the store alone.
        "revoked-key-returns": "hand",
        "domain-changes-tenant": "domain",
        "signs-before-published": "key or domain",
        "consumer-limit": "domain",
        # What is wrong with a commit's descent or a clock is known when it happens, and not before.
        "not-a-descendant": "hand",
        "clock-behind": "hand",
        "clock-ahead": "hand",
        "too-many-changes": "publish",
    }
)
"""Of every hazard, by id."""

_Target: TypeAlias = tuple[str, str | None, str | None, str | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiver:
    """A hazard that is accepted until an instant, not included. All three of what it concerns are None for a publish.

    `position`: in the file's list.
    """

    rule: str
    tenant: str | None
    kid: str | None
    domain: str | None
    until: datetime
    reason: str
    position: int = field(default=0, compare=False)

    @property
    def target(self) -> _Target:
        """What it accepts, and for what."""
        return self.rule, self.tenant, self.kid, self.domain

    @property
    def about(self) -> str:
        """`drops-active-key of acme, kid acme-2026`: raw text of the file, to be escaped for where it is shown."""
        whom = "" if self.tenant is None else f" of {self.tenant}"
        kid = "" if self.kid is None else f", kid {self.kid}"
        return f"{self.rule}{whom}{kid}{'' if self.domain is None else f', domain {self.domain}'}"

    def holds(self, now: datetime) -> bool:
        """Whether it has not ended, and does not end too far ahead."""
        return now < self.until and not self.is_too_long(now)

    def is_too_long(self, now: datetime) -> bool:
        """Whether it ends further ahead than a waiver may."""
        return self.until - now > longest(self.rule)


@dataclass(frozen=True, slots=True, kw_only=True)
class Waivers:
    """The waivers of a revision, by what they accept; none by default."""

    by_target: Mapping[_Target, Waiver] = field(default_factory=dict)

    def __iter__(self) -> Iterator[Waiver]:
        return iter(self.by_target.values())

    def without(self, before: "Waivers", after: "Waivers") -> "Waivers":
        """These, less what a change from `before` to `after` takes out or ends sooner."""
        left: dict[_Target, Waiver] = {}
        for target, one in self.by_target.items():
            will = after.by_target.get(target)
            if will is not None and target in before.by_target and will.until < one.until:
                left[target] = will
            elif will is not None or target not in before.by_target:
                left[target] = one
        return Waivers(by_target=left)

    def covering(
        self, rule_id: str, tenant: str | None, kid: str | None, domain: str | None, now: datetime
    ) -> Waiver | None:
        """The waiver that accepts this hazard at `now`. `kid` is None where it concerns no single key."""
        return next((one for one in self._of(rule_id, tenant, kid, domain) if one.holds(now)), None)

    def ended(
        self, rule_id: str, tenant: str | None, kid: str | None, domain: str | None, now: datetime
    ) -> Waiver | None:
        """The waiver that accepted it until it ended."""
        return next((one for one in self._of(rule_id, tenant, kid, domain) if one.until <= now), None)

    def _of(self, rule_id: str, tenant: str | None, kid: str | None, domain: str | None) -> Iterator[Waiver]:
        for target in dict.fromkeys([(rule_id, tenant, kid, None), (rule_id, tenant, None, domain)]):
            named = self.by_target.get(target)
            if named is not None and _names(SCOPES.get(rule_id), named):
                yield named


def waivers(found: Iterable[Waiver]) -> Waivers:
    """These waivers; of two for the same the first."""
    by_target: dict[_Target, Waiver] = {}
    for one in found:
        by_target.setdefault(one.target, one)
    return Waivers(by_target=by_target)


def longest(rule_id: str) -> timedelta:
    """How far ahead a waiver of a hazard may end."""
    return LONGEST_WHOLE if SCOPES.get(rule_id) == "publish" else LONGEST


def line(
    rule_id: str, tenant: str | None, kid: str | None, domain: str | None, until: datetime, reason: str
) -> str | None:
    """The line under `waivers:` in waivers.yaml that accepts a hazard: by its kid where that may be, else its domain.

    None where no file can. `until` counts in whole seconds; `reason` has 1 to 500 characters.
    """
    fields: dict[str, str] = {"rule": rule_id}
    scope = SCOPES.get(rule_id)
    by_kid = kid is not None and not is_wild(kid) and scope == "key or domain"
    if scope == "publish":
        pass
    elif tenant is None or (not by_kid and (domain is None or scope not in ("domain", "key or domain"))):
        return None
    else:
        fields["tenant"] = tenant
        fields |= {"kid": kid} if by_kid and kid is not None else {"domain": domain or ""}
    fields |= {"until": Plain(f"{until.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"), "reason": reason}
    return f"  - {flow(fields)}"


def is_wild(name: str) -> bool:
    """Whether a kid was meant for every one: a kid may hold a `*`, but not be one."""
    return not name.strip("*")


def how(rule_id: str) -> str:
    """How a hazard is waived, in a sentence for people."""
    by_hand = f"Waived by hand with --allow {rule_id}"
    match SCOPES[rule_id]:
        case "none":
            return "It needs no waiver."
        case "hand":
            return f"{by_hand} alone, when it happens."
        case "publish":
            return f"{by_hand}, or in waivers.yaml for at most {LONGEST_WHOLE.days} days."
        case scope:
            name = "domain" if scope == "domain" else "kid or domain"
            return f"{by_hand}, or in waivers.yaml by tenant and {name} for at most {LONGEST.days} days."


def _names(scope: Scope | None, waiver: Waiver) -> bool:
    """Whether a waiver names what one of its hazard has to."""
    named = (waiver.tenant is not None, waiver.kid is not None, waiver.domain is not None)
    match scope:
        case "publish":
            return named == (False, False, False)
        case "domain":
            return named == (True, False, True)
        case "key or domain":
            return named in ((True, True, False), (True, False, True))
        case _:
            return False
