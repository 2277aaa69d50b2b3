"""`schema`: draft-07, made from the loader's declarations, never stricter than the loader."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft7Validator
from program import run
from rules.trees import SOUND
from strategies import BOUNDED

from publisher.fields import Reading
from publisher.kinds import Duration, Field, Flag, Instant, Integer, Kind, ListOf, MapOf, Raw, Shape, Text
from publisher.policyfile import POLICY
from publisher.schema import DRAFT, schema
from publisher.shapes import GENERATED, KEYSET, WAIVERS
from publisher.yamlfile import Plain, Value, load

SHAPES = {"keyset": KEYSET, "generated": GENERATED, "policy": POLICY, "waivers": WAIVERS}
VALIDATORS = {name: Draft7Validator(schema(shape, name)) for name, shape in SHAPES.items()}
EXAMPLES = Path(__file__).parent.parent.parent / "keysets"
PRINTABLE = st.characters(min_codepoint=0x20, max_codepoint=0x7E) | st.sampled_from("äßΩж")
ODD: st.SearchStrategy[Any] = st.one_of(
    st.sampled_from(
        [None, "", True, False, 0, -1, 1.5, 10**12, "300", "no", "5m", "0x1", [], {}, [[]], [None], {"a": 1}]
    ),
    st.sampled_from(["2026-01-01", "2026-02-30T00:00:00Z", "2026-01-01t00:00:00z", "2026-01-01T00:00:00+05:30"]),
    st.integers(),
    st.text(max_size=5),
)


def _values(kind: Kind) -> st.SearchStrategy[Any]:
    """JSON values that the loader takes for the kind, at its bounds, too."""
    match kind:
        case Text(pattern=None):
            return st.text(PRINTABLE, min_size=1, max_size=9) | st.just("ä" * min(kind.max_length, 255))
        case Text(pattern=form) if form is not None:
            return st.from_regex(form, fullmatch=True)
        case Integer():
            return st.sampled_from([kind.least, kind.most]) | st.integers(kind.least, kind.most)
        case Flag():
            return st.booleans()
        case Duration():
            most = int(kind.most.total_seconds())
            return st.sampled_from([0, most, f"{most}s", "0d", "59m", "1h"]) | st.integers(0, most)
        case Instant():
            return st.datetimes().map(lambda at: f"{at.replace(year=2000 + at.year % 99, microsecond=0).isoformat()}Z")
        case ListOf():
            return st.lists(_values(kind.item), max_size=3, unique_by=repr if kind.distinct else None)
        case MapOf():
            return st.dictionaries(_values(kind.name), _values(kind.item), max_size=2)
        case Raw():
            return st.just({"kty": "OKP"})
        case _:
            assert isinstance(kind, Shape)
            needed = {name: _values(one.kind) for name, one in kind.fields.items() if one.required}
            others = {name: _values(one.kind) for name, one in kind.fields.items() if not one.required}
            return st.fixed_dictionaries(needed, optional=others)


GOOD = {name: _values(shape) for name, shape in SHAPES.items()}


def _takes(name: str, value: Any) -> bool:
    """Whether the loader takes a value, given as JSON, which is YAML."""
    loaded = load(json.dumps(value, ensure_ascii=False).encode(), "file")
    reading = Reading(file="file")
    if loaded.value is not None:
        reading.shape(SHAPES[name], loaded.value, ())
    return not loaded.diagnostics and not reading.findings


def _spoilt(value: Any, data: st.DataObject) -> Any:
    """The value with something odd in one place of it."""
    if isinstance(value, dict) and value and data.draw(st.booleans()):
        name = data.draw(st.sampled_from(sorted(value)))
        return {**value, name: _spoilt(value[name], data)}
    if isinstance(value, list) and value and data.draw(st.booleans()):
        return [_spoilt(value[0], data), *value[1:]]
    if isinstance(value, dict) and data.draw(st.booleans()):
        return {**value, data.draw(st.text("abc", min_size=1, max_size=3)): data.draw(ODD)}
    return data.draw(ODD)


@pytest.mark.parametrize("name", SHAPES)
def test_it_is_a_schema_of_draft_07(name: str) -> None:
    made = schema(SHAPES[name], name)
    assert made["$schema"] == DRAFT
    Draft7Validator.check_schema(made)


@pytest.mark.parametrize("name", SHAPES)
def test_what_the_loader_takes_is_valid(name: str) -> None:
    @settings(BOUNDED, max_examples=30)
    @given(GOOD[name])
    def good(value: Any) -> None:
        assert _takes(name, value)
        assert [error.message for error in VALIDATORS[name].iter_errors(value)] == []

    good()


@pytest.mark.parametrize("name", SHAPES)
def test_what_the_schema_refuses_the_loader_refuses(name: str) -> None:
    seen = set()

    @settings(BOUNDED, max_examples=30)
    @given(GOOD[name], st.data())
    def odd(value: Any, data: st.DataObject) -> None:
        spoilt = _spoilt(value, data)
        taken, valid = _takes(name, spoilt), VALIDATORS[name].is_valid(spoilt)
        seen.add((taken, valid))
        assert valid or not taken, spoilt

    odd()
    assert (False, False) in seen


@pytest.mark.parametrize(
    "kind",
    [
        Flag(),
        Integer(least=1, most=3),
        Text(max_length=3),
        Raw(),
        MapOf(name=Text(), item=Flag(), most=2),
        ListOf(item=Text(), most=2, distinct=True),
    ],
    ids=repr,
)
def test_every_kind_refuses_what_is_plainly_wrong(kind: Kind) -> None:
    validator = Draft7Validator(schema(Shape(fields={"a": Field(kind=kind, doc="what it is", required=True)}), "t"))
    wrong = [None, 1.5, 0, 4, "", "four", ["a", "a"], ["a", "b", "c"], {"a": True, "b": True, "c": 1}]
    assert sum(not validator.is_valid({"a": one}) for one in wrong) >= 7
    assert not validator.is_valid({})
    assert not validator.is_valid([])


def _plain(value: Value) -> Any:
    """What a YAML 1.2 reader makes of what the loader read."""
    if isinstance(value, dict):
        return {name: _plain(one) for name, one in value.items()}
    if isinstance(value, list):
        return [_plain(one) for one in value]
    return json.loads(value) if isinstance(value, Plain) and "-" not in value else str(value)


def test_the_files_of_this_repository_and_of_the_tests_are_valid() -> None:
    files = {str(file): file.read_bytes() for file in EXAMPLES.rglob("*.yaml")}
    files |= {name: str(text).encode() for name, text in SOUND.items() if name.endswith(".yaml")}
    assert len(files) >= 12
    for name, data in files.items():
        value = load(data, name).value
        assert value is not None
        validator = VALIDATORS[Path(name).stem]
        assert [error.message for error in validator.iter_errors(_plain(value))] == [], name


@pytest.mark.parametrize("name", SHAPES)
def test_the_program_prints_it(name: str, tmp_path: Path) -> None:
    ran = run("schema", name, cwd=tmp_path)
    assert (ran.code, ran.err) == (0, "")
    told = json.loads(ran.out)
    assert told["title"].startswith(f"{name}.yaml: ")
    assert {**told, "title": name} == schema(SHAPES[name], name)
    assert told["properties"]["version"]["description"] == "the format's version, 1"


def test_a_file_that_there_is_not_is_a_usage_error(tmp_path: Path) -> None:
    assert run("schema", "tenants", cwd=tmp_path).code == 2
