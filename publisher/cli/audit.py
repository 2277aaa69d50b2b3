"""`audit`."""

import hashlib
from collections.abc import Awaitable, Callable

import click

from publisher.audit import PARALLEL, Question, Tally, commit_tenants
from publisher.audit import audit as look
from publisher.auditrules import Fault
from publisher.cli.console import Console
from publisher.cli.options import (
    Asked,
    Place,
    format_option,
    option,
    pass_console,
    refuse_bad_address,
    run,
    source_options,
    store_options,
)
from publisher.cli.sealing import Sealing, trusting
from publisher.diagnostic import clean
from publisher.edge import fetch, session
from publisher.fleet import source_policy
from publisher.policy import Policy
from publisher.releaselog import Log
from publisher.reply import Reply
from publisher.report import counted


@click.command(short_help="Compare all that is published with the state.")
@source_options
@store_options
@option(
    "--via",
    metavar="BASE-URL",
    help="A CDN that is to serve it: each domain is asked for there by its Host header, or as https://{domain}.",
)
@trusting
@format_option
@pass_console
def audit(console: Console, asked: Asked, place: Place, via: str | None, sealing: Sealing, form: str) -> None:
    """Compare live objects, documents, shards and releases with what HEAD says, and HEAD with a commit (--rev).

    Changes nothing. Every finding has an id, see `explain`. Exit code 1 where there are some.
    """
    log = Log(place.open(), sealing)
    if via is not None:
        refuse_bad_address(via)
    question = _question(console, asked)
    found, remarks, tally = run(_ask(console, log, question, via, form))
    if form == "json":
        console.data({"store": log.store.url, "findings": found, "remarks": remarks, "domains": len(tally.domains)})
    else:
        for text in remarks:
            console.note(text)
    looked = f"{counted(tally.tenants, 'tenant')}, {counted(len(tally.domains), 'domain')} at {log.store.url}"
    if found:
        console.note(f"{counted(len(found), 'finding')}: {looked}")
        raise click.exceptions.Exit(1)
    if form == "text":
        console.say(f"All is as the state says: {looked}")


def _question(console: Console, asked: Asked) -> Question:
    if asked.rev is None:
        policy = Policy()
        return Question(now=asked.now, late=policy.publish_interval + policy.clock_skew)
    revision = asked.revision(console)
    policy, _ = source_policy(revision)
    file = revision.policy()
    return Question(
        now=asked.now,
        late=policy.publish_interval + policy.clock_skew,
        commit=commit_tenants(revision),
        policy=hashlib.sha256(b"" if file is None else file.data).hexdigest(),
    )


async def _ask(
    console: Console, log: Log, question: Question, via: str | None, form: str
) -> tuple[list[dict[str, str]], list[str], Tally]:
    found: list[dict[str, str]] = []
    remarks: list[str] = []
    tally = Tally()

    async def look_with(fetching: Callable[[str], Awaitable[Reply]] | None) -> None:
        with console.progress("findings") as step:
            async for one in look(log, question, tally, fetching):
                if not isinstance(one, Fault):
                    remarks.append(one.text)
                    continue
                step()
                found.append({"id": one.rule.id, "about": one.about, "message": one.message, "hint": one.hint})
                if form == "text":
                    console.finding(f"{clean(one.about)}: {one.rule.id}: {clean(one.message)}; {clean(one.hint)}")

    if via is None:
        await look_with(None)
    else:
        async with session(PARALLEL) as client:
            await look_with(lambda domain: fetch(client, via, domain))
    return found, remarks, tally
