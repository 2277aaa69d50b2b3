"""One kind of verifier: what it makes of a document, and how long it holds to one. All of them are in `consumers`.

Pure: a document is its keys, as `Entry`, and its length in bytes.
"""

import base64
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from functools import lru_cache
from typing import Literal, TypeAlias

import orjson

from publisher.algorithm import CURVES
from publisher.diagnostic import ticked

FOREVER = timedelta.max
UNKNOWN_REFRESH = timedelta(hours=24)
"""Stands in where nobody says how long a verifier keeps a set: the time that Microsoft's guidance tells verifiers."""

What: TypeAlias = Literal["keys", "bytes", "whole-set", "order", "algorithm"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Keeping:
    """How long a verifier uses a set before it fetches it anew: max-age, but from `least` to `most`.

    With equal bounds it is a time of its own, whatever max-age says; `FOREVER` for both: until a kid is unknown.
    """

    least: timedelta
    most: timedelta

    def time(self, max_age: timedelta) -> timedelta:
        """The time for documents with this max-age."""
        return min(max(max_age, self.least), self.most)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Consumer:
    """A verifier with the settings that it comes with, and every algorithm allowed that it knows."""

    name: str
    keeps: Keeping | None
    """None: nobody says."""
    refetch: timedelta | None
    """Least time between two fetches for unknown kids, zero for none; None: it makes none, or nobody says."""
    max_keys: int | None = None
    max_bytes: int | None = None
    max_rsa_bits: int | None = None
    algorithms: frozenset[str] | None = None
    """The values of `alg` that it knows; None: all that there are here, or nobody says."""
    kinds: frozenset[str] | None = None
    """The kinds of keys that it knows (`RSA` and curves, as `jwk.kind`); None as above."""
    refuses: frozenset[str] = frozenset()
    """Kinds of keys for whose sake it refuses the whole document. Others that it does not know it passes over."""
    in_turn: bool = False
    """Whether it tries the keys in turn, whatever their kid, and fails at one of another type than the token's."""
    duplicates: Literal["first", "none"] | None = None
    """Of two keys with one kid it uses the first, or none; None: it tries both, or nobody says."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One key of a document. `kind` is `RSA` or the curve, `bits` the length of an RSA modulus."""

    kid: str
    alg: str
    kind: str
    bits: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """What one verifier cannot do with a document. `index` is the place of the key to blame; None: all of it.

    `text` goes on after the verifier's name: "refuses every document with a secp256k1 key, as `k` is".
    """

    consumer: str
    what: What
    index: int | None
    text: str


def faults(keys: Sequence[Entry], size: int, consumers: Iterable[Consumer]) -> Iterator[Fault]:
    """What these verifiers cannot do with a document of `size` bytes: of each key, the worst for each of them."""
    for one in consumers:
        if one.max_keys is not None and len(keys) > one.max_keys:
            text = f"takes no more than {one.max_keys} keys, and there are {len(keys)}"
            yield Fault(consumer=one.name, what="keys", index=None, text=text)
        if one.max_bytes is not None and size > one.max_bytes:
            text = f"takes no more than {one.max_bytes} bytes, and there are {size}"
            yield Fault(consumer=one.name, what="bytes", index=None, text=text)
        for index in range(len(keys)):
            if (fault := _key_fault(one, keys, index)) is not None:
                what, text = fault
                yield Fault(consumer=one.name, what=what, index=index, text=text)


def entries(body: bytes) -> tuple[Entry, ...]:
    """The keys of a document's bytes, which are a JWK Set; what is missing in a key is empty. Raises ValueError."""
    document = orjson.loads(body)
    keys = document.get("keys") if isinstance(document, dict) else None
    if not isinstance(keys, list) or not all(isinstance(key, dict) for key in keys):
        raise ValueError("not a JWK Set")
    return tuple(
        Entry(
            kid=str(key.get("kid", "")),
            alg=str(key.get("alg", "")),
            kind="RSA" if key.get("kty") == "RSA" else str(key.get("crv", key.get("kty", ""))),
            bits=_bits(str(key.get("n", ""))),
        )
        for key in keys
    )


def learns_within(consumer: Consumer, max_age: timedelta) -> timedelta:
    """The longest from when the CDN serves a new document until the verifier has its new keys."""
    keeps = UNKNOWN_REFRESH if consumer.keeps is None else consumer.keeps.time(max_age)
    return keeps if consumer.refetch is None else min(keeps, consumer.refetch)


def forgets_within(consumer: Consumer, max_age: timedelta) -> timedelta | None:
    """The longest from then until it uses removed keys no more; None: for ever, or nobody says."""
    keeps = None if consumer.keeps is None else consumer.keeps.time(max_age)
    return None if keeps == FOREVER else keeps


def slowest(consumers: Iterable[Consumer], max_age: timedelta) -> timedelta:
    """The longest until all of them have a new key; zero for none."""
    return max((learns_within(one, max_age) for one in consumers), default=timedelta(0))


def _key_fault(one: Consumer, keys: Sequence[Entry], index: int) -> tuple[What, str] | None:
    key, kid = keys[index], ticked(keys[index].kid)
    if key.kind in one.refuses:
        return "whole-set", f"refuses every document with a key of {key.kind}, as {kid} is"
    if one.duplicates is not None and any(other.kid == key.kid for other in keys[:index]):
        uses = "the first alone" if one.duplicates == "first" else "none"
        return "order", f"uses {uses} of the keys with the kid {kid}"
    unknown = _unknown(one, key.alg, key.kind, key.bits)
    if one.in_turn:
        unread = one.kinds is not None and key.kind not in one.kinds
        for later in keys[index + 1 :]:
            if (unread or _kty(later.kind) != _kty(key.kind)) and not _unknown(one, later.alg, later.kind, later.bits):
                return "order", f"tries keys in turn, and fails at {kid} for tokens of {ticked(later.kid)} after it"
    return None if unknown is None else ("algorithm", f"refuses tokens of {kid}: it knows no {unknown}")


@lru_cache(maxsize=4096)
def _unknown(one: Consumer, alg: str, kind: str, bits: int) -> str | None:
    """What of a key the verifier does not know."""
    if one.kinds is not None and kind not in one.kinds:
        return f"{kind} keys"
    if one.algorithms is not None and alg not in one.algorithms:
        return alg or "keys without alg"
    if one.max_rsa_bits is not None and bits > one.max_rsa_bits:
        return f"RSA keys over {one.max_rsa_bits} bits"
    return None


def _kty(kind: str) -> str:
    return CURVES[kind][0] if kind in CURVES else kind


def _bits(n: str) -> int:
    try:
        return int.from_bytes(base64.urlsafe_b64decode(n + "=" * (-len(n) % 4)), "big").bit_length()
    except ValueError:
        return 0
