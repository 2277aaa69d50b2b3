"""Signed tokens and documents for verifiers, and what `faults` says of them."""

import json
import time
from collections.abc import Iterator, Sequence
from functools import cache
from typing import TypeAlias

from jwcrypto.jwk import JWK
from jwcrypto.jws import JWS
from keymaker import key_of, public_jwk

from publisher.consumer import Consumer, entries, faults

Named: TypeAlias = tuple[str, str, int, str]
"""Algorithm, kind of key, the key's number and its kid."""

ISSUER, AUDIENCE = "https://login.acme.example/", "api"
KEYS: tuple[Named, ...] = (
    *((alg, "RSA", 7, alg) for alg in ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512")),
    *(("ES256", "P-256", 7, "ES256"), ("ES384", "P-384", 7, "ES384"), ("ES512", "P-521", 7, "ES512")),
    *(("ES256K", "secp256k1", 7, "ES256K"), ("EdDSA", "Ed25519", 7, "EdDSA"), ("EdDSA", "Ed448", 7, "EdDSA-448")),
    *(("Ed25519", "Ed25519", 8, "Ed25519"), ("Ed448", "Ed448", 8, "Ed448")),
)
ALGORITHMS = sorted({alg for alg, _, _, _ in KEYS})


def document(*keys: Named) -> bytes:
    """As the program publishes them."""
    listed = [
        {"kid": kid, "use": "sig", "alg": alg, **public_jwk(key_of(kind, number))} for alg, kind, number, kid in keys
    ]
    return json.dumps({"keys": listed}).encode()


@cache
def token(key: Named) -> str:
    """A token that this key signs, good for an hour."""
    alg, kind, number, kid = key
    now = int(time.time())
    claims = {"iss": ISSUER, "aud": AUDIENCE, "sub": "ann", "iat": now - 5, "exp": now + 3600}
    jws = JWS(json.dumps(claims))
    jws.allowed_algs = [alg]
    jws.add_signature(JWK.from_pyca(key_of(kind, number)), None, json.dumps({"alg": alg, "kid": kid, "typ": "JWT"}))
    made: str = jws.serialize(compact=True)
    return made


def is_fine(consumer: Consumer, keys: Sequence[Named], signer: int) -> bool:
    """Whether nothing is said against the tokens of the key in this place (kids are different)."""
    body = document(*keys)
    return not any(
        fault.what == "whole-set"
        or (fault.what == "algorithm" and fault.index == signer)
        or (fault.what == "order" and fault.index is not None and fault.index < signer)
        for fault in faults(entries(body), len(body), [consumer])
    )


def questions(consumer: Consumer) -> Iterator[tuple[list[Named], int]]:
    """Documents and the place of a token's key: every key alone, and those that are fine beside every other."""
    for key in KEYS:
        yield [key], 0
    for good in KEYS:
        if is_fine(consumer, [good], 0):
            for other in KEYS:
                if other != good:
                    yield [other, good], 1
                    yield [good, other], 0
