"""From a JWK's members, or a key that was read from PEM or a certificate, to a `Jwk`; and what is refused on the way.

Strength and policy are judged in `rules/`; `kid`, `alg`, certificates and the rest of an entry in `material`.
"""

import re
from collections.abc import Mapping

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed448, ed25519, rsa
from cryptography.hazmat.primitives.asymmetric.types import PublicKeyTypes

from publisher.algorithm import CURVES
from publisher.diagnostic import Rule, Where, quote
from publisher.fields import MISSING, UNKNOWN, Reading, Text, suggest
from publisher.jwk import MEMBERS, Jwk, decode, ec_jwk, encode, encode_integer, okp_jwk, rsa_jwk
from publisher.weakness import ed448_point_error, ed25519_point_error, weierstrass_contains
from publisher.yamlfile import Value

PRIVATE = Rule(
    id="private-key",
    doc="Private key material has no place in a key set: whoever reads it can mint tokens, and the verifiers that were "
    "tried publish and accept it without a word. Refused are the members d, p, q, dp, dq, qi, oth and k "
    "(RFC 7518 section 6, RFC 8037 section 2) and private keys in PEM, OpenSSH and PuTTY form in any file of a tenant. "
    "The value is never shown. A key that was committed is exposed: replace it.",
)
SYMMETRIC = Rule(
    id="symmetric-key",
    doc="`kty: oct` is a shared secret (RFC 7518 section 6.4): publishing it lets everybody mint tokens.",
)
KEY_TYPE = Rule(
    id="key-type",
    doc="`kty` is RSA, EC or OKP. One key of a type that a verifier cannot read makes many of them refuse the whole "
    "set (go-jose, authlib, joserfc).",
)
CURVE = Rule(
    id="key-curve",
    doc="`crv` is a signature curve of its kty: P-256, P-384, P-521, secp256k1 (EC); Ed25519, Ed448 (OKP). X25519 and "
    "X448 are for key agreement (RFC 8037 section 3.2).",
)
BASE64URL = Rule(
    id="base64url",
    doc="Key members are base64url without padding, line breaks or stray bits (RFC 7515 section 2, RFC 4648 section "
    "3.5): joserfc refuses a whole set for one `=`, and two spellings of one key would have two thumbprints.",
)
INTEGER = Rule(
    id="key-integer",
    doc="`n` and `e` have no leading zero byte (RFC 7518 section 2, Base64urlUInt): a second spelling of one key would "
    "have another thumbprint.",
)
COORDINATE = Rule(
    id="key-coordinate",
    doc="Coordinates and OKP keys have the full width of their curve (RFC 7518 section 6.2.1.2, RFC 8037 section 2).",
)
POINT = Rule(
    id="key-point",
    doc="The public key is a point on its curve, in canonical form and not of small order. joserfc refuses a whole set "
    "for a point that is off its curve; with a point of small order, signatures can be made without a key.",
)
RULES = (PRIVATE, SYMMETRIC, KEY_TYPE, CURVE, BASE64URL, INTEGER, COORDINATE, POINT)

PRIVATE_MEMBERS = frozenset({"d", "p", "q", "dp", "dq", "qi", "oth", "k"})
_ALPHABET = re.compile(r"[A-Za-z0-9_-]+", re.ASCII)
_MEMBER = Text(what="base64url text", max_length=8192)
_NAME = Text(what="a name", max_length=64)


def parse(value: Mapping[str, Value], where: Where, reading: Reading) -> Jwk | None:
    """Read the key members of a JWK; other members are not looked at. Notes what is wrong; None if anything is."""
    if not _is_public(value, where, reading):
        return None
    kty = reading.read(_NAME, value["kty"], (*where, "kty"))
    if kty is None:
        return None
    if kty not in MEMBERS:
        reading.note(KEY_TYPE, (*where, "kty"), f"{quote(kty)} is not a public key type here", "write RSA, EC or OKP")
        return None
    if not _has_members(kty, value, where, reading):
        return None
    if kty == "RSA":
        return _parse_rsa(value, where, reading)
    return _parse_curve(kty, value, where, reading)


def from_public_key(key: PublicKeyTypes, where: Where, reading: Reading) -> Jwk | None:
    """The Jwk of a key that was read from PEM or a certificate. Notes what is wrong; None if anything is."""
    if isinstance(key, rsa.RSAPublicKey):
        numbers = key.public_numbers()
        return rsa_jwk(encode_integer(numbers.n), encode_integer(numbers.e), numbers.n, numbers.e)
    if isinstance(key, ec.EllipticCurvePublicKey):
        crv = {"secp256r1": "P-256", "secp384r1": "P-384", "secp521r1": "P-521"}.get(key.curve.name, key.curve.name)
        if crv in CURVES:
            point, width = key.public_numbers(), CURVES[crv][1]
            return ec_jwk(crv, encode(point.x.to_bytes(width, "big")), encode(point.y.to_bytes(width, "big")))
        reading.note(CURVE, where, f"the curve {quote(crv)} is not a signature curve of JOSE", "use P-256")
        return None
    if isinstance(key, ed25519.Ed25519PublicKey | ed448.Ed448PublicKey):
        crv = "Ed25519" if isinstance(key, ed25519.Ed25519PublicKey) else "Ed448"
        raw = key.public_bytes(serialization.Encoding.Raw, serialization.PublicFormat.Raw)
        return _checked_okp(crv, encode(raw), raw, where, reading)
    reading.note(KEY_TYPE, where, "this is not an RSA, EC or Ed25519 key", "give a key that can sign tokens")
    return None


def private_member(name: str) -> tuple[str, str]:
    """Message and hint for a private member."""
    hint = "publish the public half only; treat this key as exposed and replace it"
    return f"`{name}` is a member of private keys", hint


def _is_public(value: Mapping[str, Value], where: Where, reading: Reading) -> bool:
    if value.get("kty") == "oct":
        message = "`oct` is a symmetric key: a secret that would be published"
        reading.note(SYMMETRIC, (*where, "kty"), message, "give a public RSA, EC or OKP key; treat this one as exposed")
        return False
    private = [name for name in value if name in PRIVATE_MEMBERS]
    for name in private:
        reading.note(PRIVATE, (*where, name), *private_member(name), at_key=True)
    if "kty" not in value and not private:
        reading.note(MISSING, where, "`kty` is missing", "add `kty: RSA`, `kty: EC` or `kty: OKP`")
    return not private and "kty" in value


def _has_members(kty: str, value: Mapping[str, Value], where: Where, reading: Reading) -> bool:
    complete = True
    for name in MEMBERS[kty]:
        if name not in value:
            reading.note(MISSING, where, f"`{name}` is missing", f"an {kty} key has {', '.join(MEMBERS[kty])}")
            complete = False
    for name in ("n", "e", "crv", "x", "y"):
        if name in value and name not in MEMBERS[kty]:
            message = f"`{name}` is not a member of {kty} keys"
            reading.note(UNKNOWN, (*where, name), message, f"an {kty} key has {', '.join(MEMBERS[kty])}", at_key=True)
            complete = False
    return complete


def _parse_rsa(value: Mapping[str, Value], where: Where, reading: Reading) -> Jwk | None:
    n, e = _member("n", value, where, reading), _member("e", value, where, reading)
    if n is None or e is None:
        return None
    for name, data in (("n", n[1]), ("e", e[1])):
        if data[0] == 0 and data != b"\0":
            hint = (
                f"write it as {encode_integer(int.from_bytes(data, 'big'))}" if name == "e" else "strip the zero bytes"
            )
            reading.note(INTEGER, (*where, name), f"`{name}` begins with a zero byte", hint)
            return None
    return rsa_jwk(n[0], e[0], int.from_bytes(n[1], "big"), int.from_bytes(e[1], "big"))


def _parse_curve(kty: str, value: Mapping[str, Value], where: Where, reading: Reading) -> Jwk | None:
    crv = reading.read(_NAME, value["crv"], (*where, "crv"))
    if crv is None:
        return None
    if crv not in CURVES or CURVES[crv][0] != kty:
        fitting = [name for name, (curve_kty, _) in CURVES.items() if curve_kty == kty]
        reading.note(CURVE, (*where, "crv"), f"{quote(crv)} is not a signature curve of {kty}", suggest(crv, fitting))
        return None
    x = _coordinate("x", crv, value, where, reading)
    if kty == "OKP":
        return None if x is None else _checked_okp(crv, x[0], x[1], (*where, "x"), reading)
    y = _coordinate("y", crv, value, where, reading)
    if x is None or y is None:
        return None
    if not weierstrass_contains(crv, int.from_bytes(x[1], "big"), int.from_bytes(y[1], "big")):
        reading.note(POINT, (*where, "x"), f"the point (x, y) is not on {crv}", "copy x and y again from the key")
        return None
    return ec_jwk(crv, x[0], y[0])


def _checked_okp(crv: str, x: str, raw: bytes, where: Where, reading: Reading) -> Jwk | None:
    reason = ed25519_point_error(raw) if crv == "Ed25519" else ed448_point_error(raw)
    if reason is not None:
        reading.note(POINT, where, f"not an {crv} public key: {reason}", "copy it again from the key")
        return None
    return okp_jwk(crv, x)


def _coordinate(
    name: str, crv: str, value: Mapping[str, Value], where: Where, reading: Reading
) -> tuple[str, bytes] | None:
    found, width = _member(name, value, where, reading), CURVES[crv][1]
    if found is not None and len(found[1]) != width:
        message = f"`{name}` has {len(found[1])} bytes, and {crv} takes {width}"
        reading.note(COORDINATE, (*where, name), message, "pad with zero bytes on the left, before base64url")
        return None
    return found


def _member(name: str, value: Mapping[str, Value], where: Where, reading: Reading) -> tuple[str, bytes] | None:
    text = reading.read(_MEMBER, value[name], (*where, name))
    if text is None:
        return None
    data = decode(text)
    if data is None:
        hint = "remove the padding `=`" if _ALPHABET.fullmatch(text.rstrip("=")) else "use A-Z a-z 0-9 - _ only"
        if _ALPHABET.fullmatch(text) and len(text) % 4 == 1:
            hint = "a character is missing, or one is too many: copy it again"
        elif _ALPHABET.fullmatch(text):
            hint = "the last character holds bits that belong to no byte: encode it again"
        reading.note(BASE64URL, (*where, name), f"`{name}` is not canonical base64url", hint)
        return None
    return text, data
