"""JSON Schema of a file's shape, for editors: draft-07, which yaml-language-server and JetBrains' IDEs read.

It is made from the declarations that the loader reads by, and refuses nothing that the loader takes. The loader refuses
more: text that YAML readers take for another type, days that are in no calendar, and all that `rules` judge.
References are written out, since draft-07 ignores a description beside one.
"""

import re
from typing import Any, assert_never

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

DRAFT = "http://json-schema.org/draft-07/schema#"


def schema(shape: Shape, title: str) -> dict[str, Any]:
    """The schema of a whole file, as a JSON value."""
    return {"$schema": DRAFT, "title": title, **_kind(shape)}


def _kind(kind: Kind) -> dict[str, Any]:
    match kind:
        case Text():
            return _text(kind)
        case Integer():
            return {"type": "integer", "minimum": kind.least, "maximum": kind.most}
        case Flag():
            return {"type": "boolean"}
        case Duration():
            most = int(kind.most.total_seconds())
            written = {"type": "string", "pattern": _whole(DURATION_TEXT)}
            return {"anyOf": [{"type": "integer", "minimum": 0, "maximum": most}, written]}
        case Instant():
            return {"type": "string", "pattern": _whole(INSTANT_TEXT)}
        case ListOf():
            more = {"uniqueItems": True} if kind.distinct else {}
            return {"type": "array", "items": _kind(kind.item), "maxItems": kind.most, **more}
        case MapOf():
            names = {} if kind.name.pattern is None else {"propertyNames": {"pattern": _whole(kind.name.pattern)}}
            return {"type": "object", "additionalProperties": _kind(kind.item), "maxProperties": kind.most, **names}
        case Raw():
            return {"type": "object"}
        case Shape():
            return _shape(kind)
        case _:
            assert_never(kind)


def _text(kind: Text) -> dict[str, Any]:
    form = {} if kind.pattern is None else {"pattern": _whole(kind.pattern)}
    return {"type": "string", "minLength": 1, "maxLength": kind.max_length, **form}


def _shape(shape: Shape) -> dict[str, Any]:
    required = [name for name, one in shape.fields.items() if one.required]
    return {
        "type": "object",
        "properties": {name: _field(one) for name, one in shape.fields.items()},
        "additionalProperties": False,
        **({"required": required} if required else {}),
    }


def _field(field: Field) -> dict[str, Any]:
    return {"description": field.doc, **_kind(field.kind)}


def _whole(pattern: re.Pattern[str]) -> str:
    """For all of a text: patterns of JSON Schema match anywhere."""
    return f"^(?:{pattern.pattern})$"
