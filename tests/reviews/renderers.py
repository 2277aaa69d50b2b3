"""What real renderers make of Markdown and of HTML: the elements, the text, and what platforms look for in the text."""

import re
from collections.abc import Callable, Iterator, Mapping
from typing import TypeAlias
from xml.etree.ElementTree import Element

import cmarkgfm
import html5lib
from cmarkgfm.cmark import Options
from markdown_it import MarkdownIt

Skeleton: TypeAlias = tuple[str, tuple[tuple[str, str], ...], tuple["Skeleton", ...]]

_MARKDOWN_IT = MarkdownIt("gfm-like", {"html": True, "linkify": True, "typographer": False})


def _cmark(text: str) -> str:
    made: str = cmarkgfm.github_flavored_markdown_to_html(text, options=Options.CMARK_OPT_UNSAFE)
    return made


def _markdown_it(text: str) -> str:
    made: str = _MARKDOWN_IT.render(text)
    return made


RENDERERS: Mapping[str, Callable[[str], str]] = {"cmark-gfm": _cmark, "markdown-it": _markdown_it}

# What GitHub and GitLab make links of in the text of a rendered comment, outside of code.
# https://docs.github.com/get-started/writing-on-github/working-with-advanced-formatting/autolinked-references-and-urls
# https://docs.gitlab.com/user/markdown/#gitlab-specific-references
REFERENCES = re.compile(
    r"(?<!\w)@\w"
    r"|[#!$%^~]\w|&\d|\[\w+:"
    r"|\bGH-\d|\bGL-\d|\b[A-Z]{2,}-\d"
    r"|\b(?=\d*[a-f])[0-9a-f]{7,40}\b|\b\d{7,40}\b"
    r"|://|\bwww\.|\w@\w"
    r"|:[a-z][a-z0-9_+-]*:"
    r"|\$[^$ ]",
    re.IGNORECASE,
)


def parsed(html: str) -> Element:
    """The document as a browser has it."""
    found: Element = html5lib.parse(html, treebuilder="etree", namespaceHTMLElements=False)
    return found


def skeleton(element: Element) -> Skeleton:
    """Elements and attributes; inline code is text here, as a message has as much of it as there is to hide."""
    name: object = element.tag
    return (
        name if isinstance(name, str) else "comment",
        tuple(sorted(element.attrib.items())),
        tuple(_children(element)),
    )


def _children(element: Element) -> Iterator[Skeleton]:
    for child in element:
        if child.tag == "code" and not child.attrib and element.tag != "pre":
            yield from _children(child)
        else:
            yield skeleton(child)  # of a comment, too: its tag is a function


def visible(element: Element) -> str:
    """All text that a reader sees."""
    return "".join(_texts(element, frozenset({"style", "title", "head"})))


def spoken(element: Element) -> str:
    """The text outside of code, in which platforms look for references; what is apart stays apart."""
    return "\n".join(_texts(element, frozenset({"style", "title", "head", "code", "pre"})))


def _texts(element: Element, without: frozenset[str]) -> Iterator[str]:
    if element.tag not in without and not callable(element.tag):  # a comment's is
        yield element.text or ""
        for child in element:
            yield from _texts(child, without)
            yield child.tail or ""
