"""generated.yaml as the program writes it: from its entries to bytes and back.

The file is the program's own, so it is written anew as a whole, the same entries to the same bytes. What stands above
the first field (comments) stays; every field of an entry stays as it was read, also one that a person added.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from publisher.yamlfile import Plain, Value, load
from publisher.yamltext import item

LIST = "generated_keys"
_HEADER = "# Written by the platform. People change keyset.yaml beside it.\n"


@dataclass(frozen=True, slots=True, kw_only=True)
class Content:
    """What generated.yaml says, as texts. `upstream` is None where the keys follow no other key set."""

    entries: tuple[Mapping[str, Value], ...]
    upstream: Mapping[str, Value] | None = None


def read(data: bytes) -> Content:
    """The content of a file that was read without a mistake; of none where it is empty."""
    value = load(data, "").value if data else None
    fields = value if isinstance(value, dict) else {}
    entries, upstream = fields.get(LIST), fields.get("upstream")
    return Content(
        entries=tuple(one for one in (entries if isinstance(entries, list) else ()) if isinstance(one, dict)),
        upstream=upstream if isinstance(upstream, dict) else None,
    )


def written(content: Content, before: bytes = b"") -> bytes:
    """The file. `before` is what it was, for its comments at the top."""
    lines = before.decode("utf-8").splitlines(keepends=True)
    top = next((at for at, line in enumerate(lines) if not line.startswith("#")), len(lines))
    parts = ["".join(lines[:top]) or _HEADER, "version: 1\n"]
    if content.upstream is not None:
        parts += ["upstream:\n", *_block(content.upstream)]
    parts.append(f"{LIST}:\n" if content.entries else f"{LIST}: []\n")
    parts += [item(one, 2, "\n") for one in content.entries]
    return "".join(parts).encode("utf-8")


def moment(instant: datetime) -> Plain:
    """An instant as the file writes it, in whole seconds."""
    return Plain(instant.strftime("%Y-%m-%dT%H:%M:%SZ"))


def window(start: datetime | None, end: datetime | None) -> dict[str, Value]:
    """The fields of a window; None is an open end."""
    named: Sequence[tuple[str, datetime | None]] = (("from", start), ("until", end))
    return {name: moment(one) for name, one in named if one is not None}


def _block(fields: Mapping[str, Value]) -> list[str]:
    lines = item(fields, 0, "\n").splitlines(keepends=True)
    return [f"  {line[2:]}" for line in lines]
