"""`history`."""

from datetime import datetime
from typing import Any

import click

from publisher.chronicle import Reader, reader
from publisher.cli.console import Console
from publisher.cli.options import InstantType, Place, format_option, option, pass_console, run, store_options
from publisher.cli.sealing import Sealing, trusting
from publisher.history import DocumentKey, Period, keys_of, life, served_at
from publisher.logreport import key_json, key_text, period_json, period_text
from publisher.releaselog import Log
from publisher.report import domain_name
from publisher.rules.windows import instant


@click.command(short_help="Tell which document a domain served when.")
@click.argument("domain")
@option("--at", type=InstantType(), help="This instant alone, with the keys of the document.")
@store_options
@trusting
@format_option
@pass_console
def history(console: Console, domain: str, at: datetime | None, place: Place, sealing: Sealing, form: str) -> None:
    """Tell which document a domain served when, the latest first, by the log of releases.

    A period begins when its release was complete. Copies in caches were used longer: see `releases show`. Exit code 1
    where nothing is known of the domain, or of the instant.
    """
    log = Log(place.open(), sealing)
    domain = domain.lower()

    async def read() -> bool:
        reading = await reader(log)
        return await (_life(console, reading, domain, form) if at is None else _at(console, reading, domain, at, form))

    if not run(read()):
        raise click.exceptions.Exit(1)


async def _life(console: Console, reading: Reader, domain: str, form: str) -> bool:
    found = await life(reading, domain)
    if form == "json":
        periods = [period_json(one) for one in found.periods]
        console.data({"domain": domain, "periods": periods, "collected_before": found.from_release})
        return bool(found.periods)
    if not found.periods:
        gone = "" if found.from_release is None else f" since release {found.from_release}"
        console.finding(f"{domain_name(domain)}: {reading.log.store.url} never had a document for it{gone}")
    for one in found.periods:
        console.say(period_text(one))
    if found.from_release is not None:
        console.say(f"What was before release {found.from_release} is kept no more.")
    return bool(found.periods)


async def _at(console: Console, reading: Reader, domain: str, at: datetime, form: str) -> bool:
    found, known = await served_at(reading, domain, at)
    kept = [(one, None if one.digest is None else await keys_of(reading, one.digest)) for one in found]
    if form == "json":
        documents = [_document_json(one, keys) for one, keys in kept]
        console.data({"domain": domain, "at": instant(at), "known": known, "documents": documents})
        return known
    if not known:
        console.finding(f"{domain_name(domain)}: what was served at {instant(at)} is kept no more")
    elif not found:
        console.say(f"{domain_name(domain)} served no document at {instant(at)}.")
    for one, keys in kept:
        console.say(period_text(one))
        for key in keys or ():
            console.say(key_text(key))
        if keys is None:
            console.say("    its keys are not known any more: the document was collected")
    return known


def _document_json(one: Period, keys: tuple[DocumentKey, ...] | None) -> dict[str, Any]:
    return {**period_json(one), "document": None if keys is None else [key_json(key) for key in keys]}
