"""What is read of an upstream's set: real ones, odd ones and hostile ones."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from keymaker import chain, ec_key, key_of, private_jwk, private_pem, public_jwk, thumbprint, x5c

from publisher.incoming import RefusedError
from publisher.offer import LeftOut, read_offer

from .sets import jwk, jwks

# As Auth0, Entra, Keycloak and GitLab served theirs in 2022-2024, by the members that they have; keys made here.
REAL: dict[str, dict[str, Any]] = {
    "auth0": {"alg": "RS256", "x5c": x5c(*chain(1)), "x5t": "QjYxQ0U1QTVCMzk4RTJFNEIxMERGN0NBOUVBQTk1NDEzRTcwNTVBMg"},
    "entra": {"x5t": "Mc7l3Iz93g7uwgNeEmmw_WYGPko", "x5c": ["AAAA"], "issuer": "https://login.example/{tenantid}/v2.0"},
    "keycloak": {"alg": "RS256", "x5c": x5c(*chain(2)), "x5t": "bad", "x5t#S256": "bad"},
    "gitlab": {"alg": "RS256"},
}


def refusal(data: bytes) -> str:
    with pytest.raises(RefusedError) as caught:
        read_offer(data)
    message = str(caught.value)
    assert message.isprintable()
    return message


@pytest.mark.parametrize("name", REAL)
def test_of_real_sets_the_public_members_alone_are_taken(name: str) -> None:
    members = public_jwk(key_of("RSA"))
    made = read_offer(jwks({"kid": "a", "use": "sig", **members, **REAL[name]}, issued="2022", more={"x": ["y"]}))
    (one,) = made.keys
    assert one.fields == {"kid": "a", "alg": "RS256", "jwk": members}
    assert one.material.chain is None
    assert made.left_out == ()
    assert made.assumed == (frozenset() if "alg" in REAL[name] else {"a"})


@pytest.mark.parametrize(
    ("kind", "alg"),
    [("RSA", "RS256"), ("P-256", "ES256"), ("P-384", "ES384"), ("P-521", "ES512"), ("Ed25519", "EdDSA")],
)
def test_a_key_without_alg_gets_one_that_fits(kind: str, alg: str) -> None:
    made = read_offer(jwks({"kid": "a", "use": "sig", **public_jwk(key_of(kind))}))
    assert made.keys[0].fields["alg"] == alg
    assert made.assumed == {"a"}


def test_a_key_without_kid_gets_its_thumbprint() -> None:
    made = read_offer(jwks({"alg": "ES256", **public_jwk(ec_key())}))
    assert made.keys[0].kid == thumbprint(ec_key())
    assert made.unnamed == {thumbprint(ec_key())}


@pytest.mark.parametrize(
    ("members", "reason"),
    [
        ({"use": "enc"}, "its use is `enc`"),
        ({"use": "enc", "alg": "ECDH-ES"}, "its use is `enc`"),
        ({"kid": ""}, "its kid is not 1-255 printable ASCII characters"),
        ({"use": ["sig"]}, "its use is no text"),
        ({"alg": "ECDH-ES"}, "its alg `ECDH-ES` is none for signatures with this key"),
        ({"alg": "HS256"}, "its alg `HS256` is none for signatures with this key"),
        ({"alg": "none"}, "its alg `none` is none for signatures with this key"),
        ({"alg": "ES384"}, "its alg `ES384` is none for signatures with this key"),
        ({"alg": "RS256"}, "its alg `RS256` is none for signatures with this key"),
        ({"kty": "AKP", "alg": "ML-DSA-44", "pub": "AA"}, "its kty `AKP` is not published"),
        ({"kty": "oct"}, "its kty `oct` is not published"),
        ({"crv": "X25519", "kty": "OKP"}, "its crv `X25519` is none for signatures"),
        ({"crv": "brainpoolP256r1"}, "its crv `brainpoolP256r1` is none for signatures"),
        ({"kid": " spaced "}, "its kid is not 1-255 printable ASCII characters"),
        ({"kid": "k" * 256}, "its kid is not 1-255 printable ASCII characters"),
        ({"kid": "clé"}, "its kid is not 1-255 printable ASCII characters"),
    ],
)
def test_a_key_for_another_use_is_left_out_and_named(members: dict[str, Any], reason: str) -> None:
    made = read_offer(jwks(jwk(0), jwk(1, **members)))
    assert [one.kid for one in made.keys] == ["k0"]
    assert made.left_out == (LeftOut(kid=members.get("kid", "k1") or None, place="keys[1]", reason=reason),)


@pytest.mark.parametrize(
    ("members", "reason"),
    [
        ({"key_ops": ["encrypt", "wrapKey"]}, "its key_ops do not hold verify"),
        ({}, "neither alg nor use nor key_ops says that it verifies"),
    ],
)
def test_a_key_that_does_not_say_what_it_is_for_is_left_out(members: dict[str, Any], reason: str) -> None:
    made = read_offer(jwks({**public_jwk(ec_key()), **members}))
    assert made.keys == ()
    assert made.left_out == (LeftOut(kid=None, place="keys[0]", reason=reason),)


def test_key_ops_with_verify_say_what_it_is_for() -> None:
    assert len(read_offer(jwks({"kid": "a", "key_ops": ["verify"], "ext": True, **public_jwk(ec_key())})).keys) == 1


@pytest.mark.parametrize(
    ("members", "message"),
    [
        ({"x": "AA=="}, "`x` is not canonical base64url"),
        ({"x": "AAAA"}, "`x` has 3 bytes, and P-256 takes 32"),
        ({"y": "A" * 43}, "the point (x, y) is not on P-256"),
        ({"x": 5}, "is not text"),
        ({"x": None}, "`x` is missing"),
        ({"x": ["AA"]}, "is not base64url text"),
        ({"kid": 7}, "is not text"),
        ({"kid": ["a"]}, "is not a name"),
        ({"kty": ["EC"]}, "is not a name"),
        ({"alg": ["ES256"]}, "is not a name"),
    ],
)
def test_a_broken_key_refuses_the_set(members: dict[str, Any], message: str) -> None:
    told = refusal(jwks(jwk(0), jwk(1, **members)))
    assert told.startswith("the upstream's JWKS is broken: keys[1]: ")
    assert message in told


@pytest.mark.parametrize("name", ["x", "y", "kty", "crv"])
def test_a_missing_member_refuses_the_set(name: str) -> None:
    key = jwk(0)
    del key[name]
    assert f"`{name}` is missing" in refusal(jwks(key))


def test_null_is_not_there() -> None:
    made = read_offer(
        jwks(jwk(0, x5t=None, n=None, key_ops=None), jwk(1, use=None), {**jwk(2), "alg": None, "kid": None})
    )
    assert [one.kid for one in made.keys] == ["k0", "k1", thumbprint(ec_key(2))]


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "the file is empty"),
        (b"<html>", "not JSON"),
        (b"[]", "is not one"),
        (b"{}", "is not one"),
        (b'{"keys": {}}', "is not one"),
        (b'{"keys": null}', "is not one"),
        (b'{"keys": [null]}', "keys[0] is not a JWK"),
        (b'{"keys": [[]]}', "keys[0] is not a JWK"),
        (b'{"keys": [], "keys": []}', "stands twice"),
        (b'{"keys": [NaN]}', "NaN"),
        (b"\xef\xbb\xbf{}", "byte order mark"),
        (b'{"keys": [' * 5000, "nesting"),
        (b'"' + b"x" * 262_144 + b'"', "more than 262,144 bytes"),
    ],
)
def test_what_is_no_set_is_refused(data: bytes, message: str) -> None:
    assert message in refusal(data)


# --- private keys


def private_sets() -> dict[str, tuple[bytes, list[str]]]:
    secret = private_jwk(key_of("P-256", 3))
    rsa = private_jwk(key_of("RSA"))
    pem = private_pem(key_of("P-256", 3))
    lines = pem.splitlines()[1:-1]
    enc = {"use": "enc", **secret}
    broken = jwks({"kid": "a", **secret})[:-1]
    return {
        "a key's d": (jwks(jwk(0), {"kid": "a", "alg": "ES256", **secret}), [secret["d"]]),
        "an RSA key": (jwks({"kid": "a", "alg": "RS256", **rsa}), [rsa["d"], rsa["p"], rsa["qi"]]),
        "a key for encryption": (jwks(jwk(0), enc), [secret["d"]]),
        "a symmetric key": (jwks({"kty": "oct", "k": "c2VjcmV0LXNlY3JldC1zZWNyZXQ"}), ["c2VjcmV0"]),
        "a short one": (jwks({"kty": "oct", "k": "hunter2"}), ["hunter2"]),
        "one of an unknown type": (jwks({"kty": "AKP", "d": "hunter2"}), ["hunter2"]),
        "beside the keys": (jwks(jwk(0), backup={"old": [secret]}), [secret["d"]]),
        "as text": (jwks(jwk(0), note=json.dumps(secret)), [secret["d"]]),
        "PEM": (jwks(jwk(0, pem=pem)), lines),
        "in broken JSON": (broken, [secret["d"]]),
    }


@pytest.mark.parametrize("name", private_sets())
def test_private_key_material_refuses_the_set_loudly_and_is_never_echoed(name: str) -> None:
    data, secrets = private_sets()[name]
    told = refusal(data)
    assert "holds PRIVATE key material" in told
    assert not any(secret in told for secret in secrets)


def test_the_place_of_a_private_member_is_told() -> None:
    assert "(`d` in keys[1])" in refusal(jwks(jwk(0), {"kid": "a", **private_jwk(ec_key(3))}))


# --- anything

NAMES = st.sampled_from(["k", "d", "x", "y", "n", "kid", "kty", "keys"])
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner),
    max_leaves=12,
)


@given(st.binary(max_size=200) | st.builds(lambda value: json.dumps(value).encode(), JSON))
def test_anything_is_read_or_refused(data: bytes) -> None:
    try:
        assert read_offer(data).keys == ()
    except RefusedError as refused:
        assert str(refused).isprintable()


@given(
    st.dictionaries(
        st.sampled_from(["kid", "kty", "alg", "use", "crv", "x", "y", "n", "e", "key_ops", "x5c", "ext"]),
        st.sampled_from(["sig", "enc", "RSA", "EC", "OKP", "P-256", "Ed25519", "ES256", "RS256", "AQAB", "", 7, None]),
    )
)
def test_any_change_to_a_key_is_read_or_refused(changed: dict[str, Any]) -> None:
    try:
        made = read_offer(jwks({**jwk(0), **changed}))
    except RefusedError as refused:
        assert "is broken: keys[0]" in str(refused)
        return
    assert len(made.keys) + len(made.left_out) == 1
    for one in made.keys:
        assert set(one.fields) == {"kid", "alg", "jwk"}
