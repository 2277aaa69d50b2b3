"""Where the program speaks: results on standard output, notes and errors on standard error, as text or JSON lines."""

import contextlib
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Protocol

import click
import orjson

from publisher.diagnostic import clean
from publisher.inert import logged


class Step(Protocol):
    """Counts work that is done."""

    def __call__(self) -> None: ...


@dataclass(slots=True, kw_only=True)
class Console:
    """How to speak. `quiet` leaves out results in text and notes, not errors, findings, or JSON that was asked for.

    Who has stopped listening does not stop the work: `deaf` tells at the end that output was lost.
    """

    quiet: bool = False
    json_log: bool = False
    deaf: bool = False
    colours: bool | None = None
    """Whether colours of results are kept; None: on a terminal."""

    def say(self, line: str) -> None:
        """A line of the result."""
        if not self.quiet:
            self._put(line)

    def finding(self, line: str) -> None:
        """A line that says what is wrong with the input or the world: shown in any case."""
        self._put(line)

    def data(self, value: Any) -> None:
        """The result as JSON."""
        self._put(orjson.dumps(value, option=orjson.OPT_INDENT_2))

    def note(self, line: str) -> None:
        """What is good to know."""
        if not self.quiet:
            self._log("info", line)

    def error(self, line: str) -> None:
        """Why the command failed."""
        self._log("error", line)

    @contextmanager
    def progress(self, what: str) -> Iterator[Step]:
        """A count of work on a terminal, and nothing elsewhere."""
        if self.quiet or self.json_log or not sys.stderr.isatty():
            yield lambda: None
            return
        from rich.console import Console as Terminal
        from rich.progress import MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

        columns = (SpinnerColumn(), TextColumn("{task.description}"), MofNCompleteColumn(), TimeElapsedColumn())
        with Progress(*columns, console=Terminal(stderr=True), transient=True) as bar:
            task = bar.add_task(what, total=None)
            yield lambda: bar.advance(task)

    def _put(self, line: str | bytes) -> None:
        try:
            if not self.deaf:
                click.echo(line, color=self.colours)
        except OSError:
            self.deaf = True

    def _log(self, level: str, line: str) -> None:
        if self.json_log:
            stamp = datetime.now(UTC).isoformat(timespec="milliseconds")
            text = orjson.dumps({"time": stamp, "level": level, "message": clean(line)}).decode()
        else:
            text = f"error: {clean(line)}" if level == "error" else logged(line)
        with contextlib.suppress(OSError):  # nobody is left to be told
            click.echo(text, err=True)
