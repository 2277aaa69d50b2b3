"""An X.509 chain that goes with a key: x5c, x5t and x5t#S256 of RFC 7517 section 4.

What a chain is by itself is judged here; that it belongs to the key and covers its window, in `material` and `rules/`.
"""

import base64
import binascii
import hashlib
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TypeVar

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.asymmetric.types import PublicKeyTypes
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.utils import CryptographyDeprecationWarning
from cryptography.x509.oid import SignatureAlgorithmOID

from publisher.diagnostic import Rule, Where
from publisher.fields import Reading
from publisher.jwk import encode

ENCODING = Rule(
    id="certificate-encoding",
    doc="x5c holds standard base64 (not base64url) of DER certificates, one string each, without line breaks "
    "(RFC 7517 section 4.7); `certificate` holds PEM.",
)
CHAIN = Rule(
    id="certificate-chain",
    doc="The first certificate holds the key, and each one is issued and signed by the next (RFC 7517 section 4.7). "
    "A self-signed one stands alone.",
)
THUMBPRINT = Rule(
    id="certificate-thumbprint",
    doc="x5t and x5t#S256 are base64url of the SHA-1 and SHA-256 digest of the first certificate's DER (RFC 7517 "
    "sections 4.8 and 4.9), not of the digest in hexadecimal, which makes keyfunc and go-jose refuse the whole set.",
)
KEY = Rule(
    id="certificate-key",
    doc="The first certificate's public key is the JWK's key (RFC 7517 section 4.7): go-jose refuses a whole set for "
    "one that differs, and others trust the wrong key.",
)
RULES = (ENCODING, CHAIN, THUMBPRINT, KEY)

MAX_CHAIN = 5
"""Certificates in a chain; each adds 1-2 KB to every document."""

Given = TypeVar("Given")
Result = TypeVar("Result")
_UNREADABLE = (ValueError, TypeError, UnsupportedAlgorithm, x509.InvalidVersion, CryptographyDeprecationWarning)


@dataclass(frozen=True, slots=True, kw_only=True)
class Chain:
    """A chain in order, leaf first. `x5c` is as JWK has it; valid from `not_before` to `not_after` as a whole."""

    x5c: tuple[str, ...]
    not_before: datetime
    not_after: datetime
    x5t: str
    x5t_s256: str


def read_pem(data: bytes, where: Where, reading: Reading) -> tuple[Chain, PublicKeyTypes] | None:
    """The chain in PEM text and its leaf's public key. Notes what is wrong; None if anything is."""
    try:
        certificates = _strictly(x509.load_pem_x509_certificates, data)
    except _UNREADABLE as error:
        message, hint = _unreadable(error, "this is not a PEM certificate", "give -----BEGIN CERTIFICATE----- blocks")
        reading.note(ENCODING, where, message, hint)
        return None
    return _chain(certificates, [where] * len(certificates), reading)


def read_x5c(items: Sequence[str], where: Where, reading: Reading) -> tuple[Chain, PublicKeyTypes] | None:
    """The chain of an `x5c` member and its leaf's public key. Notes what is wrong; None if anything is."""
    if not items:
        reading.note(ENCODING, where, "`x5c` is empty", "leave it out, or put the key's certificate first")
        return None
    certificates, places = [], []
    for index, text in enumerate(items):
        place = (*where, index)
        try:
            der = base64.b64decode(text, validate=True)
            if base64.b64encode(der).decode("ascii") != text:
                raise binascii.Error
            certificates.append(_strictly(x509.load_der_x509_certificate, der))
            places.append(place)
        except _UNREADABLE as error:
            message, hint = "this is not a DER certificate in standard base64", "use A-Z a-z 0-9 + / and padding alone"
            reading.note(ENCODING, place, *_unreadable(error, message, hint))
    return _chain(certificates, places, reading) if len(certificates) == len(items) else None


def thumbprint_fault(name: str, given: str, right: str) -> tuple[str, str] | None:
    """What is wrong with a given x5t or x5t#S256, and the hint; None where it is right."""
    if given == right:
        return None
    digest = base64.urlsafe_b64decode(right + "=" * (-len(right) % 4))
    hexadecimal = {encode(text.encode("ascii")) for text in (digest.hex(), digest.hex().upper())}
    if given in hexadecimal:
        return (
            f"`{name}` is the base64url of the digest in hexadecimal, not of its {len(digest)} bytes",
            f"write {right}",
        )
    return f"`{name}` is not the digest of the first certificate", f"write {right}, or leave `{name}` out"


def _chain(
    certificates: list[x509.Certificate], places: Sequence[Where], reading: Reading
) -> tuple[Chain, PublicKeyTypes] | None:
    if len(certificates) > MAX_CHAIN:
        reading.note(CHAIN, places[0], f"{len(certificates)} certificates are too many", f"at most {MAX_CHAIN}")
        return None
    for index, issuer in enumerate(certificates[1:]):
        if not _issued_by(certificates[index], issuer):
            message = f"certificate {index + 1} of the chain is not issued by the next one"
            reading.note(CHAIN, places[index + 1], message, "put the leaf first and each issuer right after")
            return None
    last = certificates[-1]
    try:
        found = _strictly(_read_chain, certificates)
        is_root = last.issuer == last.subject
    except _UNREADABLE:
        message = "the certificate's names, its key or its validity cannot be read"
        reading.note(ENCODING, places[0], message, "use an RSA, EC or Ed25519 key, and names and dates of RFC 5280")
        return None
    if is_root and not _issued_by(last, last):
        reading.note(CHAIN, places[-1], "the signature of the last certificate is wrong", "copy it again")
        return None
    return found


def _read_chain(certificates: list[x509.Certificate]) -> tuple[Chain, PublicKeyTypes]:
    encoded = [one.public_bytes(Encoding.DER) for one in certificates]
    chain = Chain(
        x5c=tuple(base64.b64encode(der).decode("ascii") for der in encoded),
        not_before=max(one.not_valid_before_utc for one in certificates),
        not_after=min(one.not_valid_after_utc for one in certificates),
        x5t=encode(hashlib.sha1(encoded[0], usedforsecurity=False).digest()),
        x5t_s256=encode(hashlib.sha256(encoded[0]).digest()),
    )
    return chain, certificates[0].public_key()


def _strictly(load: Callable[[Given], Result], given: Given) -> Result:
    """What cryptography warns of now, and will refuse in a later version, is refused: a verdict outlives versions."""
    with warnings.catch_warnings():
        warnings.simplefilter("error", CryptographyDeprecationWarning)
        return load(given)


def _unreadable(error: Exception, message: str, hint: str) -> tuple[str, str]:
    if isinstance(error, CryptographyDeprecationWarning):
        return "the certificate breaks X.509 (RFC 5280)", "make it again: a serial number is positive, say"
    return message, hint


def _issued_by(certificate: x509.Certificate, issuer: x509.Certificate) -> bool:
    try:
        if certificate.signature_algorithm_oid == SignatureAlgorithmOID.RSA_WITH_SHA1:
            return _issued_with_sha1(certificate, issuer)
        certificate.verify_directly_issued_by(issuer)
    except (ValueError, TypeError, InvalidSignature, UnsupportedAlgorithm):
        return False
    return True


def _issued_with_sha1(certificate: x509.Certificate, issuer: x509.Certificate) -> bool:
    """cryptography does not verify these, and Auth0's own of 2015 is one. Nobody trusts a key for its x5c."""
    key = issuer.public_key()
    if not isinstance(key, rsa.RSAPublicKey) or certificate.issuer != issuer.subject:
        return False
    key.verify(certificate.signature, certificate.tbs_certificate_bytes, padding.PKCS1v15(), hashes.SHA1())  # noqa: S303
    return True
