"""`diff`."""

import os
import sys
from pathlib import Path

import click

from publisher.cli.changed import cache_option
from publisher.cli.comparing import Question, compared
from publisher.cli.console import Console
from publisher.cli.options import Asked, Place, option, pass_console, source_options, store_options
from publisher.cli.sealing import Sealing, trusting
from publisher.reviewtext import STYLES, Line, lines


@click.command(short_help="Show what your changes do to keys, documents and verifiers.")
@click.argument("base", default="HEAD")
@source_options
@store_options
@trusting
@option(
    "--color",
    type=click.Choice(["auto", "always", "never"]),
    default="auto",
    show_default=True,
    help="Colours; auto: on a terminal, unless NO_COLOR is set.",
)
@cache_option
@pass_console
def diff(
    console: Console, asked: Asked, place: Place, sealing: Sealing, base: str, color: str, cache: Path | None
) -> None:
    """Show what the working tree (or --rev) does to the keys of every tenant since it parted from BASE, HEAD by
    default: the comparison of `review`, for people at a shell.

    Exit code 1 where it has mistakes, or a publish would meet hazards.
    """
    question = Question(base=base, head=asked.rev, place=place, sealing=sealing, cache=cache)
    found = compared(console, asked, question)
    coloured = color == "always" or (color == "auto" and sys.stdout.isatty() and not os.environ.get("NO_COLOR"))
    console.colours = coloured
    for line in lines(found):
        console.finding(_coloured(line) if coloured else str(line))
    if found.verdict != "fine":
        raise click.exceptions.Exit(1)


def _coloured(line: Line) -> str:
    words = STYLES[line.sign].split()
    colour = next((one for one in words if one != "bold"), None)
    return click.style(str(line), fg=colour, bold="bold" in words or None)
