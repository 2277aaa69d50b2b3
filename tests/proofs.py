"""Proofs of possession for tests, made with jwcrypto, so that nothing here rests on the code under test."""

import json
from typing import Any

from jwcrypto.jwk import JWK
from jwcrypto.jws import JWS
from keymaker import PrivateKey, base64url, thumbprint

TYP = "jwks-key-proof+jws"


def payload(tenant: str, key: PrivateKey, expires: str = "2026-06-08T00:00:00Z") -> str:
    """What a proof is made over."""
    return f"jwks-key-proof {tenant} {thumbprint(key)} {expires}"


def sign(key: PrivateKey, alg: str, text: str, **header: Any) -> str:
    """A compact JWS of any text, with these members in its header besides `alg` and `typ`."""
    token = JWS(text.encode())
    token.allowed_algs = [alg]
    token.add_signature(JWK.from_pyca(key), protected=json.dumps({"alg": alg, "typ": TYP, **header}))
    made: str = token.serialize(compact=True)
    return made


def proof(tenant: str, key: PrivateKey, alg: str, expires: str = "2026-06-08T00:00:00Z") -> str:
    """A good proof."""
    return sign(key, alg, payload(tenant, key, expires))


def unsigned(alg: str, text: str) -> str:
    """The first two parts alone."""
    header = json.dumps({"alg": alg, "typ": TYP}).encode()
    return f"{base64url(header)}.{base64url(text.encode())}"
