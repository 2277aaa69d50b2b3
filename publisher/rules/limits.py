"""How many keys and bytes: of the tenant's plan, and of every document that will ever be served."""

from collections.abc import Iterator
from datetime import datetime

from publisher.compile import Compiled, Document, DomainTimeline
from publisher.diagnostic import Finding, Rule, quote
from publisher.fields import suggest
from publisher.keyset import ALWAYS, KeySet
from publisher.policy import Policy
from publisher.render import key_bytes
from publisher.rules.windows import instant

PLAN = Rule(id="plan-unknown", doc="`plan` names an entry of the policy's `plans`, which bounds the custom keys.")
CUSTOM_KEYS = Rule(
    id="too-many-custom-keys",
    doc="A tenant has at most as many custom keys as its plan and the policy allow, revoked and past ones not counted "
    "(Auth0 takes ten).",
)
KEYS = Rule(
    id="document-keys",
    doc="No document, now or later, holds more keys than the policy allows: AWS ALB takes 10, Cloudflare 16.",
)
BYTES = Rule(
    id="document-bytes",
    doc="No document, now or later, is longer than the policy allows: Nimbus reads 51,200 bytes.",
)
MAX_TIMELINE = 64 * 1024 * 1024
TIMELINE = Rule(
    id="timeline-size",
    doc=f"All documents of a tenant over all time together stay under {MAX_TIMELINE:,} bytes, reckoned from above: "
    "they are made and checked before a merge, and one tenant with very many keys, windows and domains must not take "
    "the memory of all.",
)
RULES = (PLAN, CUSTOM_KEYS, KEYS, BYTES, TIMELINE)


def check(keyset: KeySet, policy: Policy, now: datetime) -> Iterator[Finding]:
    """Findings on the number of keys."""
    size = _most_bytes(keyset)
    if size > MAX_TIMELINE:
        message = f"the documents of this tenant over all time could take {size:,} bytes"
        yield keyset.finding(
            TIMELINE, message, "remove past keys and x5c, and limit fewer keys to single domains", "domains"
        )
    if policy.plans is None:
        return
    plan = policy.plans.get(keyset.plan)
    if plan is None:
        if keyset.plan:
            message = f"{quote(keyset.plan)} is not a plan of policy.yaml"
            yield keyset.finding(PLAN, message, suggest(keyset.plan, policy.plans), "plan")
        return
    allowed = min(plan.custom_keys, policy.max_custom_keys)
    over = [
        key for key in keyset.keys if key.origin == "custom" and key.revoked is None and key.window.publish_until > now
    ]
    if len(over) > allowed:
        message = f"{len(over)} custom keys are more than the plan `{keyset.plan}` takes ({allowed})"
        yield keyset.finding(CUSTOM_KEYS, message, "remove keys, or choose another plan", "custom_keys")


def _most_bytes(keyset: KeySet) -> int:
    """A bound of the bytes of all documents: each key changes them four times at most, and each domain may differ."""
    keys = [key for key in keyset.keys if key.revoked is None]
    differing = len(keyset.domains) + 1 if any(key.domains is not None for key in keys) else 2
    return differing * (4 * len(keys) + 1) * sum(len(key_bytes(key)) for key in keys)


def check_documents(compiled: Compiled, policy: Policy) -> Iterator[Finding]:
    """Findings on the documents of every domain, each at the first instant that shows it."""
    for index, timeline in enumerate(compiled.domains):
        path: tuple[str | int, ...] = ("tenant",) if timeline.canonical else ("domains", index)
        for rule, message, hint in _faults(timeline, policy):
            yield compiled.keyset.finding(rule, message, hint, *path)


def _faults(timeline: DomainTimeline, policy: Policy) -> Iterator[tuple[Rule, str, str]]:
    documents = timeline.documents
    if max(len(one.keys) for one in documents) > policy.max_keys:
        one = next(one for one in documents if len(one.keys) > policy.max_keys)
        message = f"{quote(timeline.domain)} holds {len(one.keys)} keys {since(one)}"
        yield KEYS, message, f"the policy takes {policy.max_keys}: withdraw keys earlier, or limit them to domains"
    if max(len(one.body) for one in documents) > policy.max_document_bytes:
        one = next(one for one in documents if len(one.body) > policy.max_document_bytes)
        message = f"{quote(timeline.domain)} has a document of {len(one.body)} bytes {since(one)}"
        yield BYTES, message, f"the policy takes {policy.max_document_bytes}: fewer or smaller keys, no x5c"


def since(one: Document) -> str:
    """From when a document is served, for a message."""
    return "from the start" if one.start == ALWAYS else f"from {instant(one.start)} on"
