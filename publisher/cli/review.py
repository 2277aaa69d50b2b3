"""`review`."""

import os
from pathlib import Path

import click

from publisher.cli.changed import cache_option
from publisher.cli.comparing import Question, compared
from publisher.cli.console import Console
from publisher.cli.options import ENV, Asked, Place, option, pass_console, released_options, store_options
from publisher.cli.sealing import Sealing, trusting
from publisher.reviewjson import review_json
from publisher.reviewmarkdown import LEAST, markdown
from publisher.reviewtext import lines

_MOST = 60_000
"""Bytes. GitHub takes comments of 65,536 characters (FACTS, section 7)."""


@click.command(short_help="Review what a change does to the keys of every tenant.")
@click.argument("base")
@click.argument("head")
@released_options
@store_options
@trusting
@option(
    "--format",
    "form",
    type=click.Choice(["markdown", "html", "json", "text"]),
    default="markdown",
    show_default=True,
    help="Format of the review; markdown for a comment on a pull request.",
)
@option(
    "--max-bytes",
    type=click.IntRange(LEAST),
    default=_MOST,
    show_default=True,
    help="Length of the Markdown at most; what is left out is counted.",
)
@option(
    "--author-may",
    "may",
    multiple=True,
    metavar="TENANT",
    help="Refuse changes outside of this tenant's folder; may be given again. See `explain outside-author`.",
)
@option(
    "--require-signed-commits",
    "signed",
    is_flag=True,
    help="Refuse commits that no allowed signer of BASE signed (SSH or OpenPGP).",
)
@cache_option
@pass_console
def review(
    console: Console,
    asked: Asked,
    place: Place,
    sealing: Sealing,
    base: str,
    head: str,
    form: str,
    max_bytes: int,
    may: tuple[str, ...],
    signed: bool,
    cache: Path | None,
) -> None:
    """Review what HEAD does to the keys of every tenant since it parted from BASE: who may mint tokens and from when,
    what each domain serves over time, what a publish would stop at, and which waiver would allow it.

    Policy, waivers and allowed signers count as BASE has them. With --store hazards go by what is published, otherwise
    as if BASE was. Exit code 1 where the change is refused, or a publish would meet hazards.
    """
    if not may and os.environ.get(f"{ENV}AUTHOR_MAY") is not None:
        raise click.UsageError(f"{ENV}AUTHOR_MAY is empty: name the tenants that may change, or unset it for all")
    question = Question(base=base, head=head, place=place, sealing=sealing, may=may, signed=signed, cache=cache)
    found = compared(console, asked, question)
    match form:
        case "markdown":
            console.finding(markdown(found, max_bytes))
        case "json":
            console.data(review_json(found))
        case "html":
            from publisher.reviewhtml import page  # jinja2 takes its time

            console.finding(page(found))
        case _:
            for line in lines(found):
                console.finding(str(line))
    if found.verdict != "fine":
        raise click.exceptions.Exit(1)
