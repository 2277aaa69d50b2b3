"""Dangers of a plan. Each has a stable id, and is waived by that id alone (see `waiver`); none stops other domains.

A hazard is an invariant of what is served over time, seen in the step from what is live to what is wanted. Mistakes in
the files are rules (`rules/`), and cannot be waived. The hazards of one domain's step are here; those of a plan as a
whole (its commit, its clock, its size) are in `refusals`.
"""

from collections.abc import Iterable, Iterator, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TypeAlias

from publisher.conditions import Conditions
from publisher.consumer import Consumer, Fault, entries, faults
from publisher.consumers import named
from publisher.diagnostic import Rule, ticked
from publisher.hazardrules import (
    CHANGES_TENANT,
    CONSUMER_LIMIT,
    DROPS_ACTIVE,
    DROPS_RETIRING,
    EMPTY_SET,
    FOREIGN_OBJECT,
    KID_REUSED,
    REVOKED_RETURNS,
    SIGNS_EARLY,
    STALE_WRITE,
)
from publisher.keyset import ALWAYS, Window
from publisher.record import KeyRecord, TenantRecord, write_instant
from publisher.shard import Claim
from publisher.state import Drift, Live
from publisher.tokens import alive_until
from publisher.waiver import Waiver, Waivers, line
from publisher.wanted import KeyFact, Wanted


@dataclass(frozen=True, slots=True, kw_only=True)
class Hazard:
    """A danger to one domain, or (`domain` is None) to the whole publish. A waived one does not stop the change.

    `kid` is of the key that it concerns, if it is one. `waiver`: the one of waivers.yaml that waived it. `firm`: none
    helps.
    """

    rule: Rule
    domain: str | None
    tenant: str | None
    kid: str | None
    message: str
    hint: str
    waived: bool
    waiver: Waiver | None = None
    firm: bool = False

    def line(self, until: datetime, reason: str) -> str | None:
        """The line of waivers.yaml that waives it (see `waiver.line`); None where none can."""
        return None if self.firm else line(self.rule.id, self.tenant, self.kid, self.domain, until, reason)


_Danger: TypeAlias = tuple[Rule, str | None, str, str, bool | None]
"""Rule, kid, message, hint, and whether it passes without a waiver; None where none helps."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One domain's step. `wanted` is None where it is withdrawn, `record` where the tenant is new."""

    domain: str
    tenant: str
    before: Live | None
    drift: Drift
    wanted: Wanted | None
    record: TenantRecord | None
    claim: Claim | None
    conditions: Conditions
    copies: datetime
    """Until when copies of what is live can be used under former, longer cache terms."""
    kept: Mapping[str, datetime] = field(default_factory=dict)
    """By thumbprint, until when keys are to stay past their windows (see `memory`)."""
    named: frozenset[str] = frozenset()
    """Thumbprints of all keys of the tenant's files."""


def hazards(step: Step, now: datetime, allowed: frozenset[str], waivers: Waivers) -> Iterator[Hazard]:
    """The dangers of replacing what a domain serves by what it is to serve. `allowed` are waived by hand."""
    tenant, domain = step.tenant, step.domain
    for rule, kid, message, hint, passes in _dangers(step, now):
        waiver = None if passes is not False else waivers.covering(rule.id, tenant, kid, domain, now)
        waived = passes is not None and (passes or waiver is not None or rule.id in allowed)
        ended = None if waived or passes is None else waivers.ended(rule.id, tenant, kid, domain, now)
        yield Hazard(
            rule=rule,
            domain=domain,
            tenant=tenant,
            kid=kid,
            message=message,
            hint=hint if ended is None else f"{hint}; its waiver ended at {write_instant(ended.until)}",
            waived=waived,
            waiver=waiver,
            firm=passes is None,
        )


def _dangers(step: Step, now: datetime) -> Iterator[_Danger]:
    if step.drift == "foreign":
        message = "the live document was not written by jwks-publisher, or was changed since"
        hint = "find out who wrote it; then `adopt` or remove it; to overwrite it, --allow foreign-object"
        yield FOREIGN_OBJECT, None, message, hint, False
    rival = None if step.claim is None or step.claim.tenant == step.tenant or step.wanted is None else step.claim
    # What another tenant serves there is as the state says, though not as this tenant's record does.
    theirs = rival is not None and rival.free_from is None
    if step.drift == "stale" and step.before is not None and not theirs:
        message = f"release {step.before.release} wrote the live document, later than the state knows"
        yield STALE_WRITE, None, message, "it is repaired", True
    if rival is not None:
        free = rival.free_from
        when = "has it" if free is None else f"gave it up; it may be claimed from {write_instant(free)} on"
        hint = "remove it there first" if free is None else "wait, or allow it where the two tenants are one"
        message, passes = f"the tenant {ticked(rival.tenant)} {when}", None if free is None else free <= now
        yield CHANGES_TENANT, None, message, hint, passes
    if step.before is not None:
        yield from _emptied(step, step.before)
        yield from _limited(step, step.before)
    yield from _dropped(step, now)
    if step.before is not None:
        yield from _early(step, step.before, now)
    yield from _returned(step)


def _emptied(step: Step, before: Live) -> Iterator[_Danger]:
    wanted = step.wanted
    if wanted is None or wanted.keys or before.body == wanted.body:
        return
    served = before.thumbprints()
    if not served:
        return
    ended = [wanted.ended[kid] for kid, thumbprint in served.items() if wanted.ended.get(kid, ("",))[0] == thumbprint]
    revoked = len(ended) == len(served) and any(at == "revoked" for _, at in ended)
    message = f"it serves {len(served)} {'key' if len(served) == 1 else 'keys'}, and would serve none"
    hint = "add a key that is published now"
    hint = f"a revocation passes; {hint}" if revoked else f"{hint}, or --allow empty-set"
    yield EMPTY_SET, None, message, hint, revoked


def _limited(step: Step, before: Live) -> Iterator[_Danger]:
    """Verifiers that cannot take so long a document, and could take the one that is live."""
    names = named(step.conditions.consumers)
    if not names or step.wanted is None or before.body == step.wanted.body:
        return
    over = {one.consumer: one.text for one in _too_long(step.wanted.body, names)}
    known = {one.consumer for one in _too_long(before.body, names)} if over else set()
    for name, text in over.items():
        if name not in known:
            hint = "it is published when keys that are over have left; or let keys end earlier"
            yield CONSUMER_LIMIT, None, f"{name} {text}", hint, False


def _too_long(body: bytes, consumers: Iterable[Consumer]) -> list[Fault]:
    try:
        found = entries(body)
    except ValueError:
        return []
    return [one for one in faults(found, len(body), consumers) if one.what in ("keys", "bytes")]


def _dropped(step: Step, now: datetime) -> Iterator[_Danger]:
    """Keys that leave while they sign, or while their tokens live, by the windows that were published.

    A new domain does not begin while the files lack a key that signs for all of the tenant's.
    """
    wanted, record = step.wanted, step.record
    if record is None:
        return
    kept = set() if wanted is None else {(key.kid, key.thumbprint) for key in wanted.keys}
    ended = {} if wanted is None else wanted.ended
    for kid, thumbprint in _relied_on(step, record).items():
        key = record.key(thumbprint)
        if (kid, thumbprint) in kept or key is None or key.revoked or ended.get(kid) == (thumbprint, "revoked"):
            continue
        window, name = key.window, f"the key {ticked(kid)}"
        over, stays = now >= window.publish_until, step.kept.get(thumbprint, key.kept)
        if now < window.signs_from or (over and stays is None):
            continue  # it signs nothing yet, or leaves by its own window, as that was published
        if now < window.signs_until and not over:
            yield DROPS_ACTIVE, kid, f"{name} signs {_end(window)}, and would be gone", _HINT_ACTIVE, False
            continue
        holds = step.conditions
        alive = alive_until(record.tokens, holds.token_lifetime, window.signs_until, holds.skew)
        alive = alive if stays is None else max(alive, stays)
        if now < alive:
            message = f"{name} ended at {write_instant(window.signs_until)}, and its tokens live on"
            yield DROPS_RETIRING, kid, message, f"keep it published until {write_instant(alive)}", False


def _relied_on(step: Step, record: TenantRecord) -> Mapping[str, str]:
    """Thumbprints by kid: what the domain serves, or, where it serves nothing yet, what the others do."""
    known = record.domain(step.domain) is not None
    if step.before is not None:
        # What no complete release served, nobody was told to rely on.
        return step.before.thumbprints() if known else {}
    if known or (wanted := step.wanted) is None:
        return {}
    return {
        key.kid: key.thumbprint
        for key in record.keys
        if key.thumbprint not in step.named
        and not (key.limited or (wanted.canonical and key.origin == "custom"))
        and _is_published(key)
    }


def _early(step: Step, before: Live, now: datetime) -> Iterator[_Danger]:
    """Keys that come into a document which verifiers have copies of, and sign before those have run out."""
    wanted, record, served = step.wanted, step.record, before.thumbprints()
    if wanted is None or record is None or record.domain(step.domain) is None:
        return
    there = set(served.values())
    for key in wanted.keys:
        known = record.key(key.thumbprint)
        public = _is_published(known)
        safe = max(now + step.conditions.spread, step.copies + step.conditions.uptake)
        if key.thumbprint in there or key.signs_from >= safe or (public and step.drift in ("stale", "foreign")):
            continue  # what is repaired had it
        if not served and not public:
            continue  # better than none
        if key.origin == "custom" and key.signs_from == key.publish_from and not public:
            continue  # whoever has it was not told when to sign, and can see in `show` from when it is safe
        start = "at once" if key.signs_from <= now else f"from {write_instant(key.signs_from)} on"
        message = f"the key {ticked(key.kid)} signs {start}, and not every verifier has it before {write_instant(safe)}"
        hint = f"let signs.from be {write_instant(safe)} or later"
        followed = key.origin == "generated" and step.conditions.followed
        passes = followed or _is_late(key, known, step, safe - now) or _is_replacement(key, wanted, record, there)
        # It signs for other domains, and goes on: to keep it out of this one would only have more tokens refused.
        passes = passes or public
        yield SIGNS_EARLY, key.kid, message, hint, passes


def _is_late(key: KeyFact, known: KeyRecord | None, step: Step, needed: timedelta) -> bool:
    """Whether the publish is late, and the key announced in time."""
    if known is not None:  # noted before it was to be published, and no earlier signing than then
        return known.window.signs_from <= key.signs_from
    # Whoever saw the files then: of generated keys, the issuer waits for the feed.
    if key.origin != "generated" or key.publish_from == ALWAYS:
        return False
    return key.signs_from - key.publish_from >= max(step.conditions.least_lead, needed)


def _is_replacement(key: KeyFact, wanted: Wanted, record: TenantRecord, there: AbstractSet[str]) -> bool:
    """Whether it takes the place of a revoked key, where none of its kind goes on signing."""
    revoked = (record.key(name) for name, at in wanted.ended.values() if at == "revoked")
    left = (one for one in wanted.keys if one.origin == key.origin and one.thumbprint in there)
    return any(one is not None and one.origin == key.origin for one in revoked) and not any(
        one.phase == "active" for one in left
    )


def _is_published(key: KeyRecord | None) -> bool:
    return key is not None and key.first > 0 and not key.away


_HINT_ACTIVE = (
    "end its signing first (signs.until) and keep it published, or revoke it; where the domain goes, see that nothing "
    "uses it any more, then --allow drops-active-key or waivers.yaml"
)


def _end(window: Window) -> str:
    until = write_instant(window.signs_until)
    return "without end" if until is None else f"until {until}"


def _returned(step: Step) -> Iterator[_Danger]:
    """Kids with other keys, and revoked keys, by the ledger of all that the tenant ever published."""
    if step.wanted is None or step.record is None:
        return
    ledger: dict[str, list[KeyRecord]] = {}
    for known in step.record.keys:
        ledger.setdefault(known.kid, []).append(known)
    revoked = {known.identity for known in step.record.keys if known.revoked}
    for key in step.wanted.keys:
        others = [one for one in ledger.get(key.kid, ()) if one.first and one.thumbprint != key.thumbprint]
        if others:
            message = f"the kid {ticked(key.kid)} was published for another key"
            yield KID_REUSED, key.kid, message, "give the new key a kid of its own", False
        if key.identity in revoked:
            message = f"the key {ticked(key.kid)} was revoked"
            yield REVOKED_RETURNS, key.kid, message, "make a new key; keep the revoked entry as it is", False
