"""Edits of one list in a YAML file, in place: items go, items come at its end, an item gets a field; no more changes.
How items change otherwise is in `yamlfields`.

libyaml's marks say where things stand; the text between is left as it is. What belongs to an item that goes, and goes
with it: its own lines, comments right after them that are indented deeper than its dash, and the comment right above
it, without a blank line between. ruamel.yaml was passed over: it writes the whole file anew, so that quotes, indents
and comments of other entries move, and it would be a second YAML reader with its own idea of the text.

The callers read the result with the strict loader and compare it with what they meant: this module may refuse
(`EditError`) or be wrong about a file, but then nothing is written.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

import yaml

from publisher.yamlfile import compose
from publisher.yamltext import Writable, flow, item


class EditError(Exception):
    """The file is written in a way that cannot be edited in place. One line for people."""

    def __init__(self) -> None:
        super().__init__("the file's layout cannot be edited in place; edit it by hand")


@dataclass(slots=True, kw_only=True)
class File:
    """A file's text while it is edited. Edits are made from the end to the start, so that marks before them hold."""

    text: str
    newline: str
    as_json: bool

    def replace(self, start: int, end: int, new: str) -> None:
        self.text = self.text[:start] + new + self.text[end:]

    def line(self, at: int) -> int:
        """Where the line of `at` begins."""
        return self.text.rfind("\n", 0, at) + 1

    def after(self, at: int) -> int:
        """Where the line after that of `at` begins; the text's end after the last one."""
        end = self.text.find("\n", at)
        return len(self.text) if end < 0 else end + 1

    def broken(self, at: int) -> str:
        """What ends the line before `at`, where nothing does: at the end of a file without a last line's end."""
        return "" if at == 0 or self.text[at - 1] == "\n" else self.newline

    def shown(self, start: int) -> str:
        """The line that begins at `start`, without its end."""
        return self.text[start : self.after(start)].rstrip("\r\n")


def edit_list(
    data: bytes,
    name: str,
    *,
    remove: Collection[int] = (),
    add: Sequence[Mapping[str, Writable]] = (),
) -> bytes:
    """The file with items of the list in the top's field `name` removed (by position), others added.

    A list that is not there is made, and one that loses its last item becomes `[]`. `data` is what `load` read without
    a fault. Raises EditError.
    """
    if not remove and not add:
        return data
    file, root = opened(data)
    key, found = next(((key, one) for key, one in root.value if key.value == name), (None, None))
    if key is None or found is None:
        _new_field(file, root, name, add)
    elif isinstance(found, yaml.SequenceNode) and found.value:
        if not found.flow_style:
            _edit_block(file, key, found, sorted(remove), add)
        else:
            _edit_flow(file, key, found, sorted(remove), add)
    elif isinstance(found, yaml.SequenceNode):
        _fill(file, root, key, found, add)
    elif isinstance(found, yaml.ScalarNode) and not found.value and not found.style and not root.flow_style:
        file.replace(at := file.after(_index(key.end_mark)), at, _items(file, at, add, 2))
    else:
        raise EditError
    return closed(file, data)


def set_field(data: bytes, name: str, position: int, field: str, value: Writable) -> bytes:
    """The file with a field of an item of the list set to a value on one line: in its place, or at the item's end.

    `data` is what `load` read without a fault. Raises EditError.
    """
    file, root = opened(data)
    found = next((one for key, one in root.value if key.value == name), None)
    node = found.value[position] if isinstance(found, yaml.SequenceNode) else None
    if not isinstance(node, yaml.MappingNode) or not node.value:
        raise EditError
    old = next((one for key, one in node.value if key.value == field), None)
    if isinstance(old, yaml.ScalarNode) and old.style not in ("|", ">") and old.value:
        text = flow(value, as_json=file.as_json or old.style == '"')
        file.replace(_index(old.start_mark), _index(old.end_mark), text)
    elif old is not None:
        raise EditError
    elif node.flow_style:
        at = end_of(file, node.value[-1][1])
        file.replace(at, at, f", {flow(field, as_json=file.as_json)}: {flow(value, as_json=file.as_json)}")
    else:
        at = file.after(end_of(file, node.value[-1][1]))
        line = f"{' ' * node.start_mark.column}{field}: {flow(value)}{file.newline}"
        file.replace(at, at, file.broken(at) + line)
    return closed(file, data)


def opened(data: bytes) -> tuple[File, yaml.MappingNode]:
    """The text, and the mapping at its top. Raises EditError where that is none, or empty."""
    root = compose(data)
    if not isinstance(root, yaml.MappingNode) or not root.value:
        raise EditError
    text = data.decode("utf-8")
    first = text.find("\n")
    newline = "\r\n" if first > 0 and text[first - 1] == "\r" else "\n"
    return File(text=text, newline=newline, as_json=bool(root.flow_style)), root


def closed(file: File, before: bytes) -> bytes:
    """The edited bytes. A file without a line's end at its end stays one."""
    text = file.text
    if not before.endswith(b"\n") and text.endswith("\n"):
        text = text.removesuffix("\n").removesuffix("\r")
    return text.encode("utf-8")


def _edit_block(
    file: File,
    key: yaml.Node,
    found: yaml.SequenceNode,
    remove: Sequence[int],
    add: Sequence[Mapping[str, Writable]],
) -> None:
    column = found.start_mark.column
    chunks = _chunks(file, _index(key.end_mark), found)
    if add:
        at = chunks[-1][1]
        apart = len(chunks) > 1 and not file.shown(file.line(chunks[-1][0] - 1)).strip()
        file.replace(at, at, _items(file, at, add, column, apart=apart))
    elif len(remove) == len(chunks):
        colon = file.text.find(":", _index(key.end_mark))
        if file.text[_index(key.end_mark) : colon].strip(" "):
            raise EditError
        _remove_all(file, chunks)
        file.replace(colon + 1, colon + 1, " []")
        return
    for position in reversed(remove):
        _remove(file, *chunks[position])


def _chunks(file: File, field_end: int, found: yaml.SequenceNode) -> list[tuple[int, int]]:
    """Each item's lines with the comments that are its own."""
    chunks: list[tuple[int, int]] = []
    floor = file.after(field_end)
    for node in found.value:
        start = _dash(file, found.start_mark.column, _index(node.start_mark), floor)
        while (
            start > floor
            and _is_comment(above := file.shown(file.line(start - 1)), 0)
            and (_indent(above) <= found.start_mark.column)
        ):
            start = file.line(start - 1)
        end = file.after(end_of(file, node))
        while end < len(file.text) and _is_comment(file.shown(end), found.start_mark.column + 1):
            end = file.after(end)
        chunks.append((start, end))
        floor = end
    return chunks


def _dash(file: File, column: int, start: int, floor: int) -> int:
    """Where the line with an item's dash begins: the item's own line, or one before it."""
    at = file.line(start)
    while at >= floor:
        line = file.shown(at)
        if not line[:column].strip(" ") and line[column : column + 1] == "-":
            return at
        if at == 0:
            break
        at = file.line(at - 1)
    raise EditError


def _remove(file: File, start: int, end: int) -> None:
    """Take lines out, and one side of the blank lines around them."""
    before = file.shown(file.line(start - 1)).strip() if start else ""
    if not before or before.endswith(":"):
        while end < len(file.text) and not file.shown(end).strip():
            end = file.after(end)
    while end == len(file.text) and start and not file.shown(file.line(start - 1)).strip():
        start = file.line(start - 1)
    file.replace(start, end, "")


def _remove_all(file: File, chunks: Sequence[tuple[int, int]]) -> None:
    for start, end in reversed(chunks):
        _remove(file, start, end)


def _edit_flow(
    file: File, key: yaml.Node, found: yaml.SequenceNode, remove: Sequence[int], add: Sequence[Mapping[str, Writable]]
) -> None:
    spans = [(_index(node.start_mark), end_of(file, node)) for node in found.value]
    kept = [at for at in range(len(spans)) if at not in remove]
    new = ", ".join(flow(one, as_json=file.as_json) for one in add)
    if not kept:
        end = spans[-1][1]
        rest = file.text[end:].lstrip(" ")
        if not new and rest.startswith(","):
            end = len(file.text) - len(rest) + 1
        file.replace(spans[0][0], end, new)
        return
    if new:
        file.replace(spans[-1][1], spans[-1][1], f", {new}")
    for position in reversed(remove):
        if position > kept[0]:  # with the comma before it
            start, end = spans[position - 1][1], spans[position][1]
        else:
            start, end = spans[position][0], spans[position + 1][0]
        if "#" in file.text[start : spans[position][0]]:
            raise EditError
        file.replace(start, end, "")


def _fill(
    file: File, root: yaml.MappingNode, key: yaml.Node, found: yaml.SequenceNode, add: Sequence[Mapping[str, Writable]]
) -> None:
    """Put items into an empty list: `[]` gives way to a block where it stands alone on a line of a block file."""
    start, end = _index(found.start_mark), _index(found.end_mark)
    if root.flow_style or "\n" in file.text[start:end]:
        file.replace(start + 1, start + 1, ", ".join(flow(one, as_json=file.as_json) for one in add))
        return
    at = file.after(end)
    file.replace(at, at, _items(file, at, add, key.start_mark.column + 2))
    while file.text[start - 1] == " ":
        start -= 1
    file.replace(start, end, "")


def _new_field(file: File, root: yaml.MappingNode, name: str, add: Sequence[Mapping[str, Writable]]) -> None:
    if root.flow_style:
        at = end_of(file, root.value[-1][1])
        file.replace(at, at, f", {flow(name, as_json=True)}: {flow(list(add), as_json=True)}")
        return
    at = file.line(_index(root.end_mark)) if _index(root.end_mark) < len(file.text) else len(file.text)
    column = root.start_mark.column
    text = f"{' ' * column}{name}:{file.newline}" + _items(file, 0, add, column + 2)
    file.replace(at, at, file.broken(at) + text)


def _items(file: File, at: int, add: Sequence[Mapping[str, Writable]], column: int, *, apart: bool = False) -> str:
    """The items as lines of their own that can stand at `at`; `apart` by blank lines."""
    space = file.newline if apart else ""
    return file.broken(at) + "".join(space + item(one, column, file.newline) for one in add)


def end_of(file: File, node: yaml.Node) -> int:
    """Where a value's text ends, on its last line. Block collections' own marks stand where the next thing begins."""
    while isinstance(node, yaml.CollectionNode) and not node.flow_style and node.value:
        last = node.value[-1]
        node = last[1] if isinstance(last, tuple) else last
    end = _index(node.end_mark)
    if isinstance(node, yaml.ScalarNode) and node.style in ("|", ">"):
        if not node.value.endswith("\n\n"):  # otherwise `|+`: blank lines that count
            return len(file.text[:end].rstrip(" \t\r\n"))
        return end - 1
    return end


def _is_comment(line: str, least: int) -> bool:
    return line.lstrip(" ").startswith("#") and _indent(line) >= least


def _indent(line: str) -> int:
    return len(line) - len(line.lstrip(" "))


def _index(mark: yaml.Mark) -> int:
    index: int = mark.index
    return index
