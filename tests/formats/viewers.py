"""What viewers take for more than text: GitHub's runner, line by line; renderers of HTML, Markdown, SARIF messages."""

import re
from dataclasses import dataclass

COMMANDS = {
    *("error", "warning", "notice", "debug", "group", "endgroup", "add-mask", "add-path", "set-env", "set-output"),
    *("save-state", "echo", "add-matcher", "remove-matcher", "stop-commands", "internal-set-repo-path"),
}
LIVE = {
    "a tag": re.compile(r"<[a-zA-Z/!?]"),
    "a character reference": re.compile(r"&(?:#|[a-zA-Z])"),
    "a link or an image": re.compile(r"\]\("),
    "an address": re.compile(r"[a-z]://|\bwww\.[a-z]", re.IGNORECASE),
    "a mention": re.compile(r"@[\w-]"),
    "a reference": re.compile(r"[#!]\d"),
    "a command": re.compile(r"##\w*\[|::"),
    "the end of CDATA": re.compile(r"\]\]>"),
    "a control or invisible character": re.compile(
        r"[\0-\x1f\x7f-\xa0\xad\u061c\u115f\u1160\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\u3164\ud800-\udfff\ufeff]"
    ),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """A workflow command as the runner reads it."""

    name: str
    properties: dict[str, str]
    data: str


def obeyed(line: str) -> Command | None:
    """The command that the runner takes a line of a log for, of the new form or of the old, or None."""
    begun = line.lstrip()
    if begun.startswith("::") and (end := begun.find("::", 2)) >= 0:
        name, _, given = begun[2:end].partition(" ")
        if name.lower() in COMMANDS:
            pairs = (pair.split("=", 1) for pair in given.strip().split(",") if "=" in pair)
            properties = {key: _plain(value, ":,") for key, value in pairs if value}
            return Command(name=name, properties=properties, data=_plain(begun[end + 2 :], ""))
    start = line.find("##[")
    if start >= 0 and (end := line.find("]", start)) >= 0:
        name = line[start + 3 : end].partition(" ")[0]
        if name.lower() in COMMANDS:
            return Command(name=name, properties={}, data=line[end + 1 :])
    return None


def lively(text: str) -> set[str]:
    """What a viewer could take the text for, other than text."""
    return {name for name, form in LIVE.items() if form.search(text)}


def _plain(value: str, more: str) -> str:
    for char in f"\r\n{more}%":
        value = value.replace(f"%{ord(char):02X}", char)
    return value
