"""generated.yaml, written and read back."""

from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from publisher.generatedfile import Content, moment, read, window, written
from publisher.yamlfile import Value, load

NOON = datetime(2026, 11, 25, 12, tzinfo=UTC)
TEXT = st.text(st.characters(min_codepoint=0x20, max_codepoint=0x7E), min_size=1, max_size=40)


def test_an_entry_reads_as_a_person_would_write_it() -> None:
    entry: dict[str, Value] = {
        "kid": "k1",
        "alg": "ES256",
        "jwk": {"kty": "EC", "crv": "P-256", "x": "AA", "z": "BB"},
        "vault": "local:k1",
        "publish": window(NOON, None),
        "signs": window(NOON, datetime(2027, 1, 1, tzinfo=UTC)),
        "revoked": {"at": moment(NOON), "reason": "laptop, stolen"},
    }
    assert written(Content(entries=(entry,))).decode() == (
        "# Written by the platform. People change keyset.yaml beside it.\n"
        "version: 1\n"
        "generated_keys:\n"
        "  - kid: k1\n"
        "    alg: ES256\n"
        "    jwk:\n"
        "      kty: EC\n"
        "      crv: P-256\n"
        "      x: AA\n"
        "      z: BB\n"
        '    vault: "local:k1"\n'
        "    publish: {from: 2026-11-25T12:00:00Z}\n"
        "    signs: {from: 2026-11-25T12:00:00Z, until: 2027-01-01T00:00:00Z}\n"
        '    revoked: {at: 2026-11-25T12:00:00Z, reason: "laptop, stolen"}\n'
    )


@pytest.mark.parametrize("tenant", ["acme", "hooli", "eu/globex"])
def test_what_people_wrote_is_read_back_the_same(tenant: str) -> None:
    data = Path(f"keysets/{tenant}/generated.yaml").read_bytes()
    again = written(read(data), data)
    assert load(again, "").value == load(data, "").value
    assert again.splitlines()[0] == data.splitlines()[0]
    assert written(read(again), again) == again


def test_no_entries_are_an_empty_list() -> None:
    assert written(Content(entries=()), b"# mine\n# too\nversion: 1\n") == (
        b"# mine\n# too\nversion: 1\ngenerated_keys: []\n"
    )


@given(st.lists(st.dictionaries(TEXT, TEXT | st.dictionaries(TEXT, TEXT, max_size=3), min_size=1, max_size=4)))
def test_every_text_comes_back(entries: list[dict[str, Value]]) -> None:
    content = Content(entries=tuple(entries), upstream={"url": "https://a/b", "synced": moment(NOON)})
    assert read(written(content)) == content
