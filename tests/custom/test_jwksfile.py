"""JSON that comes in: as strict as the YAML files, and nothing of it shown that may be a key."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from keymaker import ec_key, private_jwk, private_pem, public_jwk, rsa_key
from strategies import BOUNDED

from publisher.incoming import read_jwks, read_key
from publisher.jwksfile import read_json

KEY = public_jwk(ec_key(0))


def told(data: str | bytes) -> list[str]:
    """What is said of a document, without hints."""
    found = read_jwks(data.encode() if isinstance(data, str) else data, "in").diagnostics
    return [str(one).partition(";")[0] for one in found]


def document(*keys: object, **more: object) -> str:
    return json.dumps({"keys": list(keys), **more})


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"", "in:1:1: yaml-empty: the file is empty"),
        (b"\xef\xbb\xbf{}", "in:1:1: yaml-encoding: the file begins with a byte order mark"),
        (b'{"keys": "\xff"}', "in:1:11: yaml-encoding: the file is not UTF-8"),
        ('{"keys": []}'.encode("utf-16"), "in:1:1: yaml-encoding: the file is not UTF-8"),
        (b'{"keys": [NaN]}', "in:1:1: yaml-syntax: not JSON: NaN is no value"),
        (b'{"keys": [-Infinity]}', "in:1:1: yaml-syntax: not JSON: -Infinity is no value"),
        (b'{"keys": [],\n}', "in:2:1: yaml-syntax: not JSON: expecting property name enclosed in double quotes"),
        (b'{"keys": []} {}', "in:1:14: yaml-syntax: not JSON: extra data"),
        (b"keys: []\n", "in:1:1: yaml-syntax: not JSON: expecting value"),
        (b'{"keys": [], "keys": []}', "in:1:14: yaml-duplicate-key: the field `keys` stands twice in one mapping"),
        (b"[" * 100_000, "in:1:1: yaml-depth: there are very many levels of nesting"),
        (b"[" * 9 + b"]" * 9, "in:1:1: yaml-depth: more than 8 levels of nesting"),
        (b'{"keys": "\\ud800"}', "in:1:1: yaml-characters: half of a surrogate pair is no character"),
        (b'{"keys": "\xe2\x80\xae"}', "in:1:11: yaml-characters: the character U+202E is not allowed"),
        (b" " * 262_145, "in:1:1: file-too-large: has more than 262,144 bytes"),
        (b"[" + b"0," * 20_000 + b"0]", "in:1:1: yaml-size: the file holds more than 20,000 values"),
        (b"[]", "in:1:1: wrong-type: this is no JWKS document"),
        (b"{}", "in:1:1: missing-field: `keys` is missing"),
        (b'{"keys": {}}', "in:1:10: wrong-type: `keys` is not a list"),
        (b'{"keys": [5]}', "in:1:11: wrong-type: this is not a JWK"),
        (b'{"keys": [], "kid": "x"}', "in:1:14: unknown-field: this member is not one of a JWKS document"),
    ],
)
def test_a_bad_document_is_refused_with_its_place(data: bytes, says: str) -> None:
    assert told(data) == [says]


def test_mistakes_in_keys_are_all_told_with_their_places() -> None:
    first, second = {**KEY, "kid": 7, "use": "enc"}, {**KEY, "x5u": "https://evil.example"}
    assert told(json.dumps({"keys": [first, second]}, indent=1)) == [
        "in:8:11: implicit-type: `7` is not text to YAML readers",
        "in:9:11: key-use: `enc` is not the use of a signing key",
        "in:16:4: key-url: `x5u` makes verifiers fetch keys from elsewhere",
    ]


def test_numbers_and_null_are_no_text() -> None:
    loaded = read_json(b'{"a": 1e999, "b": null, "c": true, "d": 123456789012345678901234567890}', "in")
    assert loaded.value == {"a": "1e999", "b": "null", "c": "true", "d": "123456789012345678901234567890"}
    assert told(document({**KEY, "alg": None}))[0].startswith("in:1:")


@pytest.mark.parametrize("where", ["key", "beside", "deep", "twice"])
def test_private_members_are_refused_and_never_shown(where: str) -> None:
    secret = private_jwk(rsa_key(0))
    texts = {
        "key": document(secret),
        "beside": document(KEY, more=secret),
        "deep": document({**KEY, "oth": [secret]}),
        "twice": document(secret).replace('"kty"', '"d": "again", "kty"'),
    }
    found = read_jwks(texts[where].encode(), "in").diagnostics
    said = "\n".join(map(str, found))
    assert "private-key" in said
    for name in ("d", "p", "q", "dp", "dq", "qi"):
        assert secret[name][:12] not in said


@pytest.mark.parametrize("text", [private_pem(ec_key(0)), json.dumps(private_jwk(ec_key(0)))])
def test_one_private_key_is_refused(text: str) -> None:
    found = read_key(text.encode(), "in", None, None).diagnostics
    assert "private-key" in {one.rule for one in found}
    assert private_jwk(ec_key(0))["d"][:12] not in "\n".join(map(str, found))


@BOUNDED
@given(st.binary(max_size=200))
def test_no_bytes_raise(data: bytes) -> None:
    read_jwks(data, "in")
    read_key(data, "in", None, None)


JSON = st.recursive(
    st.text(max_size=8),
    lambda one: st.lists(one, max_size=3) | st.dictionaries(st.text(max_size=4), one, max_size=3),
    max_leaves=8,
)


@BOUNDED
@given(st.dictionaries(st.sampled_from(["keys", "d", "x"]), JSON))
def test_no_json_raises(value: object) -> None:
    read_jwks(json.dumps(value).encode(), "in")
