"""Windows: the four instants of a key, its revocation, and its certificate's validity."""

from collections.abc import Iterator
from datetime import datetime

from publisher.diagnostic import Finding, Rule
from publisher.keyset import ALWAYS, Key, KeySet
from publisher.policy import Policy

ORDER = Rule(
    id="window-order",
    doc="publish.from <= signs.from <= signs.until <= publish.until: no key signs before it is published or after it "
    "is gone (tokens would fail everywhere: Nomad#23577, hydra#3408). A key is published for some time, or revoked.",
)
REVOKED_LATER = Rule(
    id="revoked-in-future",
    doc="`revoked.at` is when the key was compromised, so it is not in the future. A revoked key is gone at the next "
    "publish; to end a key later, give `publish.until`.",
)
CERTIFICATE = Rule(
    id="certificate-validity",
    doc="The certificates are valid as long as the key is published: some verifiers refuse a key, or the whole set, "
    "for a certificate that has expired or is not valid yet. An open `publish.from` counts from now.",
)
RULES = (ORDER, REVOKED_LATER, CERTIFICATE)


def check(keyset: KeySet, policy: Policy, now: datetime) -> Iterator[Finding]:
    """Findings on each key by itself."""
    for key in keyset.keys:
        window = key.window
        # One comparison for what is nearly always so.
        if not window.publish_from <= window.signs_from <= window.signs_until <= window.publish_until:
            yield from _order(key)
        elif window.publish_from == window.publish_until and key.revoked is None:
            hint = "give it some time, or mark the key `revoked`"
            yield key.finding(ORDER, "publish.from and publish.until are the same instant", hint, "publish", "until")
        if key.revoked is not None:
            if key.revoked.at > now + policy.clock_skew:
                message = f"revoked.at {instant(key.revoked.at)} is in the future"
                hint = "write when it was compromised; to end it later, use publish.until"
                yield key.finding(REVOKED_LATER, message, hint, "revoked", "at")
        elif key.chain is not None:
            yield from _certificate(key, now)


def instant(moment: datetime) -> str:
    """An instant as the files write it."""
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def _order(key: Key) -> Iterator[Finding]:
    window = key.window
    named = [(("publish", "from"), window.publish_from)]
    # The ends of `signs` are those of `publish` where the file does not give them: then those are to be named.
    if window.signs_from != window.publish_from:
        named.append((("signs", "from"), window.signs_from))
    if window.signs_until != window.publish_until:
        named.append((("signs", "until"), window.signs_until))
    named.append((("publish", "until"), window.publish_until))
    for index, (path, later) in enumerate(named):
        for before, earlier in named[:index]:
            if later < earlier:
                names = f"{'.'.join(path)} is before {'.'.join(before)}"
                yield key.finding(ORDER, names, f"write {instant(earlier)} or later", *path)
                return


def _certificate(key: Key, now: datetime) -> Iterator[Finding]:
    window, chain = key.window, key.chain
    if chain is None:
        return
    start = now if window.publish_from == ALWAYS else window.publish_from
    if start < chain.not_before:
        message = f"the certificate is not valid before {instant(chain.not_before)}"
        yield key.finding(CERTIFICATE, message, "let publish.from be then or later", "publish", "from")
    if window.publish_until > chain.not_after:
        message = f"the certificate is not valid after {instant(chain.not_after)}"
        hint = f"let publish.until be {instant(chain.not_after)} at the latest, or give the key without certificates"
        yield key.finding(CERTIFICATE, message, hint, "publish", "until")
