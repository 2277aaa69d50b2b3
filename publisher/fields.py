"""Fields of key-set files, read strictly by their declarations (`kinds`), all mistakes at once.

A `Kind` says what a value must be; reading a value of the wrong kind notes a `Finding` and gives None. A value is
never echoed when it is long, because it may be a private key in the wrong place.
"""

import difflib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, assert_never

from publisher.diagnostic import Finding, Rule, Where, clean, quote
from publisher.kinds import (
    DURATION_TEXT,
    INSTANT_TEXT,
    Duration,
    Field,
    Flag,
    Instant,
    Integer,
    Kind,
    ListOf,
    MapOf,
    Raw,
    Shape,
    Text,
)
from publisher.yamlfile import MAX_MISTAKES, TOO_MANY, TOO_MANY_TEXT, Plain, Value

__all__ = [
    "BAD_VALUE",
    "IMPLICIT",
    "INSTANT",
    "MISSING",
    "RULES",
    "UNKNOWN",
    "WRONG_TYPE",
    "Duration",
    "Field",
    "Flag",
    "Instant",
    "Integer",
    "Kind",
    "ListOf",
    "MapOf",
    "Raw",
    "Reading",
    "Shape",
    "Text",
    "suggest",
]

UNKNOWN = Rule(
    id="unknown-field",
    doc="Every field is known: a misspelt one (`pubish:`) would otherwise be a wish that nobody hears.",
)
MISSING = Rule(id="missing-field", doc="A field that has no default must be there.")
WRONG_TYPE = Rule(id="wrong-type", doc="A value is of the type that its field has: text, number, list or mapping.")
IMPLICIT = Rule(
    id="implicit-type",
    doc="Text that YAML readers take for a number, a date, a boolean or null (`no`, `0123`, `1e3`, `2026-01-01`) is "
    "quoted, so that it means the same to every tool that reads the file.",
)
BAD_VALUE = Rule(id="bad-value", doc="A value is within its field's pattern and bounds; a list names nothing twice.")
INSTANT = Rule(
    id="instant",
    doc="Instants are RFC 3339 with a time zone, in whole seconds, from 1970 on: `2026-01-01T00:00:00Z`. Without a "
    "zone they would mean something else on every machine.",
)
RULES = (UNKNOWN, MISSING, WRONG_TYPE, IMPLICIT, BAD_VALUE, INSTANT)

_INTEGER = re.compile(r"0|[1-9][0-9]{0,11}", re.ASCII)
_UNITS = {"": 1, "s": 1, "m": 60, "h": 3600, "d": 86_400}
_EPOCH, _NEVER = datetime(1970, 1, 1, tzinfo=UTC), datetime.min.replace(tzinfo=UTC)


@dataclass(slots=True, kw_only=True)
class Reading:
    """The findings of one file while it is read. Every `read_*` gives None for what is not as it must be."""

    file: str
    findings: list[Finding] = field(default_factory=list)

    @property
    def is_full(self) -> bool:
        """Whether there are so many findings that no more are taken."""
        return len(self.findings) > MAX_MISTAKES

    def is_clean(self, where: Where) -> bool:
        """Whether nothing has been noted at `where` or below it."""
        return not self.is_full and not any(finding.where[: len(where)] == where for finding in self.findings)

    def note(self, rule: Rule, where: Where, message: str, hint: str, *, at_key: bool = False) -> None:
        """Add a finding. After `MAX_MISTAKES` of them one more tells so, and is the last."""
        if self.is_full:
            return
        if len(self.findings) == MAX_MISTAKES:
            rule, where, (message, hint), at_key = TOO_MANY, (), TOO_MANY_TEXT, False
        self.findings.append(Finding(rule=rule, file=self.file, where=where, message=message, hint=hint, at_key=at_key))

    def read(self, kind: Kind, value: Value, where: Where) -> Any:
        """The value as its kind reads it: str, int, timedelta, datetime, tuple, or dict."""
        match kind:
            case Text():
                return self._text(kind, value, where)
            case Instant():
                return self._instant(value, where)
            case Shape():
                return self.shape(kind, value, where)
            case ListOf():
                return self._list(kind, value, where)
            case Raw():
                if not isinstance(value, dict):
                    self._wrong(value, where, "a mapping")
                    return None
                return value
            case Integer():
                return self._integer(kind, value, where)
            case Flag():
                return self._flag(value, where)
            case Duration():
                return self._duration(kind, value, where)
            case MapOf():
                return self._map(kind, value, where)
            case _:
                assert_never(kind)

    def shape(self, shape: Shape, value: Value, where: Where) -> dict[str, Any] | None:
        """The fields that are there and right, by name."""
        if not isinstance(value, dict):
            self._wrong(value, where, "a mapping")
            return None
        known: dict[str, Any] = {}
        for name, item in value.items():
            declared = shape.fields.get(name)
            if declared is None:
                self.unknown(name, where, f"{quote(name)} is not a field here", shape.fields)
                continue
            parsed = self.read(declared.kind, item, (*where, name))
            if parsed is not None:
                known[name] = parsed
        if len(known) < len(shape.fields):
            for name, declared in shape.fields.items():
                if declared.required and name not in value:
                    self.note(MISSING, where, f"`{name}` is missing", f"add `{name}:` ({declared.doc})")
        return known

    def unknown(self, name: str, where: Where, message: str, known: Sequence[str] | Mapping[str, object]) -> None:
        """Note that the mapping at `where` has a field of an unknown name."""
        if not self.is_full:
            self.note(UNKNOWN, (*where, name), message, suggest(name, known), at_key=True)

    def _text(self, kind: Text, value: Value, where: Where) -> str | None:
        if not isinstance(value, str) or not value:
            self._wrong(value, where, kind.what)
            return None
        if value.__class__ is Plain:
            shown = quote(value)
            hint = f'quote it: "{clean(value)}"' if shown[0] == "`" and '"' not in value else "quote it"
            self.note(IMPLICIT, where, f"{shown} is not text to YAML readers", hint)
            return None
        if len(value) > kind.max_length:
            self.note(BAD_VALUE, where, f"{len(value)} characters are too long", f"at most {kind.max_length}")
            return None
        if kind.pattern is not None and kind.pattern.fullmatch(value) is None:
            self.note(BAD_VALUE, where, f"{quote(value)} is not {kind.what}", f"write {kind.what}")
            return None
        return value

    def _instant(self, value: Value, where: Where) -> datetime | None:
        if not isinstance(value, str) or not value:
            self._wrong(value, where, "an instant, as 2026-01-01T00:00:00Z")
            return None
        fault = "is not an instant with a time zone"
        if INSTANT_TEXT.fullmatch(value):
            try:
                instant = datetime.fromisoformat(value.upper())
                instant = instant if instant.tzinfo is UTC else instant.astimezone(UTC)
            except (ValueError, OverflowError):
                instant = _NEVER
            if instant >= _EPOCH:
                return instant
            fault = "is no day of the calendar, or before 1970"
        self.note(INSTANT, where, f"{quote(value)} {fault}", "write an instant as 2026-01-01T00:00:00Z")
        return None

    def _integer(self, kind: Integer, value: Value, where: Where) -> int | None:
        span = f"an integer from {kind.least} to {kind.most}" if kind.least < kind.most else f"{kind.least}"
        if isinstance(value, str) and not isinstance(value, Plain) and _INTEGER.fullmatch(value):
            self.note(WRONG_TYPE, where, f"{quote(value)} is text, as it is quoted", "remove the quotes")
            return None
        if not isinstance(value, Plain) or not _INTEGER.fullmatch(value):
            self._wrong(value, where, span)
            return None
        number = int(value)
        if not kind.least <= number <= kind.most:
            self.note(BAD_VALUE, where, f"{number} is out of bounds", f"write {span}")
            return None
        return number

    def _flag(self, value: Value, where: Where) -> bool | None:
        if isinstance(value, Plain) and value in ("true", "false"):
            return value == "true"
        self._wrong(value, where, "true or false")
        return None

    def _duration(self, kind: Duration, value: Value, where: Where) -> timedelta | None:
        match = DURATION_TEXT.fullmatch(value) if isinstance(value, str) else None
        if match is None:
            self._wrong(value, where, "a duration such as 300, 5m, 24h or 14d")
            return None
        length = timedelta(seconds=int(match[1]) * _UNITS[match[2]])
        if length > kind.most:
            self.note(BAD_VALUE, where, f"`{value}` is too long", f"at most {int(kind.most.total_seconds())} seconds")
            return None
        return length

    def _list(self, kind: ListOf, value: Value, where: Where) -> tuple[Any, ...] | None:
        if not isinstance(value, list):
            self._wrong(value, where, "a list")
            return None
        if len(value) > kind.most:
            self.note(BAD_VALUE, where, f"{len(value)} items are too many", f"at most {kind.most}")
            return None
        items: list[Any] = []
        for index, item in enumerate(value):
            parsed = self.read(kind.item, item, (*where, index))
            if kind.distinct and parsed is not None and parsed in items:
                self.note(BAD_VALUE, (*where, index), f"{quote(str(parsed))} is named twice", "name it once")
            elif parsed is not None or isinstance(kind.item, Shape):
                items.append(parsed)
        return tuple(items)

    def _map(self, kind: MapOf, value: Value, where: Where) -> dict[str, Any] | None:
        if not isinstance(value, dict):
            self._wrong(value, where, "a mapping")
            return None
        if len(value) > kind.most:
            self.note(BAD_VALUE, where, f"{len(value)} entries are too many", f"at most {kind.most}")
            return None
        known: dict[str, Any] = {}
        for name, item in value.items():
            if kind.name.pattern is not None and kind.name.pattern.fullmatch(name) is None:
                message = f"{quote(name)} is not {kind.name.what}"
                self.note(BAD_VALUE, (*where, name), message, f"write {kind.name.what}", at_key=True)
                continue
            parsed = self.read(kind.item, item, (*where, name))
            if parsed is not None:
                known[name] = parsed
        return known

    def _wrong(self, value: Value, where: Where, wanted: str) -> None:
        if isinstance(value, str) and not value:
            self.note(MISSING, where, "there is no value", f"write {wanted}")
            return
        given = quote(value) if isinstance(value, str) else "a list" if isinstance(value, list) else "a mapping"
        self.note(WRONG_TYPE, where, f"{given} is not {wanted}", f"write {wanted}")


def suggest(name: str, known: Sequence[str] | Mapping[str, object]) -> str:
    """The hint for an unknown name: the nearest known one, or what is known (the first few)."""
    by_lower = {one.lower(): one for one in known}
    near = difflib.get_close_matches(name[:64].lower(), by_lower, n=1, cutoff=0.6)
    if near:
        return f"did you mean `{by_lower[near[0]]}`?"
    short = [one for one in known if len(one) <= 64]
    listed = ", ".join(short[:15]) + (", ..." if len(known) > len(short[:15]) else "")
    return f"known here: {listed}" if short else "there is none like it here"
