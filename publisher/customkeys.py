"""A tenant's custom keys, edited: from the keys that come in to the new bytes of keyset.yaml.

Pure. Every edit is verified: the strict loader must read from the result what was meant. Whether the result is allowed
is for `check`, and writing it for `cli`.
"""

import hashlib
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import orjson

from publisher.fields import suggest
from publisher.generatedfile import moment
from publisher.incoming import Given, RefusedError, with_start
from publisher.keyset import Key, KeySet
from publisher.render import key_bytes
from publisher.yamledit import EditError, edit_list, set_field
from publisher.yamlfile import Value, load
from publisher.yamltext import Writable

LIST = "custom_keys"


@dataclass(frozen=True, slots=True, kw_only=True)
class Edited:
    """keyset.yaml after an edit, and which keys went and came."""

    data: bytes
    removed: tuple[Key, ...] = ()
    added: tuple[Given, ...] = ()


def digest(data: bytes) -> str:
    """SHA-256 of keyset.yaml in hexadecimal, as `sha256sum` prints it: what `--if-match` takes."""
    return hashlib.sha256(data).hexdigest()


def custom_keys(keyset: KeySet) -> tuple[Key, ...]:
    """The tenant's custom keys but the revoked ones, which are the ledger, in the file's order."""
    return tuple(key for key in keyset.keys if key.origin == "custom" and key.revoked is None)


def document(keyset: KeySet) -> bytes:
    """The custom keys as a JWKS, for people: what `put` takes to change nothing."""
    found = {"keys": [orjson.loads(key_bytes(key)) for key in custom_keys(keyset)]}
    return orjson.dumps(found, option=orjson.OPT_INDENT_2)


def put(data: bytes, keyset: KeySet, keys: Sequence[Given], start: datetime | None = None) -> Edited:
    """keyset.yaml with these custom keys and the revoked ones: entries of the same key stay as they are.

    `data` is what `keyset` was read from. New keys are to sign from `start` on. RefusedError.
    """
    known = {(key.kid, key.jwk.thumbprint): key for key in custom_keys(keyset)}
    kept, added = set(), []
    for given in keys:
        old = known.pop((given.kid, given.material.jwk.thumbprint), None)
        if old is None:
            added.append(with_start(given, start))
        else:
            _refuse_other(old, given)
            kept.add(old.where[1])
    revoked = {key.where[1] for key in keyset.keys if key.revoked is not None and key.origin == "custom"}
    entries = _entries(data)
    remove = [at for at, entry in enumerate(entries) if at not in kept | revoked and not _is_ledger(entry)]
    removed = tuple(key for key in known.values() if key.where[1] in remove)
    return Edited(data=_edited(data, remove, added), removed=removed, added=tuple(added))


def delete(data: bytes, keyset: KeySet, kid: str | None) -> Edited:
    """keyset.yaml without its custom keys, or without one. Revoked ones stay. `data` as in `put`. RefusedError."""
    if kid is None:
        return put(data, keyset, ())
    named = [key for key in keyset.keys if key.kid == kid and key.origin == "custom"]
    gone = [key for key in named if key.revoked is None]
    if not named:
        known = [key.kid for key in custom_keys(keyset)]
        raise RefusedError(f"there is no custom key of this kid: {suggest(kid, known)}")
    if not gone:
        raise RefusedError("this key is revoked: its entry is the ledger, and stays")
    return Edited(data=_edited(data, [int(key.where[1]) for key in gone], ()), removed=tuple(gone))


def add(data: bytes, key: Given) -> Edited:
    """keyset.yaml with one key more. RefusedError."""
    return Edited(data=_edited(data, (), (key,)), added=(key,))


def prove(data: bytes, key: Key, text: str) -> Edited:
    """keyset.yaml with a proof at an entry. RefusedError."""
    return _with_field(data, key, "proof", text)


def revoke(data: bytes, key: Key, at: datetime, reason: str) -> Edited:
    """keyset.yaml with a key revoked. RefusedError."""
    return _with_field(data, key, "revoked", {"at": moment(at), "reason": reason})


def _with_field(data: bytes, key: Key, name: str, value: Writable) -> Edited:
    place = int(key.where[1])
    try:
        edited = set_field(data, LIST, place, name, value)
    except EditError as error:
        raise RefusedError(str(error)) from None
    meant = _entries(data)
    entry = meant[place]
    if isinstance(entry, dict):
        meant[place] = {**entry, name: _value(value)}
    _verify(data, edited, meant)
    return Edited(data=edited)


def _refuse_other(old: Key, given: Given) -> None:
    """RefusedError where a key that is there already comes with another alg or other certificates."""
    alg = given.fields.get("alg")
    if alg is not None and alg != old.alg:
        raise RefusedError(f"key {_place(old)} is there already with another `alg`; change it in keyset.yaml")
    if given.fields.get("proof", old.proof) != old.proof:
        raise RefusedError(f"key {_place(old)} is there already; `custom prove` gives it the proof")
    if given.material.extra and given.material.extra != old.extra:
        raise RefusedError(f"key {_place(old)} is there already with other certificates; change them in keyset.yaml")


def _place(key: Key) -> str:
    return f"{key.where[0]}[{key.where[1]}]"


def _is_ledger(entry: Value) -> bool:
    return isinstance(entry, dict) and "revoked" in entry


def _entries(data: bytes) -> list[Value]:
    value = load(data, "").value
    found = value.get(LIST) if isinstance(value, dict) else None
    return list(found) if isinstance(found, list) else []


def _edited(data: bytes, remove: Collection[int], added: Sequence[Given]) -> bytes:
    try:
        edited = edit_list(data, LIST, remove=remove, add=[one.fields for one in added])
    except EditError as error:
        raise RefusedError(str(error)) from None
    if edited != data:
        kept = [entry for at, entry in enumerate(_entries(data)) if at not in remove]
        _verify(data, edited, [*kept, *(_value(one.fields) for one in added)])
    return edited


def _verify(before: bytes, after: bytes, meant: list[Value]) -> None:
    """RefusedError unless the strict loader reads all of the file as before, and in the list what was meant."""
    loaded, old = load(after, ""), load(before, "").value
    expected = {**old, LIST: meant} if isinstance(old, dict) else None
    if loaded.diagnostics or _bare(loaded.value) != _bare(expected):
        raise RefusedError(str(EditError()))


def _value(fields: Writable) -> Value:
    if isinstance(fields, str):
        return fields
    if isinstance(fields, Mapping):
        return {name: _value(item) for name, item in fields.items()}
    return [_value(item) for item in fields]


def _bare(value: Value | None) -> Value | None:
    """Without line ends at the end of text, which a block scalar at the end of a file may gain or lose."""
    if isinstance(value, dict):
        return {name: _bare(item) or "" for name, item in value.items()}
    if isinstance(value, list):
        return [_bare(item) or "" for item in value]
    return None if value is None else value.rstrip("\n")
