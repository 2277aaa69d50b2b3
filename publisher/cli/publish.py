"""`plan` and `publish`."""

from collections.abc import Callable

import click

from publisher.apply import Applied, apply
from publisher.cli.cdn import Behind, Flipped, cdn_options
from publisher.cli.console import Console
from publisher.cli.load import load_sound
from publisher.cli.options import Asked, Place, format_option, option, pass_console, run, source_options, store_options
from publisher.diagnostic import clean
from publisher.hazards import HAZARDS
from publisher.plan import Plan, make_plan
from publisher.probe import honours_conditions
from publisher.render import cache_control
from publisher.report import TEXT_LIMIT, counted, domain_name, look_command, plan_json, plan_summary, plan_text
from publisher.state import live_domains, read_live
from publisher.store import Store, StoreError
from publisher.verify import Verified, verify_store
from publisher.wanted import Wanted

PARALLEL = 64
"""Requests under way at once (FACTS: obstore's CPU per PUT was measured with 64 in flight)."""

DONE = ("written", "already-there")
LOST = {
    "conflict": "changed by somebody else meanwhile, and left so; publish again",
    "damaged-document": "left as it is: documents/ holds other bytes by the name of its document; find out who writes "
    "there, remove that object, and publish again",
}

allow_option = option(
    "--allow",
    type=click.Choice(list(HAZARDS)),
    multiple=True,
    help="Waive a hazard by its id; may be given again. See `explain`.",
)
ignores_option = option(
    "--store-ignores-conditions",
    "unconditional",
    is_flag=True,
    help="Do not ask a new store whether it holds conditional writes. For benchmarks: publishers may undo each other.",
)


@click.command(short_help="Show what a publish would change.")
@source_options
@store_options
@allow_option
@format_option
@pass_console
def plan(console: Console, asked: Asked, place: Place, allow: tuple[str, ...], form: str) -> None:
    """Show what a publish would change, per domain: keys in, keys out, phases moved. Changes nothing."""
    target = place.open()
    made, _ = _plan(console, asked, target, frozenset(allow))
    _show(console, made, form)
    if made.unreadable:
        raise click.exceptions.Exit(3)
    if made.blocked:
        raise click.exceptions.Exit(1)


@click.command(short_help="Publish what changed to a store.")
@source_options
@store_options
@allow_option
@ignores_option
@cdn_options
@format_option
@pass_console
def publish(
    console: Console, asked: Asked, place: Place, allow: tuple[str, ...], unconditional: bool, behind: Behind, form: str
) -> None:
    """Plan, and do it: documents first, then the live objects that changed, each on the condition that the plan saw.

    Domains with a hazard that is not waived keep what they serve; the others are published, and the exit code is 1.
    A store with no document of ours is first asked, by an object below probe/, whether it holds such conditions.
    With --cdn copies are purged then; a purge that fails is exit code 3, and --purge always repeats it.
    """
    target = place.open()
    made, wanted = _plan(console, asked, target, frozenset(allow))
    if form == "text":
        _show(console, made, form)
    applied = run(_apply(console, target, made, probed=unconditional or not made.first))
    lost = {one.change.wanted.domain: LOST.get(one.result, one.why) for one in applied if one.result not in DONE}
    if form == "json":
        results = {one.change.wanted.domain: one.result for one in applied}
        console.data({**plan_json(made), "results": results, "lost": lost})
    else:
        _show_published(console, made, applied, place.endpoint_url)
    for domain in sorted(lost) if form == "text" else ():
        console.finding(f"{domain_name(domain)}: {clean(lost[domain])}")
    forgotten = run(_read_back(target, applied))
    for one in forgotten:
        console.finding(f"{domain_name(one.domain)}: the store took it, and then did not have it: {one.faults[0]}")
    code = _purge(console, asked, made, wanted, applied, behind)
    if code == 3 or forgotten or made.unreadable or any(one.result == "failed" for one in applied):
        raise click.exceptions.Exit(3)
    if code or lost or made.blocked:
        raise click.exceptions.Exit(1)


def _purge(
    console: Console, asked: Asked, made: Plan, wanted: list[Wanted], applied: list[Applied], behind: Behind
) -> int:
    """All that is done about CDNs: everything that they need to know is gathered here."""
    flipped = [Flipped(wanted=one.change.wanted, revokes=one.change.revokes) for one in applied if one.result in DONE]
    others = {one.wanted.domain for one in made.changes} | set(made.without_keys) | {one for one, _ in made.unreadable}
    unchanged = (one for one in wanted if one.domain not in others)
    return behind.finish(console, flipped, unchanged, occasion=f"{made.source} {asked.now.isoformat()}")


def _plan(console: Console, asked: Asked, store: Store, allowed: frozenset[str]) -> tuple[Plan, list[Wanted]]:
    source = asked.revision(console)
    loaded, wanted = load_sound(console, source, asked)

    async def compare() -> Plan:
        published = await live_domains(store)
        with console.progress("live documents"):
            live = await read_live(store, (one.domain for one in wanted if one.domain in published), PARALLEL)
        return make_plan(
            wanted,
            live,
            published,
            source=source.label,
            store=store.url,
            now=asked.now,
            cache_control=cache_control(loaded.policy.cache),
            allowed=allowed,
        )

    return run(compare()), wanted


async def _probe(store: Store) -> None:
    if not await honours_conditions(store):
        danger = "the store ignores conditional writes: two publishers would overwrite each other"
        remedy = "use one that honours If-Match and If-None-Match, or --store-ignores-conditions for benchmarks"
        raise StoreError("broken", f"{store.url}: {danger}; {remedy}")


async def _apply(console: Console, store: Store, made: Plan, *, probed: bool) -> list[Applied]:
    changes = [change for change in made.changes if not change.blocked]
    if changes and not probed:
        await _probe(store)
    applied: list[Applied] = []
    try:
        with console.progress("documents") as step:
            async for one in apply(store, changes, PARALLEL):
                applied.append(one)
                step()
    except StoreError:
        done = sum(one.result in DONE for one in applied)
        console.note(f"{done} of {counted(len(changes), 'document')} published before the store failed; publish again")
        raise
    return applied


async def _read_back(store: Store, applied: list[Applied]) -> list[Verified]:
    """What the store does not serve though it said that it was written: some stores lie, or lose."""
    changes = [one.change for one in applied if one.result in DONE]
    if not changes:
        return []
    results = verify_store(store, (one.wanted for one in changes), changes[0].headers.cache_control, PARALLEL)
    return sorted([one async for one in results if one.faults], key=lambda one: one.domain)


def _show(console: Console, made: Plan, form: str) -> None:
    if form == "json":
        console.data(plan_json(made))
        return
    speak: Callable[[str], None] = console.finding if made.blocked or made.unreadable else console.say
    for line in plan_text(made):
        speak(line)
    speak(plan_summary(made))


def _show_published(console: Console, made: Plan, applied: list[Applied], endpoint_url: str | None) -> None:
    done = sorted(one.change.wanted.domain for one in applied if one.result in DONE)
    if done:
        console.say(f"Published {counted(len(done), 'document')}. Look at them:")
    for domain in done[:TEXT_LIMIT]:
        console.say(f"    {look_command(made.store, domain, endpoint_url)}")
