"""Proofs of possession: a compact JWS that a key makes over its tenant, its own thumbprint and an expiry.

    header   {"alg": one that goes with the key, "typ": TYP}, perhaps with `kid`, and nothing else
    payload  jwks-key-proof TENANT THUMBPRINT EXPIRES      (RFC 7638 with SHA-256; 2026-01-01T00:00:00Z)

The payload is text and no JSON object, so that no verifier takes a proof, which the key that signs tokens has signed,
for a token; `typ` says so too (RFC 8725 section 3.11). The tenant in it keeps one tenant's proof from being used for
another's copy of the public key.

The signatures are checked with cryptography and not jwcrypto: the registered names Ed25519 and Ed448 (RFC 9864), and
every `alg` that a policy can allow, and nothing that a header could ask for besides.
"""

import json
import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed448, ed25519, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature

from publisher.algorithm import CURVES, FITS
from publisher.jwk import EcJwk, Jwk, OkpJwk, RsaJwk, decode, encode, kind

TYP = "jwks-key-proof+jws"
"""A media type without `application/` (RFC 7515 section 4.1.9). It is not registered."""
LONGEST = timedelta(days=30)
"""How far ahead a proof may expire."""

_LABEL = "jwks-key-proof"
_PAYLOAD = re.compile(rf"{_LABEL} (\S+) ([A-Za-z0-9_-]{{43}}) (\d{{4}}-\d\d-\d\dT\d\d:\d\d:\d\dZ)", re.ASCII)
_TIME = "%Y-%m-%dT%H:%M:%SZ"
_HASHES: dict[str, hashes.HashAlgorithm] = {"256": hashes.SHA256(), "384": hashes.SHA384(), "512": hashes.SHA512()}
_CURVES: dict[str, ec.EllipticCurve] = {
    "P-256": ec.SECP256R1(),
    "P-384": ec.SECP384R1(),
    "P-521": ec.SECP521R1(),
    "secp256k1": ec.SECP256K1(),
}


class ProofError(Exception):
    """Why a text is no proof, or not this key's: a message and a hint, for people, without the text."""

    def __init__(self, message: str, hint: str = "make it anew, from `custom challenge`") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


@dataclass(frozen=True, slots=True, kw_only=True)
class Proof:
    """A well-formed proof. What it says is a claim until `verify` has been called with the key."""

    tenant: str
    thumbprint: str
    expires: datetime
    alg: str
    signed: bytes
    signature: bytes


def challenge(tenant: str, jwk: Jwk, alg: str, expires: datetime) -> str:
    """What the key is to sign, in ASCII: a proof without its last part."""
    header = json.dumps({"alg": alg, "typ": TYP}, separators=(",", ":"))
    payload = f"{_LABEL} {tenant} {jwk.thumbprint} {expires.astimezone(UTC).strftime(_TIME)}"
    return f"{encode(header.encode('ascii'))}.{encode(payload.encode('utf-8'))}"


def read_proof(text: str) -> Proof:
    """A proof from its text. Raises ProofError."""
    parts = text.split(".")
    header, payload, signature = (decode(part) for part in parts) if len(parts) == 3 else (None, None, None)
    if header is None or payload is None or signature is None:
        raise ProofError("the proof is not a compact JWS: three parts of base64url without padding, with dots between")
    alg = _alg(header)
    found = _PAYLOAD.fullmatch(payload.decode("utf-8", "replace"))
    if found is None:
        raise ProofError("the proof is not made over a tenant, a thumbprint and an expiry")
    try:
        expires = datetime.strptime(found[3], _TIME).replace(tzinfo=UTC)
    except ValueError:
        raise ProofError("the proof's expiry is no day of the calendar") from None
    signed = f"{parts[0]}.{parts[1]}".encode("ascii")
    return Proof(tenant=found[1], thumbprint=found[2], expires=expires, alg=alg, signed=signed, signature=signature)


def verify(proof: Proof, tenant: str, jwk: Jwk) -> None:
    """Whether the private half of this key has made this proof for this tenant. Raises ProofError.

    The expiry is not judged: whether a proof was fresh can be told when it comes in, and never later.
    """
    if proof.tenant != tenant:
        raise ProofError("the proof is for another tenant")
    if proof.thumbprint != jwk.thumbprint:
        raise ProofError("the proof is for another key")
    if kind(jwk) not in FITS[proof.alg]:
        raise ProofError(f"the proof's alg {proof.alg} does not go with {kind(jwk)} keys")
    try:
        _check_signature(proof, jwk)
    except (InvalidSignature, ValueError, UnsupportedAlgorithm):
        message = "the signature of the proof is not this key's"
        raise ProofError(message, "sign exactly what `custom challenge` prints, without a line's end") from None


def _alg(header: bytes) -> str:
    try:
        pairs = json.loads(header.decode("utf-8"), object_pairs_hook=list)
    except (ValueError, RecursionError):
        raise ProofError("the proof's header is not JSON") from None
    found = dict(pairs) if isinstance(pairs, list) and all(isinstance(one, tuple) for one in pairs) else {}
    if not {"alg", "typ"} <= found.keys() <= {"alg", "typ", "kid"} or len(found) != len(pairs):
        raise ProofError("the proof's header has not the members alg and typ, and perhaps kid, and no other")
    if found["typ"] != TYP:
        raise ProofError(f"the proof's `typ` is not {TYP}")
    alg = found["alg"]
    if not isinstance(alg, str) or alg not in FITS:
        raise ProofError("the proof's `alg` is not a signature algorithm for public keys")
    return alg


def _check_signature(proof: Proof, jwk: Jwk) -> None:
    """Raises InvalidSignature, or what cryptography raises for what it cannot read."""
    match jwk:
        case RsaJwk():
            digest = _HASHES[proof.alg[-3:]]
            scheme: padding.AsymmetricPadding = padding.PKCS1v15()
            if proof.alg.startswith("PS"):
                scheme = padding.PSS(mgf=padding.MGF1(digest), salt_length=digest.digest_size)
            public = rsa.RSAPublicNumbers(jwk.exponent, jwk.modulus).public_key()
            public.verify(proof.signature, proof.signed, scheme, digest)
        case EcJwk():
            width = CURVES[jwk.crv][1]
            if len(proof.signature) != 2 * width:
                raise InvalidSignature
            r, s = (int.from_bytes(half, "big") for half in (proof.signature[:width], proof.signature[width:]))
            x, y = (int.from_bytes(decode(one) or b"", "big") for one in (jwk.x, jwk.y))
            digest = _HASHES[proof.alg.removesuffix("K")[-3:]]
            point = ec.EllipticCurvePublicNumbers(x, y, _CURVES[jwk.crv]).public_key()
            point.verify(encode_dss_signature(r, s), proof.signed, ec.ECDSA(digest))
        case OkpJwk():
            raw = decode(jwk.x) or b""
            family = ed25519.Ed25519PublicKey if jwk.crv == "Ed25519" else ed448.Ed448PublicKey
            family.from_public_bytes(raw).verify(proof.signature, proof.signed)
