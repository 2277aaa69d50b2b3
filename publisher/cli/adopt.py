"""`adopt`."""

from dataclasses import replace
from datetime import datetime

import click

from publisher.adopt import Adoption, strangers
from publisher.cli.cdn import open_behind
from publisher.cli.console import Console
from publisher.cli.engine import Engine, engine
from publisher.cli.options import (
    Asked,
    InstantType,
    Place,
    format_option,
    option,
    pass_console,
    run,
    source_options,
    store_options,
)
from publisher.cli.publish import allow_option
from publisher.cli.repair import dry_run_option
from publisher.cli.sealing import Sealing, signing
from publisher.plan import Plan
from publisher.releaselog import Tip
from publisher.report import domain_name
from publisher.survey import Wish


@click.command(short_help="Take over live documents that something else wrote.")
@source_options
@store_options
@option(
    "--first-published",
    "since",
    type=InstantType(),
    help="Since when the adopted keys are published.  [default: they count from the adoption]",
)
@allow_option
@dry_run_option
@signing
@format_option
@pass_console
def adopt(
    console: Console,
    asked: Asked,
    place: Place,
    since: datetime | None,
    allow: tuple[str, ...],
    dry_run: bool,
    sealing: Sealing,
    form: str,
) -> None:
    """Take over live documents that something else published, or an earlier layout: those with the keys that Git has.

    They are written anew as ours. Where the keys differ nothing is changed, the difference is shown, and the exit code
    is 1. What is not live yet is published, as `publish` does.
    """
    if since is not None and since > asked.now:
        raise click.UsageError("--first-published is in the future")
    run_of = engine(console, asked, place, sealing, form=form)
    adoption = Adoption(since=since)
    order = run_of.order(allow, Wish(full=True))
    order = replace(
        order, kind="adopt", inspect=True, waive=adoption.waive, amend=adoption.amend, reason="adopted live documents"
    )
    tip, plan = run_of.plan(order, shown=dry_run)
    nobodys = run(_strangers(run_of, tip, plan))
    for domain in nobodys if form == "text" else ():
        console.finding(f"{domain_name(domain)}: live, and in no tenant's files; left alone")
    if not dry_run:
        run_of.publish(order, open_behind((), "never", None, 0))
    if nobodys or (dry_run and (plan.blocked or plan.mistakes or plan.refused or plan.unreadable)):
        raise click.exceptions.Exit(1)


async def _strangers(run_of: Engine, tip: Tip, plan: Plan) -> list[str]:
    known: set[str] = set()
    for summary in () if tip.base is None else tip.base.shards.values():
        shard = await run_of.log.shard(summary)
        known.update(domain for value in shard.tenants.values() for domain in value["domains"])
        known.update(name.removeprefix("domain ") for name in shard.claims if name.startswith("domain "))
    return await strangers(run_of.log.store, plan, known)
