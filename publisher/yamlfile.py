"""Strict YAML: one document of mappings, lists and text, bounded, without aliases, tags or guessed types.

libyaml (through PyYAML's C parser) composes the nodes; PyYAML's constructor and resolver are left out, because they
guess types and let duplicate keys win silently, and because they take most of the time. Plain scalars that YAML
readers would turn into numbers, dates, booleans or null come back as `Plain`, and the schema decides. Marks cost
nothing until there is a mistake: `locate` composes the file once more and looks the places up.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, TypeAlias, cast

import yaml
from yaml._yaml import CParser

from publisher.characters import character_fault
from publisher.diagnostic import Diagnostic, Finding, Rule, Where, quote

MAX_DEPTH = 8
"""Levels of nesting; the deepest thing that a schema names is 5 levels down."""
MAX_VALUES = 20_000
MAX_MISTAKES = 200
"""Mistakes that are told of one file."""
TOO_MANY_TEXT = f"there are more than {MAX_MISTAKES} mistakes in this file", "correct these first"

Value: TypeAlias = str | list["Value"] | dict[str, "Value"]

SYNTAX = Rule(id="yaml-syntax", doc="The file must be YAML 1.1 as libyaml reads it.")
EMPTY = Rule(id="yaml-empty", doc="A file must say something: an empty one is mostly a write that was cut off.")
DOCUMENTS = Rule(
    id="yaml-documents",
    doc="One document a file. Many readers stop after the first, so that a second one is a change that nobody sees.",
)
TOO_MANY = Rule(
    id="too-many-mistakes",
    doc=f"Of one file {MAX_MISTAKES} mistakes are told: a file that is broken throughout does not bury what is told of "
    "the others, nor take all the time.",
)
ALIAS = Rule(
    id="yaml-alias",
    doc="Anchors and aliases are refused: what a reviewer sees at one place would change another, and nested ones grow "
    "without bound (the billion laughs).",
)
TAG = Rule(id="yaml-tag", doc="Tags (`!!str`, `!x`, `%TAG`) are refused: the schema alone says what a value is.")
DEPTH = Rule(id="yaml-depth", doc=f"Nesting deeper than {MAX_DEPTH} levels is refused; no field needs it.")
SIZE = Rule(id="yaml-size", doc=f"More than {MAX_VALUES:,} values in a file are refused; no tenant needs them.")
DUPLICATE = Rule(
    id="yaml-duplicate-key",
    doc="A mapping names each field once. YAML readers silently take the last one, reviewers the first that they see.",
)
KEY = Rule(id="yaml-key", doc="The names of a mapping's fields are text, not lists or mappings.")
RULES = (SYNTAX, EMPTY, DOCUMENTS, TOO_MANY, ALIAS, TAG, DEPTH, SIZE, DUPLICATE, KEY)

# YAML 1.1 and the 1.2 core schema together: what any of the two would not read as text.
_WORDS = frozenset(
    form
    for word in ("", "~", "<<", "=", "null", "y", "n", "yes", "no", "on", "off", "true", "false")
    for form in (word, word.capitalize(), word.upper())
)
_NUMBER = re.compile(
    r"""[-+]?0b[01_]+|[-+]?0o?[0-7_]+|[-+]?0x[0-9a-fA-F_]+|
    [-+]?[0-9][0-9_]*(?::[0-5]?[0-9])*(?:\.[0-9_]*)?(?:[eE][-+]?[0-9]+)?|[-+]?\.[0-9][0-9_]*(?:[eE][-+]?[0-9]+)?|
    [-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN)|
    [0-9]{4}-[0-9]{1,2}-[0-9]{1,2}(?:[Tt \t].*)?""",
    re.VERBOSE,
)
_NUMBER_STARTS = frozenset("0123456789+-.")
# What may need a look at the events before anything is composed: anchors, aliases, tags, directives, complex keys,
# document markers, and nesting that libyaml's composer would follow by recursion.
_SUSPECTS = (b"&", b"*", b"!", b"?", b"\n%", b"\n---", b"\n...", b"\n" + b" " * 40)
_NESTED_ITEMS = re.compile(rb"-[ \t]+-[ \t\n]")
_MAX_FLOW_STARTS = 300
_TOO_DEEP = f"more than {MAX_DEPTH} levels of nesting", "no field needs that; check the brackets"
_TOO_LARGE = f"the file holds more than {MAX_VALUES:,} values", "take out what is no key"

_TEXT, _PLAIN, _NODE = "t", "p", "n"


class Plain(str):
    """A plain (unquoted) scalar that YAML readers would take for a number, a date, a boolean or null."""

    __slots__ = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Loaded:
    """What a file says. `value` is None where it could not be read; `diagnostics` may stand beside a value."""

    value: Value | None
    diagnostics: tuple[Diagnostic, ...] = ()


class _Parser(CParser):
    """libyaml's parser and composer with a resolver that tells text from typed plain scalars, and no more."""

    def __init__(self, data: bytes) -> None:
        CParser.__init__(self, data)

    def resolve(self, kind: type, value: str | None, implicit: tuple[bool, bool] | bool) -> str:
        if kind is not yaml.ScalarNode:
            return _NODE
        if value is None or not isinstance(implicit, tuple) or not implicit[0]:
            return _TEXT
        return _TEXT if is_text(value) else _PLAIN

    def descend_resolver(self, *_: object) -> None:
        """The composer calls it; paths play no part here."""

    ascend_resolver = descend_resolver


def load(data: bytes, file: str) -> Loaded:
    """Read one file. Never raises for what the bytes hold; time and memory are bounded by their length."""
    if (problem := character_fault(data, file)) is not None:
        return Loaded(value=None, diagnostics=(problem,))
    try:
        if _is_suspect(data) and (hostile := _scan_events(data, file)):
            return Loaded(value=None, diagnostics=_first(hostile, file))
        node = _Parser(data).get_single_node()
    except yaml.MarkedYAMLError as error:
        return Loaded(value=None, diagnostics=(_syntax(error, file),))
    faults: list[Diagnostic] = []
    if node is None:
        faults.append(Diagnostic.at(file, EMPTY, None, "the file is empty", "write at least `version: 1`"))
        return Loaded(value=None, diagnostics=tuple(faults))
    value = _construct(node, file, faults, MAX_DEPTH)
    return Loaded(value=value, diagnostics=_first(faults, file))


def locate(data: bytes, findings: Iterable[Finding]) -> list[Diagnostic]:
    """Give findings in one file their lines and columns. `data` is what `load` read a value from, or anything."""
    try:
        node = _Parser(data).get_single_node() if load(data, "").value is not None else None
    except yaml.YAMLError:
        node = None
    return [_place(node, finding) for finding in findings]


def compose(data: bytes) -> yaml.Node | None:
    """The nodes of a file with their marks, for who edits it. `data` is what `load` read without a fault."""
    node: yaml.Node | None = _Parser(data).get_single_node()
    return node


def is_text(plain: str) -> bool:
    """Whether YAML readers take this plain scalar for text, and not for a number, a date, a boolean or null."""
    return plain not in _WORDS and not (plain[0] in _NUMBER_STARTS and _NUMBER.fullmatch(plain))


def _place(node: yaml.Node | None, finding: Finding) -> Diagnostic:
    mark = _mark(node, finding.where, finding.at_key) if node is not None else None
    return Diagnostic(
        path=finding.file,
        line=mark.line + 1 if mark else 1,
        column=mark.column + 1 if mark else 1,
        rule=finding.rule.id,
        message=finding.message,
        hint=finding.hint,
        subject=_subject(node, finding.where) if node is not None else (),
    )


def _subject(node: yaml.Node | None, where: Where) -> tuple[str, ...]:
    """The steps of `where`, with an item's kid or text in place of its position."""
    names = []
    for step in where:
        if isinstance(node, yaml.SequenceNode):
            node = next((item for at, item in enumerate(node.value) if step in (at, item.value)), None)
            names.append(_name(node) or str(step))
        else:
            pairs = node.value if isinstance(node, yaml.MappingNode) else ()
            node = next((item for key, item in pairs if key.value == step), None)
            names.append(str(step))
    return tuple(names)


def _name(item: yaml.Node | None) -> str | None:
    """An item's text, or its kid, which may stand in its JWK, or its domain."""
    for step in ("kid", "jwk", "kid", "domain"):
        if isinstance(item, yaml.MappingNode):
            fields = {key.value: value for key, value in item.value if isinstance(key, yaml.ScalarNode)}
            item = fields.get(step, item)
    return item.value if isinstance(item, yaml.ScalarNode) else None


def _mark(node: yaml.Node, where: Where, at_key: bool) -> yaml.Mark:
    """The mark of the value at `where`, or of the nearest thing above it that is there.

    A step into a list is a position or an item's text: positions are lost where what is no text was left out.
    """
    mark = node.start_mark
    for depth, step in enumerate(where):
        if isinstance(node, yaml.MappingNode):
            found = next(((key, item) for key, item in node.value if key.value == step), None)
        elif isinstance(node, yaml.SequenceNode):
            found = next(((item, item) for at, item in enumerate(node.value) if step in (at, item.value)), None)
        else:
            return mark
        if found is None:
            return mark
        node = found[1]
        mark = found[0].start_mark if at_key and depth == len(where) - 1 else node.start_mark
    return mark


def _is_suspect(data: bytes) -> bool:
    return (
        any(mark in data for mark in _SUSPECTS)
        or data.startswith((b"%", b"---"))
        or data.count(b"[") + data.count(b"{") > _MAX_FLOW_STARTS
        or _NESTED_ITEMS.search(data) is not None
        or (len(data) > MAX_VALUES and sum(map(data.count, (b":", b",", b"\n", b"\r"))) > MAX_VALUES // 2)
    )


def _scan_events(data: bytes, file: str) -> list[Diagnostic]:
    """Walk the events, which needs no recursion, and name what may not be composed. Stops at what could grow."""
    faults: list[Diagnostic] = []
    parser, depth, documents, values = _Parser(data), 0, 0, 0
    while len(faults) <= MAX_MISTAKES:
        try:
            event = cast("Any", parser.get_event())
        except yaml.MarkedYAMLError as error:
            return [*faults, _syntax(error, file)]
        if event is None:
            break
        mark = event.start_mark.line, event.start_mark.column
        if isinstance(event, yaml.AliasEvent):
            faults.append(Diagnostic.at(file, ALIAS, mark, "aliases are not allowed", "write the value out"))
        elif isinstance(event, yaml.NodeEvent) and event.anchor is not None:
            faults.append(Diagnostic.at(file, ALIAS, mark, "anchors are not allowed", "remove the `&name`"))
        if getattr(event, "tag", None) is not None or getattr(event, "tags", None):
            faults.append(
                Diagnostic.at(file, TAG, mark, "tags are not allowed", "remove the `!tag`; quote what is text")
            )
        if isinstance(event, yaml.DocumentStartEvent):
            documents += 1
            if documents > 1:
                faults.append(
                    Diagnostic.at(file, DOCUMENTS, mark, "a second document begins here", "keep one document a file")
                )
                break
        depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
        values += isinstance(event, yaml.NodeEvent)
        if depth > MAX_DEPTH or values > MAX_VALUES:
            rule, text = (DEPTH, _TOO_DEEP) if depth > MAX_DEPTH else (SIZE, _TOO_LARGE)
            faults.append(Diagnostic.at(file, rule, mark, *text))
            break
    return faults


def _construct(node: yaml.Node, file: str, faults: list[Diagnostic], depth: int) -> Value:
    if isinstance(node, yaml.ScalarNode):
        return Plain(node.value) if node.tag == _PLAIN else node.value
    if depth == 0:
        faults.append(Diagnostic.at(file, DEPTH, (node.start_mark.line, node.start_mark.column), *_TOO_DEEP))
        return ""
    if isinstance(node, yaml.SequenceNode):
        return [_construct(item, file, faults, depth - 1) for item in node.value]
    mapping: dict[str, Value] = {}
    for key, item in node.value:
        mark = key.start_mark.line, key.start_mark.column
        if not isinstance(key, yaml.ScalarNode):
            faults.append(Diagnostic.at(file, KEY, mark, "a field's name must be text", "write `name: value`"))
        elif key.value in mapping:
            if len(faults) <= MAX_MISTAKES:
                message = f"the field {quote(key.value)} stands twice in one mapping"
                faults.append(Diagnostic.at(file, DUPLICATE, mark, message, "keep one of the two"))
        else:
            mapping[key.value] = _construct(item, file, faults, depth - 1)
    return mapping


def _first(faults: list[Diagnostic], file: str) -> tuple[Diagnostic, ...]:
    if len(faults) <= MAX_MISTAKES:
        return tuple(faults)
    return *faults[:MAX_MISTAKES], Diagnostic.at(file, TOO_MANY, None, *TOO_MANY_TEXT)


def _syntax(error: yaml.MarkedYAMLError, file: str) -> Diagnostic:
    mark = error.problem_mark or error.context_mark
    place = (mark.line, mark.column) if mark else None
    if "expected a single document" in (error.context or ""):
        return Diagnostic.at(file, DOCUMENTS, place, "a second document begins here", "keep one document a file")
    if "nesting depth" in (error.problem or ""):  # libyaml's own limit, far over ours, in PyYAML 6.0.4's wheels
        return Diagnostic.at(file, DEPTH, place, *_TOO_DEEP)
    return Diagnostic.at(file, SYNTAX, place, f"not YAML: {error.problem}", "check indentation, colons and quotes here")
