"""Certificate chains: x5c and its thumbprints in a JWK, and `certificate`."""

import base64
import hashlib
import random
from datetime import UTC, datetime

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from keymaker import (
    base64_lines,
    base64url,
    certificate,
    certificate_pem,
    chain,
    ec_key,
    entry,
    key_of,
    public_jwk,
    rsa_key,
    x5c,
    x5t,
)

from publisher.diagnostic import Diagnostic

from .trees import NOW, of_entry, rules

ENDS = {"publish": {"until": "2039-01-01T00:00:00Z"}, "signs": {"until": "2038-12-30T00:00:00Z"}}
STAYS = entry("ES256", kid="stays", jwk=public_jwk(ec_key(9)))
"""Goes on signing when the key under test has ended."""
LEAF = chain(3)[0]
DER = base64.b64decode(x5c(LEAF)[0])
BASE64 = "this is not a DER certificate in standard base64; use A-Z a-z 0-9 + / and padding alone"
ORDER = "is not issued by the next one; put the leaf first and each issuer right after"


def said(text: str) -> list[Diagnostic]:
    """What is said of a key set with this custom key and one that stays."""
    return of_entry(text + STAYS)


def jwk(*certificates: x509.Certificate | str, **more: str) -> str:
    """An entry with the RSA key and these certificates."""
    shown = [one if isinstance(one, str) else x5c(one)[0] for one in certificates]
    return entry("RS256", jwk={**public_jwk(rsa_key()), "x5c": shown, **more}, **ENDS)


@pytest.mark.parametrize("kind", ["RSA", "P-256", "P-384", "Ed25519"])
@pytest.mark.parametrize("length", [1, 2, 3, 5])
def test_good_chains(kind: str, length: int) -> None:
    alg = {"RSA": "RS256", "P-256": "ES256", "P-384": "ES384", "Ed25519": "EdDSA"}[kind]
    certificates = chain(length, kind)
    members = {**public_jwk(key_of(kind)), "x5c": x5c(*certificates), "x5t": x5t(certificates[0])}
    assert said(entry(alg, jwk=members, **ENDS)) == []
    assert said(entry(alg, certificate=certificate_pem(*certificates), **ENDS)) == []


@pytest.mark.parametrize(
    ("certificates", "says"),
    [
        ([], "`x5c` is empty; leave it out, or put the key's certificate first"),
        (list(chain(3)[::-1]), f"certificate 1 of the chain {ORDER}"),
        ([LEAF, chain(3)[2]], f"certificate 1 of the chain {ORDER}"),
        ([LEAF, chain(3)[1], chain(3)[1]], f"certificate 2 of the chain {ORDER}"),
        ([LEAF, LEAF], f"certificate 1 of the chain {ORDER}"),
        ([*chain(5), chain(5)[4]], "6 items are too many; at most 5"),
        ([base64url(DER)], BASE64),
        ([x5c(LEAF)[0][:-4]], BASE64),
        ([x5c(LEAF)[0] + "="], BASE64),
        ([x5c(LEAF)[0].rstrip("=")[:-1]], BASE64),
        ([" " + x5c(LEAF)[0]], BASE64),
        (["AAAA"], BASE64),
        ([certificate_pem(LEAF).replace("\n", " ")], BASE64),
        ([base64.b64encode(DER + b"\0\0").decode()], BASE64),
    ],
)
def test_bad_x5c(certificates: list[x509.Certificate | str], says: str) -> None:
    found = said(jwk(*certificates))
    assert [f"{one.message}; {one.hint}" for one in found] == [says]


def test_each_item_of_x5c_has_its_place() -> None:
    text = "  - alg: RS256\n    jwk: {kty: RSA, e: AQAB, n: AQAB, x5c: [AAAA, BBBB]}\n"
    found = said(text)
    assert [(one.line, one.column) for one in found if one.rule == "certificate-encoding"] == [(7, 45), (7, 51)]
    found = said(text.replace("AAAA, BBBB", "AAAA, 5, [C]"))
    assert [(one.column, one.rule) for one in found if one.line == 7] == [(51, "implicit-type"), (54, "wrong-type")]


@pytest.mark.parametrize(("name", "digest"), [("x5t", "sha1"), ("x5t#S256", "sha256")])
def test_thumbprints(name: str, digest: str) -> None:
    raw = hashlib.new(digest, DER).digest()
    right = base64url(raw)
    assert said(jwk(LEAF, **{name: right})) == []
    upper, lower = (base64url(text.encode()) for text in (raw.hex().upper(), raw.hex()))
    hexadecimal = f"`{name}` is the base64url of the digest in hexadecimal, not of its {len(raw)} bytes; write {right}"
    other = f"`{name}` is not the digest of the first certificate; write {right}, or leave `{name}` out"
    for given, says in (
        (upper, hexadecimal),
        (lower, hexadecimal),
        (raw.hex(), other),
        (right + "=", other),
        ("AAAA", other),
    ):
        found = said(jwk(LEAF, **{name: given}))
        assert [f"{one.rule}: {one.message}; {one.hint}" for one in found] == [f"certificate-thumbprint: {says}"]
    assert rules(said(entry("RS256", jwk={**public_jwk(rsa_key()), name: right}))) == ["certificate-thumbprint"]


def test_the_thumbprint_is_that_of_the_leaf() -> None:
    assert rules(said(jwk(*chain(3), x5t=x5t(chain(3)[1])))) == ["certificate-thumbprint"]


def test_the_leaf_holds_the_key() -> None:
    assert rules(said(jwk(*chain(3, "P-256")))) == ["certificate-key"]
    assert rules(said(jwk(certificate(rsa_key(1))))) == ["certificate-key"]


@pytest.mark.parametrize("fault", ["version", "serial"])
def test_certificates_that_libraries_warn_of_or_cannot_read(fault: str) -> None:
    """Version 6 raises an error of its own in cryptography; a serial number of 0 a warning."""
    der = x5c(LEAF)[0]
    raw = base64.b64decode(der)
    old, new = (
        (b"\xa0\x03\x02\x01\x02", b"\xa0\x03\x02\x01\x05") if fault == "version" else (b"\x02\x01\x07", b"\x02\x01\x00")
    )
    assert raw.count(old) == 1
    found = said(jwk(base64.b64encode(raw.replace(old, new)).decode()))
    says = {
        "version": BASE64,
        "serial": "the certificate breaks X.509 (RFC 5280); make it again: a serial number is positive, say",
    }
    assert [f"{one.rule}: {one.message}; {one.hint}" for one in found] == [f"certificate-encoding: {says[fault]}"]


@pytest.mark.parametrize("tag", [b"\x03", b"\x01"])
def test_names_that_cannot_be_read(tag: bytes) -> None:
    """Names are read late by cryptography, with errors of several types."""
    raw = base64.b64decode(x5c(certificate(rsa_key(), "\xe9\xe9"))[0])
    name = "\xe9\xe9".encode()
    assert raw.count(b"\x0c\x04" + name) == 2
    found = said(jwk(base64.b64encode(raw.replace(b"\x0c\x04" + name, tag + b"\x04" + name)).decode()))
    assert [f"{one.rule}: {one.message}" for one in found] == [
        "certificate-encoding: the certificate's names, its key or its validity cannot be read"
    ]


def test_damaged_certificates_and_keys_end_in_a_mistake_or_are_read() -> None:
    """Whatever a byte becomes, there is no exception and no warning."""
    chance = random.Random(7)
    originals = [base64.b64decode(x5c(chain(1, kind)[0])[0]) for kind in ("RSA", "P-256", "Ed25519")]
    seen = set()
    for _ in range(400):
        raw = bytearray(chance.choice(originals))
        for _ in range(chance.choice((1, 1, 2, 5))):
            raw[chance.randrange(len(raw))] = chance.randrange(256)
        text = base64_lines("CERTIFICATE", bytes(raw))
        seen.update(rules(said(entry("RS256", certificate=text, **ENDS))))
    assert {"certificate-encoding", "certificate-chain"} <= seen


def _with_sha1(key: rsa.RSAPrivateKey, *, damaged: bool = False) -> str:
    """A self-signed certificate that is signed with SHA-1, which cryptography does not make: Auth0 has had some."""
    old, new = (bytes.fromhex(f"06092a864886f70d0101{last}") for last in ("0b", "05"))
    raw = base64.b64decode(x5c(certificate(key))[0])
    assert raw.count(old) == 2
    raw = raw.replace(old, new)
    to_sign = x509.load_der_x509_certificate(raw).tbs_certificate_bytes
    signature = key.sign(to_sign, padding.PKCS1v15(), hashes.SHA1())  # noqa: S303
    return base64.b64encode(raw[: -len(signature)] + (signature[::-1] if damaged else signature)).decode()


def test_signatures_with_sha1_are_verified_too() -> None:
    assert said(jwk(_with_sha1(rsa_key()))) == []
    found = said(jwk(_with_sha1(rsa_key(), damaged=True)))
    assert [f"{one.rule}: {one.message}" for one in found] == [
        "certificate-chain: the signature of the last certificate is wrong"
    ]


@pytest.mark.parametrize(
    ("publish", "start", "end", "places"),
    [
        ({}, (2020, 1, 1), (2040, 1, 1), [(4, "after")]),
        ({"until": "2030-01-01T00:00:00Z"}, (2020, 1, 1), (2030, 1, 1), []),
        ({"until": "2030-01-01T00:00:01Z"}, (2020, 1, 1), (2030, 1, 1), [(8, "after")]),
        ({"from": "2027-01-01T00:00:00Z", "until": "2030-01-01T00:00:00Z"}, (2027, 1, 1), (2040, 1, 1), []),
        (
            {"from": "2026-12-31T23:59:59Z", "until": "2030-01-01T00:00:00Z"},
            (2027, 1, 1),
            (2040, 1, 1),
            [(8, "before")],
        ),
        ({"until": "2030-01-01T00:00:00Z"}, (2026, 6, 1), (2040, 1, 1), []),
        ({"until": "2030-01-01T00:00:00Z"}, (2026, 6, 2), (2040, 1, 1), [(8, "before")]),
        ({"from": "2019-01-01T00:00:00Z", "until": "2020-06-01T00:00:00Z"}, (2019, 1, 1), (2020, 6, 1), []),
    ],
)
def test_validity_covers_the_window(
    publish: dict[str, str], start: tuple[int, int, int], end: tuple[int, int, int], places: list[tuple[int, str]]
) -> None:
    assert datetime(2026, 6, 1, tzinfo=UTC) == NOW
    one = certificate(ec_key(), start=datetime(*start, tzinfo=UTC), end=datetime(*end, tzinfo=UTC))
    fields = {"publish": publish} if publish else {}
    if "until" in publish:
        year = int(publish["until"][:4]) - 1
        fields["signs"] = {"from": f"{year}-06-01T00:00:00Z", "until": f"{year}-12-30T00:00:00Z"}
    found = said(entry("ES256", **fields, jwk={**public_jwk(ec_key()), "x5c": x5c(one)}))
    assert rules(found) == ["certificate-validity"] * len(places)
    assert [found_one.message.split()[5] for found_one in found] == [word for _, word in places]
    revoked = {"at": "2026-01-01T00:00:00Z", "reason": "lost"}
    assert said(entry("ES256", **fields, jwk={**public_jwk(ec_key()), "x5c": x5c(one)}, revoked=revoked)) == []


def test_the_whole_chain_counts_for_validity() -> None:
    issuer_key = ec_key(5)
    issuer = certificate(issuer_key, "issuer", end=datetime(2030, 1, 1, tzinfo=UTC))
    leaf = certificate(rsa_key(), "leaf", (issuer, issuer_key))
    assert [one.message for one in said(jwk(leaf, issuer))] == [
        "the certificate is not valid after 2030-01-01T00:00:00Z"
    ]
    assert said(jwk(leaf)) == []
