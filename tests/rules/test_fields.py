"""Every field of every shape: wrong types, implicit types, unknown and missing fields; and lists with positions."""

from collections.abc import Iterator

import pytest
from keymaker import ec_key, flow, public_jwk

from publisher.diagnostic import Diagnostic
from publisher.fields import Duration, Field, Flag, Instant, Integer, Kind, ListOf, MapOf, Raw, Shape, Text
from publisher.policyfile import POLICY, read_policy
from publisher.shapes import GENERATED, KEYSET

from .trees import HEAD, lines, mistakes

JWK = flow(public_jwk(ec_key()))

LIST, MAPPING, EMPTY, TEXT = "[x]", "{x: y}", "", "text"
IMPLICIT = [
    "no",
    "Yes",
    "on",
    "~",
    "null",
    "0123",
    "1e3",
    "0x1f",
    "12:30:45",
    "2026-01-01",
    ".inf",
    "-.INF",
    ".nan",
    "=",
    "1_000",
]
WRONG = {
    Text: [LIST, MAPPING],
    Integer: [LIST, MAPPING, TEXT, '"1"', "1.0", "0x1", "01", "+1", "1_000", "no", "~", "9" * 20],
    Flag: [LIST, MAPPING, TEXT, "yes", "on", "1", "TRUE", "~", '"true"'],
    Duration: [LIST, MAPPING, TEXT, "1.5", "-1", "no"],
    Instant: [LIST, MAPPING],
    ListOf: [MAPPING, TEXT, "no", "1"],
    MapOf: [LIST, TEXT, "no", "1"],
    Raw: [LIST, TEXT, "no", "1"],
    Shape: [LIST, TEXT, "no", "1"],
}


def fields(shape: Shape, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Field]]:
    """Every field by its path; `*` for an item of a list or an entry of a mapping."""
    for name, field in shape.fields.items():
        yield (*path, name), field
        inner: Kind = field.kind
        below = (*path, name)
        while isinstance(inner, ListOf | MapOf):
            inner, below = inner.item, (*below, "*")
        if isinstance(inner, Shape):
            yield from fields(inner, below)


SHAPES = {"keyset.yaml": KEYSET, "generated.yaml": GENERATED, "policy.yaml": POLICY}
ALL = [(file, path, field) for file, shape in SHAPES.items() for path, field in fields(shape)]


def document(file: str, path: tuple[str, ...], value: str) -> tuple[str, int]:
    """A file that holds the value at the path and little else, and the column where the value begins, on line 2."""
    before, after = "", ""
    for step, following in zip(path, (*path[1:], None), strict=True):
        if step == "*":
            continue
        in_list = following == "*" and step != "plans"
        in_map = following == "*" and step == "plans"
        before += f"{step}: " + ("[{" if in_list else "{gold: {" if in_map else "{" if following else "")
        after = ("}]" if in_list else "}}" if in_map else "}" if following else "") + after
    text = f"version: 1\n{before}{value}{after}\n" if path != ("version",) else f"# two\nversion: {value}\n"
    return text, (len(before) if path != ("version",) else len("version: ")) + 1


def found_in(file: str, text: str) -> list[Diagnostic]:
    """What is said of the file with this text, beside sound ones."""
    if file == "policy.yaml":
        return sorted(read_policy(text.encode(), "policy.yaml")[1])
    if file == "keyset.yaml":
        return mistakes(text)
    return mistakes(HEAD, text)


def told(file: str, text: str) -> list[str]:
    """What is said of line 2 of the file."""
    return [line for line in lines(found_in(file, text)) if line.startswith("2:")]


@pytest.mark.parametrize(("file", "path", "field"), ALL, ids=[f"{file}:{'.'.join(path)}" for file, path, _ in ALL])
def test_wrong_types_of_every_field(file: str, path: tuple[str, ...], field: Field) -> None:
    for value in WRONG[type(field.kind)]:
        text, column = document(file, path, value)
        said = told(file, text)
        assert [line for line in said if line.startswith(f"2:{column}: wrong-type: ")], (value, said)
    text, column = document(file, path, EMPTY)
    if text.rstrip().endswith((":", ": ")):
        assert [line for line in told(file, text) if "missing-field: there is no value; write " in line], text
    if isinstance(field.kind, Text):
        for value in IMPLICIT:
            text, column = document(file, path, value)
            said = told(file, text)
            wanted = f'2:{column}: implicit-type: `{value}` is not text to YAML readers; quote it: "{value}"'
            assert wanted in said
            text, column = document(file, path, f'"{value}"')
            assert not [line for line in told(file, text) if "implicit-type" in line]


@pytest.mark.parametrize(("file", "path", "field"), ALL, ids=[f"{file}:{'.'.join(path)}" for file, path, _ in ALL])
def test_a_misspelt_name_of_every_field_is_suggested(file: str, path: tuple[str, ...], field: Field) -> None:
    for name in (path[-1] + "x", path[-1].upper()):
        text, _ = document(file, (*path[:-1], name), "{}")
        said = [line for line in told(file, text) if "unknown-field" in line]
        assert said, text
        assert said[0].endswith(f"`{name}` is not a field here; did you mean `{path[-1]}`?")


@pytest.mark.parametrize(
    ("file", "missing"),
    [
        ("keyset.yaml", ["version", "tenant", "plan", "domains"]),
        ("generated.yaml", ["version", "generated_keys"]),
        ("policy.yaml", ["version"]),
    ],
)
def test_missing_fields(file: str, missing: list[str]) -> None:
    found = lines(found_in(file, "{}\n"))
    assert [one.partition("`")[2].partition("`")[0] for one in found] == sorted(missing)
    assert all(one.startswith("1:1: missing-field: `") for one in found)


@pytest.mark.parametrize("text", ["[]", "text", "1", "no", '""', "- version: 1"])
@pytest.mark.parametrize("file", ["keyset.yaml", "generated.yaml", "policy.yaml"])
def test_files_are_mappings(text: str, file: str) -> None:
    said = told(file, f"\n{text}\n")
    assert len(said) == 1
    assert said[0].startswith(("2:1: wrong-type: ", "2:1: missing-field: "))
    assert said[0].endswith("; write a mapping")


@pytest.mark.parametrize("text", ["", "\n", "# nothing here\n", "---\n", "--- # x\n...\n"])
@pytest.mark.parametrize("file", ["keyset.yaml", "generated.yaml", "policy.yaml"])
def test_files_that_say_nothing(text: str, file: str) -> None:
    (found,) = found_in(file, text)
    assert found.rule in ("yaml-empty", "missing-field")
    assert found.hint in ("write at least `version: 1`", "write a mapping")


@pytest.mark.parametrize(
    ("field", "most"),
    [("kid", 8192), ("alg", 64), ("pem", 65_536), ("certificate", 65_536)],
)
def test_long_text_is_refused_and_not_shown(field: str, most: int) -> None:
    value = "x" * (most + 1)
    found = mistakes(f"{HEAD}custom_keys:\n  - {{{field}: {value}}}\n")
    assert lines(found)[0] == f"6:{8 + len(field)}: bad-value: {most + 1} characters are too long; at most {most}"


@pytest.mark.parametrize(("field", "most"), [("domains", 200), ("custom_keys", 500)])
def test_long_lists_are_refused(field: str, most: int) -> None:
    items = "".join(f"  - d{number}.example\n" if field == "domains" else "  - {}\n" for number in range(most + 1))
    head = "version: 1\ntenant: acme\nplan: enterprise\n" + ("" if field == "domains" else "domains: []\n")
    found = mistakes(f"{head}{field}:\n{items}")
    assert [f"{one.rule}: {one.message}; {one.hint}" for one in found] == [
        f"bad-value: {most + 1} items are too many; at most {most}"
    ]


def test_quoted_and_plain_mean_the_same_where_both_are_allowed() -> None:
    plain = f"{HEAD}custom_keys:\n  - alg: ES256\n    jwk: {JWK}\n"
    quoted = plain.replace("acme\n", "'acme'\n").replace("enterprise", '"enterprise"').replace("ES256", "'ES256'")
    assert mistakes(plain) == mistakes(quoted) == mistakes(plain.replace("\n", "\r\n")) == []
