"""Spellings of JWK members and kids, and which algorithm goes with which key."""

import itertools

import pytest
from keymaker import (
    base64url,
    decoded,
    ec_key,
    entry,
    flow,
    key_of,
    okp_key,
    private_jwk,
    public_jwk,
    rsa_key,
    rsa_numbers,
    thumbprint,
)

from publisher.keyset import read_keyset
from publisher.policy import Policy
from publisher.source import File, Folder

from .trees import HEAD, lines, mistakes, of_entry, rules

FITS = {
    "RSA": ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512"),
    "P-256": ("ES256",),
    "P-384": ("ES384",),
    "P-521": ("ES512",),
    "secp256k1": ("ES256K",),
    "Ed25519": ("EdDSA", "Ed25519"),
    "Ed448": ("EdDSA", "Ed448"),
}
ALL = Policy(algorithms=frozenset(itertools.chain(*FITS.values())))
EXPOSED = "publish the public half only; treat this key as exposed and replace it"
RSA, EC, ED = public_jwk(rsa_key()), public_jwk(ec_key()), public_jwk(okp_key())


def kid_of(text: str) -> str:
    """The kid of the one key that a key list with this entry has."""
    file = File(kind="file", data=f"{HEAD}custom_keys:\n{text}".encode())
    read = read_keyset(Folder(path="acme", tree=None, files={"keyset.yaml": file}))
    assert read.diagnostics == ()
    assert read.keyset is not None
    return read.keyset.keys[0].kid


@pytest.mark.parametrize(("kind", "alg"), list(itertools.product(FITS, sorted(ALL.algorithms))))
def test_algorithms_and_keys(kind: str, alg: str) -> None:
    found = of_entry(entry(alg, kid="k", jwk=public_jwk(key_of(kind))), ALL)
    assert rules(found) == ([] if alg in FITS[kind] else ["algorithm-key"])
    if found:
        assert lines(found) == [
            f"7:10: algorithm-key: {alg} does not go with {kind} keys; write one of {', '.join(FITS[kind])}"
        ]


@pytest.mark.parametrize("alg", ["none", "None", "HS256", "HS512", "RS1", "rs256", "RSA-OAEP", "ML-DSA-65", "ES257"])
def test_other_algorithms(alg: str) -> None:
    found = of_entry(entry(alg, kid="k", jwk=RSA))
    assert rules(found) == ["algorithm-unknown"]
    assert found[0].hint == "write one of RS256, RS384, RS512, PS256, PS384, PS512"


@pytest.mark.parametrize(
    ("kind", "alg", "allowed", "hint"),
    [
        ("RSA", "PS256", {"RS256"}, "write one of RS256"),
        ("secp256k1", "ES256K", {"ES256"}, "the policy allows no algorithm for secp256k1 keys"),
        ("Ed448", "EdDSA", {"EdDSA"}, "the policy allows no algorithm for Ed448 keys"),
        ("Ed25519", "Ed25519", {"EdDSA"}, "write one of EdDSA"),
        ("Ed448", "EdDSA", {"Ed448"}, None),
        ("Ed448", "Ed448", {"Ed448"}, None),
        ("Ed25519", "EdDSA", {"EdDSA"}, None),
    ],
)
def test_what_the_policy_allows(kind: str, alg: str, allowed: set[str], hint: str | None) -> None:
    found = of_entry(entry(alg, kid="k", jwk=public_jwk(key_of(kind))), Policy(algorithms=frozenset(allowed)))
    assert rules(found) == ([] if hint is None else ["algorithm-not-allowed"])
    assert [one.hint for one in found] == ([] if hint is None else [hint])


GOOD_KIDS = [
    "a",
    "0123",
    "no",
    "~",
    "a b",
    "2026-01",
    "x" * 255,
    "!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~",
    "{}",
    "=",
    "null",
]
BAD_KIDS = [" a", "a ", "a\tb", "a\nb", "\x00", "\x7f", "ä", "​", "x" * 256, "😀", " "]


@pytest.mark.parametrize("kid", GOOD_KIDS)
def test_good_kids(kid: str) -> None:
    quoted = '"' + kid.replace("\\", "\\\\").replace('"', '\\"') + '"'
    assert kid_of(f"  - kid: {quoted}\n    alg: ES256\n    jwk: {flow(EC)}\n") == kid
    assert kid_of(f"  - alg: ES256\n    jwk: {{kid: {quoted}, {flow(EC)[1:]}\n") == kid


@pytest.mark.parametrize("kid", BAD_KIDS)
def test_bad_kids(kid: str) -> None:
    quoted = '"' + "".join(f"\\U{ord(char):08x}" for char in kid) + '"'
    found = of_entry(f"  - kid: {quoted}\n    alg: ES256\n    jwk: {flow(EC)}\n")
    assert [(one.rule, one.line, one.column) for one in found] == [("kid-format", 6, 10)]
    assert str(found[0]).isprintable()
    found = of_entry(f"  - alg: ES256\n    jwk: {{kid: {quoted}, {flow(EC)[1:]}\n")
    assert [(one.rule, one.line, one.column) for one in found] == [
        ("kid-format" if len(kid) < 256 else "bad-value", 7, 16)
    ]


@pytest.mark.parametrize("kid", ["123", "1e3", "0x1f", "no", "~", "2026-01-01", "12:30:45", ".inf", "=", "<<", "Null"])
def test_kids_that_yaml_readers_take_for_something_else(kid: str) -> None:
    found = of_entry(f"  - kid: {kid}\n    alg: ES256\n    jwk: {flow(EC)}\n")
    assert lines(found) == [f'6:10: implicit-type: `{kid}` is not text to YAML readers; quote it: "{kid}"']


def test_a_key_without_kid_has_its_thumbprint() -> None:
    assert kid_of(entry("ES256", jwk=EC)) == thumbprint(ec_key())
    assert kid_of(entry("RS256", jwk=RSA)) == thumbprint(rsa_key())
    assert kid_of(entry("EdDSA", jwk=ED)) == thumbprint(okp_key())


def _stray_bits(text: str) -> str:
    """Another last character, with the same bytes."""
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    return text[:-1] + alphabet[alphabet.index(text[-1]) + 1]


BASE64URL = [
    (ED["x"] + "=", "remove the padding `=`"),
    (ED["x"] + "==", "remove the padding `=`"),
    (ED["x"][:20] + "+" + ED["x"][21:], "use A-Z a-z 0-9 - _ only"),
    (ED["x"][:20] + "/" + ED["x"][21:], "use A-Z a-z 0-9 - _ only"),
    (ED["x"][:20] + " " + ED["x"][20:], "use A-Z a-z 0-9 - _ only"),
    (ED["x"][:20] + "\n" + ED["x"][20:], "use A-Z a-z 0-9 - _ only"),
    (ED["x"] + "\n", "use A-Z a-z 0-9 - _ only"),
    (ED["x"][:42] + "é", "use A-Z a-z 0-9 - _ only"),
    (_stray_bits(ED["x"]), "the last character holds bits that belong to no byte: encode it again"),
    (ED["x"] + "AA", "a character is missing, or one is too many: copy it again"),
]


@pytest.mark.parametrize(("text", "hint"), BASE64URL, ids=range(len(BASE64URL)))
def test_base64url(text: str, hint: str) -> None:
    escaped = text.replace("\n", "\\n")
    found = of_entry(f'  - alg: EdDSA\n    jwk: {{kty: OKP, crv: Ed25519, x: "{escaped}"}}\n')
    assert lines(found) == [f"7:38: base64url: `x` is not canonical base64url; {hint}"]


def test_members_in_hexadecimal_have_the_wrong_length() -> None:
    found = of_entry(entry("EdDSA", jwk={**ED, "x": decoded(ED["x"]).hex()}))
    assert [one.message for one in found] == ["`x` has 48 bytes, and Ed25519 takes 32"]


@pytest.mark.parametrize(
    ("kind", "member"), [(kind, m) for kind in list(FITS)[1:] for m in ("x", "y") if m in public_jwk(key_of(kind))]
)
@pytest.mark.parametrize("change", [1, -1])
def test_coordinates_have_full_width(kind: str, member: str, change: int) -> None:
    jwk = public_jwk(key_of(kind))
    data = decoded(jwk[member])
    other = b"\0" + data if change == 1 else data[1:]
    found = of_entry(entry("ES256", jwk={**jwk, member: base64url(other)}))
    assert [one.message for one in found] == [
        f"`{member}` has {len(data) + change} bytes, and {kind} takes {len(data)}"
    ]


@pytest.mark.parametrize(("name", "zeros"), [("n", 1), ("n", 2), ("e", 1), ("e", 3)])
def test_rsa_integers_have_no_leading_zeros(name: str, zeros: int) -> None:
    found = of_entry(entry("RS256", jwk={**RSA, name: base64url(bytes(zeros) + decoded(RSA[name]))}))
    assert rules(found) == ["key-integer"]
    assert found[0].hint == ("strip the zero bytes" if name == "n" else "write it as AQAB")


@pytest.mark.parametrize(
    ("exponent", "rule"), [(0, "rsa-exponent"), (1, "rsa-exponent"), (65538, "rsa-exponent"), (65537, None)]
)
def test_rsa_exponents(exponent: int, rule: str | None) -> None:
    n = int.from_bytes(decoded(RSA["n"]), "big")
    assert rules(of_entry(entry("RS256", jwk=rsa_numbers(n, exponent)))) == ([] if rule is None else [rule])


def test_huge_rsa_exponents_are_not_written_out() -> None:
    found = of_entry(entry("RS256", jwk=rsa_numbers(int.from_bytes(decoded(RSA["n"]), "big"), (1 << 4000) + 1)))
    assert [one.message for one in found] == ["the RSA exponent is one of 4001 bits"]


@pytest.mark.parametrize("kty", ["rsa", "EC2", "AKP", "ec", "okp", "OCT", "X"])
def test_other_key_types(kty: str) -> None:
    found = of_entry(entry("RS256", jwk={**RSA, "kty": kty}))
    assert lines(found) == [f"7:16: key-type: `{kty}` is not a public key type here; write RSA, EC or OKP"]


@pytest.mark.parametrize(
    ("jwk", "missing"),
    [
        ({}, ["`kty` is missing"]),
        ({"kty": "RSA"}, ["`n` is missing", "`e` is missing"]),
        ({"kty": "EC", "crv": "P-256"}, ["`x` is missing", "`y` is missing"]),
        ({"kty": "OKP"}, ["`crv` is missing", "`x` is missing"]),
    ],
)
def test_missing_members(jwk: dict[str, str], missing: list[str]) -> None:
    found = of_entry(entry("RS256", jwk=jwk))
    assert sorted(one.message for one in found) == sorted(missing)
    assert {one.rule for one in found} == {"missing-field"}


def test_members_of_another_type_of_key() -> None:
    found = of_entry(entry("RS256", jwk={**RSA, "crv": "P-256"}))
    assert [f"{one.rule}: {one.message}; {one.hint}" for one in found] == [
        "unknown-field: `crv` is not a member of RSA keys; an RSA key has n, e"
    ]


@pytest.mark.parametrize("kind", FITS)
def test_private_members_are_refused_each_by_name(kind: str) -> None:
    key = key_of(kind)
    private = private_jwk(key)
    found = of_entry(entry("RS256", jwk=private))
    names = [name for name in private if name not in public_jwk(key)]
    assert names
    assert [one.message for one in found] == [f"`{name}` is a member of private keys" for name in names]
    assert {one.rule for one in found} == {"private-key"}


@pytest.mark.parametrize("name", ["d", "p", "q", "dp", "dq", "qi", "oth", "k"])
@pytest.mark.parametrize("value", ["AQAB", "", "~", "[]", "{}", "1"])
def test_private_members_are_refused_whatever_their_value(name: str, value: str) -> None:
    found = of_entry(f"  - alg: ES256\n    jwk: {{{name}: {value}, {flow(EC)[1:]}\n")
    assert lines(found) == [
        f"7:11: private-key: `{name}` is a member of private keys; {EXPOSED}",
    ]


def test_private_members_are_found_wherever_they_stand() -> None:
    private = flow(private_jwk(ec_key()))
    keyset = f"{HEAD}{private[1:-1].replace(', ', chr(10))}\ncustom_keys:\n  - key: {private}\n  - pem: [{private}]\n"
    found = [one for one in mistakes(keyset) if one.rule == "private-key"]
    assert [one.line for one in found] == [9, 11, 12]
    assert not any(one.rule == "unknown-field" and one.message.startswith("`d`") for one in mistakes(keyset))


@pytest.mark.parametrize("crv", ["P-224", "p-256", "secp256r1", "Ed25519", "brainpoolP256r1", "X25519"])
def test_curves_that_are_not_for_ec_keys(crv: str) -> None:
    found = of_entry(entry("ES256", jwk={**EC, "crv": crv}))
    assert rules(found) == ["key-curve"]
    assert found[0].message == f"`{crv}` is not a signature curve of EC"


def test_a_set_in_place_of_a_key_is_told_as_such() -> None:
    found = of_entry(f"  - alg: ES256\n    jwk: {{keys: [{flow(EC)}]}}\n")
    assert [one.hint for one in found if one.rule == "unknown-field"] == [
        "this is a JWK Set: give each of its keys an entry of its own"
    ]


@pytest.mark.parametrize(
    ("more", "rule"),
    [
        ("use: sig", None),
        ("use: Sig", "key-use"),
        ("use: [sig]", "wrong-type"),
        ("key_ops: [verify]", None),
        ("key_ops: []", "key-use"),
        ("key_ops: [sign]", "key-use"),
        ("key_ops: [verify, verify]", "key-use"),
        ("key_ops: verify", "wrong-type"),
        ("jku: https://acme.example", "key-url"),
        ("ext: true", "unknown-field"),
        ("exp: 1", "unknown-field"),
        ('kid: "1"', None),
        ("kid: 1", "implicit-type"),
        ("alg: ES256", None),
        ("alg: ES384", "key-disagrees"),
    ],
)
def test_other_members(more: str, rule: str | None) -> None:
    found = of_entry(f"  - alg: ES256\n    jwk: {{{more}, {flow(EC)[1:]}\n")
    assert rules(found) == ([] if rule is None else [rule])
