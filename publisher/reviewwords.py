"""The sentences of a review, which every format shows in its own way. Pure.

A sentence is a row of parts: words of this program, values of strangers, and messages. No format can take the one for
the other, so what it escapes is not left to whoever writes a sentence.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import TypeAlias

from publisher.breakage import Break
from publisher.diagnostic import Diagnostic, clean, ticked
from publisher.documentchange import Difference, Peak
from publisher.policychange import PolicyChange
from publisher.report import counted, domain_name
from publisher.review import Danger, Refusal, Review, Setting, Side, TenantReview, Touched, WaiverChange
from publisher.rules.windows import instant


@dataclass(frozen=True, slots=True)
class Value:
    """A stranger's text, to be shown as it is: a name, a kid, a path, a reason."""

    text: str


@dataclass(frozen=True, slots=True)
class Said:
    """A message: words of this program with strangers' values in backquotes, whose ends nobody vouches for."""

    text: str


Sentence: TypeAlias = tuple[str | Value | Said, ...]

SIGNS = {"added": "+", "unrevoked": "+", "removed": "-", "revoked": "-", "changed": "~"}
"""What a key change is, as one sign."""
# Without signs: a `~` before a number refers to a label at GitLab.
_COUNTED = (("+", "+"), ("-", "-"), ("~", "changes "))


def listed(names: Iterable[str], most: int) -> Sentence:
    """`a, b and 3 more`; at most so many, and never "1 more" where the one would do."""
    found = list(names)
    shown = found if len(found) <= most + 1 else found[:most]
    parts: list[str | Value | Said] = []
    for name in shown:
        parts += [", ", Value(name)] if parts else [Value(name)]
    left = len(found) - len(shown)
    return (*parts, f" and {left} more") if left else tuple(parts)


def places(domains: Iterable[str], most: int) -> Sentence:
    """Domains, international ones with their U-labels."""
    return listed((domain_name(one) for one in domains), most) or ("no domain",)


def when(start: datetime, now: datetime) -> str:
    """From when on something holds."""
    return "from the next publish on" if start <= now else f"from {instant(start)} on"


def side(one: Side) -> Sentence:
    """A side's label, and its commit where that is not the label."""
    if one.commit is None or one.label.startswith(one.commit[:12]):
        return (Value(one.label),)
    return (Value(one.label), " (", Value(one.commit[:12]), ")")


def origin(review: Review) -> Sentence:
    """What is compared, as of when, and what hazards go by."""
    store: Sentence = ("hazards as if the base were published",)
    if review.store is not None:
        store = ("hazards by what is published at ", Value(review.store))
    sides: Sentence = ("What ", *side(review.head), " does to ", *side(review.base))
    return (*sides, f", as of {instant(review.now)}; ", *store, ".")


def title(tenant: TenantReview) -> Sentence:
    """What becomes of a tenant, and how much of it."""
    keys = {sign: sum(SIGNS[one.what] == sign for one in tenant.keys) for sign in "+-~"}
    parts = ["new tenant"] if tenant.before is None else ["tenant removed"] if tenant.after is None else []
    parts += [f"{word}{counted(keys[sign], 'key')}" for sign, word in _COUNTED if keys[sign]]
    blocking = sum(not one.waived for one in tenant.dangers)
    counts = (
        (blocking, "hazard"),
        (sum(bool(one.why) for one in tenant.dangers), "waived hazard"),
        (len(tenant.mistakes), "mistake"),
        (sum(one.named for one in tenant.breaks), "broken verifier"),
        (len(tenant.settings), "setting"),
        (len(tenant.warnings), "warning"),
    )
    parts += [counted(number, noun) for number, noun in counts if number]
    return (Value(tenant.tenant), ": ", ", ".join(parts) or ("other documents" if tenant.documents else "other text"))


def folder(tenant: TenantReview) -> Sentence:
    """Where the tenant's files are, and were."""
    match tenant.before, tenant.after:
        case None, None:
            return ()
        case None, str(after):
            return ("New folder ", Value(after), ".")
        case str(before), None:
            return ("Removed folder ", Value(before), ".")
        case before, after if before != after:
            return ("Folder ", Value(str(before)), " becomes ", Value(str(after)), ".")
        case _, after:
            return ("Folder ", Value(str(after)), ".")


def danger(one: Danger) -> Sentence:
    """A hazard: where it is, and what it is."""
    parts: list[str | Value | Said] = [Value(one.rule)]
    kid = None if one.kid is None or ticked(one.kid) in one.message else one.kid
    for word, name in ((" for ", one.tenant), (" at ", one.domain), (", kid ", kid)):
        parts += [] if name is None else [word, Value(domain_name(name) if word == " at " else name)]
    return (*parts, ": ", Said(one.message))


def remedy(one: Danger) -> Sentence:
    """What to do about it, or why it stops nothing."""
    if one.waived:
        return ("Waived: ", Said(one.why)) if one.why else ("It stops nothing: ", Said(one.hint))
    return ("To do: ", Said(one.hint), "" if one.waiver is not None else ". No waiver allows it.")


def broken(one: Break, now: datetime, most: int) -> Sentence:
    """What a verifier can no longer do."""
    at = (" at ", *places(one.domains, most))
    return (Value(one.consumer), " ", Said(one.text), *at, f", {when(one.start, now)}")


def mistake(one: Diagnostic) -> Sentence:
    """A mistake at its place, and what to write instead."""
    place = f"{one.path}:{one.line}:{one.column}"
    return (Value(place), " ", Value(one.rule), ": ", Said(one.message), "; ", Said(one.hint))


def refusal(one: Refusal) -> Sentence:
    """What the change may not do."""
    return (Value(one.subject), " ", Value(one.rule), ": ", Said(one.message), "; ", Said(one.hint))


def setting(one: Setting) -> Sentence:
    """A setting before and after."""
    return (Value(one.name), ": ", Value(one.before), " -> ", Value(one.after))


def policy_change(one: PolicyChange) -> Sentence:
    """A setting of the policy before and after; where it is weaker, why."""
    change: Sentence = (Value(one.field), ": ", Value(one.before), " -> ", Value(one.after))
    return (*change, ": weaker, as ", Said(one.why)) if one.weaker else change


def touched(one: Touched) -> Sentence:
    """How the new policy touches a tenant whose files stay."""
    parts = ["its documents change"] if one.documents else []
    parts += [counted(len(one.mistakes), "new mistake")] if one.mistakes else []
    found: list[str | Value | Said] = [Value(one.tenant), ": ", ", ".join(parts)]
    for at, time in enumerate(one.times):
        found += ["; " if parts or at else "", *setting(time)]
    return tuple(found)


def waivers(dangers: Iterable[Danger]) -> tuple[str, ...]:
    """The lines of waivers.yaml that would allow those that nobody waived, where one can.

    What is no item of a list is made a comment: at a line's start, viewers of logs and comments obey some texts.
    """
    found = (clean(one.waiver) for one in dangers if one.waiver is not None and not one.waived)
    return tuple(one if one.startswith(("- ", "  - ")) else f"# {one}" for one in dict.fromkeys(found))


def waiver_change(one: WaiverChange) -> Sentence:
    """A waiver that comes or goes: what it accepts, until when, and why."""
    return (f"{one.what} ", Value(one.about), f", until {instant(one.until)}: ", Value(one.reason))


def differing(one: Difference, now: datetime, most: int) -> Sentence:
    """From when until when which keys come into a document, leave it, or move to another phase."""
    parts: list[str | Value | Said] = []
    for word, keys in (("in ", one.keys_in), ("out ", one.keys_out)):
        parts += ["; " if parts else "", word, *listed((it.kid for it in keys), most)] if keys else []
    for move in one.moved:
        parts += ["; " if parts else "", Value(move.kid), f" {move.before} -> {move.after}"]
    end = "" if one.end is None else f" until {instant(one.end)}"
    none = ("; no key of it signs then",) if one.unsigned else ()
    return (f"{when(one.start, now)}{end}: ", *(parts or ["the same keys in another order or form"]), *none)


def peak(before: Peak, after: Peak) -> str:
    """Key count and size at the most, before and after."""
    return f"{before.keys:,} -> {counted(after.keys, 'key')}, {before.bytes:,} -> {after.bytes:,} bytes"
