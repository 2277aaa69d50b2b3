"""How many keys and bytes: of the tenant's plan, and of every document that will ever be served."""

from collections.abc import Iterator
from datetime import datetime

from publisher.compile import Compiled, Document, DomainTimeline
from publisher.diagnostic import Finding, Rule, quote
from publisher.fields import suggest
from publisher.keyset import ALWAYS, KeySet
from publisher.policy import Policy
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
RULES = (PLAN, CUSTOM_KEYS, KEYS, BYTES)


def check(keyset: KeySet, policy: Policy, now: datetime) -> Iterator[Finding]:
    """Findings on the number of custom keys."""
    allowed = policy.plans.get(keyset.plan)
    if allowed is None:
        if keyset.plan:
            message = f"{quote(keyset.plan)} is not a plan of policy.yaml"
            yield keyset.finding(PLAN, message, suggest(keyset.plan, policy.plans), "plan")
        return
    allowed = min(allowed, policy.max_custom_keys)
    over = [
        key for key in keyset.keys if key.origin == "custom" and key.revoked is None and key.window.publish_until > now
    ]
    if len(over) > allowed:
        message = f"{len(over)} custom keys are more than the plan `{keyset.plan}` takes ({allowed})"
        yield keyset.finding(CUSTOM_KEYS, message, "remove keys, or choose another plan", "custom_keys")


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
        message = f"{quote(timeline.domain)} holds {len(one.keys)} keys {_from(one)}"
        yield KEYS, message, f"the policy takes {policy.max_keys}: withdraw keys earlier, or limit them to domains"
    if max(len(one.body) for one in documents) > policy.max_document_bytes:
        one = next(one for one in documents if len(one.body) > policy.max_document_bytes)
        message = f"{quote(timeline.domain)} has a document of {len(one.body)} bytes {_from(one)}"
        yield BYTES, message, f"the policy takes {policy.max_document_bytes}: fewer or smaller keys, no x5c"


def _from(one: Document) -> str:
    return "at all times" if one.start == ALWAYS else f"from {instant(one.start)} on"
