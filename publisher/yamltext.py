"""Values as YAML text: a field a line in block style, or all on one line; in JSON's notation where the file has that.

What is written reads back as the same text with `yamlfile.load`: scalars that a reader could take for anything else are
quoted. Several lines (PEM) become a literal block where the place allows one.
"""

import json
import re
from collections.abc import Mapping, Sequence
from typing import TypeAlias

from publisher.characters import REFUSED
from publisher.yamlfile import Plain, is_text

Writable: TypeAlias = "str | Sequence[Writable] | Mapping[str, Writable]"

_PLAIN = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_./+=@-]*", re.ASCII)
_BARE = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_./+:=@-]*[A-Za-z0-9_./+=@-]", re.ASCII)
"""Values of other types than text that can stand without quotes anywhere: instants, numbers."""
_FAR = re.compile(" {50}")
"""`characters` refuses longer runs of blanks."""
_LINES = re.compile(r"(?:[\x21-\x7e](?:[\x20-\x7e]*[\x21-\x7e])?\n)+", re.ASCII)


def flow(value: Writable, *, as_json: bool = False) -> str:
    """The value on one line, for a place inside or outside of brackets."""
    if isinstance(value, str):
        return quoted(value) if as_json else scalar(value)
    if isinstance(value, Mapping):
        name = quoted if as_json else scalar
        return "{" + ", ".join(f"{name(key)}: {flow(item, as_json=as_json)}" for key, item in value.items()) + "}"
    return "[" + ", ".join(flow(item, as_json=as_json) for item in value) + "]"


def item(fields: Mapping[str, Writable], column: int, newline: str) -> str:
    """The fields as an item of a block list whose dashes stand at `column`, with the last line's end."""
    lines = [line for name, value in fields.items() for line in field(name, value, column + 2)]
    lines[0] = f"{' ' * column}- {lines[0].lstrip(' ')}"
    return "".join(line + newline for line in lines)


def scalar(text: str) -> str:
    """One scalar: plain where that is safe, or where it was (`Plain`); in double quotes elsewhere."""
    if isinstance(text, Plain) and _BARE.fullmatch(text):
        return str(text)
    return text if _PLAIN.fullmatch(text) and is_text(text) else quoted(text)


def quoted(text: str) -> str:
    """In double quotes, with JSON's escapes, which YAML has too; also of what no file may hold as it is."""
    return _FAR.sub(_escape, REFUSED.sub(_escape, json.dumps(text, ensure_ascii=False)))


def _escape(match: re.Match[str]) -> str:
    code = ord(match[0][-1])
    return match[0][:-1] + (f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}")


def field(name: str, value: Writable, column: int) -> list[str]:
    """The lines of a field of a block mapping that stands at `column`, without their ends."""
    start, space = f"{' ' * column}{scalar(name)}:", " " * (column + 2)
    if isinstance(value, Mapping) and value and not _is_short(value):
        return [start, *(line for inner, one in value.items() for line in field(inner, one, column + 2))]
    if isinstance(value, str) and _LINES.fullmatch(value):
        return [f"{start} |", *(space + line for line in value.splitlines())]
    if isinstance(value, str | Mapping) or not value:
        return [f"{start} {flow(value)}"]
    return [start, *(f"{space}- {flow(one)}" for one in value)]


def _is_short(value: Mapping[str, Writable]) -> bool:
    """Whether it reads best on one line: a window, a revocation."""
    texts = [one for one in value.values() if isinstance(one, str)]
    return 0 < len(value) == len(texts) <= 2 and sum(map(len, texts)) <= 80 and "\n" not in "".join(texts)
