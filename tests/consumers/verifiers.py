"""Real verifiers in Python, each as its manual shows it: they raise for a token that they refuse."""

import json
import warnings
from collections.abc import Callable, Mapping

import authlib.deprecate  # noqa: F401 - its filter comes first, then the one below
import joserfc.jwk
import joserfc.jwt
import jwt
from jwcrypto.jwk import JWKSet
from jwcrypto.jwt import JWT

from .documents import ALGORITHMS, AUDIENCE

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # authlib.jose is deprecated, and used
    from authlib.jose import JsonWebKey, JsonWebToken
    from jose import jwt as python_jose


def _pyjwt(body: bytes, token: str) -> None:
    keys = jwt.PyJWKSet.from_json(body.decode())
    key = keys[jwt.get_unverified_header(token)["kid"]]
    jwt.decode(token, key, algorithms=ALGORITHMS, audience=AUDIENCE)


def _joserfc(body: bytes, token: str) -> None:
    joserfc.jwt.decode(token, joserfc.jwk.KeySet.import_key_set(json.loads(body)), algorithms=ALGORITHMS)


def _authlib(body: bytes, token: str) -> None:
    JsonWebToken(ALGORITHMS).decode(token, JsonWebKey.import_key_set(json.loads(body)))


def _jwcrypto(body: bytes, token: str) -> None:
    JWT(jwt=token, key=JWKSet.from_json(body.decode()), algs=ALGORITHMS, expected_type="JWS")


def _python_jose(body: bytes, token: str) -> None:
    python_jose.decode(token, json.loads(body), algorithms=ALGORITHMS, audience=AUDIENCE)


VERIFIERS: Mapping[str, Callable[[bytes, str], None]] = {
    "pyjwt": _pyjwt,
    "joserfc": _joserfc,
    "authlib": _authlib,
    "jwcrypto": _jwcrypto,
    "python-jose": _python_jose,
}
"""By the name in `CONSUMERS`."""


def accepts(name: str, body: bytes, token: str) -> bool:
    """Whether the verifier takes the token with this document."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            VERIFIERS[name](body, token)
        except Exception:  # each has exceptions of its own, and leaks others
            return False
    return True
