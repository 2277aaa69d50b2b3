"""The keys that seal releases: one private key that signs, and the public keys that are trusted to have signed.

What is sealed and how is in `seal`. Keys of tenants are not read here: these are the platform's own. Which algorithm a
key signs with follows from its kind alone, so that no header and no file chooses a weaker one (RFC 8725 section 3.1).
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes
from cryptography.hazmat.primitives.serialization import load_pem_private_key, load_pem_public_key
from jwcrypto.jwk import JWK

from publisher.diagnostic import quote
from publisher.fields import Reading
from publisher.jwk import MEMBERS, Jwk, RsaJwk, kind, negative_thumbprint
from publisher.known_keys import KNOWN
from publisher.publickey import from_public_key, parse
from publisher.secrets import private_key_places
from publisher.weakness import close_primes, roca, small_factor

ALGORITHMS: Mapping[str, str] = MappingProxyType(
    {"RSA": "PS256", "P-256": "ES256", "P-384": "ES384", "P-521": "ES512", "Ed25519": "EdDSA"}
)
"""Kind of key -> the one `alg` it signs with. RSA is PSS: RFC 8017 section 8 asks new applications to use it."""

LIMIT_KEYS = 100
"""Keys that one file of trusted keys may hold."""

_RSA_BITS = range(2048, 8192 + 1)
_RSA_EXPONENT = 65537
_WANTED = "give an RSA key of 2048 bits or more, or one on P-256, P-384, P-521 or Ed25519"
_MAKE = "make one with `openssl genpkey -algorithm ed25519`"
_BEGIN = re.compile(rb"-----BEGIN ([A-Z0-9 ]+)-----")
# What stands beside a block may say anything of it, so nothing does (RFC 7468 allows it).
_BLOCK = re.compile(rb"\s*(-----BEGIN ((?:RSA )?PUBLIC KEY)-----[A-Za-z0-9+/=\s]+-----END \2-----)\s*")
_ENCRYPTED = re.compile(rb"-----BEGIN ENCRYPTED |^Proc-Type: *4,ENCRYPTED", re.MULTILINE)
_PARAMETERS = re.compile(rb"-----BEGIN EC PARAMETERS-----[A-Za-z0-9+/=\s]+-----END EC PARAMETERS-----\s*")


class SealError(Exception):
    """A seal or its keys are not as they must be. One line for people, with what to do, and never key material."""


class UnknownSignerError(SealError):
    """A well-formed seal by a key that is not trusted: it may be the list of trusted keys that is wrong."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SigningKey:
    """A private key that seals. Neither its repr nor that of what holds it shows the secret."""

    public: Jwk
    secret: JWK = field(repr=False, compare=False)

    @property
    def thumbprint(self) -> str:
        """RFC 7638 with SHA-256, base64url: the `kid` of its seals."""
        return self.public.thumbprint

    @property
    def alg(self) -> str:
        """The `alg` of its seals."""
        return ALGORITHMS[kind(self.public)]


@dataclass(frozen=True, slots=True, kw_only=True)
class TrustedKeys:
    """The public keys whose seals are believed: at least one, each once, in the file's order."""

    keys: tuple[Jwk, ...]

    def find(self, thumbprint: str) -> Jwk | None:
        """The key with this thumbprint."""
        return next((key for key in self.keys if key.thumbprint == thumbprint), None)


def read_signing_key(data: bytes, *, password: bytes | None = None) -> SigningKey:
    """The key in PEM: PKCS#8, or as OpenSSL writes EC (SEC 1) and RSA (PKCS#1) keys. `password`: for an encrypted one.

    Raises SealError for anything else, for keys of other kinds, and for weak ones.
    """
    data = _PARAMETERS.sub(b"", data)  # `openssl ecparam -genkey` writes them before the key
    labels = _BEGIN.findall(data)
    if len(labels) != 1:
        found = f"there are {len(labels)} PEM blocks" if labels else "there is no PEM block"
        raise SealError(f"the signing key is not one private key in PEM: {found}; {_MAKE}")
    if b"PRIVATE KEY" not in labels[0]:
        raise SealError(f"the signing key is no private key but a PEM block of another kind; {_MAKE}")
    if labels[0] == b"OPENSSH PRIVATE KEY":
        raise SealError(f"the signing key is in OpenSSH's own form; write it as PKCS#8, or {_MAKE}")
    private = _load_private(data, password)
    if not isinstance(private, rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey):
        raise SealError(f"the signing key is of a kind that does not seal; {_WANTED}")
    reading = Reading(file="")
    public = _judged(from_public_key(private.public_key(), (), reading), reading, "the signing key")
    return SigningKey(public=public, secret=JWK.from_pyca(private))


def read_trusted_keys(data: bytes) -> TrustedKeys:
    """The keys of a file: PEM public keys one after the other, with nothing between them, or a JWKS document.

    Raises SealError where one of them is private, symmetric, weak, of another kind, or there twice, and where there is
    none. In a JWKS `use`, `key_ops` and `alg` are absent or fit; `kid` and other members are not looked at.
    """
    for place in private_key_places("", data):
        message = f"the trusted keys hold a private key (line {place.line})"
        raise SealError(f"{message}; give public keys alone, treat this one as exposed and replace it")
    keys = _from_jwks(data) if data.lstrip()[:1] == b"{" else _from_pem(data)
    if not keys:
        raise SealError(f"there is no trusted key; {_WANTED}")
    seen: set[str] = set()
    for number, key in enumerate(keys, 1):
        if key.thumbprint in seen:
            raise SealError(f"trusted key {number} is there twice; remove one")
        seen.add(key.thumbprint)
    return TrustedKeys(keys=tuple(keys))


def strict_json(data: bytes) -> Any:
    """The value of JSON in UTF-8. Raises ValueError for names that come twice in an object, NaN and bad or deep JSON.

    Not orjson: it takes the last of two equal names without a word, where other readers take the first.
    """
    try:
        return json.loads(data.decode("utf-8"), object_pairs_hook=_once, parse_constant=_no_constant)
    except RecursionError:
        raise ValueError("too deep") from None


def _load_private(data: bytes, password: bytes | None) -> PrivateKeyTypes:
    encrypted = _ENCRYPTED.search(data) is not None
    if encrypted and password is None:
        raise SealError("the signing key is encrypted; give its password, or a key without one")
    if password is not None and not encrypted:
        raise SealError("the signing key is not encrypted, but there is a password for it; leave the password out")
    try:
        return load_pem_private_key(data, password)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        pass  # its text may hold anything of the key
    if encrypted:
        raise SealError("the signing key cannot be decrypted; correct the password, or write the key as PKCS#8")
    raise SealError(f"the signing key cannot be read as PEM; EC keys need a named curve; {_MAKE}")


def _from_pem(data: bytes) -> list[Jwk]:
    if not data.strip():
        return []
    keys: list[Jwk] = []
    at = 0
    while at < len(data):
        name = f"trusted key {len(keys) + 1}"
        if len(keys) == LIMIT_KEYS:
            raise SealError(f"there are more than {LIMIT_KEYS} trusted keys; remove those that seal no more")
        found = _BLOCK.match(data, at)
        if found is None:
            problem = f"{name} is not a PEM public key, or there is text beside it"
            raise SealError(f"{problem}; give BEGIN PUBLIC KEY blocks alone (`openssl pkey -pubout`), or a JWKS")
        try:
            public = load_pem_public_key(found[1])
        except (ValueError, UnsupportedAlgorithm):
            raise SealError(f"{name} cannot be read; make it with `openssl pkey -pubout`") from None
        reading = Reading(file="")
        keys.append(_judged(from_public_key(public, (), reading), reading, name))
        at = found.end()
    return keys


def _from_jwks(data: bytes) -> list[Jwk]:
    try:
        document = strict_json(data)
    except ValueError:
        raise SealError("the trusted keys are not JSON, or a name comes twice in it; correct the JWKS") from None
    entries = document.get("keys")
    if not isinstance(entries, list):
        raise SealError('the trusted keys are no JWKS; write {"keys": [...]} with a JWK for each')
    if len(entries) > LIMIT_KEYS:
        raise SealError(f"there are more than {LIMIT_KEYS} trusted keys; remove those that seal no more")
    return [_from_jwk(entry, f"trusted key {number}") for number, entry in enumerate(entries, 1)]


def _from_jwk(entry: Any, name: str) -> Jwk:
    if not isinstance(entry, dict):
        raise SealError(f"{name} is not a JWK; write it as a JSON object")
    for member in ("kty", *sorted({one for names in MEMBERS.values() for one in names})):
        if not isinstance(entry.get(member, ""), str):
            raise SealError(f"`{member}` of {name} is not text; copy the key again")
    reading = Reading(file="")
    key = _judged(parse(entry, (), reading), reading, name)
    alg = ALGORITHMS[kind(key)]
    if entry.get("use", "sig") != "sig" or entry.get("key_ops", ["verify"]) != ["verify"]:
        raise SealError(f"{name} is not for verifying; write `use: sig`, or give another key")
    if entry.get("alg", alg) != alg:
        raise SealError(f"`alg` of {name} is not {alg}, which is what a key of its kind seals with; remove `alg`")
    return key


def _judged(key: Jwk | None, reading: Reading, name: str) -> Jwk:
    """The key. Raises SealError where it could not be read, with the first finding, or where it must not be used."""
    if key is None:
        finding = reading.findings[0]
        raise SealError(f"{name}: {finding.message}; {finding.hint}")
    if kind(key) not in ALGORITHMS:
        raise SealError(f"{name} is a key on {quote(kind(key))}, which does not seal; {_WANTED}")
    weakness = _weakness(key)
    if weakness is not None:
        raise SealError(f"{name} is weak: {weakness}; {_WANTED}")
    return key


def _weakness(key: Jwk) -> str | None:
    known = KNOWN.get(key.thumbprint) or KNOWN.get(negative_thumbprint(key) or "")
    if known is not None:
        return f"its private half is published ({known})"
    if not isinstance(key, RsaJwk):
        return None
    bits = key.modulus.bit_length()
    if bits not in _RSA_BITS:
        return f"its RSA modulus has {bits} bits, and {_RSA_BITS[0]} to {_RSA_BITS[-1]} are taken"
    if key.exponent != _RSA_EXPONENT:
        return f"its RSA exponent is not {_RSA_EXPONENT}"
    if small_factor(key.modulus) is not None or close_primes(key.modulus) or roca(key.modulus):
        return "its RSA modulus can be factored"
    return None


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a name comes twice")
    return found


def _no_constant(name: str) -> float:
    raise ValueError(f"{name} is no JSON")
