"""Edits of fields in items of a YAML file's list, in place: other fields, and comments beside them, stay as they are.

What `yamledit` says of layouts and refusals holds here, too.
"""

from collections.abc import Mapping

import yaml

from publisher.yamledit import EditError, File, closed, end_of, opened
from publisher.yamltext import Writable, field, flow, scalar


def edit_fields(
    data: bytes, name: str, changed: Mapping[int, tuple[Mapping[str, Writable], Mapping[str, Writable]]]
) -> bytes:
    """The file with items of the list in the top's field `name` changed, by position: from old fields to new ones.

    `data` is what `load` read without a fault. Raises EditError.
    """
    if not changed:
        return data
    file, root = opened(data)
    found = next((one for key, one in root.value if key.value == name), None)
    if not isinstance(found, yaml.SequenceNode):
        raise EditError
    for position in sorted(changed, reverse=True):
        node = found.value[position]
        if not isinstance(node, yaml.MappingNode) or not node.value:
            raise EditError
        if node.flow_style:
            _edit_flow(file, node, changed[position][1])
        else:
            _edit_block(file, node, *changed[position])
    return closed(file, data)


def _edit_flow(file: File, node: yaml.MappingNode, new: Mapping[str, Writable]) -> None:
    start, end = node.start_mark.index, end_of(file, node)
    if "#" in file.text[start:end] or "\n" in file.text[start:end]:
        raise EditError
    file.replace(start, end, flow(new, as_json=file.as_json))


def _edit_block(file: File, node: yaml.MappingNode, old: Mapping[str, Writable], new: Mapping[str, Writable]) -> None:
    column = node.start_mark.column
    added = [name for name in new if name not in old]
    if added:
        at = file.after(end_of(file, node.value[-1][1]))
        lines = (line for name in added for line in field(name, new[name], column))
        file.replace(at, at, file.broken(at) + "".join(line + file.newline for line in lines))
    for key, value in reversed(node.value):
        name = key.value
        if name not in new:
            _remove(file, key, value, is_first=key is node.value[0][0])
        elif new[name] != old[name]:
            _set(file, key, value, field(name, new[name], column))


def _remove(file: File, key: yaml.Node, value: yaml.Node, *, is_first: bool) -> None:
    if is_first:
        raise EditError  # the dash stands there
    file.replace(file.line(key.start_mark.index), file.after(end_of(file, value)), "")


def _set(file: File, key: yaml.Node, value: yaml.Node, lines: list[str]) -> None:
    """Write a value anew; a comment behind it stays where the value stands on one line, before and after."""
    start, end = value.start_mark.index, end_of(file, value)
    text = lines[0].lstrip(" ").removeprefix(f"{scalar(key.value)}:").lstrip(" ")
    if (
        len(lines) == 1
        and start < end
        and value.start_mark.line == key.start_mark.line
        and "\n" not in file.text[start:end]
    ):
        file.replace(start, end, text)
        return
    start = key.start_mark.index
    whole = "".join(line + file.newline for line in lines).lstrip(" ")
    file.replace(start, file.after(end), whole)
