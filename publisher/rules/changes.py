"""What a change does to the keys that the base revision has: what is published already cannot be undone by dates.

The base is taken to be published. Only these rules compare revisions; a publish judges the same by what was really
published (`hazards`). `now` has whole seconds or is rounded up to them, so that a date that is named is accepted.
"""

from collections.abc import Iterator
from collections.abc import Set as AbstractSet
from datetime import datetime, timedelta

from publisher.conditions import Conditions
from publisher.diagnostic import Finding, Rule, ticked
from publisher.jwk import identity
from publisher.keyset import ALWAYS, NEVER, Key, KeySet, Revoked
from publisher.rules.rotation import LEAD, RETENTION
from publisher.rules.windows import instant

REMOVED = Rule(
    id="key-removed",
    doc="A warning: the entry of a custom key that signs, or whose tokens can be alive, was removed, or a key was "
    "taken from a domain. "
    "A publish keeps the document as it is (`drops-active-key`): end its signing, let it go by its `publish.until`, "
    "and remove the entry after that; or revoke it.",
)
GENERATED_GONE = Rule(
    id="generated-key-removed",
    doc="The entry of a generated key that signs, or whose tokens can be alive, is not removed: tokens would be "
    "refused everywhere. `generated rotate` ends it in time, and removes it when it is over; or revoke it.",
)
WIDENED = Rule(
    id="key-widened",
    doc="A warning: a key that signs comes to a domain that serves others. Its window cannot say from when on it signs "
    "there: whoever signs has to wait until verifiers have it.",
)
DOMAIN_REMOVED = Rule(
    id="domain-removed",
    doc="A warning: a domain goes, and serves keys whose tokens can be alive. A publish keeps its document "
    "(`drops-active-key`) until a waiver says that nothing uses the domain any more.",
)
TENANT_REMOVED = Rule(
    id="tenant-removed",
    doc="A warning: a tenant goes, and with it all of its documents, in which there are keys whose tokens can be "
    "alive. A publish keeps them (`drops-active-key`) until a waiver says that nothing uses them any more.",
)
LEDGER = Rule(
    id="ledger-shortened",
    doc="A revoked entry stays as it is, for ever: it is the ledger that keeps the key from coming back. Its dates may "
    "not come to say that it signed, where it had not: what takes the place of a key that signed may sign at once.",
)
RETURNS = Rule(
    id="revoked-before",
    doc="A key that an earlier revision revoked never returns, under whatever kid: whoever stole it could mint tokens.",
)
OTHER_KEY = Rule(
    id="kid-changed",
    doc="A published key keeps its kid, and the kid comes to name no other key: verifiers that keep keys by kid would "
    "refuse its tokens until their caches have run out (jwks-rsa-java#277).",
)
OTHER_ALG = Rule(
    id="alg-changed",
    doc="A key that has signed keeps its algorithm: tokens of the old one are refused by the new document, and those "
    "of the new one by every copy of the old (RFC 7517 section 4.4, RFC 8725 section 3.1).",
)
RULES = (LEDGER, RETURNS, OTHER_KEY, OTHER_ALG, GENERATED_GONE)
WARNINGS = (REMOVED, WIDENED, DOMAIN_REMOVED, TENANT_REMOVED)
_SECOND = timedelta(seconds=1)


def check(old: KeySet, new: KeySet, holds: Conditions, terms: Conditions, now: datetime) -> Iterator[Finding]:
    """Findings on a tenant's files against those of the base. `terms` are the longer of what held and what `holds`."""
    before = {identity(key.jwk): key for key in old.keys}
    after = {identity(key.jwk): key for key in new.keys}
    kids: dict[str, set[bytes]] = {}
    for key in old.keys:
        if key.revoked is not None or key.window.publish_from <= now:
            kids.setdefault(key.kid, set()).add(identity(key.jwk))
    for name, key in after.items():
        known = before.get(name)
        yield from _renamed(kids.get(key.kid, {name}), name, known, key, now)
        if known is not None and key.revoked is not None:
            yield from _backdated(known, key, key.revoked)
        if known is not None and known.revoked is not None:
            if key.revoked is None:
                message = f"the revocation of {ticked(key.kid)} is taken back"
                yield key.finding(LEDGER, message, "put it back; for the tenant make a new key")
            continue
        if key.revoked is None:
            yield from _early(old, new, known, key, terms, now)
            if known is not None:
                yield from _shortened(known, key, holds, terms, now)
    for name, key in before.items():
        if name not in after and key.revoked is not None:
            message = f"the revoked entry of {ticked(key.kid)} was removed"
            yield _finding(LEDGER, new, key, message, "put it back as it was")
        elif name not in after and key.origin == "generated":
            yield from _gone(old, new, key, None, holds, now)


def returned(new: KeySet, struck: AbstractSet[bytes]) -> Iterator[Finding]:
    """Findings on keys of these identities, which earlier revisions revoked."""
    for key in new.keys if struck else ():
        if key.revoked is None and identity(key.jwk) in struck:
            yield key.finding(RETURNS, f"the key {ticked(key.kid)} was revoked before", "make a new key")


def warn(old: KeySet, new: KeySet, holds: Conditions, now: datetime) -> Iterator[Finding]:
    """Warnings of keys and domains that leave too early, and of what comes to more domains."""
    for domain in old.domains:
        alive = [key for key in old.keys if domain in _places(old, key) and _is_alive(key, holds, now)]
        if domain not in new.domains and alive:
            message = f"{ticked(domain)} is removed, and serves {ticked(alive[0].kid)}, whose tokens can be alive"
            yield new.finding(DOMAIN_REMOVED, message, _UNUSED, "domains")
    after = {identity(key.jwk): key for key in new.keys}
    for key in old.keys:
        known = after.get(identity(key.jwk))
        if known is None and key.origin == "custom":
            yield from _gone(old, new, key, None, holds, now)
        elif known is None:
            continue  # a mistake
        elif known.revoked is None and key.revoked is None:
            yield from _gone(old, new, key, known, holds, now)
            yield from _widened(old, new, key, known, holds, now)


def removed(old: KeySet, holds: Conditions, now: datetime) -> Iterator[Finding]:
    """A warning of a tenant that has no files any more. `holds` are its conditions by the base."""
    alive = [key for key in old.keys if _is_alive(key, holds, now)]
    if alive:
        message = f"the tenant is removed, and serves {ticked(alive[0].kid)}, whose tokens can be alive"
        yield Finding(rule=TENANT_REMOVED, file=old.file, where=(), message=message, hint=_UNUSED)


_UNUSED = "see that nothing uses it any more; a publish keeps what is served until somebody waives it"


def _is_alive(key: Key, holds: Conditions, now: datetime) -> bool:
    """Whether it is published by the base, and its tokens can be alive."""
    return _has_signed(key, now) and now < _after(min(key.window.signs_until, now), holds.retention)


def _renamed(owners: set[bytes], name: bytes, known: Key | None, key: Key, now: datetime) -> Iterator[Finding]:
    """`owners` are the keys of its kid by the base."""
    if name not in owners:
        message = f"the kid {ticked(key.kid)} names another key in the base revision"
        yield key.finding(OTHER_KEY, message, "give the new key a kid of its own", *key.kid_at)
    if known is None:
        return
    if name in owners and key.kid != known.kid and (known.revoked is not None or _is_published(known, now)):
        rule, kid = OTHER_KEY if known.revoked is None else LEDGER, ticked(known.kid)
        yield key.finding(rule, f"the key has the kid {kid} in the base revision", f"write {kid} again", *key.kid_at)
    if key.alg != known.alg and key.revoked is None and known.revoked is None and _has_signed(known, now):
        message = f"the key has the algorithm {known.alg} in the base revision, and has signed with it"
        yield key.finding(OTHER_ALG, message, f"write {known.alg} again, or make a new key", *key.alg_at)


def _backdated(known: Key, key: Key, revoked: Revoked) -> Iterator[Finding]:
    """A revoked key whose dates say more of its signing than the base's did."""
    if key.window.signs_from < known.window.signs_from:
        message = f"signs.from of {ticked(key.kid)} comes to be earlier, and it is revoked"
        yield key.finding(LEDGER, message, "leave it as it is in the base revision", "signs", "from")
    if known.revoked is not None and known.revoked.at < revoked.at:
        message = f"the revocation of {ticked(key.kid)} comes to be later"
        yield key.finding(LEDGER, message, "leave it as it is in the base revision", "revoked", "at")


def _early(
    old: KeySet, new: KeySet, known: Key | None, key: Key, holds: Conditions, now: datetime
) -> Iterator[Finding]:
    """A key that comes into documents, and signs before those without it have run out everywhere."""
    window, since = key.window, now
    if window.publish_until <= now or window.signs_from >= window.signs_until:
        return
    if known is not None and _is_published(known, now):
        if known.window.signs_from <= max(window.signs_from, now):
            return
        # Since when it is published where that is open, nobody can say by the files.
        since = now if known.window.publish_from == ALWAYS else known.window.publish_from
    least = _after(max(window.publish_from, since), holds.least_lead)
    followed = key.origin == "generated" and holds.followed
    if window.signs_from >= least or followed or not _is_served(old, key, now) or _replaces(old, new, key, now):
        return
    stated = "it signs at once" if window.signs_from <= now else f"it signs from {instant(window.signs_from)} on"
    message = f"{stated}, and not every verifier can have it before {instant(least)}"
    roomy = instant(_after(max(window.publish_from, since), holds.lead))
    hint = f"signs.from must be {instant(least)} or later; {roomy} leaves time for the merge"
    yield key.finding(LEAD, message, hint, "signs", "from")


def _shortened(known: Key, key: Key, holds: Conditions, terms: Conditions, now: datetime) -> Iterator[Finding]:
    if not _has_signed(known, now):
        return
    window, signed = key.window, min(known.window.signs_until, now)
    least = _after(signed, terms.retention)
    if least <= now:
        return
    if now < known.window.signs_until:
        # A publish has to learn of the end before the key leaves by it: else it goes by what was published.
        least = max(least, _after(now, holds.interval + _SECOND))
    told = "by the base revision, and its tokens can be alive when it is gone"
    if window.publish_from > now:
        message = f"it signs until {instant(signed)} {told}"
        yield key.finding(RETENTION, message, "leave publish.from as it is there", "publish", "from")
    elif window.signs_from > now and window.publish_until >= least:
        message = f"it signs until {instant(signed)} {told}: as one that never signed it could go at any time"
        yield key.finding(RETENTION, message, "leave signs.from as it is there; signs.until ends it", "signs", "from")
    # What the windows of the file itself do not allow is told by `rotation`.
    judged = window.publish_until > now and window.signs_from < window.signs_until
    judged = judged and window.publish_until < _after(window.signs_until, holds.retention)
    if window.publish_until < least and not (judged and signed <= window.signs_until):
        message = f"it signs until {instant(signed)} {told}"
        yield key.finding(RETENTION, message, f"publish.until must be {instant(least)} or later", "publish", "until")


def _gone(old: KeySet, new: KeySet, key: Key, known: Key | None, holds: Conditions, now: datetime) -> Iterator[Finding]:
    """A key whose entry is gone, or (`known` is what it is now) serves domains of the tenant no more."""
    signed = min(key.window.signs_until, now)
    least = _after(signed, holds.retention)
    if key.revoked is not None or not _has_signed(key, now) or least <= now:
        return
    state = "signs" if now < key.window.signs_until else f"signed until {instant(signed)}, and its tokens live on"
    if known is None:
        message = f"the entry of {ticked(key.kid)} was removed, and the key {state}"
        hint = (
            f"put it back, with signs.until {instant(signed)} and publish.until {instant(least)} or later; or revoke it"
        )
        yield _finding(REMOVED if key.origin == "custom" else GENERATED_GONE, new, key, message, hint)
        return
    lost = (_places(old, key) - _places(new, known)) & {*new.domains, _CANONICAL}
    for domain in sorted(lost):
        message = f"the key is taken from {domain or 'the canonical domain'}, and it {state}"
        yield known.finding(REMOVED, message, f"keep it there until {instant(least)} or later; or revoke it")


def _widened(old: KeySet, new: KeySet, key: Key, known: Key, holds: Conditions, now: datetime) -> Iterator[Finding]:
    least = _after(now, holds.least_lead)
    if not _is_published(key, now) or not now < known.window.signs_until or known.window.signs_from >= least:
        return
    # Also a domain that serves no key any more: copies of its empty set are out there.
    served = {place for one in old.keys if one.window.publish_from <= now for place in _places(old, one)}
    for domain in sorted((_places(new, known) - _places(old, key)) & served):
        message = f"the key comes to {domain or 'the canonical domain'}, and it signs already"
        yield known.finding(WIDENED, message, f"sign there with it from {instant(least)} on")


_CANONICAL = ""
"""Stands for the canonical domain, which serves generated keys alone."""


def _places(keyset: KeySet, key: Key) -> set[str]:
    """The domains that a key is for."""
    named = set(keyset.domains if key.domains is None else key.domains)
    found = named & set(keyset.domains)
    return found | {_CANONICAL} if key.origin == "generated" and (key.domains is None or named - found) else found


def _is_published(key: Key, now: datetime) -> bool:
    return key.revoked is None and key.window.publish_from <= now < key.window.publish_until


def _has_signed(key: Key, now: datetime) -> bool:
    """Whether it signed by the base, and is published."""
    return _is_published(key, now) and key.window.signs_from < min(key.window.signs_until, now)


def _is_served(old: KeySet, key: Key, now: datetime) -> bool:
    """Whether one of the key's domains serves keys by the base: a first document needs no lead."""
    places = _places(old, key)
    return any(_is_published(one, now) and _places(old, one) & places for one in old.keys)


def _replaces(old: KeySet, new: KeySet, key: Key, now: datetime) -> bool:
    """Whether a key takes the place of a revoked one that had signed, where none of its kind goes on signing."""
    struck = {identity(one.jwk): one for one in new.keys if one.revoked is not None and one.origin == key.origin}
    before = {identity(one.jwk): one for one in old.keys}
    return any(_was_used(one, before.get(name), now) for name, one in struck.items()) and not any(
        one.origin == key.origin and _has_signed(one, now) and now < one.window.signs_until and name not in struck
        for name, one in before.items()
    )


def _was_used(key: Key, known: Key | None, now: datetime) -> bool:
    """Whether a revoked key had signed: by the base, or, where that has it revoked as well, before it was stolen."""
    if known is not None and known.revoked is None:
        return _has_signed(known, now)
    return key.revoked is not None and key.window.signs_from < key.revoked.at


def _after(moment: datetime, length: timedelta) -> datetime:
    """So much later, in whole seconds: rounded up."""
    if moment > NEVER - length - _SECOND:
        return NEVER
    later = moment + length
    return later if not later.microsecond else later.replace(microsecond=0) + _SECOND


def _finding(rule: Rule, new: KeySet, key: Key, message: str, hint: str) -> Finding:
    """At the list that an entry is missing from."""
    file, where = f"{new.folder}/{key.file.rpartition('/')[2]}", (f"{key.origin}_keys",)
    return Finding(rule=rule, file=file, where=where, message=message, hint=hint, at_key=True)
