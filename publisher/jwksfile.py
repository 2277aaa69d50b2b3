"""Strict JSON, as strictly as `yamlfile` reads YAML, with the same rules' ids: JWKS documents and JWKs that come in.

Members that stand twice, NaN, a byte order mark, deep nesting and long files are refused. Numbers, booleans and null
come back as `Plain`, which no field takes for text. Not orjson: of two equal names it takes the last one.
"""

import json
from typing import Any

from publisher.characters import CHARACTERS, character_fault
from publisher.diagnostic import Diagnostic, Rule, quote
from publisher.source import FILE_TOO_LARGE, LIMIT_FILE_BYTES
from publisher.yamlfile import (
    DEPTH,
    DUPLICATE,
    EMPTY,
    MAX_DEPTH,
    MAX_VALUES,
    SIZE,
    SYNTAX,
    Loaded,
    Plain,
    Value,
    load,
)


class _FaultError(Exception):
    """What the document may not hold, as the diagnostic that says so."""

    def __init__(self, diagnostic: Diagnostic) -> None:
        super().__init__(diagnostic.rule)
        self.diagnostic = diagnostic


def read_json(data: bytes, file: str) -> Loaded:
    """The value of a JSON document, or its first fault. `file` names it in the diagnostics. Never raises."""
    if len(data) > LIMIT_FILE_BYTES:
        text = f"has more than {LIMIT_FILE_BYTES:,} bytes", "take out what is no key"
        return Loaded(value=None, diagnostics=(Diagnostic.at(file, FILE_TOO_LARGE, None, *text),))
    if (problem := character_fault(data, file)) is not None:
        return Loaded(value=None, diagnostics=(problem,))
    if not data.strip():
        text = "the file is empty", 'write at least `{"keys": []}`'
        return Loaded(value=None, diagnostics=(Diagnostic.at(file, EMPTY, None, *text),))
    try:
        return Loaded(value=_Reader(file, data).read())
    except _FaultError as refused:
        return Loaded(value=None, diagnostics=(refused.diagnostic,))


class _Reader:
    """One document while it is read."""

    def __init__(self, file: str, data: bytes) -> None:
        self._file, self._data = file, data
        self._twice: str | None = None
        self._values = 0

    def read(self) -> Value:
        """The value. Raises _FaultError."""
        depth = "there are very many levels of nesting", "no field needs that; check the brackets"
        try:
            found = json.loads(
                self._data.decode("utf-8"),
                object_pairs_hook=self._object,
                parse_int=Plain,
                parse_float=Plain,
                parse_constant=self._constant,
            )
        except json.JSONDecodeError as error:
            message = f"not JSON: {error.msg[:1].lower()}{error.msg[1:]}"
            raise self._refused(SYNTAX, message, "check quotes, commas and brackets here", error) from None
        except RecursionError:
            raise self._refused(DEPTH, *depth) from None
        if self._twice is not None:
            raise self._duplicate(self._twice)
        return self._value(found, MAX_DEPTH)

    def _object(self, pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for name, item in pairs:
            if name in found and self._twice is None:
                self._twice = name
            found[name] = item
        return found

    def _constant(self, name: str) -> str:
        raise self._refused(SYNTAX, f"not JSON: {name} is no value", "write text in quotes")

    def _value(self, found: Any, depth: int) -> Value:
        self._values += 1
        if self._values > MAX_VALUES:
            raise self._refused(SIZE, f"the file holds more than {MAX_VALUES:,} values", "take out what is no key")
        if isinstance(found, str):
            return self._text(found)
        if found is None or isinstance(found, bool):
            return Plain(json.dumps(found))
        if depth == 0:
            message = f"more than {MAX_DEPTH} levels of nesting"
            raise self._refused(DEPTH, message, "no field needs that; check the brackets")
        if isinstance(found, list):
            return [self._value(item, depth - 1) for item in found]
        return {self._text(name): self._value(item, depth - 1) for name, item in found.items()}

    def _text(self, text: str) -> str:
        if any("\ud800" <= char <= "\udfff" for char in text):
            raise self._refused(CHARACTERS, "half of a surrogate pair is no character", "remove the escape")
        return text

    def _duplicate(self, name: str) -> _FaultError:
        """The place is that of the YAML reader, which most JSON is good for."""
        for one in load(self._data, self._file).diagnostics:
            if one.rule == DUPLICATE.id:
                return _FaultError(one)
        message = f"the field {quote(name)} stands twice in one mapping"
        return self._refused(DUPLICATE, message, "keep one of the two")

    def _refused(self, rule: Rule, message: str, hint: str, error: json.JSONDecodeError | None = None) -> _FaultError:
        mark = None if error is None else (error.lineno - 1, error.colno - 1)
        return _FaultError(Diagnostic.at(self._file, rule, mark, message, hint))
