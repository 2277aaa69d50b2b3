"""A finding is the same finding after lines, positions and words around it changed, and no other one's."""

import json
from dataclasses import replace
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st
from keymaker import ec_key, okp_key, public_jwk
from rules.trees import HEAD, check, write

from publisher.fingerprint import fingerprints

from .findings import FINDING, HOSTILE, hostile, many

TEXT = st.sampled_from(HOSTILE) | st.text(max_size=20)
KEYS = [
    f"  - kid: first\n    alg: HS256\n    jwk: {json.dumps(public_jwk(ec_key(0)))}\n",
    f"  - alg: none\n    jwk: {json.dumps({**public_jwk(ec_key(1)), 'kid': 'second'})}\n",
    f"  - kid: third\n    alg: RS256\n    jwk: {json.dumps(public_jwk(okp_key(0)))}\n    domains: [x.acme.example]\n",
]


def _found(folder: Path, text: str) -> dict[str, tuple[str, int]]:
    """The fingerprints of what is wrong with a tenant's file: each one's rule and line."""
    write(folder, {"policy.yaml": "version: 1\n", "acme/keyset.yaml": text})
    found = check(folder).diagnostics
    told = dict(zip(fingerprints(found), ((one.rule, one.line) for one in found), strict=True))
    assert len(told) == len(found) >= 4
    return told


def test_findings_keep_theirs_when_lines_move_and_keys_change_places(tmp_path: Path) -> None:
    before = _found(tmp_path / "before", f"{HEAD}custom_keys:\n{''.join(KEYS)}")
    after = _found(tmp_path / "after", f"# a comment\n\n{HEAD}custom_keys:\n\n{''.join(reversed(KEYS))}")
    assert {name: rule for name, (rule, _) in before.items()} == {name: rule for name, (rule, _) in after.items()}
    assert all(line != before[name][1] for name, (_, line) in after.items())


def test_findings_keep_theirs_when_another_is_mended(tmp_path: Path) -> None:
    before = _found(tmp_path / "before", f"{HEAD}unknown: 1\ncustom_keys:\n{''.join(KEYS)}")
    after = _found(tmp_path / "after", f"{HEAD}custom_keys:\n{''.join(KEYS)}")
    assert set(after) < set(before)
    assert [rule for name, (rule, _) in before.items() if name not in after] == ["unknown-field"]


def test_better_words_change_nothing_and_another_tenant_rule_or_key_does() -> None:
    (known,) = fingerprints([FINDING])
    same = replace(FINDING, line=99, column=1, message="other words", hint="other advice")
    assert list(fingerprints([same])) == [known]
    moved = replace(FINDING, path="keysets/eu/acme/keyset.yaml")
    assert list(fingerprints([moved])) == [known]
    others = [
        replace(FINDING, path="keysets/globex/keyset.yaml"),
        replace(FINDING, path="keysets/acme/generated.yaml"),
        replace(FINDING, rule="key-twice"),
        replace(FINDING, subject=("custom_keys", "other", "kid")),
    ]
    assert len({known, *(next(fingerprints([one])) for one in others)}) == 5


def test_a_file_that_is_no_yaml_is_told_apart_by_its_message() -> None:
    plain = [replace(FINDING, subject=(), message=message) for message in ("a tab", "a quote")]
    assert len(set(fingerprints(plain))) == 2
    moved = [replace(one, line=one.line + 1) for one in plain]
    assert list(fingerprints(moved)) == list(fingerprints(plain))


def test_no_two_are_alike_and_every_run_gives_the_same() -> None:
    found = [*(one for text in HOSTILE * 2 for one in hostile(text)), *many(1000)]
    once = list(fingerprints(found))
    assert len(set(once)) == len(found)
    assert list(fingerprints(found)) == once


@given(st.lists(TEXT, max_size=4), st.lists(TEXT, max_size=4))
def test_other_subjects_have_other_fingerprints(one: list[str], other: list[str]) -> None:
    names = [next(fingerprints([replace(FINDING, subject=("x", *subject))])) for subject in (one, other)]
    assert (names[0] == names[1]) == (one == other)


def test_no_kid_is_shown_in_the_form_for_programmers() -> None:
    assert "a-secret" not in repr(replace(FINDING, subject=("custom_keys", "a-secret", "kid")))
