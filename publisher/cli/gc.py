"""`gc`."""

from typing import Any

import click

from publisher.cli.console import Console
from publisher.cli.options import (
    Asked,
    Place,
    format_option,
    option,
    pass_console,
    run,
    source_options,
    store_options,
)
from publisher.cli.sealing import Sealing, trusting
from publisher.diagnostic import clean
from publisher.fleet import source_policy
from publisher.garbage import Removed, remove
from publisher.policy import Policy
from publisher.refusals import off_store
from publisher.releaselog import Log
from publisher.report import counted
from publisher.retention import Garbage, garbage


@click.command(short_help="Remove what nothing needs any more.")
@source_options
@store_options
@option("--apply", "really", is_flag=True, help="Remove it.  [default: say what would be removed]")
@trusting
@format_option
@pass_console
def gc(console: Console, asked: Asked, place: Place, really: bool, sealing: Sealing, form: str) -> None:
    """Thin out old releases to one a day, and remove shards, documents and tombstones that nothing needs any more.

    How long things are kept is policy.yaml's `retention` (of --rev). Says what would be removed, unless --apply.
    """
    log = Log(place.open(), sealing)
    policy, problems = source_policy(asked.revision(console))
    if problems:
        raise click.UsageError(f"policy.yaml: {problems[0]}")
    wrong = list(off_store(run(log.store.time()), asked.now, policy, frozenset())) if really else []
    if wrong:
        console.error(f"{wrong[0].message}: nothing is removed by a clock that may be wrong; {wrong[0].hint}")
        raise click.exceptions.Exit(3)
    found, removed = run(_run(log, policy, asked, really))
    if really and removed is None:
        console.error("another gc is at work; nothing was removed")
        raise click.exceptions.Exit(3)
    if form == "json":
        console.data(_json(found, removed))
    else:
        _say(console, found, removed)


async def _run(log: Log, policy: Policy, asked: Asked, really: bool) -> tuple[Garbage, Removed | None]:
    found = await garbage(log, await log.tip(), policy, asked.now)
    return found, await remove(log, found) if really else None


def _say(console: Console, found: Garbage, removed: Removed | None) -> None:
    for loss in found.unreadable:
        console.note(f"{clean(loss.key)}: {clean(loss.why)}; no shard and no document is removed, as it may need it")
    verb = "would be removed" if removed is None else "removed"
    parts = (
        (found.releases, "release"),
        (found.shards, "shard"),
        (found.documents, "document"),
        (found.tombstones, "tombstone"),
    )
    console.say(f"{', '.join(counted(len(some), noun) for some, noun in parts)} {verb}; {_kept(found)}")
    for key in () if removed is None else removed.restored:
        console.finding(f"{clean(key)}: needed again meanwhile, and put back")


def _kept(found: Garbage) -> str:
    waiting = f", and {counted(len(found.seen), 'object')} to be looked at again" if found.seen else ""
    return f"{counted(len(found.kept), 'release')} kept{waiting}"


def _json(found: Garbage, removed: Removed | None) -> dict[str, Any]:
    return {
        "applied": removed is not None,
        "releases": list(found.releases),
        "shards": list(found.shards),
        "documents": list(found.documents),
        "tombstones": list(found.tombstones),
        "waiting": sorted(found.seen),
        "restored": [] if removed is None else list(removed.restored),
        "unreadable": [{"object": one.key, "why": one.why} for one in found.unreadable],
    }
