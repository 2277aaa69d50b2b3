"""Waivers in time and against the key sets: those that end too far ahead, have ended, or name what is not there.

Only the first is a mistake: it is one until a moment comes. The others come by waiting, or by what tenants take away.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime

from publisher.diagnostic import Finding, Rule, quote
from publisher.rules.windows import instant
from publisher.waiver import Waiver, Waivers, longest
from publisher.waiverfile import TOO_BROAD

EXPIRED = Rule(
    id="waiver-expired",
    doc="A warning: the waiver has ended, and waives nothing. The hazard blocks again where it comes again.",
)
UNUSED = Rule(
    id="waiver-unused",
    doc="A warning: the waiver names a tenant, a kid or a domain that the files do not have (any more). That is as it "
    "has to be where it lets just that go; after that publish it is of no use, and if it is misspelt, of none before.",
)
WARNINGS = (EXPIRED, UNUSED)


@dataclass(frozen=True, slots=True, kw_only=True)
class Names:
    """What the files of a tenant have: all kids, revoked ones too, and all domains, the canonical one too."""

    kids: frozenset[str]
    domains: frozenset[str]


def check(waivers: Waivers, file: str, now: datetime) -> Iterator[Finding]:
    """Findings on ends that are too far ahead. Such a waiver is not used before its end is near enough."""
    for one in waivers:
        if one.is_too_long(now):
            most = longest(one.rule)
            message = f"it would hold for more than {most.days} days"
            yield _finding(TOO_BROAD, file, one, "until", message, f"write {instant(now + most)} or sooner")


def warn(waivers: Waivers, file: str, now: datetime) -> Iterator[Finding]:
    """Warnings of waivers that have ended."""
    for one in waivers:
        if one.until <= now:
            message = f"it ended at {instant(one.until)}, and waives nothing"
            yield _finding(EXPIRED, file, one, "until", message, "remove it")


def warn_unused(waivers: Waivers, file: str, now: datetime, tenants: Mapping[str, Names | None]) -> Iterator[Finding]:
    """Warnings of waivers for what the files do not have. `tenants` are all that waivers name and files have.

    Of those whose files have mistakes nothing is known: None.
    """
    for one in waivers:
        if one.tenant is None or one.until <= now:
            continue
        names, tenant = tenants.get(one.tenant), quote(one.tenant)
        if one.tenant not in tenants:
            yield _finding(UNUSED, file, one, "tenant", f"there is no tenant {tenant}", _HINT)
        elif names is not None and one.kid is not None and one.kid not in names.kids:
            yield _finding(UNUSED, file, one, "kid", f"{tenant} has no key with the kid {quote(one.kid)}", _HINT)
        elif names is not None and one.domain is not None and one.domain not in names.domains:
            yield _finding(UNUSED, file, one, "domain", f"{tenant} has no domain {quote(one.domain)}", _HINT)


_HINT = "remove it when what it lets go is published, or correct it"


def _finding(rule: Rule, file: str, one: Waiver, field: str, message: str, hint: str) -> Finding:
    return Finding(rule=rule, file=file, where=("waivers", one.position, field), message=message, hint=hint)
