"""Edits in place: what they leave, in which layout, and that the loader reads from the result what was meant."""

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st
from strategies import BOUNDED

from publisher.yamledit import EditError, edit_list, set_field
from publisher.yamlfile import load
from publisher.yamltext import Writable, flow, item

NEW: dict[str, Writable] = {"kid": "new", "alg": "ES256"}


def edited(text: str, remove: Sequence[int] = (), add: Sequence[dict[str, Writable]] = ()) -> str:
    after = edit_list(text.encode(), "keys", remove=remove, add=add)
    assert load(after, "f").diagnostics == ()
    return after.decode()


EXAMPLES = {
    "after the last, with its blank line": (
        "keys:\n  - kid: a\n\n  # of b\n  - kid: b # eol\n",
        (),
        1,
        "keys:\n  - kid: a\n\n  # of b\n  - kid: b # eol\n\n  - kid: new\n    alg: ES256\n",
    ),
    "before what comments the end": (
        "keys:\n  - kid: a\n    # deeper: of a\n  # the end\nz: z\n",
        (),
        1,
        "keys:\n  - kid: a\n    # deeper: of a\n  - kid: new\n    alg: ES256\n  # the end\nz: z\n",
    ),
    "dashes at the margin": ("keys:\n- kid: a\nz: z\n", (), 1, "keys:\n- kid: a\n- kid: new\n  alg: ES256\nz: z\n"),
    "no list": ("a: b\n# end\n", (), 1, "a: b\n# end\nkeys:\n  - kid: new\n    alg: ES256\n"),
    "no list, no last line's end": ("a: b", (), 1, "a: b\nkeys:\n  - kid: new\n    alg: ES256"),
    "an empty list": ("keys: []  # none\nz: z\n", (), 1, "keys:  # none\n  - kid: new\n    alg: ES256\nz: z\n"),
    "an empty list at the end": ("keys: []", (), 1, "keys:\n  - kid: new\n    alg: ES256"),
    "no value": ("keys:\nz: z\n", (), 1, "keys:\n  - kid: new\n    alg: ES256\nz: z\n"),
    "Windows": (
        "a: b\r\nkeys:\r\n  - kid: a\r\n",
        (),
        1,
        "a: b\r\nkeys:\r\n  - kid: a\r\n  - kid: new\r\n    alg: ES256\r\n",
    ),
    "the middle one goes": (
        "keys:\n  # of a\n  - kid: a\n\n  # of b\n  - kid: b\n\n  # of c\n  - kid: c\n",
        (1,),
        0,
        "keys:\n  # of a\n  - kid: a\n\n  # of c\n  - kid: c\n",
    ),
    "the last one goes": ("keys:\n  - kid: a\n\n  - kid: b\n", (1,), 0, "keys:\n  - kid: a\n"),
    "the last one goes, no last line's end": ("keys:\n  - kid: a\n  - kid: b", (1,), 0, "keys:\n  - kid: a"),
    "the first one goes": ("keys:\n  - kid: a\n\n  - kid: b\n", (0,), 0, "keys:\n  - kid: b\n"),
    "all go": ("keys:  # ours\n  - kid: a\n  - kid: b\nz: z\n", (0, 1), 0, "keys: []  # ours\nz: z\n"),
    "all go, some come": ("keys:\n  - kid: a\n", (0,), 1, "keys:\n  - kid: new\n    alg: ES256\n"),
    "a remark apart from the entry stays": (
        "keys:\n  # about all\n\n  # of a\n  - kid: a\n  - kid: b\n",
        (0,),
        0,
        "keys:\n  # about all\n\n  - kid: b\n",
    ),
    "the comment under the dash": ("keys:\n  -  # of a\n    kid: a\n  - kid: b\n", (0,), 0, "keys:\n  - kid: b\n"),
    "flow": ("keys: [{kid: a}, {kid: b}]\nz: z\n", (0,), 1, "keys: [{kid: b}, {kid: new, alg: ES256}]\nz: z\n"),
    "flow, the last goes": ("keys: [{kid: a}, {kid: b}]\n", (1,), 0, "keys: [{kid: a}]\n"),
    "flow, all go": ("keys: [{kid: a}, {kid: b},]\n", (0, 1), 0, "keys: []\n"),
    "flow on lines, with comments": (
        "keys: [\n  {kid: a}, # of a\n  {kid: b} # of b\n]\n",
        (),
        1,
        "keys: [\n  {kid: a}, # of a\n  {kid: b}, {kid: new, alg: ES256} # of b\n]\n",
    ),
    "empty flow on lines": ("keys: [\n]\n", (), 1, "keys: [{kid: new, alg: ES256}\n]\n"),
    "JSON": ('{"a": "b", "keys": []}', (), 1, '{"a": "b", "keys": [{"kid": "new", "alg": "ES256"}]}'),
    "JSON without the list": ('{"a": "b"}\n', (), 1, '{"a": "b", "keys": [{"kid": "new", "alg": "ES256"}]}\n'),
    "after other alphabets": (
        "# ключи 😀\nkeys:\n  - kid: ключ 😀 # 鍵\n  - kid: b\n",
        (1,),
        1,
        "# ключи 😀\nkeys:\n  - kid: ключ 😀 # 鍵\n  - kid: new\n    alg: ES256\n",
    ),
    "block scalar at the end": (
        "keys:\n  - pem: |\n      A\n      B\n\n# end\n",
        (),
        1,
        "keys:\n  - pem: |\n      A\n      B\n  - kid: new\n    alg: ES256\n\n# end\n",
    ),
    "a marked end of the document": ("a: b\n...\n", (), 1, "a: b\nkeys:\n  - kid: new\n    alg: ES256\n...\n"),
}


@pytest.mark.parametrize("name", EXAMPLES)
def test_layout(name: str) -> None:
    before, remove, add, after = EXAMPLES[name]
    assert edited(before, remove, [NEW] * add) == after


def test_nothing_to_do_is_nothing_done() -> None:
    assert edited("keys:\n  - a: b") == "keys:\n  - a: b"


@pytest.mark.parametrize("text", ["- a\n", "keys: {}\n", "keys: text\n", "keys: [{a: b}, # of a\n {c: d}]\n"])
def test_a_layout_that_cannot_be_edited_is_refused(text: str) -> None:
    with pytest.raises(EditError, match="by hand"):
        edit_list(text.encode(), "keys", remove=[1], add=[])


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (
            "keys:\n  - kid: a # x\n    # of a\n  - kid: b",
            "keys:\n  - kid: a # x\n    proof: e.f.g\n    # of a\n  - kid: b",
        ),
        ("keys:\n- {kid: a}\n", "keys:\n- {kid: a, proof: e.f.g}\n"),
        ("keys:\n- kid: a\n  proof: old # x\n  z: z\n", "keys:\n- kid: a\n  proof: e.f.g # x\n  z: z\n"),
        ('{"keys": [{"kid": "a"}]}', '{"keys": [{"kid": "a", "proof": "e.f.g"}]}'),
        ("keys:\r\n- kid: a", "keys:\r\n- kid: a\r\n  proof: e.f.g"),
    ],
)
def test_a_field_is_set_in_its_place_or_at_the_end(before: str, after: str) -> None:
    assert set_field(before.encode(), "keys", 0, "proof", "e.f.g").decode() == after


TEXT = st.text(st.characters(blacklist_categories=["Cs"]), max_size=12) | st.sampled_from(
    [
        "no",
        "0123",
        "1e3",
        "~",
        "=",
        "<<",
        "2026-01-01",
        "a: b",
        "a #b",
        "- a",
        "-----B\nAB==\n-----E\n",
        "x\n\n",
        " x\n",
    ]
)
VALUE: st.SearchStrategy[Writable] = TEXT | st.lists(TEXT, max_size=3) | st.dictionaries(TEXT, TEXT, max_size=3)


@BOUNDED
@given(st.dictionaries(TEXT, VALUE, min_size=1, max_size=4), st.sampled_from([0, 2, 5]))
def test_what_is_written_reads_back(fields: dict[str, Writable], column: int) -> None:
    for text in (
        f"keys:\n{item(fields, column, chr(10))}",
        f"keys: [{flow(fields)}]",
        f'{{"keys": [{flow(fields, as_json=True)}]}}',
    ):
        loaded = load(text.encode(), "f")
        assert loaded.value == {"keys": [fields]} or loaded.diagnostics != ()


COMMENTS = st.sampled_from(["", "\n", "  # at the dash\n", "    # deeper\n", "# at the margin\n", "\n  # apart\n\n"])
ENTRY = st.sampled_from(
    [
        "  - kid: {n}\n    alg: x\n",
        "  - kid: {n}  # eol\n    jwk:\n      kty: x\n      crv: y\n",
        "  - kid: {n}\n    pem: |\n      A\n\n      B\n",
        "  - {{kid: {n}, alg: x}}\n",
        "  -\n    kid: {n}\n",
        "  - kid: {n}\n    list:\n      - a\n      - ü😀\n",
    ]
)


@BOUNDED
@given(st.data())
def test_any_edit_reads_as_meant_and_touches_no_other_line(data: st.DataObject) -> None:
    parts = data.draw(st.lists(st.tuples(COMMENTS, ENTRY), min_size=1, max_size=5))
    text = "a: b\nkeys:\n" + "".join(note + entry.format(n=f"k{n}") for n, (note, entry) in enumerate(parts))
    text += data.draw(COMMENTS) + data.draw(st.sampled_from(["", "z: z\n", "# end"]))
    if data.draw(st.booleans()):
        text = text.replace("\n", "\r\n")
    remove = data.draw(st.sets(st.integers(0, len(parts) - 1)))
    add = [{"kid": f"new{n}"} for n in range(data.draw(st.integers(0, 2)))]
    before = load(text.encode(), "f").value
    assert isinstance(before, dict)
    assert isinstance(before["keys"], list)
    after = edit_list(text.encode(), "keys", remove=remove, add=add)
    kept = [one for at, one in enumerate(before["keys"]) if at not in remove]
    assert load(after, "f").value == {**before, "keys": [*kept, *add]}
    lines = iter(text.replace("keys:", "keys: []" if not kept and not add else "keys:").splitlines(keepends=True))
    for line in after.decode().splitlines(keepends=True):
        if "kid: new" not in line and line.strip():
            assert any(line.rstrip("\r\n") == other.rstrip("\r\n") for other in lines)
