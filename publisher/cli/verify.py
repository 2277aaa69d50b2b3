"""`verify`."""

import click

from publisher.cli.console import Console
from publisher.cli.load import load_sound
from publisher.cli.options import (
    Asked,
    Place,
    option,
    pass_console,
    refuse_bad_address,
    run,
    source_options,
    store_options,
)
from publisher.draft import PARALLEL
from publisher.edge import fetch, session
from publisher.render import cache_control
from publisher.report import counted, domain_name
from publisher.verify import Verified, verify_edge, verify_store
from publisher.wanted import Wanted


@click.command(short_help="Compare what is served with what should be.")
@source_options
@store_options
@option(
    "--via",
    metavar="BASE-URL",
    help="A CDN or `serve`: each domain is asked for there by its Host header, or as https://{domain}.",
)
@pass_console
def verify(console: Console, asked: Asked, place: Place, via: str | None) -> None:
    """Fetch every domain's document, from a store or through a CDN, and compare bytes and headers.

    Through a CDN that is: status 200, no redirect, application/json, Cache-Control, CORS, nosniff, ETag.
    """
    if (place.url is None) == (via is None):
        both = "and not both" if via is not None else "to say where to look"
        raise click.UsageError(f"give --store URL or --via BASE-URL, {both}")
    target = None if place.url is None else place.open()
    if via is not None:
        refuse_bad_address(via)
    source = asked.revision(console)
    loaded, wanted = load_sound(console, source, asked)
    cache = cache_control(loaded.policy.cache)

    async def check() -> list[Verified]:
        if target is not None:
            return [one async for one in verify_store(target, wanted, cache, PARALLEL)]
        return await _through_edge(str(via), wanted, cache)

    results = run(check())
    wrong = sorted((one for one in results if one.faults), key=lambda one: one.domain)
    for one in wrong:
        for fault in one.faults:
            console.finding(f"{domain_name(one.domain)}: {fault}")
    where = via if target is None else target.url
    if wrong:
        console.note(f"{counted(len(wrong), 'domain')} of {len(results)} not as in {source.label} at {where}")
        raise click.exceptions.Exit(1)
    console.say(f"{counted(len(results), 'domain')} as in {source.label} at {where}")


async def _through_edge(via: str, wanted: list[Wanted], cache: str) -> list[Verified]:
    async with session(PARALLEL) as client:
        return [one async for one in verify_edge(lambda domain: fetch(client, via, domain), wanted, cache, PARALLEL)]
