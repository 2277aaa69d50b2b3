"""What named verifiers can do with every document that will be served, by the limits in `publisher.consumers`."""

from collections.abc import Iterator
from datetime import datetime

from publisher.compile import Compiled, Document, DomainTimeline
from publisher.consumer import Consumer, Entry, Fault, What, faults
from publisher.consumers import CONSUMERS, named
from publisher.diagnostic import Finding, Rule, quote
from publisher.jwk import RsaJwk, kind
from publisher.keyset import Key, KeySet
from publisher.policy import Policy
from publisher.policyfile import CONSUMER_NAME, unknown_consumer
from publisher.rules.limits import since

KEYS = Rule(
    id="consumer-keys",
    doc="No document, now or later, holds more keys than a verifier that `consumers` names takes: it would refuse the "
    "document, or never see the keys after its last one (AWS ALB and OCI API Gateway take 10; spire#4699).",
)
BYTES = Rule(
    id="consumer-bytes",
    doc="No document, now or later, is longer than a verifier that `consumers` names reads: it would refuse it all "
    "(Nimbus reads 51,200 bytes).",
)
ALGORITHM = Rule(
    id="consumer-algorithm",
    doc="Every verifier that `consumers` names knows the algorithm and the kind of every key that is or will be "
    "published: it would refuse all tokens of one that it does not know (AWS ALB knows RS256 alone).",
)
WHOLE_SET = Rule(
    id="consumer-whole-set",
    doc="No key, now or later, makes a verifier that `consumers` names refuse the whole document: the tokens of all "
    "other keys would be refused with its own (go-jose fails at the first curve that it does not know).",
)
ORDER = Rule(
    id="consumer-order",
    doc="No key, now or later, stands before one that a verifier which `consumers` names then never comes to: "
    "python-jose tries the keys in turn, and fails at one of another type than the token's.",
)
RULES = (KEYS, BYTES, ALGORITHM, WHOLE_SET, ORDER)

_RULES: dict[What, Rule] = {
    "keys": KEYS,
    "bytes": BYTES,
    "algorithm": ALGORITHM,
    "whole-set": WHOLE_SET,
    "order": ORDER,
}


def check_names(keyset: KeySet, policy: Policy, now: datetime) -> Iterator[Finding]:
    """Findings on the verifiers that the tenant's own file names."""
    for name in sorted(keyset.consumers - CONSUMERS.keys()):
        yield keyset.finding(CONSUMER_NAME, *unknown_consumer(name), "consumers", name)


def check(compiled: Compiled, policy: Policy, now: datetime) -> Iterator[Finding]:
    """Findings on every document that is in force at `now` or later, each fault where and when it first shows."""
    keyset = compiled.keyset
    consumers = named(policy.consumers_of(keyset.plan, keyset.consumers))
    if not consumers:
        return
    made = {id(key): _entry(key) for key in keyset.keys if key.revoked is None}
    # What is said of no document with all keys at once is said of none with some of them, in whatever order.
    size = max((len(one.body) for timeline in compiled.domains for one in timeline.documents), default=0)
    consumers = tuple(one for one in consumers if any(faults(tuple(made.values()), size, [one])))
    if not consumers:
        return
    told: set[tuple[str, What, str]] = set()
    seen: dict[int, list[tuple[Document, Fault]]] = {}
    for index, timeline in enumerate(compiled.domains):
        shared = id(timeline.documents)  # domains with the same keys share their documents
        if shared not in seen:
            seen[shared] = list(_faults(timeline, consumers, made, now))
        for document, fault in seen[shared]:
            key = None if fault.index is None else document.keys[fault.index].key
            mark = (fault.consumer, fault.what, timeline.domain if key is None else key.kid)
            if mark not in told:
                told.add(mark)
                yield _finding(compiled, index, document, fault, key)


def _faults(
    timeline: DomainTimeline, consumers: tuple[Consumer, ...], made: dict[int, Entry], now: datetime
) -> Iterator[tuple[Document, Fault]]:
    current = timeline.at(now)
    for document in timeline.documents:
        if document.start >= current.start:
            held = [made[id(one.key)] for one in document.keys]
            yield from ((document, fault) for fault in faults(held, len(document.body), consumers))


def _finding(compiled: Compiled, index: int, document: Document, fault: Fault, key: Key | None) -> Finding:
    timeline = compiled.domains[index]
    message = f"`{fault.consumer}` {fault.text} (in {quote(timeline.domain)} {since(document)})"
    rule, hint = _RULES[fault.what], _hint(CONSUMERS[fault.consumer], fault.what)
    if key is None:
        path: tuple[str | int, ...] = ("tenant",) if timeline.canonical else ("domains", index)
        return compiled.keyset.finding(rule, message, hint, *path)
    return key.finding(rule, message, hint, *(key.alg_at if fault.what == "algorithm" else ()))


def _hint(consumer: Consumer, what: What) -> str:
    match what:
        case "keys":
            return "withdraw keys earlier, or limit them to domains"
        case "bytes":
            return "publish fewer or smaller keys, or no x5c"
        case "whole-set":
            return "give the tenant a key of another kind"
        case "order":
            return "publish keys of one type alone in this domain: limit the others to domains of their own"
        case "algorithm":
            known = ", ".join(sorted(consumer.algorithms or ()))
            return f"sign with one of {known}" if known else "sign with a key of another kind"


def _entry(key: Key) -> Entry:
    bits = key.jwk.modulus.bit_length() if isinstance(key.jwk, RsaJwk) else 0
    return Entry(kid=key.kid, alg=key.alg, kind=kind(key.jwk), bits=bits)
