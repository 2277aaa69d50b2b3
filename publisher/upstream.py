"""Generated keys that follow an upstream's: what generated.yaml says after its JWKS was read once more. Pure.

The upstream holds the private halves and rotates them; here its keys are pinned. A kid stays with its key for ever (the
outage of jwks-rsa-java#277, and the attack), a revoked key never returns, a set that lost everything is not believed
(zitadel#7714), and a key that is gone there goes on to be published here until the tokens that it signed have expired.
How the set is fetched is in `vaults.upstream`, how it is read in `offer`.

Whoever signs is elsewhere: a new key may sign at once, whatever its `signs.from` says here. An upstream that publishes
its keys ahead of time is safe to follow if it is read more often than that; of another, tokens fail until the publish.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from publisher.diagnostic import clean, ticked
from publisher.generatedfile import Content, moment, window, written
from publisher.incoming import Given, RefusedError
from publisher.jwk import identity, members
from publisher.keyset import ALWAYS, NEVER, Key, Upstream, read_keyset
from publisher.offer import Offer
from publisher.shapes import MOST_ENTRIES
from publisher.source import GENERATED, KEYSET, LIMIT_FILE_BYTES, File, Folder
from publisher.yamlfile import Value

_SHOWN = 5
# The reader of tenants' folders reads the entries; this stands beside them.
_KEYSET = File(kind="file", data=b"version: 1\ntenant: t\nplan: p\ndomains: []\n")


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """How keys come and go. `lead` is from publication to signing, `retention` from the last token to withdrawal.

    `repin` takes another URL than the pinned one; `allow_loss` takes a set that has lost all known keys, or is empty.
    """

    lead: timedelta
    retention: timedelta
    repin: bool = False
    allow_loss: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Followed:
    """The new content, and the kids by what became of them. `first`: nothing was followed before."""

    content: Content
    first: bool
    announced: tuple[str, ...]
    """New, or back after its end: published from now on. They sign `lead` later; already, at the first sync."""
    returned: tuple[str, ...]
    """Back before its end: both ends are open again."""
    vanished: tuple[str, ...]
    """Gone upstream: signs until now, and is withdrawn after the retention."""
    kept: tuple[str, ...]
    revoked: tuple[str, ...] = ()
    """Offered, and revoked here: left out."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Entry:
    """An entry as it stands, and as it reads."""

    fields: Mapping[str, Value]
    key: Key


def follow(content: Content, offer: Offer, url: str, terms: Terms, now: datetime) -> Followed:
    """The entries after a sync at `now` (cut to whole seconds). The same sync twice changes nothing but `synced`.

    - The first sync pins the URL and takes the keys as they are: they sign at the upstream already.
    - A key that is new later is announced. One that is back before its end gets its ends opened, also ends that a
      person set: who wants a key out revokes it. One that is back after its end is announced anew.
    - A key that is gone, and has no end yet, retires: `signs.until` now, `publish.until` after the retention.
    - Where no key would be left to sign, those that are announced sign from now on: the upstream has moved on to them.
    - Revoked entries and those that are over stay as they are, as the ledger.

    Raises RefusedError, and nothing changes: another URL than the pinned one; a kid with another key or algorithm; a
    key under another kid; a recorded key that the set now gives for another use; a set without usable keys, or in which
    no known key is left; keys that are made here beside followed ones; a clock behind the last sync; more entries than
    the file may hold. Raises ValueError for a negative lead, or a retention that is not positive.
    """
    if terms.lead < timedelta(0) or terms.retention <= timedelta(0):
        raise ValueError("the lead is at least zero, and the retention more")
    now = now.replace(microsecond=0)
    entries, upstream = _read(content)
    _pinned(upstream, url, terms)
    _in_order(upstream, entries, now)
    offered = _distinct(offer.keys)
    _agree(entries, offered, offer)
    bad = {identity(one.key.jwk) for one in entries if one.key.revoked is not None}
    usable = {kid: one for kid, one in offered.items() if identity(one.material.jwk) not in bad}
    _of_one_origin(entries, usable, now, first=upstream is None)
    _not_lost(entries, usable, terms)
    followed = _followed(entries, usable, terms, now, first=upstream is None)
    pin: dict[str, Value] = {**(content.upstream or {}), "url": url, "synced": moment(now)}
    followed = replace(
        followed,
        content=replace(followed.content, upstream=pin),
        revoked=tuple(kid for kid in offered if kid not in usable),
    )
    made = _readable(followed.content)
    return replace(followed, content=replace(followed.content, entries=_begun(made, usable, now)))


def _followed(
    entries: list[_Entry], usable: Mapping[str, Given], terms: Terms, now: datetime, *, first: bool
) -> Followed:
    """The new entries, in their old order, those of new keys last."""
    known = {one.key.kid for one in entries}
    new = tuple(kid for kid in usable if kid not in known)
    changes = [(one, _change(one.key, one.key.kid in usable, now)) for one in entries]
    made = [_changed(one, change, now, terms) for one, change in changes]
    made += [_new(usable[kid], now, None if first else now + terms.lead) for kid in new]
    kids = {name: tuple(one.key.kid for one, change in changes if change == name) for name in ("again", "back", "gone")}
    return Followed(
        content=Content(entries=tuple(made)),
        first=first,
        announced=(*kids["again"], *new),
        returned=kids["back"],
        vanished=kids["gone"],
        kept=tuple(one.key.kid for one, change in changes if change == "" and one.key.kid in usable),
    )


def _begun(entries: list[_Entry], usable: Mapping[str, Given], now: datetime) -> tuple[Mapping[str, Value], ...]:
    """The entries with the announced ones signing already, where nothing else does."""
    valid = [one.key for one in entries if one.key.revoked is None and one.key.domains is None]
    if any(key.window.signs_from <= now < key.window.signs_until for key in valid):
        return tuple(one.fields for one in entries)
    coming = {key.kid for key in valid if key.kid in usable and now < key.window.signs_from < key.window.signs_until}
    return tuple(
        _with(one.fields, _stated(one.key.window.publish_from, NEVER), window(now, None))
        if one.key.kid in coming
        else one.fields
        for one in entries
    )


def _change(key: Key, is_offered: bool, now: datetime) -> str:
    """What becomes of an entry: `again`, `back`, `gone`, or nothing."""
    end = key.window.publish_until
    if key.revoked is not None:
        return ""
    if not is_offered:
        return "gone" if end == NEVER else ""
    if end <= now:
        return "again"
    return "back" if (end, key.window.signs_until) != (NEVER, NEVER) else ""


def _changed(one: _Entry, change: str, now: datetime, terms: Terms) -> Mapping[str, Value]:
    start, signs, last = one.key.window.publish_from, one.key.window.signs_from, one.key.window.signs_until
    if change == "again":
        return _with(one.fields, window(now, None), window(now + terms.lead, None))
    if change == "back":
        return _with(one.fields, _stated(start, NEVER), _stated(ALWAYS if signs == start else signs, NEVER))
    if change == "gone":
        # One that was only announced may have signed upstream all the same: it goes as any other.
        signs = min(signs, now)
        signing = _stated(ALWAYS if signs == start else signs, min(last, now))
        return _with(one.fields, _stated(start, now + terms.retention), signing)
    return one.fields


def _new(given: Given, now: datetime, signs: datetime | None) -> Mapping[str, Value]:
    entry: dict[str, Value] = {"kid": given.kid, "alg": str(given.fields["alg"])}
    entry["jwk"] = dict(members(given.material.jwk))
    return _with(entry, window(now, None), window(signs, None))


def _with(fields: Mapping[str, Value], publish: dict[str, Value], signs: dict[str, Value]) -> Mapping[str, Value]:
    """The entry with these windows; an empty one is left out."""
    changed = {**fields, "publish": publish, "signs": signs}
    return {name: item for name, item in changed.items() if item or name not in ("publish", "signs")}


def _stated(start: datetime, end: datetime) -> dict[str, Value]:
    return window(None if start == ALWAYS else start, None if end == NEVER else end)


def _read(content: Content) -> tuple[list[_Entry], Upstream | None]:
    """The entries and the pin, by the reader of tenants' folders. RefusedError where it finds a mistake."""
    folder = Folder(path="t", tree=None, files={KEYSET: _KEYSET, GENERATED: File(kind="file", data=written(content))})
    read = read_keyset(folder)
    if read.diagnostics or read.keyset is None:
        raise RefusedError(f"generated.yaml has a mistake: {read.diagnostics[0].message}; `check` tells where")
    pairs = zip(content.entries, read.keyset.keys, strict=True)
    return [_Entry(fields=fields, key=key) for fields, key in pairs], read.keyset.upstream


def _readable(after: Content) -> list[_Entry]:
    if len(after.entries) > MOST_ENTRIES or len(written(after)) > LIMIT_FILE_BYTES:
        raise RefusedError(
            f"generated.yaml would have more than {MOST_ENTRIES} entries or {LIMIT_FILE_BYTES:,} bytes; remove entries "
            "that are over, and no revoked ones"
        )
    return _read(after)[0]


def _pinned(upstream: Upstream | None, url: str, terms: Terms) -> None:
    if upstream is not None and upstream.url != url and not terms.repin:
        raise RefusedError(
            f"these keys follow {clean(upstream.url)}, and this is another URL; follow the new one only if its keys "
            "are to replace the others"
        )


def _in_order(upstream: Upstream | None, entries: Iterable[_Entry], now: datetime) -> None:
    if upstream is not None and upstream.synced is not None and upstream.synced > now:
        raise RefusedError(f"the last sync was at {moment(upstream.synced)}, which is in the future: set the clock")
    for one in entries:
        if one.key.revoked is None and one.key.window.publish_from > now:
            raise RefusedError(
                f"the key {_kid(one.key.kid)} is published from {moment(one.key.window.publish_from)} on, which is in "
                "the future; a sync makes no such entry: set the clock, or remove it"
            )


def _distinct(keys: Iterable[Given]) -> dict[str, Given]:
    """The offered keys by kid, one kid a key and one key a kid."""
    found: dict[str, Given] = {}
    by_key: dict[bytes, str] = {}
    for one in keys:
        same = found.setdefault(one.kid, one)
        if (same.material.jwk, same.fields["alg"]) != (one.material.jwk, one.fields["alg"]):
            raise RefusedError(f"the upstream has two keys under the kid {_kid(one.kid)}; nothing was taken over")
        other = by_key.setdefault(identity(one.material.jwk), one.kid)
        if other != one.kid:
            raise RefusedError(f"the upstream has one key under two kids, {_kid(other)} and {_kid(one.kid)}")
    return found


def _agree(entries: Iterable[_Entry], offered: Mapping[str, Given], offer: Offer) -> None:
    """Whether every offered key is the one that is recorded under its kid, and under no other."""
    unusable = {one.kid: one.reason for one in offer.left_out if one.kid not in offered}
    by_key = {identity(one.material.jwk): kid for kid, one in offered.items()}
    for key in (one.key for one in entries):
        given, name = offered.get(key.kid), _kid(key.kid)
        if given is not None and given.material.jwk != key.jwk:
            raise RefusedError(
                f"the kid {name} comes with another key than the recorded one, so the whole sync is refused: ask the "
                "upstream's operator; a new key needs a new kid"
            )
        if key.revoked is not None:
            continue
        if given is not None and given.fields["alg"] != key.alg and key.kid not in offer.assumed:
            raise RefusedError(
                f"the key {name} comes with alg {clean(str(given.fields['alg']))}, and {clean(key.alg)} is recorded; "
                "correct generated.yaml if the upstream is right"
            )
        other = by_key.get(identity(key.jwk), key.kid)
        if other != key.kid:
            raise RefusedError(
                f"the key that is recorded as {name} comes as {_kid(other)}; a key keeps its kid: ask the upstream's "
                "operator, or remove the old entry once nothing uses its kid"
            )
        if key.window.publish_until == NEVER and key.kid in unusable:
            raise RefusedError(f"the key {name} comes as one that is not published: {unusable[key.kid]}")


def _of_one_origin(entries: Iterable[_Entry], usable: Mapping[str, Given], now: datetime, *, first: bool) -> None:
    """Whether no other generated key is in use: a tenant's are followed or made here."""
    for one in entries:
        end, is_usable = one.key.window.publish_until, one.key.kid in usable
        if one.key.revoked is not None:
            continue
        if "vault" in one.fields and (end > now or is_usable):
            raise RefusedError(
                f"the private half of the key {_kid(one.key.kid)} is in a vault: generated keys are made here or "
                "follow an upstream, not both; let its window end first"
            )
        if first and end == NEVER and not is_usable:
            raise RefusedError(
                f"the key {_kid(one.key.kid)} is not one of the upstream's: generated keys are made here or follow an "
                "upstream, not both; give it a `publish.until` first"
            )


def _not_lost(entries: Iterable[_Entry], usable: Mapping[str, Given], terms: Terms) -> None:
    if terms.allow_loss:
        return
    if not usable:
        raise RefusedError("the upstream has no key that can be published; nothing was changed")
    known = [one.key.kid for one in entries if one.key.revoked is None and one.key.window.publish_until == NEVER]
    if known and not usable.keys() & set(known):
        shown = ", ".join(_kid(kid) for kid in known[:_SHOWN]) + (" and more" if len(known) > _SHOWN else "")
        raise RefusedError(f"the upstream has lost every known key ({shown}) at once; nothing was changed")


def _kid(kid: str) -> str:
    return ticked(kid)
