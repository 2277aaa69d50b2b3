"""One kid, one key: within a tenant, whatever the domains and windows."""

from collections.abc import Iterator
from datetime import datetime

from publisher.diagnostic import Finding, Rule, clean, ticked
from publisher.jwk import identity
from publisher.keyset import Key, KeySet
from publisher.policy import Policy

KID_TWICE = Rule(
    id="kid-twice",
    doc="A kid names one key in a tenant, for ever: custom against generated, on every domain, in every window, "
    "revoked ones too. Of two keys with one kid in a document most verifiers take the first, so that a custom key "
    "breaks every token of the generated one; with one kid for two keys in turn, caches verify with the wrong one "
    "(jwks-rsa-java#277). OpenID Connect Core section 10.1 and RFC 7517 section 4.5.",
)
KEY_TWICE = Rule(
    id="key-twice",
    doc="A key stands once in a tenant's files, under one kid: a key under two kids outlives the withdrawal or the "
    "revocation of one of them. Two keys that one private half makes (a point and its negative, one modulus) count as "
    "one.",
)
RULES = (KID_TWICE, KEY_TWICE)


def check(keyset: KeySet, policy: Policy, now: datetime) -> Iterator[Finding]:
    """Findings on pairs of entries; each names the earlier one."""
    by_kid: dict[str, Key] = {}
    by_key: dict[bytes, Key] = {}
    for key in keyset.keys:
        same_kid = by_kid.setdefault(key.kid, key)
        same_key = by_key.setdefault(identity(key.jwk), key)
        if same_kid is not key:
            message = f"the kid {ticked(key.kid)} is already that of {_entry(same_kid)}"
            yield key.finding(KID_TWICE, message, "give each key a kid of its own", *key.kid_at)
        if same_key is not key and same_key is not same_kid:
            message = f"this is the key of {_entry(same_key)} under another kid"
            yield key.finding(
                KEY_TWICE, message, "keep one entry; windows and domains say when and where it is published"
            )


def _entry(key: Key) -> str:
    return f"{key.where[0]}[{key.where[1]}] ({ticked(key.kid)}) in {clean(key.file.rsplit('/', 1)[-1])}"
