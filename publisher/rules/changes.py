"""What a change does to the keys that the base revision has: what is published already cannot be undone by dates.

The base is taken to be published. Only these rules compare revisions; a publish judges the same by what was really
published (`hazards`).
"""

from collections.abc import Iterator
from collections.abc import Set as AbstractSet
from datetime import datetime

from publisher.conditions import Conditions
from publisher.diagnostic import Finding, Rule, clean
from publisher.jwk import identity
from publisher.keyset import Key, KeySet
from publisher.rules.rotation import LEAD, RETENTION
from publisher.rules.windows import instant

REMOVED = Rule(
    id="key-removed",
    doc="A warning: the entry of a key that signs, or whose tokens can be alive, was removed. A publish keeps the "
    "document as it is (`drops-active-key`): end its signing, let it go by its `publish.until`, and remove the entry "
    "after that; or revoke it.",
)
LEDGER = Rule(
    id="ledger-shortened",
    doc="A revoked entry stays as it is, for ever: it is the ledger that keeps the key from coming back.",
)
RETURNS = Rule(
    id="revoked-before",
    doc="A key that an earlier revision revoked never returns, under whatever kid: whoever stole it could mint tokens.",
)
OTHER_KEY = Rule(
    id="kid-changed",
    doc="A kid of the base revision does not come to name another key: verifiers that keep keys by kid would refuse "
    "its tokens until their caches have run out (jwks-rsa-java#277). Nor does a key that has signed take another kid "
    "or algorithm: its tokens name the old ones.",
)
RULES = (LEDGER, RETURNS, OTHER_KEY)
WARNINGS = (REMOVED,)


def check(
    old: KeySet, new: KeySet, holds: Conditions, now: datetime, struck: AbstractSet[bytes] = frozenset()
) -> Iterator[Finding]:
    """Findings on a tenant's files against those of the base. `struck` are identities of keys revoked before."""
    before = {identity(key.jwk): key for key in old.keys}
    after = {identity(key.jwk): key for key in new.keys}
    kids = {key.kid: identity(key.jwk) for key in old.keys}
    for name, key in after.items():
        known = before.get(name)
        if kids.get(key.kid, name) != name:
            message = f"the kid `{clean(key.kid)}` names another key in the base revision"
            yield key.finding(OTHER_KEY, message, "give the new key a kid of its own", *key.kid_at)
        elif known is not None and key.revoked is None and _is_renamed(known, key) and _has_signed(known, now):
            message = f"tokens that it has signed name the kid `{clean(known.kid)}` and {known.alg}"
            yield key.finding(OTHER_KEY, message, "put that back; make a new key where another is wanted", *key.kid_at)
        if key.revoked is None and name in struck and (known is None or known.revoked is not None):
            yield key.finding(RETURNS, f"the key `{clean(key.kid)}` was revoked before", "make a new key")
        yield from _early(old, new, known, key, holds, now)
        if known is not None:
            yield from _shortened(known, key, holds, now)
    for name, key in before.items():
        if name not in after and key.revoked is not None:
            message = f"the revoked entry of `{clean(key.kid)}` was removed"
            yield _finding(LEDGER, key, message, "put it back as it was")


def warn(old: KeySet, new: KeySet, holds: Conditions, now: datetime) -> Iterator[Finding]:
    """Warnings of entries that were removed too early."""
    after = {identity(key.jwk) for key in new.keys}
    for key in old.keys:
        if identity(key.jwk) not in after and key.revoked is None:
            yield from _gone(key, holds, now)


def _early(
    old: KeySet, new: KeySet, known: Key | None, key: Key, holds: Conditions, now: datetime
) -> Iterator[Finding]:
    """A key that comes into documents, and signs before those without it have run out everywhere."""
    window = key.window
    if key.revoked is not None or window.publish_until <= now or window.signs_from >= window.signs_until:
        return
    if known is not None and known.revoked is None and _is_wider(old, known, key, now):
        known = None  # where it comes to, it is new
    elif known is not None and known.window.signs_from > now and _is_renamed(known, key):
        known = None  # so it is under another name
    if known is not None and (known.revoked is not None or known.window.signs_from <= now):
        return
    # Announced by the base, it counts from then.
    since = now if known is None or known.window.publish_from > now else known.window.publish_from
    least = max(window.publish_from, since) + holds.least_lead
    followed = key.origin == "generated" and holds.followed
    if window.signs_from >= least or followed or not _is_served(old, key, now) or _replaces(old, new, key, now):
        return
    stated = "it signs at once" if window.signs_from <= now else f"it signs from {instant(window.signs_from)} on"
    message = f"{stated}, and not every verifier can have it before {instant(least)}"
    yield key.finding(LEAD, message, f"signs.from must be {instant(least)} or later", "signs", "from")


def _shortened(known: Key, key: Key, holds: Conditions, now: datetime) -> Iterator[Finding]:
    if known.revoked is not None:
        if key.revoked is None:
            message = f"the revocation of `{clean(key.kid)}` is taken back"
            yield key.finding(LEDGER, message, "put it back; for the tenant make a new key")
        return
    if key.revoked is not None or not _has_signed(known, now):
        return
    signed = min(known.window.signs_until, now)
    least = signed + holds.retention
    # What the windows of the file itself do not allow is told by `rotation`.
    if key.window.publish_until < least and signed > key.window.signs_until and least > now:
        message = f"it signs until {instant(signed)} by the base revision, and its tokens can be alive when it is gone"
        yield key.finding(RETENTION, message, f"publish.until must be {instant(least)} or later", "publish", "until")


def _gone(key: Key, holds: Conditions, now: datetime) -> Iterator[Finding]:
    signed = min(key.window.signs_until, now)
    if not _has_signed(key, now) or signed + holds.retention <= now:
        return
    state = "signs" if now < key.window.signs_until else f"signed until {instant(signed)}, and its tokens live on"
    message = f"the entry of `{clean(key.kid)}` was removed, and the key {state}"
    hint = f"put it back, with an end: publish.until {instant(signed + holds.retention)} or later; or revoke it"
    yield _finding(REMOVED, key, message, hint)


def _is_renamed(known: Key, key: Key) -> bool:
    return (known.kid, known.alg) != (key.kid, key.alg)


def _has_signed(key: Key, now: datetime) -> bool:
    """Whether it signed by the base, and is published."""
    window = key.window
    signed = window.signs_from < min(window.signs_until, now)
    return signed and window.publish_from <= now < window.publish_until


def _is_wider(old: KeySet, known: Key, key: Key, now: datetime) -> bool:
    """Whether a key comes to further domains that serve others by the base."""
    added = _reach(old, key) - _reach(old, known)
    others = (one for one in old.keys if one is not known and one.revoked is None)
    return any(added & _reach(old, one) for one in others if one.window.publish_from <= now < one.window.publish_until)


def _reach(keyset: KeySet, key: Key) -> set[str]:
    """The key's domains; the empty one is the canonical one, for generated keys."""
    if key.domains is not None:
        return set(key.domains)
    return {*keyset.domains, ""} if key.origin == "generated" else set(keyset.domains)


def _is_served(old: KeySet, key: Key, now: datetime) -> bool:
    """Whether one of the key's domains serves keys by the base: a first document needs no lead."""
    domains = set(old.domains if key.domains is None else key.domains) & set(old.domains)
    for one in old.keys:
        if one.revoked is not None or not one.window.publish_from <= now < one.window.publish_until:
            continue
        theirs = set(old.domains if one.domains is None else one.domains)
        if theirs & domains or (one.origin == key.origin == "generated"):
            return True
    return False


def _replaces(old: KeySet, new: KeySet, key: Key, now: datetime) -> bool:
    """Whether a key takes the place of one that the change revokes, where none of its kind goes on signing."""
    struck = {identity(one.jwk) for one in new.keys if one.revoked is not None and one.origin == key.origin}
    signed = [one for one in old.keys if one.origin == key.origin and one.revoked is None and _has_signed(one, now)]
    return bool(signed) and all(identity(one.jwk) in struck or now >= one.window.signs_until for one in signed)


def _finding(rule: Rule, key: Key, message: str, hint: str) -> Finding:
    where = (f"{key.origin}_keys",)
    return Finding(rule=rule, file=key.file, where=where, message=message, hint=hint, at_key=True)
