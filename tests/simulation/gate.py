"""What a review refuses by comparing with the base revision; stands in for rules on changes, in this one place."""

from collections.abc import Iterator
from datetime import datetime

from publisher.conditions import Conditions
from publisher.keyset import Key, KeySet


def check(old: KeySet, new: KeySet, holds: Conditions, now: datetime) -> Iterator[str]:
    """Why this change is not merged at `now`."""
    before = {key.jwk.thumbprint: key for key in old.keys}
    after = {key.jwk.thumbprint: key for key in new.keys}
    for name, key in after.items():
        known = before.get(name)
        if _is_early(old, new, known, key, holds, now):
            yield f"{key.kid} signs before everybody can have it"
        if known is not None and known.revoked is not None and key.revoked is None:
            yield f"the revocation of {key.kid} is taken back"
        if (
            known is not None
            and known.revoked is None
            and key.revoked is None
            and _is_backdated(known, key, holds, now)
        ):
            yield f"{key.kid} goes before its tokens have expired"
    for name, key in before.items():
        if name not in after and (key.revoked is not None or _is_alive(key, holds, now)):
            yield f"the entry of {key.kid} goes, which signed, or which is the ledger"


def _is_early(old: KeySet, new: KeySet, known: Key | None, key: Key, holds: Conditions, now: datetime) -> bool:
    window = key.window
    if key.revoked is not None or window.publish_until <= now or window.signs_from >= window.signs_until:
        return False
    if known is not None and (known.revoked is not None or known.window.signs_from <= now):
        return False
    served = any(one.revoked is None and one.window.publish_from <= now < one.window.publish_until for one in old.keys)
    since = max(window.publish_from, now)
    if known is not None and known.window.publish_from <= now:  # announced by the base
        since = known.window.publish_from
    least = since + holds.least_lead
    return served and window.signs_from < least and not _replaces(old, new, key, now)


def _replaces(old: KeySet, new: KeySet, key: Key, now: datetime) -> bool:
    """Whether a key takes the place of those that the change revokes."""
    struck = {one.jwk.thumbprint for one in new.keys if one.revoked is not None}
    signed = [
        one
        for one in old.keys
        if one.origin == key.origin and one.revoked is None and one.window.signs_from <= now < one.window.signs_until
    ]
    return bool(signed) and all(one.jwk.thumbprint in struck for one in signed)


def _is_backdated(known: Key, key: Key, holds: Conditions, now: datetime) -> bool:
    """What was signed by the base cannot be unsigned by a date."""
    signed = min(known.window.signs_until, now)
    if known.window.signs_from >= signed or not known.window.publish_from <= now < known.window.publish_until:
        return False
    return key.window.signs_until < signed and key.window.publish_until < signed + holds.retention


def _is_alive(key: Key, holds: Conditions, now: datetime) -> bool:
    """Whether it signed by the base, and its tokens may live."""
    window, signed = key.window, min(key.window.signs_until, now)
    started = window.signs_from < signed and window.publish_from <= now < window.publish_until
    return started and signed + holds.retention > now
