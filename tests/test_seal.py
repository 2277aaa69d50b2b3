"""Seals: what is signed comes back, another library can check it, and everything else is refused in one line."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import dsa, rsa, x25519
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat
from hypothesis import given
from hypothesis import strategies as st
from joserfc import jws as joserfc
from joserfc.jwk import ECKey, OKPKey, RSAKey
from jwcrypto.jwk import JWK
from jwcrypto.jws import JWS
from keymaker import (
    PASSPHRASE,
    PrivateKey,
    base64_lines,
    base64url,
    certificate,
    certificate_pem,
    decoded,
    ec_key,
    key_of,
    okp_key,
    private_jwk,
    private_pem,
    public_jwk,
    public_pem,
    rsa_key,
    rsa_numbers,
    thumbprint,
)
from strategies import BOUNDED

from publisher.jwk import members
from publisher.seal import TYP, Opened, SealError, SigningKey, TrustedKeys, read_signing_key, read_trusted_keys, seal
from publisher.seal import unseal as _unseal

ALGORITHMS = {"RSA": "PS256", "P-256": "ES256", "P-384": "ES384", "P-521": "ES512", "Ed25519": "EdDSA"}
PAYLOAD = b'{"sequence":7,"commit":"' + b"ab" * 20 + b'"}'


def signing(kind: str = "P-256", number: int = 0) -> SigningKey:
    return read_signing_key(private_pem(key_of(kind, number)).encode())


def trusting(*keys: PrivateKey) -> TrustedKeys:
    return read_trusted_keys("".join(public_pem(key) for key in keys).encode())


TRUSTED = trusting(*(key_of(kind) for kind in ALGORITHMS))


def refused(data: bytes, trusted: TrustedKeys | None = TRUSTED) -> str:
    with pytest.raises(SealError) as caught:
        _unseal(data, trusted)
    return line(caught.value)


def line(error: SealError) -> str:
    """What people read: one line that says what to do, with nothing behind it that holds what was given."""
    message = str(error)
    assert message.isprintable()
    assert "; " in message
    assert error.__cause__ is None
    assert error.__context__ is None or error.__suppress_context__
    return message


@dataclass(frozen=True, kw_only=True)
class Parts:
    """A seal taken apart: its header as a value."""

    payload: bytes
    header: dict[str, Any]
    signature: bytes

    @classmethod
    def of(cls, data: bytes) -> "Parts":
        found = json.loads(data)
        header = json.loads(decoded(found["protected"]))
        return cls(payload=decoded(found["payload"]), header=header, signature=decoded(found["signature"]))

    def join(self, **changes: Any) -> dict[str, Any]:
        return {
            "payload": base64url(self.payload),
            "protected": base64url(json.dumps(self.header).encode()),
            "signature": base64url(self.signature),
        } | changes


def signed(header: dict[str, Any], key: PrivateKey | JWK, payload: bytes = PAYLOAD, alg: str | None = None) -> bytes:
    """A JWS with a right signature by another header than ours."""
    token = JWS(payload)
    jwk = key if isinstance(key, JWK) else JWK.from_pyca(key)
    token.add_signature(jwk, alg, protected=json.dumps(header))
    return token.serialize().encode()


def header_of(key: PrivateKey, **changes: Any) -> dict[str, Any]:
    return {"alg": "ES256", "kid": thumbprint(key), "typ": TYP} | changes


# What comes back.


@pytest.mark.parametrize("kind", ALGORITHMS)
@pytest.mark.parametrize("payload", [PAYLOAD, b"", b"\x00\xff not JSON", b'{"payload":1}'])
def test_round_trip(kind: str, payload: bytes) -> None:
    data = seal(payload, signing(kind))
    signer = thumbprint(key_of(kind))
    assert _unseal(data, trusting(key_of(kind))) == Opened(payload=payload, signer=signer, verified=True)
    assert _unseal(data, TRUSTED) == Opened(payload=payload, signer=signer, verified=True)
    assert _unseal(data, None) == Opened(payload=payload, signer=signer, verified=False)


@pytest.mark.parametrize("kind", ALGORITHMS)
def test_the_layout_is_compact_json_with_a_header_of_three_members(kind: str) -> None:
    data = seal(PAYLOAD, signing(kind))
    found = json.loads(data)
    assert list(found) == ["payload", "protected", "signature"]
    assert data == json.dumps(found, separators=(",", ":")).encode("ascii")
    header = {"alg": ALGORITHMS[kind], "kid": thumbprint(key_of(kind)), "typ": "jwks-release+jws"}
    assert decoded(found["protected"]) == json.dumps(header, separators=(",", ":")).encode("ascii")


def test_ed25519_gives_the_same_bytes_each_time() -> None:
    assert seal(PAYLOAD, signing("Ed25519")) == seal(PAYLOAD, signing("Ed25519"))


# RFC 9864 has a name for Ed25519 alone, which fewer libraries know.
JOSERFC = pytest.mark.filterwarnings("ignore:EdDSA is deprecated")


@JOSERFC
@pytest.mark.parametrize("kind", ALGORITHMS)
def test_another_library_takes_it_for_a_jws(kind: str) -> None:
    data = json.loads(seal(PAYLOAD, signing(kind)))
    jwk = public_jwk(key_of(kind))
    imported = {"RSA": RSAKey, "EC": ECKey, "OKP": OKPKey}[jwk["kty"]].import_key(jwk)  # type: ignore[attr-defined]
    found = joserfc.deserialize_json(data, imported, algorithms=[ALGORITHMS[kind]])
    assert found.payload == PAYLOAD
    swapped = data | {"payload": base64url(b"other")}
    with pytest.raises(Exception, match="bad_signature"):
        joserfc.deserialize_json(swapped, imported, algorithms=[ALGORITHMS[kind]])


@JOSERFC
@pytest.mark.parametrize("kind", ALGORITHMS)
def test_what_another_library_signs_so_is_taken(kind: str) -> None:
    private = private_jwk(key_of(kind))
    imported = {"RSA": RSAKey, "EC": ECKey, "OKP": OKPKey}[private["kty"]].import_key(private)  # type: ignore[attr-defined]
    header = {"typ": TYP, "kid": thumbprint(key_of(kind)), "alg": ALGORITHMS[kind]}
    registry = joserfc.JWSRegistry(algorithms=[ALGORITHMS[kind]])
    found = joserfc.serialize_json({"protected": header}, PAYLOAD, imported, registry=registry)
    assert _unseal(json.dumps(found, indent=2).encode(), TRUSTED).payload == PAYLOAD


@pytest.mark.parametrize("data", [b"{}", PAYLOAD, b' {"keys": []}\n', b'{"inner":{"payload":"x","signature":"y"}}'])
def test_plain_data_gives_itself(data: bytes) -> None:
    assert _unseal(data, None) == Opened(payload=data, signer=None, verified=False)
    assert "not signed" in refused(data)


def test_a_seal_inside_a_seal_is_a_payload() -> None:
    inner = seal(PAYLOAD, signing("P-256"))
    assert _unseal(seal(inner, signing("Ed25519")), TRUSTED).payload == inner


# What is refused, whether keys are trusted or not.

Change = Callable[[Parts], dict[str, Any]]
NOT_A_SEAL: dict[str, tuple[Change, str]] = {
    "no payload": (lambda p: {k: v for k, v in p.join().items() if k != "payload"}, "members"),
    "no header": (lambda p: {k: v for k, v in p.join().items() if k != "protected"}, "members"),
    "no signature": (lambda p: {k: v for k, v in p.join().items() if k != "signature"}, "members"),
    "payload alone": (lambda p: {"payload": "eyJ9"}, "members"),
    "signature alone": (lambda p: {"signature": "eyJ9", "sequence": 7}, "members"),
    "an extra member": (lambda p: p.join(note="x"), "members"),
    "general serialization": (lambda p: {"payload": "", "signatures": [p.join()]}, "members"),
    "unprotected header": (lambda p: p.join(header={"kid": "x"}), "not signed"),
    "empty unprotected header": (lambda p: p.join(header={}), "not signed"),
    "null payload": (lambda p: p.join(payload=None), "`payload`"),
    "payload of JSON": (lambda p: p.join(payload={"a": 1}), "`payload`"),
    "number for a signature": (lambda p: p.join(signature=7), "`signature`"),
    "padded payload": (lambda p: p.join(payload=base64url(b"a") + "=="), "`payload`"),
    "stray bits": (lambda p: p.join(payload="eR"), "`payload`"),
    "standard base64": (lambda p: p.join(payload="+/+/"), "`payload`"),
    "a line break": (lambda p: p.join(payload="eyJ9\n"), "`payload`"),
    "no ASCII": (lambda p: p.join(payload="\u0661\u0661\u0661\u0661"), "`payload`"),
    "a surrogate": (lambda p: p.join(payload="\ud800"), "`payload`"),
    "padded signature": (lambda p: p.join(signature=p.join()["signature"] + "="), "`signature`"),
    "empty header": (lambda p: p.join(protected=""), "not JSON"),
    "garbage header": (lambda p: p.join(protected=base64url(b"{")), "not JSON"),
    "a name twice in the header": (
        lambda p: p.join(protected=base64url(json.dumps(p.header)[:-1].encode() + b',"alg":"none"}')),
        "twice",
    ),
    "a list for a header": (lambda p: p.join(protected=base64url(b"[]")), "no JSON object"),
}
BAD_HEADERS: dict[str, tuple[dict[str, Any], str]] = {
    "no typ": ({"typ": None}, "`typ`"),
    "JWT": ({"typ": "JWT"}, "`typ`"),
    "full media type": ({"typ": "application/jwks-release+jws"}, "`typ`"),
    "capitals": ({"typ": TYP.upper()}, "`typ`"),
    "crit": ({"crit": ["exp"], "exp": 1}, "`crit`"),
    "empty crit": ({"crit": []}, "`crit`"),
    "b64": ({"b64": False, "crit": ["b64"]}, "`crit`"),
    "b64 without crit": ({"b64": False}, "`b64`"),
    "b64 true": ({"b64": True}, "`b64`"),
    "none": ({"alg": "none"}, "`alg`"),
    "HS256": ({"alg": "HS256"}, "`alg`"),
    "RS256": ({"alg": "RS256"}, "`alg`"),
    "ES256K": ({"alg": "ES256K"}, "`alg`"),
    "a list for alg": ({"alg": ["ES256"]}, "`alg`"),
    "a list for kid": ({"kid": ["x"]}, "`kid`"),
    "kid of another form": ({"kid": "release-2026"}, "`kid`"),
    "kid with a line break": ({"kid": "A" * 42 + "\n"}, "`kid`"),
    "cty": ({"cty": "json"}, "members"),
    "jwk": ({"jwk": public_jwk(ec_key())}, "members"),
    "jku": ({"jku": "https://example.com"}, "members"),
    "x5c": ({"x5c": []}, "members"),
}


@pytest.mark.parametrize("trusted", [TRUSTED, None], ids=["trusted", "not trusted"])
@pytest.mark.parametrize("case", NOT_A_SEAL)
def test_what_is_no_seal_is_refused(case: str, trusted: TrustedKeys | None) -> None:
    change, text = NOT_A_SEAL[case]
    data = json.dumps(change(Parts.of(seal(PAYLOAD, signing())))).encode()
    assert text in refused(data, trusted)


@pytest.mark.parametrize("trusted", [TRUSTED, None], ids=["trusted", "not trusted"])
@pytest.mark.parametrize("case", BAD_HEADERS)
def test_other_headers_are_refused(case: str, trusted: TrustedKeys | None) -> None:
    changes, text = BAD_HEADERS[case]
    header = {name: value for name, value in header_of(ec_key(), **changes).items() if value is not None}
    parts = Parts(payload=PAYLOAD, header=header, signature=b"x" * 64)
    assert text in refused(json.dumps(parts.join()).encode(), trusted)


@pytest.mark.parametrize("changes", [{"typ": "JWT"}, {"cty": "json"}, {"jwk": public_jwk(ec_key())}])
def test_other_headers_are_refused_though_they_are_signed(changes: dict[str, Any]) -> None:
    refused(signed(header_of(ec_key(), **changes), ec_key()))


@pytest.mark.parametrize("trusted", [TRUSTED, None], ids=["trusted", "not trusted"])
@pytest.mark.parametrize(
    "data",
    [
        *(b"", b"null", b"[]", b'"x"', b"7", b"{", b"{}{}", b"\xff", b"\xef\xbb\xbf{}", b'{"a":NaN}', b'{"a":1,"a":2}'),
        *(b'{"a":{"b":1,"b":2}}', b"[" * 100_000, b'{"a":' * 100_000, "{}".encode("utf-16"), b"eyJ9.eyJ9.eyJ9"),
        b'{"n":' + b"1" * 5000 + b"}",
    ],
)
def test_garbage_is_refused(data: bytes, trusted: TrustedKeys | None) -> None:
    refused(data, trusted)


@pytest.mark.parametrize("name", ["payload", "protected", "signature", "header"])
def test_a_member_that_comes_twice_is_refused(name: str) -> None:
    data = seal(PAYLOAD, signing())
    again = json.dumps({name: json.loads(data).get(name, {})})[1:-1].encode()
    both = data[:-1] + b"," + again + b"," + again + b"}"
    assert "twice" in refused(both)
    assert "twice" in refused(both, None)


def test_a_compact_jws_is_refused() -> None:
    token = JWS(PAYLOAD)
    token.add_signature(JWK.from_pyca(ec_key()), protected=json.dumps(header_of(ec_key())))
    assert "not JSON" in refused(token.serialize(compact=True).encode())


# What is refused where keys are trusted.


def test_an_unknown_signer() -> None:
    data = seal(PAYLOAD, signing("P-256", 1))
    message = refused(data, trusting(ec_key(0)))
    assert thumbprint(ec_key(1)) in message
    assert _unseal(data, trusting(ec_key(0), ec_key(1))).verified


@pytest.mark.parametrize("kind", ALGORITHMS)
def test_an_unknown_signer_under_a_trusted_name(kind: str) -> None:
    header = header_of(key_of(kind), alg=ALGORITHMS[kind])
    assert "does not fit" in refused(signed(header, key_of(kind, 1)))


@pytest.mark.parametrize("kind", ALGORITHMS)
def test_a_payload_of_another_release(kind: str) -> None:
    first, second = Parts.of(seal(b'{"sequence":1}', signing(kind))), Parts.of(seal(b'{"sequence":2}', signing(kind)))
    swapped = json.dumps(first.join(payload=base64url(second.payload))).encode()
    assert "does not fit" in refused(swapped)
    assert _unseal(swapped, None).payload == second.payload
    assert "does not fit" in refused(json.dumps(first.join(signature=base64url(second.signature))).encode())


@pytest.mark.parametrize("kind", ALGORITHMS)
def test_a_header_that_was_written_anew(kind: str) -> None:
    parts = Parts.of(seal(PAYLOAD, signing(kind)))
    spaced = json.dumps(parts.header, indent=1).encode()
    assert "does not fit" in refused(json.dumps(parts.join(protected=base64url(spaced))).encode())


@pytest.mark.parametrize("kind", ALGORITHMS)
@pytest.mark.parametrize("change", ["empty", "short", "long", "zero", "other"])
def test_a_bad_signature(kind: str, change: str) -> None:
    parts = Parts.of(seal(PAYLOAD, signing(kind)))
    right = parts.signature
    wrong = {
        "empty": b"",
        "short": right[:-1],
        "long": right + b"\0",
        "zero": bytes(len(right)),
        "other": bytes([right[0], *right[1:-1], right[-1] ^ 1]),
    }[change]
    assert "does not fit" in refused(json.dumps(parts.join(signature=base64url(wrong))).encode())


@pytest.mark.parametrize("kind", ["P-256", "P-384", "P-521"])
def test_a_second_spelling_of_a_signature(kind: str) -> None:
    """Halves with a zero byte before each: jwcrypto alone takes them."""
    found = json.loads(seal(PAYLOAD, signing(kind)))
    right = decoded(found["signature"])
    half = len(right) // 2
    found["signature"] = base64url(b"\0" + right[:half] + b"\0" + right[half:])
    token = JWS()
    token.deserialize(json.dumps(found), JWK.from_pyca(key_of(kind)))
    assert token.payload == PAYLOAD
    assert "does not fit" in refused(json.dumps(found).encode())


@pytest.mark.parametrize("kind", ALGORITHMS)
@pytest.mark.parametrize("form", ["pem", "der", "jwk"])
def test_hs256_with_a_public_key_for_a_secret(kind: str, form: str) -> None:
    public = key_of(kind).public_key()
    secret = {
        "pem": public_pem(key_of(kind)).encode(),
        "der": public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo),
        "jwk": json.dumps(public_jwk(key_of(kind))).encode(),
    }[form]
    header = header_of(key_of(kind), alg="HS256")
    assert "`alg`" in refused(signed(header, JWK(kty="oct", k=base64url(secret))))


def test_none_without_a_signature() -> None:
    parts = Parts(payload=PAYLOAD, header=header_of(ec_key(), alg="none"), signature=b"")
    assert "`alg`" in refused(json.dumps(parts.join()).encode())


@pytest.mark.parametrize("alg", ["RS256", "RS512", "PS384", "PS512"])
def test_an_rsa_key_with_another_algorithm(alg: str) -> None:
    assert "`alg`" in refused(signed(header_of(rsa_key(), alg=alg), rsa_key()))


@pytest.mark.parametrize("kind", ALGORITHMS)
@pytest.mark.parametrize("other", ALGORITHMS)
def test_an_algorithm_of_another_kind_of_key(kind: str, other: str) -> None:
    parts = Parts.of(seal(PAYLOAD, signing(kind)))
    header = parts.header | {"alg": ALGORITHMS[other]}
    data = json.dumps(Parts(payload=PAYLOAD, header=header, signature=parts.signature).join()).encode()
    if kind == other:
        assert "does not fit" in refused(data)  # the header is laid out differently
    else:
        assert f"signs with {ALGORITHMS[kind]}" in refused(data)


@BOUNDED
@given(at=st.integers(min_value=0), kind=st.sampled_from(list(ALGORITHMS)))
def test_truncated_data_is_refused(at: int, kind: str) -> None:
    data = seal(PAYLOAD, signing(kind))
    refused(data[: at % len(data)])
    refused(data[: at % len(data)], None)


@BOUNDED
@given(at=st.integers(min_value=0), bit=st.integers(min_value=0, max_value=7), kind=st.sampled_from(list(ALGORITHMS)))
def test_one_bit_of_difference_is_refused(at: int, bit: int, kind: str) -> None:
    data = bytearray(seal(PAYLOAD, signing(kind)))
    data[at % len(data)] ^= 1 << bit
    refused(bytes(data))


@given(st.binary(max_size=200))
def test_random_bytes_are_refused(data: bytes) -> None:
    refused(data)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=9),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=9), inner, max_size=3),
    max_leaves=8,
)
NAMES = st.sampled_from(["payload", "protected", "signature", "header", "signatures", "sequence"])


@BOUNDED
@given(st.dictionaries(NAMES, JSON, max_size=6))
def test_random_objects_are_refused_where_keys_are_trusted(found: dict[str, Any]) -> None:
    refused(json.dumps(found).encode())


@BOUNDED
@given(st.fixed_dictionaries({"alg": JSON, "kid": JSON, "typ": st.just(TYP) | JSON}, optional={"crit": JSON}))
def test_random_headers_are_refused(header: dict[str, Any]) -> None:
    refused(json.dumps(Parts(payload=PAYLOAD, header=header, signature=b"x" * 64).join()).encode(), None)


# The signing key.


@pytest.mark.parametrize("kind", ALGORITHMS)
@pytest.mark.parametrize("form", [PrivateFormat.PKCS8, PrivateFormat.TraditionalOpenSSL])
@pytest.mark.parametrize("encrypted", [False, True])
def test_signing_keys_are_read(kind: str, form: PrivateFormat, encrypted: bool) -> None:
    if kind == "Ed25519" and form is PrivateFormat.TraditionalOpenSSL:
        return  # there is no such form
    pem = private_pem(key_of(kind), form, encrypted=encrypted).encode()
    key = read_signing_key(pem, password=PASSPHRASE if encrypted else None)
    assert (key.thumbprint, key.alg) == (thumbprint(key_of(kind)), ALGORITHMS[kind])
    assert _unseal(seal(PAYLOAD, key), TRUSTED).verified
    if encrypted:
        assert "encrypted; give its password" in bad_signing_key(pem)
        assert "correct the password" in bad_signing_key(pem, b"wrong")
        assert "correct the password" in bad_signing_key(pem, b"")
    else:
        assert "leave the password out" in bad_signing_key(pem, PASSPHRASE)


def test_openssl_writes_parameters_before_an_ec_key() -> None:
    pem = base64_lines("EC PARAMETERS", b"\x06\x08*\x86H\xce=\x03\x01\x07")
    assert read_signing_key((pem + private_pem(ec_key(), PrivateFormat.TraditionalOpenSSL)).encode()) == signing()


def bad_signing_key(data: bytes, password: bytes | None = None) -> str:
    with pytest.raises(SealError) as caught:
        read_signing_key(data, password=password)
    message = line(caught.value)
    for start in range(0, len(data) - 12, 3):
        part = data[start : start + 12].decode("latin-1")
        assert part not in message or part.isalpha() or "PRIVATE KEY" in part or " " in part
    return message


def _other(key: Any) -> bytes:
    pem: bytes = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    return pem


NO_SIGNING_KEYS: dict[str, tuple[Callable[[], bytes], str]] = {
    "nothing": (lambda: b"", "no PEM block"),
    "garbage": (lambda: b"\xff\x00", "no PEM block"),
    "a JWK": (lambda: json.dumps(private_jwk(ec_key())).encode(), "no PEM block"),
    "DER": (lambda: ec_key().private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption()), "no PEM block"),
    "a public key": (lambda: public_pem(ec_key()).encode(), "no private key"),
    "a certificate": (lambda: certificate_pem(certificate(ec_key())).encode(), "no private key"),
    "two keys": (lambda: (private_pem(ec_key()) * 2).encode(), "2 PEM blocks"),
    "a key and a certificate": (
        lambda: (private_pem(ec_key()) + certificate_pem(certificate(ec_key()))).encode(),
        "2 PEM blocks",
    ),
    "OpenSSH": (lambda: private_pem(okp_key(), PrivateFormat.OpenSSH).encode(), "OpenSSH"),
    "spoilt": (lambda: base64_lines("PRIVATE KEY", b"hunter2" * 20).encode(), "cannot be read"),
    "cut short": (lambda: private_pem(rsa_key()).encode()[:-200], "cannot be read"),
    "RSA of 1024 bits": (lambda: private_pem(rsa_key(0, 1024)).encode(), "1024 bits"),
    "RSA with exponent 3": (lambda: _other(rsa.generate_private_key(3, 2048)), "exponent"),
    "secp256k1": (lambda: private_pem(ec_key(0, "secp256k1")).encode(), "secp256k1"),
    "Ed448": (lambda: private_pem(okp_key(0, "Ed448")).encode(), "of a kind"),
    "X25519": (lambda: _other(x25519.X25519PrivateKey.generate()), "of a kind"),
    "DSA": (lambda: _other(dsa.generate_private_key(2048)), "of a kind"),
}


@pytest.mark.parametrize("case", NO_SIGNING_KEYS)
def test_what_is_no_signing_key(case: str) -> None:
    make, text = NO_SIGNING_KEYS[case]
    assert text in bad_signing_key(make())


def test_a_published_example_does_not_sign() -> None:
    # RFC 8037 appendix A.1
    example = JWK(
        kty="OKP",
        crv="Ed25519",
        d="nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A",
        x="11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo",
    )
    assert "is published" in bad_signing_key(example.export_to_pem(private_key=True, password=None))


@pytest.mark.parametrize("kind", ALGORITHMS)
def test_a_key_does_not_show_its_secret(kind: str) -> None:
    key = signing(kind)
    secrets = [value for name, value in private_jwk(key_of(kind)).items() if name not in public_jwk(key_of(kind))]
    assert secrets
    shown = f"{key!r} {key} {[key]} {key.public!r} {key.secret!r} {key.secret}"
    assert not [secret for secret in secrets if secret in shown]
    assert key == read_signing_key(private_pem(key_of(kind)).encode())
    assert set(members(key.public)) == set(public_jwk(key_of(kind)))


# The trusted keys.


def bad_trusted_keys(data: bytes) -> str:
    with pytest.raises(SealError) as caught:
        read_trusted_keys(data)
    return line(caught.value)


def jwks(*keys: object) -> bytes:
    return json.dumps({"keys": keys}).encode()


@pytest.mark.parametrize("kind", ALGORITHMS)
def test_trusted_keys_are_read_from_pem_and_jwks(kind: str) -> None:
    data = seal(PAYLOAD, signing(kind))
    jwk = public_jwk(key_of(kind)) | {"kid": "any", "use": "sig", "alg": ALGORITHMS[kind], "key_ops": ["verify"]}
    for trusted in (public_pem(key_of(kind)).encode(), jwks(jwk), b"\n " + jwks(public_jwk(key_of(kind)))):
        assert _unseal(data, read_trusted_keys(trusted)).verified


def test_several_trusted_keys_in_their_order() -> None:
    wanted = [thumbprint(key_of(kind)) for kind in ALGORITHMS]
    assert [key.thumbprint for key in TRUSTED.keys] == wanted
    found = read_trusted_keys(jwks(*(public_jwk(key_of(kind)) for kind in ALGORITHMS)))
    assert found == TRUSTED
    assert found.find(wanted[2]) == found.keys[2]
    assert found.find("nobody") is None


def test_an_rsa_public_key_of_pkcs1() -> None:
    assert read_trusted_keys(public_pem(rsa_key(), PublicFormat.PKCS1).encode()) == trusting(rsa_key())


@pytest.mark.parametrize("data", [b"", b" \n", b'{"keys":[]}'])
def test_no_trusted_key_at_all(data: bytes) -> None:
    assert "there is no trusted key" in bad_trusted_keys(data)


@pytest.mark.parametrize("kind", ALGORITHMS)
def test_private_keys_are_not_trusted_and_not_shown(kind: str) -> None:
    private = private_jwk(key_of(kind))
    good = public_pem(ec_key(9))
    for data in (
        private_pem(key_of(kind)).encode(),
        (good + private_pem(key_of(kind))).encode(),
        (good + private_pem(key_of(kind), encrypted=True)).encode(),
        private_pem(key_of(kind)).encode("utf-16"),
        jwks(private),
        jwks(public_jwk(ec_key(9)), private),
        jwks(private).replace(b'"d"', b'"\\u0064"').replace(b'"p"', b'"\\u0070"'),
        json.dumps(private).encode(),
        json.dumps({"keys": [], "backup": private}).encode(),
        json.dumps({"keys": [private_pem(key_of(kind))]}).encode(),
    ):
        message = bad_trusted_keys(data)
        assert "private key" in message
        secrets = [value for name, value in private.items() if name not in public_jwk(key_of(kind))]
        assert not [secret for secret in secrets if secret[:12] in message]


@pytest.mark.parametrize("member", ["d", "p", "q", "dp", "dq", "qi", "oth", "k"])
@pytest.mark.parametrize("value", ["hunter2", 7, None, []])
def test_private_members_of_any_value_are_refused(member: str, value: object) -> None:
    message = bad_trusted_keys(jwks(public_jwk(ec_key()) | {member: value}))
    assert "trusted key 1: " in message
    assert "hunter2" not in message


def test_a_symmetric_key_is_refused() -> None:
    for entry in (
        {"kty": "oct", "k": base64url(b"hunter2 hunter2 hunter2")},
        {"kty": "oct"},
        {"kty": "oct", "k": "aHVu"},
    ):
        assert "aHVu" not in bad_trusted_keys(jwks(entry))


NO_TRUSTED_KEYS: dict[str, tuple[Callable[[], bytes], str]] = {
    "garbage": (lambda: b"\xff\x00", "trusted key 1 is not a PEM public key"),
    "a list": (lambda: b"[]", "trusted key 1 is not a PEM public key"),
    "SSH": (lambda: b"ssh-ed25519 AAAA me@host", "trusted key 1 is not a PEM public key"),
    "a certificate": (lambda: certificate_pem(certificate(ec_key())).encode(), "is not a PEM public key"),
    "text between": (lambda: (public_pem(ec_key()) + "# Alice\n" + public_pem(rsa_key())).encode(), "trusted key 2"),
    "text after": (lambda: (public_pem(ec_key()) + "x").encode(), "text beside it"),
    "spoilt": (lambda: base64_lines("PUBLIC KEY", b"spoilt").encode(), "cannot be read"),
    "cut short": (lambda: public_pem(ec_key()).encode()[:-30], "is not a PEM public key"),
    "twice": (lambda: (public_pem(ec_key()) * 2).encode(), "trusted key 2 is there twice"),
    "twice in a JWKS": (lambda: jwks(public_jwk(ec_key()), public_jwk(ec_key())), "there twice"),
    "RSA of 1024 bits": (lambda: public_pem(rsa_key(0, 1024)).encode(), "1024 bits"),
    "RSA of 1024 bits in a JWKS": (lambda: jwks(public_jwk(rsa_key(0, 1024))), "1024 bits"),
    "RSA of 9000 bits": (lambda: jwks(rsa_numbers(2**9000 + 1)), "9001 bits"),
    "RSA with exponent 1": (lambda: jwks(public_jwk(rsa_key()) | {"e": "AQ"}), "exponent"),
    "RSA with a small factor": (lambda: jwks(rsa_numbers((2**2047 + 1) // 3 * 3)), "factored"),
    "RSA with close primes": (lambda: jwks(rsa_numbers((2**1100 + 3) ** 2)), "factored"),
    "a published example": (
        lambda: jwks({"kty": "OKP", "crv": "Ed25519", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}),
        "is published",
    ),
    "secp256k1": (lambda: public_pem(ec_key(0, "secp256k1")).encode(), "secp256k1"),
    "Ed448": (lambda: jwks(public_jwk(okp_key(0, "Ed448"))), "Ed448"),
    "X25519": (
        lambda: (
            x25519.X25519PrivateKey.generate()
            .public_key()
            .public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
        ),
        "not an RSA, EC or Ed25519 key",
    ),
    "not JSON": (lambda: b"{", "not JSON"),
    "a name twice": (lambda: b'{"keys":[],"keys":[]}', "twice"),
    "one JWK": (lambda: json.dumps(public_jwk(ec_key())).encode(), "no JWKS"),
    "keys as an object": (lambda: b'{"keys":{}}', "no JWKS"),
    "a string for a key": (lambda: jwks("key"), "is not a JWK"),
    "no kty": (lambda: jwks({}), "`kty` is missing"),
    "a number for x": (lambda: jwks(public_jwk(ec_key()) | {"x": 7}), "`x` of trusted key 1"),
    "null for kty": (lambda: jwks({"kty": None}), "`kty` of trusted key 1"),
    "off the curve": (lambda: jwks(public_jwk(ec_key()) | {"x": public_jwk(ec_key(1))["x"]}), "not on P-256"),
    "padded": (lambda: jwks(public_jwk(ec_key()) | {"x": public_jwk(ec_key())["x"] + "="}), "base64url"),
    "for encryption": (lambda: jwks(public_jwk(ec_key()) | {"use": "enc"}), "not for verifying"),
    "for signing": (lambda: jwks(public_jwk(ec_key()) | {"key_ops": ["sign"]}), "not for verifying"),
    "alg of another kind": (lambda: jwks(public_jwk(ec_key()) | {"alg": "HS256"}), "is not ES256"),
    "RS256": (lambda: jwks(public_jwk(rsa_key()) | {"alg": "RS256"}), "is not PS256"),
    "too many in a JWKS": (lambda: jwks(*[public_jwk(ec_key())] * 101), "more than 100"),
    "too many": (lambda: (public_pem(ec_key()) * 101).encode(), "more than 100"),
}


@pytest.mark.parametrize("case", NO_TRUSTED_KEYS)
def test_what_is_no_trusted_key(case: str) -> None:
    make, text = NO_TRUSTED_KEYS[case]
    assert text in bad_trusted_keys(make())


@given(st.binary(max_size=300) | st.binary(max_size=100).map(lambda data: b"-----BEGIN PUBLIC KEY-----" + data))
def test_random_bytes_are_no_keys(data: bytes) -> None:
    bad_trusted_keys(data)
    bad_signing_key(data)


@given(
    st.lists(
        st.dictionaries(st.sampled_from(["kty", "crv", "x", "y", "n", "e", "use", "alg"]), JSON, max_size=5),
        min_size=1,
        max_size=2,
    )
)
def test_random_jwks_are_no_keys(keys: list[object]) -> None:
    bad_trusted_keys(jwks(*keys))
