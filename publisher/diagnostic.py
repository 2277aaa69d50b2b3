"""A user's mistake as data: the rule that it breaks, its place, what is wrong, what to write instead.

`Finding` names its place by the path of fields inside a file, which costs nothing while nothing is wrong;
`yamlfile.locate` turns it into a `Diagnostic` with line and column. No text format but the one-line form is here.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import TypeAlias

Where: TypeAlias = tuple[str | int, ...]
"""The way from a file's top to a value: field names and list positions (from 0)."""

_UNSAFE = re.compile(
    r"[^\x20-\x7e\u00a1-\u00ac\u00ae-\u024f\u0370-\u061b\u061d-\u115e\u1161-\u180d\u180f-\u1fff"
    r"\u2c00-\u3163\u3165-\ud7ff\uf900-\ufaff]|(?<=#)#"
)
_EXPOSED = frozenset({"private-key", "known-private-key", "symmetric-key"})
_BEGUN = re.compile(r"^ *:(?=:)")
# What keys and passwords look like: a run of base64 with capitals, small letters and digits, or of hexadecimal digits,
# or four words with spaces.
_B64 = r"[A-Za-z0-9+/_=-]"
_SECRET = re.compile(rf"(?={_B64}*[a-z])(?={_B64}*[A-Z])(?={_B64}*[0-9]){_B64}{{16}}|[0-9A-Fa-f]{{24}}|(?:\S+ ){{3}}\S")
_ECHO_LIMIT = 40
_QUOTED = re.compile(r"`([^`]+)`")


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """A rule with a stable id (kebab-case) and the text that `explain` prints: what is refused, why, the source."""

    id: str
    doc: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """A broken rule at `where` in `file` (a path relative to the repository, with forward slashes)."""

    rule: Rule
    file: str
    where: Where
    message: str
    hint: str
    at_key: bool = False
    """Whether the place is the field's name, and not its value."""


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Diagnostic:
    """A broken rule at a line and a column (both from 1). Sorts by place."""

    path: str
    line: int
    column: int
    rule: str
    message: str
    hint: str = field(compare=True)
    subject: tuple[str, ...] = field(default=(), compare=False, repr=False)
    """The way to the value without any position, for `fingerprint`: field names, and of lists' items the kid or text.

    Never shown: what stands in the place of a kid may be a secret.
    """

    @classmethod
    def at(cls, path: str, rule: Rule, mark: tuple[int, int] | None, message: str, hint: str) -> "Diagnostic":
        """At a mark: line and column from 0; None for the file's top."""
        line, column = mark or (0, 0)
        return cls(path=path, line=line + 1, column=column + 1, rule=rule.id, message=message, hint=hint)

    def __str__(self) -> str:
        return begun(f"{clean(self.path)}:{self.line}:{self.column}: {self.rule}: {self.message}; {self.hint}")


def worst_first(found: Iterable[Diagnostic]) -> list[Diagnostic]:
    """The mistakes, exposed secrets before all others: for who shows some of them alone."""
    return sorted(found, key=lambda one: one.rule not in _EXPOSED)


def clean(text: str) -> str:
    """The text with all that could steer a terminal or end a line written as escapes.

    Also `##`, with which the commands begin that runners of GitHub and Azure obey anywhere in a job's log.
    """
    return _UNSAFE.sub(lambda match: _escape(match[0]), text)


def begun(line: str) -> str:
    """A clean line that does not begin with a `::command::` of GitHub's runner (see `annotations`)."""
    return _BEGUN.sub(lambda match: f"{match[0][:-1]}\\x3a", line)


def quote(value: str) -> str:
    """The value, as it may stand in a message: in backquotes, escaped; long ones by length alone.

    A value of more than 40 characters, or one that looks like a key or a password, in a place where it does not belong
    may be one, so none of it is shown.
    """
    if len(value) > _ECHO_LIMIT or "PRIVATE" in value or _SECRET.search(value):
        return f"a value of {len(value)} characters"
    return ticked(value)


def ticked(text: str) -> str:
    """The text in backquotes, escaped, its own backquotes too, so that it ends where it seems to."""
    escaped = clean(text).replace("`", "\\x60")
    return f"`{escaped}`"


def quoted(message: str) -> Iterator[tuple[str, bool]]:
    """The parts of a message, and whether each stood in backquotes. A backquote without its other half stays text.

    A value may hold backquotes itself, so no part is to be trusted for where it stood.
    """
    for at, part in enumerate(_QUOTED.split(message)):
        if part:
            yield part, at % 2 == 1


def _escape(char: str) -> str:
    code = ord(char)
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"
