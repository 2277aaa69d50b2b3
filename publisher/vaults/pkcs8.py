"""Private keys as encrypted PKCS#8 in PEM (RFC 5958, RFC 7468 section 11), as OpenSSL and all libraries read it.

cryptography writes this form with 2,048 rounds of PBKDF2 and lets nobody choose more (50.0; its encryption_builder does
OpenSSH and PKCS#12 only). For a passphrase that people choose that is too little: OWASP's Password Storage Cheat Sheet
asks for 600,000 with HMAC-SHA-256. So the envelope is put together here: PBES2 of RFC 8018 appendix A, with
PBKDF2-HMAC-SHA-256 and AES-256-CBC. Reading it is cryptography's work.
"""

import base64
import os
import textwrap
from typing import TypeAlias

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed448, ed25519, rsa
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.kdf.pbkdf2 import PBKDF2HMAC
from cryptography.hazmat.primitives.padding import PKCS7
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)

PrivateKey: TypeAlias = (
    rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey | ed448.Ed448PrivateKey
)

ROUNDS = 600_000
"""Rounds of PBKDF2: 0.1 s to write or read a key."""

_CURVES: dict[str, type[ec.EllipticCurve]] = {
    "P-256": ec.SECP256R1,
    "P-384": ec.SECP384R1,
    "P-521": ec.SECP521R1,
    "secp256k1": ec.SECP256K1,
}
_SEQUENCE, _OCTETS, _INTEGER = 0x30, 0x04, 0x02
# Object identifiers, whole, and the NULL that HMAC's parameters are (RFC 8018 appendices A.2, A.4, B.1.2, B.2.5).
_PBES2 = bytes.fromhex("06092a864886f70d01050d")
_PBKDF2 = bytes.fromhex("06092a864886f70d01050c")
_HMAC_SHA256 = bytes.fromhex("06082a864886f70d0209 0500")
_AES_256_CBC = bytes.fromhex("060960864801650304012a")


def generate(kind: str, bits: int) -> PrivateKey:
    """A new key: `RSA` of so many bits, or on a curve."""
    match kind:
        case "RSA":
            return rsa.generate_private_key(public_exponent=65537, key_size=bits)
        case "Ed25519":
            return ed25519.Ed25519PrivateKey.generate()
        case "Ed448":
            return ed448.Ed448PrivateKey.generate()
        case _:
            return ec.generate_private_key(_CURVES[kind]())


def encrypted_pem(key: PrivateKey, passphrase: bytes, *, rounds: int = ROUNDS) -> bytes:
    """The key's PEM. The same key has another one each time."""
    salt, iv = os.urandom(16), os.urandom(16)
    pad = PKCS7(128).padder()
    plain = pad.update(key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())) + pad.finalize()
    secret = PBKDF2HMAC(algorithm=hashes.SHA256(), length=32, salt=salt, iterations=rounds).derive(passphrase)
    cipher = Cipher(algorithms.AES256(secret), modes.CBC(iv)).encryptor()
    derivation = _der(_SEQUENCE, _der(_OCTETS, salt), _der(_INTEGER, _integer(rounds)), _der(_SEQUENCE, _HMAC_SHA256))
    scheme = _der(_SEQUENCE, _der(_SEQUENCE, _PBKDF2, derivation), _der(_SEQUENCE, _AES_256_CBC, _der(_OCTETS, iv)))
    sealed = _der(_OCTETS, cipher.update(plain) + cipher.finalize())
    return _pem(_der(_SEQUENCE, _der(_SEQUENCE, _PBES2, scheme), sealed))


def decrypted(data: bytes, passphrase: bytes) -> PrivateKey | None:
    """The key of such a PEM, or None where it is none or the passphrase does not open it."""
    try:
        key = load_pem_private_key(data, passphrase)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        return None  # the error's text is nothing to show
    known = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey | ed448.Ed448PrivateKey
    return key if isinstance(key, known) else None


def _pem(der: bytes) -> bytes:
    body = "\n".join(textwrap.wrap(base64.b64encode(der).decode("ascii"), 64))
    return f"-----BEGIN ENCRYPTED PRIVATE KEY-----\n{body}\n-----END ENCRYPTED PRIVATE KEY-----\n".encode("ascii")


def _integer(number: int) -> bytes:
    """The content of a DER integer that is not negative."""
    return number.to_bytes(number.bit_length() // 8 + 1, "big")


def _der(tag: int, *parts: bytes) -> bytes:
    content = b"".join(parts)
    size = len(content)
    if size < 0x80:
        return bytes([tag, size]) + content
    length = size.to_bytes((size.bit_length() + 7) // 8, "big")
    return bytes([tag, 0x80 | len(length)]) + length + content
