"""Seals of releases: who vouches for the bytes, as a JWS in the flattened JSON serialization (RFC 7515 section 7.2.2).

    {"payload": base64url of the bytes, "protected": base64url of the header, "signature": base64url}

The header is `alg`, `kid` and `typ` and nothing else, all of it protected. `kid` is the RFC 7638 thumbprint of the
signer's key, and `alg` the one that goes with the key (see `signers`). `typ` is TYP, so that no other JWS that the same
key signs is taken for a release, nor a release for a token (RFC 8725 section 3.11). Any JOSE library can check a seal.

jwcrypto makes and checks the signatures. What it lets pass is refused before it is asked: `crit`, `b64`, unprotected
headers, keys in headers, names that come twice, base64url in a second spelling, signatures of another length.
What the payload says, and whether it is the newest, is not known here: a seal of an old release stays good.
"""

import json
import re
from dataclasses import dataclass
from typing import Any

from jwcrypto.common import JWException
from jwcrypto.jwk import JWK
from jwcrypto.jws import JWS

from publisher.algorithm import CURVES
from publisher.jwk import Jwk, OkpJwk, RsaJwk, decode, kind, members
from publisher.signers import (
    ALGORITHMS,
    SealError,
    SigningKey,
    TrustedKeys,
    UnknownSignerError,
    read_signing_key,
    read_trusted_keys,
    strict_json,
)

__all__ = [
    "TYP",
    "Opened",
    "SealError",
    "SigningKey",
    "TrustedKeys",
    "UnknownSignerError",
    "read_signing_key",
    "read_trusted_keys",
    "seal",
    "unseal",
]

TYP = "jwks-release+jws"
"""The `typ` of a seal: a media type without `application/` (RFC 7515 section 4.1.9). It is not registered."""

_SEALED = frozenset({"payload", "protected", "signature"})
_JWS = _SEALED | {"header", "signatures"}
_HEADER = frozenset({"alg", "kid", "typ"})
_THUMBPRINT = re.compile(r"[A-Za-z0-9_-]{43}", re.ASCII)
_AGAIN = "get it again, and see who wrote it"


@dataclass(frozen=True, slots=True, kw_only=True)
class Opened:
    """What stood under a seal, or what was there without one."""

    payload: bytes
    signer: str | None
    """The thumbprint that the seal names; None without a seal. It is a mere claim unless `verified`."""
    verified: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class _Seal:
    """A seal that is well-formed. `parts`: the three members as they stand; `signature` is the bytes of one."""

    payload: bytes
    alg: str
    signer: str
    signature: bytes
    parts: dict[str, str]


def seal(payload: bytes, key: SigningKey) -> bytes:
    """The payload under the key's seal: compact JSON in ASCII, its members in the order of the alphabet.

    ECDSA and PSS signatures are different each time; all else is the same for the same payload and key.
    """
    header = json.dumps({"alg": key.alg, "kid": key.thumbprint, "typ": TYP}, separators=(",", ":"))
    token = JWS(payload)
    token.allowed_algs = [key.alg]
    token.add_signature(key.secret, protected=header)
    return token.serialize().encode("ascii")


def unseal(data: bytes, trusted: TrustedKeys | None) -> Opened:
    """What is sealed in `data`, or `data` itself where it is a JSON object with none of the members of a JWS.

    With `trusted`, only what one of these keys has sealed is given. With None a seal is taken off without a look at its
    signature, though it must be well-formed. Raises SealError for all else.
    """
    try:
        found = strict_json(data)
    except ValueError:
        raise SealError(f"this is not JSON, is cut short, or a name comes twice in it; {_AGAIN}") from None
    if not isinstance(found, dict):
        raise SealError(f"this is JSON, but no object; {_AGAIN}")
    if _JWS.isdisjoint(found):
        if trusted is not None:
            raise SealError(
                "this is not signed, and only what a trusted key has signed is taken; sign it, or see who wrote it"
            )
        return Opened(payload=data, signer=None, verified=False)
    sealed = _parsed(found)
    if trusted is not None:
        _verify(sealed, trusted)
    return Opened(payload=sealed.payload, signer=sealed.signer, verified=trusted is not None)


def _parsed(found: dict[str, Any]) -> _Seal:
    if "header" in found:
        raise SealError(f"the seal has a header that is not signed (`header`); {_AGAIN}")
    if found.keys() != _SEALED:
        raise SealError(f"the seal has not the members payload, protected and signature, and no other; {_AGAIN}")
    payload, protected, signature = (_bytes(found[name], name) for name in ("payload", "protected", "signature"))
    try:
        header = strict_json(protected)
    except ValueError:
        raise SealError(f"the seal's header is not JSON, or a name comes twice in it; {_AGAIN}") from None
    _check_header(header)
    return _Seal(payload=payload, alg=header["alg"], signer=header["kid"], signature=signature, parts=dict(found))


def _check_header(header: Any) -> None:
    """Raise SealError unless this is the header of a seal: three members, of which `typ` and the forms are right."""
    if not isinstance(header, dict):
        raise SealError(f"the seal's header is no JSON object; {_AGAIN}")
    for name in ("crit", "b64"):
        if name in header:
            raise SealError(f"the seal's header has `{name}`, which changes what is signed; {_AGAIN}")
    if header.get("typ") != TYP:
        raise SealError(f"this is signed, but is no sealed release: `typ` is not {TYP}; {_AGAIN}")
    if header.keys() != _HEADER:
        raise SealError(f"the seal's header has not the members alg, kid and typ, and no other; {_AGAIN}")
    if header["alg"] not in ALGORITHMS.values():
        allowed = ", ".join(ALGORITHMS.values())
        raise SealError(f"the seal's `alg` is none of {allowed}; {_AGAIN}")
    if not isinstance(header["kid"], str) or _THUMBPRINT.fullmatch(header["kid"]) is None:
        raise SealError(f"the seal's `kid` is no thumbprint of a key (RFC 7638); {_AGAIN}")


def _verify(sealed: _Seal, trusted: TrustedKeys) -> None:
    key = trusted.find(sealed.signer)
    if key is None:
        remedy = "add the signer's key to the trusted keys if it is one of yours, else see who wrote it"
        raise UnknownSignerError(f"this is signed by {sealed.signer}, which is no trusted key; {remedy}")
    alg = ALGORITHMS[kind(key)]
    if sealed.alg != alg:
        raise SealError(f"the seal's `alg` is {sealed.alg}, and its signer signs with {alg}; {_AGAIN}")
    wrong = f"the signature of {sealed.signer} does not fit what is signed; {_AGAIN}"
    # jwcrypto cuts an ECDSA signature in two halves of any length.
    if len(sealed.signature) != _signature_bytes(key):
        raise SealError(wrong)
    token = JWS()
    token.allowed_algs = [alg]
    try:
        # Written anew, it holds what was judged here and nothing else.
        token.deserialize(json.dumps(sealed.parts))
        token.verify(JWK(**members(key)), alg)
    except (JWException, ValueError):
        raise SealError(wrong) from None
    if token.payload != sealed.payload:
        raise SealError(wrong)


def _signature_bytes(key: Jwk) -> int:
    """RFC 7518 sections 3.4 and 3.5, RFC 8032 section 5.1.6."""
    if isinstance(key, RsaJwk):
        return (key.modulus.bit_length() + 7) // 8
    return 64 if isinstance(key, OkpJwk) else 2 * CURVES[key.crv][1]


def _bytes(text: Any, name: str) -> bytes:
    data = b"" if text == "" else decode(text) if isinstance(text, str) else None
    if data is None:
        raise SealError(f"the seal's `{name}` is not base64url without padding; {_AGAIN}")
    return data
