"""Text of strangers in Markdown, shown and never obeyed: for comments of GitHub and GitLab, and logs that print them.

An escaped character is no help there: both look for mentions, references and commits in what was rendered, and
cmark-gfm links mail addresses after it has undone the escapes. They pass over code, so values are code spans. Of a
message the plain words stay prose, as a list of what is harmless can be complete; all else in it is code, too.
"""

import html
import re
from collections.abc import Iterable, Iterator

from publisher.diagnostic import clean, quoted

_DEAD = re.compile(
    r"`"  # the end of code
    r"|<(?=[A-Za-z/!?])"  # a tag or a comment, where a reader knows no code
    r"|(?<=#)#"  # ##[commands] of GitHub's runner and ##vso[those] of Azure's, anywhere in a log's line
)
# A word, or a number too short for a commit's; with a bracket and a sign of a sentence.
_HARMLESS = re.compile(r"\(?(?:[A-Za-z]+(?:[-'][A-Za-z]+)*|[0-9]{1,6}(?![0-9.:)]))?\)?[.,;:]?")
_COMMIT = re.compile(r"[0-9a-f]{7}", re.IGNORECASE)


def code(text: str, most: int) -> str:
    """A value as a code span of at most `most` characters."""
    return f"`{dead(text, most) or '(none)'}`"


def prose(text: str, most: int) -> str:
    """A message: its plain words as they are, all else as code spans."""
    shown = ""
    for part in _parts(_cut(clean(text), most)):
        # Two spans that touch would be none.
        shown += f" {part}" if shown.endswith("`") and part.startswith("`") else part
    return shown.strip()


def tagged(text: str, most: int) -> str:
    """A value inside of HTML, where Markdown is not read."""
    return f"<code>{html.escape(dead(text, most) or '(none)')}</code>"


def dead(text: str, most: int) -> str:
    """What may stand in code: no end of it, no tag, no command."""
    return _DEAD.sub(lambda match: f"\\x{ord(match[0]):02x}", _cut(clean(text), most))


def fenced(lines: Iterable[str], kind: str, most: int) -> str:
    """Lines as a code block. None may begin with a stranger's text: GitLab obeys a `/` there."""
    body = "\n".join(dead(one, most) for one in lines)
    return f"```{kind}\n{body}\n```\n"


def folded(summary: str, body: str, *, unfolded: bool = False) -> str:
    """`summary` is HTML, `body` Markdown that ends its last line."""
    return f"<details{' open' if unfolded else ''}><summary>{summary}</summary>\n\n{body}\n</details>\n"


def _cut(text: str, most: int) -> str:
    return text if len(text) <= most else f"{text[: most - 3]}..."


def _parts(text: str) -> Iterator[str]:
    for part, is_value in quoted(text):
        if is_value:
            yield code(part, len(part) * 4)
        else:
            yield from _words(part)


def _words(text: str) -> Iterator[str]:
    """Words one by one, with the blanks before them; runs of all else as one code span."""
    run: list[str] = []
    for at, word in enumerate(text.split(" ")):
        blank = " " if at else ""
        if _HARMLESS.fullmatch(word) and not _COMMIT.search(word):
            yield from _run(run)
            run = []
            yield blank + word
        else:
            run.append(blank + word)
    yield from _run(run)


def _run(run: list[str]) -> Iterator[str]:
    if run:
        text = "".join(run)
        yield " " if text.startswith(" ") else ""
        bracket, inner, end = _bracketed(text.strip(" "))
        yield f"{bracket}{code(inner, len(text) * 4)}{end}"


def _bracketed(text: str) -> tuple[str, str, str]:
    """The text without the brackets and the sign of a sentence around it."""
    end = text[-1] if len(text) > 1 and text[-1] in ".,;:" else ""
    inner = text.removesuffix(end)
    if len(inner) > 2 and inner.startswith("(") and inner.endswith(")"):
        return "(", inner[1:-1], f"){end}"
    return "", inner, end
