"""What an identity provider's JWKS offers: the keys that can be published, and what was left out and why.

Real sets hold what this program publishes nowhere (certificates, issuers, keys for encryption), so other members are
dropped, and keys for other uses are left out and named. Of a key only `kid`, `kty`, `alg` and its public members are
taken over, and these are read as strictly as anywhere. A set with a broken key is refused as a whole: what its upstream
meant cannot be told, and the last good set is still published.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from publisher.algorithm import CURVES, FITS, algorithms_for
from publisher.diagnostic import Where, quote
from publisher.fields import Reading
from publisher.incoming import Given, RefusedError
from publisher.jwk import MEMBERS, kind, members
from publisher.jwksfile import read_json
from publisher.keyset import is_kid
from publisher.material import read_material
from publisher.secrets import private_key_places, private_members
from publisher.source import Folder
from publisher.yamlfile import Plain, Value
from publisher.yamltext import Writable

_NAME = "the upstream's JWKS"
_NOWHERE = Folder(path="", tree=None, files={})


@dataclass(frozen=True, slots=True, kw_only=True)
class LeftOut:
    """A key that is not published. `kid` is None where it has none that is text; `place` is its way in the set."""

    kid: str | None
    place: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """The keys of a set, in its order. `assumed` are the kids of those without `alg`, which got one that fits.

    `unnamed` are the kids of those without `kid`: their thumbprints.
    """

    keys: tuple[Given, ...]
    left_out: tuple[LeftOut, ...] = ()
    assumed: frozenset[str] = frozenset()
    unnamed: frozenset[str] = frozenset()


def read_offer(data: bytes) -> Offer:
    """Read a JWKS. RefusedError for what is no JWKS, for private key material in it, and for a broken key."""
    loaded = read_json(data, _NAME)
    reading = Reading(file=_NAME)
    if loaded.value is not None:
        private_members(loaded.value, reading)
    if reading.findings or any(private_key_places(_NAME, data)):
        raise RefusedError(
            f"{_NAME} holds PRIVATE key material{_at(reading)}: whoever reads it can mint tokens; nothing was taken"
            " over. Tell its operator, who has to replace that key"
        )
    if loaded.value is None:
        first = loaded.diagnostics[0]
        raise RefusedError(f"{_NAME} cannot be read: line {first.line}, column {first.column}: {first.message}")
    keys = loaded.value.get("keys") if isinstance(loaded.value, dict) else None
    if not isinstance(keys, list):
        raise RefusedError(f'{_NAME} is not one: {{"keys": [...]}} is expected')
    found: list[Given] = []
    left_out: list[LeftOut] = []
    for index, jwk in enumerate(keys):
        if not isinstance(jwk, dict):
            raise RefusedError(f"{_NAME} is broken: keys[{index}] is not a JWK")
        jwk = {name: item for name, item in jwk.items() if not _is_null(item)}
        reason = _other_use(jwk)
        if reason is None:
            found.append(_given(jwk, index))
        else:
            kid = jwk.get("kid")
            left_out.append(
                LeftOut(kid=kid if isinstance(kid, str) and kid else None, place=f"keys[{index}]", reason=reason)
            )
    return _offer(found, left_out)


def _offer(found: list[Given], left_out: list[LeftOut]) -> Offer:
    assumed = {one.kid for one in found if one.material.alg is None}
    unnamed = {one.kid for one in found if one.material.kid is None}
    return Offer(keys=tuple(found), left_out=tuple(left_out), assumed=frozenset(assumed), unnamed=frozenset(unnamed))


def _other_use(jwk: Mapping[str, Value]) -> str | None:
    """Why a key is not one that verifies tokens here; None where it is, or is broken."""
    kty, alg, use, kid = (jwk.get(name) for name in ("kty", "alg", "use", "kid"))
    operations = jwk.get("key_ops")
    if use is not None and use != "sig":
        return f"its use is {_shown(use)}"
    if use is None and isinstance(operations, list) and "verify" not in operations:
        return "its key_ops do not hold verify"
    if isinstance(kty, str) and kty not in MEMBERS:
        return f"its kty {_shown(kty)} is not published"
    fits = "RSA" if kty == "RSA" else jwk.get("crv")
    if isinstance(kty, str) and isinstance(fits, str):
        if kty != "RSA" and (fits not in CURVES or CURVES[fits][0] != kty):
            return f"its crv {_shown(fits)} is none for signatures"
        if isinstance(alg, str) and (alg not in FITS or fits not in FITS[alg]):
            return f"its alg {_shown(alg)} is none for signatures with this key"
    if alg is None and use is None and operations is None:
        return "neither alg nor use nor key_ops says that it verifies"
    if isinstance(kid, str) and not is_kid(kid):
        return "its kid is not 1-255 printable ASCII characters"
    return None


def _given(jwk: Mapping[str, Value], index: int) -> Given:
    """The key by its public members alone, with an algorithm. RefusedError where it is broken."""
    where: Where = ("keys", index)
    taken = {name: item for name, item in jwk.items() if name in ("kid", "alg", *_members_of(jwk))}
    reading = Reading(file=_NAME)
    material = read_material({"jwk": taken}, where, _NOWHERE, reading)
    if material is None or reading.findings:
        raise RefusedError(f"{_NAME} is broken: keys[{index}]: {reading.findings[0].message}")
    fields: dict[str, Writable] = {
        "kid": material.kid or material.jwk.thumbprint,
        "alg": material.alg or algorithms_for(kind(material.jwk))[0],
        "jwk": members(material.jwk),
    }
    return Given(material=material, fields=fields)


def _members_of(jwk: Mapping[str, Value]) -> tuple[str, ...]:
    kty = jwk.get("kty")
    return ("kty", *MEMBERS.get(kty, ())) if isinstance(kty, str) else ("kty",)


def _at(reading: Reading) -> str:
    """Which private member stands where, of the first; never its value."""
    if not reading.findings:
        return ""
    *above, name = reading.findings[0].where
    place = "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in above[:2]).lstrip(".")
    return f" (`{name}` in {place})" if above and above[0] == "keys" else f" (`{name}`)"


def _is_null(value: Value) -> bool:
    """Some serializers write what is not there as null."""
    return isinstance(value, Plain) and value == "null"


def _shown(value: Value) -> str:
    return quote(value) if isinstance(value, str) else "no text"
