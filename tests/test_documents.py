"""Documents as verifiers read them: jwcrypto, PyJWT and joserfc see the keys that went in, and nothing else."""

import json
import re
from datetime import datetime
from typing import Any

import jwt
import orjson
import pytest
from hypothesis import given
from joserfc.jwk import KeySet as JoseKeySet
from jwcrypto import jwk as jwcrypto
from strategies import BOUNDED, CERTIFIED, MOMENTS, POOL_SIZE, Tenant, entry, pool, tenants, window

from publisher.compile import Document
from publisher.timeline import phase

REGISTERED = {"kid", "kty", "use", "alg", "n", "e", "crv", "x", "y", "x5c", "x5t", "x5t#S256"}
PRIVATE = {"d", "p", "q", "dp", "dq", "qi", "oth", "k"}
UNKNOWN_TO_PYJWT = {"Ed25519", "Ed448"}
"""RFC 9864's names, which PyJWT 2.15 passes over."""

Facts = set[tuple[str, str, str]]

EVERYTHING = Tenant(
    domains=["login.acme.example"],
    custom=[entry(number, f"custom {number}") for number in range(0, POOL_SIZE, 2)],
    generated=[entry(number) for number in range(1, POOL_SIZE, 2)],
)
_MODULUS = (
    "0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc"
    "_BJECPebWKRXjBZCiFV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQ"
    "R0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bF"
    "TWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw"
)
RFC_7638 = Tenant(custom=[{"alg": "RS256", "jwk": {"kty": "RSA", "n": _MODULUS, "e": "AQAB"}}])
"""The example of RFC 7638 section 3.1."""


def documents(tenant: Tenant) -> list[Document]:
    return [document for domain in tenant.compiled().domains for document in domain.documents]


def published(document: Document) -> Facts:
    """What went in, as (kid, alg, thumbprint); the thumbprints are those that jwcrypto gave when the keys were made."""
    made = {one.thumbprint for one in pool()}
    facts = {(one.key.kid, one.key.alg, one.key.jwk.thumbprint) for one in document.keys}
    assert {thumbprint for _, _, thumbprint in facts} <= made
    return facts


def with_jwcrypto(body: bytes) -> Facts:
    keys: set[jwcrypto.JWK] = jwcrypto.JWKSet.from_json(body.decode())["keys"]
    assert all(key.get_op_key("verify") for key in keys)  # also looks whether points are on their curves
    return {(key["kid"], key["alg"], key.thumbprint()) for key in keys}


def with_joserfc(body: bytes) -> Facts:
    keys = JoseKeySet.import_key_set(json.loads(body)).keys
    assert not any(key.is_private for key in keys)
    return {(str(key.kid), str(key.alg), key.thumbprint()) for key in keys}


def with_pyjwt(body: bytes) -> Facts:
    keys = jwt.PyJWKSet.from_json(body.decode()).keys
    return {(str(key.key_id), str(key.algorithm_name), jwcrypto.JWK.from_pyca(key.key).thumbprint()) for key in keys}


def agree(document: Document) -> None:
    facts = published(document)
    assert with_jwcrypto(document.body) == facts
    if facts:  # an empty set is an error to the two
        assert with_joserfc(document.body) == facts
    known = {fact for fact in facts if fact[1] not in UNKNOWN_TO_PYJWT}
    if known:
        assert with_pyjwt(document.body) == known


def test_every_kind_of_key_is_the_same_to_all_three_libraries() -> None:
    document = documents(EVERYTHING)[0]
    assert len(document.keys) == POOL_SIZE
    assert {(one.key.jwk.__class__.__name__, getattr(one.key.jwk, "crv", "")) for one in document.keys} == {
        ("RsaJwk", ""),
        *(("EcJwk", crv) for crv in ("P-256", "P-384", "P-521", "secp256k1")),
        *(("OkpJwk", crv) for crv in ("Ed25519", "Ed448")),
    }
    agree(document)


@BOUNDED
@given(tenant=tenants(least=1))
def test_every_document_is_the_same_to_all_three_libraries(tenant: Tenant) -> None:
    for document in {document.body: document for document in documents(tenant)}.values():
        agree(document)


@BOUNDED
@given(tenant=tenants())
def test_every_document_is_strict_and_public(tenant: Tenant) -> None:
    for document in documents(tenant):
        found = json.loads(document.body, object_pairs_hook=no_name_twice)
        assert list(found) == ["keys"]
        assert document.body == json.dumps(found, separators=(",", ":")).encode()
        kids = [key["kid"] for key in found["keys"]]
        assert kids == [one.key.kid for one in document.keys]
        assert len(set(kids)) == len(kids)
        for key in found["keys"]:
            assert REGISTERED >= key.keys() >= {"kid", "kty", "use", "alg"}
            assert not PRIVATE & key.keys()
            assert key["use"] == "sig"
            assert all(isinstance(value, str) and value for name, value in key.items() if name != "x5c")


def no_name_twice(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    assert len(dict(pairs)) == len(pairs)
    return dict(pairs)


@BOUNDED
@given(tenant=tenants(least=1), now=MOMENTS)
def test_no_document_holds_what_is_not_published(tenant: Tenant, now: datetime) -> None:
    compiled = tenant.compiled()
    gone = {key.kid for key in compiled.keyset.keys if phase(key, now) in {"pending", "withdrawn", "revoked"}}
    revoked = {key.kid for key in compiled.keyset.keys if key.revoked is not None}
    for domain in compiled.domains:
        assert not gone & {key["kid"] for key in orjson.loads(domain.at(now).body)["keys"]}
        for document in domain.documents:
            assert not revoked & {key["kid"] for key in orjson.loads(document.body)["keys"]}


@pytest.mark.parametrize("number", range(POOL_SIZE))
def test_a_key_without_kid_is_named_by_its_thumbprint(number: int) -> None:
    key = orjson.loads(documents(Tenant(custom=[entry(number)]))[0].body)["keys"][0]
    assert key["kid"] == pool()[number].thumbprint
    assert re.fullmatch(r"[A-Za-z0-9_-]{43}", key["kid"])


def test_the_example_of_rfc_7638_has_its_thumbprint() -> None:
    key = orjson.loads(documents(RFC_7638)[0].body)["keys"][0]
    assert key["kid"] == "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs" == jwcrypto.JWK(**key).thumbprint()


def test_a_certificate_travels_with_its_key() -> None:
    key = orjson.loads(documents(Tenant(custom=[entry(CERTIFIED, **window(1, None, None, None))]))[1].body)["keys"][0]
    assert list(key) == ["kid", "kty", "use", "alg", "crv", "x", "y", "x5c", "x5t#S256"]
    assert jwcrypto.JWK(**key).thumbprint() == pool()[CERTIFIED].thumbprint


def test_an_empty_set_is_a_set() -> None:
    assert {one.body for one in documents(Tenant())} == {b'{"keys":[]}'}
