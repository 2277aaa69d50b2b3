"""Real keys for tests, made in memory: as JWK, PEM and certificates, and as the text that key-set files hold.

Keys are made once a process and by number, as RSA keys take time: the same arguments give the same key, and but for RSA
in every process, as rules and documents sort by thumbprint. The JWKs come from jwcrypto and the PEM from cryptography,
so that nothing here rests on the code under test.
"""

import base64
import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from functools import cache
from typing import Any, Literal, TypeAlias

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed448, ed25519, rsa
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    KeySerializationEncryption,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)
from cryptography.x509.oid import NameOID
from jwcrypto.jwk import JWK

PrivateKey: TypeAlias = (
    rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey | ed448.Ed448PrivateKey
)

CURVES: Mapping[str, ec.EllipticCurve] = {
    "P-256": ec.SECP256R1(),
    "P-384": ec.SECP384R1(),
    "P-521": ec.SECP521R1(),
    "secp256k1": ec.SECP256K1(),
}
VALID_FROM, VALID_UNTIL = datetime(2020, 1, 1, tzinfo=UTC), datetime(2040, 1, 1, tzinfo=UTC)
PASSPHRASE = b"correct horse battery staple and a few more words"

_PLAIN = re.compile(r"[A-Za-z_+/=#-][A-Za-z0-9_+/=.-]*")


def rsa_key(number: int = 0, bits: int = 2048) -> rsa.RSAPrivateKey:
    """An RSA key pair."""
    return _rsa(number, bits)


def ec_key(number: int = 0, crv: str = "P-256") -> ec.EllipticCurvePrivateKey:
    """A key pair on P-256, P-384, P-521 or secp256k1."""
    return _ec(number, crv)


def okp_key(number: int = 0, crv: str = "Ed25519") -> ed25519.Ed25519PrivateKey | ed448.Ed448PrivateKey:
    """An Ed25519 or Ed448 key pair."""
    return _okp(number, crv)


def key_of(kind: str, number: int = 0) -> PrivateKey:
    """A key pair by `RSA` or the name of its curve."""
    if kind == "RSA":
        return rsa_key(number)
    return ec_key(number, kind) if kind in CURVES else okp_key(number, kind)


def public_jwk(key: PrivateKey) -> dict[str, str]:
    """The public members."""
    return _members(JWK.from_pyca(key.public_key()).export_public(as_dict=True))


def private_jwk(key: PrivateKey) -> dict[str, str]:
    """All members, the private ones too: what must never get into a key set."""
    return _members(JWK.from_pyca(key).export(as_dict=True))


def rsa_numbers(n: int, e: int = 65537) -> dict[str, str]:
    """A JWK with these numbers, whatever they are."""
    return {"kty": "RSA", "n": base64url(_minimal(n)), "e": base64url(_minimal(e))}


def thumbprint(key: PrivateKey) -> str:
    """RFC 7638, SHA-256."""
    found: str = JWK.from_pyca(key.public_key()).thumbprint()
    return found


def public_pem(key: PrivateKey, form: PublicFormat = PublicFormat.SubjectPublicKeyInfo) -> str:
    """The public half: SubjectPublicKeyInfo, or PKCS1 for RSA."""
    return key.public_key().public_bytes(Encoding.PEM, form).decode()


def private_pem(key: PrivateKey, form: PrivateFormat = PrivateFormat.PKCS8, *, encrypted: bool = False) -> str:
    """The private half: PKCS8, TraditionalOpenSSL or OpenSSH."""
    guard: KeySerializationEncryption = BestAvailableEncryption(PASSPHRASE) if encrypted else NoEncryption()
    return key.private_bytes(Encoding.PEM, form, guard).decode()


def certificate(
    key: PrivateKey,
    name: str = "leaf",
    issuer: "tuple[x509.Certificate, PrivateKey] | None" = None,
    *,
    start: datetime = VALID_FROM,
    end: datetime = VALID_UNTIL,
) -> x509.Certificate:
    """A certificate of the key; self-signed, or issued by a certificate with its key."""
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    signer = key if issuer is None else issuer[1]
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject if issuer is None else issuer[0].subject)
        .public_key(key.public_key())
        .serial_number(7)
        .not_valid_before(start)
        .not_valid_after(end)
    )
    return builder.sign(
        signer, hashes.SHA256() if isinstance(signer, rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey) else None
    )


def chain(length: int, kind: str = "RSA") -> tuple[x509.Certificate, ...]:
    """Certificates, the leaf of `key_of(kind)` first, each issued by the next, the last one self-signed."""
    return _chain(length, kind)


@cache
def _chain(length: int, kind: str) -> tuple[x509.Certificate, ...]:
    made: list[x509.Certificate] = []
    for level in reversed(range(length)):
        key = key_of(kind) if level == 0 else ec_key(900 + level)
        issuer = (made[0], ec_key(901 + level)) if made else None
        made.insert(0, certificate(key, f"level {level}", issuer))
    return tuple(made)


def certificate_pem(*certificates: x509.Certificate) -> str:
    """PEM blocks in the order given."""
    return "".join(one.public_bytes(Encoding.PEM).decode() for one in certificates)


def x5c(*certificates: x509.Certificate) -> list[str]:
    """As the JWK member has them."""
    return [base64.b64encode(one.public_bytes(Encoding.DER)).decode() for one in certificates]


def x5t(one: x509.Certificate, name: Literal["x5t", "x5t#S256"] = "x5t") -> str:
    """The certificate's thumbprint as the JWK member has it."""
    return base64url(one.fingerprint(hashes.SHA1() if name == "x5t" else hashes.SHA256()))  # noqa: S303


def base64_lines(label: str, data: bytes) -> str:
    """A PEM block of any label and content."""
    return f"-----BEGIN {label}-----\n{base64.encodebytes(data).decode()}-----END {label}-----\n"


def base64url(data: bytes) -> str:
    """Without padding."""
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def decoded(text: str) -> bytes:
    """The bytes of base64url without padding."""
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def flow(value: str | Sequence[Any] | Mapping[str, Any]) -> str:
    """A value as it stands in YAML on one line; text is quoted where it needs to be."""
    if isinstance(value, str):
        return value if _PLAIN.fullmatch(value) else json.dumps(value)
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{name}: {flow(item)}" for name, item in value.items()) + "}"
    return "[" + ", ".join(flow(item) for item in value) + "]"


def block(text: str, indent: int = 6) -> str:
    """Several lines as a literal block: what stands after `pem: `."""
    return "|\n" + "".join(f"{' ' * indent}{line}\n" for line in text.splitlines()).rstrip("\n")


def entry(alg: str, **fields: Any) -> str:
    """An entry of a key list, a field a line, `kid` first; a text of several lines becomes a block."""
    named = {**({"kid": fields.pop("kid")} if "kid" in fields else {}), "alg": alg, **fields}
    shown = {
        name: block(value) if isinstance(value, str) and "\n" in value else flow(value) for name, value in named.items()
    }
    return "  - " + "\n    ".join(f"{name}: {text}" for name, text in shown.items()) + "\n"


@cache
def _rsa(number: int, bits: int) -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(65537, bits)


@cache
def _ec(number: int, crv: str) -> ec.EllipticCurvePrivateKey:
    curve = CURVES[crv]
    return ec.derive_private_key(int.from_bytes(_seed(number, crv, curve.key_size // 8)) | 1, curve)


@cache
def _okp(number: int, crv: str) -> ed25519.Ed25519PrivateKey | ed448.Ed448PrivateKey:
    if crv == "Ed25519":
        return ed25519.Ed25519PrivateKey.from_private_bytes(_seed(number, crv, 32))
    return ed448.Ed448PrivateKey.from_private_bytes(_seed(number, crv, 57))


def _seed(number: int, crv: str, size: int) -> bytes:
    return hashlib.shake_256(f"{crv} {number}".encode()).digest(size)


def _minimal(number: int) -> bytes:
    return number.to_bytes(max(1, (number.bit_length() + 7) // 8), "big")


def _members(value: Mapping[str, str]) -> dict[str, str]:
    return {name: item for name, item in value.items() if name != "kid"}
