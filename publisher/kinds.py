"""The kinds of fields that key-set files are made of, as declarations. How each is read is in `fields`."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import TypeAlias

_CLOCK = r"(?:[01][0-9]|2[0-3]):[0-5][0-9]"
INSTANT_TEXT = re.compile(rf"[0-9]{{4}}-[0-9]{{2}}-[0-9]{{2}}[Tt]{_CLOCK}:[0-5][0-9](?:[Zz]|[+-]{_CLOCK})")
"""How an `Instant` is written. Not every such text is a day of the calendar."""
DURATION_TEXT = re.compile(r"(0|[1-9][0-9]{0,8})([smhd]?)")
"""How a `Duration` is written: its number and its unit."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Text:
    """Text. `pattern` must match all of it; `what` describes it ("a host name") for messages and schemas."""

    what: str = "text"
    pattern: re.Pattern[str] | None = None
    max_length: int = 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Integer:
    """A decimal integer within bounds, both included."""

    least: int
    most: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Duration:
    """Seconds as an integer, or an integer with the unit s, m, h or d. Reads to a `timedelta`."""

    most: timedelta


@dataclass(frozen=True, slots=True, kw_only=True)
class Instant:
    """An RFC 3339 instant. Reads to an aware UTC `datetime`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Flag:
    """`true` or `false`, as YAML 1.2 writes them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ListOf:
    """A list of at most `most` items. `distinct`: no item twice. Mappings keep their positions (None for a bad one)."""

    item: "Kind"
    most: int
    distinct: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class MapOf:
    """A mapping from names of the reader's own to values of one kind."""

    name: Text
    item: "Kind"
    most: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Raw:
    """A mapping that its owner reads further."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """One field of a `Shape`: its kind, whether it must be there, and its description."""

    kind: "Kind"
    doc: str
    required: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """A mapping with known fields."""

    fields: Mapping[str, Field]


Kind: TypeAlias = Text | Integer | Flag | Duration | Instant | ListOf | MapOf | Raw | Shape
