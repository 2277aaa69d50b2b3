"""Findings as GitHub's workflow commands, which put them beside the lines of a pull request.

Of a step GitHub shows 10 errors and 10 warnings and drops the rest without a word
(https://docs.github.com/actions/reference/workflows-and-actions/workflow-commands). So where there are more, the tenth
says how many, and every finding follows as a plain line of a group in the log.

The runner takes a line for a command that begins, after blanks, with `::name ...::`, or that has `##[name ...]`
anywhere (actions/runner, src/Runner.Common/ActionCommand.cs). Plain lines begin with `- `, and `inert` leaves neither
mark in a stranger's text: that needs no `stop-commands`, whose token would have to be a secret of each run.
"""

from collections.abc import Iterator, Sequence

from publisher.diagnostic import Diagnostic, worst_first
from publisher.inert import inert

SHOWN = 10
"""As many errors, and as many warnings, GitHub shows of one step."""
_DATA = str.maketrans({"%": "%25", "\r": "%0D", "\n": "%0A"})
_PROPERTY = str.maketrans({"%": "%25", "\r": "%0D", "\n": "%0A", ":": "%3A", ",": "%2C"})


def annotations(mistakes: Sequence[Diagnostic], warnings: Sequence[Diagnostic]) -> Iterator[str]:
    """The lines to print: annotations, exposed secrets before all others, then everything in a group of plain lines."""
    yield from _shown("error", "mistakes", worst_first(mistakes))
    yield from _shown("warning", "warnings", warnings)
    if mistakes or warnings:
        yield f"::group::All findings: mistakes {len(mistakes)}, warnings {len(warnings)}"
        yield from (f"- {inert(str(one))}" for one in mistakes)
        yield from (f"- warning: {inert(str(one))}" for one in warnings)
        yield "::endgroup::"


def _shown(level: str, noun: str, found: Sequence[Diagnostic]) -> Iterator[str]:
    count = len(found) if len(found) <= SHOWN else SHOWN - 1
    for one in found[:count]:
        place = {"file": inert(one.path), "line": str(one.line), "col": str(one.column), "title": inert(one.rule)}
        yield _command(level, place, inert(f"{one.message}; {one.hint}"))
    if count < len(found):
        rest = f"and {len(found) - count} more {noun}: all {len(found)} are in the log of this step"
        yield _command(level, {"title": f"{len(found)} {noun}"}, rest)


def _command(name: str, properties: dict[str, str], data: str) -> str:
    given = ",".join(f"{key}={value.translate(_PROPERTY)}" for key, value in properties.items())
    return f"::{name} {given}::{data.translate(_DATA)}"
