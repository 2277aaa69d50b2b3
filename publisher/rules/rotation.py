"""Rotation over all of the timeline: lead before signing, retention after it, and always a key that signs.

Every instant that is still to come is judged when the files are checked, so that nothing has to be found out when it
is due. What is past already is left alone: it can be changed no more.
"""

from collections.abc import Iterator
from datetime import datetime
from itertools import pairwise

from publisher.compile import Compiled, Document, DomainTimeline
from publisher.conditions import Conditions
from publisher.diagnostic import Finding, Rule, quote
from publisher.keyset import ALWAYS, NEVER, Key, KeySet
from publisher.rules.windows import instant

LEAD = Rule(
    id="lead-too-short",
    doc="A key is published for the lead before it signs, so that every verifier has it by then (ccoctl, Nomad#23577, "
    "toolhive#6464, hydra#3408 signed before that). The first document of a domain needs none: nobody has an older "
    "copy. Nor does a key that takes the place of a revoked one, where no other signs.",
)
RETENTION = Rule(
    id="retention-too-short",
    doc="A key stays published for the longest token lifetime and the clock skew after it signed last: its tokens are "
    "valid for so long (OpenID Connect Core 10.1.1).",
)
EMPTY = Rule(
    id="document-empty",
    doc="No document that holds keys comes to hold none by the windows of its keys: every token would be refused "
    "(zitadel#7714).",
)
NO_ACTIVE = Rule(
    id="no-active-key",
    doc="A domain whose keys sign has one that signs at every later instant; so have the generated keys by themselves.",
)
RULES = (LEAD, RETENTION, EMPTY, NO_ACTIVE)


def check(keyset: KeySet, conditions: Conditions, now: datetime) -> Iterator[Finding]:
    """Findings on the retention of each key."""
    for key in keyset.keys:
        window = key.window
        if window.publish_until == NEVER or window.publish_until <= now or key.revoked is not None:
            continue
        if window.signs_from >= window.signs_until:  # it never signs
            continue
        least = _plus(window.signs_until, conditions)
        if window.publish_until < least and window.signs_until <= window.publish_until:
            stated = window.signs_until < window.publish_until
            latest = instant(window.publish_until - conditions.retention)
            message = (
                f"tokens that it signs until {instant(window.signs_until)} can be alive when it is gone"
                if stated
                else "it signs until it is gone, and its last tokens live on"
            )
            hint = f"let publish.until be {instant(least)} or later, or signs.until {latest} or earlier"
            if not stated:  # a later publish.until alone would let it sign for longer
                end = instant(window.publish_until)
                hint = (
                    f"write signs.until {latest} or earlier; or signs.until {end} with publish.until {instant(least)}"
                )
            yield key.finding(RETENTION, message, hint, "publish", "until")


def check_documents(compiled: Compiled, conditions: Conditions, now: datetime) -> Iterator[Finding]:
    """Findings on the documents to come, each once, at the key that makes it."""
    told: set[tuple[str, int, datetime]] = set()
    for timeline in compiled.domains:
        for key, rule, at, message, hint, *path in _faults(timeline, compiled.keyset, conditions, now):
            if (rule.id, id(key), at) not in told:
                told.add((rule.id, id(key), at))
                yield key.finding(rule, message, hint, *path)


def _faults(
    timeline: DomainTimeline, keyset: KeySet, conditions: Conditions, now: datetime
) -> Iterator[tuple[Key, Rule, datetime, str, str, str, str]]:
    documents = timeline.documents
    if documents[-1].start <= now:
        return  # nothing is to come
    first = next((one for one in documents if one.keys), None)
    founders = set() if first is None else {id(one.key) for one in first.keys}
    told: set[int] = set()
    for before, after in pairwise(documents):
        if after.start <= now:
            continue
        for one in after.keys:
            key = one.key
            window = key.window
            if (
                window.signs_from != after.start
                or id(key) in founders | told
                or window.signs_from >= window.signs_until
            ):
                continue
            told.add(id(key))
            least = window.publish_from + conditions.lead if window.publish_from != ALWAYS else ALWAYS
            if window.signs_from < least and not _replaces(key, before, keyset):
                message = (
                    f"it signs from {instant(window.signs_from)} on, published since {instant(window.publish_from)}"
                )
                hint = f"signs.from must be {instant(least)} or later"
                yield key, LEAD, after.start, message, hint, "signs", "from"
        yield from _ends(timeline.domain, before, after)


def _ends(domain: str, before: Document, after: Document) -> Iterator[tuple[Key, Rule, datetime, str, str, str, str]]:
    when, name = instant(after.start), quote(domain)
    if before.keys and not after.keys:
        key = before.keys[0].key
        hint = "publish another key by then, or keep this one longer"
        yield key, EMPTY, after.start, f"{name} has no key from {when} on", hint, "publish", "until"
    hint = "let another key sign from then on, or this one for longer"
    for what, origins in (("key", ("custom", "generated")), ("generated key", ("generated",))):
        ended = [one.key for one in before.keys if one.phase == "active" and one.key.origin in origins]
        if ended and not any(one.phase == "active" and one.key.origin in origins for one in after.keys):
            message = f"no {what} of {name} signs from {when} on"
            yield ended[0], NO_ACTIVE, after.start, message, hint, "signs", "until"
            return


def _replaces(key: Key, before: Document, keyset: KeySet) -> bool:
    """Whether a key takes the place of a revoked one: none of its kind signs up to the instant at which it begins."""
    signing = any(one.phase == "active" and one.key.origin == key.origin for one in before.keys)
    return not signing and any(one.revoked is not None and one.origin == key.origin for one in keyset.keys)


def _plus(until: datetime, conditions: Conditions) -> datetime:
    return NEVER if until > NEVER - conditions.retention else until + conditions.retention
