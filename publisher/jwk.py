"""One public key, as a value. A `Jwk` is well-formed, canonical and on its curve, and cannot hold a private member.

How one comes to be, from a JWK, PEM or a certificate, and what is refused then, is in `publickey`.
"""

import base64
import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeAlias, assert_never

from publisher.algorithm import CURVES
from publisher.weakness import weierstrass_negative

MEMBERS: Mapping[str, tuple[str, ...]] = {"RSA": ("n", "e"), "EC": ("crv", "x", "y"), "OKP": ("crv", "x")}

_ALPHABET = re.compile(r"[A-Za-z0-9_-]+", re.ASCII)


@dataclass(frozen=True, slots=True, kw_only=True)
class RsaJwk:
    """An RSA public key. `n` and `e` are canonical base64url; `thumbprint` is RFC 7638 with SHA-256, base64url."""

    n: str
    e: str
    modulus: int
    exponent: int
    thumbprint: str


@dataclass(frozen=True, slots=True, kw_only=True)
class EcJwk:
    """A point on a NIST curve or secp256k1; members as in RFC 7518 section 6.2, `thumbprint` as in `RsaJwk`."""

    crv: str
    x: str
    y: str
    thumbprint: str


@dataclass(frozen=True, slots=True, kw_only=True)
class OkpJwk:
    """An Ed25519 or Ed448 public key (RFC 8037); `thumbprint` as in `RsaJwk`."""

    crv: str
    x: str
    thumbprint: str


Jwk: TypeAlias = RsaJwk | EcJwk | OkpJwk


def members(jwk: Jwk) -> dict[str, str]:
    """The public members, `kty` first."""
    match jwk:
        case RsaJwk():
            return {"kty": "RSA", "n": jwk.n, "e": jwk.e}
        case EcJwk():
            return {"kty": "EC", "crv": jwk.crv, "x": jwk.x, "y": jwk.y}
        case OkpJwk():
            return {"kty": "OKP", "crv": jwk.crv, "x": jwk.x}
        case _:
            assert_never(jwk)


def kind(jwk: Jwk) -> str:
    """`RSA`, or the curve: what an algorithm must fit."""
    return "RSA" if isinstance(jwk, RsaJwk) else jwk.crv


def identity(jwk: Jwk) -> bytes:
    """16 bytes that are the same for every key that one private half makes: SHA-256 of the kind and `n` or `x`.

    Whoever holds a private key holds its negative too, whose point has the same x; and an RSA modulus that can be
    factored can be with any exponent.
    """
    if isinstance(jwk, OkpJwk):
        raw = bytearray(decode(jwk.x) or b"")
        raw[-1] &= 0x7F  # the sign of x (RFC 8032 section 5.1.2)
        return hashlib.sha256(jwk.crv.encode() + raw).digest()[:16]
    return hashlib.sha256(f"{kind(jwk)} {jwk.n if isinstance(jwk, RsaJwk) else jwk.x}".encode()).digest()[:16]


def negative_thumbprint(jwk: Jwk) -> str | None:
    """The thumbprint of the negative of an EC or Ed25519 key: whoever has the private half of one has the other's."""
    if isinstance(jwk, EcJwk):
        y = int.from_bytes(decode(jwk.y) or b"", "big")
        other = weierstrass_negative(jwk.crv, y).to_bytes(CURVES[jwk.crv][1], "big")
        return ec_jwk(jwk.crv, jwk.x, encode(other)).thumbprint
    if isinstance(jwk, OkpJwk):
        raw = bytearray(decode(jwk.x) or b"")
        raw[-1] ^= 0x80
        return okp_jwk(jwk.crv, encode(bytes(raw))).thumbprint
    return None


def encode(data: bytes) -> str:
    """base64url without padding."""
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode("ascii")


def encode_integer(number: int) -> str:
    """Base64urlUInt of RFC 7518 section 2: as few bytes as hold it, one for zero."""
    return encode(number.to_bytes(max(1, (number.bit_length() + 7) // 8), "big"))


def decode(text: str) -> bytes | None:
    """The bytes of canonical base64url, or None."""
    if _ALPHABET.fullmatch(text) is None or len(text) % 4 == 1:
        return None
    data = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    # Another spelling of the same bytes (stray bits in the last character) is not canonical.
    return data if encode(data) == text else None


def rsa_jwk(n: str, e: str, modulus: int, exponent: int) -> RsaJwk:
    """An RSA key of canonical members, which are not looked at again."""
    thumbprint = _thumbprint(f'{{"e":"{e}","kty":"RSA","n":"{n}"}}')
    return RsaJwk(n=n, e=e, modulus=modulus, exponent=exponent, thumbprint=thumbprint)


def ec_jwk(crv: str, x: str, y: str) -> EcJwk:
    """An EC key of canonical members of a point on its curve, which are not looked at again."""
    return EcJwk(crv=crv, x=x, y=y, thumbprint=_thumbprint(f'{{"crv":"{crv}","kty":"EC","x":"{x}","y":"{y}"}}'))


def okp_jwk(crv: str, x: str) -> OkpJwk:
    """An OKP key of a canonical member, which is not looked at again."""
    return OkpJwk(crv=crv, x=x, thumbprint=_thumbprint(f'{{"crv":"{crv}","kty":"OKP","x":"{x}"}}'))


def _thumbprint(canonical: str) -> str:
    """RFC 7638 section 3: SHA-256 over the required members in lexicographic order, without spaces."""
    return encode(hashlib.sha256(canonical.encode("ascii")).digest())
