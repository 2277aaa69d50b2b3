"""`repair`."""

from dataclasses import replace

import click

from publisher.cli.cdn import Behind, cdn_options
from publisher.cli.console import Console
from publisher.cli.engine import Engine, engine
from publisher.cli.options import Asked, Place, option, pass_console, run, source_options, store_options
from publisher.cli.publish import allow_option
from publisher.cli.sealing import Sealing, signing
from publisher.diagnostic import clean
from publisher.draft import Order
from publisher.head import HEAD_KEY
from publisher.plan import Plan
from publisher.releaselog import Tip
from publisher.repair import Mending, is_wrong, lost_documents, mend_documents
from publisher.survey import Wish
from publisher.terms import lifetime

dry_run_option = option("--dry-run", is_flag=True, help="Say what would be done, and change nothing.")


@click.command(short_help="Make a damaged or deleted state anew.")
@source_options
@store_options
@allow_option
@dry_run_option
@option("--over-untrusted", is_flag=True, help="Count releases that no trusted key signed as lost.")
@cdn_options
@signing
@pass_console
def repair(
    console: Console,
    asked: Asked,
    place: Place,
    allow: tuple[str, ...],
    dry_run: bool,
    over_untrusted: bool,
    behind: Behind,
    sealing: Sealing,
) -> None:
    """Make the state anew where HEAD, releases, shards, documents or live objects are deleted, damaged or stale.

    From what can still be read of the state, what is live, and the commit; as a release above all that is seen. The
    hazards of `publish` hold. Where nothing is wrong nothing is changed, also if the commit is newer than what is
    released. Says what is lost: what neither live objects nor Git have.
    """
    run_of = engine(console, asked, place, sealing)
    order = run_of.order(allow, Wish(full=True))
    policy = order.policy
    free = lifetime(policy.cache) + policy.token_lifetime + policy.clock_skew
    log = Mending(run_of.log.store, sealing, order.revision, asked.now, free)
    run_of = replace(run_of, log=log)
    order = replace(order, kind="repair", inspect=True, amend=log.amend, reason="repair")
    tip, plan = run_of.plan(order, shown=False)
    wrong = _wrong(tip, plan, log)
    _say_losses(console, log)
    if not over_untrusted and any(one.unknown_signer for one in log.damage.losses):
        console.error(
            "nothing was done: releases are signed by a key that is not in --trusted-keys; give the right keys, or, "
            "where somebody else wrote those releases, --over-untrusted to make the state anew without them"
        )
        raise click.exceptions.Exit(3)
    if wrong and not dry_run:
        run(mend_documents(log.store, {one.digest: one.body for one in plan.changes if not one.blocked}))
        code = _publish(run_of, order, behind)
    else:
        code = 1 if wrong else 0
        if wrong:
            run_of.show(plan)
    _finish(console, run_of, code, wrong=wrong, dry_run=dry_run)


def _wrong(tip: Tip, plan: Plan, log: Mending) -> bool:
    damaged = log.damage.losses or log.damage.made
    return bool(damaged or tip.head is None or tip.above or plan.unreadable) or any(map(is_wrong, plan.changes))


def _say_losses(console: Console, log: Mending) -> None:
    for one in log.damage.losses:
        console.finding(f"{clean(one.key)}: {clean(one.why)}")
    if not log.damage.made and {one.key for one in log.damage.losses} == {HEAD_KEY}:
        console.finding(
            "lost with it: when that release was complete, and purges that were still to be done (`publish --purge "
            "always` makes up for those)"
        )
    elif log.damage.losses or log.damage.made:
        console.finding(
            "lost with them: when keys were first published (that counts from this repair), keys that left the files "
            "before (revoked ones among them), holds of rollbacks, and purges that were still to be done (`publish "
            "--purge always` makes up for those), as far as nothing else tells of them"
        )


def _publish(run_of: Engine, order: Order, behind: Behind) -> int:
    try:
        run_of.publish(order, behind)
    except click.exceptions.Exit as end:
        return end.exit_code
    return 0


def _finish(console: Console, run_of: Engine, code: int, *, wrong: bool, dry_run: bool) -> None:
    """Documents are put back last: what was just published is among them."""
    back, gone = _documents(run_of, put_back=not dry_run) if not (wrong and dry_run) else ([], [])
    for key in back:
        console.finding(f"{key}: {'would be put back' if dry_run else 'put back'}, as a live object has it")
    for key in gone:
        console.finding(f"{key}: lost; no live object has it")
    if not wrong and not back and not gone:
        console.say("Nothing to repair.")
    if gone or (dry_run and back):
        code = code or 1
    if code:
        raise click.exceptions.Exit(code)
    if wrong:
        console.note("now run `audit`")


def _documents(run_of: Engine, *, put_back: bool) -> tuple[list[str], list[str]]:
    log = run_of.log

    async def look() -> tuple[list[str], list[str]]:
        tip = await log.tip()
        return ([], []) if tip.base is None else await lost_documents(log, tip.base, put_back=put_back)

    return run(look())
