"""`releases` and `releases show`."""

from typing import Any

import click

from publisher.chronicle import Entry, Gone, Reader, Written, reader
from publisher.cli.console import Console
from publisher.cli.options import Place, format_option, option, pass_console, run, store_options
from publisher.cli.sealing import Sealing, trusting
from publisher.logreport import entry_json, entry_text, whole_json, whole_text, written_text
from publisher.planreport import TEXT_LIMIT
from publisher.releaselog import Log
from publisher.report import counted
from publisher.shard import Missing


@click.group(invoke_without_command=True, short_help="List the releases of a store, or show one.")
@option("--limit", type=click.IntRange(min=1), default=20, show_default=True, help="The latest so many.")
@store_options
@trusting
@format_option
@pass_console
@click.pass_context
def releases(ctx: click.Context, console: Console, place: Place, limit: int, sealing: Sealing, form: str) -> None:
    """List what was released, the latest first: when, from which commit, by whom, what changed, what is held.

    A release above HEAD is marked UNFINISHED: its publisher is at work, or died; the next publish plans over it.
    """
    if ctx.invoked_subcommand is not None:
        ctx.meta["place"], ctx.meta["sealing"], ctx.meta["form"] = place, sealing, form
        return
    log = Log(place.open(), sealing)
    found: list[dict[str, Any]] = []

    async def read() -> int:
        number = 0
        async for one in (await reader(log)).entries():
            if number == limit:
                break
            number += isinstance(one, Entry)
            if form == "json":
                found.append(entry_json(one))
            else:
                _say(console, one)
        return number

    number = run(read())
    if form == "json":
        console.data(found)
    elif not number:
        console.say(f"Nothing was ever published to {log.store.url}.")


def _say(console: Console, one: Entry | Gone) -> None:
    for line in entry_text(one):
        console.say(line)


@releases.command(short_help="Show one release whole.")
@click.argument("release", type=click.IntRange(min=1), metavar="RELEASE")
@store_options
@trusting
@format_option
@pass_console
@click.pass_context
def show(ctx: click.Context, console: Console, release: int, place: Place, sealing: Sealing, form: str) -> None:
    """Show one release: what it was made from, its holds, its documents, and whether its predecessor is as it was.

    Exit code 1 where the predecessor was replaced. Options may stand before `show` too.
    """
    if place.url is None:
        place = ctx.meta["place"]
    log = Log(place.open(), sealing if sealing.trusts else ctx.meta["sealing"])

    async def read() -> int:
        reading = await reader(log)
        one = await reading.entry(release)
        if one is None:
            known = release <= reading.tip.last
            raise click.UsageError(
                f"release {release} is kept no more" if known else f"there is no release {release} in {log.store.url}"
            )
        link = await reading.link(one.release)
        written = await _written(reading, one)
        if "json" in (form, ctx.meta["form"]):
            console.data(whole_json(one, link, written))
        else:
            for line in whole_text(one, link):
                console.say(line)
            _say_written(console, written)
        return int(link == "broken")

    raise click.exceptions.Exit(run(read()))


async def _written(reading: Reader, one: Entry) -> list[Written] | None:
    try:
        return [some async for some in reading.written(one.release)]
    except Missing:
        return None


def _say_written(console: Console, written: list[Written] | None) -> None:
    if written is None:
        console.say("    its documents are not known any more: its shards were collected")
        return
    for one in sorted(written, key=lambda one: one.domain)[:TEXT_LIMIT]:
        console.say(written_text(one))
    if len(written) > TEXT_LIMIT:
        console.say(f"... and {counted(len(written) - TEXT_LIMIT, 'more domain')} (--format json names all)")
