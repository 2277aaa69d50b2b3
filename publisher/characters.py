"""What a file's bytes may be: UTF-8 that shows a reviewer what is read."""

import re

from publisher.diagnostic import Diagnostic, Rule

ENCODING = Rule(
    id="yaml-encoding",
    doc="Files are UTF-8 without a byte order mark, so that every tool and reviewer sees the same text.",
)
CHARACTERS = Rule(
    id="yaml-characters",
    doc="Control characters, invisible characters, those that change the reading direction, carriage returns alone and "
    "very long runs of blanks are refused: they show a reviewer another text than the one that is read "
    "(CVE-2021-42574; YAML 1.2.2 section 5.1).",
)
RULES = (ENCODING, CHARACTERS)

# A carriage return alone ends a line for YAML, and for no viewer: what follows it looks like a part of the line before.
_BAD_ASCII = re.compile(rb"[^\t\n\r\x20-\x7e]|\r(?!\n)")
REFUSED = re.compile(
    r"[^\t\n\r\x20-\x7e\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]|"
    r"[\u00ad\u061c\u115f\u1160\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\u3164\ufeff\uffa0\ufff9-\ufffb]|"
    r"[\U000e0000-\U000e0fff]|\r(?!\n)"
)
"""What no file holds as it is."""
_MANY_BLANKS = b" " * 100
_FAR = re.compile(rb"[^ \r\n] {100,}[^ \r\n]")


def character_fault(data: bytes, file: str) -> Diagnostic | None:
    """The first thing that is wrong with a file's bytes, before they are read as YAML."""
    if _MANY_BLANKS in data and (far := _FAR.search(data)):
        mark = _text_mark(data[: far.end() - 1].decode("utf-8", "replace"))
        message = "so many blanks in a row move what follows out of sight"
        return Diagnostic.at(file, CHARACTERS, mark, message, "put it on a line of its own")
    if data.isascii():
        bad = _BAD_ASCII.search(data)
        if bad is None:
            return None
        return _bad_character(data.decode("ascii"), bad.start(), file)
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        before = data[: error.start].decode("utf-8")
        mark = _text_mark(before)
        return Diagnostic.at(file, ENCODING, mark, "the file is not UTF-8", "save it as UTF-8")
    if text.startswith("\ufeff"):
        return Diagnostic.at(
            file, ENCODING, None, "the file begins with a byte order mark", "save it as UTF-8 without BOM"
        )
    found = REFUSED.search(text)
    return None if found is None else _bad_character(text, found.start(), file)


def _bad_character(text: str, index: int, file: str) -> Diagnostic:
    name = f"U+{ord(text[index]):04X}"
    message = f"the character {name} is not allowed"
    return Diagnostic.at(
        file, CHARACTERS, _text_mark(text[:index]), message, "remove it, or write it as an escape in quotes"
    )


def _text_mark(before: str) -> tuple[int, int]:
    """Line and column after this text, counted as libyaml counts them."""
    before = before.replace("\r\n", "\n").replace("\r", "\n")
    line = before.count("\n")
    return line, len(before) - (before.rfind("\n") + 1)
