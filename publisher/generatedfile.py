"""generated.yaml as the program writes it: from its entries to bytes and back.

Entries and fields that do not change stay as they are, with comments and layout, also those that a person added. Where
the layout does not allow that, it is written anew, but for the comments at its top.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from publisher.yamledit import EditError, edit_list
from publisher.yamlfields import edit_fields
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
    """The file. `before` is what it was, and was read without a mistake; empty where there was none."""
    edited = _edited(content, before) if before else None
    return _anew(content, before) if edited is None else edited


def _edited(content: Content, before: bytes) -> bytes | None:
    """The file with what differs alone changed; None where that cannot be."""
    old = read(before)
    if content.upstream != old.upstream or LIST.encode() not in before:
        return None
    places = {_identity(entry): at for at, entry in enumerate(content.entries)}
    remove = [at for at, entry in enumerate(old.entries) if _identity(entry) not in places]
    change = {
        at: (entry, content.entries[places[_identity(entry)]])
        for at, entry in enumerate(old.entries)
        if _identity(entry) in places and content.entries[places[_identity(entry)]] != entry
    }
    known = {_identity(entry) for entry in old.entries}
    add = [entry for entry in content.entries if _identity(entry) not in known]
    try:
        edited = edit_list(edit_fields(before, LIST, change), LIST, remove=remove, add=add)
    except EditError:
        return None
    return edited if read(edited) == content else None


def _identity(entry: Mapping[str, Value]) -> str:
    """What tells an entry from others: its key."""
    return repr([entry.get(form) for form in ("jwk", "pem", "certificate")])


def _anew(content: Content, before: bytes) -> bytes:
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
