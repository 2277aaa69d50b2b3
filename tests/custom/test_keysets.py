"""Edits of whole key sets: for any layout and any document, the reader finds in the result what the document says."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from keymaker import ec_key, flow, public_jwk, public_pem
from strategies import BOUNDED

from publisher.cli.editing import write
from publisher.customkeys import add, custom_keys, delete, document, prove, put
from publisher.incoming import RefusedError, read_jwks, read_key
from publisher.keyset import KeySet, read_keyset
from publisher.source import File, Folder

HEAD = "version: 1\ntenant: acme\nplan: enterprise\ndomains: [login.acme.example]\n"
WINDOW = "    publish: {from: 2026-01-01T00:00:00Z}\n"
REVOKED = "    revoked: {at: 2026-05-01T00:00:00Z, reason: lost}\n"


def keyset(data: bytes) -> KeySet:
    read = read_keyset(Folder(path="keysets/acme", tree=None, files={"keyset.yaml": File(kind="file", data=data)}))
    assert read.diagnostics == ()
    assert read.keyset is not None
    return read.keyset


def jwk(number: int) -> dict[str, str]:
    return {**public_jwk(ec_key(number)), "kid": f"k{number}", "alg": "ES256"}


def block(number: int, more: str) -> str:
    lines = "".join(f"      {line}\n" for line in public_pem(ec_key(number)).splitlines())
    return f"  - kid: k{number}  # of {number}\n    alg: ES256\n    pem: |\n{lines}{more}"


def inline(number: int, more: str) -> str:
    return f"  - kid: k{number}\n    alg: ES256\n    jwk: {flow(public_jwk(ec_key(number)))}\n{more}"


@BOUNDED
@given(st.data())
def test_put_makes_the_set_that_the_document_says(data: st.DataObject) -> None:
    count = data.draw(st.integers(0, 4))
    revoked = data.draw(st.sets(st.integers(0, 3)))
    entries = ""
    for number in range(count):
        entries += data.draw(st.sampled_from(["", "\n", "  # about it\n", "    # deeper\n"]))
        form = data.draw(st.sampled_from([block, inline]))
        entries += form(number, REVOKED if number in revoked else data.draw(st.sampled_from(["", WINDOW])))
    text = HEAD + (f"custom_keys:\n{entries}" if count else data.draw(st.sampled_from(["", "custom_keys: []\n"])))
    text += data.draw(st.sampled_from(["", "# end\n", "\n\n", "# конец"]))
    if data.draw(st.booleans()):
        text = text.replace("\n", "\r\n")
    if data.draw(st.booleans()):
        text = text.rstrip("\r\n")
    before = text.encode()
    old = keyset(before)
    assert put(before, old, read_jwks(document(old), "in").keys).data == before

    wanted = data.draw(st.lists(st.integers(0, 7).filter(lambda n: n >= count or n not in revoked), unique=True))
    given_keys = read_jwks(json.dumps({"keys": [jwk(number) for number in wanted]}).encode(), "in").keys
    edited = put(before, old, given_keys)
    new = keyset(edited.data)
    assert {key.kid for key in custom_keys(new)} == {f"k{number}" for number in wanted}
    assert {key.kid for key in new.keys if key.revoked} == {key.kid for key in old.keys if key.revoked}
    windows = {key.kid: (key.window, key.revoked) for key in old.keys}
    assert all(windows.get(key.kid, (key.window, key.revoked)) == (key.window, key.revoked) for key in new.keys)
    assert (b"\r\n" in edited.data) == (b"\r\n" in before)
    assert edited.data.endswith(b"\n") == before.endswith(b"\n")
    assert {key.kid for key in edited.removed} == {key.kid for key in custom_keys(old)} - {f"k{n}" for n in wanted}
    assert put(edited.data, new, given_keys).data == edited.data


def test_a_key_set_that_is_json_stays_json() -> None:
    before = json.dumps({"version": 1, "tenant": "acme", "plan": "p", "domains": ["login.acme.example"]}).encode()
    edited = add(before, *read_key(public_pem(ec_key(0)).encode(), "in", "k0", "ES256").keys)
    assert json.loads(edited.data)["custom_keys"] == [{"kid": "k0", "alg": "ES256", "pem": public_pem(ec_key(0))}]
    set_ = keyset(edited.data)
    proven = prove(edited.data, set_.keys[0], "e.f.g")
    assert json.loads(proven.data)["custom_keys"][0]["proof"] == "e.f.g"
    assert json.loads(delete(proven.data, keyset(proven.data), None).data)["custom_keys"] == []


def test_keys_that_need_quotes_and_certificates_read_back() -> None:
    text = json.dumps({"keys": [{**jwk(0), "kid": "0123"}, {**jwk(1), "kid": 'a: "b" #c'}, {**jwk(2), "kid": "no"}]})
    edited = put(HEAD.encode(), keyset(HEAD.encode()), read_jwks(text.encode(), "in").keys)
    assert [key.kid for key in keyset(edited.data).keys] == ["0123", 'a: "b" #c', "no"]


def test_a_file_that_changed_meanwhile_is_left_alone(tmp_path: Path) -> None:
    file = tmp_path / "keyset.yaml"
    file.write_bytes(b"theirs")
    with pytest.raises(RefusedError, match="was changed by somebody else meanwhile"):
        write(file, b"read", b"ours")
    assert file.read_bytes() == b"theirs"
    assert [one.name for one in tmp_path.iterdir()] == ["keyset.yaml"]


def test_a_file_is_replaced_with_its_mode(tmp_path: Path) -> None:
    file = tmp_path / "keyset.yaml"
    file.write_bytes(b"read")
    file.chmod(0o604)
    write(file, b"read", b"ours")
    assert (file.read_bytes(), file.stat().st_mode & 0o777) == (b"ours", 0o604)
