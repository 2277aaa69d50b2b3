"""Whatever strangers write, a review has the elements that it has for harmless words, and shows what they wrote."""

import json
import re
from functools import cache
from typing import Any, get_type_hints

import pytest
from formats.viewers import obeyed

from publisher.diagnostic import clean
from publisher.markdowntext import dead
from publisher.review import Review
from publisher.reviewhtml import page
from publisher.reviewjson import review_json
from publisher.reviewmarkdown import MARKER, markdown
from publisher.reviewtext import lines

from .hostile import HOSTILE
from .renderers import REFERENCES, RENDERERS, parsed, skeleton, spoken, visible
from .samples import full
from .values import reworded

# What a stranger's text may stand beside in one place.
_AROUND = ("{}", "acme {}", "{} b", "the kid `{}` is used", "(see {}), 5")


ROOM = 10**7
"""Nothing is left out, for want of room, that harmless words would have room for."""


def forged(text: str) -> Review:
    """The full review with the text in every place, and something around it in most."""
    count = iter(range(10**6))
    made: Review = reworded(full(), lambda _: _AROUND[next(count) % len(_AROUND)].format(text))
    return made


@cache
def harmless(length: int) -> Review:
    return forged("w" * length)


@cache
def rendered(length: int, name: str) -> Any:
    return skeleton(parsed(RENDERERS[name](markdown(harmless(length), ROOM))))


@cache
def harmless_page(length: int) -> Any:
    return skeleton(parsed(page(harmless(length))))


def squeezed(text: str) -> str:
    """Without what a message's code spans change: blanks and backquotes."""
    return re.sub(r"[\s`]|\\x60", "", text)


def most(every: int) -> list[Any]:
    """The hostile texts; all but some take the time of the slow round."""
    return [pytest.param(text, marks=[] if at % every == 0 else pytest.mark.chaos) for at, text in enumerate(HOSTILE)]


@pytest.mark.parametrize("text", HOSTILE)
def test_markdown_of_github(text: str) -> None:
    judged(text, "cmark-gfm")


@pytest.mark.parametrize("text", most(6))
def test_markdown_of_others(text: str) -> None:
    judged(text, "markdown-it")


def judged(text: str, name: str) -> None:
    comment = markdown(forged(text), ROOM)
    found = parsed(RENDERERS[name](comment))
    assert skeleton(found) == rendered(len(clean(text)), name)
    assert REFERENCES.search(spoken(found)) is None
    assert squeezed(dead(text, 200).removesuffix("...")) in squeezed(visible(found))


@pytest.mark.parametrize("text", HOSTILE)
def test_the_lines_of_markdown(text: str) -> None:
    """In a log no line is a command, GitLab obeys none, and the marker is where it belongs alone."""
    comment = markdown(forged(text))
    assert comment.startswith(f"{MARKER}\n")
    assert comment.count("<!--") == 1
    for line in comment.split("\n"):
        assert line.isprintable()
        assert obeyed(line) is None
        assert not line.lstrip().startswith("/")
        assert "##vso[" not in line


@pytest.mark.parametrize("text", most(3))
def test_html(text: str) -> None:
    found = parsed(page(forged(text)))
    assert skeleton(found) == harmless_page(len(clean(text)))
    assert squeezed(clean(text)) in squeezed(visible(found))


@pytest.mark.parametrize("text", HOSTILE)
def test_text(text: str) -> None:
    shown = [str(line) for line in lines(forged(text))]
    assert len(shown) == len([*lines(harmless(len(clean(text))))])
    assert all(line.isprintable() and obeyed(line) is None for line in shown)
    assert clean(text).replace("##", "#\\x23") in "\n".join(shown)


@pytest.mark.parametrize("text", HOSTILE)
def test_json(text: str) -> None:
    value = json.loads(json.dumps(review_json(forged(text))))
    assert _shape(value) == _shape(review_json(harmless(len(text))))
    assert value["platform"] != []
    assert json.dumps(text)[1:-1] in json.dumps(value)


def _shape(value: Any) -> Any:
    match value:
        case dict():
            return {len(name) if name not in _NAMES else name: _shape(one) for name, one in value.items()}
        case list():
            return [_shape(one) for one in value]
        case _:
            return type(value)


_NAMES = set(re.findall(r'"([a-z0-9_]+)":', json.dumps(review_json(full()))))


def test_the_full_review_holds_every_text() -> None:
    """No place is left out above."""
    seen: set[tuple[type, str]] = set()
    wanted: set[tuple[type, str]] = set()

    def walk(value: Any) -> None:
        if isinstance(value, tuple):
            for one in value:
                walk(one)
        elif hasattr(type(value), "__dataclass_fields__"):
            for name, hint in get_type_hints(type(value)).items():
                if "str" in str(hint) and "Literal" not in str(hint):
                    wanted.add((type(value), name))
                    if getattr(value, name):
                        seen.add((type(value), name))
                walk(getattr(value, name))

    walk(full())
    assert seen == wanted
    assert len(wanted) > 50
