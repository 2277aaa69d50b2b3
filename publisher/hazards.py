"""Dangers of a plan. Each has a stable id, and is waived by that id alone; none stops other domains.

A hazard is an invariant of what is served over time, seen in the step from what is live to what is wanted. Mistakes in
the files are rules (`rules/`), and cannot be waived.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from publisher.diagnostic import Rule
from publisher.state import Live
from publisher.wanted import Wanted

EMPTY_SET = Rule(
    id="empty-set",
    doc="A domain that serves keys would serve none: every token of it would be refused everywhere (zitadel#7714). "
    "A revocation passes: a compromised key is worse than none.",
)
FOREIGN_OBJECT = Rule(
    id="foreign-object",
    doc="The live document is not one that this program wrote, or was changed since: something else publishes there, "
    "or somebody edited it by hand. Waiving it overwrites what is there.",
)
HAZARDS: Mapping[str, Rule] = MappingProxyType({rule.id: rule for rule in (EMPTY_SET, FOREIGN_OBJECT)})


@dataclass(frozen=True, slots=True, kw_only=True)
class Hazard:
    """A danger to one domain. A waived one is shown and does not stop the change."""

    rule: Rule
    domain: str
    message: str
    hint: str
    waived: bool


def hazards(before: Live | None, after: Wanted, allowed: frozenset[str]) -> Iterator[Hazard]:
    """The dangers of replacing what a domain serves by what it is to serve."""
    if before is None:
        return
    if not before.ours:
        yield Hazard(
            rule=FOREIGN_OBJECT,
            domain=after.domain,
            message="the live document was not written by jwks-publisher, or was changed since",
            hint="find out who wrote it; then remove it, or overwrite it with --allow foreign-object",
            waived=FOREIGN_OBJECT.id in allowed,
        )
    if not after.keys and before.body != after.body:
        served = before.thumbprints()
        ended = [after.ended[kid] for kid, thumbprint in served.items() if after.ended.get(kid, ("",))[0] == thumbprint]
        revoked = len(ended) == len(served) and any(at == "revoked" for _, at in ended)
        hint = "add a key that is published now"
        yield Hazard(
            rule=EMPTY_SET,
            domain=after.domain,
            message=f"it serves {len(served)} {'key' if len(served) == 1 else 'keys'}, and would serve none",
            hint=f"a revocation passes; {hint}"
            if revoked
            else f"{hint}, or publish the empty set with --allow empty-set",
            waived=revoked or EMPTY_SET.id in allowed,
        )
